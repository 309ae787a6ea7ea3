import keras
import numpy as np
import pandas as pd
import pytest

from nbhelpers.data import locate, ties
from nbhelpers.evaluation import crossval, exposure, metrics
from nbhelpers.networks import detector_files, models


@pytest.fixture
def people():
    """24 clips of 8 people, 1 real and 2 fakes each: labels, and the group of each."""
    y = np.tile([0, 1, 1], 8)
    groups = np.repeat([f"p{number}" for number in range(8)], 3)
    return y, groups


# ---------------------------------------------------------------- folds


@pytest.mark.parametrize("folds", [2, 3, 8, 50])
def test_folds_tear_no_group_and_leave_both_classes(people, folds):
    y, groups = people
    fold = crossval.group_folds(y, groups, folds=folds, seed=1)
    assert set(fold) == set(range(min(folds, 8)))
    for name in set(groups):
        assert len(set(fold[groups == name])) == 1
    for number in set(fold):
        assert set(y[fold != number]) == {0, 1}
    np.testing.assert_array_equal(fold, crossval.group_folds(y, groups, folds=folds, seed=1))


def test_other_seeds_deal_otherwise(people):
    deals = {tuple(crossval.group_folds(*people, folds=4, seed=seed)) for seed in range(4)}
    assert len(deals) > 1


@pytest.mark.parametrize(
    ("y", "groups"),
    [([0, 1], "aa"), ([0, 1, 1, 1], "abcd"), ([0, 0, 1, 1], "aabb"), ([1, 1], "ab")],
)
def test_too_few_people_are_refused(y, groups):
    with pytest.raises(ValueError, match="more clips of other people"):
        crossval.group_folds(np.array(y), list(groups), folds=5, seed=0)


def test_every_row_is_scored_without_its_group(people):
    y, groups = people
    asked = []

    def learner(train, rows, *, seed):
        assert not set(groups[train]) & set(groups[rows])
        assert len(train) + len(rows) == len(y)
        asked.append(seed)
        return rows / 100 + (seed == 8)

    score = crossval.out_of_fold(learner, y, groups=groups, folds=4, repeats=2, seed=7)
    np.testing.assert_allclose(score, np.arange(24) / 100 + 0.5)
    assert asked == [7] * 4 + [8] * 4


@pytest.mark.parametrize("answer", [np.nan, [0.5]])
def test_learner_that_gives_no_score_is_refused(people, answer):
    def learner(train, rows, *, seed):
        return np.full(len(rows), answer) if np.isscalar(answer) else answer

    with pytest.raises(ValueError, match="one finite score for each of 3 rows"):
        crossval.out_of_fold(learner, people[0], groups=people[1], folds=8)


# ---------------------------------------------------------------- learners


def planted(y, *, strength, dim=40, seed=0):
    """Vectors (N, D) of noise in which one direction tells the class."""
    x = np.random.default_rng(seed).normal(size=(len(y), dim))
    x[:, 3] += strength * (2 * y - 1)
    return x


def auc(y, score):
    return metrics.scores(y, score)["auc"]


def test_mean_pooling_finds_what_is_there_and_nothing_else(people):
    y, groups = people
    clear = crossval.mean_pooling(planted(y, strength=8), y, groups=groups)
    assert auc(y, crossval.out_of_fold(clear, y, groups=groups)) > 0.95
    noise = [
        auc(y, crossval.out_of_fold(crossval.mean_pooling(x, y, groups=groups), y, groups=groups))
        for x in (planted(y, strength=0, seed=seed) for seed in range(12))
    ]
    assert abs(np.mean(noise) - 0.5) < 0.1


def test_mean_pooling_equals_the_regression_on_all_features():
    from sklearn.linear_model import LogisticRegression

    y = np.arange(20) % 2
    x = planted(y, strength=1)
    centred = x - x.mean(axis=0)
    centred /= np.sqrt((centred**2).sum(axis=1).mean())
    plain = LogisticRegression(C=3, tol=1e-8, max_iter=1000).fit(centred, y)
    expected = plain.predict_proba(centred[:5])[:, 1]
    np.testing.assert_allclose(crossval._regressions(x, y, x[:5], [3])[0], expected, atol=1e-4)


