"""What a run leaves behind: one ``results.json`` and one ``predictions.csv`` per notebook.

They are written whole or not at all, and checked before: scores are probabilities, and every test
row was judged exactly once by every model.
"""

import ast
import importlib.metadata
import json
import logging
import os
import platform
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbhelpers import metrics
from nbhelpers.common import files
from nbhelpers.data import manifest, splits
from nbhelpers.data.locate import Dataset, project_root

logger = logging.getLogger(__name__)

PREDICTION_COLUMNS = ["videoname", "split", "label", "y_score", "model"]
PRIOR = "prior"  # the model that always answers with the share of fakes in the training rows
PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")


class ResultsError(ValueError):
    """Predictions that do not fit the table they are about."""


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
        judged = _with_prior(_check_predictions(predictions, table), table)
        content = {
            "notebook": notebook,
            "parameters": dict(parameters),
            "data": _describe_data(dataset, table),
            "metrics": {"test": judge(judged, table, resamples=resamples, seed=seed)},
            "weights": _describe_weights(weights),
            "environment": environment(),
            "seconds": round(self.seconds, 2),
            "peak_memory_mb": peak_memory_mb(),
            "extra": dict(extra or {}),
        }
        text = json.dumps(content, indent=1, allow_nan=False, default=_plain)
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


def environment() -> dict[str, Any]:
    """Versions and machine: python, the packages that are installed, platform, CPUs and GPUs.

    GPUs are asked for only where TensorFlow is loaded already; else the list is empty.
    """
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    gpus = []
    if "tensorflow" in sys.modules:
        gpus = [gpu.name for gpu in sys.modules["tensorflow"].config.list_physical_devices("GPU")]
    return {
        "python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "gpus": gpus,
    }


def peak_memory_mb() -> float | None:
    """The most memory this process has held, in MiB; None where the system does not say."""
    status = Path("/proc/self/status")  # Linux; its ru_maxrss begins at that of the parent process
    if status.is_file():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        return round(int(found[1]) / 2**10, 1) if found else None
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    per_mb = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, BSD KiB
    return round(peak / per_mb, 1)


def judge(
    predictions: pd.DataFrame, table: pd.DataFrame, *, resamples: int = 1000, seed: int = 42
) -> dict[str, dict]:
    """Metrics with intervals of every model on the test rows, the prior among them.

    Args:
        predictions: columns ``PREDICTION_COLUMNS``.
        table: all rows, with ``videoname, label, split`` and, where known, ``group``.
        resamples: of the bootstrap by group.
        seed: of the bootstrap.

    Returns:
        model -> metric -> ``value, low, high``, and ``n``; see ``metrics.score_intervals``.

    Raises:
        ValueError: the test rows have one class or one group only.
    """
    if PRIOR not in set(predictions["model"]):
        predictions = _with_prior(predictions, table)
    group = table.set_index("videoname").get("group")
    result = {}
    for model, rows in predictions[predictions["split"] == "test"].groupby("model", sort=False):
        names = rows["videoname"] if group is None else rows["videoname"].map(group)
        values = metrics.score_intervals(
            manifest.y_true(rows), rows["y_score"], names, resamples=resamples, seed=seed
        )
        result[str(model)] = {**values, "n": len(rows)}
    return result


def predictions_of(model: str, table: pd.DataFrame, y_score: Any) -> pd.DataFrame:
    """Put a model's scores beside the rows they belong to.

    Args:
        model: its name in the results.
        table: the scored rows, with ``videoname, split, label``.
        y_score: P(fake) in [0, 1], float (N,), in the table's order.

    Returns:
        Columns ``PREDICTION_COLUMNS``.
    """
    return table[["videoname", "split", "label"]].assign(
        y_score=np.asarray(y_score, dtype=float), model=model
    )


def scores_table(judged: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Lay out what ``judge`` returned for reading.

    Args:
        judged: model -> metric -> ``value, low, high``.

    Returns:
        One row per model, one column per metric, cells as "0.85 [0.80, 0.90]"; text whose spaces do
        not break, so that a cell stays on one line.

    >>> list(scores_table({"m": {"auc": {"value": 0.5, "low": 0.4, "high": 0.6}, "n": 8}}))
    ['auc', 'n']
    """

    def cell(score: Any) -> str:
        if not isinstance(score, Mapping):
            return str(score)
        text = f"{score['value']:.2f} [{score['low']:.2f}, {score['high']:.2f}]"
        return text.replace(" ", "\N{NO-BREAK SPACE}")

    return pd.DataFrame(
        [{metric: cell(score) for metric, score in scores.items()} for scores in judged.values()],
        index=list(judged),
    )


# ---------------------------------------------------------------- checking


def _check_predictions(predictions: pd.DataFrame | None, table: pd.DataFrame) -> pd.DataFrame:
    """The predictions in their columns, or what does not fit."""
    if predictions is None:
        return pd.DataFrame(columns=PREDICTION_COLUMNS)
    missing = [column for column in PREDICTION_COLUMNS if column not in predictions]
    if missing or "split" not in table:
        raise ResultsError(
            f"Expected predictions with columns {PREDICTION_COLUMNS} and a table with a split; "
            f"received predictions without {missing} and table columns {list(table.columns)}."
        )
    predictions = predictions[PREDICTION_COLUMNS].reset_index(drop=True)
    score = predictions["y_score"].to_numpy(dtype=float)
    bad = ~(np.isfinite(score) & (score >= 0) & (score <= 1))
    if bad.any():
        raise ResultsError(
            f"Expected y_score finite and in [0, 1]; received {bad.sum()} others of {len(score)}, "
            f"for example {score[bad][0]:.3g}. Pass probabilities, not logits, and look at the "
            "training loss if there are NaN."
        )
    _check_rows(predictions, table)
    return predictions


def _check_rows(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """The same rows, splits and labels as the table's; each test row once per model."""
    key = ["videoname", "split", "label"]
    twice = predictions.duplicated(["videoname", "model"])
    known = predictions.merge(table[key].drop_duplicates(), on=key, how="left", indicator=True)
    foreign = known["_merge"] == "left_only"
    for rule, found in {"given twice": twice, "not in the table as they are": foreign}.items():
        if found.any():
            rows = predictions[found.to_numpy()].iloc[:2].to_dict("records")
            raise ResultsError(
                "Expected each row of the table at most once per model, with its split and label; "
                f"received {found.sum()} predictions {rule}, for example {rows}. "
                "Take videoname, split and label from the table that was predicted."
            )
    test = set(table.loc[table["split"] == "test", "videoname"])
    for model, rows in predictions.groupby("model"):
        absent = sorted(test - set(rows["videoname"]))
        if absent or model == PRIOR:
            raise ResultsError(
                f"Expected every test row from every model, and the model {PRIOR!r} left to this "
                f"function; received model {model!r} without {len(absent)} of {len(test)} test "
                f"rows ({absent[:3]}). Predict the whole test split, or drop unreadable rows "
                "from the table first."
            )


def _with_prior(predictions: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Add the constant answer: the share of fakes in the training rows, for every test row."""
    if "split" not in table or not {"train", "test"} <= set(table["split"]):
        return predictions
    prevalence = float((table.loc[table["split"] == "train", "label"] == "FAKE").mean())
    prior = table.loc[table["split"] == "test", ["videoname", "split", "label"]]
    prior = prior.assign(y_score=prevalence, model=PRIOR)
    return pd.concat([part for part in (predictions, prior) if len(part)], ignore_index=True)


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
