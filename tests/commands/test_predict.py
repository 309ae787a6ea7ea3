"""`predict`: scores of one's own files, as text, page and JSON."""

import csv
import io
import json
import os
import shutil
from html.parser import HTMLParser

import pytest
import tiny_faces
from tiny_faces import save

from nbhelpers import __main__ as command
from nbhelpers.common.errors import UsageError
from nbhelpers.common.html import NO_PROOF
from nbhelpers.data import locate
from nbhelpers.predict import choosing, scoring
from nbhelpers.predict import detector as detectors


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A detector of one convolution, saved as notebook 03 does, without a card."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    inside = layers.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(inside))
    outside = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    path = tmp_path_factory.mktemp("runs") / "mine" / choosing.OWN_MODEL
    path.parent.mkdir()
    keras.Model(inside, outside).save(path)
    return path


@pytest.fixture
def files(tmp_path, clip_path):
    """A folder of everything that people have."""
    folder = tmp_path / "my <files>"
    folder.mkdir()
    save(folder / 'group "photo" & more.png', tiny_faces.group_photo(2))
    save(folder / "wall.png", tiny_faces.noise(300, 400))
    shutil.copy(clip_path, folder)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    return folder


class Page(HTMLParser):
    """What a browser would make of a page: headings, alt texts, addresses."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.alts, self.sources, self._inside = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self._inside = tag == "h2"
        if tag == "img":
            self.alts.append(attributes["alt"])
        self.sources += [attributes[key] for key in ("src", "href") if key in attributes]

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.headings.append(data)


def rows_of(table):
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def predict(*words):
    return command.main(["predict", *map(str, words)])


def test_every_file_gets_an_answer(files, model_file, tmp_path, capsys):
    report = tmp_path / "deep" / "report.html"
    assert predict(files, "--model", model_file, "--report", report, "--frames", 3) == 1
    text = capsys.readouterr().out
    assert "face 1 of 2, from the left: " in text
    assert "No face found in wall.png" in text
    assert "broken.jpg is" in text
    assert "mean of 3 frames of 3 looked at" in text
    assert "it has no card" in text
    assert NO_PROOF in text
    page = Page(report.read_text(encoding="utf-8"))
    assert page.headings == [path.name for path in sorted(files.iterdir())]
    # Two overviews; two faces and two frames, each with its map; a curve.
    assert len(page.alts) == 2 + 2 * 2 + 2 * 2 + 1
    assert all(page.alts)
    assert all(source.startswith("data:image/") for source in page.sources)


def test_an_answer_for_programs(files, model_file, capsys):
    path = files / 'group "photo" & more.png'
    assert predict(path, "--model", model_file, "--json") == 0
    everything = json.loads(capsys.readouterr().out)
    (record,) = everything["files"]
    assert record["path"] == str(path)
    scores = [person["p_fake"] for person in record["people"]]
    assert len(scores) == 2
    assert record["p_fake"] == max(scores)
    assert everything["complete"] is True
    assert everything["detector"]["has_card"] is False
    assert everything["note"] == NO_PROOF


def test_a_line_a_file(files, model_file, capsys):
    assert predict(files, "--model", model_file, "--jsonl", "--frames", 2) == 1
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["path"] for record in records] == [str(path) for path in sorted(files.iterdir())]


def test_a_row_a_face(files, model_file, tmp_path):
    table = tmp_path / "faces.csv"
    assert predict(files, "--model", model_file, "--csv", table, "--frames", 2) == 1
    rows = rows_of(table)
    assert [row["person"] for row in rows] == ["", "1", "2", "1", "1", ""]
    assert "No face found" in rows[-1]["reason"]


def test_a_list_of_files_comes_from_standard_input(files, model_file, monkeypatch, capsys):
    listed = "\n".join(str(path) for path in sorted(files.iterdir())[1:2])
    monkeypatch.setattr("sys.stdin", io.StringIO(listed + "\n\n"))
    assert predict("-", "--model", model_file, "--jsonl") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert predict("-", "--model", model_file) == 2


@pytest.mark.parametrize("option", ["--report", "--csv"])
def test_nobodys_file_is_replaced(files, model_file, option, capsys):
    picture = files / "wall.png"
    before = picture.read_bytes()
    for words in ([files, option, picture], [files / "broken.jpg", option, picture]):
        assert predict(*words, "--model", model_file) == 2
        assert picture.read_bytes() == before
    assert "would be lost" in capsys.readouterr().err


def test_what_was_scored_before_an_interruption_is_written(
    files, model_file, tmp_path, monkeypatch, capsys
):
    def interrupted(paths, **how):
        yield scoring.score_file(next(iter(paths)), **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(scoring, "score_files", interrupted)
    report, table = tmp_path / "r.html", tmp_path / "t.csv"
    assert (
        predict(files, "--model", model_file, "--json", "--report", report, "--csv", table) == 130
    )
    everything = json.loads(capsys.readouterr().out)
    assert everything["complete"] is False
    assert len(everything["files"]) == 1
    assert Page(report.read_text()).headings == ["broken.jpg"]
    assert len(rows_of(table)) == 1


def test_a_page_goes_on_without_maps(files, tmp_path, capsys):
    import keras
    from keras import layers

    path = tmp_path / "flat.keras"
    flat = [layers.Input((32, 32, 3)), layers.Flatten(), layers.Dense(1, "sigmoid")]
    keras.Sequential(flat).save(path)
    report = tmp_path / "r.html"
    predict(files, "--model", path, "--report", report, "--frames", 2)
    text = report.read_text(encoding="utf-8")
    assert "No map can be drawn for this detector." in text
    assert len(Page(text).headings) == 4


def test_scores_are_those_of_the_detector(model_file, tmp_path, capsys):
    crop = tiny_faces.crops(1)[0]
    path = save(tmp_path / "crop.png", crop)
    predict(path, "--model", model_file, "--json", "--crops")
    record = json.loads(capsys.readouterr().out)["files"][0]
    expected = detectors.load(model_file).p_fake([crop])[0]
    assert record["p_fake"] == pytest.approx(expected, abs=1e-6)


def test_which_detector_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    for given in (None, "latest", "bundled"):
        with pytest.raises(UsageError, match="python -m nbhelpers run 03"):
            choosing.detector_file(given)
    for age, name in ((200, "old"), (100, "new")):
        path = tmp_path / "runs" / name / choosing.OWN_MODEL
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (10_000 - age, 10_000 - age))
    assert choosing.detector_file().parent.name == "new"
    bundled = tmp_path / "data" / "detector" / "faces.keras"
    bundled.parent.mkdir(parents=True)
    bundled.touch()
    assert choosing.detector_file() == choosing.detector_file("bundled") == bundled
    assert choosing.detector_file("latest").parent.name == "new"
    with pytest.raises(UsageError, match=r"nothing is at 'no\.keras'"):
        choosing.detector_file("no.keras")


def test_the_card_is_read(tmp_path, model_file, capsys):
    facts = {"data": {"name": "mine", "is_sample": False}, "borders": {"low": 0.2, "high": 0.9}}
    path = tmp_path / "carded.keras"
    detectors.save(
        detectors.load(model_file).model,
        path,
        temperature=2.0,
        threshold=0.25,
        mirror=True,
        facts=facts,
    )
    crop = save(tmp_path / "crop.png", tiny_faces.crops(1)[0])
    assert predict(crop, "--model", path, "--crops") == 0
    text = capsys.readouterr().out
    assert "trained on mine." in text
    assert "below 0.20" in text
    score = detectors.load(path).p_fake(tiny_faces.crops(1))[0]
    assert f"cannot tell: score {score:.2f}" in text
    assert predict(crop, "--model", path, "--crops", "--threshold", 0.01) == 0
    assert f"looks manipulated: score {score:.2f}" in capsys.readouterr().out
    path.with_suffix(".card.json").write_text("{}")
    assert predict(crop, "--model", path) == 2
    assert "error: Expected a card" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--frames", "0"], ["--frames", "x"], ["--margin", "9"], ["--threshold", "nan"]],
)
def test_odd_numbers_are_refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["predict", "x.jpg", *words])
    assert stop.value.code == 2
    assert "expected a number from" in capsys.readouterr().err


def test_requests_are_refused_before_anything_is_scored(files, model_file, tmp_path, capsys):
    assert predict(tmp_path / "no.jpg", "--model", model_file) == 2
    assert predict(files, "--model", files / "wall.png") == 2
    assert capsys.readouterr().out == ""
