"""Scores as text for people, and as plain values for programs."""

from __future__ import annotations

import math

from nbhelpers.common.files import displayable
from nbhelpers.common.html import NO_PROOF
from nbhelpers.predict.detector import Detector, Verdict
from nbhelpers.predict.scoring import Face, FileScore, Person

RULER = 40  # letters


def about(detector: Detector) -> list[str]:
    """Say what a reader of scores must know.

    Args:
        detector: the one that gave them.

    Returns:
        Sentences.
    """
    name = detector.path.name if detector.path else "not saved"
    sentences = [f"Detector: {displayable(name)}, trained on {displayable(detector.trained_on)}."]
    if detector.borders:
        sentences.append(
            f"A score from {detector.high:.3g} on means: {Verdict.MANIPULATED}; below "
            f"{detector.low:.3g}: {Verdict.NO_SIGN}; in between: {Verdict.UNDECIDED}."
        )
    elif detector.has_own_border:
        sentences.append(
            f"A score from {detector.threshold:.3g} on means: {Verdict.MANIPULATED}. You chose "
            "that border; how often its answers are wrong was not measured."
        )
    elif detector.card:
        sentences.append(
            f"A score from {detector.threshold:.2f} on means: {Verdict.MANIPULATED}. That border "
            "was chosen on validation people of that data; it holds for such pictures only."
        )
    else:
        sentences.append(
            f"A score from {detector.threshold:.2f} on means: {Verdict.MANIPULATED}. That border "
            "was not chosen on any data: the detector has no card, so its scores are not "
            "calibrated and its errors are unknown."
        )
    if detector.is_of_sample:
        sentences.append(
            "This detector has never seen a real face or a real deepfake: on your files its scores "
            "show how it works, not what is true."
        )
    return sentences


def how_often(verdict: Verdict, detector: Detector, *, kind: str = "picture") -> str:
    """Say how often an answer was wrong when the detector was tested.

    Args:
        verdict: the answer.
        detector: the one that gave it.
        kind: "picture" or "video".

    Returns:
        One or two sentences; "" if the card does not say.
    """
    real, fake = (detector.share_of(label, verdict, kind=kind) for label in ("REAL", "FAKE"))
    if real is None or fake is None:
        return ""
    like = "clips like the few" if kind == "video" else "faces like those"
    if verdict == Verdict.UNDECIDED:
        return (
            f"Of 100 real {like} it was tested on, {_of_100(real)} get this answer; of 100 fake "
            f"ones, {_of_100(fake)}."
        )
    label, share = ("real", real) if verdict == Verdict.MANIPULATED else ("fake", fake)
    sentence = f"Of 100 {label} {like} it was tested on, {_of_100(share)} get this answer."
    elsewhere = detector.share_of("REAL", verdict, kind="video")
    if verdict == Verdict.MANIPULATED and kind == "picture" and (elsewhere or 0) > share:
        sentence += f" Of 100 real clips of another source, {_of_100(elsewhere)} do."
    return sentence


def _of_100(share: float) -> str:
    """Round a share to a number of a hundred, never to none.

    >>> _of_100(0.004), _of_100(0.068)
    ('fewer than 1', 'about 7')
    """
    return "fewer than 1" if share < 0.005 else f"about {100 * share:.0f}"


def number(score: float, detector: Detector) -> str:
    """Write a score in two digits, in more where these would be on another side of a border.

    Args:
        score: P(fake), 0-1.
        detector: with the borders.
    """
    texts = [f"{score:.{digits}f}" for digits in (2, 3, 4)]
    same = (text for text in texts if detector.verdict(float(text)) == detector.verdict(score))
    return next(same, texts[-1])


def place_of(face: Face) -> str:
    """Say where a face is in its picture."""
    if not face.square.side:
        return "the whole picture (a face crop)"
    square = face.square
    return f"{square.side} x {square.side} pixels at ({square.left}, {square.top})"


def who(number: int, result: FileScore) -> str:
    """Name a person of a file.

    Args:
        number: from 1.
        result: of the file.

    Returns:
        For example "face 2 of 3, from the left".
    """
    if len(result.people) == 1:
        return "face"
    if result.kind == "video":
        return f"person {number} of {len(result.people)}"
    return f"face {number} of {len(result.people)}, from the left"


def most_suspicious(result: FileScore) -> str:
    """Name the face that gives a file its answer.

    Args:
        result: of a file with people.

    Returns:
        For example "face 2, the most suspicious of 3"; "" where there is only one.
    """
    if len(result.people) == 1:
        return ""
    scores = [person.p_fake for person in result.people]
    number, kind = scores.index(max(scores)) + 1, "person" if result.kind == "video" else "face"
    return f"{kind} {number}, the most suspicious of {len(scores)}"


