"""What the notebooks' first cell executes if nbhelpers is not installed.

On Kaggle and Colab it installs the packages that the lessons import and the machine lacks, and
nothing else: their hundreds of packages depend on each other, and replacing one breaks others.
Elsewhere it installs nothing. It uses only the standard library and ``packaging``, which comes with
TensorFlow.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

HOME = "nbhelpers_project"  # folder of the clone, in the working folder
HOSTS = ("/kaggle", "/content")  # folders that only Kaggle and Colab have
MODULES = {  # for distributions whose name differs from their module's
    **dict.fromkeys(["opencv-python", "opencv-python-headless"], "cv2"),  # any build will do
    **dict.fromkeys(["opencv-contrib-python", "opencv-contrib-python-headless"], "cv2"),
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "ipython": "IPython",
}
PIP = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-input", "--disable-pip-version-check"]
PATIENCE = ["--retries=1", "--timeout=5"]  # without a network, retries only waste time


def install(address: str = "") -> None:
    """Make nbhelpers importable, and on Kaggle and Colab install its missing dependencies.

    Args:
        address: where this file was downloaded from, ``https://github.com/OWNER/NAME/raw/…``; "" if
            it is in a copy of the project.

    Raises:
        ModuleNotFoundError: packages are missing on a machine other than Kaggle's or Colab's.
        subprocess.CalledProcessError: git failed.
    """
    home = pathlib.Path(__file__).resolve().parents[1]
    if not (home / "nbhelpers").is_dir():
        home = clone(address)
    project = tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    absent = missing(project["dependencies"])
    if any(map(os.path.isdir, HOSTS)):
        make_importable(home)
        fill(absent)
    elif absent:
        raise ModuleNotFoundError(
            f"Not installed: {', '.join(map(str, absent))}. In a terminal, in {home}: "
            "pip install -e .   Then restart the kernel."
        )
    else:
        make_importable(home)
        print(f"nbhelpers is used from {home}; `pip install -e .` there installs it.")


def fill(absent: list) -> None:
    """Install packages and their missing dependencies; report what could not be installed.

    Args:
        absent: requirements, none of which is installed.
    """
    failed = []
    while absent:
        install_packages(absent)
        failed += [package for package in absent if not is_here(package.name)]
        here = [package.name for package in absent if is_here(package.name)]
        absent = missing(need for name in here for need in needs(name) or [])
    if failed:
        print(
            f"Not installed, because pip failed: {', '.join(map(str, failed))}. Lessons that "
            "need them will stop. On Kaggle: Settings, Internet, On; then run this cell again."
        )


def clone(address: str) -> pathlib.Path:
    """Clone the repository into the working folder, unless it is there already.

    Args:
        address: as for `install`.

    Returns:
        The project's folder.
    """
    home = pathlib.Path(HOME).resolve()
    if not home.is_dir():
        part = home.with_suffix(".part")  # an interrupted clone must not pass for a complete one
        shutil.rmtree(part, ignore_errors=True)
        repository = address.partition("/raw/")[0]
        subprocess.run(["git", "clone", "--quiet", "--depth=1", repository, part], check=True)
        part.rename(home)
    return home


def make_importable(home: pathlib.Path) -> None:
    """Add the project to the import path of this kernel and of its child processes.

    Args:
        home: the project's folder; it may be read-only.
    """
    sys.path.insert(0, str(home))
    paths = [str(home), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def missing(texts) -> list:
    """Return the requirements for which no version is installed.

    Args:
        texts: as in ``pyproject.toml`` and in the metadata of packages.

    Returns:
        Those that apply to this machine and whose package is missing.
    """
    from packaging.requirements import Requirement

    requirements = {text: Requirement(text) for text in texts}.values()
    applicable = [r for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})]
    return [requirement for requirement in applicable if not is_here(requirement.name)]


def is_here(name: str) -> bool:
    """Return whether a distribution, or another one with the same module, is installed.

    Args:
        name: of the distribution.

    Returns:
        True if its module can be imported or pip knows it.
    """
    name = re.sub("[-_.]+", "-", name).lower()
    module = MODULES.get(name, name.replace("-", "_"))
    return importlib.util.find_spec(module) is not None or needs(name) is not None


def needs(name: str) -> list[str] | None:
    """Return the requirements of an installed distribution; None if pip does not know it."""
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return None


def install_packages(requirements: list) -> None:
    """Install packages without their dependencies: all at once, or else one by one.

    Args:
        requirements: none of them is installed.
    """
    texts = [str(requirement) for requirement in requirements]
    if _pip(texts):
        return
    for text in texts if len(texts) > 1 else []:
        _pip([text])


def _pip(texts: list[str]) -> bool:
    command = [sys.executable, *PIP, *PATIENCE, *texts]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    importlib.invalidate_caches()
    return done.returncode == 0
