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
        pictures: ``uint8`` or ``float`` 0-255 ``(H, W, 3)`` RGB, or ``(H, W)`` grey/bool masks;
            none of them gives an empty figure.
        titles: one a picture; None draws none.
        columns: pictures in a row.
        size: width of a picture, inches.
        colours: a colour for each title; None draws them black.

    Returns:
        The figure.
    """
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, -(-len(pictures) // columns))
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
        history: from `training.history_table`, with `accuracy`, `loss`, their `val_`
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
        ax.hist(y_score[label == name], np.linspace(0, 1, 21), color=colour, alpha=0.6, label=name)
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


def plot_precision_recall(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the precision-recall curve of every model.

    Args:
        predictions: rows with `model`, `label`, `y_score`, of one split.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the dashed line is the share of fakes, which a guess reaches.
    """
    from sklearn.metrics import precision_recall_curve

    ax = _axes(ax, (4.5, 3.6))
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
    """Draw what scores promise against what they keep.

    Args:
        tables: name -> `calibration.reliability_table`.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; a calibrated score lies on the diagonal. Dots grow with the rows in a bin.
    """
    ax = _axes(ax, (4.5, 3.6))
    for colour, (name, table) in zip(CYCLE, tables.items(), strict=False):
        ax.plot(table["promised"], table["kept"], color=colour, label=name)
        sizes = 120 * table["n"] / table["n"].max()
        ax.scatter(table["promised"], table["kept"], sizes, color=colour, alpha=0.6)
    ax.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="P(fake)", ylabel="share that is fake", title="Reliability")
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    ax.legend(loc="upper left")
    return ax


