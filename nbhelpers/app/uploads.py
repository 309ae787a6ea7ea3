"""Files on their way in: written to the disk as they come, never held in memory."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote

MOST_BYTES = 1_000_000_000  # of a file
SPARE_BYTES = 200_000_000  # that stay free on the disk
MOST_WAITING = 20  # files without an answer, of all people together
LONGEST_NAME = 120  # letters
FORBIDDEN = r"[\x00-\x1f\x7f-\x9f" + ('<>:"|?*]' if os.name == "nt" else "]")
ADVICE = (
    "Cut a shorter piece out of it, or use `nbhelpers predict` in a terminal, which has no limit."
)


class RefusedError(ValueError):
    """A file that is not taken, with the reason in one sentence.

    Args:
        status: of HTTP.
        reason: for the person.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def check(length: str | None, *, folder: Path, unfinished: int) -> None:
    """Decide whether a file is taken, before any of it is read.

    Args:
        length: its size as the browser says it; None where it does not.
        folder: where it will lie.
        unfinished: files that wait already.

    Raises:
        RefusedError: it is empty or too large, or there is no room, or too many wait.
    """
    if length is None or not length.isdecimal():
        raise RefusedError(411, "The size of the file is not known, so it is not taken.")
    size = int(length)
    if size == 0:
        raise RefusedError(400, "The file is empty (0 bytes). Copy or download it again.")
    if size > MOST_BYTES:
        raise RefusedError(
            413,
            f"The file has {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} MB are taken. "
            f"{ADVICE}",
        )
    if unfinished >= MOST_WAITING:
        raise RefusedError(503, f"{unfinished} files wait already. Try again in a minute.")
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise RefusedError(507, "The disk of this computer has no room for the file.")


def safe_name(given: str | None) -> str:
    """Make a name for the disk of one that a browser sent.

    Args:
        given: percent-encoded, with or without folders.

    Returns:
        A file's name without folder and control characters, on Windows also without what that
        does not take.

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
        folder: in which it gets a folder of its own.
    """

    def __init__(self, name: str | None, folder: Path) -> None:
        self.path = Path(tempfile.mkdtemp(dir=folder)) / safe_name(name)
        self._file = self.path.open("wb")

    def write(self, chunk: bytes) -> None:
        """Write what has come."""
        self._file.write(chunk)

    def close(self) -> Path:
        """End the file; returns its path."""
        self._file.close()
        return self.path

    def drop(self) -> None:
        """Delete what has come so far."""
        self._file.close()
        shutil.rmtree(self.path.parent, ignore_errors=True)
