"""Parameters from profiles and `-p` are checked before anything runs."""

import pytest

from nbhelpers.common.errors import UsageError
from nbhelpers.runner import overrides
from nbhelpers.runner.notebooks import find_notebooks, select_notebooks


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("7", 3, 7),
        ("7", 0.5, 7.0),
        ("1e-3", 0.5, 0.001),
        ("1.5", 0.5, 1.5),
        ("true", False, True),
        ("none", "auto", "none"),
        ("'7'", "auto", "7"),
        ("", "auto", ""),
        ("[1, 2]", (3, 4), [1, 2]),  # papermill knows no tuples
        ("[a]", [], ["a"]),
        ("null", None, None),
        ("3", None, 3),
    ],
)
def test_values_take_the_type_of_the_default(text, default, value):
    given = overrides.parse_pairs([("X", text)])["X"]
    checked = overrides.checked("X", given, default=default)
    assert checked == value
    assert type(checked) is type(value)


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("7.5", 3),
        ("true", 3),
        ("x", 3),
        ("null", 3),
        ("7", "auto"),
        ("no", "auto"),
        ("true", 0.5),
        ("x", 0.5),
        ("1", True),
        ("3", [1]),
    ],
)
def test_another_type_is_refused(text, default):
    given = overrides.parse_pairs([("X", text)])["X"]
    with pytest.raises(UsageError, match="for X; received"):
        overrides.checked("X", given, default=default)


def test_broken_yaml_is_refused():
    with pytest.raises(UsageError, match="YAML for the value of X"):
        overrides.parse_pairs([("X", "[1")])


def combined(folder, *, wanted=(), profile=None, pairs=None, data_dir=None):
    notebooks = find_notebooks(folder)
    return overrides.combine(
        notebooks,
        select_notebooks(notebooks, wanted),
        profile=profile or {},
        profile_base=folder,
        pairs=pairs or {},
        data_dir=data_dir,
        output_dir=folder / "out",
    )


def test_later_layers_win_and_reach_only_notebooks_that_have_them(two):
    profile = {"all": {"SEED": 1, "EPOCHS": 9}, "02_cnn": {"EPOCHS": 2, "RATE": 1}}
    values = combined(two, profile=profile, pairs={"SEED": 5, "BINS": 3}, data_dir=two)
    common = {"SEED": 5, "DATA_DIR": str(two), "OUTPUT_DIR": str(two / "out")}
    assert values["01_eda"] == {**common, "BINS": 3}
    assert values["02_cnn"] == {**common, "EPOCHS": 2, "RATE": 1.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": {"EPOCH": 1}}, "'EPOCH'.*Did you mean 'EPOCHS'"),
        ({"pairs": {"epochs": 1}}, "Did you mean 'EPOCHS'"),
        ({"pairs": {"EPOCHS": 1}, "wanted": ["01"]}, "which no selected notebook has"),
        ({"profile": {"all": {"SEEDS": 1}}}, "under 'all'.*Did you mean 'SEED'"),
        ({"profile": {"02_cnn": {"BINS": 1}}}, "for 02_cnn; received 'BINS'"),
        ({"profile": {"02_cnm": {}}}, "Did you mean '02_cnn'"),
        ({"profile": {"02_cnn": {"EPOCHS": "x"}}, "wanted": ["01"]}, "int for EPOCHS"),
        ({"pairs": {"OUTPUT_DIR": "x"}}, "--out"),
    ],
)
def test_what_fits_nowhere_is_refused(two, options, message):
    with pytest.raises(UsageError, match=message):
        combined(two, **options)


def test_relative_paths_start_where_they_were_written(two, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, two):
        (folder / "mine.csv").touch()
    values = combined(two, wanted=["01"], pairs={"SPLIT_CSV": "mine.csv"})
    assert values["01_eda"]["SPLIT_CSV"] == str(tmp_path / "mine.csv")
    values = combined(two, wanted=["01"], profile={"all": {"SPLIT_CSV": "mine.csv"}})
    assert values["01_eda"]["SPLIT_CSV"] == str(two / "mine.csv")
    assert overrides.resolved("ENCODER", "own.keras", base=tmp_path) == str(tmp_path / "own.keras")
    assert overrides.resolved("ENCODER", "Xception", base=tmp_path) == "Xception"
    assert overrides.resolved("SPLIT_CSV", "", base=tmp_path) == ""
    assert overrides.resolved("MODEL_FILE", "bundled", base=tmp_path) == "bundled"
    assert overrides.resolved("SPLIT_CSV", "bundled", base=tmp_path) == str(tmp_path / "bundled")


def test_profiles_by_name_and_by_path(two, tmp_path):
    (two / "profiles" / "smoke.yaml").write_text("all: {SEED: 1}\n02_cnn:\n")
    assert overrides.read_profile("smoke", two / "profiles")[0] == {
        "all": {"SEED": 1},
        "02_cnn": {},
    }
    own = tmp_path / "own.yaml"
    own.write_text("all: {SEED: 2}\n")
    content, base = overrides.read_profile(str(own), two / "profiles")
    assert content == {"all": {"SEED": 2}}
    assert base == tmp_path
    with pytest.raises(UsageError, match="at most 255 bytes"):
        overrides.read_profile("p" * 300, two / "profiles")
    with pytest.raises(UsageError, match="Did you mean 'smoke'"):
        overrides.read_profile("smok", two / "profiles")
    for wrong in ("[1]", "all: 3", "a: [b", "x"):
        own.write_text(wrong)
        with pytest.raises(UsageError):
            overrides.read_profile(str(own), two / "profiles")
