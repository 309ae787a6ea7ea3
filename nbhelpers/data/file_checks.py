"""What a file itself says against it: a look at its header, or at every pixel."""

import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from nbhelpers.media import decode

PICTURES = (".jpg", ".jpeg", ".png")
CLIPS = (".mp4", ".mov", ".avi", ".mkv")
VERIFY = ("none", "header", "decode")


def verify_rows(rows: list[dict], verify: str) -> tuple[list[dict], list[dict]]:
    """Check the files of the rows; many at a time, since mounts answer slowly."""
    if verify == "none":
        return rows, []
    check = _header_problem if verify == "header" else _decode_problem
    paths = [row["path"] for row in rows]
    with ThreadPoolExecutor(max_workers=16) as pool:
        found = pool.map(check, paths, chunksize=64)
        problems = list(_with_progress(found, total=len(paths), shown=verify == "decode"))
    kept = [row for row, problem in zip(rows, problems, strict=True) if not problem]
    unreadable = [
        {"videoname": row["videoname"], "problem": "unreadable", "detail": problem}
        for row, problem in zip(rows, problems, strict=True)
        if problem
    ]
    return kept, unreadable


def _with_progress(found: Iterable[str], *, total: int, shown: bool) -> Iterable[str]:
    """The same, with a bar where it takes minutes."""
    from tqdm.auto import tqdm

    return tqdm(found, total=total, desc="decode", unit="file", leave=False, disable=not shown)


def _header_problem(path: str) -> str:
    """What the first and last bytes of a file say against it, or ""."""
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(24)
            if not head:
                return "empty file"
            if path.lower().endswith(PICTURES):
                return _picture_header_problem(path, file, head)
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    box = head[4:8]
    known = box in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
    known = known or head.startswith((b"RIFF", b"\x1aE\xdf\xa3"))
    return "" if known else f"expected an MP4, MOV, AVI or MKV clip; begins with {head[:8]!r}"


def _picture_header_problem(path: str, file: io.FileIO, head: bytes) -> str:
    """The same for a picture, which is decoded where its end mark is not where it should be."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
        if width * height > decode.MOST_PIXELS:
            return f"far too large: {width} x {height} pixels"
        mark, reach = b"IEND", 12
    elif head.startswith(b"\xff\xd8\xff"):
        mark, reach = b"\xff\xd9", 2
    else:
        return f"expected a JPEG or PNG; begins with {head[:8]!r}"
    file.seek(-min(reach, file.seek(0, os.SEEK_END)), os.SEEK_END)
    return "" if mark in file.read(reach) else _picture_problem(path)


def _decode_problem(path: str) -> str:
    """What decoding a whole file says against it, or ""."""
    problem = _header_problem(path)
    if problem:
        return problem
    return _picture_problem(path) if path.lower().endswith(PICTURES) else _clip_problem(path)


def _picture_problem(path: str) -> str:
    try:
        decode.read(path)
    except (decode.PictureError, OSError) as error:
        return f"cannot be decoded: {error}"
    return ""


def _clip_problem(path: str) -> str:
    import cv2

    capture = cv2.VideoCapture(path)
    promised = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    decoded = 0
    while capture.grab():
        decoded += 1
    capture.release()
    if decoded == 0:
        return "no frame can be decoded"
    # Containers round their frame count; a tenth less is a clip that breaks off.
    return f"only {decoded} of {promised} frames decode" if decoded < 0.9 * promised else ""
