"""`compare`: runs side by side, and results that were edited."""

import contextlib
import copy
import io
import json
import os
import re

import pytest
from tiny_runs import write_run

from nbhelpers import __main__ as command


class GoneReader(io.StringIO):
    """An output that nobody reads any more."""

    def write(self, text):
        """Fail as a closed pipe does."""
        raise BrokenPipeError


RESULTS, PREDICTIONS = "02_a.results.json", "02_a.predictions.csv"


def compare(*words):
    return command.main(["compare", *map(str, words)])


def test_runs_side_by_side(tmp_path, capsys):
    a = write_run(tmp_path / "a", SIZE=96)
    b = write_run(tmp_path / "<b>", shift=0.4, SIZE=128)
    page = tmp_path / "page.html"
    assert compare(a, b, "--html", page) == 0
    text = capsys.readouterr().out
    assert re.search(r"^SIZE +96 +128$", text, re.MULTILINE)
    assert "SEED" not in text
    assert "OUTPUT_DIR" not in text
    assert re.search(r"^ours +0\.750 \[0\.650, 0\.850\] +0\.750", text, re.MULTILINE)
    assert re.search(r"\+0\.\d{3} \[groups unknown\]  40 rows; groups unknown", text)
    text_of_page = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;" in text_of_page
    assert "<b>" not in text_of_page
    assert "SIZE" in text_of_page
    assert text_of_page.count('<figure class="forest">') == 2
    assert text_of_page.count('class="whisker"') == 2  # none of the difference
    assert text.startswith("AUC: one difference cannot be judged")  # the data set is gone
    assert '<p class="verdict">AUC: one difference' in text_of_page


def test_the_page_is_there_though_the_reader_of_the_text_left(tmp_path):
    runs = [write_run(tmp_path / "a", SIZE=96), write_run(tmp_path / "b", SIZE=128)]
    page = tmp_path / "page.html"
    with (
        contextlib.redirect_stdout(GoneReader()),
        contextlib.suppress(BrokenPipeError, SystemExit),
    ):
        compare(*runs, "--html", page)
    assert page.is_file()


def test_what_cannot_be_compared(tmp_path, capsys):
    a = write_run(tmp_path / "a")
    assert compare(a) == 2
    assert compare(a, a / ".." / "a") == 2
    (tmp_path / "empty").mkdir()
    assert compare(a, tmp_path / "empty") == 2
    assert "found none" in capsys.readouterr().err
    other = write_run(tmp_path / "other", stem="03_b")
    assert compare(a, other) == 1
    assert "no notebook has results in all runs" in capsys.readouterr().err


def test_advice_quotes_the_folder(tmp_path, capsys):
    a = write_run(tmp_path / "a")
    (tmp_path / "my runs; ls").mkdir()
    assert compare(a, tmp_path / "my runs; ls") == 2
    assert f"run --out '{tmp_path / 'my runs; ls'}'" in capsys.readouterr().err


@pytest.fixture
def runs(tmp_path):
    return write_run(tmp_path / "a"), write_run(tmp_path / "b", shift=0.4)


# ---------------------------------------------------------------- the page costs nobody a file


