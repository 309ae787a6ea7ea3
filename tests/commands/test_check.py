"""`check`: what is wrong with a data set."""

import json

import numpy as np
import pandas as pd
import pytest
import tiny_clips
import tiny_faces
import tiny_sets
from PIL import Image

from nbhelpers import __main__ as command
from nbhelpers.commands import check
from nbhelpers.data import locate

GOOD = [f"r{n}.mp4,9,9,REAL," for n in range(20)] + [
    f"f{n}.mp4,9,9,FAKE,r{n}.mp4" for n in range(20)
]


def test_check_of_a_good_and_of_a_bad_set(tmp_path, capsys):
    good = tiny_sets.write_faces(tmp_path / "good", GOOD)
    assert command.main(["check", str(good)]) == 0
    said = capsys.readouterr().out
    assert "20 REAL, 20 FAKE" in said
    assert "no problems" in said
    bad = tiny_sets.write_faces(tmp_path / "bad", GOOD)
    (bad / "faces_224" / "f1.jpg").write_bytes(b"")
    table = tmp_path / "findings.csv"
    assert command.main(["check", str(bad), "--csv", str(table)]) == 1
    assert "unreadable: 1\n    f1.mp4: empty file" in capsys.readouterr().out
    assert pd.read_csv(table)["problem"].tolist() == ["unreadable"]


