"""What happens in a clip? Scores over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nbhelpers.reporting.plots.style import COLOURS, CYCLE, axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_clip_scores(
    seconds: Sequence[float],
    y_score: Sequence[float],
    *,
    threshold: float = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw P(fake) over time for one clip.

    Args:
        seconds: when each frame is shown, length N.
        y_score: P(fake) of each frame in [0, 1].
        threshold: scores at or above it are called FAKE.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the solid line is the mean, which is the clip's score.
    """
    ax = axes_of(ax, (7, 2.6))
    scores = np.asarray(y_score, dtype=float)
    ax.plot(seconds, scores, color=CYCLE[-1], linewidth=1, zorder=1)
    colours = np.where(scores >= threshold, COLOURS["FAKE"], COLOURS["REAL"])
    ax.scatter(seconds, scores, c=colours, zorder=2)
    ax.axhline(scores.mean(), color=CYCLE[0], linewidth=1.5, label=f"mean {scores.mean():.2f}")
    ax.axhline(threshold, color="grey", linestyle="--", label=f"threshold {threshold:.2f}")
    ax.set(xlabel="seconds", ylabel="P(fake)", ylim=(-0.03, 1.03))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_people_scores(
    people: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    low: float,
    high: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw the score of each person in a clip over time.

    Args:
        people: name -> seconds and P(fake) in [0, 1] of the frames in which the person is found.
        low: scores below it mean no sign of manipulation.
        high: scores at or above it mean that a face looks manipulated.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the coloured bands are the answers.
    """
    ax = axes_of(ax, (7, 2.6))
    ax.axhspan(0, low, color=COLOURS["REAL"], alpha=0.12, linewidth=0)
    ax.axhspan(high, 1, color=COLOURS["FAKE"], alpha=0.12, linewidth=0)
    markers = ["o", "s", "^", "D", "v", "P"]
    for number, (name, (seconds, scores)) in enumerate(people.items()):
        look = {"color": CYCLE[-1 - number % len(CYCLE)], "marker": markers[number % len(markers)]}
        ax.plot(seconds, scores, linewidth=1, markersize=4, label=name, **look)
    ax.set(xlabel="seconds", ylabel="score", ylim=(-0.03, 1.03))
    if len(people) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return ax