def test_strength_is_chosen_without_the_judged_rows(people):
    y, groups = people
    x = planted(y, strength=1)
    train, rows = np.arange(18), np.arange(18, 24)
    learner = crossval.mean_pooling(x, y, groups=groups)
    score = learner(train, rows, seed=0)
    flipped = y.copy()
    flipped[rows] = 1 - flipped[rows]
    other = crossval.mean_pooling(x, flipped, groups=groups)
    np.testing.assert_array_equal(other(train, rows, seed=0), score)
    several = [crossval._regressions(x[train], y[train], x[rows], [c])[0] for c in (0.1, 1e3)]
    cautious = crossval.mean_pooling(planted(y, strength=0), y, groups=groups, strengths=(0.1, 1e3))
    assert np.ptp(cautious(train, rows, seed=0)) < 0.5 * np.ptp(several[1])


def test_the_better_of_two_learners_is_taken_without_the_judged_rows(people):
    y, groups = people
    clear = crossval.mean_pooling(planted(y, strength=8), y, groups=groups)
    noise = crossval.mean_pooling(planted(y, strength=0), y, groups=groups)
    train, rows = np.arange(18), np.arange(18, 24)
    for several in ([noise, clear], [clear, noise]):
        score = crossval.best_of(several, y, groups=groups)(train, rows, seed=3)
        np.testing.assert_array_equal(score, clear(train, rows, seed=3))
    flipped = y.copy()
    flipped[rows] = 1 - flipped[rows]
    again = crossval.best_of([noise, clear], flipped, groups=groups)(train, rows, seed=3)
    np.testing.assert_array_equal(again, clear(train, rows, seed=3))


