"""The first cell and the links that notebooks need on Kaggle and Colab."""

import argparse
import re
import sys

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner.notebooks import HOSTED, find_notebooks, place_of, select_notebooks, tags_of
from tools import command_line

HELP = "write the cell and the links for Kaggle and Colab into the notebooks"
EXAMPLES = """
examples:
  python -m tools.hosted                                                    the cell alone
  python -m tools.hosted --repository https://github.com/OWNER/NAME         cell and links
  python -m tools.hosted --repository https://github.com/OWNER/NAME 01 02   two notebooks

The cell keeps TensorFlow's start-up messages out of the notebook. If nbhelpers is not installed,
it uses the project from a parent folder, or an uploaded copy (Kaggle: as a data set; Colab:
unzipped), or clones the repository if one is given; all of these include the bundled sample. On
Kaggle and Colab it installs missing packages and leaves installed ones unchanged. Repeating the
program replaces what it wrote before.
Exit code: 0 done, 2 not a repository's address, or no such notebook.
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
# This cell keeps TensorFlow's start-up messages out of the notebook, and finds nbhelpers where it
# is not installed: on Kaggle and Colab in the copy of the project that you uploaded, with what it
# needs and the machine lacks; elsewhere in the folders above.
import glob
import importlib.util
import runpy

if importlib.util.find_spec("nbhelpers") is None:
    places = ("", "../", "../../", "/kaggle/input/**/", "/content/", "/content/*/", "/content/*/*/")
    setup = [f for p in places for f in glob.glob(f"{p}tools/hosted_setup.py", recursive=True)]
    assert setup, "No nbhelpers here: upload the project, or `pip install -e .` on your machine."
    runpy.run_path(setup[0])["install"]()
importlib.import_module("nbhelpers.common.native_logs").quiet_tensorflow()"""
FIRST_CELL_WITH_REPOSITORY = """\
# This cell keeps TensorFlow's start-up messages out of the notebook, and finds nbhelpers where it
# is not installed: in the folders above, in a copy of the project that you uploaded to Kaggle or
# Colab, or else in its repository. On those two it installs what is needed and missing.
import glob
import importlib.util
import runpy
import urllib.request

if importlib.util.find_spec("nbhelpers") is None:
    places = ("", "../", "../../", "/kaggle/input/**/", "/content/", "/content/*/", "/content/*/*/")
    setup = [f for p in places for f in glob.glob(f"{p}tools/hosted_setup.py", recursive=True)]
    address = "https://github.com/OWNER/NAME/raw/main/tools/hosted_setup.py"
    runpy.run_path((setup or urllib.request.urlretrieve(address))[0])["install"](address)
importlib.import_module("nbhelpers.common.native_logs").quiet_tensorflow()"""
ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
# Text, not badges: the pages of a run must be complete without a network.
LINKS = (
    "[Open in Colab](https://colab.research.google.com/github/{owner}/{name}/blob/main/notebooks/"
    "{place}) · [Open in Kaggle](https://kaggle.com/kernels/welcome?src=https://github.com/"
    "{owner}/{name}/blob/main/notebooks/{place})"
)
_LINKS_BEFORE = re.compile(r"\n\n\[Open in Colab\]\([^\n]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument(
        "--repository", metavar="URL", default="", help="where the project can be cloned from"
    )
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, …, a1, … or names (all)"
    )


def main(chosen: argparse.Namespace) -> int:
    """Rewrite the notebooks."""
    import nbformat

    notebooks = find_notebooks(locate.project_root() / "notebooks")
    wanted = chosen.notebooks or [notebook.stem for notebook in notebooks]
    for notebook in select_notebooks(notebooks, wanted):
        content = nbformat.read(notebook.path, as_version=4)
        apply(content, notebook.stem, repository=chosen.repository)
        files.write_text(notebook.path, nbformat.writes(content) + "\n")
        print(f"{notebook.path.name}: written; render it again")
    return 0


def owner_and_name(repository: str) -> tuple[str, str]:
    """Return the two parts of a repository's address.

    Args:
        repository: its address.

    Returns:
        The owner and the name.

    Raises:
        UsageError: an address from which Colab and Kaggle cannot open notebooks.

    >>> owner_and_name("https://github.com/someone/deepfakes.git")
    ('someone', 'deepfakes')
    """
    address = ADDRESS.fullmatch(repository)
    if not address:
        raise UsageError(
            f"Expected an address like https://github.com/OWNER/NAME; received {repository!r}. "
            "Colab and Kaggle open notebooks from there."
        )
    return address[1], address[2]


def first_cell(repository: str = "") -> str:
    """Return the text of the first cell.

    Args:
        repository: its address; empty where none is known.

    Returns:
        Python.
    """
    if not repository:
        return FIRST_CELL
    return FIRST_CELL_WITH_REPOSITORY.replace("OWNER/NAME", "/".join(owner_and_name(repository)))


def is_first_cell(source: str) -> bool:
    """Whether a cell was written by `first_cell`, for any repository."""
    before, after = map(re.escape, FIRST_CELL_WITH_REPOSITORY.split("OWNER/NAME"))
    with_repository = re.fullmatch(rf"{before}[\w.-]+/[\w.-]+{after}", source)
    return source == FIRST_CELL or with_repository is not None


def apply(notebook, stem: str, *, repository: str = "") -> None:
    """Add the cell to a notebook, in place, and the links if a repository is given.

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
        links = LINKS.format(owner=owner, name=name, place=place_of(stem))
        title.source = "\n".join(part for part in (f"{heading}\n\n{links}", rest) if part)
    cell = new_code_cell(first_cell(repository), metadata=METADATA)
    cell.id = CELL_ID
    notebook.cells.insert(1, cell)


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
