"""The README: what its first screen shows, and the numbers of its chart."""

import json
import re

import pytest
import tiny_notebooks as tiny

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from tools import chart

ROOT = locate.project_root()
README = (ROOT / "README.md").read_text(encoding="utf-8")


def content():
    """The numbers of the chart."""
    return json.loads((ROOT / chart.SOURCE).read_text(encoding="utf-8"))


def test_the_readme_is_short():
    lines = README.splitlines()
    assert len(lines) <= 130
    assert [line for line in lines if len(line) > 120] == []


def test_the_readme_begins_with_picture_question_chart_and_commands():
    order = ["data/sample.jpg", "**Can a network", "<picture>", "make run", "## The notebooks"]
    places = [README.index(part) for part in order]
    assert places == sorted(places)
    assert README[: places[2]].count("\n") <= 15  # seen without scrolling


@pytest.mark.parametrize("theme", chart.THEMES)
def test_the_chart_is_drawn_from_its_numbers(theme, tmp_path):
    stored = ROOT / chart.SOURCE.replace(".json", f"-{theme}.svg")
    chart.draw(content(), tmp_path / "new.svg", colours=chart.THEMES[theme])
    texts = [
        re.findall(r"<text[^>]*>([^<]+)", path.read_text(encoding="utf-8"))
        for path in (stored, tmp_path / "new.svg")
    ]
    assert sorted(texts[0]) == sorted(texts[1])
    assert chart.THEMES[theme]["text"] in stored.read_text(encoding="utf-8")


def test_the_chart_shows_what_the_results_say():
    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for row in content()["rows"]:
        assert row["low"] < row["value"] < row["high"]
        text = f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        assert text in results, row["name"]


def run_on(*, sample):
    """Results of a run that judged all four models."""
    results = {
        "02_a": tiny.results("02_a", model="article_cnn", sample=sample),
        "03_b": tiny.results("03_b", model="article_xception", sample=sample),
    }
    for stem, added in (("02_a", "residual_cnn"), ("03_b", "our_xception")):
        models = results[stem]["metrics"]["test"]
        models[added] = models["prior"] | {"auc": {"value": 0.8765, "low": 0.8, "high": 0.9}}
    return results


def test_the_numbers_of_a_run_become_the_chart():
    results = run_on(sample=False)
    made = chart.content_of(results)
    names = [name for name, _ in chart.MODELS.values()]
    assert [row["name"] for row in made["rows"]] == names
    assert made.keys() == content().keys()
    assert made["rows"][3]["value"] == 0.876 and made["axis"].startswith("AUC on 10 real-face")
    for groups, rows in ((None, 4), (7, 4), (10, 5)):  # people of whom it has met some: no row
        auc = {"value": 0.9, "low": 0.8, "high": 0.95, "groups": groups}
        results["03_b"]["extra"] = {"bundled_detector": {"auc": auc}}
        results["03_b"]["metrics"]["test"]["our_xception"]["auc"]["groups"] = 10
        assert len(chart.content_of(results)["rows"]) == rows
    assert chart.content_of(results)["rows"][4]["name"] == chart.BUNDLED[0]
    with pytest.raises(UsageError, match="on the bundled sample"):
        chart.content_of(run_on(sample=True))
    results["03_b"]["metrics"]["test"]["our_xception"]["auc"]["groups"] = 7
    with pytest.raises(UsageError, match="received article_cnn, residual_cnn, article_xception"):
        chart.content_of(results)
