"""`predict`: P(fake) of one's own pictures and videos."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbhelpers.commands.judging import Face, Judged
    from nbhelpers.detector import Detector

HELP = "score your own pictures and videos with a detector of your own"
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
    from nbhelpers.commands import inputs, judging
    from nbhelpers.common import files
    from nbhelpers.common.errors import UsageError

    paths, left_out = inputs.find(chosen.paths)
    if chosen.margin is not None and not -0.4 <= chosen.margin <= 2:
        raise UsageError(f"Expected --margin from -0.4 to 2; received {chosen.margin:g}.")
    model_file = find_model(chosen.model)
    detector = _load(model_file)
    judged = judging.judge_all(
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
        from nbhelpers.commands import report

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
            from nbhelpers import detector

            return detector.load(path)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _with_progress(paths: list[Path]):
    """The paths, with a bar on a terminal when there are several."""
    from tqdm.auto import tqdm

    return tqdm(paths, unit="file", leave=False, disable=None if len(paths) > 1 else True)


# ---------------------------------------------------------------- telling


def answer(p_fake: float, detector: Detector) -> str:
    """FAKE from the threshold on, else REAL; words, not a verdict."""
    return "FAKE" if p_fake >= detector.threshold else "REAL"


def training_data(detector: Detector) -> str:
    """In words, which data the detector was trained on."""
    from nbhelpers.commands.judging import is_of_the_sample

    card = detector.card
    if not card:
        return "unknown data (it has no card)"
    name = card.get("data", "unknown data")
    name = name.get("name", "unknown data") if isinstance(name, dict) else str(name)
    if is_of_the_sample(detector):
        return f"{name}, the bundled sample: computer-generated people, no real deepfakes"
    return name


def about(detector: Detector, model_file: Path) -> list[str]:
    """What a reader of scores must know, one sentence an entry."""
    from nbhelpers.commands.judging import is_of_the_sample
    from nbhelpers.common.files import displayable

    if not detector.card:
        rule = (
            f"Threshold {detector.threshold:.2f}, taken as given: the detector has no card, so its "
            "scores are not calibrated and nothing is known of its errors."
        )
    else:
        rule = (
            f"Threshold {detector.threshold:.2f} on P(fake), chosen on the validation people of "
            "that data; it holds for such pictures only."
        )
    sentences = [
        f"Detector: {displayable(str(model_file))}, "
        f"trained on {displayable(training_data(detector))}.",
        rule,
    ]
    if is_of_the_sample(detector):
        sentences.append(
            "This detector has never seen a real face or a real deepfake: on your files its scores "
            "show how it works, not what is true."
        )
    return sentences


def place_of(face: Face, shape=None) -> str:
    """Where the face is, in words."""
    if not face.square.side:
        return "the whole picture (a face crop)"
    square = face.square
    return f"{square.side} x {square.side} pixels at ({square.left}, {square.top})"


def summary(one: Judged, detector: Detector) -> str:
    """The score of one file in one line."""
    score = one.p_fake
    word = answer(score, detector)
    side = "at or above" if word == "FAKE" else "below"
    return f"P(fake) {score:.2f}, {side} the threshold: more like its {word}s"


def as_text(judged: list[Judged], detector: Detector, model_file: Path) -> str:
    """The scores for people."""
    from nbhelpers.common.files import displayable
    from nbhelpers.common.html import NO_PROOF

    lines = [*about(detector, model_file), ""]
    for one in judged:
        lines.append(displayable(str(one.path)))
        if not one.faces:
            lines.append(f"  no score: {one.reason}")
        elif one.kind == "picture":
            several = len(one.faces) > 1
            for number, face in enumerate(one.faces, start=1):
                which = f"face {number} of {len(one.faces)}" if several else "face"
                word = answer(face.p_fake, detector)
                lines.append(f"  {which}: P(fake) {face.p_fake:.2f} {word}, {place_of(face)}")
            lines.append(f"  {summary(one, detector)}")
        else:
            scores = [face.p_fake for face in one.faces]
            lines.append(f"  {summary(one, detector)}")
            lines.append(
                f"  mean of {len(scores)} frames with a face, of {one.frames} looked at; "
                f"from {min(scores):.2f} to {max(scores):.2f}"
            )
            lines.append(f"  {sparkline(scores)}")
        lines += [f"  {note}" for note in one.notes]
        lines.append("")
    return "\n".join([*lines, NO_PROOF])


def sparkline(scores: list[float]) -> str:
    """Scores 0-1 as a row of bars.

    >>> sparkline([0.0, 0.5, 1.0])
    '▁▅█'
    """
    bars = "▁▂▃▄▅▆▇█"
    return "".join(bars[min(7, int(score * 8))] for score in scores)


def as_json(judged: list[Judged], detector: Detector, model_file: Path) -> dict:
    """The scores for programs: plain values, no NaN."""
    from nbhelpers.commands.judging import is_of_the_sample
    from nbhelpers.common.html import NO_PROOF

    return {
        "detector": {
            "file": str(model_file),
            "trained_on": training_data(detector),
            "is_sample": is_of_the_sample(detector),
            "has_card": bool(detector.card),
            "threshold": float(detector.threshold),
            "temperature": float(detector.temperature),
        },
        "note": NO_PROOF,
        "files": [_file_json(one, detector) for one in judged],
    }


def _file_json(one: Judged, detector: Detector) -> dict:
    score = one.p_fake if one.faces else None
    return {
        "path": str(one.path),
        "kind": one.kind or None,
        "p_fake": score,
        "answer": None if score is None else answer(score, detector),
        "reason": one.reason or None,
        "notes": one.notes,
        "frames": one.frames if one.kind == "video" else None,
        "faces": [
            {
                "p_fake": face.p_fake,
                "square": [face.square.left, face.square.top, face.square.side]
                if face.square.side
                else None,
                "confidence": None if math.isnan(face.confidence) else round(face.confidence, 1),
                "second": None if math.isnan(face.second) else round(face.second, 3),
            }
            for face in one.faces
        ],
    }
