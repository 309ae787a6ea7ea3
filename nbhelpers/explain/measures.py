"""Measures that evaluate an explanation: is it faithful, well localised and stable?

Maps are ``float (H, W)``, positive = evidence for FAKE. Masks are ``bool (H, W)``, True where the
picture was manipulated. NumPy, SciPy and OpenCV only; the network is a function that scores
a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

Scorer = Callable[[np.ndarray], np.ndarray]


def _check_pair(heat: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    heat, mask = np.asarray(heat, "float64"), np.asarray(mask, bool)
    if heat.shape != mask.shape or heat.ndim != 2:
        raise ValueError(
            f"Expected a map and a mask of the same shape (H, W); received {heat.shape} and "
            f"{mask.shape}. Read the mask with images.read_mask(path, size=...)."
        )
    if not np.isfinite(heat).all():
        raise ValueError("Expected a finite map; received NaN or infinity.")
    if not mask.any():
        raise ValueError("Expected a mask with at least one pixel; received an empty one.")
    return heat, mask


def pointing_hit(heat: np.ndarray, mask: np.ndarray) -> float:
    """Play the pointing game: does the highest point of the map lie inside the mask?

    Args:
        heat: ``float (H, W)``.
        mask: ``bool (H, W)``.

    Returns:
        0.0 or 1.0; if several pixels share the highest value, the share of these inside. The chance
        level is the mask's share of the picture.

    Raises:
        ValueError: shapes differ, the map is not finite, the mask is empty.

    Source:
        Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016.

    Example:
        >>> pointing_hit(np.array([[0.0, 3.0]]), np.array([[False, True]]))
        1.0
    """
    heat, mask = _check_pair(heat, mask)
    return float(mask[heat == heat.max()].mean())


def energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of the map's positive values that lies inside the mask.

    Args:
        heat: ``float (H, W)``.
        mask: ``bool (H, W)``.

    Returns:
        Share in [0, 1]; 0.0 for a map without positive values, which points nowhere. The chance
        level is the mask's share of the picture.

    Raises:
        ValueError: as `pointing_hit`.

    Source:
        Wang et al., "Score-CAM", CVPR Workshops 2020 (energy-based pointing game).

    Example:
        >>> energy_inside(np.array([[1.0, 3.0, -9.0]]), np.array([[False, True, True]]))
        0.75
    """
    heat, mask = _check_pair(heat, mask)
    positive = np.clip(heat, 0, None)
    total = positive.sum()
    return float(positive[mask].sum() / total) if total > 0 else 0.0


def iou_at_mask_area(heat: np.ndarray, mask: np.ndarray, *, seed: int = 0) -> float:
    """Threshold the map to cover as many pixels as the mask, and compare the two regions.

    Args:
        heat: ``float (H, W)``.
        mask: ``bool (H, W)``.
        seed: for the order of pixels with equal values.

    Returns:
        Intersection over union in [0, 1].

    Raises:
        ValueError: as `pointing_hit`.

    Example:
        >>> iou_at_mask_area(np.array([[5.0, 4.0, 1.0]]), np.array([[True, False, True]]))
        0.3333333333333333
    """
    heat, mask = _check_pair(heat, mask)
    ties = np.random.default_rng(seed).random(heat.size)
    order = np.lexsort((ties, -heat.ravel()))
    region = np.zeros(heat.size, bool)
    region[order[: mask.sum()]] = True
    both = (region & mask.ravel()).sum()
    return float(both / (region | mask.ravel()).sum())


def random_map(shape: tuple[int, int], *, seed: int, blur: float = 8.0) -> np.ndarray:
    """Return smooth noise: a baseline map that carries no information.

    Args:
        shape: (H, W).
        seed: of the noise.
        blur: standard deviation of the smoothing, pixels.

    Returns:
        ``float32 (H, W)`` in [0, 1].
    """
    noise = np.random.default_rng(seed).random(shape, dtype="float32")
    smooth = cv2.GaussianBlur(noise, (0, 0), blur)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def centre_prior(shape: tuple[int, int], *, width: float = 0.25) -> np.ndarray:
    """Return one fixed blob in the middle: in face crops, a strong baseline without a model.

    Args:
        shape: (H, W).
        width: standard deviation of the blob as a share of height and width.

    Returns:
        ``float32 (H, W)`` in (0, 1].
    """
    rows = (np.arange(shape[0]) + 0.5) / shape[0] - 0.5
    columns = (np.arange(shape[1]) + 0.5) / shape[1] - 0.5
    distance = rows[:, None] ** 2 + columns[None, :] ** 2
    return np.exp(-distance / (2 * width**2)).astype("float32")


