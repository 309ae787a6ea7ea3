"""One style for the whole series.

The two class colours differ in hue and in lightness, so that they remain distinguishable for
colour-blind readers and in greyscale print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe-Ito blue and vermilion.
COLOURS = {"REAL": "#0072B2", "FAKE": "#D55E00"}
#: For models, stages and anything that is not a class.
CYCLE = ["#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]


def set_style() -> None:
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
            "legend.loc": "upper right",  # searching for the "best" place is slow, and warns
            "image.cmap": "viridis",
        }
    )


def axes_of(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Take the axes given, or make a figure of ``size`` inches with one."""
    return plt.subplots(figsize=size)[1] if ax is None else ax
