"""Clips: which frames to read, and how to read only those.

Frames leave this room as ``uint8 (T, H, W, 3) RGB 0-255``. A file that cannot be read raises
:class:`VideoError` with the reason; it never turns into an empty or all-zero array.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nbhelpers.media import capture, ffmpeg
from nbhelpers.media.capture import Capture
from nbhelpers.media.ffmpeg import VideoError as VideoError

logger = logging.getLogger(__name__)

SAMPLINGS = ("even", "first")
_INTERLACED = re.compile(r"\((?:[^)]*, )?(?:top|bottom) (?:first|coded first[^)]*)\)")
_CLOCK_MS = 2.0  # how far containers' rounding may put a frame from where a constant rate has it


@dataclass(frozen=True)
class Frames:
    """Frames of one clip.

    Attributes:
        pixels: uint8 (T, H, W, 3) RGB 0-255.
        indices: int64 (T,), which frames of the clip they are.
        fps: frames per second, the average where the rate varies.
        times: float64 (T,), seconds, by the stream's own clock; None for a constant rate.
    """

    pixels: np.ndarray
    indices: np.ndarray
    fps: float
    times: np.ndarray | None = None

    @property
    def seconds(self) -> np.ndarray:
        """float64 (T,): when each frame is shown."""
        return self.indices / self.fps if self.times is None else self.times

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


def evenly_in_time(seconds: np.ndarray, count: int) -> np.ndarray:
    """Choose the frames that are on the screen in the middle of equal stretches of time.

    Args:
        seconds: float64 (N,), N >= 1, ascending: when each frame of the clip is shown. The last
            one is taken to stay as long as the one before it.
        count: Frames wanted, >= 1.

    Returns:
        int64 (n,), n <= min(count, N), strictly increasing: a frame that stays on the screen over
        several stretches is taken once. A clip shorter than ``count`` gives all its frames.

    Example:
        >>> evenly_in_time(np.array([0.0, 0.1, 0.2, 0.3, 2.3]), 2)  # the fourth stays for 2 s
        array([3, 4])
    """
    if count >= len(seconds):
        return np.arange(len(seconds), dtype=np.int64)
    last = seconds[-1] - seconds[-2] if len(seconds) > 1 else 0.0
    length = seconds[-1] + last - seconds[0]
    middles = seconds[0] + (2 * np.arange(count) + 1) * length / (2 * count)
    return np.unique(np.searchsorted(seconds, middles, side="right") - 1).astype(np.int64)


def read_frames(
    path: str | os.PathLike,
    *,
    count: int,
    how: str = "even",
    transform: Callable[[np.ndarray], np.ndarray] | None = None,
    partial: bool = False,
) -> Frames:
    """Read the chosen frames of a clip, decoding no further than the last of them.

    Skipped frames are decoded (their successors depend on them) but never converted or copied.
    Where the header promises more frames than there are, or the rate varies, the choice is made
    again from the frames that were decoded, so that indices and times are always exact.

    Args:
        path: The clip.
        count: Frames wanted, >= 1; a shorter clip gives fewer.
        how: ``"even"`` or ``"first"``, see :func:`frame_indices`; evenly in time where the rate
            varies, see :func:`evenly_in_time`.
        transform: Cuts or resizes every frame (uint8 (H, W, 3), still BGR) as it is read, so that
            large frames need be neither kept nor converted; must give equal shapes and treat the
            three colours alike.
        partial: Return what can be decoded of a clip that is cut off, and log what is missing,
            where it would be an error else.

    Returns:
        :class:`Frames`, upright: turned and mirrored as the file says. Where the file gives no
        frame rate that can be, it is taken for 25 a second.

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: The file is empty, truncated, not a video, interlaced, has no frames or far too
            large ones.
    """
    frame_indices(1, count, how=how)  # refuses a bad choice before any file is touched
    path = Path(path)
    with capture.opened(path) as clip:
        total = clip.promised if clip.is_sure else _count_frames(clip, path, partial=partial)
        if total < 1:
            raise VideoError(f"{path.name} has no frames. Leave it out or replace the file.")
        wanted = frame_indices(total, count, how=how)
        capture.check_size(clip, count=len(wanted) if transform is None else 0)
        pixels = _decode(clip, wanted, transform)
        better = wanted
        if len(pixels) < len(wanted):
            _check_end(clip, path, needed=wanted[-1] + 1, total=total, partial=partial)
            better = frame_indices(len(clip.milliseconds), count, how=how)
        seconds, fps = _own_seconds(clip), clip.fps
        if how == "even" and seconds is not None and _is_uneven(seconds, clip.fps):
            clip.grab_all()  # from where the decoding stopped
            seconds = _own_seconds(clip)
            if seconds is not None:
                better = evenly_in_time(seconds, count)
                fps = (len(seconds) - 1) / float(seconds[-1])
        if not np.array_equal(better, wanted):
            del pixels
            clip.rewind()
            pixels = _decode(clip, better, transform)
    # Of an interlaced clip OpenCV gives whatever was in memory, the same for every frame.
    if len(pixels) == 1 or any(map(np.array_equal, pixels, pixels[1:])):
        check_streams(ffmpeg.streams(path), path.name)
    return Frames(np.stack(pixels), better, fps, None if seconds is None else seconds[better])


def check_to_the_end(path: str | os.PathLike) -> None:
    """Decode a clip to its end and keep nothing: minutes for long ones.

    Args:
        path: The clip.

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: As `read_frames`.
    """
    path = Path(path)
    with capture.opened(path) as clip:
        capture.check_size(clip)
        total = clip.promised if clip.is_sure else _count_frames(clip, path, partial=False)
        clip.grab_all()
        _check_end(clip, path, needed=total, total=total, partial=False)


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


def check_streams(streams: ffmpeg.Streams, name: str) -> None:
    """Refuse by what ffmpeg says of the streams of a clip.

    Args:
        streams: from `nbhelpers.media.ffmpeg.streams`.
        name: of the file, for messages.

    Raises:
        VideoError: the clip is interlaced, or is sound with a cover picture.
    """
    if streams.has_sound and not streams.has_video:
        capture.refuse_sound(name)
    if _INTERLACED.search(streams.lines):
        raise VideoError(
            f"{name} is interlaced (two half pictures in each frame), which is not read here. "
            f"Convert it: ffmpeg -i {shlex.quote(name)} -vf yadif progressive.mp4"
        )


def _count_frames(clip: Capture, path: Path, *, partial: bool) -> int:
    """How many frames are shown, where the header does not say for sure."""
    try:
        packets = ffmpeg.packets(path)
    except ffmpeg.FfmpegMissing:
        logger.warning("without ffmpeg the frames of %s are counted by its header", path.name)
        count = clip.promised
    else:
        count = len(packets.starts)
        if partial and not packets.are_all:
            ends = packets.end, packets.streams.seconds
            logger.warning(
                "%s ends after %.1f of %.1f seconds: only those are read", path.name, *ends
            )
        else:
            check_whole(packets, path.name)
    if count < 1:  # unknown: count by decoding
        clip.grab_all()
        count = len(clip.milliseconds)
        clip.rewind()
    return count


def check_whole(packets: ffmpeg.Packets, name: str) -> None:
    """Refuse a clip whose packets end long before its header says.

    Args:
        packets: from `nbhelpers.media.ffmpeg.packets`.
        name: of the file, for messages.

    Raises:
        VideoError: it is cut off.
    """
    check_streams(packets.streams, name)
    if not packets.are_all:
        raise VideoError(
            f"{name} ends after {max(packets.end, packets.sound_end):.1f} of "
            f"{packets.streams.seconds:.1f} seconds: truncated or damaged. Copy or download it "
            "again."
        )


def _own_seconds(clip: Capture) -> np.ndarray | None:
    """When each frame passed so far is shown; None where the header's rate says just that.

    The same goes for files whose streams have no clock.
    """
    seconds = (np.array(clip.milliseconds) - clip.milliseconds[0]) / 1000
    if (np.diff(seconds) <= 0).any() or _largest_shift(seconds, clip.fps) <= _CLOCK_MS / 1000:
        return None
    return seconds


def _largest_shift(seconds: np.ndarray, fps: float) -> float:
    """By how many seconds a frame is away from where a constant rate would have it."""
    return float(np.abs(seconds - np.arange(len(seconds)) / fps).max())


def _is_uneven(seconds: np.ndarray, fps: float) -> bool:
    """Whether some frame is shown more than half a frame too early or too late."""
    return _largest_shift(seconds, fps) > 0.5 / fps


def _check_end(clip: Capture, path: Path, *, needed: int, total: int, partial: bool) -> None:
    """Refuse, or with `partial` log, that decoding ended long before the frames needed."""
    decoded = len(clip.milliseconds)
    if decoded >= ffmpeg.ENOUGH * needed:
        logger.info("%s has %d frames, its header says %d", path.name, decoded, total)
        return
    check_streams(ffmpeg.streams(path), path.name)
    if not decoded:
        raise VideoError(f"{path.name} has no frames. Leave it out or replace the file.")
    problem = f"{path.name} ends after {decoded} of {total} frames"
    if not partial:
        raise VideoError(f"{problem}: truncated or damaged. Copy or download it again.")
    logger.warning("%s: only those are read", problem)


def _decode(clip: Capture, wanted: np.ndarray, transform: Callable | None) -> list[np.ndarray]:
    """Pixels of the wanted frames, fewer where the clip ends before the last of them."""
    pixels, chosen = [], set(wanted.tolist())
    for index in range(int(wanted[-1]) + 1):
        if not clip.grab():
            break
        if index in chosen:
            frame = clip.retrieve()
            if frame is None:
                clip.milliseconds.pop()
                break
            frame = frame if transform is None else transform(frame)
            pixels.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))  # last: a small one costs less
    return pixels
