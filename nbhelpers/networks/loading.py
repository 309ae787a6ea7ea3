"""Loading a detector from a file that may come from anywhere."""

from __future__ import annotations

import copy
import math
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nbhelpers.common.files import displayable
from nbhelpers.networks import model_files, outputs

if TYPE_CHECKING:
    import keras


LARGEST_SIDE = 2048  # pixels of a detector's input
MOST_ACTIVATIONS = 200_000_000  # outputs of one layer for one picture
SPARE_VALUES = 1000  # values that may be missing in the file: states of random layers


def load_detector(path: str | os.PathLike, *, classes: Sequence[str] | None = None) -> keras.Model:
    """Load a detector that notebook 03 has saved, or another one.

    Args:
        path: a ``.keras`` file; files that carry code, or read other files, are refused unread.
        classes: the meaning of a detector's two outputs, in order, such as ("REAL", "FAKE"); from
            its card.

    Returns:
        The model: square ``float32 (B, H, H, 3)`` RGB 0-255 -> P(fake), ``float32 (B, 1)``. If the
        file's network ends in logits or two classes, the missing layers are added. Not compiled,
        for it is used only for scoring.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a model, contains code, is too large, or is not a picture
            detector with one output.
    """
    name = displayable(Path(path).name)
    with model_files.opened(path) as parts:
        try:
            _check_network(_built(parts, without_memory=True), parts.values, name)
            model = _built(parts)
            model.load_weights(parts.weights)
        except model_files.ModelFileError:
            raise
        except Exception as error:  # Keras passes on any error of its layers
            raise model_files.unreadable(
                name, f"{_versions(parts)}{type(error).__name__}: {error}"
            ) from error
    if not all(np.isfinite(values).all() for values in model.get_weights()):
        raise model_files.unreadable(name, "some of its weights are NaN or infinite")
    return outputs.as_p_fake(model, classes=classes, name=name)


def _built(parts: model_files.Parts, *, without_memory: bool = False) -> keras.Model:
    """Build the described network; without memory, its weights are placeholders."""
    import keras
    import tensorflow as tf

    def build():
        description = copy.deepcopy(parts.description)  # Keras modifies it
        return keras.saving.deserialize_keras_object(description, safe_mode=True)

    if not without_memory:
        return build()
    state = random.getstate()  # Keras seeds layers from it: loading must not change later results
    try:
        with tf.Graph().as_default():
            return build()
    finally:
        random.setstate(state)


def _check_network(model: object, values: int, name: str) -> None:
    """Refuse networks that do not take pictures, or need disproportionate memory."""
    import keras

    if not isinstance(model, keras.Model):
        raise model_files.unreadable(name, f"it holds a {type(model).__name__}, not a whole model")
    shape = model.input_shape if model.built else None
    fits = isinstance(shape, tuple) and len(shape) == 4 and shape[3] == 3
    if not fits or shape[1] is None or shape[1] != shape[2] or shape[1] > LARGEST_SIDE:
        raise model_files.ModelFileError(
            "Expected a detector of square colour pictures of a fixed size, (B, H, H, 3) with H up "
            f"to {LARGEST_SIDE}, and one output (B, 1); received {_as_text(shape)} in {name}. Save "
            "one with keras.layers.Input((H, H, 3))."
        )
    weights = sum(math.prod(weight.shape) for weight in model.weights)
    if weights > values + SPARE_VALUES:
        raise model_files.UnsafeModelError(
            f"Expected a weight in the file for each of the network; {name} describes {weights:,} "
            f"and holds {values:,}. Save the model of notebook 03 again."
        )
    largest = max(_activations(layer) for layer in model.layers)
    if largest > MOST_ACTIVATIONS:
        raise model_files.UnsafeModelError(
            f"Expected layers of at most {MOST_ACTIVATIONS:,} numbers per picture; one of {name} "
            f"makes {largest:,}. Save the model of notebook 03 again."
        )


def _activations(layer: keras.layers.Layer) -> int:
    """Return the number of outputs of a layer for one picture; 0 without a fixed size."""
    try:
        shape = layer.output.shape[1:]
    except (AttributeError, ValueError):  # used twice, or with several outputs
        return 0
    return 0 if None in shape else math.prod(shape)


def _as_text(shape: object) -> str:
    """Return a shape in the notation of the documentation."""
    return displayable(str(shape).replace("None", "?"))[:120]


def _versions(parts: model_files.Parts) -> str:
    """Name the version of Keras that wrote a file, if it differs from the one reading it."""
    import keras

    if parts.keras_version in ("", keras.__version__):
        return ""
    return f"written by Keras {parts.keras_version}, this is {keras.__version__}; "
