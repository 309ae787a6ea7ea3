"""One picture file -> RGB pixels: the only place where pictures are decoded.

Upright, in the right colours, and bounded: how large a picture is, is read off its header before
anything is decoded. What cannot be decoded to its end is an error, never a grey half.
"""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np

MOST_PIXELS = 50_000_000  # of a picture or of a clip's frame when decoded; three bytes each
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error)


class PictureError(ValueError):
    """A picture file cannot be decoded, with the reason as one sentence."""


def read(path: str | os.PathLike) -> np.ndarray:
    """Read one picture.

    Rotation flags of cameras are applied, transparent parts become white, CMYK and 16 bits a
    channel become RGB of 8 bits, an animation gives its first picture. Beyond `MOST_PIXELS` a JPEG
    is decoded at half, a quarter or an eighth of its size; any other format is refused.

    Args:
        path: a picture file that Pillow decodes (JPEG, PNG, …), whatever its name.

    Returns:
        ``uint8 (H, W, 3)`` RGB 0-255, to be written to.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: too large, damaged, or not a picture.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a picture file; nothing is at {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are dealt with here
            with Image.open(path) as picture:
                _bound(picture, path.name)
                kind = picture.format  # the upright copy has forgotten it
                return _as_rgb(ImageOps.exif_transpose(picture), path.name, kind)
    except PictureError:
        raise
    except (Image.DecompressionBombError, UnidentifiedImageError) as error:
        large = isinstance(error, Image.DecompressionBombError)
        what = "is far too large a picture" if large else "is damaged: it has no readable header"
        raise PictureError(f"{path.name} {what}. Replace it, or leave it out.") from error
    except (*_DAMAGE, zlib.error) as error:
        raise PictureError(
            f"{path.name} is a damaged picture ({error}). Copy or download it again."
        ) from error


def _bound(picture, name: str) -> None:
    """Refuse or shrink by what the header says; nothing has been decoded yet."""
    width, height = picture.size
    parts = (part for part in (1, 2, 4, 8) if width * height <= MOST_PIXELS * part**2)
    if (part := next(parts, 8)) > 1:
        picture.draft(None, (width // part, height // part))  # JPEG only; others stay as they are
    if picture.size[0] * picture.size[1] > MOST_PIXELS:
        raise PictureError(
            f"{name} has {width} x {height} = {width * height / 1e6:.0f} megapixels; more than "
            f"{MOST_PIXELS / 1e6:.0f} are read from JPEG files only, at a smaller size. Shrink it "
            "or cut the face out."
        )


def _as_rgb(picture, name: str, kind: str) -> np.ndarray:
    """Any mode of Pillow as uint8 (H, W, 3) RGB."""
    from PIL import Image

    if picture.mode.startswith("I;16") or (picture.mode == "I" and kind == "PNG"):
        # 16 bits a pixel: Pillow's own conversion would clip.
        grey = (np.asarray(picture, dtype=np.float64) / 257).round().astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if picture.mode[0] in "IF":
        raise PictureError(
            f"{name} has 32 bits a pixel, and nothing says which value is white. Save it with 8 or "
            "16 bits."
        )
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))
