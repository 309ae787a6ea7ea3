import zipfile

import numpy as np
import pandas as pd
import pytest

from nbhelpers.data import locate, manifest
from nbhelpers.evaluation import robustness
from nbhelpers.media import images
from nbhelpers.networks import loading
from tools import bundle_detector, detector_card
from tools.detector_card import NO_SIGN


@pytest.fixture(scope="module")
def faces():
    table = manifest.read(locate.find(locate.FACES)).table
    groups = sorted(table["group"].unique())[:8]
    rows = table[table["group"].isin(groups)].sort_values("videoname")
    return rows.groupby(["group", "label"]).head(1).reset_index(drop=True)


def test_borders_hold_in_each_state():
    y = np.repeat([0, 1], 100)
    clean = np.concatenate([np.linspace(0, 0.7, 100), np.linspace(0.3, 1, 100)])
    damaged = np.concatenate([np.linspace(0.1, 0.8, 100), np.linspace(0.2, 0.9, 100)])
    limits = bundle_detector.borders(y, clean, damaged, stretch=np.zeros(200))
    wrong = []
    for score in (clean, damaged):
        shares = bundle_detector.answers(y, score, limits)
        wrong.append([shares["REAL"]["looks manipulated"], shares["FAKE"][NO_SIGN]])
    assert np.max(wrong, axis=0) == pytest.approx([0.03, 0.05], abs=0.011)
    assert limits["low"] < limits["high"]


def test_borders_meet_where_classes_stand_apart():
    score = np.array([0.1, 0.2, 0.8, 0.9])
    limits = bundle_detector.borders(np.array([0, 0, 1, 1]), score, stretch=np.zeros(4))
    assert limits["low"] == limits["high"]
    shares = bundle_detector.answers(np.array([0, 0, 1, 1]), score, limits)
    assert shares["REAL"][NO_SIGN] == shares["FAKE"]["looks manipulated"] == 1


def test_reals_are_safe_among_people_who_look_suspicious():
    """On average one stretch in five hides behind the others; stretch by stretch it does not."""
    y, stretch = np.tile([0, 1], 500), np.repeat(np.arange(10), 100)
    rng = np.random.default_rng(0)
    score = np.where(y == 0, rng.uniform(0, 0.5, 1000), rng.uniform(0.5, 1, 1000))
    score = np.where((y == 0) & (stretch >= 8), score + 0.3, score)
    average = bundle_detector.borders(y, score, stretch=np.zeros(1000))
    each = bundle_detector.borders(y, score, stretch=stretch)

    def accused(limits):
        real = (y == 0) & (stretch == 8)
        return (score[real] >= limits["high"]).mean()

    assert accused(average) > 0.1
    assert accused(each) <= 0.03
    assert each["low"] == pytest.approx(average["low"], abs=0.05)


def test_stretches_follow_the_order_and_keep_families_together():
    names = [f"r{number}" for number in range(20)]
    table = pd.DataFrame({
        "videoname": [*names, "f0", "f19"],
        "label": ["REAL"] * 20 + ["FAKE"] * 2,
        "original": [""] * 20 + ["r0", "r19"],
    })  # fmt: skip
    assert bundle_detector.stretches(table, pd.Index(names[::-1])).tolist() == [
        *np.repeat(np.arange(10), 2)[::-1], 9, 0,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="r0 has none"):
        bundle_detector.stretches(table, pd.Index(names[1:]))


def test_a_score_on_a_border_belongs_above_it():
    shares = bundle_detector.answers([0, 0, 1], [0.2, 0.8, 0.1], {"low": 0.2, "high": 0.8})
    assert shares["REAL"]["cannot tell"] == shares["REAL"]["looks manipulated"] == 0.5
    assert shares["FAKE"] == {NO_SIGN: 1, "cannot tell": 0, "looks manipulated": 0, "n": 1}


def test_half_of_the_faces_are_damaged_at_medium_strength():
    def shares(wrong):
        row = {NO_SIGN: 1 - wrong, "cannot tell": 0.0, "looks manipulated": wrong}
        return {"REAL": row, "FAKE": row}

    damaged = [
        {"level": level, "answers": shares(wrong)}
        for level, wrong in (("none", 1.0), ("medium", 0.2), ("medium", 0.4), ("strong", 1.0))
    ]
    half = bundle_detector.half_damaged(shares(0.1), damaged)
    assert half["REAL"]["looks manipulated"] == pytest.approx((0.1 + 0.3) / 2)
    assert sum(half["FAKE"].values()) == pytest.approx(1)


def test_half_precision_halves_the_file_and_leaves_the_scores(tmp_path):
    import keras
    from keras import layers

    inside = layers.Input((16, 16, 3))
    wide = layers.Dense(256, "relu")(layers.Flatten()(layers.Rescaling(1 / 255)(inside)))
    model = keras.Model(inside, layers.Dense(1, "sigmoid")(wide))
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    before, path = model.predict_on_batch(pictures), tmp_path / "one.keras"
    model.save(path)
    whole = path.stat().st_size
    bundle_detector.in_half_precision(path)
    assert path.stat().st_size < 0.55 * whole
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
    loaded = loading.load_detector(path)
    np.testing.assert_allclose(loaded.predict_on_batch(pictures), before, atol=2e-3)
    kernel = loaded.get_weights()[0]
    assert np.array_equal(kernel, kernel.astype(np.float16)) and kernel.dtype == np.float32


