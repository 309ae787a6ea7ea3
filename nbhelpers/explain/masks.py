"""The manipulated region of a fake, computed from the fake and its original."""

from __future__ import annotations

import cv2
import numpy as np


class PairError(ValueError):
    """A fake and its original are misaligned or too alike, so their difference is not a mask."""


def difference_mask(
    fake: np.ndarray,
    original: np.ndarray,
    *,
    min_share: float = 0.03,
    max_share: float = 0.8,
    max_misfit: float = 0.92,
    min_contrast: float = 2.0,
) -> np.ndarray:
    """Build the mask of a manipulation from a fake and its aligned original.

    Compression changes every pixel slightly, a manipulation changes some pixels strongly. The
    smoothed colour difference is compared with its level in the frame around the face: pixels
    above 2.5 times that level count if they are connected to clearly different ones. Gaps are
    closed, specks removed, and the mask is the convex hull of the rest, because a swapped face is
    one convex piece, whose smooth cheeks look alike in both pictures.

    Args:
        fake: ``uint8 (H, W, 3)`` RGB.
        original: ``uint8 (H, W, 3)`` RGB, the same frame and crop.
        min_share: smallest share of the picture that a manipulation covers.
        max_share: largest share; beyond it the two are different pictures.
        max_misfit: largest misfit of the frames around the faces, see `frame_misfit`.
        min_contrast: smallest ratio of the mean difference inside the mask to that outside.

    Returns:
        ``bool (H, W)``. As it is convex, it also covers what lies between two manipulated places.

    Raises:
        PairError: the two are not aligned, or the difference does not stand out, is too small or
            too large.
        ValueError: shapes differ, or not ``uint8`` RGB.
    """
    from skimage.filters import threshold_otsu
    from skimage.morphology import convex_hull_image

    misfit = frame_misfit(fake, original)
    if misfit > max_misfit:
        raise PairError(
            "Expected a fake aligned with its original; shifting one of them makes the fit of the "
            f"frames around the faces hardly worse (misfit {misfit:.2f}, at most {max_misfit}). "
            "Leave this pair out."
        )
    side = min(fake.shape[:2])
    smooth = [
        cv2.GaussianBlur(picture.astype("float32"), (0, 0), side / 128)
        for picture in (fake, original)
    ]
    gap = cv2.GaussianBlur(np.abs(smooth[0] - smooth[1]).mean(axis=2), (0, 0), side / 64)
    faint = gap > max(2.5 * np.median(gap[_frame(gap.shape)]), 1.5)
    clear = np.log1p(gap) > threshold_otsu(np.log1p(gap))
    mask = _clean(_touching(faint, faint & clear), side)
    share = mask.mean()
    if not min_share <= share <= max_share:
        raise PairError(
            f"Expected a manipulated region of {min_share:.0%} to {max_share:.0%} of the picture; "
            f"found {share:.1%}. The two are too alike, or not the same frame. Leave this pair out."
        )
    mask = convex_hull_image(mask)
    contrast = gap[mask].mean() / max(gap[~mask].mean(), 1e-6)
    if contrast < min_contrast:
        raise PairError(
            f"Expected a region that differs {min_contrast:g} times as much as its surroundings; "
            f"found {contrast:.1f}. It cannot be distinguished from compression noise. Leave this "
            "pair out."
        )
    return mask


def frame_misfit(fake: np.ndarray, original: np.ndarray) -> float:
    """Measure how well the frames of two crops, an eighth of the picture wide, overlap.

    Args:
        fake: ``uint8 (H, W, 3)`` RGB.
        original: ``uint8 (H, W, 3)`` RGB.

    Returns:
        Mean difference of the frames divided by the mean difference after one of them is shifted by
        1/64 of the picture in four directions. 0 for equal frames; near 1 if shifting makes no
        difference: they did not overlap, or they are too uniform to tell.

    Raises:
        ValueError: shapes differ, or not ``uint8`` RGB.
    """
    if fake.shape != original.shape:
        raise ValueError(
            f"Expected a pair of the same shape; received {fake.shape} and {original.shape}."
        )
    if fake.ndim != 3 or fake.shape[2] != 3 or not fake.dtype == original.dtype == np.uint8:
        raise ValueError(
            f"Expected uint8 (H, W, 3) RGB; received {fake.dtype} {fake.shape} and "
            f"{original.dtype}. Read both with images.read_image(path, size=...)."
        )
    step = max(1, round(min(fake.shape[:2]) / 64))
    frame = _frame(fake.shape[:2])
    frame[:step] = frame[-step:] = frame[:, :step] = frame[:, -step:] = False

    def difference(*shift: int) -> float:
        moved = np.roll(original, shift, axis=(0, 1))
        return float(cv2.absdiff(fake, moved)[frame].mean())

    moves = [difference(*shift) for shift in ((step, 0), (-step, 0), (0, step), (0, -step))]
    still = difference(0, 0)
    return still / np.mean(moves) if still else 0.0


def _frame(shape: tuple[int, ...]) -> np.ndarray:
    """Return bool (H, W), True in the outer eighth on every side."""
    width = max(2, min(shape) // 8)
    frame = np.ones(shape, bool)
    frame[width:-width, width:-width] = False
    return frame


def _touching(pixels: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Keep the connected pieces of `pixels` that hold a seed."""
    _, labels = cv2.connectedComponents(pixels.astype("uint8"))
    return np.isin(labels, np.unique(labels[seeds]))


def _clean(mask: np.ndarray, side: int) -> np.ndarray:
    """Close gaps of up to an eighth of the picture, drop specks and small pieces."""

    def kernel(width: int) -> np.ndarray:
        return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width | 1, width | 1))

    room = side // 4  # so that closing is not affected by the edge
    padded = np.pad(mask.astype("uint8"), room)
    padded = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel(side // 8))
    padded = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel(side // 16))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(padded)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0  # the background
    large = np.flatnonzero((area > 0) & (area >= 0.2 * area.max()))
    return np.isin(labels, large)[room:-room, room:-room]
