import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from tiny_clips import cut, grey_frames, write_clip
from tiny_limits import largest_file

from nbhelpers.data import locate
from nbhelpers.features import encoders, extraction
from nbhelpers.features.extraction import extract, mean_over_frames
from nbhelpers.media import faces, video
from nbhelpers.media.video import VideoError
from nbhelpers.networks import models, weights


class MeanColour:
    """An encoder without a network: the mean of each channel, and how often it was called."""

    name, image_size, dim, is_random = "mean colour", 16, 3, False

    def __init__(self, digest="a"):
        self.digest = digest
        self.calls = []

    def predict(self, batch):
        assert batch.dtype == np.uint8
        assert batch.shape[1:] == (16, 16, 3)
        self.calls.append(len(batch))
        return batch.mean(axis=(1, 2)).astype(np.float32)


@pytest.fixture
def table(tmp_path):
    lengths = {"long.mp4": 12, "short.mp4": 3, "other.mp4": 9}
    paths = [write_clip(tmp_path / name, grey_frames(n)) for name, n in lengths.items()]
    return as_table(paths)


def as_table(paths):
    return pd.DataFrame(
        {
            "videoname": [path.name for path in paths],
            "path": [str(path) for path in paths],
            "label": (["REAL", "FAKE"] * len(paths))[: len(paths)],
        }
    )


def test_sequences_are_padded_behind_and_masked(table):
    encoder = MeanColour()
    found = extract(table, encoder, frames=5, crop="centre")
    values, mask = found.arrays
    assert values.shape == (3, 5, 3)
    assert values.dtype == np.float32
    assert mask.dtype == bool
    assert mask.sum(axis=1).tolist() == [5, 3, 5]
    assert mask[1].tolist() == [True, True, True, False, False]
    assert (values[~mask] == 0).all()
    assert encoder.calls == [5, 3, 5]  # one batch a clip
    np.testing.assert_allclose(values[1, :3, 0], [0, 7, 14], atol=2)
    assert found.report["frames"].tolist() == [5, 3, 5]


def test_first_and_even_frames_differ(table):
    first, _ = extract(table, MeanColour(), frames=3, how="first", crop="centre").arrays
    even, _ = extract(table, MeanColour(), frames=3, how="even", crop="centre").arrays
    np.testing.assert_allclose(first[0, :, 0], [0, 7, 14], atol=2)
    np.testing.assert_allclose(even[0, :, 0], [14, 42, 70], atol=2)


def test_folder_of_four_gives_one_row_and_three_reasons(tmp_path):
    good = write_clip(tmp_path / "good.mp4", grey_frames(6))
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("no video")
    short = cut(good, keep=0.5, to=tmp_path / "short.mp4")
    found = extract(as_table([empty, text, good, short]), MeanColour(), frames=4, crop="centre")
    values, _ = found.arrays
    assert values.shape == (1, 4, 3)
    assert found.table["videoname"].tolist() == ["good.mp4"]
    assert found.report["readable"].tolist() == [False, False, True, False]
    for reason, word in zip(
        found.report["reason"], ["empty", "not a video", "", "truncated"], strict=True
    ):
        assert word in reason
    assert values[0, 1:].any(axis=1).all()


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(VideoError, match=r"received 1 that are not.*empty"):
        extract(as_table([tmp_path / "a.mp4"]), MeanColour(), frames=2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"crop": "ear"}, "CROP"), ({"how": "odd"}, "how"), ({"frames": 0}, "0")],
)
def test_bad_choice_is_refused(changed, message, table):
    with pytest.raises(ValueError, match=message):
        extract(table, MeanColour(), **({"frames": 2} | changed))


def test_no_rows_are_refused(table):
    with pytest.raises(ValueError, match="without rows"):
        extract(table[:0], MeanColour(), frames=2)


def test_clip_without_a_face_is_cut_at_the_centre_and_reported(table):
    report = extract(table, MeanColour(), frames=2, crop="face").report
    assert report["crop"].tolist() == ["centre"] * 3
    assert report["faces_found"].tolist() == [0, 0, 0]


def test_several_ways_open_each_clip_once_for_each_choice_of_frames(table, monkeypatch):
    opened, tracked = [], []
    read, track = video.read_frames, faces.track_face

    def reading(path, **options):
        opened.append((os.path.basename(path), options["how"]))
        return read(path, **options)

    def tracking(clip, **options):
        tracked.append(len(clip))
        return track(clip, **options)

    monkeypatch.setattr(video, "read_frames", reading)
    monkeypatch.setattr(faces, "track_face", tracking)
    one, other = MeanColour("a"), MeanColour("b")
    ways = {
        (how, crop, encoder.digest): extraction.Choice(encoder, 3, how, crop)
        for how in ("first", "even")
        for crop in ("centre", "face")
        for encoder in (one, other)
    }
    found = extraction.extract_all(table, ways)
    names = table["videoname"].tolist()
    assert sorted(opened) == sorted((name, how) for name in names for how in ("first", "even"))
    assert tracked == [3] * 6
    for (how, crop, _), made in found.items():
        alone = extract(table, MeanColour(), frames=3, how=how, crop=crop)
        np.testing.assert_array_equal(made.values, alone.values)
        np.testing.assert_array_equal(made.mask, alone.mask)
        assert made.report["crop"].tolist() == alone.report["crop"].tolist()


