"""The table of docs/results.md that is made from a run."""

import json

import pytest
import tiny_notebooks as tiny

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import scores
from tools import command_line, results_table


def test_table_is_rewritten_between_its_markers(tmp_path):
    page = tmp_path / "results.md"
    page.write_text(f"before\n{results_table.BEGIN}\nold\n{results_table.END}\nafter\n")
    results = {"02_a": tiny.results("02_a", model="a|b"), "05_c": tiny.results("05_c")}
    del results["05_c"]["metrics"]["test"]["ours"]  # the prior alone tells nothing
    assert results_table.update(page, results)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| [02_a](../notebooks/02_a.ipynb) | `a\\|b` | 0.750 [0.650, 0.850] |" in text
    assert "|  | `prior` | 0.500" in text
    assert results_table.FROM_SAMPLE in text
    assert scores.RANDOM_NOTE not in text
    assert "05_c" not in text
    assert not results_table.update(page, results)
    both = {"02_a": results["02_a"], "03_b": tiny.results("03_b"), "06_d": tiny.results("06_d")}
    both["06_d"]["data"]["name"] = "clips"
    both["03_b"]["metrics"]["test"]["ours_raw"] = both["03_b"]["metrics"]["test"]["ours"]
    block = results_table.table_block(both)
    names = [line.split("`")[1] for line in block.splitlines() if "`" in line and "|" in line]
    assert names == ["a\\|b", "ours", "prior", "ours", "prior"]  # one prior for each test set
    block = results_table.table_block({"a1_d": tiny.results("a1_d")})
    assert "| [a1_d](../notebooks/appendix/a1_d.ipynb) |" in block
    assert results_table.EMPTY in results_table.table_block({})
    results["03_b"] = tiny.results("03_b", sample=False, random=True)
    assert results_table.FROM_MIXED in results_table.table_block(results)
    del results["02_a"]
    assert results_table.FROM_REAL in results_table.table_block({"03_b": results["03_b"]})
    assert scores.RANDOM_NOTE in results_table.table_block({"03_b": results["03_b"]})


@pytest.mark.parametrize("text", ["", "{B}", "{E}{B}", "{B}{E}{E}", "{B}{B}{E}"])
def test_without_its_markers_is_refused(tmp_path, text):
    page = tmp_path / "results.md"
    page.write_text(text.format(B=results_table.BEGIN, E=results_table.END))
    with pytest.raises(UsageError, match="results:begin"):
        results_table.update(page, {})
    with pytest.raises(UsageError, match="does not exist"):
        results_table.update(tmp_path / "NONE.md", {})


def test_is_made_from_the_latest_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    page = tmp_path / "docs" / "results.md"
    page.parent.mkdir()
    page.write_text(f"{results_table.BEGIN}\n{results_table.END}\n")
    assert command_line.run(results_table, []) == 2
    assert "found none" in capsys.readouterr().err
    latest = tmp_path / "runs" / "latest"
    latest.mkdir(parents=True)
    (latest / "02_a.results.json").write_text(json.dumps(tiny.results("02_a")))
    assert command_line.run(results_table, []) == 0
    assert "[02_a](../notebooks/02_a.ipynb)" in page.read_text()
    assert command_line.run(results_table, ["--out", str(latest)]) == 0
    assert "up to date" in capsys.readouterr().out
