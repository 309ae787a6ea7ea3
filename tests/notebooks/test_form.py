"""The form of the notebooks: anatomy, parameters, stored outputs. Nothing is executed."""

import ast
import importlib
import re
import statistics
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nbhelpers.common.errors import UsageError
from nbhelpers.common.parameters import read_cell
from nbhelpers.data import locate
from nbhelpers.runner import outputs, overrides, scores
from nbhelpers.runner.notebooks import (
    HOSTED,
    find_notebooks,
    source_digest,
    tags_of,
)
from tools import hosted, render, results_table

ROOT = locate.project_root()
FOLDER = ROOT / "notebooks"
NOTEBOOKS = [notebook.path for notebook in find_notebooks(FOLDER)]
LESSONS = [path for path in NOTEBOOKS if path.parent == FOLDER]  # without the appendix
COMMON = {"DATA_DIR": "", "OUTPUT_DIR": "", "SEED": 42, "SPLIT_CSV": ""}
CODE_CELLS = range(8, 31)  # 03 has most to judge
LONGEST_CELL = 30  # lines
MOST_FUNCTIONS = 3
READ_BY_START = {"OUTPUT_DIR", "SEED", "RESUME", "PRECISION"}  # by `results.start(globals(), …)`
START = re.compile(r"run = results\.start\(globals\(\), notebook=\"(\w+)\"\)")
PARAMETER_LINE = re.compile(r"[A-Z][A-Z0-9_]* = .+  # \S.*")
ABSOLUTE = re.compile(r"(?<![\w./:<~+-])/(?!kaggle/)(?:[\w.+-]+/){2}[\w.+-]+|\b[A-Z]:\\\w+")
INSTALLS = re.compile(r"^\s*[!%]|\bsys\.path\b|\bget_ipython\b", re.MULTILINE)
# The measured form of a lesson. Notebooks that do not have it yet; take the name out with the work.
NOT_YET = {}
MOST_CELLS = 22
MEDIAN_LINES, NINTH_LINES, LONGEST_LINES = 7, 14, 22  # of a code cell: median, nine of ten, all
BEFORE_PICTURE = 45  # lines of code up to the first picture, its own cell included
PLUMBING = 0.25  # of the code lines: imports, parameters, start of the run, saving
EXPECT = "What do you expect?"
FEWEST_EXPECTATIONS = 4
ANSWERS = 3  # self-check questions with folded answers
DRAWS = re.compile(r"\bplots\.plot_|\binteractive\.\w|\bdisplay\.(?:video|gif|show)")
SAVES = re.compile(r"\brun\.save\(")
FENCED = re.compile(r"^```|`python -m ", re.MULTILINE)  # code, or a command, in a solution
# A lesson defines what it introduces; the package has the same for later lessons: (lesson, module
# of the room networks, function).
TWICE = [
    ("02_baseline_cnn", "models", "baseline_cnn"),
    ("02_baseline_cnn", "models", "residual_cnn"),
    ("02_baseline_cnn", "training", "fit"),
    ("03_xception_transfer", "models", "xception_classifier"),
    ("06_video_gru", "models", "gru_classifier"),
]


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def lesson_of(notebook):
    """The code cells without the one that only Kaggle and Colab need, and without the reader's."""
    others = {HOSTED, "exercise"}
    return [cell for cell in code_of(notebook) if not others & set(tags_of(cell))]


def lines_of(cell):
    """How many lines of a code cell hold something."""
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def prose_of(notebook):
    """The prose that everybody sees: without solutions and answers."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown" and "solution" not in tags_of(cell)
    ]


def sections(notebook):
    """The cells of each level-2 heading, by its text; those before the first are left out."""
    parts, heading = {}, None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            for found in re.findall(r"^## (.+)", text, flags=re.MULTILINE):
                heading = found
        if heading:
            parts.setdefault(heading, []).append(cell)
    return parts


def headings(notebook):
    """The level-1 headings of the prose, not those in fenced code."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^```.*?^```", "", prose, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^# .+", prose, flags=re.MULTILINE)


# ---------------------------------------------------------------- the rules
# Each takes a notebook and names its faults.


