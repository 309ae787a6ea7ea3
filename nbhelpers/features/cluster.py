"""Work on many machines, carried out by Ray: the features of `extraction.fill`, and any calls.

Ray is optional, and imported by nothing but the functions here. A *worker* is a process (a Ray
actor) somewhere in the cluster: it loads the encoder once and then makes one clip after another,
straight into the store, so that only the rows of the report travel. The store and the clips must
lie on a disk that all machines see under the same path; that is checked before the work begins.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from nbhelpers.features import extraction
from nbhelpers.features.cluster_errors import ClusterError, cause
from nbhelpers.features.shared_disk import shared
from nbhelpers.features.workers import ATTEMPTS, Worker, WorkerPool


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
    """Put the features of clips into a store, as `extraction.fill`, on the machines of a cluster.

    The encoder goes out with its weights, so that all workers have the same, whatever they could
    have found themselves. A clip that raises what no clip should, or whose worker is lost with it
    in hand, is tried again, `ATTEMPTS` times in all, after the others. A lost worker is replaced
    where there is room. What was made is in the store, so at most the clips in hand are repeated.

    Args:
        table: columns `videoname` and `path`.
        choice: what to make; must pickle, as those of `encoders.load_encoder` do.
        store: folder of the feature files, seen by every machine under this path.
        address: see `connected`.
        workers: how many, each with one clip at a time; 0 is as many as the cluster has room for.
            Where there are more than fit, the others start when machines are added.
        cpus: processors that a worker is given, > 0; as many threads does its encoder take.
        gpus: GPUs that a worker is given, >= 0; a part of one is possible.

    Yields:
        One row of the report per clip, `extraction.REPORT`, as they are done.

    Raises:
        ClusterError: no Ray, no cluster, no room, a machine that does not see the folders, or
            workers that cannot begin.
        StoreError: the store cannot be written.
    """
    store = Path(os.path.abspath(store))
    table = table.assign(path=[os.path.abspath(path) for path in table["path"]])
    with connected(address) as ray, shared(ray, store, paths=table["path"], cpus=cpus) as probe:
        count = min(workers or _room(ray, cpus, gpus), len(table))
        actor = ray.remote(Worker).options(
            num_cpus=cpus, num_gpus=gpus, max_restarts=0, scheduling_strategy="SPREAD"
        )
        arguments = {"probe": probe, "store": store, "reference": [ray.put(choice)], "cpus": cpus}
        pool = WorkerPool(ray, actor, arguments)
        try:
            yield from pool.work(table, count)
        finally:
            pool.kill()


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
        jobs: its argument, one per call.
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
    with connected(address) as ray, shared(ray, folder, paths=[], cpus=cpus):
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
                    yield number, ClusterError(cause(error))


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
    """How many workers the cluster has room for; raises ClusterError where there is no room."""
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
