"""Tables of pictures -> `tf.data`: batches, pairs and augmentation.

Always RGB channel order, 0-255. Networks rescale internally. The files are read during training, so
memory does not grow with the number of pictures.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.data import ties
from nbhelpers.data.labels import LABELS, y_true
from nbhelpers.media import decode
from nbhelpers.media.decode import PictureError as PictureError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

logger = logging.getLogger(__name__)

_MOST_BYTES = 100_000_000  # of a batch before resizing; larger ones are resized one by one


def make_dataset(
    table: pd.DataFrame,
    *,
    image_size: int,
    batch_size: int = 32,
    shuffle_seed: int | None = None,
    augment: Callable[..., tf.Tensor] | None = None,
) -> tf.data.Dataset:
    """Stream pictures and labels from files.

    Args:
        table: rows with `path` and `label`, in the desired order.
        image_size: height and width, pixels; pictures are resized with anti-aliasing.
        batch_size: pictures per batch.
        shuffle_seed: an integer reshuffles all rows in every epoch; None keeps their order.
        augment: called as ``augment(pictures, training=True)`` on every batch; None for
            evaluation.

    Returns:
        Batches ``(float32 (B, image_size, image_size, 3) RGB 0-255, float32 (B,) 1 = FAKE)``.

    Raises:
        ValueError: the table is empty.
    """
    import tensorflow as tf

    if table.empty:
        raise ValueError("Expected at least one picture; received an empty table.")
    labels = y_true(table).astype("float32")
    rows = tf.data.Dataset.from_tensor_slices((table["path"].astype(str).to_numpy(), labels))
    if shuffle_seed is not None:
        rows = rows.shuffle(len(table), seed=shuffle_seed)  # paths only: a full shuffle is cheap
    return _batches(rows, image_size=image_size, batch_size=batch_size, augment=augment)


def make_pairs(
    table: pd.DataFrame,
    *,
    image_size: int,
    batch_size: int = 32,
    seed: int = 42,
    augment: Callable[..., tf.Tensor] | None = None,
) -> tf.data.Dataset:
    """Stream each real together with one of its own fakes, a different one in every epoch.

    A real and its fake show the same person in the same light: only the forgery differs. The
    classes are balanced without discarding fakes.

    Args:
        table: rows with `videoname`, `label`, `original` and `path`; fakes whose original is not
            among the rows, and reals without a fake, are left out. If no fake has its original
            there, each real meets a fake drawn at random, which is logged (see `pairs_note`).
        image_size: height and width, pixels; pictures are resized with anti-aliasing.
        batch_size: pictures in a batch, an even number: half of them reals.
        seed: of the order and of the choice of fakes.
        augment: called as ``augment(pictures, training=True)`` on every batch.

    Returns:
        Batches ``(float32 (B, image_size, image_size, 3) RGB 0-255, float32 (B,) 1 = FAKE)``; a
        real at each even position, followed by its fake.

    Raises:
        ValueError: one label is absent, or the batch size is odd.
    """
    import tensorflow as tf

    if batch_size % 2:
        raise ValueError(f"Expected an even batch size, for pairs; received {batch_size}.")
    options = {"image_size": image_size, "batch_size": batch_size, "augment": augment}
    families = _families(table)
    if families.empty:
        logger.warning(pairs_note(table))
        rows, count = _any_pairs(table, seed=seed)
    else:
        rows, count = _own_pairs(table, families, seed=seed), len(families)

    def both(real, fake):
        return tf.data.Dataset.from_tensor_slices((tf.stack([real, fake]), [0.0, 1.0]))

    rows = rows.flat_map(both).apply(tf.data.experimental.assert_cardinality(2 * count))
    return _batches(rows, **options)


def pairs_note(table: pd.DataFrame) -> str:
    """Describe the pairs that `make_pairs` makes of a table, as one sentence for the reader.

    Args:
        table: as for `make_pairs`.

    Returns:
        How many reals meet fakes of their own; or, where no fake's original is among the rows,
        that reals meet fakes drawn at random.
    """
    families = _families(table)
    reals = int((table["label"] == "REAL").sum())
    if families.empty:
        return (
            f"No fake names one of these {reals} reals as its original: each real shares a batch "
            "with a fake drawn at random, not with one of its own."
        )
    fakes = int(families.map(len).sum())
    return f"{len(families)} of {reals} reals meet one of their own {fakes} fakes in each epoch."


def _families(table: pd.DataFrame) -> pd.Series:
    """Return the paths of the fakes of each real that has some, by the real's name."""
    reals = table.loc[table["label"] == "REAL", "videoname"]
    original = ties.resolved(table, "original")
    fakes = table.assign(original=original)[(table["label"] == "FAKE") & original.isin(reals)]
    return fakes.groupby("original")["path"].agg(list)


