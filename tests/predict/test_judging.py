"""judging: one detector has one score for one picture, in tables, cards and files."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tiny_models
from PIL import Image

from nbhelpers.data import locate
from nbhelpers.evaluation import calibration, metrics
from nbhelpers.media import images
from nbhelpers.networks import training
from nbhelpers.predict import detector, judging


@pytest.fixture(scope="module")
def network():
    return tiny_models.random_network()


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
    assert judge.threshold == round(calibration.best_threshold(y_true, scores), 2)
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
    assert loaded.card["validation"]["n"] == 6
    assert loaded.card["data"]["is_sample"] is False
    np.testing.assert_allclose(judging.p_fake(loaded, table), of_table, atol=1e-6)


def wide_table():
    rows = [
        {"videoname": f"{g}{k}.jpg", "label": label, "original": original, "group": f"g{g}"}
        for g in range(12)
        for k, (label, original) in enumerate((("REAL", ""), ("FAKE", f"{g}0.jpg")))
    ]
    return pd.DataFrame(rows).assign(path="", source="", identity="")


def test_unseen_people_are_those_of_the_detectors_own_split(network, tmp_path):
    table = wide_table()
    split = table.assign(split=["train"] * 12 + ["validation"] * 4 + ["test"] * 8)
    judge = detector.Detector(network, path=tmp_path / "d.keras")
    split[["videoname", "split"]].to_csv(tmp_path / "d.split.csv", index=False)
    rows, note = judging.unseen(judge, table, seed=0)
    assert set(rows.loc[rows["split"] == "test", "group"]) == {"g8", "g9", "g10", "g11"}
    assert "d.split.csv" in note


def test_people_of_other_data_are_unseen_unless_they_are_tied_to_what_it_met(network, tmp_path):
    table = wide_table()
    judge = detector.Detector(network, path=tmp_path / "d.keras")
    (tmp_path / "d.split.csv").write_text("videoname,split\nelsewhere.mp4,train\n00.mp4,train\n")
    rows, note = judging.unseen(judge, table, seed=0)
    assert "g0" not in set(rows["group"])  # 00.jpg is a picture of the clip 00.mp4
    assert len(rows) == 22
    assert note.startswith("Other data")


def test_a_folded_copy_scores_alike_and_is_compared_pair_by_pair(network, table):
    judge = judging.calibrated(network, table)
    own = judging.p_fake(judge, table)
    fast = judging.faster(judge)
    assert fast.threshold == judge.threshold
    np.testing.assert_allclose(judging.p_fake(fast, table), own, atol=1e-4)
    found = judging.abroad(fast, table, minus=own, table=table)
    assert found["auc"].groups == 3
    assert tuple(found["minus_kept"])[:3] == (0, 0, 0)
    assert found["auc_on_its_own_data"] is None


def test_the_auc_at_home_is_read_off_either_card(network):
    auc = {"value": 0.9, "low": 0.8, "high": 0.95}
    for card in ({"scores": {"auc": auc}}, {"test": {"scores": {"auc": auc}}}):
        assert judging.home_auc(detector.Detector(network, card=card)).value == 0.9
    for card in ({}, {"scores": None}, {"test": 3}, {"scores": {"auc": {"value": 1}}}):
        assert judging.home_auc(detector.Detector(network, card=card)) is None


def test_detectors_are_compared_on_the_rows_that_chose_for_them(network, table):
    judge = judging.calibrated(network, table)
    rows = judging.compare({"a": judge, "raw": judging.uncalibrated(judge)})
    assert rows["temperature"].tolist() == [judge.temperature, 1.0]
    assert rows["threshold"].tolist() == [judge.threshold, 0.5]
    own = metrics.scores(np.arange(6) % 2, judging.p_fake(judge, table))["auc"]
    assert rows["auc"].tolist() == [own] * 2  # a temperature keeps the order
    raw = training.predict(network, table, mirror=True)
    np.testing.assert_allclose(judging.p_fake(judging.uncalibrated(judge), table), raw, atol=1e-6)


def test_people_whom_a_detector_has_met_do_not_count(network, table, tmp_path):
    judge = judging.calibrated(network, table)
    own = judging.p_fake(judge, table)
    (tmp_path / "d.split.csv").write_text("videoname,split\n0.png,train\n5.png,validation\n")
    judge = dataclasses.replace(judge, path=tmp_path / "d.keras")
    table = table.assign(original="", source="", identity="")
    assert judging.met(judge, table, table=table).tolist() == [True, *[False] * 4, True]
    found = judging.abroad(judge, table, minus=own, table=table)
    assert found["auc"].groups == 3  # of the pictures 1 to 4
    assert judging.abroad(judge, table.head(2), minus=own[:2], table=table) == {}
