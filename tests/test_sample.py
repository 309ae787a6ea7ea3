"""Checks of the bundled sample (data/sample).

Counts, structure, masks, checksums, and no trivial giveaway.
Run with `pytest -s tests/test_sample.py` to see the measured values.
"""

import functools
import hashlib
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
FACES = SAMPLE / "deepfake-faces"
CHALLENGE = SAMPLE / "deepfake-detection-challenge"
TRAIN = CHALLENGE / "train_sample_videos"
METHODS = {"swap_coarse", "swap_autoencoder", "mouth_reenactment"}
SWAPS = ["swap_coarse", "swap_autoencoder"]
FAIR = (0.40, 0.60)  # a single trivial number must not separate real from fake better than this
MEGABYTE = 2**20


@functools.lru_cache(None)
def faces():
    return pd.read_csv(FACES / "metadata.csv")


@functools.lru_cache(None)
def clips():
    table = pd.DataFrame.from_dict(
        json.loads((TRAIN / "metadata.json").read_text()), orient="index"
    )
    return table.rename_axis("videoname").reset_index()


def face_path(videoname):
    return FACES / "faces_224" / videoname.replace(".mp4", ".jpg")


def mask_path(videoname):
    return FACES / "masks_224" / videoname.replace(".mp4", ".png")


@functools.lru_cache(None)
def face(videoname):
    return cv2.imread(str(face_path(videoname)), cv2.IMREAD_UNCHANGED)


