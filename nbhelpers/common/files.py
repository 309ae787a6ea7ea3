"""Writing files: whole or not at all, and never over the user's own."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nbhelpers.common.errors import UsageError

FORCE_HELP = "overwrite files that this command did not write"  # of --force, in every command


@contextmanager
def whole(path: str | os.PathLike) -> Iterator[Path]:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    The draft is in the same folder, has the same suffix, and is renamed at the end.

    Args:
        path: the file; its folder is created if missing.

    Yields:
        The path to write to. If the block raises, the file stays as it was.

    >>> with whole("/tmp/nbhelpers-doctest.txt") as draft:
    ...     _ = draft.write_text("all of it")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
        draft = Path(folder) / path.name
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(draft, path)


@contextmanager
def growing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Write a file piece by piece, for readers who open it while it grows.

    Args:
        path: the file; its folder is created if missing. Its old content is lost.

    Yields:
        The empty file, unbuffered: what is written can be read at once, and a full disk raises at
        the write that does not fit.

    >>> with growing("/tmp/nbhelpers-doctest.txt") as file:
    ...     _ = file.write(b"some")
    ...     Path("/tmp/nbhelpers-doctest.txt").read_text()
    'some'
    """
    write_text(path, "")
    with Path(path).open("rb+", buffering=0) as file:
        yield file


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write text as UTF-8, whole or not at all.

    Args:
        path: the file; its folder is created if missing.
        text: the content; line ends are written as they are.
    """
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")


def check_target(
    path: str | os.PathLike,
    *,
    kind: str,
    inputs: Iterable[str | os.PathLike] = (),
    force: bool = False,
) -> Path:
    """Refuse to write where the user would lose something; call this before any work.

    Args:
        path: the file to be written.
        kind: the text with which the command's files begin, and no others: the header line of a
            table, or `html.beginning(title)` of a page. An existing file that begins differently
            belongs to the user and is not replaced, unless it is empty.
        inputs: files that the command reads; none of them is replaced, under any name.
        force: replace inputs and files of other kinds anyway (`--force`).

    Returns:
        The path.

    Raises:
        UsageError: the path is an input, a file of another kind, a folder, a pipe or a device, or
            nothing can be written there.
    """
    path = Path(path)
    name = displayable(str(path))
    try:
        if path.exists():
            _check_existing(path, kind, inputs, force)
        folder = next(above for above in path.absolute().parents if above.exists())
        is_folder = folder.is_dir()
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}.") from None
    if not is_folder or not os.access(folder, os.W_OK | os.X_OK):
        reason = "permission denied" if is_folder else "not a folder"
        where = displayable(str(folder))
        raise UsageError(f"{name} cannot be written: {where}: {reason}. Choose another folder.")
    return path


def _check_existing(
    path: Path, kind: str, inputs: Iterable[str | os.PathLike], force: bool
) -> None:
    name = displayable(str(path))
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a pipe or a device"
        raise UsageError(f"Expected an output file; {name} is {what}. Choose another name.")
    if force:
        return
    if any(os.path.exists(given) and os.path.samefile(path, given) for given in inputs):
        raise UsageError(
            f"Expected an output file that is not an input; {name} is an input and would be lost. "
            "Choose another name."
        )
    with path.open("rb") as file:
        beginning = file.read(len(kind.encode()))
    if beginning not in (b"", kind.encode()):
        raise UsageError(
            f"Expected a new file, or one that this command wrote earlier; {name} is neither and "
            "would be lost. Choose another name, or add --force."
        )


def write_target(path: str | os.PathLike, text: str) -> None:
    """Write the text that a user asked for; call `check_target` before doing the work.

    Args:
        path: the file; its folder is created if missing.
        text: the content.

    Raises:
        UsageError: it cannot be written, with the system's reason.
    """
    try:
        write_text(path, text)
    except OSError as error:
        name = displayable(os.fspath(path))
        raise UsageError(f"{name} cannot be written: {error.strerror}.") from None


def displayable(name: str) -> str:
    r"""Return a file's name as text that any terminal, page and table can show.

    Control characters could change what a terminal does, and bytes of names in another encoding,
    which Python reads as lone surrogates, cannot be written: both become escapes.

    Args:
        name: any text.

    Returns:
        The text; unchanged if there is nothing to escape.

    >>> displayable("a\x1b[31m.jpg")
    'a\\x1b[31m.jpg'
    """
    text = name.encode("utf-8", "backslashreplace").decode()
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: ascii(match[0])[1:-1], text)
