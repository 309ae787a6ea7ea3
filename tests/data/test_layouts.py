"""Folders real and fake, tables beside them, labels 0 and 1: what people have besides Kaggle's."""

import pytest
import tiny_clips
from tiny_sets import HEADER, JPEG, MP4

from nbhelpers.data import layouts, locate, manifest, splits


def sort_into(root, *, folders=("real", "fake"), names=("a", "b"), ending=".jpg", content=JPEG):
    """Write each name into each folder."""
    for folder in folders:
        (root / folder).mkdir(parents=True)
        for name in names:
            (root / folder / f"{name}{ending}").write_bytes(content)
    return root


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        ("real", "fake"),
        ("REAL", "FAKE"),
        ("Real_images", "fake-images"),
        ("0_real", "1_fake"),
        ("training_real", "training_fake"),
        ("originals", "deepfakes"),
    ],
)
def test_pictures_sorted_by_label(tmp_path, real, fake, caplog):
    root = sort_into(tmp_path / "mine", folders=(real, fake))
    dataset = locate.find(locate.FACES, root)
    assert (dataset.root, dataset.origin) == (root, "argument")
    table = manifest.read(dataset).table
    labels = dict(zip(table["videoname"], table["label"], strict=True))
    expected = {f"{real}/{name}.jpg": "REAL" for name in "ab"}
    assert labels == expected | {f"{fake}/{name}.jpg": "FAKE" for name in "ab"}
    assert table["group"].tolist() == table["videoname"].tolist()
    assert "2 fakes name no original" in caplog.text
    with pytest.raises(FileNotFoundError):
        locate.find(locate.VIDEOS, root)


def test_clips_sorted_by_label(tmp_path):
    root = sort_into(tmp_path / "mine", ending=".mp4", content=MP4)
    assert len(manifest.read(locate.find(locate.VIDEOS, root)).table) == 4
    with pytest.raises(FileNotFoundError):
        locate.find(locate.FACES, root)


def test_sides_above_and_folders_below(tmp_path):
    for side in ("train", "Validation", "test"):
        sort_into(tmp_path / side)
    sort_into(tmp_path / "test", folders=("fake/method",))
    table = manifest.read(tmp_path).table
    assert table["split"].value_counts().to_dict() == {"train": 4, "validation": 4, "test": 6}
    assert "test/fake/method/a.jpg" in set(table["videoname"])
    split = splits.group_split(table, seed=1)  # dealt anew: who shares a face is not known
    assert sorted(split["videoname"]) == sorted(table["videoname"])


@pytest.mark.parametrize(
    "folders", [("real",), ("real", "unknown"), ("real", "surreal"), ("real_vs_fake", "fake")]
)
def test_one_label_alone_is_no_layout(tmp_path, folders):
    assert layouts.class_folders(sort_into(tmp_path / "mine", folders=folders)) == []


def test_a_table_beside_the_folders_says_the_families(tmp_path):
    root = sort_into(tmp_path / "mine")
    (root / "metadata.csv").write_text("videoname,original\nreal/a.jpg,\nfake/b,real/a\n")
    read = manifest.read(locate.find(locate.FACES, root))
    assert read.table["label"].tolist() == ["REAL", "FAKE"]
    assert read.table["group"].nunique() == 1
    assert read.findings["problem"].tolist() == ["unlisted", "unlisted"]


def test_a_table_that_contradicts_the_folders_or_may_mean_two_files(tmp_path):
    root = sort_into(tmp_path / "mine")
    rows = "real/a.jpg,REAL\nfake/a.jpg,REAL\nb.jpg,FAKE\nfake/b.jpg,FAKE\n"
    (root / "metadata.csv").write_text(f"videoname,label\n{rows}")
    findings = manifest.read(root).findings
    assert findings[["videoname", "problem"]].to_numpy().tolist() == [
        ["fake/a.jpg", "unknown label"],
        ["b.jpg", "ambiguous"],
    ]


def faces(root, text):
    (root / "faces_224" / "train").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "train/c.jpg"):
        (root / "faces_224" / name).write_bytes(JPEG)
    (root / "metadata.csv").write_text(f"{HEADER}\n{text}")
    return root


def test_names_with_a_folder(tmp_path):
    text = "x/a.mp4,1,1,REAL,\n./b.mp4,1,1,FAKE,a\ntrain\\c.mp4,1,1,FAKE,x\\a.mp4\n"
    read = manifest.read(faces(tmp_path, text))
    assert read.findings.empty
    assert read.table["videoname"].tolist() == ["x/a.mp4", "b.mp4", "train/c.mp4"]
    assert read.table["path"].str.endswith(("/a.jpg", "/b.jpg", "train/c.jpg")).all()
    assert read.table["original"].tolist() == ["", "x/a.mp4", "x/a.mp4"]


@pytest.mark.parametrize("numbers", [("0", "1"), ("0.0", "1.0")])
def test_labels_as_numbers(tmp_path, numbers):
    real, fake = numbers
    text = f"a.mp4,1,1,{real},\nb.mp4,1,1,{fake},a.mp4\nc.mp4,1,1,,\n"
    read = manifest.read(faces(tmp_path, text))
    assert read.table["label"].tolist() == ["REAL", "FAKE"]
    assert read.findings["problem"].tolist() == ["unlabelled"]


def test_numbers_that_mean_the_opposite_are_refused(tmp_path):
    with pytest.raises(manifest.DatasetError, match="0 seems to be fake"):
        manifest.read(faces(tmp_path, "a.mp4,1,1,1,\nb.mp4,1,1,0,a.mp4\n"))


def test_two_rows_of_one_file_are_one(tmp_path):
    text = "a.mp4,1,1,REAL,\na.jpg,1,1,REAL,\nb.mp4,1,1,FAKE,a\nc.mp4,1,1,FAKE,a\n"
    read = manifest.read(faces(tmp_path, text))
    assert read.findings.to_numpy().tolist() == [
        ["a.jpg", "duplicate", "the same file as a.mp4; the first row is kept"]
    ]


def test_damage_in_a_clip_of_a_folder_is_found_by_decoding(tmp_path):
    clip = tiny_clips.write_clip(tmp_path / "c.mp4", tiny_clips.grey_frames(8))
    root = sort_into(tmp_path / "mine", names="a", ending=".mp4", content=clip.read_bytes())
    (root / "fake" / "b.mp4").write_bytes(MP4)
    findings = manifest.read(root, verify="decode").findings
    assert findings["videoname"].tolist() == ["fake/b.mp4"]
