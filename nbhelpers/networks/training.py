"""Shared by the training cells: training, schedules, scoring a table of pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nbhelpers.networks import outputs, pipelines
from nbhelpers.networks.checkpoints import Resumable, Run

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


def precision(choice: str = "auto") -> str:
    """Choose the number format of training: half precision if the hardware supports it.

    Args:
        choice: one of ``PRECISIONS``. "auto" takes bfloat16 on GPUs since compute capability 8
            and on CPUs with instructions for it, float16 on GPUs since 7, else float32. (Without
            such instructions half precision is emulated and many times slower.)

    Returns:
        Name of a Keras dtype policy, for ``keras.config.set_dtype_policy``. Weights stay float32.

    Raises:
        ValueError: an unknown choice.
    """
    import tensorflow as tf

    if choice not in PRECISIONS:
        raise ValueError(f"Expected a precision of {PRECISIONS}; received {choice!r}.")
    if choice != "auto":
        return choice
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        capability = details.get("compute_capability", (0, 0))
        if capability >= (8, 0):
            return "mixed_bfloat16"
        return "mixed_float16" if capability >= (7, 0) else "float32"
    return "mixed_bfloat16" if cpu_has_bfloat16() else "float32"


def cpu_has_bfloat16(cpuinfo: str | Path = "/proc/cpuinfo") -> bool:
    """Whether the processor multiplies bfloat16 natively; False if the system does not say."""
    try:
        flags = Path(cpuinfo).read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def strategy(replicas: int = 0) -> tf.distribute.Strategy:
    """Choose how many devices train one model; build and compile it within ``.scope()``.

    Args:
        replicas: copies of the model, each of which gets its share of every batch. 0 takes all
            GPUs of this machine, or the one CPU. If there are fewer GPUs, the CPU is split into
            replicas, for trials; request them before TensorFlow does anything else.

    Returns:
        TensorFlow's default strategy for one replica, else a ``MirroredStrategy``.

    Raises:
        ValueError: a negative number, or CPU replicas requested too late.
    """
    import tensorflow as tf

    if replicas < 0:
        raise ValueError(f"Expected replicas of 0 or more; received {replicas}.")
    gpus = tf.config.list_physical_devices("GPU")
    count = replicas or max(1, len(gpus))
    if count == 1:
        return tf.distribute.get_strategy()
    if count <= len(gpus):
        return tf.distribute.MirroredStrategy([f"GPU:{number}" for number in range(count)])
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
        )
    except RuntimeError as error:
        raise ValueError(
            f"Expected to split the CPU into {count} replicas before TensorFlow starts; it has "
            f"started ({error}). Request the strategy first, in a fresh process."
        ) from error
    return tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(count)])


def fit(
    model: keras.Model,
    rows: tf.data.Dataset,
    *,
    validation: tf.data.Dataset,
    epochs: int,
    run: Run,
    name: str,
    table: pd.DataFrame,
    watch: str | None = "val_loss",
    verbose: int = 2,
) -> pd.DataFrame:
    """Train a network and restore the weights of its best epoch.

    After each epoch the whole state is saved in ``run.backups_folder``; with ``run.resume``, an
    interrupted training continues from there, see `checkpoints.Resumable`.

    Args:
        model: built and compiled.
        rows: training batches, which shuffle themselves.
        validation: batches that are evaluated after every epoch.
        epochs: passes over the rows.
        run: the notebook's, see `results.start`.
        name: of the training, unique within the run.
        table: rows with `videoname` and `split`: another split is another training.
        watch: the metric that decides the best epoch, such as "val_auc"; None takes the last
            epoch.
        verbose: as in Keras: 2 prints one line per epoch, 0 nothing.

    Returns:
        As `history_table`, with a column `cpu_seconds`.

    Raises:
        ValueError: fewer than one epoch, or no metric is named `watch`.
    """
    backup = Resumable(model, run=run, name=name, table=table, epochs=epochs, watch=watch)
    history = model.fit(
        rows,
        validation_data=validation,
        epochs=epochs,
        initial_epoch=backup.epoch,  # 0, unless an earlier run was interrupted
        callbacks=[backup],
        shuffle=False,  # the rows shuffle themselves
        verbose=verbose,
    )
    model.load_weights(backup.best_weights)
    return history_table(history)


def history_table(*histories: keras.callbacks.History | pd.DataFrame) -> pd.DataFrame:
    """Join the histories of consecutive trainings of one network.

    Args:
        *histories: what ``model.fit`` or `fit` returned, in order.

    Returns:
        One row per epoch, columns as Keras names them (`loss`, `accuracy`, `val_loss`, ...) and
        `stage` (1, 2, ...); index `epoch` from 1.
    """
    tables = [
        pd.DataFrame(getattr(history, "history", history)).assign(stage=stage)
        for stage, history in enumerate(histories, start=1)
    ]
    joined = pd.concat(tables, ignore_index=True)
    joined.index = pd.RangeIndex(1, len(joined) + 1, name="epoch")
    return joined


def warmup_cosine(
    peak: float, *, steps: int, warmup: float = 0.1
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Raise the learning rate linearly, then lower it along a half cosine to zero.

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
        model: a network of `nbhelpers.networks.models`; its input gives the picture size.
        table: rows with `path` and `label` (the label is not used).
        batch_size: pictures in a batch.
        mirror: True averages the scores of each picture and its mirror image.

    Returns:
        P(fake), ``float64 (N,)`` in [0, 1], in the table's order.

    Raises:
        ValueError: the network returns values that are not probabilities.
    """
    rows = pipelines.make_dataset(table, image_size=model.input_shape[1], batch_size=batch_size)
    score = model.predict(rows, verbose=0)[:, 0].astype("float64")
    if mirror:
        flipped = rows.map(lambda x, y: (x[:, :, ::-1], y))
        score = (score + model.predict(flipped, verbose=0)[:, 0]) / 2
    return outputs.check_scores(score, name=model.name)


def gpus() -> list[str]:
    """Return the names of the GPUs that TensorFlow sees; this loads TensorFlow."""
    import tensorflow as tf

    return [gpu.name for gpu in tf.config.list_physical_devices("GPU")]
