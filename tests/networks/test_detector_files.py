"""Which detector file is meant."""

import os

import pytest

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.networks import detector_files


def test_which_detector_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    for given in (None, "latest", "bundled"):
        with pytest.raises(UsageError, match="python -m nbhelpers run 03"):
            detector_files.detector_file(given)
    for age, name in ((200, "old"), (100, "new")):
        path = tmp_path / "runs" / name / detector_files.OWN_MODEL
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (10_000 - age, 10_000 - age))
    assert detector_files.detector_file().parent.name == "new"
    bundled = tmp_path / "data" / "detector" / "faces.keras"
    bundled.parent.mkdir(parents=True)
    bundled.touch()
    assert detector_files.detector_file() == detector_files.detector_file("bundled") == bundled
    assert detector_files.detector_file("latest").parent.name == "new"
    with pytest.raises(UsageError, match=r"nothing is at 'no\.keras'"):
        detector_files.detector_file("no.keras")


def test_a_notebook_means_its_own_run_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    own = tmp_path / "mine" / detector_files.OWN_MODEL  # notebook 03 has yet to make it
    for nothing in ("", None):
        assert detector_files.detector_file(nothing, run_folder=tmp_path / "mine") == own
    with pytest.raises(UsageError, match="data/detector"):
        detector_files.detector_file("bundled", run_folder=tmp_path / "mine")
    bundled = tmp_path / "data" / "detector" / "faces.keras"
    bundled.parent.mkdir(parents=True)
    bundled.touch()
    assert detector_files.detector_file("bundled", run_folder=tmp_path / "mine") == bundled
    assert detector_files.detector_file(str(bundled), run_folder=tmp_path / "mine") == bundled
