"""Stand-in with the agreed interface; replaced when the real room lands."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from nbhelpers import models


@dataclass(frozen=True)
class Detector:
    model: object
    image_size: int
    temperature: float = 1.0
    threshold: float = 0.5
    mirror: bool = False
    card: dict = field(default_factory=dict)

    def p_fake(self, pictures):
        size = self.image_size
        batch = np.stack(
            [cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures]
        ).astype("float32")
        p = self.model.predict(batch, verbose=0)[:, 0].astype("float64")
        logit = np.log(np.clip(p, 1e-7, 1 - 1e-7) / (1 - np.clip(p, 1e-7, 1 - 1e-7)))
        return 1 / (1 + np.exp(-logit / self.temperature))


def load(path: str | os.PathLike) -> Detector:
    model = models.load_detector(path)
    card_file = Path(path).with_suffix(".card.json")
    card = json.loads(card_file.read_text()) if card_file.is_file() else {}
    return Detector(
        model,
        model.input_shape[1],
        card.get("temperature", 1.0),
        card.get("threshold", 0.5),
        card.get("mirror", False),
        card,
    )
