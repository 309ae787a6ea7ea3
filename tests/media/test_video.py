import cv2
import numpy as np
import pandas as pd
import pytest
from tiny_clips import cut, ffmpeg, grey_frames, told_index, write_clip

from nbhelpers.media import clip_facts, video
from nbhelpers.media.video import VideoError, frame_indices, read_frames

FASTSTART = ("-movflags", "+faststart")  # index before the pictures: the beginning still decodes


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.mp4", grey_frames(30))


@pytest.mark.parametrize("total", [1, 2, 7, 30, 301])
@pytest.mark.parametrize("count", [1, 3, 20, 400])
def test_even_indices_are_increasing_inside_and_spaced_alike(total, count):
    indices = frame_indices(total, count, how="even")
    assert len(indices) == min(count, total)
    assert indices.dtype == np.int64
    assert indices[0] >= 0
    assert indices[-1] < total
    gaps = np.diff(indices)
    assert (gaps >= 1).all()
    assert gaps.size == 0 or gaps.max() - gaps.min() <= 1
    assert abs(indices[0] - (total - 1 - indices[-1])) <= 1  # as far from one end as the other


def test_first_indices_are_the_beginning():
    assert frame_indices(300, 20, how="first").tolist() == list(range(20))
    assert frame_indices(3, 20, how="first").tolist() == [0, 1, 2]


@pytest.mark.parametrize("arguments", [(0, 5), (5, 0), (-1, 5)])
def test_indices_of_nothing_are_refused(arguments):
    with pytest.raises(ValueError, match="at least 1; received"):
        frame_indices(*arguments)


def test_unknown_choice_is_refused_before_the_file_is_touched():
    with pytest.raises(ValueError, match="received 'random'"):
        read_frames("no such file", count=3, how="random")


@pytest.mark.parametrize("how", ["even", "first"])
def test_frames_are_the_ones_that_were_chosen(clip, how):
    frames = read_frames(clip, count=8, how=how)
    assert frames.pixels.shape == (8, 48, 64, 3)
    assert frames.pixels.dtype == np.uint8
    np.testing.assert_array_equal(frames.indices, frame_indices(30, 8, how=how))
    np.testing.assert_array_equal(told_index(frames.pixels), frames.indices)
    assert frames.fps == 25
    np.testing.assert_allclose(frames.seconds, frames.indices / 25)


def test_short_clip_gives_each_frame_once(clip):
    frames = read_frames(clip, count=100)
    np.testing.assert_array_equal(told_index(frames.pixels), np.arange(30))


def test_pixels_are_rgb(tmp_path):
    red = np.zeros((5, 48, 64, 3), np.uint8)
    red[..., 0] = 200
    pixels = read_frames(write_clip(tmp_path / "red.mp4", red), count=1).pixels
    red, green, blue = pixels.mean(axis=(0, 1, 2))
    assert red > 180
    assert green < 20
    assert blue < 20


def test_first_decodes_no_further_than_needed(clip, monkeypatch):
    grabbed = []

    class Counting:  # a wrapper: the C++ class does not survive being subclassed
        def __init__(self, *arguments):
            self.capture = capture_class(*arguments)

        def __getattr__(self, name):
            if name == "grab":
                grabbed.append(1)
            return getattr(self.capture, name)

    capture_class = cv2.VideoCapture
    monkeypatch.setattr(video.cv2, "VideoCapture", Counting)
    read_frames(clip, count=4, how="first")
    assert len(grabbed) == 4


def test_transform_sees_each_frame(clip):
    frames = read_frames(clip, count=3, transform=lambda frame: frame[:8, :8])
    assert frames.pixels.shape == (3, 8, 8, 3)


def test_transformed_frames_are_rgb_like_the_others(tmp_path):
    red = np.zeros((3, 48, 64, 3), np.uint8)
    red[..., 0] = 200
    clip = write_clip(tmp_path / "red.mp4", red)
    whole = read_frames(clip, count=1).pixels
    part = read_frames(
        clip, count=1, transform=lambda one: video.centre_square(one, size=48)
    ).pixels
    np.testing.assert_array_equal(part, whole[:, :, 8:56])
    assert part[..., 0].min() > 150 > part[..., 1:].max()


def test_rotation_flag_is_applied(tmp_path, clip):
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", clip, "-c", "copy", turned)
    assert read_frames(turned, count=1).pixels.shape == (1, 64, 48, 3)
    facts = clip_facts.read(turned)
    assert (facts["width"], facts["height"], abs(facts["rotation"])) == (48, 64, 90)


def test_variable_frame_rate_keeps_indices_exact(tmp_path, clip):
    uneven = tmp_path / "uneven.mp4"
    ffmpeg("-i", clip, "-vf", "select=not(eq(mod(n\\,3)\\,1))", "-fps_mode", "vfr", uneven)
    kept = np.array([n for n in range(30) if n % 3 != 1])
    frames = read_frames(uneven, count=6)
    np.testing.assert_array_equal(told_index(frames.pixels), kept[frames.indices])


