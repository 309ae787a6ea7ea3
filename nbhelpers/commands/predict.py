"""`predict`: P(fake) of one's own pictures and videos."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbhelpers.predict.detector import Detector

from nbhelpers.predict.wording import as_json, as_text

EXAMPLES = """
examples:
  python -m nbhelpers predict me.jpg                     each face in a picture
  python -m nbhelpers predict holiday/ "my clip.mp4"     a folder and a video
  python -m nbhelpers predict me.jpg --report me.html    a page with crops, Grad-CAM and curves
  python -m nbhelpers predict clips/ --json > out.json   for programs
  python -m nbhelpers predict crops/ --crops             pictures that are face crops already
  python -m nbhelpers predict me.jpg --model runs/mine/03_xception_transfer.keras

The detector is one that notebook 03 has saved; without --model the newest in runs/. It judges
faces: where none is found there is no score. Pictures of more than 50 megapixels are read at half,
a quarter or an eighth of their size if they are JPEG, else refused. Faces below 40 pixels are not
judged. A video's score is the mean over its frames.
A score is no proof: it says how much a file looks like the fakes the detector was trained on.
Exit code: 0 every file has a score, 1 some file has none (no face, unreadable), 2 nothing judged
(no detector, no such file).
"""
MODEL = "03_xception_transfer.keras"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, videos, folders")
    parser.add_argument("--model", default="", metavar="FILE", help="a .keras file of notebook 03")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--report", default="", metavar="HTML", help="also write a page")
    parser.add_argument(
        "--frames", type=_count, default=16, metavar="N", help="frames of each video (16)"
    )
    parser.add_argument(
        "--margin",
        type=float,
        metavar="M",
        help="share of the face added on each side (as tight as the detector's training faces)",
    )
    parser.add_argument(
        "--crops", action="store_true", help="the files are face crops: judge them whole"
    )


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1000, received {text!r}")
    return int(text)


def main(chosen: argparse.Namespace) -> int:
    """Judges the files."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from nbhelpers.common import files
    from nbhelpers.common.errors import UsageError
    from nbhelpers.predict import inputs, scoring

    paths, left_out = inputs.find_files(chosen.paths)
    if chosen.margin is not None and not -0.4 <= chosen.margin <= 2:
        raise UsageError(f"Expected --margin from -0.4 to 2; received {chosen.margin:g}.")
    model_file = find_model(chosen.model)
    detector = _load(model_file)
    judged = scoring.score_files(
        _with_progress(paths),
        detector=detector,
        frames=chosen.frames,
        margin=chosen.margin,
        are_crops=chosen.crops,
    )
    if left_out:
        print(f"{left_out} other files in folders left out", file=sys.stderr)
    if chosen.json:
        print(json.dumps(as_json(judged, detector, model_file), indent=1, allow_nan=False))
    else:
        print(as_text(judged, detector, model_file))
    if chosen.report:
        from nbhelpers.predict import report

        target = Path(chosen.report).expanduser()
        try:
            files.write_text(target, report.report_page(judged, detector, model_file))
        except OSError as error:
            raise UsageError(
                f"Expected a file that can be written for --report; {target}: {error.strerror}."
            ) from None
        print(f"Open {target}", file=sys.stderr)
    return int(any(not one.faces for one in judged))


def find_model(given: str) -> Path:
    """The detector to use.

    Args:
        given: a file; "" takes the newest of the runs in the project.

    Returns:
        Its path.

    Raises:
        UsageError: there is none.
    """
    from nbhelpers.common.errors import UsageError
    from nbhelpers.data.locate import project_root

    how = (
        "Make one with `python -m nbhelpers run 03` (some minutes, on the bundled sample; real "
        "data need --data-dir and time), or name a file with --model."
    )
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise UsageError(f"Expected a detector file; nothing is at {given!r}. {how}")
        return path
    runs = project_root() / "runs"
    made = sorted(runs.glob(f"*/{MODEL}"), key=lambda path: path.stat().st_mtime)
    if not made:
        raise UsageError(f"Expected a detector of your own in {runs}; found none. {how}")
    return made[-1]


def _load(path: Path) -> Detector:
    from nbhelpers.common.errors import UsageError
    from nbhelpers.common.native_logs import no_chatter

    try:
        with no_chatter():
            from nbhelpers.predict.detector import load

            return load(path)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _with_progress(paths: list[Path]):
    """The paths, with a bar on a terminal when there are several."""
    from tqdm.auto import tqdm

    return tqdm(paths, unit="file", leave=False, disable=None if len(paths) > 1 else True)
