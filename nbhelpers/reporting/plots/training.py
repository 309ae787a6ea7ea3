"""Did it learn? Curves over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
        ax.set(title=name, xlabel="epoch", xlim=(0.5, len(history) + 0.5))
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].axhline(0.5, color="grey", linewidth=1)
    axes[0].set_ylim(0, 1.02)  # the whole range: a narrower axis makes noise look like steps
    axes[0].legend(loc="lower right")
    return axes[0].figure
