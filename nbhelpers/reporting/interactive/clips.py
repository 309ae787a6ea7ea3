"""A clip with its face boxes, and P(fake) over time below it."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from nbhelpers.reporting.interactive import axes, checks, frame, pictures
from nbhelpers.reporting.plots import COLOURS

TITLE = "P(fake) along a clip"
SLOWEST, FASTEST = 1000, 60  # milliseconds per frame
STILLS = 4


def clip(
    frames: np.ndarray,
    seconds: ArrayLike,
    *,
    p_fake: ArrayLike,
    boxes: Sequence[ArrayLike | None] | np.ndarray | None = None,
) -> None:
    """Show a clip's frames and face boxes with play, pause and a slider, and the scores below.

    Args:
        frames: uint8 (T, H, W, 3) RGB 0-255, T >= 2.
        seconds: (T,) times of the frames, ascending.
        p_fake: (T,) score of each frame, 0 to 1; NaN where there is none.
        boxes: (T, 4) of x, y, width, height in pixels of the frames, as in `faces.Track`; None,
            or a row of NaN, where there is no box.

    Raises:
        ValueError: lengths differ, times do not ascend, or scores outside [0, 1].
    """
    pixels = checks.pictures(frames, name="frames", shape="(T, H, W, 3)")
    times = np.asarray(seconds, dtype=np.float64)
    if times.shape != (len(pixels),) or len(times) < 2 or not (np.diff(times) > 0).all():
        raise ValueError(
            f"Expected {len(pixels)} ascending times, 2 or more; received "
            f"{times.ravel()[:6].tolist()}. Pass the times of the frames."
        )
    scores = checks.unit(p_fake, name="p_fake", shape=times.shape, gaps=True)
    corners = _boxes(boxes, pixels.shape)
    limits = (float(times[0]), float(times[-1]))
    across = axes.placed(times, limits)
    states = [
        {
            "--x": round(float(across[at]), 4),
            **_dot(scores[at]),
            **_box(corners[at], pixels.shape),
            "value": f"{times[at]:.2f} s",
            "picture": at,
            "sentence": f"At {times[at]:.2f} s: {_score(scores[at])}.",
        }
        for at in range(len(times))
    ]
    images = pictures.picked(
        pictures.encoded(pixels), [f"frame at {time:.2f} s" for time in times], start=0
    )
    curve = axes.plot(
        axes.line(across, scores) + '<span class="nbh-rule" style="top:50%"></span>'
        '<span class="nbh-line"></span><span class="nbh-dot"></span>',
        x_label="seconds",
        y_label="P(fake)",
        x_ticks=axes.labelled(limits),
        y_ticks=[(0, "0"), (0.5, "0.5"), (1, "1")],
    )
    pause = float(np.clip(1000 * np.median(np.diff(times)), FASTEST, SLOWEST))
    body = (
        f'<div class="nbh-screen">{images}<span class="nbh-box"></span></div>'
        f'<div class="nbh-play"><button type="button" {frame.OWN_KEYS} '
        f'data-play="{pause:.0f}">Play</button>'
        + frame.slider("Time", states=states, start=0)
        + f"</div>{curve}{frame.status(states[0])}"
    )
    frame.show(
        body,
        title=TITLE,
        states=states,
        start=0,
        still=_still(pixels, times, scores, corners),
        sentence=_summary(times, scores),
    )


def _boxes(boxes, shape: tuple[int, ...]) -> np.ndarray:
    """Return float (T, 4), rows of NaN where there is no box."""
    corners = np.full((shape[0], 4), np.nan)
    if boxes is None:
        return corners
    checks.same(len(boxes), shape[0], name="boxes")
    for row, box in zip(corners, boxes, strict=True):
        if box is not None:
            if np.shape(box) != (4,):
                raise ValueError(
                    f"Expected boxes of x, y, width, height; received shape {np.shape(box)}. "
                    "Pass faces.Track.boxes."
                )
            row[:] = box
    return corners


def _box(box: np.ndarray, shape: tuple[int, ...]) -> dict[str, str]:
    if np.isnan(box).any():
        return {"--box": "hidden"}
    height, width = shape[1:3]
    left, top, across, down = box / (width, height, width, height) * 100
    return {
        "--box": "visible",
        "--left": f"{left:.1f}%",
        "--top": f"{top:.1f}%",
        "--width": f"{across:.1f}%",
        "--height": f"{down:.1f}%",
    }


def _dot(score: float) -> dict[str, object]:
    if np.isnan(score):
        return {"--dot": "hidden"}
    return {"--dot": "visible", "--y": round(float(score), 4)}


def _score(score: float) -> str:
    return "no score" if np.isnan(score) else f"P(fake) {score:.2f}"


def _summary(times: np.ndarray, scores: np.ndarray) -> str:
    known = scores[~np.isnan(scores)]
    if not known.size:
        return f"{len(times)} frames, none with a score."
    return (
        f"{len(times)} frames of {times[-1] - times[0]:.1f} s: P(fake) {known.min():.2f} to "
        f"{known.max():.2f}, mean {known.mean():.2f}."
    )


def _still(pixels: np.ndarray, times: np.ndarray, scores: np.ndarray, corners: np.ndarray):
    some = np.unique(np.linspace(0, len(times) - 1, STILLS).round().astype(int))
    height, width = pixels.shape[1:3]
    picture = min(2.3, 7 / len(some) * height / width) + 0.3  # inches, with its title
    figure = plt.figure(figsize=(7.5, picture + 1.9))
    grid = figure.add_gridspec(2, len(some), height_ratios=(picture, 1.9))
    for column, at in enumerate(some):
        ax = figure.add_subplot(grid[0, column])
        ax.imshow(pixels[at])
        if not np.isnan(corners[at]).any():
            left, top, across, down = corners[at]
            ax.add_patch(plt.Rectangle((left, top), across, down, fill=False, color="white", lw=2))
        ax.set_title(f"{times[at]:.2f} s", fontsize=9)
        ax.axis("off")
    ax = figure.add_subplot(grid[1, :])
    ax.plot(times, scores, color="black")
    ax.plot(times[some], scores[some], "o", color=COLOURS["FAKE"])
    ax.axhline(0.5, color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="seconds", ylabel="P(fake)", ylim=(-0.03, 1.03))
    return figure
