"""Nothing in the package or the notebooks writes a file in place: all go through `files`."""

import ast
import json
from pathlib import Path

import pytest

import nbhelpers
import tools
from nbhelpers.data import locate

WRITERS = {
    "write_text",
    "write_bytes",
    "savefig",
    "save_weights",
    "imwrite",
    "urlretrieve",
    "copyfile",
    "savez",
    "savez_compressed",
    "save",
}
TO_FILE = {"to_csv", "to_json", "to_html"}  # with a path as their first argument
# What may write: into memory, into a folder of its own, to a draft, or what no one reads half.
ALLOWED = {
    "files.py": {"write_text", "open"},  # the one place
    "weights.py": {"write_text", "write_bytes", "save_weights"},  # a temporary folder; a draft
    "checkpoints.py": {"save_weights"},  # drafts
    "model_files.py": {"open"},  # a temporary folder
    "detector.py": {"save"},  # a draft
    "display.py": {"save", "savefig"},  # memory; a draft
    "store.py": {"savez"},  # a draft
    "uploads.py": {"open"},  # a temporary folder
    "covers.py": {"save"},  # memory
    "pictures.py": {"save"},  # memory
    "render.py": {"save"},  # memory
    "html.py": {"save", "savefig"},  # memory
    "execution.py": {"open"},  # the log, which grows line by line
    "grid.py": {"open"},  # likewise
    "lock.py": {"open", "write_text"},  # the lock itself; a temporary folder
    "book.py": {"copyfile"},  # a folder of its own, laid out anew for each build
    "bundle_detector.py": {"save"},  # a draft
    "train_detector.py": {"save_weights"},  # drafts
    "chart.py": {"savefig"},  # a draft
    "hosted_trial.py": {"write_text"},  # a temporary folder
}
PACKAGE = Path(nbhelpers.__file__).parent
TOOLS = Path(tools.__file__).parent
OURS = {
    "files",
    "run",
    "detector",
    "judging",
    "splits",
    "display",
}  # their writing is checked above


def writes(text):
    """Names of the functions that write files, as far as they are called in Python text."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        owner = getattr(getattr(called, "value", None), "id", "")
        if (name in WRITERS and owner not in OURS) or (name in TO_FILE and node.args):
            yield name
        modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        if name == "open" and any(set(str(mode)) & set("wax") for mode in modes if mode):
            yield name


def test_the_walk_sees_what_writes():
    text = "open(p, 'wb'); p.write_text(t); t.to_csv(p); np.save(p, x); open(p, 'rb'); t.to_csv()"
    assert sorted(writes(text)) == ["open", "save", "to_csv", "write_text"]


@pytest.mark.parametrize(
    "path",
    sorted([*PACKAGE.rglob("*.py"), *TOOLS.rglob("*.py")]),
    ids=lambda path: str(path.relative_to(PACKAGE.parent)),
)
def test_package_writes_whole_files(path):
    found = set(writes(path.read_text(encoding="utf-8")))
    assert found <= ALLOWED.get(path.name, set()), "write through nbhelpers.common.files.whole"


@pytest.mark.parametrize(
    "path",
    sorted((locate.project_root() / "notebooks").glob("*.ipynb")),
    ids=lambda path: path.stem,
)
def test_notebooks_leave_writing_to_the_package(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not [name for text in code for name in writes(text)]
