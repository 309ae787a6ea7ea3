"""The three manipulations.

All of them take another rendering of the face, degrade it as a decoder would, and blend it in.
"""

from __future__ import annotations

import cv2
import numpy as np
from clip_plan import smooth_noise
from imaging import outline_mask, uniform

SQUARE = 1.3  # side of the decoded square in face heights
CLIP_FACE = 113  # pixels of face height that the clips' resolutions are meant for


def draw_method(settings: dict, medium: str, frames: int, rng, face: float = CLIP_FACE) -> dict:
    """Strengths of one fake: ranges drawn once, clip jitter drawn per frame.

    `face`: height of the face in pixels; a larger face gets a larger square in a clip.
    """
    drawn = {
        k: uniform(rng, settings[k])
        for k in ("blur", "sharpen", "colour_transfer", "grow", "feather", "flicker", "wobble")
    }
    zoom = face / CLIP_FACE if medium == "clip" else 1
    drawn["resolution"] = round(zoom * uniform(rng, settings[f"resolution_{medium}"]))
    drawn["poisson"] = bool(rng.random() < settings["poisson"])
    drawn["colour_error"] = rng.normal(0, settings["colour_residual"], 3)
    drawn["shift"] = rng.normal(0, settings["shift"], 2)
    drawn["scale"] = rng.normal(0, settings["scale"])
    drawn["rotate"] = rng.normal(0, settings["rotate"])

    def jitter(columns, strength):  # mostly slow, a little white, as from frame-by-frame decoders
        slow = np.stack([smooth_noise(frames, 4, strength, rng) for _ in range(columns)], 1)
        return slow + 0.6 * strength * rng.standard_normal((frames, columns))

    still = frames == 1
    drawn["frame_colour"] = np.zeros((1, 3)) if still else jitter(3, drawn["flicker"])
    drawn["frame_shift"] = np.zeros((1, 2)) if still else jitter(2, drawn["wobble"])
    return drawn


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation, scale and shift (2x3) that takes source points to target points."""
    s, t = source @ [1, 1j], target @ [1, 1j]
    a = np.vdot(s - s.mean(), t - t.mean()) / np.vdot(s - s.mean(), s - s.mean())
    b = t.mean() - a * s.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _chain(*steps):
    """Compose 2x3 transforms, first step first."""
    total = np.eye(3)
    for step in steps:
        total = np.vstack([step, [0, 0, 1]]) @ total
    return total[:2]


def decode(
    donor: np.ndarray,
    align: np.ndarray,
    centre,
    height: float,
    drawn: dict,
    frame: int,
    size: tuple,
) -> np.ndarray:
    """Donor picture -> small square (the decoder's output) -> back into the target's frame.

    Slightly misplaced, as fakes are.
    """
    n = drawn["resolution"]
    zoom = n / (SQUARE * height)
    into = np.array([[zoom, 0, n / 2 - zoom * centre[0]], [0, zoom, n / 2 - zoom * centre[1]]])
    to_square = _chain(align, into)
    factor = np.hypot(*to_square[:, 0])
    if factor < 0.95:  # no aliasing when shrinking
        donor = cv2.GaussianBlur(donor, (0, 0), 0.45 * (1 / factor - 1) + 0.05)
    square = cv2.warpAffine(
        donor, to_square, (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if drawn["blur"] > 0.1:
        square = cv2.GaussianBlur(square, (0, 0), drawn["blur"])
    slip = cv2.getRotationMatrix2D(
        (float(centre[0]), float(centre[1])), drawn["rotate"], 1 + drawn["scale"]
    )
    slip[:, 2] += drawn["shift"] * height + drawn["frame_shift"][frame]
    back = _chain(cv2.invertAffineTransform(into), slip)
    face = cv2.warpAffine(
        square, back, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    sigma = 0.55 / zoom
    return face + drawn["sharpen"] * (face - cv2.GaussianBlur(face, (0, 0), sigma))


def match_colour(
    face: np.ndarray, target: np.ndarray, where: np.ndarray, drawn: dict, frame: int
) -> np.ndarray:
    """Move the face's mean and spread (CIE Lab) towards the target's, plus a residual error."""

    def lab(x):
        return cv2.cvtColor((np.clip(x, 0, 255) / 255).astype(np.float32), cv2.COLOR_BGR2LAB)

    f, t = lab(face), lab(target)
    spread = np.clip(t[where].std(0) / (f[where].std(0) + 1e-3), 0.6, 1.5)
    matched = (f - f[where].mean(0)) * spread + t[where].mean(0)
    w = drawn["colour_transfer"]
    error = (drawn["colour_error"] + drawn["frame_colour"][frame]).astype(np.float32)
    out = w * matched + (1 - w) * f + error
    return cv2.cvtColor(out.astype(np.float32), cv2.COLOR_LAB2BGR) * 255


def soft_weight(region: np.ndarray, feather: float, allowed: np.ndarray) -> np.ndarray:
    """Blending weight: region shrunk by the feather, blurred, and zero where nothing may change."""
    region = region * allowed
    radius = max(1, round(feather))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    inner = cv2.erode(region, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return cv2.GaussianBlur(inner, (0, 0), 0.7 * max(feather, 0.6)) * cv2.GaussianBlur(
        allowed, (0, 0), 0.7
    )


def blend(target: np.ndarray, face: np.ndarray, weight: np.ndarray, poisson: bool) -> np.ndarray:
    """Alpha or gradient-domain blending."""
    if poisson:
        inside = (weight > 0.5).astype(np.uint8) * 255
        inside[[0, 1, -2, -1]] = 0
        inside[:, [0, 1, -2, -1]] = 0
        x, y, w, h = cv2.boundingRect(inside)
        if w > 8 and h > 8:
            as8 = [np.clip(p, 0, 255).astype(np.uint8) for p in (face, target)]
            # a copy, because seamlessClone writes into its mask
            cloned = cv2.seamlessClone(
                *as8, inside.copy(), (x + w // 2, y + h // 2), cv2.NORMAL_CLONE
            ).astype(np.float32)
            edge = cv2.GaussianBlur(inside.astype(np.float32) / 255, (0, 0), 1.0)[..., None]
            return target * (1 - edge) + cloned * edge
    return target * (1 - weight[..., None]) + face * weight[..., None]


def swap_face(target, render, donor, donor_render, drawn, frame=0):
    """Full face swap: the donor's face under the target's hair.

    Returns the fake and its blending weight.
    """
    size = target.shape[1], target.shape[0]
    points, height = render["face"], float(np.ptp(render["face"][:, 1]))
    align = similarity(donor_render["face"], points)
    centre = (points.min(0) + points.max(0)) / 2
    face = decode(donor, align, centre, height, drawn, frame, size)
    covered = cv2.warpAffine(donor_render["alpha"], align, size) > 240
    visible = (render["alpha"] > 240) & (render["hair"] < 100) & covered
    weight = soft_weight(
        outline_mask(points, target.shape[:2], drawn["grow"]),
        drawn["feather"] * height,
        visible.astype(np.float32),
    )
    where = weight > 0.5
    if where.sum() > 50:
        face = match_colour(face, target, where, drawn, frame)
    return blend(target, face, weight, drawn["poisson"]), weight


def reenact_mouth(target, render, other, other_render, drawn, frame=0):
    """Same person, same light, another mouth: only the lower face is replaced.

    Returns the fake and its blending weight.
    """
    size = target.shape[1], target.shape[0]
    height = float(np.ptp(render["face"][:, 1]))
    points = np.concatenate([render["lower"], other_render["lower"]])
    centre = (points.min(0) + points.max(0)) / 2
    face = decode(other, np.eye(2, 3), centre, height, drawn, frame, size)
    covered = other_render["rendered"] & (render["hair"] < 100) & (other_render["hair"] < 100)
    weight = soft_weight(
        outline_mask(points, target.shape[:2], drawn["grow"]),
        drawn["feather"] * height,
        covered.astype(np.float32),
    )
    where = weight > 0.5
    if where.sum() > 50:
        face = match_colour(face, target, where, drawn, frame)
    return blend(target, face, weight, drawn["poisson"]), weight
