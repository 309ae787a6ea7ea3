"""Pixels to faces to scores."""

import dataclasses

import numpy as np
import pytest
import tiny_faces
from tiny_clips import ffmpeg, write_clip
from tiny_faces import save
from tiny_models import Brightness

from nbhelpers.predict import scoring


def test_a_face_crop_is_judged_whole(tmp_path):
    crop = tiny_faces.crops(1)[0]
    path = save(tmp_path / "crop.png", crop)
    judged = scoring.score_file(path, detector=Brightness(is_sample=True))
    assert [face.square.side for face in judged.faces] == [0]
    assert judged.p_fake == crop.mean() / 255
    assert judged.reason == ""


def test_a_group_photo_gives_each_face_from_the_left(tmp_path):
    path = save(tmp_path / "group.png", tiny_faces.group_photo(3))
    judged = scoring.score_file(path, detector=Brightness(is_sample=True))
    assert len(judged.faces) == 3
    for number, face in enumerate(judged.faces):
        left = number * 384 + 80  # where the crop was put
        middle = face.square.left + face.square.side / 2
        assert abs(middle - left - 112) < 30
        assert face.crop.shape == (face.square.side, face.square.side, 3)
        assert face.p_fake == face.crop.mean() / 255
    assert judged.p_fake == max(face.p_fake for face in judged.faces)


def test_cuts_are_as_tight_as_the_training_faces(tmp_path):
    path = save(tmp_path / "one.png", tiny_faces.group_photo(1))
    sides = [
        scoring.score_file(path, detector=Brightness(is_sample=sample)).faces[0].square.side
        for sample in (True, False)
    ]
    assert sides[0] / sides[1] == pytest.approx(1.2, abs=0.02)
    wide = scoring.score_file(path, detector=Brightness(), margin=0.2).faces[0].square.side
    assert wide / sides[1] == pytest.approx(1.4, abs=0.02)


@pytest.mark.parametrize(
    ("box", "shape", "square"),
    [
        ((30, 20, 160, 170, 90), (224, 224, 3), (0, 0, 0)),  # fills 0.76, with its margin 0.91
        ((30, 20, 100, 110, 90), (224, 224, 3), (14, 9, 132)),
        ((30, 20, 160, 170, 90), (224, 400, 3), (8, 3, 204)),  # large, but in a wide picture
    ],
)
def test_what_is_a_crop_already(box, shape, square):
    found = scoring.square_of(np.array(box, float), shape, margin=0.1)
    assert dataclasses.astuple(found) == square


def test_without_a_face_there_is_no_score(tmp_path):
    path = save(tmp_path / "wall.png", tiny_faces.noise(300, 400))
    judged = scoring.score_file(path, detector=Brightness())
    assert judged.faces == []
    assert judged.reason.startswith("No face found in wall.png")
    whole = scoring.score_file(path, detector=Brightness(), are_crops=True)
    assert [face.square.side for face in whole.faces] == [0]


def test_faces_of_a_few_pixels_are_not_judged(tmp_path):
    path = save(tmp_path / "far.png", tiny_faces.group_photo(2, side=36))
    judged = scoring.score_file(path, detector=Brightness())
    assert judged.faces == []
    assert "below 40" in judged.reason


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory):
    return write_clip(
        tmp_path_factory.mktemp("clips") / 'it\'s a "clip".mp4', tiny_faces.portrait_clip()
    )


def test_a_clip_gives_a_curve_and_its_mean(clip_path):
    judged = scoring.score_file(clip_path, detector=Brightness(), frames=4)
    assert judged.kind == "video"
    assert judged.frames == 4
    np.testing.assert_allclose([face.second for face in judged.faces], [0.04, 0.16, 0.28, 0.40])
    assert judged.p_fake == np.mean([face.p_fake for face in judged.faces])
    lefts = [face.square.left for face in judged.faces]
    assert lefts == sorted(lefts)
    assert lefts[-1] - lefts[0] == pytest.approx(18, abs=4)  # nine frames, two pixels each


def test_a_444_clip_and_a_turned_one_are_judged_alike(clip_path, tmp_path):
    full = tmp_path / "full.mp4"
    ffmpeg("-i", clip_path, "-pix_fmt", "yuv444p", "-crf", "4", full)
    lying, turned = tmp_path / "lying.mp4", tmp_path / "turned.mp4"
    ffmpeg("-i", clip_path, "-vf", "transpose=1", "-crf", "4", lying)  # a quarter clockwise
    ffmpeg("-display_rotation", "90", "-i", lying, "-c", "copy", turned)  # shown turned back
    expected = scoring.score_file(clip_path, detector=Brightness(), frames=3)
    for path in (full, turned):
        judged = scoring.score_file(path, detector=Brightness(), frames=3)
        assert len(judged.faces) == 3, judged.reason
        assert judged.p_fake == pytest.approx(expected.p_fake, abs=0.02)
        for face, other in zip(judged.faces, expected.faces, strict=True):
            assert face.square.left == pytest.approx(other.square.left, abs=4)
            assert face.square.top == pytest.approx(other.square.top, abs=4)


def test_a_clip_without_a_face_has_no_score(tmp_path):
    path = write_clip(tmp_path / "wall.mp4", np.full((5, 120, 160, 3), 90, np.uint8))
    judged = scoring.score_file(path, detector=Brightness())
    assert judged.faces == []
    assert "in any of 5 frames of wall.mp4" in judged.reason