def deletion_curve(
    score: Scorer, image: np.ndarray, *, heat: np.ndarray, steps: int = 10, fill: float = 127.5
) -> np.ndarray:
    """Hide pixels in order of decreasing map value, and track P(fake).

    Args:
        score: pictures ``float32 (B, H, W, 3)`` -> P(fake) ``(B,)``.
        image: ``(H, W, 3)`` RGB 0-255.
        heat: ``float (H, W)``.
        steps: points on the curve after the first.
        fill: value of hidden pixels, 0-255.

    Returns:
        ``float64 (steps + 1,)``: P(fake) with 0, 1/steps, … of the pixels hidden. With a faithful
        map it falls early.

    Source:
        Petsiuk et al., "RISE", BMVC 2018.
    """
    image = np.asarray(image, "float32")
    return _replace_in_order(score, image, np.full_like(image, fill), heat, steps)


def deletion_pictures(
    image: np.ndarray, *, heat: np.ndarray, steps: int = 10, fill: float = 127.5
) -> np.ndarray:
    """Return the pictures that a deletion curve scores.

    Args:
        image: ``(H, W, 3)`` RGB 0-255.
        heat: ``float (H, W)``.
        steps: pictures after the first.
        fill: value of hidden pixels, 0-255.

    Returns:
        ``uint8 (steps + 1, H, W, 3)``: 0, 1/steps, … of the pixels hidden, those of highest value
        first.

    Example:
        >>> two = np.array([[[9, 9, 9], [5, 5, 5]]], "float32")
        >>> heat = np.array([[1.0, 2.0]])
        >>> deletion_pictures(two, heat=heat, steps=2, fill=0)[:, 0, :, 0].tolist()
        [[9, 5], [9, 0], [0, 0]]
    """
    image = np.asarray(image, "float32")
    return _mixtures(image, np.full_like(image, fill), heat, steps).round().astype("uint8")


def insertion_curve(
    score: Scorer, image: np.ndarray, *, heat: np.ndarray, steps: int = 10, blur: float = 10.0
) -> np.ndarray:
    """Sharpen a blurred picture in order of decreasing map value, and track P(fake).

    Args:
        score: pictures ``float32 (B, H, W, 3)`` -> P(fake) ``(B,)``.
        image: ``(H, W, 3)`` RGB 0-255.
        heat: ``float (H, W)``.
        steps: points on the curve after the first.
        blur: standard deviation of the blur, pixels.

    Returns:
        ``float64 (steps + 1,)``: P(fake) with 0, 1/steps, … of the pixels sharp. With a faithful
        map it rises early.

    Source:
        Petsiuk et al., "RISE", BMVC 2018.
    """
    image = np.asarray(image, "float32")
    return _replace_in_order(score, cv2.GaussianBlur(image, (0, 0), blur), image, heat, steps)


def _replace_in_order(
    score: Scorer, before: np.ndarray, after: np.ndarray, heat: np.ndarray, steps: int
) -> np.ndarray:
    """Score mixtures of two pictures in which the pixels of highest value change first."""
    return np.asarray(score(_mixtures(before, after, heat, steps)), "float64")


def _mixtures(before: np.ndarray, after: np.ndarray, heat: np.ndarray, steps: int) -> np.ndarray:
    """Return (steps + 1, H, W, 3): the first is all `before`, the last all `after`."""
    rank = np.empty(heat.size, int)
    rank[np.argsort(-np.asarray(heat).ravel(), kind="stable")] = np.arange(heat.size)
    shares = np.linspace(0, 1, steps + 1)
    changed = rank.reshape(heat.shape)[None] < (shares * heat.size)[:, None, None]
    return np.where(changed[..., None], after, before)


