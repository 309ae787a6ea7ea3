"""What a figure shows, in words, for readers who do not see it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 300  # characters; screen readers read an alternative text in one go


def describe(figure: Figure) -> str:
    """Describe a figure by its own titles, axes and legends; it draws no conclusion.

    Args:
        figure: a Matplotlib figure.

    Returns:
        One text without line breaks, at most ``MOST`` characters; "" where nothing is named.
    """
    drawn = [ax for ax in figure.axes if ax.get_visible() and ax.has_data()]
    pictures = [ax for ax in drawn if ax.images and not ax.lines and not ax.collections]
    parts = [figure.get_suptitle(), *(_plot(ax) for ax in drawn if ax not in pictures)]
    if pictures:
        names = [text for ax in pictures for text in (ax.get_title(), ax.get_ylabel()) if text]
        count = f"{len(pictures)} picture{'s' * (len(pictures) > 1)}"
        parts.append(f"{count}: {', '.join(dict.fromkeys(names))}" if names else count)
    text = "; ".join(dict.fromkeys(part for part in parts if part))
    return textwrap.shorten(text, MOST, placeholder="\u2026")


def _plot(ax: Axes) -> str:
    across, up = ax.get_xlabel(), ax.get_ylabel()
    axes = f"{up} by {across}" if across and up else across or up
    legend = ax.get_legend()
    names = [text.get_text() for text in legend.get_texts()] if legend else []
    text = ": ".join(part for part in (ax.get_title(), axes) if part)
    return f"{text} ({', '.join(names)})" if names else text
