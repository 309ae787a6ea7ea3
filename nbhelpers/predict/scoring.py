"""Pixels -> faces -> scores: what `predict` does with one file.

No face found means no score. A face is cut out as tightly as those that the detector was trained
on; a picture that is such a crop already is judged whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nbhelpers.common.files import displayable
from nbhelpers.media.faces import detect_faces, face_square, track_face
from nbhelpers.predict import inputs

if TYPE_CHECKING:
    from nbhelpers.predict.detector import Detector


#: Added on each side of a face, as a share of its box. Measured on 250 crops each: the box that
#: `faces` finds fills 0.83 of the bundled sample's crops and all of DFDC's (medians).
SAMPLE_MARGIN, TIGHT_MARGIN = 0.1, 0.0
SURE = 60  # confidence of the face detector, of 100, from which a face is judged
SMALLEST_FACE = 40  # pixels; a smaller one is mostly enlargement when the detector sees it
CROP_SHARE = 0.8  # of the shorter side: a face this large in a squarish picture is a crop already
CROP_ASPECT = 1.25  # longer by shorter side of what may be a crop
FRAMES = 16  # of a clip


@dataclass(frozen=True)
class Square:
    """What is cut out of a picture for one face: ``left, top, side`` in pixels.

    ``side`` 0 means the whole picture, which is a face crop already.
    """

    left: int
    top: int
    side: int

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The pixels: uint8 (side, side, 3), or the whole picture."""
        if not self.side:
            return picture
        return picture[self.top : self.top + self.side, self.left : self.left + self.side]


@dataclass(frozen=True)
class Face:
    """One face that was judged.

    Attributes:
        square: where it is in the picture.
        confidence: of the face detector, 0-100; NaN where the caller said the picture is a crop.
        crop: uint8 (H, W, 3) RGB, what the detector was shown.
        p_fake: P(fake), calibrated, 0-1.
        second: when it is shown, in a clip; NaN in a picture.
    """

    square: Square
    confidence: float
    crop: np.ndarray
    p_fake: float
    second: float = float("nan")


@dataclass(frozen=True)
class Judged:
    """What came of one file.

    Attributes:
        path: the file.
        kind: "picture" or "video"; "" where it is neither.
        faces: of a picture each face, from left to right; of a video its main face in each frame
            in which it was found. Empty where nothing was judged.
        reason: one sentence why nothing was judged; "" where something was.
        notes: sentences about what was judged.
        frames: that were looked at.
    """

    path: Path
    kind: str
    faces: list[Face] = field(default_factory=list)
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    frames: int = 1

    @property
    def p_fake(self) -> float:
        """A video's score: the mean over its frames. A picture's: that of its highest face.

        One fake face makes a picture a fake, but of many faces the highest is high by chance; a
        video's frames are many looks at one face.
        """
        scores = [face.p_fake for face in self.faces]
        return float(np.mean(scores) if self.kind == "video" else max(scores))


def is_of_the_sample(detector: Detector) -> bool:
    """Whether the detector was trained on the bundled sample, as far as its card says."""
    data = detector.card.get("data")
    data = data if isinstance(data, dict) else {}
    return bool(detector.card.get("is_sample", data.get("is_sample", False)))


def margin_of(detector: Detector) -> float:
    """How tightly to cut for this detector: as tightly as the faces it was trained on."""
    return SAMPLE_MARGIN if is_of_the_sample(detector) else TIGHT_MARGIN


def score_file(
    path: Path,
    *,
    detector: Detector,
    frames: int = FRAMES,
    margin: float | None = None,
    are_crops: bool = False,
) -> Judged:
    """Judge one file.

    Args:
        path: a picture or a video.
        detector: from `nbhelpers.predict.detector.load`.
        frames: of a video, evenly spaced, >= 1.
        margin: added on each side of a face, as a share of its longer side; None is
            `margin_of` the detector.
        are_crops: True judges every picture and frame whole, without looking for faces.

    Returns:
        What came of it; a file that cannot be judged is not an exception.
    """
    margin = margin_of(detector) if margin is None else margin
    kind = ""
    try:
        kind = inputs.kind_of(path)
        if kind == "picture":
            return _picture(path, detector, margin, are_crops)
        return _video(path, detector, frames, margin, are_crops)
    except inputs.InputError as error:
        return Judged(path, kind, reason=displayable(str(error)))


