"""Which names are those of pictures and of clips."""

from __future__ import annotations

#: Endings of files that are looked for in folders, lower case, the usual ones first.
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
CLIPS = (
    *(".mp4", ".mov", ".avi", ".mkv", ".m4v", ".webm", ".3gp"),
    *(".mpg", ".mpeg", ".wmv", ".flv", ".mts", ".m2ts"),
)
_ENDINGS = frozenset(PICTURES + CLIPS)


def without_ending(name: str) -> str:
    """A file's name without the ending of a picture or a clip; other dots belong to the name.

    >>> without_ending("train/A.b.MP4")
    'train/A.b'
    """
    stem, dot, ending = name.rpartition(".")
    return stem if dot + ending.lower() in _ENDINGS else name
