"""`compare`: several runs side by side."""

from __future__ import annotations

import argparse
import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from nbhelpers.evaluation.metrics import Interval

EXAMPLES = """
examples:
  python -m nbhelpers compare runs/seed42 runs/seed7              as text
  python -m nbhelpers compare runs/a runs/b runs/c --html abc.html
                                                                  a page, too
  python -m nbhelpers compare runs/a runs/b --metric log_loss     another difference

Differences are later run minus first run, on the test rows that both have judged, with a 95 %
interval from resampling whole groups. An interval without 0 in it is a difference that another
draw of people would hardly undo. For log loss and EER less is better.
Exit code: 0 compared, 1 nothing in common to compare, 2 a folder without results.
"""
METRICS = ("auc", "average_precision", "accuracy", "balanced_accuracy", "log_loss", "eer")
OWN_TO_A_RUN = ("OUTPUT_DIR",)  # differs always and says nothing
NOTHING = "–"


@dataclass(frozen=True)
class Difference:
    """A model of a later run minus the same model of the first, on the rows that both judged.

    Attributes:
        notebook: its name.
        model: its name.
        run: the later run's name.
        score: the difference; None where there is nothing to compare.
        note: over how many rows and groups, or why there is no difference.
    """

    notebook: str
    model: str
    run: str
    score: Interval | None
    note: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="output folders, at least two")
    parser.add_argument("--metric", default="auc", choices=METRICS, help="of the differences (auc)")
    parser.add_argument("--html", default="", metavar="FILE", help="also write a page")


def main(chosen: argparse.Namespace) -> int:
    """Compares the runs."""
    import sys

    from nbhelpers.common import files
    from nbhelpers.common.errors import UsageError

    runs = read(chosen.runs)
    notebooks = [
        stem
        for stem in next(iter(runs.values()))[1]
        if all(stem in run[1] for run in runs.values())
    ]
    if not notebooks:
        names = ", ".join(f"{name}: {', '.join(run[1])}" for name, run in runs.items())
        print(f"error: no notebook has results in all runs ({names})", file=sys.stderr)
        return 1
    tables = {stem: parameters({n: run[1][stem] for n, run in runs.items()}) for stem in notebooks}
    scores = {
        stem: models({n: run[1][stem] for n, run in runs.items()}, chosen.metric)
        for stem in notebooks
    }
    gaps = differences(runs, notebooks, metric=chosen.metric)
    print(as_text(list(runs), tables, scores, gaps, chosen.metric))
    if chosen.html:
        target = Path(chosen.html).expanduser()
        try:
            files.write_text(target, as_html(list(runs), tables, scores, gaps, chosen.metric))
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror}.") from None
        print(f"Open {target}", file=sys.stderr)
    return 0


def read(folders: list[str]) -> dict[str, tuple[Path, dict[str, dict]]]:
    """Read the results of every run.

    Args:
        folders: at least two.

    Returns:
        The run's name (its folder as given) -> folder, and notebook -> content of its results.

    Raises:
        UsageError: fewer than two, one twice, or one without results.
    """
    from nbhelpers.common.errors import UsageError
    from nbhelpers.runner import scores

    paths = {given: Path(given).expanduser() for given in folders}
    if len({path.resolve() for path in paths.values()}) < max(2, len(folders)):
        raise UsageError(
            f"Expected two or more different runs; received {', '.join(folders)}. Give another "
            "folder with results beside the first."
        )
    runs = {}
    for given, path in paths.items():
        found = scores.read_results(path)
        if not found:
            raise UsageError(
                f"Expected NN_name.results.json files in {given!r}; found none. Run the notebooks "
                "into it: python -m nbhelpers run --out " + given
            )
        runs[given] = (path, found)
    return runs


