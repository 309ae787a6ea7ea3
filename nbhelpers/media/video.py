"""Clips: which frames to read, how to read only those, and the facts of a file.

Frames leave this room as ``uint8 (T, H, W, 3) RGB 0-255``. A file that cannot be read raises
:class:`VideoError` with the reason; it never turns into an empty or all-zero array.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import pandas as pd

from nbhelpers.media.decode import MOST_PIXELS

logger = logging.getLogger(__name__)

SAMPLINGS = ("even", "first")
FACTS = [
    *("videoname", "frames", "fps", "seconds", "width", "height", "codec", "pixel_format"),
    *("audio", "rotation", "size_kb", "kbit_per_s", "readable", "reason"),
]
MOST_BYTES = 8_000_000_000  # of the whole frames that one call may hold
_INTERLACED = re.compile(r"\((?:[^)]*, )?(?:top|bottom) (?:first|coded first[^)]*)\)")
_ENOUGH = 0.9  # share of the promised frames that must be there; headers are often a few off


class VideoError(ValueError):
    """A clip that cannot be read, with the reason."""


@dataclass(frozen=True)
class Frames:
    """Frames of one clip: ``pixels`` uint8 (T, H, W, 3) RGB, ``indices`` int64 (T,), ``fps``."""

    pixels: np.ndarray
    indices: np.ndarray
    fps: float

    @property
    def seconds(self) -> np.ndarray:
        """float64 (T,): when each frame is shown, taking the frame rate as constant."""
        return self.indices / self.fps

    def __len__(self) -> int:
        return len(self.pixels)


def frame_indices(total: int, count: int, *, how: str = "even") -> np.ndarray:
    """Choose which frames of a clip to read.

    ``even`` cuts the clip into ``count`` equal stretches and takes the middle frame of each;
    ``first`` takes the beginning, as the article does. A clip shorter than ``count`` gives all
    its frames once.

    Args:
        total: Frames in the clip, >= 1.
        count: Frames wanted, >= 1.
        how: ``"even"`` or ``"first"``.

    Returns:
        int64 (min(count, total),), strictly increasing, within 0 .. total - 1.

    Raises:
        ValueError: For a count or total below 1, or an unknown ``how``.

    Example:
        >>> frame_indices(100, 4)
        array([12, 37, 62, 87])
        >>> frame_indices(100, 4, how="first")
        array([0, 1, 2, 3])
    """
    if how not in SAMPLINGS:
        raise ValueError(f"Expected how to be one of {SAMPLINGS}; received {how!r}.")
    if total < 1 or count < 1:
        raise ValueError(
            f"Expected total and count of at least 1; received total={total}, count={count}."
        )
    count = min(int(count), int(total))
    steps = np.arange(count, dtype=np.int64)
    return steps if how == "first" else (2 * steps + 1) * int(total) // (2 * count)


def read_frames(
    path: str | os.PathLike,
    *,
    count: int,
    how: str = "even",
    transform: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Frames:
    """Read the chosen frames of a clip, decoding no further than the last of them.

    Skipped frames are decoded (their successors depend on them) but never converted or copied.
    Where the header promises more frames than there are, the choice is made again from the frames
    found, so the indices are always exact.

    Args:
        path: The clip.
        count: Frames wanted, >= 1; a shorter clip gives fewer.
        how: ``"even"`` or ``"first"``, see :func:`frame_indices`.
        transform: Cuts or resizes every frame (uint8 (H, W, 3), still BGR) as it is read, so that
            large frames need be neither kept nor converted; must give equal shapes and treat the
            three colours alike.

    Returns:
        :class:`Frames`; a rotation flag in the file has been applied. Where the file gives no
        frame rate that can be, it is taken for 25 a second.

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: The file is empty, truncated, not a video, interlaced, has no frames or far too
            large ones.
    """
    frame_indices(1, count, how=how)  # refuses a bad choice before any file is touched
    path = Path(path)
    _check_container(path)
    with _opened(path) as capture:
        fps = _frame_rate(capture)
        total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if total < 1:  # the header does not say: count by decoding
            total = _count_frames(capture)
            capture.open(str(path), cv2.CAP_FFMPEG)
        if total < 1:
            raise VideoError(f"{path.name} has no frames. Leave it out or replace the file.")
        wanted = frame_indices(total, count, how=how)
        _check_size(capture, path.name, count=len(wanted) if transform is None else 0)
        pixels, found = _decode(capture, wanted, transform)
        if len(pixels) < len(wanted):
            if found < _ENOUGH * (wanted[-1] + 1):
                problem = f"ends after {found} of {total} frames" if found else "has no frames"
                raise VideoError(
                    f"{path.name} {problem}: truncated or damaged. Copy or download it again."
                )
            logger.info("%s has %d frames, its header says %d", path.name, found, total)
            del pixels
            wanted = frame_indices(found, count, how=how)
            capture.open(str(path), cv2.CAP_FFMPEG)
            pixels, _ = _decode(capture, wanted, transform)
    # Of an interlaced clip OpenCV gives whatever was in memory, the same for every frame.
    if len(pixels) == 1 or any(map(np.array_equal, pixels, pixels[1:])):
        _check_progressive(_stream_lines(path), path.name)
    return Frames(np.stack(pixels), wanted, fps)


def centre_square(pixels: np.ndarray, *, size: int) -> np.ndarray:
    """Cut the largest centred square and resize it, as the article does.

    Args:
        pixels: uint8 (H, W, 3) or (T, H, W, 3).
        size: Side of the result in pixels, >= 1.

    Returns:
        uint8 (size, size, 3) or (T, size, size, 3); bilinear, as in the article.

    Example:
        >>> centre_square(np.zeros((48, 64, 3), np.uint8), size=24).shape
        (24, 24, 3)
    """
    if pixels.ndim == 4:
        return np.stack([centre_square(frame, size=size) for frame in pixels])
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = height // 2 - side // 2, width // 2 - side // 2
    return cv2.resize(pixels[top : top + side, left : left + side], (size, size))


def clip_facts(path: str | os.PathLike) -> dict:
    """Read what the headers of a clip say, without decoding it.

    Args:
        path: The clip.

    Returns:
        ``videoname, frames, fps, seconds, width, height, codec, pixel_format, audio, rotation``
        (degrees), ``size_kb, kbit_per_s`` and ``readable`` (True), ``reason`` ("").

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: As `read_frames`.
    """
    path = Path(path)
    _check_container(path)
    with _opened(path) as capture:
        _check_size(capture, path.name)
        frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = _frame_rate(capture)
        if frames < 1:
            frames = _count_frames(capture)
        elif not capture.grab():
            frames = 0
        if frames < 1:
            raise VideoError(f"{path.name} has no frames. Leave it out or replace the file.")
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    streams = _stream_lines(path)
    _check_progressive(streams, path.name)
    video = re.search(r"Video: (\w+)[^,]*(?:\([^)]*\))?, (\w+)", streams)
    rotation = re.search(r"rotation of (-?[\d.]+)", streams)
    size, seconds = path.stat().st_size, frames / fps
    return {
        "videoname": path.name,
        "frames": frames,
        "fps": round(fps, 3),
        "seconds": round(seconds, 2),
        "width": width,
        "height": height,
        "codec": video[1] if video else "",
        "pixel_format": video[2] if video else "",
        "audio": "Audio:" in streams,
        "rotation": int(float(rotation[1])) if rotation else 0,
        "size_kb": round(size / 1000, 1),
        "kbit_per_s": round(size * 8 / 1000 / seconds, 1),
        "readable": True,
        "reason": "",
    }


def clip_table(paths: Iterable[str | os.PathLike], *, progress: bool = False) -> pd.DataFrame:
    """Tabulate :func:`clip_facts` of many clips, read in parallel.

    Args:
        paths: The clips.
        progress: Show a progress bar.

    Returns:
        One row a path, in the order given. An unreadable clip has ``readable`` False, the
        ``reason``, and empty facts.
    """

    def row(path: str | os.PathLike) -> dict:
        try:
            return clip_facts(path)
        except (VideoError, OSError) as error:
            return {"videoname": Path(path).name, "readable": False, "reason": str(error)}

    paths = list(paths)
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        rows = pool.map(row, paths)
        if progress:
            from tqdm.auto import tqdm

            rows = tqdm(rows, total=len(paths), desc="facts", unit="clip", leave=False)
        rows = list(rows)
    table = pd.DataFrame(rows, columns=FACTS)
    counts = ["frames", "width", "height", "rotation"]
    return table.astype(dict.fromkeys(counts, "Int64") | {"audio": "boolean", "readable": bool})


def ffmpeg() -> str:
    """Path of the ffmpeg program that ``imageio-ffmpeg`` brings along."""
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


class _opened:
    """Context manager around ``cv2.VideoCapture`` that says why a file did not open."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> cv2.VideoCapture:
        # libav writes to the terminal past Python; OpenCV reads this once, at the first opening.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        self.capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not self.capture.isOpened():
            self.capture.release()
            if "Audio:" in _stream_lines(self.path):
                reason = "has sound but no picture. Leave it out."
            else:
                reason = "is not a video that can be decoded. Leave it out or replace the file."
            raise VideoError(f"{self.path.name} {reason}")
        return self.capture

    def __exit__(self, *exception) -> None:
        self.capture.release()


