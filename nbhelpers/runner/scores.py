"""Reads the results files of a run, for tables of scores."""

import json
import logging
import math
from collections.abc import Collection
from pathlib import Path

from nbhelpers.evaluation import metrics
from nbhelpers.runner import result_files

METRICS = {
    name: metrics.METRICS[name].label
    for name in ("auc", "average_precision", "accuracy", "balanced_accuracy", "log_loss", "eer")
}
MAIN_METRICS = ("auc", "accuracy", "balanced_accuracy", "log_loss")
SAMPLE_NOTE = (
    "Bundled sample: computer-generated faces. These numbers say nothing about real deepfakes."
)
RANDOM_NOTE = (
    "Random starting weights: no pretrained weights were used. "
    "Conclusions about transfer learning do not hold."
)
UNCALIBRATED = ("_raw", "_uncalibrated")  # endings of a model's name before its calibration
_log = logging.getLogger(__name__)


def read_results(folder: Path) -> dict[str, dict]:
    """Collect the results files of a run.

    Args:
        folder: the output folder.

    Returns:
        notebook name -> content of `NN_name.results.json`, by name. A file that is no JSON
        object is left out and logged.
    """
    results = {}
    for stem, path in result_files.results_paths(folder).items():
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError(f"an object was expected, not {type(content).__name__}")
        except (ValueError, RecursionError) as error:
            _log.warning("%s left out: %s", path.name, error)
            continue
        results[stem] = content
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
    """Return the models of one results file, the prior last.

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
    """Return a score with three digits, or a dash.

    >>> number(0.98765), number(None), number(float("nan"))
    ('0.988', '–', '–')
    """
    return f"{value:.3f}" if _is_number(value) else "–"


def calibrated_name(name: str, names: Collection[str]) -> str:
    """Return the model that this one is before calibration; itself where it is not.

    >>> calibrated_name("ours_raw", ["ours", "ours_raw"]), calibrated_name("a_raw", [])
    ('ours', 'a_raw')
    """
    for ending in UNCALIBRATED:
        if name.endswith(ending) and name.removesuffix(ending) in names:
            return name.removesuffix(ending)
    return name


def interval_of(score: object) -> metrics.Interval | None:
    """Return a score of a results file; None where it is not a score.

    >>> interval_of({"value": 0.9, "low": 0.85, "high": 0.94}).low, interval_of({"value": 1})
    (0.85, None)
    """
    try:
        interval = metrics.Interval.of(score)
        numbers = [*interval[:3], interval.groups or 0]
        return interval if all(map(_is_number, numbers)) else None
    except (TypeError, KeyError, AttributeError, IndexError):
        return None


def _is_number(value: object) -> bool:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return fits and abs(value) < 1e308 and math.isfinite(value)


def score_text(score: dict | None) -> str:
    """Return a score with its interval in one line; a dash where there is no number.

    >>> score_text({"value": 0.9, "low": 0.85, "high": 0.94}), score_text({"value": "0.9"})
    ('0.900 [0.850, 0.940]', '–')
    """
    interval = interval_of(score)
    return "–" if interval is None else f"{interval:.3f}"
