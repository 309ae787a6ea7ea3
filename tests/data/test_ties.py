"""Originals and sources are matched as files are: by stem, whatever folder, ending and case."""

import pandas as pd
import pytest
from tiny_sets import write_faces, write_videos

from nbhelpers.data import groups, locate, manifest, splits, ties
from nbhelpers.evaluation import exposure

SPELLINGS = ["a", "A.MP4", "a.jpg", "a.webm", "train/a.mp4", "train\\a.MP4", "./a.mp4", "x/A"]


def leaking(original, *, column="original"):
    rows = {"videoname": ["a.mp4", "b.mp4", "c.mp4"], "label": ["REAL", "FAKE", "FAKE"]}
    table = pd.DataFrame({**rows, "original": "", "split": ["train", "test", "test"]})
    return table.assign(**{column: ["", original, ""]})


@pytest.mark.parametrize("column", ["original", "source"])
@pytest.mark.parametrize("original", SPELLINGS)
def test_no_spelling_of_an_original_hides_a_leak(original, column):
    table = leaking(original, column=column)
    assert groups.connected_groups(table).nunique() == 2
    with pytest.raises(splits.LeakageError, match=r"a\.mp4 in train, b\.mp4 in test"):
        splits.assert_no_leak(table)
    report = splits.leak_report(table)
    assert report["group"] == 0.5
    assert report["original"] == (0.5 if column == "original" else 0)


@pytest.mark.parametrize("original", SPELLINGS)
def test_a_manifest_names_originals_as_their_rows_do(tmp_path, original):
    root = write_faces(tmp_path, ["a.mp4,1,1,REAL,", f"b.mp4,1,1,FAKE,{original}"])
    read = manifest.read(root)
    assert read.table["original"].tolist() == ["", "a.mp4"]
    assert read.table["group"].tolist() == ["a.mp4", "a.mp4"]
    assert read.findings.empty


@pytest.mark.parametrize("original", SPELLINGS)
def test_an_encoder_is_known_to_have_met_them(tmp_path, original):
    (tmp_path / "d.split.csv").write_text("videoname,split\na.jpg,train\n")
    pictures = pd.DataFrame({"videoname": ["a.jpg"], "label": ["REAL"], "original": [""]})
    clips = pd.DataFrame({"videoname": ["z.mp4", "y.mp4"], "label": ["FAKE", "FAKE"]})
    clips["original"] = [original, "other.mp4"]
    met = exposure.exposure(clips, tmp_path / "d.keras", pictures=[pictures])
    assert met.seen.tolist() == [True, False]


def test_two_spellings_of_an_absent_original_are_one():
    table = leaking("gone.mp4").assign(original=["", "gone.mp4", "x/GONE"])
    assert groups.connected_groups(table).tolist()[1:] == ["gone.mp4", "gone.mp4"]
    table = table.assign(label=["REAL", "FAKE", "FAKE"], split=["test", "train", "test"])
    assert splits.leak_report(table)["sibling"] == 1


def test_names_that_only_look_alike_stay_apart():
    """A number behind a dot is no ending, and an exact name beats one that differs in case."""
    names = ties.Names(["clip.1", "clip.2", "aB.mp4", "ab.mp4"])
    assert names.matching("clip.3") == []
    assert names.matching("clip.2.mp4") == ["clip.2"]
    assert names.matching("ab") == ["ab.mp4"]
    assert names.matching("AB") == ["aB.mp4", "ab.mp4"]  # nothing tells which: both
    assert ties.Names([]).resolve("a") == ""


def test_what_may_be_either_is_tied_to_both():
    table = pd.DataFrame({"videoname": ["aB.mp4", "ab.mp4", "c.mp4"], "original": ["", "", "AB"]})
    assert len(set(groups.connected_groups(table))) == 1


def test_originals_that_cannot_be_are_findings(tmp_path, caplog):
    rows = [
        "a.mp4,1,1,REAL,",
        "b.mp4,1,1,FAKE,a.mp4",
        "c.mp4,1,1,FAKE,b",  # of a fake
        "d.mp4,1,1,FAKE,D.MP4",  # of itself
        "e.mp4,1,1,FAKE,nobody.mp4",
        "f.mp4,1,1,FAKE,gone.mp4",  # of a row whose file is missing: the row is there
        "gone.mp4,1,1,REAL,",
    ]
    root = write_faces(tmp_path, rows)
    (root / "faces_224" / "gone.jpg").unlink()
    read = manifest.read(root)
    pairs = read.findings[["videoname", "problem"]].itertuples(index=False, name=None)
    assert sorted(pairs) == [
        ("c.mp4", "fake original"),
        ("d.mp4", "own original"),
        ("e.mp4", "no original"),
        ("gone.mp4", "missing"),
    ]
    assert read.table["videoname"].tolist() == [f"{n}.mp4" for n in "abcdef"]  # they can be used
    assert "families in doubt: " in caplog.text


def test_sources_that_cannot_be_are_findings(tmp_path):
    facts = {"label": "FAKE", "original": "a.mp4"}
    metadata = {
        "a.mp4": {"label": "REAL"},
        "b.mp4": {**facts, "source": "b"},
        "c.mp4": {**facts, "source": "b.mp4"},
        "d.mp4": {**facts, "source": "nobody"},
        "e.mp4": {**facts, "source": "A"},
    }
    read = manifest.read(write_videos(tmp_path, metadata))
    problems = dict(zip(read.findings["videoname"], read.findings["problem"], strict=True))
    assert problems == {"b.mp4": "own source", "c.mp4": "fake source", "d.mp4": "no source"}


def test_the_sample_without_endings_has_the_same_families():
    sample = manifest.read(locate.find(locate.FACES, locate.project_root() / "data/sample"))
    assert sample.findings.empty
    table = sample.table.drop(columns="group")
    bare = table.assign(original=table["original"].str.removesuffix(".mp4"))
    bare["source"] = table["source"].str.upper()
    pd.testing.assert_series_equal(groups.connected_groups(bare), sample.table["group"])
    for way in ({"original": table["original"]}, {"original": bare["original"]}):
        torn = splits.random_split(table.assign(**way), seed=0)
        with pytest.raises(splits.LeakageError):
            splits.assert_no_leak(torn)
        assert splits.leak_report(torn)["original"] > 0.3