def plot_confusion(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw verdicts against the truth.

    Args:
        counts: from `calibration.confusion`.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; darker is a larger share of its row, the numbers are counts.
    """
    ax = _axes(ax, (3.4, 3.2))
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
        The axes; the band is the interval on clean pictures.
    """
    ax = _axes(ax, (6.5, 3.6))
    clean = curves[curves["corruption"] == "clean"].iloc[0]
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


def plot_fakes_per_original(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many originals have how many fakes.

    Args:
        table: with `videoname`, `label` and `original`; originals that are not among the files
            count as well.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = _axes(ax, (5.5, 3))
    fakes = table.loc[table["label"] == "FAKE", "original"]
    reals = table.loc[table["label"] == "REAL", "videoname"]
    fakes = fakes[fakes != ""].value_counts()
    number = fakes.reindex(fakes.index.union(reals), fill_value=0).value_counts().sort_index()
    bars = ax.bar(number.index, number, color=CYCLE[0])
    ax.bar_label(bars, fontsize=8)
    ax.set(xlabel="fakes made of one original", ylabel="originals", title="Fakes per original")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(axis="x", visible=False)
    return ax


def plot_by_class(table: pd.DataFrame, column: str, *, ax: Axes | None = None) -> Axes:
    """Draw how a measured quantity is spread over reals and fakes.

    Args:
        table: with `label` and `column`, a number; rows without it are left out.
        column: what to draw; also the axis label.
        ax: where to draw; None makes a figure.

    Returns:
        The axes. Each class has area 1, so that a rare class shows as well as a common one.
    """
    ax = _axes(ax, (4, 2.8))
    known = table[np.isfinite(table[column])]
    # Cut the longest tails, else one odd picture squeezes all others into one bar.
    low, high = known[column].quantile([0.005, 0.995])
    if high == low:  # one value only: a single bar in the middle
        low, high = low - 1, high + 1
    bins = np.linspace(low, high, 32)
    for name, colour in COLOURS.items():
        values = known.loc[known["label"] == name, column].clip(low, high)
        ax.hist(values, bins, density=True, color=colour, alpha=0.55, label=name)
    ax.set(xlabel=column, yticks=[])
    ax.legend()
    return ax


def plot_leak(reports: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of test fakes that the training rows give away.

    Args:
        reports: one row a way of splitting, columns `original`, `sibling`, `group`, shares 0-1,
            as `splits.leak_report` gives them.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = _axes(ax, (6.5, 3))
    kinds = {
        "original": "their original",
        "sibling": "another fake\nof their original",
        "group": "anything of\ntheir group",
    }
    width = 0.8 / len(reports)
    for number, (name, report) in enumerate(reports.iterrows()):
        place = np.arange(len(kinds)) + (number - (len(reports) - 1) / 2) * width
        bars = ax.bar(place, report[list(kinds)], width, color=CYCLE[number], label=name)
        ax.bar_label(bars, fmt="{:.0%}", fontsize=8)
    ax.set_xticks(range(len(kinds)), kinds.values())
    ax.set(ylabel="share of test fakes", ylim=(0, 1.1), title="Test fakes that have in train ...")
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.grid(axis="x", visible=False)
    ax.legend()
    return ax


def plot_forgeries(
    reals: Sequence[np.ndarray],
    fakes: Sequence[np.ndarray],
    *,
    masks: Sequence[np.ndarray] | None = None,
    titles: Sequence[str] | None = None,
) -> Figure:
    """Draw each real above its fake, their difference and the mask of the manipulated region.

    Args:
        reals: ``uint8 (H, W, 3)`` RGB 0-255, the originals.
        fakes: the same shapes; a fake of each.
        masks: ``bool (H, W)`` of each, True where manipulated; None draws none.
        titles: one a fake, for example its method; None draws "FAKE".

    Returns:
        The figure. Differences are the largest of the three channels, stretched for each pair.
    """
    gaps = [
        np.abs(real.astype(int) - fake).max(axis=2) for real, fake in zip(reals, fakes, strict=True)
    ]
    names = ["REAL"] * len(reals) + list(titles or ["FAKE"] * len(fakes))
    names += ["difference"] * len(gaps) + ["mask"] * len(masks or [])
    colours = [COLOURS["REAL"]] * len(reals) + [COLOURS["FAKE"]] * len(fakes)
    colours += ["black"] * (len(names) - len(colours))
    return plot_pictures(
        [*reals, *fakes, *gaps, *(masks or [])], names, columns=len(reals), colours=colours
    )


def plot_clip_scores(
    seconds: Sequence[float],
    y_score: Sequence[float],
    *,
    threshold: float = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw P(fake) over the time of one clip.

    Args:
        seconds: when each frame is shown, length N.
        y_score: P(fake) of each frame in [0, 1].
        threshold: from which a score is called FAKE.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; the solid line is the mean, which is the clip's score.
    """
    ax = _axes(ax, (7, 2.6))
    scores = np.asarray(y_score, dtype=float)
    ax.plot(seconds, scores, color=CYCLE[-1], linewidth=1, zorder=1)
    colours = np.where(scores >= threshold, COLOURS["FAKE"], COLOURS["REAL"])
    ax.scatter(seconds, scores, c=colours, zorder=2)
    ax.axhline(scores.mean(), color=CYCLE[0], linewidth=1.5, label=f"mean {scores.mean():.2f}")
    ax.axhline(threshold, color="grey", linestyle="--", label=f"threshold {threshold:.2f}")
    ax.set(xlabel="seconds", ylabel="P(fake)", ylim=(-0.03, 1.03))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_maps(
    pictures: Sequence[np.ndarray],
    masks: Sequence[np.ndarray | None],
    maps: Sequence[Mapping[str, np.ndarray]],
    *,
    titles: Sequence[str] | None = None,
    size: float = 1.6,
) -> Figure:
    """Draw explanation maps beside their pictures and true masks, one picture a row.

    Args:
        pictures: ``(H, W, 3)`` RGB 0-255 each.
        masks: ``bool (H, W)`` each, None where nothing was manipulated; its outline is drawn
            over every map.
        maps: for each picture, method -> ``float (H, W)``, the same methods in every one.
        titles: one a row, written beside its picture.
        size: width of a picture, inches.

    Returns:
        The figure. Each map has its own scale, which ends at the 99.5th percentile of its sizes,
        else one odd pixel leaves the others pale: red is evidence for FAKE, blue against, white
        none.
    """
    names = ["picture", "true mask", *maps[0]]
    figure, axes = plt.subplots(
        len(pictures),
        len(names),
        figsize=(len(names) * size, len(pictures) * size * 1.02 + 0.2),
        squeeze=False,
    )
    for row, picture, mask, heats in zip(axes, pictures, masks, maps, strict=True):
        truth = np.zeros(np.shape(picture)[:2], bool) if mask is None else mask
        row[0].imshow(np.clip(picture, 0, 255).astype("uint8"))
        row[1].imshow(truth, cmap="gray", vmin=0, vmax=1)
        for ax, heat in zip(row[2:], heats.values(), strict=True):
            reach = np.quantile(np.abs(heat), 0.995) or np.abs(heat).max() or 1.0
            ax.imshow(heat, cmap="RdBu_r", vmin=-reach, vmax=reach)
            if truth.any():
                ax.contour(truth, levels=[0.5], colors="black", linewidths=1)
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title(name, fontsize=9)
    if titles is not None:
        for row, title in zip(axes[:, 0], titles, strict=True):
            row.set_ylabel(title, fontsize=8)
    return figure


def plot_recipes(
    scores: Mapping[tuple[str, ...], Mapping[str, Mapping[str, float]]],
    metric: str = "auc",
    *,
    prior: float = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Draw one metric of many recipes; those that differ in the last step only share a line.

    Args:
        scores: recipe -> metric -> `value`, `low`, `high`. A recipe is a tuple of its steps, for
            example ("even", "face", "Xception", "GRU"); one without the metric is left out. Where
            `n` is below the largest, the line says so.
        metric: which one.
        prior: what the model without skill has, drawn as a dashed line.
        ax: where to draw; None makes a figure.

    Returns:
        The axes; 95 % intervals.
    """
    lines = list(dict.fromkeys(recipe[:-1] for recipe in scores))
    ends = list(dict.fromkeys(recipe[-1] for recipe in scores))
    ax = _axes(ax, (6.5, 0.9 + 0.42 * len(lines)))
    for recipe, score in scores.items():
        if metric not in score:
            continue
        end = ends.index(recipe[-1])
        y = lines.index(recipe[:-1]) + 0.28 * (end - (len(ends) - 1) / 2)
        value, low, high = (score[metric][key] for key in ("value", "low", "high"))
        ax.plot([low, high], [y, y], color=CYCLE[end], linewidth=2, zorder=2)
        ax.plot(value, y, "o", color=CYCLE[end], markersize=5, zorder=3)
    for end, name in enumerate(ends):
        ax.plot([], [], "o-", color=CYCLE[end], label=name)
    ax.axvline(prior, color="grey", linestyle="--", linewidth=1, label="prior", zorder=1)
    size = {recipe[:-1]: score.get("n") for recipe, score in scores.items()}
    most = max((n for n in size.values() if n is not None), default=None)
    few = {line: f"\n{n} of {most} clips" if n != most else "" for line, n in size.items()}
    ax.set_yticks(range(len(lines)), [", ".join(line) + few[line] for line in lines])
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set(xlabel=f"{metric.replace('_', ' ')}, 95 % interval")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    return ax
