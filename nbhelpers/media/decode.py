"""One picture file -> RGB pixels: the only place where pictures are decoded.

Pictures come out upright, in the right colours and limited in size, which is read from the header
before anything is decoded. A picture that cannot be decoded completely is an error, never a picture
that is half grey.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nbhelpers.media import kinds

logger = logging.getLogger(__name__)

CROP_BYTES = 100_000  # of a face crop, at most: it is decoded within a millisecond
MOST_PIXELS = 50_000_000  # of a decoded picture or video frame; three bytes each
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error)


#: The strict decoder's messages for valid but unsupported files; Pillow decodes most of them.
_UNKNOWN = re.compile("unsupported|not supported|could not determine|unimplemented", re.IGNORECASE)
_JPEG = b"\xff\xd8\xff"  # first bytes of a file
_ORIENTATION = 0x0112  # EXIF tag for the camera orientation
_METADATA = 64_000_000  # bytes that a JPEG may hold besides its pixels


class PictureError(ValueError):
    """A picture file cannot be decoded, with the reason as one sentence."""


@dataclass(frozen=True)
class Description:
    """The header of a picture file.

    Attributes:
        format: Pillow's name of the format, such as "JPEG".
        width: pixels, as stored, before a camera's rotation flag is applied.
        height: likewise.
        pictures: number of visible pictures in the file: pages, or frames of an animation.
    """

    format: str
    width: int
    height: int
    pictures: int

    @property
    def note(self) -> str | None:
        """One sentence if `read` returns only a part of the file's pictures, else None."""
        if self.pictures == 1:
            return None
        unit = "pages" if self.format == "TIFF" else "pictures of an animation"
        return f"Only the first of its {self.pictures} {unit} is read."


def read(path: str | os.PathLike) -> np.ndarray:
    """Read one picture.

    Camera rotation flags are applied, transparent parts become white, CMYK and 16 bits per
    channel become 8-bit RGB, and an animation gives its first picture. Above `MOST_PIXELS` a JPEG
    is decoded at half, a quarter or an eighth of its size; any other format is refused.

    Args:
        path: a picture file that Pillow can decode (JPEG, PNG, …), whatever its name.

    Returns:
        ``uint8 (H, W, 3)`` RGB 0-255, writable.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: too large, damaged, or not a picture.
    """
    from PIL import ImageOps

    pixels = _plain_jpeg(Path(path))
    if pixels is not None:
        return pixels
    with _opened(Path(path)) as picture:
        name, kind = Path(path).name, picture.format  # the upright copy lacks it
        stored_size = picture.size
        _bound(picture, name)
        if kind in ("JPEG", "MPO"):
            pixels = _strict_pixels(Path(path), picture, stored_size)
            if pixels is not None:
                return pixels
        return _as_rgb(ImageOps.exif_transpose(picture), name, kind)


def describe(path: str | os.PathLike) -> Description:
    """Read the header of a picture file without decoding any pixels.

    Args:
        path: a picture file.

    Returns:
        Its format, size and number of pictures.

    Raises:
        FileNotFoundError: there is no such file.
        PictureError: it has no readable header, or is not a picture.
    """
    with _opened(Path(path)) as picture:
        # The second picture of an MPO is a camera's depth map or preview.
        pictures = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
        return Description(picture.format, *picture.size, pictures)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator:
    """Open a picture with Pillow and read its header; errors in the block are `PictureError`."""
    from PIL import Image, UnidentifiedImageError

    kinds.check_file(path, error=PictureError, what="picture")
    reads_heic = kinds.pillow_reads_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are handled here
            with Image.open(path) as picture:
                yield picture
    except PictureError:
        raise
    except (Image.DecompressionBombError, UnidentifiedImageError) as error:
        if not reads_heic and kinds.is_heic(kinds.first_bytes(path)):
            raise PictureError(f"{path.name} {kinds.HEIC_ADVICE}") from error
        large = isinstance(error, Image.DecompressionBombError)
        what = "is far too large a picture" if large else "is damaged: it has no readable header"
        raise PictureError(f"{path.name} {what}. Replace it, or leave it out.") from error
    except (*_DAMAGE, zlib.error) as error:
        raise _damaged(path, error) from error


