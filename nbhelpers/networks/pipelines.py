"""Tables of pictures -> `tf.data`: batches, pairs and augmentation.

Everywhere: RGB channel order, 0-255. Networks rescale inside. The files are read while training
runs, so memory does not grow with the number of pictures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.data import manifest
from nbhelpers.media import decode
from nbhelpers.media.decode import PictureError as PictureError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


_MARKED = r"\C*(Exif|Adobe)\C*"  # \C is any byte


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
        table: rows with `path` and `label`, in the order in which they are wanted.
        image_size: height and width, pixels; pictures are resized with anti-aliasing.
        batch_size: pictures in a batch.
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
    labels = manifest.y_true(table).astype("float32")
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
    """Stream each real together with one of its own fakes, another one in every epoch.

    A real and its fake show the same person in the same light: what differs is the forgery. The
    classes are balanced, and no fake is thrown away to make them so.

    Args:
        table: rows with `videoname`, `label`, `original` and `path`; fakes whose original is not
            among the rows, and reals without a fake, are left out.
        image_size: height and width, pixels; pictures are resized with anti-aliasing.
        batch_size: pictures in a batch, an even number: half of them reals.
        seed: of the order and of the choice of fakes.
        augment: called as ``augment(pictures, training=True)`` on every batch.

    Returns:
        Batches ``(float32 (B, image_size, image_size, 3) RGB 0-255, float32 (B,) 1 = FAKE)``; a
        real at each even place, its fake behind it.

    Raises:
        ValueError: no real has a fake, or the batch size is odd.
    """
    import tensorflow as tf

    if batch_size % 2:
        raise ValueError(f"Expected an even batch size, pairs in it; received {batch_size}.")
    reals = table[table["label"] == "REAL"].set_index("videoname")["path"]
    fakes = table[(table["label"] == "FAKE") & table["original"].isin(reals.index)]
    families = fakes.groupby("original")["path"].agg(list)
    if families.empty:
        raise ValueError(
            f"Expected fakes with their originals among {len(table)} rows; found no such pair. "
            "Use make_dataset, or check the column original."
        )
    choices = tf.ragged.constant(families.tolist())
    rows = tf.data.Dataset.from_tensor_slices((reals[families.index].to_numpy(str), choices))
    rows = rows.shuffle(len(families), seed=seed)
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def choose(row, draw):
        real, own = row
        fake = own[draw % tf.size(own, out_type=tf.int64)]
        return tf.data.Dataset.from_tensor_slices((tf.stack([real, fake]), [0.0, 1.0]))

    rows = tf.data.Dataset.zip((rows, draws)).flat_map(choose)
    return _batches(
        rows.apply(tf.data.experimental.assert_cardinality(2 * len(families))),
        image_size=image_size,
        batch_size=batch_size,
        augment=augment,
    )


def _batches(
    rows: tf.data.Dataset,
    *,
    image_size: int,
    batch_size: int,
    augment: Callable[..., tf.Tensor] | None,
) -> tf.data.Dataset:
    """Turn (path, label) into batches of decoded, resized, augmented pictures."""
    import tensorflow as tf

    def load(path, label):
        pixels = _decoded(path)
        pixels = tf.image.resize(pixels, [image_size, image_size], antialias=True)
        return tf.clip_by_value(pixels, 0.0, 255.0), label

    batches = rows.map(load, num_parallel_calls=os.cpu_count()).batch(batch_size)
    if augment is not None:
        # Not in parallel: the random layers hold a state, and the same seed must give the same run.
        batches = batches.map(lambda x, y: (augment(x, training=True), y))
    # The thread that tunes a pipeline sleeps longer and longer between its looks, and when an epoch
    # or a training ends TensorFlow (2.21) often waits for it, idle: for seconds, seen up to 18.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(2).with_options(options)


def _decoded(path: tf.Tensor) -> tf.Tensor:
    """What `read_image` gives for a path, uint8 (H, W, 3), as part of a graph.

    Nearly all pictures are plain JPEGs, which TensorFlow decodes to the same numbers without
    waiting for Python; whatever might not be plain goes to `nbhelpers.media.decode`.
    """
    import tensorflow as tf

    content = tf.io.read_file(path)
    edges = tf.strings.join([content, b"\0\0\0", content])  # so that there are enough bytes
    starts = tf.strings.substr(edges, 0, 3) == b"\xff\xd8\xff"
    ends = tf.strings.substr(edges, -2, 2) == b"\xff\xd9"
    # Those may be turned, or be in colours that TensorFlow takes for others.
    marked = tf.strings.regex_full_match(tf.strings.substr(content, 0, 1 << 16), _MARKED)

    def is_plain():
        height, width, channels = tf.unstack(tf.cast(tf.io.extract_jpeg_shape(content), tf.int64))
        return (channels != 4) & (height * width <= decode.MOST_PIXELS)

    pixels = tf.cond(
        tf.cond(starts & ends & ~marked, is_plain, lambda: False),
        lambda: tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.numpy_function(_read_for_graph, [path], tf.uint8),
    )
    pixels.set_shape([None, None, 3])
    return pixels


def _read_for_graph(path: bytes) -> np.ndarray:
    return decode.read(path.decode())


def article_augmentation(seed: int = 42) -> keras.Sequential:
    """Build the article's augmentation: mirror, rotate by up to 5 % of a turn, change contrast.

    Args:
        seed: seed of the random layers.

    Returns:
        Layers to call on ``float32 (B, H, W, 3)`` RGB 0-255 with ``training=True``.
    """
    from keras import Sequential, layers

    full = {"dtype": "float32"}  # pixels keep their digits when the network trains with half
    return Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed, **full),
            layers.RandomRotation(0.05, seed=seed + 1, **full),
            layers.RandomContrast(0.2, value_range=(0, 255), seed=seed + 2, **full),
        ],
        name="article_augmentation",
    )
