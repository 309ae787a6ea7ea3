"""The container of a clip, read before any decoder opens it.

An MP4 is a sequence of boxes that state their own length: a file that ends inside a box is
truncated, even if its header is complete and its first frames still decode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from nbhelpers.media import kinds
from nbhelpers.media.ffmpeg import VideoError

MOST_BOXES = 100_000  # of an MP4; an hour in one-second fragments has 7,200
_HEADER_BYTES = 200  # more than any header box read here
_TRIMMED = 0.02  # seconds of a track that are not shown, beyond rounding


@dataclass(frozen=True)
class Orientation:
    """How stored frames become upright: transposed first, then mirrored."""

    transposed: bool = False
    mirrored_x: bool = False
    mirrored_y: bool = False

    def upright(self, frame: np.ndarray) -> np.ndarray:
        """Turn one frame (H, W, 3) upright."""
        if self.transposed:
            frame = cv2.transpose(frame)
        if self.mirrored_x or self.mirrored_y:
            both = self.mirrored_x and self.mirrored_y
            frame = cv2.flip(frame, -1 if both else int(self.mirrored_x))
        return frame


def check(path: Path) -> None:
    """Refuse files that can be recognised as unusable without a decoder.

    Args:
        path: the clip.

    Raises:
        FileNotFoundError: nothing is there.
        VideoError: it is a pipe or a device, empty, text, or a truncated MP4.
    """
    if not path.exists():
        raise FileNotFoundError(f"No clip at {path}. Check the name and the data folder.")
    kinds.check_file(path, error=VideoError, what="clip")
    size = path.stat().st_size
    if size == 0:
        raise VideoError(f"{path.name} is empty (0 bytes). Copy or download it again.")
    with path.open("rb") as file:
        head = file.read(64)
        if head.isascii() and head.decode().replace("\r", "").replace("\n", "").isprintable():
            # ffmpeg would follow a playlist to other files and hosts.
            raise VideoError(f"{path.name} is text, not a video. Leave it out or replace the file.")
        if head[4:8] == b"ftyp":  # other containers are left to the decoder
            _check_boxes(file, size, path.name)


@dataclass(frozen=True)
class Header:
    """What a container states about its first video track.

    Attributes:
        orientation: how its pictures are turned or mirrored, in quarter turns; None if this module
            cannot read it, in which case OpenCV turns them.
        lists_frames: whether its number of frames is exact: other containers state a length at
            most, and a trimmed MP4 still lists frames that are no longer shown.
    """

    orientation: Orientation | None
    lists_frames: bool


def read_header(path: Path) -> Header:
    """Read the header of a clip, in a time independent of its length.

    Args:
        path: a clip that `check` has accepted.
    """
    with path.open("rb") as file:
        start = file.read(12)
        if start[4:8] != b"ftyp":
            return Header(None, start[:4] == b"RIFF" and start[8:] == b"AVI ")
        movie = _child(file, "moov", (0, path.stat().st_size)) or (0, 0)
        for kind, *track in _boxes(file, *movie):
            media = _child(file, "mdia", track) if kind == "trak" else None
            handler = media and _child(file, "hdlr", media)
            if handler and _content(file, handler)[8:12] == b"vide":
                boxes = _child(file, "mvhd", movie), _child(file, "tkhd", track)
                boxes += (_child(file, "mdhd", media),)
                if None not in boxes:
                    return _mp4_header(*(_content(file, box) for box in boxes))
    return Header(None, False)


def _mp4_header(movie: bytes, track: bytes, media: bytes) -> Header:
    """Read the three header boxes of an MP4's video track: "mvhd", "tkhd" and "mdhd".

    Each begins with its version; from version 1 on, times and durations have 8 bytes, not 4.
    """
    turn = _matrix(track, 52 if track[:1] == b"\x01" else 40)
    turn = turn @ _matrix(movie, 48 if movie[:1] == b"\x01" else 36)
    movie_unit, _ = _unit_and_duration(movie)
    media_unit, media_duration = _unit_and_duration(media)
    track_duration = _number(track, 28, 8) if track[:1] == b"\x01" else _number(track, 20, 4)
    known = movie_unit and media_unit and media_duration
    trimmed = known and media_duration / media_unit - track_duration / movie_unit > _TRIMMED
    return Header(_by_quarter_turns(turn), bool(known and not trimmed))


def _unit_and_duration(header: bytes) -> tuple[int, int]:
    """Return time units per second and duration in units, from an "mvhd" or "mdhd"."""
    if header[:1] == b"\x01":
        return _number(header, 20, 4), _number(header, 24, 8)
    return _number(header, 12, 4), _number(header, 16, 4)


def _number(content: bytes, place: int, length: int) -> int:
    return int.from_bytes(content[place : place + length], "big")


def _check_boxes(file: BinaryIO, size: int, name: str) -> None:
    seen = set()
    for kind, _, end in _boxes(file, 0, size, name=name):
        if end > size:
            raise VideoError(
                f"{name} is truncated: it ends inside its {kind!r} part, at {size} bytes."
                " Copy or download it again."
            )
        seen.add(kind)
    if "moov" not in seen:
        raise VideoError(
            f"{name} is truncated: its index (the 'moov' part) is missing."
            " Copy or download it again."
        )


def _boxes(
    file: BinaryIO, start: int, end: int, *, name: str | None = None
) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start of the content and end of each box between two positions.

    With a name, invalid boxes raise `VideoError`; without one, the iteration just ends.
    """
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1")
        long = length == 1
        length = int.from_bytes(head[8:16], "big") if long else length
        if length == 0:  # the last box may extend "to the end"
            yield kind, start + 8, end
            return
        if length < 8:
            if name is not None:
                raise VideoError(
                    f"{name} is damaged: its {kind!r} part claims to be {length} bytes long."
                    " Copy or download it again."
                )
            return
        yield kind, start + (16 if long else 8), start + length
        start += length
    if name is not None:
        raise VideoError(
            f"{name} has more than {MOST_BOXES:,} parts, which no camera writes. Leave it out, or "
            "convert it: ffmpeg -i IN -c copy OUT.mp4"
        )


def _child(file: BinaryIO, wanted: str, span: tuple[int, int]) -> tuple[int, int] | None:
    """Return start and end of the content of the first box of a kind."""
    return next(((start, end) for kind, start, end in _boxes(file, *span) if kind == wanted), None)


def _content(file: BinaryIO, span: tuple[int, int]) -> bytes:
    file.seek(span[0])
    return file.read(min(span[1] - span[0], _HEADER_BYTES))


def _matrix(header: bytes, place: int) -> np.ndarray:
    """Return float64 (2, 2): (x, y) @ matrix is where a pixel is shown, up to a shift."""
    values = np.frombuffer(header[place : place + 36].ljust(36, b"\0"), dtype=">i4").reshape(3, 3)
    return values[:2, :2] / 65536


def _by_quarter_turns(turn: np.ndarray) -> Orientation | None:
    along, across = np.abs(np.diag(turn)), np.abs(np.diag(turn[::-1]))
    if (along > 8 * across.max()).all():
        return Orientation(False, turn[0, 0] < 0, turn[1, 1] < 0)
    if (across > 8 * along.max()).all():
        return Orientation(True, turn[1, 0] < 0, turn[0, 1] < 0)
    return None if not turn.any() else Orientation()
