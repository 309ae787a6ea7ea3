"""A file is written whole or stays as it was."""

import pytest

from nbhelpers.common import files


def test_content_arrives_and_no_draft_stays(tmp_path):
    files.write_text(tmp_path / "new" / "a.txt", "one\r\ntwo\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"one\r\ntwo\n"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_failure_keeps_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), files.whole(path) as draft:
        draft.write_text("half of the n")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_draft_keeps_the_name(tmp_path):
    with files.whole(tmp_path / "best.weights.h5") as draft:
        assert draft.name == "best.weights.h5"
        assert not (tmp_path / "best.weights.h5").exists()
        draft.touch()
    assert (tmp_path / "best.weights.h5").is_file()
