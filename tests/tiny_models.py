"""Tiny detectors for tests, saved as notebook 03 saves its own."""

import numpy as np

from nbhelpers.predict.detector import Detector


def colour_detector(path):
    """A detector that sees colours and where they are; returns the path."""
    import keras
    from keras import layers

    inside = layers.Input((32, 32, 3))
    x = layers.AveragePooling2D(8)(layers.Rescaling(1 / 127.5, offset=-1)(inside))
    weigh = keras.initializers.RandomNormal(stddev=1.0, seed=2)
    outside = layers.Dense(1, "sigmoid", kernel_initializer=weigh)(layers.Flatten()(x))
    path.parent.mkdir(parents=True, exist_ok=True)
    keras.Model(inside, outside).save(path)
    return path


class Brightness(Detector):
    """A detector that calls bright what is fake; its card is what is given."""

    image_size = 32

    def __init__(self, *, borders=None, **card):
        super().__init__(None, card=card, borders=borders)

    def p_fake(self, pictures):
        return np.array([picture.mean() / 255 for picture in pictures])


def random_network():
    """A small network with random weights, the same each time."""
    import keras

    from nbhelpers.networks import models

    keras.utils.set_random_seed(3)
    return models.residual_cnn(32)
