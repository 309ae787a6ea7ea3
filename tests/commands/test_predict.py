"""`predict`: scores of one's own files, as text, page and JSON."""

import json
import os
import shutil
from html.parser import HTMLParser

import pytest
import tiny_faces
from tiny_clips import write_clip
from tiny_faces import save

from nbhelpers import __main__ as command
from nbhelpers.commands import predict
from nbhelpers.common.errors import UsageError
from nbhelpers.common.html import NO_PROOF
from nbhelpers.data import locate
from nbhelpers.predict import detector as detectors


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory):
    return write_clip(
        tmp_path_factory.mktemp("clips") / 'it\'s a "clip".mp4', tiny_faces.portrait_clip()
    )


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A detector of one convolution, saved as notebook 03 does, without a card."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    inside = layers.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(inside))
    outside = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    path = tmp_path_factory.mktemp("runs") / "mine" / predict.MODEL
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


def test_predict_tells_of_every_file(files, model_file, tmp_path, capsys):
    report = tmp_path / "deep" / "report.html"
    code = command.main(
        [
            "predict",
            str(files),
            "--model",
            str(model_file),
            "--report",
            str(report),
            "--frames",
            "3",
        ]
    )
    assert code == 1  # two files have no score
    text = capsys.readouterr().out
    assert "face 1 of 2: P(fake)" in text
    assert "No face found in wall.png" in text
    assert "broken.jpg is" in text
    assert "mean of 3 frames with a face, of 3 looked at" in text
    assert "it has no card" in text
    assert NO_PROOF in text
    page = Page(report.read_text(encoding="utf-8"))
    assert page.headings == [str(path) for path in sorted(files.iterdir())]
    assert len(page.alts) == 2 * 2 + 2 * 2 + 1  # two faces and two frames with maps, a curve
    assert all(page.alts)
    assert all(source.startswith("data:image/") for source in page.sources)


def test_predict_for_programs(files, model_file, capsys):
    path = files / 'group "photo" & more.png'
    assert command.main(["predict", str(path), "--model", str(model_file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (one,) = told["files"]
    assert one["path"] == str(path)
    assert len(one["faces"]) == 2
    scores = [face["p_fake"] for face in one["faces"]]
    assert one["p_fake"] == max(scores)
    assert all(0 < score < 1 for score in scores)
    assert told["detector"]["has_card"] is False
    assert told["note"] == NO_PROOF


def test_predict_agrees_with_the_detector(model_file, tmp_path, capsys):
    crop = tiny_faces.crops(1)[0]
    path = save(tmp_path / "crop.png", crop)
    command.main(["predict", str(path), "--model", str(model_file), "--json", "--crops"])
    told = json.loads(capsys.readouterr().out)
    expected = detectors.load(model_file).p_fake([crop])[0]
    assert told["files"][0]["p_fake"] == pytest.approx(expected, abs=1e-6)


def test_the_newest_of_ones_own_runs_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    with pytest.raises(UsageError, match="python -m nbhelpers run 03"):
        predict.find_model("")
    for age, name in ((200, "old"), (100, "new")):
        path = tmp_path / "runs" / name / predict.MODEL
        path.parent.mkdir(parents=True)
        path.touch()

        os.utime(path, (10_000 - age, 10_000 - age))
    assert predict.find_model("").parent.name == "new"
    with pytest.raises(UsageError, match=r"nothing is at 'no\.keras'"):
        predict.find_model("no.keras")


def test_predict_reads_the_card(tmp_path, model_file, capsys):
    facts = {"data": {"name": "mine", "is_sample": False}}
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
    assert command.main(["predict", str(crop), "--model", str(path), "--crops"]) == 0
    text = capsys.readouterr().out
    assert "trained on mine." in text
    assert "Threshold 0.25 on P(fake), chosen on the validation people" in text
    score = detectors.load(path).p_fake(tiny_faces.crops(1))[0]
    assert f"P(fake) {score:.2f}, at or above the threshold" in text
    path.with_suffix(".card.json").write_text("{}")
    assert command.main(["predict", str(crop), "--model", str(path)]) == 2
    assert "error: Expected a card" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--frames", "0"], ["--frames", "x"]])
def test_predict_refuses_odd_numbers(words, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["predict", "x.jpg", *words])
    assert stop.value.code == 2
    assert "from 1 to 1000" in capsys.readouterr().err


def test_predict_refuses_before_it_judges(files, model_file, tmp_path, capsys):
    assert command.main(["predict", str(tmp_path / "no.jpg"), "--model", str(model_file)]) == 2
    assert command.main(["predict", str(files), "--model", str(files / "wall.png")]) == 2
    assert "error: Expected a Keras model file" in capsys.readouterr().err
    words = ["predict", str(files), "--model", str(model_file), "--margin", "9"]
    assert command.main(words) == 2
