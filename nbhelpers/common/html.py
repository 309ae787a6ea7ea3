"""The frame of all HTML pages: one file, no network, light and dark."""

from __future__ import annotations

import base64
import html
import io

import numpy as np

STYLE = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --text: #1c2127; --faint: #5d6773;
  --line: #dde2e8; --link: #0b57a4; --good: #1b7a3d; --bad: #b3261e; --skip: #7a5b00;
  --warn-back: #fff3cd; --warn: #5c4400; --alarm-back: #fde0dd; --alarm: #7a1210; }
@media (prefers-color-scheme: dark) { :root { --back: #14181d; --card: #1d232a; --text: #e6e9ed;
  --faint: #9aa5b1; --line: #333c46; --link: #7fb8f5; --good: #6fd08c; --bad: #ff8a80;
  --skip: #e0bb55; --warn-back: #3d3207; --warn: #ffe08a; --alarm-back: #4a1613;
  --alarm: #ffc9c3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; }
a { color: var(--link); }
.facts { margin: 0 0 1rem; padding: 0; list-style: none; color: var(--faint); }
.banner { padding: .8rem 1rem; border-radius: 8px; font-weight: 600; margin: .7rem 0;
  background: var(--warn-back); color: var(--warn); border-left: 6px solid currentColor; }
.banner.alarm { background: var(--alarm-back); color: var(--alarm); }
.cards { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow: hidden; display: flex; flex-direction: column; }
.cover { display: block; background: #fff; }
.cover img { width: 100%; aspect-ratio: 16 / 10; object-fit: contain; display: block; }
.cover.none { background: var(--back); color: var(--faint); display: grid; place-items: center;
  aspect-ratio: 16 / 10; text-decoration: none; }
.card > div { padding: .8rem 1rem 1rem; }
.card h3 { margin: 0 0 .3rem; font-size: 1.05rem; line-height: 1.3; }
.card p { margin: .25rem 0; overflow-wrap: anywhere; }
.small { font-size: .86rem; color: var(--faint); }
.done { color: var(--good); } .failed { color: var(--bad); } .skipped { color: var(--skip); }
.failed, .done, .skipped { font-weight: 600; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px;
  background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .45rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
tbody th { background: var(--back); font-weight: 600; }
tbody:last-child tr:last-child td { border-bottom: 0; }
td small { display: block; color: var(--faint); }
tr.prior td { color: var(--faint); font-style: italic; }
@media (max-width: 640px) { .cover.none { aspect-ratio: 16 / 3; } }
"""

#: On every page and after every list of scores.
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
        A page that needs no other file.
    """
    return f"""{beginning(title)}
<style>{STYLE}{style}</style>
</head>
<body><main>
<h1>{html.escape(title)}</h1>
{body}
</main></body>
</html>
"""


def beginning(title: str) -> str:
    """Return the beginning of every page with this title, for `files.check_target`.

    Args:
        title: plain text, as for `page`.

    Returns:
        HTML up to the end of the title.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>"""


def picture_tag(pixels: np.ndarray, alt: str, *, longest: int = 480) -> str:
    """Return an `<img>` that contains its own data.

    Args:
        pixels: uint8 (H, W, 3) RGB.
        alt: what the picture shows, plain text.
        longest: the picture is shrunk until neither side is longer than this, pixels.

    Returns:
        HTML.
    """
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((longest, longest))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return _image_tag("image/jpeg", buffer.getvalue(), alt)


def figure_tag(figure, alt: str) -> str:
    """Return a Matplotlib figure as an `<img>` of vector graphics; the figure is closed.

    Args:
        figure: a Matplotlib figure.
        alt: what the picture shows, plain text.

    Returns:
        HTML.
    """
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    plt.close(figure)
    return _image_tag("image/svg+xml", buffer.getvalue(), alt)


def _image_tag(kind: str, content: bytes, alt: str) -> str:
    data = base64.b64encode(content).decode()
    return f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{data}">'
