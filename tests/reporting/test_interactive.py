"""The outputs of the interactive figures; test_figures_in_browser.py moves their sliders."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from tiny_figures import FIGURES, PICTURE, RISING, Y_SCORE, Y_TRUE, bundle_of

from nbhelpers.evaluation import calibration
from nbhelpers.reporting import interactive
from nbhelpers.reporting.interactive import curves, frame, people, pictures

mpl.use("agg")
NASTY = "<b>&'\"</script>"


class Seen(HTMLParser):
    """The states, the bound names, the pictures and the texts of a figure's HTML."""

    def __init__(self, page):
        super().__init__()
        self.bound, self.images, self.texts, self.tags = [], [], [], []
        self.states = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.states = json.loads(attrs["data-states"]) if "data-states" in attrs else self.states
        if "data-text" in attrs:
            self.bound.append(attrs["data-text"])
        if tag == "img":
            self.images.append(attrs)

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(params=FIGURES)
def bundle(request):
    return bundle_of(FIGURES[request.param])


def states_of(show):
    return Seen(bundle_of(show)["text/html"]).states


def test_a_figure_is_shown_in_three_forms(bundle):
    assert bundle.keys() == {"text/html", "image/jpeg", "text/plain", "alt"}
    with Image.open(io.BytesIO(base64.b64decode(bundle["image/jpeg"]))) as still:
        assert still.format == "JPEG"
        assert still.width >= 200
    assert bundle["text/plain"].endswith(".")
    assert bundle["text/plain"] in bundle["alt"]
    assert mpl.pyplot.get_fignums() == []


def test_a_figure_needs_no_network_and_meets_no_other(bundle):
    page = bundle["text/html"]
    assert len(page.encode()) <= frame.LIMIT
    plain = re.sub(r"base64,[^\"]+", "", page)
    assert "http" not in plain
    assert not re.search(r"\s(id|name|src|href|for)=(?!\"data:)", re.sub('src=""', "", plain))
    assert Seen(page).tags[-1] == "script"
    assert not re.search(r"\bwindow\.|\bvar |globalThis", frame.SCRIPT)


def test_controls_keep_their_keys_in_jupyterlab(bundle):
    controls = re.findall(r"<(?:input|select|button)\b[^>]*>", bundle["text/html"])
    assert controls
    assert all('data-lm-suppress-shortcuts="true"' in tag for tag in controls)


def test_script_and_markup_agree_on_every_name(bundle):
    seen = Seen(bundle["text/html"])
    assert len(seen.states) >= 3
    special = {"picture", "counts"}
    for state in seen.states:
        texts = {name for name in state if not name.startswith("--")} - special
        assert texts <= {*seen.bound, "value"}
        assert set(seen.bound) <= texts
    if "picture" in seen.states[0]:
        assert [state["picture"] for state in seen.states] == list(range(len(seen.images)))
    assert all(image["alt"] for image in seen.images)


@pytest.mark.parametrize(
    ("name", "changed", "times"),
    [
        ("wipe", {"labels": (NASTY, "b")}, 3),
        ("damage_gallery", {"damages": [NASTY, "b"]}, 3),
        ("damage_gallery", {"levels": [NASTY, "b"]}, 2),
        ("curve_with_pictures", {"x_label": NASTY}, 3),
        ("curve_with_pictures", {"y_label": NASTY}, 3),
    ],
)
def test_texts_are_escaped(name, changed, times):
    page = bundle_of(lambda: FIGURES[name](**changed))["text/html"]
    assert NASTY not in page
    assert page.count("</script>") == 1
    assert "".join(Seen(page).texts).count(NASTY) >= times


# ---------------------------------------------------------------- what they say


def test_prevalence_by_hand():
    states = states_of(FIGURES["prevalence"])
    at = people.SHARES.index(0.1)
    assert states[at]["counts"] == [90, 10, 90, 810]
    assert "180 fake: 90 fakes and 90 reals" in states[at]["sentence"]
    assert "right in 50.0% of cases" in states[at]["sentence"]
    assert all(sum(state["counts"]) == 1000 for state in states)
    accused = [state["counts"][2] for state in states]
    assert accused == sorted(accused, reverse=True)


