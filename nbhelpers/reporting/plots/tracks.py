"""Where is the face? Boxes drawn into frames, and their path through a clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from nbhelpers.media.video import Frames
from nbhelpers.reporting.plots.style import CYCLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_boxes(
    frames: Frames,
    people: Mapping[str, np.ndarray],
    *,
    seen: Mapping[str, np.ndarray] | None = None,
    columns: int = 6,
) -> Figure:
    """Draw some frames of a clip with a box for each person, and the boxes' path below.

    Args:
        frames: of one clip.
        people: name -> float (T, 4), ``x, y, width, height`` in pixels; NaN draws no box.
        seen: name -> bool (T,), False where a box was interpolated from its neighbours: it is
            drawn dotted, and that time is grey. None: all were seen.
        columns: most frames to draw, >= 1.

    Returns:
        The figure: pictures above; below, the distance of the box centres from the left edge over
        time.
    """
    seen = seen or {}
    columns = min(columns, len(frames))
    height, width = frames.pixels.shape[1:3]
    picture = min(2.0, 1.6 * height / width) + 0.3  # inches, with its title
    figure = plt.figure(figsize=(1.7 * columns, picture + 1.6))
    grid = figure.add_gridspec(2, columns, height_ratios=(picture, 1.6))
    for column, index in enumerate(np.linspace(0, len(frames) - 1, columns).astype(int)):
        ax = figure.add_subplot(grid[0, column])
        ax.imshow(frames.pixels[index])
        ax.set_title(f"{frames.seconds[index]:.1f} s", fontsize=9)
        ax.axis("off")
        for number, (name, boxes) in enumerate(people.items()):
            x, y, width, height = boxes[index]
            style = "-" if seen.get(name, np.ones(len(boxes), bool))[index] else ":"
            look = {"edgecolor": _colour(number), "linestyle": style, "linewidth": 2}
            if np.isfinite(x):
                ax.add_patch(plt.Rectangle((x, y), width, height, fill=False, **look))
    ax = figure.add_subplot(grid[1, :])
    for number, (name, boxes) in enumerate(people.items()):
        middle = (boxes[:, 0] + boxes[:, 2] / 2) / frames.pixels.shape[2]
        ax.plot(frames.seconds, middle, marker=".", color=_colour(number), label=name)
    for start, end in _gaps(frames, seen):
        ax.axvspan(start, end, color="grey", alpha=0.3, linewidth=0)
    ax.set(xlabel="seconds", ylabel="from the left", ylim=(0, 1))
    if len(people) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _colour(number: int) -> str:
    return ["#E69F00", "#56B4E9", *CYCLE][number % (len(CYCLE) + 2)]


def _gaps(frames: Frames, seen: Mapping[str, np.ndarray]) -> list[tuple[float, float]]:
    """Return the times at which somebody was not seen; a frame lasts halfway to its neighbours."""
    seconds = frames.seconds
    middles = (seconds[1:] + seconds[:-1]) / 2
    edges = np.concatenate([seconds[:1], middles, seconds[-1:]])
    missed = sorted({at for mask in seen.values() for at in np.flatnonzero(~np.asarray(mask))})
    return [(edges[at], edges[at + 1]) for at in missed]
