"""Files of one's own: found, told apart by their content, read as pixels."""

import os
import zlib

import numpy as np
import pytest
import tiny_faces
from PIL import Image
from tiny_clips import write_clip
from tiny_faces import save

from nbhelpers.common.errors import UsageError
from nbhelpers.predict import inputs
from nbhelpers.predict.inputs import InputError


def test_folders_are_searched_and_others_counted(tmp_path):
    for name in ("b.JPG", "a.png", "deep/er/c.mp4", ".hidden/d.jpg", ".e.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found, left_out = inputs.find_files([tmp_path / "a.png", tmp_path, tmp_path / "notes.txt"])
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["a.png", "b.JPG", "deep/er/c.mp4", "notes.txt"]
    assert left_out == 1


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing is at .*nobody\.jpg"):
        inputs.find_files([tmp_path / "nobody.jpg"])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="it has 1 other files"):
        inputs.find_files([tmp_path])


def test_a_pipe_is_refused_unopened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="a pipe or a device"):
        inputs.kind_of(tmp_path / "pipe.jpg")


def test_a_pattern_that_nothing_fits_is_explained(tmp_path):
    with pytest.raises(UsageError, match="fits the pattern"):
        inputs.find_files([tmp_path / "*.png"])


def test_pictures_of_phones_are_told_of_in_folders_too(tmp_path):
    (tmp_path / "a.heic").touch()
    assert inputs.find_files([tmp_path]) == ([tmp_path / "a.heic"], 0)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"RIFF\0\0\0\0WEBP", "picture"),
        (b"RIFF\0\0\0\0AVI ", "video"),
        (b"\0\0\0\x18ftypisom", "video"),
        (b"\x1aE\xdf\xa3", "video"),
    ],
)
def test_kind_is_read_off_the_content(tmp_path, content, kind):
    path = tmp_path / "misleading.txt"
    path.write_bytes(content + bytes(8))
    assert inputs.kind_of(path) == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"Dear diary, today", "neither a picture nor a video"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"RIFF\0\0\0\0WAVEfmt ", "neither a picture nor a video"),
    ],
)
def test_other_kinds_are_refused_in_a_sentence(tmp_path, content, said):
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        inputs.kind_of(path)


def test_pictures_are_turned_upright(tmp_path):
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = (200, 0, 0)  # red on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn a quarter clockwise to show
    path = save(tmp_path / "phone.png", pixels, exif=exif)
    upright = inputs.read_picture(path)
    assert upright.shape == (40, 20, 3)
    assert upright[:20, :, 0].min() == 200  # red on top
    assert upright[20:].max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    if mode == "I;16":
        picture = Image.fromarray(np.full((6, 8), 65535, np.uint16))
    else:
        picture = Image.new("RGB", (8, 6), "white").convert(mode)
    path = tmp_path / f"x.{'tif' if mode == 'CMYK' else 'png'}"
    picture.save(path)
    found = inputs.read_picture(path)
    assert found.shape == (6, 8, 3)
    assert found.dtype == np.uint8
    assert found.min() == 255


def test_transparency_becomes_white(tmp_path):
    path = tmp_path / "x.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert inputs.read_picture(path).min() == 255


def test_a_picture_of_100_megapixels_is_shrunk_or_refused(tmp_path):
    huge = Image.new("L", (10_000, 10_000), 128)
    huge.save(tmp_path / "huge.jpg", quality=50)
    assert inputs.read_picture(tmp_path / "huge.jpg").shape == (5000, 5000, 3)
    huge.save(tmp_path / "huge.png", compress_level=1)
    with pytest.raises(InputError, match="100 megapixels; more than 50"):
        inputs.read_picture(tmp_path / "huge.png")


def test_a_size_beyond_everything_is_refused_unread(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("L", (4, 4)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = (10**5).to_bytes(4, "big") * 2  # the header's width and height

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bomb\.png is far too large"):
        inputs.read_picture(path)


def test_a_damaged_picture_is_told_from_a_good_one(tmp_path):
    path = save(tmp_path / "x.jpg", tiny_faces.noise(200, 200))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"x\.jpg is a damaged picture"):
        inputs.read_picture(path)
    path.write_bytes(content[:4] + bytes(40))
    with pytest.raises(InputError, match=r"x\.jpg is (a damaged picture|damaged)"):
        inputs.read_picture(path)


def test_large_frames_are_shrunk_as_they_are_read(tmp_path):
    path = write_clip(tmp_path / "wide.mp4", np.zeros((2, 64, 2560, 3), np.uint8))
    clip = inputs.read_clip(path, count=2)
    assert clip.pixels.shape == (2, 48, 1920, 3)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="truncated"):
        inputs.read_clip(path, count=2)
