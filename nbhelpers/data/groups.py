"""Which rows show the same people: the groups that a split must keep together."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from nbhelpers.data import ties
from nbhelpers.media.kinds import without_ending

# FaceForensics++ names fakes <target>_<source>, with three-digit numbers: 033_097.mp4.
_FFPP_FAKE = r"(?:^|_)(\d{3})_(\d{3})$"
_FFPP_REAL = r"(?:^|_)(\d{3})$"


def connected_groups(table: pd.DataFrame) -> pd.Series:
    """Return the group of each row, which must stay on one side of a split.

    Rows are tied to their ``original``, their ``source`` and the person they show (``identity``),
    if known, and thus, transitively, to everything tied to those. Names are matched
    as in `ties.Names`, so `a`, `A.MP4` and `train/a.jpg` mean `a.mp4`. A
    FaceForensics++ fake (``..._033_097.mp4``: target 033 with the face of 097) ties both.

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
    ends = [end for tie in _ties(table) for end in tie]
    own = [_file(name) for name in names]
    codes, _ = pd.factorize(np.array(own + [node for _, node in ends], dtype=object))
    left = codes[: len(names)][[row for row, _ in ends]] if ends else np.zeros(0, int)
    size = int(codes.max()) + 1 if len(codes) else 0
    links = coo_array((np.ones(len(ends)), (left, codes[len(names) :])), shape=(size, size))
    component = connected_components(links, directed=False)[1][codes[: len(names)]]
    original = ties.resolved(table, "original").to_numpy()
    leader = pd.Series(np.where(original == "", names, original), index=table.index, dtype="str")
    return leader.groupby(component).transform("min").rename("group")


def _file(name: str) -> str:
    return f"file {without_ending(name)}"


def _ties(table: pd.DataFrame) -> Iterable[list[tuple[int, str]]]:
    """For each kind of tie, pairs of a row's position and the node that it is tied to."""
    names = ties.Names(table["videoname"].astype("str"))
    for column in ("original", "source"):
        references = ties.text_column(table, column)
        nodes = {
            ref: [_file(name) for name in names.matching(ref)] or [f"absent {ties.folded(ref)}"]
            for ref in references.unique()
            if ref
        }
        yield [(row, node) for row, ref in enumerate(references) for node in nodes.get(ref, ())]
    yield _ends("person", ties.text_column(table, "identity"))
    stem = ties.text_column(table, "videoname").map(ties.stem).astype("str")
    fake = ties.text_column(table, "label") == "FAKE"
    pairs = stem.where(fake, "").str.extract(_FFPP_FAKE).fillna("")
    if (pairs != "").any(axis=None):
        reals = stem.where(~fake, "").str.extract(_FFPP_REAL).fillna("")
        for numbers in (pairs[0], pairs[1], reals[0]):
            yield _ends("ff++", numbers)


def _ends(kind: str, values: Iterable[str]) -> list[tuple[int, str]]:
    return [(row, f"{kind} {value}") for row, value in enumerate(values) if value]
