"""Reads the results files of a run; the score tables of the index page and of the README."""

import json
import logging
import math
from collections.abc import Iterable
from pathlib import Path

from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.evaluation import metrics

METRICS = {
    name: metrics.METRICS[name].label
    for name in ("auc", "average_precision", "accuracy", "balanced_accuracy", "log_loss", "eer")
}
README_METRICS = ("auc", "accuracy", "balanced_accuracy", "log_loss")
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
NOTE = "<!-- Made by `python -m nbhelpers readme`; do not edit by hand. -->"
EMPTY = "No results yet: `make render` fills this table in."
SAMPLE_NOTE = (
    "Bundled sample: computer-generated faces. These numbers say nothing about real deepfakes."
)
RANDOM_NOTE = (
    "Random starting weights: no pretrained weights were used. "
    "What is said here about transfer learning means nothing."
)
README_SAMPLE = "From a run on the bundled sample; value [95 % interval], test split:"
README_MIXED = "From a run partly on the bundled sample; value [95 % interval], test split:"
README_REAL = "From a run on other data than the bundled sample; value [95 % interval], test split:"
README_COLUMNS = ("Notebook", "Model", *(METRICS[key] for key in README_METRICS), "n")
README_HEAD = (f"| {' | '.join(README_COLUMNS)} |", "| --- " * len(README_COLUMNS) + "|")
_log = logging.getLogger(__name__)


def read_results(folder: Path) -> dict[str, dict]:
    """Collects the results files of a run.

    Args:
        folder: the output folder.

    Returns:
        notebook name -> content of `NN_name.results.json`, by name. A file that is no JSON
        object is left out and logged.
    """
    results = {}
    for path in sorted(folder.glob("[0-9][0-9]_*.results.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError(f"an object was expected, not {type(content).__name__}")
        except (ValueError, RecursionError) as error:
            _log.warning("%s left out: %s", path.name, error)
            continue
        results[path.name.removesuffix(".results.json")] = content
    return results


def on_sample(result: dict) -> bool:
    """Whether a notebook ran on the bundled sample."""
    return bool(result.get("data", {}).get("is_sample"))


def has_random_weights(result: dict) -> bool:
    """Whether any weights in a results file are marked random, however deep they are nested.

    >>> has_random_weights({"weights": {"encoder": {"origin": "none", "is_random": True}}})
    True
    """

    def search(node) -> bool:
        if isinstance(node, dict):
            return node.get("is_random") is True or any(map(search, node.values()))
        return isinstance(node, list) and any(map(search, node))

    return search(result.get("weights"))


def model_rows(result: dict) -> list[tuple[str, dict[str, dict], object]]:
    """The models of one results file: the prior last, beside what it is to be compared with.

    Args:
        result: content of a results file.

    Returns:
        (model, metric -> {value, low, high}, n) for every model of the test split; none when
        there is only the prior.
    """
    models = result.get("metrics", {}).get("test", {})
    if models.keys() <= {"prior"}:
        return []
    ordered = sorted(models, key=lambda name: name == "prior")
    return [
        (
            name,
            {key: models[name][key] for key in METRICS if isinstance(models[name].get(key), dict)},
            models[name].get("n", "–"),
        )
        for name in ordered
    ]


def number(value: object) -> str:
    """A score with three digits, or a dash.

    >>> number(0.98765), number(None), number(float("nan"))
    ('0.988', '–', '–')
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return f"{value:.3f}" if fits else "–"


def score_text(score: dict | None) -> str:
    """A score with its interval in one line; a dash where there is none, or what is no number.

    >>> score_text({"value": 0.9, "low": 0.85, "high": 0.94}), score_text({"value": "0.9"})
    ('0.900 [0.850, 0.940]', '–')
    """
    try:
        interval = metrics.Interval.of(score)
        return f"{interval:.3f}" if all(map(math.isfinite, interval[:3])) else "–"
    except (TypeError, ValueError, KeyError):
        return "–"


def readme_block(results: dict[str, dict]) -> str:
    """The text between the README's markers.

    Args:
        results: as `read_results` gives them.

    Returns:
        Markdown: what the numbers were made from, and a table of models by metrics.
    """
    lines = [NOTE, ""]
    scored = {stem: result for stem, result in results.items() if model_rows(result)}
    if not scored:
        return "\n".join([*lines, EMPTY])
    sampled = [on_sample(result) for result in scored.values()]
    lines += [README_SAMPLE if all(sampled) else README_MIXED if any(sampled) else README_REAL, ""]
    if any(map(has_random_weights, scored.values())):
        lines += [f"**{RANDOM_NOTE}**", ""]
    lines += README_HEAD
    for stem, result in scored.items():
        shown = f"[{stem}](notebooks/{stem}.ipynb)"
        for name, judged, n in model_rows(result):
            cells = [score_text(judged.get(key)) for key in README_METRICS]
            lines.append(_row([shown, f"`{_cell(name)}`", *cells, _cell(n)]))
            shown = ""
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("`", "'").replace("\n", " ")


def update_readme(readme: Path, results: dict[str, dict]) -> bool:
    """Rewrites the README's results table.

    Args:
        readme: a Markdown file with both markers, each on a line of its own.
        results: as `read_results` gives them.

    Returns:
        Whether the file changed.

    Raises:
        UsageError: no such file, or not exactly one pair of markers in their order.
    """
    return rewrite_between(readme, BEGIN, END, readme_block(results))


def rewrite_between(readme: Path, begin: str, end: str, block: str) -> bool:
    """Puts a text between two markers of a file, in place of what is there.

    Args:
        readme: a text file with both markers, each on a line of its own.
        begin: the first marker.
        end: the second.
        block: the text, without a line end at its end.

    Returns:
        Whether the file changed.

    Raises:
        UsageError: no such file, or not exactly one pair of markers in their order.
    """
    if not readme.is_file():
        raise UsageError(f"Expected {readme}; it does not exist. Run this in a checkout.")
    text = readme.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    inside, ended, after = rest.partition(end)
    if not found or not ended or begin in inside + after or end in before + after:
        raise UsageError(
            f"Expected one `{begin}` and after it one `{end}` in {readme.name}; received another "
            "number or order. Put both back, each on a line of its own."
        )
    updated = f"{before}{begin}\n{block}\n{end}{after}"
    if updated == text:
        return False
    files.write_text(readme, updated)
    return True
