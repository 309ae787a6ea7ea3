"""manifest: both layouts, every kind of finding, and what belongs together."""

import json
import logging
import time

import cv2
import numpy as np
import pandas as pd
import pytest
from tiny_clips import cut, grey_frames, write_clip
from tiny_sets import HEADER, JPEG, MP4, table_of, write_faces, write_videos

from nbhelpers.data import groups, locate, manifest

ROWS = ["a.mp4,224,224,REAL,", "b.mp4,100,90,FAKE,a.mp4"]


def problems(read):
    """The findings as {videoname: problem}."""
    return dict(zip(read.findings["videoname"], read.findings["problem"], strict=True))


def test_faces_layout(tmp_path):
    read = manifest.read(write_faces(tmp_path, ROWS))
    assert list(read.table.columns) == manifest.COLUMNS
    assert read.table["videoname"].tolist() == ["a.mp4", "b.mp4"]
    assert read.table["original"].tolist() == ["", "a.mp4"]
    assert read.table["group"].tolist() == ["a.mp4", "a.mp4"]
    assert read.table["path"].str.endswith("faces_224/b.jpg").tolist() == [False, True]
    assert read.table["original_height"].tolist() == [224, 90]
    assert read.findings.empty
    assert list(read.findings.columns) == manifest.FINDING_COLUMNS


def test_video_layout(tmp_path):
    metadata = {
        "a.mp4": {"label": "REAL", "split": "train", "original": None},
        "b.mp4": {"label": "FAKE", "split": "train", "original": "a.mp4", "method": "swap"},
        "c.mp4": {"label": "FAKE", "split": "train", "original": "gone.mp4"},
    }
    table = manifest.read(write_videos(tmp_path, metadata)).table
    assert table["original"].tolist() == ["", "a.mp4", "gone.mp4"]
    assert table["method"].tolist() == ["", "swap", ""]
    assert table["split"].tolist() == ["train"] * 3
    assert table["group"].tolist() == ["a.mp4", "a.mp4", "gone.mp4"]
    assert table["original_width"].isna().all()


def test_a_dataset_and_a_path_read_alike(tmp_path):
    root = write_faces(tmp_path, ROWS)
    by_dataset = manifest.read(locate.find(locate.FACES, root)).table
    pd.testing.assert_frame_equal(by_dataset, manifest.read(str(root)).table)


def test_training_part_without_the_outer_folder(tmp_path):
    write_videos(tmp_path, {"a.mp4": {"label": "REAL"}})
    assert len(manifest.read(tmp_path / "train_sample_videos").table) == 1


def test_masks_and_our_extra_columns(tmp_path):
    write_faces(tmp_path, [])
    (tmp_path / "metadata.csv").write_text(
        "videoname,label,original,method,identity,source\n"
        "a.mp4,REAL,,,anna,\nb.mp4,FAKE,a.mp4,swap,anna,c.mp4\n"
    )
    (tmp_path / "masks_224").mkdir()
    for name in ("faces_224/a.jpg", "faces_224/b.jpg", "masks_224/b.png"):
        (tmp_path / name).write_bytes(JPEG)
    table = manifest.read(tmp_path).table
    assert table["mask_path"].tolist() == ["", str(tmp_path / "masks_224" / "b.png")]
    assert table.loc[1, ["method", "identity", "source"]].tolist() == ["swap", "anna", "c.mp4"]


@pytest.mark.parametrize(
    ("name", "label", "problem"),
    [
        ("x.mp4", "", "unlabelled"),
        ("x.mp4", "NaN", "unlabelled"),
        ("x.mp4", "MAYBE", "unknown label"),
        ("gone.mp4", "REAL", "missing"),
        ("../x.mp4", "REAL", "unsafe name"),
        ("..", "REAL", "unsafe name"),
        ("/etc/x.mp4", "REAL", "unsafe name"),
        ("C:x.mp4", "REAL", "unsafe name"),
        ("below\\..\\x.mp4", "REAL", "unsafe name"),
        ("\\\\x.mp4", "REAL", "unsafe name"),
        ("x\0.mp4", "REAL", "unsafe name"),
        ("", "REAL", "unsafe name"),
        ("a.mp4", "REAL", "duplicate"),
    ],
)
@pytest.mark.parametrize("layout", ["faces", "videos"])
def test_rows_with_a_problem_are_found_and_left_out(tmp_path, layout, name, label, problem):
    if layout == "faces":
        files = {"a.jpg": JPEG, "b.jpg": JPEG, "x.jpg": JPEG}
        write_faces(tmp_path, [*ROWS, f"{name},1,1,{label},"], files=files)
    else:
        pairs = [("a.mp4", "REAL"), ("b.mp4", "FAKE"), (name, label)]
        text = ", ".join(f'{json.dumps(k)}: {{"label": {json.dumps(v)}}}' for k, v in pairs)
        write_videos(tmp_path, {}, files=dict.fromkeys(["a.mp4", "b.mp4", "x.mp4"], MP4))
        (tmp_path / "train_sample_videos" / "metadata.json").write_text(f"{{{text}}}")
    read = manifest.read(tmp_path)
    assert read.table["videoname"].tolist() == ["a.mp4", "b.mp4"]
    shown = name.replace("\\", "/").replace("\0", r"\x00")  # a terminal could not show the NUL
    assert read.findings.iloc[0][["videoname", "problem"]].tolist() == [shown, problem]


