import json

import numpy as np
import pytest

from nbhelpers.data import locate, manifest
from nbhelpers.predict import detector
from tools import compare_detectors


class Brightness(detector.Detector):
    """Takes bright pictures for fakes."""

    def p_fake(self, pictures, *, batch_size=32):
        return np.array([np.mean(picture) / 255 for picture in pictures])


class Darkness(Brightness):
    def p_fake(self, pictures, *, batch_size=32):
        return 1 - super().p_fake(pictures)


@pytest.fixture(scope="module")
def rows():
    table = manifest.read(locate.find(locate.FACES)).table
    names = sorted(table["group"].unique())[:10]
    return table[table["group"].isin(names)].groupby(["group", "label"]).head(1)


def flat(value):
    return np.full((8, 8, 3), value, np.uint8)


def test_a_row_has_the_score_of_its_most_suspicious_person(rows):
    two = rows.head(2)
    pictures = compare_detectors.Pictures(two, [[[flat(51)], [flat(0), flat(255)]], [[flat(102)]]])
    assert pictures.scores(Brightness(None)) == pytest.approx([0.5, 0.4])


def test_detectors_are_compared_in_pairs_with_the_first(rows):
    fakes = (rows["label"] == "FAKE").to_numpy()
    pictures = [[[flat(250 if fake else 5)]] for fake in fakes]
    table = compare_detectors.comparison(
        {"bright": Brightness(None), "dark": Darkness(None), "same": Brightness(None)},
        {"pictures": compare_detectors.Pictures(rows, pictures)},
    )
    assert list(table.index) == ["bright", "dark", "same"]
    auc, difference = (table[name] for name in table)
    assert table.columns[0] == f"pictures (n = {len(rows)})"
    assert auc.str.slice(0, 5).tolist() == ["1.000", "0.000", "1.000"]
    assert difference.tolist()[0] == "" and difference["dark"].startswith("-1.000")
    assert difference["same"].startswith("+0.000")


def test_validation_pictures_are_those_rows_only_clean_and_damaged(rows, tmp_path):
    dataset = locate.find(locate.FACES)
    split = rows[["videoname"]].assign(split="train")
    split.loc[split.index[:4], "split"] = "validation"
    split.to_csv(tmp_path / "split.csv", index=False)
    kinds = compare_detectors.validation_pictures(
        dataset.root, split_csv=tmp_path / "split.csv", size=48
    )
    clean, damaged = (kinds[f"validation, {state}"] for state in ("clean", "damaged"))
    assert len(clean.y_true) == len(damaged.y_true) == 4
    assert (clean.scores(Brightness(None)) != damaged.scores(Brightness(None))).any()


def test_a_network_is_built_from_the_settings_beside_its_weights(tmp_path, monkeypatch):
    import keras

    built = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    asked = []

    def network(size, *, last):
        asked.append((size, last))
        return keras.models.clone_model(built)

    monkeypatch.setattr(compare_detectors.models, "xception_classifier", network)
    state = {"settings": {"image_size": 8, "last": "block4"}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    built.save_weights(tmp_path / "averaged-1.weights.h5")
    first = built.get_weights()[0]
    built.set_weights([3 * values for values in built.get_weights()])
    built.save_weights(tmp_path / "averaged-2.weights.h5")
    files = [str(tmp_path / f"averaged-{number}.weights.h5") for number in (1, 2)]
    judge = compare_detectors.load(files[:1])
    assert asked == [(8, "block4")] and judge.image_size == 8 and not judge.mirror
    assert np.array_equal(judge.model.get_weights()[0], first)
    both = compare_detectors.load([*files, "mirror"])
    assert np.allclose(both.model.get_weights()[0], 2 * first) and both.mirror
