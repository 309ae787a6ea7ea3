"""JPEGs of which libjpeg would only warn are refused by name; good ones give the same pixels."""

import io

import numpy as np
import pytest
import tiny_faces
from PIL import Image, ImageOps

from nbhelpers.data import locate
from nbhelpers.media import decode


def encoded(picture, **options):
    memory = io.BytesIO()
    picture.save(memory, "JPEG", **{"quality": 90, **options})
    return memory.getvalue()


@pytest.fixture(scope="module")
def face():
    return Image.fromarray(tiny_faces.crops(1)[0])


def damaged(kind, content):
    middle = len(content) // 2
    head, tail = content[:middle], content[middle:]
    return {
        "cut": head,
        "cut, with an end mark": head + b"\xff\xd9",
        "without an end mark": content[:-2],
        "400 bytes zeroed": head + bytes(400) + tail[400:],
        "300 bytes lost": head + tail[300:],
        "a stray restart marker": head + b"\xff\xd4" + tail,
        "a stray frame header": head + b"\xff\xc3" + tail,
        "bytes before the end mark": content[:-2] + bytes(64) + b"abc\xff\xd9",
    }[kind]


DAMAGE = (
    "cut",
    "cut, with an end mark",
    "without an end mark",
    "400 bytes zeroed",
    "300 bytes lost",
    "a stray restart marker",
    "a stray frame header",
    "bytes before the end mark",
)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_refused_by_name(kind, options, face, tmp_path):
    if "progressive" in options and kind == "bytes before the end mark":
        pytest.skip("behind the last scan nothing is lost, and nothing is warned of")
    path = tmp_path / "photo.jpg"
    path.write_bytes(damaged(kind, encoded(face, **options)))
    with pytest.raises(decode.PictureError, match=r"^photo\.jpg is a damaged picture \(.{10,}\)"):
        decode.read(path)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_damage_is_refused_in_every_colour_space(mode, face, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(damaged("cut, with an end mark", encoded(face.convert(mode))))
    with pytest.raises(decode.PictureError, match=r"^photo\.jpg is a damaged"):
        decode.read(path)


@pytest.mark.parametrize("tail", [bytes(20), b"text" * 100, "itself"])
def test_what_follows_the_end_mark_is_no_damage(tail, face, tmp_path):
    """Phones append clips and second pictures there."""
    content = encoded(face)
    (tmp_path / "photo.jpg").write_bytes(content + (content if tail == "itself" else tail))
    plain = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(decode.read(tmp_path / "photo.jpg"), plain)


def test_pixels_of_good_files_are_what_pillow_gives():
    pictures = sorted((locate.project_root() / "data" / "sample").rglob("*.jpg"))[::10]
    assert len(pictures) > 50
    for path in pictures:
        with Image.open(path) as picture:
            np.testing.assert_array_equal(decode.read(path), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize(
    "options", [{"subsampling": 0}, {"subsampling": 1}, {"progressive": True}, {"quality": 20}]
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", range(10))
def test_pixels_of_every_jpeg_are_what_pillow_gives(orientation, mode, options, face, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(face.convert(mode).crop((0, 0, 101, 67)), exif=exif, **options)
    (tmp_path / "photo.jpg").write_bytes(content)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    assert upright.size == ((67, 101) if 5 <= orientation <= 8 else (101, 67))
    np.testing.assert_array_equal(decode.read(tmp_path / "photo.jpg"), np.asarray(upright))


def test_what_the_strict_decoder_does_not_know_is_left_to_pillow(face, tmp_path, monkeypatch):
    import simplejpeg

    def unknown(*arguments, **options):
        raise ValueError("Unsupported color conversion request")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", unknown)
    face.save(tmp_path / "photo.jpg", quality=90)
    assert decode.read(tmp_path / "photo.jpg").shape == (224, 224, 3)
