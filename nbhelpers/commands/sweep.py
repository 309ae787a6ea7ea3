"""`sweep`: the same notebooks with many sets of parameters, and a table of what came out."""

from __future__ import annotations

import argparse
import csv
import html
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbhelpers.runner.grid import Run

EXAMPLES = """
examples:
  python -m nbhelpers sweep 03 --grid grid.yaml          every combination, one after another
  python -m nbhelpers sweep 03 --grid grid.yaml --out runs/rates --workers 2
                                                         two at a time, in folders of runs/rates
  python -m nbhelpers sweep 03 --grid grid.yaml --profile smoke --data-dir ~/kaggle -p SEED 7
                                                         with these below the grid
  python -m nbhelpers sweep 03 --grid grid.yaml --engine ray --address auto --cpus 8 --gpus 1
                                                         on all machines of a Ray cluster

grid.yaml holds lists of values, of which the product is run; or a list of such grids:

  FINE_RATE: [0.01, 0.001]
  IMAGE_SIZE: [96, 128, 160]
  SEED: [1, 2, 3]

Each run is a process with a folder of its own, named by its settings. The same command again keeps
the runs that are done, if neither their parameters nor the notebook's code has changed, and does
the others. A run that fails does not stop the rest; its run.log and its page say why. OUT/sweep.csv
and OUT/sweep.html hold the table. Scores are those of the test rows: the best of many runs looks
better than it is, so confirm it with another SEED. With Ray, OUT and the data must lie on a disk
that all machines see under the same path.

Exit code: 0 every run is done, 1 some run failed, 2 nothing run (unknown name, no cluster).
"""
CHOOSING = (
    "Scores of the test rows, with 95 % intervals. The best of many runs looks better than it is: "
    "confirm it with another SEED before you believe it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    add = parser.add_argument
    add("notebooks", nargs="+", metavar="NN", help="01, 02, … or names; all in each run")
    add("--grid", required=True, metavar="FILE", help="YAML of parameters with lists of values")
    add("--data-dir", default="", metavar="D", help="folder of the data sets, as for run")
    add("--out", default="", metavar="O", help="folder of the runs' folders (runs/sweep)")
    add("--profile", default="", metavar="P", help="parameters below the grid, as for run")
    add(
        *("-p",),
        dest="pairs",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter below the grid and above the profile; may be repeated",
    )
    add("--engine", default="local", choices=("local", "ray"), help="this machine, or Ray (local)")
    add("--workers", type=int, default=1, metavar="N", help="runs at a time, here (1)")
    add("--address", default="", metavar="A", help="of a Ray cluster, host:port or auto")
    add("--cpus", type=float, default=1, metavar="N", help="processors of a run under Ray (1)")
    add("--gpus", type=float, default=0, metavar="N", help="GPUs of a run under Ray (0)")


def main(chosen: argparse.Namespace) -> int:
    """Carries out the runs."""
    from nbhelpers.common import files
    from nbhelpers.runner import grid

    runs = _plan(chosen)
    out = runs[0].folder.parent
    todo = [run for run in runs if not grid.is_finished(run)]
    _tell(f"{len(runs)} runs in {out}, {len(runs) - len(todo)} of them done already")
    problems: dict[Path, str] = {}
    try:
        for done, (run, problem) in enumerate(_carried_out(chosen, todo), start=1):
            problems[run.folder] = problem
            _tell(f"[{done}/{len(todo)}] {run.folder.name}: {_how_it_ended(run, problem)}")
    finally:
        table = [row for run in runs for row in rows_of(run, problems.get(run.folder, ""))]
        if out.is_dir():
            files.write_text(out / "sweep.csv", as_csv(table))
            files.write_text(out / "sweep.html", as_html(table))
    print(as_text(table))
    print(f"\n{CHOOSING}\nOpen {out / 'sweep.html'}")
    return int(not all(grid.is_finished(run) for run in runs))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _plan(chosen: argparse.Namespace) -> list[Run]:
    """The runs of the grid."""
    from nbhelpers.common.errors import UsageError
    from nbhelpers.data import locate
    from nbhelpers.runner import grid
    from nbhelpers.runner.series import existing

    if chosen.workers < 1 or chosen.cpus <= 0 or chosen.gpus < 0:
        raise UsageError(
            "Expected --workers of at least 1, --cpus above 0 and --gpus of at least 0; received "
            f"{chosen.workers}, {chosen.cpus:g} and {chosen.gpus:g}."
        )
    path = Path(chosen.grid).expanduser()
    root = locate.project_root()
    return grid.plan(
        chosen.notebooks,
        grid.read_grid(path),
        out=Path(chosen.out).expanduser().absolute() if chosen.out else root / "runs" / "sweep",
        base=path.absolute().parent,
        profile=chosen.profile,
        pairs=[tuple(pair) for pair in chosen.pairs],
        data_dir=existing(chosen.data_dir) if chosen.data_dir else None,
        notebooks_dir=root / "notebooks",
        threads=max(1, int(chosen.cpus)) if chosen.engine == "ray" else 0,
    )


def _carried_out(chosen: argparse.Namespace, runs: list[Run]) -> Iterator[tuple[Run, str]]:
    """Each run as it ends, and what is wrong with it that its folder does not say."""
    from nbhelpers.common.errors import UsageError
    from nbhelpers.features import cluster, store
    from nbhelpers.runner import grid

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
    """The outcome of a run in a line."""
    from nbhelpers.runner import grid

    found = grid.outcomes(run)
    if found is None:
        return f"FAILED  {problem or f'it did not begin; see {grid.LOG}'}"
    seconds = sum(one.seconds for one in found.values())
    wrong = [f"{stem}: {one.message}" for stem, one in found.items() if one.status != "done"]
    return f"FAILED  {'; '.join(wrong)}" if wrong else f"done  {seconds:.1f} s"


# ---------------------------------------------------------------- telling


def rows_of(run: Run, problem: str = "") -> list[dict[str, Any]]:
    """The rows of the table that a run gives.

    Args:
        run: carried out, or not.
        problem: why it was not carried out, where its folder does not say.

    Returns:
        One row a notebook and model: the run's ``folder`` (its name), ``settings``, ``notebook``,
        ``status``, ``seconds``, ``message``, ``model``, ``n`` and ``scores`` (metric -> ``value,
        low, high``). A notebook without scores gives one row without a model.
    """
    from nbhelpers.runner import grid, scores

    found = grid.outcomes(run) or {}
    results = scores.read_results(run.folder)
    rows = []
    for stem in run.digests:
        outcome = found.get(stem)
        base = {
            "folder": run.folder.name,
            "settings": run.settings,
            "notebook": stem,
            "status": outcome.status if outcome else "not run",
            "seconds": outcome.seconds if outcome else None,
            "message": outcome.message if outcome else problem,
        }
        done = outcome is not None and outcome.status == "done"
        models = scores.model_rows(results.get(stem, {})) if done else []
        for model, judged, n in models or [("", {}, "")]:
            rows.append({**base, "model": model, "n": n, "scores": judged})
    return rows


def _names(table: list[dict]) -> tuple[list[str], list[str]]:
    """The settings that any row has, and the metrics that any row has."""
    from nbhelpers.runner.scores import METRICS

    settings = dict.fromkeys(name for row in table for name in row["settings"])
    return list(settings), [name for name in METRICS if any(name in row["scores"] for row in table)]


def as_csv(table: list[dict]) -> str:
    """The table for programs: each metric in three columns, value, low and high."""
    settings, metrics = _names(table)
    facts = ("notebook", "status", "seconds", "message", "model", "n")
    parts = [f"{name}{end}" for name in metrics for end in ("", "_low", "_high")]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["run", *settings, *facts, *parts])
    for row in table:
        scores = [row["scores"].get(name, {}) for name in metrics]
        values = [score.get(part, "") for score in scores for part in ("value", "low", "high")]
        own = [row["settings"].get(name, "") for name in settings]
        writer.writerow([row["folder"], *own, *(row[name] for name in facts), *values])
    return stream.getvalue()


