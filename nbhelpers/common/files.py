"""Writing a file whole or not at all, and showing the names of files."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike) -> Iterator[Path]:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    The draft lies in the same folder, so that the last step is a rename. It has the same name, so
    that libraries which look at the suffix are content.

    Args:
        path: the file; its folder is made when it is missing.

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


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write text as UTF-8, whole or not at all.

    Args:
        path: the file; its folder is made when it is missing.
        text: the content; line ends are written as they are.
    """
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")


def displayable(name: str) -> str:
    """A file's name as text that any terminal, page and table can show.

    Control characters could steer a terminal, and the halves of characters that Linux makes of
    names in other encodings cannot be written out: both become escapes.

    Args:
        name: any text.

    Returns:
        The same where there is nothing to escape.

    >>> displayable("a\\x1b[31m.jpg")
    'a\\\\x1b[31m.jpg'
    """
    text = name.encode("utf-8", "backslashreplace").decode()
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], text)
