"""Pretrained weights: sources in order, digests, clear refusals. No network is needed."""

import subprocess

import numpy as np
import pytest

from nbhelpers.networks import weights


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache, no Keras host, no package index."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))

    def unreachable(*args, **kwargs):
        raise weights.urllib.error.URLError("test: no network")

    def pip_fails(command, **kwargs):
        raise subprocess.CalledProcessError(1, command, stderr="ERROR: no matching distribution")

    monkeypatch.setattr(weights.urllib.request, "urlopen", unreachable)
    monkeypatch.setattr(weights.subprocess, "run", pip_fails)
    return tmp_path


@pytest.fixture(scope="module")
def network():
    import keras

    keras.utils.set_random_seed(7)
    return keras.applications.Xception(include_top=False, weights=None)


def test_auto_goes_on_from_random_and_says_so(offline, caplog):
    found = weights.imagenet("Xception")
    assert found.is_random
    assert found.describe()["is_random"] is True
    assert "random" in found.origin
    assert "no matching distribution" in caplog.text


def test_imagenet_insists_and_names_the_ways_out(offline):
    with pytest.raises(weights.WeightsError) as caught:
        weights.imagenet("InceptionV3", mode="imagenet")
    message = str(caught.value)
    for word in ("cache", "host does not answer", "no package", "WEIGHTS='auto'"):
        assert word in message


def test_none_asks_nobody(offline, monkeypatch):
    monkeypatch.setattr(weights, "_from_keras_cache", None)  # would fail if it were called
    assert weights.imagenet("Xception", mode="none").is_random


def test_named_file_is_read(offline, network):
    path = offline / "mine.weights.h5"
    network.save_weights(path)
    found = weights.imagenet("Xception", path=str(path))
    assert found.digest == weights.digest(network.get_weights())
    assert "mine.weights.h5" in found.origin
    for ours, theirs in zip(found.values, network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_wrong_files_are_refused(offline):
    with pytest.raises(FileNotFoundError, match="nothing is at"):
        weights.imagenet("Xception", path=str(offline / "none.h5"))
    text = offline / "text.weights.h5"
    text.write_text("no weights")
    with pytest.raises(weights.WeightsError, match="does not hold weights"):
        weights.imagenet("Xception", path=str(text))


def test_cached_package_with_a_wrong_digest_is_not_used(offline, network):
    cached = offline / "keras" / "models" / "nbhelpers_xception_notop.weights.h5"
    cached.parent.mkdir(parents=True)
    network.save_weights(cached)  # random values: right shape, wrong digest
    assert weights.imagenet("Xception").is_random


def test_cached_package_with_the_right_digest_is_used(offline, network, monkeypatch):
    cached = offline / "keras" / "models" / "nbhelpers_xception_notop.weights.h5"
    weights._store(network, cached)
    monkeypatch.setattr(weights, "XCEPTION_DIGEST", weights.digest(network.get_weights()))
    found = weights.imagenet("Xception")
    assert not found.is_random
    assert "kept in the cache" in found.origin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"architecture": "VGG16"}, "VGG16"),
        ({"architecture": "Xception", "mode": "pretrained"}, "pretrained"),
    ],
)
def test_unknown_words_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        weights.imagenet(**arguments)


def test_a_network_built_afterwards_does_not_depend_on_the_source(offline, network, tmp_path):
    import keras

    network.save_weights(tmp_path / "named.weights.h5")
    kernels = []
    for options in ({"mode": "none"}, {"path": str(tmp_path / "named.weights.h5")}):
        keras.utils.set_random_seed(1)
        weights.imagenet("Xception", **options)
        layer = keras.layers.Dense(3)
        layer.build((None, 4))
        kernels.append(layer.get_weights()[0])
    np.testing.assert_array_equal(*kernels)


def test_reachable_weights_are_told_without_loading_them(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert weights.reachable("Xception", offline=True) == []
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / weights.PACKAGE_CACHE).touch()
    assert "kept in the cache" in weights.reachable("Xception", offline=True)[0]
    assert weights.reachable("InceptionV3", offline=True) == []
