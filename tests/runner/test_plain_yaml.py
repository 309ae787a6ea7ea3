"""YAML for parameters: decimal numbers, plain values, limits; one clear line for the rest."""

import time

import pytest

from nbhelpers.common.errors import UsageError
from nbhelpers.runner import grid, overrides, plain_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("-007", -7),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0b1", "0b1"),
        ("0x_", "0x_"),
        ("2020-01-01", "2020-01-01"),
        ("2020-13-45", "2020-13-45"),
        ("nan", "nan"),
        (".inf", ".inf"),
        ("true", True),
        ("no", False),
        ("~", None),
        ("'7'", "7"),
        ("[1, [a, 2.5]]", [1, ["a", 2.5]]),
        ("{on: 1, 2: b}", {"on": 1, "2": "b"}),
    ],
)
def test_a_number_is_a_decimal_number_and_the_rest_is_text(text, value):
    result = plain_yaml.read_text(text, what="a test")
    assert result == value
    assert type(result) is type(value)


REFUSED = [
    "!!int abc",
    "!!float x",
    "!!bool 3",
    "!!binary 3",
    "!!timestamp x",
    "!!set {a}",
    "!x 3",
    "&a [*a]",
    "a: &x 3\nb: *x",
    "*a",
    "a: 1\na: 2",
    "{[1]: 2}",
    "[1",
    "'a",
    "a: b: c",
    "\t1",
    "1e999",
    "1" * 5000,
    "\x00",
    "!!map 3",
    "!!seq 3",
    "--- 1\n--- 2",
    "%YAML 1.1",
    "[" * 1000,
    "{" * 1000,
    "- " * 1000,
    "? " * 1000,
    "x" * 400_000,
    "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:20]))
def test_anything_else_is_refused_in_one_line(text, tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    for refused in (
        lambda: overrides.parse_pairs([("X", text)]),
        lambda: overrides.read_profile(str(path), tmp_path),
        lambda: grid.read_grid(path),
    ):
        with pytest.raises(UsageError, match="Expected") as error:
            refused()
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_other_encodings_are_refused_in_one_line(encoding, tmp_path):
    path = tmp_path / "file.yaml"
    path.write_bytes("all: {NAME: \u00e9}".encode(encoding))
    for read in (lambda: overrides.read_profile(str(path), tmp_path), lambda: grid.read_grid(path)):
        with pytest.raises(UsageError, match=r"UTF-8|unacceptable character"):
            read()


def test_utf_8_with_a_mark_is_read(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text("all: {NAME: \u00e9}", encoding="utf-8-sig")
    assert overrides.read_profile(str(path), tmp_path)[0] == {"all": {"NAME": "\u00e9"}}


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match="directory"):
        grid.read_grid(tmp_path)
    with pytest.raises(UsageError, match="No such file"):
        grid.read_grid(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["", "[]", "{}", "- {}", "A: []", "3", "A"])
def test_an_empty_grid_is_refused(text, tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"`PARAMETER: \[value, value\]` lines"):
        grid.read_grid(path)


def test_a_large_page_is_refused_before_it_is_read():
    began = time.process_time()
    with pytest.raises(UsageError, match="characters"):
        plain_yaml.read_text("[1, " * 1_000_000, what="a test")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("value", ["nan", ".nan", float("nan"), float("inf"), 10**400, "1_0", "１"])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(UsageError, match="Expected float for X"):
        overrides.checked("X", value, default=0.5)


@pytest.mark.parametrize("text", ["1:30", "0x10", "1_000", "nan", "2020-01-01"])
def test_no_other_number_passes_for_a_whole_one(text):
    with pytest.raises(UsageError, match="Expected int for X; received str"):
        overrides.checked("X", overrides.parse_pairs([("X", text)])["X"], default=42)
