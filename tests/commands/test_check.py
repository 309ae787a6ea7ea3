"""`check`: what is wrong with a data set."""

import pandas as pd
import tiny_sets

from nbhelpers import __main__ as command
from nbhelpers.commands import check
from nbhelpers.data import locate


def test_check_of_a_good_and_of_a_bad_set(tmp_path, capsys):
    rows = ["a.mp4,9,9,REAL,", "b.mp4,9,9,FAKE,a.mp4"]
    good = tiny_sets.write_faces(tmp_path / "good", rows)
    assert command.main(["check", str(good)]) == 0
    assert "1 REAL, 1 FAKE" in capsys.readouterr().out
    bad = tiny_sets.write_faces(tmp_path / "bad", rows)
    (bad / "faces_224" / "b.jpg").write_bytes(b"")
    table = tmp_path / "findings.csv"
    assert command.main(["check", str(bad), "--csv", str(table)]) == 1
    assert "unreadable: 1\n    b.mp4: empty file" in capsys.readouterr().out
    assert pd.read_csv(table)["problem"].tolist() == ["unreadable"]


def test_check_says_what_is_not_there(tmp_path, capsys):
    assert command.main(["check", str(tmp_path)]) == 2
    assert "Expected deepfake-faces" in capsys.readouterr().err
    tiny_sets.write_videos(tmp_path / locate.VIDEOS, {"a.mp4": {"label": "REAL"}})
    assert command.main(["check", str(tmp_path)]) == 0
    assert "deepfake-faces: not there" in capsys.readouterr().out


def test_a_checked_set_counts_once(tmp_path):
    root = tiny_sets.write_faces(tmp_path / "both", ["a.mp4,9,9,REAL,"])
    tiny_sets.write_videos(root, {"a.mp4": {"label": "REAL"}})
    assert len(check._datasets(str(root))) == 1
