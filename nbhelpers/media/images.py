"""Pictures as arrays: reading, masks, and perceptual hashes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from nbhelpers.media import decode
from nbhelpers.media.decode import PictureError as PictureError


def read_image(path: str | Path, *, size: int | None = None) -> np.ndarray:
    """Read one picture.

    Args:
        path: a picture file, see `nbhelpers.media.decode.read`.
        size: height and width of the result, pixels; None keeps the file's own.

    Returns:
        ``uint8 (H, W, 3)``, RGB, 0-255.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: the file cannot be decoded as a picture, or is far too large.
    """
    rgb = decode.read(path)
    if size is not None and rgb.shape[:2] != (size, size):
        shrinks = size < max(rgb.shape[:2])
        rgb = cv2.resize(
            rgb, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
    return rgb


def read_mask(path: str | Path, *, size: int | None = None) -> np.ndarray:
    """Read the mask of a manipulated region.

    Args:
        path: a grey picture, 0 outside and 255 inside.
        size: height and width of the result, pixels; None keeps the file's own.

    Returns:
        ``bool (H, W)``, True where the picture was manipulated.

    Raises:
        FileNotFoundError, PictureError: as `read_image`.
    """
    return read_image(path, size=size)[..., 0] > 127


def shrink(pixels: np.ndarray, *, longest_side: int) -> np.ndarray:
    """Shrink a picture to a given longest side, whatever its aspect ratio.

    Args:
        pixels: ``uint8 (H, W, 3)``, RGB or BGR.
        longest_side: pixels, >= 1.

    Returns:
        ``uint8 (h, w, 3)``: the picture itself if it is small enough, else shrunk in proportion, to
        at least one pixel.

    >>> shrink(np.zeros((1, 65500, 3), np.uint8), longest_side=640).shape
    (1, 640, 3)
    """
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return pixels
    if min(height, width) * scale < 0.5:  # the scale alone would round that side to zero
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def difference_hash(picture: np.ndarray) -> np.ndarray:
    """Record where a picture gets brighter from left to right: a hash of its coarse structure.

    Args:
        picture: ``uint8 (H, W, 3)`` RGB 0-255.

    Returns:
        ``bool (64,)``; similar pictures differ in few places.

    Source:
        N. Krawetz, "Kind of Like That", 2013: dHash.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    return (np.diff(small, axis=1) > 0).ravel()


def near_duplicates(hashes: np.ndarray, *, max_bits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Find pairs of pictures that look the same.

    Args:
        hashes: ``bool (N, 64)`` from `difference_hash`.
        max_bits: number of places in which the two may differ.

    Returns:
        Two ``int (P,)`` arrays: first and second picture of each pair, first < second.

    >>> near_duplicates(np.array([[True, True], [True, False], [False, False]]), max_bits=1)[1]
    array([1, 2])
    """
    bits = np.asarray(hashes, dtype=np.float32)
    pairs = []
    for start in range(0, len(bits), 1000):  # memory grows with N, not with its square
        rows = bits[start : start + 1000]
        differ = rows @ (1 - bits).T + (1 - rows) @ bits.T
        first, second = np.nonzero(differ < max_bits + 0.5)
        pairs.append(np.stack([first + start, second]))
    first, second = np.concatenate([np.zeros((2, 0), int), *pairs], axis=1)
    return first[first < second], second[first < second]
