"""Random damage in training, as done to pictures by messengers, cameras and codecs.

`robustness` measures at fixed strengths. Here they are drawn, each kind with its own probability,
so that a network encounters damage while it learns. A plan is drawn once for all pictures to be
treated alike: if a real and its fake differed in damage, the network would learn the damage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

#: kind -> smallest and largest amount drawn; applied in this order, from camera to upload.
RANGES = {
    "brightness": (0.4, 1.4),  # factor on all values
    "contrast": (0.7, 1.3),  # factor on the distance from mid-grey
    "tint": (-0.1, 0.1),  # share by which red rises and blue falls
    "blur": (0.003, 0.022),  # standard deviation of a Gaussian, share of the side
    "shrink": (0.3, 0.9),  # share of the side kept before enlarging it again
    "noise": (2.0, 18.0),  # standard deviation, grey levels of 255
    "jpeg": (30.0, 95.0),  # quality, 1-100
}
#: kind -> how often it is drawn, if a picture is damaged at all.
PROBABILITIES = {
    "brightness": 0.3,
    "contrast": 0.2,
    "tint": 0.15,
    "blur": 0.25,
    "shrink": 0.3,
    "noise": 0.25,
    "jpeg": 0.45,
}


@dataclass(frozen=True)
class Damage:
    """How often pictures are damaged, and how.

    Attributes:
        share: of pictures that are damaged at all, 0-1.
        probabilities: kind -> how often it is part of a damage, 0-1; kinds not listed are never
            drawn.

    Raises:
        ValueError: an unknown kind, or a number outside 0-1.
    """

    share: float = 0.7
    probabilities: Mapping[str, float] = field(default_factory=PROBABILITIES.copy)

    def __post_init__(self):
        numbers = [self.share, *self.probabilities.values()]
        if not set(self.probabilities) <= set(RANGES) or not all(0 <= n <= 1 for n in numbers):
            raise ValueError(
                f"Expected kinds of {list(RANGES)} with probabilities of 0-1; received "
                f"{dict(self.probabilities)} and a share of {self.share}. Omit kinds that "
                "are never drawn."
            )

    def draw(self, rng: np.random.Generator) -> dict[str, float]:
        """Draw a plan: kind -> amount, in the order of application; empty means no damage.

        Args:
            rng: always advanced by the same number of draws, so that changing one probability does
                not affect the other draws.
        """
        spared = rng.random() >= self.share
        dice, amounts = rng.random(len(RANGES)), rng.random(len(RANGES))
        plan = {}
        for (kind, (low, high)), die, amount in zip(RANGES.items(), dice, amounts, strict=True):
            if not spared and die < self.probabilities.get(kind, 0.0):
                plan[kind] = low + (high - low) * float(amount)
        return plan


def damaged(picture: np.ndarray, plan: Mapping[str, float], *, seed: int) -> np.ndarray:
    """Damage one picture according to a plan.

    Args:
        picture: ``uint8 (H, W, 3)`` RGB 0-255.
        plan: kind -> amount, from `Damage.draw`.
        seed: of the noise and of the interpolation.

    Returns:
        ``uint8 (H, W, 3)`` RGB 0-255; the picture itself if the plan is empty.

    Raises:
        ValueError: an unknown kind.
    """
    rng = np.random.default_rng(seed)
    for kind, amount in plan.items():
        if kind not in _APPLY:
            raise ValueError(f"Expected kinds of {list(_APPLY)}; received {kind!r}.")
        picture = _APPLY[kind](picture, amount, rng)
    return picture


def _brightness(picture, factor, rng):
    return cv2.convertScaleAbs(picture, alpha=factor)


def _contrast(picture, factor, rng):
    return _to_bytes((picture.astype(np.float32) - 127.5) * factor + 127.5)


def _tint(picture, share, rng):
    return _to_bytes(picture * np.array([1 + share, 1.0, 1 - share], np.float32))


def _blur(picture, share, rng):
    return cv2.GaussianBlur(picture, (0, 0), share * picture.shape[0])


def _shrink(picture, share, rng):
    height, width = picture.shape[:2]
    size = (max(1, round(width * share)), max(1, round(height * share)))
    down = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
    up = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    small = cv2.resize(picture, size, interpolation=down)
    return cv2.resize(small, (width, height), interpolation=up)


def _noise(picture, deviation, rng):
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(deviation)
    return _to_bytes(picture + noise)


def _jpeg(picture, quality, rng):
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).round().astype(np.uint8)


_APPLY: dict[str, Callable] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "tint": _tint,
    "blur": _blur,
    "shrink": _shrink,
    "noise": _noise,
    "jpeg": _jpeg,
}
