"""Rows for training, validation and test: balanced samples and splits that do not leak.

Every function gives the same rows for the same seed, whatever the order of the table.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.common import files
from nbhelpers.data import ties
from nbhelpers.data.groups import connected_groups
from nbhelpers.data.labels import LABELS, y_true
from nbhelpers.data.metadata import read_rows

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
FRACTIONS = (0.7, 0.15, 0.15)


class LeakageError(ValueError):
    """Rows that belong together are on more than one side of a split."""


def balanced_sample(
    table: pd.DataFrame, *, per_class: int | None = None, seed: int
) -> pd.DataFrame:
    """Draw as many fakes as reals, without replacement.

    Args:
        table: with ``videoname`` and ``label``.
        per_class: rows of each label, >= 1; None takes as many as the rarer label has, as does a
            larger number, which is logged.
        seed: of the draw.

    Returns:
        The drawn rows, sorted by ``videoname``, numbered from 0.

    Raises:
        ValueError: a label is absent, or ``per_class`` is below 1.

    >>> table = pd.DataFrame({"videoname": list("abc"), "label": ["REAL", "FAKE", "FAKE"]})
    >>> balanced_sample(table, seed=0)["label"].tolist().count("FAKE")
    1
    """
    _check_labels(table)
    if per_class is not None and per_class < 1:
        raise ValueError(f"Expected per_class >= 1 or None; received {per_class}.")
    rarer = table["label"].value_counts().idxmin()
    available = int((table["label"] == rarer).sum())
    wanted = available if per_class is None else min(per_class, available)
    if per_class is not None and wanted < per_class:
        logger.info("Only %d of %d %s rows exist: as many of each", wanted, per_class, rarer)
    rng = np.random.default_rng(seed)
    drawn = []
    for label in LABELS:
        rows = table[table["label"] == label].sort_values("videoname", kind="stable")
        take = rng.choice(len(rows), size=wanted, replace=False)
        drawn.append(rows.iloc[take])
    return pd.concat(drawn).sort_values("videoname", kind="stable").reset_index(drop=True)


def group_split(
    table: pd.DataFrame,
    *,
    fractions: Sequence[float] = FRACTIONS,
    seed: int,
    split_csv: str | os.PathLike = "",
) -> pd.DataFrame:
    """Split into train, validation and test without dividing a group.

    Groups are assigned largest first, each to the split that is proportionally furthest below its
    share of reals and fakes.

    Args:
        table: with ``videoname, label, group``, from ``manifest.read``.
        fractions: shares of train, validation and test, each > 0, adding up to 1.
        seed: of the order among groups of equal size.
        split_csv: a file with columns ``videoname, split`` that overrides the above; rows it does
            not name are dropped and logged. "" for none.

    Returns:
        The rows with a column ``split`` of train, validation and test, sorted by ``videoname``.

    Raises:
        ValueError: bad fractions, a label is absent, the file names an unknown video or split,
            or the rows do not give every split both labels (and the test split two groups).
        LeakageError: the split of ``split_csv`` puts a group on two sides.
        DatasetError: ``split_csv`` is not a table in UTF-8.
        FileNotFoundError: no such ``split_csv``.
    """
    _check_labels(table)
    shares = _check_fractions(fractions)
    table = table.sort_values("videoname", kind="stable").reset_index(drop=True)
    if os.fspath(split_csv):
        result = _apply_csv(table, split_csv)
        _check_complete(result, "the split file")
    else:
        result = _deal_until_complete(table, shares, seed=seed)
    assert_no_leak(result)
    logger.info("Split by group: %s", result["split"].value_counts().to_dict())
    return result


def balanced_split(
    table: pd.DataFrame,
    *,
    per_class: int | None = None,
    fractions: Sequence[float] = FRACTIONS,
    seed: int,
    split_csv: str | os.PathLike = "",
) -> pd.DataFrame:
    """Split by group, then draw as many fakes as reals in each split.

    In this order every split is exactly balanced, and the draw does not break up families before
    they are assigned. A split file, if given, takes precedence: nothing is drawn, and the rows
    that it names are used.

    Args:
        table: from ``manifest.read``.
        per_class: largest number of rows of each label over all splits; None takes as many as the
            rarer label allows.
        fractions: as in ``group_split``.
        seed: of the split and of the draws.
        split_csv: as in ``group_split``.

    Returns:
        As ``group_split``.

    Raises:
        ValueError, LeakageError, FileNotFoundError: as for the two steps.
    """
    result = group_split(table, fractions=fractions, seed=seed, split_csv=split_csv)
    if os.fspath(split_csv):
        return result
    drawn = []
    for name, share in zip(SPLITS, fractions, strict=True):
        most = None if per_class is None else max(1, round(share * per_class))
        drawn.append(balanced_sample(result[result["split"] == name], per_class=most, seed=seed))
    result = pd.concat(drawn).sort_values("videoname", kind="stable").reset_index(drop=True)
    _check_complete(result, "a balanced split by group")
    return result


def random_split(
    table: pd.DataFrame, *, fractions: Sequence[float] = FRACTIONS, seed: int
) -> pd.DataFrame:
    """Split row by row within each label: the article's way, used only to measure leakage.

    Args:
        table: with ``videoname`` and ``label``.
        fractions: shares of train, validation and test, each > 0, adding up to 1.
        seed: of the shuffle.

    Returns:
        The rows with a column ``split``, sorted by ``videoname``. It leaks; see ``leak_report``.

    Raises:
        ValueError: bad fractions, or a label is absent.
    """
    _check_labels(table)
    cuts = np.cumsum(_check_fractions(fractions))[:-1]
    table = table.sort_values("videoname", kind="stable").reset_index(drop=True)
    rng = np.random.default_rng(seed)
    split = np.empty(len(table), dtype=object)
    for label in LABELS:
        rows = rng.permutation(np.flatnonzero(table["label"] == label))
        parts = np.split(rows, np.round(cuts * len(rows)).astype(int))
        for name, part in zip(SPLITS, parts, strict=True):
            split[part] = name
    return table.assign(split=pd.Series(split, dtype="str"))


def assert_no_leak(table: pd.DataFrame) -> None:
    """Raise if rows that belong together are on more than one side.

    The groups are recomputed from originals, sources and identities; the groups of a ``group``
    column, if there is one, must stay together as well.

    Args:
        table: with ``videoname``, ``split`` and what is known of ``original, source, identity,
            group``.

    Raises:
        LeakageError: with the number of divided groups and an example.
    """
    groups = {"connected": connected_groups(table)}
    if "group" in table:
        groups["column"] = table["group"]
    for group in groups.values():
        sides = table.groupby(group.to_numpy())["split"].nunique()
        torn = sides[sides > 1]
        if len(torn):
            rows = table.loc[(group == torn.index[0]).to_numpy(), ["videoname", "split"]]
            example = ", ".join(f"{name} in {split}" for name, split in rows.to_numpy()[:4])
            raise LeakageError(
                "Expected every original, its fakes and its people on one side of the split; "
                f"received {len(torn)} of {len(sides)} groups on several, for example {example}. "
                "Split with splits.group_split, or fix the split file."
            )


def leak_report(table: pd.DataFrame) -> dict[str, float]:
    """Measure how many test fakes have relatives among the training rows.

    Args:
        table: with ``videoname, label, split`` and what is known of ``original, source,
            identity``.

    Returns:
        ``fakes``: the number of test fakes; and shares of them, 0 to 1: ``original``: their
        original is in train; ``sibling``: another fake of that original is; ``group``: any row
        of their connected group is, including these two. NaN if there are no test fakes.

    >>> rows = {"videoname": ["a", "b"], "original": ["", "a"], "label": ["REAL", "FAKE"]}
    >>> leak_report(pd.DataFrame(rows | {"split": ["train", "test"]}))["original"]
    1.0
    """
    group = connected_groups(table)
    train = table[table["split"] == "train"]
    fakes = table[(table["split"] == "test") & (table["label"] == "FAKE")]
    original = ties.resolved(table, "original")
    asked, others = original[fakes.index], original[train.index[train["label"] == "FAKE"]]
    seen = {
        "original": (asked != "") & asked.isin(train["videoname"]),
        "sibling": (asked != "") & asked.isin(others),
        "group": group[fakes.index].isin(group[train.index]),
    }
    return {"fakes": len(fakes)} | {name: float(share.mean()) for name, share in seen.items()}


def write_csv(table: pd.DataFrame, path: str | os.PathLike) -> None:
    """Write a split in the form that ``split_csv`` reads.

    Args:
        table: with ``videoname`` and ``split``.
        path: the file; it is written whole or not at all.
    """
    files.write_text(path, table[["videoname", "split"]].to_csv(index=False))


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count rows and groups of each split.

    Args:
        table: with ``label``, ``split`` and, where known, ``group``.

    Returns:
        Index: the splits that occur and Total; columns REAL, FAKE, Total and Groups (int).

    >>> table = pd.DataFrame({"label": ["REAL", "FAKE"], "group": ["a", "a"], "split": "train"})
    >>> counts(table).loc["train"].tolist()
    [1, 1, 2, 1]
    """
    order = [name for name in SPLITS if name in set(table["split"])]
    order += sorted(set(table["split"]) - set(order))
    result = pd.crosstab(table["split"], table["label"]).reindex(
        index=order, columns=list(LABELS), fill_value=0
    )
    result["Total"] = result.sum(axis=1)
    group = table["group"] if "group" in table else connected_groups(table)
    result["Groups"] = group.groupby(table["split"]).nunique().reindex(order)
    result.loc["Total"] = [*result[["REAL", "FAKE", "Total"]].sum(), group.nunique()]
    return result.astype(int).rename_axis(index=None, columns=None)


