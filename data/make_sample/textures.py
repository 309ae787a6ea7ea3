"""Per-identity textures.

Blended and re-toned skin with procedural detail, tinted hair and brows, recoloured clothes.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from assets import AssetPaths
from people import stream

SIZE = 2048
# The head's island in the UV sheet (fractions x0, y0, x1, y1): only it gets fine detail.
HEAD_ISLAND = (0.62, 0.14, 1.0, 0.90)
# Mean colour (CIE Lab) of the face skin by ancestry: from memory of ordinary portrait photos, not
# from measurements.
SKIN_TONE = {"african": (45, 13.5, 19), "asian": (71, 11, 20), "caucasian": (73, 12.5, 15)}
VARIANTS = {
    "african": ("darkskinned_{}_diffuse",),
    "asian": ("lightskinned_{}_diffuse2", "lightskinned_{}_diffuse3"),
    "caucasian": ("lightskinned_{}_diffuse", "lightskinned_{}_diffuse2"),
}


def _read(path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileNotFoundError(path)
    return image


def _lab(bgr):
    return cv2.cvtColor(np.clip(bgr, 0, 1).astype(np.float32), cv2.COLOR_BGR2LAB)


def _bgr8(lab):
    return np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2BGR) * 255, 2, 255).astype(
        np.uint8
    )


def _noise(shape, sigma, rng):
    """Unit-variance noise with blobs of the given size.

    Coarse blobs are made small and enlarged.
    """
    step = max(1, int(sigma / 2))
    small = rng.standard_normal((shape[0] // step + 1, shape[1] // step + 1)).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / step, 0.4))
    out = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return (out - out.mean()) / out.std()


def _region(assets, name, crop):
    image = _read(assets.mpfb / f"textures/mpfb_{name}.jpg")
    image = image if image.ndim == 2 else image[..., 0]
    return cv2.resize(image, (SIZE, SIZE))[crop].astype(np.float32) / 255


def _skin_files(assets, age, ancestry, sex):
    stage = "young" if age < 0.35 else "middleage" if age < 0.65 else "old"
    folder = assets.skins / f"{stage}_{ancestry}_{sex}" / "textures"
    return [
        p for v in VARIANTS[ancestry] if (p := folder / f"{stage}_{v.format(sex)}.png").exists()
    ]


def make_skin(assets: AssetPaths, person: dict, out: Path) -> None:
    """Write skin.png and bump.png.

    A blend of skins moved to this person's tone, plus mottling, pores, freckles, moles.
    """
    rng = stream("texture", person["index"])
    share = person["ancestry"] ** 2 / (person["ancestry"] ** 2).sum()
    share[share < 0.05] = 0
    share /= share.sum()
    blend = np.zeros((512, 512, 3), np.float32)
    for name, weight in zip(SKIN_TONE, share, strict=True):
        if weight:
            files = _skin_files(assets, person["age"], name, person["sex"])
            blend += (
                weight * _read(files[rng.integers(len(files))])[..., :3].astype(np.float32) / 255
            )
    x0, y0, x1, y1 = (int(f * SIZE) for f in HEAD_ISLAND)
    crop = np.s_[y0:y1, x0:x1]
    face = _region(assets, "face", crop)
    lips = cv2.GaussianBlur(_region(assets, "lips", crop), (0, 0), 3)

    lab = _lab(cv2.resize(blend, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))
    tones = [np.array(tone, float) for tone in SKIN_TONE.values()]
    tone = sum(w * t for t, w in zip(tones, share, strict=True))
    tone = tone + rng.normal(0, 1, 3) * (3.5, 1.2, 1.8)
    lab += (tone - lab[crop][face > 0.8].mean(0)).astype(np.float32)

    head = lab[crop]
    head[..., 1] += _noise(face.shape, 24, rng) * rng.uniform(0.4, 1.3) + _noise(
        face.shape, 7, rng
    ) * rng.uniform(0.3, 0.9)
    head[..., 0] += _noise(face.shape, 16, rng) * rng.uniform(0.3, 1.0) + _noise(
        face.shape, 3, rng
    ) * rng.uniform(0.5, 1.2)
    freckles = max(0.0, rng.normal(-0.2, 0.8)) * share[2]
    spots = np.clip(_noise(face.shape, 3, rng) - 1.8, 0, 1) * face * freckles
    head[..., 0] -= 14 * spots
    head[..., 2] += 6 * spots
    candidates = np.argwhere(face > 0.8)
    for _ in range(rng.integers(0, 5)):
        y, x = candidates[rng.integers(len(candidates))]
        mole = np.zeros(face.shape, np.float32)
        cv2.circle(mole, (int(x), int(y)), int(rng.integers(2, 6)), 1, -1)
        head[..., 0] -= cv2.GaussianBlur(mole, (0, 0), 1) * rng.uniform(10, 26)
    head[..., 1] += lips * rng.uniform(-3, 10 if person["sex"] == "female" else 3)
    head[..., 0] += lips * rng.uniform(-8, 2)
    fine = cv2.GaussianBlur(head[..., 0], (0, 0), 1) - cv2.GaussianBlur(head[..., 0], (0, 0), 12)
    bump = np.full((SIZE, SIZE), 128, np.uint8)
    bump[crop] = np.clip(
        128 + 4.2 * fine + 8 * _noise(face.shape, 1.2, rng) + 8 * _noise(face.shape, 2.5, rng),
        0,
        255,
    )
    cv2.imwrite(str(out / "skin.png"), _bgr8(lab))
    cv2.imwrite(str(out / "bump.png"), bump)


def tint(source: Path, rgb, out: Path, contrast=0.2) -> None:
    """Repaint hair or brows in one colour.

    The strands' light and shade and the transparency are kept.
    """
    image = _read(source)
    alpha = image[..., 3] if image.shape[2] == 4 else np.full(image.shape[:2], 255, np.uint8)
    grey = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY).astype(np.float32)
    solid = alpha > 128
    shade = 1 + contrast * np.clip(
        (grey - grey[solid].mean()) / (grey[solid].std() + 1e-3), -2, 2.5
    )
    colour = np.clip(shade[..., None] * np.array(rgb[::-1], np.float32), 0, 255).astype(np.uint8)
    cv2.imwrite(str(out), np.dstack([colour, alpha]))


def recolour(source: Path, rng, out: Path) -> None:
    """Give clothes a random base colour but keep their pattern."""
    image = _read(source)
    lab = _lab(image[..., :3].astype(np.float32) / 255)
    pattern = (lab - np.median(lab.reshape(-1, 3), 0)) * np.array([0.8, 0.35, 0.35], np.float32)
    hue, chroma = rng.uniform(0, 2 * np.pi), rng.gamma(1.6, 7)
    lab = pattern + np.array(
        [rng.uniform(18, 82), chroma * np.cos(hue), chroma * np.sin(hue)], np.float32
    )
    lab[..., 0] = np.clip(lab[..., 0], 4, 97)
    bgr = _bgr8(lab)
    cv2.imwrite(str(out), bgr if image.shape[2] == 3 else np.dstack([bgr, image[..., 3]]))


def ensure_textures(assets: AssetPaths, person: dict, parts: dict, suit, cache: Path) -> Path:
    """Paint one identity's textures once; returns their folder."""
    folder = cache / f"person_{person['index']:02d}"
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    look = person["look"]
    make_skin(assets, person, folder)
    if "hair" in parts:
        tint(parts["hair"].folder / parts["hair"].texture, look["hair_colour"], folder / "hair.png")
    tint(
        parts["brows"].folder / parts["brows"].texture,
        [0.7 * c for c in look["hair_colour"]],
        folder / "brows.png",
        0.3,
    )
    recolour(suit.folder / suit.texture, stream("texture", person["index"], 1), folder / "suit.png")
    (folder / "done").touch()
    return folder
