"""Platforms that are set up from files here: what those files name exists."""

import json
import re
import sys
import tomllib
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from tools import hosted_trial

ROOT = locate.project_root()
PYTHONS = SpecifierSet(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
)


@pytest.mark.parametrize("platform", sorted(hosted_trial.MOUNTS))
def test_lists_of_platforms_are_requirements_for_a_python_that_we_support(platform):
    first, *lines = (ROOT / "tools" / "platforms" / f"{platform}.txt").read_text().splitlines()
    assert first.removeprefix("# python ") in PYTHONS
    names = {Requirement(line).name for line in lines if not line.startswith("#")}
    assert {"tensorflow", "ipykernel"} < names
    assert not names & {"simplejpeg"}  # what there is to install


def test_another_python_than_the_platforms_is_refused(tmp_path, monkeypatch):
    answer = SimpleNamespace(stdout="3.9\n")
    monkeypatch.setattr(hosted_trial.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(UsageError, match=r"3\.12 for kaggle; received 3\.9"):
        hosted_trial.build(sys.executable, tmp_path / "new", platform="kaggle")
    assert not (tmp_path / "new").exists()


def test_an_upload_looks_for_itself_below_the_folder(tmp_path):
    home = hosted_trial.upload(tmp_path, hosted_trial.MOUNTS["kaggle"])
    cells = json.loads((home / "notebooks" / "01_eda.ipynb").read_text())["cells"]
    first = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for text in (first, (home / "tools" / "hosted_setup.py").read_text()):
        assert f'"{tmp_path}/kaggle' in text and f'"{tmp_path}/content' in text
        assert not re.search(r'"/(kaggle|content)', text)
    assert (home / "data" / "sample").is_dir()


def test_the_container_is_set_up_with_a_python_that_we_support():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert re.fullmatch(r"python:([\d.]+)-\w+", settings["image"])[1] in PYTHONS
    program, target = settings["postCreateCommand"].split()
    assert program == "make"
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_what_the_first_cell_took_and_what_stands_below_cells_is_read_from_the_notebooks(tmp_path):
    first = {"id": "hosted00", "metadata": {"papermill": {"duration": 3.25}}, "outputs": []}
    text = {"output_type": "stream", "name": "stderr", "text": ["one\n", "two"]}
    result = {"output_type": "stream", "name": "stdout", "text": "three"}
    second = {"id": "a", "metadata": {"papermill": {"duration": 9}}, "outputs": [text, result]}
    prose = {"id": "b", "metadata": {}}
    (tmp_path / "01.ipynb").write_text(json.dumps({"cells": [prose, first, second]}))
    (tmp_path / "02.ipynb").write_text(json.dumps({"cells": [prose, first]}))
    assert hosted_trial.first_cells(tmp_path) == [3.25, 3.25]
    assert hosted_trial.written_to_stderr(tmp_path) == ["01: one", "01: two"]
