"""The manipulated region of every fake in a table: given as a mask, or computed from its pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from nbhelpers.data import ties
from nbhelpers.explain.masks import PairError, difference_mask
from nbhelpers.media import images


@dataclass(frozen=True)
class Regions:
    """The known manipulated regions.

    Attributes:
        masks: name of a fake -> ``bool (H, W)``, True where it was manipulated.
        refused: name of a fake -> why its region is unknown.
    """

    masks: dict[str, np.ndarray] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def report(self) -> str:
        """Say how many regions are known, and why the others are not."""
        total = len(self.masks) + len(self.refused)
        lines = [f"{len(self.masks)} of {total} regions are known."]
        reasons = pd.Series(self.refused, dtype="str").value_counts()
        return "\n".join(lines + [f"- {count} left out: {why}" for why, count in reasons.items()])


def true_regions(
    fakes: pd.DataFrame, table: pd.DataFrame, *, size: int, given: bool = True
) -> Regions:
    """Find the manipulated region of each fake.

    Args:
        fakes: rows with `videoname`, `path`, `original` and, if the data set has masks,
            `mask_path`.
        table: all rows of the data set, among them the originals.
        size: height and width of the masks, pixels.
        given: whether to use masks of the data set; otherwise every region is computed.

    Returns:
        The regions. A pair is refused instead of guessed if its original is not among the files or
        `difference_mask` refuses it.
    """
    originals = table.set_index("videoname")["path"]
    named = ties.resolved(table, "original")
    names = dict(zip(table["videoname"], named, strict=True))
    known = Regions()
    for row in fakes.itertuples():
        try:
            known.masks[row.videoname] = _region(
                row, originals.get(names.get(row.videoname, "")), size=size, given=given
            )
        except PairError as error:
            known.refused[row.videoname] = str(error).split(";")[0]
    return known


def agreement(fakes: pd.DataFrame, table: pd.DataFrame, *, size: int) -> np.ndarray:
    """Compute the regions of fakes that have masks from their pairs, and compare the two.

    Args:
        fakes: as for `true_regions`; those without a mask of their own are left out.
        table: all rows of the data set.
        size: height and width of the masks, pixels.

    Returns:
        Intersection over union of each pair that was not refused, ``float64 (N,)`` in [0, 1];
        empty if the data set has no masks.
    """
    fakes = fakes[fakes["mask_path"] != ""]
    given, worked_out = (
        true_regions(fakes, table, size=size, given=given).masks for given in (True, False)
    )
    return overlaps(given, worked_out)


def overlaps(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compare two regions per fake.

    Args:
        first: name -> ``bool (H, W)``, not empty.
        second: the same; names in only one of the two are left out.

    Returns:
        Intersection over union, ``float64 (N,)`` in [0, 1], in the order of `first`.

    >>> one = {"a": np.array([[True, True, False]])}
    >>> overlaps(one, {"a": np.array([[False, True, True]])}).round(2).tolist()
    [0.33]
    """
    return np.array(
        [
            (mask & second[name]).sum() / (mask | second[name]).sum()
            for name, mask in first.items()
            if name in second
        ]
    )


def _region(row, original: str | None, *, size: int, given: bool) -> np.ndarray:
    """Return one region; raise PairError if it is unknown."""
    if given and getattr(row, "mask_path", ""):
        mask = images.read_mask(row.mask_path, size=size)
        if not mask.any():
            raise PairError("the given mask is empty")
        return mask
    if original is None:
        raise PairError("the original is not among the files")
    return difference_mask(*(images.read_image(path, size=size) for path in (row.path, original)))
