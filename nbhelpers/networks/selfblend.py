"""Self-blended images: fakes made from one real picture, whose only traces are those of pasting.

A face is cut out of a picture, slightly changed in colour, sharpness and position, and pasted back.
To distinguish these from the original, a network has to look at the seam and at mismatched colours
and sharpness, instead of the traces of one particular forgery method.
"""

from __future__ import annotations

import cv2
import numpy as np

from nbhelpers.media import faces

#: Default eyes, nose and mouth corners if none are found, as shares of a tight crop's side.
USUAL_LANDMARKS = np.array([(0.3, 0.3), (0.7, 0.3), (0.5, 0.52), (0.34, 0.73), (0.66, 0.73)])
_SEEN_SIDE = 128  # pixels of a crop in which landmarks are searched for


def landmarks(picture: np.ndarray) -> np.ndarray:
    """Find five points of the largest face: both eyes, nose, both corners of the mouth.

    Args:
        picture: ``uint8 (H, W, 3)`` RGB 0-255, a face crop.

    Returns:
        ``float64 (5, 2)``: x and y as shares of the width and the height; `USUAL_LANDMARKS` if
        no face is found.
    """
    small = cv2.resize(picture, (_SEEN_SIDE, _SEEN_SIDE), interpolation=cv2.INTER_AREA)
    face = faces.largest_face(faces.find_faces(small))
    return USUAL_LANDMARKS.copy() if face is None else face.landmarks / _SEEN_SIDE


def self_blended(picture: np.ndarray, points: np.ndarray, *, seed: int) -> np.ndarray:
    """Make a fake from a real picture.

    Args:
        picture: ``uint8 (H, W, 3)`` RGB 0-255.
        points: ``float (5, 2)`` from `landmarks`.
        seed: of all random draws.

    Returns:
        ``uint8 (H, W, 3)`` RGB 0-255.

    Source:
        Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", 2022; here with a
        region made of five points instead of a hull of 68.
    """
    rng = np.random.default_rng(seed)
    inner, outer = picture.astype(np.float32), picture.astype(np.float32)
    if rng.random() < 0.5:
        inner = _changed(inner, rng)
    else:
        outer = _changed(outer, rng)
    mask = _region(picture.shape[:2], points, rng)
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, rng.uniform(0.96, 1.04))
    matrix[:, 2] += rng.uniform(-0.03, 0.03, 2) * [width, height]
    inner = cv2.warpAffine(inner, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(mask, matrix, (width, height))[..., None]
    mask = mask * rng.choice([0.5, 0.75, 1.0, 1.0, 1.0])
    return np.clip(inner * mask + outer * (1 - mask), 0, 255).round().astype(np.uint8)


def _changed(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change light and colour, and soften or sharpen."""
    pixels = pixels * np.float32(rng.uniform(0.9, 1.1)) + rng.uniform(-9, 9, 3)
    mean = pixels.mean(axis=(0, 1), keepdims=True)
    pixels = np.clip((pixels - mean) * rng.uniform(0.85, 1.15) + mean, 0, 255).astype(np.float32)
    height, width = pixels.shape[:2]
    if rng.random() < 0.6:
        share = rng.uniform(0.3, 0.7)
        size = (max(1, round(width * share)), max(1, round(height * share)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.8, 2.0))
    return pixels + np.float32(rng.uniform(0.3, 1.0)) * (pixels - soft)


def _region(shape: tuple[int, int], points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a soft mask ``float32 (H, W)`` 0-1 of a face, or around its mouth or eyes."""
    height, width = shape
    eyes, mouth = points[:2] * [width, height], points[3:] * [width, height]
    eye, lip = eyes.mean(axis=0), mouth.mean(axis=0)
    down = lip - eye
    length = max(float(np.hypot(*down)), 0.15 * height)
    apart = max(float(np.hypot(*(eyes[1] - eyes[0]))), 0.2 * width)
    part = rng.choice(["face", "face", "mouth", "eyes"])
    centre, half = {
        "face": (eye + 0.45 * down, (0.95 * apart, 1.15 * length)),
        "mouth": (lip, (0.75 * apart, 0.5 * length)),
        "eyes": (eye, (1.0 * apart, 0.4 * length)),
    }[part]
    half = np.maximum(np.array(half) * rng.uniform(0.75, 1.15, 2), 3)
    turn = np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1]))
    mask = np.zeros(shape, np.float32)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ragged = rng.uniform(0.85, 1.15, (24, 1))
    outline = np.stack([np.cos(angle) * half[0], np.sin(angle) * half[1]], axis=1) * ragged
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    outline = outline @ np.array([[cos, sin], [-sin, cos]]) + centre
    cv2.fillPoly(mask, [outline.round().astype(np.int32)], 1.0)
    return cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.01, 0.05) * width)
