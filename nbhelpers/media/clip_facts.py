"""Facts about clips (length, size, compression), without decoding them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from nbhelpers.media import capture, ffmpeg, video
from nbhelpers.media.capture import Capture
from nbhelpers.media.ffmpeg import VideoError

FACTS = [
    "videoname",
    "frames",
    "fps",
    "seconds",
    "width",
    "height",
    "codec",
    "pixel_format",
    "audio",
    "rotation",
    "size_kb",
    "kbit_per_s",
    "readable",
    "reason",
]


def read(path: str | os.PathLike) -> dict:
    """Read the headers of a clip or, where they say too little, the times of its packets.

    Args:
        path: The clip.

    Returns:
        ``videoname, frames, fps`` (the average where the rate varies), ``seconds, width, height,
        codec, pixel_format, audio, rotation`` (degrees), ``size_kb, kbit_per_s`` and ``readable``
        (True), ``reason`` ("").

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: As `nbhelpers.media.video.read_frames`.
    """
    path = Path(path)
    with capture.opened(path) as clip:
        capture.check_size(clip)
        width, height = clip.size
        if not clip.grab():
            raise VideoError(f"{path.name} has no frames. Leave it out or replace the file.")
        streams = ffmpeg.streams(path)
        video.check_streams(streams, path.name)
        frames, fps, seconds = _length(clip, path, streams)
    form = re.search(r"Video: (\w+)[^,]*(?:\([^)]*\))?, (\w+)", streams.lines)
    rotation = re.search(r"rotation of (-?[\d.]+)", streams.lines)
    size = path.stat().st_size
    return {
        "videoname": path.name,
        "frames": frames,
        "fps": round(fps, 3),
        "seconds": round(seconds, 2),
        "width": width,
        "height": height,
        "codec": form[1] if form else "",
        "pixel_format": form[2] if form else "",
        "audio": streams.has_sound,
        "rotation": int(float(rotation[1])) if rotation else 0,
        "size_kb": round(size / 1000, 1),
        "kbit_per_s": round(size * 8 / 1000 / seconds, 1),
        "readable": True,
        "reason": "",
    }


def table(paths: Iterable[str | os.PathLike], *, progress: bool = False) -> pd.DataFrame:
    """Tabulate :func:`read` for many clips, in parallel.

    Args:
        paths: The clips.
        progress: Show a progress bar.

    Returns:
        One row per path, in the order given. An unreadable clip has ``readable`` False, the
        ``reason``, and empty facts.
    """

    def row(path: str | os.PathLike) -> dict:
        try:
            return read(path)
        except (VideoError, OSError) as error:
            return {"videoname": Path(path).name, "readable": False, "reason": str(error)}

    paths = list(paths)
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        rows = pool.map(row, paths)
        if progress:
            from tqdm.auto import tqdm

            rows = tqdm(rows, total=len(paths), desc="facts", unit="clip", leave=False)
        rows = list(rows)
    facts = pd.DataFrame(rows, columns=FACTS)
    counts = ["frames", "width", "height", "rotation"]
    return facts.astype(dict.fromkeys(counts, "Int64") | {"audio": "boolean", "readable": bool})


def cues(table: pd.DataFrame) -> pd.DataFrame:
    """Measure what might distinguish fakes from reals without looking at the face.

    Args:
        table: `path` and the columns of `FACTS`, all rows readable.

    Returns:
        float64, index as `table`: ``size [kB], length [s], kbit per s, width [px], frames per s``
        from the facts, ``brightness [0-255]`` and ``sharpness`` (variance of the Laplacian) of the
        first frame.
    """
    grey = [cv2.cvtColor(video.first_frame(path), cv2.COLOR_RGB2GRAY) for path in table["path"]]
    facts = {
        "size [kB]": "size_kb",
        "length [s]": "seconds",
        "kbit per s": "kbit_per_s",
        "width [px]": "width",
        "frames per s": "fps",
    }
    measured = {name: table[column].astype(float) for name, column in facts.items()}
    measured["brightness [0-255]"] = [picture.mean() for picture in grey]
    measured["sharpness"] = [cv2.Laplacian(picture, cv2.CV_64F).var() for picture in grey]
    return pd.DataFrame(measured, index=table.index)


def _length(clip: Capture, path: Path, streams: ffmpeg.Streams) -> tuple[int, float, float]:
    """Return frame count, fps and seconds: from the header, or the packets if it may be wrong."""
    frames, fps = clip.promised, clip.fps
    if clip.is_sure and _is_constant(streams):
        return frames, fps, frames / fps
    packets = ffmpeg.packets(path)
    video.check_whole(packets, path.name)
    count = len(packets.starts)
    if count < 1:  # unknown: count by decoding
        clip.grab_all()
        count = len(clip.milliseconds)
    gaps = np.diff(packets.starts)
    if not len(gaps) or (gaps <= 0).any():  # no usable times
        return count, fps, count / fps
    starts = packets.starts - packets.starts[0]
    if np.abs(starts - np.arange(count) / fps).max() <= 0.5 / fps:
        return count, fps, count / fps
    # Some containers give packets no duration, or a default one: the last lasts as the one before.
    seconds = float(max(packets.end - packets.starts[0], starts[-1] + gaps[-1]))
    return count, count / seconds, seconds


def _is_constant(streams: ffmpeg.Streams) -> bool:
    """Whether the average frame rate equals the lowest rate that fits every frame's time."""
    rates = re.search(r"([\d.]+) fps, ([\d.]+) tbr", streams.lines)
    return rates is not None and abs(float(rates[1]) - float(rates[2])) <= 0.02
