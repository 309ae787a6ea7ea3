"""The full table of scores of a run: a row for each model, one for the prior of each test set."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

from nbhelpers.common.tables import scrolling
from nbhelpers.evaluation.predictions import PRIOR
from nbhelpers.runner import scores
from nbhelpers.runner.notebooks import number_of

NOTE = (
    "Test split. Below each value its 95 % interval (bootstrap by group), or how many groups there "
    "are where they are too few for one. The prior always answers the share of fakes in the "
    "training split: what a model must beat. Lower is better for log loss and EER."
)


def table_html(results: Mapping[str, dict]) -> str:
    """Write the table.

    Args:
        results: notebook name -> content of its results file.

    Returns:
        HTML; a paragraph where no model was judged.
    """
    bodies: dict[str, list[str]] = {}
    priors: dict[str, dict[str, str]] = {}
    for stem, result in results.items():
        data = str(result.get("data", {}).get("name", "data unknown"))
        rows = {name: (judged, n) for name, judged, n in scores.model_rows(result)}
        for name, (judged, n) in rows.items():
            if name == PRIOR:
                key = json.dumps([judged, n], sort_keys=True, default=str)
                priors.setdefault(data, {}).setdefault(key, _row(PRIOR, "", judged, n))
            elif scores.calibrated_name(name, rows) == name:
                before = next(
                    (rows[other][0] for other in rows if _is_before(other, name, rows)), {}
                )
                bodies.setdefault(data, []).append(_row(name, stem, judged, n, before=before))
    if not bodies:
        return "<p>No notebook has written scores yet.</p>"
    heads = "".join(f"<th>{html.escape(label)}</th>" for label in scores.METRICS.values())
    parts = "".join(
        f'<tbody><tr><th colspan="{len(scores.METRICS) + 3}">{html.escape(data)}</th></tr>'
        f"{''.join(rows)}{''.join(priors.get(data, {}).values())}</tbody>"
        for data, rows in bodies.items()
    )
    table = (
        f"<table><thead><tr><th>Model</th><th>In</th>{heads}<th>n</th></tr></thead>{parts}</table>"
    )
    scores_of_all = scrolling(table, label="Scores of all models")
    return f'<p class="small">{html.escape(NOTE)}</p>{scores_of_all}'


def _is_before(other: str, name: str, rows: Mapping[str, object]) -> bool:
    """Whether another entry is this model before its calibration."""
    return other != name and scores.calibrated_name(other, rows) == name


def _row(name: str, stem: str, judged: dict, n: object, *, before: Mapping | None = None) -> str:
    """Write a model; where calibration changed a score, with the score before it."""
    cells = "".join(_cell(judged.get(key), (before or {}).get(key)) for key in scores.METRICS)
    style = ' class="prior"' if name == PRIOR else ""
    text = html.escape
    return (
        f"<tr{style}><td>{text(name)}</td><td>{text(number_of(stem))}</td>{cells}"
        f"<td>{text(str(n))}</td></tr>"
    )


def _cell(score: object, before: object) -> str:
    interval, earlier = scores.interval_of(score), scores.interval_of(before)
    if interval is None:
        return "<td>–</td>"
    spread = f"{scores.number(interval.low)}–{scores.number(interval.high)}"
    if not interval.is_firm:
        spread = f"{interval.groups} groups"
    if earlier is not None and round(earlier.value - interval.value, 3):
        spread += f"<br>uncalibrated {scores.number(earlier.value)}"
    return f"<td>{scores.number(interval.value)}<small>{spread}</small></td>"