def _frame_rate(capture: cv2.VideoCapture) -> float:
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if np.isfinite(fps) and 0.1 <= fps <= 1000 else 25.0


def _check_size(capture: cv2.VideoCapture, name: str, *, count: int = 0) -> None:
    """Refuse by what the header says, before a frame is decoded; ``count`` frames are held."""
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MOST_PIXELS:
        raise VideoError(
            f"{name} has frames of {width} x {height} pixels; at most {MOST_PIXELS / 1e6:.0f} "
            "megapixels are read. Shrink it or leave it out."
        )
    if count * width * height * 3 > MOST_BYTES:
        raise VideoError(
            f"{count} frames of {name} ({width} x {height}) need more than "
            f"{MOST_BYTES / 1e9:.0f} GB of memory. Take fewer frames or shrink it."
        )


def _check_progressive(streams: str, name: str) -> None:
    if _INTERLACED.search(streams):
        raise VideoError(
            f"{name} is interlaced (two half pictures in each frame), which is not read here. "
            f"Convert it: ffmpeg -i {name} -vf yadif progressive.mp4"
        )


def _count_frames(capture: cv2.VideoCapture) -> int:
    count = 0
    while capture.grab():
        count += 1
    return count


def _decode(
    capture: cv2.VideoCapture, wanted: np.ndarray, transform: Callable | None
) -> tuple[list[np.ndarray], int]:
    """Pixels of the wanted frames, and how many frames were passed until the last or the end."""
    pixels, keep = [], set(wanted.tolist())
    for index in range(int(wanted[-1]) + 1):
        if not capture.grab():
            return pixels, index
        if index in keep:
            good, frame = capture.retrieve()
            if not good:
                return pixels, index
            frame = frame if transform is None else transform(frame)
            pixels.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))  # last: a small one costs less
    return pixels, int(wanted[-1]) + 1


