"""Odd pictures are read right, by both readers; broken ones are refused with a reason."""

import json
import re
import warnings

import broken
import numpy as np
import pandas as pd
import pytest
import tiny_models
from PIL import Image

from nbhelpers import __main__ as command
from nbhelpers.data import locate, manifest
from nbhelpers.media import images
from nbhelpers.networks import pipelines


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return broken.good_pictures(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    return broken.bad_pictures(tmp_path_factory.mktemp("bad"))


def as_table(paths):
    names = [path.name for path in paths]
    return pd.DataFrame({"videoname": names, "label": "REAL", "path": [str(p) for p in paths]})


def test_odd_pictures_show_what_they_should(good):
    face = broken.upright().astype(int)
    for name, (path, tolerance) in good.items():
        pixels = images.read_image(path)
        assert pixels.dtype == np.uint8, name
        assert np.abs(pixels - face).mean() < tolerance, name
    # The measure can tell a turned or a discoloured picture from the right one.
    for wrong in (face[::-1], face[:, ::-1], face.transpose(1, 0, 2), face[..., ::-1], 255 - face):
        assert np.abs(wrong - face).mean() > 10


def test_training_sees_exactly_what_read_image_gives(good):
    import tensorflow as tf

    paths = [path for path, _ in good.values()]
    (streamed, _), *_ = pipelines.make_dataset(
        as_table(paths), image_size=112, batch_size=len(paths)
    )
    for path, pixels in zip(paths, streamed.numpy(), strict=True):
        expected = tf.image.resize(images.read_image(path), [112, 112], antialias=True)
        np.testing.assert_array_equal(pixels, np.clip(expected, 0, 255), err_msg=path.name)


def test_grey_and_tiny_and_long_pictures(tmp_path):
    levels = np.linspace(0, 255, 64, dtype=np.uint8)[None].repeat(8, axis=0)
    Image.fromarray(levels).save(tmp_path / "grey.png")
    Image.fromarray(levels.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    Image.fromarray(np.full((8, 8), 200, np.uint16)).save(tmp_path / "dark16.png")
    Image.fromarray(np.full((1, 1, 3), (9, 99, 199), np.uint8)).save(tmp_path / "dot.png")
    Image.fromarray(np.full((20, 20_000, 3), 77, np.uint8)).save(tmp_path / "long.png")
    for name in ("grey.png", "grey16.png"):
        np.testing.assert_array_equal(images.read_image(tmp_path / name)[..., 1], levels)
    assert images.read_image(tmp_path / "dark16.png").max() <= 1  # 200 of 65535: black
    assert images.read_image(tmp_path / "dot.png", size=4)[3, 3].tolist() == [9, 99, 199]
    assert images.read_image(tmp_path / "long.png").shape == (20, 20_000, 3)


def test_a_picture_of_unknown_range_is_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(images.PictureError, match=r"float\.tif has 32 bits per pixel"):
        images.read_image(tmp_path / "float.tif")


@pytest.mark.parametrize("name", broken.BAD_PICTURES)
def test_broken_pictures_are_refused_by_both_readers(bad, name):
    import tensorflow as tf

    reason = broken.BAD_PICTURES[name]
    with pytest.raises(images.PictureError, match=reason) as caught:
        images.read_image(bad[name])
    assert str(caught.value).startswith(name)
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(str(caught.value))):
        list(pipelines.make_dataset(as_table([bad[name]]), image_size=8))


@pytest.fixture(scope="module")
def face_set(good, bad, tmp_path_factory):
    """A data set of all of them."""
    root = tmp_path_factory.mktemp("set")
    (root / "faces_224").mkdir()
    lines = [broken.HEADER]
    for path in [path for path, _ in good.values()] + list(bad.values()):
        (root / "faces_224" / path.name).write_bytes(path.read_bytes())
        lines.append(f"{path.stem}.mp4,,,REAL,")
    (root / "metadata.csv").write_text("\n".join(lines))
    return root


def test_broken_pictures_are_findings_before_any_training(face_set, good):
    checked = manifest.read(face_set)
    findings = checked.findings.set_index("videoname")
    assert set(findings.index) == {f"{name.split('.')[0]}.mp4" for name in broken.BAD_PICTURES}
    assert set(findings["problem"]) == {"unreadable"}
    assert len(checked.table) == len(good)
    decoded = manifest.read(face_set, verify="decode")
    pd.testing.assert_frame_equal(decoded.findings, checked.findings)
    reason = findings["detail"]["truncated.mp4"]
    assert reason.startswith("cannot be decoded: truncated.jpg is a dam")
    assert findings["detail"]["huge.mp4"] == "far too large: 20000 x 20000 pixels"


def test_check_tells_them(face_set, capsys, tmp_path):
    table = tmp_path / "findings.csv"
    words = ["check", str(face_set), "--verify", "decode", "--csv", str(table)]
    assert command.main(words) == 1
    said = capsys.readouterr()
    count = len(broken.BAD_PICTURES)
    assert f"unreadable: {count}" in said.out
    assert "Traceback" not in said.out + said.err
    assert (pd.read_csv(table)["problem"] == "unreadable").sum() == count


def test_every_crop_of_the_sample_is_decoded_to_the_same_pixels_as_before():
    """To the last digit as TensorFlow's most accurate decoder, which read them until now."""
    import tensorflow as tf

    table = manifest.read(locate.find(locate.FACES, locate.project_root() / "data/sample")).table
    streamed = pipelines.make_dataset(table, image_size=224, batch_size=64)
    place = 0
    for pixels, _ in streamed:
        for picture in pixels.numpy():
            content = tf.io.read_file(table["path"][place])
            decoded = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
            np.testing.assert_array_equal(picture, decoded, err_msg=table["path"][place])
            place += 1
    assert place == len(table)


def test_pictures_of_the_right_size_are_as_if_resized(good):
    """Resizing to the same size changes nothing, so it is left out."""
    import tensorflow as tf

    pixels = images.read_image(good["plain.jpg"][0])
    resized = tf.image.resize(pixels, pixels.shape[:2], antialias=True)
    np.testing.assert_array_equal(resized, pixels.astype(np.float32))


def test_predict_scores_odd_pictures_alike_and_broken_ones_not_at_all(good, bad, tmp_path, capsys):
    model = tiny_models.colour_detector(tmp_path / "03_xception_transfer.keras")
    gif = tmp_path / "moving.gif"
    Image.fromarray(broken.upright()).save(
        gif, save_all=True, append_images=[Image.fromarray(255 - broken.upright())]
    )
    files = [path for path, _ in good.values()] + [*bad.values(), gif]
    words = ["predict", *map(str, files), "--crops", "--json", "--model", str(model)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert command.main(words) == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    told = {path.name: one for path, one in zip(files, json.loads(said.out)["files"], strict=True)}
    plain = told["plain.jpg"]["p_fake"]
    for name in good:
        assert told[name]["p_fake"] == pytest.approx(plain, abs=0.01), name
    assert told["moving.gif"]["p_fake"] == pytest.approx(plain, abs=0.05)  # 256 colours
    assert any("only the first is scored" in note for note in told["moving.gif"]["notes"])
    for name, reason in broken.BAD_PICTURES.items():
        assert told[name]["p_fake"] is None, name
        assert told[name]["people"] == []
        assert re.search(reason, told[name]["reason"]), told[name]["reason"]


def test_the_detector_of_this_test_can_tell_wrong_pictures(tmp_path):
    from nbhelpers.predict import detector

    model = detector.load(tiny_models.colour_detector(tmp_path / "m.keras"))
    face = broken.upright()
    plain, *others = model.p_fake(
        [face, face[::-1].copy(), face[..., ::-1].copy(), 255 - face, np.zeros_like(face)]
    )
    assert all(abs(other - plain) > 0.05 for other in others)
