"""Work on many machines with Ray: the features of `extraction.fill`, and arbitrary calls.

Ray is optional, and imported only by the functions here. A *worker* is a process (a Ray actor)
somewhere in the cluster: it loads the encoder once and then writes the features of one clip after
another directly into the store, so that only the rows of the report travel. The store and the clips
must be on a disk that all machines see under the same path; this is checked before the work begins.
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
    """Join a cluster, or start one on this machine, for the duration of a block.

    Ray's usage reports and its dashboard are switched off.

    Args:
        address: "host:port" of a running cluster, or "auto" for the one this machine belongs to; ""
            takes the variable RAY_ADDRESS, or else starts a cluster on this machine alone. A
            process that is already connected stays connected.

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
    except Exception as error:  # Ray raises all kinds, even bare Exception
        raise ClusterError(
            f"Expected a Ray cluster at {address!r}; received {type(error).__name__}: {error} "
            "Check with `ray status`, or omit --address to use this machine alone."
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
    """Write the features of clips into a store, like `extraction.fill`, but on a cluster.

    The encoder is sent with its weights, so that all workers use the same ones. A clip that raises
    an unexpected error, or whose worker is lost while processing it, is retried after the others,
    up to `ATTEMPTS` attempts in all. A lost worker is replaced if there is room. Finished features
    are in the store, so at most the clips in progress are repeated.

    Args:
        table: columns `videoname` and `path`.
        choice: what to compute; must be picklable, as with encoders from `encoders.load_encoder`.
        store: folder of the feature files, seen by every machine under this path.
        address: see `connected`.
        workers: how many, each with one clip at a time; 0 means as many as the cluster has room
            for. If more are requested, the rest start when machines are added.
        cpus: processors per worker, > 0; its encoder uses as many threads.
        gpus: GPUs per worker, >= 0; fractions are possible.

    Yields:
        One row of the report per clip, `extraction.REPORT`, in order of completion.

    Raises:
        ClusterError: no Ray, no cluster, no room, a machine that does not see the folders, or
            workers that cannot start.
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

    A call whose process or machine is lost is retried, up to `ATTEMPTS` attempts in all.

    Args:
        function: from a module that every machine has.
        jobs: its argument, one per call.
        folder: where the calls store their results; every machine must see it under this path.
        address: see `connected`.
        cpus: processors per call.
        gpus: GPUs per call.

    Yields:
        Number of the job and what the function returned, or a `ClusterError` that says why it did
        not return, in order of completion.

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
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # silences Ray's advice
    try:
        import ray
    except ModuleNotFoundError:
        raise ClusterError(
            "Expected Ray, which the engine 'ray' needs; it is not installed. Install it with "
            "pip install -e '.[cluster]' on every machine, or use the engine 'local'."
        ) from None
    return ray


def _room(ray: Any, cpus: float, gpus: float) -> int:
    """Return how many workers the cluster has room for; raise ClusterError if none."""
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
