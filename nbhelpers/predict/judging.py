"""One way to score: a network with its temperature, threshold and mirroring, on rows of a table.

Notebooks, cards and `predict` score alike, so that one detector has one score for one picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.data import labels, splits
from nbhelpers.data.locate import Dataset
from nbhelpers.evaluation import calibration
from nbhelpers.networks import training
from nbhelpers.predict import detector

if TYPE_CHECKING:
    import keras


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
        accuracy on the calibrated scores.

    Raises:
        ValueError: as `calibration.fit_temperature`.
    """
    y_true = labels.y_true(validation)
    raw = training.predict(network, validation, mirror=mirror)
    temperature = calibration.fit_temperature(y_true, raw)
    threshold = calibration.best_threshold(y_true, calibration.apply_temperature(raw, temperature))
    return detector.Detector(network, temperature, threshold, mirror)


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
            "scores": scores,
            "scores_on": "test people, in no part of training or choice",
        },
    )
