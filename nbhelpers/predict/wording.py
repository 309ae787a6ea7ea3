"""Scores in words: for people, and as JSON for programs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbhelpers.predict.detector import Detector
    from nbhelpers.predict.scoring import Face, Judged


# ---------------------------------------------------------------- telling


def answer(p_fake: float, detector: Detector) -> str:
    """FAKE from the threshold on, else REAL; words, not a verdict."""
    return "FAKE" if p_fake >= detector.threshold else "REAL"


def training_data(detector: Detector) -> str:
    """In words, which data the detector was trained on."""
    from nbhelpers.predict.scoring import is_of_the_sample

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
    from nbhelpers.common.files import displayable
    from nbhelpers.predict.scoring import is_of_the_sample

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
    from nbhelpers.common.html import NO_PROOF
    from nbhelpers.predict.scoring import is_of_the_sample

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