# ---------------------------------------------------------------- helpers


def _deal_until_complete(table: pd.DataFrame, shares: np.ndarray, *, seed: int) -> pd.DataFrame:
    """Assign the groups; if a split ends up without a label, reserve small groups for it."""
    rng = np.random.default_rng(seed)
    error = None
    for attempt in range(20):
        result = table.assign(split=_deal(table, shares, rng=rng, keep_back=attempt > 0))
        try:
            _check_complete(result, "a split by group")
        except ValueError as reason:
            error = reason
        else:
            return result
    raise error


def _deal(
    table: pd.DataFrame, shares: np.ndarray, *, rng: np.random.Generator, keep_back: bool
) -> pd.Series:
    """Assign every group to a split, greedily; return the split of each row."""
    sizes = pd.crosstab(table["group"], table["label"]).reindex(columns=list(LABELS))
    rows = sizes.to_numpy()
    order = rng.permutation(len(rows))
    order = order[np.argsort(-rows.sum(axis=1)[order], kind="stable")]  # largest first
    reserved = [index for index in order if rows[index].all()][-3:] if keep_back else []
    reserved = dict(zip(reserved, (1, 2, 2), strict=False))  # one for validation, two for test
    total = rows.sum(axis=0)
    filled = np.zeros((len(SPLITS), rows.shape[1]))  # share of all reals and fakes in each split
    goal = np.outer(shares, np.ones(rows.shape[1]))
    chosen = np.empty(len(rows), dtype=object)
    for index in [*reserved, *(index for index in order if index not in reserved)]:
        add = rows[index] / total
        # The chi-square distance to the goal grows least for the split that lacks it most.
        cost = ((filled + add - goal) ** 2 - (filled - goal) ** 2) / goal
        best = reserved.get(index, int(cost.sum(axis=1).argmin()))
        filled[best] += add
        chosen[index] = SPLITS[best]
    return table["group"].map(pd.Series(chosen, index=sizes.index, dtype="str"))