def read_clip(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(frame)


def sharpness(picture):
    return cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var()


def pair_groups(table):
    """Identity -> representative of its group, groups being everyone connected by a swap."""
    parent = {i: i for i in table.identity}

    def root(i):
        return i if parent[i] == i else root(parent[i])

    person = table.set_index("videoname").identity
    for row in table[table.source.notna()].itertuples():
        parent[root(row.identity)] = root(person[row.source])
    return {i: root(i) for i in parent}


def check_auc(name, fake, values):
    auc = roc_auc_score(fake, values)
    print(f"  AUC of {name:28s} {auc:.3f}")
    assert FAIR[0] <= auc <= FAIR[1], f"{name} alone gives AUC {auc:.3f}"


# ---------------------------------------------------------------- face crops


def test_face_table():
    table = faces()
    assert list(table.columns)[:5] == [
        "videoname",
        "original_width",
        "original_height",
        "label",
        "original",
    ]
    assert {"method", "identity", "source"} <= set(table.columns)
    assert table.videoname.is_unique and table.videoname.str.fullmatch(r"[a-z]{10}\.mp4").all()
    real, fake = table[table.label == "REAL"], table[table.label == "FAKE"]
    print(
        f"\n  {len(real)} real, {len(fake)} fake, {table.identity.nunique()} identities;",
        fake.method.value_counts().to_dict(),
    )
    assert (
        len(real) + len(fake) == len(table) >= 1000
        and len(real) == 384
        and table.identity.nunique() == 64
    )
    assert real.groupby("identity").size().eq(6).all()
    assert set(fake.method) == METHODS and fake.method.value_counts().min() > 180
    assert real[["original", "method", "source"]].isna().all().all()
    assert fake.original.isin(real.videoname).all()
    assert (fake.groupby("original").size() <= 3).all() and set(fake.original) == set(
        real.videoname
    )
    assert not fake.duplicated(["original", "method"]).any()
    identity = table.set_index("videoname").identity
    assert (identity[fake.original].to_numpy() == fake.identity.to_numpy()).all()


def test_face_files():
    table = faces()
    assert {p.name for p in (FACES / "faces_224").iterdir()} == {
        face_path(n).name for n in table.videoname
    }
    fakes = table[table.label == "FAKE"]
    assert {p.name for p in (FACES / "masks_224").iterdir()} == {
        mask_path(n).name for n in fakes.videoname
    }
    for name in table.videoname:
        assert (
            face(name).shape == (224, 224, 3)
            and face(name).dtype == np.uint8
            and face(name).std() > 5
        )


@pytest.mark.parametrize("table", [faces, clips])
def test_swaps_stay_inside_pairs(table):
    table = table()
    swaps = table[table.method.isin(SWAPS)]
    identity = table.set_index("videoname").identity
    label = table.set_index("videoname").label
    assert swaps.source.notna().all() and table[~table.method.isin(SWAPS)].source.isna().all()
    assert (label[swaps.source] == "REAL").all()
    assert (identity[swaps.source].to_numpy() != swaps.identity.to_numpy()).all()
    sizes = pd.Series(pair_groups(table)).value_counts()
    print(f"\n  {len(sizes)} groups, sizes {sorted(set(sizes))}")
    assert sizes.max() <= 2  # so a split by pair leaks no face


def test_masks_show_where_faces_were_changed():
    fakes = faces()[faces().label == "FAKE"]
    ratios = []
    for row in fakes.itertuples():
        mask = cv2.imread(str(mask_path(row.videoname)), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (224, 224) and set(np.unique(mask)) <= {0, 255}
        share = (mask > 0).mean()
        assert 0.02 < share < 0.7, (row.videoname, share)
        # Noise and compression differ everywhere; blurring leaves what the manipulation did.
        change = np.abs(
            cv2.GaussianBlur(face(row.videoname).astype(np.float32), (0, 0), 2)
            - cv2.GaussianBlur(face(row.original).astype(np.float32), (0, 0), 2)
        ).mean(2)
        outside = cv2.dilate(mask, np.ones((25, 25), np.uint8)) == 0
        ratios.append(change[mask > 0].mean() / change[outside].mean())
    ratios = pd.Series(ratios, index=fakes.method.to_numpy())
    print(
        "\n  change inside / outside the mask, median:",
        ratios.groupby(level=0).median().round(1).to_dict(),
        f"share above 1.5: {(ratios > 1.5).mean():.3f}",
    )
    assert ratios.median() > 3 and (ratios > 1.5).mean() > 0.95


def test_faces_have_no_trivial_giveaway():
    table, fake = faces(), faces().label == "FAKE"
    print()
    check_auc("file size (crops)", fake, [os.path.getsize(face_path(n)) for n in table.videoname])
    check_auc("mean brightness (crops)", fake, [face(n).mean() for n in table.videoname])
    check_auc("sharpness (crops)", fake, [sharpness(face(n)) for n in table.videoname])
    check_auc("row order (crops)", fake, np.arange(len(table)))
    check_auc("name order (crops)", fake, table.videoname.rank())


def test_unusual_hue_gives_away_only_the_coarse_swap():
    """A cue that the data card names: the colour error of one method, not a fault of the set."""
    table = faces()
    hues = []
    for name in table.videoname:
        lab = cv2.cvtColor(face(name), cv2.COLOR_BGR2LAB)[70:170, 70:154].astype(float) - 128
        hues.append(np.arctan2(lab[..., 2].mean(), lab[..., 1].mean()))
    real = (table.label == "REAL").to_numpy()
    unusual = np.abs(hues - np.median(np.array(hues)[real]))
    print(f"\n  AUC of unusual hue, all fakes: {roc_auc_score(~real, unusual):.3f}")
    for method in sorted(METHODS):
        fake = (table.method == method).to_numpy()
        auc = roc_auc_score(fake[real | fake], unusual[real | fake])
        print(f"  AUC of unusual hue, {method:20s} {auc:.3f}")
        assert (auc > FAIR[1]) == (method == "swap_coarse")


# ---------------------------------------------------------------- clips


def test_clip_table():
    table = clips()
    real, fake = table[table.label == "REAL"], table[table.label == "FAKE"]
    print(f"\n  {len(real)} real, {len(fake)} fake clips;", fake.method.value_counts().to_dict())
    assert len(table) >= 50 and len(real) + len(fake) == len(table)
    assert table.videoname.str.fullmatch(r"[a-z]{10}\.mp4").all() and (table.split == "train").all()
    assert (
        fake.original.isin(real.videoname).all()
        and real.original.isna().all()
        and set(fake.method) == METHODS
    )
    assert {p.name for p in TRAIN.glob("*.mp4")} == set(table.videoname)
    assert {p.name for p in (CHALLENGE / "masks").iterdir()} == set(fake.videoname)
    assert not set(table.videoname) & set(faces().videoname)


@functools.lru_cache(None)
def clip_measures():
    rows = []
    for path in sorted(TRAIN.glob("*.mp4")) + sorted((CHALLENGE / "test_videos").glob("*.mp4")):
        frames = read_clip(path)
        rows.append(
            {
                "videoname": path.name,
                "test": path.parent != TRAIN,
                "frames": len(frames),
                "shape": frames[0].shape,
                "bytes": path.stat().st_size,
                "brightness": np.mean([f.mean() for f in frames]),
                "sharpness": np.mean([sharpness(f) for f in frames[::5]]),
            }
        )
    return pd.DataFrame(rows)


def test_clip_files():
    measures = clip_measures()
    assert measures.test.sum() >= 5
    assert (measures.frames >= 48).all() and (measures["shape"].map(tuple) == (240, 320, 3)).all()


def test_clip_masks():
    fakes = clips()[clips().label == "FAKE"]
    for row in fakes.itertuples():
        mask, changed, original = (
            read_clip(folder / name)
            for folder, name in (
                (CHALLENGE / "masks", row.videoname),
                (TRAIN, row.videoname),
                (TRAIN, row.original),
            )
        )
        assert len(mask) == len(changed)
        inside, outside = [], []
        for i in range(0, len(mask), 10):
            where = mask[i][..., 0] > 127
            assert 0.005 < where.mean() < 0.4, (row.videoname, i)
            change = np.abs(
                cv2.GaussianBlur(changed[i].astype(np.float32), (0, 0), 2)
                - cv2.GaussianBlur(original[i].astype(np.float32), (0, 0), 2)
            ).mean(2)
            inside.append(change[where].mean())
            outside.append(
                change[cv2.dilate(where.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0].mean()
            )
        assert np.mean(inside) > 1.5 * np.mean(outside), row.videoname


def test_clips_have_no_trivial_giveaway():
    table = clips().merge(clip_measures(), on="videoname")
    fake = table.label == "FAKE"
    print()
    for name in ("frames", "bytes", "brightness", "sharpness"):
        check_auc(f"{name} (clips)", fake, table[name])


# ---------------------------------------------------------------- the whole


def test_checksums():
    lines = (SAMPLE / "SHA256SUMS").read_text().splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)
    present = {
        p.relative_to(SAMPLE).as_posix()
        for p in SAMPLE.rglob("*")
        if p.is_file() and p.name != "SHA256SUMS"
    }
    assert set(listed) == present
    for name, digest in listed.items():
        assert hashlib.sha256((SAMPLE / name).read_bytes()).hexdigest() == digest, name


def test_size():
    total = sum(p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file())
    print(f"\n  {total / MEGABYTE:.1f} MB")
    assert total <= 14 * MEGABYTE
