"""Disks that are full or read-only: a clear line, and nothing is half written."""

import json
import os
import subprocess

import pytest
import tiny_notebooks as tiny
from scenes import Project, line_with

FILL = (
    "from pathlib import Path\nbig = Path(OUTPUT_DIR, 'big')\n"
    "if not Path(OUTPUT_DIR, 'room').exists():\n"
    "    with big.open('wb', buffering=0) as file:\n"
    "        while True:\n            file.write(bytes(10_000))"
)


@pytest.fixture
def small_disk(tmp_path):
    """An empty disk of a few megabytes, of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs the program mount")
    if done.returncode:
        pytest.skip(f"needs leave to mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_stops_the_run_and_resume_goes_on(small_disk, tmp_path, told):
    project = Project(tmp_path)
    project.out = small_disk / "out"
    tiny.write(project.notebooks, "01_eda", tiny.saving("01_eda"))
    tiny.write(project.notebooks, "02_cnn", FILL, tiny.saving("02_cnn"))
    code, said = project.run()
    assert code == 1
    assert project.state() == {"01_eda": "done", "02_cnn": "failed"}
    assert "Traceback" not in said
    line = line_with(said, "No space left on device")
    for path in project.out.glob("*.ipynb"):
        json.loads(path.read_text())  # none is half written
    (project.out / "big").unlink()
    (project.out / "room").touch()
    code, said = project.run("--resume")
    assert code == 0, said
    assert "kept, nothing changed" in line_with(said, "01_eda")
    assert project.state() == {"01_eda": "done", "02_cnn": "done"}
    told("disk full", "notebooks that were done; no partial file; `--resume` continues", line)


def test_read_only_folder_is_refused_before_anything_runs(small_disk, tmp_path, told):
    project = Project(tmp_path)
    tiny.write(project.notebooks, "01_eda")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for project.out in (small_disk, small_disk / "new"):
        code, said = project.run()
        assert code == 2
        assert "Read-only file system" in line_with(said, "error:")
    told("read-only output folder", "all; nothing is run", line_with(said, "error:"))


def test_file_in_place_of_the_folder_is_refused(tmp_path, told):
    project = Project(tmp_path)
    tiny.write(project.notebooks, "01_eda")
    project.out.write_text("mine")
    code, said = project.run()
    assert code == 2
    assert project.out.read_text() == "mine"
    told("a file in place of the output folder", "the file", line_with(said, "error:"))


def test_file_that_must_not_grow_stays_as_it_was(tmp_path):
    from tiny_limits import largest_file

    from nbhelpers.common import files

    path = tmp_path / "predictions.csv"
    files.write_text(path, "old")
    with largest_file(1000), pytest.raises(OSError, match="File too large"):
        files.write_text(path, "new" * 1000)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]
