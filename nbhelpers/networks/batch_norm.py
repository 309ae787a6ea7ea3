"""Batch normalisation: the averages used in inference, and how well they fit the weights.

In training, a layer normalises with the statistics of the batch; in inference, with a moving
average of these. While the weights change fast, the average lags behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def recalibrate(model: keras.Model, pictures: tf.data.Dataset) -> None:
    """Replace every moving average by the statistics of some pictures under the current weights.

    This is done layer by layer, since the input of a layer depends on those before it. Trained
    weights are unchanged.

    Args:
        model: a network of `nbhelpers.networks.models`, not nested; changed in place.
        pictures: batches ``(float32 (B, H, W, 3) RGB 0-255, anything)``, of training rows.

    Source:
        Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3.
    """
    import keras
    from keras.layers import BatchNormalization

    for layer in model.layers:
        if not isinstance(layer, BatchNormalization):
            continue
        before = keras.Model(model.inputs[0], layer.input)
        total, squares, count = 0.0, 0.0, 0
        for batch, _ in pictures:
            values = np.asarray(before.predict_on_batch(batch), dtype="float64")
            values = values.reshape(-1, values.shape[-1])
            total = total + values.sum(axis=0)
            squares = squares + (values**2).sum(axis=0)
            count += len(values)
        mean = total / count
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(np.maximum(squares / count - mean**2, 0))


def two_readings(
    model: keras.Model,
    rows: tf.data.Dataset,
    *,
    validation: tf.data.Dataset,
    pictures: tf.data.Dataset,
    epochs: int,
) -> pd.DataFrame:
    """Train, and read the validation loss twice after each epoch, under the same weights.

    Args:
        model: compiled, with batch normalisation; it is trained.
        rows: training batches.
        validation: batches for the validation loss.
        pictures: training batches from which `recalibrate` takes its statistics.
        epochs: passes over the rows.

    Returns:
        One row per epoch, from 1: ``as trained``, the loss with the moving averages, and
        ``recalibrated``, the loss with the averages of the training pictures.
    """
    readings = []
    for _ in range(epochs):
        model.fit(rows, epochs=1, shuffle=False, verbose=0)
        kept = model.get_weights()
        as_trained = _loss(model, validation)
        recalibrate(model, pictures)
        readings.append({"as trained": as_trained, "recalibrated": _loss(model, validation)})
        model.set_weights(kept)
    return pd.DataFrame(readings, index=pd.RangeIndex(1, epochs + 1, name="epoch"))


def _loss(model: keras.Model, rows: tf.data.Dataset) -> float:
    return float(model.evaluate(rows, verbose=0, return_dict=True)["loss"])
