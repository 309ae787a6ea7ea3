"""The worker pool and the disk probe, with Ray played by this process (see test_cluster)."""

import sys
from collections import Counter
from types import SimpleNamespace

import pandas as pd
import pytest

from nbhelpers.features import shared_disk, workers
from nbhelpers.features.cluster_errors import ClusterError
from nbhelpers.features.shared_disk import Probe
from nbhelpers.features.store import StoreError


class RayError(Exception):
    """A worker is lost."""


class RayTaskError(RayError):
    """The work raised; the worker lives."""

    def __init__(self, cause):
        super().__init__(str(cause))
        self.cause = cause


class Lost(Exception):
    """Raised by a worker that takes its process down."""


class PlayedRay:
    """Calls are made when their answer is fetched, the oldest first."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self):
        self.killed = []

    def wait(self, references, *, timeout):
        return references[:1], references[1:]

    def get(self, reference):
        try:
            return reference()
        except Lost as error:
            raise RayError("the process died") from error
        except Exception as error:
            raise RayTaskError(error) from error

    def kill(self, worker):
        self.killed.append(worker)


class Actor:
    """What `ray.remote` makes of a class: methods with `.remote`, which give references."""

    def __init__(self, worker):
        self.worker = worker

    def remote(self):
        instance = self.worker()

        def method(name):
            return SimpleNamespace(remote=lambda *words: lambda: getattr(instance, name)(*words))

        return SimpleNamespace(initialise=method("initialise"), fill=method("fill"))


def pool_of(fill, *, initialise=lambda: ""):
    worker = type("Worker", (), {})
    worker.initialise = lambda self: initialise()
    worker.fill = lambda self, videoname, path: fill(videoname)
    return workers.WorkerPool(PlayedRay(), Actor(worker), {})


def table(count):
    names = [f"{number}.mp4" for number in range(count)]
    return pd.DataFrame({"videoname": names, "path": names})


def row(videoname):
    return {"videoname": videoname, "readable": True, "reason": ""}


def test_every_clip_gives_a_row_and_all_workers_end():
    pool = pool_of(row)
    assert sorted(one["videoname"] for one in pool.work(table(5), 2)) == [
        f"{number}.mp4" for number in range(5)
    ]
    pool.kill()
    assert len(pool.ray.killed) == 2


def test_a_clip_is_tried_three_times_then_reported_and_a_lost_worker_replaced():
    tries = Counter()

    def fill(videoname):
        tries[videoname] += 1
        if videoname == "1.mp4":
            raise ZeroDivisionError("poison\nmore")
        if videoname == "2.mp4":
            raise Lost
        return row(videoname)

    pool = pool_of(fill)
    rows = {one["videoname"]: one["reason"] for one in pool.work(table(4), 2)}
    assert rows == {
        "0.mp4": "",
        "1.mp4": "ZeroDivisionError: poison (3 attempts)",
        "2.mp4": "its worker was lost (3 attempts)",
        "3.mp4": "",
    }
    assert tries == {"0.mp4": 1, "1.mp4": 3, "2.mp4": 3, "3.mp4": 1}
    assert len(pool.ray.killed) == 3
    assert len(pool.idle) + len(pool.busy) == 2


def test_workers_that_never_initialise_end_the_work():
    def lost():
        raise Lost

    with pytest.raises(ClusterError, match="4 in a row were lost before their first clip"):
        list(pool_of(row, initialise=lost).work(table(1), 1))
    with pytest.raises(ClusterError, match="a worker does not: another disk"):
        list(pool_of(row, initialise=lambda: "another disk").work(table(1), 1))


def test_a_store_that_cannot_be_written_ends_the_work():
    def full(videoname):
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="the disk is full"):
        list(pool_of(full).work(table(3), 1))


def test_a_worker_answers_the_probe_and_loads_what_was_sent(tmp_path, monkeypatch):
    context = SimpleNamespace(get_actor_id=lambda: "7")
    played = SimpleNamespace(get_runtime_context=lambda: context, get=lambda reference: "choice")
    monkeypatch.setitem(sys.modules, "ray", played)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "1")
    probe = Probe.write(tmp_path, [])
    worker = workers.Worker()
    assert worker.initialise(probe, tmp_path, reference=["reference"], cpus=1) == ""
    assert worker.choice == "choice"
    assert len(list(tmp_path.glob("worker-*-7"))) == 1
    probe.note.write_text("another")
    assert "does not see the folder" in worker.initialise(
        probe, tmp_path, reference=["reference"], cpus=1
    )


def test_the_probe_sees_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_disk, "PATIENCE", 0.0)
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"12345")
    (tmp_path / "store").mkdir()
    probe = Probe.write(tmp_path / "store", [str(tmp_path / "none.mp4"), str(clip)])
    assert (probe.clip, probe.size) == (str(clip), 5)
    assert probe.problem_here("here") == ""
    assert probe.answer("here").read_text() == probe.text
    clip.write_bytes(b"1234567")
    assert probe.problem_here("here") == f"it sees another file at {clip}"
    clip.unlink()
    assert "a.mp4" in probe.problem_here("here")
    probe.note.unlink()
    assert probe.problem_here("here") == f"it does not see the folder {tmp_path}"
