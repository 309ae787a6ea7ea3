"""Loading the detector."""

from __future__ import annotations

from pathlib import Path

from nbhelpers.common.errors import UsageError
from nbhelpers.common.native_logs import no_chatter


def load_quietly(path: Path):
    """Load a detector without TensorFlow's messages about this machine.

    Args:
        path: from `detector_files.detector_file`.

    Returns:
        The `Detector`.

    Raises:
        UsageError: the file or its card cannot be used, with the reason.
    """
    try:
        with no_chatter():
            from nbhelpers.predict.detector import load

            return load(path)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
