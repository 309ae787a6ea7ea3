"""From the article's network to the residual one, one change at a time.

Both ends are `models.baseline_cnn` and `models.residual_cnn`, layer by layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def ladder_cnn(
    image_size: int,
    *,
    small: bool = False,
    averaged: bool = False,
    normalised: bool = False,
    residual: bool = False,
    name: str = "ladder_cnn",
) -> keras.Model:
    """Build a network between the article's and the residual one.

    Args:
        image_size: height and width of the input, pixels, a multiple of 4 and at least 16.
        small: four convolutions of 16 to 128 filters; False takes the article's three large ones.
        averaged: every feature map is averaged over the picture; False flattens the maps and adds
            the article's dense layers.
        normalised: batch normalisation after every convolution.
        residual: the network receives the picture minus its smoothed version.
        name: of the model.

    Returns:
        ``float32 (B, image_size, image_size, 3)`` RGB 0-255 -> P(fake), ``float32 (B, 1)`` in
        [0, 1]. Not compiled.
    """
    import keras
    from keras import layers

    inputs = layers.Input((image_size, image_size, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    if residual:
        smooth = layers.AveragePooling2D(5, strides=1, padding="same")(x)
        x = layers.Rescaling(10.0)(layers.Subtract()([x, smooth]))
    x = _small_convolutions(x, normalised) if small else _article_convolutions(x, normalised)
    if averaged:
        x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    else:
        x = layers.Flatten()(x)
        for units in (128, 64):
            x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
            x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x), name=name)


def _small_convolutions(x, normalised: bool):
    from keras import layers

    for filters in (16, 32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=not normalised)(x)
        x = _activated(x, normalised)
        x = layers.MaxPooling2D()(x)
    return x


def _article_convolutions(x, normalised: bool):
    from keras import layers

    for filters, width, pooled in ((64, 7, True), (128, 3, False), (128, 3, True)):
        x = layers.Conv2D(
            filters,
            width,
            padding="same",
            use_bias=not normalised,
            kernel_initializer="he_normal",
        )(x)
        x = _activated(x, normalised)
        x = layers.MaxPooling2D()(x) if pooled else x
    return x


def _activated(x, normalised: bool):
    from keras import layers

    if normalised:
        x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)
