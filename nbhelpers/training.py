"""What the training cells share: callbacks, schedules, scoring a table of pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers import images

if TYPE_CHECKING:
    import keras


def keep_best(path: str | Path, *, monitor: str = "val_loss") -> keras.callbacks.Callback:
    """Write the weights of the best epoch to a file; load them with ``model.load_weights``.

    Args:
        path: the file; Keras wants its name to end in ``.weights.h5``.
        monitor: what is watched; "min" or "max" follows from the name (losses fall, AUC rises).

    Returns:
        A callback for ``model.fit``.

    Raises:
        ValueError: the file's name ends otherwise.
    """
    import keras

    if not str(path).endswith(".weights.h5"):
        raise ValueError(
            f"Expected a file name that ends in '.weights.h5'; received {Path(path).name!r}. "
            "Keras refuses any other for weights."
        )
    return keras.callbacks.ModelCheckpoint(
        str(path),
        monitor=monitor,
        mode="min" if monitor.endswith("loss") else "max",
        save_best_only=True,
        save_weights_only=True,
    )


def history_table(*histories: keras.callbacks.History) -> pd.DataFrame:
    """Join the histories of consecutive calls of ``fit``.

    Args:
        *histories: what the calls returned, in order.

    Returns:
        One row an epoch, columns as Keras names them (`loss`, `accuracy`, `val_loss`, ...) and
        `stage` (1, 2, ...); index `epoch` from 1.
    """
    tables = [
        pd.DataFrame(history.history).assign(stage=stage)
        for stage, history in enumerate(histories, start=1)
    ]
    joined = pd.concat(tables, ignore_index=True)
    joined.index = pd.RangeIndex(1, len(joined) + 1, name="epoch")
    return joined


def warmup_cosine(
    peak: float, *, steps: int, warmup: float = 0.1
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Raise the learning rate linearly, then let it fall along a half cosine to zero.

    Args:
        peak: highest learning rate.
        steps: optimizer steps in all.
        warmup: share of the steps that rise, in [0, 1).

    Returns:
        A schedule for a Keras optimizer.

    Source:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
    """
    import keras

    rising = max(1, math.ceil(steps * warmup))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / rising,
        decay_steps=max(1, steps - rising),
        warmup_target=peak,
        warmup_steps=rising,
    )


def predict(
    model: keras.Model, table: pd.DataFrame, *, batch_size: int = 32, mirror: bool = False
) -> np.ndarray:
    """Score pictures with a detector.

    Args:
        model: a network of `nbhelpers.models`; its input tells the picture size.
        table: rows with `path` and `label` (the label is not used).
        batch_size: pictures in a batch.
        mirror: True averages the scores of each picture and its mirror image.

    Returns:
        P(fake), ``float64 (N,)`` in [0, 1], in the table's order.
    """
    rows = images.make_dataset(table, image_size=model.input_shape[1], batch_size=batch_size)
    score = model.predict(rows, verbose=0)[:, 0].astype("float64")
    if mirror:
        flipped = rows.map(lambda x, y: (x[:, :, ::-1], y))
        score = (score + model.predict(flipped, verbose=0)[:, 0]) / 2
    return score


def gpus() -> list[str]:
    """Return the names of the GPUs that TensorFlow sees; loads TensorFlow."""
    import tensorflow as tf

    return [gpu.name for gpu in tf.config.list_physical_devices("GPU")]
