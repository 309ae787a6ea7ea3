"""How good scores are, how certain that is, and whether they are better than others.

All metrics are computed by one weighted, vectorised routine: a bootstrap resample of groups is
nothing but a weight for every row, so a thousand resamples are a thousand rows of weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Metric(NamedTuple):
    """How a metric is written, and which way is better."""

    label: str
    lower_is_better: bool = False


METRICS = {
    "auc": Metric("AUC"),
    "average_precision": Metric("Average precision"),
    "accuracy": Metric("Accuracy"),
    "balanced_accuracy": Metric("Balanced accuracy"),
    "log_loss": Metric("Log loss", lower_is_better=True),
    "eer": Metric("EER", lower_is_better=True),
    "brier": Metric("Brier score", lower_is_better=True),
    "expected_calibration_error": Metric("Calibration error", lower_is_better=True),
}
FEWEST_GROUPS = 8  # fewest resampled groups for an interval worth showing
CALIBRATION_BINS = 10  # of equal width, for the expected calibration error
THRESHOLD = 0.5  # least P(fake) of rows called FAKE
CLIP = 1e-15  # log loss: scores closer to 0 or 1 count as this close
_CELLS = 1_000_000  # resamples x rows processed at once: a few 8 MB arrays


class Interval(NamedTuple):
    """A value with its 95 % interval; ``f"{interval:.2f}"`` writes both.

    Attributes:
        value: of the original rows.
        low: 2.5 % point of the resamples.
        high: 97.5 % point of the resamples.
        groups: how many groups were resampled; None if unknown. An interval from fewer than
            ``FEWEST_GROUPS`` is kept but not written out; the number of groups is written instead.

    >>> f"{Interval(0.85, 0.8, 0.9):.2f}", f"{Interval(0.1, -0.02, 0.2, groups=9):+.2f}"
    ('0.85 [0.80, 0.90]', '+0.10 [-0.02, +0.20]')
    >>> f"{Interval(0.7, 0.6, 0.7, groups=2):.2f}"
    '0.70 [2 groups]'
    """

    value: float
    low: float
    high: float
    groups: int | None = None

    def __format__(self, spec: str) -> str:
        if self.is_firm:
            return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"
        return f"{self.value:{spec}} [{self.groups} groups]"

    @property
    def is_firm(self) -> bool:
        """Whether enough groups were resampled to write out the interval."""
        return self.groups is None or self.groups >= FEWEST_GROUPS

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside an interval that is firm."""
        return self.is_firm and not self.low <= value <= self.high

    def as_dict(self) -> dict[str, float | int]:
        """Return the fields by name, as results files keep them; unknown groups are left out."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Interval:
        """Return the inverse of ``as_dict``; other keys are ignored.

        Args:
            fields: ``value, low, high`` and maybe ``groups``.

        Raises:
            KeyError: one of the three is missing.
        """
        return cls(fields["value"], fields["low"], fields["high"], fields.get("groups"))


def by_name(value: Any) -> Any:
    """Turn every interval in nested mappings and lists into a mapping; JSON would make a list.

    >>> by_name({"auc": [Interval(0.5, 0.4, 0.6)]})
    {'auc': [{'value': 0.5, 'low': 0.4, 'high': 0.6}]}
    """
    if isinstance(value, Interval):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {name: by_name(inner) for name, inner in value.items()}
    return [by_name(inner) for inner in value] if isinstance(value, list | tuple) else value


def scores(y_true: ArrayLike, y_score: ArrayLike) -> dict[str, float]:
    """Compute all metrics of one set of scores.

    ``auc``: the share of (fake, real) pairs in which the fake scores higher, ties counting half.
    ``average_precision``: the precision at each threshold, weighted by the recall it adds.
    ``accuracy``, ``balanced_accuracy``: at the threshold 0.5, the latter the mean of both recalls.
    ``log_loss``: mean of -ln(score of the true class), in nats; 0.693 for a constant 0.5.
    ``eer``: the error rate where as many reals as fakes are misjudged, between two thresholds on
    the straight line of the ROC curve.
    ``brier``: mean squared distance of the score from 0 or 1; 0.25 for a constant 0.5.
    ``expected_calibration_error``: rows are sorted into ten bins by score; the distance between
    the mean score and the share of fakes of a bin, weighted by the rows in it.

    Args:
        y_true: (N,) of 0 (real) and 1 (fake), both of them present.
        y_score: (N,) P(fake), 0 to 1.

    Returns:
        The metrics as float and ``n``, the number of rows.

    Raises:
        ValueError: shapes differ, one class only, or scores that are not finite or not in [0, 1].

    Source:
        AUC: Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747. Calibration error: Guo et
        al., "On Calibration of Modern Neural Networks", 2017.

    >>> scores([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])["auc"]
    0.75
    """
    y, score = _check(y_true, y_score)
    values = _weighted(y, score, np.ones((1, len(y))))
    return {name: float(values[name][0]) for name in METRICS} | {"n": len(y)}


def score_intervals(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike,
    resamples: int = 1000,
    seed: int = 42,
) -> dict[str, Interval]:
    """Compute each metric with its 95 % interval, by resampling whole groups.

    Rows of one person are alike; resampling rows would count them as independent evidence and
    make the interval too narrow. Resamples that lack a class are drawn again.

    Args:
        y_true: (N,) of 0 and 1, both present.
        y_score: (N,) P(fake), 0 to 1.
        groups: (N,) names, at least two different ones.
        resamples: of the bootstrap, >= 1.
        seed: of the bootstrap.

    Returns:
        metric -> ``Interval``.

    Raises:
        ValueError: as ``scores``, or fewer than two groups.

    Source:
        Cluster bootstrap, percentile interval: Davison & Hinkley 1997, Bootstrap Methods and
        their Application, sections 3.8 and 5.3.

    >>> score_intervals([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], groups=list("aabb"))["auc"].low
    1.0
    """
    y, score = _check(y_true, y_score)
    value = scores(y, score)
    batches = [_weighted(y, score, weights) for weights in _resample(y, groups, resamples, seed)]
    drawn = {name: np.concatenate([batch[name] for batch in batches]) for name in METRICS}
    count = _group_count(groups)
    return {name: _interval(value[name], drawn[name], count) for name in METRICS}


def paired_difference(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    minus: ArrayLike,
    groups: ArrayLike,
    metric: str = "auc",
    resamples: int = 1000,
    seed: int = 42,
) -> Interval:
    """Compute the difference of a metric between two models on the same rows.

    Both are evaluated on the same resamples, so difficulty shared by both cancels out.

    Args:
        y_true: (N,) of 0 and 1, both present.
        y_score: (N,) P(fake) of the one model.
        minus: (N,) P(fake) of the other, for the same rows in the same order.
        groups: (N,) names, at least two different ones.
        metric: one of ``METRICS``, which says whether lower is better.
        resamples: of the bootstrap, >= 1.
        seed: of the bootstrap.

    Returns:
        The difference with its 95 % interval.

    Raises:
        ValueError: as ``score_intervals``, or an unknown metric.

    >>> paired_difference([0, 1, 0, 1], [0, 1, 0, 1], minus=[0.5] * 4, groups=list("aabb")).value
    0.5
    """
    if metric not in METRICS:
        raise ValueError(f"Expected a metric of {tuple(METRICS)}; received {metric!r}.")
    y, first = _check(y_true, y_score)
    _, second = _check(y_true, minus)
    value = scores(y, first)[metric] - scores(y, second)[metric]
    drawn = [
        _weighted(y, first, weights)[metric] - _weighted(y, second, weights)[metric]
        for weights in _resample(y, groups, resamples, seed)
    ]
    return _interval(value, np.concatenate(drawn), _group_count(groups))


def mean_interval(
    values: ArrayLike, groups: ArrayLike, *, resamples: int = 1000, seed: int = 42
) -> Interval:
    """Compute the mean of a value per row with its 95 % interval, by resampling whole groups.

    For the difference of two columns of values pass their difference: that pairs them row by row.

    Args:
        values: (N,) finite numbers.
        groups: (N,) names, at least two different ones.
        resamples: of the bootstrap, >= 1.
        seed: of the bootstrap.

    Returns:
        The mean with its 95 % interval.

    Raises:
        ValueError: values that are not finite, shapes that differ, fewer than two groups.

    >>> mean_interval([1, 1, 1], list("aab"))
    Interval(value=1.0, low=1.0, high=1.0, groups=2)
    """
    values = np.asarray(values, dtype=float)
    names, index = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    if values.ndim != 1 or values.shape != index.shape or not np.isfinite(values).all():
        raise ValueError(
            f"Expected a finite value and a group for each row; received values of shape "
            f"{values.shape} and {index.shape[0]} groups. Drop the rows that have no value."
        )
    if len(names) < 2:
        raise ValueError(
            f"Expected two groups at least; received {len(names)}. An interval over people needs "
            "several people: use more rows."
        )
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index)
    draws = np.random.default_rng(seed).integers(0, len(names), (resamples, len(names)))
    drawn = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    return _interval(values.mean(), drawn, len(names))


def _interval(value: float, drawn: np.ndarray, groups: int) -> Interval:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(value), float(low), float(high), groups)


def _group_count(groups: ArrayLike) -> int:
    return len(np.unique(np.asarray(groups).astype(str)))


def _check(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return both as checked arrays."""
    y, score = np.asarray(y_true), np.asarray(y_score, dtype=float)
    if y.ndim != 1 or y.shape != score.shape:
        raise ValueError(
            f"Expected y_true and y_score of one shape (N,); received {y.shape} and {score.shape}. "
            "Flatten the model's output with .ravel()."
        )
    if set(np.unique(y)) != {0, 1}:
        raise ValueError(
            f"Expected y_true of 0 and 1, both present; received {np.unique(y)[:5].tolist()}. "
            "With one class there is nothing to distinguish: use more rows."
        )
    if not np.isfinite(score).all():
        raise ValueError(
            f"Expected finite y_score; received {np.sum(~np.isfinite(score))} NaN or infinite of "
            f"{len(score)}. Check the training loss: it has probably diverged."
        )
    if score.min() < 0 or score.max() > 1:
        raise ValueError(
            f"Expected y_score in [0, 1]; received {score.min():.3g} to {score.max():.3g}. "
            "Pass probabilities, not logits."
        )
    return y.astype(np.int64), score


