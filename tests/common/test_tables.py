"""Tables for terminals, pages and spreadsheets."""

import csv
import io

import pandas as pd
import pytest

from nbhelpers.common import tables


def test_text_columns_are_as_wide_as_their_longest_cell():
    text = tables.text_table(["a", "bb"], [["ccc", "d"], ["", "x" * 200]])
    assert text.splitlines() == [
        "a    bb",
        "---  " + "-" * 90,
        "ccc  d",
        "     " + "x" * 87 + "...",
    ]
    assert tables.text_table(["a"], []) == ""


def test_text_tables_do_not_steer_the_terminal():
    assert "\x1b" not in tables.text_table(["a"], [["\x1b[31mred\nline"]])
    assert len(tables.text_table(["a"], [["two\nlines"]]).splitlines()) == 3


def test_page_tables_escape_what_is_passed_through_escaped():
    page = tables.html_table(["<h>"], tables.escaped([["<b>"]]))
    assert "&lt;h&gt;" in page
    assert "<td>&lt;b&gt;</td>" in page
    assert tables.html_table(["a"], []) == ""


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\n=1", "＝1"])
def test_formulas_become_text(cell):
    for text in (
        tables.csv_text(["name"], [[cell]]),
        tables.frame_csv(pd.DataFrame({"name": [cell]})),
    ):
        (_, row) = csv.reader(io.StringIO(text, newline=""))
        assert row == ["'" + cell]


def test_a_carriage_return_does_not_end_a_row():
    for text in (
        tables.csv_text(["name"], [["a\r=1"]]),
        tables.frame_csv(pd.DataFrame({"name": ["a\r=1"]})),
    ):
        assert text == "name\na\\r=1\n"


def test_numbers_and_gaps_stay_what_they_are():
    expected = "name,a,b,c\n-1,-0.5,,True\n+1e3,2.0,3,\n"
    rows = [["-1", -0.5, None, True], ["+1e3", 2.0, 3, None]]
    assert tables.csv_text(["name", "a", "b", "c"], rows) == expected
    frame = pd.DataFrame({"name": ["-1", "+1e3"], "a": [-0.5, 2.0], "b": [None, 3], "c": [1, None]})
    assert tables.frame_csv(frame.astype({"b": "Int64", "c": "boolean"})) == expected
    assert tables.frame_csv(pd.DataFrame({"name": ["a", None]})) == 'name\na\n""\n'


def test_heads_are_escaped_as_well():
    assert tables.csv_text(["=a"], []) == "'=a\n"
