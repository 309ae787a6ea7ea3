"""`app`: a local web page that scores the photos and clips dropped on it."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from nbhelpers.common.errors import UsageError
from nbhelpers.networks import detector_files
from nbhelpers.predict import choosing

EXAMPLES = """
examples:
  python -m nbhelpers app                        opens the page in your browser
  python -m nbhelpers app --no-browser           prints its address instead
  python -m nbhelpers app --model latest         with the detector of your newest run

The page is for this computer alone: it listens on 127.0.0.1, and its address contains a secret
token. Nothing leaves the machine, and nothing is kept: a file is deleted once it is scored, its
answer once the page has received it. Files are scored one at a time; waiting users see how many
files are ahead. Needs pip install -e '.[app]'.
Exit code: 0 ended by Ctrl-C, 2 not started (no detector, no such package, the port is taken).
"""

HEARTBEAT = 0.5  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("--model", metavar="FILE", help="a .keras file, bundled or latest (bundled)")
    add("--port", type=_port, default=0, metavar="N", help="port of the page (a free one)")
    add("--no-browser", action="store_true", help="print the address, do not open it")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, received {text!r}")
    return int(text)


def main(chosen: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    if importlib.util.find_spec("tornado") is None:
        raise UsageError(
            "Expected the package tornado, which serves the page; it is not installed. Use `pip "
            "install -e '.[app]'` in the project's folder."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["MPLBACKEND"] = "agg"  # figures are drawn in a thread, which must not open windows
    judge, facts = _judge(detector_files.detector_file(chosen.model))
    try:
        asyncio.run(_serve(judge, facts, chosen))
    except KeyboardInterrupt:
        print("\nThe page is closed; nothing was kept.", file=sys.stderr)
    return 0


def _judge(model_file: Path) -> tuple[Callable, str]:
    """Load the detector; return a function that scores with it, and the text below its answers."""
    detector = choosing.load_quietly(model_file)
    from nbhelpers.predict import report, scoring, sections  # after TensorFlow was silenced

    def judge(path: Path, progress: Callable[[str, float], None]) -> str:
        result = scoring.score_file(path, detector=detector, progress=progress)
        progress("drawing the page", 0.0)
        return sections.section(result, detector)

    return judge, report.facts(detector)


async def _serve(judge: Callable, facts: str, chosen: argparse.Namespace) -> None:
    from nbhelpers.app import server

    try:
        async with server.serving(judge, facts=facts, port=chosen.port) as address:
            print(f"Open {address}\nEnd with Ctrl-C.", flush=True)
            if not chosen.no_browser:
                await asyncio.to_thread(webbrowser.open, address)
            while True:  # an interrupt that does not wake the loop is seen when it wakes itself
                await asyncio.sleep(HEARTBEAT)
    except OSError as error:
        raise UsageError(
            f"The page cannot be served on port {chosen.port}: {error.strerror}. Omit --port "
            "to use a free one."
        ) from None
