"""The first cell on Kaggle and Colab, and who puts it into the notebooks."""

import ast
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import tiny_notebooks as tiny
from packaging.requirements import Requirement

from nbhelpers.common import native_logs
from nbhelpers.data import locate
from tools import command_line, hosted, hosted_setup

ADDRESS = "https://github.com/someone/deepfakes"
SETUP = Path(hosted_setup.__file__).read_text()
PROJECT = """[project]
dependencies = [
    "numpy>=1.26", "scikit-learn>=99", "opencv-python-headless>=4.10,<5", "slow_jpeg>=1.9 ; \
python_version >= '3'", "lime-like", "for-windows ; sys_platform == 'other'",
]"""
NEEDS = {"lime-like": ["numpy", "lazy_one>=2", "opencv-python", "more ; extra == 'all'"]}


class Machine:
    """A machine without nbhelpers, with a pip that works on a list of names.

    Attributes:
        absent: names of the distributions that are not installed.
        unknown: names that pip does not get.
        commands: what was started, word by word.
        quiet: the first place for imports, each time TensorFlow was asked to be quiet.
    """

    def __init__(self, monkeypatch, folder, *, absent=(), unknown=()):
        self.absent, self.unknown, self.commands = set(absent), set(unknown), []
        self.folder, self.quiet = folder, []
        self.mounts = {"/kaggle/input": folder / "none", "/content": folder / "none"}
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.setenv("PYTHONPATH", "before")
        monkeypatch.setattr(native_logs, "quiet_tensorflow", lambda: self.quiet.append(sys.path[0]))
        monkeypatch.setattr(importlib.util, "find_spec", self.find_spec)
        monkeypatch.setattr(importlib.metadata, "requires", self.requires)
        monkeypatch.setattr(subprocess, "run", self.run)
        monkeypatch.setattr(urllib.request, "urlretrieve", self.fetch)

    def find_spec(self, module):
        modules = {name.replace("-", "_") for name in self.absent}
        return None if module == "nbhelpers" or module in modules else object()

    def requires(self, name):
        if name in self.absent:
            raise importlib.metadata.PackageNotFoundError(name)
        return NEEDS.get(name)

    def run(self, words, **_):
        self.commands.append([*map(str, words)])
        if words[0] == "git":
            (words[-1] / "nbhelpers").mkdir(parents=True)
            (words[-1] / "pyproject.toml").write_text(PROJECT)
            return SimpleNamespace(returncode=0)
        names = {
            Requirement(word).name.replace("_", "-")
            for word in words[4:]
            if not word.startswith("-")
        }
        if names & self.unknown:
            return SimpleNamespace(returncode=1)
        self.absent -= names
        return SimpleNamespace(returncode=0)

    @property
    def installs(self):
        """What pip was asked for, command by command, after its options."""
        pip = [words for words in self.commands if words[0] == sys.executable]
        assert all("--no-deps" in words for words in pip)
        return [[word for word in words[4:] if not word.startswith("-")] for words in pip]

    def fetch(self, url):
        path = self.folder.parent / "fetched" / "file.py"
        path.parent.mkdir(exist_ok=True)
        assert url == f"{ADDRESS}/raw/main/tools/hosted_setup.py"
        path.write_text(self.moved(SETUP))
        return str(path), None

    def upload(self, place, *, mount="/content"):
        """Put a copy of the project below a mount; return its folder."""
        self.mounts[mount] = self.folder.parent / "uploads"
        return self.copy(self.folder.parent / "uploads" / place)

    def copy(self, home):
        """Put a copy of the project into a folder."""
        for name in ("tools", "nbhelpers"):
            (home / name).mkdir(parents=True)
        (home / "tools" / "hosted_setup.py").write_text(self.moved(SETUP))
        (home / "pyproject.toml").write_text(PROJECT)
        return home

    def moved(self, text):
        """The same with the mounts of this machine."""
        for mount, place in self.mounts.items():
            text = text.replace(mount, str(place))
        return text.replace('"/kaggle"', repr(str(self.mounts["/kaggle/input"])))

    def run_first_cell(self, address=""):
        exec(self.moved(hosted.first_cell(address)), {})


@pytest.fixture
def working(tmp_path):
    folder = tmp_path / "working"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_first_cell_is_short(address):
    lines = [line for line in hosted.first_cell(address).splitlines() if line and line[0] != "#"]
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 100
    names = {
        node.id
        for node in ast.walk(ast.parse(hosted.first_cell(address)))
        if isinstance(node, ast.Name)
    }
    assert all(name.islower() for name in names)  # capitals are parameters


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_first_cell_only_quiets_tensorflow_where_nbhelpers_is_installed(
    monkeypatch, working, address
):
    machine = Machine(monkeypatch, working)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    before = list(sys.path)
    machine.run_first_cell(address)
    assert (machine.commands, sys.path, list(working.iterdir())) == ([], before, [])
    assert machine.quiet == before[:1]


def test_a_project_that_is_not_there_is_cloned_once(monkeypatch, working):
    (working / "nbhelpers_project.part").mkdir()  # cut off before
    machine = Machine(monkeypatch, working, absent=["lime-like"])
    machine.mounts["/content"] = working  # Colab
    machine.run_first_cell(ADDRESS)
    home = str(working / "nbhelpers_project")
    assert machine.commands[0][:-1] == ["git", "clone", "--quiet", "--depth=1", ADDRESS]
    assert machine.installs == [["lime-like"]]
    assert sys.path[0] == home
    assert os.environ["PYTHONPATH"] == f"{home}{os.pathsep}before"
    assert [path.name for path in working.iterdir()] == ["nbhelpers_project"]
    machine.run_first_cell(ADDRESS)  # the session restarted
    assert len(machine.commands) == 2


