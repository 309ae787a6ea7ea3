import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from nbhelpers.data import locate, manifest, splits
from nbhelpers.media import images
from tools import detector_batches, train_detector

PLAIN = detector_batches.Settings(
    batch_size=4, window=32, sides=(40, 40), damaged=0.0, coded=0.0, self_blended=0.0
)


@pytest.fixture(scope="module")
def faces():
    """Rows of the bundled sample: 12 originals with their fakes."""
    table = manifest.read(locate.find(locate.FACES)).table
    fakes = table[(table["label"] == "FAKE") & table["original"].isin(table["videoname"])]
    names = sorted(fakes["original"].unique())[:12]
    chosen = table["videoname"].isin(names) | table["original"].isin(names)
    return table[chosen].reset_index(drop=True)


@pytest.fixture(scope="module")
def tiny(faces):
    split = np.where(faces["group"] == faces["group"].iloc[0], "validation", "train")
    return faces.assign(split=split)


def small_network(settings, size):
    import keras
    from keras import layers

    inside = layers.Input((size, size, 3))
    x = layers.Conv2D(4, 3, strides=2)(layers.Rescaling(1 / 127.5, offset=-1)(inside))
    x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
    return keras.Model(inside, layers.Dense(1, "sigmoid")(x))


def test_stretches_keep_families_together_and_people_apart():
    rng = np.random.default_rng(0)
    reals = [f"r{number:02d}" for number in range(40)]
    fakes = [(f"f{number}", reals[number % 40]) for number in range(60)]
    table = pd.DataFrame({
        "videoname": reals + [name for name, _ in fakes],
        "label": ["REAL"] * 40 + ["FAKE"] * 60,
        "original": [""] * 40 + [original for _, original in fakes],
    }).sample(frac=1, random_state=0)  # fmt: skip
    order = pd.Series(range(40), index=reals).sample(frac=1, random_state=1)
    order = pd.concat([order, pd.Series(rng.integers(0, 40, 60), index=[n for n, _ in fakes])])
    split = detector_batches.stretches(table, order, originals=8, gap=4)
    of = split.set_index("videoname")["split"]
    assert [of.get(name, "") for name in reals] == (
        ["validation"] * 8 + [""] * 4 + ["train"] * 16 + [""] * 4 + ["test"] * 8
    )
    assert all(of.get(name, "") == of.get(original, "") for name, original in fakes)


