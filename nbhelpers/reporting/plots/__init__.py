"""Figures by the reader's question. Every function draws and returns a figure; none shows it.

The notebook decides when a figure is shown. All of them are available as ``plots.plot_…``.
"""

from nbhelpers.reporting.plots.clips import plot_clip_scores, plot_people_scores
from nbhelpers.reporting.plots.description import describe, describe_axes
from nbhelpers.reporting.plots.judgement import plot_beside_counterparts, plot_judgement
from nbhelpers.reporting.plots.maps import plot_lime, plot_maps, plot_method
from nbhelpers.reporting.plots.measures import plot_measures
from nbhelpers.reporting.plots.pictures import plot_forgeries, plot_pictures, plot_rows
from nbhelpers.reporting.plots.scores import (
    plot_confusion,
    plot_metric,
    plot_precision_recall,
    plot_recipes,
    plot_reliability,
    plot_robustness,
    plot_roc,
    plot_score_histogram,
    plot_spread,
)
from nbhelpers.reporting.plots.style import COLOURS, CYCLE, set_style
from nbhelpers.reporting.plots.tables import (
    plot_by_class,
    plot_cues,
    plot_fakes_per_original,
    plot_leak,
    plot_values,
)
from nbhelpers.reporting.plots.tracks import plot_boxes
from nbhelpers.reporting.plots.training import plot_history

__all__ = [
    "COLOURS",
    "CYCLE",
    "describe",
    "describe_axes",
    "plot_beside_counterparts",
    "plot_boxes",
    "plot_by_class",
    "plot_clip_scores",
    "plot_confusion",
    "plot_cues",
    "plot_fakes_per_original",
    "plot_forgeries",
    "plot_history",
    "plot_judgement",
    "plot_leak",
    "plot_lime",
    "plot_maps",
    "plot_measures",
    "plot_method",
    "plot_metric",
    "plot_people_scores",
    "plot_pictures",
    "plot_precision_recall",
    "plot_recipes",
    "plot_reliability",
    "plot_robustness",
    "plot_roc",
    "plot_rows",
    "plot_score_histogram",
    "plot_spread",
    "plot_values",
    "set_style",
]
