"""The page of `predict`: one file's part of it, and how it grows."""

import re
from pathlib import Path

import numpy as np
import pytest
import tiny_faces
from tiny_faces import save
from tiny_limits import largest_file
from tiny_models import Brightness

from nbhelpers.common.errors import UsageError
from nbhelpers.predict import report, scoring, sections
from nbhelpers.predict.detector import Verdict

DETECTOR = Brightness(borders=(0.2, 0.7))


def score(path, **how):
    return scoring.score_file(path, detector=DETECTOR, **how)


@pytest.fixture
def group(tmp_path):
    return score(save(tmp_path / "group.png", tiny_faces.group_photo(2)))


def alts(text):
    return re.findall(r'<img alt="([^"]*)"', text)


def test_a_group_is_one_answer_with_every_face_below(group):
    text = sections.section(group, DETECTOR)
    answer, inside = text.split('<div class="inside">')
    assert re.search("of face [12], the most suspicious of 2<", answer)
    assert "Show the faces<" in answer
    assert alts(answer) == ["The picture, with 2 numbered boxes around faces"]
    assert sum(alt.startswith("The face that was scored") for alt in alts(inside)) == 2
    assert "group.png" in text
    assert str(group.path.parent) not in text
    assert answer.startswith('<details class="file ')
    assert not answer.split(">")[0].endswith("open")  # details are folded


def test_a_picture_without_a_face_is_shown_with_the_reason(tmp_path):
    result = score(save(tmp_path / "wall.png", tiny_faces.noise(300, 400)))
    text = sections.section(result, DETECTOR)
    assert alts(text) == ["The picture, with no face found"]
    assert result.reason in text
    assert "--" not in text  # of the page, nobody can give an option
    small = save(tmp_path / "far.png", tiny_faces.group_photo(1, side=30))
    assert "--" not in score(small).reason


def test_what_cannot_be_read_has_a_reason_and_no_picture(tmp_path):
    (tmp_path / "diary.txt").write_text("Dear diary, today")
    text = sections.section(score(tmp_path / "diary.txt"), DETECTOR)
    assert alts(text) == []
    assert "neither a picture nor a video" in text


def test_a_map_looks_the_same_whatever_else_is_on_the_page(group, monkeypatch):
    """One scale, so that a face below the border does not glow because it is the brightest."""

    def maps(*heats):
        each = iter(heats)
        monkeypatch.setattr(sections, "_heat", lambda crop, detector: np.full((4, 4), next(each)))
        tags = re.findall(r'<img alt="Map over[^>]*>', sections.section(group, DETECTOR))
        assert len(tags) == 2
        return tags

    below, above = 0.3, 30.0
    assert maps(below, below)[0] == maps(below, above)[0]
    assert maps(below, above)[1] != maps(below, 10 * above)[1]  # and nothing is too bright for it


def many_faces(*scores, kind="picture"):
    crop = np.zeros((8, 8, 3), np.uint8)
    square = scoring.Square(1, 2, 3)
    people = [
        scoring.Person([scoring.Face(square, 99.0, crop, score, 0.5 * frame) for frame in range(2)])
        for score in scores
    ]
    return scoring.FileScore(Path("a"), kind, people, overview=crop, second=0.5)


@pytest.mark.parametrize("kind", ["picture", "video"])
def test_of_too_many_faces_the_most_suspicious_are_drawn(kind):
    """The answer is that of the last one, which would not be to be seen."""
    result = many_faces(*np.linspace(0.1, 0.9, sections.MOST_FACES + 3), kind=kind)
    text = sections.section(result, DETECTOR)
    drawn = [alt for alt in alts(text) if alt.startswith("The face that was scored")]
    assert len(drawn) == sections.MOST_FACES
    count = len(result.people)
    assert f" {count} of {count}" in drawn[-1]
    assert not any(f" 1 of {count}" in alt for alt in drawn)
    missing = count - len({re.search(r" \d+ of", alt)[0] for alt in drawn})
    assert f"{missing} more faces, less suspicious ones, are scored but not drawn." in text


