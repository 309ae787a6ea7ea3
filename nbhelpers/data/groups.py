"""Which rows show the same people: the groups that no split may tear apart."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

# FaceForensics++ names a fake <target>_<source> by numbers of three digits: 033_097.mp4.
_FFPP_FAKE = r"(?:^|_)(\d{3})_(\d{3})$"
_FFPP_REAL = r"(?:^|_)(\d{3})$"


def connected_groups(table: pd.DataFrame) -> pd.Series:
    """Name the group of rows that must stay on one side of a split.

    Rows are tied to their ``original``, their ``source`` and the person they show (``identity``),
    where these are known, and so, link by link, to everything tied to those. A fake of
    FaceForensics++ (``..._033_097.mp4``: target 033 with the face of 097) ties both.

    Args:
        table: with ``videoname`` and, where known, ``label, original, source, identity``.

    Returns:
        str (N,), indexed as ``table``: the alphabetically first file among the group's originals.
        It does not depend on the order of the rows.

    >>> rows = {"videoname": ["a.mp4", "b.mp4", "c.mp4"], "original": ["", "a.mp4", ""]}
    >>> connected_groups(pd.DataFrame(rows)).tolist()
    ['a.mp4', 'a.mp4', 'c.mp4']
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = table["videoname"].astype(str).to_numpy()
    ends = [end for column in _ties(table) for end in zip(range(len(names)), column, strict=True)]
    ends = [(row, node) for row, node in ends if node]
    own = [f"file {name}" for name in names]
    codes, _ = pd.factorize(np.array(own + [node for _, node in ends], dtype=object))
    left = codes[: len(names)][[row for row, _ in ends]] if ends else np.zeros(0, int)
    size = int(codes.max()) + 1 if len(codes) else 0
    links = coo_array((np.ones(len(ends)), (left, codes[len(names) :])), shape=(size, size))
    component = connected_components(links, directed=False)[1][codes[: len(names)]]
    original = _text(table, "original").to_numpy()
    leader = pd.Series(np.where(original == "", names, original), index=table.index, dtype="str")
    return leader.groupby(component).transform("min").rename("group")


def _ties(table: pd.DataFrame) -> Iterable[list[str]]:
    """For each kind of tie, the node every row is tied to ("" for none)."""
    for column in ("original", "source"):
        yield [f"file {name}" if name else "" for name in _text(table, column)]
    yield [f"person {name}" if name else "" for name in _text(table, "identity")]
    stem = _text(table, "videoname").str.replace(r"\.[^.]*$", "", regex=True)
    fake = _text(table, "label") == "FAKE"
    pairs = stem.where(fake, "").str.extract(_FFPP_FAKE).fillna("")
    if (pairs != "").any(axis=None):
        reals = stem.where(~fake, "").str.extract(_FFPP_REAL).fillna("")
        for numbers in (pairs[0], pairs[1], reals[0]):
            yield [f"ff++ {number}" if number else "" for number in numbers]


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    """A text column with "" where it is missing or not known."""
    if column not in table:
        return pd.Series("", index=table.index, dtype="str")
    return table[column].astype("object").where(table[column].notna(), "").astype("str")
