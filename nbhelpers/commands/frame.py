"""The frame of the HTML pages made here: one file, no network, light and dark."""

from __future__ import annotations

import base64
import html
import io

import numpy as np

from nbhelpers.runner.index import STYLE

#: On every page and behind every list of scores.
NO_PROOF = (
    "A score is no proof. It says how much a file looks like the fakes that this detector was "
    "trained on, and it is wrong more often than it looks. Do not use it to accuse anybody."
)


def page(title: str, body: str, *, style: str = "") -> str:
    """Put a body into a page.

    Args:
        title: plain text, for the heading as well.
        body: HTML, with every name in it escaped.
        style: more CSS.

    Returns:
        A page that needs no other file to be shown.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body><main>
<h1>{html.escape(title)}</h1>
{body}
</main></body>
</html>
"""


def picture(pixels: np.ndarray, alt: str, *, longest: int = 480) -> str:
    """An `<img>` that carries its own data.

    Args:
        pixels: uint8 (H, W, 3) RGB.
        alt: what is to be seen, plain text.
        longest: side in pixels to which it is shrunk.

    Returns:
        HTML.
    """
    from PIL import Image

    shown = Image.fromarray(pixels)
    shown.thumbnail((longest, longest))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=88)
    return _image("image/jpeg", buffer.getvalue(), alt)


def drawing(figure, alt: str) -> str:
    """A Matplotlib figure as an `<img>` of vector graphics; the figure is closed.

    Args:
        figure: a Matplotlib figure.
        alt: what is to be seen, plain text.

    Returns:
        HTML.
    """
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    plt.close(figure)
    return _image("image/svg+xml", buffer.getvalue(), alt)


def _image(kind: str, content: bytes, alt: str) -> str:
    data = base64.b64encode(content).decode()
    return f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{data}">'
