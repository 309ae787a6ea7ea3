"""What a figure shows, in words: the alternative text of its picture on a page.

A plot that knows more than its labels, for example which curve lies above, says so with
`describe_axes`; all others are described by the titles, labels and legends of their axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 400  # characters
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
    plots, titles, pictures = [], [], 0
    for ax in figure.axes:
        words = getattr(ax, _OWN_WORDS, "")
        if not words and ax.images:
            pictures += 1
            titles.append(ax.get_title())
        elif words := words or _of_labels(ax):
            plots.append(words)
    parts = [title, _of_pictures(pictures, titles), *plots]
    text = ". ".join(" ".join(part.split()) for part in dict.fromkeys(parts) if part)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _of_pictures(count: int, titles: list[str]) -> str:
    """Describe a grid of pictures by its titles, each named once."""
    if not count:
        return ""
    names = [name for name in dict.fromkeys(titles) if name]
    more = ", …" if len(names) > MOST_TITLES else ""
    start = "1 picture" if count == 1 else f"{count} pictures"
    return f"{start}: {', '.join(names[:MOST_TITLES])}{more}" if names else start


def _of_labels(ax: Axes) -> str:
    """Join the title, the axis labels and the legend."""
    if not ax.has_data() or not ax.axison:
        return ax.get_title()
    across, up = ax.get_xlabel(), ax.get_ylabel()
    axes = f"{up} against {across}" if across and up else across or up
    legend = ax.get_legend()
    names = [text.get_text() for text in legend.get_texts()] if legend else []
    words = ": ".join(part for part in (ax.get_title(), axes) if part)
    return f"{words} ({', '.join(names)})" if names and words else words or ", ".join(names)
