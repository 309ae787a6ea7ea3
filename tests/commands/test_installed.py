"""The package in a wheel, away from its project."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nbhelpers.commands import doctor, installed
from nbhelpers.data import locate

PARTS = ("nbhelpers", "pyproject.toml", "README.md", "LICENSE")


def pip(*words):
    words = [sys.executable, "-m", "pip", *words, "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the package installed from a wheel; built of a copy, which building litters."""
    missing = [name for name in ("pip", "setuptools") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"a wheel cannot be built here: {', '.join(missing)} not installed")
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for part in PARTS:
        source = locate.project_root() / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / "source" / part)
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, folder / "source")
    pip("install", "--target", folder / "site", *folder.glob("*.whl"))
    return folder / "site"


def away(site, folder, *words):
    """Run Python with the installed package in a folder without a project."""
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_wheel_has_the_script_and_the_types(site, tmp_path):
    done = away(site, tmp_path, site / "bin" / "nbhelpers", "--help")
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout
    done = away(site, tmp_path, "-c", "import nbhelpers; print(nbhelpers.__file__)")
    assert Path(done.stdout.strip()).parent == site / "nbhelpers"
    assert (site / "nbhelpers" / "py.typed").is_file()
    for name in ("page.css", "page.js"):
        assert (site / "nbhelpers" / "app" / name).is_file()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "01"],
        ["predict", sys.executable],
        ["sweep", "03", "--grid", "grid.yaml"],
        ["check"],
        ["extract"],
    ],
    ids=lambda words: words[0],
)
def test_commands_say_what_is_missing_away_from_the_project(site, tmp_path, words):
    (tmp_path / "grid.yaml").write_text("SEED: [1, 2]\n")
    done = away(site, tmp_path, "-m", "nbhelpers", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Expected")
    assert done.stderr.splitlines()[-1] == installed.NO_PROJECT
    assert [path.name for path in tmp_path.iterdir()] == ["grid.yaml"]


def test_doctor_says_it_too(site, tmp_path):
    code = "from nbhelpers.commands import doctor; print(*doctor.project())"
    done = away(site, tmp_path, "-c", code)
    assert done.stdout.strip() == str((doctor.BAD, installed.NO_PROJECT))


def test_a_working_directory_inside_the_project_is_enough(site, tmp_path):
    (tmp_path / "notebooks" / "deeper").mkdir(parents=True)
    code = "from nbhelpers.commands import doctor; print(*doctor.project())"
    done = away(site, tmp_path / "notebooks" / "deeper", "-c", code)
    assert done.stdout.strip() == str(("ok", str(tmp_path)))
