"""How good, how certain, how robust? Scores of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.evaluation.metrics import METRICS, Interval
from nbhelpers.reporting.plots.description import describe_axes
from nbhelpers.reporting.plots.style import COLOURS, CYCLE, axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_score_histogram(
    label: Sequence[str], y_score: Sequence[float], *, ax: Axes | None = None
) -> Axes:
    """Draw the distribution of P(fake) over reals and fakes.

    Args:
        label: "REAL" or "FAKE", length N.
        y_score: P(fake) in [0, 1], length N.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = axes_of(ax, (4.5, 3.2))
    label, y_score = np.asarray(label), np.asarray(y_score)
    for name, colour in COLOURS.items():
        ax.hist(y_score[label == name], np.linspace(0, 1, 21), color=colour, alpha=0.6, label=name)
    ax.set(xlabel="P(fake)", ylabel="test pictures", xlim=(0, 1), title="Scores by true class")
    ax.set_ylim(top=1.2 * ax.get_ylim()[1])  # room for the legend above the highest bar
    ax.legend(loc="upper center", ncols=2)
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

    ax = axes_of(ax, (4.5, 3.6))
    curves = {}
    for model, rows in predictions.groupby("model", sort=False):
        false_rate, true_rate, _ = roc_curve(rows["label"] == "FAKE", rows["y_score"])
        curves[str(model)] = (false_rate, true_rate)
        ax.plot(false_rate, true_rate, label=model)
    describe_axes(ax, _roc_in_words(curves))
    ax.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="false positive rate (reals called fake)", ylabel="true positive rate")
    ax.set(title="ROC, test people", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    ax.legend(loc="lower right")
    return ax


def _roc_in_words(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Say whose ROC curve lies above; curves that touch count as above."""
    names = list(curves)
    text = f"ROC of {' and '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)}"
    across = np.unique(np.concatenate([false_rate for false_rate, _ in curves.values()]))
    # The highest rate at each place, since a curve may rise vertically.
    heights = {
        name: np.array([true[false <= place].max() for place in across])
        for name, (false, true) in curves.items()
    }
    highest = np.max(list(heights.values()), axis=0)
    above = [name for name, height in heights.items() if (height >= highest).all()]
    if len(names) > 1:
        text += f"; {above[0]} above everywhere" if len(above) == 1 else "; the curves cross"
    return text


def plot_precision_recall(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the precision-recall curve of every model.

    Args:
        predictions: rows with `model`, `label`, `y_score`, of one split.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the dashed line is the share of fakes, the precision of guessing.
    """
    from sklearn.metrics import precision_recall_curve

    ax = axes_of(ax, (4.5, 3.6))
    for model, rows in predictions.groupby("model", sort=False):
        precision, recall, _ = precision_recall_curve(rows["label"] == "FAKE", rows["y_score"])
        ax.plot(recall, precision, label=model)
    share = (predictions["label"] == "FAKE").mean()
    ax.axhline(share, color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="recall (fakes found)", ylabel="precision (called fake, is fake)")
    ax.set(title="Precision and recall", xlim=(-0.01, 1.01), ylim=(0, 1.03))
    ax.legend(loc="lower left")
    return ax


def plot_reliability(tables: Mapping[str, pd.DataFrame], *, ax: Axes | None = None) -> Axes:
    """Draw the predicted against the observed share of fakes.

    Args:
        tables: name -> `calibration.reliability_table`.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; a calibrated score lies on the diagonal. Dots grow with the rows in a bin.
    """
    ax = axes_of(ax, (4.5, 3.6))
    for colour, (name, table) in zip(CYCLE, tables.items(), strict=False):
        ax.plot(table["promised"], table["kept"], color=colour, label=name)
        sizes = 120 * table["n"] / table["n"].max()
        ax.scatter(table["promised"], table["kept"], sizes, color=colour, alpha=0.6)
    ax.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="P(fake)", ylabel="share that is fake", title="Reliability")
    # The curves may be anywhere in the square, so the legend gets a strip of its own above it.
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.1 + 0.12 * len(tables)))
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.legend(loc="upper left")
    return ax


