"""The one decoder of pictures; odd and broken files are in tests/faults/test_bad_pictures.py."""

import numpy as np
import pytest
from PIL import Image

from nbhelpers.media import decode

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
