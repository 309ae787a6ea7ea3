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

from nbhelpers.data import manifest, splits
from nbhelpers.evaluation import metrics
from nbhelpers.media import clip_facts, video
from nbhelpers.media import faces as faces_of

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


def check_auc(name, fake, values, groups):
    """Print the AUC of one number with its interval; check that it does not tell the label."""
    ranks = pd.Series(np.asarray(values, float)).rank(pct=True)
    auc = metrics.score_intervals(np.asarray(fake, int), ranks, groups=groups, seed=0)["auc"]
    print(f"  AUC of {name:24s} {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]")
    assert FAIR[0] <= auc.value <= FAIR[1], f"{name} alone gives AUC {auc.value:.3f}"


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
    groups = table.identity.map(pair_groups(table))
    print()
    cues = {
        "file size": [os.path.getsize(face_path(n)) for n in table.videoname],
        "mean brightness": [face(n).mean() for n in table.videoname],
        "sharpness": [sharpness(face(n)) for n in table.videoname],
        "row order": np.arange(len(table)),
        "name order": table.videoname.rank(),
    }
    for name, values in cues.items():
        check_auc(f"{name} (crops)", fake, values, groups)


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


def test_unusual_brightness_gives_no_fake_away():
    """The cast of the manipulated area makes faces lighter or darker: little, seen from outside."""
    real, parts = (faces().label == "REAL").to_numpy(), {"face": [], "mouth minus forehead": []}
    for name in faces().videoname:
        light = cv2.cvtColor(face(name), cv2.COLOR_BGR2LAB)[..., 0].astype(float)
        parts["face"].append(light[70:170, 70:154].mean())
        lower, upper = light[130:190, 80:144].mean(), light[50:100, 80:144].mean()
        parts["mouth minus forehead"].append(lower - upper)
    print()
    for name, values in parts.items():
        unusual = np.abs(values - np.median(np.array(values)[real]))
        auc = roc_auc_score(~real, unusual)
        print(f"  AUC of unusual brightness, {name:20s} {auc:.3f}")
        assert FAIR[0] <= auc <= FAIR[1], name


# ---------------------------------------------------------------- clips


def test_clip_table():
    table = clips()
    real, fake = table[table.label == "REAL"], table[table.label == "FAKE"]
    groups = pd.Series(pair_groups(table)).value_counts()
    print(
        f"\n  {len(real)} real, {len(fake)} fake clips of {len(groups)} groups,",
        f"{(groups == 2).sum()} of them pairs;",
        fake.method.value_counts().to_dict(),
    )
    assert len(real) >= 48 and len(fake) >= 72 and len(real) + len(fake) == len(table)
    assert (groups == 2).sum() >= 24
    assert table.videoname.str.fullmatch(r"[a-z]{10}\.mp4").all() and (table.split == "train").all()
    assert fake.original.isin(real.videoname).all() and real.original.isna().all()
    assert set(fake.method) == METHODS and fake.method.value_counts().min() >= 20
    assert {p.name for p in TRAIN.glob("*.mp4")} == set(table.videoname)
    assert {p.name for p in (CHALLENGE / "masks").iterdir()} == set(fake.videoname)
    assert not set(table.videoname) & set(faces().videoname)


def test_default_split_judges_on_eight_groups():
    """Notebook 06 with its defaults; fewer groups carry no interval."""
    table = manifest.read(CHALLENGE).table
    split = splits.group_split(table, fractions=(0.6, 0.15, 0.25), seed=42)
    groups = split.groupby("split").group.nunique()
    print("\n  groups", groups.to_dict())
    assert groups["test"] >= 8 and table.group.nunique() >= 24


@functools.lru_cache(None)
def clip_measures():
    """One row a clip: facts of its container and measures of its pixels."""
    paths = sorted(TRAIN.glob("*.mp4")) + sorted((CHALLENGE / "test_videos").glob("*.mp4"))
    rows = []
    for path in paths:
        frames = read_clip(path)
        rows.append(
            {
                "videoname": path.name,
                "test": path.parent != TRAIN,
                "decoded": len(frames),
                "shape": frames[0].shape,
                "brightness": np.mean([f.mean() for f in frames]),
                "sharpness": np.mean([sharpness(f) for f in frames[::5]]),
            }
        )
    return pd.DataFrame(rows).merge(clip_facts.table(paths), on="videoname")


def test_clips_are_as_varied_as_a_folder_that_people_have():
    facts = clip_measures()
    size = facts[["width", "height"]].astype(int)
    print(
        f"\n  sizes {sorted(set(map(tuple, size.to_numpy().tolist())))}",
        f"\n  codecs {facts.codec.value_counts().to_dict()}, with sound {facts.audio.sum()},",
        f"rotated {(facts.rotation != 0).sum()},",
        f"seconds {facts.seconds.min()}-{facts.seconds.max()},",
        f"rates {sorted(set(facts.fps.round(1)))}",
    )
    assert facts.test.sum() >= 8 and facts.readable.all()
    assert (facts.decoded == facts.frames).all()
    assert [*zip(size.height, size.width, strict=True)] == [shape[:2] for shape in facts["shape"]]
    assert len(size.drop_duplicates()) >= 6 and (size.height > size.width).any()
    assert facts.seconds.between(1.3, 4.1).all() and facts.seconds.max() > 3.5
    labelled = facts[~facts.test]
    assert set(labelled.codec) == {"h264", "hevc", "vp9"}
    assert (labelled.codec == "h264").mean() > 0.7
    assert labelled.audio.any() and not labelled.audio.all() and (labelled.rotation != 0).any()
    usual = labelled.fps.round(3).isin([24, 25, 30])
    assert set(labelled.fps[usual].round()) == {24, 25, 30} and 0 < (~usual).mean() < 0.1