def test_prevalence_at_the_ends():
    never = states_of(lambda: interactive.prevalence(sensitivity=0, specificity=1))
    assert all(state["sentence"].endswith("never raises an alarm.") for state in never)
    always = states_of(lambda: interactive.prevalence(sensitivity=1, specificity=0, people=100))
    assert always[-1]["counts"] == [50, 0, 50, 0]
    sure = states_of(lambda: interactive.prevalence(sensitivity=1, specificity=1))
    assert all("right in 100.0% of cases" in state["sentence"] for state in sure)


def test_threshold_counts_as_the_confusion_matrix_does():
    states = states_of(FIGURES["threshold"])
    for step in (0, 10, 35, 40, 41, 60, 95, 96, 100):
        counts = calibration.confusion(Y_TRUE, Y_SCORE, threshold=step / 100).to_numpy().ravel()
        names = ("real-real", "real-fake", "fake-real", "fake-fake")
        assert [int(states[step][name]) for name in names] == counts.tolist(), step


def test_threshold_rates_by_hand():
    at = states_of(FIGURES["threshold"])[50]  # 1 of 2 fakes caught, 1 of 3 reals accused
    assert at["accuracy"] == "60.0%"
    assert at["balanced"] == "58.3%"
    assert at["alarms"] == "33.3%"
    assert at["sentence"] == "At 0.50, 1 of 2 fakes are caught and 1 of 3 reals are accused."


def test_gallery_hides_the_damages_that_are_not_picked():
    every, jpeg, noise = states_of(FIGURES["damage_gallery"])
    assert [every["--row-0"], every["--row-1"]] == ["block", "block"]
    assert [jpeg["--row-0"], jpeg["--row-1"]] == ["block", "none"]
    assert noise["sentence"] == "noise, P(fake): mild 0.80, strong 0.10."
    assert every["sentence"] == "P(fake) runs from 0.10 (noise, strong) to 0.90 (JPEG, mild)."


def test_curve_picks_the_picture_of_the_point():
    states = states_of(FIGURES["curve_with_pictures"])
    assert [state["--x"] for state in states] == [0, 0.25, 0.5, 1]
    assert [state["--y"] for state in states] == [0.9, 0.7, 0.2, 0.1]
    assert states[2]["sentence"] == "share removed 0.5: P(fake) 0.2."


def test_curve_outside_0_to_1_and_constant():
    def show(y):
        interactive.curve_with_pictures([0, 1, 2, 3], y, pictures=RISING, x_label="x", y_label="y")

    assert [state["--y"] for state in states_of(lambda: show([-5, 0, 5, 5]))] == [0, 0.5, 1, 1]
    assert {state["--y"] for state in states_of(lambda: show([7, 7, 7, 7]))} == {0.5}


def test_the_still_of_a_curve_of_probabilities_shows_the_whole_range():
    still = curves._still(np.arange(4), np.array([1, 0.9, 0.8, 0.75]), RISING, "x", "P(fake)")
    low, high = still.axes[-1].get_ylim()
    mpl.pyplot.close(still)
    assert low <= 0 <= 1 <= high


def test_clip_places_boxes_and_leaves_out_what_is_not_known():
    states = states_of(FIGURES["clip"])
    assert states[0].items() >= {"--left": "25.0%", "--top": "50.0%", "--width": "50.0%"}.items()
    assert [state["--box"] for state in states] == ["visible", "hidden", "visible", "hidden"]
    assert [state["--dot"] for state in states] == ["visible", "hidden", "visible", "visible"]
    assert states[1]["sentence"] == "At 0.10 s: no score."
    without = states_of(lambda: FIGURES["clip"](boxes=None, p_fake=[np.nan] * 4))
    assert {state["--box"] for state in without} == {"hidden"}


def test_the_line_of_a_clip_is_broken_where_no_score_is():
    page = bundle_of(FIGURES["clip"])["text/html"]
    assert [len(points.split()) for points in re.findall(r'polyline points="([^"]+)"', page)] == [
        1,
        2,
    ]


# ---------------------------------------------------------------- sizes and errors


def test_pictures_shrink_until_they_fit():
    noise = np.random.default_rng(0).integers(0, 256, (12, 300, 300, 3), dtype=np.uint8)
    texts = pictures.encoded(noise)
    assert 0.4 * pictures.BUDGET < sum(map(len, texts)) <= pictures.BUDGET
    assert pictures.encoded(noise[:1], budget=10**6)[0] > ""
    with Image.open(io.BytesIO(base64.b64decode(texts[0]))) as small:
        assert 96 <= small.width < 300