def _cells(table: list[dict], metrics: list[str], settings: list[str]) -> list[list[str]]:
    from nbhelpers.runner.scores import score_text

    return [
        [
            *(str(row["settings"].get(name, "")) for name in settings),
            row["notebook"],
            row["model"] or (row["message"] if row["status"] != "done" else "no scores"),
            *(score_text(row["scores"].get(name)) for name in metrics),
            row["status"] if row["seconds"] is None else f"{row['status']}, {row['seconds']:.0f} s",
        ]
        for row in table
    ]


def _heads(metrics: list[str], settings: list[str]) -> list[str]:
    from nbhelpers.runner.scores import METRICS

    return [*settings, "notebook", "model", *(METRICS[name] for name in metrics), "status"]


def as_text(table: list[dict]) -> str:
    """The table for a terminal, with the main metrics."""
    from nbhelpers.commands.compare import text_table
    from nbhelpers.runner.scores import MAIN_METRICS

    settings, metrics = _names(table)
    shown = [name for name in metrics if name in MAIN_METRICS]
    return text_table(_heads(shown, settings), _cells(table, shown, settings))


def as_html(table: list[dict]) -> str:
    """The table as a page, each row with the way to its run."""
    from nbhelpers.commands.compare import escaped, html_table
    from nbhelpers.common.html import page

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
    return page("Sweep", body, style="td, th { text-align: left; }")
