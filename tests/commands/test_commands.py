"""The commands: one's own files, data checks, downloads, doctor, comparison."""

import argparse
import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_faces
import tiny_notebooks
import tiny_sets
from PIL import Image
from tiny_clips import ffmpeg, write_clip

from nbhelpers import __main__ as command
from nbhelpers.commands import check, compare, doctor, download, predict
from nbhelpers.common import native_logs
from nbhelpers.common.errors import UsageError
from nbhelpers.common.html import NO_PROOF
from nbhelpers.data import locate
from nbhelpers.networks import weights
from nbhelpers.predict import detector as detectors
from nbhelpers.predict import inputs, scoring, wording
from nbhelpers.predict.inputs import InputError

# ---------------------------------------------------------------- every command


@pytest.mark.parametrize("name", command.COMMANDS)
def test_help_has_examples_and_exit_codes(name, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([name, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m nbhelpers {name}" in text.split("examples:")[1]
    assert "Exit code: 0" in text


# ---------------------------------------------------------------- files -> pixels


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def test_folders_are_searched_and_others_counted(tmp_path):
    for name in ("b.JPG", "a.png", "deep/er/c.mp4", ".hidden/d.jpg", ".e.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found, left_out = inputs.find_files([tmp_path / "a.png", tmp_path, tmp_path / "notes.txt"])
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["a.png", "b.JPG", "deep/er/c.mp4", "notes.txt"]
    assert left_out == 1


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing is at .*nobody\.jpg"):
        inputs.find_files([tmp_path / "nobody.jpg"])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="found 1 other files"):
        inputs.find_files([tmp_path])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"RIFF\0\0\0\0WEBP", "picture"),
        (b"RIFF\0\0\0\0AVI ", "video"),
        (b"\0\0\0\x18ftypisom", "video"),
        (b"\x1aE\xdf\xa3", "video"),
    ],
)
def test_kind_is_read_off_the_content(tmp_path, content, kind):
    path = tmp_path / "misleading.txt"
    path.write_bytes(content + bytes(8))
    assert inputs.kind_of(path) == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"Dear diary, today", "neither a picture nor a video"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC or AVIF"),
        (b"RIFF\0\0\0\0WAVEfmt ", "neither a picture nor a video"),
    ],
)
def test_other_kinds_are_refused_in_a_sentence(tmp_path, content, said):
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        inputs.kind_of(path)


def test_pictures_are_turned_upright(tmp_path):
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = (200, 0, 0)  # red on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn a quarter clockwise to show
    path = save(tmp_path / "phone.png", pixels, exif=exif)
    upright = inputs.read_picture(path)
    assert upright.shape == (40, 20, 3)
    assert upright[:20, :, 0].min() == 200  # red on top
    assert upright[20:].max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    if mode == "I;16":
        picture = Image.fromarray(np.full((6, 8), 65535, np.uint16))
    else:
        picture = Image.new("RGB", (8, 6), "white").convert(mode)
    path = tmp_path / f"x.{'tif' if mode == 'CMYK' else 'png'}"
    picture.save(path)
    found = inputs.read_picture(path)
    assert found.shape == (6, 8, 3)
    assert found.dtype == np.uint8
    assert found.min() == 255


def test_transparency_becomes_white(tmp_path):
    path = tmp_path / "x.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert inputs.read_picture(path).min() == 255


def test_a_picture_of_100_megapixels_is_shrunk_or_refused(tmp_path):
    huge = Image.new("L", (10_000, 10_000), 128)
    huge.save(tmp_path / "huge.jpg", quality=50)
    assert inputs.read_picture(tmp_path / "huge.jpg").shape == (5000, 5000, 3)
    huge.save(tmp_path / "huge.png", compress_level=1)
    with pytest.raises(InputError, match="100 megapixels; more than 50"):
        inputs.read_picture(tmp_path / "huge.png")


