"""A file's kind, from its first bytes and its suffix. No file is decoded here."""

from __future__ import annotations

import functools
from pathlib import Path

#: Suffixes searched for in folders; the kind of a file given by name depends on its first bytes.
PICTURE_ENDINGS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
    ".avif",
)
CLIP_ENDINGS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".3gp",
    ".avi",
    ".mkv",
    ".webm",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".flv",
    ".mts",
    ".m2ts",
    ".ts",
)
_ENDINGS = frozenset(PICTURE_ENDINGS + CLIP_ENDINGS)
HEAD_BYTES = 400  # room for two packets of an MPEG transport stream, with or without time codes
HEIC_ADVICE = (
    "is a HEIC picture, which is not supported. Export it as JPEG (on an iPhone: Settings, Camera, "
    "Formats, Most Compatible), or install pillow-heif."
)

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_CLIPS = (
    *(b"\x1aE\xdf\xa3", b"FLV", b"\x30\x26\xb2\x75"),  # Matroska and WebM, Flash, Windows Media
    *(b"\0\0\1\xba", b"\0\0\1\xb3", b"OggS"),  # MPEG, Ogg
)
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")


def without_ending(name: str) -> str:
    """Return a name without the suffix of a picture or clip; other dots belong to the name.

    >>> without_ending("train/A.b.MP4")
    'train/A.b'
    """
    stem, dot, ending = name.rpartition(".")
    return stem if dot + ending.lower() in _ENDINGS else name


def check_file(path: Path, *, error: type[Exception], what: str) -> None:
    """Refuse anything but a regular file before opening it: a pipe would block forever.

    Args:
        path: the given path.
        error: raised for a folder, a pipe, a socket or a device.
        what: "picture" or "clip", for the message.

    Raises:
        FileNotFoundError: nothing is there.
        error: it is not a regular file.
    """
    if path.is_file():
        return
    if not path.exists():
        raise FileNotFoundError(f"Expected a {what} file; nothing is at {path}. Check the name.")
    raise error(
        f"{path.name} is not a {what} file but a folder, a pipe or a device, and was not opened. "
        "Copy the content to a file."
    )


def first_bytes(path: Path) -> bytes:
    """Return the first `HEAD_BYTES` of a file, or all of a shorter one."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def kind_of(head: bytes) -> str | None:
    r"""Distinguish pictures from clips by the first bytes of a file.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of a shorter one.

    Returns:
        "picture", "clip", or None for everything else.

    Example:
        >>> kind_of(b"\x89PNG\r\n\x1a\n"), kind_of(b"%PDF-1.7")
        ('picture', None)
    """
    riff = head[8:12] if head[:4] == b"RIFF" else b""
    if head.startswith(_PICTURES) or riff == b"WEBP" or is_heic(head) or _brand(head) in _AVIF:
        return "picture"
    if head.startswith(_CLIPS) or riff == b"AVI " or head[4:8] in _MP4_BOXES:
        return "clip"
    return "clip" if is_transport_stream(head) else None


def is_heic(head: bytes) -> bool:
    """Whether a file begins like a HEIC picture, the format of newer phones."""
    return _brand(head) in _HEIC


def is_transport_stream(head: bytes) -> bool:
    """Whether a file begins like an MPEG transport stream, the format of camcorders and TV.

    Its packets begin with 0x47: every 188 bytes, or every 192 with a time code before each.
    """
    plain = head[0:1] == b"\x47" and head[188:189] in (b"\x47", b"")
    coded = head[4:5] == b"\x47" and head[196:197] == b"\x47"
    return plain or coded


@functools.cache
def pillow_reads_heic() -> bool:
    """Let Pillow read HEIC through the optional package pillow-heif; return whether it can."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _brand(head: bytes) -> bytes:
    return head[8:12] if head[4:8] == b"ftyp" else b""
