"""sentences and grouped: means by hand, and a sentence for every way that numbers can fall."""

import numpy as np
import pandas as pd
import pytest

from nbhelpers.evaluation import grouped, sentences
from nbhelpers.evaluation.metrics import Interval

UP, DOWN, EVEN = (Interval(v, v - 0.1, v + 0.1, 9) for v in (0.2, -0.2, 0.05))
FEW = Interval(0.2, 0.1, 0.3, 3)


@pytest.mark.parametrize(
    ("difference", "says"),
    [
        (UP, "here a is better than b"),
        (DOWN, "here b is better than a"),
        (EVEN, "cannot tell them apart"),
        (FEW, "Too few groups"),
    ],
)
def test_a_comparison_names_the_better_one(difference, says):
    text = sentences.comparison(difference, first="a", second="b")
    assert says in text
    assert text.startswith("a minus b: AUC ")


@pytest.mark.parametrize(
    ("accuracies", "says"),
    [
        ((0.70, 0.68, 0.66), "No gap"),
        ((0.53, 0.56, 0.50), "No gap"),  # nothing was learnt, so nothing is known by heart
        ((0.70, 0.52, 0.52), "moving averages make it"),
        ((0.90, 0.88, 0.60), "by heart"),
        ((0.90, 0.75, 0.60), "Both"),
    ],
)
def test_a_gap_is_put_down_to_what_makes_it(accuracies, says):
    names = ("training", "again", "validation")
    assert says in sentences.gap(**dict(zip(names, accuracies, strict=True)))


def test_damage_names_only_what_is_beyond_chance():
    def curves(*changes):
        rows = [{"corruption": "clean", "level": "none", "value": 0.9, "change": EVEN}]
        for number, change in enumerate(changes):
            row = {"corruption": f"c{number}", "level": "mild", "change": change}
            rows.append(row | {"value": 0.9 + change.value})
        return pd.DataFrame(rows)

    text = sentences.damage(curves(DOWN, EVEN, UP))
    assert "Largest loss: c0 (mild), AUC -0.20" in text
    assert text.endswith("Beyond chance (interval below zero): c0 (mild).")
    assert "No loss" in sentences.damage(curves(EVEN, UP))
    assert "Too few groups" in sentences.damage(curves(FEW))


def test_the_blob_wins_loses_and_draws():
    rows = {
        name: {"insertion": one} for name, one in zip("abcd", (UP, DOWN, EVEN, UP), strict=True)
    }
    text = sentences.against_blob(rows, "insertion")
    expected = "the blob loses to a and d; the blob beats b; no difference for c"
    assert text == f"insertion: {expected}."
    assert "too few" in sentences.against_blob({"a": {"insertion": FEW}}, "insertion")


def test_a_method_is_described_by_what_it_beats():
    stability = {"shift": UP, "random weights": EVEN}
    text = sentences.method(
        "m",
        centre={"pointing": UP, "energy": UP, "iou": EVEN},
        noise={"insertion": DOWN, "deletion": DOWN},
        stability=stability,
    )
    assert "beats the blob in pointing and energy" in text
    assert "beats noise in deletion\n" in text
    text = sentences.method(
        "m",
        centre={"pointing": DOWN, "energy": EVEN},
        noise={"insertion": EVEN, "deletion": UP},
        stability=stability,
    )
    assert "truth: no better than the blob\n" in text
    assert "model: no better than noise\n" in text
    few = {"pointing": FEW, "energy": FEW}
    noise = {"insertion": FEW, "deletion": DOWN}
    text = sentences.method("m", centre=few, noise=noise, stability=stability)
    assert "too few groups" in text
    assert "beats" not in text


@pytest.mark.parametrize(
    ("auc", "says"),
    [
        (Interval(0.7, 0.6, 0.8, 9), "above chance"),
        (Interval(0.5, 0.4, 0.6, 9), "guessing"),
        (Interval(0.3, 0.2, 0.4, 9), "backwards"),
        (Interval(0.7, 0.6, 0.8, 3), "too few groups"),
    ],
)
def test_a_change_of_domain_is_read_off_the_interval(auc, says):
    judged = {"auc": auc, "minus_kept": DOWN, "auc_on_its_own_data": UP}
    names = {"name": "bundled", "local": "ours"}
    text = sentences.domain_change(judged, **names)
    assert says in text
    assert "ours is better than bundled" in text
    assert "unknown" in sentences.domain_change(judged | {"auc_on_its_own_data": None}, **names)
    assert sentences.domain_change({}, **names).startswith("Left out: bundled")


def measured():
    rows = [
        {"videoname": f"{g}{n}", "group": g, "method": m, "hit": float(n + (m == "b")), "odd": odd}
        for g in "xyz"
        for n in range(2)
        for m, odd in (("a", 1.0), ("b", np.nan))
    ]
    return pd.DataFrame(rows)


def test_means_leave_out_what_a_method_lacks():
    found = grouped.means(measured(), ["hit", "odd"])
    assert {name: list(row) for name, row in found.items()} == {"a": ["hit", "odd"], "b": ["hit"]}
    assert found["a"]["hit"].value == 0.5
    assert found["a"]["hit"].groups == 3


def test_differences_are_taken_picture_by_picture():
    found = grouped.minus(measured(), ["hit"], baseline="a")
    assert list(found) == ["b"]
    assert found["b"]["hit"] == Interval(1.0, 1.0, 1.0, 3)  # though hit itself varies
    with pytest.raises(ValueError, match="baseline"):
        grouped.minus(measured(), ["hit"], baseline="c")
    with pytest.raises(ValueError, match="same pictures"):
        grouped.minus(measured().iloc[1:], ["hit"], baseline="a")
