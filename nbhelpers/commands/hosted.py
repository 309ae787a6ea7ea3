"""`hosted`: put the first cell and the links for Kaggle and Colab into the notebooks."""

from __future__ import annotations

import argparse
import re

from nbhelpers.common.errors import UsageError
from nbhelpers.runner.notebooks import HOSTED, find_notebooks, select_notebooks, tags_of

EXAMPLES = """
examples:
  python -m nbhelpers hosted                                                    the cell alone
  python -m nbhelpers hosted --repository https://github.com/OWNER/NAME         cell and links
  python -m nbhelpers hosted --repository https://github.com/OWNER/NAME 01 02   two notebooks

Where nbhelpers is installed the cell does nothing. Elsewhere it takes a copy of the project that
was uploaded (Kaggle: as a data set; Colab: unzipped), or fetches the repository if one is named;
the bundled sample comes with it. It installs what is missing; versions that are there and fit are
kept. Given again, it replaces what it wrote before.
Exit code: 0 done, 2 no address of a repository, or no such notebook.
"""
CELL_ID = "hosted00"
# Shown folded in JupyterLab, Colab and Kaggle.
METADATA = {
    "tags": [HOSTED],
    "jupyter": {"source_hidden": True},
    "cellView": "form",
    "_kg_hide-input": True,
}
FIRST_CELL = """\
# At home this cell does nothing. On Kaggle and Colab it installs nbhelpers, from a copy of the
# project that you uploaded, or else from its repository.
import glob
import importlib.util
import pathlib
import shutil
import subprocess
import sys

REPOSITORY = "{repository}"
if importlib.util.find_spec("nbhelpers") is None:
    home = pathlib.Path("nbhelpers_project").resolve()
    if not home.is_dir():
        places = ["/kaggle/input/" + "*/" * deep for deep in range(5)]
        places += ["/content/" + "*/" * deep for deep in range(3)]  # deeper would search a Drive
        uploads = [path for here in places for path in glob.glob(here + "nbhelpers/__init__.py")]
        part = home.with_suffix(".part")  # so that a copy that was cut off is not taken for whole
        shutil.rmtree(part, ignore_errors=True)
        if uploads:
            shutil.copytree(pathlib.Path(uploads[0]).parents[1], part)
        elif REPOSITORY:
            subprocess.run(["git", "clone", "--quiet", "--depth=1", REPOSITORY, part], check=True)
        else:
            raise ModuleNotFoundError("No nbhelpers here: upload the project, or set REPOSITORY.")
        part.rename(home)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--editable", str(home)]
    subprocess.run(install, check=True)
    sys.path.insert(0, str(home))  # this kernel started before the package was there"""
ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
# Words, not pictures: the pages of a run must be whole without a network.
LINKS = (
    "[Open in Colab](https://colab.research.google.com/github/{owner}/{name}/blob/main/notebooks/"
    "{stem}.ipynb) · [Open in Kaggle](https://kaggle.com/kernels/welcome?src=https://github.com/"
    "{owner}/{name}/blob/main/notebooks/{stem}.ipynb)"
)
_LINKS_BEFORE = re.compile(r"\n\n\[Open in Colab\]\([^\n]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    parser.add_argument(
        "--repository", metavar="URL", default="", help="where the project can be cloned from"
    )
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, … or names; all if none"
    )


def main(chosen: argparse.Namespace) -> int:
    """Rewrites the notebooks."""
    import nbformat

    from nbhelpers.common import files
    from nbhelpers.data import locate

    found = find_notebooks(locate.project_root() / "notebooks")
    for notebook in select_notebooks(found, chosen.notebooks):
        content = nbformat.read(notebook.path, as_version=4)
        apply(content, notebook.stem, repository=chosen.repository)
        files.write_text(notebook.path, nbformat.writes(content) + "\n")
        print(f"{notebook.path.name}: written; render it again")
    return 0


def owner_and_name(repository: str) -> tuple[str, str]:
    """The two parts of a repository's address.

    Args:
        repository: its address.

    Returns:
        The owner and the name.

    Raises:
        UsageError: an address that Colab and Kaggle do not open notebooks from.

    >>> owner_and_name("https://github.com/someone/deepfakes.git")
    ('someone', 'deepfakes')
    """
    found = ADDRESS.fullmatch(repository)
    if not found:
        raise UsageError(
            f"Expected an address like https://github.com/OWNER/NAME; received {repository!r}. "
            "Colab and Kaggle open notebooks from there."
        )
    return found[1], found[2]


def first_cell(repository: str = "") -> str:
    """The text of the first cell.

    Args:
        repository: its address; empty where none is known.

    Returns:
        Python.
    """
    if repository:
        owner, name = owner_and_name(repository)
        repository = f"https://github.com/{owner}/{name}"
    return FIRST_CELL.replace("{repository}", repository)


def is_first_cell(source: str) -> bool:
    """Whether a cell is what `first_cell` writes, for whatever repository."""
    before, after = map(re.escape, FIRST_CELL.split("{repository}"))
    return re.fullmatch(rf"{before}[\w.:/-]*{after}", source) is not None


def apply(notebook, stem: str, *, repository: str = "") -> None:
    """Put the cell into a notebook, in place, and the links if a repository is named.

    Args:
        notebook: an nbformat notebook whose first cell is its title.
        stem: its file name without suffix.
        repository: its address; empty where none is known.
    """
    from nbformat.v4 import new_code_cell

    notebook.cells = [cell for cell in notebook.cells if HOSTED not in tags_of(cell)]
    title = notebook.cells[0]
    title.source = _LINKS_BEFORE.sub("", title.source)
    if repository:
        owner, name = owner_and_name(repository)
        heading, _, rest = title.source.partition("\n")
        links = LINKS.format(owner=owner, name=name, stem=stem)
        title.source = "\n".join(part for part in (f"{heading}\n\n{links}", rest) if part)
    cell = new_code_cell(first_cell(repository), metadata=METADATA)
    cell.id = CELL_ID
    notebook.cells.insert(1, cell)
