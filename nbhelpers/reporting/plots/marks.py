"""The lines and bars of axes in words, with the numbers that a reader would take from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.category import StrCategoryFormatter

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.container import BarContainer

MOST_BARS = 8  # listed one by one


def of(ax: Axes) -> str:
    """Put the curves and bars of axes into words.

    Args:
        ax: drawn already.

    Returns:
        For a curve with a name its first and its last value, for a few bars the value of each, for
        many (a histogram) their mean; "" where there is none of these.
    """
    return ", ".join([*_curves(ax), *_bars(ax)])


def _curves(ax: Axes) -> list[str]:
    texts = []
    for line in ax.lines:
        heights = np.ma.masked_invalid(np.ma.asarray(line.get_ydata(), float)).compressed()
        if _name(line) and len(heights):
            first, last = f"{heights[0]:.3g}", f"{heights[-1]:.3g}"
            values = first if len(set(heights)) == 1 else f"{first} to {last}"
            texts.append(f"{_name(line)} {values}")
    return texts


def _bars(ax: Axes) -> list[str]:
    texts = []
    for container in ax.containers:
        bars = getattr(container, "patches", ())
        if not len(bars):
            continue
        lying = getattr(container, "orientation", "vertical") == "horizontal"
        sizes = [bar.get_width() if lying else bar.get_height() for bar in bars]
        middles = [bar.get_center()[1 if lying else 0] for bar in bars]
        names = _categories(ax.yaxis if lying else ax.xaxis)
        labels = [_nearest(names, middle) for middle in middles]
        if len(bars) <= MOST_BARS and all(labels):
            values = ", ".join(
                f"{label} {size:.3g}" for label, size in zip(labels, sizes, strict=True)
            )
        elif sum(sizes) > 0:
            values = f"mean {np.average(middles, weights=sizes):.3g}"
        else:
            continue
        name = _name(container) or _name(bars[0])  # of bars; of a histogram
        texts.append(f"{name} {values}".strip())
    return texts


def _name(artist: Artist | BarContainer) -> str:
    """Return the name that a legend would show; "" for what is drawn without one."""
    label = str(artist.get_label())
    return "" if label.startswith("_") else label


def _categories(axis: Axis) -> dict[float, str]:
    """Return position -> text of the ticks that somebody named; none of an axis of numbers."""
    labels = [label.get_text() for label in axis.get_ticklabels()]
    is_named = isinstance(axis.get_major_formatter(), StrCategoryFormatter)
    if not is_named and all(_is_number(label) for label in labels):
        return {}
    return dict(zip(axis.get_ticklocs(), labels, strict=False))


def _is_number(text: str) -> bool:
    try:
        float(text.replace("\u2212", "-") or 0)
    except ValueError:
        return False
    return True


def _nearest(names: dict[float, str], place: float) -> str:
    """Return the name within half a step of a place; bars side by side share a name."""
    near = min(names, key=lambda tick: abs(tick - place), default=None)
    return "" if near is None or abs(near - place) > 0.5 else names[near]
