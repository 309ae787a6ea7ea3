"""Figures in words: from what the plot knows, else from titles, labels and legends."""

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from nbhelpers.evaluation import calibration
from nbhelpers.evaluation.metrics import Interval
from nbhelpers.reporting import plots


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def roc_of(**scores):
    rows = [
        pd.DataFrame({"model": model, "label": ["REAL", "REAL", "FAKE", "FAKE"], "y_score": y})
        for model, y in scores.items()
    ]
    return plots.describe(plots.plot_roc(pd.concat(rows)).figure)


def test_a_roc_says_which_curve_lies_above():
    best, chance, worst = [0.1, 0.2, 0.8, 0.9], [0.5] * 4, [0.9, 0.8, 0.2, 0.1]
    text = "ROC of theirs and ours; ours above everywhere"
    assert roc_of(theirs=chance, ours=best) == text
    assert roc_of(a=worst, b=chance, ours=best).startswith("ROC of a, b and ours; ours above")
    assert roc_of(a=[0.1, 0.6, 0.5, 0.9], b=[0.2, 0.9, 0.8, 0.8]).endswith("a above everywhere")
    assert roc_of(a=[0.1, 0.8, 0.2, 0.9], b=[0.1, 0.9, 0.3, 0.4]).startswith("ROC of a and b")
    assert roc_of(a=best, b=best) == "ROC of a and b; the curves cross"
    assert roc_of(ours=best) == "ROC of ours"


def test_plots_say_their_numbers():
    scores = {"ours": {"auc": Interval(0.8, 0.7, 0.9, 9)}, "b": {"auc": Interval(0.7, 0, 1, 3)}}
    text = plots.describe(plots.plot_metric(scores).figure)
    assert text == "AUC with 95 % interval: ours 0.80 [0.70, 0.90], b 0.70 [3 groups]"
    counts = calibration.confusion([0, 0, 1], [0.1, 0.9, 0.8])
    text = plots.describe(plots.plot_confusion(counts).figure)
    assert text.startswith("Verdicts: 1 REAL called REAL, 1 REAL called FAKE, 0 FAKE called REAL")
    curves = pd.DataFrame(
        {
            "corruption": ["clean", "noise", "noise"],
            "level": ["none", "mild", "strong"],
            "value": [0.9, 0.8, 0.55],
            "low": 0.5,
            "high": 0.95,
            "auc": [Interval(0.9, 0.5, 0.95, groups=9)] * 3,
        }
    )
    text = plots.describe(plots.plot_robustness(curves).figure)
    assert text.endswith("0.90 on clean pictures, lowest with noise (strong): 0.55")


def test_other_axes_are_described_by_their_labels():
    figure, (left, right) = plt.subplots(1, 2)
    left.plot([1, 2], label="one")
    left.set(title="Loss", xlabel="epoch", ylabel="log\nloss")
    left.legend()
    assert plots.describe(figure) == "Loss: log loss against epoch: one 1 to 2"
    right.plot([1, 2])
    right.set_title("Other")
    figure.suptitle("Both")
    assert plots.describe(figure) == "Both. Loss: log loss against epoch: one 1 to 2. Other"
    assert plots.describe(plt.figure()) == ""


def test_pictures_are_counted_and_named_once():
    pictures = [np.zeros((4, 4, 3))] * 12
    figure = plots.plot_pictures(pictures, ["REAL", "FAKE"] * 6)
    assert plots.describe(figure) == "12 pictures: REAL; FAKE"
    assert plots.describe(plots.plot_pictures(pictures[:1])) == "1 picture"
    many = plots.plot_pictures(pictures, [f"{number} {'x' * 90}" for number in range(12)])
    assert plots.describe(many).startswith("12 pictures: 0 xxx")
    assert len(plots.describe(many)) == plots.description.LONGEST


def test_rows_of_pictures_and_maps_over_them_are_named():
    face, heat = np.zeros((8, 8, 3)), np.eye(8)
    figure = plots.plot_maps(
        [face] * 2, [None] * 2, maps=[{"LIME": heat, "Grad-CAM": heat}] * 2, titles=["A", "B"]
    )
    text = plots.describe(figure)
    assert text.startswith("6 pictures, 4 of them under a map of the evidence, in rows: A; B")
    assert "titles: picture; LIME; Grad-CAM" in text
    figure = plots.plot_method([face], [None], heats=[heat], titles=["FAKE 0.90, hit"])
    text = plots.describe(figure)
    assert text.startswith("1 picture under a map of the evidence: FAKE 0.90, hit")


def test_curves_say_where_they_begin_and_end():
    columns = {"accuracy": [0.5, 0.7, 0.9], "val_accuracy": [0.5, 0.6, np.nan]}
    columns |= {"loss": [0.9, 0.5, 0.25], "val_loss": [1, 1, 1], "stage": [0, 0, 1]}
    history = pd.DataFrame(columns, index=[1, 2, 3])
    assert plots.describe(plots.plot_history(history)) == (
        "accuracy against epoch: train 0.5 to 0.9, validation 0.5 to 0.6. "
        "loss against epoch: train 0.9 to 0.25, validation 1"
    )


def test_few_bars_say_their_values_and_many_their_mean():
    _, (names, sides, numbers, lying) = plt.subplots(1, 4)
    names.bar(["a", "b"], [0.25, 1], label="ours")
    for place, label in ((-0.2, "x"), (0.2, "y")):
        sides.bar(np.arange(2) + place, [1, 2], 0.4, label=label)
    sides.set_xticks([0, 1], ["left", "right"])
    numbers.hist([1, 1, 1, 3], bins=[0.5, 1.5, 2.5, 3.5], label="REAL")
    numbers.set_xlabel("faces")
    lying.barh(["h264", "vp9"], [7, 3])
    lying.set_title("Codec")
    assert plots.describe(names.figure) == (
        "ours a 0.25, b 1. x left 1, right 2, y left 1, right 2. faces: REAL mean 1.5. "
        "Codec: h264 7, vp9 3"
    )


def test_every_plot_of_scores_says_its_numbers():
    dots = plots.describe(plots.plot_spread({"ours": [0.5, 0.75]}).figure)
    assert dots == "AUC on test people, a dot per seed: ours 0.50, 0.75"
    recipes = {("even", "GRU"): {"auc": Interval(0.8, 0.7, 0.9, 9), "n": 4}, ("first", "GRU"): {}}
    text = plots.describe(plots.plot_recipes(recipes).figure)
    assert text == "AUC, 95 % interval: even, GRU 0.80 [0.70, 0.90]"
