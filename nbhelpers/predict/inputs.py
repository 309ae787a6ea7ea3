"""One's own files -> pixels: which files, what they are, how large they may be.

What a file is, is read off its first bytes, not off its name. Every file that cannot be used gives
one sentence that says why.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from nbhelpers.common.errors import UsageError
from nbhelpers.media import decode, video

#: Looked for in folders. A file that is named is looked at whatever its name.
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
CLIPS = (".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv")
LONGEST_SIDE = 1920  # pixels; larger frames of clips are shrunk to it as they are read

_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_CLIP_STARTS = (
    *(b"\x1aE\xdf\xa3", b"FLV", b"\x30\x26\xb2\x75"),  # Matroska and WebM, Flash, Windows Media
    *(b"\0\0\1\xba", b"\0\0\1\xb3", b"OggS"),  # MPEG, Ogg
)
_MP4_PARTS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


class InputError(ValueError):
    """A file that cannot be judged, with the reason as one sentence."""


def find_files(paths: Iterable[str | os.PathLike]) -> tuple[list[Path], int]:
    """List the files to judge.

    Args:
        paths: files, and folders, which are searched to the bottom for names that end like
            pictures or clips; hidden ones are left out.

    Returns:
        The files in the order given, each once, those of a folder by name; and how many files in
        folders were left out because their names end otherwise.

    Raises:
        UsageError: there is no such file or folder, or nothing to judge in a folder.
    """
    found: dict[Path, None] = {}
    left_out = 0
    for given in paths:
        path = Path(given).expanduser()
        if not path.exists():
            raise UsageError(
                f"Expected a picture, a video or a folder; nothing is at {os.fspath(given)!r}. "
                "Check the name, and put it in quotes if it has blanks."
            )
        if not path.is_dir():
            found[path] = None
            continue
        inside = [file for file in sorted(path.rglob("*")) if file.is_file()]
        inside = [
            file
            for file in inside
            if not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        usable = [file for file in inside if file.suffix.lower() in PICTURES + CLIPS]
        if not usable:
            raise UsageError(
                f"Expected pictures or videos in the folder {os.fspath(given)!r}; found "
                f"{len(inside)} other files. Name the files themselves, whatever their names."
            )
        left_out += len(inside) - len(usable)
        found.update(dict.fromkeys(usable))
    return list(found), left_out


def kind_of(path: Path) -> str:
    """Tell pictures from videos by their first bytes.

    Args:
        path: a file.

    Returns:
        "picture" or "video".

    Raises:
        InputError: it is empty, cannot be opened, or is neither.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened: {error.strerror}.") from error
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes). Copy or download it again.")
    riff, box, brand = head[8:12] if head[:4] == b"RIFF" else b"", head[4:8], head[8:12]
    if box == b"ftyp" and brand in _HEIC:
        raise InputError(
            f"{path.name} is a HEIC or AVIF picture, which is not read here. Export it as JPEG."
        )
    if head.startswith(_PICTURE_STARTS) or riff == b"WEBP":
        return "picture"
    transport = head[0] == 0x47 and path.suffix.lower() in (".ts", ".mts")
    if head.startswith(_CLIP_STARTS) or riff == b"AVI " or box in _MP4_PARTS or transport:
        return "video"
    raise InputError(
        f"{path.name} is neither a picture nor a video of a known kind: it begins with "
        f"{head[:8]!r}. Convert it to JPEG, PNG or MP4, or leave it out."
    )


def read_picture(path: Path) -> np.ndarray:
    """Read a picture, upright and not too large, as `nbhelpers.media.decode.read`.

    Args:
        path: a picture file.

    Returns:
        uint8 (H, W, 3) RGB 0-255.

    Raises:
        InputError: too large, damaged, or not a picture.
    """
    try:
        return decode.read(path)
    except (decode.PictureError, OSError) as error:
        raise InputError(str(error)) from error


def is_animated(path: Path) -> bool:
    """Whether a picture file, one that can be read, holds more than one picture to be shown."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its size, which has been dealt with
        with Image.open(path) as picture:
            return picture.format in ("GIF", "PNG", "WEBP") and picture.is_animated


def read_clip(path: Path, *, count: int) -> video.Frames:
    """Read evenly spaced frames of a clip, upright and not too large.

    Args:
        path: a video file.
        count: frames, >= 1.

    Returns:
        Frames whose longer side is at most `LONGEST_SIDE`.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return video.read_frames(path, count=count, transform=_shrunk)
    except (video.VideoError, OSError, cv2.error) as error:
        raise InputError(str(error)) from error


def _shrunk(frame: np.ndarray) -> np.ndarray:
    scale = LONGEST_SIDE / max(frame.shape[:2])
    if scale >= 1:
        return frame
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
