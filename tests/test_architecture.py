"""The house rules of the package, read off its imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nbhelpers

PACKAGE = Path(nbhelpers.__file__).parent
TESTS = Path(__file__).parent

# Arrows point one way: a room may import rooms of its own floor and of those above it in this list.
FLOORS = [
    {"ahead", "files", "decode"},  # work in threads, writing files, decoding pictures
    {"locate", "manifest", "splits"},  # tables
    {"images", "video", "faces", "features", "cluster", "damage", "selfblend"},  # pixels
    {"models", "weights", "backups", "training"},  # networks
    {"metrics", "calibration", "robustness", "detector", "explain", "ablation"},  # judgement
    {"plots", "display", "results", "frame"},  # telling
    {"runner"},  # outside: knows notebooks by path only
    {"commands"},  # what a person asks for on the command line; may use every room
    {"__main__"},  # the grammar
]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}
# The frame encoder stands between pixels and networks: it needs a network and its weights.
ALLOWED = {("features", "models"), ("features", "weights")}
OUTSIDE_MAY_IMPORT = {"files", "locate", "manifest", "splits", "results", "frame"}
MAY_LOAD_TENSORFLOW = {
    *("images", "models", "weights", "training", "features", "explain", "robustness", "detector"),
    *("ablation", "backups"),
}

ROOMS = {
    path.stem: [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))
    for path in sorted(PACKAGE.iterdir())
    if (path.suffix == ".py" or (path / "__init__.py").is_file()) and path.stem != "__init__"
}


def imports(path, *, top_only=False):
    """The dotted names a file imports; ``top_only`` leaves out those inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        node
        for part in ast.walk(tree)
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) or _is_typing(part)
        for node in ast.walk(part)
    }
    for node in ast.walk(tree):
        if top_only and node in inside:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_typing(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _absolute(path, node):
    if not node.level:
        return node.module
    package = ["nbhelpers", *path.relative_to(PACKAGE).parts[:-1]]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def rooms_imported(paths):
    """The rooms of the package that the files import."""
    names = [name.split(".") for path in paths for name in imports(path)]
    return {name[1] for name in names if name[0] == "nbhelpers" and len(name) > 1} & set(ROOMS)


def test_the_walk_sees_every_form_of_import(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("import a.b\nfrom c import d\ndef f():\n    import e\n")
    assert list(imports(file)) == ["a.b", "c.d", "e"]
    assert list(imports(file, top_only=True)) == ["a.b", "c.d"]
    relative = ast.parse("from .images import x").body[0]
    assert _absolute(PACKAGE / "models.py", relative) == "nbhelpers.images"
    assert _absolute(PACKAGE / "explain" / "lime.py", relative) == "nbhelpers.explain.images"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_floor_and_a_test(room):
    assert room in FLOOR_OF, f"give {room} a floor in this test and in the design"
    if room != "__main__":
        assert (TESTS / f"test_{room}.py").is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_one_way(room):
    for other in rooms_imported(ROOMS[room]) - {room}:
        allowed = FLOOR_OF[other] <= FLOOR_OF[room] or (room, other) in ALLOWED
        assert allowed, f"{room} must not import {other}, which stands on a later floor"
    if room == "runner":
        assert rooms_imported(ROOMS[room]) <= {room} | OUTSIDE_MAY_IMPORT
    if room == "__main__":
        assert rooms_imported(ROOMS[room]) <= {"commands", "runner"}


def test_no_two_rooms_import_each_other():
    arrows = {room: rooms_imported(paths) - {room} for room, paths in ROOMS.items()}
    circles = [(a, b) for a, others in arrows.items() for b in others if a in arrows[b]]
    assert not circles


@pytest.mark.parametrize("room", ROOMS)
def test_ipython_only_in_display(room):
    names = {name.split(".")[0] for path in ROOMS[room] for name in imports(path)}
    assert room == "display" or not names & {"IPython", "ipywidgets"}


@pytest.mark.parametrize("room", ROOMS)
def test_tensorflow_only_where_networks_are(room):
    for path in ROOMS[room]:
        names = {name.split(".")[0] for name in imports(path)}
        assert room in MAY_LOAD_TENSORFLOW or not names & {"tensorflow", "keras"}, path.name


@pytest.mark.parametrize("room", ROOMS)
def test_ray_only_inside_functions_of_cluster(room):
    for path in ROOMS[room]:
        inside = {name.split(".")[0] for name in imports(path)}
        at_import = {name.split(".")[0] for name in imports(path, top_only=True)}
        assert "ray" not in (at_import if room == "cluster" else inside), path.name


def test_metrics_need_numpy_and_scikit_learn_only():
    names = {name.split(".")[0] for path in ROOMS["metrics"] for name in imports(path)}
    assert names - set(sys.stdlib_module_names) <= {"nbhelpers", "numpy", "sklearn"}


def test_importing_the_package_is_quick_and_loads_nothing():
    code = (
        "import sys, time; start = time.perf_counter(); import nbhelpers;"
        "print(time.perf_counter() - start);"
        "print(sorted({'tensorflow', 'keras', 'IPython', 'cv2', 'pandas'} & set(sys.modules)))"
    )
    # The best of three, since another program may hold the processor.
    found = [_output(code).splitlines() for _ in range(3)]
    assert found[0][1] == "[]"
    assert min(float(seconds) for seconds, _ in found) < 0.1


def test_table_rooms_load_no_tensorflow():
    rooms = "locate, manifest, splits, metrics, results"
    code = f"import sys; from nbhelpers import {rooms}; print('tensorflow' in sys.modules)"
    assert _output(code) == "False"


def _output(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from nbhelpers.__main__ import parser; parser().format_help();"
        "print(sorted({'tensorflow', 'cv2', 'pandas', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    assert _output(code) == "[]"