def _resample(y: np.ndarray, groups: ArrayLike, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield bootstrap weights by group: batches float (R, N), each row with both classes."""
    names, index = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    if index.shape != y.shape or len(names) < 2 or resamples < 1:
        raise ValueError(
            f"Expected a group for each of {len(y)} rows, two groups and one resample at least; "
            f"received {index.shape[0]} rows in {len(names)} groups and {resamples} resamples. "
            "An interval over people needs several people: use more rows."
        )
    rng = np.random.default_rng(seed)
    chance = np.full(len(names), 1 / len(names))
    has = np.stack([np.bincount(index, weights=y == label) for label in (0, 1)], axis=1)
    todo = resamples
    while todo:
        drawn = rng.multinomial(len(names), chance, size=min(todo, max(1, _CELLS // len(y))))
        drawn = drawn[((drawn @ has) > 0).all(axis=1)]
        todo -= len(drawn)
        if len(drawn):
            yield drawn[:, index].astype(float)


def _weighted(y: np.ndarray, score: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Compute all metrics for each row of ``weights`` (R, N): {metric: float (R,)}."""
    fake, real = weights * (y == 1), weights * (y == 0)
    fakes, reals = fake.sum(axis=1), real.sum(axis=1)
    called = score >= THRESHOLD
    recall_fake = fake @ called / fakes
    recall_real = real @ ~called / reals
    loss = -np.log(np.clip(np.where(y == 1, score, 1 - score), CLIP, 1))
    return {
        **_ranked(fake, real, score),
        "accuracy": (recall_fake * fakes + recall_real * reals) / (fakes + reals),
        "balanced_accuracy": (recall_fake + recall_real) / 2,
        "log_loss": weights @ loss / (fakes + reals),
        "brier": weights @ (score - y) ** 2 / (fakes + reals),
        "expected_calibration_error": _calibration_error(y, score, weights) / (fakes + reals),
    }


def calibration_bin(y_score: ArrayLike) -> np.ndarray:
    """Sort scores into the bins of the expected calibration error.

    Args:
        y_score: (N,) P(fake), 0 to 1.

    Returns:
        ``int (N,)``, 0 to CALIBRATION_BINS - 1; a score of 1 belongs to the last bin.

    >>> calibration_bin([0.0, 0.1, 0.55, 1.0]).tolist()
    [0, 1, 5, 9]
    """
    bins = (np.asarray(y_score, dtype=float) * CALIBRATION_BINS).astype(int)
    return np.minimum(bins, CALIBRATION_BINS - 1)


def _calibration_error(y: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum of the bins' distances of mean score and share of fakes: (R,)."""
    member = calibration_bin(score)[:, None] == np.arange(CALIBRATION_BINS)
    return np.abs(weights @ (member * (score - y)[:, None])).sum(axis=1)


def _ranked(fake: np.ndarray, real: np.ndarray, score: np.ndarray) -> dict[str, np.ndarray]:
    """Return the metrics that depend on order only, from the ROC curve over falling thresholds."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=np.inf))  # one step for tied scores
    step_fake = np.add.reduceat(fake[:, order], starts, axis=1)
    step_real = np.add.reduceat(real[:, order], starts, axis=1)
    true_positive = np.cumsum(step_fake, axis=1)
    false_positive = np.cumsum(step_real, axis=1)
    fakes, reals = true_positive[:, -1:], false_positive[:, -1:]
    below = reals - false_positive  # reals that score less than this step
    auc = (step_fake * (below + step_real / 2)).sum(axis=1) / (fakes * reals)[:, 0]
    called = np.maximum(true_positive + false_positive, np.finfo(float).tiny)
    precision = true_positive / called
    average_precision = (step_fake / fakes * precision).sum(axis=1)
    eer = _equal_error_rate(false_positive / reals, 1 - true_positive / fakes)
    return {"auc": auc, "average_precision": average_precision, "eer": eer}


def _equal_error_rate(false_alarm: np.ndarray, miss: np.ndarray) -> np.ndarray:
    """Return where two curves (R, U), one rising to 1, one falling to 0, cross, interpolated."""
    rows = np.arange(len(miss))
    start = np.zeros((len(miss), 1))
    false_alarm = np.hstack([start, false_alarm])
    gap = np.hstack([start + 1, miss]) - false_alarm
    after = (gap <= 0).argmax(axis=1)
    before = after - 1
    share = gap[rows, before] / (gap[rows, before] - gap[rows, after])
    low, high = false_alarm[rows, before], false_alarm[rows, after]
    return low + share * (high - low)
