"""The page itself: one file without references to other machines, light and dark."""

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
<span class="small">It stays on this computer and is deleted as soon as it is scored.</span></label>
<div id="answers" aria-live="polite"></div>
"""
LOST = (
    "The program does not respond. Check whether its terminal is still open, and start the "
    "program again."
)


def page(facts: str, *, nonce: str) -> str:
    """Write the page.

    Args:
        facts: HTML below the answers, on how to read them.
        nonce: lets only the page's own script run.

    Returns:
        HTML.
    """
    code = f"const LOST = {json.dumps(LOST)};\n{_file('page.js')}"
    script = f'<script nonce="{html.escape(nonce)}">{code}</script>'
    style = sections.STYLE + _file("page.css")
    return framed(TITLE, f"{report.BANNER}{BODY}{facts}{script}", style=style)


def policy(nonce: str) -> str:
    """Return the content security policy: load nothing, connect only to this server."""
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; connect-src 'self'; "
        f"script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _file(name: str) -> str:
    """Read a file in this module's folder."""
    return resources.files("nbhelpers.app").joinpath(name).read_text(encoding="utf-8")
