"""`hosted`: put the first cell and the links for Kaggle and Colab into the notebooks."""

from __future__ import annotations

import argparse
import re

HELP = "give the notebooks the first cell and the links that Kaggle and Colab need"
EXAMPLES = """
examples:
  python -m nbhelpers hosted https://github.com/OWNER/NAME       all notebooks
  python -m nbhelpers hosted https://github.com/OWNER/NAME 01    one of them

Where nbhelpers is installed the cell does nothing. Elsewhere it fetches the repository, the
bundled sample with it, and installs what is missing; versions that are there and fit are kept.
Given again, with the same address or another, it replaces what it wrote before.
Exit code: 0 done, 2 no address of a repository, or no such notebook.
"""
TAG = "hosted"
CELL_ID = "hosted00"
FIRST_CELL = """\
# At home this cell does nothing. On Kaggle and Colab it fetches nbhelpers and the sample.
import importlib.util
import pathlib
import subprocess
import sys

if importlib.util.find_spec("nbhelpers") is None:
    home = pathlib.Path("{folder}").resolve()
    if not home.is_dir():
        subprocess.run(["git", "clone", "--quiet", "--depth=1", "{repository}", home], check=True)
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
    parser.add_argument("repository", metavar="URL", help="where the series can be cloned from")
    parser.add_argument(
        "notebooks", nargs="*", metavar="NN", help="01, 02, … or names; all if none"
    )


def main(chosen: argparse.Namespace) -> int:
    """Rewrites the notebooks."""
    import nbformat

    from nbhelpers import files, locate
    from nbhelpers.runner import sources

    found = sources.find(locate.project_root() / "notebooks")
    for notebook in sources.select(found, chosen.notebooks):
        content = nbformat.read(notebook.path, as_version=4)
        apply(content, notebook.stem, repository=chosen.repository)
        files.write_text(notebook.path, nbformat.writes(content) + "\n")
        print(f"{notebook.path.name}: first cell and links written; render it again")
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
    from nbhelpers.runner.sources import UsageError

    found = ADDRESS.fullmatch(repository)
    if not found:
        raise UsageError(
            f"Expected an address like https://github.com/OWNER/NAME; received {repository!r}. "
            "Colab and Kaggle open notebooks from there."
        )
    return found[1], found[2]


def first_cell(repository: str) -> str:
    """The text of the first cell.

    Args:
        repository: its address.

    Returns:
        Python.
    """
    owner, name = owner_and_name(repository)
    return FIRST_CELL.format(folder=name, repository=f"https://github.com/{owner}/{name}")


def is_first_cell(source: str) -> bool:
    """Whether a cell is what `first_cell` writes, for whatever repository."""
    pattern = re.escape(FIRST_CELL.replace("{folder}", "\0").replace("{repository}", "\0"))
    return re.fullmatch(pattern.replace(re.escape("\0"), r"[\w.:/-]+"), source) is not None


def apply(notebook, stem: str, *, repository: str) -> None:
    """Put the cell and the links into a notebook, in place.

    Args:
        notebook: an nbformat notebook whose first cell is its title.
        stem: its file name without suffix.
        repository: its address.
    """
    from nbformat.v4 import new_code_cell

    owner, name = owner_and_name(repository)
    notebook.cells = [
        cell for cell in notebook.cells if TAG not in cell.get("metadata", {}).get("tags", [])
    ]
    title = notebook.cells[0]
    heading, _, rest = _LINKS_BEFORE.sub("", title.source).partition("\n")
    links = LINKS.format(owner=owner, name=name, stem=stem)
    title.source = "\n".join(part for part in (f"{heading}\n\n{links}", rest) if part)
    cell = new_code_cell(first_cell(repository), metadata={"tags": [TAG]})
    cell.id = CELL_ID
    notebook.cells.insert(1, cell)
