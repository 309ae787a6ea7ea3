"""What is said about a detector and its answers."""

from tiny_models import Brightness

from nbhelpers.predict import scoring, wording


def test_words_about_the_detector():
    assert "no card" in " ".join(wording.about(Brightness(), "x.keras"))
    sample = " ".join(wording.about(Brightness(data="deepfake-faces", is_sample=True), "x.keras"))
    assert "computer-generated people" in sample
    assert "never seen a real face" in sample
    nested = Brightness(data={"name": "deepfake-faces", "is_sample": True})
    assert " ".join(wording.about(nested, "x.keras")) == sample
    assert scoring.margin_of(nested) == scoring.SAMPLE_MARGIN
    real = " ".join(wording.about(Brightness(data="mine", is_sample=False), "x.keras"))
    assert "never seen a real face" not in real
    assert wording.answer(0.5, Brightness()) == "FAKE"
    assert wording.answer(0.499, Brightness()) == "REAL"
