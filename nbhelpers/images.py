"""Pictures: files on disk -> arrays and `tf.data` pipelines.

Everywhere: RGB channel order, 0-255. Networks rescale inside. The files are read while training
runs, so memory does not grow with the number of pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

from nbhelpers import manifest

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class PictureError(ValueError):
    """A picture file cannot be decoded."""


def read_image(path: str | Path, *, size: int | None = None) -> np.ndarray:
    """Read one picture.

    Args:
        path: a picture file that OpenCV decodes (JPEG, PNG, ...).
        size: height and width of the result, pixels; None keeps the file's own.

    Returns:
        ``uint8 (H, W, 3)``, RGB, 0-255.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: the file is not a picture that can be decoded.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a picture file; nothing is at {path}.")
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise PictureError(
            f"Expected a picture; {path.name} ({path.stat().st_size} bytes) cannot be decoded. "
            "Leave it out of the metadata or replace the file."
        )
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # OpenCV reads BGR, the networks were trained on RGB
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

    def load(path, label):
        pixels = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        pixels.set_shape([None, None, 3])
        pixels = tf.image.resize(pixels, [image_size, image_size], antialias=True)
        return tf.clip_by_value(pixels, 0.0, 255.0), label

    labels = manifest.y_true(table).astype("float32")
    rows = tf.data.Dataset.from_tensor_slices((table["path"].astype(str).to_numpy(), labels))
    if shuffle_seed is not None:
        rows = rows.shuffle(len(table), seed=shuffle_seed)  # paths only: a full shuffle is cheap
    batches = rows.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size)
    if augment is not None:
        # Not in parallel: the random layers hold a state, and the same seed must give the same run.
        batches = batches.map(lambda x, y: (augment(x, training=True), y))
    return batches.prefetch(tf.data.AUTOTUNE)


def article_augmentation(seed: int = 42) -> keras.Sequential:
    """Build the article's augmentation: mirror, rotate by up to 5 % of a turn, change contrast.

    Args:
        seed: seed of the random layers.

    Returns:
        Layers to call on ``float32 (B, H, W, 3)`` RGB 0-255 with ``training=True``.
    """
    from keras import Sequential, layers

    return Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed),
            layers.RandomRotation(0.05, seed=seed + 1),
            layers.RandomContrast(0.2, value_range=(0, 255), seed=seed + 2),
        ],
        name="article_augmentation",
    )