def test_a_picture_says_whether_boxes_are_drawn(group):
    crop = scoring.FileScore(
        Path("crop.png"),
        "picture",
        [scoring.Person([scoring.Face(scoring.Square(0, 0, 0), 99.0, group.overview, 0.1)])],
        overview=group.overview,
    )
    text = sections.section(crop, DETECTOR)
    assert alts(text)[0] == "The picture, judged whole"
    assert "Show the face<" in text
    clip = many_faces(0.1, 0.2, kind="video")
    del clip.people[1].faces[1]  # is not to be seen at that second
    assert alts(sections.section(clip, DETECTOR))[0].endswith("with 1 numbered box around faces")


def test_each_person_of_a_clip_has_an_answer_and_single_frames_have_none():
    text = sections.section(many_faces(0.1, 0.9, kind="video"), DETECTOR)
    answers = re.findall(r"<p class=\"small\">(person [^<]*)</p>", text)
    assert [one.split(",")[0] for one in answers] == [
        f"person 1 of 2: {DETECTOR.verdict(0.1)}",
        f"person 2 of 2: {DETECTOR.verdict(0.9)}",
    ]
    captions = re.findall("<figcaption>(.*?)</figcaption>", text)
    assert all("score of its frames" in caption for caption in captions)
    assert not any(str(verdict) in caption for caption in captions for verdict in Verdict)


def test_the_colours_of_the_rulers_are_explained():
    assert re.findall("<span[^>]*>([^<]*)", sections.key_tag(DETECTOR)) == [
        "no sign of manipulation",
        "cannot tell",
        "looks manipulated",
    ]
    assert "cannot tell" not in sections.key_tag(Brightness())
    assert sections.key_tag(DETECTOR) in report.facts(DETECTOR)


def test_progress_is_told_step_by_step(clip_path, tmp_path):
    steps = []
    score(clip_path, frames=4, progress=lambda *at: steps.append(at))
    looks = [("looking for faces", share) for share in (0, 0.25, 0.5, 0.75)]
    assert steps == [("reading the clip", 0), *looks, ("scoring the faces", 0)]
    steps.clear()
    picture = save(tmp_path / "group.png", tiny_faces.group_photo(1))
    score(picture, progress=lambda *at: steps.append(at))
    assert steps == [("looking for faces", 0), ("scoring the faces", 0)]


# ---------------------------------------------------------------- the page


def test_a_report_can_be_read_while_it_grows(group, tmp_path):
    target = tmp_path / "deep" / "r.html"
    with report.Report(target, DETECTOR) as page:
        assert target.read_text("utf-8").startswith(report.page_beginning())
        for count in (1, 2):
            page.add(group)
            assert target.read_text("utf-8").count("<h2>group.png</h2>") == count
    text = target.read_text("utf-8")
    assert text.endswith("</html>\n")
    assert f"2 files: 2 {DETECTOR.verdict(group.p_fake)}." in text


def test_a_long_report_can_be_cut_to_one_answer(group, tmp_path):
    nobody = scoring.FileScore(Path("nobody.png"), "", reason="It is empty.")
    target = tmp_path / "r.html"
    with report.Report(target, DETECTOR) as page:
        page.add(group)
    assert 'type="radio"' not in target.read_text("utf-8")  # there is nothing to choose
    with report.Report(target, DETECTOR) as page:
        page.add(group)
        page.add(nobody)
    text = target.read_text("utf-8")
    kinds = set(re.findall(r'id="only-(\w+)"', text)) - {"all"}
    assert kinds == {re.search(r'class="file (\w+)"', text)[1], "none"}
    assert all(
        f"#only-{kind}:checked) .file:not(.{kind}) {{ display: none" in text for kind in kinds
    )


def test_what_the_disk_has_no_room_for_is_left_out_whole(group, tmp_path):
    target = tmp_path / "r.html"
    nobody = scoring.FileScore(Path("nobody.png"), "", reason="It is empty.")
    with report.Report(target, DETECTOR) as page:
        page.add(nobody)
        before = target.read_bytes()
        with largest_file(len(before) + 1000):
            page.add(group)
        assert target.read_bytes() == before
        page.add(nobody)
    text = target.read_text("utf-8")
    assert text.count("<h2>") == 2
    assert "3 files: " in text
    assert "1 of them could not be drawn: no room." in text


def test_a_report_that_cannot_begin_is_said(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match="cannot be written"),
        report.Report(tmp_path / "file" / "r.html", DETECTOR),
    ):
        pass