def parameters(results: dict[str, dict]) -> dict[str, list[str]]:
    """What was set differently.

    Args:
        results: run -> content of one notebook's results.

    Returns:
        name -> value in each run as text, for parameters, data and versions that differ.
    """
    facts = {run: _facts(content) for run, content in results.items()}
    names = dict.fromkeys(name for found in facts.values() for name in found)
    rows = {name: [found.get(name, NOTHING) for found in facts.values()] for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _facts(content: dict) -> dict[str, str]:
    """Everything that makes a run what it is, as text."""
    facts = {
        name: json.dumps(value)
        for name, value in content.get("parameters", {}).items()
        if name not in OWN_TO_A_RUN
    }
    data = content.get("data", {})
    for name in ("name", "root", "origin", "counts", "groups"):
        facts[f"data: {name}"] = _short(data.get(name))
    for name, weights in (content.get("weights") or {}).items():
        origin = weights.get("origin") if isinstance(weights, dict) else weights
        facts[f"weights: {name}"] = _short(origin)
    for name, version in content.get("environment", {}).items():
        facts[f"environment: {name}"] = _short(version)
    return facts


def _short(value: Any) -> str:
    """A value of a results file in one line."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {_short(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def models(results: dict[str, dict], metric: str) -> dict[str, list[str]]:
    """One metric of every model in every run.

    Args:
        results: run -> content of one notebook's results.
        metric: its name in results files.

    Returns:
        model -> text a run, "value [low, high]"; the prior last.
    """
    from nbhelpers.runner import scores

    rows = {
        run: {name: found for name, found, _ in scores.model_rows(content)}
        for run, content in results.items()
    }
    names = dict.fromkeys(name for found in rows.values() for name in found)
    ordered = sorted(names, key=lambda name: name == "prior")
    return {
        name: [scores.score_text(found.get(name, {}).get(metric)) for found in rows.values()]
        for name in ordered
    }


def differences(
    runs: dict[str, tuple[Path, dict[str, dict]]], notebooks: list[str], *, metric: str
) -> list[Difference]:
    """Each model of the later runs minus the same model of the first run.

    Args:
        runs: from `read`.
        notebooks: that all of them have.
        metric: of `metrics.METRICS`.

    Returns:
        One entry a notebook, model and later run.
    """
    (first_folder, first_results), *_ = runs.values()
    found = []
    for stem in notebooks:
        first = _predictions(first_folder, stem)
        groups = group_of(first_results[stem])
        for run, (folder, _) in list(runs.items())[1:]:
            second = _predictions(folder, stem)
            for model in first["model"].unique():
                if model == "prior" or model not in set(second["model"]):
                    continue
                score, note = paired(
                    first[first["model"] == model],
                    second[second["model"] == model],
                    groups=groups,
                    metric=metric,
                )
                found.append(Difference(stem, model, run, score, note))
    return found


def _predictions(folder: Path, stem: str) -> pd.DataFrame:
    """The test rows of a run's predictions; none where there is no such file."""
    import pandas as pd

    path = folder / f"{stem}.predictions.csv"
    if not path.is_file():
        return pd.DataFrame(columns=["videoname", "split", "label", "y_score", "model"])
    table = pd.read_csv(path, dtype={"videoname": str}, keep_default_na=False)
    return table[table["split"] == "test"]


def group_of(result: dict) -> dict[str, str] | None:
    """Which rows belong together, from the data set itself where it is still there.

    Args:
        result: content of a results file.

    Returns:
        videoname -> group; None where the data are gone.
    """
    from nbhelpers.data import locate, manifest

    data = result.get("data", {})
    root = Path(data.get("root", ""))
    root = root if root.is_absolute() else locate.project_root() / root
    try:
        dataset = locate.find(data.get("name", ""), root)
        table = manifest.read(dataset, verify="none").table
    except (FileNotFoundError, ValueError):
        return None
    return dict(zip(table["videoname"], table["group"], strict=True))


def paired(
    first: pd.DataFrame, second: pd.DataFrame, *, groups: dict[str, str] | None, metric: str
) -> tuple[Interval | None, str]:
    """Second minus first on the rows that both have.

    Args:
        first: test predictions of one model, with ``videoname, label, y_score``.
        second: those of the other run.
        groups: from `group_of`.
        metric: of `metrics.METRICS`.

    Returns:
        The difference (None where nothing can be compared) and a note.
    """
    from nbhelpers.data import manifest
    from nbhelpers.evaluation import metrics

    both = first.merge(second, on=["videoname", "label"], suffixes=("_first", "_second"))
    if both.empty:
        return None, "no test row in common"
    known = groups is not None and set(both["videoname"]) <= set(groups)
    group = both["videoname"].map(groups) if known else both["videoname"]
    try:
        score = metrics.paired_difference(
            manifest.y_true(both),
            both["y_score_second"],
            minus=both["y_score_first"],
            groups=group,
            metric=metric,
        )
    except ValueError as error:
        return None, str(error)
    note = f"{len(both)} rows"
    if len(both) < max(len(first), len(second)):
        note = f"{len(both)} rows in common, of {len(first)} and {len(second)}"
    if known:
        return score, f"{note} in {group.nunique()} groups"
    return score, f"{note}; groups unknown, so rows were resampled: the interval is too narrow"


# ---------------------------------------------------------------- telling


def difference_text(gap: Difference) -> str:
    """A difference with its sign and interval.

    >>> difference_text(Difference("02", "m", "b", None, "no test row in common"))
    '–'
    """
    return NOTHING if gap.score is None else f"{gap.score:+.3f}"


def as_text(
    runs: list[str],
    tables: dict[str, dict[str, list[str]]],
    scores: dict[str, dict[str, list[str]]],
    gaps: list[Difference],
    metric: str,
) -> str:
    """The comparison for a terminal."""
    parts = []
    for stem in tables:
        parts.append(f"== {stem}")
        differs = text_table(["differs", *runs], _rows(tables[stem]))
        parts.append(differs or "nothing was set differently")
        parts.append(text_table([metric, *runs], _rows(scores[stem])) or "no models")
        own = [gap for gap in gaps if gap.notebook == stem]
        rows = {f"{gap.model}, {gap.run}": [difference_text(gap), gap.note] for gap in own}
        if rows:
            heads = [f"{metric} minus {runs[0]}", "difference", "over"]
            parts.append(text_table(heads, _rows(rows)))
    return "\n\n".join(parts)


def _rows(named: dict[str, list[str]]) -> list[list[str]]:
    return [[name, *values] for name, values in named.items()]


def text_table(heads: list[str], rows: list[list[str]]) -> str:
    """Columns of text side by side; long cells are cut; "" where there are no rows."""
    if not rows:
        return ""
    cells = [
        [cell if len(cell) <= 90 else cell[:87] + "..." for cell in row] for row in [heads, *rows]
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def as_html(
    runs: list[str],
    tables: dict[str, dict[str, list[str]]],
    scores: dict[str, dict[str, list[str]]],
    gaps: list[Difference],
    metric: str,
) -> str:
    """The comparison as a page."""
    from nbhelpers.common.html import page
    from nbhelpers.runner.scores import METRICS as NAMES

    label = NAMES[metric]
    body = "<ul class='facts'>" + "".join(f"<li>{html.escape(run)}</li>" for run in runs) + "</ul>"
    body += (
        f'<p class="small">{html.escape(label)} on test rows with its 95 % interval. Differences: '
        f"later run minus {html.escape(runs[0])}, on the rows that both judged, resampled by "
        "group. An interval without 0 in it is a difference that another draw of people would "
        "hardly undo. For log loss and EER less is better.</p>"
    )
    for stem in tables:
        body += f"<h2>{html.escape(stem)}</h2>"
        differs = html_table(["set differently", *runs], escaped(_rows(tables[stem])))
        body += differs or "<p>Nothing was set differently.</p>"
        body += html_table([label, *runs], escaped(_rows(scores[stem])))
        own = [gap for gap in gaps if gap.notebook == stem]
        rows = {f"{gap.model}, {gap.run}": [difference_text(gap), gap.note] for gap in own}
        heads = [f"{label} minus {runs[0]}", "difference", "over"]
        body += html_table(heads, escaped(_rows(rows)))
    style = ".wide { margin: .8rem 0; } td { white-space: normal; } td, th { text-align: left; }"
    return page("Runs side by side", body, style=style)


def escaped(rows: list[list[str]]) -> list[list[str]]:
    """Cells of text as cells of HTML."""
    return [[html.escape(cell) for cell in row] for row in rows]


def html_table(heads: list[str], rows: list[list[str]]) -> str:
    """A table that scrolls in itself; heads are text, cells HTML; "" where there are no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
        "</div>"
    )
