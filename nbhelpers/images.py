"""Pictures: files on disk -> arrays and `tf.data` pipelines.

Everywhere: RGB channel order, 0-255. Networks rescale inside. The files are read while training
runs, so memory does not grow with the number of pictures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

from nbhelpers import decode, manifest
from nbhelpers.decode import PictureError as PictureError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_MARKED = r"\C*(Exif|Adobe)\C*"  # \C is any byte


def read_image(path: str | Path, *, size: int | None = None) -> np.ndarray:
    """Read one picture.

    Args:
        path: a picture file, see `nbhelpers.decode.read`.
        size: height and width of the result, pixels; None keeps the file's own.

    Returns:
        ``uint8 (H, W, 3)``, RGB, 0-255.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: the file is not a picture that can be decoded, or far too large.
    """
    rgb = decode.read(path)
    if size is not None and rgb.shape[:2] != (size, size):
        shrinks = size < max(rgb.shape[:2])
        rgb = cv2.resize(
            rgb, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
    return rgb


def read_mask(path: str | Path, *, size: int | None = None) -> np.ndarray:
    """Read the mask of a manipulated region.

    Args:
        path: a grey picture, 0 outside and 255 inside.
        size: height and width of the result, pixels; None keeps the file's own.

    Returns:
        ``bool (H, W)``, True where the picture was manipulated.

    Raises:
        FileNotFoundError, PictureError: as `read_image`.
    """
    return read_image(path, size=size)[..., 0] > 127


def difference_hash(picture: np.ndarray) -> np.ndarray:
    """Note where a picture gets brighter from left to right: a fingerprint of its coarse shape.

    Args:
        picture: ``uint8 (H, W, 3)`` RGB 0-255.

    Returns:
        ``bool (64,)``; pictures that look alike differ in few places.

    Source:
        N. Krawetz, "Kind of Like That", 2013: dHash.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    return (np.diff(small, axis=1) > 0).ravel()


def near_duplicates(hashes: np.ndarray, *, max_bits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Find pairs of pictures that look the same.

    Args:
        hashes: ``bool (N, 64)`` from `difference_hash`.
        max_bits: in how many places the two may differ.

    Returns:
        Two ``int (P,)`` arrays: first and second picture of each pair, first < second.

    >>> near_duplicates(np.array([[True, True], [True, False], [False, False]]), max_bits=1)[1]
    array([1, 2])
    """
    bits = np.asarray(hashes, dtype=np.float32)
    pairs = []
    for start in range(0, len(bits), 1000):  # memory grows with N, not with its square
        rows = bits[start : start + 1000]
        differ = rows @ (1 - bits).T + (1 - rows) @ bits.T
        first, second = np.nonzero(differ < max_bits + 0.5)
        pairs.append(np.stack([first + start, second]))
    first, second = np.concatenate([np.zeros((2, 0), int), *pairs], axis=1)
    return first[first < second], second[first < second]


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
    waiting for Python; whatever might not be plain goes to `nbhelpers.decode`.
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
