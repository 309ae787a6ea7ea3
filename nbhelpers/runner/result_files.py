"""Strict readers of a notebook's results and predictions: editing mistakes are reported."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbhelpers.common.errors import UsageError
from nbhelpers.common.files import displayable
from nbhelpers.common.paths import check_readable_file
from nbhelpers.evaluation.metrics import METRICS
from nbhelpers.evaluation.predictions import PREDICTION_COLUMNS
from nbhelpers.runner.notebooks import FILES

RESULTS, PREDICTIONS = ".results.json", ".predictions.csv"
LABELS = ("REAL", "FAKE")
ADVICE = "Undo the edit, or run the notebook again."


def results_paths(folder: Path) -> dict[str, Path]:
    """Find the results files of a run.

    Args:
        folder: an output folder.

    Returns:
        notebook name -> its results file; the lessons first, then the appendix.
    """
    paths = [path for start in FILES for path in sorted(folder.glob(start + RESULTS))]
    return {path.name.removesuffix(RESULTS): path for path in paths}


def read_results(path: Path) -> dict[str, Any]:
    """Read one results file.

    Args:
        path: `NN_name.results.json`.

    Returns:
        Its content, in which everything that `check_results` checks has the right type.

    Raises:
        UsageError: the file cannot be read, is not JSON, has a key twice, or a value of the wrong
            type; the message names the file and the key.
    """
    check_readable_file(path, what="a results file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_doubles)
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise _refusal(path, f"a JSON object; it cannot be read: {reason}") from None
    try:
        check_results(content)
    except ValueError as error:
        raise _refusal(path, str(error)) from None
    return content


def check_results(content: Any) -> None:
    """Check the types of everything in a results file that a comparison uses.

    Args:
        content: of the file.

    Raises:
        ValueError: a value has the wrong type; the message names the first such key, what was
            expected and what was received.
    """
    top = _mapping(content, "the file itself")
    _mapping(top.get("parameters"), "parameters")
    data = _mapping(top.get("data"), "data")
    for key in ("name", "root"):
        if not isinstance(data.get(key), str):
            raise ValueError(_mismatch("text", f"data.{key}", data.get(key)))
    if top.get("environment") is not None:
        _mapping(top["environment"], "environment")
    for split, models in _mapping(top.get("metrics"), "metrics").items():
        for model, scores in _mapping(models, f"metrics.{split}").items():
            _check_scores(_mapping(scores, f"metrics.{split}.{model}"), f"metrics.{split}.{model}")


def _check_scores(scores: Mapping[str, Any], key: str) -> None:
    for name in scores.keys() & METRICS.keys():
        score = _mapping(scores[name], f"{key}.{name}")
        for part in ("value", "low", "high"):
            if not _is_finite(score.get(part)):
                raise ValueError(_mismatch("a number", f"{key}.{name}.{part}", score.get(part)))
        groups = score.get("groups")
        if groups is not None and (not _is_finite(groups) or groups < 0):
            raise ValueError(_mismatch("a count", f"{key}.{name}.groups", groups))


def _is_finite(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < 1e308 and math.isfinite(value)


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(_mismatch("an object", key, value))
    return value


def _mismatch(expected: str, key: str, value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    received = "nothing" if value is None else kinds.get(type(value), "a number")
    if received == expected:
        received = f"{value!r:.40}"
    return f"{expected} in the key {key!r}; received {received}"


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {max(names, key=names.count)!r} appears twice")
    return content


def read_predictions(path: Path) -> pd.DataFrame:
    """Read the predictions of one notebook.

    Args:
        path: `NN_name.predictions.csv`; need not exist.

    Returns:
        Columns `PREDICTION_COLUMNS`, `y_score` as float in [0, 1]; no rows if there is no file.

    Raises:
        UsageError: the file cannot be read, lacks a column, has an invalid label or score, or has
            a row twice for one model; the message names the file and the row.
    """
    if not path.exists():
        return pd.DataFrame(columns=PREDICTION_COLUMNS).astype({"y_score": float})
    check_readable_file(path, what="a table of predictions")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise _refusal(
            path, f"a table; it cannot be read: {' '.join(str(error).split())}"
        ) from None
    missing = [name for name in PREDICTION_COLUMNS if name not in table]
    if missing:
        raise _refusal(path, f"the columns {PREDICTION_COLUMNS}; {missing} missing")
    table["y_score"] = pd.to_numeric(table["y_score"], errors="coerce")
    faults = {
        f"a label of {', '.join(LABELS)}": ~table["label"].isin(LABELS),
        "a y_score from 0 to 1": ~table["y_score"].between(0, 1),
        "each row once per model": table.duplicated(["videoname", "split", "model"]),
    }
    for rule, broken in faults.items():
        if broken.any():
            line = int(np.flatnonzero(broken)[0]) + 2
            raise _refusal(path, f"{rule}; received {broken.sum()} rows, the first in line {line}")
    return table[PREDICTION_COLUMNS]


def _refusal(path: Path, problem: str) -> UsageError:
    return UsageError(f"{displayable(str(path))}: expected {displayable(problem)}. {ADVICE}")
