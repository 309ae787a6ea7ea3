"""Clips of a variable rate, or trimmed by an editor: frames, times, lengths are the stream's."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from tiny_clips import ffmpeg, grey_frames, told_index, write_clip

from nbhelpers.media import clip_facts, video

SLOW = "setpts='if(lt(N,20),N,20+(N-20)*10)/25/TB'"  # 25 a second, from the 20th on 2.5
SECONDS = np.array([n if n < 20 else 20 + (n - 20) * 10 for n in range(30)]) / 25
LENGTH = SECONDS[-1] + 0.4


@pytest.fixture(scope="module", params=["mp4", "mov", "mkv", "webm", "ts", "m2ts"])
def slowing(request, tmp_path_factory):
    """A clip of 30 `grey_frames` that slows down, in each kind of container."""
    folder = tmp_path_factory.mktemp("slowing")
    path = folder / f"slowing.{request.param}"
    codec = ("-c:v", "libvpx-vp9", "-crf", "10") if request.param == "webm" else ("-crf", "10")
    plain = write_clip(folder / "plain.mp4", grey_frames(30))
    camcorder = ("-f", "mpegts", "-mpegts_m2ts_mode", "1") if request.param == "m2ts" else ()
    ffmpeg("-i", plain, "-vf", SLOW, "-fps_mode", "vfr", *codec, *camcorder, path)
    return path


def test_frames_are_even_in_time(slowing):
    frames = video.read_frames(slowing, count=6)
    np.testing.assert_array_equal(told_index(frames.pixels), frames.indices)
    np.testing.assert_allclose(frames.seconds, SECONDS[frames.indices], atol=0.002)
    middles = (np.arange(6) + 0.5) * LENGTH / 6
    # Each is the one on the screen in the middle of its sixth.
    assert (frames.seconds <= middles + 0.002).all()
    assert (np.append(SECONDS, LENGTH)[frames.indices + 1] >= middles - 0.002).all()


def test_first_frames_have_the_streams_times(slowing):
    frames = video.read_frames(slowing, count=23, how="first")
    np.testing.assert_array_equal(told_index(frames.pixels), np.arange(23))
    np.testing.assert_allclose(frames.seconds, SECONDS[:23], atol=0.002)


def test_the_length_is_the_streams(slowing):
    facts = clip_facts.read(slowing)
    assert facts["frames"] == 30
    assert facts["seconds"] == pytest.approx(LENGTH, abs=0.05)
    assert facts["fps"] == pytest.approx(30 / LENGTH, abs=0.1)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_constant_rate_is_taken_from_the_header(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    ffmpeg("-i", write_clip(tmp_path / "plain.mp4", grey_frames(30)), "-c", "copy", path)
    frames = video.read_frames(path, count=7)
    assert frames.times is None
    np.testing.assert_array_equal(frames.indices, video.frame_indices(30, 7))
    np.testing.assert_array_equal(frames.seconds, frames.indices / 25)
    assert clip_facts.read(path)["seconds"] == 1.2


def test_a_still_is_taken_once():
    seconds = np.array([0.0, 1, 2, 3, 93, 94])
    assert video.evenly_in_time(seconds, 5).tolist() == [3]
    assert video.evenly_in_time(seconds, 6).tolist() == list(range(6))
    assert video.evenly_in_time(np.array([0.0]), 3).tolist() == [0]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """Six seconds, a key frame each 1.6 s: an editor that copies has to keep what lies before."""
    pictures = np.concatenate([grey_frames(30)] * 5)
    options = ("-g", "40", "-bf", "2")
    return write_clip(tmp_path_factory.mktemp("long") / "long.mp4", pictures, options=options)


def shown_by_ffmpeg(path):
    """float64 (N,): seconds of each frame that ffmpeg shows, from the first one on."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-map", "0:v:0"]
    command += ["-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "framecrc", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(",") for line in said.splitlines() if not line.startswith("#")]
    seconds = np.array([int(row[2]) for row in rows]) / 1000
    return seconds - seconds[0]


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize(("start", "stop"), [(3.3, 6.0), (1.1, 1.8), (1.5, 5.9)])
def test_trimmed_clips_are_whole(start, stop, ending, long_clip, tmp_path):
    path = tmp_path / f"trimmed.{ending}"
    ffmpeg("-ss", start, "-i", long_clip, "-t", stop - start, "-c", "copy", path)
    seconds = shown_by_ffmpeg(path)
    frames = video.read_frames(path, count=5)
    length = seconds[-1] + 0.04
    np.testing.assert_allclose(frames.seconds, (np.arange(5) + 0.5) * length / 5, atol=0.09)
    np.testing.assert_allclose(frames.seconds, seconds[frames.indices], atol=0.002)
    first = int(np.ceil(start * 25))
    expected = (first + np.rint(frames.seconds * 25)) % 30
    np.testing.assert_array_equal(told_index(frames.pixels), expected)
    facts = clip_facts.read(path)
    assert facts["frames"] == len(seconds)
    assert facts["seconds"] == pytest.approx(length, abs=0.09)


def test_sound_with_a_cover_is_no_clip(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:d=0.1", "-frames:v", 1, tmp_path / "cover.jpg")
    sound = ("-f", "lavfi", "-i", "sine=duration=2")
    cover = ("-map", 0, "-map", 1, "-c:v", "mjpeg", "-disposition:v:0", "attached_pic")
    for name in ("song.mp4", "song.m4a"):
        path = tmp_path / name
        ffmpeg(*sound, "-i", tmp_path / "cover.jpg", *cover, path)
        for count in (1, 5):
            with pytest.raises(video.VideoError, match=rf"^{name} has sound but no picture"):
                video.read_frames(path, count=count)
        with pytest.raises(video.VideoError, match=rf"^{name} has sound but no picture"):
            clip_facts.read(path)
