"""Every claim of speed, measured here: `make bench`, or `python -m tests.benchmarks`.

    python -m tests.benchmarks [ROW ...] [--out runs/bench] [--small]
    python -m tests.benchmarks --page docs/speed.md      rewrites its table from the last results

Each row runs in a process of its own, so that peak memory is a row's own. The two sides of a ratio
run in turn; what they make is compared first, and a row whose sides differ has no ratio and the
exit code is 1. Writes one `benchmarks.json`, prints a table.

What was tried and did not win stands at the head of `bench_video.py`.
"""

import argparse
import datetime
import json
import logging
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.data import locate
from tests.benchmarks import bench_import, bench_lime, bench_pictures, bench_video, measure
from tests.benchmarks.measure import SMALL, Sizes
from tools import results_table

ROWS = {
    "first": bench_video.first,
    "even": bench_video.even,
    "second_run": bench_video.second_run,
    "decoding": bench_video.decoding,
    "loading": bench_pictures.loading,
    "training": bench_pictures.training,
    "lime": bench_lime.explaining,
    "series": bench_import.series,
    "import": bench_import.importing,
    "encoder": bench_video.encoder_share,
    "growth": bench_video.growth,
}
FILE = "benchmarks.json"
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
NOTE = "<!-- Made by `python -m tests.benchmarks --page docs/speed.md`; do not edit by hand. -->"


def run(names: Iterable[str], sizes: Sizes, *, rows: dict = ROWS, told=print) -> dict:
    """Measure rows, each in its own process; return what the results file holds.

    Args:
        names: keys of `rows`.
        sizes: how much.
        rows: name -> function of the sizes that returns a list of rows; importable by name.
        told: called with a line when a row is done.
    """
    results, begun = [], time.perf_counter()
    facts = measure.machine()
    for name in names:
        start = time.perf_counter()
        try:
            made = measure.alone(rows[name], sizes)
        except Exception as error:
            made = [{"what": name, "failed": f"{type(error).__name__}: {error}"}]
        seconds = time.perf_counter() - start
        results += [{"row": name} | one for one in made]
        told(f"{name:10} {seconds:6.1f} s  " + ("FAILED" if "failed" in made[0] else ""))
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": facts,
        "sizes": asdict(sizes),
        "seconds": time.perf_counter() - begun,
        "rows": results,
    }


def table(results: dict) -> str:
    """Return the results as a Markdown table."""
    lines = ["| what | beside | ours | theirs | ratio | spread | target |", "| --- " * 7 + "|"]
    for one in results["rows"]:
        if reason := one.get("failed") or one.get("left_out"):
            kind = "FAILED" if "failed" in one else "left out"
            cells = [one["what"], f"{kind}: {reason}", *[""] * 5]
        else:
            target = one["target"] and f"{one['target']}{'' if one['met'] else ' MISSED'}"
            unit = one["unit"]
            several = one["pairs"] > 1
            cells = [
                *(one["what"], one["beside"], _number(one["ours"], unit)),
                *(_number(one["theirs"], unit), _number(one["ratio"])),
                f"{_number(one['low'])}–{_number(one['high'])}" if several else "",
                target,
            ]
        lines.append(f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def _number(value: float | None, unit: str = "") -> str:
    """Three digits that count.

    >>> _number(1234.5, "s"), _number(0.01234), _number(None)
    ('1,234 s', '0.0123', '–')
    """
    if value is None:
        return "–"
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown} {unit}".strip()


def page_block(results: dict) -> str:
    """The text between the page's markers: the machine, and the table."""
    machine = results["machine"]
    told = (
        f"Measured on {results['date'][:10]}: {machine['cores']} cores of {machine['cpu']}, "
        f"TensorFlow {machine['tensorflow']}. Median over pairs that ran in turn, and their spread."
    )
    return "\n".join([NOTE, "", told, "", table(results)])


def main() -> int:
    """Read the command line, measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--out", type=Path, default=locate.project_root() / "runs" / "bench")
    parser.add_argument("--small", action="store_true", help="smallest sizes, to try the program")
    parser.add_argument("--page", type=Path, help="rewrite this file's table; measure nothing")
    chosen = parser.parse_args()
    if unknown := set(chosen.rows) - set(ROWS):
        parser.error(f"unknown rows {sorted(unknown)}; there are {', '.join(ROWS)}")
    target = chosen.out / FILE
    if chosen.page:
        if not target.is_file():
            parser.error(f"expected {target}; run `make bench` first")
        results = json.loads(target.read_text(encoding="utf-8"))
        results_table.rewrite_between(chosen.page, page_block(results), begin=BEGIN, end=END)
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    results = run(chosen.rows or ROWS, SMALL if chosen.small else Sizes())
    files.write_text(target, json.dumps(results, indent=1, allow_nan=False) + "\n")
    print(table(results))
    for one in results["rows"]:
        for note in one.get("notes", []):
            print(f"{one['what']}: {note}")
    print(f"{results['seconds']:.0f} s in all; {target}")
    return 1 if any("failed" in one for one in results["rows"]) else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(main())
