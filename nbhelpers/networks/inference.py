"""Copies of trained networks for scoring: in full precision, and with fewer operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def in_float32(model: keras.Model) -> keras.Model:
    """Copy a network that was trained in mixed precision into one that computes in float32.

    Half precision speeds up training. Scores and gradients that are examined closely need full
    precision, on any machine; the weights already have it.

    Args:
        model: a network of this module, of any dtype policy.

    Returns:
        A new model of the same name and weights; not compiled.
    """
    import keras

    def copied(layer):
        if isinstance(layer, keras.Model):
            return in_float32(layer)
        config = layer.get_config()
        policy = getattr(layer, "dtype_policy", None)  # Keras 3.8's cast layers have none
        if (policy.compute_dtype if policy else config.get("dtype")) in ("bfloat16", "float16"):
            config |= {"dtype": "float32"}
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy


def folded(model: keras.Model) -> keras.Model:
    """Copy a network for inference, with batch normalisations merged into convolutions.

    A convolution followed by a fixed scale and shift equals one convolution with other weights. The
    copy gives the same result to within rounding and needs fewer passes over its memory.

    Args:
        model: a functional or sequential network; a normalisation whose convolution has other
            consumers or an activation is kept.

    Returns:
        A new model of the same name; not compiled, and not to be trained.
    """
    import keras

    if isinstance(model, keras.Sequential):  # Keras cannot clone these with changes
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    norms = _foldable(model)  # convolution -> its normalisation
    gone = {norm.name for norm in norms.values()}

    def copy(layer):
        config = layer.get_config()
        return type(layer).from_config(config | ({"use_bias": True} if layer.name in norms else {}))

    def call(layer, *args, **kwargs):
        return args[0] if layer.name in gone else layer(*args, **kwargs)

    new = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for layer in (one for one in new.layers if one.weights):
        old = model.get_layer(layer.name)
        norm = norms.get(layer.name)
        layer.set_weights(old.get_weights() if norm is None else _folded_weights(old, norm))
    return new


def _foldable(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Return name of each convolution followed only by a batch normalisation -> the latter."""
    from keras import layers

    plain = (layers.Conv2D, layers.SeparableConv2D)
    producer = {id(layer.output): layer for layer in model.layers if isinstance(layer, plain)}
    used = [id(x) for layer in model.layers for x in _inputs(layer)]
    return {
        producer[id(norm.input)].name: norm
        for norm in model.layers
        if isinstance(norm, layers.BatchNormalization)
        and norm.axis in (-1, 3)
        and id(norm.input) in producer
        and used.count(id(norm.input)) == 1
        and id(norm.input) not in map(id, model.outputs)
        and producer[id(norm.input)].get_config()["activation"] == "linear"
    }


def _inputs(layer: keras.layers.Layer) -> list:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _folded_weights(layer: keras.layers.Layer, norm: keras.layers.Layer) -> list[np.ndarray]:
    """Return kernels and bias of a convolution that includes its normalisation."""
    values = {variable.name: np.asarray(variable, np.float64) for variable in norm.weights}
    scale = values.get("gamma", 1.0) / np.sqrt(values["moving_variance"] + norm.epsilon)
    *kernels, last = layer.get_weights()[: -1 if layer.use_bias else None]
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else 0.0
    shift = values.get("beta", 0.0) + (bias - values["moving_mean"]) * scale
    return [*kernels, (last * scale).astype(last.dtype), shift.astype(last.dtype)]
