"""regions and comparison: the truth of each fake, and every measure of every map on it."""

import numpy as np
import pandas as pd
import pytest

from nbhelpers import explain
from nbhelpers.data import locate, manifest


@pytest.fixture(scope="module")
def table():
    return manifest.read(
        locate.find(locate.FACES, str(locate.project_root() / "data/sample"))
    ).table


@pytest.fixture(scope="module")
def fakes(table):
    return table[table["label"] == "FAKE"].head(4)


def test_regions_are_known_or_refused_with_a_reason(table, fakes):
    given = explain.true_regions(fakes, table, size=64)
    assert list(given.masks) == list(fakes["videoname"])
    assert all(mask.shape == (64, 64) and mask.any() for mask in given.masks.values())
    assert given.report() == "4 of 4 regions are known."
    without = table[~table["videoname"].isin(fakes["original"])]
    lost = explain.true_regions(fakes, without, size=64, given=False)
    assert lost.masks == {}
    assert "4 left out: the original is not among the files" in lost.report()


def test_agreement_compares_given_with_worked_out_regions(table, fakes):
    overlap = explain.agreement(fakes, table, size=128)
    assert len(overlap) > 0
    assert ((overlap > 0.3) & (overlap <= 1)).all()
    assert len(explain.agreement(fakes.assign(mask_path=""), table, size=128)) == 0


def test_every_method_is_measured_on_every_fake_beside_two_that_know_nothing(table, fakes):
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = layers.Input((32, 32, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(inputs))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(pooled))
    methods = {"fixed": lambda model, picture, seed=0: np.eye(32) * (1 + seed)}
    masks = explain.true_regions(fakes, table, size=32).masks
    rows, maps = explain.measure_methods(
        model, fakes, methods=methods, masks=masks, steps=2, seed=1
    )
    assert rows["method"].tolist() == ["fixed", explain.NOISE, explain.BLOB] * 4
    assert list(rows["group"].iloc[::3]) == list(fakes["group"])
    assert list(maps) == list(fakes["videoname"])
    assert list(maps[fakes["videoname"].iloc[0]]) == ["fixed"]
    assert (rows.loc[rows["method"] == explain.NOISE, "seconds"] == 0).all()
    options = {"methods": methods, "maps": maps, "scrambled": model}
    checks = explain.check_stability(model, fakes, **options, seeds={"fixed": 3})
    assert checks["random weights"].tolist() == pytest.approx([1.0] * 4)
    assert checks["seed"].tolist() == pytest.approx([1.0] * 4)
    assert checks["shift"].max() < 0.2
    assert explain.check_stability(model, fakes, **options)["seed"].isna().all()


def test_pictures_of_a_deletion_curve_lose_the_highest_pixels_first():
    image = np.full((4, 4, 3), 200.0)
    heat = np.arange(16.0).reshape(4, 4)
    pictures = explain.deletion_pictures(image, heat=heat, steps=4)
    assert pictures.dtype == np.uint8
    assert [(picture != 200).any(axis=2).sum() for picture in pictures] == [0, 4, 8, 12, 16]
    assert (pictures[1][3] != 200).all()  # the row of the highest values


def test_pairs_that_are_no_pair_do_not_count(table, fakes):
    first = {"a": np.ones((2, 2), bool), "b": np.eye(2, dtype=bool)}
    assert explain.overlaps(first, {"b": np.ones((2, 2), bool)}).tolist() == [0.5]
    assert pd.Series(explain.overlaps(first, {})).empty
