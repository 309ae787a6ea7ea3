"""What the interactive figures accept."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def unit(values: ArrayLike, *, name: str, shape: tuple[int, ...], gaps: bool = False) -> np.ndarray:
    """Return values from 0 to 1 as float64.

    Args:
        values: of any shape.
        name: of the argument, for the message.
        shape: the expected one.
        gaps: whether NaN is allowed, for unknown values.

    Raises:
        ValueError: another shape, or values outside [0, 1].
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(
            f"Expected {name} of shape {shape}; received {array.shape}. Pass one value for each."
        )
    known = array[~np.isnan(array)] if gaps else array
    if not ((known >= 0) & (known <= 1)).all():
        raise ValueError(
            f"Expected {name} in [0, 1]; received {array.min():g} to {array.max():g}. "
            "Pass probabilities, not logits or per cent."
        )
    return array


def pictures(values: ArrayLike, *, name: str, shape: str = "(N, H, W, 3)") -> np.ndarray:
    """Return pictures unchanged after checking that they are pictures.

    Args:
        values: uint8 RGB 0-255.
        name: of the argument, for the message.
        shape: the expected one, in letters; only its number of axes is checked.

    Raises:
        ValueError: another type or number of axes, not three channels, or no picture at all.
    """
    array = np.asarray(values)
    axes = len(shape.split(","))
    if array.dtype != np.uint8 or array.ndim != axes or array.shape[-1] != 3 or not array.size:
        raise ValueError(
            f"Expected {name} as uint8 {shape} RGB, none of them empty; received {array.dtype} "
            f"{array.shape}. Read pictures with images.read_image at one size."
        )
    return array


def same(number: int, expected: int, *, name: str) -> None:
    """Check a length.

    Args:
        number: the length received.
        expected: the length required.
        name: of the argument, for the message.

    Raises:
        ValueError: they differ.
    """
    if number != expected:
        raise ValueError(f"Expected {expected} {name}; received {number}. Pass one for each.")