@pytest.mark.parametrize("address", ["", ADDRESS])
@pytest.mark.parametrize(
    ("mount", "place"),
    [
        ("/kaggle/input", "deepfakes"),
        ("/kaggle/input", "deepfakes/deepfakes-main"),
        ("/kaggle/input", "datasets/me/deepfakes/deepfakes-main"),
        ("/content", ""),
        ("/content", "deepfakes-main"),
        ("/content", "drive/MyDrive"),
    ],
)
def test_an_upload_is_used_where_it_lies(monkeypatch, working, mount, place, address):
    machine = Machine(monkeypatch, working)
    home = machine.upload(place, mount=mount)
    machine.run_first_cell(address)
    assert machine.commands == []
    assert sys.path[0] == machine.quiet[0] == str(home)
    assert list(working.iterdir()) == []


def test_only_what_is_missing_is_installed_and_never_what_it_requires_and_is_there(
    monkeypatch, working
):
    machine = Machine(monkeypatch, working, absent=["lime-like", "slow-jpeg", "lazy-one"])
    machine.upload("deepfakes")
    machine.run_first_cell()
    first, second = machine.installs
    assert [Requirement(text).name for text in first] == ["slow_jpeg", "lime-like"]
    assert second == ["lazy_one>=2"]  # what the new one needs; any cv2 will do for OpenCV


def test_another_build_of_a_module_counts(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: None)
    there = {"cv2", "PIL", "sklearn"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in there or None)
    for name in ("opencv-python", "OpenCV_contrib.python", "opencv-python-headless", "Pillow"):
        assert hosted_setup.is_here(name)
    there.clear()
    assert hosted_setup.is_here("scikit-learn")  # pip knows it


def test_without_a_network_the_lessons_go_on_with_what_is_there(monkeypatch, working, capsys):
    machine = Machine(monkeypatch, working, absent=["slow-jpeg", "lime-like"])
    machine.unknown = {"slow-jpeg"}
    home = machine.upload("deepfakes", mount="/kaggle/input")
    machine.run_first_cell()
    assert machine.absent == {"slow-jpeg"}  # one that is not had does not keep the others away
    assert sys.path[0] == str(home)
    message = capsys.readouterr().out
    assert "slow_jpeg" in message and "lime-like" not in message
    assert "Settings, Internet, On" in message


@pytest.mark.parametrize("place", ["", "notebooks", "notebooks/appendix"])
def test_at_home_the_folders_above_are_looked_at_and_nothing_is_installed(
    monkeypatch, tmp_path, place, capsys
):
    (folder := tmp_path / "project" / place).mkdir(parents=True)
    machine = Machine(monkeypatch, folder)
    home = machine.copy(tmp_path / "project")
    machine.run_first_cell()
    assert (machine.commands, sys.path[0]) == ([], str(home))
    assert "pip install -e ." in capsys.readouterr().out
    machine.absent = {"lime-like"}
    with pytest.raises(ModuleNotFoundError, match=r"lime-like.*pip install -e \."):
        machine.run_first_cell()
    assert machine.commands == []


def test_the_first_cell_says_what_to_do_where_there_is_no_project(monkeypatch, working):
    with pytest.raises(AssertionError, match=r"upload the project.*pip install -e \."):
        Machine(monkeypatch, working).run_first_cell()


def test_every_requirement_of_the_project_is_recognised_where_it_is_installed():
    import tomllib

    text = (locate.project_root() / "pyproject.toml").read_text()
    requirements = tomllib.loads(text)["project"]["dependencies"]
    assert len(requirements) > 10
    assert hosted_setup.missing(requirements) == []


def test_cell_and_links_are_put_in_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    path = tiny.write(tmp_path / "notebooks", "01_eda", "1")
    before = nbformat.read(path, as_version=4)
    for address in ("", "https://github.com/before/this", f"{ADDRESS}.git"):
        assert command_line.run(hosted, ["--repository", address, "01"]) == 0
    content = nbformat.read(path, as_version=4)
    nbformat.validate(content)
    assert len(content.cells) == len(before.cells) + 1
    assert content.cells[1].source == hosted.first_cell(ADDRESS)
    assert content.cells[0].source.startswith(before.cells[0].source + "\n\n[Open in Colab]")
    assert "before/this" not in path.read_text()
    assert content.cells[0].source.count("someone/deepfakes/blob/main/notebooks/01_eda.ipynb") == 2
    assert command_line.run(hosted, ["01"]) == 0
    content = nbformat.read(path, as_version=4)
    assert [cell.source for cell in content.cells[:2]] == [
        before.cells[0].source,
        hosted.first_cell(),
    ]
    study = tiny.write(tmp_path / "notebooks" / "appendix", "a1_study", "1")
    assert command_line.run(hosted, ["--repository", ADDRESS]) == 0
    for one in (path, study):
        place = one.relative_to(tmp_path)
        assert one.read_text().count(f"someone/deepfakes/blob/main/{place.as_posix()}") == 2
    assert command_line.run(hosted, ["--repository", "ftp://elsewhere"]) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
