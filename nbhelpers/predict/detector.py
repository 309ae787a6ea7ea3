"""A picture detector: the network, and the card that says how to read its scores.

A network alone is half a detector. The card ``<name>.card.json`` beside it holds the rest: input
size, calibration of the scores (temperature), limits of the answers (threshold, borders), the data
on which these were chosen, and the performance there.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nbhelpers.common import files
from nbhelpers.evaluation import calibration, metrics
from nbhelpers.networks import loading

if TYPE_CHECKING:
    import keras

CARD_SUFFIX = ".card.json"
BY_BORDERS = ("answer_shares", "clips")  # of a card: how often which answer, at its own borders
LIMITS = (
    "A score is no proof: it says how much a picture looks like the fakes of one data set.",
    "It holds for data like those it was measured on; on other manipulations expect far less.",
    "A model trained on the bundled sample knows nothing of real deepfakes.",
)
#: Added on each side of a face, as a share of its box. Measured on 250 crops each (medians): the
#: box from `media.faces` fills 0.83 of the bundled sample's crops, and the whole of DFDC's.
SAMPLE_MARGIN, TIGHT_MARGIN = 0.1, 0.0


class CardError(ValueError):
    """A model card that cannot be read, or holds impossible values."""


class ScoreError(ValueError):
    """A network returned values that are not probabilities."""


class Verdict(StrEnum):
    """The answer about a face."""

    MANIPULATED = "looks manipulated"
    NO_SIGN = "no sign of manipulation that this detector knows"
    UNDECIDED = "cannot tell"


@dataclass(frozen=True)
class Detector:
    """A network with its card.

    Attributes:
        model: ``float32 (B, H, W, 3)`` RGB 0-255 -> P(fake) ``(B, 1)``.
        temperature: divides the logit of P(fake); 1 where there is no card.
        threshold: a picture with this calibrated P(fake) or a higher one is called FAKE.
        mirror: whether a picture and its mirror image are averaged.
        card: everything else on the card; empty if there is no card.
        borders: calibrated P(fake) below which there is no sign of manipulation, and at or above
            which a face looks manipulated; None sets both to the threshold.
        path: the file it was loaded from; None if it was not loaded.
    """

    model: keras.Model
    temperature: float = 1.0
    threshold: float = metrics.THRESHOLD
    mirror: bool = False
    card: Mapping[str, Any] = field(default_factory=dict)
    borders: tuple[float, float] | None = None
    path: Path | None = None

    @property
    def image_size(self) -> int:
        """Height and width of the network's input, pixels."""
        return self.model.input_shape[1]

    @property
    def low(self) -> float:
        """P(fake) below which there is no sign of manipulation."""
        return self.borders[0] if self.borders else self.threshold

    @property
    def high(self) -> float:
        """P(fake) at or above which a face looks manipulated."""
        return self.borders[1] if self.borders else self.threshold

    @property
    def is_of_sample(self) -> bool:
        """Whether it was trained on the bundled sample, according to its card."""
        data = self.card.get("data")
        data = data if isinstance(data, dict) else {}
        return bool(self.card.get("is_sample", data.get("is_sample", False)))

    @property
    def trained_on(self) -> str:
        """The data it was trained on, in words."""
        if not self.card:
            return "unknown data (it has no card)"
        data = self.card.get("data", "unknown data")
        name = data.get("name", "unknown data") if isinstance(data, dict) else str(data)
        if self.is_of_sample:
            return f"{name}, the bundled sample: computer-generated people, no real deepfakes"
        return name

    @property
    def margin(self) -> float:
        """Margin around a face box, as in the detector's training crops."""
        return SAMPLE_MARGIN if self.is_of_sample else TIGHT_MARGIN

    def verdict(self, p_fake: float) -> Verdict:
        """Put a score into words.

        Args:
            p_fake: calibrated P(fake), 0-1.

        Returns:
            One of the three answers.
        """
        if p_fake >= self.high:
            return Verdict.MANIPULATED
        return Verdict.NO_SIGN if p_fake < self.low else Verdict.UNDECIDED

    @property
    def has_own_border(self) -> bool:
        """Whether its border is the user's, so that the card says nothing about its errors."""
        return self.threshold != self.card.get("threshold", self.threshold)

    def at(self, threshold: float) -> Detector:
        """Return the detector with a single border, about whose errors nothing is known.

        Args:
            threshold: P(fake) at or above which a face looks manipulated, 0-1.
        """
        card = {key: value for key, value in self.card.items() if key not in BY_BORDERS}
        return replace(self, threshold=threshold, borders=None, card=card)

    def share_of(self, label: str, verdict: Verdict, *, kind: str = "picture") -> float | None:
        """Return how often faces of a class got an answer in the detector's test.

        Args:
            label: "REAL" or "FAKE".
            verdict: the answer.
            kind: "picture" or "video": a clip's score is a mean over frames, and its clips are of
                another source.

        Returns:
            A share, 0-1; None where the card does not say.
        """
        shares = self.card.get("answer_shares")
        if kind == "video":
            clips = self.card.get("clips")
            shares = clips.get("answers") if isinstance(clips, Mapping) else None
        row = shares.get(label) if isinstance(shares, Mapping) else None
        value = row.get(str(verdict)) if isinstance(row, Mapping) else None
        return float(value) if _is_number(value) and 0 <= value <= 1 else None

    def p_fake(self, pictures: Sequence[np.ndarray], *, batch_size: int = 32) -> np.ndarray:
        """Score pictures.

        Args:
            pictures: ``uint8 (H, W, 3)`` RGB 0-255 each, of any size; they are resized as in
                training.
            batch_size: pictures per batch.

        Returns:
            Calibrated P(fake), ``float64 (N,)`` in [0, 1]. No picture gives no score.

        Raises:
            ScoreError: the network returns values that are not finite or not in [0, 1].
        """
        import tensorflow as tf

        size = [self.image_size] * 2
        scores = [np.zeros(0)]
        for start in range(0, len(pictures), batch_size):
            part = pictures[start : start + batch_size]
            batch = np.stack([tf.image.resize(one, size, antialias=True) for one in part])
            batch = np.clip(batch, 0, 255)
            views = [batch, batch[:, :, ::-1]] if self.mirror else [batch]
            scores += [sum(self.model.predict_on_batch(view)[:, 0] / len(views) for view in views)]
        return calibration.apply_temperature(
            _checked_scores(np.concatenate(scores).astype(float)), self.temperature
        )


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
        mirror: whether scores are averaged with those of the mirror image.
        facts: whatever else a reader needs: data, split, scores with intervals, recipe, and
            ``borders`` and ``answer_shares`` if they were measured.

    Returns:
        Path of the card.

    Raises:
        CardError: the temperature is not above 0, or a threshold or border is outside [0, 1].
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
    _check_card(card, path.name)
    with files.whole(path) as part:
        model.save(part)
    target = card_path(path)
    files.write_text(target, json.dumps(metrics.by_name(card), indent=1, allow_nan=False) + "\n")
    return target


