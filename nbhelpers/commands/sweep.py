"""`sweep`: run notebooks with many sets of parameters and tabulate their scores."""

from __future__ import annotations

import argparse
import html
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbhelpers.common import files, paths
from nbhelpers.common.errors import UsageError
from nbhelpers.common.html import beginning, page
from nbhelpers.common.paths import path_argument
from nbhelpers.common.tables import csv_text, escaped, html_table, text_table
from nbhelpers.data import locate
from nbhelpers.features import cluster, store
from nbhelpers.runner import grid, result_files, scores
from nbhelpers.runner.grid import Run
from nbhelpers.runner.scores import MAIN_METRICS, METRICS, score_text
from nbhelpers.runner.series import existing

EXAMPLES = """
examples:
  python -m nbhelpers sweep 03 --grid grid.yaml          every combination, one after another
  python -m nbhelpers sweep 03 --grid grid.yaml --out runs/rates --workers 2
                                                         two at a time, in folders of runs/rates
  python -m nbhelpers sweep 03 --grid grid.yaml --profile smoke --data-dir ~/kaggle -p SEED 7
                                                         and these values if not in the grid
  python -m nbhelpers sweep 03 --grid grid.yaml --engine ray --address auto --cpus 8 --gpus 1
                                                         on all machines of a Ray cluster

grid.yaml contains lists of values, and every combination is run; or a list of such grids:

  FINE_RATE: [0.01, 0.001]
  IMAGE_SIZE: [96, 128, 160]
  SEED: [1, 2, 3]

Each run is a process with its own folder, named after its settings. Repeating the command keeps
finished runs whose parameters and code are unchanged, and runs the others. A failed run does not
stop the rest; its run.log and its page say why. OUT/sweep.csv and OUT/sweep.html contain the
table. Scores are on test rows: the best of many runs looks better than it is, so confirm it with
another SEED. With Ray, OUT and the data must be on a disk that all machines see under the same
path.

Exit code: 0 all runs finished, 1 a run failed, 2 nothing run (unknown name, no cluster, a table
that would replace another file).
"""
TITLE = "Sweep"
CHOOSING = (
    "Scores on test rows, with 95 % intervals. The best of many runs looks better than it is: "
    "confirm it with another SEED before you believe it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("notebooks", nargs="+", metavar="NN", help="01, …, a1, … or names; all in each run")
    path = {"type": path_argument}
    add("--grid", required=True, **path, metavar="FILE", help="YAML: parameters, lists of values")
    add("--data-dir", **path, metavar="D", help="folder of the data sets, as for run")
    add("--out", **path, metavar="O", help="folder of the runs' folders (runs/sweep)")
    add("--force", action="store_true", help=files.FORCE_HELP)
    add("--profile", default="", metavar="P", help="parameters not in the grid, as for run")
    add(
        "-p",
        dest="pairs",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter not in the grid; overrides the profile; may be repeated",
    )
    add("--engine", default="local", choices=("local", "ray"), help="this machine, or Ray (local)")
    add("--workers", type=int, default=1, metavar="N", help="concurrent runs on this machine (1)")
    add("--address", default="", metavar="A", help="of a Ray cluster, host:port or auto")
    add("--cpus", type=float, default=1, metavar="N", help="processors per run with Ray (1)")
    add("--gpus", type=float, default=0, metavar="N", help="GPUs per run with Ray (0)")


def main(chosen: argparse.Namespace) -> int:
    """Execute the runs, and write a table of their scores."""
    runs = _plan(chosen)
    out = runs[0].folder.parent
    targets = {"sweep.csv": "run,", "sweep.html": beginning(TITLE)}
    for name, kind in targets.items():
        files.check_target(out / name, kind=kind, inputs=[chosen.grid], force=chosen.force)
    todo = [run for run in runs if not grid.is_finished(run)]
    _report(f"{len(runs)} runs in {out}, {len(runs) - len(todo)} of them already finished")
    problems: dict[Path, str] = {}
    try:
        for done, (run, problem) in enumerate(_carried_out(chosen, todo), start=1):
            problems[run.folder] = problem
            _report(f"[{done}/{len(todo)}] {run.folder.name}: {_how_it_ended(run, problem)}")
    finally:
        table = [row for run in runs for row in rows_of(run, problem=problems.get(run.folder, ""))]
        if out.is_dir():
            files.write_target(out / "sweep.csv", as_csv(table))
            files.write_target(out / "sweep.html", as_html(table))
    print(as_text(table))
    print(f"\n{CHOOSING}\nOpen {out / 'sweep.html'}")
    return int(not all(grid.is_finished(run) for run in runs))


def _report(text: str) -> None:
    """Print progress to standard error, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def _plan(chosen: argparse.Namespace) -> list[Run]:
    """Return the runs of the grid."""
    if not (chosen.workers >= 1 and 0 < chosen.cpus < math.inf and 0 <= chosen.gpus < math.inf):
        raise UsageError(
            "Expected --workers of at least 1, --cpus above 0 and --gpus of at least 0; received "
            f"{chosen.workers}, {chosen.cpus:g} and {chosen.gpus:g}."
        )
    paths.check_readable_file(chosen.grid, what="a grid in YAML")
    root = locate.project_root()
    return grid.plan(
        chosen.notebooks,
        grid.read_grid(chosen.grid),
        out=chosen.out.absolute() if chosen.out else root / "runs" / "sweep",
        base=chosen.grid.absolute().parent,
        profile=chosen.profile,
        pairs=[tuple(pair) for pair in chosen.pairs],
        data_dir=existing(str(chosen.data_dir)) if chosen.data_dir else None,
        notebooks_dir=root / "notebooks",
        threads=max(1, int(chosen.cpus)) if chosen.engine == "ray" else 0,
    )


def _carried_out(chosen: argparse.Namespace, runs: list[Run]) -> Iterator[tuple[Run, str]]:
    """Yield each run as it ends, with any problem that its folder does not show."""
    if not runs:
        return
    if chosen.engine == "local":
        for number in grid.execute_all(runs, workers=chosen.workers):
            yield runs[number], ""
        return
    try:
        for number, answer in cluster.each(
            grid.execute,
            runs,
            folder=runs[0].folder.parent,
            address=chosen.address,
            cpus=chosen.cpus,
            gpus=chosen.gpus,
        ):
            yield runs[number], str(answer or "")
    except (cluster.ClusterError, store.StoreError) as error:
        raise UsageError(str(error)) from None


def _how_it_ended(run: Run, problem: str = "") -> str:
    """Return the outcome of a run as one line."""
    outcomes = grid.outcomes(run)
    if outcomes is None:
        return f"FAILED  {problem or f'it did not start; see {grid.LOG}'}"
    seconds = sum(one.seconds for one in outcomes.values())
    wrong = [f"{stem}: {one.message}" for stem, one in outcomes.items() if one.status != "done"]
    return f"FAILED  {'; '.join(wrong)}" if wrong else f"done  {seconds:.1f} s"


# ---------------------------------------------------------------- the table


def rows_of(run: Run, *, problem: str = "") -> list[dict[str, Any]]:
    """Return a run's rows of the table.

    Args:
        run: executed or not.
        problem: why it was not executed, if its folder does not show it.

    Returns:
        One row for each notebook and model: the run's ``folder`` (its name), ``settings``,
        ``notebook``, ``status``, ``seconds``, ``message``, ``model``, ``n`` and ``scores``
        (metric -> ``value, low, high``). A notebook without scores gives one row without a model.
    """
    outcomes = grid.outcomes(run) or {}
    rows = []
    for stem in run.digests:
        outcome = outcomes.get(stem)
        base = {
            "folder": run.folder.name,
            "settings": run.settings,
            "notebook": stem,
            "status": outcome.status if outcome else "not run",
            "seconds": outcome.seconds if outcome else None,
            "message": outcome.message if outcome else problem,
        }
        models = []
        if outcome is not None and outcome.status == "done":
            models, base["message"] = _models_of(run.folder / f"{stem}{result_files.RESULTS}")
        for model, judged, n in models or [("", {}, "")]:
            rows.append({**base, "model": model, "n": n, "scores": judged})
    return rows


def _models_of(path: Path) -> tuple[list[tuple[str, dict[str, dict], object]], str]:
    """Return the models of a results file, and the problem with the file."""
    if not path.exists():
        return [], ""
    try:
        return scores.model_rows(result_files.read_results(path)), ""
    except UsageError as error:
        return [], str(error)


def _names(table: Sequence[dict]) -> tuple[list[str], list[str]]:
    """Return the settings that any row has, and the metrics that any row has."""
    settings = dict.fromkeys(name for row in table for name in row["settings"])
    return list(settings), [name for name in METRICS if any(name in row["scores"] for row in table)]


def as_csv(table: Sequence[dict]) -> str:
    """Write the table for programs.

    Args:
        table: from `rows_of`.

    Returns:
        CSV; each metric in three columns, value, low and high.
    """
    settings, metrics = _names(table)
    facts = ("notebook", "status", "seconds", "message", "model", "n")
    parts = [f"{name}{end}" for name in metrics for end in ("", "_low", "_high")]
    rows = []
    for row in table:
        intervals = [row["scores"].get(name, {}) for name in metrics]
        rows.append(
            [
                row["folder"],
                *(row["settings"].get(name, "") for name in settings),
                *(row[name] for name in facts),
                *(interval.get(end) for interval in intervals for end in ("value", "low", "high")),
            ]
        )
    return csv_text(["run", *settings, *facts, *parts], rows)


def _cells(table: Sequence[dict], metrics: list[str], settings: list[str]) -> list[list[str]]:
    return [
        [
            *(str(row["settings"].get(name, "")) for name in settings),
            row["notebook"],
            row["model"] or row["message"] or "no scores",
            *(score_text(row["scores"].get(name)) for name in metrics),
            row["status"] if row["seconds"] is None else f"{row['status']}, {row['seconds']:.0f} s",
        ]
        for row in table
    ]


def _heads(metrics: list[str], settings: list[str]) -> list[str]:
    return [*settings, "notebook", "model", *(METRICS[name] for name in metrics), "status"]


def as_text(table: Sequence[dict]) -> str:
    """Lay out the table for a terminal, with the metrics of the README.

    Args:
        table: from `rows_of`.

    Returns:
        Lines.
    """
    settings, metrics = _names(table)
    metrics = [name for name in metrics if name in MAIN_METRICS]
    return text_table(_heads(metrics, settings), _cells(table, metrics, settings))


def as_html(table: Sequence[dict]) -> str:
    """Lay out the table as a page, each row with a link to its run.

    Args:
        table: from `rows_of`.

    Returns:
        HTML.
    """
    settings, metrics = _names(table)
    rows = escaped(_cells(table, metrics, settings))
    links = [
        f'<a href="{html.escape(row["folder"])}/index.html">{html.escape(row["folder"])}</a>'
        for row in table
    ]
    body = f'<p class="small">{html.escape(CHOOSING)}</p>'
    body += html_table(
        [*_heads(metrics, settings), "run"],
        [[*row, link] for row, link in zip(rows, links, strict=True)],
    )
    return page(TITLE, body, style="td, th { text-align: left; }")
