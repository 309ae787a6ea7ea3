"""Last pass of the photos: the way from a camera to a data set, via a site that shares pictures.

A site makes an upload smaller and compresses it again; whoever collects it cuts the face out,
brings it to a common size and compresses it once more.  Fine detail is lost on the way, in reals
and fakes alike: how much is lost decides which detectors can work (see ../README.md).
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
    """Picture (H, W, 3) BGR 0-255 after a smaller, noisy generation: uint8, the same size."""
    height, width = picture.shape[:2]
    small = (round(width * drawn["shrink"]), round(height * drawn["shrink"]))
    less = cv2.resize(picture.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    back = cv2.resize(less, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = rng.standard_normal((height, width, 1), np.float32) * drawn["luma_noise"]
    return np.clip(back + noise + 0.5, 0, 255).astype(np.uint8)


def _excess(picture: np.ndarray, method: str) -> float:
    """How much lighter the area that `method` replaces is than what stays: CIE L, 0-100."""
    light = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[..., 0]
    if method == "mouth_reenactment":
        return float(light[130:190, 80:144].mean() - light[50:100, 80:144].mean())
    return float(light[70:170, 70:154].mean())


def _tint(picture: np.ndarray, mask: np.ndarray, excess: float, settings: dict, rng) -> np.ndarray:
    """Cast a colour over the manipulated area: the face no longer quite matches its photo.

    The cast fades in softly, so comparing areas reveals it, but comparing neighbouring pixels does
    not. If possible, it mirrors the area's lightness at the median of all photos; `excess` is the
    distance from that. A fake is then as unusually light or dark as its original, and brightness
    alone does not give it away.
    """
    cast = rng.normal(0, settings["colour"], 3)
    cast[0] = -np.sign(excess) * np.clip(2 * abs(excess), *settings["lightness"])
    weight = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), settings["softness"])
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    lab += weight[..., None] * cast.astype(np.float32)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * 255, 0, 255)


def _read(first: Path, shot: dict, method: str | None) -> np.ndarray:
    return cv2.imread(str(first / plan.video_name(shot, method).replace(".mp4", ".jpg")))


def share_stills(shots: list, first: Path, faces: Path, settings: dict) -> None:
    """Write every photo and fake of `first` into `faces`/faces_224 as a site would have left it.

    The versions of a shot cover the ranges evenly, as in `imaging.draw_final`.
    """
    medians = {
        method: np.median([_excess(_read(first, shot, None), method) for shot in shots])
        for method in plan.METHODS
    }
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
            name = plan.video_name(shot, method)
            picture = _read(first, shot, method)
            if method:
                mask = cv2.imread(str(faces / "masks_224" / name.replace(".mp4", ".png")), 0)
                excess = _excess(_read(first, shot, None), method) - medians[method]
                picture = _tint(picture, mask, excess, settings["tint"], rng)
            quality = round(drawn["jpeg_quality"])
            cv2.imwrite(
                str(faces / "faces_224" / name.replace(".mp4", ".jpg")),
                _share(picture, drawn, rng),
                [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1],
            )