def test_learning_rate_rises_stays_and_falls():
    settings = detector_batches.Settings(rate=1.0, warmup=10, fall=0.5)
    rates = [train_detector.learning_rate(step, 100, settings) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert set(rates[10:51]) == {1.0}
    assert all(np.diff(rates[50:]) < 0) and rates[-1] < 0.02


def test_a_longer_training_begins_as_the_shorter_one():
    settings = detector_batches.Settings(fall=0.4)
    assert all(
        train_detector.learning_rate(step, 1000, settings)
        == train_detector.learning_rate(step, 1500, settings)
        for step in range(600)
    )


def test_each_real_stands_beside_its_own_fake(faces):
    pairs = detector_batches.Pairs(faces, PLAIN)
    seen = []
    for step in range(len(pairs) // 2):
        pictures, labels = pairs.batch(step)
        assert pictures.shape == (4, 32, 32, 3) and pictures.dtype == np.float32
        assert labels.tolist() == [0, 1, 0, 1]
        seen += list(pairs._rows(step))
        for real, fake in (pictures[:2], pictures[2:]):  # one person, one window, one mirror
            assert 0 < np.abs(real - fake).mean() < 40
    assert sorted(seen) == list(range(len(pairs)))


def test_a_step_draws_the_same_however_often_and_another_step_does_not(faces):
    settings = dataclasses.replace(PLAIN, damaged=0.6, self_blended=0.5)
    pairs, others = (detector_batches.Pairs(faces, settings) for _ in range(2))
    assert np.array_equal(pairs.batch(3)[0], others.batch(3)[0])
    again = len(pairs) // 2  # steps later the same reals come in another order and other views
    assert not np.array_equal(pairs.batch(0)[0], pairs.batch(again)[0])


@pytest.mark.parametrize("part", ["damaged", "coded", "self_blended"])
def test_each_part_of_the_recipe_reaches_the_batches(faces, part):
    """A part that is only described, and not wired in, would leave the batches as they are."""
    plain = detector_batches.Pairs(faces, PLAIN).batch(0)[0]
    changed = detector_batches.Pairs(faces, dataclasses.replace(PLAIN, **{part: 1.0})).batch(0)[0]
    reals, fakes = (np.abs(changed - plain).mean(axis=(1, 2, 3))[n::2] for n in (0, 1))
    assert (fakes > 0.2).all()
    assert (reals == 0).all() if part == "self_blended" else (reals > 0.2).all()


def test_damage_says_nothing_about_the_label(faces):
    """With every fake replaced by its real, both pictures of a pair must come out alike."""
    reals = faces[faces["label"] == "REAL"]
    twins = reals.assign(
        label="FAKE", original=reals["videoname"], videoname="twin-" + reals["videoname"]
    )
    settings = dataclasses.replace(PLAIN, damaged=1.0)
    pairs = detector_batches.Pairs(pd.concat([reals, twins]), settings)
    distances = [np.abs(np.diff(pairs.batch(step)[0], axis=0))[::2].mean() for step in range(6)]
    plain = detector_batches.Pairs(pd.concat([reals, twins]), PLAIN).batch(0)[0]
    assert np.array_equal(plain[::2], plain[1::2])
    assert np.median(distances) < 8  # the noise alone is drawn apart


def test_evaluation_views_are_whole_and_the_same_each_time(faces):
    rows = faces.head(6)
    clean = detector_batches.evaluation_views(rows, size=64, damaged=False)
    assert np.array_equal(clean[0], images.read_image(rows["path"].iloc[0], size=64))
    hurt, again = (detector_batches.evaluation_views(rows, size=64, damaged=True) for _ in range(2))
    assert np.array_equal(hurt, again) and not np.array_equal(hurt, clean)


def test_a_training_that_was_cut_off_ends_as_one_that_was_not(tiny, tmp_path, monkeypatch):
    import keras

    monkeypatch.setattr(train_detector, "network", small_network)
    settings = dataclasses.replace(PLAIN, image_size=40, epochs=2, steps=2, validation_pictures=6)

    def weights_after(work, *epochs):
        for count in epochs:
            keras.utils.set_random_seed(1)
            asked = dataclasses.replace(settings, epochs=count, warmup=1, fall=0.0)
            end = train_detector.Training(tiny, asked, work).run()
        network = small_network(settings, 40)
        network.load_weights(end)
        return network.get_weights()

    whole = weights_after(tmp_path / "whole", 2)
    cut = weights_after(tmp_path / "cut", 1, 2)
    for one, other in zip(whole, cut, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    with pytest.raises(ValueError, match="Expected the settings"):
        other = dataclasses.replace(settings, rate=0.5)
        train_detector.Training(tiny, other, tmp_path / "cut")


def test_a_split_file_says_which_rows_are_where(tmp_path):
    sample = locate.find(locate.FACES).root
    table = splits.group_split(manifest.read(sample).table, seed=0)
    splits.write_csv(table, tmp_path / "split.csv")
    named = detector_batches.split_table(sample, split_csv=str(tmp_path / "split.csv"))
    assert named.set_index("videoname")["split"].to_dict() == (
        table.set_index("videoname")["split"].to_dict()
    )


def test_a_second_stage_begins_with_the_weights_of_the_first(tiny, tmp_path, monkeypatch):
    import keras

    def network(settings, size):
        model = small_network(settings, size)
        if settings.start:
            model.load_weights(settings.start)
        return model

    monkeypatch.setattr(train_detector, "network", network)
    settings = dataclasses.replace(PLAIN, image_size=40, epochs=1, steps=1, validation_pictures=6)
    keras.utils.set_random_seed(1)
    end = train_detector.Training(tiny, settings, tmp_path / "first").run()
    still = dataclasses.replace(settings, rate=0.0, start=str(end), seed=2)
    again = train_detector.Training(tiny, still, tmp_path / "second").run()
    first, second = (
        network(dataclasses.replace(still, start=str(file)), 40) for file in (end, again)
    )
    for one, other in zip(first.trainable_weights, second.trainable_weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    state = json.loads((tmp_path / "second" / train_detector.STATE).read_text())
    assert [len(stage["history"]) for stage in state["stages"]] == [1]
    assert state["stages"][0]["settings"]["seed"] == settings.seed
    assert len(state["history"]) == 1 and state["settings"]["start"] == str(end)


def test_every_setting_has_an_option():
    usual = dataclasses.asdict(detector_batches.Settings())
    options = vars(train_detector.parser().parse_args(["--data", "d", "--work", "w"]))
    assert {name: options[name] for name in usual} == usual
    words = ["--data", "d", "--work", "w", "--sides", "70", "90", "--last", "block4"]
    options = vars(train_detector.parser().parse_args(words))
    assert options["sides"] == [70, 90] and options["last"] == "block4"
