"""Predictions as a table: checked against their rows, and scored beside the prior."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nbhelpers.data import manifest
from nbhelpers.evaluation import metrics

PREDICTION_COLUMNS = ["videoname", "split", "label", "y_score", "model"]
PRIOR = "prior"  # the model that always answers with the share of fakes in the training rows


class ResultsError(ValueError):
    """Predictions that do not match their table."""


def score_models(
    predictions: pd.DataFrame, table: pd.DataFrame, *, resamples: int = 1000, seed: int = 42
) -> dict[str, dict]:
    """Compute metrics with intervals for every model on the test rows, including the prior.

    Args:
        predictions: columns ``PREDICTION_COLUMNS``.
        table: all rows, with ``videoname, label, split`` and, where known, ``group``.
        resamples: of the bootstrap by group.
        seed: of the bootstrap.

    Returns:
        model -> metric -> ``metrics.Interval``, and ``n``: the number of rows.

    Raises:
        ValueError: the test rows have one class or one group only.
    """
    if PRIOR not in set(predictions["model"]):
        predictions = with_prior(predictions, table)
    group = table.set_index("videoname").get("group")
    result = {}
    for model, rows in predictions[predictions["split"] == "test"].groupby("model", sort=False):
        names = rows["videoname"] if group is None else rows["videoname"].map(group)
        values = metrics.score_intervals(
            manifest.y_true(rows), rows["y_score"], groups=names, resamples=resamples, seed=seed
        )
        result[str(model)] = {**values, "n": len(rows)}
    return result


def predictions_of(model: str, table: pd.DataFrame, *, y_score: Any) -> pd.DataFrame:
    """Put a model's scores beside the rows they belong to.

    Args:
        model: its name in the results.
        table: the scored rows, with ``videoname, split, label``.
        y_score: P(fake) in [0, 1], float (N,), in the table's order.

    Returns:
        Columns ``PREDICTION_COLUMNS``.
    """
    return table[["videoname", "split", "label"]].assign(
        y_score=np.asarray(y_score, dtype=float), model=model
    )


def joined(table: pd.DataFrame, scored: Mapping[str, Any]) -> pd.DataFrame:
    """Put the scores of several models below each other, as ``predictions_of`` does for one.

    Args:
        table: the scored rows, with ``videoname, split, label``.
        scored: model -> P(fake) in [0, 1], float (N,), in the table's order.

    Returns:
        Columns ``PREDICTION_COLUMNS``.
    """
    return pd.concat(
        [predictions_of(model, table, y_score=y_score) for model, y_score in scored.items()],
        ignore_index=True,
    )


def scores_table(judged: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Format the result of ``score_models`` for reading.

    Args:
        judged: model -> metric -> ``metrics.Interval``, or another value, shown unchanged.

    Returns:
        One row per model, one column per metric, cells such as "0.85 [0.80, 0.90]", with
        non-breaking spaces, so that a cell stays on one line.

    >>> scores_table({"m": {"auc": metrics.Interval(0.5, 0.4, 0.6), "n": 8}}).loc["m", "n"]
    '8'
    """

    def cell(score: Any) -> str:
        text = f"{score:.2f}" if isinstance(score, metrics.Interval) else str(score)
        return text.replace(" ", "\N{NO-BREAK SPACE}")

    return pd.DataFrame(
        [{metric: cell(score) for metric, score in scores.items()} for scores in judged.values()],
        index=list(judged),
    )


def auc_by_method(
    table: pd.DataFrame, scored: Mapping[str, Any], *, seed: int = 42
) -> dict[str, dict[str, metrics.Interval]]:
    """Evaluate each forgery method separately: all reals against the fakes of that method.

    Args:
        table: the scored rows, with ``label, group`` and ``method``; "" counts as "unknown".
        scored: model -> P(fake), float (N,), in the table's order.
        seed: of the bootstrap.

    Returns:
        method -> model -> AUC.

    Raises:
        ValueError: as ``metrics.score_intervals``.
    """
    is_real = (table["label"] == "REAL").to_numpy()
    method = table["method"].replace("", "unknown").to_numpy()
    result = {}
    for name in sorted(set(method[~is_real])):
        chosen = is_real | (method == name)
        y_true, groups = manifest.y_true(table[chosen]), table.loc[chosen, "group"]
        result[name] = {
            model: metrics.score_intervals(
                y_true, np.asarray(y_score)[chosen], groups=groups, seed=seed
            )["auc"]
            for model, y_score in scored.items()
        }
    return result


