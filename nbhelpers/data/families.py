"""Families of a data set: an original and the fakes made from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nbhelpers.data import ties


def draw(table: pd.DataFrame, *, count: int, seed: int, fakes: int = 5) -> pd.DataFrame:
    """Draw some families: each original with one of its fakes per forgery method.

    Args:
        table: with ``videoname, label, original`` and, where known, ``method``.
        count: number of families, >= 1; those with the most fakes to show are drawn first.
        seed: of the draw.
        fakes: largest number of fakes per family, >= 1. Fakes of other methods come before a
            second one of the same method.

    Returns:
        The rows, each original before its fakes, with the columns ``family`` ("family 1", …) and
        ``kind``: "REAL", or "FAKE" and the method.

    >>> rows = {"videoname": ["a", "b"], "label": ["REAL", "FAKE"], "original": ["", "a"]}
    >>> draw(pd.DataFrame(rows), count=3, seed=0)["family"].tolist()
    ['family 1', 'family 1']
    """
    rows = _with_kind(table).sample(frac=1, random_state=seed)
    rows["original"] = ties.resolved(table, "original").reindex(rows.index)
    of_fakes = rows[(rows["label"] == "FAKE") & rows["original"].isin(_reals(rows))]
    of_fakes = _methods_in_turn(of_fakes, fakes)
    chosen = of_fakes["original"].value_counts(sort=True).index[:count]
    parts = []
    for number, name in enumerate(chosen, start=1):
        members = pd.concat(
            [rows[rows["videoname"] == name], of_fakes[of_fakes["original"] == name]]
        )
        parts.append(members.assign(family=f"family {number}"))
    return pd.concat(parts) if parts else rows.head(0).assign(family="")


def one_pair(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw an original and a fake of it, in random order: two pictures or clips to guess about.

    Args:
        table: with ``videoname, label, original``, both labels present.
        seed: of the draw and of the order.

    Returns:
        Two rows. If no fake has its original in the table: any real and any fake.

    >>> rows = {"videoname": ["a", "b", "c"], "label": ["REAL", "REAL", "FAKE"]}
    >>> sorted(one_pair(pd.DataFrame(rows | {"original": ["", "", "b"]}), seed=1)["videoname"])
    ['b', 'c']
    """
    original = ties.resolved(table, "original")
    fakes = (table["label"] == "FAKE") & original.isin(_reals(table))
    if not fakes.any():
        return table.groupby("label").sample(1, random_state=seed).sample(frac=1, random_state=seed)
    fake = table[fakes].sample(1, random_state=seed)
    real = table[table["videoname"] == original[fake.index[0]]].head(1)
    return pd.concat([fake, real]).sample(frac=1, random_state=seed)


def pairs(table: pd.DataFrame, *, count: int, seed: int) -> pd.DataFrame:
    """Draw some fakes with their originals: one per original, alternating between methods.

    Args:
        table: with ``videoname, label, original, path`` and, where known, ``method``.
        count: largest number of pairs, >= 1.
        seed: of the draw.

    Returns:
        The fakes' rows, sorted by method, with the columns ``real_path``, the original's file, and
        ``kind``: "FAKE" and the method.

    >>> rows = {"videoname": ["a", "b"], "label": ["REAL", "FAKE"], "original": ["", "a"]}
    >>> pairs(pd.DataFrame(rows | {"path": ["a.jpg", "b.jpg"]}), count=3, seed=0)[
    ...     "real_path"
    ... ].item()
    'a.jpg'
    """
    rows = _with_kind(table).assign(original=ties.resolved(table, "original"))
    files = rows[rows["label"] == "REAL"].set_index("videoname")["path"]
    rows = rows.assign(real_path=rows["original"].map(files))
    rows = rows[(rows["label"] == "FAKE") & rows["real_path"].notna()]
    rows = rows.sample(frac=1, random_state=seed).drop_duplicates("original")
    turn = rows.groupby("method").cumcount()
    chosen = rows.iloc[np.argsort(turn.to_numpy(), kind="stable")[:count]]
    return chosen.sort_values("method", kind="stable")


def counterparts(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Look up counterparts: the original of a fake, or the first fake of a real.

    Args:
        rows: some rows of the table.
        table: with ``videoname, label, original, path``.

    Returns:
        One row for each of ``rows``, in their order and with their index: the columns of the
        table, all "" if the table has no counterpart.

    >>> rows = {"videoname": ["a", "b"], "label": ["REAL", "FAKE"], "original": ["", "a"]}
    >>> table = pd.DataFrame(rows | {"path": ["a.jpg", "b.jpg"]})
    >>> counterparts(table, table)["path"].tolist()
    ['b.jpg', 'a.jpg']
    """
    original = ties.resolved(table, "original")
    fakes = table.assign(original=original)[table["label"] == "FAKE"]
    first_fake = fakes.drop_duplicates("original").set_index("original")["videoname"]
    opposite = {**first_fake.to_dict(), **fakes.set_index("videoname")["original"].to_dict()}
    names = rows["videoname"].map(opposite)
    found = table.set_index("videoname", drop=False).reindex(names)
    found.index = rows.index
    return found.astype(object).where(found["videoname"].notna(), "")


def one_class(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Keep one class per family: the original of half of them, the fakes of the others.

    Args:
        table: with ``videoname, label, original``.
        seed: of the draw of the families that keep their original. A fake without an original is
            a family of its own.

    Returns:
        The remaining rows, in their order.

    >>> rows = {"videoname": ["a", "b"], "label": ["REAL", "FAKE"], "original": ["", "a"]}
    >>> len(one_class(pd.DataFrame(rows), seed=0))
    1
    """
    is_fake = table["label"] == "FAKE"
    original = ties.resolved(table, "original")
    family = original.where(is_fake & (original != ""), table["videoname"])
    names = np.array(sorted(family.unique()))
    chosen = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
    return table[family.isin(chosen) != is_fake].reset_index(drop=True)


# ---------------------------------------------------------------- helpers


def _reals(table: pd.DataFrame) -> pd.Series:
    return table.loc[table["label"] == "REAL", "videoname"]


def _with_kind(table: pd.DataFrame) -> pd.DataFrame:
    method = table["method"] if "method" in table else pd.Series("", index=table.index)
    kind = np.where(table["label"] == "FAKE", ("FAKE " + method).str.strip(), "REAL")
    return table.assign(method=method, kind=kind)


def _methods_in_turn(fakes: pd.DataFrame, most: int) -> pd.DataFrame:
    """Keep some fakes of each original: one per method before a second one of any."""
    turn = fakes.groupby(["original", "method"]).cumcount()
    order = fakes.assign(turn=turn).sort_values(["turn", "method"], kind="stable")
    return order.groupby("original").head(most).drop(columns="turn")
