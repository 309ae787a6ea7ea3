"""`predict`: do your own pictures and videos look manipulated?"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

from nbhelpers.common import files, tables
from nbhelpers.common.errors import UsageError
from nbhelpers.common.files import displayable
from nbhelpers.common.html import NO_PROOF
from nbhelpers.common.paths import path_argument
from nbhelpers.networks import detector_files
from nbhelpers.predict import choosing, inputs

EXAMPLES = """
examples:
  python -m nbhelpers predict me.jpg                     each face in a picture
  python -m nbhelpers predict holiday/ "my clip.mp4"     a folder and a video
  python -m nbhelpers predict me.jpg --report me.html    a page with faces, maps and curves
  python -m nbhelpers predict clips/ --jsonl > out.jsonl for programs, one line per file
  find . -name '*.jpg' | python -m nbhelpers predict -   a list of files, one per line
  python -m nbhelpers predict crops/ --crops             pictures that already are face crops
  python -m nbhelpers predict me.jpg --model latest      with the detector of your newest run

It scores faces: a file without a face has no score. In a picture all faces are scored, in a video
every person in 16 frames; the file's answer is that of its most suspicious face. Without
--model, the bundled detector is used. Pictures of more than 50 megapixels are read at half, a
quarter or an eighth of their size if they are JPEG, else refused. Faces below 40 pixels are not
scored.
A score is no proof: it says how similar a face is to the fakes the detector was trained on.
Exit code: 0 every file has a score, 1 some file has none (no face, unreadable), 2 nothing scored
(no detector, no such file), 130 interrupted; files scored by then are written.
"""
CSV_HEAD = (
    *("path", "kind", "person", "answer", "person_score"),  # the same for all frames of a person
    *("second", "score", "left", "top", "side"),  # of one face in one frame
    "reason",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="pictures, videos, folders; - reads a list")
    add("--model", metavar="FILE", help="a .keras file, bundled or latest (bundled)")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", action="store_true", help="print one JSON object at the end instead of text"
    )
    forms.add_argument(
        "--jsonl",
        action="store_true",
        help="print one JSON object per file, as soon as it is scored",
    )
    add("--report", type=path_argument, metavar="HTML", help="also write a page")
    add(
        "--csv",
        type=path_argument,
        metavar="FILE",
        help="also write a table, one row per face; of clips, per face and frame",
    )
    add("--force", action="store_true", help=files.FORCE_HELP)
    add("--frames", type=_count, default=16, metavar="N", help="frames of each video (16)")
    add("--margin", type=_margin, metavar="M", help="share of the face size added on each side")
    add("--threshold", type=_share, metavar="T", help="a single border for two answers, 0 to 1")
    add("--crops", action="store_true", help="score the files whole, as face crops")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1000, received {text!r}")
    return int(text)


def _margin(text: str) -> float:
    return _number(text, -0.4, most=2.0)


def _share(text: str) -> float:
    return _number(text, 0.0, most=1.0)


def _number(text: str, least: float, *, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(
            f"expected a number from {least:g} to {most:g}, received {text!r}"
        )
    return value


def main(chosen: argparse.Namespace) -> int:
    """Score the files; print every answer before reading the next file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    paths, left_out = inputs.find_files(_listed(chosen.paths))
    model_file = detector_files.detector_file(chosen.model)
    detector = choosing.load_quietly(model_file)
    from nbhelpers.predict import report, scoring, wording  # after TensorFlow was silenced

    if chosen.threshold is not None:
        detector = detector.at(chosen.threshold)
    _check_targets(chosen, [*paths, model_file], report.page_beginning())
    if chosen.report:
        where = displayable(str(chosen.report))
        print(f"{where} grows with every file; open it at any time", file=sys.stderr)
    if left_out:
        print(f"{left_out} other files in folders left out", file=sys.stderr)
    if not chosen.json and not chosen.jsonl:
        print("\n".join([*wording.about(detector), ""]), flush=True)
    results = scoring.score_files(
        _with_progress(paths),
        detector=detector,
        frames=chosen.frames,
        margin=chosen.margin,
        are_crops=chosen.crops,
    )
    records, without = [], 0
    page = report.Report(chosen.report, detector) if chosen.report else nullcontext()
    with ExitStack() as ends:  # also when interrupted; if one fails, the others still run
        ends.callback(
            _say_last, chosen, lambda: wording.all_records(records, detector, files=len(paths))
        )
        ends.callback(_write_table, chosen.csv, records)
        ends.enter_context(page)
        for result in results:
            without += not result.people
            record = wording.file_record(result, detector)
            if chosen.json or chosen.csv:
                records.append(record)
            if chosen.report:
                page.add(result)
            if chosen.jsonl:
                _say(json.dumps(record, allow_nan=False))
            elif not chosen.json:
                _say(wording.file_text(result, detector))
    return int(without > 0)


def _say(text: str) -> None:
    """Print a text above the progress bar, if there is one."""
    from tqdm.auto import tqdm

    with tqdm.external_write_mode():
        print(text, flush=True)


def _say_last(chosen: argparse.Namespace, all_records: Callable[[], dict]) -> None:
    """Print the end of the output."""
    if chosen.report:
        print(f"{displayable(str(chosen.report))} is written", file=sys.stderr)
    if chosen.json:
        print(json.dumps(all_records(), indent=1, allow_nan=False))
    elif not chosen.jsonl:
        print(NO_PROOF)


def _write_table(target: Path | None, records: list[dict]) -> None:
    if target:
        files.write_target(target, tables.csv_text(CSV_HEAD, _rows(records)))
        print(f"{displayable(str(target))} is written", file=sys.stderr)


def _listed(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths; - means the paths on standard input, one per line."""
    for path in paths:
        if path == "-" and sys.stdin is not None:
            lines = getattr(sys.stdin, "buffer", sys.stdin)  # bytes: names have no encoding
            yield from (os.fsdecode(line).rstrip("\r\n") for line in lines if line.strip())
        else:
            yield path


def _check_targets(chosen: argparse.Namespace, read: list[Path], page_beginning: str) -> None:
    """Refuse to overwrite the user's files, before anything is scored."""
    if chosen.csv and chosen.report and chosen.csv.absolute() == chosen.report.absolute():
        raise UsageError(
            f"Expected two different files; --csv and --report both name "
            f"{displayable(str(chosen.csv))}. Choose another name for one of them."
        )
    for target, kind in ((chosen.csv, ",".join(CSV_HEAD)), (chosen.report, page_beginning)):
        if target:
            files.check_target(target, kind=kind, inputs=read, force=chosen.force)


def _rows(records: list[dict]) -> Iterator[list]:
    """Return one row per face, and one for each file without a face; columns `CSV_HEAD`."""
    for record in records:
        if not record["people"]:
            nothing = [""] * (len(CSV_HEAD) - 3)
            yield [record["path"], record["kind"] or "", *nothing, record["reason"]]
        for number, person in enumerate(record["people"], start=1):
            of_person = [record["path"], record["kind"], number, person["answer"], person["p_fake"]]
            for face in person["faces"]:
                second = "" if face["second"] is None else face["second"]
                square = face["square"] or ["", "", ""]
                yield [*of_person, second, face["p_fake"], *square, ""]


def _with_progress(paths: list[Path]) -> Iterable[Path]:
    """Return the paths, with a progress bar on a terminal if there are several."""
    from tqdm.auto import tqdm

    return tqdm(paths, unit="file", leave=False, disable=None if len(paths) > 1 else True)
