"""batch_norm: the averages of given pictures, and two readings of the same weights."""

import numpy as np
import pytest

from nbhelpers.networks import batch_norm, models


@pytest.fixture
def rows():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (24, 16, 16, 3)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((pictures, np.arange(24.0) % 2)).batch(10)


@pytest.fixture
def network():
    import keras

    keras.utils.set_random_seed(0)
    network = models.residual_cnn(16)
    network.compile("nadam", "binary_crossentropy")
    return network


def norms(network):
    from keras.layers import BatchNormalization

    return [layer for layer in network.layers if isinstance(layer, BatchNormalization)]


def test_recalibrated_averages_are_those_of_the_pictures(network, rows):
    import keras

    trained = [weight.numpy() for weight in network.trainable_weights]
    for layer in norms(network):
        layer.moving_mean.assign(np.full(layer.moving_mean.shape, 7.0))
    batch_norm.recalibrate(network, rows)
    everything = np.concatenate([pictures for pictures, _ in rows])
    for layer in norms(network):
        before = keras.Model(network.inputs[0], layer.input).predict(everything, verbose=0)
        mean, variance = before.mean(axis=(0, 1, 2)), before.var(axis=(0, 1, 2))
        np.testing.assert_allclose(layer.moving_mean.numpy(), mean, atol=1e-4)
        np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-3, atol=1e-5)
    for before, after in zip(trained, network.trainable_weights, strict=True):
        np.testing.assert_array_equal(before, after.numpy())


def test_averages_that_lag_show_in_the_first_reading_alone(network, rows):
    for layer in norms(network):
        layer.momentum = 0.999999  # an average that never catches up
    readings = batch_norm.two_readings(network, rows, validation=rows, pictures=rows, epochs=2)
    assert readings.index.tolist() == [1, 2]
    trained = network.evaluate(rows, verbose=0, return_dict=True)["loss"]
    assert readings["as trained"].iloc[-1] == pytest.approx(trained, rel=1e-4)
    batch_norm.recalibrate(network, rows)
    better = network.evaluate(rows, verbose=0, return_dict=True)["loss"]
    assert readings["recalibrated"].iloc[-1] == pytest.approx(better, rel=1e-4)
    assert abs(better - trained) > 1e-3
