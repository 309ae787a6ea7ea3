"""families: originals before their own fakes, methods in turn, counterparts in the rows' order."""

import pandas as pd
import pytest

from nbhelpers.data import families

ROWS = [
    ("a", "REAL", "", ""),
    ("b", "REAL", "", ""),
    ("c", "REAL", "", ""),  # without a fake
    ("a1", "FAKE", "a", "swap"),
    ("a2", "FAKE", "a", "swap"),
    ("a3", "FAKE", "a", "blend"),
    ("b1", "FAKE", "b.mp4", "swap"),
    ("x1", "FAKE", "gone", "swap"),  # its original is not among the rows
]


@pytest.fixture
def table():
    table = pd.DataFrame(ROWS, columns=["videoname", "label", "original", "method"])
    return table.assign(path=table["videoname"] + ".jpg")


@pytest.mark.parametrize("seed", range(4))
def test_draw_gives_whole_families(table, seed):
    drawn = families.draw(table, count=5, seed=seed, fakes=2)
    assert drawn["family"].tolist() == ["family 1"] * 3 + ["family 2"] * 2
    assert drawn["videoname"].iloc[0] == "a"
    assert drawn["kind"].tolist()[:3] == ["REAL", "FAKE blend", "FAKE swap"]
    assert drawn["videoname"].tolist()[3:] == ["b", "b1"]
    assert len(families.draw(table, count=1, seed=seed)) == 4


def test_draw_without_families_or_methods(table):
    assert families.draw(table[table["label"] == "REAL"], count=2, seed=0).empty
    plain = families.draw(table.drop(columns="method"), count=1, seed=0)
    assert set(plain["kind"]) == {"REAL", "FAKE"}


def test_pairs_take_each_original_once_and_the_methods_in_turn(table):
    seen = set()
    for seed in range(8):
        drawn = families.pairs(table, count=2, seed=seed)
        assert sorted(drawn["real_path"]) == ["a.jpg", "b.jpg"]
        assert drawn["method"].is_monotonic_increasing
        seen |= set(drawn["videoname"])
    assert seen == {"a1", "a2", "a3", "b1"}


def test_counterparts_keep_the_order_and_leave_gaps(table):
    rows = table.set_index("videoname", drop=False).loc[["b1", "c", "a", "x1"]]
    opposite = families.counterparts(rows, table)
    assert opposite["videoname"].tolist() == ["b", "", "a1", ""]
    assert opposite["path"].tolist() == ["b.jpg", "", "a1.jpg", ""]
    assert opposite.index.tolist() == rows.index.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_one_class_per_family(table, seed):
    rows = families.one_class(table, seed=seed)
    fakes = rows[rows["label"] == "FAKE"]
    assert not set(fakes["original"].str.removesuffix(".mp4")) & set(rows["videoname"])
    whole = {"a": 3, "b": 1, "gone": 1}
    assert fakes["original"].str.removesuffix(".mp4").value_counts().to_dict().items() <= (
        whole.items()
    )
    assert 1 <= len(rows) < len(table)


def test_fakes_without_originals_are_families_of_their_own():
    names = [f"{letter}{number}" for letter in "rf" for number in range(20)]
    table = pd.DataFrame({"videoname": names, "label": ["REAL"] * 20 + ["FAKE"] * 20})
    rows = families.one_class(table, seed=1)
    assert 5 < (rows["label"] == "FAKE").sum() < 15
    assert families.pairs(table.assign(path="x.jpg"), count=3, seed=0).empty


def table_of(**columns):
    return pd.DataFrame(columns)


def test_a_fake_comes_with_its_own_original_in_either_order():
    table = table_of(
        videoname=["r1", "r2", "f1", "f2"],
        label=["REAL", "REAL", "FAKE", "FAKE"],
        original=["", "", "r2", "elsewhere"],
    )
    orders = {tuple(families.one_pair(table, seed=seed)["videoname"]) for seed in range(20)}
    assert orders == {("r2", "f1"), ("f1", "r2")}


def test_without_originals_any_real_and_any_fake_will_do():
    table = table_of(videoname=["r", "f"], label=["REAL", "FAKE"], original=["", ""])
    assert set(families.one_pair(table, seed=1)["videoname"]) == {"r", "f"}
