"""Clips -> feature sequences: each clip is opened once, and encoded in batches."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nbhelpers.common import threads
from nbhelpers.features.choices import Choice
from nbhelpers.features.encoders import Encoder
from nbhelpers.features.store import Sequence, Store, StoreError
from nbhelpers.media import faces, video

logger = logging.getLogger(__name__)
REPORT = ["videoname", "readable", "reason", "frames", "crop", "faces_found", "from_store"]
_LOOKAHEAD = 2  # clips decoded ahead of the encoder
_ENCODED_AT_ONCE = 2  # clips in the network
_EXPECTED = (video.VideoError, OSError)  # errors of an unreadable clip


@dataclass(frozen=True)
class Features:
    """Feature sequences of the clips that could be read.

    Attributes:
        values: float32 (N, T, D); zero where `mask` is False.
        mask: bool (N, T); True for frames of the clip, False for padding after a short clip.
        table: the N rows the sequences belong to, in order.
        report: one row per requested clip, readable or not: `REPORT`.
    """

    values: np.ndarray
    mask: np.ndarray
    table: pd.DataFrame
    report: pd.DataFrame

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """`values` and `mask`, the two inputs of a sequence network."""
        return self.values, self.mask

    @property
    def left_out(self) -> list[dict[str, str]]:
        """``videoname`` and ``reason`` of the clips that could not be read."""
        rows = self.report.loc[~self.report["readable"], ["videoname", "reason"]]
        return rows.to_dict("records")

    @property
    def note(self) -> str:
        """Summary, one fact per line; clips left out are named with the reason."""
        clips, frames, dim = self.values.shape
        return "\n".join(
            [
                f"{clips} of {len(self.report)} clips: {frames} frames of {dim} numbers each",
                f"{(~self.mask).sum()} of {self.mask.size} frames are padding",
                *(f"left out: {row['videoname']}: {row['reason']}" for row in self.left_out),
            ]
        )


def extract(
    table: pd.DataFrame,
    encoder: Encoder,
    *,
    frames: int,
    how: str = "even",
    crop: str = "face",
    margin: float = faces.MARGIN,
    store: str | os.PathLike | None = None,
    progress: bool = False,
) -> Features:
    """Turn clips into feature sequences: `extract_all` with one `Choice`.

    Args:
        table: columns `videoname` and `path`; others are carried along.
        encoder: as in `Choice`.
        frames: as in `Choice`.
        how: as in `Choice`.
        crop: as in `Choice`.
        margin: as in `Choice`.
        store: folder of the feature files; None stores nothing.
        progress: show a progress bar.

    Returns:
        `Features` of the readable clips; the report names the others with the reason.

    Raises:
        ValueError: unknown choice, or no rows.
        VideoError: not one clip could be read.
    """
    choice = Choice(encoder, frames, how, crop, margin)
    return extract_all(table, {"": choice}, store=store, progress=progress)[""]


def extract_all(
    table: pd.DataFrame,
    choices: Mapping[str, Choice],
    *,
    store: str | os.PathLike | None = None,
    progress: bool = False,
) -> dict[str, Features]:
    """Turn clips into feature sequences in several ways, taking what is stored from the store.

    Each clip is opened once per way to choose frames, its faces are located once, and encoders
    with the same picture size share the pictures. While the encoders work on two clips, the next
    are decoded. However many and however long the clips are, memory holds only the chosen frames
    of one clip and the crops of four.

    Args:
        table: columns `videoname` and `path`; others are carried along.
        choices: name -> what to compute; at least one.
        store: folder of the feature files; None stores nothing.
        progress: show a progress bar.

    Returns:
        name -> `Features`, all for the same clips in the same order: a clip that is unreadable for
        one choice is left out of all. The reports name such clips with the reason.

    Raises:
        ValueError: no choices or no rows.
        VideoError: not one clip could be read.
    """
    if table.empty or not choices:
        raise ValueError(
            "Expected at least one clip and one choice; received a table "
            + (f"of {len(table)} clips and no choices." if len(table) else "without rows.")
        )
    shelf = Store(store)
    sequences: dict[str, list[np.ndarray]] = {name: [] for name in choices}
    reports: dict[str, list[dict]] = {name: [] for name in choices}
    for ready, rows in _with_bar(_clips(table, choices, shelf), len(table), progress):
        for name, sequence in ready.items():
            sequences[name].append(sequence.values)
        for name, row in rows.items():
            reports[name].append(row)
    return {
        name: _features(table, sequences[name], reports[name], choice.frames)
        for name, choice in choices.items()
    }


def fill(
    table: pd.DataFrame,
    choice: Choice,
    *,
    store: str | os.PathLike,
    keep_going: bool = False,
) -> Iterator[dict]:
    """Write the features of clips into a store without keeping them in memory.

    Stored features are not computed again. They are the same as those of `extract_all`, which
    will use them.

    Args:
        table: columns `videoname` and `path`.
        choice: what to compute.
        store: folder of the feature files.
        keep_going: an unexpected error (neither a `VideoError` nor an `OSError`) marks its clip as
            unreadable instead of ending the work.

    Yields:
        One row of the report per clip, in order: `REPORT`.

    Raises:
        StoreError: the store cannot be written.
    """
    choices, shelf = {"": choice}, Store(store)
    for _, rows in _clips(table, choices, shelf, keep_going=keep_going):
        yield rows[""]


def mean_over_frames(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Average the feature vectors of each clip, ignoring padding.

    Args:
        values: float32 (N, T, D).
        mask: bool (N, T), at least one True per row.

    Returns:
        float32 (N, D).

    Example:
        >>> values = np.array([[[2.0], [4.0], [0.0]]])
        >>> mean_over_frames(values, np.array([[True, True, False]]))
        array([[3.]])
    """
    weight = mask[..., None].astype(values.dtype)
    return (values * weight).sum(axis=1) / weight.sum(axis=1)