def test_check_says_what_is_not_there(tmp_path, capsys):
    assert command.main(["check", str(tmp_path)]) == 2
    assert "Expected deepfake-faces" in capsys.readouterr().err
    tiny_sets.write_videos(tmp_path / locate.VIDEOS, {"a.mp4": {"label": "REAL"}})
    assert command.main(["check", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "deepfake-faces: not found" in said
    assert "notebooks 05, 06: there is no FAKE" in said


def test_a_checked_set_counts_once(tmp_path):
    root = tiny_sets.write_faces(tmp_path / "both", ["a.mp4,9,9,REAL,"])
    tiny_sets.write_videos(root, {"a.mp4": {"label": "REAL"}})
    assert len(check._datasets(str(root))) == 1


def test_what_notebooks_would_stumble_on_is_said_and_counts(tmp_path, capsys):
    rows = [row.rpartition(",")[0] + "," for row in GOOD]
    root = tiny_sets.write_faces(tmp_path / "set", rows)
    table = tmp_path / "findings.csv"
    assert command.main(["check", str(root), "--csv", str(table)]) == 1
    said = capsys.readouterr().out
    assert "no problems" not in said
    assert "notebooks 01, 02, 03, 04: 20 of 20 fakes name no original" in said
    assert "notebooks 02, 03: no fake has its original" in said
    assert "notebooks 02, 03" in set(pd.read_csv(table)["problem"])


def test_endings_that_originals_lack_are_no_leak_that_check_overlooks(tmp_path, capsys):
    rows = [row.removesuffix(".mp4") for row in GOOD]
    assert command.main(["check", str(tiny_sets.write_faces(tmp_path / "set", rows))]) == 0
    assert "groups that a split must keep together: 20" in capsys.readouterr().out


def test_the_table_of_the_data_set_is_not_written_over(tmp_path, capsys):
    root = tiny_sets.write_faces(tmp_path / "set", GOOD)
    before = (root / "metadata.csv").read_bytes()
    assert command.main(["check", str(root), "--csv", str(root / "metadata.csv")]) == 2
    assert (root / "metadata.csv").read_bytes() == before
    assert "would be lost" in capsys.readouterr().err
    own = tmp_path / "findings.csv"
    for _ in range(2):  # what it wrote itself, it may write again
        assert command.main(["check", str(root), "--csv", str(own)]) == 0


def test_no_cell_of_the_findings_is_a_formula(tmp_path):
    root = tiny_sets.write_faces(tmp_path / "set", [*GOOD, "=1+1,9,9,MAYBE,"])
    table = tmp_path / "findings.csv"
    assert command.main(["check", str(root), "--csv", str(table)]) == 1
    cells = pd.read_csv(table, keep_default_na=False).astype(str).to_numpy().ravel()
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_decoding_says_one_line_a_clip_and_codecs_say_nothing(tmp_path, capfd):
    noise = np.random.default_rng(0)
    frames = noise.integers(0, 255, (40, 48, 64, 3), dtype=np.uint8)
    content = bytearray(tiny_clips.write_clip(tmp_path / "whole.mp4", frames).read_bytes())
    files = {"a.mp4": bytes(content)}
    middle = len(content) // 2
    content[middle : middle + 3000] = noise.bytes(3000)
    files["b.mp4"] = bytes(content)
    root = tiny_sets.write_videos(
        tmp_path / "set", {name: {"label": "REAL"} for name in files}, files=files
    )
    assert command.main(["check", str(root), "--verify", "decode"]) == 1
    said = capfd.readouterr()
    assert "b.mp4: cannot be decoded: b.mp4 ends after" in said.out
    lines = [line for line in said.err.replace("\r", "\n").splitlines() if line.strip()]
    assert all(line.startswith("decode:") for line in lines), lines  # the bar


@pytest.mark.parametrize("split", ["", "train"])
def test_folders_real_and_fake(tmp_path, capsys, split):
    for label in ("real", "Fake"):
        folder = tmp_path / "mine" / split / label
        folder.mkdir(parents=True)
        for number in range(20):
            (folder / f"{number}.jpg").write_bytes(tiny_sets.JPEG)
    assert command.main(["check", str(tmp_path / "mine")]) == 1
    said = capsys.readouterr().out
    assert "20 REAL, 20 FAKE" in said
    assert "groups that a split must keep together: 40" in said
    assert "20 of 20 fakes name no original" in said


@pytest.mark.parametrize("folder", ["x" * 300, "~nobody-of-this-name/data"])
def test_paths_that_cannot_be_are_one_line(folder, capsys):
    with pytest.raises(SystemExit) as stopped:
        raise SystemExit(command.main(["check", folder]))
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "Traceback" not in said


def test_a_folder_without_permission_is_one_line(tmp_path, capsys, monkeypatch):
    root = tiny_sets.write_faces(tmp_path / "set", GOOD)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("nbhelpers.data.layouts.os.scandir", refuse)
    assert command.main(["check", str(root)]) == 2
    said = capsys.readouterr().err
    assert "Permission denied" in said
    assert "faces_224" in said


def test_damaged_pictures_are_found_by_either_look(tmp_path, capsys):
    picture = Image.fromarray(tiny_faces.crops(1)[0])
    picture.save(tmp_path / "plain.jpg", quality=90)
    content = (tmp_path / "plain.jpg").read_bytes()
    middle = len(content) // 2
    damage = {
        "f0": content[:middle] + b"\xff\xd9",
        "f1": content[:middle] + bytes(400) + content[middle + 400 :],
        "f2": content[:middle] + content[middle + 300 :],
        "f3": content[:middle] + b"\xff\xc4" + content[middle:],
    }
    root = tiny_sets.write_faces(tmp_path / "set", GOOD)
    for name, damaged in damage.items():
        (root / "faces_224" / f"{name}.jpg").write_bytes(damaged)
    for look in ("header", "decode"):
        assert command.main(["check", str(root), "--verify", look]) == 1
        assert "unreadable: 4" in capsys.readouterr().out


def test_doubled_keys_and_columns_are_said(tmp_path, capsys):
    facts = json.dumps({"label": "REAL"})[:-1] + ', "label": "FAKE"}'
    root = tiny_sets.write_videos(tmp_path / "clips", {"a.mp4": {}, "b.mp4": {}})
    text = f'{{"a.mp4": {facts}, "b.mp4": {{"label": "REAL", "label": "REAL"}}}}'
    (root / "train_sample_videos" / "metadata.json").write_text(text)
    assert command.main(["check", str(root)]) == 1
    assert "a.mp4: 'label' is given twice" in capsys.readouterr().out
    root = tiny_sets.write_faces(tmp_path / "faces", GOOD)
    rows = (root / "metadata.csv").read_text().splitlines()
    (root / "metadata.csv").write_text(
        "\n".join([rows[0] + ",Label", *(row + ",REAL" for row in rows[1:])])
    )
    assert command.main(["check", str(root)]) == 2
    assert "each column once" in capsys.readouterr().err
