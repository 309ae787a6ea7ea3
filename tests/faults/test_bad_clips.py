"""Odd clips are read frame by frame as they should be; broken ones are refused with a reason."""

import json
import re
import subprocess

import broken
import cv2
import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest
import tiny_models
from tiny_clips import ffmpeg, write_clip

from nbhelpers import __main__ as command
from nbhelpers.features import choices, extraction
from nbhelpers.media import capture, clip_facts, video


class MeanColour:
    """An encoder without a network: the mean of each channel."""

    name, image_size, dim, digest, is_random = "mean colour", 16, 3, "a", False

    def predict(self, batch):
        return batch.mean(axis=(1, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return broken.good_clips(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    return broken.bad_clips(tmp_path_factory.mktemp("bad"))


def as_table(paths):
    return pd.DataFrame({"videoname": [p.name for p in paths], "path": [str(p) for p in paths]})


def test_odd_clips_give_the_frames_that_were_chosen(good):
    for name, path in good.items():
        frames = video.read_frames(path, count=6)
        np.testing.assert_array_equal(frames.indices, video.frame_indices(30, 6), err_msg=name)
        np.testing.assert_array_equal(broken.told_index(frames.pixels), frames.indices, name)
        assert frames.fps == 25, name


def test_facts_of_odd_clips(good):
    facts = clip_facts.table(good.values()).set_index("videoname")
    assert facts["readable"].all()
    assert (facts["frames"] == 30).all()
    assert facts["pixel_format"]["ten_bits.mp4"] == "yuv420p10le"
    assert abs(facts["rotation"]["upside_down.mp4"]) == 180
    assert facts.loc["odd_sizes.mp4", ["width", "height"]].tolist() == [63, 47]


@pytest.mark.skipif(
    not broken.OPENCV_MISREADS,
    reason="OpenCV before 4.13 repeats the last picture of the first size",
)
def test_a_size_that_changes_in_the_middle(tmp_path):
    parts = []
    for number, scale in enumerate((1, 2)):
        frames = broken.frames(15, height=48 * scale, width=64 * scale)
        part = write_clip(tmp_path / f"{number}.mp4", frames)
        parts.append(f"file '{part}'\n")
    (tmp_path / "list.txt").write_text("".join(parts))
    joined = tmp_path / "joined.mkv"
    ffmpeg(
        "-f",
        "concat",
        "-safe",
        "0",
        "-i",
        tmp_path / "list.txt",
        "-c",
        "copy",
        "-bsf:v",
        "h264_mp4toannexb",
        "-f",
        "h264",
        joined,
    )
    read = video.read_frames(joined, count=6)
    assert read.pixels.shape == (6, 48, 64, 3)
    np.testing.assert_array_equal(broken.told_index(read.pixels), read.indices % 15)


@pytest.mark.parametrize("name", broken.BAD_CLIPS)
def test_broken_clips_are_refused(bad, name):
    with pytest.raises(video.VideoError, match=broken.BAD_CLIPS[name]) as caught:
        video.read_frames(bad[name], count=6)
    assert name in str(caught.value)


def test_interlaced_clips_would_be_misread(bad):
    """Why they are refused: what OpenCV gives for one has nothing to do with its pictures."""
    clip = str(next(iter(bad.values())).with_name("interlaced.mp4"))
    run = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", clip]
    run += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = np.frombuffer(subprocess.run(run, capture_output=True, check=True).stdout, np.uint8)
    truth = broken.told_index(raw.reshape(-1, 48, 64, 3))
    np.testing.assert_array_equal(truth, np.arange(30))  # the file itself is good
    capture = cv2.VideoCapture(clip, cv2.CAP_FFMPEG)
    pixels = np.stack([capture.read()[1] for _ in range(30)])
    misread = not np.array_equal(broken.told_index(pixels), truth)
    assert misread == broken.OPENCV_MISREADS, (
        "Let nbhelpers.media.video read what OpenCV reads now."
    )


def test_extraction_goes_on_past_broken_clips(good, bad, tmp_path):
    some = ["ten_bits.mp4", "one_pixel.avi", "odd_sizes.mp4"]
    paths = [*bad.values(), *(good[name] for name in some), tmp_path / "gone.mp4"]
    for crop in choices.CROPS:
        found = extraction.extract(as_table(paths), MeanColour(), frames=4, crop=crop)
        assert found.table["videoname"].tolist() == some
        assert found.mask.all()
        levels = broken.BASE + broken.STEP * video.frame_indices(30, 4)
        np.testing.assert_allclose(found.arrays[0][..., 0], np.tile(levels, (3, 1)), atol=3)
        reasons = found.report.set_index("videoname")["reason"]
        for name, reason in broken.BAD_CLIPS.items():
            assert re.search(reason, reasons[name]), reasons[name]
        assert "No clip at" in reasons["gone.mp4"]


def test_predict_gives_broken_clips_a_reason_and_no_score(bad, tmp_path, capsys):
    model = tiny_models.colour_detector(tmp_path / "03_xception_transfer.keras")
    page = tmp_path / "page.html"
    words = ["predict", *map(str, bad.values()), "--json", "--crops", "--model", str(model)]
    assert command.main([*words, "--frames", "4", "--report", str(page)]) == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    for told in json.loads(said.out)["files"]:
        assert told["p_fake"] is None, told
        assert len(told["reason"]) > 20
        assert told["reason"].split()[0] in told["path"]
    assert page.read_text().count(">no answer<") == len(bad)


def test_whole_frames_beyond_all_memory_are_refused_before_decoding(good, monkeypatch):
    monkeypatch.setattr(capture, "MOST_BYTES", 20 * 48 * 64 * 3 - 1)
    with pytest.raises(video.VideoError, match=r"20 frames of plain\.mp4 .* Take fewer frames"):
        video.read_frames(good["plain.mp4"], count=20)
    assert len(video.read_frames(good["plain.mp4"], count=19)) == 19
    shrunk = video.read_frames(good["plain.mp4"], count=20, transform=lambda frame: frame[:2, :2])
    assert shrunk.pixels.shape == (20, 2, 2, 3)
