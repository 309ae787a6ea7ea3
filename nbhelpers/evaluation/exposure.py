"""People whom an encoder has seen: clips tied to a detector's training data."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.data import locate, manifest, ties
from nbhelpers.data.groups import connected_groups

logger = logging.getLogger(__name__)

# ---------------------------------------------------------------- clips seen in training


@dataclass(frozen=True)
class Exposure:
    """What an encoder may know of the clips from its own training.

    Attributes:
        seen: bool (N,), True where a clip is tied to a picture used in training or choosing the
            encoder.
        certain: whether False means unseen; otherwise it means unknown, as people are not named.
        note: one sentence for the reader.
    """

    seen: np.ndarray
    certain: bool
    note: str


def face_tables(*data_dirs: str | os.PathLike) -> list[pd.DataFrame]:
    """Read the tables of face pictures that a detector may have been trained on.

    Args:
        *data_dirs: as for `locate.find`; places without such a data set are skipped.

    Returns:
        The tables, in order.
    """
    tables = []
    for place in data_dirs:
        try:
            tables.append(manifest.read(locate.find(locate.FACES, place), verify="none").table)
        except (FileNotFoundError, manifest.DatasetError) as error:
            logger.info("No face pictures in %r: %s", place, error)
    return tables


def exposure(
    clips: pd.DataFrame, detector_file: str | os.PathLike, *, pictures: Sequence[pd.DataFrame]
) -> Exposure:
    """Find the clips whose people, or whose originals, a detector was trained on.

    Args:
        clips: from `manifest.read`, with `videoname` and, as far as known, `original, source,
            identity`.
        detector_file: the `.keras` file; its training split is beside it, as `.split.csv` with
            columns `videoname, split`.
        pictures: tables of pictures, from `face_tables`; the first one that contains all training
            pictures is used.

    Returns:
        An `Exposure`. Rows of train and validation count as seen; a clip is tied to them by name,
        original, source or identity, link by link, as in `groups.connected_groups`.
    """
    nobody = np.zeros(len(clips), bool)
    split_file = Path(detector_file).with_suffix(".split.csv")
    if not split_file.is_file():
        note = "There is no split file beside the detector: whom it was trained on is unknown."
        return Exposure(nobody, False, note)
    split = pd.read_csv(split_file, dtype="str", keep_default_na=False)
    trained = set(split.loc[split["split"].isin(["train", "validation"]), "videoname"])
    known = next((one for one in pictures if trained <= set(one["videoname"])), None)
    at_hand = known is not None
    if not at_hand:
        known = pd.DataFrame({"videoname": sorted(trained)})  # names alone may still match
    columns = ["videoname", "label", "original", "source", "identity"]
    both = pd.concat([frame.reindex(columns=columns) for frame in (known, clips)])
    both["videoname"] = both["videoname"].map(ties.stem)  # x.jpg in a folder is of x.mp4
    groups = connected_groups(both.reset_index(drop=True))
    of_pictures, of_clips = groups.iloc[: len(known)], groups.iloc[len(known) :]
    seen = of_clips.isin(of_pictures[known["videoname"].isin(trained).to_numpy()]).to_numpy()
    named = [(_identities(frame) != "").all() for frame in (known, clips)]
    certain = all(named)
    count = f"{seen.sum()} of {len(clips)} clips"
    if certain:
        note = f"{count} show people whom the detector was trained on."
    elif at_hand:
        note = (
            f"{count} share an original with the detector's training pictures. "
            "People are not named, so some may be shared unnoticed."
        )
    else:
        note = (
            f"{count} are named in the detector's training split. Its pictures are not available, "
            "so more may be shared unnoticed."
        )
    return Exposure(seen, certain, note)


# ---------------------------------------------------------------- helpers


def _identities(table: pd.DataFrame) -> pd.Series:
    empty = pd.Series("", index=table.index)
    return table["identity"].fillna("") if "identity" in table else empty
