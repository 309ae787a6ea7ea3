"""Pictures inside a figure's HTML, compressed to fit."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np

SIZES = ((480, 85), (400, 82), (320, 80), (256, 78), (208, 75), (160, 72), (128, 68), (96, 60))
BUDGET = 200_000  # characters of base64 for all pictures of a figure


def encoded(pixels: np.ndarray, *, budget: int = BUDGET) -> list[str]:
    """Return pictures as base64 JPEG, as large as the budget allows.

    Args:
        pixels: uint8 (N, H, W, 3) RGB 0-255.
        budget: characters for all of them.

    Returns:
        One text for each.

    Raises:
        ValueError: there are too many pictures, even at the smallest size.
    """
    for longest, quality in SIZES:
        texts = [_jpeg(picture, longest, quality) for picture in pixels]
        if sum(map(len, texts)) <= budget:
            return texts
    size = sum(map(len, texts))
    raise ValueError(
        f"Expected pictures that fit into {budget // 1000} kB; received {len(texts)}, which take "
        f"{size // 1000} kB at a side of {SIZES[-1][0]} pixels. Pass at most "
        f"{int(len(texts) * budget / size)}, such as every {-(-size // budget)}th."
    )


def tag(text: str, alt: str, *, hidden: bool = False) -> str:
    """Return an `<img>`.

    Args:
        text: base64 JPEG.
        alt: what the picture shows, plain text.
        hidden: whether it stays hidden until it is picked.
    """
    return (
        f'<img alt="{html.escape(alt)}" draggable="false"{" hidden" if hidden else ""} '
        f'src="data:image/jpeg;base64,{text}">'
    )


def picked(texts: Sequence[str], alts: Sequence[str], *, start: int) -> str:
    """Return an element with all pictures, one of them visible.

    Args:
        texts: base64 JPEG.
        alts: what each shows.
        start: the one that is visible first.
    """
    images = (
        tag(text, alt, hidden=number != start)
        for number, (text, alt) in enumerate(zip(texts, alts, strict=True))
    )
    return f"<div data-pick>{''.join(images)}</div>"


def _jpeg(pixels: np.ndarray, longest: int, quality: int) -> str:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((longest, longest))
    memory = io.BytesIO()
    picture.save(memory, format="jpeg", quality=quality, optimize=True)
    return base64.b64encode(memory.getvalue()).decode()
