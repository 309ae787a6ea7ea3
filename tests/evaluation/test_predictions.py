"""predictions: forgery methods judged one by one, and the examples that are shown."""

import pandas as pd
import pytest

from nbhelpers.evaluation.predictions import PREDICTION_COLUMNS, auc_by_method, examples, joined

TABLE = pd.DataFrame(
    {
        "label": ["REAL", "REAL", "FAKE", "FAKE", "FAKE", "FAKE"],
        "method": ["", "", "swap", "swap", "blend", ""],
        "group": list("ababab"),
        "y_score": [0.4, 0.6, 0.9, 0.7, 0.1, 0.5],
    }
)


def test_each_method_is_judged_against_all_reals():
    found = auc_by_method(TABLE, {"net": TABLE["y_score"], "flat": [0.5] * 6})
    assert list(found) == ["blend", "swap", "unknown"]
    assert [row["net"].value for row in found.values()] == [0, 1, 0.5]
    assert all(row["flat"].value == 0.5 for row in found.values())


def test_examples_are_the_surest_of_each_kind():
    rows = examples(TABLE, threshold=0.6, count=1)
    assert rows["kind"].tolist() == ["hit", "missed", "accused"]
    assert rows["y_score"].tolist() == [0.9, 0.1, 0.6]  # a score at the threshold is called FAKE
    assert examples(TABLE, threshold=0.6, kinds=["missed"])["y_score"].tolist() == [0.1, 0.5]
    assert examples(TABLE, threshold=0.95)["kind"].tolist() == ["missed"] * 2


@pytest.mark.parametrize("kinds", [("accused", "hit"), ("hit", "accused")])
def test_examples_come_in_the_order_wanted(kinds):
    assert tuple(dict.fromkeys(examples(TABLE, threshold=0.3, kinds=kinds)["kind"])) == kinds


def test_models_are_joined_below_each_other():
    table = TABLE.assign(videoname=list("uvwxyz"), split="test")
    found = joined(table, {"a": [0.5] * 6, "b": TABLE["y_score"]})
    assert list(found) == PREDICTION_COLUMNS
    assert found["model"].tolist() == ["a"] * 6 + ["b"] * 6
    assert found["y_score"].tolist()[6:] == TABLE["y_score"].tolist()
