"""The meaning of a network's outputs: P(fake), logits, or two classes.

A network without a final sigmoid gives logits: 0.3 means P = 0.57, not 0.3. So the end of a network
is examined before its outputs are used, and missing layers are added.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

SIGMOID = {"sigmoid", "hard_sigmoid", "Sigmoid", "HardSigmoid"}
SOFTMAX = {"softmax", "Softmax"}
#: Layers that preserve the meaning of their inputs, by the start of the class name.
KEEPS_MEANING = (
    "ActivityRegularization",
    "Average",
    "Dropout",
    "Flatten",
    "GetItem",
    "Global",
    "Identity",
    "Maximum",
    "Mean",
    "Minimum",
    "Permute",
    "Reshape",
    "SpatialDropout",
    "Squeeze",
)


def as_p_fake(
    model: keras.Model, *, classes: Sequence[str] | None = None, name: str = "the model"
) -> keras.Model:
    """Make a network return P(fake), whatever its final layers.

    Args:
        model: one picture input, one output ``(B, 1)`` or ``(B, 2)``: sigmoid, softmax or logits.
        classes: the meaning of the two outputs, in order, such as ("REAL", "FAKE"); None if
            unknown, or if there is one output.
        name: of the model, for messages.

    Returns:
        The model itself if it ends in one sigmoid, else one with the same layers and a new end:
        P(fake), ``float32 (B, 1)``.

    Raises:
        ValueError: another shape, outputs with another meaning, or two outputs without knowing
            which one is FAKE.
    """
    import keras

    outputs = model.outputs if isinstance(model.outputs, list) else []
    width = outputs[0].shape[1] if len(outputs) == 1 and len(outputs[0].shape) == 2 else None
    if width not in (1, 2):
        shapes = [tuple(output.shape) for output in outputs]
        raise ValueError(
            f"Expected a detector (B, H, W, 3) -> (B, 1); received outputs {shapes} in {name}. "
            "Save one that ends in one sigmoid unit."
        )
    end = _end(model)
    if end not in ("sigmoid", "softmax", "linear") or (end == "softmax" and width == 1):
        raise ValueError(
            f"Expected a detector that ends in a sigmoid, two softmax units or logits; {name} ends "
            f"in {width} x {end}, which is not P(fake). Save one that ends in one sigmoid unit."
        )
    if width == 1 and end == "sigmoid":
        return model
    if end == "linear":
        logger.warning("%s ends without a sigmoid: its outputs are read as logits", name)
    activation = {1: "sigmoid", 2: "softmax"}[width] if end == "linear" else "linear"
    output = keras.layers.Activation(activation, dtype="float32", name="p_classes")(outputs[0])
    if width == 2:
        place = _place_of_fake(classes, name)
        output = output[:, place : place + 1]
    return keras.Model(model.inputs[0], output, name=model.name)


def check_scores(score: np.ndarray, *, name: str = "the detector") -> np.ndarray:
    """Refuse scores that are not probabilities.

    Args:
        score: P(fake), any shape.
        name: of what gave them, for the message.

    Returns:
        The scores, as they are.

    Raises:
        ValueError: one of them is not a finite number in [0, 1].

    >>> check_scores(np.array([0.2, 1.0])).tolist()
    [0.2, 1.0]
    """
    wrong = ~((score >= 0) & (score <= 1))  # NaN compares false
    if wrong.any():
        raise ValueError(
            f"Expected P(fake) in [0, 1]; received {score[wrong].flat[0]} from {name} for "
            f"{wrong.sum()} of {score.size} pictures. The network is damaged or gives logits."
        )
    return score


def _place_of_fake(classes: Sequence[str] | None, name: str) -> int:
    """Return which of two outputs is P(fake)."""
    labels = [str(each).upper() for each in classes] if isinstance(classes, list | tuple) else []
    if sorted(labels) != ["FAKE", "REAL"]:
        raise ValueError(
            f"Expected to know which of two outputs is FAKE; {name} has two, and "
            + (f"its classes are called {labels}. " if labels else "their order is unknown.  ")
            + 'Write "classes": ["REAL", "FAKE"], in their order, into its card.'
        )
    return labels.index("FAKE")


def _end(model: keras.Model) -> str:
    """Return how a network ends: "sigmoid", "softmax", "linear", or another layer's name."""
    import keras

    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0])
    makers = {}
    for operation in model.operations:
        try:
            makers |= {id(tensor): operation for tensor in _listed(operation.output)}
        except (AttributeError, ValueError):  # used twice: has no output of its own
            continue
    return _end_at(model.outputs[0], makers)


def _end_at(tensor, makers: dict) -> str:
    import keras

    maker = makers.get(id(tensor))
    if maker is None:
        return "a layer that is used twice"
    if isinstance(maker, keras.Model):
        return _end(maker)
    kind = type(maker).__name__
    activation = _activation(maker)
    for names, meaning in ((SIGMOID, "sigmoid"), (SOFTMAX, "softmax")):
        if kind in names or activation in names:
            return meaning
    if kind.startswith(KEEPS_MEANING) or (kind == "Activation" and activation == "linear"):
        ends = {_end_at(each, makers) for each in _listed(maker.input)}
        return ends.pop() if len(ends) == 1 else "a mixture"
    if activation == "linear" and getattr(maker, "weights", ()):
        return "linear"
    return f"{kind} ({activation})" if activation else kind


def _activation(operation) -> str:
    """Return the name of a layer's activation; "" where it has none."""
    function = getattr(operation, "activation", None)
    return getattr(function, "__name__", type(function).__name__) if function is not None else ""


def _listed(tensors) -> list:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
