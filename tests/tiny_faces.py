"""Pictures and clips with and without faces, composed of the bundled sample's crops."""

import functools

import cv2
import numpy as np
from PIL import Image

from nbhelpers.data import locate
from nbhelpers.media import images

FOLDER = locate.project_root() / "data" / "sample" / locate.FACES / "faces_224"
SIDE = 224


@functools.cache
def crops(count=3):
    """uint8 (N, 224, 224, 3): the sample's first crops, each one face."""
    return np.stack([images.read_image(path) for path in sorted(FOLDER.glob("*.jpg"))[:count]])


def noise(height, width, *, seed=0):
    """uint8 (H, W, 3): nobody is in it."""
    return np.random.default_rng(seed).integers(60, 160, (height, width, 3), dtype=np.uint8)


def group_photo(count=3, *, side=SIDE):
    """uint8 (2 S, N (S + 160), 3): faces side by side before a quiet wall."""
    wall = np.full((2 * side, count * (side + 160), 3), 150, np.uint8)
    for number, crop in enumerate(crops(count)):
        left = number * (side + 160) + 80
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        wall[side // 2 : side // 2 + side, left : left + side] = small
    return wall


def portrait_clip(count=12):
    """uint8 (T, 360, 240, 3): one upright person who drifts to the right."""
    frames = np.full((count, 360, 240, 3), 150, np.uint8)
    small = cv2.resize(crops(1)[0], (160, 160), interpolation=cv2.INTER_AREA)
    for number, frame in enumerate(frames):
        frame[100:260, 20 + 2 * number : 180 + 2 * number] = small
    return frames


def save(path, pixels, **options):
    """Write pixels as a picture; returns the path."""
    Image.fromarray(pixels).save(path, **options)
    return path
