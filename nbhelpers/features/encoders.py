"""Frame encoders: networks that turn a picture into a vector."""

from __future__ import annotations

import difflib
import hashlib
import logging
import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nbhelpers.networks import detector_files, inference, loading, weights

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

ENCODERS = ("auto", "ImageNet", "InceptionV3", "Xception", "detector", "bundled")
_AT_ONCE = 32  # pictures per call of the network; limits its memory
_MAKING = threading.Lock()  # one thread builds the inference network, the others wait


@dataclass(frozen=True)
class Encoder:
    """A network that turns a picture into a vector.

    Attributes:
        name: "InceptionV3", "Xception" or "detector".
        image_size: height and width of its input, pixels.
        dim: length of the vector.
        digest: SHA-256 of the weights and everything else that the vectors depend on.
        origin: where the weights came from, as one phrase.
        is_random: whether the weights are random, so that the vectors mean little.
        path: the detector's file, beside which `exposure` finds the people it has met; None for
            the ImageNet networks.
    """

    name: str
    image_size: int
    dim: int
    digest: str
    origin: str
    is_random: bool
    network: keras.Model = field(repr=False)
    path: Path | None = None

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """Encode pictures, at most 32 at a time.

        Args:
            batch: uint8 or float32 (B, image_size, image_size, 3) RGB 0-255, B >= 1.

        Returns:
            float32 (B, dim).
        """
        parts = [batch[start : start + _AT_ONCE] for start in range(0, len(batch), _AT_ONCE)]
        return np.concatenate(
            [self._inference.predict_on_batch(np.asarray(part, np.float32)) for part in parts]
        )

    @property
    def _inference(self) -> keras.Model:
        with _MAKING:
            return self._folded

    @cached_property
    def _folded(self) -> keras.Model:
        """The network in its fastest form, built at the first call."""
        folded = inference.folded(self.network)
        folded.make_predict_function()
        return folded

    def describe(self) -> dict[str, str | int | bool]:
        """Return the facts stored in a results file."""
        names = ("name", "image_size", "dim", "digest", "origin", "is_random")
        return {name: getattr(self, name) for name in names}


def load_encoder(
    name: str = "auto",
    *,
    image_size: int = 224,
    weights_mode: str = "auto",
    model_path: str | os.PathLike = "",
    layer: str = "",
    is_sample: bool = True,
) -> Encoder:
    """Load a frame encoder.

    Args:
        name: "InceptionV3" (the article's) or "Xception", with ImageNet weights; "ImageNet" for
            InceptionV3 if its weights are available, else Xception; "bundled" for the detector
            of real faces that comes with the project; "detector" for the model file at
            `model_path`; the path of a `.keras` file; or "auto": "bundled" if the data show real
            people and the detector is there, else "ImageNet".
        image_size: input size of the ImageNet networks, pixels, >= 75; a detector has its own.
        weights_mode: "auto", "imagenet" or "none", see `nbhelpers.networks.weights.imagenet`.
        model_path: a detector with a global average pooling layer, as notebook 03 saves it.
        layer: the layer of a detector whose output is averaged over the picture; "" takes the last,
            which its own pooling uses. Middle layers describe textures; late ones are specific to
            the detector's own data.
        is_sample: whether the pictures are the bundled sample's, whose people are drawn
            (`Dataset.is_sample`); used only by "auto".

    Returns:
        The encoder; `is_random` says whether no pretrained weights were available.

    Raises:
        ValueError: unknown name; or the detector has no global average pooling layer, or no layer
            named `layer` with an output (B, H, W, C); or there is no bundled detector.
        FileNotFoundError: there is no file at `model_path`.
        WeightsError: `weights_mode` requires weights that are not available.
    """
    if name.endswith(".keras"):
        name, model_path = "detector", name
    if name not in ENCODERS:
        raise ValueError(
            f"Expected ENCODER to be one of {ENCODERS} or a .keras file; received {name!r}."
        )
    if name == "auto":
        takes_bundled = not is_sample and detector_files.bundled_file() is not None
        name = "bundled" if takes_bundled else "ImageNet"
    if name == "bundled":
        name, model_path = "detector", detector_files.detector_file(name)
    if name == "detector":
        return _detector(Path(model_path), layer)
    if name == "ImageNet":
        try:
            insist = "none" if weights_mode == "none" else "imagenet"
            return _imagenet_encoder(weights.imagenet("InceptionV3", mode=insist), image_size)
        except weights.WeightsError as error:
            logger.info("InceptionV3's weights are not available, using Xception: %s", error)
            name = "Xception"
    return _imagenet_encoder(weights.imagenet(name, mode=weights_mode), image_size)


# ---------------------------------------------------------------- encoders


def _imagenet_encoder(pretrained: weights.PretrainedWeights, image_size: int) -> Encoder:
    import keras
    from keras import layers

    inputs = layers.Input((image_size, image_size, 3))
    scaled = layers.Rescaling(1 / 127.5, offset=-1)(inputs)  # both networks expect [-1, 1]
    build = getattr(keras.applications, pretrained.architecture)
    base = build(include_top=False, weights=None, input_tensor=scaled)
    if not pretrained.is_random:
        base.set_weights(pretrained.values)
    pooled = layers.GlobalAveragePooling2D()(base.output)
    network = keras.Model(inputs, pooled, name=f"{pretrained.architecture.lower()}_encoder")
    return _encoder(
        pretrained.architecture, network, pretrained.origin, is_random=pretrained.is_random
    )


def _detector(path: Path, layer: str) -> Encoder:
    import keras

    model = loading.load_detector(path)
    pooling = [x for x in model.layers if isinstance(x, keras.layers.GlobalAveragePooling2D)]
    maps = [x.name for x in model.layers if len(getattr(x.output, "shape", ())) == 4]
    if not layer and not pooling:
        raise ValueError(
            f"Expected a detector with a GlobalAveragePooling2D layer; received {path.name} with "
            f"{len(model.layers)} layers and none of this type. Use the model of notebook 03."
        )
    if layer and layer not in maps:
        raise ValueError(
            f"Expected a layer of {path.name} with an output (B, H, W, C); received {layer!r}. "
            f"{_nearest(layer, maps)}"
        )
    if layer:
        output = keras.layers.GlobalAveragePooling2D()(model.get_layer(layer).output)
    else:
        output = pooling[-1].output
    network = keras.Model(model.inputs, output, name="detector_encoder")
    origin = f"model file {path.name}" + (f", layer {layer}" if layer else "")
    return _encoder("detector", network, origin, is_random=False, path=path)


def _nearest(layer: str, names: list[str]) -> str:
    """Suggest the nearest name for a wrong one, or list some."""
    if near := difflib.get_close_matches(layer, names, n=1):
        return f"Did you mean {near[0]!r}?"
    return f"It has {', '.join(names[-5:])} and {max(0, len(names) - 5)} more."


def _encoder(
    name: str,
    network: keras.Model,
    origin: str,
    *,
    is_random: bool,
    path: Path | None = None,
) -> Encoder:
    size, dim = network.input_shape[1], network.output_shape[-1]
    numbers = weights.digest(network.get_weights())
    place = network.layers[-2].name  # distinguishes layers without weights too
    digest = hashlib.sha256(f"{name} {size} {dim} {place} {numbers}".encode()).hexdigest()
    return Encoder(name, size, dim, digest, origin, is_random, network, path)
