"""Folders that may be missing or closed: the home folder, and those for results."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path


def home_folder() -> Path:
    """Return the home folder; for a user without one, the folder for temporary files."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user id that no table of users has
        return Path(tempfile.gettempdir())


def can_write(folder: Path) -> bool:
    """Create a folder if needed, and try to create a file in it.

    Args:
        folder: need not exist.

    Returns:
        False where the file system or its permissions do not allow it.

    Raises:
        FileExistsError: a file is in the way.
        OSError: anything else, such as a full disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except NotADirectoryError as error:
        raise FileExistsError(*error.args) from error
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return False
        raise
