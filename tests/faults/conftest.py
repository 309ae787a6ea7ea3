"""Real faults, and the table of what comes of them, which `docs/reliability.md` shows.

Each test says through `told` what is kept and gives the line that the user read. The test fails
when the page says otherwise; `NBHELPERS_WRITE_TABLE=1 pytest tests/faults` writes the page anew.
"""

import os
import re

import pytest

from nbhelpers.common import files
from nbhelpers.data import locate

PAGE = locate.project_root() / "docs" / "reliability.md"
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
WRITE = "NBHELPERS_WRITE_TABLE"


@pytest.fixture
def told():
    """Call it with a fault, what is kept, and the line that was read: a row of the page."""

    def tell(fault, kept, line):
        row = f"| {fault} | {kept} | `{plain(line)}` |"
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        table, _, after = rest.partition(END)
        rows = [old for old in table.strip().splitlines() if old]
        if os.environ.get(WRITE):
            rows = [old for old in rows if not old.startswith(f"| {fault} |")] + [row]
            text = "\n".join(rows)
            files.write_text(PAGE, f"{before}{BEGIN}\n{text}\n{END}{after}")
        else:
            assert row in rows, f"docs/reliability.md should say: {row}; write it with {WRITE}=1"

    return tell


def plain(line):
    """A line as on every machine: no folders, numbers of processes, times."""
    line = re.sub(r"/[\w./-]+/([\w.-]+)", r"…/\1", line.strip())
    line = re.sub(r"\d{4}-\d\d-\d\d [\d:+]+\d", "(time)", line)
    line = re.sub(r"process \d+", "process (number)", line)
    line = re.sub(r"\d+\.\d s\b", "(seconds)", line)
    return re.sub(r" {2,}", "  ", line).replace("|", "\\|")
