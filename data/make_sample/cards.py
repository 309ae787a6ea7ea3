"""Stage 4: checksum list of the sample, contact sheets to look at, the two committed pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from assets import sha256
from people import video_name

CHECKSUMS = "SHA256SUMS"
# Whose fakes the README's picture shows (for each person, the first in the order of names).
PICTURED = {
    "swap_coarse": ("id054", "id043", "id061"),
    "swap_autoencoder": ("id016", "id058"),
    "mouth_reenactment": ("id011", "id051"),
}
CELL, GAP, GROUP_GAP, MARGIN, LABELS, HEADER = 152, 4, 16, 8, 78, 40  # pixels
INK = 40  # grey of the picture's text and rules


def write_checksums(sample: Path) -> None:
    """One `sha256sum -c` line per file, sorted."""
    files = sorted(p for p in sample.rglob("*") if p.is_file() and p.name != CHECKSUMS)
    (sample / CHECKSUMS).write_text(
        "".join(f"{sha256(p)}  {p.relative_to(sample).as_posix()}\n" for p in files)
    )


def _read_still(sample: Path, name: str, folder: str = "faces_224", ending: str = ".jpg"):
    return cv2.imread(str(sample / "deepfake-faces" / folder / name.replace(".mp4", ending)))


def _read_mask(sample: Path, name: str):
    return _read_still(sample, name, "masks_224", ".png")


def _labelled(picture, text):
    picture = picture.copy()
    cv2.putText(
        picture, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1, cv2.LINE_AA
    )
    return picture


def still_sheets(sample: Path, out: Path, columns: int = 7, rows: int = 3) -> None:
    """Per method: rows of real, fake, mask."""
    table = pd.read_csv(sample / "deepfake-faces" / "metadata.csv")
    for method, fakes in table[table.label == "FAKE"].sort_values("identity").groupby("method"):
        picked = fakes.iloc[np.linspace(0, len(fakes) - 1, columns * rows).astype(int)]
        cells = [
            np.vstack(
                [
                    _labelled(_read_still(sample, r.original), r.identity),
                    _read_still(sample, r.videoname),
                    _read_mask(sample, r.videoname),
                ]
            )
            for r in picked.itertuples()
        ]
        cv2.imwrite(
            str(out / f"stills_{method}.png"),
            np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]),
        )


def clip_sheets(sample: Path, out: Path, moments: int = 6) -> None:
    """Per real clip: a strip of frames, then the same moments of each of its fakes."""
    folder = sample / "deepfake-detection-challenge" / "train_sample_videos"
    table = json.loads((folder / "metadata.json").read_text())

    def strip(name):
        capture, frames = cv2.VideoCapture(str(folder / name)), []
        while (got := capture.read())[0]:
            frames.append(got[1])
        return np.hstack([frames[i] for i in np.linspace(0, len(frames) - 1, moments).astype(int)])

    for name in sorted(n for n, row in table.items() if row["label"] == "REAL"):
        fakes = sorted(
            (row["method"], n) for n, row in table.items() if row.get("original") == name
        )
        sheet = np.vstack(
            [_labelled(strip(name), "REAL")] + [_labelled(strip(n), method) for method, n in fakes]
        )
        cv2.imwrite(str(out / f"clip_{table[name]['identity']}.png"), sheet)


def _text(text: str, height: int) -> np.ndarray:
    """Dark text on white with capitals of the given height: drawn large, then shrunk."""
    font, finer = cv2.FONT_HERSHEY_DUPLEX, 6
    scale = cv2.getFontScaleFromHeight(font, finer * height, 7)
    (width, tall), below = cv2.getTextSize(text, font, scale, 7)
    canvas = np.full((tall + below + finer, width + finer, 3), 255, np.uint8)
    cv2.putText(canvas, text, (0, tall), font, scale, (INK,) * 3, 7, cv2.LINE_AA)
    size = (canvas.shape[1] // finer, canvas.shape[0] // finer)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)


def _paste(page: np.ndarray, picture: np.ndarray, x: int, y: int) -> None:
    page[y : y + picture.shape[0], x : x + picture.shape[1]] = picture


def picture(sample: Path, path: Path) -> None:
    """A few reals, their fakes and the masks side by side, methods named on top."""
    table = pd.read_csv(sample / "deepfake-faces" / "metadata.csv").sort_values("videoname")
    fakes = table.drop_duplicates(["identity", "method"]).set_index(["method", "identity"])
    count = sum(len(people) for people in PICTURED.values())
    groups = len(PICTURED)
    width = LABELS + count * (CELL + GAP) + (groups - 1) * (GROUP_GAP - GAP) - GAP + MARGIN
    page = np.full((HEADER + 3 * (CELL + GAP) - GAP + MARGIN, width, 3), 255, np.uint8)
    for row, label in enumerate(("REAL", "FAKE", "MASK")):
        text = _text(label, 14)
        middle = HEADER + row * (CELL + GAP) + CELL // 2
        _paste(page, text, (LABELS - text.shape[1]) // 2, middle - text.shape[0] // 2)
    x = LABELS
    for method, people in PICTURED.items():
        span = len(people) * (CELL + GAP) - GAP
        title = _text(method, 14)
        _paste(page, title, x + (span - title.shape[1]) // 2, 8)
        page[HEADER - 7 : HEADER - 5, x : x + span] = INK
        for person in people:
            fake = fakes.loc[(method, person)]
            cells = (
                _read_still(sample, fake.original),
                _read_still(sample, fake.videoname),
                _read_mask(sample, fake.videoname),
            )
            for row, cell in enumerate(cells):
                small = cv2.resize(cell, (CELL, CELL), interpolation=cv2.INTER_AREA)
                _paste(page, small, x, HEADER + row * (CELL + GAP))
            x += CELL + GAP
        x += GROUP_GAP - GAP
    cv2.imwrite(str(path), page, [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_OPTIMIZE, 1])


def _early_frame(path: Path, size: tuple) -> np.ndarray:
    """An early frame, upright even if this OpenCV ignores the rotation flag."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while (got := capture.read())[0]:
        frames.append(got[1])
    frame = frames[len(frames) // 4]
    return frame if frame.shape[1::-1] == tuple(size) else np.rot90(frame)


def variety(sample: Path, path: Path, clips: list) -> None:
    """One frame each of clips that differ in size, codec and content, all at their own size."""
    folder, width = sample / "deepfake-detection-challenge" / "train_sample_videos", 1180
    page, x, y, tallest = np.full((2000, width, 3), 255, np.uint8), MARGIN, MARGIN, 0
    for name, size, caption in clips:
        frame = _early_frame(folder / name, size)
        text = _text(caption, 9)
        if x + frame.shape[1] > width - MARGIN:
            x, y, tallest = MARGIN, y + tallest + GROUP_GAP, 0
        _paste(page, text, x, y)
        _paste(page, frame, x, y + text.shape[0] + GAP)
        tallest = max(tallest, text.shape[0] + GAP + frame.shape[0])
        x += max(frame.shape[1], text.shape[1]) + GROUP_GAP
    page = page[: y + tallest + MARGIN]
    cv2.imwrite(str(path), page, [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_OPTIMIZE, 1])


def _traits(shot: dict) -> list:
    """Rare features of a clip, in words."""
    traits = [shot["codec"].upper()] if shot["codec"] != "h264" else []
    traits += [name for name in ("sound", "rotated") if shot[name]]
    traits += ["variable rate"] if shot["variable"] else []
    traits += ["two people"] if shot["companion"] is not None else []
    return traits


def _pictured_clips(planned: list) -> list:
    """Labelled clips, real and fake in turn, each with a feature that no other has."""
    labelled = [shot for shot in planned if shot["split"] == "train"]
    chosen = {}
    for shot in sorted(labelled, key=lambda shot: (shot["output"][1], -shot["output"][0])):
        traits = _traits(shot)
        method = [None, *shot["methods"]][len(chosen) % 2]
        caption = ", ".join([method or "REAL", f"{shot['fps']}/s", *traits])
        kind = tuple(traits) if {*traits} - {"sound"} else (shot["output"], *traits)
        chosen.setdefault(kind, (video_name(shot, method), shot["output"], caption))
    return list(chosen.values())


def run(sample: Path, out: Path, picture_path: Path | None, planned: list) -> None:
    """Write the checksums, the contact sheets into `out` and, beside picture_path, two pictures."""
    out.mkdir(parents=True, exist_ok=True)
    if picture_path:
        picture(sample, picture_path)
        clips_path = picture_path.with_name(picture_path.stem + "_clips.jpg")
        variety(sample, clips_path, _pictured_clips(planned))
    write_checksums(sample)
    still_sheets(sample, out)
    if (sample / "deepfake-detection-challenge" / "train_sample_videos" / "metadata.json").exists():
        clip_sheets(sample, out)