def title(notebook):
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell is no level-1 heading"
    if len(headings(notebook)) != 1:
        yield f"{len(headings(notebook))} level-1 headings"


def one_cell_of_imports(notebook):
    kinds = ast.Import | ast.ImportFrom
    with_imports = [
        cell
        for cell in lesson_of(notebook)
        if any(isinstance(node, kinds) for node in ast.parse(cell.source).body)
    ]
    if with_imports != lesson_of(notebook)[:1]:
        yield f"{len(with_imports)} cells import something; the first code cell alone should"
    elif not all(isinstance(node, kinds) for node in ast.parse(with_imports[0].source).body):
        yield "the cell of imports does something else too"


def _is_number(value):
    if isinstance(value, list | tuple):
        return any(map(_is_number, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def parameters(notebook):
    cells = [cell for cell in code_of(notebook) if "parameters" in tags_of(cell)]
    if len(cells) != 1:
        yield f"{len(cells)} cells tagged 'parameters'"
        return
    if cells[0] is not lesson_of(notebook)[1]:
        yield "the parameters are not in the second code cell"
    for line in cells[0].source.splitlines():
        if line.strip() and not PARAMETER_LINE.fullmatch(line):
            yield f"not `NAME = literal  # unit, range`: {line}"
    try:
        read = read_cell(cells[0].source)
        values = {name: parameter.default for name, parameter in read.items()}
    except UsageError as error:
        yield str(error)
        return
    for name, value in COMMON.items():
        if values.get(name) != value:
            yield f"{name} should be {value!r}"
    after = notebook.cells[notebook.cells.index(cells[0]) + 1 :]
    for parameter in read.values():
        if _is_number(parameter.default) and not parameter.number_rules():
            yield f"the comment of {parameter.name} says no range, as `0-1` or `2 or more`"
    loaded = {
        node.id
        for cell in after
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for name in values.keys() - loaded - READ_BY_START:
        yield f"{name} is never read"
    set_up = lesson_of(notebook)[2].source
    if not START.search(set_up) or re.search(r"^[A-Z_]+ = ", set_up, re.MULTILINE):
        yield "the third code cell does not start the run, or has constants of its own"


def length(notebook):
    cells = lesson_of(notebook)
    if len(cells) not in CODE_CELLS:
        yield f"{len(cells)} code cells"
    for number, cell in enumerate(cells, start=1):
        if len(cell.source.splitlines()) > LONGEST_CELL:
            yield f"code cell {number} has {len(cell.source.splitlines())} lines"
    functions = [
        node.name
        for cell in cells
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    if len(functions) > MOST_FUNCTIONS:
        yield f"{len(functions)} functions: {functions}"


def few_short_cells(notebook):
    lines = [lines_of(cell) for cell in lesson_of(notebook)]
    if len(lines) > MOST_CELLS:
        yield f"{len(lines)} code cells"
    if statistics.median(lines) > MEDIAN_LINES:
        yield f"half of the code cells have {statistics.median(lines)} lines or more"
    if sum(count > NINTH_LINES for count in lines) > len(lines) / 10:
        yield f"more than one cell of ten is longer than {NINTH_LINES} lines: {sorted(lines)}"
    if max(lines) > LONGEST_LINES:
        yield f"a code cell of {max(lines)} lines"


def picture_first(notebook):
    lines = 0
    for cell in lesson_of(notebook):
        lines += lines_of(cell)
        if DRAWS.search(cell.source):
            break
    else:
        yield "no picture"
        return
    if lines > BEFORE_PICTURE:
        yield f"the first picture comes after {lines} lines of code"
    before = notebook.cells[notebook.cells.index(cell) - 1]
    if before.cell_type != "markdown" or "?" not in before.source:
        yield "no question to the reader above the first picture"


def little_plumbing(notebook):
    cells = lesson_of(notebook)
    plumbing = [*cells[:3], *(cell for cell in cells[3:] if SAVES.search(cell.source))]
    share = sum(map(lines_of, plumbing)) / sum(map(lines_of, cells))
    if share > PLUMBING:
        yield f"{share:.0%} of the code lines are imports, parameters, set-up and saving"


def half_of_it_prose(notebook):
    prose, code = len(prose_of(notebook)), len(lesson_of(notebook))
    if prose < code:
        yield f"{prose} cells of prose, {code} of code"


def your_turn(notebook):
    plumbing = {id(cell) for cell in lesson_of(notebook)[:3]}
    lesson = {
        id(cell)
        for cell in lesson_of(notebook)
        if id(cell) not in plumbing and not SAVES.search(cell.source)
    }
    for heading, cells in sections(notebook).items():
        turns = sum("exercise" in tags_of(cell) for cell in cells)
        if any(id(cell) in lesson for cell in cells) and turns != 1:
            yield f"{turns} cells tagged 'exercise' in the section {heading!r}"


def guesses_and_answers(notebook):
    expectations = sum(EXPECT in cell.source for cell in prose_of(notebook))
    if expectations < FEWEST_EXPECTATIONS:
        yield f"{expectations} times {EXPECT!r}"
    folded = [cell.source for cell in notebook.cells if "solution" in tags_of(cell)]
    answers = sum(not FENCED.search(text) for text in folded)
    if answers != ANSWERS:
        yield f"{answers} folded answers to self-check questions"


def explained_terms(notebook):
    if not any("](../GLOSSARY.md" in cell.source for cell in prose_of(notebook)):
        yield "no term links to the glossary"


def first_cell_for_hosts(notebook):
    tagged = [cell for cell in code_of(notebook) if HOSTED in tags_of(cell)]
    if tagged != code_of(notebook)[:1] or not hosted.is_first_cell(tagged[0].source):
        yield "the first code cell is not what `python -m tools.hosted` writes"


def no_installing(notebook):
    for cell in lesson_of(notebook):
        if found := INSTALLS.search(cell.source):
            yield f"{found[0]!r} in a cell"


def one_cover(notebook):
    covers = [cell for cell in code_of(notebook) if "cover" in tags_of(cell)]
    if len(covers) != 1:
        yield f"{len(covers)} cells tagged 'cover'"


def plain_metadata(notebook):
    extra = set(notebook.metadata) - {"kernelspec", "language_info", "nbhelpers"}
    if extra:
        yield f"metadata of tools: {sorted(extra)}"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "kernel is not python3"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        yield "a cell without an id of its own"
    for cell in notebook.cells:
        if cell.metadata != hosted.METADATA and set(cell.metadata) - {"tags"}:
            yield f"metadata of tools in cell {cell.get('id')}: {sorted(cell.metadata)}"


def executed_in_order(notebook):
    cells = [cell for cell in code_of(notebook) if cell.source.strip()]
    counts = [cell.execution_count for cell in cells]
    if any(cell.outputs for cell in cells) and counts != list(range(1, len(cells) + 1)):
        yield f"execution counts {counts}"


def outputs_of_this_source(notebook):
    digest = notebook.metadata.get("nbhelpers", {}).get(render.DIGEST_KEY)
    has_outputs = any(cell.outputs for cell in code_of(notebook))
    if (has_outputs or digest) and digest != source_digest(notebook.cells):
        yield "outputs of another source: run `make render`"


def texts(output):
    """The readable parts of an output, without embedded pictures."""
    if output.output_type == "stream":
        yield output.text
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield re.sub(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]*", "", value)


def clean_outputs(notebook):
    for number, cell in enumerate(code_of(notebook), start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"code cell {number} shows an error"
            for kind in output.get("data", {}):
                if kind.startswith("image/") and kind != "image/jpeg":
                    yield f"code cell {number} holds {kind}, not JPEG"
                if kind.startswith("application/"):
                    yield f"code cell {number} holds {kind}"
            if render.LIVE_HTML.search(output.get("data", {}).get("text/html", "")):
                yield f"code cell {number} holds a script or a clip"
            for text in texts(output):
                if found := ABSOLUTE.search(text):
                    yield f"code cell {number} shows the path {found[0]}"
                if outputs.tidy_text(text) != text or outputs.PROGRESS.search(text):
                    yield f"code cell {number} shows a progress bar or control characters"
                if render.ADDRESS.search(text):
                    yield f"code cell {number} shows a memory address"


RULES = (
    title,
    one_cell_of_imports,
    parameters,
    length,
    first_cell_for_hosts,
    no_installing,
    one_cover,
    plain_metadata,
    executed_in_order,
    outputs_of_this_source,
    clean_outputs,
)
LESSON_RULES = (
    few_short_cells,
    picture_first,
    little_plumbing,
    half_of_it_prose,
    your_turn,
    guesses_and_answers,
    explained_terms,
)


# ---------------------------------------------------------------- the notebooks keep them


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rule(path, rule):
    assert list(rule(nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize("rule", LESSON_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_has_its_form(path, rule):
    faults = list(rule(nbformat.read(path, as_version=4)))
    assert faults == [] or path.stem in NOT_YET


def test_lessons_that_are_done_are_not_excused():
    stems = {path.stem for path in LESSONS}
    assert stems >= NOT_YET.keys()
    for path in LESSONS:
        faults = [fault for rule in LESSON_RULES for fault in rule(nbformat.read(path, 4))]
        assert faults or path.stem not in NOT_YET, f"take {path.stem} out of NOT_YET"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_notebook_starts_under_its_own_name(path):
    notebook = nbformat.read(path, as_version=4)
    assert START.search(lesson_of(notebook)[2].source)[1] == path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_valid_and_small(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    assert re.fullmatch(r"(\d\d|a\d)_[a-z0-9_]+", path.stem)
    assert path.stat().st_size <= render.LIMIT


def test_cells_follow_the_style():
    command = [sys.executable, "-m", "ruff", "check", "--quiet", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def package_names(source):
    """Pairs of a module of the package and a name that the cells take from it."""
    tree, modules = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("nbhelpers"):
            yield from ((node.module, alias.name) for alias in node.names)
            modules |= {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    for node in attributes:
        name = modules.get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
        if importable(name):
            yield name, node.attr


def importable(name):
    try:
        return importlib.import_module(name) if name else None
    except ModuleNotFoundError:
        return None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_use_only_what_the_package_has(path):
    notebook = nbformat.read(path, as_version=4)
    names = list(package_names("\n\n".join(cell.source for cell in lesson_of(notebook))))
    missing = [
        f"{module}.{name}"
        for module, name in names
        if not hasattr(importlib.import_module(module), name) and not importable(f"{module}.{name}")
    ]
    assert len(names) > 10
    assert missing == []


def test_a_missing_name_is_seen():
    source = "from nbhelpers.data import locate\nlocate.find(1)\nlocate.lost(2)"
    assert list(package_names(source))[1:] == [
        ("nbhelpers.data.locate", "find"),
        ("nbhelpers.data.locate", "lost"),
    ]


def test_the_series_is_complete():
    lessons = [path.stem[:2] for path in NOTEBOOKS if path.parent == FOLDER]
    assert lessons == ["01", "02", "03", "04", "05", "06"]


@pytest.mark.parametrize("name", sorted(p.stem for p in (FOLDER / "profiles").glob("*.yaml")))
def test_profile_fits_the_notebooks(name, tmp_path):
    content, base = overrides.read_profile(name, FOLDER / "profiles")
    notebooks = find_notebooks(FOLDER)
    overrides.combine(
        notebooks,
        notebooks,
        profile=content,
        profile_base=base,
        pairs={},
        data_dir=None,
        output_dir=tmp_path,
    )
    if name == "smoke":
        assert {notebook.stem for notebook in notebooks} == content.keys() - {"all"}


# ---------------------------------------------------------------- functions of both


def skeleton(source, name):
    """A function's code without docstring, imports and annotations."""
    function = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    if ast.get_docstring(function) is not None:
        del function.body[0]
    function.body = [
        node for node in function.body if not isinstance(node, ast.Import | ast.ImportFrom)
    ]
    function.returns = None
    for argument in (*function.args.args, *function.args.kwonlyargs):
        argument.annotation = None
    return ast.dump(function)


def test_skeletons_differ_where_code_differs():
    one = "def f(x: int = 3) -> int:\n    '''Doc.'''\n    import y\n    return y(x)"
    assert skeleton(one, "f") == skeleton("def f(x=3):\n    return y(x)", "f")
    assert skeleton(one, "f") != skeleton("def f(x=4):\n    return y(x)", "f")
    assert skeleton(one, "f") != skeleton("def f(x=3):\n    return y(-x)", "f")


@pytest.mark.parametrize(("stem", "module", "function"), TWICE)
def test_the_lesson_and_the_package_have_the_same_function(stem, module, function):
    notebook = nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)
    lesson = "\n\n".join(cell.source for cell in code_of(notebook))
    packaged = (ROOT / "nbhelpers" / "networks" / f"{module}.py").read_text(encoding="utf-8")
    assert skeleton(lesson, function) == skeleton(packaged, function)


# ---------------------------------------------------------------- the results table

SCORE = r"\d+\.\d{3} (?:\[\d+\.\d{3}, \d+\.\d{3}\]|\[[2-7] groups\])"
ROW = re.compile(
    r"\| (?:\[(\w+)\]\(\.\./notebooks/(?:appendix/)?\1\.ipynb\))? \| `[^`]+` "
    + rf"(?:\| (?:{SCORE}|–) ){{{len(scores.MAIN_METRICS)}}}\| (?:\d+|–) \|"
)


def foreign_lines(block):
    """Lines between the README's markers that the generator does not write."""
    fixed = set(results_table.table_block({}).splitlines())
    fixed |= {results_table.FROM_SAMPLE, f"**{scores.RANDOM_NOTE}**", *results_table.HEAD}
    return [line for line in block.splitlines() if line not in fixed and not ROW.fullmatch(line)]


def test_the_results_table_is_only_what_the_generator_writes():
    text = (ROOT / results_table.PAGE).read_text(encoding="utf-8")
    assert text.count(results_table.BEGIN) == text.count(results_table.END) == 1
    block = text.split(results_table.BEGIN + "\n")[1].split(results_table.END)[0]
    assert foreign_lines(block) == []
    rendered = [render.DIGEST_KEY in path.read_text(encoding="utf-8") for path in NOTEBOOKS]
    if all(rendered):  # `render` fills the table in along with the outputs
        assert results_table.NOTE in block
        assert "`article_xception`" in block


def test_stored_outputs_and_results_table_are_of_one_run():
    """04 explains the detector that 03 kept, so both have its AUC, and so has the table."""
    printed = re.search(r"AUC (\d\.\d{3} \[[^]]*\])", outputs_text("04_explainability"))
    page = (ROOT / results_table.PAGE).read_text(encoding="utf-8")
    rows = re.findall(r"\| `(?:article|our)_xception` \| ([^|]*) \|", page)
    assert printed[1].replace("\xa0", " ") in rows


def outputs_text(stem):
    """All that a notebook's stored outputs say as plain text."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text", "") for output in outputs)


def test_foreign_lines_are_seen():
    score = {"value": 0.5, "low": 0.4, "high": 0.6, "groups": 8}
    model = {**dict.fromkeys(scores.METRICS, score), "n": 9}
    model |= {"accuracy": score | {"groups": 2}, "log_loss": score | {"high": float("nan")}}
    results = {
        "02_a": {"data": {"is_sample": True}, "metrics": {"test": {"ours": model, "prior": model}}}
    }
    block = results_table.table_block(results)
    assert foreign_lines(block) == []
    assert foreign_lines(block + "\nAUC 0.99!") == ["AUC 0.99!"]
    assert len(foreign_lines(block.replace("0.500 [", "about 0.5 ["))) == 2


# ---------------------------------------------------------------- the rules find what is wrong

GOOD_START = 'run = results.start(globals(), notebook="01_x")'
GOOD_PARAMETERS = "\n".join(
    f"{name} = {value!r}  # unit, 0 or more" for name, value in COMMON.items()
)


def good_notebook():
    """A notebook that keeps every rule."""
    cells = [
        new_markdown_cell("# A question?"),
        new_code_cell("import os"),
        new_code_cell(GOOD_PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(f"{GOOD_START}\nprint(os, DATA_DIR, SPLIT_CSV)"),
        new_code_cell("f()", metadata={"tags": ["cover"]}),
        *(new_code_cell(f"f({number})") for number in range(8)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    hosted.apply(notebook, "01_x")
    for count, cell in enumerate(code_of(notebook), start=1):
        cell.execution_count = count
        cell.outputs = [new_output("stream", name="stdout", text="12 of 3/4 in data/x/y\n")]
    return signed(notebook)


def signed(notebook):
    digest = source_digest(notebook.cells)
    notebook.metadata["nbhelpers"] = {render.DIGEST_KEY: digest}
    return notebook


def text_output(text):
    return new_output("stream", name="stdout", text=text)


def data_output(kind, value):
    return new_output("display_data", data={kind: value})


def test_a_good_notebook_has_no_faults():
    assert [fault for rule in RULES for fault in rule(good_notebook())] == []


@pytest.mark.parametrize(
    ("rule", "cell", "source"),
    [
        (title, 0, "A question?"),
        (title, 0, "# One\n\n# Two"),
        (one_cell_of_imports, 5, "import sys"),
        (one_cell_of_imports, 2, "import os\nprint(1)"),
        (one_cell_of_imports, 2, "print(1)"),
        (parameters, 3, GOOD_PARAMETERS.replace("SEED = 42", "SEED = int(42)")),
        (parameters, 3, GOOD_PARAMETERS.replace("SEED = 42  # unit, 0 or more", "SEED = 42")),
        (parameters, 3, GOOD_PARAMETERS.replace("SEED = 42", "SEED = 7")),
        (parameters, 3, GOOD_PARAMETERS.replace("42  # unit, 0 or more", "42  # unit")),
        (parameters, 3, GOOD_PARAMETERS + "\nepochs = 3  # passes, 1 or more"),
        (parameters, 3, GOOD_PARAMETERS + "\nEPOCHS = 3  # passes, 1 or more"),
        (parameters, 4, f"{GOOD_START}\nDATA_DIR\nSPLIT_CSV = 3"),
        (parameters, 4, "DATA_DIR, SPLIT_CSV"),
        (parameters, 4, f"MEASURES = 3\n{GOOD_START}\nDATA_DIR, SPLIT_CSV"),
        (length, 5, "f()\n" * 31),
        (length, 5, "def a(): ...\ndef b(): ...\ndef c(): ...\ndef d(): ..."),
        (no_installing, 5, "!pip install x"),
        (no_installing, 5, "%pip install x"),
        (no_installing, 5, "os.sys.path.append('..')"),
        (outputs_of_this_source, 5, "changed()"),
    ],
)
def test_a_wrong_cell_is_found(rule, cell, source):
    notebook = good_notebook()
    notebook.cells[cell].source = source
    assert list(rule(notebook))


@pytest.mark.parametrize(
    "output",
    [
        new_output("error", ename="E", evalue="", traceback=[]),
        text_output("saved in /some/where/else.json\n"),
        text_output("saved in C:\\Users\\me\n"),
        text_output(" 40%|####      | 4/10 [00:01<00:02]\n"),
        text_output("5/5 ━━━━━━━━━━ 1s 20ms/step\n"),
        text_output("<object object at 0x7f00aabbccdd>\n"),
        data_output("image/png", "AAAA"),
        data_output("text/html", "<script>1</script>"),
        data_output("application/vnd.jupyter.widget-view+json", {}),
    ],
)
def test_a_wrong_output_is_found(output):
    notebook = good_notebook()
    code_of(notebook)[3].outputs = [output]
    assert list(clean_outputs(notebook))


def test_the_cell_for_hosts_may_install_and_no_other():
    notebook = good_notebook()
    hosted.apply(notebook, "01_x", repository="https://github.com/someone/something")
    faults = [fault for rule in RULES for fault in rule(signed(notebook))]
    assert faults == [f"execution counts {[None, *range(2, 14)]}"]  # it has not been run yet
    notebook.cells[1].source += "\nprint('and more')"
    assert list(first_cell_for_hosts(notebook))
    del notebook.cells[1]
    assert list(first_cell_for_hosts(notebook))


def test_other_wrong_things_are_found():
    notebook = good_notebook()
    notebook.cells[3].metadata.tags = []
    notebook.cells[5].metadata.tags = []
    notebook.cells[6].execution_count = 1
    notebook.cells[7].metadata["papermill"] = {}
    notebook.cells[8].id = notebook.cells[9].id
    notebook.metadata["jupytext"] = {}
    assert list(parameters(notebook))
    assert list(one_cover(notebook))
    assert list(executed_in_order(notebook))
    assert len(list(plain_metadata(notebook))) == 3
    del notebook.metadata["nbhelpers"]
    assert list(outputs_of_this_source(notebook))
    notebook.cells = notebook.cells[:6]
    assert list(length(notebook))


# ---------------------------------------------------------------- the form of a lesson is seen


def good_lesson():
    """A notebook that keeps every rule of a lesson."""
    tagged = {tag: {"tags": [tag]} for tag in ("parameters", "exercise", "solution", "cover")}
    fold = "<details><summary>Solution</summary>\n\n{}\n</details>"
    cells = [
        new_markdown_cell("# A question?\n\n[AUC](../GLOSSARY.md)"),
        new_code_cell("import os"),
        new_markdown_cell("The parameters."),
        new_code_cell(GOOD_PARAMETERS, metadata=tagged["parameters"]),
        new_markdown_cell("The run."),
        new_code_cell(f"{GOOD_START}\nprint(os, DATA_DIR, SPLIT_CSV)"),
        new_markdown_cell("## Look\n\nWhich of them are fake?"),
        new_code_cell("plots.plot_rows(table)", metadata=tagged["cover"]),
        *(
            cell
            for number in range(5)
            for cell in (
                new_markdown_cell("**What do you expect?**"),
                new_code_cell("f(1)\n" * 5 + f"f({number})"),
            )
        ),
        new_code_cell("# Your turn.", metadata=tagged["exercise"]),
        new_markdown_cell("## Questions"),
        *(new_markdown_cell(fold.format("Because."), metadata=tagged["solution"]) for _ in "abc"),
        new_markdown_cell(
            fold.format("```python\n# ## no heading\nf()\n```"), metadata=tagged["solution"]
        ),
        new_markdown_cell("## Save"),
        new_code_cell("run.save()"),
    ]
    return new_notebook(cells=cells)


def cell_of(notebook, text):
    return next(cell for cell in notebook.cells if text in cell.source)


def test_a_good_lesson_has_no_faults():
    assert [fault for rule in LESSON_RULES for fault in rule(good_lesson())] == []


@pytest.mark.parametrize(
    ("rule", "text", "source"),
    [
        (few_short_cells, "f(3)", "f()\n" * 23),
        (picture_first, "plots.plot_rows", "table"),
        (picture_first, "Which of them", "Some pictures."),
        (picture_first, "import os", "import os\n" * 40),
        (little_plumbing, "run.save", "run.save(\n" + "a,\n" * 10 + ")"),
        (your_turn, "What do you", "## Another section"),
        (guesses_and_answers, "Because.", "```python\nf()\n```"),
        (explained_terms, "GLOSSARY", "# A question?"),
    ],
)
def test_a_lesson_out_of_form_is_seen(rule, text, source):
    notebook = good_lesson()
    cell_of(notebook, text).source = source
    assert list(rule(notebook))


def test_long_cells_are_seen_where_they_are_more_than_a_tenth():
    notebook = good_lesson()
    cell_of(notebook, "f(3)").source = "f()\n" * 15
    assert list(few_short_cells(notebook)) == []  # one of ten
    cell_of(notebook, "f(2)").source = "f()\n" * 15
    assert len(list(few_short_cells(notebook))) == 1


def test_a_lesson_of_code_alone_is_seen():
    notebook = good_lesson()
    notebook.cells = [cell for cell in notebook.cells if EXPECT not in cell.source]
    assert list(half_of_it_prose(notebook))
    assert list(guesses_and_answers(notebook))
    notebook.cells += [new_code_cell("f()\n" * 8) for _ in range(16)]
    assert len(list(few_short_cells(notebook))) == 2
    notebook.cells = [cell for cell in notebook.cells if "exercise" not in tags_of(cell)]
    assert list(your_turn(notebook))
