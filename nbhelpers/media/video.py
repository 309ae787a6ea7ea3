"""Clips: choosing frames, and reading only those.

Frames leave this room as ``uint8 (T, H, W, 3) RGB 0-255``. A file that cannot be read raises
:class:`VideoError` with the reason; it never gives an empty or all-zero array.
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
GAP = 4  # pixels between two clips side by side
_CLOCK_MS = 2.0  # how far a container's rounding may move a frame of a constant rate


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
        """float64 (T,): the presentation time of each frame."""
        return self.indices / self.fps if self.times is None else self.times

    def __len__(self) -> int:
        return len(self.pixels)


def frame_indices(total: int, count: int, *, how: str = "even") -> np.ndarray:
    """Choose which frames of a clip to read.

    ``even`` divides the clip into ``count`` equal segments and takes the middle frame of each;
    ``first`` takes the beginning, as the article does. A clip with fewer frames than ``count``
    gives each of them once.

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
    """Choose the frames that are shown in the middle of equal segments of time.

    Args:
        seconds: float64 (N,), N >= 1, ascending: presentation time of each frame. The last one is
            assumed to last as long as the one before it.
        count: Frames wanted, >= 1.

    Returns:
        int64 (n,), n <= min(count, N), strictly increasing: a frame shown during several segments
        is taken once. A clip with fewer frames than ``count`` gives all of them.

    Example:
        >>> evenly_in_time(np.array([0.0, 0.1, 0.2, 0.3, 2.3]), 2)  # the fourth lasts 2 s
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
    """Read the chosen frames of a clip, decoding no further than the last one.

    Skipped frames are decoded (their successors depend on them) but never converted or copied. If
    the header states more frames than there are, or the rate varies, the choice is repeated from
    the decoded frames, so that indices and times are always exact.

    Args:
        path: The clip.
        count: Frames wanted, >= 1; a shorter clip gives fewer.
        how: ``"even"`` or ``"first"``, see :func:`frame_indices`; evenly in time if the rate
            varies, see :func:`evenly_in_time`.
        transform: Crops or resizes every frame (uint8 (H, W, 3), still BGR) as it is read, so that
            large frames need neither be kept nor converted; must return equal shapes and treat the
            three colours alike.
        partial: Return the decodable part of a truncated clip and log what is missing, instead of
            raising an error.

    Returns:
        :class:`Frames`, upright: turned and mirrored as the file says. If the file gives no
        plausible frame rate, 25 per second are assumed.

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: The file is empty, truncated, not a video, interlaced, or has no frames or far
            too large ones.
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
            clip.grab_all()  # continues where decoding stopped
            seconds = _own_seconds(clip)
            if seconds is not None:
                better = evenly_in_time(seconds, count)
                fps = (len(seconds) - 1) / float(seconds[-1])
        if not np.array_equal(better, wanted):
            del pixels
            clip.rewind()
            pixels = _decode(clip, better, transform)
    # For an interlaced clip OpenCV returns arbitrary memory, the same for every frame.
    if len(pixels) == 1 or any(map(np.array_equal, pixels, pixels[1:])):
        check_streams(ffmpeg.streams(path), path.name)
    return Frames(np.stack(pixels), better, fps, None if seconds is None else seconds[better])


def check_to_the_end(path: str | os.PathLike) -> None:
    """Decode a clip to its end, to check it; takes minutes for long clips.

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


def first_frame(path: str | os.PathLike) -> np.ndarray:
    """Read the first picture of a clip, and decode no more than that.

    Args:
        path: The clip.

    Returns:
        uint8 (H, W, 3) RGB 0-255.

    Raises:
        FileNotFoundError, VideoError: As `read_frames`.
    """
    return read_frames(path, count=1, how="first").pixels[0]


def side_by_side(left: np.ndarray, right: np.ndarray, *, height: int) -> np.ndarray:
    """Put two clips beside each other, scaled to the same height and cut to the shorter one.

    Args:
        left: uint8 (T, H, W, 3).
        right: uint8 of another size or length.
        height: Of the result in pixels, >= 1.

    Returns:
        uint8 (min T, height, W, 3): left, a white gap, right.

    Example:
        >>> dark = np.zeros((5, 4, 3, 3), np.uint8)
        >>> side_by_side(dark, dark[:2], height=4)[1, 0, :, 0].tolist()
        [0, 0, 0, 255, 255, 255, 255, 0, 0, 0]
    """
    gap = np.full((height, GAP, 3), 255, np.uint8)
    return np.stack(
        [
            np.hstack([_of_height(one, height), gap, _of_height(other, height)])
            for one, other in zip(left, right, strict=False)
        ]
    )


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
    """Refuse a clip that cannot be used, by ffmpeg's report about its streams.

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
            f"{name} is interlaced (two fields in each frame), which is not supported. "
            f"Convert it: ffmpeg -i {shlex.quote(name)} -vf yadif progressive.mp4"
        )


def _count_frames(clip: Capture, path: Path, *, partial: bool) -> int:
    """Count the frames that are shown, if the header is not reliable."""
    try:
        packets = ffmpeg.packets(path)
    except ffmpeg.FfmpegMissing:
        logger.warning(
            "without ffmpeg, the number of frames of %s is taken from its header", path.name
        )
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
    """Refuse a clip whose packets end long before the length in its header.

    Args:
        packets: from `nbhelpers.media.ffmpeg.packets`.
        name: of the file, for messages.

    Raises:
        VideoError: it is truncated.
    """
    check_streams(packets.streams, name)
    if not packets.are_all:
        raise VideoError(
            f"{name} ends after {max(packets.end, packets.sound_end):.1f} of "
            f"{packets.streams.seconds:.1f} seconds: truncated or damaged. Copy or download it "
            "again."
        )


def _own_seconds(clip: Capture) -> np.ndarray | None:
    """Return the times of the frames decoded so far; None if the header's rate implies them.

    It is also None for streams without usable times.
    """
    seconds = (np.array(clip.milliseconds) - clip.milliseconds[0]) / 1000
    if (np.diff(seconds) <= 0).any() or _largest_shift(seconds, clip.fps) <= _CLOCK_MS / 1000:
        return None
    return seconds


def _largest_shift(seconds: np.ndarray, fps: float) -> float:
    """Return the largest shift of a frame from its time at a constant rate, in seconds."""
    return float(np.abs(seconds - np.arange(len(seconds)) / fps).max())


def _is_uneven(seconds: np.ndarray, fps: float) -> bool:
    """Whether some frame is shown more than half a frame too early or too late."""
    return _largest_shift(seconds, fps) > 0.5 / fps


def _check_end(clip: Capture, path: Path, *, needed: int, total: int, partial: bool) -> None:
    """Raise (or log, with `partial`) if decoding ended long before the last frame needed."""
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
    """Return the pixels of the wanted frames, fewer if the clip ends before the last one."""
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
            pixels.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))  # last: cheaper for small frames
    return pixels


def _of_height(frame: np.ndarray, height: int) -> np.ndarray:
    width = max(1, round(frame.shape[1] * height / frame.shape[0]))
    how = cv2.INTER_AREA if height < frame.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(frame, (width, height), interpolation=how)
