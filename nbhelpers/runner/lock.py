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
PATIENCE = 20.0  # seconds; what a killed run left behind ends itself within them


class Share:
    """A lock's file descriptor that a spawned process gets, and holds as long as it lives.

    So a folder stays locked when a run was killed but its notebook has not ended yet.

    `DupFd` is how multiprocessing itself hands descriptors to spawned processes; Python 3.11 to
    3.13 do not document it. It goes when `execution` starts its process with `subprocess`, which
    has ``pass_fds``.
    """

    def __init__(self, descriptor: object) -> None:
        self._descriptor = descriptor

    def __reduce__(self):
        from multiprocessing import reduction

        return Share, (reduction.DupFd(self._descriptor),)


@contextmanager
def claim(folder: Path) -> Iterator[Share | None]:
    """Make a folder and keep every other run out of it.

    The system drops the lock of a process that ends, however it ends: a dead run never blocks.

    Args:
        folder: the output folder.

    Yields:
        What to hand to the processes that write into the folder; None where there are no locks.

    Raises:
        UsageError: another run is at work there, or the folder cannot be written.
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
    """Lock the lock file and sign it; raise UsageError when another run has it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - open as long as it is held
        try:
            if _acquired(file) and _is_at(file, path):  # else the run before removed it in between
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
    """Lock a file if nobody else has it; whether that worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: TextIO, path: Path) -> bool:
    """Whether an open file is still the one that has this path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _owner(file: TextIO) -> dict:
    """Return what the lock file says of its holder; nothing before that is written."""
    file.seek(0)
    try:
        return dict(json.loads(file.read()))
    except ValueError:
        return {}


def _lives(owner: dict) -> bool:
    """Whether the holder is running, as far as this machine can see."""
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
