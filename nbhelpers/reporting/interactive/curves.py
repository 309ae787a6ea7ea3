"""A curve whose points have pictures, such as a deletion curve."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from nbhelpers.reporting.interactive import axes, checks, frame
from nbhelpers.reporting.interactive import pictures as shots

MOST_STILLS = 5


def curve_with_pictures(
    x: ArrayLike, y: ArrayLike, *, pictures: np.ndarray, x_label: str, y_label: str
) -> None:
    """Show a curve, and the picture of the point that the reader picks.

    Args:
        x: (N,) finite, ascending, N >= 2.
        y: (N,) finite.
        pictures: uint8 (N, H, W, 3) RGB 0-255, one per point.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.

    Raises:
        ValueError: lengths differ, x does not ascend, or pictures have another shape or dtype.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2 or not np.isfinite([x, y]).all():
        raise ValueError(
            f"Expected x and y (N,), finite, N >= 2; received {x.shape} and {y.shape}. Pass one "
            "number per point."
        )
    if (np.diff(x) <= 0).any():
        raise ValueError(f"Expected ascending x; received {x[:6].tolist()}. Sort the points.")
    pixels = checks.pictures(pictures, name="pictures")
    checks.same(len(pixels), len(x), name="pictures")
    x_limits, y_limits = axes.span(x), axes.span(y, unit=True)
    across, up = axes.placed(x, x_limits), axes.placed(y, y_limits)
    states = [
        {
            "--x": round(float(across[at]), 4),
            "--y": round(float(up[at]), 4),
            "value": f"{x[at]:.3g}",
            "picture": at,
            "sentence": f"{x_label} {x[at]:.3g}: {y_label} {y[at]:.3g}.",
        }
        for at in range(len(x))
    ]
    texts = shots.encoded(pixels)
    images = shots.picked(texts, [state["sentence"] for state in states], start=0)
    curve = axes.plot(
        axes.line(across, up) + '<span class="nbh-line"></span><span class="nbh-dot"></span>',
        x_label=x_label,
        y_label=y_label,
        x_ticks=axes.labelled(x_limits),
        y_ticks=axes.labelled(y_limits),
    )
    body = (
        frame.slider(x_label, states=states, start=0)
        + f'<div class="nbh-columns"><div>{curve}</div><div class="nbh-screen">{images}</div></div>'
        + frame.status(states[0])
    )
    frame.show(
        body,
        title=f"{y_label} by {x_label}",
        states=states,
        start=0,
        still=_still(x, y, pixels, x_label, y_label),
        sentence=f"{y_label} runs from {y[0]:.3g} to {y[-1]:.3g}.",
    )


def _still(x: np.ndarray, y: np.ndarray, pixels: np.ndarray, x_label: str, y_label: str):
    some = np.unique(np.linspace(0, len(x) - 1, min(MOST_STILLS, len(x))).round().astype(int))
    figure = plt.figure(figsize=(7, 4.4))
    grid = figure.add_gridspec(2, len(some), height_ratios=(1, 1.6))
    for column, at in enumerate(some):
        ax = figure.add_subplot(grid[0, column])
        ax.imshow(pixels[at])
        ax.set_title(f"{x[at]:.3g}", fontsize=9)
        ax.axis("off")
    ax = figure.add_subplot(grid[1, :])
    ax.plot(x, y, color="black")
    ax.plot(x[some], y[some], "o", color="#D55E00")
    low, high = axes.span(y, unit=True)  # as on the page: a narrower axis makes cliffs out of steps
    room = 0.03 * (high - low)
    ax.set(xlabel=x_label, ylabel=y_label, ylim=(low - room, high + room))
    return figure
