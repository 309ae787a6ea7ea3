"""What is said about a detector and its answers."""

import json

import numpy as np
import pytest
from tiny_models import Brightness

from nbhelpers.predict import wording
from nbhelpers.predict.detector import SAMPLE_MARGIN, Verdict
from nbhelpers.predict.scoring import Face, FileScore, Person, Square

SHARES = {
    "REAL": {str(Verdict.MANIPULATED): 0.05, str(Verdict.UNDECIDED): 0.3},
    "FAKE": {str(Verdict.MANIPULATED): 0.6, str(Verdict.UNDECIDED): 0.2},
}


def result_of(*scores, kind="picture", **more):
    crop = np.zeros((4, 4, 3), np.uint8)
    people = [Person([Face(Square(1, 2, 3), float("nan"), crop, score)]) for score in scores]
    return FileScore("a.jpg", kind, people, **more)


def test_words_about_the_detector():
    assert "no card" in " ".join(wording.about(Brightness()))
    sample = " ".join(wording.about(Brightness(data="deepfake-faces", is_sample=True)))
    assert "computer-generated people" in sample
    assert "never seen a real face" in sample
    nested = Brightness(data={"name": "deepfake-faces", "is_sample": True})
    assert " ".join(wording.about(nested)) == sample
    assert nested.margin == SAMPLE_MARGIN
    real = " ".join(wording.about(Brightness(data="mine", is_sample=False)))
    assert "never seen a real face" not in real
    three = " ".join(wording.about(Brightness(data="mine", borders=(0.2, 0.8))))
    assert "from 0.8 on" in three
    assert "below 0.2:" in three
    card = {"threshold": 0.5, "answer_shares": SHARES, "clips": {"answers": SHARES}}
    of_user = Brightness(**card, borders=(0.2, 0.8)).at(0.1)
    assert "You chose that border" in " ".join(wording.about(of_user))
    for kind in ("picture", "video"):  # the card's errors are those of its own borders
        assert wording.how_often(Verdict.MANIPULATED, of_user, kind=kind) == ""


@pytest.mark.parametrize(
    ("score", "borders", "verdict"),
    [
        (0.5, None, Verdict.MANIPULATED),
        (0.499, None, Verdict.NO_SIGN),
        (0.8, (0.2, 0.8), Verdict.MANIPULATED),
        (0.799, (0.2, 0.8), Verdict.UNDECIDED),
        (0.2, (0.2, 0.8), Verdict.UNDECIDED),
        (0.199, (0.2, 0.8), Verdict.NO_SIGN),
    ],
)
def test_three_answers(score, borders, verdict):
    assert Brightness(borders=borders).verdict(score) == verdict


def test_how_often_an_answer_was_wrong():
    detector = Brightness(answer_shares=SHARES, borders=(0.2, 0.8))
    assert "100 real faces" in wording.how_often(Verdict.MANIPULATED, detector)
    assert "about 5 get" in wording.how_often(Verdict.MANIPULATED, detector)
    undecided = wording.how_often(Verdict.UNDECIDED, detector)
    assert "100 real faces like those it was tested on, about 30" in undecided
    assert "100 fake ones, about 20" in undecided  # of 100 each: 30 and 20 are no parts of 100
    assert wording.how_often(Verdict.NO_SIGN, detector) == ""  # the card does not say
    assert wording.how_often(Verdict.MANIPULATED, detector, kind="video") == ""
    rare = {"REAL": {str(Verdict.MANIPULATED): 0.004}, "FAKE": {str(Verdict.MANIPULATED): 0.3}}
    both = Brightness(answer_shares=rare, clips={"answers": SHARES})
    of_picture = wording.how_often(Verdict.MANIPULATED, both)
    assert "real faces like those it was tested on, fewer than 1 get" in of_picture
    assert of_picture.endswith("another source, about 5 do.")
    of_clip = wording.how_often(Verdict.MANIPULATED, both, kind="video")
    assert of_clip == "Of 100 real clips like the few it was tested on, about 5 get this answer."
    for shares in ({}, {"REAL": 3}, {"REAL": {str(Verdict.MANIPULATED): 10**400}}, None):
        odd = Brightness(answer_shares=shares)
        assert wording.how_often(Verdict.MANIPULATED, odd) == ""


@pytest.mark.parametrize(
    ("score", "text"), [(0.77, "0.77"), (0.7951, "0.795"), (0.79996, "0.8000"), (0.8, "0.80")]
)
def test_a_rounded_score_stays_on_its_side_of_the_border(score, text):
    assert wording.number(score, Brightness(borders=(0.2, 0.8))) == text


def test_the_answer_of_a_file_is_that_of_its_most_suspicious_face():
    text = wording.file_text(result_of(0.1, 0.9), Brightness())
    assert "looks manipulated: score 0.90 (face 2, the most suspicious of 2)" in text
    assert "face 1 of 2, from the left: no sign of manipulation" in text
    assert "face 2 of 2, from the left: looks manipulated, score 0.90" in text
    alone = wording.file_text(result_of(0.1), Brightness())
    assert "most suspicious" not in alone
    clip = wording.most_suspicious(result_of(0.1, 0.3, 0.2, kind="video"))
    assert clip == "person 2, the most suspicious of 3"


def test_records_are_plain_json():
    record = wording.file_record(result_of(0.1, 0.9), Brightness())
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["p_fake"] == 0.9
    assert record["answer"] == "looks manipulated"
    assert [person["answer"] for person in record["people"]][1] == "looks manipulated"
    nothing = wording.file_record(FileScore("a.jpg", "", reason="gone"), Brightness())
    assert (nothing["p_fake"], nothing["answer"], nothing["people"]) == (None, None, [])
    both = wording.all_records([record], Brightness(), files=2)
    assert both["complete"] is False
