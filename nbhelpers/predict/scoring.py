"""One file -> faces -> people -> scores.

Without a face there is no score. A face is cut out as tightly as those that the detector was
trained on; a picture that already is such a crop is scored whole.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from nbhelpers.common.files import displayable
from nbhelpers.media import faces
from nbhelpers.predict import inputs
from nbhelpers.predict.detector import Detector, ScoreError
from nbhelpers.predict.people import tracks_of

logger = logging.getLogger(__name__)

SURE = 90  # least confidence of the face finder, out of 100, for a face to be scored
SMALLEST_FACE = 40  # pixels; smaller faces would consist mostly of enlarged pixels
LOOK_FOR = 36  # pixels; boxes may be a little larger or smaller than the faces
TURN_FRAMES = 5  # frames of a clip that decide its orientation
CROP_SHARE = 0.8  # of the shorter side: a squarish picture with such a face is a crop already
CROP_ASPECT = 1.25  # largest ratio of longer to shorter side of a crop
FRAMES = 16  # scored per clip
FEWEST_SIGHTINGS = 2  # frames of a clip in which a person must appear
OVERVIEW = 640  # pixels: longer side of the picture that shows who is who

#: Receives the current step, as a phrase, and the completed share of it, 0-1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Square:
    """The region cut out of a picture for one face: ``left, top, side`` in pixels.

    ``side`` 0 means the whole picture, which already is a face crop.
    """

    left: int
    top: int
    side: int

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """Copy the pixels: uint8 (side, side, 3), or the whole picture."""
        if not self.side:
            return picture.copy()
        rows, columns = (slice(at, at + self.side) for at in (self.top, self.left))
        return picture[rows, columns].copy()  # a view would keep the whole picture alive


@dataclass(frozen=True)
class Face:
    """One face that was scored.

    Attributes:
        square: where it is in the picture.
        confidence: of the face finder, 0-100; NaN if the caller said that the picture is a crop.
        crop: uint8 (H, W, 3) RGB, the input of the detector.
        p_fake: P(fake), calibrated, 0-1.
        second: when it is visible, in a clip; NaN in a picture.
    """

    square: Square
    confidence: float
    crop: np.ndarray
    p_fake: float
    second: float = float("nan")


@dataclass(frozen=True)
class Person:
    """One person of a file: one face of a picture, or the same face in frames of a clip.

    Attributes:
        faces: at least one, in order of time.
    """

    faces: list[Face]

    @property
    def p_fake(self) -> float:
        """The mean over the frames."""
        return float(np.mean([face.p_fake for face in self.faces]))


@dataclass(frozen=True)
class FileScore:
    """The result for one file.

    Attributes:
        path: the file.
        kind: "picture" or "video"; "" if it is neither.
        people: in a picture from left to right; in a clip, those seen most often first. Empty if
            nothing was scored.
        reason: one sentence why nothing was scored; "" if something was.
        notes: sentences about what was scored.
        frames: number of frames examined.
        overview: uint8 (H, W, 3) RGB, at most `OVERVIEW` on its longer side: the picture, or the
            frame of a clip that shows most people; None if nothing could be read.
            scale: size of the overview divided by that of the file.
            second: time of the overview in a clip; NaN for a picture.
    """

    path: Path
    kind: str
    people: list[Person] = field(default_factory=list)
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    frames: int = 1
    overview: np.ndarray | None = None
    scale: float = 1.0
    second: float = float("nan")

    @property
    def p_fake(self) -> float:
        """The score of the most suspicious person: one fake face makes a file a fake."""
        return max(person.p_fake for person in self.people)


def score_files(
    paths: Iterable[Path],
    *,
    detector: Detector,
    frames: int = FRAMES,
    margin: float | None = None,
    are_crops: bool = False,
) -> Iterator[FileScore]:
    """Score files one after the other, lazily.

    Args:
        paths: files.
        detector: from `detector.load`.
        frames: number of evenly spaced frames per clip, >= 1.
        margin: added on each side of a face, as a share of its longer side; None: the detector's.
        are_crops: True scores every picture and frame whole, without looking for faces.

    Yields:
        One entry per file, in order. A file that cannot be scored gives an entry with a reason and
        does not stop the others.
    """
    for path in paths:
        yield score_file(path, detector=detector, frames=frames, margin=margin, are_crops=are_crops)


def score_file(
    path: Path,
    *,
    detector: Detector,
    frames: int = FRAMES,
    margin: float | None = None,
    are_crops: bool = False,
    progress: Progress | None = None,
) -> FileScore:
    """Score one file.

    Args:
        path: the file.
        detector: from `detector.load`.
        frames: as for `score_files`.
        margin: as for `score_files`.
        are_crops: as for `score_files`.
        progress: called before each step that takes time.

    Returns:
        The result; a file that cannot be scored gives a reason, not an exception.
    """
    margin = detector.margin if margin is None else margin
    progress = progress or (lambda step, share: None)
    how = {"margin": margin, "are_crops": are_crops, "progress": progress}
    kind = ""
    try:
        kind = inputs.kind_of(path)
        if kind == "picture":
            return _picture(path, detector, **how)
        return _clip(path, detector, frames=frames, **how)
    except (inputs.InputError, ScoreError) as error:
        return FileScore(path, kind, reason=displayable(str(error)))
    except Exception as error:
        logger.exception("%s cannot be scored", path)
        what = displayable(f"{type(error).__name__}: {error}")
        return FileScore(path, kind, reason=f"{displayable(path.name)} cannot be scored: {what}.")


def square_of(box: np.ndarray, shape: Sequence[int], *, margin: float) -> Square:
    """Choose the region to cut out for a face.

    Args:
        box: ``x, y, width, height``; further values are ignored.
        shape: of the picture, (H, W, …).
        margin: as `score_files`.

    Returns:
        The square; its ``side`` is 0 if the picture already is a face crop.
    """
    height, width = shape[:2]
    wanted = max(box[2], box[3]) * (1 + 2 * margin)
    short, long = sorted((height, width))
    if wanted >= CROP_SHARE * short and long <= CROP_ASPECT * short:
        return Square(0, 0, 0)
    return Square(*faces.face_square(box[:4], height=height, width=width, margin=margin))


# ---------------------------------------------------------------- pictures


def _picture(
    path: Path, detector: Detector, *, margin: float, are_crops: bool, progress: Progress
) -> FileScore:
    picture = inputs.read_picture(path)
    overview, scale = _overview(picture)
    notes = ["It has several pictures; only the first is scored."] * inputs.has_more(path)
    if are_crops:
        squares, confidence, turns = [Square(0, 0, 0)], [float("nan")], 0
    else:
        progress("looking for faces", 0.0)
        smallest = min(LOOK_FOR, faces.smallest_face(*picture.shape[:2]))
        found = faces.find_faces(picture, smallest=smallest, turned=True)
        turns = found[0].turns if found else 0
        boxes = _sure(found)
        large = _large(boxes)
        if not len(large):
            reason = _nobody(boxes, f"in {displayable(path.name)}")
            return FileScore(path, "picture", reason=reason, notes=notes, overview=overview)
        large = large[np.argsort(large[:, 0], kind="stable")]
        squares = [square_of(box, picture.shape, margin=margin) for box in large]
        confidence = large[:, 4].tolist()
        if dropped := len(boxes) - len(large):
            several = "s" * (dropped > 1)
            notes.append(f"{dropped} more face{several} below {SMALLEST_FACE} pixels not scored.")
    if turns:
        notes.append("It lies on its side or upside down; the faces were set upright.")
    crops = [_upright(square.cut(picture), turns) for square in squares]
    progress("scoring the faces", 0.0)
    scores = detector.p_fake(crops)
    people = [
        Person([Face(square, float(sure), crop, float(score))])
        for square, sure, crop, score in zip(squares, confidence, crops, scores, strict=True)
    ]
    return FileScore(path, "picture", people, notes=notes, overview=overview, scale=scale)


def _sure(found: Sequence[faces.DetectedFace]) -> np.ndarray:
    """Return boxes and confidences of the sufficiently certain faces: float (N, 5)."""
    rows = [[*face.box, face.confidence] for face in found if face.confidence >= SURE]
    return np.array(rows).reshape(-1, 5)


def _upright(crop: np.ndarray, turns: int) -> np.ndarray:
    return np.rot90(crop, turns).copy() if turns else crop


def _large(boxes: np.ndarray) -> np.ndarray:
    return boxes[boxes[:, 2:4].max(axis=1) >= SMALLEST_FACE]


def _overview(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a small copy of a picture, and the ratio of their sizes."""
    scale = min(1.0, OVERVIEW / max(picture.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), scale


def _nobody(boxes: np.ndarray, where: str) -> str:
    """Say why there is nothing to score: no face, or only small ones."""
    if not len(boxes):
        return f"No face found {where}, so there is no score."
    size = int(boxes[:, 2:4].max())  # rounded down: 39.6 is below 40
    return (
        f"The largest face {where} is {size} pixels high; below {SMALLEST_FACE} there is too "
        "little to score. Use a larger copy."
    )


# ---------------------------------------------------------------- clips


def _clip(
    path: Path,
    detector: Detector,
    *,
    frames: int,
    margin: float,
    are_crops: bool,
    progress: Progress,
) -> FileScore:
    progress("reading the clip", 0.0)
    clip = inputs.read_clip(path, count=frames)
    notes = []
    if are_crops:
        whole = [(frame, Square(0, 0, 0), float("nan")) for frame in range(len(clip))]
        tracks = [whole]
    else:
        if turns := _turns_of(clip.pixels):
            clip = replace(clip, pixels=np.rot90(clip.pixels, turns, axes=(1, 2)))
            notes.append("It lies on its side or upside down; it was set upright.")
        boxes = []
        for frame in clip.pixels:
            progress("looking for faces", len(boxes) / len(clip))
            boxes.append(_sure(faces.find_faces(frame)))
        large = [_large(rows) for rows in boxes]
        if not any(map(len, large)):
            where = f"in any of {len(clip)} frames of {displayable(path.name)}"
            reason = _nobody(np.concatenate(boxes), where)
            overview, scale = _overview(clip.pixels[0])
            return FileScore(
                path,
                "video",
                reason=reason,
                frames=len(clip),
                overview=overview,
                scale=scale,
                second=float(clip.seconds[0]),
            )
        tracks, more = _tracks(large, clip.pixels.shape[1:], margin=margin)
        notes += more
    people = []
    for track in tracks:
        progress("scoring the faces", len(people) / len(tracks))
        people.append(_person(track, clip, detector))
    busiest = max(
        range(len(clip)), key=lambda frame: sum(at == frame for track in tracks for at, *_ in track)
    )
    overview, scale = _overview(clip.pixels[busiest])
    return FileScore(
        path,
        "video",
        people,
        notes=notes,
        frames=len(clip),
        overview=overview,
        scale=scale,
        second=float(clip.seconds[busiest]),
    )


def _turns_of(frames: np.ndarray) -> int:
    """Return the number of counter-clockwise quarter turns that sets most frames upright."""
    some = np.linspace(0, len(frames) - 1, min(TURN_FRAMES, len(frames))).astype(int)
    looks = [faces.find_faces(np.ascontiguousarray(frames[at]), turned=True) for at in some]
    turns = Counter(look[0].turns for look in looks if look)
    return turns.most_common(1)[0][0] if turns else 0


def _tracks(
    boxes: list[np.ndarray], shape: Sequence[int], *, margin: float
) -> tuple[list[list[tuple[int, Square, float]]], list[str]]:
    """Return each person's ``(frame, square, confidence)``, and notes about those left out."""
    tracks = tracks_of(boxes)
    several = [track for track in tracks if len(track) >= FEWEST_SIGHTINGS]
    selected = several or tracks[:1]
    squares = [
        [
            (frame, square_of(boxes[frame][row], shape, margin=margin), boxes[frame][row][4])
            for frame, row in track
        ]
        for track in selected
    ]
    dropped = len(tracks) - len(selected)
    notes = [f"{dropped} more faces, each found in a single frame, not scored."] * (dropped > 0)
    return squares, notes


def _person(track, clip, detector: Detector) -> Person:
    crops = [square.cut(clip.pixels[frame]) for frame, square, _ in track]
    scores = detector.p_fake(crops)
    return Person(
        [
            Face(square, float(sure), crop, float(score), float(clip.seconds[frame]))
            for (frame, square, sure), crop, score in zip(track, crops, scores, strict=True)
        ]
    )
