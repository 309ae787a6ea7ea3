"""Pixels to faces to scores."""

import dataclasses

import cv2
import numpy as np
import pytest
import tiny_faces
from PIL import Image
from tiny_clips import ffmpeg, write_clip
from tiny_faces import save
from tiny_models import Brightness

from nbhelpers.predict import detector, scoring


def faces_of(result):
    """All faces that were scored, in order."""
    return [face for person in result.people for face in person.faces]


def test_a_face_crop_is_scored_whole(tmp_path):
    crop = tiny_faces.crops(1)[0]
    path = save(tmp_path / "crop.png", crop)
    result = scoring.score_file(path, detector=Brightness(is_sample=True))
    assert [face.square.side for face in faces_of(result)] == [0]
    assert result.p_fake == crop.mean() / 255
    assert result.reason == ""


def test_a_group_photo_gives_each_face_from_the_left(tmp_path):
    path = save(tmp_path / "group.png", tiny_faces.group_photo(3))
    result = scoring.score_file(path, detector=Brightness(is_sample=True))
    assert len(faces_of(result)) == 3
    for number, face in enumerate(faces_of(result)):
        left = number * 384 + 80  # where the crop was put
        middle = face.square.left + face.square.side / 2
        assert abs(middle - left - 112) < 30
        assert face.crop.shape == (face.square.side, face.square.side, 3)
        assert face.p_fake == face.crop.mean() / 255
    assert result.p_fake == max(face.p_fake for face in faces_of(result))


def test_a_face_just_too_small_is_not_said_to_be_large_enough(tmp_path, monkeypatch):
    """Rounded to the nearest pixel it read: 40 pixels high; below 40 there is too little."""
    almost = scoring.SMALLEST_FACE - 0.4
    box = np.array([5, 5, almost, almost])
    found = [scoring.faces.DetectedFace(box, 99.0, landmarks=np.zeros((5, 2)))]
    monkeypatch.setattr(scoring.faces, "find_faces", lambda *_, **__: found)
    path = save(tmp_path / "far.png", tiny_faces.noise(90, 90))
    result = scoring.score_file(path, detector=Brightness())
    assert result.people == []
    assert f"is {scoring.SMALLEST_FACE - 1} pixels high; below" in result.reason


def test_cuts_are_as_tight_as_the_training_faces(tmp_path):
    path = save(tmp_path / "one.png", tiny_faces.group_photo(1))
    sides = [
        scoring.score_file(path, detector=Brightness(is_sample=sample))
        .people[0]
        .faces[0]
        .square.side
        for sample in (True, False)
    ]
    assert sides[0] / sides[1] == pytest.approx(1.2, abs=0.02)
    wide = (
        scoring.score_file(path, detector=Brightness(), margin=0.2).people[0].faces[0].square.side
    )
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
    result = scoring.score_file(path, detector=Brightness())
    assert result.people == []
    assert result.reason.startswith("No face found in wall.png")
    whole = scoring.score_file(path, detector=Brightness(), are_crops=True)
    assert [face.square.side for face in faces_of(whole)] == [0]


def test_faces_of_a_few_pixels_are_not_scored(tmp_path):
    path = save(tmp_path / "far.png", tiny_faces.group_photo(2, side=36))
    result = scoring.score_file(path, detector=Brightness())
    assert result.people == []
    assert "below 40" in result.reason


def test_a_clip_of_one_person_gives_a_curve_and_its_mean(clip_path):
    result = scoring.score_file(clip_path, detector=Brightness(), frames=4)
    assert result.kind == "video"
    assert result.frames == 4
    np.testing.assert_allclose([face.second for face in faces_of(result)], [0.04, 0.16, 0.28, 0.40])
    assert result.p_fake == np.mean([face.p_fake for face in faces_of(result)])
    lefts = [face.square.left for face in faces_of(result)]
    assert lefts == sorted(lefts)
    assert lefts[-1] - lefts[0] == pytest.approx(18, abs=4)  # nine frames, two pixels each


