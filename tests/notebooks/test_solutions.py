"""The hidden solutions of the exercises: three a notebook, complete, and they run."""

import ast
import builtins
import shlex

import nbformat
import pytest
from browsers import chromium
from copies import COMMAND, FOLDER, PYTHON, bring_needs, smoke_copy, solutions

from nbhelpers.__main__ import parse
from nbhelpers.runner import execution, overrides
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_are_three_and_each_can_be_tried(notebook):
    texts = solutions(notebook)  # others answer the self-check questions: test_form counts those
    assert sum(bool(PYTHON.search(text) or COMMAND.search(text)) for text in texts) == 3


def undefined(code, known):
    """Names that code reads before anything defines them, in the order of its statements."""
    missing, known = set(), known | set(dir(builtins))
    for statement in ast.parse(code).body:
        nodes = list(ast.walk(statement))
        made = {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        }
        made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        made |= {
            (alias.asname or alias.name).partition(".")[0]
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        read = {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        missing |= read - known - made
        known |= made
    return missing


def test_undefined_names_are_seen():
    assert undefined("import a.b as c, d.e\nx = [y for y in c]\nprint(x, d, z)", set()) == {"z"}
    assert undefined("def f(a, *, b=1):\n    return a + b + q\nf(1)", {"q"}) == set()
    assert undefined("print(x)\nx = 1", set()) == {"x"}


def test_solutions_use_what_the_notebook_has(notebook):
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    body = "\n".join(cells)
    known = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    known |= {
        node.name
        for node in ast.walk(ast.parse(body))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    known |= {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(ast.parse(body))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for number, text in enumerate(solutions(notebook), start=1):
        code = "".join(PYTHON.findall(text))
        assert undefined(code, known) == set(), f"solution {number}"


def test_commands_in_solutions_can_be_given(notebook, tmp_path):
    notebooks = find_notebooks(FOLDER)
    for text in solutions(notebook):
        for words in COMMAND.findall(text):
            chosen = parse(shlex.split(words))
            overrides.combine(
                notebooks,
                select_notebooks(notebooks, chosen.notebooks),
                profile={},
                profile_base=tmp_path,
                pairs=overrides.parse_pairs(map(tuple, chosen.pairs)),
                data_dir=None,
                output_dir=tmp_path,
            )


@pytest.mark.notebooks
@pytest.mark.skipif(bool(chromium()), reason="test_browser.py runs them, in JupyterLab")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_run(path, out, smoke, tmp_path):
    bring_needs(path.stem, out=out, smoke=smoke, to=tmp_path)
    copy = tmp_path / "copy.ipynb"
    smoke_copy(path, copy, out=tmp_path)
    done = execution.execute(copy, tmp_path / "done.ipynb", parameters={}, work_dir=tmp_path)
    assert done.status == "done", done.message
