import sys

import cv2
import numpy as np
import pytest
import tiny_faces
from faults.soak import resident_mb
from skimage import data

from nbhelpers.media import faces, mtcnn
from nbhelpers.media.video import Frames

FACE = data.astronaut()[20:180, 130:300]  # a public-domain portrait that scikit-image brings along


def scene(places, *, side=96, height=200, width=400, extra=()):
    """One picture with a face of the given side at every (x, y)."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for (x, y), this_side in [(place, side) for place in places] + list(extra):
        face = cv2.resize(FACE, (this_side, this_side), interpolation=cv2.INTER_AREA)
        picture[y : y + this_side, x : x + this_side] = face
    return picture


def clip_of(pictures, *, step=1, fps=25.0):
    return Frames(np.stack(pictures), step * np.arange(len(pictures)), fps)


def centre_x(boxes):
    return boxes[:, 0] + boxes[:, 2] / 2


def test_face_is_found_where_it_is():
    found = faces.detect_faces(scene([(150, 50)]))
    assert found.shape == (1, 5)
    x, y, width, height, confidence = found[0]
    assert 150 <= x < x + width <= 246
    assert 40 <= y < y + height <= 150
    assert confidence >= 99


def test_large_picture_gives_boxes_in_its_own_pixels():
    small = scene([(150, 50)])
    large = cv2.resize(small, None, fx=4, fy=4)
    ratio = faces.detect_faces(large)[0, :4] / faces.detect_faces(small)[0, :4]
    np.testing.assert_allclose(ratio, 4, rtol=0.15)


def test_no_face_no_box():
    assert faces.detect_faces(np.full((60, 80, 3), 128, np.uint8)).shape == (0, 5)


@pytest.mark.parametrize("frame", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3))])
def test_detector_refuses_what_is_no_picture(frame):
    with pytest.raises(ValueError, match="received"):
        faces.detect_faces(frame)


@pytest.mark.skipif(sys.platform != "linux", reason="reads this process's memory from /proc")
def test_detector_keeps_nothing_of_the_pictures_it_has_seen():
    picture = np.full((360, 640, 3), 90, np.uint8)  # 0.7 MB
    for _ in range(10):
        faces.detect_faces(picture)
    before = resident_mb()
    for _ in range(60):
        faces.detect_faces(picture)
    assert resident_mb() - before < 10


def test_track_follows_one_face_past_a_smaller_one():
    pictures = [scene([(40 + 20 * t, 50)], extra=[((330, 20), 48)]) for t in range(6)]
    track = faces.track_face(clip_of(pictures, step=25))
    assert track.found.all()
    np.testing.assert_allclose(np.diff(centre_x(track.boxes)), 20, atol=6)


def test_missed_frame_is_filled_in_between_its_neighbours():
    pictures = [scene([(40 + 20 * t, 50)]) for t in range(5)]
    pictures[2] = scene([])
    track = faces.track_face(clip_of(pictures, step=25))
    assert track.found.tolist() == [True, True, False, True, True]
    assert track.confidence[2] == 0
    between = centre_x(track.boxes)[[1, 3]].mean()
    assert centre_x(track.boxes)[2] == pytest.approx(between, abs=1)


def test_face_far_away_is_another_face():
    pictures = [scene([(20, 50)]), scene([(300, 50)]), scene([(20, 50)])]
    track = faces.track_face(clip_of(pictures, step=25))
    assert track.found.sum() < 3
    assert np.ptp(centre_x(track.boxes)) < 10


def test_boxes_are_calmed_in_neighbouring_frames_only():
    seen = np.array([[50 + 4 * (t % 2), 50, 40, 40] for t in range(12)], float)
    found = np.ones(12, bool)
    near = faces._fill_and_smooth(seen, found, np.arange(12) / 25)
    apart = faces._fill_and_smooth(seen, found, np.arange(12.0))
    assert np.ptp(near[2:-2, 0]) < 1
    np.testing.assert_allclose(apart, seen)


@pytest.mark.parametrize(
    "box", [[-20, -10, 60, 60], [80, 30, 60, 60], [10, 10, 500, 20], [50, 40, 1, 1]]
)
def test_square_stays_inside_the_picture(box):
    left, top, side = faces.face_square(np.array(box, float), height=80, width=100, margin=0.2)
    assert side >= 1
    assert 0 <= left <= left + side <= 100
    assert 0 <= top <= top + side <= 80


def test_crops_show_the_face():
    pictures = [scene([(40 + 30 * t, 50)]) for t in range(4)]
    crops, report = faces.crop_faces(clip_of(pictures, step=25), size=64, margin=0.1)
    assert crops.shape == (4, 64, 64, 3)
    assert crops.dtype == np.uint8
    assert (report.crop, report.found, report.frames) == ("face", 4, 4)
    grey = (crops == 90).all(axis=-1).mean()
    assert grey < 0.35
    assert np.abs(crops[0].astype(int) - crops[3]).mean() < 15


def test_clip_without_a_face_falls_back_to_the_centre_and_says_so():
    pictures = np.random.default_rng(0).integers(0, 60, (3, 50, 80, 3), dtype=np.uint8)
    crops, report = faces.crop_faces(clip_of(pictures), size=32)
    assert report.crop == "centre"
    assert report.found == 0
    assert np.isnan(report.track.boxes).all()
    np.testing.assert_array_equal(crops[0], cv2.resize(pictures[0][:, 15:65], (32, 32)))


def person(turns=0, *, side=160, number=0):
    """uint8 (300, 400, 3): a face of the sample on a quiet wall, turned counter-clockwise."""
    picture = np.full((300, 400, 3), 150, np.uint8)
    crop = tiny_faces.crops(number + 1)[number]
    picture[60 : 60 + side, 120 : 120 + side] = cv2.resize(
        crop, (side, side), interpolation=cv2.INTER_AREA
    )
    return np.ascontiguousarray(np.rot90(picture, turns))


def test_landmarks_lie_where_an_upright_face_has_them():
    face = faces.largest_face(faces.find_faces(person()))
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert face.box[0] < left_eye[0] < nose[0] < right_eye[0] < face.box[0] + face.box[2]
    assert face.box[1] < left_eye[1] < nose[1] < left_mouth[1] < face.box[1] + face.box[3]
    assert left_mouth[0] < right_mouth[0]
    assert abs(face.roll) < 10


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_face_that_lies_is_found_and_set_upright(turns, number):
    upright = faces.largest_face(faces.find_faces(person(number=number)))
    picture = person(turns, number=number)
    face = faces.largest_face(faces.find_faces(picture, turned=True))
    assert face.turns == (4 - turns) % 4
    assert (face.roll + 90 * turns + 180) % 360 - 180 == pytest.approx(upright.roll, abs=1)
    expected = faces.crop_face(person(number=number), upright, size=64)
    difference = faces.crop_face(picture, face, size=64).astype(int) - expected
    assert np.abs(difference).mean() < 2


def test_upright_faces_are_the_same_with_and_without_turning():
    plain, turned = (faces.find_faces(person(), turned=turned) for turned in (False, True))
    assert [face.turns for face in turned] == [0] * len(plain)
    np.testing.assert_array_equal(turned[0].box, plain[0].box)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_crops_of_a_clip_that_lies_are_upright(turns):
    clip = clip_of([person(turns)] * 3)
    crops, report = faces.crop_faces(clip, size=64)
    assert report.track.turns == (4 - turns) % 4
    expected, _ = faces.crop_faces(clip_of([person()] * 3), size=64)
    assert np.abs(crops.astype(int) - expected).mean() < 2


def test_small_faces_in_a_large_photo_are_found_where_the_caller_asks():
    photo = np.full((3000, 4000, 3), 150, np.uint8)
    places = [(500, 400), (2000, 1500), (3500, 2700)]
    for (x, y), crop in zip(places, tiny_faces.crops(3), strict=True):
        photo[y : y + 54, x : x + 54] = cv2.resize(crop, (54, 54), interpolation=cv2.INTER_AREA)
    assert faces.smallest_face(3000, 4000) > 54
    found = faces.find_faces(photo, smallest=36)
    centres = sorted(tuple(face.box[:2] + face.box[2:] / 2) for face in found)
    np.testing.assert_allclose(centres, np.add(places, 27), atol=10)
    assert all(36 <= face.box[3] <= 54 for face in found)


def test_face_that_fills_the_picture_is_found():
    crop = tiny_faces.crops(1)[0][56:168, 56:168]
    assert len(mtcnn.detect(crop, smallest=20).scores) == 0, "choose a tighter crop"
    (face,) = faces.find_faces(crop)
    assert face.box[3] > 0.8 * len(crop)


def test_no_face_in_noise_and_texture():
    for picture in (tiny_faces.noise(200, 300), data.brick(), data.gravel(), data.grass()):
        picture = np.dstack([picture] * 3) if picture.ndim == 2 else picture
        assert faces.find_faces(picture, turned=True) == []


def test_crop_does_not_keep_the_picture_alive():
    picture = person()
    face = faces.largest_face(faces.find_faces(picture))
    for size in (None, 32, faces.crop_face(picture, face).shape[0]):
        crop = faces.crop_face(picture, face, size=size)
        assert crop.base is None or crop.base.nbytes == crop.nbytes
        assert not np.shares_memory(crop, picture)


@pytest.mark.parametrize("smallest", [0, 11.9, float("nan")])
def test_size_that_the_networks_cannot_see_is_refused(smallest):
    with pytest.raises(ValueError, match="Enlarge"):
        faces.detect_faces(person(), smallest=smallest)


def test_largest_of_no_faces_is_none():
    assert faces.largest_face([]) is None
