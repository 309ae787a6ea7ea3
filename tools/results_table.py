"""The table in docs/results.md, generated from a run."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.data import locate
from nbhelpers.runner import scores
from nbhelpers.runner.notebooks import place_of
from tools import command_line

HELP = "rewrite the table in docs/results.md from the results of a run"
EXAMPLES = """
examples:
  python -m tools.results_table                                 from runs/latest
  python -m tools.results_table --out runs/tall                 from another run

Exit code: 0 done, 2 no results found.
"""
PAGE = "docs/results.md"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
NOTE = "<!-- Made by `python -m tools.results_table`; do not edit by hand. -->"
EMPTY = "No results yet: `make render` fills this table in."
FROM_SAMPLE = "From a run on the bundled sample; value [95 % interval], test split:"
FROM_MIXED = "From a run partly on the bundled sample; value [95 % interval], test split:"
FROM_REAL = "From a run on other data than the bundled sample; value [95 % interval], test split:"
COLUMNS = ("Notebook", "Model", *(scores.METRICS[key] for key in scores.MAIN_METRICS), "n")
HEAD = (f"| {' | '.join(COLUMNS)} |", "| --- " * len(COLUMNS) + "|")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the program's arguments."""
    parser.add_argument("--out", default="", metavar="O", help="the run (runs/latest)")


def main(chosen: argparse.Namespace) -> int:
    """Rewrite the table."""
    root = locate.project_root()
    folder = Path(chosen.out).expanduser() if chosen.out else root / "runs" / "latest"
    results = scores.read_results(folder)
    if not results:
        raise UsageError(
            f"Expected NN_name.results.json files in {folder}; found none. Run the notebooks first."
        )
    changed = update(root / PAGE, results)
    print(f"{PAGE}: results table", "rewritten" if changed else "was up to date")
    return 0


def table_block(results: dict[str, dict]) -> str:
    """Return the text between the page's markers.

    Args:
        results: from `scores.read_results`.

    Returns:
        Markdown: what the numbers were made from, and a table of models by metrics.
    """
    lines = [NOTE, ""]
    scored = {stem: result for stem, result in results.items() if scores.model_rows(result)}
    if not scored:
        return "\n".join([*lines, EMPTY])
    sampled = [scores.on_sample(result) for result in scored.values()]
    lines += [FROM_SAMPLE if all(sampled) else FROM_MIXED if any(sampled) else FROM_REAL, ""]
    if any(map(scores.has_random_weights, scored.values())):
        lines += [f"**{scores.RANDOM_NOTE}**", ""]
    lines += HEAD
    models, priors = list(scores.models_of(scored)), list(scores.priors_of(scored))
    for data in dict.fromkeys(one.data for one in (*models, *priors)):
        before = ""
        for one in (one for one in (*models, *priors) if one.data == data):
            link = (
                f"[{one.notebook}](../notebooks/{place_of(one.notebook)})" if one.notebook else ""
            )
            cells = [scores.score_text(one.scores.get(key)) for key in scores.MAIN_METRICS]
            first = "" if link == before else link  # once, in the first row of its notebook
            lines.append(_row([first, f"`{_cell(one.name)}`", *cells, _cell(one.n)]))
            before = link
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("`", "'").replace("\n", " ")


def update(page: Path, results: dict[str, dict]) -> bool:
    """Rewrite the results table of a page.

    Args:
        page: a Markdown file with both markers, each on a line of its own.
        results: from `scores.read_results`.

    Returns:
        Whether the file changed.

    Raises:
        UsageError: no such file, or not exactly one pair of markers in their order.
    """
    return rewrite_between(page, table_block(results), begin=BEGIN, end=END)


def rewrite_between(page: Path, block: str, *, begin: str, end: str) -> bool:
    """Replace the text between two markers of a file.

    Args:
        page: a text file with both markers, each on a line of its own.
        block: the text, without a line end at its end.
        begin: the first marker.
        end: the second.

    Returns:
        Whether the file changed.

    Raises:
        UsageError: no such file, or not exactly one pair of markers in their order.
    """
    if not page.is_file():
        raise UsageError(f"Expected {page}; it does not exist. Run this in a checkout.")
    text = page.read_text(encoding="utf-8")
    before, begun, rest = text.partition(begin)
    inside, ended, after = rest.partition(end)
    if not begun or not ended or begin in inside + after or end in before + after:
        raise UsageError(
            f"Expected one `{begin}` and after it one `{end}` in {page.name}; received a different "
            "number or order. Restore both, each on a line of its own."
        )
    updated = f"{before}{begin}\n{block}\n{end}{after}"
    if updated == text:
        return False
    files.write_text(page, updated)
    return True


if __name__ == "__main__":
    command_line.run_as_program(sys.modules[__name__])
