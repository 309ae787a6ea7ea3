"""Silence for libraries that write past Python's own streams."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_chatter() -> Iterator[None]:
    """Keep what C++ code writes to the terminal's error stream, and show it only on an error.

    TensorFlow tells of its processor and of GPUs that are not there, whatever its log level.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(terminal, 2)
            messages.seek(0)
            os.write(2, messages.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
