"""Incoming files: written to disk as they arrive, never held in memory."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote

MOST_BYTES = 1_000_000_000  # per file
SPARE_BYTES = 200_000_000  # to be left free on the disk
MOST_WAITING = 20  # files without an answer, over all users
LONGEST_NAME = 120  # letters
FORBIDDEN = r"[\x00-\x1f\x7f-\x9f" + ('<>:"|?*]' if os.name == "nt" else "]")
ADVICE = (
    "Cut a shorter piece out of it, or use `nbhelpers predict` in a terminal, which has no limit."
)


class RefusedError(ValueError):
    """A file that is not accepted, with the reason in one sentence.

    Args:
        status: HTTP status code.
        reason: text for the user.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def check(length: str | None, *, folder: Path, unfinished: int) -> None:
    """Decide whether a file is accepted, before any of it is read.

    Args:
        length: its size according to the browser; None if not given.
        folder: where it will be stored.
        unfinished: files already waiting.

    Raises:
        RefusedError: it is empty or too large, the disk is full, or too many files wait.
    """
    if length is None or not length.isdecimal():
        raise RefusedError(411, "The size of the file is unknown, so it is not accepted.")
    size = int(length)
    if size == 0:
        raise RefusedError(400, "The file is empty (0 bytes). Copy or download it again.")
    if size > MOST_BYTES:
        raise RefusedError(
            413,
            f"The file has {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} MB are accepted. "
            f"{ADVICE}",
        )
    if unfinished >= MOST_WAITING:
        raise RefusedError(503, f"{unfinished} files are already waiting. Try again in a minute.")
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise RefusedError(507, "This computer's disk has no room for the file.")


def safe_name(given: str | None) -> str:
    """Turn a name sent by a browser into a safe file name.

    Args:
        given: percent-encoded, with or without folders.

    Returns:
        A file name without folders and control characters, on Windows also without characters that
        Windows forbids.

    >>> safe_name("..%2F..%2Fmy%20photo.jpg")
    'my photo.jpg'
    """
    name = unquote(given or "", errors="replace").replace("\\", "/").rpartition("/")[2]
    name = re.sub(FORBIDDEN, "_", name).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 10:
        name = f"{stem[: LONGEST_NAME - len(ending)]}.{ending}"
    return name.encode("utf-8", "replace").decode()[: LONGEST_NAME + 1] or "file"


class Upload:
    """A file that is being received.

    Args:
        name: as the browser sent it.
        folder: the parent of the folder created for the file.
    """

    def __init__(self, name: str | None, folder: Path) -> None:
        self.path = Path(tempfile.mkdtemp(dir=folder)) / safe_name(name)
        self._file = self.path.open("wb")

    def write(self, chunk: bytes) -> None:
        """Write the received bytes."""
        self._file.write(chunk)

    def close(self) -> Path:
        """Close the file and return its path."""
        self._file.close()
        return self.path

    def drop(self) -> None:
        """Delete what has been received so far."""
        self._file.close()
        shutil.rmtree(self.path.parent, ignore_errors=True)
