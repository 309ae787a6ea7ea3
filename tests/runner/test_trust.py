"""The four tiles, each in every state."""

import pytest
import tiny_notebooks as tiny

from nbhelpers.runner import comparison, findings, standings, trust


def score(value, spread=0.05, groups=9):
    return {"value": value, "low": value - spread, "high": value + spread, "groups": groups}


@pytest.mark.parametrize(
    ("rows", "groups", "state"),
    [
        ("0,train\n1,train\n9,test\n", 10, trust.WARNING),
        ("".join(f"{number},test\n" for number in range(8)) + "8,train\n", 9, trust.GOOD),
        ("0,train\n0b,test\n", 1, trust.WARNING),
        ("unknown,train\n", 2, trust.UNKNOWN),
        (None, 2, trust.UNKNOWN),
    ],
)
def test_split(tmp_path, monkeypatch, rows, groups, state):
    names = {str(number): str(number) for number in range(groups)} | {"0b": "0"}
    monkeypatch.setattr(comparison, "group_of", lambda result: names)
    if rows is not None:
        (tmp_path / "03_x.split.csv").write_text("videoname,split\n" + rows)
    assert trust.split_tile({"03_x": tiny.results("03_x")}, tmp_path).state == state
    monkeypatch.setattr(comparison, "group_of", lambda result: None)
    assert trust.split_tile({"03_x": tiny.results("03_x")}, tmp_path).state == trust.UNKNOWN


@pytest.mark.parametrize(
    ("loss", "state"),
    [
        (score(0.5), trust.GOOD),
        (score(0.68), trust.WARNING),
        (score(0.9), trust.WARNING),
        (score(0.5, groups=7), trust.UNKNOWN),
        (None, trust.UNKNOWN),
    ],
)
def test_calibration(tmp_path, loss, state):
    results = {"03_x": tiny.results("03_x")}
    models = results["03_x"]["metrics"]["test"]
    models["ours"] |= {"log_loss": loss, "expected_calibration_error": score(0.1)}
    models["prior"]["log_loss"] = score(0.69, 0)
    tile = trust.calibration_tile(results, standings.of_run(results, tmp_path))
    assert tile.state == state
    assert ("0.10 on average" in tile.text) == (state in (trust.GOOD, trust.WARNING))
    assert trust.calibration_tile({}, []).state == trust.UNKNOWN


def damaged(value, groups=9):
    row = {"corruption": "noise", "level": "strong", "auc": score(value, groups=groups)}
    return [{"corruption": "clean", "level": "none", "auc": score(0.8)}, row]


@pytest.mark.parametrize(
    ("curves", "state"),
    [
        (damaged(0.7), trust.GOOD),
        (damaged(0.52), trust.WARNING),
        (damaged(0.7, groups=4), trust.UNKNOWN),
        (damaged(0.7)[:1], trust.UNKNOWN),
        ("edited", trust.UNKNOWN),
    ],
)
def test_robustness(curves, state):
    tile = trust.robustness_tile([{}, {"robustness": curves}])
    assert tile.state == state
    assert ("chance" in tile.text) == (state == trust.WARNING)


@pytest.mark.parametrize(
    ("energy", "state"),
    [
        (score(0.2), trust.GOOD),
        (score(0.01), trust.WARNING),
        (score(-0.2), trust.WARNING),
        (score(0.2, groups=3), trust.UNKNOWN),
    ],
)
def test_explanations(energy, state):
    lime = score(0, groups=energy["groups"])
    extra = {findings.BY_CENTRE: {"Grad-CAM": {"energy": energy}, "LIME": {"energy": lime}}}
    tile = trust.explanations_tile([{}, extra])
    assert tile.state == state
    assert ("Grad-CAM" in tile.text) == (state == trust.GOOD)
    assert trust.explanations_tile([{}]).state == trust.UNKNOWN


def test_findings_are_read_off_the_results():
    result = tiny.results("02_a")
    assert findings.finding("02_a", result) == "ours reaches AUC 0.750 [0.650, 0.850]."
    result["metrics"]["test"]["ours"]["auc"] = score(0.75, groups=3)
    assert "0.75" not in findings.finding("02_a", result)
    shares = {"random split": {"group": 1.0}, "group split": {"group": 0.0}}
    assert "100% of the test fakes" in findings.finding("x", {"extra": {"leak": shares}})
    cues = {"brightness": score(0.5), "size_kb": score(0.7)}
    assert "strongest cue besides the faces is size kb" in findings.finding(
        "x", {"extra": {"cue_auc": cues}}
    )
    assert "No cue" in findings.finding("x", {"extra": {"cues_auc": {"a": score(0.52)}}})
    extra = {findings.BY_CENTRE: {"LIME": {"iou": score(-0.2)}}}
    assert findings.finding("x", {"extra": extra}).startswith("No explanation marks")
    few = {"a": score(0.9, groups=7)}
    for extra_of_few in ({"cues_auc": few}, {findings.BY_CENTRE: {"LIME": few}}):
        assert findings.finding("x", {"extra": extra_of_few}) == findings.TOO_FEW
    firm = few | {"b": score(0.7)}
    assert "is b: AUC 0.700" in findings.finding("x", {"extra": {"cues_auc": firm}})
    assert findings.finding("x", {"extra": {"finding": "As said.", **extra}}) == "As said."
    assert findings.finding("x", {"extra": 3}) == ""


def test_the_best_recipe_is_one_that_enough_people_judged():
    rows = {
        "article": {"auc": score(0.6), "minus": score(0.0)},
        "faces": {"auc": score(0.7), "minus": score(0.1)},
        "detector": {"auc": score(0.9, groups=7), "minus": score(0.3, groups=7)},
        "prior": {"auc": score(0.95)},
    }
    text = findings.finding("06_x", {"extra": {"comparisons": rows}})
    assert text.startswith(
        "The recipe with the highest AUC is faces: 0.700 [0.650, 0.750], cross-validated; "
        "difference from"
    )
    assert "+0.100 [+0.050, +0.150]" in text
    del rows["faces"]
    text = findings.finding("a2_x", {"extra": {"ablation": rows, "ablation_article": "article"}})
    assert (
        text == "The recipe with the highest AUC is article: 0.600 [0.550, 0.650], cross-validated."
    )
    assert findings.finding("06_x", {"extra": {"comparisons": {"a": 3, "detector": rows["prior"]}}})