def same_as_nearest(vectors: np.ndarray, names: ArrayLike) -> tuple[float, float]:
    """Measure how often the nearest clip has the same name, of a person or a class.

    Args:
        vectors: float (N, D), N >= 2; nearness is the cosine of the centred vectors.
        names: (N,) names.

    Returns:
        The share of clips whose nearest clip has the same name, and the share expected by chance.

    Example:
        >>> vectors = np.array([[0.0, 1], [0.1, 1], [1, 0], [1, 0.1]])
        >>> same_as_nearest(vectors, list("aabb"))
        (1.0, 0.3333333333333333)
    """
    names = np.asarray(names)
    centred = vectors - vectors.mean(axis=0)
    centred = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    likeness = centred @ centred.T
    np.fill_diagonal(likeness, -np.inf)
    same = names[likeness.argmax(axis=1)] == names
    others = (names[:, None] == names).sum(axis=1) - 1
    return float(same.mean()), float(others.mean() / (len(names) - 1))


# ---------------------------------------------------------------- pixels, one clip ahead


#: keys, stored features and pictures of a clip, and its problem
_Prepared = tuple[dict, "dict[str, Sequence | None]", dict, str]


def _prepare(
    path: str,
    choices: Mapping[str, Choice],
    shelf: Store,
    expected: tuple[type[Exception], ...],
) -> _Prepared:
    """Return a clip's keys, stored features, pictures for missing features, and problem."""
    try:
        keys = shelf.keys(path, choices)
        stored = {name: shelf.get(key) for name, key in keys.items()}
        missing = [choice for name, choice in choices.items() if stored[name] is None]
        return keys, stored, _pictures(path, {choice.pictures for choice in missing}), ""
    except expected as error:
        return _unreadable(error)


def _unreadable(error: Exception) -> _Prepared:
    problem = str(error) if isinstance(error, _EXPECTED) else f"{type(error).__name__}: {error}"
    return {}, {}, {}, problem


def _finish(
    videoname: str, prepared: _Prepared, choices: Mapping[str, Choice], shelf: Store
) -> tuple[dict[str, Sequence], dict[str, dict]]:
    """Return, for each choice, the features of a clip, now stored, and its row of the report."""
    keys, stored, pictures, problem = prepared
    if problem:
        logger.warning("%s is left out: %s", videoname, problem)
    row = {"videoname": videoname, "readable": not problem, "reason": problem}
    if problem:
        return {}, {name: dict(row) for name in choices}
    sequences, rows = {}, {}
    for name, choice in choices.items():
        sequences[name] = stored[name]
        if sequences[name] is None:
            pixels, facts = pictures[choice.pictures]
            sequences[name] = Sequence(choice.encoder.predict(pixels), facts)
            shelf.put(keys[name], sequences[name])
        rows[name] = row | {"from_store": stored[name] is not None} | sequences[name].facts
    return sequences, rows


