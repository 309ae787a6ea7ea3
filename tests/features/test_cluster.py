"""Features on a real Ray cluster: two machines, played by two groups of processes on this one."""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny_notebooks as tiny
from tiny_clips import STEP, write_clip

from nbhelpers.__main__ import main
from nbhelpers.data import locate
from nbhelpers.features import cluster, extraction, workers
from nbhelpers.features.cluster_errors import ClusterError
from nbhelpers.features.store import StoreError

HERE = Path(__file__).parents[:3]  # this folder, what tests share, and the project


class Logging:
    """An encoder without a network that notes each picture's clip, and where it was.

    Clips are plain: clip number n has the grey level n * STEP. `deadly` ones kill the process,
    `wrong` ones raise, and every one takes some seconds.
    """

    name, image_size, dim, digest, is_random = "grey", 16, 3, "grey", False

    def __init__(self, log, *, wrong=(), deadly=(), seconds=0.0):
        self.log, self.wrong, self.deadly, self.seconds = Path(log), wrong, deadly, seconds

    def predict(self, batch):
        clip = round(float(batch.mean()) / STEP)
        with self.log.open("a") as file:
            file.write(f"{clip} {node_id()}\n")
        time.sleep(self.seconds)
        if clip in self.deadly:
            os._exit(1)
        if clip in self.wrong:
            raise ZeroDivisionError(f"clip {clip} is poison")
        return batch.mean(axis=(1, 2)).astype(np.float32)

    def noted(self):
        """(clip, machine) of every call so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(int(line.split()[0]), line.split()[1]) for line in lines]


def node_id():
    ray = sys.modules.get("ray")
    return ray.get_runtime_context().get_node_id() if ray and ray.is_initialized() else "here"


class Wrecking(Logging):
    """An encoder under which the store becomes a file."""

    def predict(self, batch):
        store = self.log.parent / "store"
        store.rename(self.log.parent / "gone")
        store.touch()
        return super().predict(batch)


def plain_clips(folder, count):
    """`count` clips of four frames, each of its own grey; their table."""
    folder.mkdir(exist_ok=True)
    levels = (STEP * np.arange(count)).astype(np.uint8)
    paths = [
        write_clip(folder / f"{number}.mp4", np.full((4, 32, 32, 3), level, np.uint8))
        for number, level in enumerate(levels)
    ]
    return pd.DataFrame({"videoname": [path.name for path in paths], "path": map(str, paths)})


def choice(encoder):
    return extraction.Choice(encoder, 2, crop="centre")


def stored(folder):
    """Name -> features of every file in a store."""
    features = {}
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as content:
            features[path.name] = content["values"]
    return features


# ---------------------------------------------------------------- the cluster


def ports():
    """Free ports for a machine's helpers.

    Ray ends where a helper has not named its own port within 15 seconds, as on a busy machine.
    """
    names = ("metrics_agent_port", "metrics_export_port", "runtime_env_agent_port")
    sockets = [socket.socket() for _ in names]
    for one in sockets:
        one.bind(("", 0))
    numbers = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    return numbers


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """A cluster of two machines with one processor each; this process is connected to it."""
    pytest.importorskip("ray")
    quick = tmp_path_factory.mktemp("quick")
    # jsonschema builds a grammar from this package at each import, which takes longer than all of
    # Ray does; every process of the cluster would.
    (quick / "rfc3987_syntax.py").write_text("raise ImportError\n")
    paths = [quick, *HERE, os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)).strip(os.pathsep))
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        from ray.cluster_utils import Cluster

        found = Cluster()
        try:
            add_machine(found, include_dashboard=False)
            add_machine(found)
            with cluster.connected(found.address):
                yield found
        finally:
            found.shutdown()


def add_machine(machines, **options):
    """One more machine with one processor. Ray gives it 30 seconds, which may be too few."""
    for attempt in range(3):
        try:
            return machines.add_node(num_cpus=1, **options, **ports())
        except Exception as error:  # Ray's own class is no narrower
            if "timed out" not in str(error) or attempt == 2:
                raise


def test_features_are_those_of_one_machine(machines, tmp_path, capsys):
    import keras  # here, since the workers import this file

    table = plain_clips(tmp_path / "clips", 4)
    (tmp_path / "clips" / "broken.mp4").write_text("no video")
    inputs = keras.layers.Input((20, 20, 3))
    x = keras.layers.Conv2D(5, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.save(tmp_path / "detector.keras")
    words = ["extract", str(tmp_path / "clips"), "--encoder", str(tmp_path / "detector.keras")]
    words += ["--crop", "centre", "--frames", "3"]
    here, there = tmp_path / "here", tmp_path / "there"
    assert main([*words, "--store", str(here)]) == 1
    csv = ["--csv", str(tmp_path / "report.csv")]
    assert main([*words, "--store", str(there), "--engine", "ray", *csv]) == 1
    said = capsys.readouterr()
    assert "5 clips: 4 computed, 0 from the store, 1 unreadable" in said.out
    assert "5/5" in said.err
    report = pd.read_csv(tmp_path / "report.csv").set_index("videoname")
    assert report["readable"].to_dict() == {"broken.mp4": False} | dict.fromkeys(
        table["videoname"], True
    )
    assert "not a video" in report.loc["broken.mp4", "reason"]
    ours, theirs = stored(here), stored(there)
    assert len(ours) == 4
    assert ours.keys() == theirs.keys()
    assert sum(values.any() for values in ours.values()) == 3  # one clip is black
    for name in ours:
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-6, atol=1e-7)
    assert not list(there.glob(".*"))
    # Either finds what the other made.
    assert main([*words, "--store", str(there)]) == 1
    assert main([*words, "--store", str(here), "--engine", "ray", "--workers", "1"]) == 1
    assert capsys.readouterr().out.count("0 computed, 4 from the store") == 2


def test_poison_does_not_stop_the_rest(machines, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "SILENCE", 0.1)  # silence is logged, and changes nothing
    table = plain_clips(tmp_path / "clips", 8)
    encoder = Logging(tmp_path / "log", wrong=[2], deadly=[5])
    rows = list(cluster.fill(table, choice(encoder), store=tmp_path / "store"))
    report = pd.DataFrame(rows, columns=extraction.REPORT).set_index("videoname").sort_index()
    assert report.index.tolist() == table["videoname"].tolist()
    reasons = report.loc[~report["readable"], "reason"].to_dict()
    assert reasons == {
        "2.mp4": "ZeroDivisionError: clip 2 is poison (3 attempts)",
        "5.mp4": "its worker was lost (3 attempts)",
    }
    assert len(stored(tmp_path / "store")) == 6
    assert Counter(clip for clip, _ in encoder.noted()) == {
        clip: 3 if clip in (2, 5) else 1 for clip in range(8)
    }


def test_killed_machine_loses_nothing_and_repeats_what_was_in_hand(machines, tmp_path):
    doomed = add_machine(machines)
    table = plain_clips(tmp_path / "clips", 24)
    encoder = Logging(tmp_path / "log", seconds=0.3)
    rows = []
    for row in cluster.fill(table, choice(encoder), store=tmp_path / "store"):
        rows.append(row)
        if doomed and doomed.node_id in dict(map(reversed, encoder.noted())):
            assert len(rows) < 20
            machines.remove_node(doomed, allow_graceful=False)
            killed, doomed = doomed.node_id, None
    assert doomed is None
    assert sorted(row["videoname"] for row in rows) == sorted(table["videoname"])
    assert all(row["readable"] for row in rows)
    noted = encoder.noted()
    times = Counter(clip for clip, _ in noted)
    assert times.keys() == set(range(24))
    repeated = [clip for clip, count in times.items() if count > 1]
    in_hand = [clip for clip, machine in noted if machine == killed][-1:]
    assert set(repeated) <= set(in_hand)
    assert len(noted) <= 24 + 1
    assert noted[-1][1] != killed
    again = Logging(tmp_path / "none")
    found = extraction.extract(
        table, again, frames=2, crop="centre", margin=0, store=tmp_path / "store"
    )
    assert found.report["from_store"].all()
    assert again.noted() == []


def test_folders_that_are_not_shared_are_refused(machines, tmp_path, monkeypatch):
    table = plain_clips(tmp_path / "clips", 2)
    encoder = Logging(tmp_path / "log")
    monkeypatch.chdir(tmp_path)  # this process is elsewhere than the workers are
    mine = Path("/proc/self/cwd")
    if not mine.exists():
        pytest.skip("no /proc: no path that means another folder in another process")
    with pytest.raises(ClusterError, match=r"it does not see the folder .*the engine 'local'"):
        list(cluster.fill(table, choice(encoder), store=mine / "store"))
    table["path"] = [str(mine / "clips" / name) for name in table["videoname"]]
    with pytest.raises(ClusterError, match=r"machine [\d.]+ does not: .*clips/0\.mp4"):
        list(cluster.fill(table, choice(encoder), store=tmp_path / "store"))
    assert encoder.noted() == []
    assert stored(tmp_path / "store") == {}


def test_store_that_cannot_be_written_ends_the_work(machines, tmp_path):
    table = plain_clips(tmp_path / "clips", 3)
    with pytest.raises(StoreError, match="Nothing can be written into"):
        list(cluster.fill(table, choice(Wrecking(tmp_path / "log")), store=tmp_path / "store"))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Nothing can be written into"):
        list(cluster.fill(table, choice(Logging(tmp_path / "log")), store=tmp_path / "file"))


def test_too_large_workers_are_refused_at_once(machines, tmp_path):
    table = plain_clips(tmp_path / "clips", 1)
    for wish in ({"cpus": 2}, {"gpus": 1}):
        with pytest.raises(ClusterError, match=r"room for a worker of .* Ask for less"):
            list(cluster.fill(table, choice(Logging(tmp_path / "log")), store=tmp_path, **wish))


def test_sweep_runs_over_the_cluster(machines, tmp_path, monkeypatch, capsys):
    saving = tiny.saving("03_net")
    tiny.write(tmp_path / "notebooks", "03_net", "1 / RATE", saving, parameters="RATE = 0  # r\n")
    (tmp_path / "grid.yaml").write_text("RATE: [1, 0]\n")
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    words = ["sweep", "03", "--grid", str(tmp_path / "grid.yaml"), "--engine", "ray"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "[2/2]" in said.err
    assert "ZeroDivisionError" in said.out
    assert said.out.count("0.750 [0.650, 0.850]") == 4  # the model that was not divided by zero


# ---------------------------------------------------------------- without Ray

WITHOUT = """
import sys
sys.modules["ray"] = None  # importing it raises ModuleNotFoundError, as where it is missing
import importlib, pandas as pd, pathlib, pkgutil, nbhelpers, nbhelpers.commands
for one in pkgutil.iter_modules(nbhelpers.commands.__path__):
    importlib.import_module(f"nbhelpers.commands.{one.name}")
from test_cluster import Logging, choice
from nbhelpers.features import cluster, extraction
table = pd.DataFrame({"videoname": ["a"], "path": [sys.argv[1]]})
encoder = Logging(sys.argv[1] + ".log")
print([row["reason"] for row in extraction.fill(table, choice(encoder), store=sys.argv[2])])
try:
    next(cluster.fill(table, choice(encoder), store=sys.argv[2]))
except cluster.ClusterError as error:
    print(error)
"""


def test_nothing_else_needs_ray_and_its_absence_is_told(tmp_path):
    path = plain_clips(tmp_path / "clips", 1)["path"][0]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, HERE))}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, path, str(tmp_path / "store")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert first == "['']"
    assert "not installed" in second
    assert "pip install -e '.[cluster]'" in second
