"""The files of the page: scored one at a time, in order of arrival."""

from __future__ import annotations

import functools
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

PATIENCE = 300  # seconds without a request after which a file counts as abandoned
FAILED = "This file cannot be scored: the program failed. See the terminal it runs in."

#: Scores a file: its path and a progress callback -> the answer as HTML.
Judge = Callable[[Path, Callable[[str, float], None]], str]


class StoppedError(BaseException):
    """The scoring of a file is aborted; not an error of the file, so not an `Exception`."""


@dataclass
class _Job:
    """A file in the queue.

    Attributes:
        path: the file, alone in its folder.
        state: "waiting", "working", "done" or "failed".
        step: what is being done.
        share: completed part of that step, 0-1.
        answer: HTML; "" until it is done.
        asked: when somebody last asked for it, `time.monotonic`.
    """

    path: Path
    state: str = "waiting"
    step: str = ""
    share: float = 0.0
    answer: str = ""
    asked: float = 0.0


class Jobs:
    """A queue with one worker thread.

    Args:
        judge: scores a file; runs in the worker.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._jobs: dict[str, _Job] = {}  # in order of arrival
        self._changed = threading.Condition()
        self._open = True
        self._worker = threading.Thread(target=self._work, name="judge", daemon=True)
        self._worker.start()

    def add(self, path: Path) -> str:
        """Put a file at the end of the queue.

        Args:
            path: a file, alone in a folder that is deleted with it.

        Returns:
            The name by which to ask for it; it cannot be guessed.
        """
        name = secrets.token_urlsafe(12)
        with self._changed:
            self._jobs[name] = _Job(path, asked=time.monotonic())
            self._changed.notify_all()
        return name

    def ask(self, name: str) -> dict | None:
        """Return the state of a file; an answer is returned once and then forgotten.

        Args:
            name: from `add`.

        Returns:
            ``state, step, share, ahead`` (files before it) and ``answer``; None if there is no such
            file (any more).
        """
        with self._changed:
            self._forget_the_abandoned()
            job = self._jobs.get(name)
            if job is None:
                return None
            job.asked = time.monotonic()
            unfinished = [key for key, one in self._jobs.items() if not one.answer]
            ahead = unfinished.index(name) if name in unfinished else 0
            if job.answer:
                del self._jobs[name]
            facts = {"state": job.state, "step": job.step, "share": job.share}
            return facts | {"ahead": ahead, "answer": job.answer}

    def forget(self, name: str) -> None:
        """Drop a file in any state; if it is being scored, that is aborted."""
        with self._changed:
            if job := self._jobs.pop(name, None):
                _delete(job.path)

    def close(self) -> None:
        """Abort and delete everything; return when the worker has stopped."""
        with self._changed:
            self._open = False
            for name in list(self._jobs):
                self.forget(name)
            self._changed.notify_all()
        self._worker.join()

    @property
    def unfinished(self) -> int:
        """Return how many files have no answer yet."""
        with self._changed:
            self._forget_the_abandoned()
            return sum(not job.answer for job in self._jobs.values())

    def _forget_the_abandoned(self) -> None:
        limit = time.monotonic() - PATIENCE
        for name in [name for name, job in self._jobs.items() if job.asked < limit]:
            self.forget(name)

    def _work(self) -> None:
        while job := self._next():
            state = "done"
            try:
                answer = self._judge(job.path, functools.partial(self._tell, job))
            except StoppedError:
                answer, state = FAILED, "failed"  # nobody is left to read it
            except Exception:
                logger.exception("%s cannot be scored", job.path.name)
                answer, state = FAILED, "failed"
            _delete(job.path)
            with self._changed:
                job.answer, job.state = answer, state

    def _next(self) -> _Job | None:
        """Wait for a file; return None once the queue is closed."""
        with self._changed:
            while self._open:
                self._forget_the_abandoned()
                waiting = [job for job in self._jobs.values() if job.state == "waiting"]
                if waiting:
                    waiting[0].state = "working"
                    return waiting[0]
                self._changed.wait(PATIENCE if self._jobs else None)
        return None

    def _tell(self, job: _Job, step: str, share: float) -> None:
        with self._changed:
            if all(job is not one for one in self._jobs.values()):
                raise StoppedError
            job.step, job.share = step, share


def _delete(path: Path) -> None:
    """Delete a file with its folder; a file being read may remain until it is closed."""
    shutil.rmtree(path.parent, ignore_errors=True)