def broken(kind, folder, clip):
    """A file that must be refused, by name of what is wrong with it."""
    path = folder / f"{kind.replace(' ', '_')}.mp4"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("This is not a video.\n" * 100)
    elif kind == "no index":
        cut(clip, keep=0.6, to=path)
    elif kind == "cut after the index":
        cut(write_clip(folder / "whole.mp4", grey_frames(30), options=FASTSTART), keep=0.9, to=path)
    elif kind == "sound only":
        ffmpeg("-f", "lavfi", "-i", "sine=duration=0.3", "-c:a", "aac", path)
    elif kind == "no frames":
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
        writer.release()
    return path


REASONS = {
    "empty": "is empty",
    "text": "is text, not a video",
    "no index": "truncated",
    "cut after the index": "truncated",
    "sound only": "sound but no picture",
    "no frames": "no frames|no picture|not a video|truncated",
}


@pytest.mark.parametrize("kind", REASONS)
@pytest.mark.parametrize("how", ["even", "first"])
def test_broken_file_is_refused_with_a_reason(kind, how, tmp_path, clip):
    path = broken(kind, tmp_path, clip)
    with pytest.raises(VideoError, match=REASONS[kind]) as caught:
        read_frames(path, count=4, how=how)
    assert path.name in str(caught.value)
    with pytest.raises(VideoError, match=REASONS[kind]):
        clip_facts.read(path)


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"gone\.mp4"):
        read_frames("gone.mp4", count=1)


@pytest.mark.parametrize(("keep", "is_read"), [(0.93, True), (0.5, False)])
def test_header_that_promises_too_much(tmp_path, keep, is_read):
    whole = write_clip(
        tmp_path / "a.avi",
        grey_frames(30),
        options=("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "1"),
    )
    short = cut(whole, keep=keep, to=tmp_path / "short.avi")
    if not is_read:
        with pytest.raises(VideoError, match=r"ends after .* of 30 frames"):
            read_frames(short, count=30)
        return
    frames = read_frames(short, count=30)
    assert 27 <= len(frames) < 30
    np.testing.assert_array_equal(told_index(frames.pixels), frames.indices)


def test_centre_square_is_the_middle():
    pixels = np.zeros((2, 40, 61, 3), np.uint8)
    pixels[:, :, 10:50] = 9
    square = video.centre_square(pixels, size=20)
    assert square.shape == (2, 20, 20, 3)
    assert (square == 9).all()


def test_centre_square_equals_the_articles_crop():
    frame = np.random.default_rng(0).integers(0, 256, (51, 90, 3), dtype=np.uint8)
    start = 90 // 2 - 51 // 2
    expected = cv2.resize(frame[:, start : start + 51], (24, 24))
    np.testing.assert_array_equal(video.centre_square(frame, size=24), expected)


def test_facts_of_a_clip(tmp_path):
    path = write_clip(
        tmp_path / "full.mp4", grey_frames(30), fps=10, options=("-pix_fmt", "yuv444p")
    )
    facts = clip_facts.read(path)
    assert facts["frames"] == 30
    assert facts["seconds"] == 3
    assert (facts["width"], facts["height"]) == (64, 48)
    assert (facts["codec"], facts["pixel_format"]) == ("h264", "yuv444p")
    assert facts["audio"] is False
    assert facts["kbit_per_s"] == pytest.approx(path.stat().st_size * 8 / 3000, abs=0.1)


def test_sound_is_noticed(tmp_path, clip):
    path = tmp_path / "with_sound.mp4"
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "copy", path)
    assert clip_facts.read(path)["audio"] is True


def test_table_keeps_order_and_says_what_is_wrong(tmp_path, clip):
    paths = [broken("empty", tmp_path, clip), clip, tmp_path / "gone.mp4"]
    table = clip_facts.table(paths)
    assert table["videoname"].tolist() == ["empty.mp4", "clip.mp4", "gone.mp4"]
    assert table["readable"].tolist() == [False, True, False]
    assert table["frames"].isna().tolist() == [True, False, True]
    assert "empty" in table["reason"][0]
    assert "gone.mp4" in table["reason"][2]


def test_table_of_nothing_has_its_columns():
    assert "frames" in clip_facts.table([]).columns


def test_table_shows_a_bar_when_asked(clip, capsys):
    quiet = clip_facts.table(iter([clip]))
    assert capsys.readouterr().err == ""
    pd.testing.assert_frame_equal(clip_facts.table(iter([clip]), progress=True), quiet)
    assert "facts:" in capsys.readouterr().err


def test_two_clips_side_by_side_have_one_height_and_the_shorter_length():
    left, right = np.zeros((4, 20, 10, 3), np.uint8), np.full((6, 10, 20, 3), 9, np.uint8)
    both = video.side_by_side(left, right, height=10)
    assert both.shape == (4, 10, 5 + video.GAP + 20, 3)
    assert (both[..., :5, :] == 0).all()
    assert (both[..., -20:, :] == 9).all()
    assert (both[..., 5:-20, :] == 255).all()


def test_cues_are_the_facts_and_the_first_frame(tmp_path):
    frames = grey_frames(6)[2:]  # begins with grey 14
    facts = clip_facts.table([write_clip(tmp_path / "a.mp4", frames)])
    (cues,) = clip_facts.cues(facts.assign(path=[tmp_path / "a.mp4"])).to_dict("records")
    assert (cues["width [px]"], cues["frames per s"], cues["length [s]"]) == (64, 25, 0.16)
    assert cues["brightness [0-255]"] == pytest.approx(14, abs=2)
    assert cues["sharpness"] < 1
