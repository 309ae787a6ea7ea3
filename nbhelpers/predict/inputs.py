"""Your own files -> pixels: which files, of which kind, and how large they may be.

A file's kind is read from its first bytes, not from its name. For every file that cannot be used,
one sentence says why.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from nbhelpers.common.errors import UsageError
from nbhelpers.common.files import displayable
from nbhelpers.common.paths import user_path
from nbhelpers.media import decode, images, kinds, video

#: Suffixes searched for in folders. A file given by name is read whatever its suffix.
WANTED = kinds.PICTURE_ENDINGS + kinds.CLIP_ENDINGS
LONGEST_SIDE = 1920  # pixels; larger frames of clips are shrunk to this while reading


class InputError(ValueError):
    """A file that cannot be scored, with the reason as one sentence."""


def find_files(paths: Iterable[str | os.PathLike]) -> tuple[list[Path], int]:
    """List the files to score.

    Args:
        paths: files, and folders, which are searched recursively for names with the suffix of a
            picture or clip; hidden ones are left out.

    Returns:
        The files in the order given, each once, those of a folder sorted by name; and how many
        files in folders were left out because of their suffix.

    Raises:
        UsageError: a file or folder does not exist, or a folder contains nothing to score.
    """
    chosen: dict[Path, None] = {}
    left_out = 0
    for given in paths:
        path = user_path(os.fspath(given))
        try:
            if not path.exists() and not path.is_symlink():
                raise UsageError(_nothing_at(os.fspath(given)))
            if not path.is_dir():
                chosen[path] = None
                continue
            inside = _files_in(path)
        except OSError as error:
            raise UsageError(
                f"{displayable(str(path))} cannot be read: {error.strerror}."
            ) from None
        usable = [file for file in inside if file.suffix.lower() in WANTED]
        if not usable:
            raise UsageError(
                f"Expected pictures or videos in the folder {os.fspath(given)!r}; it has "
                f"{len(inside)} other files. Name the files themselves, whatever their names."
            )
        left_out += len(inside) - len(usable)
        chosen.update(dict.fromkeys(usable))
    if not chosen:
        raise UsageError("Expected pictures, videos or folders; received an empty list.")
    return list(chosen), left_out


def _files_in(folder: Path) -> list[Path]:
    """Return a folder's files sorted by name, recursively, without hidden files and devices."""
    if not os.access(folder, os.R_OK | os.X_OK):
        raise PermissionError(13, "permission denied")
    return [
        file
        for file in sorted(folder.rglob("*"))
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    ]


def _nothing_at(given: str) -> str:
    advice = "Check the name, and put it in quotes if it has blanks."
    if any(letter in given for letter in "*?["):
        advice = "No name here fits the pattern: check it, and write it without quotes."
    return (
        f"Expected a picture, a video or a folder; nothing is at {displayable(given)!r}. {advice}"
    )


def kind_of(path: Path) -> str:
    """Distinguish pictures from videos by their first bytes.

    Args:
        path: a file.

    Returns:
        "picture" or "video".

    Raises:
        InputError: it is empty, cannot be opened, or is neither.
    """
    if path.is_symlink() and not os.path.exists(path):
        raise InputError(f"{path.name} is a link to nothing. Restore its file, or leave it out.")
    try:
        kinds.check_file(path, error=InputError, what="picture or video")
        head = kinds.first_bytes(path)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path.name} cannot be opened: {reason}.") from error
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes). Copy or download it again.")
    if kinds.is_heic(head) and not kinds.pillow_reads_heic():
        raise InputError(f"{path.name} {kinds.HEIC_ADVICE}")
    kind = kinds.kind_of(head)
    if kind is None:
        raise InputError(
            f"{path.name} is neither a picture nor a video of a known kind. Convert it to JPEG, "
            "PNG or MP4, or leave it out."
        )
    return "picture" if kind == "picture" else "video"


def read_picture(path: Path) -> np.ndarray:
    """Read a picture, upright and limited in size, as `nbhelpers.media.decode.read`.

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


def has_more(path: Path) -> bool:
    """Whether a readable picture file is an animation or has several pages."""
    return decode.describe(path).pictures > 1


def read_clip(path: Path, *, count: int) -> video.Frames:
    """Read evenly spaced frames of a clip, upright and limited in size.

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
    return images.shrink(frame, longest_side=LONGEST_SIDE)
