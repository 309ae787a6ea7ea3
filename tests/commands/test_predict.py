"""`predict`: scores of one's own files, as text, page and JSON."""

import csv
import io
import json
import os
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
import tiny_faces
from tiny_faces import save

from nbhelpers import __main__ as command
from nbhelpers.common.html import NO_PROOF
from nbhelpers.networks import detector_files, models
from nbhelpers.predict import detector as detectors
from nbhelpers.predict import scoring


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A detector of one convolution, saved as notebook 03 does, without a card."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    inside = layers.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(inside))
    outside = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    path = tmp_path_factory.mktemp("runs") / "mine" / detector_files.OWN_MODEL
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
    # Three thumbnails, the group in large; two faces, two frames, each with its map; a curve.
    assert len(page.alts) == 3 + 1 + 2 * 2 + 2 * 2 + 1
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
    of_clip = [row for row in rows if row["kind"] == "video"]
    (person_score,) = {row["person_score"] for row in of_clip}  # the answer is about the mean
    assert float(person_score) == pytest.approx(np.mean([float(row["score"]) for row in of_clip]))


def test_one_form_of_output_at_a_time(files, capsys):
    with pytest.raises(SystemExit):
        predict(files, "--json", "--jsonl")
    assert "not allowed with" in capsys.readouterr().err


def test_many_files_show_progress_on_a_terminal(files, model_file, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    predict(files, "--model", model_file, "--frames", 1)
    assert f"0/{len(list(files.iterdir()))} [" in terminal.getvalue()
    quiet = io.StringIO()
    monkeypatch.setattr("sys.stderr", quiet)
    predict(files, "--model", model_file, "--frames", 1)
    assert "[" not in quiet.getvalue()


def test_a_list_of_files_comes_from_standard_input(files, model_file, monkeypatch, capsys):
    listed = "\n".join(str(path) for path in sorted(files.iterdir())[1:2])
    monkeypatch.setattr("sys.stdin", io.StringIO(listed + "\n\n"))
    assert predict("-", "--model", model_file, "--jsonl") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    for nothing in (io.StringIO(""), io.StringIO("\n \n"), None):
        monkeypatch.setattr("sys.stdin", nothing)
        assert predict("-", "--model", model_file) == 2


def test_listed_names_need_no_encoding(files, model_file, monkeypatch, capsys):
    name = os.fsencode(files) + b"/caf\xe9.png"
    shutil.copy(files / "wall.png", name)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(name + b"\r\n"), "utf-8"))
    assert predict("-", "--model", model_file, "--jsonl") == 1
    assert json.loads(capsys.readouterr().out)["path"] == os.fsdecode(name)


def test_a_link_to_nothing_ends_no_other_file(files, model_file, capsys):
    (files / "link.jpg").symlink_to(files / "gone.jpg")
    assert predict(files / "link.jpg", files / "wall.png", "--model", model_file, "--jsonl") == 1
    reasons = [json.loads(line)["reason"] for line in capsys.readouterr().out.splitlines()]
    assert "link.jpg is a link to nothing" in reasons[0]
    assert "No face found" in reasons[1]


def test_one_file_is_not_written_twice(files, model_file, tmp_path, capsys):
    target = tmp_path / "both"
    assert predict(files, "--model", model_file, "--report", target, "--csv", target) == 2
    assert "Expected two different files" in capsys.readouterr().err
    assert not target.exists()


def test_where_one_output_fails_the_others_are_written(files, model_file, tmp_path, capsys):
    folder = tmp_path / "gone"
    folder.mkdir()
    report, table = tmp_path / "r.html", folder / "t.csv"

    def removed(paths, **how):
        yield scoring.score_file(next(iter(paths)), **how)
        folder.rmdir()
        folder.touch()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scoring, "score_files", removed)
        words = ["--model", model_file, "--json", "--report", report, "--csv", table]
        assert predict(files, *words) == 2
    told = capsys.readouterr()
    assert len(json.loads(told.out)["files"]) == 1
    assert "t.csv cannot be written" in told.err
    assert Page(report.read_text()).headings == ["broken.jpg"]


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


def network_without_maps(form):
    """Detectors in whose layers no map can be drawn, or only with care."""
    import keras
    from keras import layers

    inside = layers.Input((32, 32, 3))
    if form == "flat":
        return keras.Sequential([inside, layers.Flatten(), layers.Dense(1, "sigmoid")])
    if form == "tokens":
        tokens = layers.GlobalAveragePooling1D()(layers.Dense(4)(layers.Reshape((16, 192))(inside)))
        return keras.Model(inside, layers.Dense(1, "sigmoid")(tokens))
    if form == "nested":
        base = keras.Sequential([inside, layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
        return keras.Sequential([layers.Input((32, 32, 3)), base, layers.Dense(1, "sigmoid")])
    if form == "half":
        features = layers.Conv2D(2, 3, dtype="mixed_float16")(inside)
        return keras.Model(
            inside, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling2D()(features))
        )
    if form == "dropout":
        features = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(inside))
        return keras.Model(inside, layers.Dropout(0.5)(layers.Dense(1, "sigmoid")(features)))
    return models.baseline_cnn(32)


@pytest.mark.parametrize("form", ["flat", "tokens", "nested", "half", "dropout", "baseline"])
def test_a_page_goes_on_without_maps(form, tmp_path, capsys):
    path = tmp_path / f"{form}.keras"
    network_without_maps(form).save(path)
    pictures = [save(tmp_path / "black.png", np.zeros((50, 50, 3), np.uint8))]
    pictures += [save(tmp_path / "long.jpg", np.full((1, 65500, 3), 90, np.uint8))]
    pictures += [save(tmp_path / "crop.png", tiny_faces.crops(1)[0])]
    report = tmp_path / "r.html"
    assert predict(*pictures, "--crops", "--model", path, "--report", report) == 0
    text = report.read_text(encoding="utf-8")
    assert Page(text).headings == [picture.name for picture in pictures]
    drawn = sum(alt.startswith("Map over") for alt in Page(text).alts)
    assert drawn + text.count("No map can be drawn for this detector.") == len(pictures)
    if form in ("flat", "tokens"):
        assert drawn == 0


def test_scores_are_those_of_the_detector(model_file, tmp_path, capsys):
    crop = tiny_faces.crops(1)[0]
    path = save(tmp_path / "crop.png", crop)
    predict(path, "--model", model_file, "--json", "--crops")
    record = json.loads(capsys.readouterr().out)["files"][0]
    expected = detectors.load(model_file).p_fake([crop])[0]
    assert record["p_fake"] == pytest.approx(expected, abs=1e-6)


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
    assert "below 0.2:" in text
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
