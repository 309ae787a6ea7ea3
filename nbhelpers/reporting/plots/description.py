"""What a figure shows, in words: the alternative text of its picture on a page.

A plot that knows more than its labels, for example which curve lies above, says so with
`describe_axes`; all others are described by the titles, labels, curves and bars of their axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhelpers.reporting.plots import marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 600  # characters
MOST_TITLES = 8  # of pictures in a grid
_OWN_WORDS = "description"  # attribute of axes


def describe_axes(ax: Axes, text: str) -> None:
    """Describe in words what axes show, instead of a description made from their labels.

    Args:
        ax: drawn already.
        text: one sentence without a full stop.
    """
    setattr(ax, _OWN_WORDS, text)


def describe(figure: Figure) -> str:
    """Say what a figure shows.

    Args:
        figure: a Matplotlib figure, drawn.

    Returns:
        At most `LONGEST` characters in one line; "" for a figure that says nothing.
    """
    title = figure.get_suptitle()
    plots, grid = [], []
    for ax in figure.axes:
        words = getattr(ax, _OWN_WORDS, "")
        if not words and ax.images:
            grid.append(ax)
        elif words := words or _of_labels(ax):
            plots.append(words)
    parts = [title, _of_pictures(grid), *plots]
    text = ". ".join(" ".join(part.split()) for part in dict.fromkeys(parts) if part)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _of_pictures(grid: list[Axes]) -> str:
    """Count the pictures of a grid, and name its rows and pictures, each once."""
    if not grid:
        return ""
    text = "1 picture" if len(grid) == 1 else f"{len(grid)} pictures"
    covered = sum(len(ax.images) > 1 for ax in grid)
    if covered:
        which = "" if covered == len(grid) else f", {covered} of them"
        text += f"{which} under a map of the evidence"
    rows = _listed([ax.get_ylabel() for ax in grid])
    names = _listed([ax.get_title() for ax in grid])
    if not rows:
        return f"{text}: {names}" if names else text
    return f"{text}, in rows: {rows}" + (f"; titles: {names}" if names else "")


def _listed(names: list[str]) -> str:
    """Join names, each once and no more than a listener can bear."""
    names = [" ".join(name.split()) for name in dict.fromkeys(names) if name.strip()]
    more = ["…"] * (len(names) > MOST_TITLES)
    return "; ".join(names[:MOST_TITLES] + more)


def _of_labels(ax: Axes) -> str:
    """Join the title, the axis labels, and what curves and bars show."""
    if not ax.has_data() or not ax.axison:
        return ax.get_title()
    title, across, up = ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    up, title = (up, title) if up else (title, "")  # a title alone is what the axis shows
    axes = f"{up} against {across}" if across and up else across or up
    words = ": ".join(part for part in (title, axes) if part)
    values = marks.of(ax)
    return f"{words}: {values}" if words and values else words or values
