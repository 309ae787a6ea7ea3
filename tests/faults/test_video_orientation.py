"""Turned and mirrored clips come out as ffmpeg itself shows them."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from tiny_clips import ffmpeg, write_clip

from nbhelpers.media import clip_facts, video


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """A grey clip with one light corner and one light edge: no two turns of it look alike."""
    pictures = np.full((5, 48, 64, 3), 60, np.uint8)
    pictures[:, :16, :16] = 230
    pictures[:, :, 40:48] = 140
    return write_clip(tmp_path_factory.mktemp("corner") / "corner.mp4", pictures)


def as_ffmpeg_shows_it(path, *, width, height):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-frames:v", "1"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("mirror", [(), ("-display_hflip",), ("-display_vflip",)])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_every_turn_and_mirror(turn, mirror, ending, corner, tmp_path):
    path = tmp_path / f"turned.{ending}"
    flags = ("-display_rotation", turn) if turn else ()
    ffmpeg(*flags, *mirror, "-i", corner, "-c", "copy", path)
    width, height = (48, 64) if turn in (90, 270) else (64, 48)
    expected = as_ffmpeg_shows_it(path, width=width, height=height)
    for how in video.SAMPLINGS:
        pixels = video.read_frames(path, count=2, how=how).pixels
        assert pixels.shape == (2, height, width, 3)
        assert np.abs(pixels[0].astype(int) - expected).mean() < 3
    facts = clip_facts.read(path)
    assert (facts["width"], facts["height"]) == (width, height)


def test_the_measure_can_tell_all_eight_apart(corner):
    shown = as_ffmpeg_shows_it(corner, width=64, height=48).astype(int)[:, :48]
    turns = [np.rot90(one, k) for one in (shown, shown[:, ::-1]) for k in range(4)]
    for number, one in enumerate(turns):
        assert all(np.abs(one - other).mean() > 10 for other in turns[:number])


def test_a_slanted_matrix_is_left_as_it_lies(corner, tmp_path):
    ffmpeg("-display_rotation", 45, "-i", corner, "-c", "copy", tmp_path / "slanted.mp4")
    assert video.read_frames(tmp_path / "slanted.mp4", count=1).pixels.shape == (1, 48, 64, 3)
