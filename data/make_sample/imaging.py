"""From linear renders to camera pictures.

Exposure, backdrop, and the last links of the chain (blur, noise, compression).
"""

from __future__ import annotations

import cv2
import numpy as np

SKIN_LIGHTNESS = np.array([45.0, 71.0, 73.0])  # as in textures.SKIN_TONE: african, asian, caucasian


def uniform(rng, bounds):
    return float(rng.uniform(*bounds))


# ---------------------------------------------------------------- exposure and backdrop


def exposure_gain(render: dict, ancestry: np.ndarray, factor: float) -> float:
    """Gain that exposes the face as an automatic camera would, darker skin a little darker."""
    face = outline_mask(render["face"], render["alpha"].shape) > 0.5
    face &= (render["alpha"] > 250) & (render["hair"] < 5)
    luminance = render["bgr"].astype(np.float32)[face] @ np.array([0.07, 0.72, 0.21], np.float32)
    share = ancestry**2 / (ancestry**2).sum()
    key = 0.30 * (share @ SKIN_LIGHTNESS / 72) ** 1.6
    return factor * key / max(float(luminance.mean()), 1e-3)


def develop(render: dict, gain: float, contrast: float) -> tuple:
    """Linear premultiplied render -> display BGR (0..255, straight) and alpha (0..1)."""
    alpha = render["alpha"].astype(np.float32) / 255
    linear = render["bgr"].astype(np.float32) * gain / np.maximum(alpha, 0.02)[..., None]
    display = (1 - np.exp(-1.6 * linear)) ** (1 / 2.2)
    display = 0.5 + contrast * (display - 0.5)
    return np.clip(display, 0.01, 1) * 255, alpha


def bleed(picture: np.ndarray, alpha: np.ndarray, reach: float = 6) -> np.ndarray:
    """Continue a cut-out picture beyond its edge: small shifts then pull in skin, not darkness."""
    solid = cv2.erode((alpha > 0.98).astype(np.float32), np.ones((3, 3)))
    spread = cv2.GaussianBlur(picture * solid[..., None], (0, 0), reach) / (
        cv2.GaussianBlur(solid, (0, 0), reach)[..., None] + 1e-4
    )
    return picture * solid[..., None] + spread * (1 - solid[..., None])


def over(foreground: np.ndarray, alpha: np.ndarray, backdrop: np.ndarray) -> np.ndarray:
    return foreground * alpha[..., None] + backdrop * (1 - alpha[..., None])


