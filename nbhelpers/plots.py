"""Figures. Every function draws and returns; none shows: the notebook decides when.

One style for the whole series. The two class colours differ in hue and in lightness, so that they
stay apart for colour-blind readers and in grey print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe-Ito blue and vermilion.
COLOURS = {"REAL": "#0072B2", "FAKE": "#D55E00"}
#: For models, stages and anything that is not a class.
CYCLE = ["#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]
SPLITS = ["train", "validation", "test"]


def style() -> None:
    """Set Matplotlib's defaults for the series."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#E5E5E5",
            "axes.prop_cycle": plt.cycler(color=CYCLE),
            "axes.titlesize": 11,
            "axes.labelsize": 10,
            "legend.frameon": False,
            "image.cmap": "viridis",
        }
    )


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return plt.subplots(figsize=size)[1] if ax is None else ax


def plot_pictures(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    *,
    columns: int = 5,
    size: float = 1.7,
    colours: Sequence[str] | None = None,
) -> Figure:
    """Draw pictures in a grid.

    Args:
        pictures: ``uint8`` or ``float`` 0-255 ``(H, W, 3)`` RGB, or ``(H, W)`` grey/bool masks.
        titles: one a picture; None draws none.
        columns: pictures in a row.
        size: width of a picture, inches.
        colours: a colour for each title; None draws them black.

    Returns:
        The figure.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    title_space = 0.25 if titles is not None else 0.0
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (size + title_space)), squeeze=False
    )
    for position, ax in enumerate(axes.flat):
        ax.axis("off")
        if position >= len(pictures):
            continue
        picture = np.asarray(pictures[position])
        if picture.ndim == 3:
            ax.imshow(np.clip(picture, 0, 255).astype("uint8"))
        else:
            ax.imshow(picture, cmap="gray")
        if titles is not None:
            ax.set_title(
                titles[position], fontsize=8, color=colours[position] if colours else "black"
            )
    return figure


def plot_history(history: pd.DataFrame, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Draw accuracy and loss over the epochs side by side, as the article does.

    Args:
        history: from `nbhelpers.training.history_table`, with `accuracy`, `loss`, their `val_`
            twins and `stage`.
        axes: two axes; None makes a figure.

    Returns:
        The figure; a dashed line marks where a new stage of training begins.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    marker = "o" if len(history) < 20 else None
    for ax, name in zip(axes, ("accuracy", "loss"), strict=True):
        ax.plot(history.index, history[name], marker=marker, label="train")
        ax.plot(history.index, history[f"val_{name}"], marker=marker, label="validation")
        for first in history.index[history["stage"].diff() > 0]:
            ax.axvline(first - 0.5, color="grey", linestyle="--", linewidth=1)
        ax.set(title=name, xlabel="epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].axhline(0.5, color="grey", linewidth=1)
    axes[0].legend()
    return axes[0].figure


def plot_score_histogram(
    label: Sequence[str], y_score: Sequence[float], *, ax: Axes | None = None
) -> Axes:
    """Draw how P(fake) is spread over reals and fakes.

    Args:
        label: "REAL" or "FAKE", length N.
        y_score: P(fake) in [0, 1], length N.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = _axes(ax, (4.5, 3.2))
    label, y_score = np.asarray(label), np.asarray(y_score)
    for name, colour in COLOURS.items():
        ax.hist(
            y_score[label == name], np.linspace(0, 1, 21), color=colour, alpha=0.6, label=name
        )
    ax.set(xlabel="P(fake)", ylabel="test pictures", xlim=(0, 1), title="Scores by true class")
    ax.legend()
    return ax


def plot_roc(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the ROC curve of every model.

    Args:
        predictions: rows with `model`, `label`, `y_score`, of one split.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the diagonal is chance.
    """
    from sklearn.metrics import roc_curve

    ax = _axes(ax, (4.5, 3.6))
    for model, rows in predictions.groupby("model", sort=False):
        false_rate, true_rate, _ = roc_curve(rows["label"] == "FAKE", rows["y_score"])
        ax.plot(false_rate, true_rate, label=model)
    ax.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="false positive rate (reals called fake)", ylabel="true positive rate")
    ax.set(title="ROC, test people", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    ax.legend(loc="lower right")
    return ax


def plot_metric(
    scores: Mapping[str, Mapping[str, Mapping[str, float]]],
    metric: str = "auc",
    *,
    chance: float | None = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw one metric of several models with its intervals.

    Args:
        scores: model -> metric -> `value`, `low`, `high`, as `metrics.test` of a results file.
        metric: which one.
        chance: where to draw a line for a guess; None draws none.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = _axes(ax, (5.5, 0.7 + 0.45 * len(scores)))
    for position, score in enumerate(scores.values()):
        value, low, high = (score[metric][key] for key in ("value", "low", "high"))
        ax.plot([low, high], [position, position], color=CYCLE[0], linewidth=2)
        ax.plot(value, position, "o", color=CYCLE[0])
    if chance is not None:
        ax.axvline(chance, color="grey", linestyle="--", linewidth=1)
    ax.set_yticks(range(len(scores)), list(scores))
    ax.invert_yaxis()
    ax.set_ylim(len(scores) - 0.5, -0.5)
    ax.set(xlabel=f"{metric} on test people, 95 % interval")
    ax.grid(axis="y", visible=False)
    return ax


def plot_class_counts(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the classes of every split as bars.

    Args:
        counts: index of splits, columns "REAL" and "FAKE" (others are left out).
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = _axes(ax, (5, 3))
    shown = counts.loc[[split for split in SPLITS if split in counts.index], list(COLOURS)]
    for shift, (name, colour) in zip((-0.2, 0.2), COLOURS.items(), strict=True):
        bars = ax.bar(np.arange(len(shown)) + shift, shown[name], 0.4, color=colour, label=name)
        ax.bar_label(bars, fontsize=8)
    ax.set_xticks(range(len(shown)), shown.index)
    ax.set(ylabel="rows", title="Classes in each set")
    ax.grid(axis="x", visible=False)
    ax.legend()
    return ax


def class_counts_figure(counts: pd.DataFrame) -> go.Figure:
    """Draw the classes of every split as bars that tell their numbers when hovered.

    Args:
        counts: index of splits, columns "REAL" and "FAKE" (others are left out).

    Returns:
        A plotly figure.
    """
    import plotly.graph_objects as go

    shown = counts.loc[[split for split in SPLITS if split in counts.index]]
    bars = [
        go.Bar(name=name, x=list(shown.index), y=shown[name].tolist(), marker_color=colour)
        for name, colour in COLOURS.items()
    ]
    figure = go.Figure(bars)
    figure.update_layout(
        title="Classes in each set", barmode="group", template="plotly_white", height=360, width=640
    )
    return figure
