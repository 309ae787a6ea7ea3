"""What the features of a clip are made of: encoder, frames, crop."""

from __future__ import annotations

from dataclasses import dataclass

from nbhelpers.features.encoders import Encoder
from nbhelpers.media import faces, video

CROPS = ("face", "centre")


@dataclass(frozen=True)
class Choice:
    """What the features of a clip are made of.

    Attributes:
        encoder: from `load_encoder`, or any object with `image_size, dim, digest, predict`.
        frames: frames per clip, >= 1; a shorter clip is padded and its padding masked.
        how: "even" or "first", see `nbhelpers.media.video.frame_indices`.
        crop: "face" (`nbhelpers.media.faces.crop_faces`) or "centre" (the article's square).
        margin: around a face, see `nbhelpers.media.faces.crop_faces`.

    Raises:
        ValueError: unknown `how` or `crop`, or `frames` below 1.
    """

    encoder: Encoder
    frames: int
    how: str = "even"
    crop: str = "face"
    margin: float = faces.MARGIN

    def __post_init__(self):
        video.frame_indices(1, self.frames, how=self.how)
        if self.crop not in CROPS:
            raise ValueError(f"Expected CROP to be one of {CROPS}; received {self.crop!r}.")

    @property
    def pictures(self) -> tuple:
        """What the pictures depend on; choices with equal values share pictures."""
        margin = self.margin if self.crop == "face" else None
        return self.frames, self.how, self.crop, margin, self.encoder.image_size
