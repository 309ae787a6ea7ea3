"""Clips are opened whatever their names, and nothing but files is opened at all."""

import os
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from tiny_clips import ffmpeg, grey_frames, told_index, write_clip

from nbhelpers.media import clip_facts, containers, video

NAMES = ("12:30.mp4", "-y.mp4", "clip%03d.mp4", "a b'c.mp4", "concat:a|b.mp4", "ü 1;2.mp4")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("plain") / "plain.mp4", grey_frames(30))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_just_names(name, plain, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(plain.read_bytes())
    monkeypatch.chdir(tmp_path)
    frames = video.read_frames(name, count=3)
    np.testing.assert_array_equal(told_index(frames.pixels), frames.indices)
    facts = clip_facts.read(name)
    assert (facts["videoname"], facts["frames"], facts["codec"]) == (name, 30, "h264")


@pytest.mark.parametrize("ending", ["webm", "mts", "m2ts", "ts", "mpg", "flv", "3gp"])
def test_containers_that_people_have(ending, plain, tmp_path):
    path = tmp_path / f"clip.{ending}"
    codec = {"webm": "libvpx", "mpg": "mpeg2video"}.get(ending, "copy")
    camcorder = ("-f", "mpegts", "-mpegts_m2ts_mode", "1") if ending in ("mts", "m2ts") else ()
    ffmpeg("-i", plain, "-c:v", codec, "-b:v", "2M", *camcorder, path)
    frames = video.read_frames(path, count=6)
    np.testing.assert_array_equal(frames.indices, video.frame_indices(30, 6))
    np.testing.assert_array_equal(told_index(frames.pixels), frames.indices)
    facts = clip_facts.read(path)
    assert (facts["frames"], facts["seconds"]) == (30, 1.2)


def test_a_pipe_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")  # opening it would wait for a writer
    for read in (clip_facts.read, lambda path: video.read_frames(path, count=1)):
        with pytest.raises(video.VideoError, match=r"a\.mp4 is not a clip file .* not opened"):
            read(tmp_path / "a.mp4")


def test_millions_of_boxes_are_refused_at_once(tmp_path):
    path = tmp_path / "boxes.mp4"
    start = struct.pack(">I4s", 16, b"ftyp") + b"isom" + bytes(4)
    path.write_bytes(start + struct.pack(">I4s", 8, b"free") * 5_000_000)
    began = time.process_time()
    with pytest.raises(video.VideoError, match=r"boxes\.mp4 has more than 100,000 parts"):
        video.read_frames(path, count=1)
    assert time.process_time() - began < 2  # all of them took ten seconds


def test_boxes_inside_the_index_are_bounded_too(tmp_path):
    inside = struct.pack(">I4s", 8, b"free") * 1_000_000
    content = struct.pack(">I4s", 16, b"ftyp") + b"isom" + bytes(4)
    content += struct.pack(">I4s", 8 + len(inside), b"moov") + inside
    (tmp_path / "inside.mp4").write_bytes(content)
    began = time.process_time()
    assert containers.read_header(tmp_path / "inside.mp4").orientation is None
    assert time.process_time() - began < 2


@pytest.mark.parametrize("path", ["/nowhere/ffmpeg", None])
def test_without_ffmpeg_the_reason_is_a_sentence(path, plain, monkeypatch):
    import imageio_ffmpeg

    def absent():
        if path is None:
            raise RuntimeError("No ffmpeg exe could be found.")
        return path

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", absent)
    row = clip_facts.table([plain]).iloc[0]
    assert not row["readable"]
    assert row["reason"].startswith("Expected the ffmpeg program")
    assert "imageio-ffmpeg" in row["reason"]
    assert "Errno" not in row["reason"]
    assert len(video.read_frames(plain, count=5)) == 5  # which needs none


def test_codecs_write_nothing_to_the_terminal(plain, tmp_path):
    """In a process of its own: they write past Python."""
    content = bytearray(plain.read_bytes())
    start = content.index(b"mdat") + 4
    middle = start + (len(content) - start) // 4
    content[middle : middle + 300] = np.random.default_rng(0).bytes(300)
    (tmp_path / "damaged.mp4").write_bytes(content)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(3000))
    code = (
        "import sys\n"
        "from nbhelpers.media import clip_facts, video\n"
        "print(len(clip_facts.table(sys.argv[1:])))\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        video.read_frames(path, count=30)\n"
        "    except video.VideoError as error:\n"
        "        assert path.rpartition('/')[2] in str(error)\n"
    )
    paths = [str(tmp_path / name) for name in ("damaged.mp4", "noise.mp4")]
    run = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "2\n", "")
