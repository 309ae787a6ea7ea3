"""Tiny data sets in Kaggle's layouts, for the tests of the table rooms."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

JPEG = cv2.imencode(".jpg", np.full((8, 8, 3), 128, np.uint8))[1].tobytes()
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(20)
HEADER = "videoname,original_width,original_height,label,original"


def write_faces(root: Path, rows: list[str], *, files: dict[str, bytes] | None = None) -> Path:
    """Write metadata.csv and a picture for each name of ``files`` (default: every row's)."""
    (root / "faces_224").mkdir(parents=True)
    (root / "metadata.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    if files is None:
        files = {row.split(",")[0].replace(".mp4", ".jpg"): JPEG for row in rows}
    for name, content in files.items():
        (root / "faces_224" / name).write_bytes(content)
    return root


def write_videos(root: Path, metadata: dict, *, files: dict[str, bytes] | None = None) -> Path:
    """Write train_sample_videos with metadata.json and a clip's header for each name."""
    folder = root / "train_sample_videos"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    for name, content in (files or dict.fromkeys(metadata, MP4)).items():
        (folder / name).write_bytes(content)
    return root


def table_of(originals: int, *, seed: int = 0, most_fakes: int = 5) -> pd.DataFrame:
    """A table of reals with 0 to ``most_fakes`` fakes each, grouped by original, shuffled."""
    rng = np.random.default_rng(seed)
    rows = []
    for real in range(originals):
        name = f"real{real:04d}.mp4"
        rows.append((name, "REAL", "", name))
        for fake in range(rng.integers(0, most_fakes + 1)):
            rows.append((f"fake{real:04d}x{fake}.mp4", "FAKE", name, name))
    table = pd.DataFrame(rows, columns=["videoname", "label", "original", "group"])
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)
