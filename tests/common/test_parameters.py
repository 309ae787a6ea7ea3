"""Parameters: the comment behind each one is what machines check, too."""

import nbformat
import pytest

from nbhelpers.common import parameters
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.reporting import results
from nbhelpers.runner import overrides
from nbhelpers.runner.notebooks import find_notebooks

FOLDER = locate.project_root() / "notebooks"


def test_a_cell_is_read_and_not_executed():
    text = 'A = 1  # n\nB = -2.5\nC = "x # y"  # unit, 0-1\nD = [\n    1,\n]  # or some\nE = None'
    cell = parameters.read_cell(text)
    values = {name: parameter.default for name, parameter in cell.items()}
    assert values == {"A": 1, "B": -2.5, "C": "x # y", "D": [1], "E": None}
    comments = [parameter.comment for parameter in cell.values()]
    assert comments == ["n", "", "unit, 0-1", "or some", ""]


@pytest.mark.parametrize("text", ["A = int(3)", "A: int = 3", "A = B = 3", "import os", "A += 1"])
def test_a_cell_holds_literals_only(text):
    with pytest.raises(UsageError, match="NAME = literal"):
        parameters.read_cell(text)


@pytest.mark.parametrize(
    ("line", "good", "bad"),
    [
        ("X = 1  # of it, 0-1", [0, 0.5, 1], [-0.1, 1.5, float("nan")]),
        ("X = 1  # of it, -0.4 to 2; as others", [-0.4, 0, 2], [-0.5, 2.1]),
        ("X = 9  # frames, 6-300", [6, 300], [5, 301]),
        ("X = 1  # epochs, 1 or more; the article has 3", [1, 2, 10**9], [0, -1]),
        ("X = 99  # pixels, at least 71", [71], [70]),
        ("X = 1  # rate, above 0", [1e-9], [0, -1.0, float("nan")]),
        (
            "X = (1, 2)  # shares, above 0, below 1: a, b",
            [(0.2, 0.8), [0.5, 0.4]],
            [(0, 0.5), (0.5, 1)],
        ),
        ("X = 4  # a multiple of 4, at least 8", [8, 12], [4, 9]),
        ("X = 4  # pictures, even", [2], [3]),
        ("X = 4  # 1 or more, at most OTHER", [1, 8], [0, 9]),
        ('X = "auto"  # "auto" asks, "none" starts anew', ["auto", "none"], ["", "nome", "None"]),
        (
            'X = "b"  # "a" or a .keras file, or "c"',
            ["a", "b", "c", __file__],
            ["d", "/x/none.keras"],
        ),
        ('X = ["a", "b"]  # or some', [[], ["b"], ["a", "b"]], [["c"], ["a", "A"]]),
        ('X = ""  # folder; "" searches', ["", "anything"], []),
        ('X = "even"  # "even", or the "first" ones, 3 or more', ["even"], ["evn"]),
        ("X = True  # 3 or more", [False], []),
        ("X = 0.2  # share, below 1 with OTHER_SHARE", [0.69], [0.7, 0.8]),
        (
            "X = (0.5, 0.2, 0.3)  # shares, above 0, in all 1",
            [(0.6, 0.15, 0.25), [0.8, 0.1, 0.1]],
            [[], [0.6, 0.4], [0.6, 0.3, 0.3], [0.5, 0.2, 0.1], [0.6, "nan", 0.1], [True, 0.2, 0.2]],
        ),
        ('X = ["a"]  # layers', [[], ["b", "c"]], [[1], [["a"]], [None], ["a", "a"]]),
        ("X = []  # of forging; [] is all", [[], ["b"]], [[3], [0.5]]),
    ],
)
def test_a_comment_allows_and_refuses(line, good, bad):
    cell = parameters.read_cell(line)
    for value in good:
        parameters.check({"X": value, "OTHER": 8, "OTHER_SHARE": 0.3}, cell, notebook="01_x")
    for value in bad:
        with pytest.raises(UsageError, match=r"for X; received .*01_x"):
            parameters.check({"X": value, "OTHER": 8, "OTHER_SHARE": 0.3}, cell, notebook="01_x")


