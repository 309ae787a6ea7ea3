"""What a file itself says against it: a look at its header, or at every pixel."""

import io
import os
from concurrent.futures import ThreadPoolExecutor

from nbhelpers.common.native_logs import no_chatter
from nbhelpers.media import decode
from nbhelpers.media.formats import PICTURES

VERIFY = ("none", "header", "decode")
CROP_BYTES = 100_000  # a picture of no more is decoded within a millisecond: always


def verify_rows(rows: list[dict], *, verify: str) -> tuple[list[dict], list[dict]]:
    """Check the files of the rows; many at a time, since mounts answer slowly.

    Args:
        rows: with `videoname` and `path`.
        verify: one of `VERIFY`.

    Returns:
        The rows whose files are well, and findings for the others.
    """
    if verify == "none":
        return rows, []
    problems = _problems([row["path"] for row in rows], deep=verify == "decode")
    usable = [row for row, problem in zip(rows, problems, strict=True) if not problem]
    unreadable = [
        {"videoname": row["videoname"], "problem": "unreadable", "detail": problem}
        for row, problem in zip(rows, problems, strict=True)
        if problem
    ]
    return usable, unreadable


def _problems(paths: list[str], *, deep: bool) -> list[str]:
    """What each file says against itself; a bar where it takes minutes, and no codec's own lines."""
    from tqdm.auto import tqdm

    check = _decode_problem if deep else _header_problem
    with (
        os.fdopen(os.dup(2), "w", encoding="utf-8") as terminal,  # for the bar, past the silence
        no_chatter(),
        ThreadPoolExecutor(max_workers=16) as pool,
    ):
        answers = pool.map(check, paths, chunksize=64)
        bar = {"desc": "decode", "unit": "file", "leave": False, "disable": not deep}
        return list(tqdm(answers, total=len(paths), file=terminal, **bar))


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
    """The same for a picture, which is decoded where that is as quick, or its end mark is not there.

    A decoder need not be asked for the ends only: damage in the middle is found no other way.
    """
    reach = 16
    size = file.seek(0, os.SEEK_END)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
        if width * height > decode.MOST_PIXELS:
            return f"far too large: {width} x {height} pixels"
        mark = b"IEND"
    elif head.startswith(b"\xff\xd8\xff"):
        mark = b"\xff\xd9"
    else:
        mark = b""
    file.seek(-min(reach, size), os.SEEK_END)
    ends = mark and mark in file.read(reach)
    return "" if ends and size > CROP_BYTES else _picture_problem(path)


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
