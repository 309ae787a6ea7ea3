"""Do all dependencies have wheels for every platform that the project names?"""

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
PURE_PYTHON_WITHOUT_WHEEL = ("lime",)
NO_INDEX = ("failed to fetch", "error sending request", "dns error", "could not connect")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_every_dependency_has_a_wheel(platform, python):
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv")
    command = [uv, "pip", "compile", "--quiet", "--only-binary", ":all:"]
    command += ["--python-platform", platform, "--python-version", python]
    for package in PURE_PYTHON_WITHOUT_WHEEL:
        command += ["--no-binary", package]
    try:
        resolver = subprocess.run(
            [*command, ROOT / "pyproject.toml"], capture_output=True, text=True, timeout=300
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the package index answers too slowly")
    if any(sign in resolver.stderr.lower() for sign in NO_INDEX):
        pytest.skip("the package index is out of reach")
    if "pyenv:" in resolver.stderr:
        pytest.skip("uv does not run here")
    assert resolver.returncode == 0, resolver.stderr
    assert "tensorflow==" in resolver.stdout
