"""A plot area in HTML: its text keeps its size however narrow the page is."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np


def plot(
    marks: str,
    *,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
) -> str:
    """Return a plot area with axes around the given marks.

    Args:
        marks: HTML, positioned in per cent of the area.
        x_label: plain text below.
        y_label: plain text above.
        x_ticks: position from 0 to 1, and its label.
        y_ticks: the same, from the bottom.
    """
    left = "".join(
        f'<span style="bottom:{100 * at:.2f}%">{html.escape(text)}</span>' for at, text in y_ticks
    )
    below = "".join(
        f'<span style="left:{100 * at:.2f}%">{html.escape(text)}</span>' for at, text in x_ticks
    )
    return (
        f'<div class="nbh-plot"><div class="nbh-name">{html.escape(y_label)}</div>'
        f'<div class="nbh-y">{left}</div><div class="nbh-area" data-drag>{marks}</div>'
        f'<div class="nbh-x">{below}</div>'
        f'<div class="nbh-xname">{html.escape(x_label)}</div></div>'
    )


def line(x: np.ndarray, y: np.ndarray) -> str:
    """Draw a line through points; it is broken where y is NaN.

    Args:
        x: float (N,), 0 to 1 of the area.
        y: float (N,), 0 to 1 from the bottom.
    """
    pieces: list[list[str]] = [[]]
    for at, height in zip(x, y, strict=True):
        if np.isnan(height):
            pieces.append([])
        else:
            pieces[-1].append(f"{100 * at:.2f},{100 - 100 * height:.2f}")
    lines = "".join(f'<polyline points="{" ".join(piece)}"/>' for piece in pieces if piece)
    return f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{lines}</svg>'


def ticks(low: float, high: float) -> list[float]:
    """Return three to six round numbers from low to high.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(3, 27)
    [5.0, 10.0, 15.0, 20.0, 25.0]
    """
    power = 10 ** math.floor(math.log10((high - low) / 5))
    step = next(power * part for part in (1, 2, 5, 10) if (high - low) / (power * part) <= 5.5)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(float(number * step), 10) for number in range(first, last + 1)]


def span(values: np.ndarray, *, unit: bool = False) -> tuple[float, float]:
    """Return the range of an axis.

    Args:
        values: finite or NaN.
        unit: whether the axis of values within [0, 1] covers that whole range.

    Returns:
        Low and high, never equal.
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if unit and low >= 0 and high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def placed(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Return the positions of values between the limits, 0 to 1."""
    return (values - limits[0]) / (limits[1] - limits[0])


def labelled(limits: tuple[float, float]) -> list[tuple[float, str]]:
    """Return the ticks of an axis: position and text."""
    return [(float(placed(np.float64(value), limits)), f"{value:g}") for value in ticks(*limits)]
