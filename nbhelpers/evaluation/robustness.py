"""Does a detector survive what happens to pictures online? Corruptions at three levels each.

A detector that was evaluated only on clean crops may rely on traces that any messenger app removes.
Each corruption returns a damaged copy of the pictures; the AUC is measured again on the same
people.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nbhelpers.evaluation import metrics
from nbhelpers.media import ffmpeg

LEVELS = ("mild", "medium", "strong")
#: corruption -> the meaning of its number, and the number at each level.
CORRUPTIONS = {
    "JPEG": ("quality, 1-100", (70, 40, 15)),
    "downscale": ("share of the side that is kept, then enlarged again", (0.6, 0.4, 0.25)),
    "blur": ("standard deviation of a Gaussian, share of the side", (0.008, 0.016, 0.032)),
    "noise": ("standard deviation, grey levels of 255", (5, 12, 25)),
    "brightness": ("factor on all values", (0.75, 0.5, 0.3)),
    "H.264": ("constant rate factor, 0-51, every frame on its own", (26, 34, 42)),
}


class CorruptionError(RuntimeError):
    """A corruption that could not be applied, with the reason."""


def corrupt(
    pictures: np.ndarray, corruption: str, *, level: str = "medium", seed: int = 0
) -> np.ndarray:
    """Damage pictures.

    Args:
        pictures: ``uint8 (N, H, W, 3)`` RGB 0-255.
        corruption: a key of ``CORRUPTIONS``.
        level: one of ``LEVELS``.
        seed: of the noise.

    Returns:
        ``uint8 (N, H, W, 3)`` RGB 0-255.

    Raises:
        ValueError: an unknown corruption or level, or pictures of another shape or dtype.
        CorruptionError: ffmpeg failed.
    """
    if corruption not in CORRUPTIONS or level not in LEVELS:
        raise ValueError(
            f"Expected a corruption of {list(CORRUPTIONS)} and a level of {list(LEVELS)}; "
            f"received {corruption!r}, {level!r}."
        )
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[-1] != 3:
        raise ValueError(
            f"Expected uint8 (N, H, W, 3); received {pictures.dtype} {pictures.shape}. Read them "
            "with images.read_image at one size."
        )
    amount = CORRUPTIONS[corruption][1][LEVELS.index(level)]
    if corruption == "H.264":
        return _h264(pictures, int(amount))
    if corruption == "noise":
        noise = np.random.default_rng(seed).normal(0, amount, pictures.shape)
        return np.clip(pictures + noise, 0, 255).round().astype(np.uint8)
    one = {"JPEG": _jpeg, "downscale": _downscale, "blur": _blur, "brightness": _brightness}
    return np.stack([one[corruption](picture, amount) for picture in pictures])


def curves(
    score: Callable[[np.ndarray], np.ndarray],
    pictures: np.ndarray,
    *,
    y_true: ArrayLike,
    groups: Sequence[str],
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
    seed: int = 42,
) -> pd.DataFrame:
    """Measure the AUC of a detector on damaged pictures.

    Args:
        score: pictures ``uint8 (N, H, W, 3)`` -> P(fake) ``(N,)``.
        pictures: of test rows, ``uint8 (N, H, W, 3)`` RGB 0-255.
        y_true: (N,) of 0 (real) and 1 (fake).
        groups: (N,) names, for the intervals.
        corruptions: which ones.
        seed: of the noise and of the bootstrap.

    Returns:
        One row per corruption and level, the clean pictures ("clean", "none") first: `corruption`,
        `level`, `amount`, `auc` (a `metrics.Interval`) and its fields `value`, `low`, `high`, and
        `change`: the AUC minus that of the clean pictures, an `Interval` of the same resamples.

    Raises:
        ValueError, CorruptionError: as `corrupt` and `metrics.score_intervals`.
    """
    clean = score(pictures)
    judged = {"y_true": y_true, "groups": groups, "seed": seed}
    first = {"corruption": "clean", "level": "none", "amount": np.nan}
    rows = [first | _auc(clean, clean, **judged)]
    for corruption in corruptions:
        for level, amount in zip(LEVELS, CORRUPTIONS[corruption][1], strict=True):
            damaged = corrupt(pictures, corruption, level=level, seed=seed)
            row = {"corruption": corruption, "level": level, "amount": amount}
            rows.append(row | _auc(score(damaged), clean, **judged))
    return pd.DataFrame(rows)


def gallery(
    picture: np.ndarray, *, corruptions: Sequence[str] = tuple(CORRUPTIONS), seed: int = 0
) -> np.ndarray:
    """Damage one picture in every way, as a table of pictures.

    Args:
        picture: ``uint8 (H, W, 3)`` RGB 0-255.
        corruptions: which ones, the rows.
        seed: of the noise.

    Returns:
        ``uint8 (D, 1 + len(LEVELS), H, W, 3)``: a row per corruption, the picture itself first.

    Raises:
        ValueError, CorruptionError: as `corrupt`.
    """
    return np.stack(
        [
            [
                picture,
                *(corrupt(picture[None], name, level=level, seed=seed)[0] for level in LEVELS),
            ]
            for name in corruptions
        ]
    )


def _auc(
    y_score: np.ndarray, clean: np.ndarray, *, y_true: ArrayLike, groups: Sequence[str], seed: int
) -> dict:
    auc = metrics.score_intervals(y_true, y_score, groups=groups, seed=seed)["auc"]
    change = metrics.paired_difference(y_true, y_score, minus=clean, groups=groups, seed=seed)
    return {"auc": auc, "value": auc.value, "low": auc.low, "high": auc.high, "change": change}


def _jpeg(picture: np.ndarray, quality: float) -> np.ndarray:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _downscale(picture: np.ndarray, share: float) -> np.ndarray:
    height, width = picture.shape[:2]
    small = (max(1, round(width * share)), max(1, round(height * share)))
    shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)


def _blur(picture: np.ndarray, share: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), share * picture.shape[0])


def _brightness(picture: np.ndarray, factor: float) -> np.ndarray:
    return np.clip(picture * float(factor), 0, 255).round().astype(np.uint8)


def _h264(pictures: np.ndarray, crf: int) -> np.ndarray:
    """Encode all pictures as key frames of one clip and decode it again."""
    count, height, width = pictures.shape[:3]
    even = pictures[:, : height - height % 2, : width - width % 2]  # 4:2:0 requires even sides
    size = f"{even.shape[2]}x{even.shape[1]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    encode = ["-s", size, "-r", "25", "-i", "-", "-c:v", "libx264", "-crf", str(crf), "-g", "1"]
    encoded = _ffmpeg([*raw, *encode, "-pix_fmt", "yuv420p", "-f", "h264", "-"], even.tobytes())
    decoded = _ffmpeg(["-f", "h264", "-i", "-", "-fps_mode", "passthrough", *raw, "-"], encoded)
    if len(decoded) != even.size:
        raise CorruptionError(
            f"Expected {count} frames of {size} back from ffmpeg; received {len(decoded)} bytes."
        )
    result = pictures.copy()
    result[:, : even.shape[1], : even.shape[2]] = np.frombuffer(decoded, np.uint8).reshape(
        even.shape
    )
    return result


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    command = [ffmpeg.program(), "-loglevel", "error", "-threads", "1", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        raise CorruptionError(
            f"Expected ffmpeg to encode and decode pictures; it said: {done.stderr.decode()[-300:]}"
        )
    return done.stdout
