"""Paired differences of runs, and whose rows belong together."""

import pandas as pd

from nbhelpers.data import locate
from nbhelpers.runner import comparison


def predictions(scores, names="abcd"):
    return pd.DataFrame(
        {"videoname": list(names), "label": ["REAL", "FAKE"] * 2, "y_score": scores}
    )


def test_paired_differences_by_hand():
    worst, best = predictions([0.9, 0.1, 0.8, 0.2]), predictions([0.1, 0.9, 0.2, 0.8])
    groups = {"a": "x", "b": "x", "c": "y", "d": "y"}
    score, note = comparison.paired(worst, best, groups=groups, metric="auc")
    assert score[:3] == (1.0, 1.0, 1.0)
    assert note == "4 rows in 2 groups"
    score, note = comparison.paired(worst, worst, groups=None, metric="auc")
    assert score.value == 0
    assert "groups unknown" in note


def test_only_rows_in_common_are_compared():
    other = predictions([0.9, 0.1, 0.8, 0.2], names="abyz")
    score, note = comparison.paired(
        predictions([0.1, 0.9, 0.2, 0.8]), other, groups=None, metric="auc"
    )
    assert score.value == -1
    assert note.startswith("2 rows in common, of 4 and 4")
    elsewhere = predictions([0.5] * 4, names="wxyz")
    assert comparison.paired(predictions([0.5] * 4), elsewhere, groups=None, metric="auc") == (
        None,
        "no test row in common",
    )


def test_groups_come_from_the_data_set():
    result = {"data": {"name": locate.FACES, "root": f"data/sample/{locate.FACES}"}}
    groups = comparison.group_of(result)
    assert len(groups) == 1044
    assert len(set(groups.values())) == 32
    assert comparison.group_of({"data": {"name": locate.FACES, "root": "gone"}}) is None
    assert comparison.group_of({}) is None
