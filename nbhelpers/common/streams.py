"""Standard streams that survive poor terminals and readers who leave."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Callable

READER_GONE = 128 + 13  # the exit code that shells report for SIGPIPE
NOT_WRITTEN = 2  # the exit code where the output went into a full disk
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
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


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room for what is written."""
    return error.errno in FULL


def until_reader_leaves(work: Callable[[], int]) -> int:
    """Do work that prints, and end in order when its reader leaves or its file has no room.

    Args:
        work: returns an exit code.

    Returns:
        That code; `READER_GONE` where a reader left, as `head` does; `NOT_WRITTEN`, with a line on
        standard error, where the last of the output found no room.
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
    """Let what cannot be written go nowhere: Python tries once more as it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