def test_too_many_pictures_are_refused_with_a_number_that_fits():
    noise = np.random.default_rng(0).integers(0, 256, (40, 100, 100, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="Pass at most") as error:
        pictures.encoded(noise, budget=60_000)
    most = int(re.search(r"at most (\d+)", str(error.value))[1])
    every = int(re.search(r"every (\d+)", str(error.value))[1])
    assert sum(map(len, pictures.encoded(noise[::every], budget=60_000))) <= 60_000
    assert 40 / every <= most


def test_a_figure_that_is_too_large_is_refused():
    many = np.linspace(0, 1, 3000)
    tiny = np.zeros((3000, 2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match=r"(?s)Expected .* kB; received .* Pass"):
        interactive.curve_with_pictures(many, many, pictures=tiny, x_label="x", y_label="y")


F = interactive
GALLERY = np.zeros((2, 2, 4, 4, 3), np.uint8)
NAMES = {"damages": ["a", "b"], "levels": ["c", "d"]}
BAD = {
    "sensitivity in per cent": lambda: F.prevalence(sensitivity=90, specificity=0.9),
    "no specificity": lambda: F.prevalence(sensitivity=0.9, specificity=np.nan),
    "few people": lambda: F.prevalence(sensitivity=0.9, specificity=0.9, people=3),
    "half a person": lambda: F.prevalence(sensitivity=0.9, specificity=0.9, people=100.5),
    "float pictures": lambda: F.wipe(PICTURE / 255.0, PICTURE),
    "grey picture": lambda: F.wipe(PICTURE[..., 0], PICTURE),
    "two sizes": lambda: F.wipe(PICTURE, PICTURE[:20]),
    "one label": lambda: F.wipe(PICTURE, PICTURE, labels=["a"]),
    "one class": lambda: F.threshold([1, 1], [0.1, 0.2]),
    "labels as words": lambda: F.threshold(["REAL", "FAKE"], [0.1, 0.2]),
    "lengths": lambda: F.threshold([0, 1], [0.1, 0.2, 0.3]),
    "logits": lambda: F.threshold([0, 1], [-3.0, 7.3]),
    "unknown score": lambda: F.threshold([0, 1], [0.3, np.nan]),
    "threshold": lambda: F.threshold([0, 1], [0.3, 0.4], threshold=1.2),
    "gallery": lambda: F.damage_gallery(GALLERY[0], [0.1, 0.2], **NAMES),
    "gallery scores": lambda: F.damage_gallery(GALLERY, [[0.1, 0.2]], **NAMES),
    "damages": lambda: F.damage_gallery(GALLERY, np.zeros((2, 2)), **NAMES | {"damages": ["a"]}),
    "levels": lambda: F.damage_gallery(GALLERY, np.zeros((2, 2)), **NAMES | {"levels": ["a"]}),
    "x falls": lambda: F.curve_with_pictures(
        [1, 0], [1, 2], pictures=RISING[:2], x_label="x", y_label="y"
    ),
    "one point": lambda: F.curve_with_pictures(
        [1], [1], pictures=RISING[:1], x_label="x", y_label="y"
    ),
    "y unknown": lambda: F.curve_with_pictures(
        [0, 1], [1, np.nan], pictures=RISING[:2], x_label="x", y_label="y"
    ),
    "a picture missing": lambda: F.curve_with_pictures(
        [0, 1, 2], [1, 2, 3], pictures=RISING[:2], x_label="x", y_label="y"
    ),
    "times stand still": lambda: F.clip(RISING[:2], [1, 1], p_fake=[0.1, 0.2]),
    "one frame": lambda: F.clip(RISING[:1], [1], p_fake=[0.1]),
    "scores missing": lambda: F.clip(RISING[:2], [0, 1], p_fake=[0.1]),
    "score above 1": lambda: F.clip(RISING[:2], [0, 1], p_fake=[0.1, 1.2]),
    "boxes missing": lambda: F.clip(RISING[:2], [0, 1], p_fake=[0, 1], boxes=[None]),
    "box of five": lambda: F.clip(RISING[:2], [0, 1], p_fake=[0, 1], boxes=np.zeros((2, 5))),
}


@pytest.mark.parametrize("name", BAD)
def test_other_values_are_refused(name):
    """Each error has the rule, what was received, and what to do."""
    with pytest.raises(ValueError, match=r"Expected .*; received .*\. [A-Z].*\."):
        BAD[name]()
    assert mpl.pyplot.get_fignums() == []
