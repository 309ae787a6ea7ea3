"""The first cell on Kaggle and Colab, and who puts it into the notebooks."""

import ast
import importlib.util
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pytest
import tiny_notebooks as tiny

from nbhelpers.data import locate
from tools import command_line, hosted, hosted_setup

ADDRESS = "https://github.com/someone/deepfakes"
SETUP = Path(hosted_setup.__file__).read_text()


def run_first_cell(monkeypatch, folder, *, installed, address=ADDRESS, mounts=None):
    """Execute the cell; return the commands that it gave, and the first place for imports.

    mounts: `/kaggle/input` or `/content` -> the folder that stands for it.
    """
    mounts = {"/kaggle/input": folder / "none", "/content": folder / "none"} | (mounts or {})
    given = []

    def moved(text):
        for mount, place in mounts.items():
            text = text.replace(mount, str(place))
        return text

    def run(words, check):
        given.append([*map(str, words)])
        if words[0] == "git":
            words[-1].mkdir()

    def fetched(url):
        assert url == f"{address}/raw/main/tools/hosted_setup.py"
        path = folder.parent / "fetched.py"
        path.write_text(moved(SETUP))
        return str(path), None

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(urllib.request, "urlretrieve", fetched)
    for place in mounts.values():
        for path in place.rglob("hosted_setup.py") if place.is_dir() else ():
            path.write_text(moved(SETUP))
    exec(moved(hosted.first_cell(address)), {})
    return given, sys.path[0]


@pytest.fixture
def working(tmp_path):
    folder = tmp_path / "working"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_first_cell_is_short(address):
    lines = [line for line in hosted.first_cell(address).splitlines() if line and line[0] != "#"]
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 100
    names = {
        node.id
        for node in ast.walk(ast.parse(hosted.first_cell(address)))
        if isinstance(node, ast.Name)
    }
    assert all(name.islower() for name in names)  # capitals are parameters


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_first_cell_does_nothing_at_home(monkeypatch, working, address):
    given, _ = run_first_cell(monkeypatch, working, installed=True, address=address)
    assert given == []
    assert list(working.iterdir()) == []


def test_the_first_cell_fetches_and_installs_elsewhere(monkeypatch, working):
    (working / "nbhelpers_project.part").mkdir()  # cut off before
    given, first = run_first_cell(monkeypatch, working, installed=False)
    home = str(working / "nbhelpers_project")
    assert given[0] == ["git", "clone", "--quiet", "--depth=1", ADDRESS, f"{home}.part"]
    assert given[1][1:] == ["-m", "pip", "install", "--quiet", "--editable", home]
    assert first == home
    assert [path.name for path in working.iterdir()] == ["nbhelpers_project"]
    again, _ = run_first_cell(monkeypatch, working, installed=False)  # the session restarted
    assert again == given[1:]


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
def test_the_first_cell_takes_an_upload_before_the_repository(
    monkeypatch, tmp_path, working, mount, place, address
):
    tools = tmp_path / "uploads" / place / "tools"
    tools.mkdir(parents=True)
    (tools / "hosted_setup.py").write_text(SETUP)
    (tools.parent / "pyproject.toml").write_text("here")
    mounts = {mount: tmp_path / "uploads"}
    given, first = run_first_cell(
        monkeypatch, working, installed=False, address=address, mounts=mounts
    )
    assert [words[1:4] for words in given] == [["-m", "pip", "install"]]
    assert first == str(working / "nbhelpers_project")
    assert (working / "nbhelpers_project" / "pyproject.toml").read_text() == "here"


def test_the_first_cell_says_what_is_missing(monkeypatch, working):
    with pytest.raises(AssertionError, match="Upload the project"):
        run_first_cell(monkeypatch, working, installed=False, address="")


def test_the_setup_says_what_is_missing(monkeypatch, working):
    monkeypatch.chdir(working)
    monkeypatch.setattr(hosted_setup, "PLACES", (str(working / "none"),))
    with pytest.raises(ModuleNotFoundError, match="upload the project, or name its repository"):
        hosted_setup.install()


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
    assert command_line.run(hosted, ["--repository", "ftp://elsewhere"]) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
