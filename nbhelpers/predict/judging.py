"""One way to score: a network with its temperature, threshold and mirroring, on rows of a table.

Notebooks, cards and `predict` score alike, so that one detector has one score for one picture.
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
    """Choose temperature and threshold of a network on validation rows.

    Args:
        network: ``float32 (B, H, W, 3)`` RGB 0-255 -> P(fake) ``(B, 1)``.
        validation: rows with `path` and `label`, both labels present.
        mirror: whether the scores of a picture and its mirror image are averaged.

    Returns:
        A detector: temperature of the lowest log loss, then threshold of the best balanced
        accuracy on the calibrated scores; its AUC on these rows is in its card.

    Raises:
        ValueError: as `calibration.fit_temperature`.
    """
    y_true = labels.y_true(validation)
    raw = training.predict(network, validation, mirror=mirror)
    temperature = calibration.fit_temperature(y_true, raw)
    threshold = calibration.best_threshold(y_true, calibration.apply_temperature(raw, temperature))
    facts = {"validation": {"n": len(validation), "auc": metrics.scores(y_true, raw)["auc"]}}
    return detector.Detector(network, temperature, threshold, mirror, card=facts)


def p_fake(judge: detector.Detector, table: pd.DataFrame) -> np.ndarray:
    """Score the pictures of a table as the detector's card says; they are read batch by batch.

    Args:
        judge: a detector, from `calibrated` or `detector.load`.
        table: rows with `path` and `label` (the label is not used).

    Returns:
        Calibrated P(fake), ``float64 (N,)`` in [0, 1], in the table's order.

    Raises:
        ValueError: the network gives what is no probability.
    """
    raw = training.predict(judge.model, table, mirror=judge.mirror)
    return calibration.apply_temperature(raw, judge.temperature)


def compare(judges: Mapping[str, detector.Detector]) -> pd.DataFrame:
    """Lay out what several detectors chose on validation rows, and how well they do there.

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
    """Copy a detector without its temperature, to see what that does.

    Args:
        judge: a detector.

    Returns:
        The same with a temperature of 1 and the threshold 0.5.
    """
    return dataclasses.replace(judge, temperature=1.0, threshold=metrics.THRESHOLD)


def faster(judge: detector.Detector) -> detector.Detector:
    """Copy a detector whose network computes the same with fewer operations.

    Args:
        judge: a detector.

    Returns:
        The same detector on a network of `inference.folded`.
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
    """Judge a detector on data that it was not made for, beside another that was.

    Args:
        judge: from `detector.load`.
        rows: the test rows, with `path`, `label`, `group`.
        minus: P(fake) of the other detector for the same rows, ``float (N,)``.
        table: all rows of the data set, where pictures that it was trained on may be found.
        seed: of the bootstrap.

    Returns:
        `auc`; `minus_kept`, its AUC minus the other's, pair by pair; `auc_on_its_own_data` from its
        card, None where that does not say. Of people whom it has not met; empty where these rows
        hold too few of them: one label, or one group.
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
    """Read the AUC on unseen people of its own data off a detector's card; None without one.

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
    """Say which rows show people whom a detector was trained on, as far as that can be known.

    Args:
        judge: from `detector.load`.
        rows: with `videoname` and what is known of `original, source, identity`.
        table: all rows of the data set, where the detector's pictures may be among them.

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
        seed: of the split, where the detector's own does not name these pictures.
        split_csv: a split file that has the last word; "" takes the one beside the detector.

    Returns:
        The rows with a column `split`, of which "test" was not met, and a sentence that says how
        this is known.

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
    return result, f"Other data than those it was trained on; {gone} pictures of people it has met."


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
    """Write a detector with its card, and beside it the split that it was trained with.

    Args:
        judge: from `calibrated`.
        path: the ``.keras`` file.
        recipe: the name of its training.
        dataset: it was trained on.
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