def curve_area(curve: np.ndarray) -> float:
    """Return the area under a deletion or insertion curve over [0, 1].

    Args:
        curve: ``float (steps + 1,)``, evenly spaced.

    Returns:
        Area by the trapezoid rule, in P(fake).

    Example:
        >>> curve_area(np.array([1.0, 0.0]))
        0.5
    """
    curve = np.asarray(curve, "float64")
    return float((curve[1:] + curve[:-1]).mean() / 2)


def measure_maps(
    score: Scorer,
    image: np.ndarray,
    *,
    mask: np.ndarray,
    maps: Mapping[str, np.ndarray],
    steps: int = 10,
) -> list[dict[str, float | str]]:
    """Measure several maps of one picture with every measure that needs no second map.

    Args:
        score: pictures ``float32 (B, H, W, 3)`` -> P(fake) ``(B,)``.
        image: ``(H, W, 3)`` RGB 0-255.
        mask: ``bool (H, W)``, the manipulated region.
        maps: method -> ``float (H, W)``.
        steps: of the deletion and insertion curves, at least 2; as `deletion_curve` and
            `insertion_curve` draw them with their defaults.

    Returns:
        One dict per map: `method, insertion, deletion, pointing, energy, iou`.

    Raises:
        ValueError: as `pointing_hit`.
    """
    image = np.asarray(image, "float32")
    ends = {
        "deletion": (image, np.full_like(image, 127.5)),
        "insertion": (cv2.GaussianBlur(image, (0, 0), 10.0), image),
    }
    hidden, blurred, whole = score(np.stack([ends["deletion"][1], ends["insertion"][0], image]))
    first = {"deletion": whole, "insertion": blurred}
    last = {"deletion": hidden, "insertion": whole}
    rows = []
    for method, heat in maps.items():
        # The ends of the curves are the same for every map; only the points between are scored.
        between = [_mixtures(*ends[name], heat, steps)[1:-1] for name in ends]
        middle = np.split(np.asarray(score(np.concatenate(between))), len(ends))
        areas = {
            name: curve_area(np.array([first[name], *part, last[name]]))
            for name, part in zip(ends, middle, strict=True)
        }
        rows.append(
            {
                "method": method,
                "insertion": areas["insertion"],
                "deletion": areas["deletion"],
                "pointing": pointing_hit(heat, mask),
                "energy": energy_inside(heat, mask),
                "iou": iou_at_mask_area(heat, mask),
            }
        )
    return rows


def rank_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two maps, pixel by pixel.

    Args:
        first: ``float (H, W)``.
        second: ``float (H, W)``.

    Returns:
        Correlation in [-1, 1]; 0.0 where one of the maps is constant.

    Raises:
        ValueError: shapes differ.

    Example:
        >>> rank_agreement(np.array([[1.0, 2.0]]), np.array([[10.0, 90.0]]))
        1.0
    """
    from scipy.stats import rankdata

    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ValueError(
            f"Expected maps of the same shape; received {first.shape} and {second.shape}."
        )
    ranks = np.stack([rankdata(first), rankdata(second)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    spread = (ranks**2).sum(axis=1)
    if not spread.all():
        return 0.0
    return float(ranks[0] @ ranks[1] / np.sqrt(spread.prod()))


def shift_agreement(
    method: Callable[[np.ndarray], np.ndarray], image: np.ndarray, *, heat: np.ndarray
) -> float:
    """Shift the picture by one pixel to the right and compare the two maps.

    Args:
        method: picture ``(H, W, 3)`` -> map ``(H, W)``.
        image: ``(H, W, 3)`` RGB 0-255.
        heat: the method's map of the picture itself.

    Returns:
        `rank_agreement` of the two maps where both are defined.
    """
    image = np.asarray(image)
    moved = np.concatenate([image[:, :1], image[:, :-1]], axis=1)
    return rank_agreement(heat[:, :-1], method(moved)[:, 1:])