def _pictures(path: str, wanted: set[tuple]) -> dict[tuple, tuple[np.ndarray, dict]]:
    """Return, for each `Choice.pictures`, uint8 (t, size, size, 3) of one clip, and facts."""
    pictures = {}
    for frames, how in sorted({one[:2] for one in wanted}):
        group = [one for one in wanted if one[:2] == (frames, how)]
        if len(group) == 1 and group[0][2] == "centre":  # never holds whole frames
            cut = _centre_cutter(group[0][-1])
            pixels = video.read_frames(path, count=frames, how=how, transform=cut).pixels
            pictures[group[0]] = pixels, _centre_facts(pixels)
            continue
        clip = video.read_frames(path, count=frames, how=how)
        wants_faces = any(one[2] == "face" for one in group)
        track = faces.track_face(clip, turned=True) if wants_faces else None
        for one in group:
            _, _, crop, margin, size = one
            if crop == "centre":
                pixels = video.centre_square(clip.pixels, size=size)
                pictures[one] = pixels, _centre_facts(pixels)
            else:
                pixels, seen = faces.crop_faces(clip, size=size, margin=margin, track=track)
                facts = {"frames": len(clip), "crop": seen.crop, "faces_found": seen.found}
                pictures[one] = pixels, facts
    return pictures


def _centre_cutter(size: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda frame: video.centre_square(frame, size=size)


def _centre_facts(pixels: np.ndarray) -> dict:
    return {"frames": len(pixels), "crop": "centre", "faces_found": None}


def _clips(
    table: pd.DataFrame,
    choices: Mapping[str, Choice],
    shelf: Store,
    *,
    keep_going: bool = False,
) -> Iterator[tuple[dict[str, Sequence], dict[str, dict]]]:
    """Yield `_finish` of each clip, in order; clips are decoded and encoded ahead."""

    def prepare(path):
        return _prepare(path, choices, shelf, (Exception,) if keep_going else _EXPECTED)

    def finish(clip):
        videoname, prepared = clip
        try:
            return _finish(videoname, prepared, choices, shelf)
        except StoreError:
            raise
        except Exception as error:
            if not keep_going:
                raise
            return _finish(videoname, _unreadable(error), choices, shelf)

    prepared = threads.in_order(prepare, table["path"], workers=1, ahead=_LOOKAHEAD)
    clips = zip(table["videoname"], prepared, strict=True)
    return threads.in_order(finish, clips, workers=_ENCODED_AT_ONCE, ahead=_ENCODED_AT_ONCE - 1)


def _with_bar(clips: Iterator[tuple], total: int, progress: bool) -> Iterator[tuple]:
    if not progress:
        return clips
    from tqdm.auto import tqdm

    return tqdm(clips, total=total, desc="clips", unit="clip", leave=False)


def _features(
    table: pd.DataFrame, sequences: list[np.ndarray], rows: list[dict], frames: int
) -> Features:
    report = pd.DataFrame(rows, columns=REPORT)
    report = report.astype({"frames": "Int64", "faces_found": "Int64", "from_store": "boolean"})
    if not sequences:
        raise video.VideoError(
            f"Expected at least one readable clip; received {len(table)} that are not, the first: "
            f"{report['reason'][0]}"
        )
    values, mask = _pad(sequences, frames)
    readable = table[report["readable"].to_numpy(dtype=bool)].reset_index(drop=True)
    return Features(values, mask, readable, report)


def _pad(sequences: list[np.ndarray], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Stack sequences (t, D), t <= frames, into values (N, frames, D) and mask (N, frames)."""
    values = np.zeros((len(sequences), frames, sequences[0].shape[1]), np.float32)
    mask = np.zeros(values.shape[:2], bool)
    for row, sequence in enumerate(sequences):
        values[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = True
    return values, mask
