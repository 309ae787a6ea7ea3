"""From scores to decisions: temperature and threshold, both chosen on validation rows only.

A network trained for a few epochs is overconfident. One number, the temperature, corrects that
without changing the order of the scores; another, the threshold, is the score at or above which a
picture is called FAKE. Choosing either on test rows would make the test score too good.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from nbhelpers.evaluation import metrics

_CLIP = 1e-7  # scores closer to 0 or 1 have no finite logit in float32
TEMPERATURES = (0.05, 20.0)  # the search range


def apply_temperature(y_score: ArrayLike, temperature: float) -> np.ndarray:
    """Divide the logit of each score by a temperature.

    Args:
        y_score: P(fake) in [0, 1], any shape.
        temperature: above 0; above 1 makes scores less extreme, 1 changes nothing.

    Returns:
        P(fake), float64 of the same shape, in the same order.

    Raises:
        ValueError: the temperature is not above 0.

    Source:
        Guo et al., "On Calibration of Modern Neural Networks", 2017.

    >>> apply_temperature([0.5, 0.9, 0.1], 2.0).round(3).tolist()
    [0.5, 0.75, 0.25]
    """
    if not temperature > 0:
        raise ValueError(f"Expected a temperature above 0; received {temperature}.")
    score = np.clip(np.asarray(y_score, dtype=float), _CLIP, 1 - _CLIP)
    return 1 / (1 + np.exp(-np.log(score / (1 - score)) / temperature))


def fit_temperature(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Find the temperature that gives validation rows the lowest log loss.

    Args:
        y_true: (N,) of 0 (real) and 1 (fake), both present; of validation rows.
        y_score: (N,) P(fake) in [0, 1].

    Returns:
        The temperature, within ``TEMPERATURES``.

    Raises:
        ValueError: as `metrics.scores`.
    """
    metrics.scores(y_true, y_score)  # refuses invalid labels and scores

    def loss(log_temperature: float) -> float:
        score = apply_temperature(y_score, np.exp(log_temperature))
        return metrics.scores(y_true, score)["log_loss"]

    least = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(least.x))


def best_threshold(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Find the threshold with the highest balanced accuracy on validation rows.

    Args:
        y_true: (N,) of 0 (real) and 1 (fake), both present; of validation rows.
        y_score: (N,) P(fake) in [0, 1].

    Returns:
        A threshold half-way between two neighbouring scores, in (0, 1]; of several that are
        equally good the one nearest to 0.5. Rows at or above it are called FAKE.

    Raises:
        ValueError: as `metrics.scores`.

    >>> best_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9])
    0.4
    """
    metrics.scores(y_true, y_score)
    y, score = np.asarray(y_true), np.asarray(y_score, dtype=float)
    levels = np.unique(score)
    candidates = np.concatenate([[levels[0] / 2], (levels[1:] + levels[:-1]) / 2, [1.0]])
    fakes, reals = np.sort(score[y == 1]), np.sort(score[y == 0])
    caught = 1 - np.searchsorted(fakes, candidates) / len(fakes)
    spared = np.searchsorted(reals, candidates) / len(reals)
    good = (caught + spared).round(12)
    best = candidates[good == good.max()]
    return float(best[np.abs(best - 0.5).argmin()])


def confusion(
    y_true: ArrayLike, y_score: ArrayLike, *, threshold: float = metrics.THRESHOLD
) -> pd.DataFrame:
    """Count verdicts against the truth.

    Args:
        y_true: (N,) of 0 (real) and 1 (fake).
        y_score: (N,) P(fake) in [0, 1].
        threshold: rows at or above it are called FAKE.

    Returns:
        Counts, index "REAL" and "FAKE" (the truth), columns "called REAL" and "called FAKE".

    >>> confusion([0, 0, 1], [0.2, 0.7, 0.9]).loc["REAL"].tolist()
    [1, 1]
    """
    y, called = np.asarray(y_true), np.asarray(y_score) >= threshold
    counts = [
        [int(((y == truth) & (called == verdict)).sum()) for verdict in (0, 1)] for truth in (0, 1)
    ]
    return pd.DataFrame(counts, index=["REAL", "FAKE"], columns=["called REAL", "called FAKE"])


def reliability_table(y_true: ArrayLike, y_score: ArrayLike) -> pd.DataFrame:
    """Compare predicted scores with observed shares of fakes, in bins of equal width.

    Args:
        y_true: (N,) of 0 (real) and 1 (fake).
        y_score: (N,) P(fake) in [0, 1].

    Returns:
        One row per bin that is not empty: `promised` (mean score), `kept` (share of fakes), `n`.

    >>> reliability_table([0, 1], [0.2, 0.3])["kept"].tolist()
    [0.0, 1.0]
    """
    rows = pd.DataFrame({"kept": np.asarray(y_true, float), "promised": np.asarray(y_score, float)})
    grouped = rows.groupby(metrics.calibration_bin(rows["promised"]))
    return grouped.agg(promised=("promised", "mean"), kept=("kept", "mean"), n=("kept", "size"))