def file_text(result: FileScore, detector: Detector) -> str:
    """Write the answer about one file for people.

    Args:
        result: from `scoring.score_file`.
        detector: the one that gave it.

    Returns:
        Several lines, the last one empty.
    """
    lines = [displayable(str(result.path))]
    if not result.people:
        lines.append(f"  no score: {result.reason}")
        if result.overview is not None:  # it was read, and no face is in it
            lines.append("  If it shows nothing but a face, --crops scores it whole.")
    else:
        verdict = detector.verdict(result.p_fake)
        name = most_suspicious(result)
        most = f" ({name})" if name else ""
        lines.append(f"  {verdict}: score {number(result.p_fake, detector)}{most}")
        lines.append(f"  {ruler(result.p_fake, detector.low, high=detector.high)}")
        if sentence := how_often(verdict, detector, kind=result.kind):
            lines.append(f"  {sentence}")
        for place, person in enumerate(result.people, start=1):
            lines += _person_lines(person, who(place, result), result, detector)
    lines += [f"  {note}" for note in result.notes]
    return "\n".join([*lines, ""])


def _person_lines(person: Person, name: str, result: FileScore, detector: Detector) -> list[str]:
    if result.kind == "picture":
        answer = answer_about(person, detector)
        return [f"  {name}: {answer}, {place_of(person.faces[0])}"] * (len(result.people) > 1)
    scores = [face.p_fake for face in person.faces]
    return [
        f"  {name}: {answer_over_time(person, detector, frames=result.frames)}",
        f"  {sparkline(scores)}",
    ]


def answer_about(person: Person, detector: Detector) -> str:
    """Write the answer about a person, with the score."""
    return f"{detector.verdict(person.p_fake)}, score {number(person.p_fake, detector)}"


def answer_over_time(person: Person, detector: Detector, *, frames: int) -> str:
    """Write the answer about a person of a clip: its score is a mean over frames."""
    scores = [face.p_fake for face in person.faces]
    return (
        f"{answer_about(person, detector)}, mean of {len(scores)} frames of {frames} looked "
        f"at ({min(scores):.2f} to {max(scores):.2f})"
    )


def ruler(score: float, low: float, *, high: float) -> str:
    """Draw a score between 0 and 1, with the borders of the answers.

    >>> ruler(0.75, 0.25, high=0.5)
    '0 ----------|---------|---------#--------- 1'
    """
    marks = ["-"] * RULER
    for border in (low, high):
        marks[min(RULER - 1, int(border * RULER))] = "|"
    marks[min(RULER - 1, int(score * RULER))] = "#"
    return f"0 {''.join(marks)} 1"


def sparkline(scores: list[float]) -> str:
    """Draw scores 0-1 as a row of bars.

    >>> sparkline([0.0, 0.5, 1.0])
    '▁▅█'
    """
    bars = "▁▂▃▄▅▆▇█"
    return "".join(bars[min(7, int(score * 8))] for score in scores)


def detector_record(detector: Detector) -> dict:
    """Return the facts about a detector that programs need: plain values, no NaN."""
    return {
        "file": str(detector.path) if detector.path else None,
        "trained_on": detector.trained_on,
        "is_sample": detector.is_of_sample,
        "has_card": bool(detector.card),
        "threshold": detector.threshold,
        "low": detector.low,
        "high": detector.high,
        "temperature": detector.temperature,
    }


def file_record(result: FileScore, detector: Detector) -> dict:
    """Return the answer about one file for programs: plain values, no NaN.

    Args:
        result: from `scoring.score_file`.
        detector: the one that gave it.

    Returns:
        ``path, kind, p_fake, answer, reason, notes, frames, people``; each of the people has
        ``p_fake, answer, faces``, each of the faces ``p_fake, square, confidence, second``.
    """
    score = result.p_fake if result.people else None
    return {
        "path": str(result.path),
        "kind": result.kind or None,
        "p_fake": score,
        "answer": None if score is None else str(detector.verdict(score)),
        "reason": result.reason or None,
        "notes": result.notes,
        "frames": result.frames if result.kind == "video" else None,
        "people": [
            {
                "p_fake": person.p_fake,
                "answer": str(detector.verdict(person.p_fake)),
                "faces": [_face_record(face) for face in person.faces],
            }
            for person in result.people
        ],
    }


def _face_record(face: Face) -> dict:
    square = face.square
    return {
        "p_fake": face.p_fake,
        "square": [square.left, square.top, square.side] if square.side else None,
        "confidence": None if math.isnan(face.confidence) else round(face.confidence, 1),
        "second": None if math.isnan(face.second) else round(face.second, 3),
    }


def all_records(records: list[dict], detector: Detector, *, files: int) -> dict:
    """Combine the answers about all files into one object.

    Args:
        records: from `file_record`.
        detector: the one that gave them.
        files: how many were to be scored.

    Returns:
        ``detector, note, complete, files``; ``complete`` is False after an interruption.
    """
    return {
        "detector": detector_record(detector),
        "note": NO_PROOF,
        "complete": len(records) == files,
        "files": records,
    }