def _apply_csv(table: pd.DataFrame, path: str | os.PathLike) -> pd.DataFrame:
    """Read the split of each row from a file; the table must already be sorted."""
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"Expected SPLIT_CSV to be a file; received {os.fspath(path)!r}, which does not exist."
        )
    advice = "splits.write_csv writes such a file."
    rows = read_rows(Path(path), needed=("videoname", "split"), advice=advice)
    split_rows = pd.DataFrame(rows)[["videoname", "split"]].fillna("").astype("str")
    rules = {
        "unknown splits": sorted(set(split_rows["split"]) - set(SPLITS)),
        "unknown names": sorted(set(split_rows["videoname"]) - set(table["videoname"])),
        "names given twice": sorted(
            split_rows.loc[split_rows["videoname"].duplicated(), "videoname"]
        ),
    }
    for rule, names in rules.items():
        if names:
            raise ValueError(
                f"Expected {path} to give each of the data set's videonames at most once, with a "
                f"split of {SPLITS}; received {rule}: {names[:5]} ({len(names)} in all). Compare "
                "with the videoname column and the findings of manifest.read."
            )
    split = table["videoname"].map(split_rows.set_index("videoname")["split"])
    if split.isna().any():
        logger.info("%d rows are not named in %s and are left out", split.isna().sum(), path)
    named = table.assign(split=split)[split.notna().to_numpy()].reset_index(drop=True)
    return named.astype({"split": "str"})


def _check_labels(table: pd.DataFrame) -> None:
    """Check that both labels, and no others, are present."""
    present = set(LABELS) & set(table["label"])
    y_true(table)
    if len(present) < 2:
        raise ValueError(
            f"Expected rows of both {LABELS}; received only {sorted(present)} in "
            f"{len(table)} rows. Check the findings of manifest.read."
        )


def _check_fractions(fractions: Sequence[float]) -> np.ndarray:
    """Check that there are three positive shares that add up to 1."""
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            "Expected three fractions > 0 (train, validation, test) that add up to 1; received "
            f"{tuple(fractions)}."
        )
    return shares


def _check_complete(table: pd.DataFrame, source: str) -> None:
    """Check that every split has both labels, and the test split two groups for its intervals."""
    seen = counts(table)
    lacking = [
        f"no {label} in {name}"
        for name in SPLITS
        for label in LABELS
        if name not in seen.index or seen.loc[name, label] == 0
    ]
    if not lacking and seen.loc["test", "Groups"] < 2:
        lacking = ["a single group in test"]
    if lacking:
        biggest = table["group"].value_counts(normalize=True).iloc[0]
        raise ValueError(
            "Expected both labels in train, validation and test, and two groups in test; received "
            f"from {source} of {len(table)} rows in {table['group'].nunique()} groups (the largest "
            f"holds {biggest:.0%}): {', '.join(lacking)}. Use more rows, other fractions, or "
            "another split file."
        )
