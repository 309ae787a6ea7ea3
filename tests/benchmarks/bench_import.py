"""Rows that need no network: how long `import nbhelpers` takes, and what the last series took."""

import json
import subprocess
import sys
from pathlib import Path

from nbhelpers.data import locate
from tests.benchmarks import measure
from tests.benchmarks.measure import Sizes

TIMED = (
    "import time; start = time.perf_counter(); import nbhelpers; print(time.perf_counter() - start)"
)


def importing(sizes: Sizes) -> list[dict]:
    """Seconds of `import nbhelpers` in a fresh process, as a share of the 0.1 s it may take."""
    seconds = []
    for _ in range(max(5, sizes.pairs)):
        command = [sys.executable, "-c", TIMED]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append((float(run.stdout), 0.1))
    measured = measure.summary(seconds, inverse=True)
    return [measure.row("import nbhelpers", "0.1 s", measured, unit="s", target="<= 1")]


def series(sizes: Sizes) -> list[dict]:
    """Seconds of the newest whole run of the series on the sample; none is started for this."""
    found = newest_run(locate.project_root() / "runs")
    if found is None:
        return [{"what": "whole series", "left_out": "no complete run under runs/: `make run`"}]
    folder, seconds = found
    measured = {"ours": sum(seconds.values()), "theirs": None, "pairs": 1}
    measured |= dict.fromkeys(("ratio", "low", "high"))
    notes = [f"read from {folder.name}/run.json, not measured now"]
    return [
        measure.row("whole series", "nothing", measured, unit="s", seconds=seconds, notes=notes)
    ]


def newest_run(runs: Path) -> tuple[Path, dict[str, float]] | None:
    """Folder and seconds a notebook of the newest run in which every notebook passed, or None."""
    stems = {path.stem for path in (locate.project_root() / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    states = sorted(runs.glob("*/run.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in states:
        outcomes = json.loads(path.read_text(encoding="utf-8"))
        if outcomes.keys() == stems and all(one["status"] == "done" for one in outcomes.values()):
            return path.parent, {stem: one["seconds"] for stem, one in outcomes.items()}
    return None