def test_only_what_is_missing_in_the_store_is_made(table, tmp_path):
    first, second = MeanColour("a"), MeanColour("b")
    ways = {"a": extraction.Choice(first, 3), "b": extraction.Choice(second, 3)}
    extraction.extract_all(table, {"a": ways["a"]}, store=tmp_path / "store")
    first.calls.clear()
    found = extraction.extract_all(table, ways, store=tmp_path / "store")
    assert (first.calls, second.calls) == ([], [3, 3, 3])
    assert found["a"].report["from_store"].all()
    assert not found["b"].report["from_store"].any()
    np.testing.assert_array_equal(found["a"].values, found["b"].values)


def test_clip_broken_for_one_way_is_left_out_of_all(tmp_path):
    good = write_clip(tmp_path / "good.mp4", grey_frames(30))
    mjpeg = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "1")
    whole = write_clip(tmp_path / "a.avi", grey_frames(30), options=mjpeg)
    short = cut(whole, keep=0.5, to=tmp_path / "short.avi")
    ways = {how: extraction.Choice(MeanColour(), 2, how, "centre") for how in ("first", "even")}
    assert len(extract(as_table([short]), MeanColour(), frames=2, how="first", crop="centre").table)
    found = extraction.extract_all(as_table([short, good]), ways)
    for made in found.values():
        assert made.table["videoname"].tolist() == ["good.mp4"]
        assert made.report["readable"].tolist() == [False, True]
        assert "truncated" in made.report["reason"][0]


def test_no_choices_are_refused(table):
    with pytest.raises(ValueError, match="3 clips and no choices"):
        extraction.extract_all(table, {})


def test_second_run_reads_the_store(table, tmp_path):
    options = {"frames": 4, "crop": "centre", "store": tmp_path / "store"}
    first = extract(table, MeanColour(), **options)
    encoder = MeanColour()
    second = extract(table, encoder, **options)
    assert encoder.calls == []
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert first.report["from_store"].tolist() == [False] * 3
    assert second.report["from_store"].tolist() == [True] * 3
    columns = ["videoname", "frames", "crop", "faces_found"]
    pd.testing.assert_frame_equal(first.report[columns], second.report[columns])


@pytest.mark.parametrize(
    "changed", [{"frames": 3}, {"how": "first"}, {"crop": "face"}, {"encoder": MeanColour("b")}]
)
def test_changed_choice_never_meets_old_features(changed, table, tmp_path):
    options = {"encoder": MeanColour(), "frames": 4, "crop": "centre", "store": tmp_path / "store"}
    extract(table, **options)
    options |= changed
    options["encoder"].calls.clear()
    extract(table, **options)
    assert len(options["encoder"].calls) == 3


def test_changed_clip_never_meets_old_features(table, tmp_path):
    options = {"frames": 4, "crop": "centre", "store": tmp_path / "store"}
    extract(table, MeanColour(), **options)
    write_clip(tmp_path / "short.mp4", grey_frames(7))  # another clip of the same name
    encoder = MeanColour()
    extract(table, encoder, **options)
    assert encoder.calls == [4]


def test_damaged_file_in_the_store_is_made_again(table, tmp_path):
    options = {"frames": 4, "crop": "centre", "store": tmp_path / "store"}
    whole = extract(table, MeanColour(), **options)
    for index, file in enumerate(sorted((tmp_path / "store").iterdir())):
        file.write_bytes(file.read_bytes()[: 100 * index])
    again = extract(table, MeanColour(), **options)
    assert again.report["from_store"].tolist() == [False] * 3
    np.testing.assert_array_equal(whole.values, again.values)


KILLED = """
import json, sys, time
import pandas as pd
from test_extraction import MeanColour
from nbhelpers.features.extraction import extract

class Slow(MeanColour):
    def predict(self, batch):
        time.sleep(0.3)
        return super().predict(batch)

table = pd.DataFrame(json.loads(sys.argv[1]))
extract(table, Slow(), frames=4, crop="centre", store=sys.argv[2])
"""


