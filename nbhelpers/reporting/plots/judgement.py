"""Recipes compared: scores with intervals, ROC curves and reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd

from nbhelpers.data import families
from nbhelpers.data.labels import y_true
from nbhelpers.evaluation.calibration import reliability_table
from nbhelpers.evaluation.metrics import Interval
from nbhelpers.reporting.plots.pictures import plot_rows
from nbhelpers.reporting.plots.scores import plot_metric, plot_reliability, plot_roc

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_judgement(
    scores: Mapping[str, Mapping[str, Interval]],
    predictions: pd.DataFrame,
    *,
    models: Sequence[str],
) -> Figure:
    """Draw reliability, AUC with intervals and ROC curves of several models, side by side.

    Args:
        scores: model -> metric -> `metrics.Interval`.
        predictions: rows of one split, with `model`, `label`, `y_score`.
        models: which ones, in order.

    Returns:
        The figure.
    """
    chosen = predictions[predictions["model"].isin(models)]
    promises = {
        model: reliability_table(y_true(rows), rows["y_score"])
        for model, rows in chosen.groupby("model", sort=False)
    }
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.4))
    plot_reliability(promises, ax=left)
    plot_metric({model: scores[model] for model in models}, ax=middle)
    plot_roc(chosen, ax=right)
    return figure


def plot_beside_counterparts(rows: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Draw pictures above their counterparts: a fake above its original, a real above a fake.

    Args:
        rows: of the table, with `kind` (each kind is a row of pictures) and `y_score`, which
            stands above the picture.
        table: all rows of the data set, among which the counterparts are looked up.

    Returns:
        The figure; a gap where there is no counterpart.
    """
    lines = []
    for kind, part in rows.groupby("kind", sort=False):
        titles = [f"{row.label} {row.y_score:.2f}" for row in part.itertuples()]
        opposite = families.counterparts(part, table)
        lines += [
            part.assign(title=titles),
            opposite.assign(kind=_opposite_of(kind, part), title=opposite["label"]),
        ]
    both = pd.concat(lines) if lines else rows.assign(title="")
    return plot_rows(both, by="kind", title="title", columns=max(1, len(rows)))


def _opposite_of(kind: str, rows: pd.DataFrame) -> str:
    """Name the row of counterparts by what they are to the rows above them."""
    only = set(rows["label"])
    relation = {"REAL": "a fake of the", "FAKE": "original of the"}
    return f"{relation[only.pop()] if len(only) == 1 else 'opposite of the'} {kind}"
