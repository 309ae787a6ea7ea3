"""calibration: temperature and threshold, worked by hand and against what they must not do."""

import numpy as np
import pytest

from nbhelpers.evaluation import calibration, metrics


def overconfident(seed, *, temperature=3.0, n=4000):
    """Scores whose logits are a factor too large for the labels that were drawn."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.02, 0.98, n)
    return (rng.random(n) < truth).astype(int), calibration.apply_temperature(
        truth, 1 / temperature
    )


def test_temperature_by_hand():
    # the logit of .9 is ln 9; half of it is ln 3, which is .75
    assert calibration.apply_temperature(0.9, 2) == pytest.approx(0.75)
    score = np.array([0.0, 0.2, 0.5, 0.8, 1.0])
    np.testing.assert_allclose(calibration.apply_temperature(score, 1), score, atol=1e-6)
    with pytest.raises(ValueError, match="above 0"):
        calibration.apply_temperature(score, 0)


@pytest.mark.parametrize("seed", range(3))
def test_the_temperature_that_was_planted_is_found(seed):
    y, score = overconfident(seed)
    found = calibration.fit_temperature(y, score)
    assert 2.7 < found < 3.3
    mended = calibration.apply_temperature(score, found)
    before, after = metrics.scores(y, score), metrics.scores(y, mended)
    assert after["log_loss"] < before["log_loss"]
    assert after["expected_calibration_error"] < 0.5 * before["expected_calibration_error"]
    assert after["auc"] == pytest.approx(before["auc"])  # the order stays


def test_a_calibrated_score_is_left_alone():
    y, score = overconfident(7, temperature=1.0)
    assert 0.9 < calibration.fit_temperature(y, score) < 1.1


def test_threshold_by_hand():
    y, score = [0, 0, 0, 1, 1], [0.1, 0.3, 0.8, 0.7, 0.9]
    # between .3 and .7 both fakes are caught and two of three reals spared; nothing is better
    assert calibration.best_threshold(y, score) == pytest.approx(0.5)
    assert calibration.best_threshold([0, 1], [0.5, 0.5]) in (0.25, 1.0)  # a tie cannot be cut
    assert calibration.best_threshold([1, 0], [0.2, 0.9]) in (0.1, 1.0)  # reversed: no skill


def test_threshold_is_the_best_of_all():
    rng = np.random.default_rng(3)
    y = np.arange(300) % 2
    score = np.clip(rng.normal(0.3 + 0.2 * y, 0.2), 0, 1).round(2)

    def balanced(threshold):
        called = score >= threshold
        return (called[y == 1].mean() + (~called)[y == 0].mean()) / 2

    best = balanced(calibration.best_threshold(y, score))
    assert best == pytest.approx(max(balanced(cut) for cut in np.linspace(0, 1, 1001)))
    assert best > balanced(0.5) + 0.02


def test_confusion_and_reliability():
    y, score = [0, 0, 1, 1, 1], [0.05, 0.62, 0.65, 0.67, 0.9]
    counts = calibration.confusion(y, score, threshold=0.65)
    assert counts.to_numpy().tolist() == [[2, 0], [0, 3]]
    table = calibration.reliability_table(y, score)
    assert table.index.tolist() == [0, 6, 9]
    assert table["n"].tolist() == [1, 3, 1]
    assert table.loc[6, "promised"] == pytest.approx((0.62 + 0.65 + 0.67) / 3)
    assert table.loc[6, "kept"] == pytest.approx(2 / 3)
    weighted = (table["n"] * (table["promised"] - table["kept"]).abs()).sum() / len(y)
    assert metrics.scores(y, score)["expected_calibration_error"] == pytest.approx(weighted)


def test_what_cannot_be_judged_is_refused():
    for function in (calibration.fit_temperature, calibration.best_threshold):
        with pytest.raises(ValueError, match="both present"):
            function([1, 1], [0.2, 0.4])
