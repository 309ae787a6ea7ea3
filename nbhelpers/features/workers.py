"""The workers of a cluster: processes that write features into the store clip by clip."""

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

ATTEMPTS = 3  # per clip that raises an unexpected error, or whose worker is lost
SILENCE = 60.0  # seconds without any answer, after which the log says so


class Worker:
    """A Ray actor: one process of the cluster, with one encoder."""

    def initialise(self, probe: Probe, store: Path, *, reference: list, cpus: float) -> str:
        """Check the disk and load the encoder; return the problem, or ""."""
        import ray

        problem = probe.problem_here(
            f"worker-{os.getpid()}-{ray.get_runtime_context().get_actor_id()}"
        )
        if problem:
            return problem
        threads = str(max(1, int(cpus)))
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ.setdefault(name, threads)  # read when the encoder loads TensorFlow
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # workers may share a GPU
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.store, self.choice = store, ray.get(reference[0])
        return ""

    def fill(self, videoname: str, path: str) -> dict:
        """Write one clip's features into the store; return its row of the report."""
        table = pd.DataFrame({"videoname": [videoname], "path": [path]})
        return next(extraction.fill(table, self.choice, store=self.store))


@dataclass
class _Clip:
    """A clip and its number of failures."""

    videoname: str
    path: str
    tried: int = 0


@dataclass
class WorkerPool:
    """The workers and the clips they are processing.

    Attributes:
        ray: the module, connected.
        actor: `Worker` as a Ray actor, with its resources.
        arguments: of `Worker.initialise`, by name.
        busy: a worker's pending answer -> the worker and its clip; None while it initialises.
        idle: workers without a clip.
        lost_at_start: consecutive workers lost during initialisation.
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
        """Write the features of all clips into the store.

        Args:
            table: columns `videoname` and `path`.
            count: workers to start.

        Yields:
            One row of the report per clip, in order of completion.

        Raises:
            ClusterError: workers cannot start.
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
        """Return pending answers that have arrived; none only after a long silence."""
        answered, _ = self.ray.wait(list(self.busy), timeout=SILENCE)
        if not answered:
            at_work = sum(clip is not None for _, clip in self.busy.values())
            logger.warning(
                "No answer for %.0f s: %d workers are processing a clip, %d wait for room in the "
                "cluster. Check with `ray status`.",
                SILENCE,
                at_work,
                len(self.busy) - at_work,
            )
        return answered

    def _row(self, reference: Any, worker: Any, clip: _Clip | None) -> dict | None:
        """Return a worker's row for its clip; None after its initialisation or before a retry."""
        errors = self.ray.exceptions
        try:
            answer = self.ray.get(reference)
        except errors.RayTaskError as error:  # raised by the work: the worker is alive
            if isinstance(error.cause, StoreError):
                raise error.cause from None
            if clip is None:
                raise not_shared("a worker", cause(error)) from error
            self.idle.append(worker)
            return self._failed(clip, cause(error))
        except errors.RayError as error:  # the worker is lost or unreachable
            self.ray.kill(worker)
            self._replace(clip, cause(error))
            return self._failed(clip, "its worker was lost") if clip else None
        if clip is None and answer:
            raise not_shared("a worker", answer)
        self.lost_at_start = 0
        self.idle.append(worker)
        return answer if clip else None

    def _replace(self, clip: _Clip | None, problem: str) -> None:
        """Replace a lost worker, unless none ever initialises."""
        self.lost_at_start += clip is None
        if self.lost_at_start > ATTEMPTS:
            raise ClusterError(
                f"Expected workers that start; {self.lost_at_start} in a row were lost before "
                f"their first clip, the last by {problem}. Check the memory of the machines, and "
                "Ray's logs there in /tmp/ray/session_latest/logs."
            )
        self.start()

    def _failed(self, clip: _Clip, problem: str) -> dict | None:
        """Return the row of a clip that has had all its attempts, else None."""
        clip.tried += 1
        logger.info("%s failed, attempt %d: %s", clip.videoname, clip.tried, problem)
        if clip.tried < ATTEMPTS:
            return None
        reason = f"{problem} ({clip.tried} attempts)"
        logger.warning("%s is left out: %s", clip.videoname, reason)
        return {"videoname": clip.videoname, "readable": False, "reason": reason}