def plot_confusion(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw verdicts against the truth.

    Args:
        counts: from `calibration.confusion`.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; a darker cell is a larger share of its row, the numbers are counts.
    """
    ax = axes_of(ax, (3.4, 3.2))
    cells = (
        f"{count} {truth} {verdict}"
        for truth, row in counts.iterrows()
        for verdict, count in row.items()
    )
    describe_axes(ax, f"Verdicts: {', '.join(cells)}")
    share = counts.div(counts.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    ax.imshow(share, cmap="Greys", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        text = f"{count}\n{share[row, column]:.0%}"
        colour = "white" if share[row, column] > 0.5 else "black"
        ax.text(column, row, text, ha="center", va="center", color=colour)
    ax.set_xticks(range(len(counts.columns)), counts.columns)
    ax.set_yticks(range(len(counts)), counts.index)
    for tick in ax.get_yticklabels():
        tick.set_color(COLOURS.get(tick.get_text(), "black"))
    ax.grid(visible=False)
    ax.set(ylabel="truth", title="Verdicts")
    return ax


def plot_robustness(curves: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the AUC of a detector against the strength of each corruption.

    Args:
        curves: from `robustness.curves`, the clean pictures among its rows.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the band is the interval on clean pictures, left out with too few groups.
    """
    ax = axes_of(ax, (6.5, 3.6))
    clean = curves[curves["corruption"] == "clean"].iloc[0]
    worst = curves.loc[curves["value"].idxmin()]
    describe_axes(
        ax,
        f"AUC by kind and strength of damage: {clean['value']:.2f} on clean pictures, lowest with "
        f"{worst['corruption']} ({worst['level']}): {worst['value']:.2f}",
    )
    if clean["auc"].is_firm:
        ax.axhspan(clean["low"], clean["high"], color="grey", alpha=0.15, linewidth=0)
    styles = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1))]
    damaged = curves[curves["corruption"] != "clean"]
    for number, (name, rows) in enumerate(damaged.groupby("corruption", sort=False)):
        ax.plot(
            ["none", *rows["level"]],
            [clean["value"], *rows["value"]],
            color=[*CYCLE, "#7F7F7F"][number % 6],
            linestyle=styles[number % 6],
            marker="o",
            label=name,
        )
    ax.axhline(0.5, color="grey", linestyle="--", linewidth=1)
    ax.set(ylabel="AUC", xlabel="strength", title="What is left on damaged pictures")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_metric(
    scores: Mapping[str, Mapping[str, Interval]],
    metric: str = "auc",
    *,
    chance: float | None = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw one metric of several models with its intervals.

    Args:
        scores: model -> metric -> `metrics.Interval`.
        metric: which one.
        chance: where to draw a line for a guess; None draws none.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = axes_of(ax, (5.5, 0.7 + 0.45 * len(scores)))
    for position, score in enumerate(scores.values()):
        _whisker(score[metric], position, colour=CYCLE[0], ax=ax)
    _name_rows(list(scores), chance=chance, ax=ax)
    written = METRICS[metric].label if metric in METRICS else metric
    ax.set(xlabel=f"{written} on test people, 95 % interval")
    values = (f"{name} {score[metric]:.2f}" for name, score in scores.items())
    describe_axes(ax, f"{written} with 95 % interval: {', '.join(values)}")
    return ax


def plot_spread(
    scores: Mapping[str, Sequence[float]],
    *,
    label: str = "AUC on test people, a dot per seed",
    chance: float | None = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw the scores of the same recipe with different seeds: one dot per seed.

    Args:
        scores: name -> scores, one per seed; a line joins the lowest and the highest.
        label: of the axis.
        chance: where to draw a line for a guess; None draws none.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = axes_of(ax, (5.5, 0.7 + 0.45 * len(scores)))
    for height, values in enumerate(scores.values()):
        ax.plot([min(values), max(values)], [height, height], color=CYCLE[0], alpha=0.4)
        ax.plot(values, [height] * len(values), "o", color=CYCLE[0], alpha=0.7, markersize=7)
    _name_rows(list(scores), chance=chance, ax=ax)
    ax.set(xlabel=label)
    dots = (
        f"{name} " + ", ".join(f"{value:.2f}" for value in values)
        for name, values in scores.items()
    )
    describe_axes(ax, f"{label}: {'; '.join(dots)}")
    return ax


def _name_rows(names: Sequence[str], *, chance: float | None, ax: Axes) -> None:
    """Label the rows from the top down, and draw the line for a guess."""
    if chance is not None:
        ax.axvline(chance, color="grey", linestyle="--", linewidth=1)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)


def _whisker(score: Interval, height: float, *, colour: str, ax: Axes) -> None:
    """Draw a value as a dot and its interval as a line; with too few groups, the dot alone."""
    if score.is_firm:
        ax.plot([score.low, score.high], [height, height], color=colour, linewidth=2, zorder=2)
    ax.plot(score.value, height, "o", color=colour, markersize=5, zorder=3)


def plot_recipes(
    scores: Mapping[tuple[str, ...], Mapping[str, Interval]],
    metric: str = "auc",
    *,
    prior: float = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw one metric of many recipes; those that differ only in the last step share a row.

    Args:
        scores: recipe -> metric -> `metrics.Interval`. A recipe is a tuple of its steps, for
            example ("even", "face", "Xception", "GRU"); one without the metric is left out. If its
            `n` is below the largest, the row says so.
        metric: which one.
        prior: the metric of the model without skill, drawn as a dashed line.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; 95 % intervals.
    """
    lines = list(dict.fromkeys(recipe[:-1] for recipe in scores))
    ends = list(dict.fromkeys(recipe[-1] for recipe in scores))
    ax = axes_of(ax, (6.5, 0.9 + 0.42 * len(lines)))
    for recipe, score in scores.items():
        if metric not in score:
            continue
        end = ends.index(recipe[-1])
        y = lines.index(recipe[:-1]) + 0.28 * (end - (len(ends) - 1) / 2)
        _whisker(score[metric], y, colour=CYCLE[end], ax=ax)
    for end, name in enumerate(ends):
        ax.plot([], [], "o-", color=CYCLE[end], label=name)
    ax.axvline(prior, color="grey", linestyle="--", linewidth=1, label="prior", zorder=1)
    size = {recipe[:-1]: score.get("n") for recipe, score in scores.items()}
    most = max((n for n in size.values() if n is not None), default=None)
    few = {line: f"\n{n} of {most} clips" if n != most else "" for line, n in size.items()}
    ax.set_yticks(range(len(lines)), [", ".join(line) + few[line] for line in lines])
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set(xlabel=f"{METRICS[metric].label if metric in METRICS else metric}, 95 % interval")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    values = (
        f"{', '.join(recipe)} {score[metric]:.2f}"
        for recipe, score in scores.items()
        if metric in score
    )
    describe_axes(ax, f"{ax.get_xlabel()}: {'; '.join(values)}")
    return ax
