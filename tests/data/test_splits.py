"""splits: nobody on two sides, the promised shares, the same rows for the same seed."""

import logging

import numpy as np
import pandas as pd
import pytest
from tiny_sets import table_of

from nbhelpers.data import manifest, splits


def split_of(table):
    return dict(zip(table["videoname"], table["split"], strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_group_split_tears_no_group_and_meets_its_shares(seed):
    table = table_of(80, seed=seed)
    result = splits.group_split(table, seed=seed)
    assert len(result[["group", "split"]].drop_duplicates()) == result["group"].nunique()
    assert sorted(result["videoname"]) == sorted(table["videoname"])
    for label in manifest.LABELS:
        shares = result.loc[result["label"] == label, "split"].value_counts(normalize=True)
        assert shares.reindex(splits.SPLITS).to_numpy() == pytest.approx(
            [0.7, 0.15, 0.15], abs=0.04
        )


def test_same_seed_same_split_in_any_row_order():
    table = table_of(60)
    for cut in (splits.group_split, splits.random_split, splits.balanced_split):
        first = cut(table, seed=1)
        again = cut(table.sample(frac=1, random_state=5), seed=1)
        pd.testing.assert_frame_equal(first, again)
        assert split_of(cut(table, seed=2)) != split_of(first)


def test_fake_and_original_on_two_sides_is_an_error():
    rows = {"videoname": ["a", "b", "c"], "label": ["REAL", "FAKE", "REAL"]}
    table = pd.DataFrame({**rows, "original": ["", "a", ""], "split": ["train", "train", "test"]})
    splits.assert_no_leak(table)
    with pytest.raises(splits.LeakageError, match="a in test, b in train"):
        splits.assert_no_leak(table.assign(split=["test", "train", "test"]))


def test_wrong_group_column_does_not_hide_a_leak():
    rows = {"videoname": ["a", "b"], "original": ["", "a"], "group": ["1", "2"]}
    with pytest.raises(splits.LeakageError):
        splits.assert_no_leak(pd.DataFrame({**rows, "split": ["train", "test"]}))
    rows = {"videoname": ["a", "b"], "original": ["", ""], "group": ["1", "1"]}
    with pytest.raises(splits.LeakageError):
        splits.assert_no_leak(pd.DataFrame({**rows, "split": ["train", "test"]}))


def test_random_split_is_exact_by_label_and_leaks():
    table = table_of(100)
    result = splits.random_split(table, seed=0)
    for label in manifest.LABELS:
        part = result.loc[result["label"] == label, "split"].value_counts()
        assert abs(part["test"] - 0.15 * part.sum()) <= 1
    with pytest.raises(splits.LeakageError):
        splits.assert_no_leak(result)
    assert splits.leak_report(result)["group"] > 0.5
    assert splits.leak_report(splits.group_split(table, seed=0))["group"] == 0


def test_leak_report_by_hand():
    # fakes of a: b in train, c and d in test; fake of e: f in test, e in validation; g alone
    rows = [
        ("a", "REAL", "", "validation"),
        ("b", "FAKE", "a", "train"),
        ("c", "FAKE", "a", "test"),
        ("d", "FAKE", "a", "test"),
        ("e", "REAL", "", "train"),
        ("f", "FAKE", "e", "test"),
        ("g", "FAKE", "h", "test"),
    ]
    table = pd.DataFrame(rows, columns=["videoname", "label", "original", "split"])
    report = splits.leak_report(table)
    assert report == {"fakes": 4, "original": 0.25, "sibling": 0.5, "group": 0.75}


def test_leak_through_a_person():
    rows = {"videoname": ["a", "b"], "label": ["REAL", "FAKE"], "original": ["", ""]}
    table = pd.DataFrame({**rows, "identity": ["x", "x"], "split": ["train", "test"]})
    assert splits.leak_report(table) == {"fakes": 1, "original": 0, "sibling": 0, "group": 1}
    with pytest.raises(splits.LeakageError):
        splits.assert_no_leak(table)


def test_counts_by_hand():
    rows = [("train", "REAL", "a"), ("train", "FAKE", "a"), ("test", "FAKE", "b")]
    table = pd.DataFrame(rows, columns=["split", "label", "group"])
    found = splits.counts(table)
    assert found.index.tolist() == ["train", "test", "Total"]
    assert found.columns.tolist() == ["REAL", "FAKE", "Total", "Groups"]
    assert found.to_numpy().tolist() == [[1, 1, 2, 1], [0, 1, 1, 1], [1, 2, 3, 2]]


# ---------------------------------------------------------------- balanced samples


def test_balanced_sample(caplog):
    table = table_of(50)
    available = table["label"].value_counts()
    even = splits.balanced_sample(table, seed=0)["label"].value_counts()
    assert even["REAL"] == even["FAKE"] == available.min()
    few = splits.balanced_sample(table, per_class=7, seed=0)
    assert few["label"].value_counts().tolist() == [7, 7]
    assert few["videoname"].is_unique
    with caplog.at_level(logging.INFO):
        most = splits.balanced_sample(table, per_class=10_000, seed=0)
    assert most["label"].value_counts().tolist() == [50, 50]
    assert "Only 50 of 10000 REAL" in caplog.text


def test_balanced_split_is_balanced_to_the_row():
    table = table_of(100)
    everything = splits.counts(splits.balanced_split(table, seed=0))
    assert (everything["REAL"] == everything["FAKE"]).all()
    assert everything.loc["Total", "REAL"] >= 90
    few = splits.balanced_split(table, per_class=40, seed=0)
    assert splits.counts(few)["FAKE"].tolist() == [28, 6, 6, 40]
    splits.assert_no_leak(few)


def test_balanced_sample_errors():
    table = table_of(10)
    with pytest.raises(ValueError, match=r"only \['REAL'\]"):
        splits.balanced_sample(table[table["label"] == "REAL"], seed=0)
    with pytest.raises(ValueError, match="per_class >= 1"):
        splits.balanced_sample(table, per_class=0, seed=0)


# ---------------------------------------------------------------- split files


def write_csv(path, mapping, *, header="videoname,split"):
    lines = [header, *(f"{name},{split}" for name, split in mapping.items()), ""]
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    return path


def test_split_file_has_the_last_word(tmp_path, caplog):
    table = table_of(60)
    wanted = split_of(splits.group_split(table, seed=9))
    dropped = table.loc[table["group"] == table["group"].iloc[0], "videoname"]
    wanted = {name: split for name, split in wanted.items() if name not in set(dropped)}
    path = write_csv(tmp_path / "split.csv", wanted)
    with caplog.at_level(logging.INFO):
        result = splits.group_split(table, seed=0, split_csv=path)
    assert split_of(result) == wanted
    assert f"{len(dropped)} rows are not named" in caplog.text
    assert split_of(splits.balanced_split(table, seed=0, split_csv=path)) == wanted


def test_split_file_that_leaks(tmp_path):
    table = table_of(60)
    path = write_csv(tmp_path / "split.csv", split_of(splits.random_split(table, seed=0)))
    with pytest.raises(splits.LeakageError):
        splits.group_split(table, seed=0, split_csv=path)


@pytest.mark.parametrize(
    ("extra", "header", "message"),
    [
        ({"nobody.mp4": "train"}, "videoname,split", "unknown names: .*nobody"),
        ({"real0000.mp4": "dev"}, "videoname,split", "unknown splits: .*dev"),
        ({"real0000.mp4 ": "train"}, "videoname,split", "unknown names"),
        ({}, "name,set", "columns videoname and split"),
    ],
)
def test_split_file_errors(tmp_path, extra, header, message):
    table = table_of(20)
    wanted = split_of(splits.group_split(table, seed=0)) | extra
    path = write_csv(tmp_path / "split.csv", wanted, header=header)
    with pytest.raises(ValueError, match=message):
        splits.group_split(table, seed=0, split_csv=path)


def test_split_file_twice_or_absent(tmp_path):
    table = table_of(20)
    path = write_csv(tmp_path / "split.csv", split_of(splits.group_split(table, seed=0)))
    with path.open("a") as file:
        file.write("real0000.mp4,train\r\n")
    with pytest.raises(ValueError, match=r"names given twice: .*real0000"):
        splits.group_split(table, seed=0, split_csv=path)
    with pytest.raises(FileNotFoundError, match="SPLIT_CSV"):
        splits.group_split(table, seed=0, split_csv=tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("videoname,split\n".encode("utf-16"), "well formed and in UTF-8"),
        ("videoname,split\né.mp4,train\n".encode("cp1252"), "well formed and in UTF-8"),
        (b"videoname,split\nreal0000.mp4\0,train\n", "unknown names"),
        (b"\0" * 9, "received none"),
        (b"", "received none"),
        (b"videoname,split\n", "received none"),
        (b"videoname,split,split\nreal0000.mp4,train,test\n", "each column once"),
        (b"videoname,split\nreal0000.mp4\n", "unknown splits"),
        (b'videoname,split\n"real0000.mp4,train\n' + b"x" * 200_000, "field larger"),
    ],
)
def test_split_files_that_are_no_tables_are_one_sentence(tmp_path, content, message):
    path = tmp_path / "split.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        splits.group_split(table_of(20), seed=0, split_csv=path)
    assert str(caught.value).startswith("Expected")


def test_a_folder_as_split_file_is_one_sentence(tmp_path):
    with pytest.raises(manifest.DatasetError, match="a folder, a pipe or a device"):
        splits.group_split(table_of(20), seed=0, split_csv=tmp_path)


def test_split_file_without_a_class(tmp_path):
    table = table_of(20)
    wanted = split_of(splits.group_split(table, seed=0))
    labels = dict(zip(table["videoname"], table["label"], strict=True))
    path = write_csv(
        tmp_path / "split.csv",
        {n: s for n, s in wanted.items() if not (s == "test" and labels[n] == "FAKE")},
    )
    with pytest.raises(ValueError, match="no FAKE in test"):
        splits.group_split(table, seed=0, split_csv=path)


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    "fractions",
    [(0.7, 0.3), (0.7, 0.2, 0.2), (1, 0, 0), (0.7, -0.1, 0.4), (0.5, float("nan"), 0.5)],
)
def test_bad_fractions(fractions):
    for cut in (splits.group_split, splits.random_split):
        with pytest.raises(ValueError, match="fractions"):
            cut(table_of(20), seed=0, fractions=fractions)


def test_too_few_groups_say_so():
    with pytest.raises(ValueError, match=r"2 groups \(the largest holds"):
        splits.group_split(table_of(2, seed=3), seed=0)


def test_few_uneven_groups_are_dealt_until_every_split_has_both_labels():
    # five pairs beside a group that is half of all rows
    rows = [(f"r{n}", "REAL", "", f"r{n}") for n in range(5)]
    rows += [(f"f{n}", "FAKE", f"r{n}", f"r{n}") for n in range(5)]
    rows += [("big", "REAL", "", "big")] + [(f"b{n}", "FAKE", "big", "big") for n in range(10)]
    table = pd.DataFrame(rows, columns=["videoname", "label", "original", "group"])
    result = splits.counts(splits.group_split(table, seed=0)).drop(index="Total")
    assert (result[["REAL", "FAKE"]] > 0).all(axis=None)
    assert result.loc["test", "Groups"] >= 2


def test_many_groups_meet_the_shares():
    table = table_of(5000, most_fakes=9)
    result = splits.group_split(table, seed=0)
    assert np.isclose((result["split"] == "train").mean(), 0.7, atol=0.01)
