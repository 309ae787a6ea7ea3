"""The one decoder of pictures; odd and broken files are in tests/faults/test_bad_pictures.py."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from nbhelpers.media import decode, kinds

LEVELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5


def test_pixels_are_rgb_and_may_be_written_to(tmp_path):
    Image.fromarray(LEVELS).save(tmp_path / "a.png")
    pixels = decode.read(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels, LEVELS)
    pixels[0] = 0


def test_transparent_parts_are_white(tmp_path):
    clear = np.dstack([LEVELS, np.zeros((4, 4), np.uint8)])
    clear[2:, :, 3] = 255
    Image.fromarray(clear).save(tmp_path / "a.png")
    pixels = decode.read(str(tmp_path / "a.png"))
    assert (pixels[:2] == 255).all()
    np.testing.assert_array_equal(pixels[2:], LEVELS[2:])


def test_a_limit_holds_by_pixels_not_by_sides(tmp_path, monkeypatch):
    Image.fromarray(LEVELS).save(tmp_path / "a.png")
    monkeypatch.setattr(decode, "MOST_PIXELS", 16)
    assert decode.read(tmp_path / "a.png").shape == (4, 4, 3)
    monkeypatch.setattr(decode, "MOST_PIXELS", 15)
    with pytest.raises(decode.PictureError, match=r"a\.png has 4 x 4"):
        decode.read(tmp_path / "a.png")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing is at .*none\.jpg"):
        decode.read(tmp_path / "none.jpg")


def test_a_pipe_or_a_folder_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")  # opening it would wait for a writer
    for path in (tmp_path / "a.jpg", tmp_path):
        with pytest.raises(decode.PictureError, match="was not opened"):
            decode.read(path)


def test_pages_and_animations_are_described(tmp_path):
    page = Image.fromarray(LEVELS)
    other = Image.fromarray(255 - LEVELS)
    page.save(tmp_path / "one.png")
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[other, page])
    page.save(tmp_path / "moving.gif", save_all=True, append_images=[other])
    page.save(tmp_path / "camera.jpg", "MPO", save_all=True, append_images=[other])
    described = {path.stem: decode.describe(path) for path in tmp_path.iterdir()}
    assert described["one"] == decode.Description("PNG", 4, 4, 1)
    assert described["one"].note is None
    assert "first of its 3 pages" in described["pages"].note
    assert "first of its 2 pictures of an animation" in described["moving"].note
    assert described["camera"].note is None  # the second one is a preview, not another view


def heic(folder):
    path = folder / "IMG_1.jpg"  # phones' sync programs rename them
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(500))
    return path


def test_a_heic_picture_is_refused_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(kinds, "pillow_reads_heic", lambda: False)
    with pytest.raises(decode.PictureError, match=r"IMG_1\.jpg is a HEIC .* Export it as JPEG"):
        decode.read(heic(tmp_path))


def test_a_heic_picture_is_read_where_pillow_can(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "good.heic"
    colour = np.full((64, 64, 3), (200, 30, 10), np.uint8)
    heif.from_pillow(Image.fromarray(colour)).save(path, quality=95)
    assert np.abs(decode.read(path).astype(int) - colour).mean() < 4
    with pytest.raises(decode.PictureError, match="damaged"):
        decode.read(heic(tmp_path))


def test_without_the_strict_decoder_jpegs_are_still_read_and_one_warning_says_so(
    tmp_path, monkeypatch, caplog
):
    Image.fromarray(LEVELS.repeat(4, 0).repeat(4, 1)).save(tmp_path / "a.jpg", quality=95)
    strict = decode.read(tmp_path / "a.jpg")
    monkeypatch.setitem(sys.modules, "simplejpeg", None)  # not installed
    decode._warn_of_pillow.cache_clear()
    for _ in range(2):
        np.testing.assert_array_equal(decode.read(tmp_path / "a.jpg"), strict)
    assert caplog.text.count("simplejpeg is not installed") == 1


def test_threads_that_start_together_warn_once(tmp_path, monkeypatch):
    warnings = []

    def slow_warning(text):
        warnings.append(text)
        time.sleep(0.1)  # the other threads come by before the first has finished

    Image.fromarray(LEVELS).save(tmp_path / "a.jpg")
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    monkeypatch.setattr(decode.logger, "warning", slow_warning)
    decode._warn_of_pillow.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(decode.read, [tmp_path / "a.jpg"] * 4))
    assert len(warnings) == 1


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
def test_the_short_way_of_small_jpegs_gives_the_pixels_of_the_long_one(
    tmp_path, monkeypatch, mode, how
):
    noise = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(tmp_path / "a.jpg", quality=80, **how)
    short = decode._plain_jpeg(tmp_path / "a.jpg")
    monkeypatch.setattr(decode, "_plain_jpeg", lambda path: None)
    np.testing.assert_array_equal(short, decode.read(tmp_path / "a.jpg"))


def test_the_short_way_leaves_everything_else_to_the_long_one(tmp_path, monkeypatch):
    picture = Image.fromarray(LEVELS.repeat(8, 0).repeat(8, 1))
    exif = Image.Exif()
    exif[decode._ORIENTATION] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    picture.convert("CMYK").save(tmp_path / "four.jpg")
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "plain.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "plain.jpg").read_bytes()[:-200])
    for name in ("turned.jpg", "four.jpg", "a.png", "cut.jpg"):
        assert decode._plain_jpeg(tmp_path / name) is None, name
    assert decode._plain_jpeg(tmp_path / "plain.jpg") is not None
    monkeypatch.setattr(decode, "MOST_PIXELS", 32 * 32 - 1)
    assert decode._plain_jpeg(tmp_path / "plain.jpg") is None
