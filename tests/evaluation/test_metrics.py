"""metrics: worked by hand, against scikit-learn, at the limits, and as intervals."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from nbhelpers.evaluation import metrics


def random_scores(seed, n=200, *, decimals=2, shift=0.15):
    """Labels, scores with many ties, and groups of about four rows."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    score = np.clip(rng.normal(0.5 + shift * (y - 0.5), 0.2), 0, 1).round(decimals)
    return y, score, rng.integers(0, n // 4, n)


def test_by_hand():
    # reals .1 .4, fakes .35 .8: of 4 pairs the fake wins 3; at .5 one fake is missed
    found = metrics.scores([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert found["auc"] == 0.75
    assert found["average_precision"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert found["accuracy"] == found["balanced_accuracy"] == 0.75
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.6, 0.35, 0.8]).mean())
    assert found["eer"] == 0.5
    assert found["n"] == 4


def test_ties_count_half():
    assert metrics.scores([0, 1], [0.3, 0.3])["auc"] == 0.5
    assert metrics.scores([0, 1, 1], [0.3, 0.3, 0.9])["auc"] == 0.75
    # tied rows are one threshold: precision there is that of all of them
    assert metrics.scores([0, 1, 1], [0.3, 0.3, 0.3])["average_precision"] == pytest.approx(2 / 3)


def test_constant_prior_is_chance():
    y = [1, 1, 1, 0]
    found = metrics.scores(y, [0.75] * 4)
    assert found["auc"] == found["eer"] == found["balanced_accuracy"] == 0.5
    assert found["accuracy"] == found["average_precision"] == 0.75
    assert metrics.scores(y, [0.5] * 4)["log_loss"] == pytest.approx(0.6931, abs=1e-4)


def test_perfect_and_reversed():
    y = [0, 0, 1, 1]
    best = metrics.scores(y, [0, 0, 1, 1])
    assert [best[name] for name in metrics.METRICS] == pytest.approx([1, 1, 1, 1, 0, 0, 0, 0])
    worst = metrics.scores(y, [1, 1, 0, 0])
    assert (worst["auc"], worst["accuracy"], worst["eer"]) == (0, 0, 1)
    assert worst["log_loss"] == pytest.approx(-np.log(metrics.CLIP))


def test_threshold_belongs_to_fake():
    assert metrics.scores([0, 1], [0.49, 0.5])["accuracy"] == 1


def test_balanced_accuracy_is_the_mean_of_both_recalls():
    # of three fakes two are called, of one real none is
    found = metrics.scores([1, 1, 1, 0], [0.9, 0.9, 0.1, 0.9])
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["accuracy"] == 0.5


def test_brier_and_calibration_error_by_hand():
    # bin 1 holds .1 (real) and .15 (fake): mean .125 against 1/2; bin 9 holds .95 and 1, both fake
    found = metrics.scores([0, 1, 1, 1], [0.1, 0.15, 0.95, 1.0])
    assert found["brier"] == pytest.approx((0.1**2 + 0.85**2 + 0.05**2 + 0) / 4)
    assert found["expected_calibration_error"] == pytest.approx(
        (2 * (0.5 - 0.125) + 2 * (1 - 0.975)) / 4
    )
    assert metrics.scores([0, 1, 1, 1], [0.75] * 4)["expected_calibration_error"] == 0
    sure = metrics.scores([0, 1], [1.0, 0.0])  # wrong and certain
    assert sure["brier"] == sure["expected_calibration_error"] == 1


def test_equal_error_rate_by_hand():
    # falling thresholds (false alarms, misses): (0, 2/3) (0, 1/3) (1/2, 1/3) (1/2, 0) (1, 0)
    # they cross on the level piece from (0, 1/3) to (1/2, 1/3)
    found = metrics.scores([1, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.1])
    assert found["eer"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed):
    y, score, _ = random_scores(seed, decimals=1 + seed % 2)
    score = np.clip(score, 0.01, 0.99)  # at 0 and 1 the two clip the log loss differently
    found = metrics.scores(y, score)
    expected = {
        "auc": sklearn_metrics.roc_auc_score(y, score),
        "average_precision": sklearn_metrics.average_precision_score(y, score),
        "accuracy": sklearn_metrics.accuracy_score(y, score >= 0.5),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(y, score >= 0.5),
        "log_loss": sklearn_metrics.log_loss(y, score),
        "brier": sklearn_metrics.brier_score_loss(y, score),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


@pytest.mark.parametrize("seed", range(5))
def test_properties(seed):
    y, score, _ = random_scores(seed)
    found = metrics.scores(y, score)
    order = np.random.default_rng(seed).permutation(len(y))
    shuffled = metrics.scores(y[order], score[order])
    stretched = metrics.scores(y, score**3)
    turned = metrics.scores(1 - y, 1 - score)
    for name in metrics.METRICS:
        assert shuffled[name] == pytest.approx(found[name]), name
    for name in ("auc", "average_precision", "eer"):
        assert stretched[name] == pytest.approx(found[name]), name
    for name in ("auc", "eer", "log_loss"):
        assert turned[name] == pytest.approx(found[name]), name


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([1, 1], [0.1, 0.2], "both present"),
        ([0, 2], [0.1, 0.2], "0 and 1"),
        ([0, 1], [0.1, np.nan], "finite"),
        ([0, 1], [0.1, 7.3], "not logits"),
        ([0, 1], [-0.1, 0.3], "not logits"),
        ([0, 1], [[0.1], [0.2]], "shape"),
        ([0, 1], [0.1], "shape"),
        ([], [], "both present"),
    ],
)
def test_refused(y, score, message):
    with pytest.raises(ValueError, match=message):
        metrics.scores(y, score)


