"""file_checks: the first look that notices what is wrong."""

import pytest
from tiny_clips import grey_frames, write_clip

from nbhelpers.data import file_checks, locate

BROKEN = locate.project_root() / "data" / "sample" / "broken"


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("empty.mp4", "first bytes"),
        ("text.mp4", "first bytes"),
        ("truncated.mp4", "headers"),
        ("damaged.mp4", "every frame"),
    ],
)
def test_every_broken_clip_of_the_sample_is_noticed_where_it_breaks(name, look):
    depth = file_checks.by_depth([BROKEN / name])
    assert depth.index.tolist() == [name]
    assert depth.at[name, "noticed_by"] == look
    assert depth.at[name, "reason"]


def test_a_whole_clip_is_noticed_by_nobody(tmp_path):
    depth = file_checks.by_depth([write_clip(tmp_path / "whole.mp4", grey_frames(5))])
    assert depth.loc["whole.mp4"].tolist() == ["nobody", ""]