def test_a_file_that_is_named_exists_or_comes_from_the_same_run(tmp_path):
    cell = parameters.read_cell('MODEL_FILE = ""  # detector\nSPLIT_CSV = ""')
    (tmp_path / "split.csv").touch()
    values = {"OUTPUT_DIR": str(tmp_path / "out"), "SPLIT_CSV": str(tmp_path / "split.csv")}
    for good in ("", __file__, str(tmp_path / "out" / "03.keras")):
        parameters.check(values | {"MODEL_FILE": good}, cell, notebook="04_x")
    for name in ("MODEL_FILE", "SPLIT_CSV"):
        for bad in (str(tmp_path / "none.csv"), str(tmp_path)):
            with pytest.raises(UsageError, match=f"exists for {name}; received .*04_x"):
                parameters.check(values | {name: bad}, cell, notebook="04_x")


def test_a_file_may_go_by_a_name_where_the_comment_gives_names(tmp_path):
    cell = parameters.read_cell('MODEL_FILE = ""  # "bundled", "latest" or a file')
    for good in ("", "bundled", "latest", __file__):
        parameters.check({"MODEL_FILE": good}, cell, notebook="04_x")
    for bad in ("bundle", str(tmp_path / "none.keras")):
        with pytest.raises(UsageError, match=r"for MODEL_FILE; received .*04_x"):
            parameters.check({"MODEL_FILE": bad}, cell, notebook="04_x")


def test_unknown_names_meet_the_nearest():
    parameters.check_names("METHODS", ["a"], known=["a", "b"])
    with pytest.raises(UsageError, match=r"METHODS; received 'swop'\. Did you mean 'swap'"):
        parameters.check_names("METHODS", ["swop"], known=["swap", "blend"])


WRONG = [
    ("01", "SEED", -1),
    ("01", "TEST_SHARE", 1.5),
    ("01", "CUE_PICTURES", 0),
    ("01", "VERIFY", "headers"),
    ("02", "BATCH_SIZE", 33),
    ("02", "SEEDS", 0),
    ("02", "IMAGE_SIZE", 97),
    ("02", "IMAGE_SIZE", 100_000),
    ("02", "RESIDUAL_SIZE", 100_000),
    ("03", "IMAGE_SIZE", 100_000),
    ("05", "EXAMPLES", 3000),
    ("05", "GIF_WIDTH", 100_000),
    ("06", "IMAGE_SIZE", 100_000),
    ("03", "ROBUSTNESS_PICTURES", 0),
    ("03", "BATCH_SIZE", 7),
    ("a1", "PARTS", ["pears"]),
    ("03", "PRECISION", "bfloat16"),
    ("04", "OCCLUSION_STEP", 64),
    ("04", "SEGMENTATION", "slick"),
    ("05", "EXAMPLES", 4),
    ("05", "CLIP_FRAMES", 301),
    ("06", "FOLDS", 1),
    ("06", "FRACTIONS", [0.8, 0.2, 0]),
    ("06", "ENCODER", "Inception"),
    ("02", "TEST_SHARE", 0.9),
    ("a1", "PARTS", [["pairs"]]),
    ("a1", "METHODS", [3]),
    ("03", "WEIGHTS_FILE", "/nowhere/xception.h5"),
    ("04", "MODEL_FILE", "/nowhere/mine.keras"),
    ("06", "FRACTIONS", [0.6, 0.4]),
    ("06", "LAYERS", [1]),
]


@pytest.mark.parametrize(("number", "name", "value"), WRONG)
def test_runner_and_first_line_refuse_what_would_fail_late(number, name, value, tmp_path):
    notebooks = find_notebooks(FOLDER)
    (notebook,) = (one for one in notebooks if one.number == number)
    with pytest.raises(UsageError, match=f"for {name}; received .*{notebook.stem}"):
        overrides.combine(
            notebooks,
            [notebook],
            profile={},
            profile_base=tmp_path,
            pairs={name: value},
            data_dir=None,
            output_dir=tmp_path,
        )
    namespace = {**notebook.defaults, "OUTPUT_DIR": str(tmp_path / "out"), name: value}
    with pytest.raises(UsageError, match=f"for {name}; received .*{notebook.stem}"):
        results.start(namespace, notebook=notebook.stem)
    assert not (tmp_path / "out").exists()


def test_the_notebooks_own_values_are_allowed():
    for notebook in find_notebooks(FOLDER):
        parameters.check(notebook.defaults, notebook.parameters, notebook=notebook.stem)


def test_names_that_only_the_data_know_are_checked_before_any_training():
    (notebook,) = (one for one in find_notebooks(FOLDER) if one.number == "a1")
    code = "\n".join(
        cell.source for cell in nbformat.read(notebook.path, 4).cells if cell.cell_type == "code"
    )
    assert 0 < code.index('check_names("METHODS"') < code.index("training.fit(")
