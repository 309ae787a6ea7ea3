"""Compares runs of the same notebooks: settings, scores, paired differences."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nbhelpers.common.errors import UsageError
from nbhelpers.common.paths import check_readable_folder
from nbhelpers.data import locate, manifest
from nbhelpers.evaluation import metrics
from nbhelpers.evaluation.metrics import Interval
from nbhelpers.evaluation.predictions import PRIOR
from nbhelpers.runner import result_files, scores

OWN_TO_A_RUN = ("OUTPUT_DIR",)  # always differs and means nothing
NOTHING = "–"
MOST_NAMES = 3  # in a sentence


@dataclass(frozen=True)
class RunFolder:
    """A finished run.

    Attributes:
        path: its folder.
        results: notebook name -> content of its results file.
    """

    path: Path
    results: dict[str, dict]

    @property
    def name(self) -> str:
        """The folder as it was given."""
        return str(self.path)


@dataclass(frozen=True)
class Difference:
    """A model of a later run minus the same model of the first, on the rows that both judged.

    Attributes:
        model: its name.
        run: the later run's name.
        score: the difference; None if there is nothing to compare.
        note: the numbers of rows and groups, or why there is no difference.
    """

    model: str
    run: str
    score: Interval | None
    note: str

    @property
    def drawn(self) -> Interval | None:
        """What a plot may show: without known groups the interval is too narrow to show."""
        if self.score is None or self.score.groups is not None:
            return self.score
        return self.score._replace(groups=0)

    def __str__(self) -> str:
        if self.score is None:
            return NOTHING
        if self.score.groups is None:
            return f"{self.score.value:+.3f} [groups unknown]"
        return f"{self.score:+.3f}"


@dataclass(frozen=True)
class Comparison:
    """One notebook in several runs.

    Attributes:
        notebook: its name.
        settings: name -> value in each run, for settings that differ.
        scores: model -> the metric in each run, None if a run lacks it; the prior last.
        differences: one per model and later run.
    """

    notebook: str
    settings: dict[str, list[str]]
    scores: dict[str, list[Interval | None]]
    differences: list[Difference]


def read_runs(folders: Sequence[Path]) -> list[RunFolder]:
    """Read the results of every run.

    Args:
        folders: at least two.

    Returns:
        The runs, in this order.

    Raises:
        UsageError: fewer than two runs, the same run twice, a run without results, or results
            with editing mistakes.
    """
    for folder in folders:
        check_readable_folder(folder, what="the folder of a run")
    if len({folder.resolve() for folder in folders}) < max(2, len(folders)):
        raise UsageError(
            f"Expected two or more different runs; received {', '.join(map(str, folders))}. Name "
            "another folder with results as well."
        )
    runs = []
    for folder in folders:
        paths = result_files.results_paths(folder)
        if not paths:
            raise UsageError(
                f"Expected NN_name.results.json files in {folder}; found none. Run the notebooks "
                f"into it: python -m nbhelpers run --out {shlex.quote(str(folder))}"
            )
        results = {stem: result_files.read_results(path) for stem, path in paths.items()}
        runs.append(RunFolder(folder, results))
    return runs


def compare(runs: Sequence[RunFolder], *, metric: str) -> list[Comparison]:
    """Compare what runs have in common.

    Args:
        runs: two or more, from `read_runs`.
        metric: of `metrics.METRICS`.

    Returns:
        One entry per notebook with results in all runs.

    Raises:
        UsageError: predictions with editing mistakes.
    """
    common = [
        notebook for notebook in runs[0].results if all(notebook in run.results for run in runs)
    ]
    return [
        Comparison(
            notebook,
            settings_that_differ([run.results[notebook] for run in runs]),
            model_scores([run.results[notebook] for run in runs], metric=metric),
            differences(runs, notebook, metric=metric),
        )
        for notebook in common
    ]


def settings_that_differ(results: Sequence[dict]) -> dict[str, list[str]]:
    """Find the settings that differ.

    Args:
        results: content of one notebook's results in each run.

    Returns:
        name -> value in each run as text, for parameters, data and versions that differ.
    """
    facts = [_facts(content) for content in results]
    names = dict.fromkeys(name for own in facts for name in own)
    rows = {name: [own.get(name, NOTHING) for own in facts] for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _facts(content: dict) -> dict[str, str]:
    """Return everything that can distinguish one run from another, as text."""
    facts = {
        name: json.dumps(value)
        for name, value in content["parameters"].items()
        if name not in OWN_TO_A_RUN
    }
    for name in ("name", "root", "origin", "counts", "groups"):
        facts[f"data: {name}"] = _one_line(content["data"].get(name))
    weights = content.get("weights")
    for name, one in weights.items() if isinstance(weights, dict) else [("all", weights)]:
        origin = one.get("origin") if isinstance(one, dict) else one
        facts[f"weights: {name}"] = _one_line(origin)
    for name, version in (content.get("environment") or {}).items():
        facts[f"environment: {name}"] = _one_line(version)
    return facts


def _one_line(value: Any) -> str:
    """Return a value of a results file on one line."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {_one_line(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def model_scores(results: Sequence[dict], *, metric: str) -> dict[str, list[Interval | None]]:
    """Collect one metric of every model in every run.

    Args:
        results: content of one notebook's results in each run.
        metric: its name in results files.

    Returns:
        model -> the metric in each run, None if a run lacks it; the prior last. A model before
        calibration is not listed separately.
    """
    rows = [
        {model: judged for model, judged, _ in scores.model_rows(content)} for content in results
    ]
    models = dict.fromkeys(
        model for row in rows for model in row if scores.calibrated_name(model, row) == model
    )
    return {
        model: [scores.interval_of(row.get(model, {}).get(metric)) for row in rows]
        for model in sorted(models, key=lambda model: model == PRIOR)
    }