def test_a_page_replaces_an_older_comparison_only(runs, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert compare(*runs, "--html", page) == 0
    assert compare(*runs, "--html", page) == 0
    capsys.readouterr()
    for mine in (tmp_path / "notes.html", runs[0] / RESULTS, runs[1] / PREDICTIONS):
        if not mine.exists():
            mine.write_text("<!DOCTYPE html><title>Mine</title>")
        before = mine.read_bytes()
        assert compare(*runs, "--html", mine) == 2
        said = capsys.readouterr()
        assert "would be lost" in said.err
        assert said.out == ""  # refused before the work
        assert mine.read_bytes() == before
    assert compare(*runs, "--html", tmp_path / "notes.html", "--force") == 0
    assert "Runs side by side" in (tmp_path / "notes.html").read_text(encoding="utf-8")


def test_home_is_expanded(runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert compare("~/a", "~/b", "--html", "~/page.html") == 0
    assert (tmp_path / "page.html").is_file()
    assert not (tmp_path / "~").exists()
    with pytest.raises(SystemExit) as stop:
        compare("~/a", "~no.such.user/b")
    assert stop.value.code == 2


# ---------------------------------------------------------------- edited results


def keys_of(content, path=()):
    """The way to every key of nested objects."""
    for key, value in content.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from keys_of(value, (*path, key))


EDITS = {"null": None, "text": "x", "list": [1], "number": 7, "object": {}, "true": True}


@pytest.mark.parametrize("edit", [*EDITS, "removed"])
def test_every_edit_of_results_is_compared_or_refused_in_one_line(tmp_path, capsys, edit):
    runs = [write_run(tmp_path / name, rows=8) for name in "ab"]
    path = runs[1] / RESULTS
    original = json.loads(path.read_text())
    refused = 0
    for way in keys_of(original):
        content = copy.deepcopy(original)
        node = content
        for key in way[:-1]:
            node = node[key]
        if edit == "removed":
            del node[way[-1]]
        else:
            node[way[-1]] = EDITS[edit]
        path.write_text(json.dumps(content))
        code = compare(*runs)
        said = capsys.readouterr()
        assert code in (0, 2), way
        if code == 2:
            refused += 1
            assert len(said.err.splitlines()) == 1, way
            assert str(path) in said.err, way
            assert re.search(rf"the key '[\w.]*{re.escape(way[-1])}[\w.]*'", said.err), way
        else:
            assert said.err == "", way
    assert refused >= 10


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "cannot be read"),
        ("[]", "'the file itself'"),
        ("[" * 100_000, "cannot be read"),
        ("{} {}", "Extra data"),
        ('{"data": 1, "data": 2}', "key 'data' appears twice"),
        ('{"parameters": {"A": 1, "B": 2, "A": 3}}', "key 'A' appears twice"),
        ("1" * 5000, "cannot be read"),
    ],
)
def test_results_that_are_none_are_refused(runs, capsys, text, fault):
    (runs[1] / RESULTS).write_text(text)
    assert compare(*runs) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert fault in said
    assert RESULTS in said


def test_numbers_that_are_none_are_refused(runs, capsys):
    path = runs[0] / RESULTS
    original = path.read_text()
    for number in ("NaN", "Infinity", "1e999", "-1e400", "true", "1" + "0" * 400):
        path.write_text(original.replace("0.75", number, 1))
        assert compare(*runs) == 2, number
        assert "the key 'metrics.test.ours.auc.value'" in capsys.readouterr().err


def edited(lines, number, column, value):
    cells = lines[number].split(",")
    cells[column] = value
    return [*lines[:number], ",".join(cells), *lines[number + 1 :]]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda lines: [*lines, lines[3]], "each row once per model; received 1 rows"),
        (lambda lines: edited(lines, 4, 3, "high"), "a y_score from 0 to 1; received 1 rows, the"),
        (lambda lines: edited(lines, 4, 3, "nan"), "the first in line 5"),
        (lambda lines: edited(lines, 4, 3, "1.5"), "the first in line 5"),
        (lambda lines: edited(lines, 4, 3, ""), "the first in line 5"),
        (lambda lines: edited(lines, 4, 2, "fake?"), "a label of REAL, FAKE"),
        (lambda lines: edited(lines, 0, 3, "score"), "['y_score'] missing"),
        (lambda lines: [], "cannot be read"),
        (lambda lines: ['"' + lines[0], *lines[1:]], "cannot be read"),
        (lambda lines: [*lines, "a,b,c,d,e,f,g,h"], "cannot be read"),
    ],
)
def test_edited_predictions_are_refused_in_one_line(runs, capsys, edit, fault):
    path = runs[1] / PREDICTIONS
    path.write_text("\n".join(edit(path.read_text().splitlines())))
    assert compare(*runs) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert fault in said
    assert str(path) in said


def test_files_that_cannot_be_read_do_not_hang_or_end_in_a_traceback(runs, capsys):
    for name in (RESULTS, PREDICTIONS):
        path = runs[1] / name
        content = path.read_bytes()
        path.write_bytes(b"\xff\xfe\x00caf\xe9")
        assert compare(*runs) == 2
        path.unlink()
        os.mkfifo(path)
        assert compare(*runs) == 2
        assert "is a pipe" in capsys.readouterr().err
        path.unlink()
        path.write_bytes(content)
    assert compare(*runs) == 0
