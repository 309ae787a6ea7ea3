"""Paired differences of runs, and whose rows belong together."""

import json

import pandas as pd
import pytest
from tiny_runs import write_run

from nbhelpers.data import locate
from nbhelpers.evaluation.metrics import Interval
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
    assert score.groups is None
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


BETTER, WORSE, TIE = (
    Interval(*one, 9) for one in ((0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), (0, -1, 1))
)
FEW, WITHOUT_GROUPS = Interval(0.2, 0.1, 0.3, 7), Interval(0.2, 0.1, 0.3)


@pytest.mark.parametrize(
    ("scores", "metric", "words"),
    [
        ([BETTER], "auc", ["AUC: ours is better in b, by +0.200 [+0.100, +0.300]."]),
        ([BETTER], "log_loss", ["Log loss: ours is worse in b, by +0.200"]),
        ([WORSE], "log_loss", ["ours is better in b"]),
        ([WORSE], "auc", ["ours is worse in b"]),
        ([TIE, TIE], "auc", ["AUC: no model can be told apart from that of the first run."]),
        ([BETTER, TIE], "auc", ["better in b", "; ours in b cannot be told apart"]),
        ([FEW], "auc", ["one difference covers too few groups"]),
        ([WITHOUT_GROUPS, None], "auc", ["each of 2 differences cannot be judged"]),
        ([], "auc", ["No model was judged"]),
    ],
)
def test_the_verdict_says_what_the_differences_say(scores, metric, words):
    gaps = [comparison.Difference("ours", "b", score, "note") for score in scores]
    text = comparison.verdict([comparison.Comparison("02_a", {}, {}, gaps)], metric=metric)
    assert all(part in text for part in words)
    assert ("better" in text) == any("better" in part for part in words)


def test_a_model_before_its_calibration_is_not_compared(tmp_path):
    runs = []
    for name in "ab":
        folder = write_run(tmp_path / name, shift=0.4)
        path = folder / "02_a.predictions.csv"
        rows = pd.read_csv(path)
        pd.concat([rows, rows.assign(model="ours_raw")]).to_csv(path, index=False)
        content = json.loads((folder / "02_a.results.json").read_text())
        models = content["metrics"]["test"]
        models["ours_raw"] = models["ours"]
        (folder / "02_a.results.json").write_text(json.dumps(content))
        runs.append(folder)
    (one,) = comparison.compare(comparison.read_runs(runs), metric="auc")
    assert list(one.scores) == ["ours", "prior"]
    assert [gap.model for gap in one.differences] == ["ours"]