def _picture(path: Path, detector: Detector, margin: float, are_crops: bool) -> Judged:
    picture = inputs.read_picture(path)
    notes = ["It is an animation; only its first picture is judged."] * inputs.is_animated(path)
    if are_crops:
        found = [(Square(0, 0, 0), float("nan"), picture)]
        return _scored(path, "picture", detector, found, notes=notes)
    boxes = detect_faces(picture)
    boxes = boxes[boxes[:, 4] >= SURE]
    large = boxes[boxes[:, 2:4].max(axis=1) >= SMALLEST_FACE]
    if not len(large):
        return Judged(path, "picture", reason=_none_found(boxes, f"in {displayable(path.name)}"))
    large = large[np.argsort(large[:, 0], kind="stable")]
    squares = [square_of(box, picture.shape, margin=margin) for box in large]
    if dropped := len(boxes) - len(large):
        notes.append(
            f"{dropped} more face{'s' * (dropped > 1)} below {SMALLEST_FACE} pixels not judged."
        )
    found = zip(squares, large[:, 4], [square.cut(picture) for square in squares], strict=True)
    return _scored(path, "picture", detector, list(found), notes=notes)


def _video(path: Path, detector: Detector, frames: int, margin: float, are_crops: bool) -> Judged:
    clip = inputs.read_clip(path, count=frames)
    looked = len(clip)
    if are_crops:
        found = [(Square(0, 0, 0), float("nan"), frame) for frame in clip.pixels]
        return _scored(path, "video", detector, found, seconds=clip.seconds, frames=looked)
    track = track_face(clip)
    usable = track.found & (track.confidence >= SURE)
    boxes = np.column_stack([track.boxes, track.confidence])[usable]
    large = usable.copy()
    large[usable] = boxes[:, 2:4].max(axis=1) >= SMALLEST_FACE
    if not large.any():
        where = f"in any of {looked} frames of {displayable(path.name)}"
        return Judged(path, "video", reason=_none_found(boxes, where), frames=looked)
    squares = [square_of(box, clip.pixels.shape[1:], margin=margin) for box in track.boxes[large]]
    crops = [square.cut(frame) for square, frame in zip(squares, clip.pixels[large], strict=True)]
    return _scored(
        path,
        "video",
        detector,
        list(zip(squares, track.confidence[large], crops, strict=True)),
        seconds=clip.seconds[large],
        frames=looked,
        notes=["One face is followed, the largest and surest; other people are not judged."],
    )


def square_of(box: np.ndarray, shape: Sequence[int], *, margin: float) -> Square:
    """What to cut out for a face.

    Args:
        box: ``x, y, width, height`` and maybe more.
        shape: of the picture, (H, W, …).
        margin: as `score_file`.

    Returns:
        The square; that of a picture which is a face crop already has ``side`` 0.
    """
    height, width = shape[:2]
    wanted = max(box[2], box[3]) * (1 + 2 * margin)
    short, long = sorted((height, width))
    if wanted >= CROP_SHARE * short and long <= CROP_ASPECT * short:
        return Square(0, 0, 0)
    return Square(*face_square(box[:4], height=height, width=width, margin=margin))


def _none_found(boxes: np.ndarray, where: str) -> str:
    """Why there is nothing to judge: no face, or only small ones."""
    if not len(boxes):
        return (
            f"No face found {where}, so there is no score. If it shows nothing but a face, "
            "--crops judges it whole."
        )
    size = boxes[:, 2:4].max()
    return (
        f"The largest face {where} is {size:.0f} pixels high; below {SMALLEST_FACE} there is too "
        "little to judge. Use a larger copy."
    )


def _scored(
    path: Path,
    kind: str,
    detector: Detector,
    found: list[tuple[Square, float, np.ndarray]],
    *,
    seconds: Sequence[float] | None = None,
    frames: int = 1,
    notes: Sequence[str] = (),
) -> Judged:
    """Show the crops to the detector, all at once."""
    scores = detector.p_fake([crop for _, _, crop in found])
    seconds = np.full(len(found), np.nan) if seconds is None else seconds
    judged = [
        Face(square, float(confidence), crop, float(score), float(second))
        for (square, confidence, crop), score, second in zip(found, scores, seconds, strict=True)
    ]
    return Judged(path, kind, judged, notes=list(notes), frames=frames)


def score_files(paths: Iterable[Path], **how) -> list[Judged]:
    """Judge files one after the other.

    Args:
        paths: files.
        **how: as `score_file`.

    Returns:
        One entry a file, in order.
    """
    return [score_file(path, **how) for path in paths]
