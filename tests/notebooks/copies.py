"""Copies of the notebooks for tests: smallest sizes, with the solutions of their exercises."""

import re
import shutil

import nbformat
from nbformat.v4 import new_code_cell

from nbhelpers.data import locate
from nbhelpers.runner import overrides
from nbhelpers.runner.notebooks import NEEDS, USES, find_notebooks, select_notebooks

FOLDER = locate.project_root() / "notebooks"
TOLD = (".ipynb", ".html", ".log", ".results.json", ".predictions.csv")  # what nobody takes up
SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>(.*?)</details>", re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"python -m nbhelpers ([^`\n]+)")


def solutions(notebook):
    """The text of each folded solution, in order; each is a cell of its own."""
    cells = [cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", [])]
    return [SOLUTION.fullmatch(cell.source.strip())[1] for cell in cells]


def smoke_copy(source, target, *, out, solved=True):
    """Writes a notebook with its smoke parameters injected, as papermill does.

    Args:
        source: the notebook.
        target: the copy.
        out: its OUTPUT_DIR.
        solved: whether the solutions of its exercises stand behind the last cell.
    """
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook
    from papermill.utils import nb_kernel_name

    content, base = overrides.read_profile("smoke", FOLDER / "profiles")
    notebooks = find_notebooks(FOLDER)
    parameters = overrides.combine(
        notebooks,
        select_notebooks(notebooks, [source.stem]),
        profile=content,
        profile_base=base,
        pairs={},
        data_dir=None,
        output_dir=out,
    )[source.stem]
    notebook = load_notebook_node(str(source))  # with the metadata that papermill wants
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if solved:
        for number, text in enumerate(solutions(notebook), start=1):
            code = "".join(PYTHON.findall(text))
            if code:
                solution = f"# Solution {number}\n{code}"
                notebook.cells.append(new_code_cell(solution, metadata={"tags": []}))
    notebook = parameterize_notebook(notebook, parameters, kernel_name=nb_kernel_name(notebook))
    nbformat.write(notebook, target)


def bring_needs(stem, *, out, smoke, to):
    """Copies what the notebooks before one have made, such as the detector of 03."""
    for number in NEEDS.get(stem[:2], ()) + USES.get(stem[:2], ()):
        smoke(next(FOLDER.glob(f"{number}_*.ipynb")).stem)
        for file in out.glob(f"{number}_*.*"):
            if not file.name.endswith(TOLD) and not (to / file.name).exists():
                shutil.copy(file, to)
