"""Standard streams that cope with limited terminals and with readers that leave early."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Callable

READER_GONE = 128 + 13  # the exit code that shells report for SIGPIPE
NOT_WRITTEN = 2  # the exit code if the disk behind the output is full
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Replacements for characters that an encoding lacks; all others become escapes.
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
        error: a UnicodeEncodeError.

    Returns:
        ASCII text, and the position at which to continue.

    Raises:
        UnicodeError: the error is not about encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end


def make_robust() -> None:
    """Make this process's output streams accept every character, whatever their encoding."""
    codecs.register_error(_HANDLER, plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # None where the stream was closed
            stream.reconfigure(errors=_HANDLER)


def is_full(error: OSError) -> bool:
    """Whether an error means that there is no room for the output."""
    return error.errno in FULL


def until_reader_leaves(work: Callable[[], int]) -> int:
    """Do work that prints, and end cleanly if its reader leaves or the disk is full.

    Args:
        work: returns an exit code.

    Returns:
        That code; `READER_GONE` if the reader left, as `head` does; `NOT_WRITTEN`, with a line on
        standard error, if there was no room for all of the output.
    """
    try:
        code = work()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = READER_GONE
    except OSError as error:
        if not is_full(error):
            raise
        print(f"error: output: {error.strerror}.", file=sys.stderr)
        code = NOT_WRITTEN
    if code in (READER_GONE, NOT_WRITTEN):
        _drop_what_is_left()
    return code


def _drop_what_is_left() -> None:
    """Discard what cannot be written; Python would try again as it exits."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
