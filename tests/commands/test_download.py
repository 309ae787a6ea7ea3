"""`download`: kagglehub is asked, its refusals are explained."""

import shutil
from types import SimpleNamespace

import pytest

from nbhelpers import __main__ as command
from nbhelpers.commands import download
from nbhelpers.data import locate


def refusal(code):
    error = OSError("refused")
    error.response = SimpleNamespace(status_code=code)
    return error


@pytest.mark.parametrize(
    ("error", "name", "said"),
    [
        (refusal(401), locate.FACES, "Create new token"),
        (refusal(403), locate.FACES, "Open https://www.kaggle.com/datasets/dagnelies"),
        (refusal(403), locate.VIDEOS, "accept the rules"),
        (refusal(404), locate.VIDEOS, "no longer has this data set"),
        (ConnectionError("reset by peer"), locate.FACES, "resumes where it stopped"),
        (
            type("UnauthenticatedError", (Exception,), {})(),
            locate.VIDEOS,
            "did not accept your token",
        ),
        (RuntimeError("odd"), locate.VIDEOS, "RuntimeError: odd"),
    ],
)
def test_refusals_are_explained(error, name, said, monkeypatch, capsys):
    def refuse(name):
        raise error

    monkeypatch.setattr(download, "_fetch", refuse)
    monkeypatch.setattr(download, "check_room", lambda cache, name: None)
    assert command.main(["download", name]) == 1
    assert said in capsys.readouterr().err


def test_room_is_checked_first(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "not" / "yet" / "there"))
    usage = shutil._ntuple_diskusage(0, 0, 10**9)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda place: usage)
    monkeypatch.setattr(download, "_fetch", None)  # must not be reached
    assert command.main(["download", locate.VIDEOS]) == 2
    assert f"{tmp_path} has 1.0 GB" in capsys.readouterr().err


def test_a_download_is_asked_of_kagglehub(monkeypatch, tmp_path, capsys):
    import kagglehub

    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    monkeypatch.setattr(download, "ROOM", dict.fromkeys(download.HANDLES, 0))
    monkeypatch.setattr(kagglehub, "dataset_download", lambda handle: f"/data/{handle}")
    monkeypatch.setattr(kagglehub, "competition_download", lambda handle: f"/comp/{handle}")
    assert command.main(["download", locate.FACES]) == 0
    assert "/data/dagnelies/deepfake-faces" in capsys.readouterr().out
    assert command.main(["download", locate.VIDEOS]) == 0
    assert "/comp/deepfake-detection-challenge" in capsys.readouterr().out
