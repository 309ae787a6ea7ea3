"""A picture detector as it is used: the network, and the card that says how to read its scores.

A network alone is half a detector. Which size it takes, how sure its scores are (temperature),
from where on a score counts as FAKE (threshold), on which data that was chosen and how well it did
there: all that lies beside it in ``<name>.card.json``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nbhelpers.common import files
from nbhelpers.evaluation import calibration, metrics
from nbhelpers.networks import loading

if TYPE_CHECKING:
    import keras


CARD_SUFFIX = ".card.json"
LIMITS = (
    "A score is no proof: it says how much a picture looks like the fakes of one data set.",
    "It holds for data like those it was measured on; on other manipulations expect far less.",
    "A model trained on the bundled sample knows nothing of real deepfakes.",
)


class CardError(ValueError):
    """A model card that cannot be read or says what cannot be."""


@dataclass(frozen=True)
class Detector:
    """A network with the card that belongs to it.

    Attributes:
        model: ``float32 (B, H, W, 3)`` RGB 0-255 -> P(fake) ``(B, 1)``.
        temperature: divides the logit of P(fake); 1 where there is no card.
        threshold: calibrated P(fake) from which on a picture is called FAKE.
        mirror: whether a picture and its mirror image are averaged.
        card: what else the card says; empty where there is none.
    """

    model: keras.Model
    temperature: float
    threshold: float
    mirror: bool
    card: Mapping[str, Any]

    @property
    def image_size(self) -> int:
        """Height and width that the network takes, pixels."""
        return self.model.input_shape[1]

    def p_fake(self, pictures: Sequence[np.ndarray], *, batch_size: int = 32) -> np.ndarray:
        """Score pictures.

        Args:
            pictures: ``uint8 (H, W, 3)`` RGB 0-255 each, of any size; they are resized as in
                training.
            batch_size: pictures at a time.

        Returns:
            Calibrated P(fake), ``float64 (N,)`` in [0, 1]. No picture gives no score.
        """
        import tensorflow as tf

        score = []
        for start in range(0, len(pictures), batch_size):
            batch = np.stack(
                [
                    tf.image.resize(picture, [self.image_size] * 2, antialias=True)
                    for picture in pictures[start : start + batch_size]
                ]
            )
            batch = np.clip(batch, 0, 255)
            views = [batch, batch[:, :, ::-1]] if self.mirror else [batch]
            score += [sum(self.model.predict_on_batch(view)[:, 0] / len(views) for view in views)]
        flat = np.concatenate(score).astype(float) if score else np.zeros(0)
        return calibration.apply_temperature(flat, self.temperature)


def save(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    temperature: float,
    threshold: float,
    mirror: bool,
    facts: Mapping[str, Any],
) -> Path:
    """Write a network and its card.

    Args:
        model: a detector, ``(B, H, W, 3)`` -> ``(B, 1)``.
        path: the ``.keras`` file; the card is written beside it.
        temperature: from `calibration.fit_temperature`, on validation rows.
        threshold: from `calibration.best_threshold`, on calibrated scores of validation rows.
        mirror: whether scores are averaged with the mirror image's.
        facts: whatever else a reader needs: data, split, scores with intervals, recipe.

    Returns:
        Path of the card.

    Raises:
        CardError: a temperature not above 0, or a threshold outside [0, 1].
    """
    path = Path(path)
    card = {
        "model": path.name,
        "input": f"RGB 0-255, {model.input_shape[1]} px, the face fills most of the picture",
        "output": "P(fake)",
        "temperature": float(temperature),
        "threshold": float(threshold),
        "mirror": bool(mirror),
        **facts,
        "limits": list(LIMITS),
    }
    _check(card, path.name)
    with files.whole(path) as part:
        model.save(part)
    target = card_path(path)
    files.write_text(target, json.dumps(card, indent=1, allow_nan=False) + "\n")
    return target


def load(path: str | os.PathLike) -> Detector:
    """Load a network and, where it lies beside it, its card.

    Args:
        path: the ``.keras`` file.

    Returns:
        The detector. Without a card: temperature 1, threshold 0.5, no mirror image, empty card.

    Raises:
        FileNotFoundError, ValueError: as `loading.load_detector`, which is told of the card's
            ``classes`` where there are any.
        CardError: there is a card, and it is broken.
    """
    target = card_path(path)
    if not target.is_file():
        return Detector(loading.load_detector(path), 1.0, metrics.THRESHOLD, False, {})
    try:
        card = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(
            f"Expected a model card in JSON; {target.name} cannot be read ({error}). Run notebook "
            "03 again, or delete the card to go on with uncalibrated scores."
        ) from error
    _check(card, target.name)
    model = loading.load_detector(path, classes=card.get("classes"))
    return Detector(model, card["temperature"], card["threshold"], card["mirror"], card)


def card_path(path: str | os.PathLike) -> Path:
    """Where the card of a model file lies."""
    return Path(path).with_suffix(CARD_SUFFIX)


def _check(card: Any, name: str) -> None:
    wrong = not isinstance(card, dict) or not (
        _is_number(card.get("temperature"))
        and card["temperature"] > 0
        and _is_number(card.get("threshold"))
        and 0 <= card["threshold"] <= 1
        and isinstance(card.get("mirror"), bool)
    )
    if wrong:
        raise CardError(
            f"Expected a card with a temperature above 0, a threshold in [0, 1] and mirror true or "
            f"false; {name} says otherwise. Run notebook 03 again, or delete the card to go on "
            "with uncalibrated scores."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
