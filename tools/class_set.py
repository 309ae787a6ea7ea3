"""Notebooks for a class: copies without the solutions to the exercises."""

import argparse
import sys
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.common.paths import path_argument
from nbhelpers.data import locate
from nbhelpers.runner.notebooks import find_notebooks, place_of, tags_of
from tools import command_line

HELP = "write the notebooks without the solutions to their exercises"
EXAMPLES = """
examples:
  python -m tools.class_set class          class/01_eda.ipynb etc.; notebooks/ is unchanged

Exit code: 0 written, 2 the folder already contains such notebooks.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument("folder", type=path_argument, metavar="DIR", help="output folder")


def main(chosen: argparse.Namespace) -> int:
    """Write them."""
    import nbformat

    notebooks = find_notebooks(locate.project_root() / "notebooks")
    targets = [Path(chosen.folder, place_of(notebook.stem)) for notebook in notebooks]
    present = [path.name for path in targets if path.exists()]
    if present:
        raise UsageError(
            f"Expected a folder without these notebooks; {chosen.folder} has {present[0]}. Choose "
            "another, or remove them."
        )
    for notebook, path in zip(notebooks, targets, strict=True):
        content = without_solutions(nbformat.read(notebook.path, as_version=4))
        files.write_text(path, nbformat.writes(content) + "\n")
    print(f"{len(notebooks)} notebooks in {chosen.folder}")
    return 0


def without_solutions(notebook):
    """Remove the cells tagged `solution`.

    Args:
        notebook: an nbformat notebook; it is changed.

    Returns:
        The same.
    """
    notebook.cells = [cell for cell in notebook.cells if "solution" not in tags_of(cell)]
    return notebook


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
