"""Four answers to "can I trust the best score?": split, calibration, robustness, explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nbhelpers.evaluation.metrics import FEWEST_GROUPS
from nbhelpers.evaluation.predictions import PRIOR
from nbhelpers.runner import comparison, findings, scores
from nbhelpers.runner.standings import Standing

GOOD, WARNING, UNKNOWN = "good", "warning", "unknown"
MARKS = {GOOD: "✓", WARNING: "!", UNKNOWN: "?"}
SPLIT_FILE = ".split.csv"


@dataclass(frozen=True)
class Tile:
    """One answer.

    Attributes:
        title: what the question is about.
        state: of `MARKS`.
        text: one line.
    """

    title: str
    state: str
    text: str


def tiles(
    results: Mapping[str, dict], standings: Sequence[Standing], *, folder: Path
) -> list[Tile]:
    """Answer the four questions.

    Args:
        results: notebook name -> content of its results file.
        standings: of the same run; the tiles are about the first one's best model.
        folder: the output folder, with the splits.

    Returns:
        Four tiles.
    """
    extras = [result["extra"] for result in results.values() if _is_mapping(result.get("extra"))]
    return [
        split_tile(results, folder),
        calibration_tile(results, standings),
        robustness_tile(extras),
        explanations_tile(extras),
    ]


def split_tile(results: Mapping[str, dict], folder: Path) -> Tile:
    """Check whether training and test share people, in the splits that the notebooks wrote."""
    title = "Split"
    shared = tested = None
    for stem, result in results.items():
        groups = _groups_by_split(folder / f"{stem}{SPLIT_FILE}", result)
        if groups:
            shared = len(groups.get("train", set()) & groups.get("test", set()))
            tested = len(groups.get("test", set()))
            if shared:
                break
    if shared is None:
        return Tile(title, UNKNOWN, "Not checked: no split was written, or the data are gone.")
    if shared:
        return Tile(title, WARNING, f"{shared} groups of people are in both training and test.")
    if tested < FEWEST_GROUPS:
        return Tile(title, WARNING, f"The test split shows only {tested} groups of people.")
    text = "No group of people is in both training and test, as far as the data say"
    return Tile(title, GOOD, f"{text}; {tested} groups in test.")


def _groups_by_split(path: Path, result: dict) -> dict[str, set[str]]:
    """Return the groups of each split; {} if the table or the data set is missing."""
    if not path.is_file():
        return {}
    group_of = comparison.group_of(result)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        pairs = list(zip(table["videoname"], table["split"], strict=True))
    except (OSError, ValueError, KeyError):
        return {}
    if group_of is None or not {name for name, _ in pairs} <= group_of.keys():
        return {}
    groups: dict[str, set[str]] = {}
    for name, split in pairs:
        groups.setdefault(split, set()).add(group_of[name])
    return groups


def calibration_tile(results: Mapping[str, dict], standings: Sequence[Standing]) -> Tile:
    """Compare the best model's probabilities with the prior's."""
    title = "Calibration"
    if not standings:
        return Tile(title, UNKNOWN, "No model was judged.")
    best = standings[0].models[0]
    models = results[best.notebook]["metrics"]["test"]
    of_best = findings.intervals(models.get(best.name))
    loss, error = of_best.get("log_loss"), of_best.get("expected_calibration_error")
    prior = findings.intervals(models.get(PRIOR)).get("log_loss")
    if loss is None or prior is None:
        return Tile(title, UNKNOWN, "The results contain no log loss to compare with the prior's.")
    off = "" if error is None else f" P(fake) is off by {error.value:.2f} on average."
    numbers = f"log loss {loss.value:.3f}, the prior's {prior.value:.3f}."
    if not loss.is_firm:
        return Tile(title, UNKNOWN, f"Too few groups of people to judge {best.name}.")
    if loss.high < prior.value:
        return Tile(title, GOOD, f"P(fake) of {best.name} beats a constant: {numbers}{off}")
    return Tile(title, WARNING, f"P(fake) of {best.name} may not beat a constant: {numbers}{off}")


def robustness_tile(extras: Sequence[Mapping[str, Any]]) -> Tile:
    """Give the AUC under the most harmful damage."""
    title = "Robustness"
    curves = next((extra["robustness"] for extra in extras if extra.get("robustness")), [])
    rows = [
        (row, score)
        for row in (curves if isinstance(curves, list) else [])
        if _is_mapping(row)
        and (score := scores.interval_of(row.get("auc")) or scores.interval_of(row)) is not None
    ]
    damaged = [(row, score) for row, score in rows if row.get("corruption") != "clean"]
    if not damaged:
        return Tile(title, UNKNOWN, "No notebook in this run judged damaged pictures.")
    clean = next((score for row, score in rows if row.get("corruption") == "clean"), None)
    row, worst = min(damaged, key=lambda one: one[1].value)
    text = f"{row.get('corruption')} ({row.get('level')}) hurts most: AUC {worst:.2f}"
    text += "" if clean is None else f"; the same pictures undamaged: {clean.value:.2f}"
    if not worst.is_firm:
        return Tile(title, UNKNOWN, f"{text}.")
    if worst.low <= 0.5:
        return Tile(title, WARNING, f"{text}. That is no better than chance.")
    return Tile(title, GOOD, f"{text}.")


def explanations_tile(extras: Sequence[Mapping[str, Any]]) -> Tile:
    """Say whether any explanation marks what was forged."""
    title = "Explanations"
    extra = next((extra for extra in extras if extra.get(findings.BY_CENTRE)), None)
    if extra is None:
        return Tile(title, UNKNOWN, "No notebook in this run measured explanations.")
    best = findings.better_than_centre(extra)
    if best is None and not findings.any_firm(extra):
        return Tile(title, UNKNOWN, "Too few groups of people to judge the explanations.")
    if best is None:
        return Tile(title, WARNING, "None marks the forged region better than the centre prior.")
    method, measure, difference = best
    return Tile(title, GOOD, f"{method} beats the centre prior: {measure} {difference:+.2f}.")


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)
