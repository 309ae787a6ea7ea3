"""Stage 4: checksum list of the sample, and contact sheets to look at (not committed)."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from assets import sha256

CHECKSUMS = "SHA256SUMS"


def write_checksums(sample: Path) -> None:
    """One `sha256sum -c` line per file, sorted."""
    files = sorted(p for p in sample.rglob("*") if p.is_file() and p.name != CHECKSUMS)
    (sample / CHECKSUMS).write_text(
        "".join(f"{sha256(p)}  {p.relative_to(sample).as_posix()}\n" for p in files)
    )


def _labelled(picture, text):
    picture = picture.copy()
    cv2.putText(
        picture, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1, cv2.LINE_AA
    )
    return picture


def still_sheets(sample: Path, out: Path, columns: int = 7, rows: int = 3) -> None:
    """Per method: rows of real, fake, mask."""
    faces = sample / "deepfake-faces"
    table = pd.read_csv(faces / "metadata.csv")

    def face(name):
        return cv2.imread(str(faces / "faces_224" / name.replace(".mp4", ".jpg")))

    for method, fakes in table[table.label == "FAKE"].sort_values("identity").groupby("method"):
        picked = fakes.iloc[np.linspace(0, len(fakes) - 1, columns * rows).astype(int)]
        cells = [
            np.vstack(
                [
                    _labelled(face(r.original), r.identity),
                    face(r.videoname),
                    cv2.imread(str(faces / "masks_224" / r.videoname.replace(".mp4", ".png"))),
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


def run(sample: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_checksums(sample)
    still_sheets(sample, out)
    if (sample / "deepfake-detection-challenge" / "train_sample_videos" / "metadata.json").exists():
        clip_sheets(sample, out)
