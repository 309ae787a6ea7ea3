"""Matching names between rows: `a`, `A.MP4`, `a.jpg` and `train/a.mp4` all mean `a.mp4`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

import pandas as pd

from nbhelpers.media.kinds import without_ending

_ANY_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{2,3}$")


def stem(name: str) -> str:
    """Return a name without folder and suffix, by which files are matched.

    >>> stem("train/a.mp4")
    'a'
    """
    return without_ending(name.replace("\\", "/").rpartition("/")[2])


def text_column(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a text column with "" for missing or unknown values."""
    if column not in table:
        return pd.Series("", index=table.index, dtype="str")
    return table[column].astype("object").where(table[column].notna(), "").astype("str")


def folded(name: str) -> str:
    """Return a stem in lower case, with normalised accents."""
    return unicodedata.normalize("NFC", stem(name)).casefold()


def _bare(name: str) -> str:
    return _ANY_ENDING.sub("", folded(name))


#: From the strictest reading of a name to the loosest: the first match counts.
_READINGS: tuple[Callable[[str], str], ...] = (str, without_ending, stem, folded, _bare)


class Names:
    """The names of rows or files, matched in whatever form another row writes them.

    >>> Names(["a.mp4", "b.mp4"]).matching("train/A.jpg")
    ['a.mp4']
    """

    def __init__(self, names: Iterable[str], *, loose: bool = True):
        """Index the names; `loose` also ignores suffixes other than those of pictures and clips."""
        self._names = list(dict.fromkeys(names))
        self._readings = _READINGS if loose else _READINGS[:-1]
        self._by_reading: list[dict[str, list[str]]] = [{name: [name] for name in self._names}]

    def matching(self, reference: str) -> list[str]:
        """Return the names that a reference may mean: none, one, or several similar ones."""
        for number, reading in enumerate(self._readings):
            if number == len(self._by_reading):  # most data sets need only the first
                self._by_reading.append(self._index(reading))
            if matches := self._by_reading[number].get(reading(reference)):
                return matches
        return []

    def resolve(self, reference: str) -> str:
        """Return the one name that a reference means, the first of several; "" for none."""
        return min(self.matching(reference), default="") if reference else ""

    def _index(self, reading: Callable[[str], str]) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for name in self._names:
            index.setdefault(reading(name), []).append(name)
        return index


def resolved(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of references as the videonames of the rows that they refer to.

    Args:
        table: with ``videoname`` and, where known, the column.
        column: ``original`` or ``source``.

    Returns:
        str (N,), indexed as the table; "" where there is none. A reference that matches no
        row is unchanged; of several spellings of one absent file, the alphabetically first is used.
    """
    references = text_column(table, column)
    names = Names(table["videoname"].astype("str"))
    meant = {ref: names.resolve(ref) for ref in references.unique()}
    # Two spellings of an absent file mean the same file, so that siblings stay siblings.
    absent: dict[str, str] = {}
    for ref in sorted(ref for ref, name in meant.items() if ref and not name):
        meant[ref] = absent.setdefault(folded(ref), ref)
    return references.map(meant).astype("str")
