"""What a run leaves behind: one ``results.json`` and one ``predictions.csv`` per notebook.

They are written whole or not at all, and checked before: scores are probabilities, and every test
row was judged exactly once by every model.
"""

import ast
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbhelpers.common import files
from nbhelpers.data import splits
from nbhelpers.data.locate import Dataset, project_root
from nbhelpers.evaluation import metrics
from nbhelpers.evaluation.predictions import check_predictions, score_models, with_prior
from nbhelpers.reporting.environment import environment, peak_memory_mb

logger = logging.getLogger(__name__)


class Run:
    """One run of one notebook: it starts the clock when made and writes the results at the end.

    Attributes:
        folder: where the run's files go; it exists.
    """

    def __init__(self, folder: str | os.PathLike = "") -> None:
        """Start the clock.

        Args:
            folder: a notebook's OUTPUT_DIR; as in ``output_dir``.

        Raises:
            FileExistsError, PermissionError: as ``output_dir``.
        """
        self.folder = output_dir(folder)
        self._start = time.perf_counter()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def seconds(self) -> float:
        """Seconds since the run was made."""
        return time.perf_counter() - self._start

    def save(
        self,
        *,
        notebook: str,
        parameters: Mapping[str, Any],
        dataset: Dataset,
        table: pd.DataFrame,
        predictions: pd.DataFrame | None = None,
        weights: Any = None,
        extra: Mapping[str, Any] | None = None,
        resamples: int = 1000,
        seed: int = 42,
    ) -> Path:
        """Judge the predictions and write ``<notebook>.results.json`` and ``.predictions.csv``.

        Args:
            notebook: the notebook's name without suffix, as "03_xception_transfer".
            parameters: name -> literal; see ``parameters_of``.
            dataset: that was used.
            table: all rows that were used, with ``videoname, label``, and ``split`` and ``group``
                where they were split.
            predictions: columns ``PREDICTION_COLUMNS``, one row per test row and model (and per
                row of other splits where wanted); y_score = P(fake), 0 to 1. The model ``prior``
                is added. None where there is no model.
            weights: of the networks: what ``weights`` returned, a mapping of such, or None.
            extra: anything else worth keeping, kept under the key "extra".
            resamples: of the bootstrap for the intervals.
            seed: of the bootstrap.

        Returns:
            Path of the results file.

        Raises:
            ResultsError: predictions that are not finite, not in [0, 1], twice, missing for a test
                row, or about other rows or labels than the table's.
            ValueError: the test rows have one class or one group only, or something is not JSON.
        """
        judged = with_prior(check_predictions(predictions, table), table)
        content = {
            "notebook": notebook,
            "parameters": dict(parameters),
            "data": _describe_data(dataset, table),
            "metrics": {"test": score_models(judged, table, resamples=resamples, seed=seed)},
            "weights": _describe_weights(weights),
            "environment": environment(),
            "seconds": round(self.seconds, 2),
            "peak_memory_mb": peak_memory_mb(),
            "extra": dict(extra or {}),
        }
        text = json.dumps(_by_name(content), indent=1, allow_nan=False, default=_plain)
        path = self.folder / f"{notebook}.results.json"
        files.write_text(self.folder / f"{notebook}.predictions.csv", judged.to_csv(index=False))
        files.write_text(path, text + "\n")
        logger.info("Results in %s", path)
        return path


def output_dir(folder: str | os.PathLike = "") -> Path:
    """Make the folder for a run's files.

    Args:
        folder: "" takes ``runs/latest`` in the project.

    Returns:
        The folder, absolute; it exists.

    Raises:
        FileExistsError: the name belongs to a file.
        PermissionError: it cannot be written.
    """
    given = os.fspath(folder)
    path = Path(given).expanduser() if given else project_root() / "runs" / "latest"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise FileExistsError(
            f"Expected OUTPUT_DIR to be a folder; received {given!r}, where a file is in the way. "
            "Choose another folder."
        ) from error
    if not os.access(path, os.W_OK):
        raise PermissionError(
            f"Expected a folder that can be written; received OUTPUT_DIR={given!r}. "
            "Choose one of your own, for example OUTPUT_DIR = 'runs/mine'."
        )
    return path.resolve()


def parameters_of(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters among a notebook's variables: literals with a name in capitals.

    Args:
        namespace: ``globals()`` of the notebook.

    Returns:
        name -> value, sorted by name.

    >>> parameters_of({"SEED": 42, "DATA_DIR": "", "model": None, "_X": 1, "np": np})
    {'DATA_DIR': '', 'SEED': 42}
    """
    return {
        name: namespace[name]
        for name in sorted(namespace)
        if name.isupper() and not name.startswith("_") and _is_literal(namespace[name])
    }


# ---------------------------------------------------------------- describing and writing


def _describe_data(dataset: Dataset, table: pd.DataFrame) -> dict[str, Any]:
    """Which data, and how many of each."""
    split = table if "split" in table else table.assign(split="all")
    split = split.assign(split=split["split"].replace("", "all"))
    table_of_counts = splits.counts(split).drop(index="Total")
    return {
        "name": dataset.name,
        "root": dataset.shown_root,
        "origin": dataset.origin,
        "is_sample": dataset.is_sample,
        "counts": table_of_counts[["REAL", "FAKE"]].to_dict("index"),
        "groups": table_of_counts["Groups"].to_dict(),
    }


def _describe_weights(weights: Any) -> Any:
    """Weights as plain facts: mappings stay, objects give origin, digest and is_random."""
    if weights is None or isinstance(weights, str):
        return weights
    if isinstance(weights, Mapping):
        return {str(name): _describe_weights(value) for name, value in weights.items()}
    facts = ("origin", "digest", "is_random")
    if any(hasattr(weights, fact) for fact in facts):
        return {fact: getattr(weights, fact, None) for fact in facts}
    return weights


def _is_literal(value: Any) -> bool:
    """Whether a value could have been written as a literal."""
    try:
        return ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def _by_name(value: Any) -> Any:
    """The same with every interval as a mapping; JSON would make a list of it."""
    if isinstance(value, metrics.Interval):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {name: _by_name(inner) for name, inner in value.items()}
    return [_by_name(inner) for inner in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """What ``json`` does not know, as what it does."""
    if isinstance(value, np.generic | np.ndarray | pd.Series):
        return value.tolist()
    if isinstance(value, pd.DataFrame):
        return value.reset_index().to_dict("records")
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(
        f"Expected parameters, weights and extra to hold plain values; received a "
        f"{type(value).__name__}. Turn it into numbers, text, lists or mappings."
    )
