"""Pictures and clips are told apart by their first bytes, whatever their names."""

import pytest
from PIL import Image
from tiny_clips import ffmpeg, grey_frames, write_clip

from nbhelpers.media import kinds


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "gif", "tiff", "avif"])
def test_pictures(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    Image.new("RGB", (16, 16), (200, 30, 10)).save(path)
    assert kinds.kind_of(kinds.first_bytes(path)) == "picture"
    assert path.suffix in kinds.PICTURE_ENDINGS


@pytest.mark.parametrize(
    "ending", ["mp4", "mov", "avi", "mkv", "webm", "mpg", "flv", "ts", "m2ts", "mts"]
)
def test_clips(ending, tmp_path):
    source = write_clip(tmp_path / "source.mp4", grey_frames(5))
    path = tmp_path / f"a.{ending}"
    codec = {"webm": "libvpx", "mpg": "mpeg1video", "avi": "mjpeg"}.get(ending, "libx264")
    camcorder = ("-f", "mpegts", "-mpegts_m2ts_mode", "1") if ending in ("m2ts", "mts") else ()
    ffmpeg("-i", source, "-c:v", codec, "-strict", "unofficial", *camcorder, path)
    head = kinds.first_bytes(path)
    assert kinds.kind_of(head) == "clip"
    assert kinds.is_transport_stream(head) == (ending in ("ts", "m2ts", "mts"))
    assert path.suffix in kinds.CLIP_ENDINGS


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"GG is not a stream of packets" * 20])
def test_anything_else(content):
    assert kinds.kind_of(content) is None


def test_heic_is_a_picture():
    head = b"\0\0\0\x18ftypheic" + bytes(8)
    assert kinds.is_heic(head)
    assert kinds.kind_of(head) == "picture"
    assert not kinds.is_heic(b"\0\0\0\x18ftypisom")
