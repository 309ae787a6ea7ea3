"""`compare`: runs side by side."""

import json
import re

import numpy as np
import pandas as pd
import tiny_notebooks

from nbhelpers import __main__ as command
from nbhelpers.commands import compare
from nbhelpers.data import locate


def write_run(folder, *, shift=0.0, rows=40, stem="02_a", **parameters):
    """A run of one notebook: 20 reals and 20 fakes in ten groups of the model `ours`."""
    folder.mkdir(parents=True)
    content = tiny_notebooks.results(stem)
    content["parameters"] = {"SEED": 42, "OUTPUT_DIR": str(folder)} | parameters
    content["data"]["root"] = "gone"
    (folder / f"{stem}.results.json").write_text(json.dumps(content))
    rng = np.random.default_rng(0)
    fake = np.arange(40) % 2
    table = pd.DataFrame(
        {
            "videoname": [f"{number}.mp4" for number in range(40)],
            "split": "test",
            "label": np.where(fake, "FAKE", "REAL"),
            "y_score": np.clip(0.5 + shift * (fake - 0.5) + rng.normal(0, 0.1, 40), 0, 1),
            "model": "ours",
        }
    ).head(rows)
    table.to_csv(folder / f"{stem}.predictions.csv", index=False)
    return str(folder)


def test_runs_side_by_side(tmp_path, capsys):
    a = write_run(tmp_path / "a", SIZE=96)
    b = write_run(tmp_path / "<b>", shift=0.4, SIZE=128)
    page = tmp_path / "page.html"
    assert command.main(["compare", a, b, "--html", str(page)]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^SIZE +96 +128$", text, re.MULTILINE)
    assert "SEED" not in text
    assert "OUTPUT_DIR" not in text
    assert re.search(r"^ours +0\.750 \[0\.650, 0\.850\] +0\.750", text, re.MULTILINE)
    assert re.search(r"\+0\.\d{3} \[\+0\.\d{3}, \+0\.\d{3}\]  40 rows; groups unknown", text)
    told = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;" in told
    assert "<b>" not in told
    assert "SIZE" in told


def predictions(scores, names="abcd"):
    return pd.DataFrame(
        {"videoname": list(names), "label": ["REAL", "FAKE"] * 2, "y_score": scores}
    )


def test_paired_differences_by_hand():
    worst, best = predictions([0.9, 0.1, 0.8, 0.2]), predictions([0.1, 0.9, 0.2, 0.8])
    groups = {"a": "x", "b": "x", "c": "y", "d": "y"}
    score, note = compare.paired(worst, best, groups=groups, metric="auc")
    assert score[:3] == (1.0, 1.0, 1.0)
    assert note == "4 rows in 2 groups"
    score, note = compare.paired(worst, worst, groups=None, metric="auc")
    assert score.value == 0
    assert "groups unknown" in note


def test_only_rows_in_common_are_compared():
    other = predictions([0.9, 0.1, 0.8, 0.2], names="abyz")
    score, note = compare.paired(
        predictions([0.1, 0.9, 0.2, 0.8]), other, groups=None, metric="auc"
    )
    assert score.value == -1
    assert note.startswith("2 rows in common, of 4 and 4")
    elsewhere = predictions([0.5] * 4, names="wxyz")
    assert compare.paired(predictions([0.5] * 4), elsewhere, groups=None, metric="auc") == (
        None,
        "no test row in common",
    )


def test_groups_come_from_the_data_set():
    result = {"data": {"name": locate.FACES, "root": f"data/sample/{locate.FACES}"}}
    groups = compare.group_of(result)
    assert len(groups) == 1044
    assert len(set(groups.values())) == 32
    assert compare.group_of({"data": {"name": locate.FACES, "root": "gone"}}) is None
    assert compare.group_of({}) is None


def test_what_cannot_be_compared(tmp_path, capsys):
    a = write_run(tmp_path / "a")
    assert command.main(["compare", a]) == 2
    assert command.main(["compare", a, f"{a}/../a"]) == 2
    (tmp_path / "empty").mkdir()
    assert command.main(["compare", a, str(tmp_path / "empty")]) == 2
    assert "found none" in capsys.readouterr().err
    other = write_run(tmp_path / "other", stem="03_b")
    assert command.main(["compare", a, other]) == 1
    assert "no notebook has results in all runs" in capsys.readouterr().err
