"""Loading a detector from a file that may come from anywhere."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


#: Layers of Keras that run code of their own, or read files that a model file names.
CARRY_CODE = (
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
    *("StringLookup", "IntegerLookup", "TextVectorization"),
)
MOST_BYTES = 4_000_000_000  # of a model file when unpacked


class UnsafeModelError(ValueError):
    """A model file that could do more than describe a network."""


def load_detector(path: str | os.PathLike) -> keras.Model:
    """Load a detector that notebook 03 has saved.

    Args:
        path: a ``.keras`` file; files that carry code, or read other files, are refused unread.

    Returns:
        The model, compiled for nothing: it scores, it does not train.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no model, carries code, is too large, or is not a picture detector
            with one output.
    """
    import keras

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a detector file; nothing is at {path}. Run notebook 03 first, which saves "
            "one, or set MODEL_FILE to where it is."
        )
    try:
        _check_harmless(path)
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except UnsafeModelError:
        raise
    except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Expected a Keras model file; {path.name} cannot be read ({error}). "
            "Run notebook 03 again."
        ) from error
    if len(model.input_shape) != 4 or model.output_shape[1:] != (1,):
        raise ValueError(
            "Expected a detector (B, H, W, 3) -> (B, 1); received "
            f"{model.input_shape} -> {model.output_shape} in {path.name}."
        )
    return model


def _check_harmless(path: Path) -> None:
    """Refuse by the description in a model file, before Keras makes anything of it."""
    with zipfile.ZipFile(path) as archive:  # whatever its name: no HDF5, no pickle
        size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise UnsafeModelError(
                f"Expected a detector of at most {MOST_BYTES / 1e9:.0f} GB; {path.name} unpacks to "
                f"{size / 1e9:.0f} GB. Save the model of notebook 03 again."
            )
        config = json.loads(archive.read("config.json"))
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.values())
            if not _is_plain(part):
                raise UnsafeModelError(
                    f"Expected a detector of plain Keras layers; {path.name} has a "
                    f"{part.get('module')}.{part.get('class_name')}, which can run code or read "
                    "your files. Do not load files of strangers; run notebook 03 again."
                )
        elif isinstance(part, list):
            waiting.extend(part)


def _is_plain(part: dict) -> bool:
    """Whether a piece of a model's description names nothing but an ordinary object of Keras."""
    rooms = str(part.get("module") or "keras").split(".")
    name = str(part.get("class_name")).rpartition(">")[2]
    return rooms[0] == "keras" and "utils" not in rooms and name not in CARRY_CODE
