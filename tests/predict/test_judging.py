"""judging: one detector has one score for one picture, in tables, cards and files."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nbhelpers.data import locate
from nbhelpers.evaluation import calibration
from nbhelpers.media import images
from nbhelpers.networks import models, training
from nbhelpers.predict import detector, judging


@pytest.fixture(scope="module")
def network():
    import keras

    keras.utils.set_random_seed(3)
    return models.residual_cnn(32)


@pytest.fixture
def table(tmp_path):
    rows = []
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 40, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        rows.append(
            {
                "videoname": f"{number}.png",
                "label": ["REAL", "FAKE"][number % 2],
                "path": tmp_path / f"{number}.png",
                "group": str(number // 2),
                "split": ["train", "validation", "test"][number // 2],
            }
        )
    return pd.DataFrame(rows)


def test_temperature_and_threshold_come_from_the_validation_rows(network, table):
    judge = judging.calibrated(network, table)
    y_true = np.arange(6) % 2
    raw = training.predict(network, table, mirror=True)
    assert judge.temperature == pytest.approx(calibration.fit_temperature(y_true, raw))
    scores = calibration.apply_temperature(raw, judge.temperature)
    assert judge.threshold == pytest.approx(calibration.best_threshold(y_true, scores))
    assert judge.mirror


@pytest.mark.parametrize("mirror", [True, False])
def test_a_table_a_list_of_pictures_and_the_loaded_file_score_alike(
    mirror, network, table, tmp_path
):
    judge = judging.calibrated(network, table, mirror=mirror)
    of_table = judging.p_fake(judge, table)
    pictures = [images.read_image(path) for path in table["path"]]
    np.testing.assert_allclose(judge.p_fake(pictures), of_table, atol=1e-4)
    dataset = locate.Dataset(locate.FACES, tmp_path, "a test")
    path = tmp_path / "03.keras"
    options = {"recipe": "r", "dataset": dataset, "table": table, "scores": {}}
    card = judging.save(judge, path, **options)
    assert card.is_file()
    assert pd.read_csv(path.with_suffix(".split.csv")).equals(table[["videoname", "split"]])
    loaded = detector.load(path)
    assert loaded.card["recipe"] == "r"
    assert loaded.card["data"]["is_sample"] is False
    np.testing.assert_allclose(judging.p_fake(loaded, table), of_table, atol=1e-6)