def test_a_444_clip_and_a_turned_one_are_scored_alike(clip_path, tmp_path):
    full = tmp_path / "full.mp4"
    ffmpeg("-i", clip_path, "-pix_fmt", "yuv444p", "-crf", "4", full)
    lying, turned = tmp_path / "lying.mp4", tmp_path / "turned.mp4"
    ffmpeg("-i", clip_path, "-vf", "transpose=1", "-crf", "4", lying)  # a quarter clockwise
    ffmpeg("-display_rotation", "90", "-i", lying, "-c", "copy", turned)  # shown turned back
    expected = scoring.score_file(clip_path, detector=Brightness(), frames=3)
    for path in (full, turned):
        result = scoring.score_file(path, detector=Brightness(), frames=3)
        assert len(faces_of(result)) == 3, result.reason
        assert result.p_fake == pytest.approx(expected.p_fake, abs=0.02)
        for face, other in zip(faces_of(result), faces_of(expected), strict=True):
            assert face.square.left == pytest.approx(other.square.left, abs=8)
            assert face.square.top == pytest.approx(other.square.top, abs=8)


def test_a_clip_without_a_face_has_no_score(tmp_path):
    path = write_clip(tmp_path / "wall.mp4", np.full((5, 120, 160, 3), 90, np.uint8))
    result = scoring.score_file(path, detector=Brightness())
    assert result.people == []
    assert "in any of 5 frames of wall.mp4" in result.reason


def two_people(count=8):
    """uint8 (T, 360, 640, 3): two people who walk towards each other."""
    frames = np.full((count, 360, 640, 3), 150, np.uint8)
    first, second = (cv2.resize(crop, (160, 160)) for crop in tiny_faces.crops(2))
    for number, frame in enumerate(frames):
        frame[60:220, 20 + 6 * number : 180 + 6 * number] = first
        frame[100:260, 440 - 6 * number : 600 - 6 * number] = second
    return frames


def test_every_person_of_a_clip_is_scored(tmp_path):
    frames = two_people()
    frames[:, :, 320:] //= 3  # the one on the right stands in the dark
    path = write_clip(tmp_path / "two.mp4", frames)
    result = scoring.score_file(path, detector=Brightness(), frames=8)
    assert [len(person.faces) for person in result.people] == [8, 8]
    bright, dark = sorted((person.p_fake for person in result.people), reverse=True)
    assert bright > 2 * dark
    assert result.p_fake == bright
    for person in result.people:
        lefts = [face.square.left for face in person.faces]
        assert abs(lefts[-1] - lefts[0]) == pytest.approx(42, abs=8)  # seven steps of six pixels
    assert result.overview.shape == (360, 640, 3)


def test_crops_do_not_keep_their_picture_alive(tmp_path):
    path = save(tmp_path / "group.png", tiny_faces.group_photo(2))
    for face in faces_of(scoring.score_file(path, detector=Brightness())):
        assert face.crop.base is None


@pytest.mark.parametrize("score", [np.nan, -0.1, 1.5])
def test_a_score_that_is_none_is_an_error_of_the_file(tmp_path, score):
    class Odd(Brightness):
        def p_fake(self, pictures):
            return detector._checked_scores(np.full(len(pictures), score))

    path = save(tmp_path / "crop.png", tiny_faces.crops(1)[0])
    result = scoring.score_file(path, detector=Odd(), are_crops=True)
    assert result.people == []
    assert "Expected scores from 0 to 1" in result.reason


def test_what_nobody_expected_ends_one_file_only(tmp_path):
    class Moody(Brightness):
        def p_fake(self, pictures):
            if pictures[0].mean() < 100:
                raise MemoryError("no room")
            return super().p_fake(pictures)

    paths = [
        save(tmp_path / f"{level}.png", np.full((64, 64, 3), level, np.uint8))
        for level in (50, 200)
    ]
    bad, good = scoring.score_files(paths, detector=Moody(), are_crops=True)
    assert bad.reason == "50.png cannot be scored: MemoryError: no room."
    assert good.p_fake == pytest.approx(200 / 255)


def test_files_are_scored_when_they_are_asked_for(tmp_path):
    paths = [save(tmp_path / "a.png", tiny_faces.crops(1)[0]), tmp_path / "gone.png"]
    results = scoring.score_files(paths, detector=Brightness(), are_crops=True)
    assert next(results).people
    save(paths[1], tiny_faces.crops(1)[0])
    assert next(results).people


def test_notes_stay_where_there_is_no_face(tmp_path):
    walls = [Image.fromarray(tiny_faces.noise(300, 400, seed=seed)) for seed in (0, 1)]
    for name in ("pages.tiff", "moving.gif"):
        walls[0].save(tmp_path / name, save_all=True, append_images=walls[1:])
        result = scoring.score_file(tmp_path / name, detector=Brightness())
        assert result.people == []
        assert "several pictures" in result.notes[0]
