"""The results files of a run, as they are read."""

import json

import tiny_notebooks as tiny

from nbhelpers.runner import scores


def test_results_that_cannot_be_read_are_left_out_aloud(tmp_path, caplog):
    (tmp_path / "02_a.results.json").write_text(json.dumps(tiny.results("02_a")))
    (tmp_path / "03_b.results.json").write_text("{")
    (tmp_path / "04_c.results.json").write_text("[]")
    assert list(scores.read_results(tmp_path)) == ["02_a"]
    assert len(caplog.records) == 2
