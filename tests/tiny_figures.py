"""One small call of each interactive figure, and what it shows."""

from unittest import mock

import numpy as np

from nbhelpers.reporting import display, interactive

PICTURE = np.dstack([*np.mgrid[0:240:40j, 0:240:40j], np.full((40, 40), 90)]).astype("u1")
Y_TRUE = [0, 0, 0, 1, 1]
Y_SCORE = [0.1, 0.35, 0.6, 0.4, 0.95]
RISING = np.stack([PICTURE // (1 + number) for number in range(4)])


def _gallery(**changed):
    arguments = {"damages": ["JPEG", "noise"], "levels": ["mild", "strong"]} | changed
    return interactive.damage_gallery(
        RISING.reshape(2, 2, 40, 40, 3), [[0.9, 0.6], [0.8, 0.1]], **arguments
    )


def _curve(**changed):
    arguments = {"x_label": "share removed", "y_label": "P(fake)"} | changed
    return interactive.curve_with_pictures(
        [0, 0.25, 0.5, 1], [0.9, 0.7, 0.2, 0.1], pictures=RISING, **arguments
    )


def _clip(**changed):
    arguments = {
        "p_fake": [0.2, np.nan, 0.8, 0.9],
        "boxes": [(10, 20, 20, 10), None, (0, 0, 40, 40), (np.nan,) * 4],
    } | changed
    return interactive.clip(RISING, [0, 0.1, 0.2, 0.3], **arguments)


FIGURES = {
    "prevalence": lambda: interactive.prevalence(sensitivity=0.9, specificity=0.9),
    "wipe": lambda **changed: interactive.wipe(PICTURE, 255 - PICTURE, **changed),
    "threshold": lambda: interactive.threshold(Y_TRUE, Y_SCORE),
    "damage_gallery": _gallery,
    "curve_with_pictures": _curve,
    "clip": _clip,
}


def bundle_of(show):
    """The output that a call shows: MIME type -> content, and ``alt``."""
    shown = []

    def publish(bundle, *, description):
        shown.append(bundle | {"alt": description})

    with mock.patch.object(display, "publish", publish):
        assert show() is None
    (bundle,) = shown
    return bundle
