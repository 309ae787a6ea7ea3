"""The page itself: one file, no address of another machine in it, light and dark."""

from __future__ import annotations

import html
import json
from importlib import resources

from nbhelpers.common.html import page as framed
from nbhelpers.predict import report, sections

TITLE = "Does this photo or clip look manipulated?"
BODY = """
<label class="drop" id="drop"><input type="file" id="choose" multiple>
<b>Choose a photo or clip</b>, or drop it here<br>
<span class="small">It stays on this computer and is deleted as soon as it is judged.</span></label>
<div id="answers" aria-live="polite"></div>
"""
LOST = (
    "The program that judges does not answer. Look whether its terminal is still open, and start "
    "it again."
)


def page(facts: str, *, nonce: str) -> str:
    """Write the page.

    Args:
        facts: HTML that stands below the answers, on how to read them.
        nonce: that lets its own script run, and no other.

    Returns:
        HTML.
    """
    code = f"const LOST = {json.dumps(LOST)};\n{_file('page.js')}"
    script = f'<script nonce="{html.escape(nonce)}">{code}</script>'
    style = sections.STYLE + _file("page.css")
    return framed(TITLE, f"{report.BANNER}{BODY}{facts}{script}", style=style)


def policy(nonce: str) -> str:
    """Write what the browser may do with the page: load nothing, ask nobody but this server."""
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; connect-src 'self'; "
        f"script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _file(name: str) -> str:
    """Read a file that lies beside this module."""
    return resources.files("nbhelpers.app").joinpath(name).read_text(encoding="utf-8")