def load(path: str | os.PathLike) -> Detector:
    """Load a network and its card, if there is one beside it.

    Args:
        path: the ``.keras`` file.

    Returns:
        The detector. Without a card: temperature 1, threshold 0.5, no mirror image, empty card.

    Raises:
        FileNotFoundError, ValueError: as `loading.load_detector`, which receives the card's
            ``classes`` if there are any.
        CardError: the card is damaged.
    """
    target = card_path(path)
    if not target.is_file():
        return Detector(loading.load_detector(path), path=Path(path))
    try:
        card = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(
            f"Expected a model card in JSON; {target.name} cannot be read ({error}). Run notebook "
            "03 again, or delete the card to continue with uncalibrated scores."
        ) from error
    _check_card(card, target.name)
    borders = card.get("borders")
    return Detector(
        loading.load_detector(path, classes=card.get("classes")),
        temperature=float(card["temperature"]),
        threshold=float(card["threshold"]),
        mirror=card["mirror"],
        card=card,
        borders=(float(borders["low"]), float(borders["high"])) if borders else None,
        path=Path(path),
    )


def card_path(path: str | os.PathLike) -> Path:
    """Return the path of a model file's card."""
    return Path(path).with_suffix(CARD_SUFFIX)


def _checked_scores(scores: np.ndarray) -> np.ndarray:
    wrong = ~(np.isfinite(scores) & (scores >= 0) & (scores <= 1))
    if wrong.any():
        raise ScoreError(
            f"Expected scores from 0 to 1; the detector gave {scores[wrong][0]:g}. It is damaged, "
            "or its training failed: use another, or run notebook 03 again."
        )
    return scores


def _check_card(card: Any, name: str) -> None:
    if not isinstance(card, dict) or not (
        _is_number(card.get("temperature"))
        and card["temperature"] > 0
        and _is_share(card.get("threshold"))
        and isinstance(card.get("mirror"), bool)
    ):
        raise CardError(
            f"Expected a card with a temperature above 0, a threshold in [0, 1] and mirror true or "
            f"false; {name} says otherwise. Run notebook 03 again, or delete the card to continue "
            "with uncalibrated scores."
        )
    borders = card.get("borders")
    if borders is not None and not (
        isinstance(borders, dict)
        and _is_share(borders.get("low"))
        and _is_share(borders.get("high"))
        and borders["low"] <= borders["high"]
    ):
        raise CardError(
            f"Expected borders in a card with 0 <= low <= high <= 1; {name} says "
            f"{str(borders)[:80]}. Remove them, or restore the card."
        )


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_number(value: Any) -> bool:
    """Whether a value of a card is a finite number that float holds."""
    try:
        return not isinstance(value, bool | str) and math.isfinite(value)
    except (TypeError, OverflowError):
        return False
