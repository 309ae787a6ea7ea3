"""Evaluating recipes on few clips: cross-validation by group, nothing chosen on the test fold.

A *learner* is a function ``(train, rows, *, seed) -> P(fake) of rows``: ``train`` and ``rows`` are
row numbers, and all choices (a strength, an epoch) are made within ``train``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from nbhelpers.data import manifest
from nbhelpers.evaluation import metrics, sentences
from nbhelpers.networks import vectors

if TYPE_CHECKING:
    import keras


logger = logging.getLogger(__name__)

Learner = Callable[..., np.ndarray]

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # C of the logistic regression
INNER_FOLDS = 4
PRIOR = "prior"


def group_folds(y: np.ndarray, groups: Sequence[str], *, folds: int, seed: int) -> np.ndarray:
    """Assign rows to folds so that no group is split up and the classes are spread evenly.

    Args:
        y: int (N,) of 0 and 1.
        groups: (N,) names.
        folds: largest number, >= 2; limited by the number of groups and of rows per class.
        seed: of the assignment.

    Returns:
        int (N,): the fold of each row, from 0. If any fold is
        left out, both classes remain.

    Raises:
        ValueError: fewer than two folds are possible, or one class is in a single fold only.

    >>> group_folds(np.array([0, 1, 0, 1]), list("aabb"), folds=5, seed=0).tolist() in (
    ...     [0, 0, 1, 1],
    ...     [1, 1, 0, 0],
    ... )
    True
    """
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.utils import check_random_state

    y, groups = np.asarray(y), np.asarray(groups).astype(str)
    names, group = np.unique(groups, return_inverse=True)
    folds = min(folds, len(names), *np.bincount(y, minlength=2)[:2])
    fold = np.zeros(len(y), np.int64)
    if folds >= 2:
        # The groups are shuffled here: before scikit-learn 1.8 its shuffle moved what each group
        # holds, but not the groups themselves (its pull request 32540).
        order = np.arange(len(names))
        check_random_state(seed).shuffle(order)
        dealer = StratifiedGroupKFold(folds)
        for number, (_, rows) in enumerate(dealer.split(y, y, np.argsort(order)[group])):
            fold[rows] = number
    lonely = [label for label in (0, 1) if len(np.unique(fold[y == label])) < 2]
    if lonely:
        raise ValueError(
            f"Expected both classes in two folds at least; received {len(y)} rows in "
            f"{len(np.unique(groups))} groups, where class {lonely[0]} stays in one. "
            "Use more clips of other people."
        )
    return fold


def out_of_fold(
    learner: Learner,
    y: np.ndarray,
    *,
    groups: Sequence[str],
    folds: int = 5,
    repeats: int = 1,
    seed: int = 42,
) -> np.ndarray:
    """Score every row with a learner that has seen nothing of its group.

    Args:
        learner: see the module.
        y: int (N,) of 0 and 1.
        groups: (N,) names.
        folds: see `group_folds`.
        repeats: rounds with other folds, >= 1; the scores of a row are averaged.
        seed: of the assignment, and passed to the learner.

    Returns:
        float64 (N,): P(fake).

    Raises:
        ValueError: as `group_folds`; or a learner's scores are not one finite number per row.
    """
    total = np.zeros(len(y))
    for repeat in range(repeats):
        fold = group_folds(y, groups, folds=folds, seed=seed + repeat)
        for number in range(fold.max() + 1):
            rows = np.flatnonzero(fold == number)
            score = np.asarray(learner(np.flatnonzero(fold != number), rows, seed=seed + repeat))
            if score.shape != rows.shape or not np.isfinite(score).all():
                raise ValueError(
                    f"Expected one finite score for each of {len(rows)} rows; received "
                    f"{score.shape}, {np.isfinite(score).sum()} of them finite."
                )
            total[rows] += score
    return total / repeats


def mean_pooling(
    x: np.ndarray,
    y: np.ndarray,
    *,
    groups: Sequence[str],
    strengths: Sequence[float] = STRENGTHS,
) -> Learner:
    """Make a logistic regression on one vector per clip, its strength chosen in the training rows.

    The vectors are centred and divided by one number, their mean length, so that a strength means
    the same for every encoder; dividing each feature by its own spread would inflate features
    that are nearly always zero. The strength with the lowest log loss over inner folds by group is
    used.

    Args:
        x: float (N, D), as of `nbhelpers.features.extraction.mean_over_frames`.
        y: int (N,) of 0 and 1.
        groups: (N,) names.
        strengths: scikit-learn's C; the larger, the weaker the regularisation.

    Returns:
        The learner.
    """
    y, groups = np.asarray(y), np.asarray(groups)
    # Rotated into its own N directions: all distances stay, and N is far below D.
    left, size, _ = np.linalg.svd(np.asarray(x, float), full_matrices=False)
    x = left * size

    def learner(train: np.ndarray, rows: np.ndarray, *, seed: int) -> np.ndarray:
        inner = group_folds(y[train], groups[train], folds=INNER_FOLDS, seed=seed)
        guessed = np.zeros((len(strengths), len(train)))
        for number in range(inner.max() + 1):
            own, other = train[inner != number], inner == number
            guessed[:, other] = _regressions(x[own], y[own], x[train[other]], strengths)
        loss = [metrics.scores(y[train], guess)["log_loss"] for guess in guessed]
        chosen = strengths[int(np.argmin(loss))]
        return _regressions(x[train], y[train], x[rows], [chosen])[0]

    return learner


def best_of(learners: Sequence[Learner], y: np.ndarray, *, groups: Sequence[str]) -> Learner:
    """Combine several learners: the one that is best on the training rows is used.

    Args:
        learners: to choose from, at least one.
        y: int (N,) of 0 and 1.
        groups: (N,) names.

    Returns:
        The learner. It uses the one with the lowest log loss over inner folds by group, so that the
        choice is repeated in every fold and never made on the scored rows.
    """
    y, groups = np.asarray(y), np.asarray(groups)

    def learner(train: np.ndarray, rows: np.ndarray, *, seed: int) -> np.ndarray:
        inner = group_folds(y[train], groups[train], folds=INNER_FOLDS, seed=seed)
        guessed = np.zeros((len(learners), len(train)))
        for number in range(inner.max() + 1):
            own, held = train[inner != number], inner == number
            for guess, one in zip(guessed, learners, strict=True):
                guess[held] = one(own, train[held], seed=seed)
        loss = [metrics.scores(y[train], guess)["log_loss"] for guess in guessed]
        return learners[int(np.argmin(loss))](train, rows, seed=seed)

    return learner


def sequence_network(
    values: np.ndarray,
    mask: np.ndarray,
    *,
    y: np.ndarray,
    groups: Sequence[str],
    model: keras.Model,
    epochs: int,
    batch_size: int = 8,
) -> Learner:
    """Make a learner of a sequence network, its best epoch chosen in the training rows.

    The vectors are centred and scaled by the training rows, so that those of all encoders have one
    size. One inner fold by group is held back; the weights of the epoch with the lowest loss on it
    give the scores. Every call starts from the model's current weights and restores them
    afterwards, so other learners of the same model start from them too.

    Args:
        values: float32 (N, T, D).
        mask: bool (N, T).
        y: int (N,) of 0 and 1.
        groups: (N,) names.
        model: takes ``[values, mask]``, gives P(fake) (B, 1); not compiled. It may be shared by
            several learners.
        epochs: largest number, >= 1.
        batch_size: clips.

    Returns:
        The learner.
    """
    import keras

    y, groups = np.asarray(y), np.asarray(groups)
    if not model.compiled:
        model.compile(keras.optimizers.Adam(), "binary_crossentropy")
        model.optimizer.build(model.trainable_variables)
    start = [variable.numpy() for variable in _state(model)]

    def learner(train: np.ndarray, rows: np.ndarray, *, seed: int) -> np.ndarray:
        inner = group_folds(y[train], groups[train], folds=INNER_FOLDS, seed=seed)
        fit, held = train[inner != 0], train[inner == 0]
        x = vectors.Scale.of(values[train], mask[train])(values)
        rng = np.random.default_rng(seed)
        least, best = np.inf, model.get_weights()
        try:
            for _ in range(epochs):
                for batch in _batches(rng.permutation(fit), batch_size):
                    model.train_on_batch([x[batch], mask[batch]], y[batch])
                guess = model.predict_on_batch([x[held], mask[held]])[:, 0]
                loss = -np.log(np.clip(np.where(y[held] == 1, guess, 1 - guess), 1e-7, 1)).mean()
                if loss < least:
                    least, best = loss, model.get_weights()
            model.set_weights(best)
            return model.predict_on_batch([x[rows], mask[rows]])[:, 0].astype(float)
        finally:  # or the next learner of this model would start from weights that know these clips
            for variable, value in zip(_state(model), start, strict=True):
                variable.assign(value)

    return learner


def shuffled_frames(values: np.ndarray, mask: np.ndarray, *, seed: int) -> np.ndarray:
    """Shuffle the frames of each clip; padding stays at the end.

    Args:
        values: float (N, T, D).
        mask: bool (N, T), True for frames, followed by padding.
        seed: of the order.

    Returns:
        As `values`; `mask` stays valid.

    >>> values = np.arange(3.0).reshape(1, 3, 1)
    >>> shuffled_frames(values, np.array([[True, True, False]]), seed=0)[0, 2]
    array([2.])
    """
    chance = np.where(mask, np.random.default_rng(seed).random(mask.shape), 2)
    return np.take_along_axis(values, np.argsort(chance, axis=1, kind="stable")[..., None], axis=1)


# ---------------------------------------------------------------- comparing recipes


def score_recipes(
    scores: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    *,
    against: str,
    judged: Mapping[str, np.ndarray] | None = None,
    seed: int = 42,
) -> dict[str, dict]:
    """Compute every recipe's metrics with intervals by group, and paired differences to one.

    Args:
        scores: recipe -> P(fake) float (N,), out of fold.
        table: N rows with `label` and `group`.
        against: the recipe that the others are compared with, on the same clips.
        judged: recipe -> bool (N,), the clips it may be evaluated on; absent means all.
        seed: of the bootstrap.

    Returns:
        recipe -> metric -> ``metrics.Interval``; and ``n`` clips, ``groups``, and ``minus``: its
        AUC minus that of `against`. If `judged` leaves clips out, ``leaky_auc`` is the AUC with
        them. A recipe whose clips lack a class or a second group has no metrics. The first is
        ``prior``, which always answers with the share of fakes.
    """
    y = manifest.y_true(table)
    groups = table["group"].to_numpy()
    result = {}
    for name, score in {PRIOR: np.full(len(y), y.mean()), **scores}.items():
        rows = np.ones(len(y), bool) if judged is None else judged.get(name, np.ones(len(y), bool))
        result[name] = {"n": int(rows.sum()), "groups": len(set(groups[rows]))}
        if not rows.all():
            result[name]["leaky_auc"] = metrics.scores(y, score)["auc"]
        if len(set(y[rows])) < 2 or result[name]["groups"] < 2:
            continue
        one, other = score[rows], np.asarray(scores[against])[rows]
        result[name] |= metrics.score_intervals(y[rows], one, groups=groups[rows], seed=seed)
        result[name]["minus"] = metrics.paired_difference(
            y[rows], one, minus=other, groups=groups[rows], seed=seed
        )
    return result


def compared(
    first: str,
    second: str,
    *,
    scores: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    judged: Mapping[str, np.ndarray] | None = None,
    seed: int = 42,
) -> str:
    """Say in words what the paired difference of two recipes shows.

    Args:
        first: a recipe's name.
        second: another's.
        scores: as `score_recipes`.
        table: as there.
        judged: as there; the clips on which both may be evaluated are compared.
        seed: of the bootstrap.

    Returns:
        One or two sentences.
    """
    rows = np.ones(len(table), bool)
    for name in (first, second):
        rows &= (judged or {}).get(name, rows)
    y, groups = manifest.y_true(table)[rows], table["group"].to_numpy()[rows]
    if len(set(y)) < 2 or len(set(groups)) < 2:
        return f"{first} and {second}: {len(y)} clips of one group or class, no verdict."
    one, other = (np.asarray(scores[name])[rows] for name in (first, second))
    difference = metrics.paired_difference(y, one, minus=other, groups=groups, seed=seed)
    return sentences.comparison(difference, first=first, second=second)


def _regressions(
    x: np.ndarray, y: np.ndarray, others: np.ndarray, strengths: Sequence[float]
) -> np.ndarray:
    """P(fake) (len(strengths), M) of `others` by logistic regressions on `x` (N, D) and `y`.

    They are fitted in the at most N directions in which the rows of `x` differ: regularisation
    would set any other weight to zero, so the result is the same, and D may be large.
    """
    from sklearn.linear_model import LogisticRegression

    with threadpool_limits(1):  # the matrices are too small to share
        centre = x.mean(axis=0)
        left, size, right = np.linalg.svd(x - centre, full_matrices=False)
        length = np.sqrt((size**2).sum() / len(x)) or 1.0
        inside, outside = left * size / length, (others - centre) @ right.T / length
        return np.stack(
            [
                LogisticRegression(C=strength, solver="newton-cholesky")
                .fit(inside, y)
                .predict_proba(outside)[:, 1]
                for strength in strengths
            ]
        )


def _state(model: keras.Model) -> list:
    """Return all that training changes: weights, dropout's random states, optimizer state."""
    return [*model.variables, *model.optimizer.variables]


def _batches(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