def differences(runs: Sequence[RunFolder], notebook: str, *, metric: str) -> list[Difference]:
    """Subtract each model of the first run from the same model of the later runs.

    Args:
        runs: from `read_runs`.
        notebook: one that all of them have.
        metric: of `metrics.METRICS`.

    Returns:
        One entry per model and later run that has it.

    Raises:
        UsageError: predictions with editing mistakes.
    """
    first, *later = runs
    of_first = _test_rows(first, notebook)
    groups = group_of(first.results[notebook])
    entries = []
    for run in later:
        of_run = _test_rows(run, notebook)
        for model in of_first["model"].unique():
            names = set(of_run["model"])
            if model == PRIOR or scores.calibrated_name(model, names) not in {model} & names:
                continue
            score, note = paired(
                of_first[of_first["model"] == model],
                of_run[of_run["model"] == model],
                groups=groups,
                metric=metric,
            )
            entries.append(Difference(model, run.name, score, note))
    return entries


def verdict(comparisons: Sequence[Comparison], *, metric: str) -> str:
    """Say in a sentence or two whether later runs are better than the first.

    Args:
        comparisons: from `compare`.
        metric: the metric compared.

    Returns:
        Text made from the paired differences. A difference counts only if it covers enough groups
        of people and its interval excludes 0.
    """
    gaps = [gap for one in comparisons for gap in one.differences]
    if not gaps:
        return "No model was judged in the first run and in a later one."
    unknown = [gap for gap in gaps if gap.score is None or gap.score.groups is None]
    few = [gap for gap in gaps if gap not in unknown and not gap.score.is_firm]
    firm = [gap for gap in gaps if gap not in unknown and gap not in few]
    sign = -1 if metrics.METRICS[metric].lower_is_better else 1
    apart = [gap for gap in firm if gap.score.excludes(0)]
    parts = [
        f"{gap.model} is {'better' if sign * gap.score.value > 0 else 'worse'} in {gap.run}, by "
        f"{gap.score:+.3f}"
        for gap in apart
    ]
    ties = [f"{gap.model} in {gap.run}" for gap in firm if gap not in apart]
    if ties and ties == [f"{gap.model} in {gap.run}" for gap in gaps]:
        parts.append("no model can be told apart from that of the first run")
    elif ties:
        names = ", ".join(ties) if len(ties) <= MOST_NAMES else f"{len(ties)} models"
        parts.append(f"{names} cannot be told apart from the first run")
    if few:
        parts.append(f"{_counted(few)} covers too few groups of people to say")
    if unknown:
        parts.append(f"{_counted(unknown)} cannot be judged: no known people, or no common rows")
    return f"{metrics.METRICS[metric].label}: {'; '.join(parts)}."


def _counted(gaps: Sequence[Difference]) -> str:
    return "one difference" if len(gaps) == 1 else f"each of {len(gaps)} differences"


def _test_rows(run: RunFolder, notebook: str) -> pd.DataFrame:
    table = result_files.read_predictions(run.path / (notebook + result_files.PREDICTIONS))
    return table[table["split"] == "test"]


def group_of(result: dict) -> dict[str, str] | None:
    """Look up which rows belong together, in the data set itself if it still exists.

    Args:
        result: content of a results file.

    Returns:
        videoname -> group; None if the data are gone.
    """
    data = result.get("data", {})
    root = Path(data.get("root", ""))
    root = root if root.is_absolute() else locate.project_root() / root
    try:
        dataset = locate.find(data.get("name", ""), root)
        table = manifest.read(dataset, verify="none").table
    except (OSError, ValueError):
        return None
    return dict(zip(table["videoname"], table["group"], strict=True))


def paired(
    first: pd.DataFrame, second: pd.DataFrame, *, groups: dict[str, str] | None, metric: str
) -> tuple[Interval | None, str]:
    """Subtract the first from the second on the rows that both have.

    Args:
        first: test predictions of one model, with ``videoname, label, y_score``.
        second: those of the other run.
        groups: from `group_of`.
        metric: of `metrics.METRICS`.

    Returns:
        The difference (None if nothing can be compared; its ``groups`` is None if they are not
        known) and a note.
    """
    both = first.merge(second, on=["videoname", "label"], suffixes=("_first", "_second"))
    if both.empty:
        return None, "no test row in common"
    known = groups is not None and set(both["videoname"]) <= set(groups)
    group = both["videoname"].map(groups) if known else both["videoname"]
    try:
        score = metrics.paired_difference(
            manifest.y_true(both),
            both["y_score_second"],
            minus=both["y_score_first"],
            groups=group,
            metric=metric,
        )
    except ValueError as error:
        return None, str(error)
    note = f"{len(both)} rows"
    if len(both) < max(len(first), len(second)):
        note = f"{len(both)} rows in common, of {len(first)} and {len(second)}"
    if known:
        return score, f"{note} in {group.nunique()} groups"
    score = score._replace(groups=None)
    return score, f"{note}; groups unknown, so there is no interval"
