"""The process of one run of a grid: `python -m nbhelpers.runner.grid_run`, started by `grid`.

It reads one JSON object from standard input: `stems` (the notebooks), `out`, `profile`, and
`notebooks` (their folder).
"""

import json
import sys
from pathlib import Path
from typing import TextIO

from nbhelpers.runner import series


def main(stream: TextIO) -> int:
    """Carry out the run.

    Args:
        stream: where the JSON comes from.

    Returns:
        The exit code of `series.run`.

    Raises:
        UsageError, OSError: as `series.run`.
    """
    job = json.load(stream)
    return series.run(
        job["stems"],
        out=job["out"],
        profile=job["profile"],
        notebooks_dir=Path(job["notebooks"]),
    )


if __name__ == "__main__":
    sys.exit(main(sys.stdin))
