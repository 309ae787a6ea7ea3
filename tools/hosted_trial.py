"""Kaggle and Colab rebuilt from lists of versions, to check that the notebooks run there."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import plain_yaml
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks
from tools import command_line, hosted

HELP = "rebuild Kaggle or Colab, run notebooks there, compare the packages before and after"
EXAMPLES = """
examples:
  python -m tools.hosted_trial kaggle --python python3.12          01, 02 and 05 in smoke size
  python -m tools.hosted_trial colab 01 --python python3.13
  python -m tools.hosted_trial kaggle 01 --environment somewhere   in an existing environment
  python -m tools.hosted_trial kaggle 01 02 --offline              as in Kaggle's competitions

Installs TensorFlow and the other packages in the platform's list in tools/platforms/ (two
gigabytes, a few minutes), puts a copy of the project where the platform mounts uploads, and runs
the notebooks with this environment's papermill and the new environment's kernel.
Exit code: 0 all ran, no installed package has changed, and `pip check` has no new complaint;
1 otherwise; 2 nothing was tried.
"""
MOUNTS = {"kaggle": "kaggle/input/deepfakes", "colab": "content/deepfakes"}
KERNEL = "hosted"
COPIED = ("nbhelpers", "tools", "notebooks", "data/sample", "data/detector", "pyproject.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument("platform", choices=sorted(MOUNTS))
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, …, a1, … or names (01 02 05)"
    )
    parser.add_argument(
        "--python", default=sys.executable, help="program to build the environment with"
    )
    parser.add_argument(
        "--environment", metavar="FOLDER", help="an existing environment (a new one is built)"
    )
    parser.add_argument("--offline", action="store_true", help="as with the internet switched off")


def main(chosen: argparse.Namespace) -> int:
    """Build, run, compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = Path(chosen.environment or folder / "environment").absolute() / "bin" / "python"
        if not chosen.environment:
            build(chosen.python, python.parents[1], platform=chosen.platform)
        packages, complaints = packages_of(python), complaints_of(python)
        home = upload(folder, MOUNTS[chosen.platform])
        wanted = chosen.notebooks or ["01", "02", "05"]
        failed = run(home, folder, python=python, wanted=wanted, offline=chosen.offline)
        seconds, noise = first_cells(folder / "working"), written_to_stderr(folder / "working")
        changed, added = compare(packages, packages_of(python))
        worse = sorted(complaints_of(python) - complaints)
    print(f"added: {', '.join(added) or 'nothing'}")
    print(f"changed or gone: {', '.join(changed) or 'nothing'}")
    print(f"new complaints of pip check: {'; '.join(worse) or 'none'}")
    print(f"seconds of the first cells: {', '.join(map('{:.1f}'.format, seconds))}")
    print("written to stderr:", *(noise or ["nothing"]), sep="\n  ")
    print(f"notebooks that failed: {', '.join(failed) or 'none'}")
    return int(bool(changed or worse or failed))


def build(python: str, environment: Path, *, platform: str) -> None:
    """Create an environment with the packages of a platform's list.

    Args:
        python: interpreter of the version in the list's first line.
        environment: folder to create.
        platform: a key of ``MOUNTS``.

    Raises:
        UsageError: another version of Python.
    """
    packages = locate.project_root() / "tools" / "platforms" / f"{platform}.txt"
    wanted = packages.read_text(encoding="utf-8").splitlines()[0].removeprefix("# python ")
    words = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    if version != wanted:
        raise UsageError(
            f"Expected Python {wanted} for {platform}; received {version}. Name one with --python."
        )
    subprocess.run([python, "-m", "venv", environment], check=True)
    install = ["-m", "pip", "install", "--quiet", "--requirement", packages]
    subprocess.run([environment / "bin" / "python", *install], check=True)


