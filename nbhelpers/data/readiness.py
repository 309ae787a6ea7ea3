"""Requirements of the notebooks that a data set does not meet, checked before they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from nbhelpers.data import splits
from nbhelpers.data.labels import LABELS
from nbhelpers.data.layouts import FACES

# The notebooks' own defaults; a test checks that they equal the parameters cells.
SEED = 42
PER_CLASS = 8000
FACE_FRACTIONS = CLIP_FRACTIONS = (0.6, 0.15, 0.25)
_NEEDED_TO_SHOW = {"02": 6, "03": 5}  # training pictures per class that a figure draws


@dataclass(frozen=True)
class Stumble:
    """An obstacle for notebooks in a data set.

    Attributes:
        notebooks: their numbers, sorted.
        detail: what is missing, as one or two sentences.
    """

    notebooks: tuple[str, ...]
    detail: str


def stumbles(table: pd.DataFrame, name: str) -> list[Stumble]:
    """Try the quick steps that the notebooks will do with a table.

    Args:
        table: from ``manifest.read``.
        name: ``locate.FACES`` or ``locate.VIDEOS``.

    Returns:
        What would stop them, or make them do something other than they teach.
    """
    by_detail: dict[str, list[str]] = {}
    for notebook, detail in _tried(table, of_faces=name == FACES):
        by_detail.setdefault(detail, []).append(notebook)
    return [Stumble(tuple(sorted(numbers)), detail) for detail, numbers in by_detail.items()]


def _tried(table: pd.DataFrame, *, of_faces: bool) -> Iterator[tuple[str, str]]:
    """Yield pairs of a notebook's number and what is missing for it."""
    absent = [label for label in LABELS if not (table["label"] == label).any()]
    every = ("01", "02", "03", "04") if of_faces else ("05", "06")
    if absent:
        detail = f"there is no {absent[0]}, so there are no two classes to tell apart; they stop"
        yield from ((number, detail) for number in every)
        return
    balanced = {"per_class": PER_CLASS, "fractions": FACE_FRACTIONS}
    ways: dict[str, Callable[[], pd.DataFrame]] = {}
    for number in every:
        options = {"fractions": CLIP_FRACTIONS} if number == "06" else {}
        cut = splits.group_split
        if number in ("01", "02", "03"):
            cut, options = splits.balanced_split, balanced
        ways[number] = lambda cut=cut, options=options: cut(table, seed=SEED, **options)
    for number, way in ways.items():
        try:
            rows = way()
        except ValueError as error:
            yield number, f"no split, and they stop. {error}"
            continue
        train = rows.loc[rows["split"] == "train", "label"].value_counts()
        if train.min() < _NEEDED_TO_SHOW.get(number, 0):
            detail = f"only {train.min()} training pictures of a class; they stop at a figure"
            yield number, detail
    yield from _without_families(table, every, of_faces=of_faces)


def _without_families(
    table: pd.DataFrame, every: tuple[str, ...], *, of_faces: bool
) -> Iterator[tuple[str, str]]:
    fakes = table[table["label"] == "FAKE"]
    unnamed = int((fakes["original"] == "").sum())
    if unnamed:
        detail = (
            f"{unnamed} of {len(fakes)} fakes name no original: who shares a face is not known, "
            "and a split by group cannot keep them apart; scores may be too good"
        )
        yield from ((number, detail) for number in every)
    reals = set(table.loc[table["label"] == "REAL", "videoname"])
    if of_faces and not fakes["original"].isin(reals).any():
        detail = (
            "no fake has its original among the reals: batches hold as many reals as fakes, but "
            "at random, not each real beside a fake of it"
        )
        yield from ((number, detail) for number in ("02", "03"))
