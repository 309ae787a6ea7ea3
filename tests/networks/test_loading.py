"""Detector files: what is read from them is what was checked, and means P(fake)."""

import json
import zipfile

import h5py
import numpy as np
import pytest
import tiny_models

from nbhelpers.networks import loading, model_files, outputs

PICTURES = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_models.colour_detector(tmp_path_factory.mktemp("models") / "m.keras")


def rewritten(source, target, *, front=b"", **changes):
    """Copy an archive with other parts: config=dict, weights=function of an open HDF5 file."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for part, change in changes.items():
        if part == "config":
            content = json.loads(parts["config.json"])
            change(content)
            parts["config.json"] = json.dumps(content).encode()
        else:
            loose = target.with_suffix(".h5")
            loose.write_bytes(parts["model.weights.h5"])
            with h5py.File(loose, "r+") as file:
                change(file)
            parts["model.weights.h5"] = loose.read_bytes()
    with open(target, "wb") as file:
        file.write(front)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
    return target


def refusal(path):
    with pytest.raises(ValueError) as caught:
        loading.load_detector(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


def test_what_was_saved_is_what_is_loaded(keras, original):
    expected = keras.models.load_model(original).predict_on_batch(PICTURES)
    model = loading.load_detector(original)
    np.testing.assert_array_equal(model.predict_on_batch(PICTURES), expected)


def test_loading_draws_as_many_random_numbers_as_keras_does(keras, original):
    import random

    keras.utils.set_random_seed(3)
    keras.models.load_model(original)
    expected = random.getstate()
    keras.utils.set_random_seed(3)
    loading.load_detector(original)
    assert random.getstate() == expected


def test_layers_of_all_kinds_come_back(keras, tmp_path):
    layers = keras.layers
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        stack = [layers.Input((32, 32, 3)), layers.RandomFlip(seed=1), layers.RandomRotation(0.1)]
        stack += [layers.RandomContrast(0.1), layers.Normalization(mean=3.0, variance=2.0)]
        stack += [layers.SeparableConv2D(4, 3), layers.BatchNormalization(), layers.Dropout(0.2)]
        stack += [layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid", dtype="float32")]
        model = keras.Sequential(stack)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(PICTURES, np.array([0.0, 1.0, 0.0]), verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = loading.load_detector(tmp_path / "m.keras")
    np.testing.assert_array_equal(
        loaded.predict_on_batch(PICTURES), model.predict_on_batch(PICTURES)
    )


# ---------------------------------------------------------------- what the outputs mean


def ending(keras, *tail, width=1, activation="linear"):
    """A network with known logits and an end to try; returns it and its logits' network."""
    inside = keras.layers.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 99, -1)(inside))
    weigh = keras.initializers.RandomNormal(stddev=3.0, seed=4)
    logits = keras.layers.Dense(width, kernel_initializer=weigh)
    x = logits(pooled)
    plain = keras.Model(inside, x)
    x = keras.layers.Activation(activation)(x) if activation != "linear" else x
    for layer in tail:
        x = layer(x)
    return keras.Model(inside, x), plain


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, float)))


def test_logits_are_not_taken_for_probabilities(keras, tmp_path, caplog):
    model, plain = ending(keras)
    model.save(tmp_path / "m.keras")
    loaded = loading.load_detector(tmp_path / "m.keras")
    expected = sigmoid(plain.predict_on_batch(PICTURES))
    assert not np.allclose(expected, model.predict_on_batch(PICTURES), atol=0.1)
    np.testing.assert_allclose(loaded.predict_on_batch(PICTURES), expected, atol=1e-6)
    assert "read as logits" in caplog.text


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
@pytest.mark.parametrize("tail", ["Dropout", "Reshape", "Activation"])
def test_what_follows_the_last_unit_is_looked_through(keras, tail, activation):
    layers = keras.layers
    tails = {
        "Dropout": [layers.Dropout(0.5)],
        "Reshape": [layers.Reshape((1, 1)), layers.Flatten()],
        "Activation": [layers.Activation("linear", dtype="float32")],
    }[tail]
    model, plain = ending(keras, *tails, activation=activation)
    found = outputs.as_p_fake(model)
    np.testing.assert_allclose(found(PICTURES), sigmoid(plain(PICTURES)), atol=1e-6)
    assert (found is model) == (activation == "sigmoid")


def test_an_end_that_nobody_can_read_is_refused(keras):
    layers = keras.layers
    empty = keras.Sequential([layers.Input((1,)), layers.Dropout(0.5)])
    mixed = layers.Average()([layers.Dense(1)(x := layers.Input((4,))), layers.Dense(1, "tanh")(x)])
    for model in (ending(keras, empty)[0], keras.Model(x, mixed)):
        with pytest.raises(ValueError, match=r"is not P\(fake\)"):
            outputs.as_p_fake(model)


