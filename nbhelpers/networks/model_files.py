"""Model files from unknown sources: checked before Keras reads any of their content.

Keras chooses a reader by a file's name and first bytes, differently in each version, and accepts
whatever the reader returns. Here the parts of a ``.keras`` archive are extracted and checked one by
one, and these parts are loaded instead of the file.
"""

from __future__ import annotations

import contextlib
import json
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from nbhelpers.common.files import displayable

MOST_BYTES = 4_000_000_000  # of all parts when unpacked
MOST_DESCRIPTION = 20_000_000  # bytes of config.json; Xception's has 150,000
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"

#: Modules of Keras whose objects only compute; "" is `keras` itself.
PLAIN_MODULES = {
    "",
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "models",
    "ops",
    "quantizers",
    "random",
    "regularizers",
}
#: Of `keras` itself, and of descriptions without a module, only these.
PLAIN_NAMES = {
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "QuantizedDTypePolicy",
    "Functional",
    "KerasTensor",
    "Model",
    "Sequential",
    "Variable",
    "__bytes__",
    "__ellipsis__",
    "__keras_tensor__",
    "__numpy__",
    "__slice__",
    "__tensor__",
}
#: Layers that run embedded code, or read files named in a description.
CARRY_CODE = {
    "Lambda",
    "TFSMLayer",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "IndexLookup",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
    "function",
}


class ModelFileError(ValueError):
    """A file that is not a detector, or cannot be read as one."""


class UnsafeModelError(ModelFileError):
    """A model file that could do more than describe a network."""


@dataclass(frozen=True)
class Parts:
    """The checked parts of a model file.

    Attributes:
        description: of the network, for ``keras.saving.deserialize_keras_object``.
        weights: path of an HDF5 file, for ``model.load_weights``.
        values: how many numbers it contains.
        keras_version: version that wrote the file; "" if not stated.
    """

    description: dict[str, Any]
    weights: Path
    values: int
    keras_version: str


@contextlib.contextmanager
def opened(path: str | os.PathLike) -> Iterator[Parts]:
    """Extract the parts of a ``.keras`` file into a temporary folder, and check them.

    Args:
        path: the file.

    Yields:
        The parts; the weights are deleted after the ``with`` block.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is not a Keras archive, or is encrypted, damaged or too large.
        UnsafeModelError: its description names more than layers, or its weights are elsewhere.
    """
    path = Path(path)
    name = displayable(path.name)
    _check_signature(path, name)
    with tempfile.TemporaryDirectory(prefix="nbhelpers-") as folder:
        weights = Path(folder, "model.weights.h5")
        try:
            with zipfile.ZipFile(path) as archive:
                _check_members(archive, name)
                description = json.loads(_read(archive, CONFIG, name))
                version = _keras_version(archive)
                with archive.open(WEIGHTS) as source, open(weights, "xb") as target:
                    shutil.copyfileobj(source, target)
        except ModelFileError:
            raise
        except (
            *(ValueError, KeyError, OSError, EOFError, RecursionError, NotImplementedError),
            *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
        ) as error:
            raise unreadable(name, error) from error
        _check_description(description, name)
        description["compile_config"] = None  # it is loaded for scoring, not training
        yield Parts(description, weights, _count_values(weights, name), version)


def unreadable(
    name: str, reason: object, *, next_step: str = "Run notebook 03 again."
) -> ModelFileError:
    """Return the error for an unreadable file, with the reason in one short line."""
    lines = str(reason).strip().splitlines() or [type(reason).__name__]
    short = displayable(lines[0] if len(lines[0]) <= 200 else f"{lines[0][:200]}…")
    return ModelFileError(
        f"Expected a Keras model file; {name} cannot be read ({short}). {next_step}"
    )


def _check_signature(path: Path, name: str) -> None:
    if path.is_dir():
        raise unreadable(name, "it is a folder", next_step="Give a .keras file.")
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a detector file; nothing is at {displayable(str(path))}. Run notebook 03 "
            "first, which saves one, or set MODEL_FILE to its path."
        )
    with open(path, "rb") as file:
        start = file.read(len(HDF5))
    if start == HDF5:
        raise unreadable(
            name,
            "it is in the older HDF5 format, .h5",
            next_step="Load it where it was built and save it with model.save('name.keras').",
        )
    if not start.startswith(ZIP):
        raise unreadable(name, "it does not begin like a ZIP archive, as .keras files do")


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > MOST_BYTES:
        raise UnsafeModelError(
            f"Expected a detector of at most {MOST_BYTES / 1e9:.0f} GB; {name} unpacks to "
            f"{size / 1e9:.0f} GB. Save the model of notebook 03 again."
        )
    names = [member.filename for member in members]
    for part in (CONFIG, WEIGHTS):
        if names.count(part) != 1:
            raise unreadable(name, f"it holds {names.count(part)} parts named {part}, not one")
    if any(member.flag_bits & 1 for member in members):
        raise unreadable(
            name, "it is encrypted", next_step="Unpack it and zip it without a password."
        )


