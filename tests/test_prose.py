"""Markdown that people read as source: lines that fit a screen."""

import subprocess

import pytest

from nbhelpers.data import locate

ROOT = locate.project_root()
LONGEST = 120  # letters
PAGES = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.split()


def long_lines(text):
    """Lines that do not fit, but those of tables, which cannot be broken."""
    return [line for line in text.splitlines() if len(line) > LONGEST and not line.startswith("|")]


@pytest.mark.skipif(not PAGES, reason="no git repository here")
@pytest.mark.parametrize("page", PAGES)
def test_lines_fit_a_screen(page):
    assert long_lines((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_long_line_is_seen():
    long = "word " * 25
    assert long_lines(f"short\n{long}\n| {long} |\n") == [long]
