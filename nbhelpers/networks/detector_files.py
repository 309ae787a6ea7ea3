"""Choosing a detector file: the bundled one, that of one of your own runs, or any other."""

from __future__ import annotations

from pathlib import Path

from nbhelpers.common.errors import UsageError
from nbhelpers.common.paths import user_path
from nbhelpers.data import locate

OWN_MODEL = "03_xception_transfer.keras"  # what notebook 03 saves in a run's folder
BUNDLED, LATEST = "bundled", "latest"
HOW_TO_MAKE = (
    "Train one with `python -m nbhelpers run 03` (some minutes, on the bundled sample; real data "
    "need --data-dir and time), or name a file with --model, in a notebook with MODEL_FILE."
)


def bundled_file() -> Path | None:
    """Find the detector of real faces that comes with the project; None if it is missing."""
    candidates = sorted((locate.project_root() / "data" / "detector").glob("*.keras"))
    return candidates[0] if candidates else None


def newest_file() -> Path | None:
    """Find the detector of your newest run; None if no run has made one."""
    models = (locate.project_root() / "runs").glob(f"*/{OWN_MODEL}")
    return max(models, key=lambda path: path.stat().st_mtime, default=None)


def detector_file(given: str | None = None, *, run_folder: Path | None = None) -> Path:
    """Choose the file of a detector, for a command or a notebook.

    Args:
        given: a file, "bundled" or "latest" (your newest run); None or "" is the detector of
            `run_folder`.
        run_folder: the results of a notebook's own run. Without it, None takes the bundled
            detector, or your newest one if the project has no bundled one.

    Returns:
        Its path. That in `run_folder` need not exist: notebook 03 may still have to create it.

    Raises:
        UsageError: there is none.
    """
    if not given and run_folder is not None:
        return Path(run_folder) / OWN_MODEL
    if given and given not in (BUNDLED, LATEST):
        path = user_path(given)
        if not path.is_file():
            raise UsageError(f"Expected a detector file; nothing is at {given!r}. {HOW_TO_MAKE}")
        return path
    path = newest_file() if given == LATEST else bundled_file()
    if not given and path is None:
        path = newest_file()
    if path is None:
        where = "data/detector" if given == BUNDLED else "runs" if given == LATEST else ""
        raise UsageError(
            f"Expected a detector in {where or 'data/detector or runs'} of the project; there is "
            f"none. {HOW_TO_MAKE}"
        )
    return path
