"""detector: a network and its card travel together, and its scores are those of training."""

import json

import numpy as np
import pandas as pd
import pytest
import tiny_models
from PIL import Image

from nbhelpers.evaluation import calibration
from nbhelpers.media import images
from nbhelpers.networks import training
from nbhelpers.predict import detector


@pytest.fixture(scope="module")
def network():
    return tiny_models.random_network()


@pytest.fixture
def table(tmp_path):
    """Five pictures of several sizes."""
    rows = []
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 255, (40 + number, 50, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        rows.append({"label": ["REAL", "FAKE"][number % 2], "path": tmp_path / f"{number}.png"})
    return pd.DataFrame(rows)


def test_saved_and_loaded(network, tmp_path):
    path = tmp_path / "d.keras"
    facts = {"data": {"name": "planted"}}
    card = detector.save(network, path, temperature=2, threshold=0.4, mirror=True, facts=facts)
    assert card == tmp_path / "d.card.json"
    found = detector.load(path)
    assert (found.temperature, found.threshold, found.mirror) == (2, 0.4, True)
    assert found.card["data"] == {"name": "planted"}
    assert found.card["limits"] == list(detector.LIMITS)
    assert found.image_size == 32


def test_scores_are_those_of_the_notebooks(network, table):
    pictures = [images.read_image(path) for path in table["path"]]
    for mirror in (False, True):
        judge = detector.Detector(network, 3.0, 0.5, mirror, {})
        expected = training.predict(network, table, mirror=mirror)
        found = judge.p_fake(pictures, batch_size=2)
        np.testing.assert_allclose(found, calibration.apply_temperature(expected, 3.0), atol=1e-4)
    assert len(judge.p_fake([])) == 0


def test_without_a_card_nothing_is_made_up(network, tmp_path):
    network.save(tmp_path / "plain.keras")
    found = detector.load(tmp_path / "plain.keras")
    assert (found.temperature, found.threshold, found.mirror, found.card) == (1.0, 0.5, False, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{}",
        '{"temperature": -1, "threshold": 0.5, "mirror": false}',
        '{"temperature": 1, "threshold": NaN, "mirror": false}',
    ],
)
def test_a_broken_card_is_refused(network, tmp_path, text):
    network.save(tmp_path / "d.keras")
    (tmp_path / "d.card.json").write_text(text)
    with pytest.raises(detector.CardError, match="Run notebook 03 again"):
        detector.load(tmp_path / "d.keras")


def test_a_card_that_cannot_be_is_not_written(network, tmp_path):
    with pytest.raises(detector.CardError):
        detector.save(
            network, tmp_path / "d.keras", temperature=0, threshold=0.5, mirror=False, facts={}
        )
    assert not list(tmp_path.iterdir())


def test_the_card_is_plain_json(network, tmp_path):
    card = detector.save(
        network, tmp_path / "d.keras", temperature=1.5, threshold=0.5, mirror=False, facts={}
    )
    assert json.loads(card.read_text())["temperature"] == 1.5


def test_the_card_says_which_of_two_classes_is_fake(tmp_path):
    import keras

    inside = keras.layers.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inside))
    both = keras.Model(inside, keras.layers.Dense(2, "softmax")(x))
    both.save(tmp_path / "two.keras")
    with pytest.raises(ValueError, match="which of two outputs"):
        detector.load(tmp_path / "two.keras")
    picture = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), "uint8")
    expected = np.asarray(both(picture.astype("float32")))[0]
    for place, classes in enumerate((["FAKE", "REAL"], ["REAL", "FAKE"])):
        card = {"temperature": 1, "threshold": 0.5, "mirror": False, "classes": classes}
        (tmp_path / "two.card.json").write_text(json.dumps(card))
        score = detector.load(tmp_path / "two.keras").p_fake(picture)
        np.testing.assert_allclose(score, expected[[place]], atol=1e-5)