def test_a_size_beyond_everything_is_refused_unread(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("L", (4, 4)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = (10**5).to_bytes(4, "big") * 2  # the header's width and height
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bomb\.png is far too large"):
        inputs.read_picture(path)


def test_a_damaged_picture_is_told_from_a_good_one(tmp_path):
    path = save(tmp_path / "x.jpg", tiny_faces.noise(200, 200))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"x\.jpg is a damaged picture"):
        inputs.read_picture(path)
    path.write_bytes(content[:4] + bytes(40))
    with pytest.raises(InputError, match=r"x\.jpg is (a damaged picture|damaged)"):
        inputs.read_picture(path)


def test_large_frames_are_shrunk_as_they_are_read(tmp_path):
    path = write_clip(tmp_path / "wide.mp4", np.zeros((2, 64, 2560, 3), np.uint8))
    clip = inputs.read_clip(path, count=2)
    assert clip.pixels.shape == (2, 48, 1920, 3)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="truncated"):
        inputs.read_clip(path, count=2)


# ---------------------------------------------------------------- pixels -> faces -> scores


class Brightness:
    """A detector that calls bright what is fake."""

    threshold, temperature, image_size = 0.5, 1.0, 32

    def __init__(self, **card):
        self.card = card

    def p_fake(self, pictures):
        return np.array([picture.mean() / 255 for picture in pictures])


def test_a_face_crop_is_judged_whole(tmp_path):
    crop = tiny_faces.crops(1)[0]
    path = save(tmp_path / "crop.png", crop)
    judged = scoring.score_file(path, detector=Brightness(is_sample=True))
    assert [face.square.side for face in judged.faces] == [0]
    assert judged.p_fake == crop.mean() / 255
    assert judged.reason == ""


def test_a_group_photo_gives_each_face_from_the_left(tmp_path):
    path = save(tmp_path / "group.png", tiny_faces.group_photo(3))
    judged = scoring.score_file(path, detector=Brightness(is_sample=True))
    assert len(judged.faces) == 3
    for number, face in enumerate(judged.faces):
        left = number * 384 + 80  # where the crop was put
        middle = face.square.left + face.square.side / 2
        assert abs(middle - left - 112) < 30
        assert face.crop.shape == (face.square.side, face.square.side, 3)
        assert face.p_fake == face.crop.mean() / 255
    assert judged.p_fake == max(face.p_fake for face in judged.faces)


def test_cuts_are_as_tight_as_the_training_faces(tmp_path):
    path = save(tmp_path / "one.png", tiny_faces.group_photo(1))
    sides = [
        scoring.score_file(path, detector=Brightness(is_sample=sample)).faces[0].square.side
        for sample in (True, False)
    ]
    assert sides[0] / sides[1] == pytest.approx(1.2, abs=0.02)
    wide = scoring.score_file(path, detector=Brightness(), margin=0.2).faces[0].square.side
    assert wide / sides[1] == pytest.approx(1.4, abs=0.02)


@pytest.mark.parametrize(
    ("box", "shape", "square"),
    [
        ((30, 20, 160, 170, 90), (224, 224, 3), (0, 0, 0)),  # fills 0.76, with its margin 0.91
        ((30, 20, 100, 110, 90), (224, 224, 3), (14, 9, 132)),
        ((30, 20, 160, 170, 90), (224, 400, 3), (8, 3, 204)),  # large, but in a wide picture
    ],
)
def test_what_is_a_crop_already(box, shape, square):
    found = scoring.square_of(np.array(box, float), shape, margin=0.1)
    assert dataclasses.astuple(found) == square


def test_without_a_face_there_is_no_score(tmp_path):
    path = save(tmp_path / "wall.png", tiny_faces.noise(300, 400))
    judged = scoring.score_file(path, detector=Brightness())
    assert judged.faces == []
    assert judged.reason.startswith("No face found in wall.png")
    whole = scoring.score_file(path, detector=Brightness(), are_crops=True)
    assert [face.square.side for face in whole.faces] == [0]


def test_faces_of_a_few_pixels_are_not_judged(tmp_path):
    path = save(tmp_path / "far.png", tiny_faces.group_photo(2, side=36))
    judged = scoring.score_file(path, detector=Brightness())
    assert judged.faces == []
    assert "below 40" in judged.reason


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory):
    return write_clip(
        tmp_path_factory.mktemp("clips") / 'it\'s a "clip".mp4', tiny_faces.portrait_clip()
    )