def make_backdrop(size: tuple, rng) -> np.ndarray:
    """Out-of-focus room: wall, lights, shelf or panes."""
    width, height = size
    hue, chroma = rng.uniform(0, 2 * np.pi), rng.gamma(1.5, 5)

    def colour(spread=1.0):
        lab = [
            np.clip(rng.normal(level, 16 * spread), 8, 95),
            chroma * np.cos(hue) + rng.normal(0, 7 * spread),
            chroma * np.sin(hue) + rng.normal(0, 7 * spread),
        ]
        bgr = cv2.cvtColor(np.array([[lab]], np.float32), cv2.COLOR_LAB2BGR)[0, 0]
        return (bgr * 255).clip(4, 250).tolist()

    level = rng.uniform(22, 85)
    picture = np.ones((height, width, 3), np.float32) * np.float32(colour(0.3))
    kind, soft = rng.integers(4), rng.uniform(0.008, 0.03) * width
    if kind == 1:  # lights
        for _ in range(rng.integers(12, 40)):
            disc = picture.copy()
            cv2.circle(
                disc,
                (int(rng.integers(width)), int(rng.integers(height))),
                int(rng.uniform(0.02, 0.08) * width),
                colour(1.5),
                -1,
            )
            picture = 0.6 * picture + 0.4 * disc
        soft *= 0.4
    elif kind == 2:  # shelf
        for top in np.arange(0, height, height / rng.uniform(2.2, 4)):
            x = 0
            while x < width:
                thick, tall = int(rng.uniform(0.02, 0.09) * width), rng.uniform(0.15, 0.26) * height
                cv2.rectangle(picture, (x, int(top)), (x + thick, int(top + tall)), colour(), -1)
                x += thick + int(rng.integers(0, 4))
    elif kind == 3:  # panes, doors, pictures on the wall
        for _ in range(rng.integers(2, 7)):
            x, y = rng.uniform(-0.2, 0.9) * width, rng.uniform(-0.2, 0.6) * height
            corner = (
                int(x + rng.uniform(0.12, 0.5) * width),
                int(y + rng.uniform(0.2, 1) * height),
            )
            cv2.rectangle(picture, (int(x), int(y)), corner, colour(1.2), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), max(soft, 0.8))
    slope = np.linspace(-1, 1, width)[None, :, None] * rng.uniform(-0.3, 0.3) + np.linspace(
        -1, 1, height
    )[:, None, None] * rng.uniform(-0.2, 0.2)
    cloud = cv2.resize(
        rng.standard_normal((height // 12, width // 12)).astype(np.float32),
        size,
        interpolation=cv2.INTER_CUBIC,
    )
    return np.clip(picture * (1 + slope) + cloud[..., None] * rng.uniform(0.5, 3), 3, 252).astype(
        np.float32
    )


def outline_mask(points: np.ndarray, shape: tuple, grow: float = 1.0) -> np.ndarray:
    """Filled convex outline of points, scaled about its centre; values 0..1."""
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    centre = (hull.min(0) + hull.max(0)) / 2
    hull = (hull - centre) * grow + centre
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


# ---------------------------------------------------------------- the end of the chain

FINAL_DRAWS = ("shrink_chance", "shrink", "blur", "luma_noise", "chroma_noise", "compression")
GOLDEN = 0.381966


def spread_positions(count: int, rng, draws=FINAL_DRAWS) -> np.ndarray:
    """For each shot and each draw a position in 0..1, evenly spread over the shots.

    This is a Latin hypercube.  With some 50 real clips, independent draws could by chance give the
    reals lower quality than the fakes, say, and a detector could exploit that.  Even spreading
    prevents it.
    """
    return np.stack([(rng.permutation(count) + rng.random(count)) / count for _ in draws], 1)


def draw_final(settings: dict, shot_positions: np.ndarray, copy: int) -> dict:
    """Camera and codec of one picture or clip.

    `copy` numbers the versions of a shot; each is shifted by the golden section, so that
    versions of one shot differ while every version covers the same ranges equally.
    """
    at = dict(zip(FINAL_DRAWS, (shot_positions + GOLDEN * copy) % 1, strict=True))

    def between(name, position):
        low, high = settings[name]
        return low + (high - low) * position

    shrunk = at["shrink_chance"] < settings["shrink_chance"]
    return {
        "shrink": between("shrink", at["shrink"]) if shrunk else 1.0,
        "quality": round(between("jpeg_quality", at["compression"])),
        "crf": round(between("crf", at["compression"])),
        **{k: between(k, at[k]) for k in ("blur", "luma_noise", "chroma_noise")},
    }


def finish(picture: np.ndarray, final: dict, rng) -> np.ndarray:
    """Sampling, lens blur and sensor noise; returns 8-bit BGR."""
    height, width = picture.shape[:2]
    if final["shrink"] < 1:
        small = (round(width * final["shrink"]), round(height * final["shrink"]))
        picture = cv2.resize(
            cv2.resize(picture, small, interpolation=cv2.INTER_AREA),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
    if final["blur"] > 0.05:
        picture = cv2.GaussianBlur(picture, (0, 0), final["blur"])
    luma = rng.standard_normal((height, width, 1), np.float32) * final["luma_noise"]
    chroma = rng.standard_normal((height, width, 3), np.float32) * final["chroma_noise"]
    brightness = np.maximum(picture, 0) / 128
    noisy = picture + (luma + chroma) * (0.6 + 0.4 * np.sqrt(brightness))
    return np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
