"""Real faults, and the table of what comes of them, which `docs/reliability.md` shows.

Each test says through `told` what is kept and gives the line that the user read. The test fails
when the page says otherwise; `NBHELPERS_WRITE_TABLE=1 pytest tests/faults` writes the page anew.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbhelpers import files, locate

HERE = Path(__file__).parent
PAGE = locate.project_root() / "docs" / "reliability.md"
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
WRITE = "NBHELPERS_WRITE_TABLE"
PATIENCE = 300  # seconds for anything here; only a fault reaches it


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


class Process:
    """A program under test, in a process group of its own, that is sure to be gone at the end."""

    def __init__(self, *words, **options):
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | options.pop("env", {})
        self._popen = subprocess.Popen(
            [sys.executable, *map(str, words)], env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options,
        )  # fmt: skip
        self.pid = self._popen.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._popen.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.communicate()

    def wait_for(self, condition):
        """Waits until `condition()` holds while the program goes on; returns its value."""
        deadline = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert self._popen.poll() is None, f"ended too early: {self._popen.communicate()[0]}"
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)
        return value

    def kill(self, number=signal.SIGKILL, *, group=False):
        """Sends a signal to the program, or as a terminal does to its whole group."""
        (os.killpg if group else os.kill)(self.pid, number)

    def end(self):
        """Waits for the end; returns the exit code and what was printed."""
        said, _ = self._popen.communicate(timeout=PATIENCE)
        return self._popen.returncode, said


class Project:
    """A folder with tiny notebooks, and `python -m nbhelpers run` on them."""

    def __init__(self, folder):
        self.folder, self.out = folder, folder / "out"
        self.notebooks = folder / "notebooks"

    def start(self, *words):
        return Process(HERE / "driver.py", self.folder, "run", "--out", self.out, *words)

    def run(self, *words):
        with self.start(*words) as process:
            return process.end()

    def state(self):
        """What `run.json` says: notebook -> status; nothing before it is written."""
        try:
            content = json.loads((self.out / "run.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {stem: outcome["status"] for stem, outcome in content.items()}


def line_with(text, part):
    """The one line of a text that holds a part."""
    found = [line for line in text.splitlines() if part in line]
    assert len(found) == 1, text
    return found[0]
