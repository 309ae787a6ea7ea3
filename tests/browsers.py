"""Which browser the tests of pages drive."""

import os
import shutil
from importlib.util import find_spec

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium():
    """Path of a Chromium that playwright can drive; "" where there is none."""
    if find_spec("playwright") is None:
        return ""
    named = os.environ.get("NBHELPERS_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUMS)), "")