def test_labels_that_disagree_drop_all_their_rows(tmp_path):
    rows = [*ROWS, "c.mp4,1,1,REAL,", "c.mp4,1,1,FAKE,a.mp4"]
    read = manifest.read(write_faces(tmp_path, rows))
    assert read.table["videoname"].tolist() == ["a.mp4", "b.mp4"]
    assert read.findings["problem"].tolist() == ["duplicate", "duplicate"]


def test_json_entry_that_is_no_mapping_is_unlabelled(tmp_path):
    read = manifest.read(write_videos(tmp_path, {"a.mp4": {"label": "REAL"}, "b.mp4": "FAKE"}))
    assert problems(read) == {"b.mp4": "unlabelled"}


def test_byte_order_mark_windows_lines_and_small_letters(tmp_path):
    write_faces(tmp_path, ROWS)
    text = "\ufeff" + "\r\n".join([HEADER, "a.mp4, 1, 1, real ,", "b.mp4,1,1,Fake,a.mp4 ", ""])
    (tmp_path / "metadata.csv").write_bytes(text.encode())
    read = manifest.read(tmp_path)
    assert read.table["label"].tolist() == ["REAL", "FAKE"]
    assert read.table["original"].tolist() == ["", "a.mp4"]
    assert read.findings.empty


def test_short_and_long_rows(tmp_path):
    write_faces(tmp_path, [*ROWS, "c.mp4", "d.mp4,1,1,FAKE,a.mp4,what,is,this"])
    read = manifest.read(tmp_path)
    assert read.table["videoname"].tolist() == ["a.mp4", "b.mp4", "d.mp4"]
    assert problems(read) == {"c.mp4": "unlabelled"}


def test_unlisted_files_are_found(tmp_path):
    files = {"a.jpg": JPEG, "b.jpg": JPEG, "extra.jpg": JPEG, ".hidden.jpg": JPEG, "Thumbs.db": b""}
    read = manifest.read(write_faces(tmp_path, ROWS, files=files))
    assert problems(read) == {"extra.jpg": "unlisted"}


def test_files_that_are_no_pictures(tmp_path):
    rows = [*ROWS, "c.mp4,1,1,FAKE,a.mp4", "d.mp4,1,1,FAKE,a.mp4"]
    files = {"a.jpg": JPEG, "b.jpg": JPEG, "c.jpg": b"", "d.jpg": b"<html>404</html>"}
    read = manifest.read(write_faces(tmp_path, rows, files=files))
    assert problems(read) == {"c.mp4": "unreadable", "d.mp4": "unreadable"}
    assert read.findings["detail"].iloc[0] == "empty file"
    assert len(manifest.read(tmp_path, verify="none").table) == 4


def test_a_folder_in_place_of_a_picture_is_unreadable(tmp_path):
    write_faces(tmp_path, ROWS, files={"a.jpg": JPEG})
    (tmp_path / "faces_224" / "b.jpg").mkdir()
    assert problems(manifest.read(tmp_path)) == {"b.mp4": "unreadable"}


def test_decoding_finds_what_the_header_hides(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    good = cv2.imencode(".png", noise)[1].tobytes()
    middle = len(good) // 2
    files = {"a.jpg": good, "b.jpg": good[:middle] + bytes(100) + good[middle + 100 :]}
    write_faces(tmp_path, ROWS, files=files)
    assert manifest.read(tmp_path).findings.empty
    assert problems(manifest.read(tmp_path, verify="decode")) == {"b.mp4": "unreadable"}


def test_decoding_finds_clips_that_break_off(tmp_path):
    clip = write_clip(tmp_path / "whole.mp4", grey_frames(20), options=["-movflags", "+faststart"])
    broken = cut(clip, keep=0.7, to=tmp_path / "broken.mp4")
    files = {"a.mp4": clip.read_bytes(), "b.mp4": broken.read_bytes()}
    metadata = {name: {"label": "REAL"} for name in files}
    root = write_videos(tmp_path / "set", metadata, files=files)
    assert manifest.read(root).findings.empty
    assert problems(manifest.read(root, verify="decode")) == {"b.mp4": "unreadable"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "received none"),
        (HEADER.encode(), "received none"),
        (b"name,class\nx,REAL\n", "videoname and label"),
        (b"\xff\xfe\x00", "UTF-8"),
        (f"{HEADER}\nx.mp4,1,1,REAL,\n".encode(), "1 missing"),
    ],
)
def test_a_set_with_nothing_usable_is_an_error(tmp_path, content, message):
    write_faces(tmp_path, ROWS, files={"a.jpg": JPEG})
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(manifest.DatasetError, match=message):
        manifest.read(tmp_path)