def test_a_clip_gives_a_curve_and_its_mean(clip_path):
    judged = scoring.score_file(clip_path, detector=Brightness(), frames=4)
    assert judged.kind == "video"
    assert judged.frames == 4
    np.testing.assert_allclose([face.second for face in judged.faces], [0.04, 0.16, 0.28, 0.40])
    assert judged.p_fake == np.mean([face.p_fake for face in judged.faces])
    lefts = [face.square.left for face in judged.faces]
    assert lefts == sorted(lefts)
    assert lefts[-1] - lefts[0] == pytest.approx(18, abs=4)  # nine frames, two pixels each


def test_a_444_clip_and_a_turned_one_are_judged_alike(clip_path, tmp_path):
    full = tmp_path / "full.mp4"
    ffmpeg("-i", clip_path, "-pix_fmt", "yuv444p", "-crf", "4", full)
    lying, turned = tmp_path / "lying.mp4", tmp_path / "turned.mp4"
    ffmpeg("-i", clip_path, "-vf", "transpose=1", "-crf", "4", lying)  # a quarter clockwise
    ffmpeg("-display_rotation", "90", "-i", lying, "-c", "copy", turned)  # shown turned back
    expected = scoring.score_file(clip_path, detector=Brightness(), frames=3)
    for path in (full, turned):
        judged = scoring.score_file(path, detector=Brightness(), frames=3)
        assert len(judged.faces) == 3, judged.reason
        assert judged.p_fake == pytest.approx(expected.p_fake, abs=0.02)
        for face, other in zip(judged.faces, expected.faces, strict=True):
            assert face.square.left == pytest.approx(other.square.left, abs=4)
            assert face.square.top == pytest.approx(other.square.top, abs=4)


def test_a_clip_without_a_face_has_no_score(tmp_path):
    path = write_clip(tmp_path / "wall.mp4", np.full((5, 120, 160, 3), 90, np.uint8))
    judged = scoring.score_file(path, detector=Brightness())
    assert judged.faces == []
    assert "in any of 5 frames of wall.mp4" in judged.reason


# ---------------------------------------------------------------- predict as a whole


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
        import os

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


def test_chatter_is_kept_back_and_told_on_an_error(capfd):
    import os

    with native_logs.no_chatter():
        os.write(2, b"no GPU")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
    with pytest.raises(ValueError, match="broken"), native_logs.no_chatter():
        os.write(2, b"why")
        raise ValueError("broken")
    assert capfd.readouterr().err == "why"


# ---------------------------------------------------------------- check


def test_check_of_a_good_and_of_a_bad_set(tmp_path, capsys):
    rows = ["a.mp4,9,9,REAL,", "b.mp4,9,9,FAKE,a.mp4"]
    good = tiny_sets.write_faces(tmp_path / "good", rows)
    assert command.main(["check", str(good)]) == 0
    assert "1 REAL, 1 FAKE" in capsys.readouterr().out
    bad = tiny_sets.write_faces(tmp_path / "bad", rows)
    (bad / "faces_224" / "b.jpg").write_bytes(b"")
    table = tmp_path / "findings.csv"
    assert command.main(["check", str(bad), "--csv", str(table)]) == 1
    assert "unreadable: 1\n    b.mp4: empty file" in capsys.readouterr().out
    assert pd.read_csv(table)["problem"].tolist() == ["unreadable"]


def test_check_says_what_is_not_there(tmp_path, capsys):
    assert command.main(["check", str(tmp_path)]) == 2
    assert "Expected deepfake-faces" in capsys.readouterr().err
    tiny_sets.write_videos(tmp_path / locate.VIDEOS, {"a.mp4": {"label": "REAL"}})
    assert command.main(["check", str(tmp_path)]) == 0
    assert "deepfake-faces: not there" in capsys.readouterr().out


def test_a_checked_set_counts_once(tmp_path):
    root = tiny_sets.write_faces(tmp_path / "both", ["a.mp4,9,9,REAL,"])
    tiny_sets.write_videos(root, {"a.mp4": {"label": "REAL"}})
    assert len(check._datasets(str(root))) == 1


# ---------------------------------------------------------------- download


