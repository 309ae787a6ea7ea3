"""Which method is better? Measures of several methods beside an uninformed baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from nbhelpers.evaluation.metrics import Interval
from nbhelpers.reporting.plots.scores import plot_metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_measures(
    summary: Mapping[str, Mapping[str, Interval]], names: Sequence[str], *, baseline: str
) -> Figure:
    """Draw several measures side by side, with the baseline's value as a dashed line.

    Args:
        summary: method -> measure -> `metrics.Interval`, from `grouped.means`.
        names: the measures, one panel each.
        baseline: the method whose value is the dashed line.

    Returns:
        The figure; 95 % intervals.
    """
    figure, axes = plt.subplots(
        1, len(names), figsize=(3.6 * len(names), 0.9 + 0.4 * len(summary)), squeeze=False
    )
    for ax, name in zip(axes[0], names, strict=True):
        plot_metric(summary, name, chance=summary[baseline][name].value, ax=ax)
        ax.set_xlabel(name)
    for ax in axes[0, 1:]:
        ax.set_yticklabels([])
    return figure
