"""Paths as people write them on a command line: expanded, or refused with a reason."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path

from nbhelpers.common.errors import UsageError
from nbhelpers.common.files import displayable

MOST_BYTES_OF_A_PART, MOST_BYTES = 255, 4095  # what file systems and kernels accept


def user_path(text: str) -> Path:
    """Read a path given by a person.

    Args:
        text: as typed. `~` and `~user` at the beginning are home folders, unless something in the
            working directory has exactly this name, as `~notes.jpg` from a shell's `*` may.

    Returns:
        The path, which need not exist.

    Raises:
        UsageError: it is empty, too long for any file system, or names the home folder of an
            unknown user.

    >>> user_path("a/./b").as_posix()
    'a/b'
    """
    if not text or "\0" in text:
        raise UsageError(f"Expected a path; received {text!r}. Name a file or a folder.")
    path = Path(text)
    if text.startswith("~") and not os.path.lexists(path.parts[0]):
        try:
            path = path.expanduser()
        except RuntimeError:
            user = path.parts[0][1:]
            reason = f"no user on this machine is called {user!r}" if user else "there is no HOME"
            raise UsageError(
                f"Expected a path; received {displayable(text)!r}, but {reason}. Write the path in "
                "full; write a name that begins with ~ as ./~name."
            ) from None
    longest = max(path.parts, key=_bytes, default="")
    if _bytes(longest) > MOST_BYTES_OF_A_PART:
        raise UsageError(
            f"Expected names of at most {MOST_BYTES_OF_A_PART} bytes in a path; received "
            f"{displayable(longest[:40])}… with {_bytes(longest)}. Choose a shorter name."
        )
    if _bytes(path) > MOST_BYTES:
        raise UsageError(
            f"Expected a path of at most {MOST_BYTES} bytes; received {_bytes(path)}. Choose a "
            "shorter one, or give it relative to a nearer folder."
        )
    return path


def path_argument(text: str) -> Path:
    """Read a path; for argparse's `type=`.

    Args:
        text: as typed; see `user_path`.

    Returns:
        The path.

    Raises:
        ArgumentTypeError: it is refused; argparse names the argument and ends with code 2.
    """
    try:
        return user_path(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def check_readable_file(path: Path, *, what: str) -> None:
    """Refuse anything but a readable file; reading a pipe or a device could wait forever.

    Args:
        path: from `user_path`.
        what: what the file should be, with an article, such as "a grid in YAML".

    Raises:
        UsageError: the path does not exist, is a folder, a pipe or a device, or may not be read.
    """
    _check_kind(path, what, stat.S_ISREG, "a file")


def check_readable_folder(path: Path, *, what: str) -> None:
    """Refuse anything but a readable folder.

    Args:
        path: from `user_path`.
        what: what the folder should be, with an article, such as "a folder of results".

    Raises:
        UsageError: the path does not exist, is not a folder, or may not be read.
    """
    _check_kind(path, what, stat.S_ISDIR, "a folder")


def check_working_directory() -> None:
    """Refuse to run in a folder that no longer exists.

    Raises:
        UsageError: the working directory was deleted, or may not be accessed.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            f"Expected a working directory; this terminal's is gone ({error.strerror}). "
            "Change to another folder, for example with `cd ~`."
        ) from None


def _bytes(path: str | os.PathLike) -> int:
    return len(os.fsencode(path))


def _check_kind(path: Path, what: str, is_kind, kind: str) -> None:
    name = displayable(str(path))
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"Expected {what}; {name}: {error.strerror}. Check the path.") from None
    if not is_kind(mode):
        raise UsageError(f"Expected {what}; {name} is {_kind_name(mode)}. Name {kind} instead.")
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise UsageError(
            f"Expected {what}; you may not read {name} (permission denied). Ask its owner for "
            "access or for a copy."
        )


def _kind_name(mode: int) -> str:
    names = {
        stat.S_ISREG: "a file",
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
    }
    return next((name for is_kind, name in names.items() if is_kind(mode)), "a device")
