"""The feature store: one file per clip, so that no clip is encoded twice.

A file is written atomically and named after a digest of everything that its content depends on: the
clip's bytes, the frame choice, the crop and the encoder's weights. A changed parameter therefore
never reuses old features, and an interrupted run continues where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nbhelpers.common import files
from nbhelpers.features.choices import Choice

logger = logging.getLogger(__name__)

_VERSION = 4  # increase whenever the same choice would give different features


class StoreError(OSError):
    """The feature store cannot be written."""


@dataclass(frozen=True)
class Sequence:
    """Features float32 (t, D) of one clip, and its row of the report."""

    values: np.ndarray
    facts: dict


class Store:
    """Feature files in a folder; with None for the folder, nothing is stored."""

    def __init__(self, folder: str | os.PathLike | None):
        self.folder = None if folder is None else Path(folder)

    def keys(self, path: str, choices: Mapping[str, Choice]) -> dict[str, str]:
        """Return, for each choice, a digest of everything that a clip's features depend on."""
        if self.folder is None:
            return dict.fromkeys(choices, "")
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return {name: self._key(content, choice) for name, choice in choices.items()}

    @staticmethod
    def _key(content: str, choice: Choice) -> str:
        frames, how, crop, margin, size = choice.pictures
        facts = {"frames": frames, "how": how, "crop": crop, "margin": margin, "size": size}
        facts |= {"encoder": choice.encoder.digest, "version": _VERSION}
        text = f"{content} {json.dumps(facts, sort_keys=True)}"
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def get(self, key: str) -> Sequence | None:
        """Return the stored features, or None if there are none or the file is damaged."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.npz"
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                values, facts = file["values"], json.loads(str(file["facts"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            logger.warning("%s is damaged and will be computed again: %s", path.name, error)
            return None
        return Sequence(values, facts)

    def put(self, key: str, sequence: Sequence) -> None:
        """Store the features of one clip, whole or not at all."""
        if self.folder is None:
            return
        try:
            with files.whole(self.folder / f"{key}.npz") as draft:
                np.savez(draft, values=sequence.values, facts=json.dumps(sequence.facts))
        except OSError as error:
            raise StoreError(f"Nothing can be written into {self.folder}: {error}") from error
