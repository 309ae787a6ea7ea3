"""The two lock files: what a run needs, and what the tests need in addition."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from tools import command_line

HELP = "regenerate requirements.txt and requirements-dev.txt from pyproject.toml"
EXAMPLES = """
examples:
  python -m tools.lock             keep existing pins, add what is missing
  python -m tools.lock --upgrade   take the newest versions

Needs uv (`pip install uv`). Both files list the hash of every file and suit all platforms.
Exit code: 0 written, 2 nothing written (no uv, or no compatible versions).
"""
RUN = ("run", "lab", "kaggle")  # extras of requirements.txt
DEV = ("dev", "book")  # additional extras of requirements-dev.txt
HEAD = """\
# What a run needs: nbhelpers[run,lab,kaggle], pinned with hashes, for Linux, macOS and Windows.
# Made from pyproject.toml by `make lock`; do not edit by hand.
"""
HEAD_DEV = """\
# What the tests and the course site need in addition. Made from pyproject.toml by `make lock`; do
# not edit by hand.
-r requirements.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")


def main(chosen: argparse.Namespace) -> int:
    """Write both files."""
    root = locate.project_root()
    run, dev = root / "requirements.txt", root / "requirements-dev.txt"
    pins = "\n".join(path.read_text(encoding="utf-8") for path in (run, dev) if path.is_file())
    pins = pins.replace("-r requirements.txt\n", "")
    for_run = compiled(root, RUN, pins="" if chosen.upgrade else pins)
    everything = compiled(root, (*RUN, *DEV), pins=for_run if chosen.upgrade else for_run + pins)
    files.write_text(run, HEAD + for_run)
    files.write_text(dev, HEAD_DEV + without(everything, for_run))
    return 0


def compiled(root: Path, extras: tuple[str, ...], *, pins: str) -> str:
    """Resolve the project's dependencies.

    Args:
        root: folder of pyproject.toml.
        extras: of the project.
        pins: text of a requirements file whose versions are preferred.

    Returns:
        Text of a requirements file.

    Raises:
        UsageError: there is no uv, or it finds no versions.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "requirements.txt"
        target.write_text(pins, encoding="utf-8")
        words = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
        words += ["--no-annotate", "--no-emit-index-url", "--quiet", "--output-file", str(target)]
        words += [word for extra in extras for word in ("--extra", extra)]
        try:
            subprocess.run(["uv", "pip", "compile", *words, "pyproject.toml"], cwd=root, check=True)
        except FileNotFoundError:
            raise UsageError("Expected uv; it is not installed. Use `pip install uv`.") from None
        except subprocess.CalledProcessError:
            raise UsageError("Expected compatible versions; see uv's message above.") from None
        return target.read_text(encoding="utf-8")


def without(requirements: str, others: str) -> str:
    r"""Leave out the packages that another file pins.

    Args:
        requirements: text of a requirements file.
        others: of the other.

    Returns:
        The rest of the first.

    >>> without("a==1 \\n    --hash=x\nb==2 \\n    --hash=y\n", "a==1 \\n    --hash=x\n")
    'b==2 \\n    --hash=y\n'
    """
    pinned = {block.partition(" ")[0] for block in blocks(others)}
    return "".join(block for block in blocks(requirements) if block.partition(" ")[0] not in pinned)


def blocks(requirements: str) -> list[str]:
    """Split a requirements file into its packages, each with its hashes."""
    packages: list[str] = []
    for line in requirements.splitlines(keepends=True):
        if line.startswith((" ", "\t")) and packages:
            packages[-1] += line
        elif line.strip() and not line.startswith("#"):
            packages.append(line)
    return packages


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