def examples(
    table: pd.DataFrame,
    *,
    threshold: float,
    count: int = 2,
    kinds: Sequence[str] = ("hit", "missed", "accused"),
) -> pd.DataFrame:
    """Pick the most confident right and wrong answers: hits, missed fakes and accused reals.

    Args:
        table: rows with ``label`` and ``y_score``.
        threshold: rows with this P(fake) or a higher one are called FAKE.
        count: largest number of rows of each kind.
        kinds: which ones, in the order wanted.

    Returns:
        The rows with a column ``kind``: "hit" (fakes of the highest scores), "missed" (fakes of
        the lowest, below the threshold), "accused" (reals of the highest, at or above it).

    >>> rows = {"label": ["FAKE", "FAKE", "REAL"], "y_score": [0.9, 0.1, 0.8]}
    >>> examples(pd.DataFrame(rows), threshold=0.5)["kind"].tolist()
    ['hit', 'missed', 'accused']
    """
    called = table["y_score"] >= threshold
    is_fake = table["label"] == "FAKE"
    falling = table.sort_values("y_score", ascending=False, kind="stable")
    picked = {
        "hit": falling[(is_fake & called)[falling.index]].head(count),
        "missed": falling[(is_fake & ~called)[falling.index]].tail(count)[::-1],
        "accused": falling[(~is_fake & called)[falling.index]].head(count),
    }
    return pd.concat([picked[kind].assign(kind=kind) for kind in kinds])


# ---------------------------------------------------------------- checking


def check_predictions(predictions: pd.DataFrame | None, table: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions with their columns; raise if they do not match the table."""
    if predictions is None:
        return pd.DataFrame(columns=PREDICTION_COLUMNS)
    missing = [column for column in PREDICTION_COLUMNS if column not in predictions]
    if missing or "split" not in table:
        raise ResultsError(
            f"Expected predictions with columns {PREDICTION_COLUMNS} and a table with a split; "
            f"received predictions without {missing} and table columns {list(table.columns)}."
        )
    predictions = predictions[PREDICTION_COLUMNS].reset_index(drop=True)
    score = predictions["y_score"].to_numpy(dtype=float)
    bad = ~(np.isfinite(score) & (score >= 0) & (score <= 1))
    if bad.any():
        raise ResultsError(
            f"Expected y_score finite and in [0, 1]; received {bad.sum()} others of {len(score)}, "
            f"for example {score[bad][0]:.3g}. Pass probabilities, not logits, and look at the "
            "training loss if there are NaN."
        )
    _check_rows(predictions, table)
    return predictions


def _check_rows(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """Check rows, splits and labels against the table: each test row once per model."""
    key = ["videoname", "split", "label"]
    twice = predictions.duplicated(["videoname", "model"])
    known = predictions.merge(table[key].drop_duplicates(), on=key, how="left", indicator=True)
    foreign = known["_merge"] == "left_only"
    for rule, wrong in {"given twice": twice, "not in the table as they are": foreign}.items():
        if wrong.any():
            rows = predictions[wrong.to_numpy()].iloc[:2].to_dict("records")
            raise ResultsError(
                "Expected each row of the table at most once per model, with its split and label; "
                f"received {wrong.sum()} predictions {rule}, for example {rows}. "
                "Take videoname, split and label from the table that was predicted."
            )
    test = set(table.loc[table["split"] == "test", "videoname"])
    for model, rows in predictions.groupby("model"):
        absent = sorted(test - set(rows["videoname"]))
        if absent or model == PRIOR:
            raise ResultsError(
                f"Expected every test row from every model, and the model {PRIOR!r} left to this "
                f"function; received model {model!r} without {len(absent)} of {len(test)} test "
                f"rows ({absent[:3]}). Predict the whole test split, or drop unreadable rows "
                "from the table first."
            )


def with_prior(predictions: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Add the prior's constant answer for every test row: the share of fakes in training."""
    if "split" not in table or not {"train", "test"} <= set(table["split"]):
        return predictions
    prevalence = float((table.loc[table["split"] == "train", "label"] == "FAKE").mean())
    prior = table.loc[table["split"] == "test", ["videoname", "split", "label"]]
    prior = prior.assign(y_score=prevalence, model=PRIOR)
    return pd.concat([part for part in (predictions, prior) if len(part)], ignore_index=True)
