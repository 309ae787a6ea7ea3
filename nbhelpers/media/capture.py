"""An open clip: OpenCV's decoder with the stream's own times and upright frames."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from nbhelpers.media import containers, ffmpeg
from nbhelpers.media.decode import MOST_PIXELS
from nbhelpers.media.ffmpeg import VideoError

MOST_BYTES = 8_000_000_000  # of uncropped frames per call
USUAL_FPS = 25.0  # used if a file gives no plausible frame rate


class Capture:
    """A clip opened by `opened`: its frames in sequence.

    Attributes:
        name: of the file, for messages.
        milliseconds: float, presentation time of each frame decoded so far, from the stream.
        fps: average frames per second, from the header.
        promised: number of frames, from the header; below 1 if not given.
        is_sure: whether that number is exact if the file is complete.
    """

    def __init__(self, path: Path, capture: cv2.VideoCapture):
        self.name = path.name
        self._path = path
        self._capture = capture
        header = containers.read_header(path)
        self._orientation = header.orientation
        self._start()
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if np.isfinite(fps) and 0.1 <= fps <= 1000 else USUAL_FPS
        self.promised = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.is_sure = header.lists_frames and self.promised >= 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright frames in pixels, from the header."""
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        turned = self._orientation is not None and self._orientation.transposed
        return (height, width) if turned else (width, height)

    def rewind(self) -> None:
        """Restart at the first frame; seeking finds the wrong frame in many files."""
        self._capture.open(*_place(self._path))
        self._start()

    def grab(self) -> bool:
        """Decode the next frame; return False at the end or when decoding fails."""
        if not self._capture.grab():
            return False
        self.milliseconds.append(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        return True

    def grab_all(self) -> None:
        """Decode to the end, to collect all times."""
        while self.grab():
            pass

    def retrieve(self) -> np.ndarray | None:
        """Return the last decoded frame, uint8 (H, W, 3) BGR, upright; None if it is damaged."""
        good, frame = self._capture.retrieve()
        if not good:
            return None
        return frame if self._orientation is None else self._orientation.upright(frame)

    def _start(self) -> None:
        self.milliseconds: list[float] = []
        if self._orientation is not None:  # OpenCV handles quarter turns, but not mirroring
            self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Capture]:
    """Open a clip.

    Args:
        path: the clip.

    Raises:
        FileNotFoundError: nothing is there.
        VideoError: it is not a video, is truncated, or cannot be decoded.
    """
    containers.check(path)
    silence()
    capture = cv2.VideoCapture(*_place(path))
    try:
        if not capture.isOpened():
            capture.release()
            streams = ffmpeg.streams(path)
            if streams.has_sound:
                refuse_sound(path.name)
            raise VideoError(
                f"{path.name} is not a video that can be decoded. Leave it out or replace the file."
            )
        yield Capture(path, capture)
    finally:
        capture.release()


def silence() -> None:
    """Silence the codecs: problems are reported once, with the file's name."""
    # libav bypasses Python's streams; OpenCV reads this variable only when it first opens a file.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


def refuse_sound(name: str) -> None:
    """Raise the error for a file without moving pictures."""
    raise VideoError(f"{name} has sound but no picture, or only a cover. Leave it out.")


def check_size(clip: Capture, *, count: int = 0) -> None:
    """Refuse too large clips by their header, before a frame is decoded.

    Args:
        clip: an open clip.
        count: number of uncropped frames to hold in memory.

    Raises:
        VideoError: a frame has more than `MOST_PIXELS`, or all frames need more than `MOST_BYTES`.
    """
    width, height = clip.size
    if width * height > MOST_PIXELS:
        raise VideoError(
            f"{clip.name} has frames of {width} x {height} pixels; the limit is "
            f"{MOST_PIXELS / 1e6:.0f} megapixels. Shrink it or leave it out."
        )
    if count * width * height * 3 > MOST_BYTES:
        raise VideoError(
            f"{count} frames of {clip.name} ({width} x {height}) need more than "
            f"{MOST_BYTES / 1e9:.0f} GB of memory. Take fewer frames or shrink it."
        )


def _place(path: Path) -> tuple[str, int]:
    """Return what OpenCV opens: an absolute path, since "12:30.mp4" would be protocol "12"."""
    return str(path.absolute()), cv2.CAP_FFMPEG