def rising(y, *, frames=5, seed=0):
    """Sequences (N, T, 4) that rise in fakes and fall in reals; the mean is the same."""
    rng = np.random.default_rng(seed)
    values = np.zeros((len(y), frames, 4), np.float32)
    values[:, : frames // 2] = (1 - 2 * y)[:, None, None]
    values[:, -(frames // 2) :] = (2 * y - 1)[:, None, None]
    values += 0.1 * rng.normal(size=values.shape).astype(np.float32)
    return values, np.ones(values.shape[:2], bool)


def quick_gru():
    """A GRU for `rising` that learns in a few epochs."""
    keras.utils.set_random_seed(3)
    model = models.gru_classifier(5, 4)
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


def test_sequence_network_sees_order_and_starts_anew_each_time(people):
    y, groups = people
    values, mask = rising(y)
    model = quick_gru()
    options = {"model": model, "epochs": 20}
    learner = crossval.sequence_network(values, mask, y=y, groups=groups, **options)
    score = crossval.out_of_fold(learner, y, groups=groups, folds=3)
    assert auc(y, score) > 0.9
    np.testing.assert_allclose(
        crossval.out_of_fold(learner, y, groups=groups, folds=3), score, atol=1e-5
    )
    mixed = crossval.shuffled_frames(values, mask, seed=1)
    blind = crossval.sequence_network(mixed, mask, y=y, groups=groups, **options)
    assert auc(y, crossval.out_of_fold(blind, y, groups=groups, folds=3)) < 0.8


def test_a_shared_network_does_not_carry_one_recipe_into_the_next(people):
    """Else a recipe would start from weights that have seen the labels of the clips it judges."""
    y, groups = people
    values, mask = rising(y)
    model = models.gru_classifier(5, 4)
    options = {"y": y, "groups": groups, "model": model, "epochs": 2}
    before = crossval.sequence_network(values, mask, **options)
    fresh = [variable.numpy() for variable in model.variables]
    alone = before(np.arange(18), np.arange(18, 24), seed=0)
    for variable, value in zip(model.variables, fresh, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    after = crossval.sequence_network(values, mask, **options)
    np.testing.assert_allclose(after(np.arange(18), np.arange(18, 24), seed=0), alone, atol=1e-5)


def test_a_large_common_part_does_not_blind_a_sequence_network(people):
    y, groups = people
    values, mask = rising(y)
    model = quick_gru()
    values = values / 100 + 50
    learner = crossval.sequence_network(values, mask, y=y, groups=groups, model=model, epochs=20)
    assert auc(y, crossval.out_of_fold(learner, y, groups=groups, folds=3)) > 0.9


def test_sequence_network_compiles_what_is_not(people):
    y, groups = people
    values, mask = rising(y)
    model = models.gru_classifier(5, 4)
    learner = crossval.sequence_network(values, mask, y=y, groups=groups, model=model, epochs=1)
    score = learner(np.arange(18), np.arange(18, 24), seed=0)
    assert score.shape == (6,)
    assert ((score > 0) & (score < 1)).all()


def test_best_epoch_is_kept_not_the_last(people):
    y, groups = people
    values, mask = rising(y)
    losses = iter([0.2, 0.9, 0.6])  # P(fake) of the held-back clips after each epoch

    class Scripted:
        """Its only weight is the number of epochs; it scores as the script says."""

        compiled, variables = True, ()
        epoch, optimizer = 0, type("None", (), {"variables": ()})

        def train_on_batch(self, x, y):
            pass

        def predict_on_batch(self, x):
            if len(x[0]) != 3:  # the held-back fold; the judged one has three rows
                self.epoch += 1
                return np.full((len(x[0]), 1), next(losses))
            return np.full((3, 1), self.epoch / 10)

        def get_weights(self):
            return self.epoch

        def set_weights(self, weights):
            self.epoch = weights

    # Two of three held-back clips are fake: 0.6 has the least loss, 0.2 the most.
    learner = crossval.sequence_network(
        values, mask, y=y, groups=groups, model=Scripted(), epochs=3
    )
    np.testing.assert_allclose(learner(np.arange(21), np.arange(21, 24), seed=0), 0.3)
    losses = iter([0.6, 0.2, 0.9])
    learner = crossval.sequence_network(
        values, mask, y=y, groups=groups, model=Scripted(), epochs=3
    )
    np.testing.assert_allclose(learner(np.arange(21), np.arange(21, 24), seed=0), 0.1)


def test_shuffling_moves_frames_and_leaves_padding():
    values = np.arange(24.0).reshape(2, 6, 2)
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2])
    mixed = crossval.shuffled_frames(values, mask, seed=3)
    assert (mixed != values).any()
    np.testing.assert_array_equal(mixed[1, 4:], values[1, 4:])
    np.testing.assert_array_equal(np.sort(mixed[0, :, 0]), values[0, :, 0])
    np.testing.assert_array_equal(np.sort(mixed[1, :4, 0]), values[1, :4, 0])
    np.testing.assert_array_equal(mixed[..., 1] - mixed[..., 0], 1)  # frames move as a whole


# ---------------------------------------------------------------- exposure


def rows_of(**columns):
    return pd.DataFrame(columns)


@pytest.fixture
def detector(tmp_path):
    split = rows_of(
        videoname=["r1", "f1", "r2", "r3"], split=["train", "train", "validation", "test"]
    )
    split.to_csv(tmp_path / "d.split.csv", index=False)
    return tmp_path / "d.keras"


PICTURES = rows_of(
    videoname=["r1", "f1", "r2", "r3"],
    original=["", "r1", "", ""],
    identity=["anna", "anna", "ben", "cleo"],
    source=["", "r2", "", ""],
)


def test_people_of_training_and_validation_are_seen(detector):
    clips = rows_of(
        videoname=["c1", "c2", "c3", "c4"],
        original=["", "", "", "c3"],
        identity=["anna", "ben", "cleo", "cleo"],
    )
    found = exposure.exposure(clips, detector, pictures=[PICTURES])
    assert found.seen.tolist() == [True, True, False, False]
    assert found.certain
    assert found.note.startswith("2 of 4 clips show people")


def test_a_lent_face_is_seen_too(detector):
    clips = rows_of(
        videoname=["c1", "c3"], original=["", ""], identity=["anna", "cleo"], source=["", "c1"]
    )
    assert exposure.exposure(clips, detector, pictures=[PICTURES]).seen.tolist() == [True, True]


def test_without_identities_originals_are_compared_and_doubt_is_told(detector):
    clips = rows_of(videoname=["x", "f1", "r3"], original=["r1", "r1", ""])
    found = exposure.exposure(
        clips, detector, pictures=[PICTURES[:1], PICTURES.drop(columns="identity")]
    )
    assert found.seen.tolist() == [True, True, False]
    assert not found.certain
    assert "2 of 3 clips share an original" in found.note


def test_without_the_pictures_only_names_are_compared(detector):
    clips = rows_of(videoname=["x", "r1"], original=["r2", ""], identity=["anna", "anna"])
    for pictures in ([], [PICTURES[:1]]):
        found = exposure.exposure(clips, detector, pictures=pictures)
        assert found.seen.tolist() == [True, True]
        assert not found.certain
        assert "not available" in found.note


def test_the_bundled_detector_names_whom_it_has_met():
    bundled = detector_files.bundled_file()
    split = pd.read_csv(bundled.with_suffix(".split.csv"))
    some = split.groupby("split")["videoname"].first()
    clips = rows_of(
        videoname=[f"crops/{ties.stem(some.train)}.jpg", "fake.mp4", some.test, "stranger.mp4"],
        original=["", some.validation, "", "somebody.mp4"],
    )
    for pictures in ([], [PICTURES]):
        found = exposure.exposure(clips, bundled, pictures=pictures)
        assert found.seen.tolist() == [True, True, False, False]
        assert not found.certain


def test_without_a_split_file_nothing_is_known(tmp_path):
    clips = rows_of(videoname=["x"], original=[""], identity=["anna"])
    found = exposure.exposure(clips, tmp_path / "other.keras", pictures=[PICTURES])
    assert (found.seen.tolist(), found.certain) == ([False], False)
    assert "is unknown" in found.note


def test_tables_of_faces_are_read_where_they_are(tmp_path):
    (sample,) = exposure.face_tables(tmp_path, locate.project_root() / "data" / "sample")
    assert {"videoname", "identity"} <= set(sample.columns)


# ---------------------------------------------------------------- verdict


def test_recipes_are_judged_beside_the_prior_and_paired(people):
    y, groups = people
    table = rows_of(label=np.where(y, "FAKE", "REAL"), group=groups)
    good, bad = 0.1 + 0.8 * y, 0.9 - 0.8 * y
    half = np.arange(24) < 12
    judged = {"half": half, "one group": groups == "p0", "reals": y == 0}
    scores = {"bad": bad, "good": good} | dict.fromkeys(judged, good)
    found = crossval.score_recipes(scores, table, against="bad", judged=judged)
    assert list(found) == ["prior", "bad", "good", "half", "one group", "reals"]
    assert found["prior"]["auc"].value == 0.5
    assert found["prior"]["log_loss"].value == pytest.approx(
        -(2 / 3) * np.log(2 / 3) - np.log(1 / 3) / 3
    )
    assert found["good"]["minus"][:3] == (1.0, 1.0, 1.0)
    assert found["bad"]["minus"][:3] == (0.0, 0.0, 0.0)
    assert (found["good"]["n"], found["good"]["groups"]) == (24, 8)
    assert (found["half"]["n"], found["half"]["groups"]) == (12, 4)
    assert found["half"]["auc"].value == 1
    assert "leaky_auc" not in found["good"]
    assert found["one group"] == {"n": 3, "groups": 1, "leaky_auc": 1.0}
    assert found["reals"] == {"n": 8, "groups": 8, "leaky_auc": 1.0}


def test_two_recipes_are_compared_on_the_clips_that_both_may_judge(people):
    y, groups = people
    table = rows_of(label=np.where(y, "FAKE", "REAL"), group=groups)
    scores = {"bad": 0.9 - 0.8 * y, "good": 0.1 + 0.8 * y, "known": 0.1 + 0.8 * y}
    judged = {"known": np.arange(24) < 12}
    said = crossval.compared("good", "bad", scores=scores, table=table, judged=judged)
    assert "+1.00 [+1.00, +1.00]" in said
    assert "good is better" in said
    said = crossval.compared("good", "known", scores=scores, table=table, judged=judged)
    assert "[4 groups]" in said
    assert "Too few groups" in said
    judged["bad"] = np.arange(24) >= 12
    said = crossval.compared("known", "bad", scores=scores, table=table, judged=judged)
    assert "0 clips" in said
    assert "no verdict" in said
