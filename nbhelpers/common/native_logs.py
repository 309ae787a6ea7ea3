"""Silence libraries that write past Python's own streams."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec


@contextmanager
def no_chatter() -> Iterator[None]:
    """Hold back what C++ code writes to standard error, and show it only after an error.

    TensorFlow reports the processor and missing GPUs whatever its log level.
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


def quiet_tensorflow() -> None:
    """Suppress TensorFlow's start-up messages in this process; call this before importing it.

    Its log level is set to fatal errors, unless the environment sets one. The level does not
    affect what is written while the module is loaded (oneDNN, drivers; 2.20 and 2.21):
    `no_chatter` holds that back.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not any(isinstance(finder, _QuietLoading) for finder in sys.meta_path):
        sys.meta_path.insert(0, _QuietLoading())


class _QuietLoading(importlib.abc.MetaPathFinder):
    """Loads TensorFlow without the messages of its libraries; other modules are unaffected."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)  # once is enough, and the search below must not return here
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_quietly(module) -> None:
                with no_chatter():
                    load(module)

            spec.loader.exec_module = load_quietly
        return spec