def _read(archive: zipfile.ZipFile, part: str, name: str) -> bytes:
    """Read a part that is text, whatever size it claims to have."""
    with archive.open(part) as file:
        content = file.read(MOST_DESCRIPTION + 1)
    if len(content) > MOST_DESCRIPTION:
        raise UnsafeModelError(
            f"Expected a description of at most {MOST_DESCRIPTION / 1e6:.0f} MB; {part} in {name} "
            "is larger. Save the model of notebook 03 again."
        )
    return content


def _keras_version(archive: zipfile.ZipFile) -> str:
    """Return the version of Keras that wrote the file; "" if it is not clearly stated."""
    try:
        version = json.loads(_read(archive, "metadata.json", ""))["keras_version"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
    return displayable(str(version))[:20]


# ---------------------------------------------------------------- the description


def _check_description(description: Any, name: str) -> None:
    if not isinstance(description, dict) or "class_name" not in description:
        raise unreadable(name, f"{CONFIG} does not describe a model")
    waiting = [value for key, value in description.items() if key != "compile_config"]
    waiting.append({key: description.get(key) for key in ("module", "class_name")})
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.values())
            if "class_name" in part and not _is_plain(part):
                raise UnsafeModelError(
                    f"Expected a detector of plain Keras layers; {name} has a "
                    f"{displayable(str(part.get('module')))[:80]}."
                    f"{displayable(str(part['class_name']))[:80]}, which can run code or read "
                    "your files. Do not load files of strangers; run notebook 03 again."
                )
        elif isinstance(part, list):
            waiting.extend(part)


def _is_plain(part: dict) -> bool:
    """Whether a part of a description names only an ordinary Keras object."""
    name = str(part["class_name"]).rpartition(">")[2]
    rooms = str(part.get("module") or "keras").split(".")
    if rooms[0] != "keras" or "utils" in rooms or name in CARRY_CODE or "." in name:
        return False
    room = next((room for room in rooms[1:] if room != "src"), "")
    return room in PLAIN_MODULES and (room != "" or name in PLAIN_NAMES or _is_legacy(part))


def _is_legacy(part: dict) -> bool:
    """Whether it is named in the older style: without a module, looked up in a table."""
    return part.get("module") is None and not str(part["class_name"]).startswith("__")


# ---------------------------------------------------------------- the weights


def _count_values(weights: Path, name: str) -> int:
    """Walk an HDF5 file; refuse references to other files, and count its numbers."""
    try:
        with h5py.File(weights, "r") as file:
            datasets = list(_datasets(file, name))
            values = sum(dataset.size for dataset in datasets)
            size = sum(dataset.size * dataset.dtype.itemsize for dataset in datasets)
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise unreadable(name, f"{WEIGHTS}: {error}") from error
    if size > weights.stat().st_size:
        raise _unsafe_weights(name, "promise more numbers than there are")
    return values


def _datasets(file: h5py.File, name: str) -> Iterator[h5py.Dataset]:
    waiting, seen = [file["/"]], set()
    while waiting:
        part = waiting.pop()
        address = h5py.h5o.get_info(part.id).addr
        if address in seen:  # links may form a cycle
            continue
        seen.add(address)
        if isinstance(part, h5py.Dataset):
            if part.external or part.is_virtual:
                raise _unsafe_weights(name, "lie in other files")
            if part.dtype.kind not in "biufV" or part.id.get_create_plist().get_nfilters():
                raise _unsafe_weights(name, "are not plain numbers")
            yield part
        elif isinstance(part, h5py.Group):
            if any(type(part.get(key, getlink=True)) is not h5py.HardLink for key in part):
                raise _unsafe_weights(name, "are links to other places")
            waiting.extend(part[key] for key in part)
        else:
            raise _unsafe_weights(name, "are not plain numbers")


def _unsafe_weights(name: str, what: str) -> UnsafeModelError:
    return UnsafeModelError(
        f"Expected a detector with all its weights inside; some of {name} {what}. "
        "Do not load files of strangers; run notebook 03 again."
    )
