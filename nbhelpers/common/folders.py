"""Folders that may be missing or read-only: the home folder, and those for results."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def home_folder() -> Path:
    """Return the home folder; for a user without one, the folder for temporary files."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user id that is in no user database
        return Path(tempfile.gettempdir())


def provide_home() -> None:
    """Give this process and its children a home folder if the user has none.

    Jupyter fails without one that it can write to. In a container that runs as an arbitrary user
    id, HOME is not set, or is "/", which that user cannot write to.
    """
    home = home_folder()
    if not os.access(home, os.W_OK):
        home = Path(tempfile.gettempdir())
    if home == Path(tempfile.gettempdir()):
        os.environ["HOME"] = str(home)


def can_write(folder: Path) -> bool:
    """Create a folder if needed, and try to create a file in it.

    Args:
        folder: need not exist.

    Returns:
        False if the file system or its permissions do not allow it.

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
