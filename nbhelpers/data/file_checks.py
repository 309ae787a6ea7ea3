"""Problems of files themselves, found from the header or from every pixel."""

import io
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from nbhelpers.common.native_logs import no_chatter
from nbhelpers.media import clip_facts, decode, kinds, video
from nbhelpers.media.kinds import PICTURE_ENDINGS

VERIFY = ("none", "header", "decode")


def verify_rows(rows: list[dict], *, verify: str) -> tuple[list[dict], list[dict]]:
    """Check the files of the rows, many in parallel, since mounts are slow.

    Args:
        rows: with `videoname` and `path`.
        verify: one of `VERIFY`.

    Returns:
        The rows with good files, and findings for the others.
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


def by_depth(paths: Iterable[str | os.PathLike]) -> pd.DataFrame:
    """Check clips at increasing depth, to show which check first notices that one is broken.

    Args:
        paths: the clips; a long one takes seconds, since the last check decodes all of it.

    Returns:
        One row per clip, indexed by name: ``noticed_by`` is "first bytes", "headers", "every
        frame" or "nobody"; ``reason`` is the problem.
    """
    looks = {
        "first bytes": _header_problem,
        "headers": lambda path: _problem_of(clip_facts.read, path),
        "every frame": lambda path: _problem_of(video.check_to_the_end, path),
    }
    rows = {}
    with no_chatter():
        for path in map(str, paths):
            rows[os.path.basename(path)] = {"noticed_by": "nobody", "reason": ""}
            for name, look in looks.items():
                if problem := look(path):
                    rows[os.path.basename(path)] = {"noticed_by": name, "reason": problem}
                    break
    return pd.DataFrame.from_dict(rows, orient="index", columns=["noticed_by", "reason"])


def _problems(paths: list[str], *, deep: bool) -> list[str]:
    """Return the problem of each file or ""; with a progress bar if that takes minutes."""
    from tqdm.auto import tqdm

    check = _decode_problem if deep else _header_problem
    with (
        os.fdopen(os.dup(2), "w", encoding="utf-8") as terminal,  # for the bar, despite the silence
        no_chatter(),
        ThreadPoolExecutor(max_workers=16) as pool,
    ):
        answers = pool.map(check, paths, chunksize=64)
        bar = {"desc": "decode", "unit": "file", "leave": False, "disable": not deep}
        return list(tqdm(answers, total=len(paths), file=terminal, **bar))


def _header_problem(path: str) -> str:
    """Return the problem in the first and last bytes of a file, or ""."""
    picture = path.lower().endswith(PICTURE_ENDINGS)
    try:
        if not os.path.isfile(path):  # reading a pipe would block
            return "cannot be opened: it is not a file"
        with open(path, "rb", buffering=0) as file:
            head = file.read(kinds.HEAD_BYTES)
            if not head:
                return "empty file"
            if kinds.kind_of(head) != ("picture" if picture else "clip"):
                expected = "a picture" if picture else "a clip such as MP4, MOV, AVI or MKV"
                return f"expected {expected}; begins with {head[:8]!r}"
            return _picture_header_problem(path, file, head=head) if picture else ""
    except OSError as error:
        return f"cannot be opened: {error.strerror}"


def _picture_header_problem(path: str, file: io.FileIO, *, head: bytes) -> str:
    """Return the same for a picture; decode it if it is small or its end marker is missing.

    There is no other way to detect damage in the middle.
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
    return "" if ends and size > decode.CROP_BYTES else _problem_of(decode.read, path)


def _decode_problem(path: str) -> str:
    """Return the problem found by decoding a whole file, or ""."""
    problem = _header_problem(path)
    if problem:
        return problem
    is_picture = path.lower().endswith(PICTURE_ENDINGS)
    return _problem_of(decode.read if is_picture else video.check_to_the_end, path)


def _problem_of(read: Callable[[str], object], path: str) -> str:
    try:
        read(path)
    except (decode.PictureError, video.VideoError, OSError) as error:
        return f"cannot be decoded: {error}"
    return ""
