"""The networks of the series, as small functions that build and return a Keras model.

Every network takes ``float32 (B, H, W, 3)`` pictures, RGB, 0-255, and rescales them itself, so that
no caller can forget to. Every detector ends in one sigmoid unit: P(fake).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from nbhelpers.networks.weights import PretrainedWeights


#: First layer that the article unfreezes in its second stage: index 56 of 132 in Xception.
ARTICLE_UNFREEZE_FROM = "block7_sepconv1_act"
#: Layer below our head: the end of block 10 of 14, whose maps have four times as many cells.
OUR_LAST = "block11_sepconv1_act"


def baseline_cnn(image_size: int = 224) -> keras.Model:
    """Build the article's baseline network: three convolutions, two dense layers, one sigmoid.

    Args:
        image_size: height and width of the input, pixels, a multiple of 4.

    Returns:
        Model ``article_cnn``: ``float32 (B, image_size, image_size, 3)`` RGB 0-255 -> P(fake),
        ``float32 (B, 1)`` in [0, 1]. Not compiled.
    """
    from keras import Sequential, layers

    common = {"activation": "relu", "padding": "same", "kernel_initializer": "he_normal"}
    dense = {"activation": "relu", "kernel_initializer": "he_normal"}
    return Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(64, 7, **common),
            layers.MaxPooling2D(),
            layers.Conv2D(128, 3, **common),
            layers.Conv2D(128, 3, **common),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, **dense),
            layers.Dropout(0.5),
            layers.Dense(64, **dense),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="article_cnn",
    )


def residual_cnn(image_size: int = 128) -> keras.Model:
    """Build a small forensic network that sees the picture minus its smoothed version.

    Subtracting a local mean removes the person and the lighting, and keeps noise, edges and
    traces of resampling. Averaging instead of flattening asks *what* was seen, not *where*.

    Args:
        image_size: height and width of the input, pixels, at least 16.

    Returns:
        Model ``residual_cnn``: ``float32 (B, image_size, image_size, 3)`` RGB 0-255 -> P(fake),
        ``float32 (B, 1)`` in [0, 1]. Not compiled.

    Source:
        The idea of suppressing content first: Fridrich and Kodovsky, "Rich Models for Steganalysis
        of Digital Images", 2012; Bayar and Stamm, "A Deep Learning Approach to Universal Image
        Manipulation Detection", 2016.
    """
    import keras
    from keras import layers

    inputs = layers.Input((image_size, image_size, 3))
    scaled = layers.Rescaling(1 / 255)(inputs)
    smooth = layers.AveragePooling2D(5, strides=1, padding="same")(scaled)
    x = layers.Rescaling(10.0)(layers.Subtract()([scaled, smooth]))  # residuals are small numbers
    for filters in (16, 32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # adapts quickly, since epochs are short
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.3)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs, name="residual_cnn")


def xception_classifier(
    image_size: int = 224,
    *,
    weights: PretrainedWeights | None = None,
    last: str = "block14_sepconv2_act",
) -> keras.Model:
    """Build Xception with a sigmoid head, its base frozen.

    The base is not nested: its layers are layers of the returned model, so that Grad-CAM can
    reach them and a layer table shows them.

    Args:
        image_size: height and width of the input, pixels, at least 71.
        weights: values for the base from `weights.imagenet("Xception")`; None or random
            weights leave it as initialised.
        last: layer of Xception below the head; later layers are omitted.

    Returns:
        Model ``xception``: ``float32 (B, image_size, image_size, 3)`` RGB 0-255 -> P(fake),
        ``float32 (B, 1)`` in [0, 1]. Not compiled.

    Raises:
        ValueError: Xception has no layer of that name.
    """
    import keras
    from keras import layers

    inputs = layers.Input((image_size, image_size, 3))
    scaled = layers.Rescaling(1 / 127.5, offset=-1)(inputs)  # what xception.preprocess_input does
    base = keras.applications.Xception(include_top=False, weights=None, input_tensor=scaled)
    if weights is not None and not weights.is_random:
        base.set_weights(weights.values)
    base.trainable = False
    pooled = layers.GlobalAveragePooling2D(name="pooled")(base.get_layer(last).output)
    outputs = layers.Dense(1, activation="sigmoid", dtype="float32", name="p_fake")(pooled)
    return keras.Model(inputs, outputs, name="xception")


def unfreeze_from(model: keras.Model, layer_name: str, *, batch_norm: bool = True) -> int:
    """Make a layer and all later ones trainable, and freeze the earlier ones.

    Args:
        model: a model whose layers are in order (not nested).
        layer_name: first layer to train, for example `ARTICLE_UNFREEZE_FROM`.
        batch_norm: False keeps batch normalisation in inference mode everywhere, so that ImageNet's
            statistics are kept and small batches do no harm.

    Returns:
        The number of trainable layers with weights. Compile the model again afterwards.

    Raises:
        ValueError: the model has no layer of that name.
    """
    from keras.layers import BatchNormalization

    names = [layer.name for layer in model.layers]
    if layer_name not in names:
        raise ValueError(
            f"Expected a layer name of {model.name}; received {layer_name!r}. "
            f"Choose one of its {len(names)} layers, for example {names[len(names) // 2]!r}."
        )
    first = names.index(layer_name)
    for position, layer in enumerate(model.layers):
        is_norm = isinstance(layer, BatchNormalization)
        layer.trainable = position >= first and (batch_norm or not is_norm)
    return sum(bool(layer.trainable_weights) for layer in model.layers)


def block_table(model: keras.Model) -> pd.DataFrame:
    """Count layers, weights and trainable weights block by block.

    Args:
        model: an Xception of `xception_classifier`, whose layers carry the block in their names.

    Returns:
        Index `block` (1 to 14 at most, then "head"), columns `first layer` (its place among the
        layers of Xception, from 0), `layers`, `weights` and `trained` (numbers of weights).
    """
    import pandas as pd

    trained = {id(weight) for weight in model.trainable_weights}
    rows, block = [], "1"
    layers = [layer for layer in model.layers if not layer.name.startswith("rescaling")]
    for place, layer in enumerate(layers):
        if layer.name.startswith("block"):
            block = layer.name.partition("_")[0].removeprefix("block")
        elif layer.name in ("pooled", "p_fake"):
            block = "head"  # layers without a block in their name belong to the previous block
        sizes = [(math.prod(weight.shape), id(weight) in trained) for weight in layer.weights]
        rows.append(
            {
                "block": block,
                "first layer": place,
                "layers": 1,
                "weights": sum(size for size, _ in sizes),
                "trained": sum(size for size, is_trained in sizes if is_trained),
            }
        )
    kinds = {"first layer": "min", "layers": "sum", "weights": "sum", "trained": "sum"}
    return pd.DataFrame(rows).groupby("block", sort=False).agg(kinds)


def gru_classifier(frames: int, dim: int) -> keras.Model:
    """Build the article's sequence network: GRU 16, GRU 8, dropout, dense 8, one sigmoid.

    Padding has no effect: both recurrent layers know which frames are real.

    Args:
        frames: length of the sequences, T.
        dim: length of a frame's feature vector, D.

    Returns:
        Model ``article_gru``: features ``float32 (B, T, D)`` and mask ``bool (B, T)``, True for
        real frames -> P(fake), ``float32 (B, 1)`` in [0, 1]. Not compiled.
    """
    from keras import Model, layers

    features = layers.Input((frames, dim), name="features")
    mask = layers.Input((frames,), dtype="bool", name="mask")
    x = layers.GRU(16, return_sequences=True)(features, mask=mask)
    x = layers.GRU(8)(x, mask=mask)  # before Keras 3.11 it is not propagated
    x = layers.Dropout(0.4)(x)
    x = layers.Dense(8, activation="relu")(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return Model([features, mask], outputs, name="article_gru")
