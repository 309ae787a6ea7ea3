"""One way to score: a network with its temperature, threshold and mirroring, on rows of a table.

Notebooks, cards and `predict` score in the same way, so that a detector gives a picture only one
score.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.data import labels, splits
from nbhelpers.data.locate import Dataset
from nbhelpers.evaluation import calibration, exposure, metrics
from nbhelpers.networks import inference, training
from nbhelpers.predict import detector

if TYPE_CHECKING:
    import keras

FRACTIONS = (0.6, 0.15, 0.25)  # of train, validation and test, as in notebooks 02 and 03


def calibrated(
    network: keras.Model, validation: pd.DataFrame, *, mirror: bool = True
) -> detector.Detector:
    """Choose a network's temperature and threshold on validation rows.

    Args:
        network: ``float32 (B, H, W, 3)`` RGB 0-255 -> P(fake) ``(B, 1)``.
        validation: rows with `path` and `label`, both labels present.
        mirror: whether the scores of a picture and its mirror image are averaged.

    Returns:
        A detector with the temperature of the lowest log loss and then the threshold of the best
        balanced accuracy on the calibrated scores; its AUC on these rows is in its card.

    Raises:
        ValueError: as `calibration.fit_temperature`.
    """
    y_true = labels.y_true(validation)
    raw = training.predict(network, validation, mirror=mirror)
    temperature = calibration.fit_temperature(y_true, raw)
    threshold = calibration.best_threshold(y_true, calibration.apply_temperature(raw, temperature))
    threshold = round(threshold, 2)  # what people read is what is compared with
    facts = {"validation": {"n": len(validation), "auc": metrics.scores(y_true, raw)["auc"]}}
    return detector.Detector(network, temperature, threshold, mirror, card=facts)


def p_fake(judge: detector.Detector, table: pd.DataFrame) -> np.ndarray:
    """Score the pictures of a table as the detector's card specifies, reading them in batches.

    Args:
        judge: a detector, from `calibrated` or `detector.load`.
        table: rows with `path` and `label` (the label is not used).

    Returns:
        Calibrated P(fake), ``float64 (N,)`` in [0, 1], in the table's order.

    Raises:
        ValueError: the network returns values that are not probabilities.
    """
    raw = training.predict(judge.model, table, mirror=judge.mirror)
    return calibration.apply_temperature(raw, judge.temperature)


def compare(judges: Mapping[str, detector.Detector]) -> pd.DataFrame:
    """Tabulate what several detectors chose on validation rows, and their AUC there.

    Args:
        judges: name -> detector, from `calibrated`.

    Returns:
        Index of names, columns `temperature`, `threshold`, `auc`.
    """
    rows = {
        name: {
            "temperature": judge.temperature,
            "threshold": judge.threshold,
            "auc": judge.card["validation"]["auc"],
        }
        for name, judge in judges.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def uncalibrated(judge: detector.Detector) -> detector.Detector:
    """Copy a detector without its temperature, to show the effect of calibration.

    Args:
        judge: a detector.

    Returns:
        The same detector with a temperature of 1 and a threshold of 0.5.
    """
    return dataclasses.replace(judge, temperature=1.0, threshold=metrics.THRESHOLD)


def faster(judge: detector.Detector) -> detector.Detector:
    """Copy a detector, its network replaced by an equivalent one with fewer operations.

    Args:
        judge: a detector.

    Returns:
        The same detector with the network from `inference.folded`.
    """
    return dataclasses.replace(judge, model=inference.folded(judge.model))


def abroad(
    judge: detector.Detector,
    rows: pd.DataFrame,
    *,
    minus: np.ndarray,
    table: pd.DataFrame,
    seed: int = 42,
) -> dict[str, metrics.Interval | None]:
    """Evaluate a detector on data of another source, beside a detector made for that data.

    Args:
        judge: from `detector.load`.
        rows: the test rows, with `path`, `label`, `group`.
        minus: P(fake) of the other detector for the same rows, ``float (N,)``.
        table: all rows of the data set, which may include pictures that it was trained on.
        seed: of the bootstrap.

    Returns:
        `auc`; `minus_kept`, the paired difference of its AUC and the other's;
        `auc_on_its_own_data` from its card, None if not given there. All on people whom it has not
        met; empty if these rows hold too few of them: only one label or one group.
    """
    strangers = ~met(judge, rows, table=table)
    rows, minus = rows[strangers], np.asarray(minus)[strangers]
    if rows["label"].nunique() < 2 or rows["group"].nunique() < 2:
        return {}
    of_rows = {"y_true": labels.y_true(rows), "groups": rows["group"], "seed": seed}
    y_score = p_fake(judge, rows)
    return {
        "auc": metrics.score_intervals(y_score=y_score, **of_rows)["auc"],
        "minus_kept": metrics.paired_difference(y_score=y_score, minus=minus, **of_rows),
        "auc_on_its_own_data": home_auc(judge),
    }


def home_auc(judge: detector.Detector) -> metrics.Interval | None:
    """Read a detector's AUC on unseen people of its own data from its card; None if not given.

    Args:
        judge: from `detector.load`.

    Returns:
        The AUC.
    """
    test = judge.card.get("test", judge.card)
    scores = test.get("scores") if isinstance(test, Mapping) else None
    score = scores.get("auc") if isinstance(scores, Mapping) else None
    try:
        return metrics.Interval.of(score)
    except (KeyError, TypeError):
        return None


def met(judge: detector.Detector, rows: pd.DataFrame, *, table: pd.DataFrame) -> np.ndarray:
    """Tell which rows show people whom a detector was trained on, as far as this is known.

    Args:
        judge: from `detector.load`.
        rows: with `videoname` and, as far as known, `original, source, identity`.
        table: all rows of the data set, which may include the detector's pictures.

    Returns:
        ``bool (N,)``; all False for a detector without a file.
    """
    if judge.path is None:
        return np.zeros(len(rows), bool)
    return exposure.exposure(rows, judge.path, pictures=[table]).seen


def unseen(
    judge: detector.Detector, table: pd.DataFrame, *, seed: int, split_csv: str = ""
) -> tuple[pd.DataFrame, str]:
    """Find pictures of people whom a detector has not met.

    Args:
        judge: from `detector.load`.
        table: from `manifest.read`.
        seed: of the split, if the detector's own does not name these pictures.
        split_csv: a split file that takes precedence; "" takes the one beside the detector.

    Returns:
        The rows with a column `split`, whose "test" rows the detector has not met, and a sentence
        that says how this is known.

    Raises:
        ValueError, LeakageError, FileNotFoundError: as `splits.group_split`.
    """
    own = judge.path.with_suffix(".split.csv") if judge.path else None
    if split_csv or (own and own.is_file() and _names(own) & set(table["videoname"])):
        result = splits.group_split(table, seed=seed, split_csv=split_csv or own)
        return result, f"Split by {Path(split_csv or own).name}: its test people are used."
    result = splits.group_split(table, fractions=FRACTIONS, seed=seed)
    result = result[~met(judge, result, table=table)].reset_index(drop=True)
    gone = len(table) - len(result)
    return result, f"Other data than it was trained on; {gone} pictures show people it has met."


def _names(split_csv: Path) -> set[str]:
    rows = pd.read_csv(split_csv, dtype="str", keep_default_na=False)
    return set(rows["videoname"])


def save(
    judge: detector.Detector,
    path: Path,
    *,
    recipe: str,
    dataset: Dataset,
    table: pd.DataFrame,
    scores: Mapping,
) -> Path:
    """Write a detector with its card, and beside it the split used in its training.

    Args:
        judge: from `calibrated`.
        path: the ``.keras`` file.
        recipe: the name of its training.
        dataset: the data set it was trained on.
        table: all rows, with `videoname, label, split`.
        scores: metric -> `metrics.Interval`, of the test rows.

    Returns:
        Path of the card.
    """
    splits.write_csv(table, path.with_suffix(".split.csv"))
    return detector.save(
        judge.model,
        path,
        temperature=judge.temperature,
        threshold=judge.threshold,
        mirror=judge.mirror,
        facts={
            "recipe": recipe,
            "data": {
                "name": dataset.name,
                "origin": dataset.origin,
                "is_sample": dataset.is_sample,
            },
            "split": splits.counts(table).to_dict("index"),
            **judge.card,
            "scores": scores,
            "scores_on": "test people, in no part of training or choice",
        },
    )
