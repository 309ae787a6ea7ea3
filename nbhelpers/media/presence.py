"""Who is in the picture: counting faces in clips, and comparing clips around a face."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.common import threads
from nbhelpers.media import faces, video


def count_faces(
    paths: Iterable[str | os.PathLike], *, frames: int = 3, progress: bool = False
) -> pd.DataFrame:
    """Count the faces in a few evenly spaced frames of each clip.

    Args:
        paths: Readable clips.
        frames: Frames to examine per clip, >= 1; a shorter clip has fewer.
        progress: Show a progress bar.

    Returns:
        One row per path, in the order given: ``videoname``, ``looked_at`` (frames examined),
        ``without_face`` (those without a face), and ``people``: the median number of faces, rounded
        down, so that a pattern mistaken for a face in one frame does not count as a person.

    Raises:
        FileNotFoundError, VideoError: As `nbhelpers.media.video.read_frames`.
    """
    paths = [Path(path) for path in paths]

    def counts(path: Path) -> np.ndarray:
        clip = video.read_frames(path, count=frames, partial=True)
        return np.array([len(faces.find_faces(frame)) for frame in clip.pixels])

    counted = threads.in_order(counts, paths, workers=2, ahead=2)
    if progress:
        from tqdm.auto import tqdm

        counted = tqdm(counted, total=len(paths), desc="faces", unit="clip", leave=False)
    return pd.DataFrame(
        [
            {
                "videoname": path.name,
                "looked_at": len(found),
                "without_face": int((found == 0).sum()),
                "people": int(np.median(found)),
            }
            for path, found in zip(paths, counted, strict=True)
        ],
        columns=["videoname", "looked_at", "without_face", "people"],
    )


def change_inside(one: np.ndarray, other: np.ndarray, *, boxes: np.ndarray) -> float:
    """Measure how much two clips differ inside a moving box.

    Args:
        one: uint8 (T, H, W, 3).
        other: uint8 of the same size; the shorter one decides how many frames are compared.
        boxes: float (T, 4), ``x, y, width, height``; frames with NaN are left out.

    Returns:
        Mean absolute difference of the pixels inside, 0-255; NaN without any box.

    Example:
        >>> dark, light = np.zeros((1, 4, 4, 3), "uint8"), np.zeros((1, 4, 4, 3), "uint8")
        >>> light[0, :2, :2] = 9
        >>> change_inside(dark, light, boxes=np.array([[0, 0, 2, 2]]))
        9.0
    """
    changes = []
    for before, after, box in zip(one, other, boxes, strict=False):
        if np.isfinite(box).all():
            left, top = np.maximum(box[:2].astype(int), 0)
            right, bottom = np.ceil(box[:2] + box[2:4]).astype(int)
            part = np.s_[top:bottom, left:right]
            changes.append(np.abs(before[part].astype(int) - after[part]).mean())
    return float(np.mean(changes)) if changes else float("nan")
