"""The full table of a run's scores: one row per model, and one for the prior of each test set."""

from __future__ import annotations

import html
from collections.abc import Mapping

from nbhelpers.common.tables import scrolling
from nbhelpers.evaluation.predictions import PRIOR
from nbhelpers.runner import scores
from nbhelpers.runner.notebooks import number_of

NOTE = (
    "Test split. Below each value: its 95 % interval (bootstrap by group), or the number of groups "
    "if they are too few for one. The prior always answers with the share of fakes in the training "
    "split; a model must beat it. Lower is better for log loss and EER."
)


def table_html(results: Mapping[str, dict]) -> str:
    """Write the table.

    Args:
        results: notebook name -> content of its results file.

    Returns:
        HTML; a paragraph if no model was judged.
    """
    bodies: dict[str, list[str]] = {}
    for one in (*scores.models_of(results), *scores.priors_of(results)):
        bodies.setdefault(one.data, []).append(_row(one))
    if not bodies:
        return "<p>No notebook has written scores yet.</p>"
    heads = "".join(f"<th>{html.escape(label)}</th>" for label in scores.METRICS.values())
    parts = "".join(
        f'<tbody><tr><th colspan="{len(scores.METRICS) + 3}">{html.escape(data)}</th></tr>'
        f"{''.join(rows)}</tbody>"
        for data, rows in bodies.items()
    )
    table = (
        f"<table><thead><tr><th>Model</th><th>In</th>{heads}<th>n</th></tr></thead>{parts}</table>"
    )
    scores_of_all = scrolling(table, label="Scores of all models")
    return f'<p class="small">{html.escape(NOTE)}</p>{scores_of_all}'


def _row(one: scores.Judged) -> str:
    """Write the row of a model, with the score before calibration wherever that changed it."""
    cells = "".join(_cell(one.scores.get(key), one.before.get(key)) for key in scores.METRICS)
    style = ' class="prior"' if one.name == PRIOR else ""
    text = html.escape
    return (
        f"<tr{style}><td>{text(one.name)}</td><td>{text(number_of(one.notebook))}</td>{cells}"
        f"<td>{text(str(one.n))}</td></tr>"
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
