"""A file is written whole or stays as it was; what is the user's is never replaced."""

import os
from pathlib import Path

import pytest

from nbhelpers.common import files, html
from nbhelpers.common.errors import UsageError


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


# ---------------------------------------------------------------- targets

KIND = "name,problem\n"


def refusal(path, **options):
    with pytest.raises(UsageError) as refused:
        files.check_target(path, kind=KIND, **options)
    return str(refused.value)


def test_new_empty_and_own_files_may_be_written(tmp_path):
    assert files.check_target(tmp_path / "deep" / "new.csv", kind=KIND).name == "new.csv"
    assert not (tmp_path / "deep").exists()
    for content in ("", KIND, KIND + "a,b\n"):
        (tmp_path / "old.csv").write_text(content)
        files.check_target(tmp_path / "old.csv", kind=KIND)


@pytest.mark.parametrize("content", [b"name,label\n", b"name", b"\xff\xd8\xff\xe0", b"\n" + b"x"])
def test_files_of_another_kind_stay(tmp_path, content):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    assert "add --force" in refusal(path)
    assert path.read_bytes() == content
    files.check_target(path, kind=KIND, force=True)


def test_inputs_stay_under_every_name(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(KIND)
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "twin.csv").hardlink_to(path)
    names = [path, tmp_path / "link.csv", tmp_path / "twin.csv", tmp_path / "x" / ".." / path.name]
    (tmp_path / "x").mkdir()
    for name in names:
        assert "not an input" in refusal(name, inputs=[tmp_path / "not there", path])


def test_folders_pipes_and_devices_are_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder" in refusal(tmp_path, force=True)
    for name in (tmp_path / "pipe", Path(os.devnull)):
        assert "is a pipe or a device" in refusal(name, force=True)


def test_a_place_where_nothing_can_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    assert "not a folder" in refusal(tmp_path / "file" / "deep" / "a.csv")
    assert "cannot be written" in refusal(tmp_path / ("n" * 300))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    assert "permission denied" in refusal(tmp_path / "deep" / "a.csv")


def test_a_write_that_fails_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be written: (Not a directory|File exists)"):
        files.write_target(tmp_path / "file" / "a.csv", "text")


def test_pages_begin_as_check_target_expects(tmp_path):
    files.write_target(tmp_path / "a.html", html.page("Mine & yours", "<p>body</p>"))
    files.check_target(tmp_path / "a.html", kind=html.beginning("Mine & yours"))
    with pytest.raises(UsageError, match="--force"):
        files.check_target(tmp_path / "a.html", kind=html.beginning("Mine"))
