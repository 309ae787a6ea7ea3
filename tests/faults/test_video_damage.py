"""Clips that break off behind the middle: an error by name, or what decodes, and it is said."""

import logging

import numpy as np
import pytest
from tiny_clips import cut, ffmpeg, grey_frames, told_index, write_clip

from nbhelpers.data import file_checks
from nbhelpers.media import faces, video


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """An MP4 whose boxes are whole and whose compressed frames are zeros from two thirds on."""
    folder = tmp_path_factory.mktemp("damaged")
    frames = np.concatenate([grey_frames(30)] * 2)
    whole = write_clip(folder / "whole.mp4", frames, options=("-g", "10", "-bf", "0"))
    content = bytearray(whole.read_bytes())
    start = content.index(b"mdat") + 4
    end = start - 8 + int.from_bytes(content[start - 8 : start - 4], "big")
    place = start + 2 * (end - start) // 3
    content[place:end] = bytes(end - place)
    (folder / "damaged.mp4").write_bytes(content)
    return folder / "damaged.mp4"


@pytest.fixture(scope="module", params=["mp4", "avi", "mkv"])
def breaking_off(request, damaged, tmp_path_factory):
    """The same, and files that were cut off, in containers that do not notice it."""
    if request.param == "mp4":
        return damaged
    folder = tmp_path_factory.mktemp("cut")
    clip = write_clip(folder / "whole.mp4", np.concatenate([grey_frames(30)] * 2))
    coding = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "1")
    ffmpeg("-i", clip, *coding, folder / f"whole.{request.param}")
    return cut(folder / f"whole.{request.param}", keep=0.7, to=folder / f"cut.{request.param}")


def test_it_is_an_error_that_names_the_file(breaking_off):
    with pytest.raises(video.VideoError, match="truncated or damaged") as caught:
        video.read_frames(breaking_off, count=6)
    assert str(caught.value).startswith(breaking_off.name)


def test_decoding_to_the_end_notices_it(breaking_off, damaged):
    with pytest.raises(video.VideoError, match="truncated or damaged"):
        video.check_to_the_end(breaking_off)
    video.check_to_the_end(damaged.with_name("whole.mp4"))


def test_check_names_it_and_takes_what_people_have(damaged, tmp_path):
    folder = tmp_path / "train_sample_videos"
    folder.mkdir()
    (folder / "damaged.mp4").write_bytes(damaged.read_bytes())
    source = damaged.with_name("whole.mp4")
    ffmpeg("-ss", "0.7", "-i", source, "-c", "copy", folder / "trimmed.mp4")
    camcorder = ("-c", "copy", "-f", "mpegts", "-mpegts_m2ts_mode", "1")
    ffmpeg("-i", source, *camcorder, folder / "camera.mts")
    ffmpeg("-i", source, "-c:v", "libvpx", folder / "page.webm")
    rows = [{"videoname": path.name, "path": str(path)} for path in sorted(folder.iterdir())]
    usable, unreadable = file_checks.verify_rows(rows, verify="header")
    assert (len(usable), unreadable) == (4, [])
    usable, (finding,) = file_checks.verify_rows(rows, verify="decode")
    assert len(usable) == 3
    assert finding["videoname"] == "damaged.mp4"
    assert "damaged.mp4 ends after" in finding["detail"]


def test_what_decodes_is_read_where_that_is_asked_for(breaking_off, caplog):
    with caplog.at_level(logging.WARNING):
        frames = video.read_frames(breaking_off, count=6, partial=True)
    assert len(frames) == 6
    assert 25 <= frames.indices[-1] < 45
    np.testing.assert_array_equal(told_index(frames.pixels), frames.indices % 30)
    assert len(faces.track_face(frames).found) == 6
    assert f"{breaking_off.name} ends after" in caplog.text


def test_the_first_frames_need_no_more(damaged):
    frames = video.read_frames(damaged, count=5, how="first")
    np.testing.assert_array_equal(told_index(frames.pixels), np.arange(5))


def test_nothing_at_all_stays_an_error(tmp_path):
    path = tmp_path / "no_picture.mp4"
    whole = write_clip(tmp_path / "whole.mp4", grey_frames(5)).read_bytes()
    start = whole.index(b"mdat") + 4
    end = start - 8 + int.from_bytes(whole[start - 8 : start - 4], "big")
    path.write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    with pytest.raises(video.VideoError, match=r"^no_picture\.mp4 has no frames"):
        video.read_frames(path, count=2, partial=True)
