"""Can every platform that the project names install it: as pinned, and with newest versions?"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
]
# Six of the twelve pairs, so that each platform and each Python has its turn.
PYTHONS = ["3.11", "3.12", "3.13", "3.12", "3.13", "3.11"]
PAIRS = list(zip([*PLATFORMS, *PLATFORMS[1:3]], PYTHONS, strict=True))
PURE_PYTHON_WITHOUT_WHEEL = ("lime",)
NO_INDEX = ("failed to fetch", "error sending request", "dns error", "could not connect")


def resolver(*words, platform, python):
    """Ask uv for what one platform would install; only wheels count."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv")
    command = [uv, "pip", *words, "--quiet", "--only-binary", ":all:"]
    command += ["--python-platform", platform, "--python-version", python]
    for package in PURE_PYTHON_WITHOUT_WHEEL:
        command += ["--no-binary", package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index answers too slowly")
    if any(sign in done.stderr.lower() for sign in NO_INDEX):
        pytest.skip("the package index is out of reach")
    if "pyenv:" in done.stderr:
        pytest.skip("uv does not run here")
    return done


def of_lock(requirements, folder):
    """What `pip install --require-hashes` would do: a package that no line pins is an error."""
    return ("install", "--dry-run", "--require-hashes", "--target", folder, "-r", requirements)


@pytest.mark.parametrize(("platform", "python"), PAIRS)
def test_the_lock_has_a_wheel_of_everything(platform, python, tmp_path):
    words = of_lock(ROOT / "requirements.txt", tmp_path)
    done = resolver(*words, platform=platform, python=python)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_newest_versions_have_a_wheel_of_everything(platform):
    done = resolver("compile", ROOT / "pyproject.toml", platform=platform, python="3.13")
    assert done.returncode == 0, done.stderr
    assert "tensorflow==" in done.stdout


def test_a_lock_that_forgets_a_package_is_noticed(tmp_path):
    lock = (ROOT / "requirements.txt").read_text()
    shorter, count = re.subn(r"(?m)^absl-py==.*\n(    --hash.*\n)+", "", lock)
    assert count == 1
    (tmp_path / "requirements.txt").write_text(shorter)
    words = of_lock(tmp_path / "requirements.txt", tmp_path / "target")
    done = resolver(*words, platform=PLATFORMS[0], python="3.12")
    assert done.returncode != 0 and "absl-py" in done.stderr
