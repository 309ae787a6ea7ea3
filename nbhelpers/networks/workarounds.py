"""Workarounds for libraries' bugs, each with the issue and the condition for removing it."""

from __future__ import annotations

from collections.abc import Collection


def registered_gradients() -> set[str]:
    """Return the names of the gradient functions currently registered in TensorFlow.

    Each training registers one, for summing gradients over replicas, and TensorFlow keeps it for
    the lifetime of the process, with the training's graph, weights and optimizer state: 0.4 GB
    for each Xception. Pass the names to `forget_gradients` when the training is over.

    Library: TensorFlow, seen in 2.18 to 2.21.
    Issue: https://github.com/tensorflow/tensorflow/issues/97697 (and 27492, from 2019).
    Remove when: the lowest TensorFlow that ``pyproject.toml`` allows releases graphs by itself;
        `tests/networks/test_checkpoints.py::test_nothing_holds_a_network_that_was_trained` then
        passes without it.
    """
    return {*_gradient_functions()}


def forget_gradients(*, since: Collection[str]) -> None:
    """Remove the gradient functions registered since an earlier call.

    Args:
        since: from `registered_gradients`, before the training.
    """
    registry = _gradient_functions()
    for name in registry.keys() - {*since}:
        del registry[name]


def _gradient_functions() -> dict:
    """Return TensorFlow's table; {} if a version keeps it elsewhere, which only costs memory."""
    from tensorflow.python.framework import ops

    return getattr(getattr(ops, "gradient_registry", None), "_registry", {})