def test_other_errors(tmp_path):
    with pytest.raises(manifest.DatasetError, match=r"metadata\.csv"):
        manifest.read(tmp_path)
    (tmp_path / "metadata.csv").write_text(HEADER)
    with pytest.raises(manifest.DatasetError, match="faces_224"):
        manifest.read(tmp_path)
    with pytest.raises(ValueError, match="header"):
        manifest.read(tmp_path, verify="fully")
    with pytest.raises(manifest.DatasetError, match="test_videos"):
        manifest.test_clips(tmp_path)
    write_videos(tmp_path / "list", [])
    with pytest.raises(manifest.DatasetError, match="list"):
        manifest.read(tmp_path / "list")


def test_findings_are_logged(tmp_path, caplog):
    write_faces(tmp_path, [*ROWS, "gone.mp4,1,1,REAL,", "c.mp4,1,1,FAKE,"])
    (tmp_path / "faces_224" / "gone.jpg").unlink()
    with caplog.at_level(logging.WARNING):
        manifest.read(tmp_path)
    assert "1 missing" in caplog.text
    assert "1 fakes name no original" in caplog.text


def test_test_clips(tmp_path, caplog):
    (tmp_path / "test_videos").mkdir()
    for name, content in {"b.mp4": MP4, "a.mp4": MP4, "c.mp4": b"text", "d.txt": b""}.items():
        (tmp_path / "test_videos" / name).write_bytes(content)
    clips = manifest.test_clips(tmp_path)
    assert clips["videoname"].tolist() == ["a.mp4", "b.mp4"]
    assert "c.mp4 is left out" in caplog.text


def test_reading_many_rows_is_quick(tmp_path):
    rows = [f"v{number}.mp4,1,1,{'FAKE' if number % 2 else 'REAL'}," for number in range(4000)]
    write_faces(tmp_path, rows)
    start = time.process_time()
    assert len(manifest.read(tmp_path).table) == 4000
    assert time.process_time() - start < 5


# ---------------------------------------------------------------- labels and groups


def test_y_true():
    labels = manifest.y_true(pd.DataFrame({"label": ["REAL", "FAKE", "FAKE"]}))
    assert labels.tolist() == [0, 1, 1]
    assert labels.dtype == np.int64
    with pytest.raises(ValueError, match="MAYBE"):
        manifest.y_true(pd.DataFrame({"label": ["REAL", "MAYBE"]}))


def groups_of(**columns):
    """The groups as a set of sets of names."""
    table = pd.DataFrame(columns).fillna("")
    names = table["videoname"].groupby(groups.connected_groups(table).to_numpy())
    return {frozenset(part) for _, part in names}


def test_siblings_share_a_group_though_their_original_is_gone():
    found = groups_of(videoname=["b", "c", "d"], original=["gone", "gone", "other"])
    assert found == {frozenset("bc"), frozenset("d")}


def test_source_and_identity_tie():
    names, original = list("abcd"), ["", "a", "", ""]
    tied = groups_of(videoname=names, original=original, source=["", "c", "", ""])
    assert tied == {frozenset("abc"), frozenset("d")}
    tied = groups_of(videoname=names, original=original, identity=["x", "x", "y", "y"])
    assert tied == {frozenset("ab"), frozenset("cd")}


def test_an_identity_is_not_a_file_of_the_same_name():
    assert len(groups_of(videoname=["a", "b"], original=["", ""], identity=["", "a"])) == 2


def test_faceforensics_names_tie_target_and_source():
    names = ["deepfakes_033_097.mp4", "yt_097.mp4", "yt_033.mp4", "yt_111.mp4"]
    original = ["yt_033.mp4", "", "", ""]
    label = ["FAKE", "REAL", "REAL", "REAL"]
    tied = groups_of(videoname=names, original=original, label=label)
    assert tied == {frozenset(names[:3]), frozenset(names[3:])}
    # Without such a fake, numbers at the end of names mean nothing.
    alone = groups_of(videoname=["x_033", "y_033"], original=["", ""], label=["REAL", "REAL"])
    assert len(alone) == 2


def test_groups_equal_a_plain_search_and_do_not_depend_on_row_order():
    for seed in range(10):
        table = table_of(30, seed=seed).drop(columns="group")
        reals = table.loc[table["label"] == "REAL", "videoname"].to_numpy()
        rng = np.random.default_rng(seed)
        table["source"] = np.where(rng.random(len(table)) < 0.2, rng.choice(reals, len(table)), "")
        expected = {name: {name} for name in table["videoname"]}
        for name, *others in table[["videoname", "original", "source"]].to_numpy():
            for other in filter(None, others):
                merged = expected[name] | expected[other]
                expected |= dict.fromkeys(merged, merged)
        group = groups.connected_groups(table)
        found = table.groupby(group)["videoname"].apply(set)
        assert all(found[group[row]] == expected[table["videoname"][row]] for row in table.index)
        shuffled = table.sample(frac=1, random_state=seed)
        assert groups.connected_groups(shuffled).reindex(table.index).equals(group)
