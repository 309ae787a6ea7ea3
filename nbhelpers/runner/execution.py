"""One notebook, executed through papermill in its own process."""

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.runner.lock import Share
from nbhelpers.runner.notebooks import tags_of
from nbhelpers.runner.run_record import Outcome

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel, not one in the home folder
}
OUTSIDE = "outside the cells"  # a message that begins with this keeps its log file
SOURCE_LINE = 70  # characters of a failed cell's first line that a message shows


def execute(
    source: Path,
    target: Path,
    *,
    parameters: dict[str, object],
    work_dir: Path,
    share: Share | None = None,
    on_cell: Callable[[int, int], None] = lambda cell, cells: None,
    on_wait: Callable[[], None] = lambda: None,
) -> Outcome:
    """Execute a notebook and store it with its outputs, even if a cell fails.

    Args:
        source: the .ipynb file; not changed.
        target: the executed .ipynb; replaced in one step at the end.
        parameters: values that papermill injects after the parameters cell.
        work_dir: the kernel's current folder.
        share: the output folder's lock, which the process holds as long as it lives.
        on_cell: called when a code cell starts, with its number, from 1, and the number of cells.
        on_wait: called about twice a second in between.

    Returns:
        The outcome; a failed notebook raises no exception.
    """
    part = target.with_name(f".{target.stem}.part.ipynb")
    log = target.with_suffix(".log")
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    started = time.perf_counter()
    process = context.Process(
        target=_child, args=(sender, source, part, parameters, work_dir, log, share), daemon=True
    )
    process.start()
    sender.close()
    message = None
    try:
        message = _listen(receiver, on_cell, on_wait)
        process.join()
    finally:
        _end(process)
        receiver.close()
        _store(part, target, source)
    seconds = time.perf_counter() - started
    if message is None:
        message = f"the process ended with code {process.exitcode}; see {log.name}"
    elif not message.startswith(OUTSIDE):  # a cell's own error is in the notebook
        log.unlink(missing_ok=True)
    return Outcome("failed" if message else "done", seconds, message)


def _store(part: Path, target: Path, source: Path) -> None:
    """Put the executed notebook in place, or the source if it was not written completely.

    A full disk or a kill can cut papermill's own file short.
    """
    try:
        json.loads(part.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        part.unlink(missing_ok=True)
        files.write_text(target, source.read_text(encoding="utf-8"))
    else:
        os.replace(part, target)


def _listen(
    receiver: Connection, on_cell: Callable[[int, int], None], on_wait: Callable[[], None]
) -> str | None:
    """Pass on progress until the child's last message, "" or what failed; None if it sent none."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            while not receiver.poll(0.5):
                on_wait()
            kind, *content = receiver.recv()
            if kind == "end":
                return content[0]
            on_cell(*content)
    return None


def _end(process: multiprocessing.process.BaseProcess) -> None:
    """Make sure that the child and its kernel have ended: terminate, then kill."""
    if process.is_alive():
        process.terminate()  # nbclient shuts its kernel down on SIGTERM
        process.join(10)
    if process.is_alive():
        process.kill()
        process.join()


def _child(
    sender: Connection,
    source: Path,
    part: Path,
    parameters: dict[str, object],
    work_dir: Path,
    log: Path,
    share: Share | None,
) -> None:
    """Execute in the spawned process; report cells through the pipe, and at the end what failed."""
    os.environ |= {name: os.environ.get(name, value) for name, value in QUIET.items()}
    os.environ.pop("MPLBACKEND", None)  # the kernel's own inline backend makes the figures
    warnings.simplefilter("ignore")
    threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    with open(log, "wb") as file:  # output that bypasses the notebook ends up here
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        failure = _papermill(source, part, parameters, work_dir, sender)
    except BaseException as error:
        import traceback

        traceback.print_exc()
        failure = f"{OUTSIDE}: {type(error).__name__}: {error}"
        if type(error).__name__ == "DeadKernelError":
            failure = f"{OUTSIDE}: the kernel died, usually because memory ran out"
    sys.stderr.flush()
    sender.send(("end", failure))


def _follow_parent(parent: int) -> None:
    """End this process if its parent is killed, so that no notebook keeps running unnoticed."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


class CellCounter:
    """Counts and reports code cells as they start; nbclient's `on_cell_start`.

    Args:
        cells: code cells of the source.
        tell: called with the number of the cell, from 1, and the number of cells.
    """

    def __init__(self, cells: int, tell: Callable[[int, int], None]) -> None:
        self._cells, self._tell = cells, tell
        self._started = 0
        self._current = ""

    def __call__(self, cell, cell_index: int) -> None:
        """Record that a cell starts; `cell_index` also counts prose and injected cells."""
        if cell.cell_type != "code":
            return
        if "injected-parameters" in tags_of(cell):
            self._current = "the injected parameters"
            return
        self._started += 1
        self._tell(self._started, self._cells)
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        start = f" (`{lines[0][:SOURCE_LINE]}`)" if lines else ""
        self._current = f"code cell {self._started} of {self._cells}{start}"

    def describe(self, error) -> str:
        """Return one line: the cell that was running, how it begins, and its error."""
        return f"{self._current}: {error.ename}: {error.evalue}".strip()


def _papermill(
    source: Path, part: Path, parameters: dict[str, object], work_dir: Path, sender: Connection
) -> str:
    """Run papermill; return which cell failed and how, or "" if none did."""
    import nbformat
    import papermill

    cells = nbformat.read(source, as_version=4).cells
    counter = CellCounter(
        sum(cell.cell_type == "code" for cell in cells),
        lambda number, count: sender.send(("cell", number, count)),
    )
    try:
        papermill.execute_notebook(
            _unformatted(source),
            _unformatted(part),
            parameters=parameters,
            progress_bar=False,
            start_timeout=300,
            cwd=work_dir,
            on_cell_start=counter,
        )
    except papermill.PapermillExecutionError as error:
        return counter.describe(error)
    for cell in nbformat.read(part, as_version=4).cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # SystemExit: papermill takes it for a normal end
                return counter.describe(output)
    return ""


def _unformatted(path: Path) -> str:
    """Escape a path for papermill, which reads braces as placeholders for parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")
