"""The workers of a cluster: processes that put one clip after another into the store."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nbhelpers.features import extraction
from nbhelpers.features.cluster_errors import ClusterError, cause
from nbhelpers.features.shared_disk import Probe, not_shared
from nbhelpers.features.store import StoreError

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # at a clip that raises what no clip should, or whose worker is lost
SILENCE = 60.0  # seconds without any answer, after which the log says so


class Worker:
    """A Ray actor: one process of the cluster, with one encoder."""

    def initialise(self, probe: Probe, store: Path, *, reference: list, cpus: float) -> str:
        """Check the disk and load the encoder; return what is wrong, or ""."""
        import ray

        problem = probe.problem_here(
            f"worker-{os.getpid()}-{ray.get_runtime_context().get_actor_id()}"
        )
        if problem:
            return problem
        threads = str(max(1, int(cpus)))
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ.setdefault(name, threads)  # read when the encoder brings TensorFlow along
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # workers may share a GPU
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.store, self.choice = store, ray.get(reference[0])
        return ""

    def fill(self, videoname: str, path: str) -> dict:
        """Put one clip's features into the store; return its row of the report."""
        table = pd.DataFrame({"videoname": [videoname], "path": [path]})
        return next(extraction.fill(table, self.choice, store=self.store))


@dataclass
class _Clip:
    """A clip, and how often it failed."""

    videoname: str
    path: str
    tried: int = 0


@dataclass
class WorkerPool:
    """The workers, and which of them has what in hand.

    Attributes:
        ray: the module, connected.
        actor: `Worker` as a Ray actor, with its resources.
        arguments: of `Worker.initialise`, by name.
        busy: the answer that a worker owes -> the worker and its clip; None while it initialises.
        idle: workers without a clip.
        lost_at_start: workers in a row that were lost before they had initialised.
    """

    ray: Any
    actor: Any
    arguments: dict
    busy: dict = field(default_factory=dict)
    idle: list = field(default_factory=list)
    lost_at_start: int = 0

    def start(self) -> None:
        """Ask the cluster for one more worker."""
        worker = self.actor.remote()
        self.busy[worker.initialise.remote(**self.arguments)] = (worker, None)

    def kill(self) -> None:
        """End all workers."""
        for worker in [*self.idle, *(worker for worker, _ in self.busy.values())]:
            self.ray.kill(worker)

    def work(self, table: pd.DataFrame, count: int) -> Iterator[dict]:
        """Put the features of all clips into the store.

        Args:
            table: columns `videoname` and `path`.
            count: workers to start.

        Yields:
            One row of the report per clip, as they are done.

        Raises:
            ClusterError: workers that cannot begin.
            StoreError: the store cannot be written.
        """
        todo = deque(
            _Clip(name, path) for name, path in zip(table["videoname"], table["path"], strict=True)
        )
        for _ in range(count):
            self.start()
        while todo or any(clip for _, clip in self.busy.values()):
            while todo and self.idle:
                worker, clip = self.idle.pop(), todo.popleft()
                self.busy[worker.fill.remote(clip.videoname, clip.path)] = (worker, clip)
            for reference in self._answered():
                worker, clip = self.busy.pop(reference)
                row = self._row(reference, worker, clip)
                if row:
                    yield row
                elif clip:
                    todo.append(clip)

    def _answered(self) -> list:
        """Answers that have come, at least one unless none comes for long."""
        answered, _ = self.ray.wait(list(self.busy), timeout=SILENCE)
        if not answered:
            at_work = sum(clip is not None for _, clip in self.busy.values())
            logger.warning(
                "No answer for %.0f s: %d workers have a clip in hand, %d wait for room in the "
                "cluster. Look with `ray status`.",
                SILENCE,
                at_work,
                len(self.busy) - at_work,
            )
        return answered

    def _row(self, reference: Any, worker: Any, clip: _Clip | None) -> dict | None:
        """Return a worker's row for its clip; None when it has initialised, or is to try again."""
        errors = self.ray.exceptions
        try:
            answer = self.ray.get(reference)
        except errors.RayTaskError as error:  # raised by the work: the worker lives
            if isinstance(error.cause, StoreError):
                raise error.cause from None
            if clip is None:
                raise not_shared("a worker", cause(error)) from error
            self.idle.append(worker)
            return self._failed(clip, cause(error))
        except errors.RayError as error:  # the worker is gone, or cannot be reached
            self.ray.kill(worker)
            self._replace(clip, cause(error))
            return self._failed(clip, "its worker was lost") if clip else None
        if clip is None and answer:
            raise not_shared("a worker", answer)
        self.lost_at_start = 0
        self.idle.append(worker)
        return answer if clip else None

    def _replace(self, clip: _Clip | None, problem: str) -> None:
        """Start another worker for a lost one, unless none ever initialises."""
        self.lost_at_start += clip is None
        if self.lost_at_start > ATTEMPTS:
            raise ClusterError(
                f"Expected workers that begin; {self.lost_at_start} in a row were lost before "
                f"their first clip, the last by {problem}. Look at the memory of the machines, and "
                "at Ray's logs in /tmp/ray/session_latest/logs there."
            )
        self.start()

    def _failed(self, clip: _Clip, problem: str) -> dict | None:
        """Return the row of a clip that was tried often enough, else None."""
        clip.tried += 1
        logger.info("%s failed, attempt %d: %s", clip.videoname, clip.tried, problem)
        if clip.tried < ATTEMPTS:
            return None
        reason = f"{problem} ({clip.tried} attempts)"
        logger.warning("%s is left out: %s", clip.videoname, reason)
        return {"videoname": clip.videoname, "readable": False, "reason": reason}
