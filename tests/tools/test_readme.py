"""The README's results table."""

import json

import pytest
import tiny_notebooks as tiny

from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import scores
from tools import command_line, readme


def test_readme_table_is_rewritten_between_its_markers(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    results = {"02_a": tiny.results("02_a", model="a|b"), "05_c": tiny.results("05_c")}
    del results["05_c"]["metrics"]["test"]["ours"]  # the prior alone tells nothing
    assert readme.update(page, results)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| [02_a](notebooks/02_a.ipynb) | `a\\|b` | 0.750 [0.650, 0.850] |" in text
    assert "|  | `prior` | 0.500" in text
    assert readme.FROM_SAMPLE in text
    assert scores.RANDOM_NOTE not in text
    assert "05_c" not in text
    assert not readme.update(page, results)
    assert readme.EMPTY in readme.table_block({})
    results["03_b"] = tiny.results("03_b", sample=False, random=True)
    assert readme.FROM_MIXED in readme.table_block(results)
    del results["02_a"]
    assert readme.FROM_REAL in readme.table_block({"03_b": results["03_b"]})
    assert scores.RANDOM_NOTE in readme.table_block({"03_b": results["03_b"]})


@pytest.mark.parametrize("text", ["", "{B}", "{E}{B}", "{B}{E}{E}", "{B}{B}{E}"])
def test_readme_without_its_markers_is_refused(tmp_path, text):
    page = tmp_path / "README.md"
    page.write_text(text.format(B=readme.BEGIN, E=readme.END))
    with pytest.raises(UsageError, match="results:begin"):
        readme.update(page, {})
    with pytest.raises(UsageError, match="does not exist"):
        readme.update(tmp_path / "NONE.md", {})


def test_readme_is_made_from_the_latest_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    page = tmp_path / "README.md"
    page.write_text(f"{readme.BEGIN}\n{readme.END}\n")
    assert command_line.run(readme, []) == 2
    assert "found none" in capsys.readouterr().err
    latest = tmp_path / "runs" / "latest"
    latest.mkdir(parents=True)
    (latest / "02_a.results.json").write_text(json.dumps(tiny.results("02_a")))
    assert command_line.run(readme, []) == 0
    assert "[02_a](notebooks/02_a.ipynb)" in page.read_text()
    assert command_line.run(readme, ["--out", str(latest)]) == 0
    assert "up to date" in capsys.readouterr().out
