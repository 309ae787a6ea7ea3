"""What the notebooks' first cell carries out on Kaggle and Colab: it installs nbhelpers there.

Standard library only: nothing of the project is there yet. The cell finds this file in a copy of
the project that was uploaded, or fetches it from the repository.
"""

import glob
import pathlib
import shutil
import subprocess
import sys

HOME = "nbhelpers_project"  # folder of the copy that is installed, in the working folder
PLACES = ("/kaggle/input/**", "/content", "/content/*", "/content/*/*")  # deeper: a whole Drive
THIS = "/tools/hosted_setup.py"


def install(address: str = "") -> None:
    """Install nbhelpers, with the sample and everything else that the notebooks need.

    Args:
        address: where this file was fetched from, ``https://github.com/OWNER/NAME/raw/…``; "" where
            no repository is known.

    Raises:
        ModuleNotFoundError: no copy was uploaded, and no repository is known.
        subprocess.CalledProcessError: git or pip failed.
    """
    home = pathlib.Path(HOME).resolve()
    if not home.is_dir():
        part = home.with_suffix(".part")  # so that a copy that was cut off is not taken for whole
        shutil.rmtree(part, ignore_errors=True)
        fetch_project(part, address)
        part.rename(home)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--editable", str(home)]
    subprocess.run(command, check=True)
    sys.path.insert(0, str(home))  # this kernel started before the package was there


def fetch_project(target: pathlib.Path, address: str = "") -> None:
    """Copy the project that was uploaded, or else clone its repository.

    Args:
        target: the folder to make.
        address: as for `install`.

    Raises:
        ModuleNotFoundError: neither is there.
    """
    uploads = uploaded_projects()
    repository = address.partition("/raw/")[0]
    if uploads:
        shutil.copytree(uploads[0], target)
    elif repository:
        subprocess.run(["git", "clone", "--quiet", "--depth=1", repository, target], check=True)
    else:
        raise ModuleNotFoundError("No nbhelpers here: upload the project, or name its repository.")


def uploaded_projects() -> list[pathlib.Path]:
    """Return the copies of the project among what was uploaded."""
    setups = [path for place in PLACES for path in glob.glob(place + THIS, recursive=True)]
    return [pathlib.Path(path).parents[1] for path in setups]