def test_families_are_damaged_alike_and_all_kinds_come_up(faces):
    damaged = bundle_detector.one_damage_each(faces, size=48)
    clean = np.stack([images.read_image(path, size=48) for path in faces["path"]])
    assert np.array_equal(damaged, bundle_detector.one_damage_each(faces, size=48))
    kinds = list(robustness.CORRUPTIONS)
    for number, group in enumerate(faces["group"].unique()):
        rows = (faces["group"] == group).to_numpy()
        kind = kinds[number % len(kinds)]
        if kind not in ("noise", "H.264"):  # each picture on its own
            expected = robustness.corrupt(clean[rows], kind)
            assert np.array_equal(damaged[rows], expected)
        assert (damaged[rows] != clean[rows]).any()


def test_some_pairs_are_whole_families(faces):
    pairs = bundle_detector.some_pairs(faces, 5)
    assert pairs["group"].nunique() == 5
    assert pairs.groupby("group")["label"].agg(set).tolist() == [{"REAL", "FAKE"}] * 5


def test_the_card_tells_its_numbers():
    interval = {"value": 0.9123, "low": 0.9, "high": 0.92}
    shares = {NO_SIGN: 0.5, "cannot tell": 0.4, "looks manipulated": 0.1, "n": 10}
    both = {"REAL": shares, "FAKE": shares}
    judged = {"n": 10, "groups": 5, "scores": {"auc": interval}, "answers": both}
    row = {"corruption": "blur", "level": "strong", "amount": 0.03, "n": 8, "answers": both}
    first = {"steps": 100, "batch_size": 32, "seed": 42, "coded": 0.15}
    second = first | {
        "steps": 50,
        "seed": 7,
        "sides": [70, 90],
        "start": "/home/me/W/averaged-1.weights.h5",
    }
    third = first | {"steps": 0, "start": "/home/W/averaged-1.weights.h5,X/averaged-2.weights.h5"}
    card = {
        "mirror": True,
        "split": {"train": {"REAL": 320, "FAKE": 400, "Groups": 320}},
        "training": {
            "stages": [
                {"settings": first, "history": [{}]},
                {"settings": second | {"coded": 0.3}, "history": [{}, {}]},
                {"settings": third, "history": [{}, {}, {}]},
            ],
            "also": ["averaged-2.weights.h5"],
            "cpu_seconds": 5400,
            "commit": "abc123",
            "notes": ["It was cut off once."],
        },
        "borders": {"low": 0.1234, "high": 0.8},
        "test": judged | {"errors_at_threshold": {"REAL": 0.25, "FAKE": 0.125}},
        "threshold": 0.5912,
        "damage_pairs": 4,
        "damage": [row | {"corruption": "clean", "level": "none"} | interval, row | interval],
        "clips": judged
        | {
            "frames": 8,
            "auc_by_method": {"swap": interval | {"fakes": 8}, "rare": interval | {"fakes": 7}},
        },
        "limits": ["No proof."],
    }
    text = detector_card.as_text(card)
    for words in (
        "| blur | strong | 8 | 0.912 [0.900, 0.920] |",
        "| clean | all | 10 | 0.912 [0.900, 0.920] |",
        "| clean | the same | 8 | 0.912 [0.900, 0.920] |",
        "| swap | 8 | 0.912 [0.900, 0.920] |",
        "| rare | 7 | 0.912, too few for an interval |",
        "| test, clean | 10.0 | 50.0 | 40.0 | 40.0 |",
        "Below 0.123 ",
        "at 0.800 or more",
        "was used 10.0 times; 1.5 CPU hours",
        "seed 42, then 7, then 42. Kernels",
        "threshold on, 0.591, chosen",
        "it calls 25.0 % of the reals FAKE and 12.5 % of the fakes REAL.",
        "--data D --work W1 --epochs 1\n",
        "--work W2 --start W1/averaged-1.weights.h5 \\\n    --epochs 2 ",
        "--steps 50 --seed 7 --coded 0.3 --sides 70 90\n",
        "--start \\\n    W1/averaged-1.weights.h5,W2/averaged-2.weights.h5 --epochs 3",
        "--work W3 --clips C \\\n    --also W2/averaged-2.weights.h5 --mirror --pairs 4\n",
        "two stages",
        "its mirror image",
        "It ran with commit abc123. It was cut off once.",
        "- No proof.",
    ):
        assert words in text or words in " ".join(text.split()), words
    assert "clips of another source" in text.lower()
    assert "Clips of another" not in detector_card.as_text(
        {key: value for key, value in card.items() if key != "clips"}
    )
