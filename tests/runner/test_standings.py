"""Which model is best: every way the sentence can fall."""

import pytest
import tiny_notebooks as tiny
from tiny_runs import write_run

from nbhelpers.evaluation.metrics import Interval
from nbhelpers.runner import comparison, scores, standings
from nbhelpers.runner.standings import Gap, Model, Standing

FACES = "deepfake-faces"


def model(name, value, low, high, groups=9):
    return Model(name, "03_x", Interval(value, low, high, groups))


def standing(best, *others, sample=False, random=False, gaps=()):
    gaps = [Gap(other, *gap) for other, gap in zip(others, gaps, strict=True)]
    return Standing(FACES, sample, random, [best, *others], gaps)


OURS, ARTICLE = model("ours", 0.8, 0.7, 0.9), model("article", 0.6, 0.55, 0.7)
THIRD = model("third", 0.58, 0.5, 0.6)
CLEAR = (Interval(0.2, 0.1, 0.3, 9), "40 rows in 9 groups")
TIE = (Interval(0.02, -0.1, 0.2, 9), "40 rows in 9 groups")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (
            standing(OURS, ARTICLE, gaps=[CLEAR]),
            "ours is best: AUC 0.800 [0.700, 0.900], better than article by 0.200 [0.100, 0.300] "
            "on the same pictures",
        ),
        (
            standing(OURS, ARTICLE, gaps=[TIE]),
            "ours has the highest AUC 0.800 [0.700, 0.900], but cannot be told apart from article "
            "(paired difference +0.020 [-0.100, +0.200])",
        ),
        (standing(OURS, ARTICLE, THIRD, gaps=[TIE, TIE]), "from article and third (paired differ"),
        (standing(OURS, ARTICLE, THIRD, gaps=[CLEAR, TIE]), "cannot be told apart from third"),
        (standing(OURS, ARTICLE, gaps=[(None, "no test row in common")]), "not known: no test row"),
        (
            standing(OURS, ARTICLE, gaps=[(Interval(0.2, 0.1, 0.3, 7), "x")]),
            "better than article is not known: both were judged on only 7 groups of people",
        ),
        (
            standing(OURS),
            "ours is the only model judged: AUC 0.800 [0.700, 0.900], above the prior",
        ),
        (
            standing(model("weak", 0.6, 0.49, 0.7), THIRD, gaps=[CLEAR]),
            "no model beats the prior beyond chance; the highest is weak, AUC 0.600 [0.490, 0.700]",
        ),
    ],
)
def test_the_sentence_says_what_the_numbers_say(case, words):
    text = standings.sentence(case)
    assert words in text
    assert text.startswith("On the test pictures, ")
    assert text.endswith(".")


def test_with_too_few_groups_no_number_is_named():
    text = standings.sentence(standing(model("ours", 0.87, 0.8, 0.9, groups=7)))
    assert "no best model can be named: they show 7 groups of people" in text
    assert "0." not in text


def test_the_sample_and_random_weights_are_said():
    text = standings.sentence(standing(OURS, sample=True, random=True))
    assert text.startswith("On the computer-generated test pictures, ")
    assert text.endswith("says nothing about transfer learning.")


def test_a_model_counts_once_however_often_it_is_judged():
    first, again = tiny.results("03_net"), tiny.results("04_why", model="03_net")
    test = first["metrics"]["test"]
    test["ours_raw"] = test["ours"]
    names = [one.label for one in standings.models_of({"03_net": first, "04_why": again})]
    assert names == ["ours (03)"]
    assert [one.name for one in standings.models_of({"04_why": again})] == ["03_net"]
    del test["ours"]
    assert [one.name for one in standings.models_of({"03_net": first})] == ["ours_raw"]


def test_models_of_different_notebooks_are_paired_on_their_common_rows(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", shift=0.1, stem="02_a")
    write_run(tmp_path / "other", shift=0.9, stem="03_b")
    for file in (tmp_path / "other").iterdir():
        file.write_text(file.read_text().replace("ours", "better").replace("0.75", "0.95"))
        file.rename(run / file.name)
    results = scores.read_results(run)
    (case,) = standings.of_run(results, run)
    assert [gap.is_known for gap in case.gaps] == [False]
    assert "its people cannot be resampled" in standings.sentence(case)
    groups = {f"{number}.mp4": str(number // 4) for number in range(40)}
    monkeypatch.setattr(comparison, "group_of", lambda result: groups)
    (case,) = standings.of_run(results, run)
    assert [one.label for one in case.models] == ["better (03)", "ours (02)"]
    (gap,) = case.gaps
    assert gap.note == "40 rows in 10 groups"
    assert gap.difference.excludes(0)
    (run / "02_a.predictions.csv").write_text("not,a,table\n")
    (case,) = standings.of_run(results, run)
    assert case.gaps[0].difference is None
