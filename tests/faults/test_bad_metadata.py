"""Metadata as people have them: each ends in a table, in findings or in one clear sentence."""

import json
import time

import broken
import numpy as np
import pytest

from nbhelpers import __main__ as command
from nbhelpers.data import manifest, splits
from nbhelpers.data.manifest import DatasetError

HEADER = broken.HEADER
TWO = f"{HEADER}\na.mp4,,,REAL,\nb.mp4,,,FAKE,a.mp4\n"


def found(root):
    findings = manifest.read(root).findings
    return dict(zip(findings["videoname"], findings["problem"], strict=True))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ((TWO + "é.mp4,,,REAL,\n").encode("latin-1"), "well formed and in UTF-8"),
        (TWO.encode("utf-16"), "well formed and in UTF-8"),
        (TWO.replace(",", ";").encode(), "columns videoname and label"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "well formed and in UTF-8"),
        (b"<html>\n<body>Sign in\n", "columns videoname and label"),
        (f'{HEADER}\na.mp4,,,REAL,"'.encode() + b"x" * 200_000, "field larger"),
        (b"", "received none"),
        (HEADER.encode(), "received none"),
    ],
)
def test_a_table_that_is_none_is_refused_in_a_sentence(tmp_path, content, said, capsys):
    root = broken.faces(tmp_path / "set", content)
    with pytest.raises(DatasetError, match=said):
        manifest.read(root)
    assert command.main(["check", str(root)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Expected")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 200_000, "well formed"),
        ('{"a.mp4": {"label": ' + "9" * 5000 + "}}", "well formed"),
        ('{"a.mp4": {"label": "REAL"}', "well formed"),
        ('["a.mp4"]', "received a list"),
        ("null", "received a NoneType"),
        ("{}", "received none"),
    ],
)
def test_json_that_is_none_is_refused_in_a_sentence(tmp_path, text, said):
    root = broken.videos(tmp_path, text, names=())
    with pytest.raises(DatasetError, match=said):
        manifest.read(root)


def test_missing_extra_and_doubled_rows(tmp_path):
    text = TWO + "b.mp4,,,FAKE,a.mp4\nnone.mp4,,,REAL,\nc.mp4,,,FAKE,a.mp4\nc.mp4,,,REAL,\n"
    root = broken.faces(tmp_path, text)
    assert found(root) == {
        "b.mp4": "duplicate",
        "none.mp4": "missing",
        "c.mp4": "duplicate",
        "d.jpg": "unlisted",
    }
    assert manifest.read(root).table["videoname"].tolist() == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("label", ["", "NaN", "nan", "None", "null", "  "])
def test_no_label_is_none(tmp_path, label):
    root = broken.faces(tmp_path, f"{TWO}c.mp4,,,{label},\n", names="abc")
    assert found(root) == {"c.mp4": "unlabelled"}


@pytest.mark.parametrize("label", ["0", "1", "TRUE", "REAL?", "FAKE FAKE", "fake\x00", "ＦＡＫＥ"])
def test_wrong_labels_are_never_guessed(tmp_path, label):
    root = broken.faces(tmp_path, f"{TWO}c.mp4,,,{label},\n", names="abc")
    assert found(root) == {"c.mp4": "unknown label"}


def test_numbers_that_are_none(tmp_path):
    text = f"{HEADER}\na.mp4,1e999,-inf,REAL,nan\nb.mp4,wide,NaN,FAKE,a.mp4\nc.mp4,640,480,FAKE,\n"
    table = manifest.read(broken.faces(tmp_path, text, names="abc")).table
    sizes = table[["original_width", "original_height"]].to_numpy()
    np.testing.assert_array_equal(sizes, [[np.nan] * 2, [np.nan] * 2, [640, 480]])
    assert table["original"].tolist() == ["", "a.mp4", ""]


def test_cells_of_any_kind_in_json(tmp_path):
    odd = {
        "a.mp4": {"label": "REAL", "original": float("nan"), "identity": ["x"], "split": None},
        "b.mp4": {"label": "FAKE", "original": 7, "method": {"a": 1}, "source": "\ud800\0"},
        "c.mp4": {"label": ["REAL"]},
        "d.mp4": 3,
        "\ud800.mp4": {"label": "REAL"},
    }
    root = broken.videos(tmp_path, json.dumps(odd))
    read = manifest.read(root)
    assert read.table["videoname"].tolist() == ["a.mp4", "b.mp4"]
    assert read.table["original"].tolist() == ["", "7"]
    findings = read.findings[["videoname", "problem"]].itertuples(index=False, name=None)
    assert list(findings) == [
        ("c.mp4", "unknown label"),
        ("d.mp4", "unlabelled"),
        (r"\ud800.mp4", "unsafe name"),
        ("b.mp4", "no original"),
        ("b.mp4", "no source"),
    ]
    read.table.to_csv(tmp_path / "table.csv")  # nothing in it that cannot be written


def test_one_class_only(tmp_path):
    root = broken.faces(tmp_path, f"{HEADER}\n" + "".join(f"{n}.mp4,,,REAL,\n" for n in "abcd"))
    table = manifest.read(root).table
    with pytest.raises(ValueError, match="FAKE"):
        splits.group_split(table, seed=1)
    with pytest.raises(ValueError, match="FAKE"):
        splits.balanced_sample(table, seed=1)


def test_one_group_only(tmp_path):
    text = f"{HEADER}\na.mp4,,,REAL,\n" + "".join(f"{n}.mp4,,,FAKE,a.mp4\n" for n in "bcd")
    table = manifest.read(broken.faces(tmp_path, text)).table
    assert table["group"].nunique() == 1
    for split in (splits.group_split, splits.balanced_split):
        with pytest.raises(ValueError, match="group"):
            split(table, seed=1)


def test_all_files_missing(tmp_path, capsys):
    root = broken.faces(tmp_path, TWO, names=())
    with pytest.raises(DatasetError, match="received 2 missing"):
        manifest.read(root)
    assert command.main(["check", str(root)]) == 2
    assert capsys.readouterr().err.startswith("error: Expected at least one usable row")


def test_metadata_of_absurd_size_are_not_read(tmp_path):
    root = broken.faces(tmp_path, TWO)
    with (root / "metadata.csv").open("rb+") as file:
        file.truncate(2**40)  # takes no room on the disk
    with pytest.raises(DatasetError, match="at most 500 MB"):
        manifest.read(root)


def test_a_million_rows(tmp_path):
    root = broken.faces(tmp_path, broken.rows(1_000_000), names=["v0000000", "v0000001"])
    start = time.process_time()
    read = manifest.read(root)
    assert time.process_time() - start < 60  # of the processor; 9 when this was written
    assert read.table["label"].tolist() == ["REAL", "FAKE"]
    assert len(read.findings) == 999_998
    assert set(read.findings["problem"]) == {"missing"}
