"""Programs that are killed, and small projects to run them on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 300  # seconds for anything here; only a fault reaches it


class Process:
    """A program under test, in a process group of its own, that is sure to be gone at the end."""

    def __init__(self, *words, **options):
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | options.pop("env", {})
        self._popen = subprocess.Popen(
            [sys.executable, *map(str, words)],
            env=environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
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
