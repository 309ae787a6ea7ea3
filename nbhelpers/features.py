"""Frames to feature vectors: an encoder, one batched pass, and a store so that it happens once.

The store holds one file a clip, written in one step, named by a digest of everything that its
content depends on: the clip's bytes, the frame choice, the crop and the encoder's weights. A
changed parameter therefore never meets old features, and an interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.common import files, threads
from nbhelpers.media import faces, video
from nbhelpers.networks import inference, loading, weights

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

ENCODERS = ("auto", "InceptionV3", "Xception", "detector")
CROPS = ("face", "centre")
REPORT = ["videoname", "readable", "reason", "frames", "crop", "faces_found", "from_store"]
_VERSION = 3  # raise it whenever the same choice would give other pixels or other features
_AT_ONCE = 32  # pictures in one call of the network; bounds its memory
_LOOKAHEAD = 2  # clips decoded ahead of the encoder
_ENCODED_AT_ONCE = 2  # clips in the network
_MAKING = threading.Lock()  # one thread makes the network for inference, the others wait
_EXPECTED = (video.VideoError, OSError)  # what a clip that cannot be read raises


class StoreError(OSError):
    """The feature store cannot be written."""


@dataclass(frozen=True)
class Encoder:
    """A network that turns a picture into a vector.

    Attributes:
        name: "InceptionV3", "Xception" or "detector".
        image_size: height and width of its input, pixels.
        dim: length of the vector.
        digest: SHA-256 of the weights and all else that the vectors depend on.
        origin: where the weights came from, one phrase.
        is_random: whether the weights are random, so that the vectors mean little.
    """

    name: str
    image_size: int
    dim: int
    digest: str
    origin: str
    is_random: bool
    network: keras.Model = field(repr=False)

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """Encode pictures, at most 32 at a time.

        Args:
            batch: uint8 or float32 (B, image_size, image_size, 3) RGB 0-255, B >= 1.

        Returns:
            float32 (B, dim).
        """
        parts = [batch[start : start + _AT_ONCE] for start in range(0, len(batch), _AT_ONCE)]
        return np.concatenate(
            [self._inference.predict_on_batch(np.asarray(part, np.float32)) for part in parts]
        )

    @property
    def _inference(self) -> keras.Model:
        with _MAKING:
            return self._folded

    @cached_property
    def _folded(self) -> keras.Model:
        """The network as it is fastest; made at the first call."""
        folded = inference.folded(self.network)
        folded.make_predict_function()
        return folded

    def describe(self) -> dict[str, str | int | bool]:
        """Return the facts that a results file keeps."""
        names = ("name", "image_size", "dim", "digest", "origin", "is_random")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Features:
    """Feature sequences of the clips that could be read.

    Attributes:
        values: float32 (N, T, D); zero where `mask` is False.
        mask: bool (N, T); True for frames of the clip, False for padding behind a short clip.
        table: the N rows the sequences belong to, in order.
        report: one row for every clip asked for, readable or not: `REPORT`.
    """

    values: np.ndarray
    mask: np.ndarray
    table: pd.DataFrame
    report: pd.DataFrame

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """`values` and `mask`, the two inputs of a sequence network."""
        return self.values, self.mask


def load_encoder(
    name: str = "auto",
    *,
    image_size: int = 224,
    weights_mode: str = "auto",
    model_path: str | os.PathLike = "",
    layer: str = "",
) -> Encoder:
    """Load a frame encoder.

    Args:
        name: "InceptionV3" (the article's) or "Xception", with ImageNet weights; "auto" for
            InceptionV3 where its weights can be had, else Xception; "detector" for the model
            file at `model_path`; or the path of a `.keras` file itself.
        image_size: input size of the ImageNet networks, pixels, >= 75; a detector has its own.
        weights_mode: "auto", "imagenet" or "none", see `nbhelpers.networks.weights.imagenet`.
        model_path: a detector with a global average pooling layer, as notebook 03 saves it.
        layer: of a detector, the layer whose output is averaged over the picture; "" is the one
            that its own pooling takes, the last. Middle layers tell textures, late ones tell what
            the detector made of them for its own data.

    Returns:
        The encoder; `is_random` tells whether no pretrained weights could be had.

    Raises:
        ValueError: unknown name, or the detector has no global average pooling layer, or no
            `layer` of that name with an output (B, H, W, C).
        FileNotFoundError: there is no file at `model_path`.
        WeightsError: `weights_mode` insists on weights that cannot be had.
    """
    if name.endswith(".keras"):
        name, model_path = "detector", name
    if name not in ENCODERS:
        raise ValueError(
            f"Expected ENCODER to be one of {ENCODERS} or a .keras file; received {name!r}."
        )
    if name == "detector":
        return _detector(Path(model_path), layer)
    if name == "auto":
        try:
            insist = "none" if weights_mode == "none" else "imagenet"
            return _imagenet_encoder(weights.imagenet("InceptionV3", mode=insist), image_size)
        except weights.WeightsError as error:
            logger.info("InceptionV3's weights cannot be had, taking Xception: %s", error)
            name = "Xception"
    return _imagenet_encoder(weights.imagenet(name, mode=weights_mode), image_size)


@dataclass(frozen=True)
class Choice:
    """What the features of a clip are made of.

    Attributes:
        encoder: from `load_encoder`, or anything with its `image_size, dim, digest, predict`.
        frames: frames a clip, >= 1; a shorter clip is padded and its padding masked.
        how: "even" or "first", see `nbhelpers.media.video.frame_indices`.
        crop: "face" (`nbhelpers.media.faces.crop_faces`) or "centre" (the article's square).
        margin: around a face, see `nbhelpers.media.faces.crop_faces`.

    Raises:
        ValueError: unknown `how` or `crop`, or `frames` below 1.
    """

    encoder: Encoder
    frames: int
    how: str = "even"
    crop: str = "face"
    margin: float = faces.MARGIN

    def __post_init__(self):
        video.frame_indices(1, self.frames, how=self.how)
        if self.crop not in CROPS:
            raise ValueError(f"Expected CROP to be one of {CROPS}; received {self.crop!r}.")

    @property
    def pictures(self) -> tuple:
        """What the pictures depend on; choices that share it share the pictures."""
        margin = self.margin if self.crop == "face" else None
        return self.frames, self.how, self.crop, margin, self.encoder.image_size


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
        encoder: as in `Choice`, and so `frames`, `how`, `crop` and `margin`.
        frames: see there.
        how: see there.
        crop: see there.
        margin: see there.
        store: folder of the feature files; None keeps nothing.
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

    Each clip is opened once for each way to choose frames, its faces are looked for once, and
    encoders of one picture size share the pictures. While the encoders work on two clips, the next
    are decoded. At any time the pixels of one clip's chosen frames and the crops of four clips are
    in memory, however many and however long the clips are.

    Args:
        table: columns `videoname` and `path`; others are carried along.
        choices: name -> what to make; at least one.
        store: folder of the feature files; None keeps nothing.
        progress: show a progress bar.

    Returns:
        name -> `Features`, all of the same clips in the same order: a clip that is unreadable for
        one choice is left out of all. The reports name those with the reason.

    Raises:
        ValueError: no choices or no rows.
        VideoError: not one clip could be read.
    """
    if table.empty or not choices:
        raise ValueError(
            "Expected at least one clip and one choice; received a table "
            + (f"of {len(table)} clips and no choices." if len(table) else "without rows.")
        )
    shelf = _Store(store)
    sequences: dict[str, list[np.ndarray]] = {name: [] for name in choices}
    reports: dict[str, list[dict]] = {name: [] for name in choices}
    for made, rows in _with_bar(_clips(table, choices, shelf), len(table), progress):
        for name, ready in made.items():
            sequences[name].append(ready.values)
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
    """Put the features of clips into a store, and keep nothing of them in memory.

    What is stored already is not made again. What is put there is what `extract_all` would put
    there, and what it will find.

    Args:
        table: columns `videoname` and `path`.
        choice: what to make.
        store: folder of the feature files.
        keep_going: an error that no clip should cause (not a `VideoError`, not an `OSError`) makes
            its clip unreadable instead of ending the work.

    Yields:
        One row of the report a clip, in order: `REPORT`.

    Raises:
        StoreError: the store cannot be written.
    """
    choices, shelf = {"": choice}, _Store(store)
    for _, rows in _clips(table, choices, shelf, keep_going=keep_going):
        yield rows[""]


def mean_over_frames(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Average the feature vectors of each clip, padding left out.

    Args:
        values: float32 (N, T, D).
        mask: bool (N, T), at least one True a row.

    Returns:
        float32 (N, D).

    Example:
        >>> values = np.array([[[2.0], [4.0], [0.0]]])
        >>> mean_over_frames(values, np.array([[True, True, False]]))
        array([[3.]])
    """
    weight = mask[..., None].astype(values.dtype)
    return (values * weight).sum(axis=1) / weight.sum(axis=1)


# ---------------------------------------------------------------- encoders


def _imagenet_encoder(found: weights.PretrainedWeights, image_size: int) -> Encoder:
    import keras
    from keras import layers

    inputs = layers.Input((image_size, image_size, 3))
    scaled = layers.Rescaling(1 / 127.5, offset=-1)(inputs)  # both networks expect [-1, 1]
    build = getattr(keras.applications, found.architecture)
    base = build(include_top=False, weights=None, input_tensor=scaled)
    if not found.is_random:
        base.set_weights(found.values)
    pooled = layers.GlobalAveragePooling2D()(base.output)
    network = keras.Model(inputs, pooled, name=f"{found.architecture.lower()}_encoder")
    return _encoder(found.architecture, network, found.origin, is_random=found.is_random)


def _detector(path: Path, layer: str) -> Encoder:
    import keras

    model = loading.load_detector(path)
    pooling = [x for x in model.layers if isinstance(x, keras.layers.GlobalAveragePooling2D)]
    maps = [x.name for x in model.layers if len(getattr(x.output, "shape", ())) == 4]
    if not layer and not pooling:
        raise ValueError(
            f"Expected a detector with a GlobalAveragePooling2D layer; received {path.name} with "
            f"{len(model.layers)} layers and none of it. Save the model of notebook 03."
        )
    if layer and layer not in maps:
        raise ValueError(
            f"Expected a layer of {path.name} with an output (B, H, W, C); received {layer!r}. "
            f"It has {', '.join(maps[-5:])} and {max(0, len(maps) - 5)} more."
        )
    if layer:
        output = keras.layers.GlobalAveragePooling2D()(model.get_layer(layer).output)
    else:
        output = pooling[-1].output
    network = keras.Model(model.inputs, output, name="detector_encoder")
    origin = f"model file {path.name}" + (f", layer {layer}" if layer else "")
    return _encoder("detector", network, origin, is_random=False)


def _encoder(name: str, network: keras.Model, origin: str, *, is_random: bool) -> Encoder:
    size, dim = network.input_shape[1], network.output_shape[-1]
    numbers = weights.digest(network.get_weights())
    place = network.layers[-2].name  # a deeper layer without weights of its own differs as well
    digest = hashlib.sha256(f"{name} {size} {dim} {place} {numbers}".encode()).hexdigest()
    return Encoder(name, size, dim, digest, origin, is_random, network)


# ---------------------------------------------------------------- pixels, one clip ahead


@dataclass(frozen=True)
class _Sequence:
    """Features float32 (t, D) of one clip, and its row of the report."""

    values: np.ndarray
    facts: dict


#: keys, stored features and pictures of a clip, and what is wrong with it
_Prepared = tuple[dict, "dict[str, _Sequence | None]", dict, str]


def _prepare(
    path: str,
    choices: Mapping[str, Choice],
    shelf: _Store,
    expected: tuple[type[Exception], ...],
) -> _Prepared:
    """Keys and stored features of a clip, the pictures of what is not stored, what is wrong."""
    try:
        keys = shelf.keys(path, choices)
        stored = {name: shelf.get(key) for name, key in keys.items()}
        missing = [choice for name, choice in choices.items() if stored[name] is None]
        return keys, stored, _pictures(path, {choice.pictures for choice in missing}), ""
    except expected as error:
        return _unreadable(error)


def _unreadable(error: Exception) -> _Prepared:
    told = str(error) if isinstance(error, _EXPECTED) else f"{type(error).__name__}: {error}"
    return {}, {}, {}, told


def _finish(
    videoname: str, prepared: _Prepared, choices: Mapping[str, Choice], shelf: _Store
) -> tuple[dict[str, _Sequence], dict[str, dict]]:
    """For each choice the features of a clip, now stored, and its row of the report."""
    keys, stored, pictures, problem = prepared
    if problem:
        logger.warning("%s is left out: %s", videoname, problem)
    row = {"videoname": videoname, "readable": not problem, "reason": problem}
    if problem:
        return {}, {name: dict(row) for name in choices}
    made, rows = {}, {}
    for name, choice in choices.items():
        made[name] = stored[name]
        if made[name] is None:
            pixels, facts = pictures[choice.pictures]
            made[name] = _Sequence(choice.encoder.predict(pixels), facts)
            shelf.put(keys[name], made[name])
        rows[name] = row | {"from_store": stored[name] is not None} | made[name].facts
    return made, rows


def _pictures(path: str, wanted: set[tuple]) -> dict[tuple, tuple[np.ndarray, dict]]:
    """For each `Choice.pictures`: uint8 (t, size, size, 3) of one clip, and their facts."""
    made = {}
    for frames, how in sorted({one[:2] for one in wanted}):
        group = [one for one in wanted if one[:2] == (frames, how)]
        if len(group) == 1 and group[0][2] == "centre":  # whole frames are never held
            cut = _centre_cutter(group[0][-1])
            pixels = video.read_frames(path, count=frames, how=how, transform=cut).pixels
            made[group[0]] = pixels, _centre_facts(pixels)
            continue
        clip = video.read_frames(path, count=frames, how=how)
        track = faces.track_face(clip) if any(one[2] == "face" for one in group) else None
        for one in group:
            _, _, crop, margin, size = one
            if crop == "centre":
                pixels = video.centre_square(clip.pixels, size=size)
                made[one] = pixels, _centre_facts(pixels)
            else:
                pixels, seen = faces.crop_faces(clip, size=size, margin=margin, track=track)
                facts = {"frames": len(clip), "crop": seen.crop, "faces_found": seen.found}
                made[one] = pixels, facts
    return made


def _centre_cutter(size: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda frame: video.centre_square(frame, size=size)


def _centre_facts(pixels: np.ndarray) -> dict:
    return {"frames": len(pixels), "crop": "centre", "faces_found": None}


def _clips(
    table: pd.DataFrame,
    choices: Mapping[str, Choice],
    shelf: _Store,
    *,
    keep_going: bool = False,
) -> Iterator[tuple[dict[str, _Sequence], dict[str, dict]]]:
    """What `_finish` says of each clip, in order; clips are decoded and encoded ahead."""

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


# ---------------------------------------------------------------- store


class _Store:
    """Feature files in a folder; with folder None nothing is kept."""

    def __init__(self, folder: str | os.PathLike | None):
        self.folder = None if folder is None else Path(folder)

    def keys(self, path: str, choices: Mapping[str, Choice]) -> dict[str, str]:
        """For each choice, a digest of everything that the features of a clip depend on."""
        if self.folder is None:
            return dict.fromkeys(choices, "")
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return {name: self._key(content, choice) for name, choice in choices.items()}

    @staticmethod
    def _key(content: str, choice: Choice) -> str:
        frames, how, crop, margin, size = choice.pictures
        facts = {"frames": frames, "how": how, "crop": crop, "margin": margin, "size": size}
        facts |= {"encoder": choice.encoder.digest, "version": _VERSION}
        text = f"{content} {json.dumps(facts, sort_keys=True)}"
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def get(self, key: str) -> _Sequence | None:
        """The stored features, or None where there are none or the file is damaged."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.npz"
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                values, facts = file["values"], json.loads(str(file["facts"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            logger.warning("%s is damaged and made again: %s", path.name, error)
            return None
        return _Sequence(values, facts)

    def put(self, key: str, sequence: _Sequence) -> None:
        """Keep the features of one clip, whole or not at all."""
        if self.folder is None:
            return
        try:
            with files.whole(self.folder / f"{key}.npz") as draft:
                np.savez(draft, values=sequence.values, facts=json.dumps(sequence.facts))
        except OSError as error:
            raise StoreError(f"Nothing can be written into {self.folder}: {error}") from error