# ---------------------------------------------------------------- intervals


def test_interval_holds_the_value_and_repeats():
    y, score, groups = random_scores(0)
    found = metrics.score_intervals(y, score, groups=groups)
    values = metrics.scores(y, score)
    for name in metrics.METRICS:
        assert found[name].value == values[name]
        assert found[name].low < found[name].value < found[name].high, name
    assert found == metrics.score_intervals(y, score, groups=groups)
    assert found != metrics.score_intervals(y, score, groups=groups, seed=1)


def test_weights_are_the_same_as_repeated_rows():
    y, score, groups = random_scores(3, n=40)
    names, index = np.unique(groups, return_inverse=True)
    has = np.stack([np.bincount(index, weights=y == label) for label in (0, 1)], axis=1)
    rng = np.random.default_rng(42)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=50)
    assert ((drawn @ has) > 0).all()  # so nothing was drawn again
    repeated = []
    for count in drawn:
        rows = np.repeat(np.arange(len(y)), count[index])
        repeated.append(metrics.scores(y[rows], score[rows]))
    found = metrics.score_intervals(y, score, groups=groups, resamples=50)
    for name in metrics.METRICS:
        expected = np.percentile([each[name] for each in repeated], [2.5, 97.5])
        assert [found[name].low, found[name].high] == pytest.approx(expected), name


def test_groups_make_intervals_wider_than_rows_do():
    y, score, _ = random_scores(1, n=50)
    y, score, person = np.tile(y, 4), np.tile(score, 4), np.tile(np.arange(50), 4)
    by_person = metrics.score_intervals(y, score, groups=person)["auc"]
    by_row = metrics.score_intervals(y, score, groups=np.arange(200))["auc"]
    width = [each.high - each.low for each in (by_person, by_row)]
    assert width[0] / width[1] == pytest.approx(2, rel=0.25)  # sqrt(4) copies


def test_interval_covers_the_truth_about_as_often_as_it_says():
    # fakes N(.6, .2), reals N(.4, .2): the true AUC is Phi(.2 / (.2 sqrt 2))
    truth, hits, trials = 0.7602, 0, 100
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        y = np.arange(120) % 2
        score = np.clip(rng.normal(0.4 + 0.2 * y, 0.2), 0, 1)
        found = metrics.score_intervals(y, score, groups=np.arange(120), resamples=200)["auc"]
        hits += found.low <= truth <= found.high
    assert hits >= 87  # 95 expected; chance alone stays above this in all but 1 of 1000 cases


def test_shuffled_labels_have_chance_within_their_interval():
    inside = 0
    for seed in range(20):
        _, score, groups = random_scores(seed)
        y = np.random.default_rng(seed + 100).permutation(np.arange(len(score)) % 2)
        found = metrics.score_intervals(y, score, groups=groups, resamples=200)["auc"]
        inside += found.low <= 0.5 <= found.high
    assert inside >= 16


def test_resamples_with_one_class_are_drawn_again():
    found = metrics.score_intervals([0, 1], [0.2, 0.7], groups=["a", "b"], resamples=50)
    assert found["auc"][:3] == (1, 1, 1)


def test_interval_errors():
    with pytest.raises(ValueError, match="two groups"):
        metrics.score_intervals([0, 1], [0.2, 0.7], groups=["a", "a"])
    with pytest.raises(ValueError, match="3 rows"):
        metrics.score_intervals([0, 1], [0.2, 0.7], groups=["a", "b", "c"])
    with pytest.raises(ValueError, match="both present"):
        metrics.score_intervals([1, 1], [0.2, 0.7], groups=["a", "b"])


def test_a_thousand_resamples_are_worked_out_in_few_batches(monkeypatch):
    batches = []
    weighted = metrics._weighted
    monkeypatch.setattr(
        metrics, "_weighted", lambda y, s, w: batches.append(w.shape) or weighted(y, s, w)
    )
    y, score, groups = random_scores(0, n=2000)
    metrics.score_intervals(y, score, groups=groups)
    assert sum(rows for rows, _ in batches) == 1 + 1000
    assert len(batches) <= 1 + 3  # the rows as they are; two full batches and what was drawn again


# ---------------------------------------------------------------- two models


def test_paired_difference():
    y, good, groups = random_scores(0, shift=0.4)
    rng = np.random.default_rng(1)
    worse = np.clip(good + rng.normal(0, 0.05, len(good)), 0, 1)
    for metric in metrics.METRICS:
        found = metrics.paired_difference(y, good, minus=worse, groups=groups, metric=metric)
        values = [metrics.scores(y, each)[metric] for each in (good, worse)]
        assert found.value == pytest.approx(values[0] - values[1])
        assert found.low <= found.value <= found.high
    same = metrics.paired_difference(y, good, minus=good, groups=groups)
    assert same[:3] == (0, 0, 0)
    # pairing takes out what is hard for both
    paired = metrics.paired_difference(y, good, minus=worse, groups=groups)
    alone = metrics.score_intervals(y, good, groups=groups)["auc"]
    assert paired.high - paired.low < (alone.high - alone.low) / 2


def test_paired_difference_errors():
    with pytest.raises(ValueError, match="metric"):
        metrics.paired_difference([0, 1], [0, 1], minus=[0, 1], groups=[0, 1], metric="f1")
    with pytest.raises(ValueError, match="logits"):
        metrics.paired_difference([0, 1], [0, 1], minus=[-3, 4], groups=[0, 1])
