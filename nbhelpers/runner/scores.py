"""Reads the results files of a run, for tables of scores."""

import json
import logging
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbhelpers.evaluation import metrics
from nbhelpers.evaluation.predictions import PRIOR
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


@dataclass(frozen=True)
class Judged:
    """A model with its scores on the test split.

    Attributes:
        name: as in the results file.
        notebook: the notebook that judged it; "" for the prior of a whole data set.
        data: name of the data set.
        scores: metric -> {value, low, high}.
        n: how many rows were judged.
        before: the scores before calibration; empty if there are none.
    """

    name: str
    notebook: str
    data: str
    scores: dict[str, dict]
    n: object
    before: dict[str, dict]


def read_results(folder: Path) -> dict[str, dict]:
    """Collect the results files of a run.

    Args:
        folder: the output folder.

    Returns:
        notebook name -> content of `NN_name.results.json`, by name. A file that is not a JSON
        object is left out and logged.
    """
    results = {}
    for stem, path in result_files.results_paths(folder).items():
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError(f"expected an object; received {type(content).__name__}")
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
        (model, metric -> {value, low, high}, n) for every model of the test split; none if there
        is only the prior.
    """
    models = result.get("metrics", {}).get("test", {})
    if models.keys() <= {PRIOR}:
        return []
    ordered = sorted(models, key=lambda name: name == PRIOR)
    return [
        (
            name,
            {key: models[name][key] for key in METRICS if isinstance(models[name].get(key), dict)},
            models[name].get("n", "–"),
        )
        for name in ordered
    ]


def models_of(results: Mapping[str, dict]) -> Iterator[Judged]:
    """Yield every model once: only after calibration, only where it was first judged.

    Args:
        results: notebook name -> content of its results file.

    Yields:
        The models in the notebooks' order, without the prior.
    """
    for stem, result in results.items():
        rows = {name: (judged, n) for name, judged, n in model_rows(result)}
        for name, (judged, n) in rows.items():
            of_another = name in results and name != stem  # a model that another notebook saved
            if name == PRIOR or of_another or calibrated_name(name, rows) != name:
                continue
            before = next((rows[other][0] for other in rows if _is_before(other, name, rows)), {})
            yield Judged(name, stem, data_name(result), judged, n, before)


def priors_of(results: Mapping[str, dict]) -> Iterator[Judged]:
    """Yield the prior once per test set: notebooks that share a test set share its prior.

    Args:
        results: notebook name -> content of its results file.

    Yields:
        The prior of every test set on which a model was judged, in the notebooks' order.
    """
    seen = set()
    for result in results.values():
        for name, judged, n in model_rows(result):
            key = json.dumps([data_name(result), judged, n], sort_keys=True, default=str)
            if name == PRIOR and key not in seen:
                seen.add(key)
                yield Judged(PRIOR, "", data_name(result), judged, n, {})


def data_name(result: dict) -> str:
    """Return the name of the data set that a notebook used."""
    return str(result.get("data", {}).get("name", "data unknown"))


def _is_before(other: str, name: str, names: Collection[str]) -> bool:
    """Whether another entry is this model before calibration."""
    return other != name and calibrated_name(other, names) == name


def number(value: object) -> str:
    """Return a score with three decimals, or a dash.

    >>> number(0.98765), number(None), number(float("nan"))
    ('0.988', '–', '–')
    """
    return f"{value:.3f}" if _is_number(value) else "–"


def calibrated_name(name: str, names: Collection[str]) -> str:
    """Return the name of a model after calibration; its own unless it is an uncalibrated one.

    >>> calibrated_name("ours_raw", ["ours", "ours_raw"]), calibrated_name("a_raw", [])
    ('ours', 'a_raw')
    """
    for ending in UNCALIBRATED:
        if name.endswith(ending) and name.removesuffix(ending) in names:
            return name.removesuffix(ending)
    return name


def interval_of(score: object) -> metrics.Interval | None:
    """Return a score of a results file; None if it is not a score.

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
    """Return a score with its interval on one line; a dash if there is no number.

    >>> score_text({"value": 0.9, "low": 0.85, "high": 0.94}), score_text({"value": "0.9"})
    ('0.900 [0.850, 0.940]', '–')
    """
    interval = interval_of(score)
    return "–" if interval is None else f"{interval:.3f}"
