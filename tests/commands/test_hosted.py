"""`hosted`: the first cell and the links for Kaggle and Colab."""

import importlib.util
import subprocess
import sys

import nbformat
import pytest
import tiny_notebooks

from nbhelpers import __main__ as command
from nbhelpers.commands import hosted
from nbhelpers.data import locate

ADDRESS = "https://github.com/someone/deepfakes"


def run_first_cell(monkeypatch, folder, *, installed, address=ADDRESS, **places):
    """Executes the cell; returns the commands that it gave, and the first place for imports.

    places: `kaggle` and `colab`, folders that stand for /kaggle/input and /content.
    """

    given = []

    def run(words, check):
        given.append([*map(str, words)])
        if words[0] == "git":
            words[-1].mkdir()

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(subprocess, "run", run)
    cell = hosted.first_cell(address)
    for mount, name in (("/kaggle/input", "kaggle"), ("/content", "colab")):
        assert mount in cell
        cell = cell.replace(mount, str(places.get(name, folder / "none")))
    exec(cell, {})
    return given, sys.path[0]


def test_the_first_cell_does_nothing_at_home(monkeypatch, tmp_path):
    given, _ = run_first_cell(monkeypatch, tmp_path, installed=True)
    assert given == []
    assert list(tmp_path.iterdir()) == []


def test_the_first_cell_fetches_and_installs_elsewhere(monkeypatch, tmp_path):
    (tmp_path / "nbhelpers_project.part").mkdir()  # cut off before
    given, first = run_first_cell(monkeypatch, tmp_path, installed=False)
    home = str(tmp_path / "nbhelpers_project")
    assert given[0] == ["git", "clone", "--quiet", "--depth=1", ADDRESS, f"{home}.part"]
    assert given[1][1:] == ["-m", "pip", "install", "--quiet", "--editable", home]
    assert first == home
    assert [path.name for path in tmp_path.iterdir()] == ["nbhelpers_project"]
    again, _ = run_first_cell(monkeypatch, tmp_path, installed=False)  # the session restarted
    assert again == given[1:]


@pytest.mark.parametrize(
    ("mount", "place"),
    [
        ("kaggle", "deepfakes"),
        ("kaggle", "deepfakes/deepfakes-main"),
        ("kaggle", "datasets/me/deepfakes/deepfakes-main"),
        ("colab", ""),
        ("colab", "deepfakes-main"),
        ("colab", "drive/MyDrive"),
    ],
)
def test_the_first_cell_takes_an_upload_before_the_repository(monkeypatch, tmp_path, mount, place):
    package = tmp_path / "uploads" / place / "nbhelpers"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "pyproject.toml").write_text("here")
    working = tmp_path / "working"
    working.mkdir()
    mounts = {mount: tmp_path / "uploads"}
    given, first = run_first_cell(monkeypatch, working, installed=False, **mounts)
    assert [words[1:4] for words in given] == [["-m", "pip", "install"]]
    assert first == str(working / "nbhelpers_project")
    assert (working / "nbhelpers_project" / "pyproject.toml").read_text() == "here"


def test_the_first_cell_says_what_is_missing(monkeypatch, tmp_path):
    with pytest.raises(ModuleNotFoundError, match="upload the project, or set REPOSITORY"):
        run_first_cell(monkeypatch, tmp_path, installed=False, address="")


def test_cell_and_links_are_put_in_once(tmp_path, monkeypatch, capsys):

    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    path = tiny_notebooks.write(tmp_path / "notebooks", "01_eda", "1")
    before = nbformat.read(path, as_version=4)
    for address in ("", "https://github.com/before/this", f"{ADDRESS}.git"):
        assert command.main(["hosted", "--repository", address, "01"]) == 0
    content = nbformat.read(path, as_version=4)
    nbformat.validate(content)
    assert len(content.cells) == len(before.cells) + 1
    assert content.cells[1].source == hosted.first_cell(ADDRESS)
    assert content.cells[0].source.startswith(before.cells[0].source + "\n\n[Open in Colab]")
    assert "before/this" not in path.read_text()
    assert content.cells[0].source.count("someone/deepfakes/blob/main/notebooks/01_eda.ipynb") == 2
    assert command.main(["hosted", "01"]) == 0
    content = nbformat.read(path, as_version=4)
    assert [cell.source for cell in content.cells[:2]] == [
        before.cells[0].source,
        hosted.first_cell(),
    ]
    assert command.main(["hosted", "--repository", "ftp://elsewhere"]) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