def _own_pairs(table: pd.DataFrame, families: pd.Series, *, seed: int) -> tf.data.Dataset:
    """Return (real, fake) paths: each real with one of its own fakes."""
    import tensorflow as tf

    reals = table[table["label"] == "REAL"].set_index("videoname")["path"]
    choices = tf.ragged.constant(families.tolist())
    rows = tf.data.Dataset.from_tensor_slices((reals[families.index].to_numpy(str), choices))
    rows = rows.shuffle(len(families), seed=seed)
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def choose(row, draw):
        real, own = row
        return real, own[draw % tf.size(own, out_type=tf.int64)]

    return tf.data.Dataset.zip((rows, draws)).map(choose)


def _any_pairs(table: pd.DataFrame, *, seed: int) -> tuple[tf.data.Dataset, int]:
    """Return random (real, fake) paths, each picture of the rarer label once, and their number."""
    import tensorflow as tf

    paths = [table.loc[table["label"] == label, "path"].to_numpy(str) for label in LABELS]
    count = min(map(len, paths))
    if not count:
        raise ValueError(
            f"Expected reals and fakes; received {len(paths[0])} reals and {len(paths[1])} fakes. "
            "Check the findings of manifest.read."
        )
    sides = [
        tf.data.Dataset.from_tensor_slices(side).shuffle(len(side), seed=seed + number).take(count)
        for number, side in enumerate(paths)
    ]
    return tf.data.Dataset.zip(tuple(sides)), count


def _batches(
    rows: tf.data.Dataset,
    *,
    image_size: int,
    batch_size: int,
    augment: Callable[..., tf.Tensor] | None,
) -> tf.data.Dataset:
    """Turn (path, label) into batches of decoded, resized, augmented pictures."""
    import tensorflow as tf

    def load(paths, labels):
        pixels = tf.numpy_function(_read_alike, [paths], tf.uint8, stateful=False)
        pixels.set_shape([None, None, None, 3])
        pixels = tf.cond(
            tf.size(pixels) > 0,
            lambda: _resized(pixels, image_size),
            lambda: tf.map_fn(one, paths, fn_output_signature=tf.float32),
        )
        return tf.ensure_shape(pixels, [None, image_size, image_size, 3]), labels

    def one(path):
        pixels = tf.numpy_function(_read_one, [path], tf.uint8, stateful=False)
        pixels.set_shape([None, None, 3])
        return _resized(pixels[None], image_size)[0]

    batches = rows.batch(batch_size).map(load, num_parallel_calls=os.cpu_count())
    if augment is not None:
        # Not in parallel: random layers have a state, and the same seed must give the same run.
        batches = batches.map(lambda x, y: (augment(x, training=True), y))
    # The thread that tunes a pipeline sleeps longer and longer between its checks, and at the end
    # of an epoch or a training TensorFlow (2.21) often waits for it, idle, for up to 18 seconds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(2).with_options(options)


def _resized(pixels: tf.Tensor, size: int) -> tf.Tensor:
    """Resize uint8 (B, H, W, 3) to float32 (B, size, size, 3)."""
    import tensorflow as tf

    return tf.cond(
        tf.reduce_all(tf.shape(pixels)[1:3] == size),
        lambda: tf.cast(pixels, tf.float32),  # equal to resizing, in a fraction of the time
        lambda: tf.clip_by_value(tf.image.resize(pixels, [size, size], antialias=True), 0.0, 255.0),
    )


# One decoder for training, scoring and display. It refuses damaged files by name; TensorFlow's own
# # fills missing parts with grey, and takes twice the time.


def _read_alike(paths: np.ndarray) -> np.ndarray:
    """Read pictures of equal, small size as uint8 (B, H, W, 3); return (0, 0, 0, 3) for others."""
    first = _read_one(paths[0])
    if first.nbytes * len(paths) > _MOST_BYTES:
        return np.empty((0, 0, 0, 3), np.uint8)
    batch = np.empty((len(paths), *first.shape), np.uint8)
    batch[0] = first
    for number, path in enumerate(paths[1:], start=1):
        pixels = _read_one(path)
        if pixels.shape != first.shape:
            return np.empty((0, 0, 0, 3), np.uint8)
        batch[number] = pixels
    return batch


def _read_one(path: bytes) -> np.ndarray:
    return decode.read(path.decode())


def article_augmentation(seed: int = 42) -> keras.Sequential:
    """Build the article's augmentation: mirror, rotate by up to 5 % of a turn, change contrast.

    Args:
        seed: seed of the random layers.

    Returns:
        Layers to call on ``float32 (B, H, W, 3)`` RGB 0-255 with ``training=True``.
    """
    from keras import Sequential, layers

    full = {"dtype": "float32"}  # pixels keep full precision if the network trains in half
    return Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed, **full),
            layers.RandomRotation(0.05, seed=seed + 1, **full),
            layers.RandomContrast(0.2, value_range=(0, 255), seed=seed + 2, **full),
        ],
        name="article_augmentation",
    )