def refusal(code):
    error = OSError("refused")
    error.response = SimpleNamespace(status_code=code)
    return error


@pytest.mark.parametrize(
    ("error", "name", "said"),
    [
        (refusal(401), locate.FACES, "Create new token"),
        (refusal(403), locate.FACES, "Open https://www.kaggle.com/datasets/dagnelies"),
        (refusal(403), locate.VIDEOS, "accept the rules"),
        (refusal(404), locate.VIDEOS, "no such data set"),
        (ConnectionError("reset by peer"), locate.FACES, "goes on where it stopped"),
        (type("UnauthenticatedError", (Exception,), {})(), locate.VIDEOS, "does not know you"),
        (RuntimeError("odd"), locate.VIDEOS, "RuntimeError: odd"),
    ],
)
def test_refusals_are_explained(error, name, said, monkeypatch, capsys):
    def refuse(name):
        raise error

    monkeypatch.setattr(download, "_fetch", refuse)
    monkeypatch.setattr(download, "check_room", lambda cache, name: None)
    assert command.main(["download", name]) == 1
    assert said in capsys.readouterr().err


def test_room_is_checked_first(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "not" / "yet" / "there"))
    usage = shutil._ntuple_diskusage(0, 0, 10**9)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda place: usage)
    monkeypatch.setattr(download, "_fetch", None)  # must not be reached
    assert command.main(["download", locate.VIDEOS]) == 2
    assert f"{tmp_path} has 1.0 GB" in capsys.readouterr().err


def test_a_download_is_asked_of_kagglehub(monkeypatch, tmp_path, capsys):
    import kagglehub

    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    monkeypatch.setattr(download, "ROOM", dict.fromkeys(download.HANDLES, 0))
    monkeypatch.setattr(kagglehub, "dataset_download", lambda handle: f"/data/{handle}")
    monkeypatch.setattr(kagglehub, "competition_download", lambda handle: f"/comp/{handle}")
    assert command.main(["download", locate.FACES]) == 0
    assert "/data/dagnelies/deepfake-faces" in capsys.readouterr().out
    assert command.main(["download", locate.VIDEOS]) == 0
    assert "/comp/deepfake-detection-challenge" in capsys.readouterr().out


# ---------------------------------------------------------------- doctor


