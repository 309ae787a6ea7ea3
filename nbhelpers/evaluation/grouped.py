"""Means with intervals for a table of measured rows: several methods, several measures."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nbhelpers.evaluation.metrics import Interval, mean_interval


def means(
    rows: pd.DataFrame, names: Sequence[str], *, by: str = "method", seed: int = 42
) -> dict[str, dict[str, Interval]]:
    """Average measures per method, with intervals over groups of people.

    Args:
        rows: one row per picture and method: `group`, the column `by` and the measures.
        names: the columns to average; one that a method lacks in any row is left out for it.
        by: the column that names the method.
        seed: of the bootstrap.

    Returns:
        method -> measure -> `Interval`, in the order of the rows.

    Raises:
        ValueError: as `metrics.mean_interval`.

    >>> rows = {"method": ["a", "a"], "group": ["x", "y"], "hit": [0.0, 1.0]}
    >>> means(pd.DataFrame(rows), ["hit"])["a"]["hit"].value
    0.5
    """
    return {
        str(method): {
            name: mean_interval(part[name], part["group"], seed=seed)
            for name in names
            if part[name].notna().all()
        }
        for method, part in rows.groupby(by, sort=False)
    }


def minus(
    rows: pd.DataFrame,
    names: Sequence[str],
    *,
    baseline: str,
    by: str = "method",
    key: str = "videoname",
    seed: int = 42,
) -> dict[str, dict[str, Interval]]:
    """Subtract a baseline from each method, picture by picture, and average the differences.

    Args:
        rows: as for `means`, with the column `key`; every method on the same pictures.
        names: the measures.
        baseline: one of the methods.
        by: the column that names the method.
        key: the column that names the picture.
        seed: of the bootstrap.

    Returns:
        method -> measure -> `Interval` of method minus baseline, without the baseline itself.

    Raises:
        ValueError: no such baseline, or methods on different pictures.

    >>> rows = {"method": ["a", "a", "b", "b"], "group": list("xyxy"), "videoname": list("pqpq")}
    >>> measured = pd.DataFrame(rows | {"hit": [1.0, 1.0, 0.0, 0.5]})
    >>> minus(measured, ["hit"], baseline="b")["a"]["hit"].value
    0.75
    """
    methods = list(dict.fromkeys(rows[by]))
    if baseline not in methods:
        raise ValueError(f"Expected a baseline of {methods}; received {baseline!r}.")
    wide = rows.pivot_table(index=[key, "group"], columns=by, values=list(names), sort=False)
    if wide.isna().to_numpy().any():
        raise ValueError(
            "Expected every method on the same pictures; some have no value. Measure them again."
        )
    group = wide.index.get_level_values("group")
    return {
        method: {
            name: mean_interval(wide[name, method] - wide[name, baseline], group, seed=seed)
            for name in names
        }
        for method in methods
        if method != baseline
    }
