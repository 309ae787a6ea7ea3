"""What a run leaves behind: one ``results.json`` and one ``predictions.csv`` per notebook.

They are written whole or not at all, and checked first: scores are probabilities, and every model
scored every test row exactly once.
"""

import ast
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from nbhelpers.common import files
from nbhelpers.common.folders import can_write
from nbhelpers.common.parameters import Parameter, check, read_cell
from nbhelpers.common.paths import user_path
from nbhelpers.data import splits
from nbhelpers.data.locate import Dataset, project_root, results_folder
from nbhelpers.evaluation import metrics
from nbhelpers.evaluation.predictions import check_predictions, score_models, with_prior
from nbhelpers.reporting.environment import environment, peak_memory_mb

logger = logging.getLogger(__name__)


def start(namespace: Mapping[str, Any], *, notebook: str) -> "Run":
    """Start the run of a notebook, in the line that follows the parameters cell.

    If the notebook has imported Keras or `nbhelpers.networks`, Keras is seeded with SEED and set
    to the parameter PRECISION, where there is one.

    Args:
        namespace: ``globals()`` of the notebook. Its literals with upper-case names are taken
            as the parameters: those that exist now, not constants of later cells.
        notebook: its name without suffix, such as "03_xception_transfer".

    Returns:
        The run; its clock is running.

    Raises:
        FileExistsError, PermissionError: as ``output_dir``.
        UsageError: a value that the comment after its parameter does not allow.
    """
    parameters = parameters_of(namespace)
    check(parameters, _parameters_cell(notebook), notebook=notebook)
    run = Run(notebook, parameters=parameters)
    if any(map(_is_of_keras, namespace.values())):
        import keras

        from nbhelpers.networks import training

        keras.utils.set_random_seed(run.seed)
        if "PRECISION" in run.parameters:
            keras.config.set_dtype_policy(training.precision(run.parameters["PRECISION"]))
        run.precision = keras.config.dtype_policy().name
    return run


def _parameters_cell(notebook: str) -> dict[str, Parameter]:
    """Return the parameters of the project's copy of a notebook; empty without a copy."""
    try:
        folder = project_root() / "notebooks"
        path = next(path for path in folder.rglob(f"{notebook}.ipynb"))
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (StopIteration, OSError, ValueError, KeyError):
        return {}
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return read_cell("".join(tagged[0]["source"])) if tagged else {}


def _is_of_keras(value: Any) -> bool:
    """Whether a value is the module Keras, or one that uses Keras."""
    if not isinstance(value, ModuleType):
        return False
    return value.__name__ == "keras" or value.__name__.startswith(("keras.", "nbhelpers.networks"))


class Run:
    """One run of one notebook: it starts a clock when created and writes the results at the end.

    Attributes:
        notebook: the notebook's name without suffix.
        parameters: name -> literal, as they were when the run started.
        folder: where the run's files go; it exists.
        seed: the parameter SEED.
        resume: whether interrupted trainings are resumed: the parameter RESUME, else False.
        backups_folder: where trainings keep what they need to resume; ``save`` removes it.
        precision: name of Keras' dtype policy; None in a notebook without Keras.
    """

    def __init__(self, notebook: str, *, parameters: Mapping[str, Any]) -> None:
        """Start the clock and create the folder.

        Args:
            notebook: its name without suffix.
            parameters: name -> literal; OUTPUT_DIR, SEED and RESUME are read.

        Raises:
            FileExistsError, PermissionError: as ``output_dir``.
        """
        self._start = time.perf_counter()
        self.notebook = notebook
        self.parameters = dict(parameters)
        self.folder = output_dir(self.parameters.get("OUTPUT_DIR", ""))
        self.seed: int = self.parameters.get("SEED", 0)
        self.resume: bool = self.parameters.get("RESUME", False)
        self.backups_folder = self.folder / f"{notebook.partition('_')[0]}_training"
        self.precision: str | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the run started."""
        return time.perf_counter() - self._start

    def save(
        self,
        *,
        dataset: Dataset,
        table: pd.DataFrame,
        predictions: pd.DataFrame | None = None,
        weights: Any = None,
        extra: Mapping[str, Any] | None = None,
        resamples: int = 1000,
    ) -> Path:
        """Evaluate the predictions and write ``<notebook>.results.json`` and ``.predictions.csv``.

        Then the backups of trainings are removed: there is nothing left to resume.

        Args:
            dataset: the data set used.
            table: all rows used, with ``videoname, label``, and ``split`` and ``group`` if they are
                split.
            predictions: columns ``PREDICTION_COLUMNS``, one row per test row and model (and per
                row of other splits where wanted); y_score = P(fake), 0 to 1. The model ``prior``
                is added. None where there is no model.
            weights: of the networks: what ``weights`` returned, a mapping of such values, or None.
            extra: anything else worth keeping, stored under the key "extra".
            resamples: number of bootstrap resamples for the intervals.

        Returns:
            Path of the results file.

        Raises:
            ResultsError: predictions that are not finite, not in [0, 1], duplicated, missing for a
                test row, or for rows or labels other than the table's.
            ValueError: the test rows have only one class or one group, or a value cannot be JSON.
        """
        judged = with_prior(check_predictions(predictions, table), table)
        content = {
            "notebook": self.notebook,
            "parameters": self.parameters,
            "data": _describe_data(dataset, table),
            "metrics": {"test": score_models(judged, table, resamples=resamples, seed=self.seed)},
            "weights": _describe_weights(weights),
            "environment": environment(),
            "seconds": round(self.seconds, 2),
            "peak_memory_mb": peak_memory_mb(),
            "extra": dict(extra or {}),
        }
        text = json.dumps(metrics.by_name(content), indent=1, allow_nan=False, default=_plain)
        path = self.folder / f"{self.notebook}.results.json"
        predictions_file = self.folder / f"{self.notebook}.predictions.csv"
        files.write_text(predictions_file, judged.to_csv(index=False))
        files.write_text(path, text + "\n")
        shutil.rmtree(self.backups_folder, ignore_errors=True)
        logger.info("Results in %s", path)
        return path


def output_dir(folder: str | os.PathLike = "") -> Path:
    """Create the folder for a run's files.

    Args:
        folder: "" takes `locate.results_folder`: ``runs/latest`` in the project where possible.

    Returns:
        The folder, absolute; it exists.

    Raises:
        FileExistsError: the name belongs to a file.
        PermissionError: it cannot be written.
        UsageError: an impossible folder name.
    """
    if not os.fspath(folder):
        return results_folder()
    path = user_path(os.fspath(folder))
    try:
        writable = can_write(path)
    except FileExistsError as error:
        raise FileExistsError(
            f"Expected OUTPUT_DIR to be a folder; received {str(path)!r}, where a file is in the "
            "way. Choose another folder."
        ) from error
    if not writable:
        raise PermissionError(
            f"Expected a folder that can be written; received OUTPUT_DIR={str(path)!r}. "
            "Choose one of your own, for example OUTPUT_DIR = 'runs/mine'."
        )
    return path.resolve()


def parameters_of(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters among a notebook's variables: literals with upper-case names.

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
    """Describe the data set and count its rows by split and class."""
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
    """Return weights as plain facts: mappings stay, objects give origin, digest and is_random."""
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


def _plain(value: Any) -> Any:
    """Convert a value that ``json`` does not know into one that it does."""
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