def test_sigmoids_are_known_by_whatever_name(keras):
    layers = keras.layers

    def inner():
        return keras.Sequential(
            [layers.Input((32, 32, 3)), layers.Flatten(), layers.Dense(1, "sigmoid")]
        )

    inside = layers.Input((32, 32, 3))
    each = [
        ending(keras, activation="hard_sigmoid")[0],
        ending(keras, keras.ops.sigmoid)[0],
        inner(),
        keras.Model(inside, inner()(inside)),
        keras.Model(inside, layers.Average()([inner()(inside), inner()(inside)])),
        keras.Sequential([layers.Input((32, 32, 3)), inner(), layers.Dropout(0.1)]),
    ]
    for model in each:
        assert outputs.as_p_fake(model) is model


@pytest.mark.parametrize("activation", ["linear", "softmax", "sigmoid"])
def test_two_classes_are_read_in_the_order_that_is_told(keras, activation):
    model, plain = ending(keras, width=2, activation=activation)
    logits = np.asarray(plain(PICTURES), float)
    both = sigmoid(logits) if activation == "sigmoid" else np.exp(logits)
    both = both if activation == "sigmoid" else both / both.sum(axis=1, keepdims=True)
    for place, classes in enumerate((["fake", "real"], ["REAL", "FAKE"])):
        found = outputs.as_p_fake(model, classes=classes)(PICTURES)
        np.testing.assert_allclose(found, both[:, [place]], atol=1e-6)
    for classes in (None, [], ["cat", "dog"], ["FAKE"], ["FAKE", "FAKE"], 7, "FAKE"):
        with pytest.raises(ValueError, match="which of two outputs is FAKE"):
            outputs.as_p_fake(model, classes=classes)


@pytest.mark.parametrize(
    ("width", "activation"), [(1, "tanh"), (1, "relu"), (1, "softmax"), (2, "tanh"), (3, "softmax")]
)
def test_other_ends_are_refused(keras, width, activation):
    model, _ = ending(keras, width=width, activation=activation)
    with pytest.raises(ValueError, match="one sigmoid unit"):
        outputs.as_p_fake(model)


def test_weights_that_are_no_numbers_are_refused(keras, tmp_path):
    model, _ = ending(keras, activation="sigmoid")
    model.set_weights([np.full_like(values, np.nan) for values in model.get_weights()])
    model.save(tmp_path / "m.keras")
    assert "NaN" in refusal(tmp_path / "m.keras")


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.001, 1.001])
def test_a_score_that_is_no_probability_is_an_error(value):
    with pytest.raises(ValueError, match=r"P\(fake\) in \[0, 1\].*for 1 of 2"):
        outputs.check_scores(np.array([0.5, value]))


# ---------------------------------------------------------------- files that are none


def encrypted(path):
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 1)
    path.write_bytes(content)


