"""What is in the data, and does a split leak? Counts and distributions in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from nbhelpers.reporting.plots.style import COLOURS, CYCLE, axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_fakes_per_original(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the number of fakes per original.

    Args:
        table: with `videoname`, `label` and `original`; originals that are not among the files
            count as well.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = axes_of(ax, (5.5, 3))
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


def plot_values(
    table: pd.DataFrame, columns: Mapping[str, str], *, most: int = 6, width: float = 2.6
) -> Figure:
    """Draw how often each value of some columns occurs, most frequent first.

    Args:
        table: any rows.
        columns: column -> title; truth values are written as "yes" and "no".
        most: largest number of values per column, >= 1; the others share one bar, "other".
        width: of each chart, inches.

    Returns:
        The figure, one chart per column.

    >>> codecs = pd.DataFrame({"codec": ["h264", "vp9", "h264"]})
    >>> [int(bar.get_width()) for bar in plot_values(codecs, {"codec": "Codec"}).axes[0].patches]
    [2, 1]
    """
    figure, axes = plt.subplots(1, len(columns), figsize=(width * len(columns), 2.4), squeeze=False)
    for ax, (column, title) in zip(axes.flat, columns.items(), strict=True):
        values = table[column]
        if pd.api.types.is_bool_dtype(values):  # also pandas' own type, which knows "missing"
            values = values.map({True: "yes", False: "no"})
        number = values.astype(str).value_counts()
        if len(number) > most:
            number = pd.concat([number.head(most), pd.Series({"other": number[most:].sum()})])
        bars = ax.barh(number.index, number, color=CYCLE[0])
        ax.bar_label(bars, fontsize=8, padding=2)
        ax.set(title=title, xlim=(0, 1.25 * number.max()), xticks=[])
        ax.invert_yaxis()
        ax.grid(visible=False)
    return figure


def plot_by_class(table: pd.DataFrame, column: str, *, ax: Axes | None = None) -> Axes:
    """Draw the distribution of a measured quantity over reals and fakes.

    Args:
        table: with `label` and `column`, a number; rows without it are left out.
        column: what to draw; also the axis label.
        ax: where to draw; None makes a figure.

    Returns:
        The axes. Each class has area 1, so that a rare class shows as well as a common one.
    """
    ax = axes_of(ax, (4, 2.8))
    known = table[np.isfinite(table[column])]
    # Cut the longest tails, or one outlier would squeeze all other pictures into one bar.
    low, high = known[column].quantile([0.005, 0.995])
    if high == low:  # one value only: a single bar in the middle
        low, high = low - 1, high + 1
    bins = np.linspace(low, high, 32)
    for name, colour in COLOURS.items():
        values = known.loc[known["label"] == name, column].clip(low, high)
        ax.hist(values, bins, density=True, color=colour, alpha=0.55, label=name)
    ax.set(xlabel=column, yticks=[])
    ax.set_ylim(top=1.25 * ax.get_ylim()[1])  # room for the legend above the highest bar
    ax.legend(loc="upper center", ncols=2)
    return ax


def plot_cues(cues: pd.DataFrame, label: Sequence[str]) -> Figure:
    """Draw every measured quantity by class, one panel each.

    Args:
        cues: one column per quantity, numbers, N rows.
        label: "REAL" or "FAKE", length N.

    Returns:
        The figure, up to three panels in a row.
    """
    columns = min(3, max(1, cues.shape[1]))
    lines = -(-max(1, cues.shape[1]) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(3.4 * columns, 2.4 * lines), squeeze=False)
    for ax in axes.flat[cues.shape[1] :]:
        ax.remove()
    for ax, name in zip(axes.flat, cues, strict=False):
        plot_by_class(cues[[name]].assign(label=np.asarray(label)), name, ax=ax)
    return figure


def plot_leak(reports: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of test fakes that have relatives among the training rows.

    Args:
        reports: one row per way of splitting, columns `original`, `sibling`, `group`, shares 0-1,
            as `splits.leak_report` gives them.
        ax: where to draw; None makes a figure.

    Returns:
        The axes.
    """
    ax = axes_of(ax, (6.5, 3))
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
    ax.set(ylabel="share of test fakes", title="Test fakes that have in train ...")
    ax.set(ylim=(0, 1.35), yticks=np.linspace(0, 1, 6))  # room for the legend above a full bar
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper center", ncols=2)
    return ax
