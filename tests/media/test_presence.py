"""presence: how many faces, how often none, and how much a person was changed."""

import numpy as np
from tiny_clips import grey_frames, write_clip

from nbhelpers.media import faces, presence


def test_faces_are_counted_frame_by_frame(tmp_path, monkeypatch):
    paths = [
        write_clip(tmp_path / name, grey_frames(count))
        for name, count in {"a.mp4": 30, "b.mp4": 3}.items()
    ]

    def find_faces(frame):  # dark frames show two faces, light ones none
        return ["face", "face"] if frame.mean() < 100 else []

    monkeypatch.setattr(faces, "find_faces", find_faces)
    counts = presence.count_faces(paths, frames=3).set_index("videoname")
    # Of 30 frames, the middles of three stretches: 5, 15 and 25, grey 35, 105 and 175.
    assert counts.loc["a.mp4"].tolist() == [3, 2, 0]
    assert counts.loc["b.mp4"].tolist() == [3, 0, 2]
    assert list(counts) == ["looked_at", "without_face", "people"]


def test_no_clips_give_an_empty_table():
    assert list(presence.count_faces([])) == ["videoname", "looked_at", "without_face", "people"]


def test_change_is_measured_inside_the_box_where_there_is_one():
    before = np.zeros((2, 10, 10, 3), np.uint8)
    after = before.copy()
    after[0, :5, :5] = 8
    boxes = np.array([[-5.0, -5, 10, 10], [np.nan] * 4])  # reaches beyond the picture
    assert presence.change_inside(before, after, boxes=boxes) == 8
    assert presence.change_inside(before, after, boxes=boxes + np.array([10, 10, 0, 0])) == 0
    assert np.isnan(presence.change_inside(before, after, boxes=boxes[1:]))
