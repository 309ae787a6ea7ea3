"""Feature vectors prepared for a small network: centred, and scaled to a common size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scale:
    """Subtracts the mean vector and divides by one number, the same for every feature.

    Encoders differ in both: if all vectors share a large common part and differ little from it, a
    recurrent network sees the same input in every clip. Dividing each feature by its own spread
    would inflate those that are nearly always zero.

    Attributes:
        centre: float32 (D,).
        spread: above 0.

    >>> values = np.array([[[1.0, 5.0], [3.0, 5.0]]])
    >>> Scale.of(values, np.ones((1, 2), bool))(values)[0, :, 1].tolist()
    [0.0, 0.0]
    """

    centre: np.ndarray
    spread: float

    @classmethod
    def of(cls, values: np.ndarray, mask: np.ndarray) -> Scale:
        """Measure centre and spread.

        Args:
            values: float32 (N, T, D), of training clips only.
            mask: bool (N, T), True for frames; padding does not count.

        Returns:
            The scale; `spread` is 1 where all vectors are equal.
        """
        frames = values[mask]
        centre = frames.mean(axis=0)
        return cls(centre, float((frames - centre).std()) or 1.0)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Apply the scale.

        Args:
            values: float32 (..., D), of any clips. Padding does not stay zero: pass the mask on.

        Returns:
            float32 of the same shape.
        """
        return ((values - self.centre) / self.spread).astype(np.float32)
