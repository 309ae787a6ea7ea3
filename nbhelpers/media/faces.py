"""Faces in pictures and clips: find them, track one through a clip, cut it out.

`nbhelpers.media.mtcnn` finds upright faces; this module adds faces that fill the picture, faces
that are sideways or upside down, and clips. Pictures are ``uint8 (H, W, 3) RGB 0-255``; boxes
are ``x, y, width, height`` in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from nbhelpers.media import mtcnn
from nbhelpers.media.video import Frames, centre_square

UPRIGHT = 99.5  # least confidence to accept a face as upright without turning the picture
SMALLEST, SMALLEST_SHARE = 20, 1 / 32  # pixels, and share of the picture's longer side
RIM = 0.3  # share of the longer side added around a picture that a face may fill
RIM_LONGEST, RIM_SMALLEST = 640, 0.25  # pixels, and the face's share of the shorter side, there
REACH = 1.5  # how far a face may have moved since it was last seen, in face widths
BLUR_SECONDS = 0.1  # boxes are averaged over about this time
MARGIN = 0.1  # share of the face's longer side added on each side of a crop
TURN_FRAMES = 5  # frames of a clip that decide its orientation


@dataclass(frozen=True)
class DetectedFace:
    """One face of a picture.

    Attributes:
        box: float64 (4,), ``x, y, width, height`` in pixels of the picture; may extend beyond it.
        confidence: 70-100.
        landmarks: float64 (5, 2), ``x, y`` of left eye, right eye, nose, left and right corner of
            the mouth; left and right as seen by a viewer of the upright face.
        turns: counter-clockwise quarter turns, 0-3, that set the picture upright (`numpy.rot90`).
    """

    box: np.ndarray
    confidence: float
    landmarks: np.ndarray
    turns: int = 0

    @property
    def roll(self) -> float:
        """Degrees by which the face leans clockwise in the picture, -180 to 180; 0 is upright."""
        eyes, mouth = self.landmarks[:2].mean(axis=0), self.landmarks[3:].mean(axis=0)
        across, down = mouth - eyes
        return float(np.degrees(np.arctan2(-across, down)))


@dataclass(frozen=True)
class Track:
    """One face through a clip.

    Attributes:
        boxes: float64 (T, 4), smoothed ``x, y, width, height``; interpolated where the face was
            missed; NaN everywhere if no face was ever found.
        confidence: float64 (T,), 0-100; 0 where the face was missed.
        found: bool (T,), True where the face finder found the face.
        turns: counter-clockwise quarter turns, 0-3, that set the clip upright (`numpy.rot90`).
    """

    boxes: np.ndarray
    confidence: np.ndarray
    found: np.ndarray
    turns: int = 0


@dataclass(frozen=True)
class CropReport:
    """What :func:`crop_faces` did: ``crop`` is "face" or "centre", ``found`` of ``frames``."""

    crop: str
    found: int
    frames: int
    track: Track


def smallest_face(height: int, width: int) -> float:
    """Return the default size of the smallest face to search for in a picture.

    Args:
        height: Of the picture.
        width: Of the picture.

    Returns:
        Pixels, the longer side of the face's box.

    Example:
        >>> smallest_face(3000, 4000), smallest_face(224, 224)
        (125.0, 20.0)
    """
    return max(float(SMALLEST), SMALLEST_SHARE * max(height, width))


def find_faces(
    picture: np.ndarray, *, smallest: float | None = None, turned: bool = False
) -> list[DetectedFace]:
    """Find the faces in one picture.

    Args:
        picture: uint8 (H, W, 3) RGB 0-255.
        smallest: Longer side of the smallest faces to search for, in pixels, >= 12; None means
            `smallest_face`. 40 in a picture of 12 megapixels takes a second or two.
        turned: True searches all four orientations, unless a face is certainly upright. False
            searches for upright faces only, and may report a sideways face with less confidence.

    Returns:
        Faces, highest confidence first. All have the same ``turns``: that of the picture.

    Raises:
        ValueError: If the picture is not uint8 (H, W, 3), or ``smallest`` is below 12.
        nbhelpers.media.mtcnn.FaceFinderError: If the networks are not installed.

    Example:
        >>> find_faces(np.zeros((64, 64, 3), np.uint8))
        []
    """
    _check(picture, smallest)
    smallest = smallest_face(*picture.shape[:2]) if smallest is None else smallest
    upright = _look(picture, smallest)
    if not turned or (upright and upright[0].confidence >= UPRIGHT):
        return upright
    looks = [upright, *(_look_turned(picture, smallest, turns) for turns in (1, 2, 3))]
    return max(looks, key=lambda faces: faces[0].confidence if faces else 0.0)


def largest_face(faces: Sequence[DetectedFace]) -> DetectedFace | None:
    """Choose the face with the largest box; None if there are no faces."""
    return max(faces, key=lambda face: face.box[2] * face.box[3], default=None)


def crop_face(
    picture: np.ndarray, face: DetectedFace, *, size: int | None = None, margin: float = MARGIN
) -> np.ndarray:
    """Cut one face out of a picture and turn it upright.

    Args:
        picture: uint8 (H, W, 3), in which the face was found.
        face: From `find_faces`.
        size: Side of the result in pixels, >= 1; None keeps that of the picture.
        margin: Share of the face's longer side added on each side.

    Returns:
        uint8 (S, S, 3), a copy, so that the picture can be freed.
    """
    height, width = picture.shape[:2]
    left, top, side = face_square(face.box, height=height, width=width, margin=margin)
    cut = np.rot90(picture[top : top + side, left : left + side], face.turns).copy()
    return cut if size is None else _resized(cut, size)


def detect_faces(frame: np.ndarray, *, smallest: float | None = None) -> np.ndarray:
    """Find the upright faces in one picture, as rows of numbers.

    Args:
        frame: uint8 (H, W, 3) RGB 0-255.
        smallest: As `find_faces`.

    Returns:
        float64 (N, 5): ``x, y, width, height, confidence`` (70-100), highest confidence first;
        N may be 0.

    Raises:
        ValueError: If the picture is not uint8 (H, W, 3), or ``smallest`` is below 12.
        nbhelpers.media.mtcnn.FaceFinderError: If the networks are not installed.

    Example:
        >>> detect_faces(np.zeros((64, 64, 3), np.uint8)).shape
        (0, 5)
    """
    return _rows(find_faces(frame, smallest=smallest))


def track_face(frames: Frames, *, smallest: float | None = None, turned: bool = False) -> Track:
    """Track the main face of a clip.

    The search starts at the largest and most certain face of the whole clip and proceeds in both
    directions of time, taking the nearest face of similar size in each frame. Frames without one
    are interpolated from their neighbours. Boxes are averaged over a tenth of a second, which
    reduces jitter between neighbouring frames and leaves frames that are seconds apart unchanged.

    Args:
        frames: Frames of one clip, in order.
        smallest: As `find_faces`.
        turned: True first turns a clip upright that is sideways or upside down.

    Returns:
        A :class:`Track` with one entry per frame, in pixels of the given frames.
    """
    detections = [find_faces(frame, smallest=smallest) for frame in frames.pixels]
    turns = _turns_of_clip(frames.pixels, detections, smallest) if turned else 0
    if turns:
        smallest = smallest_face(*frames.pixels.shape[1:3]) if smallest is None else smallest
        detections = [_look_turned(frame, smallest, turns) for frame in frames.pixels]
    chosen = _follow([_rows(faces) for faces in detections])
    found = np.array([box is not None for box in chosen])
    confidence = np.array([0.0 if box is None else box[4] for box in chosen])
    boxes = np.full((len(chosen), 4), np.nan)
    if found.any():
        seen = np.stack([box[:4] for box in chosen if box is not None])
        boxes = _fill_and_smooth(seen, found, frames.seconds)
    return Track(boxes, confidence, found, turns)


def face_square(box: np.ndarray, *, height: int, width: int, margin: float) -> tuple[int, int, int]:
    """Convert a box into a square inside the picture.

    Args:
        box: ``x, y, width, height``.
        height: Of the picture.
        width: Of the picture.
        margin: Share of the box's longer side added on each side, > -0.5.

    Returns:
        ``left, top, side`` in pixels; at the edge of the picture it is moved inwards, then shrunk.

    Example:
        >>> face_square(np.array([90.0, 10, 20, 40]), height=100, width=100, margin=0.25)
        (40, 0, 60)
    """
    side = max(box[2], box[3]) * (1 + 2 * margin)
    side = int(np.clip(round(side), 1, min(height, width)))
    left = int(np.clip(round(box[0] + box[2] / 2 - side / 2), 0, width - side))
    top = int(np.clip(round(box[1] + box[3] / 2 - side / 2), 0, height - side))
    return left, top, side


def crop_faces(
    frames: Frames, *, size: int, margin: float = MARGIN, track: Track | None = None
) -> tuple[np.ndarray, CropReport]:
    """Cut the main face of a clip out of every frame.

    Args:
        frames: Frames of one clip, in order.
        size: Side of the crops in pixels, >= 1.
        margin: Share of the face's longer side added on each side. DFDC's face crops are
            tight, about -0.1; 0.1 keeps the rim of a pasted face in view.
        track: from :func:`track_face` of the same frames, if already known.

    Returns:
        uint8 (T, size, size, 3), turned upright as the track says, and a :class:`CropReport`. If no
        face was found, the crops are centre squares, and the report says ``crop="centre"``.
    """
    track = track_face(frames, turned=True) if track is None else track
    count = int(track.found.sum())
    if not count:
        crops = centre_square(frames.pixels, size=size)
        return crops, CropReport("centre", 0, len(frames), track)
    height, width = frames.pixels.shape[1:3]
    crops = []
    for frame, box in zip(frames.pixels, track.boxes, strict=True):
        left, top, side = face_square(box, height=height, width=width, margin=margin)
        cut = np.rot90(frame[top : top + side, left : left + side], track.turns)
        crops.append(_resized(np.ascontiguousarray(cut), size))
    return np.stack(crops), CropReport("face", count, len(frames), track)


def _resized(square: np.ndarray, size: int) -> np.ndarray:
    how = cv2.INTER_AREA if len(square) > size else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=how)


def _rows(faces: Sequence[DetectedFace]) -> np.ndarray:
    """Return float64 (N, 5): box and confidence of each face."""
    return np.array([[*face.box, face.confidence] for face in faces]).reshape(-1, 5)


def _check(picture: np.ndarray, smallest: float | None) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(
            f"Expected a picture uint8 (H, W, 3) RGB; received {picture.dtype} {picture.shape}."
        )
    if smallest is not None and not smallest >= mtcnn.WINDOW:
        raise ValueError(
            f"Expected the smallest face in pixels, >= {mtcnn.WINDOW}; received {smallest}. "
            "Enlarge the picture to find smaller ones."
        )


# ---------------------------------------------------------------- finding


def _look(picture: np.ndarray, smallest: float) -> list[DetectedFace]:
    """Return the upright faces of a picture, highest confidence first."""
    faces = mtcnn.detect(picture, smallest=smallest)
    return _as_faces(faces) if len(faces.scores) else _look_with_rim(picture)


def _look_with_rim(picture: np.ndarray) -> list[DetectedFace]:
    """Return faces that fill a picture, by adding the surroundings that the networks expect."""
    shrink = min(1.0, RIM_LONGEST / max(picture.shape[:2]))
    if shrink < 1:
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    smallest = max(mtcnn.WINDOW, RIM_SMALLEST * min(picture.shape[:2]))
    rim = round(RIM * max(picture.shape[:2]))
    picture = cv2.copyMakeBorder(picture, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    return _as_faces(mtcnn.detect(picture, smallest=smallest), rim=rim, shrink=shrink)


def _as_faces(faces: mtcnn.Faces, *, rim: int = 0, shrink: float = 1.0) -> list[DetectedFace]:
    boxes, landmarks = (faces.boxes - rim) / shrink, (faces.landmarks - rim) / shrink
    return [
        DetectedFace(np.hstack([box[:2], box[2:] - box[:2]]), 100 * float(score), points)
        for box, score, points in zip(boxes, faces.scores, landmarks, strict=True)
    ]


def _look_turned(picture: np.ndarray, smallest: float, turns: int) -> list[DetectedFace]:
    """Return the faces that are upright after some quarter turns, in the picture's pixels."""
    height, width = picture.shape[:2]
    upright_faces = []
    for face in _look(np.ascontiguousarray(np.rot90(picture, turns)), smallest):
        corners = np.stack([face.box[:2], face.box[:2] + face.box[2:]])
        corners = _turned_back(corners, turns, height=height, width=width)
        corner = corners.min(axis=0)
        box = np.hstack([corner, corners.max(axis=0) - corner])
        landmarks = _turned_back(face.landmarks, turns, height=height, width=width)
        upright_faces.append(DetectedFace(box, face.confidence, landmarks, turns))
    return upright_faces