def _check_container(path: Path) -> None:
    """Refuse what needs no decoder to refuse: missing, empty, or an MP4 cut off in the middle.

    An MP4 is a row of boxes that state their own length, so a file that ends inside a box has
    lost its tail, even where its header is whole and its first frames still decode.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No clip at {path}. Check the name and the data folder.")
    size = path.stat().st_size
    if size == 0:
        raise VideoError(f"{path.name} is empty (0 bytes). Copy or download it again.")
    with path.open("rb") as file:
        head = file.read(64)
        if head.isascii() and head.decode().replace("\r", "").replace("\n", "").isprintable():
            # ffmpeg would follow a playlist to other files and hosts.
            raise VideoError(
                f"{path.name} is text, it is not a video. Leave it out or replace the file."
            )
        if head[4:8] != b"ftyp":
            return  # another container: the decoder will tell
        kinds = set()
        position = 0
        while position + 8 <= size:
            kind, length = _box(file, position)
            kinds.add(kind)
            if length == 0:  # the last box may say "up to the end"
                break
            if length < 8 or position + length > size:
                raise VideoError(
                    f"{path.name} is truncated: it ends inside its {kind!r} part, at {size} bytes."
                    " Copy or download it again."
                )
            position += length
    if "moov" not in kinds:
        raise VideoError(
            f"{path.name} is truncated: its index (the 'moov' part) is missing."
            " Copy or download it again."
        )


def _box(file: BinaryIO, position: int) -> tuple[str, int]:
    file.seek(position)
    head = file.read(16)
    length, kind = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1")
    return kind, int.from_bytes(head[8:16], "big") if length == 1 else length


def _stream_lines(path: Path) -> str:
    """What ffmpeg says about the streams of a file; empty where it knows none or takes long."""
    command = [ffmpeg(), "-hide_banner", "-nostdin", "-i", str(path)]
    try:
        run = subprocess.run(
            command, capture_output=True, errors="replace", timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    lines = run.stderr.splitlines()
    return "\n".join(line for line in lines if "Stream #" in line or "rotation of" in line)
