import sys

import cv2
import numpy as np
import pytest
from faults.soak import resident_mb
from skimage import data

from nbhelpers.media import faces
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
