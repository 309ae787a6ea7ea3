"""`compare`: several runs side by side."""

from __future__ import annotations

import argparse
import html
import sys
from collections.abc import Sequence

from nbhelpers.common import files
from nbhelpers.common.html import beginning, page
from nbhelpers.common.paths import path_argument
from nbhelpers.common.tables import escaped, html_table, text_table
from nbhelpers.evaluation.metrics import Interval
from nbhelpers.evaluation.predictions import PRIOR
from nbhelpers.runner import comparison, forest
from nbhelpers.runner.comparison import NOTHING, Comparison
from nbhelpers.runner.scores import METRICS

EXAMPLES = """
examples:
  python -m nbhelpers compare runs/seed42 runs/seed7              as text
  python -m nbhelpers compare runs/a runs/b runs/c --html abc.html
                                                                  as a page as well
  python -m nbhelpers compare runs/a runs/b --metric log_loss     with another metric

Differences are later run minus first run, on the test rows that both scored, with a 95 %
interval from resampling whole groups. If an interval excludes 0, the difference would probably
remain with other people. Lower is better for log loss and EER.
Exit code: 0 compared, 1 nothing in common to compare, 2 a folder without results, a damaged
results file, or a page that would replace another file.
"""
TITLE = "Runs side by side"
STYLE = """
.wide { margin: .8rem 0; } td { white-space: normal; } td, th { text-align: left; }
.verdict { font-size: 1.2rem; line-height: 1.4; font-weight: 600; overflow-wrap: anywhere; }
details summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("runs", nargs="+", type=path_argument, metavar="RUN", help="output folders, at least two")
    add("--metric", default="auc", choices=tuple(METRICS), help="metric to compare (auc)")
    add("--html", type=path_argument, metavar="FILE", help="also write a page")
    add("--force", action="store_true", help=files.FORCE_HELP)


def main(chosen: argparse.Namespace) -> int:
    """Compare the runs."""
    if chosen.html:
        files.check_target(chosen.html, kind=beginning(TITLE), force=chosen.force)
    runs = comparison.read_runs(chosen.runs)
    comparisons = comparison.compare(runs, metric=chosen.metric)
    if not comparisons:
        names = ", ".join(f"{run.name}: {', '.join(run.results)}" for run in runs)
        print(f"error: no notebook has results in all runs ({names})", file=sys.stderr)
        return 1
    names = [run.name for run in runs]
    if chosen.html:  # first: the reader of the text may leave before its end
        files.write_target(chosen.html, as_html(names, comparisons, metric=chosen.metric))
    print(as_text(names, comparisons, metric=chosen.metric), flush=True)
    if chosen.html:
        print(f"Open {chosen.html}", file=sys.stderr)
    return 0


def as_text(runs: Sequence[str], comparisons: Sequence[Comparison], *, metric: str) -> str:
    """Lay out the comparison for a terminal.

    Args:
        runs: their names.
        comparisons: from `comparison.compare`.
        metric: the one compared.

    Returns:
        The verdict, then three tables for each notebook.
    """
    parts = [comparison.verdict(comparisons, metric=metric)]
    for one in comparisons:
        parts += [
            f"== {one.notebook}",
            text_table(["differs", *runs], _rows(one.settings)) or "no settings differ",
            text_table([metric, *runs], _score_rows(one)) or "no models",
            text_table(_difference_heads(metric, runs), _difference_rows(one)),
        ]
    return "\n\n".join(part for part in parts if part)


def as_html(runs: Sequence[str], comparisons: Sequence[Comparison], *, metric: str) -> str:
    """Lay out the comparison as a page.

    Args:
        runs: their names.
        comparisons: from `comparison.compare`.
        metric: the one compared.

    Returns:
        HTML.
    """
    label = METRICS[metric]
    body = f'<p class="verdict">{html.escape(comparison.verdict(comparisons, metric=metric))}</p>'
    body += "<ul class='facts'>" + "".join(f"<li>{html.escape(run)}</li>" for run in runs) + "</ul>"
    body += (
        f'<p class="small">{html.escape(label)} on test rows with its 95 % interval. Differences: '
        f"later run minus {html.escape(runs[0])}, on the rows that both scored, resampled by "
        "group. If an interval excludes 0, the difference would probably remain with other "
        "people. Lower is better for log loss and EER.</p>"
    )
    for one in comparisons:
        body += f"<h2>{html.escape(one.notebook)}</h2>"
        body += _plots(one, runs, metric=metric)
        settings = html_table(["differs", *runs], escaped(_rows(one.settings)))
        body += settings or "<p>No settings differ.</p>"
        tables = html_table([label, *runs], escaped(_score_rows(one)))
        tables += html_table(_difference_heads(label, runs), escaped(_difference_rows(one)))
        body += f"<details><summary>Numbers</summary>{tables}</details>" if tables else ""
    return page(TITLE, body, style=STYLE + forest.STYLE)


def _plots(one: Comparison, runs: Sequence[str], *, metric: str) -> str:
    """Draw each model in each run, and the paired differences."""
    prior = next((score for score in one.scores.get(PRIOR, []) if score is not None), None)
    reference = prior.value if prior else 0.5
    rows = [
        forest.Row(f"{model}, {run}", score, _text(score))
        for model, values in one.scores.items()
        for run, score in zip(runs, values, strict=True)
        if model != PRIOR
    ]
    panels = ""
    if rows:
        panels = forest.figure(
            f"{METRICS[metric]} on test rows",
            rows,
            reference=reference,
            reference_name=f"the prior ({reference:.3f})",
            ends=forest.limits(rows, reference=reference, least=0.2),
        )
    gaps = [forest.Row(f"{gap.model}, {gap.run}", gap.drawn, str(gap)) for gap in one.differences]
    panels += forest.differences(f"{METRICS[metric]} minus {runs[0]}, on the same rows", gaps)
    return f'<div class="panels">{panels}</div>' if panels else ""


def _text(score: Interval | None) -> str:
    return NOTHING if score is None else f"{score:.3f}"


def _score_rows(one: Comparison) -> list[list[str]]:
    return [[model, *map(_text, values)] for model, values in one.scores.items()]


def _rows(named: dict[str, list[str]]) -> list[list[str]]:
    return [[name, *values] for name, values in named.items()]


def _difference_heads(metric: str, runs: Sequence[str]) -> list[str]:
    return [f"{metric} minus {runs[0]}", "difference", "over"]


def _difference_rows(one: Comparison) -> list[list[str]]:
    return [[f"{gap.model}, {gap.run}", str(gap), gap.note] for gap in one.differences]
