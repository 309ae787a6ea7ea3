import numpy as np
from tiny_faces import crops

from nbhelpers import selfblend


def test_landmarks_stand_where_eyes_and_mouth_are():
    for picture in crops(3):
        left, right, nose, *mouth = selfblend.landmarks(picture)
        assert left[0] < nose[0] < right[0]
        assert max(left[1], right[1]) < nose[1] < min(corner[1] for corner in mouth)


def test_no_face_gives_the_usual_landmarks():
    blank = np.full((224, 224, 3), 90, np.uint8)
    assert np.array_equal(selfblend.landmarks(blank), selfblend.USUAL_LANDMARKS)


def test_a_self_blended_picture_differs_and_stays_the_same_person():
    picture = crops(1)[0]
    points = selfblend.landmarks(picture)
    made = [selfblend.self_blended(picture, points, seed=seed) for seed in range(8)]
    assert np.array_equal(made[0], selfblend.self_blended(picture, points, seed=0))
    distances = [np.abs(one.astype(int) - picture).mean() for one in made]
    assert min(distances) > 0.2 and max(distances) < 40
    likeness = [np.corrcoef(one.ravel(), picture.ravel())[0, 1] for one in made]
    assert min(likeness) > 0.9


def test_only_one_side_of_the_seam_is_changed():
    """Inside or outside of the region, some pixels are those of the picture."""
    picture = crops(1)[0]
    points = selfblend.landmarks(picture)
    for seed in range(12):
        made = selfblend.self_blended(picture, points, seed=seed)
        same = (made == picture).all(axis=-1)
        if same[:8].mean() > 0.9:  # the surroundings are untouched: the face is not
            assert not same[80:150, 70:150].all()
            break
    else:
        raise AssertionError("no seed left the surroundings as they were")
