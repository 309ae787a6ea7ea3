"""`doctor`: what this machine has, and what it lacks."""

import argparse
import re
import tomllib

import pytest

from nbhelpers import __main__ as command
from nbhelpers.commands import doctor
from nbhelpers.data import locate


def test_doctor_finds_this_machine_fit(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert command.main(["doctor", "--offline"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^ok  ffmpeg +\S+, writes H.264$", text, re.MULTILINE)
    assert re.search(r"^ok  face finder +1 face found", text, re.MULTILINE)
    assert "Xception: nowhere in caches" in text
    assert "bundled sample" in text
    assert "Nothing needs fixing." in text


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0)])
def test_doctor_stops_at_a_python_that_tensorflow_does_not_know(monkeypatch, version):
    monkeypatch.setattr(doctor.sys, "version_info", version)
    [(mark, text)] = doctor.python()
    assert mark == "!!" and "3.11 to 3.13" in text


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_doctor_takes_each_python_that_the_project_names(monkeypatch, minor):
    monkeypatch.setattr(doctor.sys, "version_info", (3, minor, 0))
    assert [mark for mark, _ in doctor.python()] == ["ok"]


def test_the_limits_of_python_stand_alike_in_all_places():
    root = locate.project_root()
    (_, lowest), (_, above) = doctor.PYTHONS
    minors = range(lowest, above)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">=3.{lowest},<3.{above}"
    assert (
        f"(3, {lowest}) <= sys.version_info[:2] < (3, {above})" in (root / "Makefile").read_text()
    )
    workflow = (root / ".github" / "workflows" / "ci.yml").read_text()
    matrix = ", ".join(f'"3.{minor}"' for minor in minors)
    assert f"python-version: [{matrix}]" in workflow
    binder = (root / "runtime.txt").read_text().strip()
    assert binder in {f"python-3.{minor}" for minor in minors}


def test_doctor_names_what_does_not_fit(monkeypatch, capsys):
    wanted = ["numpy>=99", "no_such_thing>=1", "pandas", 'other; extra == "dev"']
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: wanted)
    marks = [mark for mark, _ in doctor.packages()]
    assert marks == ["!!", "!!", "ok"]


def test_doctor_takes_any_build_of_opencv(monkeypatch):
    def version(name):
        if name != "opencv-contrib-python":
            raise doctor.importlib.metadata.PackageNotFoundError(name)
        return "4.14.0.1"

    wanted = ["opencv-python-headless>=4.10,<5"]
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    assert [mark for mark, _ in doctor.packages()] == ["ok"]


def test_doctor_lists_licences(capsys):
    assert command.main(["doctor", "--licences"]) == 0
    lines = capsys.readouterr().out.splitlines()
    stated = {line.split()[0]: line for line in lines}
    assert "MIT" in stated["pytest"]
    assert lines == sorted(lines, key=str.lower)
    assert all(len(line.split()) >= 3 for line in lines)  # name, version, licence or "not stated"


def test_doctor_survives_what_it_finds(monkeypatch, capsys):
    def broken():
        raise OSError("no such program")

    for look in ("packages", "gpu", "face_finder", "data"):
        monkeypatch.setattr(doctor, look, lambda: iter([]))
    monkeypatch.setattr(doctor, "ffmpeg", broken)
    assert doctor.main(argparse.Namespace(offline=True, licences=False)) == 1
    assert "!!  ffmpeg            OSError: no such program" in capsys.readouterr().out
