"""Do all machines of a cluster see the same disk?

A probe is a note in the store and the size of one clip. Every machine compares them with what it
sees and answers with a file of its own, which must in turn become visible here.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbhelpers.common import files
from nbhelpers.features.cluster_errors import ClusterError, cause
from nbhelpers.features.store import StoreError

PATIENCE = 3.0  # seconds that a network disk may take to show a file written elsewhere


@dataclass(frozen=True)
class Probe:
    """What every machine must see.

    Attributes:
        note: a file in the store.
        text: its content.
        clip: path of a clip; "" for none.
        size: of the clip, in bytes.
    """

    note: Path
    text: str
    clip: str
    size: int

    @classmethod
    def write(cls, folder: Path, paths: Iterable[str]) -> Probe:
        """Write the note into a folder, and read the size of the first clip that exists."""
        text = os.urandom(16).hex()
        files.write_text(folder / "note", text)
        clip = next((path for path in paths if os.path.isfile(path)), "")
        return cls(folder / "note", text, clip, os.path.getsize(clip) if clip else 0)

    def answer(self, name: str) -> Path:
        """Name the file with which a machine or a worker answers the note."""
        return self.note.with_name(name)

    def problem_here(self, name: str) -> str:
        """Say what this machine does not see; "" if it sees everything and has answered."""
        try:
            if not _appears(self.note) or self.note.read_text() != self.text:
                return f"it does not see the folder {self.note.parent.parent}"
            if self.clip and os.path.getsize(self.clip) != self.size:
                return f"it sees another file at {self.clip}"
            files.write_text(self.answer(name), self.text)
        except OSError as error:
            return str(error)
        return ""


@contextmanager
def shared(ray: Any, store: Path, *, paths: Iterable[str], cpus: float) -> Iterator[Probe]:
    """Keep a probe in a folder for the duration of a block, once all machines have answered it.

    Args:
        ray: the module, connected.
        store: the folder; created if missing.
        paths: of clips, absolute.
        cpus: processors that a worker needs; machines with fewer are not asked.

    Yields:
        The probe, for the workers.

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
    with folder as path:
        probe = Probe.write(Path(path), paths)
        _check_machines(ray, probe, cpus)
        yield probe


def not_shared(who: str, problem: str) -> ClusterError:
    """Build the error for a machine or a worker that does not see everything.

    Args:
        who: "the machine 10.0.0.7" or "a worker".
        problem: from `Probe.problem_here`, or why it could not be asked.

    Returns:
        The error, to be raised.
    """
    return ClusterError(
        f"Expected machines that see the clips and the store under the same paths, and have this "
        f"package; {who} does not: {problem}. Put both on a disk shared by all machines, or use "
        "the engine 'local'."
    )


def _check_machines(ray: Any, probe: Probe, cpus: float) -> None:
    """Check every machine that may get workers; raise ClusterError for the first that fails."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as At

    nodes = {
        node["NodeID"]: node["NodeManagerAddress"]
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= cpus
    }
    ask = ray.remote(_problem_here)
    asked = {
        node: ask.options(num_cpus=0, scheduling_strategy=At(node, soft=False)).remote(probe, node)
        for node in nodes
    }
    for node, reference in asked.items():
        try:
            problem = ray.get(reference)
        except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
            continue  # a machine that has just left: no worker will start there
        except ray.exceptions.RayError as error:
            problem = cause(error)
        if not problem and not _appears(probe.answer(node)):
            problem = "its files in the store are not visible here"
        if problem:
            raise not_shared(f"the machine {nodes[node]}", problem)


def _problem_here(probe: Probe, name: str) -> str:
    return probe.problem_here(name)


def _appears(path: Path) -> bool:
    """Whether a file exists, or appears within `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
