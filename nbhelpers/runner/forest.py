"""Forest plots for pages: values with their intervals, readable at every width, without a network.

Names and numbers are ordinary text, so that they wrap on a phone and can be read aloud; only the
whiskers are drawn, as vector graphics in the page's own colours.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from nbhelpers.evaluation.metrics import Interval

STYLE = """
.panels { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); }
.forest { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0;
  padding: .8rem 1rem; }
.forest figcaption { font-weight: 600; margin-bottom: .4rem; }
.forest .row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem;
  font-size: .92rem; }
.forest .row span { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.forest svg { display: block; width: 100%; overflow: visible; }
.forest .whisker { stroke: var(--link); stroke-width: 3; }
.forest .dot { fill: var(--link); }
.forest .reference { stroke: var(--faint); stroke-width: 1.5; stroke-dasharray: 4 3; }
.forest text { fill: var(--faint); font-size: 12px; }
"""
_MARGIN = 2  # % of the width on both sides, so that dots at the ends are not cut off


@dataclass(frozen=True)
class Row:
    """A line of a forest plot.

    Attributes:
        name: what was measured.
        score: its value; None if there is none.
        text: the value in words.
    """

    name: str
    score: Interval | None
    text: str


def limits(rows: Sequence[Row], *, reference: float, least: float = 0.1) -> tuple[float, float]:
    """Choose the ends of the axis: tenths that include everything, never a close-up of noise.

    Args:
        rows: what is drawn.
        reference: a value that the axis includes as well.
        least: the smallest distance from the reference to either end.

    Returns:
        The lowest and the highest value of the axis.

    >>> limits([Row("a", Interval(0.52, 0.5, 0.55), "")], reference=0.5, least=0.2)
    (0.3, 0.7)
    """
    values = [reference - least, reference + least]
    for row in rows:
        if row.score is not None:
            values += row.score[:3] if row.score.is_firm else row.score[:1]
    low, high = min(values), max(values)
    return math.floor(round(low * 10, 6)) / 10, math.ceil(round(high * 10, 6)) / 10


def figure(
    title: str,
    rows: Sequence[Row],
    *,
    reference: float,
    reference_name: str,
    ends: tuple[float, float],
) -> str:
    """Draw a forest plot.

    Args:
        title: says what the values are.
        rows: one or more.
        reference: drawn as a dashed line.
        reference_name: what the line is, for the caption.
        ends: of the axis, from `limits`.

    Returns:
        HTML; styled by `STYLE`.
    """
    lines = "".join(_row(row, reference=reference, ends=ends) for row in rows)
    note = f"Dashed line: {reference_name}. Whiskers: 95 % interval"
    bare = any(row.score is not None and not row.score.is_firm for row in rows)
    note += "; none for too few groups." if bare else "."
    return (
        f'<figure class="forest"><figcaption>{html.escape(title)}</figcaption>{lines}'
        f'{_axis(ends)}<p class="small">{html.escape(note)}</p></figure>'
    )


def differences(title: str, rows: Sequence[Row]) -> str:
    """Draw paired differences, with a line at zero.

    Args:
        title: says what is subtracted from what.
        rows: may be empty.

    Returns:
        HTML; "" if there are no rows.
    """
    if not rows:
        return ""
    ends = limits(rows, reference=0.0, least=0.2)
    return figure(title, rows, reference=0.0, reference_name="no difference", ends=ends)


def _place(value: float, ends: tuple[float, float]) -> str:
    """Return where a value lies, in % of the width."""
    low, high = ends
    share = (min(max(value, low), high) - low) / (high - low)
    return f"{_MARGIN + (100 - 2 * _MARGIN) * share:.2f}%"


def _row(row: Row, *, reference: float, ends: tuple[float, float]) -> str:
    """Write a name, a number, and the whisker below them."""
    at = _place(reference, ends)
    marks = f'<line class="reference" x1="{at}" x2="{at}" y1="0" y2="22"/>'
    if row.score is not None:
        if row.score.is_firm:
            start, end = _place(row.score.low, ends), _place(row.score.high, ends)
            marks += f'<line class="whisker" x1="{start}" x2="{end}" y1="11" y2="11"/>'
        marks += f'<circle class="dot" cx="{_place(row.score.value, ends)}" cy="11" r="5.5"/>'
    return (
        f'<div class="row"><span>{html.escape(row.name)}</span>'
        f"<span>{html.escape(row.text)}</span></div>"
        f'<svg height="22" aria-hidden="true">{marks}</svg>'
    )


def _axis(ends: tuple[float, float]) -> str:
    """Write the axis: both ends, and the middle if it is a tenth."""
    low, high = ends
    parts = 2 if round((high - low) * 10) % 2 == 0 else 1
    ticks = [low + (high - low) * part / parts for part in range(parts + 1)]
    anchors = {0: "start", parts: "end"}
    texts = "".join(
        f'<text x="{_place(tick, ends)}" y="13" text-anchor="{anchors.get(number, "middle")}">'
        f"{tick:.1f}</text>"
        for number, tick in enumerate(ticks)
    )
    return f'<svg height="18" aria-hidden="true">{texts}</svg>'