def _plain_jpeg(path: Path) -> np.ndarray | None:
    """Read what nearly all face crops are: a small JPEG that nothing has to be done to.

    It spares Pillow's reading of the header, a third of the time that such a picture takes.

    Returns:
        ``uint8 (H, W, 3)`` RGB 0-255, the same pixels as the long way gives; None for every other
        file, damaged ones included: the long way knows what to do or to say.
    """
    kinds.check_file(path, error=PictureError, what="picture")
    try:
        import simplejpeg

        with path.open("rb") as file:
            content = file.read(CROP_BYTES + 1)
        if len(content) > CROP_BYTES or not content.startswith(_JPEG) or b"Exif" in content:
            return None
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        if height * width > MOST_PIXELS or colours not in ("YCbCr", "Gray"):
            return None
        return simplejpeg.decode_jpeg(content, "RGB", fastdct=False, fastupsample=False)
    except (ImportError, OSError, ValueError):
        return None


def _damaged(path: Path, error: Exception) -> PictureError:
    return PictureError(f"{path.name} is a damaged picture ({error}). Copy or download it again.")


def _strict_pixels(path: Path, picture, stored_size: tuple[int, int]) -> np.ndarray | None:
    """Return a JPEG decoded strictly by libjpeg: Pillow fills missing parts with grey.

    The pixels are identical to Pillow's. A picture in four colours, or one to be shrunk while
    decoding, is only checked here, by decoding it in grey at an eighth of its size.

    Args:
        path: the file.
        picture: the same file opened by Pillow, not decoded.
        stored_size: width and height from the header.

    Returns:
        ``uint8 (H, W, 3)`` RGB 0-255, upright; None if Pillow is to decode it.
    """
    try:
        import simplejpeg
    except ModuleNotFoundError:  # on Kaggle without a network it cannot be installed
        with _ONE_AT_A_TIME:  # or each thread would warn at its first picture
            _warn_of_pillow()
        return None

    most_bytes = 8 * stored_size[0] * stored_size[1] + _METADATA
    with path.open("rb") as file:
        content = file.read(min(path.stat().st_size, most_bytes))
    try:
        if picture.mode not in ("RGB", "L") or picture.size != stored_size:
            simplejpeg.decode_jpeg(content, "Gray", min_height=1, min_width=1)
            return None
        pixels = simplejpeg.decode_jpeg(content, "RGB", fastdct=False, fastupsample=False)
    except ValueError as error:
        if _UNKNOWN.search(str(error)):
            return None
        raise _damaged(path, error) from error
    return _upright(pixels, picture.getexif().get(_ORIENTATION, 1))


_ONE_AT_A_TIME = threading.Lock()


@functools.cache
def _warn_of_pillow() -> None:
    logger.warning(
        "simplejpeg is not installed: Pillow decodes JPEGs, and fills damaged parts with grey."
    )


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the camera orientation, given its EXIF code."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _bound(picture, name: str) -> None:
    """Refuse or shrink by the header, before anything is decoded."""
    width, height = picture.size
    parts = (part for part in (1, 2, 4, 8) if width * height <= MOST_PIXELS * part**2)
    if (part := next(parts, 8)) > 1:
        picture.draft(None, (width // part, height // part))  # JPEG only; others are unaffected
    if picture.size[0] * picture.size[1] > MOST_PIXELS:
        raise PictureError(
            f"{name} has {width} x {height} = {width * height / 1e6:.0f} megapixels; more than "
            f"{MOST_PIXELS / 1e6:.0f} are read from JPEG files only, at a smaller size. Shrink it "
            "or cut the face out."
        )


def _as_rgb(picture, name: str, kind: str) -> np.ndarray:
    """Convert any of Pillow's modes to uint8 (H, W, 3) RGB."""
    from PIL import Image

    if picture.mode.startswith("I;16") or (picture.mode == "I" and kind == "PNG"):
        # 16 bits per pixel: Pillow's own conversion would clip.
        grey = (np.asarray(picture, dtype=np.float64) / 257).round().astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if picture.mode[0] in "IF":
        raise PictureError(
            f"{name} has 32 bits per pixel, and its white value is undefined. Save it with 8 "
            "or 16 bits."
        )
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))
