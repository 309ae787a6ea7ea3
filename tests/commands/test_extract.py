"""`extract` in this process; over Ray it is tested with the cluster."""

import json
import os

import keras
import numpy as np
import pandas as pd
import pytest
from tiny_clips import cut, grey_frames, write_clip

from nbhelpers.__main__ import main, parse
from nbhelpers.data import locate
from nbhelpers.features import encoders, extraction
from nbhelpers.features.store import StoreError
from nbhelpers.media import video
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """A tiny detector file."""
    inputs = keras.layers.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.GlobalAveragePooling2D()(x)
    path = tmp_path_factory.mktemp("detector") / "tiny.keras"
    keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x)).save(path)
    return path


@pytest.fixture
def dataset(tmp_path):
    """Three clips of Kaggle's layout: one good, one cut short, one that is not there."""
    folder = tmp_path / "deepfake-detection-challenge" / "train_sample_videos"
    folder.mkdir(parents=True)
    good = write_clip(folder / "good.mp4", grey_frames(6))
    cut(good, keep=0.5, to=folder / "short.mp4")
    names = ("good.mp4", "short.mp4", "gone.mp4")
    rows = {name: {"label": "REAL", "split": "train", "original": None} for name in names}
    (folder / "metadata.json").write_text(json.dumps(rows))
    return tmp_path


def test_features_are_those_that_the_notebook_finds(dataset, detector, capsys):
    words = ["extract", str(dataset), "--encoder", str(detector), "--frames", "3"]
    store, report = dataset / "store", dataset / "report.csv"
    assert main([*words, "--store", str(store), "--csv", str(report)]) == 1
    said = capsys.readouterr().out
    assert "3 clips: 1 computed, 0 from the store, 2 unreadable" in said
    assert "1 clips without a face: their centre squares were used" in said
    assert "  short.mp4 is truncated" in said
    assert "gone.mp4" in said
    table = pd.read_csv(report).set_index("videoname")
    assert table["readable"].to_dict() == {"good.mp4": True, "gone.mp4": False, "short.mp4": False}
    assert table.loc["good.mp4", ["frames", "crop"]].tolist() == [3, "centre"]
    clips = dataset / "deepfake-detection-challenge" / "train_sample_videos"
    found = extraction.extract(
        pd.DataFrame({"videoname": ["good.mp4"], "path": [str(clips / "good.mp4")]}),
        encoders.load_encoder(str(detector)),
        frames=3,
        margin=-0.1,
        store=store,
    )
    assert found.report["from_store"].all()


def test_any_folder_of_clips_will_do(tmp_path, detector, capsys):
    for name in ("b/one.mp4", "b/deep/two.mp4", ".hidden/three.mp4", "b/.four.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_clip(tmp_path / name, grey_frames(2 + len(name)))
    words = ["--encoder", str(detector), "--store", str(tmp_path / "store"), "--crop", "centre"]
    assert main(["extract", str(tmp_path), *words]) == 0
    assert "2 clips: 2 computed, 0 from the store" in capsys.readouterr().out
    assert main(["extract", str(tmp_path), *words]) == 0
    assert "2 clips: 0 computed, 2 from the store" in capsys.readouterr().out


def test_error_that_no_clip_should_cause_costs_that_clip_only(tmp_path, monkeypatch):
    def decode(path, **options):
        if str(path).endswith("1.mp4"):
            raise MemoryError("too large")
        return read(path, **options)

    class Grey:
        image_size, digest = 16, "grey"

        def predict(self, batch):
            if batch.mean() < 1:
                raise ZeroDivisionError("black")
            return batch.mean(axis=(1, 2))

    read = video.read_frames
    monkeypatch.setattr(video, "read_frames", decode)
    names = ["0.mp4", "1.mp4", "2.mp4"]
    for level, name in enumerate(names):
        write_clip(tmp_path / name, np.full((2, 32, 32, 3), 50 * level, np.uint8))
    table = pd.DataFrame({"videoname": names, "path": [str(tmp_path / name) for name in names]})
    choice = extraction.Choice(Grey(), 2, crop="centre")
    rows = list(extraction.fill(table, choice, store=tmp_path / "store", keep_going=True))
    assert [row["videoname"] for row in rows] == names
    reasons = ["ZeroDivisionError: black", "MemoryError: too large", ""]
    assert [row["reason"] for row in rows] == reasons
    with pytest.raises(ZeroDivisionError):
        list(extraction.fill(table, choice, store=tmp_path / "store"))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Nothing can be written"):
        list(extraction.fill(table[2:], choice, store=tmp_path / "file", keep_going=True))


def test_what_cannot_be_entered_or_read_is_reported(tmp_path, detector, capsys):
    write_clip(tmp_path / "one.mp4", grey_frames(2))
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "nothing.mp4").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe.mp4")
    words = ["--encoder", str(detector), "--store", str(tmp_path / "store"), "--crop", "centre"]
    assert main(["extract", str(tmp_path), *words]) == 1
    said = capsys.readouterr().out
    assert "3 clips: 1 computed, 0 from the store, 2 unreadable" in said
    assert "pipe.mp4: not a file" in said
    assert "nothing.mp4: not a file" in said


def test_report_replaces_an_older_report_only(tmp_path, detector, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    clip = write_clip(tmp_path / "=one.mp4", grey_frames(2))
    words = ["extract", "~", "--encoder", str(detector), "--crop", "centre"]
    words += ["--store", "~/store", "--csv"]
    assert main([*words, "~/report.csv"]) == 0
    assert main([*words, "~/report.csv"]) == 0
    assert not (tmp_path / "~").exists()
    assert pd.read_csv(tmp_path / "report.csv")["videoname"].tolist() == ["'=one.mp4"]
    (tmp_path / "labels.csv").write_text("videoname,label\n=one.mp4,REAL\n")
    capsys.readouterr()
    for name in (clip, tmp_path / "labels.csv"):
        before = name.read_bytes()
        assert main([*words, str(name)]) == 2
        said = capsys.readouterr()
        assert "would be lost" in said.err
        assert "clips" not in said.err  # refused before the work
        assert name.read_bytes() == before
    assert main([*words, str(tmp_path / "labels.csv"), "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere: No such file"),
        (["--frames", "0"], "--frames from 1 to 300"),
        (["--cpus", "nan"], "--cpus from 0.01"),
        (["--encoder", "~no.such.user/x.keras"], "no user on this machine"),
        (["--csv", "/dev/null"], "a pipe or a device"),
        (["--image-size", "20"], "--image-size from 75"),
        (["--workers", "2"], "Add --engine ray"),
        (["--encoder", "ResNet"], "ResNet"),
        (["--encoder", "nowhere.keras"], "Run notebook 03 first"),
    ],
)
def test_what_cannot_be_done_ends_with_2(words, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["extract", *words, "--store", str(tmp_path / "store")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_defaults_are_those_of_notebook_06():
    (notebook,) = select_notebooks(find_notebooks(locate.project_root() / "notebooks"), ["06"])
    chosen = vars(parse(["extract"]))
    names = {
        "encoder": "ENCODER",
        "weights": "WEIGHTS",
        "image_size": "IMAGE_SIZE",
        "crop": "CROP",
        "frames": "FRAMES_PER_CLIP",
        "how": "SAMPLING",
        "margin": "MARGIN",
    }
    ours = {name: chosen[option] for option, name in names.items()}
    assert ours == {name: notebook.defaults[name] for name in names.values()}
