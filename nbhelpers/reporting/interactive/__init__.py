"""Figures that a reader can change without a kernel: a slider, a little script, no network.

Each call shows one output in three forms: HTML for notebooks and pages, an equivalent JPEG for
code hosts, and one sentence. Python computes every state of a figure in advance; the script only
displays the selected one.
"""

from nbhelpers.reporting.interactive.clips import clip
from nbhelpers.reporting.interactive.curves import curve_with_pictures
from nbhelpers.reporting.interactive.damages import damage_gallery
from nbhelpers.reporting.interactive.people import prevalence
from nbhelpers.reporting.interactive.verdicts import threshold
from nbhelpers.reporting.interactive.wipes import wipe

__all__ = [
    "clip",
    "curve_with_pictures",
    "damage_gallery",
    "prevalence",
    "threshold",
    "wipe",
]
