"""Standard streams that survive poor terminals and readers who leave."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable

READER_GONE = 128 + 13  # the exit code that shells report for SIGPIPE
#: What is written where an encoding lacks a character; all others become escapes.
PLAIN = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "·": "-",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "\N{NO-BREAK SPACE}": " ",
    }
    | dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True))
)
_HANDLER = "nbhelpers.plain"


def plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks; an error handler of `codecs`.

    Args:
        error: an UnicodeEncodeError.

    Returns:
        ASCII, and where to go on.

    Raises:
        UnicodeError: it is no error of encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end


def make_robust() -> None:
    """Let this process's output streams write every character, in whatever encoding they have."""
    codecs.register_error(_HANDLER, plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # None where the stream was closed
            stream.reconfigure(errors=_HANDLER)


def until_reader_leaves(work: Callable[[], int]) -> int:
    """Do work that prints, and end quietly when its reader leaves, as `head` does.

    Args:
        work: returns an exit code.

    Returns:
        That code, or `READER_GONE`.
    """
    try:
        code = work()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left in the buffers as it ends; let that go nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                os.dup2(nowhere, stream.fileno())
        return READER_GONE
    return code