def test_doctor_finds_this_machine_fit(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert command.main(["doctor", "--offline"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^ok  ffmpeg +\S+, writes H.264$", text, re.MULTILINE)
    assert re.search(r"^ok  face finder +1 face found", text, re.MULTILINE)
    assert "Xception: nowhere in caches" in text
    assert "bundled sample" in text
    assert "Nothing needs mending." in text


def test_doctor_names_what_does_not_fit(monkeypatch, capsys):
    wanted = ["numpy>=99", "no_such_thing>=1", "pandas", 'other; extra == "dev"']
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: wanted)
    marks = [mark for mark, _ in doctor.packages()]
    assert marks == ["!!", "!!", "ok"]


def test_doctor_lists_licences(capsys):
    assert command.main(["doctor", "--licences"]) == 0
    lines = capsys.readouterr().out.splitlines()
    stated = {line.split()[0]: line for line in lines}
    assert "MIT" in stated["pytest"]
    assert lines == sorted(lines, key=str.lower)
    assert all(len(line.split()) >= 3 for line in lines)  # name, version, licence or "not stated"


def test_doctor_survives_what_it_finds(monkeypatch, capsys):
    def broken():
        raise OSError("no such program")

    for look in ("packages", "gpu", "face_finder", "data"):
        monkeypatch.setattr(doctor, look, lambda: iter([]))
    monkeypatch.setattr(doctor, "ffmpeg", broken)
    assert doctor.main(argparse.Namespace(offline=True, licences=False)) == 1
    assert "!!  ffmpeg            OSError: no such program" in capsys.readouterr().out


def test_reachable_weights_are_told_without_loading_them(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert weights.reachable("Xception", offline=True) == []
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / weights.PACKAGE_CACHE).touch()
    assert "kept in the cache" in weights.reachable("Xception", offline=True)[0]
    assert weights.reachable("InceptionV3", offline=True) == []


# ---------------------------------------------------------------- compare


def write_run(folder, *, shift=0.0, rows=40, stem="02_a", **parameters):
    """A run of one notebook: 20 reals and 20 fakes in ten groups of the model `ours`."""
    folder.mkdir(parents=True)
    content = tiny_notebooks.results(stem)
    content["parameters"] = {"SEED": 42, "OUTPUT_DIR": str(folder)} | parameters
    content["data"]["root"] = "gone"
    (folder / f"{stem}.results.json").write_text(json.dumps(content))
    rng = np.random.default_rng(0)
    fake = np.arange(40) % 2
    table = pd.DataFrame(
        {
            "videoname": [f"{number}.mp4" for number in range(40)],
            "split": "test",
            "label": np.where(fake, "FAKE", "REAL"),
            "y_score": np.clip(0.5 + shift * (fake - 0.5) + rng.normal(0, 0.1, 40), 0, 1),
            "model": "ours",
        }
    ).head(rows)
    table.to_csv(folder / f"{stem}.predictions.csv", index=False)
    return str(folder)


def test_runs_side_by_side(tmp_path, capsys):
    a = write_run(tmp_path / "a", SIZE=96)
    b = write_run(tmp_path / "<b>", shift=0.4, SIZE=128)
    page = tmp_path / "page.html"
    assert command.main(["compare", a, b, "--html", str(page)]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^SIZE +96 +128$", text, re.MULTILINE)
    assert "SEED" not in text
    assert "OUTPUT_DIR" not in text
    assert re.search(r"^ours +0\.750 \[0\.650, 0\.850\] +0\.750", text, re.MULTILINE)
    assert re.search(r"\+0\.\d{3} \[\+0\.\d{3}, \+0\.\d{3}\]  40 rows; groups unknown", text)
    told = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;" in told
    assert "<b>" not in told
    assert "SIZE" in told


def predictions(scores, names="abcd"):
    return pd.DataFrame(
        {"videoname": list(names), "label": ["REAL", "FAKE"] * 2, "y_score": scores}
    )


def test_paired_differences_by_hand():
    worst, best = predictions([0.9, 0.1, 0.8, 0.2]), predictions([0.1, 0.9, 0.2, 0.8])
    groups = {"a": "x", "b": "x", "c": "y", "d": "y"}
    score, note = compare.paired(worst, best, groups=groups, metric="auc")
    assert score[:3] == (1.0, 1.0, 1.0)
    assert note == "4 rows in 2 groups"
    score, note = compare.paired(worst, worst, groups=None, metric="auc")
    assert score.value == 0
    assert "groups unknown" in note


def test_only_rows_in_common_are_compared():
    other = predictions([0.9, 0.1, 0.8, 0.2], names="abyz")
    score, note = compare.paired(
        predictions([0.1, 0.9, 0.2, 0.8]), other, groups=None, metric="auc"
    )
    assert score.value == -1
    assert note.startswith("2 rows in common, of 4 and 4")
    elsewhere = predictions([0.5] * 4, names="wxyz")
    assert compare.paired(predictions([0.5] * 4), elsewhere, groups=None, metric="auc") == (
        None,
        "no test row in common",
    )


def test_groups_come_from_the_data_set():
    result = {"data": {"name": locate.FACES, "root": f"data/sample/{locate.FACES}"}}
    groups = compare.group_of(result)
    assert len(groups) == 1044
    assert len(set(groups.values())) == 32
    assert compare.group_of({"data": {"name": locate.FACES, "root": "gone"}}) is None
    assert compare.group_of({}) is None


def test_what_cannot_be_compared(tmp_path, capsys):
    a = write_run(tmp_path / "a")
    assert command.main(["compare", a]) == 2
    assert command.main(["compare", a, f"{a}/../a"]) == 2
    (tmp_path / "empty").mkdir()
    assert command.main(["compare", a, str(tmp_path / "empty")]) == 2
    assert "found none" in capsys.readouterr().err
    other = write_run(tmp_path / "other", stem="03_b")
    assert command.main(["compare", a, other]) == 1
    assert "no notebook has results in all runs" in capsys.readouterr().err