def upload(folder: Path, place: str) -> Path:
    """Copy the project to where a platform mounts it, below a folder instead of the root.

    Args:
        folder: stands for the root.
        place: the mount, relative to it.

    Returns:
        The copy. Its first cells and their program look below ``folder``.
    """
    home = folder / place
    for part in map(Path, COPIED):
        source = locate.project_root() / part
        if source.is_dir():
            shutil.copytree(source, home / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy(source, home / part)
    for path in [*home.glob("notebooks/**/*.ipynb"), home / "tools" / "hosted_setup.py"]:
        text = path.read_text(encoding="utf-8")
        for root in ("/kaggle", "/content"):
            text = text.replace(f'"{root}', f'"{folder}{root}').replace(
                f'\\"{root}', f'\\"{folder}{root}'
            )
        path.write_text(text, encoding="utf-8")
    return home


def run(
    home: Path, folder: Path, *, python: Path, wanted: list[str], offline: bool = False
) -> list[str]:
    """Run notebooks in smoke size, in a working folder beside the upload.

    Args:
        home: the uploaded project.
        folder: for the kernel's description and the results.
        python: of the platform.
        wanted: numbers or names of notebooks.
        offline: whether pip has no network, as in Kaggle's competitions.

    Returns:
        Names of those that failed.
    """
    spec = {"argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
    kernel = folder / "jupyter" / "kernels" / KERNEL / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(spec | {"display_name": KERNEL, "language": "python"}))
    (working := folder / "working").mkdir()
    environment = _environment()
    environment["JUPYTER_PATH"] = str(folder / "jupyter")
    if offline:
        environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    sizes = plain_yaml.read_file(home / "notebooks/profiles/smoke.yaml", what="a profile")
    failed = []
    for notebook in select_notebooks(find_notebooks(home / "notebooks"), wanted):
        words = [sys.executable, "-m", "papermill", str(notebook.path), f"{notebook.stem}.ipynb"]
        words += ["--kernel", KERNEL, "--no-progress-bar"]
        for name, value in (sizes.get(notebook.stem) or {}).items():
            words += ["-y", json.dumps({name: value})]
        if subprocess.run(words, cwd=working, env=environment, check=False).returncode:
            failed.append(notebook.stem)
    return failed


def first_cells(folder: Path) -> list[float]:
    """Return the seconds that the notebooks' first cells took; the first one installs packages.

    Args:
        folder: of notebooks that papermill has executed, in the order of their names.
    """
    cells = [cell for path in sorted(folder.glob("*.ipynb")) for cell in cells_of(path)]
    first = [cell for cell in cells if cell.get("id") == hosted.CELL_ID]
    return [cell["metadata"]["papermill"]["duration"] or 0.0 for cell in first]


def written_to_stderr(folder: Path) -> list[str]:
    """Return standard error output that readers would see, each with its notebook's name."""
    return [
        f"{path.stem}: {line}"
        for path in sorted(folder.glob("*.ipynb"))
        for cell in cells_of(path)
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
        for line in "".join(output["text"]).splitlines()
    ]


def cells_of(path: Path) -> list[dict]:
    """Return the cells of a notebook's file."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def packages_of(python: Path) -> dict[str, str]:
    """Return name -> version of the packages installed for an interpreter."""
    words = [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = subprocess.run(
        words, check=True, capture_output=True, text=True, env=_environment()
    ).stdout
    return {package["name"]: package["version"] for package in json.loads(listed)}


def complaints_of(python: Path) -> set[str]:
    """Return the complaints of `pip check`."""
    words = [python, "-m", "pip", "check"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=_environment())
    return set(done.stdout.splitlines()) if done.returncode else set()


def _environment() -> dict[str, str]:
    """Return the environment variables without the one that exposes this machine's packages."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def compare(before: dict[str, str], after: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the differences between two lists of packages.

    Args:
        before: name -> version.
        after: likewise.

    Returns:
        Packages with another version or removed, and new ones, as text.

    >>> compare({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"})
    (['b 1 -> 2', 'c 1 -> gone'], ['d 1'])
    """
    later_versions = {name: after.get(name, "gone") for name in before}
    changed = [f"{n} {before[n]} -> {now}" for n, now in later_versions.items() if now != before[n]]
    added = [f"{name} {version}" for name, version in after.items() if name not in before]
    return changed, added


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
