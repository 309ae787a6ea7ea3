"""Who is who in a clip."""

import numpy as np

from nbhelpers.predict.people import boxes_of, tracks_of


def face(left, *, side=10):
    return [left, 0, side, side]


def test_nobody():
    assert tracks_of([np.zeros((0, 5))] * 3) == []


def test_one_face_a_frame_is_one_person_wherever_it_goes():
    boxes = [np.array([face(0)]), np.zeros((0, 4)), np.array([face(500, side=80)])]
    assert tracks_of(boxes) == [[(0, 0), (2, 0)]]


def test_two_people_who_change_rows_stay_apart():
    boxes = [np.array([face(0), face(100)]), np.array([face(98), face(3)])]
    assert tracks_of(boxes) == [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]


def test_a_face_far_away_or_of_another_size_is_another_person():
    boxes = [np.array([face(0), face(100)]), np.array([face(0), face(300)])]
    assert [len(track) for track in tracks_of(boxes)] == [2, 1, 1]
    boxes = [np.array([face(0), face(100)]), np.array([face(0), face(100, side=30)])]
    assert [len(track) for track in tracks_of(boxes)] == [2, 1, 1]


def test_who_was_away_is_known_again():
    both, left = np.array([face(0), face(100)]), np.array([face(1)])
    assert [len(track) for track in tracks_of([both, left, left, both])] == [4, 2]


def test_people_are_named_from_left_to_right_and_passers_by_left_out():
    frames = [np.array([face(90), face(0)]), np.array([face(92)]), np.array([face(94)])]
    assert list(boxes_of(frames)) == ["person 1"]
    everybody = boxes_of(frames, least=0.3)
    assert everybody["person 1"][0, 0] == 0
    assert np.isnan(everybody["person 1"][1:]).all()
    assert everybody["person 2"][:, 0].tolist() == [90, 92, 94]
