"""The networks of the series, as small functions that build and return a Keras model.

Every network takes ``float32 (B, H, W, 3)`` pictures, RGB, 0-255, and rescales them itself, so that
no caller can forget to. Every detector ends in one sigmoid unit: P(fake).
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

    from nbhelpers.weights import PretrainedWeights

#: First layer that the article unfreezes in its second stage: index 56 of 132 in Xception.
ARTICLE_UNFREEZE_FROM = "block7_sepconv1_act"

#: Layers of Keras that run code of their own, or read files that a model file names.
CARRY_CODE = (
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
    *("StringLookup", "IntegerLookup", "TextVectorization"),
)
MOST_BYTES = 4_000_000_000  # of a model file when unpacked


class UnsafeModelError(ValueError):
    """A model file that could do more than describe a network."""


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
    """Build a small forensic network: it sees what is left when the smooth picture is taken away.

    Subtracting a local mean removes who is shown and how the light falls, and keeps noise, edges
    and the traces of resampling. Averaging instead of flattening asks *what* was seen, not *where*.

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
        x = layers.BatchNormalization(momentum=0.9)(x)  # follows quickly: epochs are short
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
        weights: values for the base from `nbhelpers.weights.imagenet("Xception")`; None or random
            weights leave it as initialised.
        last: layer of Xception that the head stands on; layers above it are left off.

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
    """Make a layer and all behind it trainable, and freeze those before it.

    Args:
        model: a model whose layers stand in order (not nested).
        layer_name: first layer to train, for example `ARTICLE_UNFREEZE_FROM`.
        batch_norm: False keeps batch normalisation in inference mode everywhere, so that the
            statistics of ImageNet stay and small batches do no harm.

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


def in_float32(model: keras.Model) -> keras.Model:
    """Copy a network that was trained in mixed precision into one that computes in float32.

    Half precision is for speed in training. Scores and gradients to be looked at closely, on any
    machine, want all their digits; the weights have them already.

    Args:
        model: a network of this module, of any dtype policy.

    Returns:
        A new model of the same name and weights; not compiled.
    """
    config = json.dumps(model.get_config())
    for policy in ("mixed_bfloat16", "mixed_float16"):
        config = config.replace(f'"{policy}"', '"float32"')
    copy = type(model).from_config(json.loads(config))
    copy.set_weights(model.get_weights())
    return copy


def folded(model: keras.Model) -> keras.Model:
    """Copy a network for inference: each batch normalisation moves into the convolution before it.

    A convolution and a fixed scale and shift behind it are together one convolution, with other
    weights. The copy gives the same to within rounding and goes over its memory less often.

    Args:
        model: a functional or sequential network; a normalisation whose convolution is used
            elsewhere as well, or has an activation, stays.

    Returns:
        A new model of the same name; not compiled, and not to be trained.
    """
    import keras

    if isinstance(model, keras.Sequential):  # of which Keras makes no changed copy
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
    """Name of each convolution that has nothing but a batch normalisation behind it -> that."""
    from keras import layers

    plain = (layers.Conv2D, layers.SeparableConv2D)
    made_by = {id(layer.output): layer for layer in model.layers if isinstance(layer, plain)}
    used = [id(x) for layer in model.layers for x in _inputs(layer)]
    return {
        made_by[id(norm.input)].name: norm
        for norm in model.layers
        if isinstance(norm, layers.BatchNormalization)
        and norm.axis in (-1, 3)
        and id(norm.input) in made_by
        and used.count(id(norm.input)) == 1
        and id(norm.input) not in map(id, model.outputs)
        and made_by[id(norm.input)].get_config()["activation"] == "linear"
    }


def _inputs(layer: keras.layers.Layer) -> list:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _folded_weights(layer: keras.layers.Layer, norm: keras.layers.Layer) -> list[np.ndarray]:
    """Kernels and bias of a convolution that does its normalisation as well."""
    values = {variable.name: np.asarray(variable, np.float64) for variable in norm.weights}
    scale = values.get("gamma", 1.0) / np.sqrt(values["moving_variance"] + norm.epsilon)
    *kernels, last = layer.get_weights()[: -1 if layer.use_bias else None]
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else 0.0
    shift = values.get("beta", 0.0) + (bias - values["moving_mean"]) * scale
    return [*kernels, (last * scale).astype(last.dtype), shift.astype(last.dtype)]


def gru_classifier(frames: int, dim: int) -> keras.Model:
    """Build the article's sequence network: GRU 16, GRU 8, dropout, dense 8, one sigmoid.

    Padding changes nothing: both recurrent layers know which frames are real.

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
    x = layers.GRU(8)(x, mask=mask)  # before Keras 3.11 it does not travel on
    x = layers.Dropout(0.4)(x)
    x = layers.Dense(8, activation="relu")(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return Model([features, mask], outputs, name="article_gru")


def load_detector(path: str | os.PathLike) -> keras.Model:
    """Load a detector that notebook 03 has saved.

    Args:
        path: a ``.keras`` file; files that carry code, or read other files, are refused unread.

    Returns:
        The model, compiled for nothing: it scores, it does not train.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no model, carries code, is too large, or is not a picture detector
            with one output.
    """
    import keras

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a detector file; nothing is at {path}. Run notebook 03 first, which saves "
            "one, or set MODEL_FILE to where it is."
        )
    try:
        _check_harmless(path)
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except UnsafeModelError:
        raise
    except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Expected a Keras model file; {path.name} cannot be read ({error}). "
            "Run notebook 03 again."
        ) from error
    if len(model.input_shape) != 4 or model.output_shape[1:] != (1,):
        raise ValueError(
            "Expected a detector (B, H, W, 3) -> (B, 1); received "
            f"{model.input_shape} -> {model.output_shape} in {path.name}."
        )
    return model


def _check_harmless(path: Path) -> None:
    """Refuse by the description in a model file, before Keras makes anything of it."""
    with zipfile.ZipFile(path) as archive:  # whatever its name: no HDF5, no pickle
        size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise UnsafeModelError(
                f"Expected a detector of at most {MOST_BYTES / 1e9:.0f} GB; {path.name} unpacks to "
                f"{size / 1e9:.0f} GB. Save the model of notebook 03 again."
            )
        config = json.loads(archive.read("config.json"))
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.values())
            if not _is_plain(part):
                raise UnsafeModelError(
                    f"Expected a detector of plain Keras layers; {path.name} has a "
                    f"{part.get('module')}.{part.get('class_name')}, which can run code or read "
                    "your files. Do not load files of strangers; run notebook 03 again."
                )
        elif isinstance(part, list):
            waiting.extend(part)


def _is_plain(part: dict) -> bool:
    """Whether a piece of a model's description names nothing but an ordinary object of Keras."""
    rooms = str(part.get("module") or "keras").split(".")
    name = str(part.get("class_name")).rpartition(">")[2]
    return rooms[0] == "keras" and "utils" not in rooms and name not in CARRY_CODE
