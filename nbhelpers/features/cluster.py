"""Work on many machines, carried out by Ray: the features of `features.fill`, and any calls.

Ray is optional, and imported by nothing but the functions here. A *worker* is a process (a Ray
actor) somewhere in the cluster: it loads the encoder once and then makes one clip after another,
straight into the store, so that only the rows of the report travel. The store and the clips must
lie on a disk that all machines see under the same path; that is checked before the work begins.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nbhelpers.common import files
from nbhelpers.features import extraction
from nbhelpers.features.store import StoreError

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # at a clip that raises what no clip should, or whose worker is lost
_PATIENCE = 3.0  # seconds that a network disk may take to show a file made elsewhere
_SILENCE = 60.0  # seconds without any answer, after which it is said that there is none


class ClusterError(ValueError):
    """The cluster cannot do the work."""


@contextmanager
def connected(address: str = "") -> Iterator[Any]:
    """Join a cluster, or start one on this machine, for the time of a block.

    Nothing is reported to Ray's makers, and no dashboard is started.

    Args:
        address: "host:port" of a running cluster, "auto" for the one this machine belongs to; ""
            is what the variable RAY_ADDRESS says, else a cluster of this machine alone. A process
            that is connected already stays so.

    Yields:
        The module `ray`.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _ray()
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    options = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except Exception as error:  # Ray raises what comes, down to bare Exception
        raise ClusterError(
            f"Expected a Ray cluster at {address!r}; received {type(error).__name__}: {error} "
            "Look with `ray status`, or leave --address out to use this machine alone."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def fill(
    table: pd.DataFrame,
    choice: extraction.Choice,
    *,
    store: str | os.PathLike,
    address: str = "",
    workers: int = 0,
    cpus: float = 1,
    gpus: float = 0,
) -> Iterator[dict]:
    """Put the features of clips into a store, as `features.fill`, on the machines of a cluster.

    The encoder goes out with its weights, so that all workers have the same, whatever they could
    have found themselves. A clip that raises what no clip should, or whose worker is lost with it
    in hand, is tried again, `ATTEMPTS` times in all, after the others. A lost worker is replaced
    where there is room. What was made is in the store, so at most the clips in hand are repeated.

    Args:
        table: columns `videoname` and `path`.
        choice: what to make; must pickle, as those of `features.load_encoder` do.
        store: folder of the feature files, seen by every machine under this path.
        address: see `connected`.
        workers: how many, each with one clip at a time; 0 is as many as the cluster has room for.
            Where there are more than fit, the others start when machines are added.
        cpus: processors that a worker is given, > 0; as many threads does its encoder take.
        gpus: GPUs that a worker is given, >= 0; a part of one is possible.

    Yields:
        One row of the report a clip, `features.REPORT`, as they are done.

    Raises:
        ClusterError: no Ray, no cluster, no room, a machine that does not see the folders, or
            workers that cannot begin.
        StoreError: the store cannot be written.
    """
    store = Path(os.path.abspath(store))
    table = table.assign(path=[os.path.abspath(path) for path in table["path"]])
    with connected(address) as ray, _shared(ray, store, table["path"], cpus) as sight:
        count = min(workers or _room(ray, cpus, gpus), len(table))
        actor = ray.remote(_Worker).options(
            num_cpus=cpus, num_gpus=gpus, max_restarts=0, scheduling_strategy="SPREAD"
        )
        crew = _Crew(ray, actor, sight, (store, [ray.put(choice)], cpus))
        try:
            yield from crew.work(table, count)
        finally:
            crew.dismiss()


def each(
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    *,
    folder: str | os.PathLike,
    address: str = "",
    cpus: float = 1,
    gpus: float = 0,
) -> Iterator[tuple[int, Any]]:
    """Call a function for each job, somewhere in a cluster.

    A call whose process or machine is lost is made again, `ATTEMPTS` times in all.

    Args:
        function: of a module that every machine has.
        jobs: its argument, one a call.
        folder: where the calls leave what they make; every machine must see it under this path.
        address: see `connected`.
        cpus: processors of a call.
        gpus: GPUs of a call.

    Yields:
        Number of the job and what the function returned, or the `ClusterError` that says why it
        did not return, as they are done.

    Raises:
        ClusterError: no Ray, no cluster, no room, or a machine that does not see the folder.
        StoreError: the folder cannot be written here.
    """
    folder = Path(os.path.abspath(folder))
    with connected(address) as ray, _shared(ray, folder, [], cpus):
        _room(ray, cpus, gpus)
        remote = ray.remote(function).options(
            num_cpus=cpus, num_gpus=gpus, max_retries=ATTEMPTS - 1, scheduling_strategy="SPREAD"
        )
        waiting = {remote.remote(job): number for number, job in enumerate(jobs)}
        while waiting:
            answered, _ = ray.wait(list(waiting))
            for reference in answered:
                number = waiting.pop(reference)
                try:
                    yield number, ray.get(reference)
                except ray.exceptions.RayError as error:
                    yield number, ClusterError(_cause(error))


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray's own advice, silenced
    try:
        import ray
    except ModuleNotFoundError:
        raise ClusterError(
            "Expected Ray, which the engine 'ray' needs; it is not installed. Install it with "
            "pip install -e '.[cluster]' on every machine, or use the engine 'local'."
        ) from None
    return ray


def _room(ray: Any, cpus: float, gpus: float) -> int:
    """How many workers the cluster has room for."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = 0
    for there in machines:
        fit = int(there.get("CPU", 0) // cpus)
        room += min(fit, int(there.get("GPU", 0) // gpus)) if gpus else fit
    if not room:
        offers = "; ".join(
            f"{there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs" for there in machines
        )
        raise ClusterError(
            f"Expected a machine with room for a worker of {cpus:g} CPUs and {gpus:g} GPUs; the "
            f"cluster has {offers}. Ask for less with --cpus and --gpus, or set --workers to wait "
            "for machines to be added."
        )
    return room


# ---------------------------------------------------------------- do all see the same disk?


@contextmanager
def _shared(ray: Any, store: Path, paths: Iterable[str], cpus: float) -> Iterator[_Sight]:
    """For the time of a block, a note in a folder, after all machines have been seen to see it.

    Raises:
        StoreError: the folder cannot be written here.
        ClusterError: a machine does not see it.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(
            dir=store, prefix=".shared-", ignore_cleanup_errors=True
        )
    except OSError as error:
        raise StoreError(f"Nothing can be written into {store}: {error}") from error
    with folder as made:
        sight = _Sight.of(Path(made), paths)
        _check_machines(ray, sight, cpus)
        yield sight


@dataclass(frozen=True)
class _Sight:
    """What a machine must see: a note in the store, and a clip of the right size."""

    note: Path
    text: str
    clip: str
    size: int

    @classmethod
    def of(cls, folder: Path, paths: Iterable[str]) -> _Sight:
        """Write the note, and look at the first clip that is there."""
        text = os.urandom(16).hex()
        files.write_text(folder / "note", text)
        clip = next((path for path in paths if os.path.isfile(path)), "")
        return cls(folder / "note", text, clip, os.path.getsize(clip) if clip else 0)

    def answer(self, name: str) -> Path:
        """Where a machine or a worker of that name answers the note."""
        return self.note.with_name(name)

    def look(self, name: str) -> str:
        """What is wrong with the sight of this machine, "" for nothing; then it has answered."""
        try:
            if not _appears(self.note) or self.note.read_text() != self.text:
                return f"it does not see the folder {self.note.parent.parent}"
            if self.clip and os.path.getsize(self.clip) != self.size:
                return f"it sees another file at {self.clip}"
            files.write_text(self.answer(name), self.text)
        except OSError as error:
            return str(error)
        return ""


def _appears(path: Path) -> bool:
    """Whether a file is there, or comes within a network disk's patience."""
    end = time.monotonic() + _PATIENCE
    while not path.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _check_machines(ray: Any, sight: _Sight, cpus: float) -> None:
    """Let every machine that workers may come to look; raises ClusterError for the first blind."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as At

    nodes = {
        node["NodeID"]: node["NodeManagerAddress"]
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= cpus
    }
    look = ray.remote(_look)
    asked = {
        node: look.options(num_cpus=0, scheduling_strategy=At(node, soft=False)).remote(sight, node)
        for node in nodes
    }
    for node, reference in asked.items():
        try:
            problem = ray.get(reference)
        except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
            continue  # a machine that has just gone: no worker will come there
        except ray.exceptions.RayError as error:
            problem = _cause(error)
        if not problem and not _appears(sight.answer(node)):
            problem = "what it writes into the store is not seen here"
        if problem:
            raise _blind(f"the machine {nodes[node]}", problem)


def _look(sight: _Sight, name: str) -> str:
    return sight.look(name)


def _blind(who: str, problem: str) -> ClusterError:
    return ClusterError(
        f"Expected machines that see the clips and the store under the same paths, and have this "
        f"package; {who} does not: {problem}. Put both on a disk that all of them share, or use "
        "the engine 'local'."
    )


def _cause(error: Exception) -> str:
    """One line for an error that came from another process."""
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {str(cause).strip().splitlines()[0]}"


# ---------------------------------------------------------------- workers


class _Worker:
    """Lives in a process of the cluster."""

    def begin(self, sight: _Sight, store: Path, reference: list, cpus: float) -> str:
        """Look, and load the encoder; what is wrong, or ""."""
        import ray

        problem = sight.look(f"worker-{os.getpid()}-{ray.get_runtime_context().get_actor_id()}")
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
        """Put one clip's features into the store; its row of the report."""
        table = pd.DataFrame({"videoname": [videoname], "path": [path]})
        return next(extraction.fill(table, self.choice, store=self.store))


@dataclass
class _Clip:
    """A clip, and how often it was tried in vain."""

    videoname: str
    path: str
    tried: int = 0


@dataclass
class _Crew:
    """The workers, and which of them has what in hand.

    `busy` maps the answer that a worker owes to the worker and its clip; None while it begins.
    """

    ray: Any
    actor: Any
    sight: _Sight
    outfit: tuple
    busy: dict = field(default_factory=dict)
    idle: list = field(default_factory=list)
    lost_at_birth: int = 0

    def hire(self) -> None:
        """Ask the cluster for one more worker."""
        worker = self.actor.remote()
        self.busy[worker.begin.remote(self.sight, *self.outfit)] = (worker, None)

    def dismiss(self) -> None:
        """Send all workers away."""
        for worker in [*self.idle, *(worker for worker, _ in self.busy.values())]:
            self.ray.kill(worker)

    def work(self, table: pd.DataFrame, count: int) -> Iterator[dict]:
        """Make all clips; one row of the report each."""
        todo = deque(
            _Clip(name, path) for name, path in zip(table["videoname"], table["path"], strict=True)
        )
        for _ in range(count):
            self.hire()
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
        """Answers that are there, at least one unless none comes for long."""
        answered, _ = self.ray.wait(list(self.busy), timeout=_SILENCE)
        if not answered:
            at_work = sum(clip is not None for _, clip in self.busy.values())
            logger.warning(
                "No answer for %.0f s: %d workers have a clip in hand, %d wait for room in the "
                "cluster. Look with `ray status`.",
                *(_SILENCE, at_work, len(self.busy) - at_work),
            )
        return answered

    def _row(self, reference: Any, worker: Any, clip: _Clip | None) -> dict | None:
        """What a worker answers about its clip; None when it has begun, or is to try again."""
        errors = self.ray.exceptions
        try:
            answer = self.ray.get(reference)
        except errors.RayTaskError as error:  # raised by the work: the worker lives
            if isinstance(error.cause, StoreError):
                raise error.cause from None
            if clip is None:
                raise _blind("a worker", _cause(error)) from error
            self.idle.append(worker)
            return self._failed(clip, _cause(error))
        except errors.RayError as error:  # the worker is gone, or cannot be reached
            self.ray.kill(worker)
            self._replace(clip, _cause(error))
            return self._failed(clip, "its worker was lost") if clip else None
        if clip is None and answer:
            raise _blind("a worker", answer)
        self.lost_at_birth = 0
        self.idle.append(worker)
        return answer if clip else None

    def _replace(self, clip: _Clip | None, problem: str) -> None:
        """Hire another worker for a lost one, unless none ever begins."""
        self.lost_at_birth += clip is None
        if self.lost_at_birth > ATTEMPTS:
            raise ClusterError(
                f"Expected workers that begin; {self.lost_at_birth} in a row were lost before "
                f"their first clip, the last by {problem}. Look at the memory of the machines, and "
                "at Ray's logs in /tmp/ray/session_latest/logs there."
            )
        self.hire()

    def _failed(self, clip: _Clip, problem: str) -> dict | None:
        """The row of a clip that was tried often enough, else None."""
        clip.tried += 1
        logger.info("%s failed, attempt %d: %s", clip.videoname, clip.tried, problem)
        if clip.tried < ATTEMPTS:
            return None
        reason = f"{problem} ({clip.tried} attempts)"
        logger.warning("%s is left out: %s", clip.videoname, reason)
        return {"videoname": clip.videoname, "readable": False, "reason": reason}
