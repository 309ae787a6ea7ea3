"""Last pass of the photos: the way from a camera to a data set, by a site that shares pictures.

A site makes an upload smaller and compresses it again; whoever collects it cuts the face out,
brings it to a common size and compresses once more.  Fine detail is lost on the way, in reals and
fakes alike: how much decides which detectors get anywhere (see ../README.md).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import people as plan
from imaging import GOLDEN, spread_positions

DRAWS = ("shrink", "luma_noise", "jpeg_quality")
SHARE = 9  # first key of the random streams used here


def _share(picture: np.ndarray, drawn: dict, rng) -> np.ndarray:
    """Picture uint8 (H, W, 3) BGR after a smaller, noisy generation; the same size and type."""
    height, width = picture.shape[:2]
    small = (round(width * drawn["shrink"]), round(height * drawn["shrink"]))
    less = cv2.resize(picture.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    back = cv2.resize(less, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = rng.standard_normal((height, width, 1), np.float32) * drawn["luma_noise"]
    return np.clip(back + noise + 0.5, 0, 255).astype(np.uint8)


def share_stills(shots: list, first: Path, out: Path, settings: dict) -> None:
    """Write every photo and fake of `first` into `out` as a site would have left it.

    The versions of a shot cover the ranges evenly, as in `imaging.draw_final`.
    """
    positions = spread_positions(
        len(shots), np.random.default_rng([settings["seed"], SHARE]), DRAWS
    )
    for shot, at in zip(shots, positions, strict=True):
        for method in [None, *shot["methods"]]:
            code = plan.method_number(method)
            place = dict(zip(DRAWS, (at + GOLDEN * code) % 1, strict=True))
            drawn = {
                name: low + (high - low) * place[name]
                for name, (low, high) in settings["shared"].items()
            }
            rng = np.random.default_rng([settings["seed"], SHARE, *shot["key"], code])
            name = plan.video_name(shot, method).replace(".mp4", ".jpg")
            cv2.imwrite(
                str(out / name),
                _share(cv2.imread(str(first / name)), drawn, rng),
                [
                    cv2.IMWRITE_JPEG_QUALITY,
                    round(drawn["jpeg_quality"]),
                    cv2.IMWRITE_JPEG_OPTIMIZE,
                    1,
                ],
            )
