"""The house rules of the package, read off its imports, file by file."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import nbhelpers

PACKAGE = Path(nbhelpers.__file__).parent

# A file may import files of its own room and of the rooms before it in this list.
ORDER = [
    {"common"},
    {"media"},
    {"data"},
    {"networks"},
    {"features", "evaluation", "explain"},
    {"reporting"},
    {"predict"},
    {"app"},
    {"runner"},
    {"commands"},
    {"__main__"},
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
TENSORFLOW = {"tensorflow", "keras"}
WITHOUT_TENSORFLOW = {"common", "media", "data", "app", "runner", "commands"}
WITH_RAY = {Path("features", name) for name in ("cluster.py", "shared_disk.py", "workers.py")}
MOST_LINES, MEDIAN_LINES = 400, 150

FILES = {path.relative_to(PACKAGE): path for path in sorted(PACKAGE.rglob("*.py"))}


def dotted(file):
    """`media/video.py` -> `nbhelpers.media.video`; a room's `__init__` is the room."""
    parts = ("nbhelpers", *file.with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(file): file for file in FILES}


def imports(source, *, package):
    """The dotted names that a source imports, wherever in it: ``(name, is at the top)``."""
    tree = ast.parse(source)
    at_top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*(above if node.level else []), *([node.module] if node.module else [])]
            names = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        yield from ((name, id(node) in at_top) for name in names)


def imports_of(file):
    package = dotted(file) if file.stem == "__init__" else dotted(file).rpartition(".")[0]
    return list(imports(FILES[file].read_text(encoding="utf-8"), package=package))


def module_of(name):
    """The module of the package that an imported name is, or lies in; None for other packages."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name if name not in ("", "nbhelpers") else None


def arrows(file):
    """The modules of the package that a file imports."""
    return {module for name, _ in imports_of(file) if (module := module_of(name))}


def room(module):
    return module.split(".")[1]


def test_the_walk_sees_every_form_of_import():
    source = (
        "import a.b\nfrom c import d\nif x:\n    import f\ndef g():\n    import e\n"
        "from . import h\nfrom ..i import j\n"
    )
    assert list(imports(source, package="p.q")) == [
        ("a.b", True),
        ("c.d", True),
        ("p.q.h", True),
        ("p.i.j", True),
        ("f", False),
        ("e", False),
    ]
    assert module_of("nbhelpers.media.video.read_frames") == "nbhelpers.media.video"
    assert module_of("nbhelpers.media") == "nbhelpers.media"
    assert module_of("numpy.linalg") is None


def test_every_file_lies_in_a_room_that_says_what_it_is_for():
    for file in FILES:
        assert len(file.parts) == 1 or file.parts[0] in RANK, f"give {file.parts[0]} a place"
    assert {file.stem for file in FILES if len(file.parts) == 1} == {"__init__", "__main__"}
    for name in RANK.keys() - {"__main__"}:
        text = ast.get_docstring(ast.parse(FILES[Path(name, "__init__.py")].read_text()))
        assert text and len(text) > 30, name


@pytest.mark.parametrize("file", FILES, ids=str)
def test_arrows_point_one_way(file):
    if dotted(file) == "nbhelpers":
        assert not arrows(file)
        return
    own = room(dotted(file))
    for module in arrows(file):
        allowed = room(module) == own or RANK[room(module)] < RANK[own]
        assert allowed, f"{dotted(file)} must not import {module}: it lies later in the house"


def test_no_circle_anywhere():
    graph = {dotted(file): arrows(file) - {dotted(file)} for file in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"modules in a circle: {' -> '.join(error.args[1])}") from None


@pytest.mark.parametrize("file", FILES, ids=str)
def test_libraries_stay_in_their_rooms(file):
    names = {name.split(".")[0] for name, _ in imports_of(file)}
    own = room(dotted(file)) if len(file.parts) > 1 or file.stem == "__main__" else None
    assert own not in WITHOUT_TENSORFLOW or not names & TENSORFLOW
    assert not names & {"IPython", "ipywidgets"} or file.stem == "display"
    assert "ray" not in {name for name, at_top in imports_of(file) if at_top}
    assert "ray" not in names or file in WITH_RAY


@pytest.mark.parametrize("file", FILES, ids=str)
def test_functions_take_two_positional_arguments_at_most(file):
    tree = ast.parse(FILES[file].read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    public = [tree, *(node for node in classes if not node.name.startswith("_"))]
    for node in (node for part in public for node in part.body):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
            names = [name for name in names if name not in ("self", "cls")]
            assert len(names) <= 2, f"{node.name}: behind {names[1]} a * is wanted"


def test_metrics_need_numpy_and_scikit_learn_only():
    names = {name.split(".")[0] for name, _ in imports_of(Path("evaluation/metrics.py"))}
    assert names - set(sys.stdlib_module_names) <= {"nbhelpers", "numpy", "sklearn"}


def test_modules_are_small():
    lines = {file: len(path.read_text().splitlines()) for file, path in FILES.items()}
    sizes = sorted(n for file, n in lines.items() if file.stem != "__init__")
    assert not {file: n for file, n in lines.items() if n > MOST_LINES}
    assert sizes[len(sizes) // 2] <= MEDIAN_LINES


def test_importing_the_package_loads_nothing():
    code = (
        "import sys; import nbhelpers;"
        "print(sorted({'tensorflow', 'keras', 'IPython', 'cv2', 'pandas'} & set(sys.modules)))"
    )
    assert _output(code) == "[]"


def test_table_rooms_load_no_tensorflow():
    code = (
        "import sys; from nbhelpers.data import locate, manifest, splits;"
        "from nbhelpers.evaluation import metrics; from nbhelpers.reporting import results;"
        "print('tensorflow' in sys.modules)"
    )
    assert _output(code) == "False"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from nbhelpers.__main__ import parser; parser().format_help();"
        "print(sorted({'tensorflow', 'cv2', 'pandas', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    assert _output(code) == "[]"


def _output(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