def test_odd_archives_are_refused_in_one_line(original, tmp_path, monkeypatch):
    path = tmp_path / "odd.keras"
    path.write_bytes(original.read_bytes())
    encrypted(path)
    assert "encrypted" in refusal(path)
    path.write_bytes(original.read_bytes()[:-50])
    assert "cannot be read" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "0 parts named config.json" in refusal(path)
    path.write_bytes(original.read_bytes())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    assert "2 parts named config.json" in refusal(path)
    for text in ("[" * 100_000, "[1]", "{}", '{"class_name": 9}', "\udcff"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", text.encode("utf-8", "surrogateescape"))
            archive.writestr("model.weights.h5", b"")
        refusal(path)
    assert "a folder" in refusal(tmp_path)
    monkeypatch.setattr(model_files, "MOST_DESCRIPTION", 1000)
    assert "at most 0 MB" in refusal(original)


def test_an_older_file_is_called_what_it_is(tmp_path):
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file["a"] = 1
    assert "older HDF5 format" in refusal(path)
    assert "zip" not in refusal(path).lower()


def test_a_file_with_two_beginnings_is_refused(original, tmp_path):
    with h5py.File(tmp_path / "front.h5", "w") as file:
        file.attrs["model_config"] = "{}"
    front = (tmp_path / "front.h5").read_bytes()
    path = rewritten(original, tmp_path / "poly.keras", front=front)
    assert zipfile.is_zipfile(path)  # which is what Keras asks
    assert "HDF5" in refusal(path)
    path = rewritten(original, tmp_path / "poly.keras", front=b"#!/bin/sh\n")
    assert "does not begin like a ZIP archive" in refusal(path)


# ---------------------------------------------------------------- weights that lie elsewhere


def first(file):
    """Path of some dataset."""
    names = []
    file.visititems(lambda name, part: names.append(name) if hasattr(part, "dtype") else None)
    return names[0]


def external_storage(file):
    name = first(file)
    shape = file[name].shape
    del file[name]
    file.create_dataset(name, shape, "float32", external=[("/etc/hostname", 0, 4096)])


def external_link(file):
    name = first(file)
    del file[name]
    file[name] = h5py.ExternalLink("/etc/hostname", "/x")


def soft_link(file):
    name = first(file)
    del file[name]
    file[name] = h5py.SoftLink("/elsewhere")


def virtual(file):
    name = first(file)
    layout = h5py.VirtualLayout(shape=file[name].shape, dtype="float32")
    layout[...] = h5py.VirtualSource("/etc/hostname", "x", shape=file[name].shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def compressed(file):
    name = first(file)
    values = file[name][...]
    del file[name]
    file.create_dataset(name, data=values, compression="gzip")


def promised(file):
    file.create_dataset("more", (10**9,), "float32", chunks=(1000,))


def texts(file):
    file["words"] = ["a", "b"]


def link_of_a_group(file):
    file["layers"]["more"] = h5py.ExternalLink("/etc/hostname", "/")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (external_storage, "lie in other files"),
        (virtual, "lie in other files"),
        (external_link, "links to other places"),
        (soft_link, "links to other places"),
        (link_of_a_group, "links to other places"),
        (compressed, "not plain numbers"),
        (texts, "not plain numbers"),
        (promised, "promise more numbers"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_weights_that_lie_elsewhere_are_refused(original, tmp_path, change, reason):
    path = rewritten(original, tmp_path / "m.keras", weights=change)
    message = refusal(path)
    assert reason in message
    assert "strangers" in message


def test_links_in_a_circle_end(original, tmp_path):
    def circle(file):
        file["layers"]["up"] = file["/"]

    rewritten(original, tmp_path / "m.keras", weights=circle)
    with model_files.opened(tmp_path / "m.keras") as parts:
        assert parts.values > 0


# ---------------------------------------------------------------- networks that do not fit


def layer_of(config, kind):
    return next(each for each in config["config"]["layers"] if each["class_name"] == kind)


def test_a_network_larger_than_its_file_is_refused_before_it_is_built(original, tmp_path):
    def huge(config):
        layer_of(config, "Dense")["config"]["units"] = 10**9

    path = rewritten(original, tmp_path / "m.keras", config=huge)
    assert "describes 49,000,000,000" in refusal(path)


def test_a_layer_in_place_of_a_model_is_refused(original, tmp_path):
    def only_a_layer(config):
        layer = layer_of(config, "Dense")
        config.clear()
        config.update(layer)

    path = rewritten(original, tmp_path / "m.keras", config=only_a_layer)
    assert "holds a Dense, not a whole model" in refusal(path)


def test_a_description_that_this_keras_does_not_know_names_both_versions(original, tmp_path):
    def newer(config):
        layer_of(config, "Dense")["config"]["invented_later"] = True

    path = rewritten(original, tmp_path / "m.keras", config=newer)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("metadata.json", '{"keras_version": "99.1"}')
    assert "written by Keras 99.1, this is" in refusal(path)


@pytest.mark.parametrize(
    "shape", [(32, 32, 1), (None, None, 3), (32, 48, 3), (4096, 4096, 3), (32,)], ids=str
)
def test_pictures_of_another_shape_are_refused(keras, tmp_path, shape):
    inside = keras.layers.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(inside) if len(shape) == 3 else inside
    keras.Model(inside, keras.layers.Dense(1, "sigmoid")(x)).save(tmp_path / "m.keras")
    assert "square colour pictures of a fixed size" in refusal(tmp_path / "m.keras")


def test_several_inputs_or_outputs_are_refused(keras, tmp_path):
    inside, other = (keras.layers.Input((32, 32, 3)) for _ in range(2))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([inside, other]))
    out = keras.layers.Dense(1, "sigmoid")(x)
    keras.Model([inside, other], out).save(tmp_path / "two.keras")
    assert "square colour pictures" in refusal(tmp_path / "two.keras")
    x = keras.layers.GlobalAveragePooling2D()(inside)
    pair = [keras.layers.Dense(1, "sigmoid")(x) for _ in range(2)]
    keras.Model(inside, pair).save(tmp_path / "pair.keras")
    assert "(B, 1)" in refusal(tmp_path / "pair.keras")
    keras.Model(inside, dict(zip("ab", pair, strict=True))).save(tmp_path / "named.keras")
    assert "(B, 1)" in refusal(tmp_path / "named.keras")


def test_a_layer_that_blows_a_picture_up_is_refused(keras, tmp_path):
    inside = keras.layers.Input((32, 32, 3))
    x = keras.layers.ZeroPadding2D(20_000)(inside)
    out = keras.layers.Dense(1, "sigmoid")(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(inside, out).save(tmp_path / "m.keras")
    assert "numbers per picture" in refusal(tmp_path / "m.keras")
