"""Paths as people write them: expanded, or refused in a sentence."""

import argparse
import os
from pathlib import Path

import pytest

from nbhelpers.common import paths
from nbhelpers.common.errors import UsageError


def test_home_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.user_path("~/a.csv") == tmp_path / "a.csv"
    assert paths.path_argument("~") == tmp_path
    assert paths.user_path("a/~") == Path("a/~")


def test_unknown_users_are_refused_unless_it_is_a_name_that_is_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"no user .* 'no\.such\.user'\. .* \./~name"):
        paths.user_path("~no.such.user/a.csv")
    (tmp_path / "~no.such.user").mkdir()
    assert paths.user_path("~no.such.user/a.csv") == Path("~no.such.user/a.csv")
    assert paths.user_path("./~other") == Path("~other")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "Expected a path; received ''"),
        ("a\0b", "Expected a path"),
        ("a/" + "n" * 256, "at most 255 bytes"),
        ("ü" * 128 + "/a", "with 256"),
        ("a/" * 2100, "at most 4095 bytes"),
    ],
)
def test_what_no_file_system_takes_is_refused(text, rule):
    with pytest.raises(UsageError, match=rule):
        paths.user_path(text)
    with pytest.raises(argparse.ArgumentTypeError, match=rule):
        paths.path_argument(text)


def test_the_longest_name_is_taken(tmp_path):
    (tmp_path / paths.user_path("n" * 255)).touch()


def test_files_and_folders_are_told_apart(tmp_path):
    file = tmp_path / "file"
    file.touch()
    paths.check_readable_file(file, what="a grid")
    paths.check_readable_folder(tmp_path, what="a run")
    with pytest.raises(UsageError, match=r"Expected a grid; .* is a folder"):
        paths.check_readable_file(tmp_path, what="a grid")
    with pytest.raises(UsageError, match=r"Expected a run; .* is a file"):
        paths.check_readable_folder(file, what="a run")
    with pytest.raises(UsageError, match=r"Expected a grid; .*/none: No such file"):
        paths.check_readable_file(tmp_path / "none", what="a grid")


def test_pipes_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is a pipe"):
        paths.check_readable_file(tmp_path / "pipe", what="a grid")
    with pytest.raises(UsageError, match="is a device"):
        paths.check_readable_file(Path(os.devnull), what="a grid")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_permission_is_asked_for(tmp_path):
    for name, make in (("file", Path.touch), ("folder", Path.mkdir)):
        make(tmp_path / name)
        (tmp_path / name).chmod(0)
    try:
        with pytest.raises(UsageError, match="permission denied"):
            paths.check_readable_file(tmp_path / "file", what="a grid")
        with pytest.raises(UsageError, match="permission denied"):
            paths.check_readable_folder(tmp_path / "folder", what="a run")
    finally:
        (tmp_path / "folder").chmod(0o700)


def test_a_working_directory_that_is_gone_is_named(monkeypatch, tmp_path):
    paths.check_working_directory()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match="Change to another folder"):
        paths.check_working_directory()
