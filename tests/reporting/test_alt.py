"""Figures in words."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nbhelpers.reporting.plots import alt

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_pictures_are_counted_and_named_once():
    figure, axes = plt.subplots(2, 2)
    for ax, title in zip(axes.ravel(), ("face", "map", "", ""), strict=True):
        ax.imshow(np.zeros((2, 2)))
        ax.set_title(title)
    axes[0, 0].set_ylabel("FAKE")
    axes[1, 0].set_ylabel("FAKE")
    assert alt.describe(figure) == "4 pictures: face, FAKE, map"


def test_plots_without_names_and_empty_axes_say_nothing():
    figure, (left, _) = plt.subplots(1, 2)
    left.plot([1, 2])
    assert alt.describe(figure) == ""
    left.set_ylabel("loss")
    figure.suptitle("Training\nof ours")
    assert alt.describe(figure) == "Training of ours; loss"


def test_long_texts_end_between_words():
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    ax.set_title("word " * 100)
    text = alt.describe(figure)
    assert len(text) <= alt.MOST
    assert text.endswith("word\u2026")
