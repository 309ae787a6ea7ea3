"""The progress of a run, for people who watch it."""

import time
from typing import TextIO

from nbhelpers.runner.run_record import Outcome


class Progress:
    """Show how far a run is: one rewritten line on a terminal, else a line per start and end.

    Args:
        stream: where to write.
        width: length of the longest notebook name.
    """

    def __init__(self, stream: TextIO, *, width: int) -> None:
        self._stream = stream
        self._width = width
        self._live = stream.isatty()
        self._name = self._place = ""
        self._started = 0.0

    def kept(self, name: str) -> None:
        """Report that a notebook is not run again."""
        self._name = name
        self._line("kept, nothing changed")

    def again(self, name: str, changed: list[str]) -> None:
        """Report that a finished notebook is run again because something it depends on changed."""
        self._name = name
        self._line(f"run again; changed: {', '.join(changed)}")

    def start(self, name: str) -> None:
        """Report that a notebook begins."""
        self._name, self._place, self._started = name, "starting", time.monotonic()
        if not self._live:
            self._line("started")
        self.tick()

    def cell(self, number: int, cells: int) -> None:
        """Report that a code cell begins; `number` counts from 1."""
        self._place = f"cell {number} of {cells}"
        self.tick()

    def tick(self) -> None:
        """Update the time shown."""
        if self._live:
            seconds = time.monotonic() - self._started
            text = f"{self._name:<{self._width}}  {self._place:<14} {seconds:6.0f} s"
            self._stream.write(f"\r\x1b[2K{text}")
            self._stream.flush()

    def end(self, name: str, outcome: Outcome) -> None:
        """Report that a notebook is done, failed or skipped."""
        self._name = name
        if self._live:
            self._stream.write("\r\x1b[2K")
        seconds = f"{outcome.seconds:.1f} s" if outcome.seconds else ""
        status = outcome.status.upper() if outcome.status == "failed" else outcome.status
        self._line("  ".join(part for part in (status, seconds, outcome.message) if part))

    def _line(self, text: str) -> None:
        self._stream.write(f"{self._name:<{self._width}}  {text}\n")
        self._stream.flush()
