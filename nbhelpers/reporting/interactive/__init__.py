"""Figures that a reader changes without a kernel: a slider, a few lines of script, no network.

Each call shows one output in three forms: HTML for notebooks and pages, a JPEG that says the same
for code hosts, and one sentence. Python works out every state of a figure beforehand; the script
only puts the one that is picked on the page.
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
