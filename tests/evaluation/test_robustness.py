"""robustness: each corruption does what its name says, more of it at each level."""

import numpy as np
import pytest

from nbhelpers.evaluation import robustness


@pytest.fixture(scope="module")
def pictures():
    """Smooth colour, and fine texture on the fakes (odd places)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    smooth = np.stack([80 + x, 60 + y, 120 + 0 * x], axis=-1)
    stack = np.stack([smooth + rng.normal(0, 12 * (n % 2), smooth.shape) for n in range(12)])
    return np.clip(stack, 0, 255).astype(np.uint8)


def texture(pictures):
    """Mean difference of neighbours, per picture."""
    return np.abs(np.diff(pictures.astype(float), axis=2)).mean(axis=(1, 2, 3))


@pytest.mark.parametrize("corruption", robustness.CORRUPTIONS)
def test_more_damage_at_each_level(pictures, corruption):
    damage = []
    for level in robustness.LEVELS:
        damaged = robustness.corrupt(pictures, corruption, level=level)
        assert damaged.dtype == np.uint8
        assert damaged.shape == pictures.shape
        damage.append(np.abs(damaged.astype(float) - pictures).mean())
    assert 0.3 < damage[0] < damage[1] < damage[2]


def test_channels_and_order_stay(pictures):
    red = np.zeros((2, 64, 64, 3), np.uint8)
    red[0, ..., 0] = 200
    red[1, ..., 2] = 200
    for corruption in robustness.CORRUPTIONS:
        found = robustness.corrupt(red, corruption, level="mild").mean(axis=(1, 2))
        assert found[0].argmax() == 0, corruption
        assert found[1].argmax() == 2, corruption


def test_noise_has_a_seed(pictures):
    one, two, other = (robustness.corrupt(pictures, "noise", seed=seed) for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_odd_sides_keep_their_size(pictures):
    assert robustness.corrupt(pictures[:, :63, :61], "H.264").shape == (12, 63, 61, 3)


def test_curves_fall_where_the_evidence_is_wiped_out(pictures):
    def score(shown):  # a detector that reads nothing but fine texture
        return np.clip(texture(shown) / 30, 0, 1)

    y_true, groups = np.arange(12) % 2, np.repeat(list("abcdef"), 2)
    found = robustness.curves(
        score, pictures, y_true=y_true, groups=groups, corruptions=["brightness", "noise"]
    )
    assert found["corruption"].tolist() == ["clean"] + ["brightness"] * 3 + ["noise"] * 3
    assert found["value"].iloc[0] == 1
    assert (found.loc[found["corruption"] == "brightness", "value"] == 1).all()
    assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()
    changes = [change.value for change in found["change"]]
    assert changes == pytest.approx(found["value"] - 1)
    upside_down = robustness.curves(
        lambda x: 1 - score(x), pictures, y_true=y_true, groups=groups, corruptions=[]
    )
    assert upside_down["value"].iloc[0] == 0


@pytest.mark.parametrize("wrong", [{"corruption": "rain"}, {"level": "extreme"}])
def test_unknown_names_are_refused(pictures, wrong):
    call = {"corruption": "JPEG", "level": "mild"} | wrong
    with pytest.raises(ValueError, match="Expected a corruption of"):
        robustness.corrupt(pictures, call["corruption"], level=call["level"])
    with pytest.raises(ValueError, match="uint8"):
        robustness.corrupt(pictures / 255, "JPEG")


def test_a_gallery_has_a_row_per_damage_and_begins_with_the_picture(pictures):
    shown = robustness.gallery(pictures[0], corruptions=["blur", "noise"], seed=3)
    assert shown.shape == (2, 4, 64, 64, 3)
    assert (shown[:, 0] == pictures[0]).all()
    strong = robustness.corrupt(pictures[:1], "noise", level="strong", seed=3)[0]
    assert (shown[1, 3] == strong).all()