def test_a_fake_has_the_container_of_its_original():
    table = clips().merge(clip_measures(), on="videoname").set_index("videoname")
    fakes = table[table.label == "FAKE"]
    for fact in ("width", "height", "fps", "frames", "codec", "pixel_format", "audio", "rotation"):
        assert (table[fact][fakes.original].to_numpy() == fakes[fact].to_numpy()).all(), fact


def blurred(frame):
    return cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 2)


def test_clip_masks():
    """Change inside the mask is larger than outside, frame by frame; no mask where no face is."""
    fakes, without = clips()[clips().label == "FAKE"], []
    for row in fakes.itertuples():
        mask, changed, original = (
            read_clip(folder / name)
            for folder, name in (
                (CHALLENGE / "masks", row.videoname),
                (TRAIN, row.videoname),
                (TRAIN, row.original),
            )
        )
        assert len(mask) == len(changed) and mask[0].shape == changed[0].shape
        inside, outside, empty = [], [], 0
        for i in range(0, len(mask), 5):
            where = mask[i][..., 0] > 127
            assert where.mean() < 0.4, (row.videoname, i)
            if where.mean() < 0.003:
                empty += 1
                continue
            change = np.abs(blurred(changed[i]) - blurred(original[i])).mean(2)
            inside.append(change[where].mean())
            near = cv2.dilate(where.astype(np.uint8), np.ones((25, 25), np.uint8))
            outside.append(change[near == 0].mean())
        assert np.mean(inside) > 1.5 * np.mean(outside), row.videoname
        if empty:
            without.append(row.videoname)
            assert empty < len(range(0, len(mask), 5)) / 2
    print(f"\n  {len(without)} fakes of which the face leaves the picture for a while")
    assert 1 <= len(without) <= 0.2 * len(fakes)


def test_a_face_leaves_the_picture_and_comes_back():
    reals = clips()[clips().label == "REAL"]
    gaps = []
    for name in reals.videoname:
        track = faces_of.track_face(video.read_frames(TRAIN / name, count=24))
        assert track.found[0] or track.found[1], name
        gaps.append(not track.found[4:20].all() and track.found[-1])
    print(f"\n  a gap in the track of {sum(gaps)} of {len(reals)} real clips")
    assert 2 <= sum(gaps) <= len(reals) / 2


def test_two_people_are_in_the_clips_that_say_so():
    table = clips()
    duets = table[table.companion.notna()]
    counts = duets.label.value_counts().to_dict()
    print(f"\n  two people in {counts} clips")
    assert counts["REAL"] >= 3 and counts["FAKE"] >= 3
    assert set(duets.position) == {"left", "right"} and (duets.identity != duets.companion).all()
    groups = pair_groups(table)
    for row in duets.itertuples():
        assert groups[row.identity] == groups[row.companion]  # or a split would leak a face
        frames = video.read_frames(TRAIN / row.videoname, count=5).pixels
        found = [len(faces_of.detect_faces(frame)) for frame in frames]
        assert np.median(found) == 2, (row.videoname, found)
        if row.label == "FAKE":
            masks = np.array(read_clip(CHALLENGE / "masks" / row.videoname))[..., 0] > 127
            columns = masks.sum((0, 1))
            left, right = (half.sum() for half in np.array_split(columns, 2))
            assert row.position == ("left" if left > right else "right")
            assert min(left, right) < 0.01 * columns.sum()


def test_clips_have_no_trivial_giveaway():
    table = clips().merge(clip_measures(), on="videoname")
    fake, groups = table.label == "FAKE", table.identity.map(pair_groups(clips()))
    table["area"] = table.width * table.height
    table["name order"] = table.videoname.rank()
    table["row order"] = np.arange(len(table))
    cues = ["width", "height", "area", "fps", "frames", "seconds", "size_kb", "kbit_per_s"]
    print()
    for name in (*cues, "brightness", "sharpness", "name order", "row order"):
        check_auc(f"{name} (clips)", fake, table[name].astype(float), groups)


# ---------------------------------------------------------------- broken clips


def test_broken_clips_are_broken():
    folder = SAMPLE / "broken"
    listed = json.loads((folder / "metadata.json").read_text())
    names = {p.name for p in folder.glob("*.mp4")}
    assert names == set(listed) == {"truncated.mp4", "empty.mp4", "text.mp4", "damaged.mp4"}
    reasons = {}
    for name in sorted(names):
        with pytest.raises(video.VideoError) as error:
            video.read_frames(folder / name, count=8)
        reasons[name] = str(error.value)
    print("\n  " + "\n  ".join(reasons.values()))
    assert len({reason.split(maxsplit=1)[1] for reason in reasons.values()}) == 4


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
    assert total <= 24 * MEGABYTE