def _turned_back(points: np.ndarray, turns: int, *, height: int, width: int) -> np.ndarray:
    """Map points (N, 2) of a picture turned by `numpy.rot90` back to the original picture."""
    for turn in range(turns, 0, -1):
        width_before = width if turn % 2 else height
        points = np.column_stack([width_before - points[:, 1], points[:, 0]])
    return points


def _turns_of_clip(
    pixels: np.ndarray, upright: Sequence[list[DetectedFace]], smallest: float | None
) -> int:
    """Return how many quarter turns set most of a clip's faces upright."""
    best = [faces[0].confidence if faces else 0.0 for faces in upright]
    if np.median(best) >= UPRIGHT:
        return 0
    some = np.unique(np.linspace(0, len(pixels) - 1, TURN_FRAMES).round().astype(int))
    looks = [find_faces(pixels[index], smallest=smallest, turned=True) for index in some]
    votes = np.zeros(4)
    for faces in looks:
        if faces:
            votes[faces[0].turns] += faces[0].confidence
    return int(votes.argmax())


# ---------------------------------------------------------------- tracking


def _follow(detections: list[np.ndarray]) -> list[np.ndarray | None]:
    """Return the box of the main face in each frame, None where it was missed."""
    chosen: list[np.ndarray | None] = [None] * len(detections)
    starts = [
        (box[4] * np.sqrt(box[2] * box[3]), index, box)
        for index, boxes in enumerate(detections)
        for box in boxes
    ]
    if not starts:
        return chosen
    _, start, box = max(starts, key=lambda item: item[0])
    chosen[start] = box
    for order in (range(start + 1, len(detections)), range(start - 1, -1, -1)):
        last = box
        for index in order:
            nearest = _nearest(detections[index], last)
            if nearest is not None:
                chosen[index] = last = nearest
    return chosen


def _nearest(boxes: np.ndarray, last: np.ndarray) -> np.ndarray | None:
    if not len(boxes):
        return None
    centres = boxes[:, :2] + boxes[:, 2:4] / 2
    distance = np.hypot(*(centres - (last[:2] + last[2:4] / 2)).T) / max(last[2], last[3])
    growth = np.sqrt(boxes[:, 2] * boxes[:, 3] / (last[2] * last[3]))
    cost = np.where((growth > 0.5) & (growth < 2), distance, np.inf)
    best = int(np.argmin(cost))
    return boxes[best] if cost[best] <= REACH else None


def _fill_and_smooth(seen: np.ndarray, found: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return boxes (T, 4) for all frames: interpolate centre and size, then average."""
    known = np.column_stack([seen[:, :2] + seen[:, 2:] / 2, seen[:, 2:]])  # centre and size
    filled = np.column_stack([np.interp(seconds, seconds[found], column) for column in known.T])
    weights = np.exp(-0.5 * ((seconds[:, None] - seconds) / BLUR_SECONDS) ** 2)
    smooth = weights @ filled / weights.sum(axis=1, keepdims=True)
    return np.column_stack([smooth[:, :2] - smooth[:, 2:] / 2, smooth[:, 2:]])