def test_run_killed_in_the_middle_goes_on_with_the_same_features(table, tmp_path):
    store = tmp_path / "store"
    shared = os.pathsep.join(map(str, Path(__file__).parents[:2]))
    environment = os.environ | {"PYTHONPATH": shared}
    rows = json.dumps(table.to_dict("list"))
    running = subprocess.Popen([sys.executable, "-c", KILLED, rows, str(store)], env=environment)
    try:
        while not list(store.glob("*.npz")):
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert 1 <= len(list(store.glob("*.npz"))) < 3
    encoder = MeanColour()
    resumed = extract(table, encoder, frames=4, crop="centre", store=store)
    assert 0 < len(encoder.calls) < 3
    whole = extract(table, MeanColour(), frames=4, crop="centre")
    np.testing.assert_array_equal(resumed.values, whole.values)


def test_failed_write_leaves_nothing_behind(table, tmp_path):
    with largest_file(100), pytest.raises(OSError, match="File too large"):
        extract(table, MeanColour(), frames=4, crop="centre", store=tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_mean_leaves_padding_out():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 4, 3)).astype(np.float32)
    mask = np.array([[True] * 4, [True, True, False, False]])
    mean = mean_over_frames(values, mask)
    np.testing.assert_allclose(mean[0], values[0].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(mean[1], values[1, :2].mean(axis=0), rtol=1e-6)


# ---------------------------------------------------------------- encoders


def pretend_weights(available):
    def imagenet(architecture, *, mode="auto", path=""):
        if architecture in available and mode != "none":
            return weights.PretrainedWeights(architecture, "pretended", "x", [np.zeros(1)])
        if mode == "imagenet":
            raise weights.WeightsError("not to be had")
        return weights.PretrainedWeights(architecture, "random")

    return imagenet


@pytest.mark.parametrize(
    ("available", "mode", "name", "is_random"),
    [
        ({"InceptionV3", "Xception"}, "auto", "InceptionV3", False),
        ({"Xception"}, "auto", "Xception", False),
        ({"Xception"}, "imagenet", "Xception", False),
        (set(), "auto", "Xception", True),
        ({"InceptionV3"}, "none", "InceptionV3", True),
    ],
)
def test_auto_takes_the_first_network_with_weights(available, mode, name, is_random, monkeypatch):
    monkeypatch.setattr(weights, "imagenet", pretend_weights(available))
    monkeypatch.setattr(encoders, "_imagenet_encoder", lambda found, size: found)
    found = encoders.load_encoder("auto", weights_mode=mode)
    assert (found.architecture, found.is_random) == (name, is_random)


def test_auto_insists_where_it_is_told_to(monkeypatch):
    monkeypatch.setattr(weights, "imagenet", pretend_weights(set()))
    with pytest.raises(weights.WeightsError):
        encoders.load_encoder("auto", weights_mode="imagenet")


def test_xception_encoder_scales_as_the_network_expects():
    encoder = encoders.load_encoder("Xception", image_size=75, weights_mode="none")
    assert (encoder.image_size, encoder.dim, encoder.is_random) == (75, 2048, True)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 75, 75, 3), dtype=np.uint8)
    found = encoder.predict(pictures)
    assert found.dtype == np.float32
    plain = keras.applications.Xception(
        include_top=False, weights=None, input_shape=(75, 75, 3), pooling="avg"
    )
    plain.set_weights(encoder.network.get_weights())
    expected = plain.predict_on_batch(pictures / np.float32(127.5) - 1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(encoder.predict(pictures[:1]), expected[:1], atol=1e-5)


def small_detector(pooling=True):
    inputs = keras.layers.Input((20, 20, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(5, 3)(x)
    pool = keras.layers.GlobalAveragePooling2D if pooling else keras.layers.Flatten
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(pool()(x)))


def test_detector_file_gives_its_pooled_layer(tmp_path):
    model = small_detector()
    model.save(tmp_path / "detector.keras")
    encoder = encoders.load_encoder("detector", model_path=tmp_path / "detector.keras")
    assert (encoder.image_size, encoder.dim, encoder.is_random) == (20, 5, False)
    pictures = np.random.default_rng(0).integers(0, 256, (40, 20, 20, 3), dtype=np.uint8)
    head = model.layers[-1]
    expected = model.predict_on_batch(pictures.astype(np.float32))
    np.testing.assert_allclose(head(encoder.predict(pictures)), expected, atol=1e-6)
    by_path = encoders.load_encoder(str(tmp_path / "detector.keras"))
    assert by_path.digest == encoder.digest
    model.layers[-1].set_weights([np.ones((5, 1)), np.ones(1)])
    model.layers[2].set_weights([np.ones((3, 3, 3, 5)), np.ones(5)])
    model.save(tmp_path / "other.keras")
    assert encoders.load_encoder(str(tmp_path / "other.keras")).digest != encoder.digest


def test_detector_gives_the_layer_that_was_asked_for(tmp_path):
    model = small_detector()
    model.save(tmp_path / "d.keras")
    middle = model.layers[1].name  # the pictures themselves, scaled to 0-1
    encoder = encoders.load_encoder("detector", model_path=tmp_path / "d.keras", layer=middle)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    expected = pictures.mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(encoder.predict(pictures), expected, atol=1e-5)
    assert encoder.digest != encoders.load_encoder(str(tmp_path / "d.keras")).digest
    for wrong in ("nowhere", model.layers[-1].name):
        with pytest.raises(ValueError, match=f"received {wrong!r}"):
            encoders.load_encoder("detector", model_path=tmp_path / "d.keras", layer=wrong)


def test_a_wrong_layer_is_answered_with_the_nearest(tmp_path):
    model = small_detector()
    model.save(tmp_path / "d.keras")
    middle = next(one.name for one in model.layers if one.name.startswith("conv2d"))
    with pytest.raises(ValueError, match=f"Did you mean '{middle}'"):
        encoders.load_encoder("detector", model_path=tmp_path / "d.keras", layer=f"{middle}x")
    with pytest.raises(ValueError, match=f"It has .*{middle}"):
        encoders.load_encoder("detector", model_path=tmp_path / "d.keras", layer="qqq")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose bundled detector is a tiny one."""
    monkeypatch.setattr(locate, "project_root", lambda: tmp_path)
    monkeypatch.setattr(weights, "imagenet", pretend_weights({"InceptionV3"}))
    monkeypatch.setattr(encoders, "_imagenet_encoder", lambda found, size: found)
    folder = tmp_path / "data" / "detector"
    folder.mkdir(parents=True)
    small_detector().save(folder / "faces.keras")
    return tmp_path


def test_auto_takes_the_bundled_detector_for_real_people(project):
    bundled = project / "data" / "detector" / "faces.keras"
    encoder = encoders.load_encoder("auto", is_sample=False)
    assert (encoder.name, encoder.dim, encoder.path) == ("detector", 5, bundled)
    assert encoders.load_encoder("bundled").digest == encoder.digest
    assert encoders.load_encoder("auto", is_sample=True).architecture == "InceptionV3"
    assert encoders.load_encoder("ImageNet", is_sample=False).architecture == "InceptionV3"
    bundled.unlink()
    assert encoders.load_encoder("auto", is_sample=False).architecture == "InceptionV3"
    with pytest.raises(ValueError, match="data/detector"):
        encoders.load_encoder("bundled")


def test_detector_without_pooling_is_refused(tmp_path):
    small_detector(pooling=False).save(tmp_path / "flat.keras")
    with pytest.raises(ValueError, match="GlobalAveragePooling2D"):
        encoders.load_encoder("detector", model_path=tmp_path / "flat.keras")


def test_missing_detector_says_what_to_run_first():
    with pytest.raises(FileNotFoundError, match="Run notebook 03 first"):
        encoders.load_encoder("detector", model_path="nowhere.keras")


def test_unknown_encoder_is_refused():
    with pytest.raises(ValueError, match="received 'ResNet'"):
        encoders.load_encoder("ResNet")


# ---------------------------------------------------------------- sequence network


def test_padded_frames_change_nothing():
    keras.utils.set_random_seed(1)
    model = models.gru_classifier(6, 4)
    rng = np.random.default_rng(1)
    values = rng.normal(size=(3, 6, 4)).astype(np.float32)
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2, [True] + [False] * 5])
    score = model.predict_on_batch([values, mask])
    values[~mask] = 100 * rng.normal(size=(7, 4))
    np.testing.assert_allclose(model.predict_on_batch([values, mask]), score, atol=1e-6)
    shorter = models.gru_classifier(4, 4)
    shorter.set_weights(model.get_weights())
    cropped = shorter.predict_on_batch([values[1:2, :4], mask[1:2, :4]])
    np.testing.assert_allclose(cropped, score[1:2], atol=1e-6)


def test_gru_learns_an_order_that_no_mean_can_see():
    keras.utils.set_random_seed(2)
    rng = np.random.default_rng(2)
    y = np.arange(64) % 2
    values = np.zeros((64, 6, 4), np.float32)
    values[:, :3] = np.where(y, 1, -1)[:, None, None]
    values[:, 3:] = -values[:, :3]  # rising or falling, the mean is 0
    values += 0.1 * rng.normal(size=values.shape)
    mask = np.ones((64, 6), bool)
    model = models.gru_classifier(6, 4)
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy")
    losses = model.fit([values, mask], y, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    score = model.predict_on_batch([values, mask])[:, 0]
    assert score[y == 1].min() > score[y == 0].max()
