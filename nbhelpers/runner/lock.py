"""One run at a time in an output folder."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from nbhelpers.common.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows: two runs into one folder are not detected there
    fcntl = None

NAME = ".run.lock"
PATIENCE = 20.0  # seconds; processes left behind by a killed run end within this time


class Share:
    """A lock's file descriptor, passed to a spawned process, which holds it as long as it lives.

    The folder of a killed run thus stays locked until its notebook has ended, too.

    `DupFd` is how multiprocessing itself passes descriptors to spawned processes; Python 3.11 to
    3.13 do not document it. Remove it once `execution` starts its process with `subprocess`, which
    has ``pass_fds``.
    """

    def __init__(self, descriptor: object) -> None:
        self._descriptor = descriptor

    def __reduce__(self):
        from multiprocessing import reduction

        return Share, (reduction.DupFd(self._descriptor),)


@contextmanager
def claim(folder: Path) -> Iterator[Share | None]:
    """Create a folder and keep every other run out of it.

    The system releases the lock when its process ends, for any reason: a dead run never blocks.

    Args:
        folder: the output folder.

    Yields:
        What to pass to the processes that write into the folder; None on systems without locks.

    Raises:
        UsageError: another run is using the folder, or it cannot be written.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _locked(path) if fcntl else None
    except OSError as error:
        raise UsageError(
            f"Expected a folder that can be written; {folder}: {error.strerror}. Choose another "
            "with --out."
        ) from None
    if file is None:
        yield None
        return
    with file:
        try:
            yield Share(file.fileno())
        finally:
            path.unlink(missing_ok=True)


def _locked(path: Path) -> TextIO:
    """Lock the lock file and write its owner into it; raise UsageError if another run has it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - open as long as it is held
        try:
            if _acquired(file) and _is_at(file, path):  # else the last run removed it in between
                break
            owner = _owner(file)
            if _lives(owner) or time.monotonic() > deadline:
                raise UsageError(
                    f"Expected a folder that no other run writes into; {path.parent} is in use by "
                    f"process {owner.get('pid', 'unknown')}, since {owner.get('since', 'just now')}"
                    ". Wait until it ends, or choose another folder with --out."
                )
        except BaseException:
            file.close()
            raise
        file.close()
        time.sleep(0.2)
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    file.truncate(0)
    file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}))
    file.flush()
    return file


def _acquired(file: TextIO) -> bool:
    """Try to lock a file; return whether that worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: TextIO, path: Path) -> bool:
    """Whether an open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _owner(file: TextIO) -> dict:
    """Return what the lock file says about its holder; {} until that is written."""
    file.seek(0)
    try:
        return dict(json.loads(file.read()))
    except ValueError:
        return {}


def _lives(owner: dict) -> bool:
    """Whether the holder is running, as far as this machine can tell."""
    if not owner:
        return False
    if owner.get("host") != socket.gethostname():
        return True
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
