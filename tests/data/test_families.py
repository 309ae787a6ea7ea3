"""families: two to guess about."""

import pandas as pd

from nbhelpers.data import families


def rows(**columns):
    return pd.DataFrame(columns)


def test_a_fake_comes_with_its_own_original_in_either_order():
    table = rows(
        videoname=["r1", "r2", "f1", "f2"],
        label=["REAL", "REAL", "FAKE", "FAKE"],
        original=["", "", "r2", "elsewhere"],
    )
    orders = {tuple(families.one_pair(table, seed=seed)["videoname"]) for seed in range(20)}
    assert orders == {("r2", "f1"), ("f1", "r2")}


def test_without_originals_any_real_and_any_fake_will_do():
    table = rows(videoname=["r", "f"], label=["REAL", "FAKE"], original=["", ""])
    assert set(families.one_pair(table, seed=1)["videoname"]) == {"r", "f"}
