"""Finding a data set: an explicit folder, Kaggle's mounts, kagglehub's cache, data/, the sample.

Nothing is downloaded here, and only folder names are read. The result says which place was used, so
that every notebook can state it.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbhelpers.common.folders import can_write, home_folder
from nbhelpers.data.layouts import FACES as FACES
from nbhelpers.data.layouts import VIDEOS as VIDEOS
from nbhelpers.data.layouts import class_folders, kind_in
from nbhelpers.data.metadata import DatasetError
from nbhelpers.media.kinds import CLIP_ENDINGS, PICTURE_ENDINGS

logger = logging.getLogger(__name__)

# A folder contains the data set if it has one of these files, or folders "real" and "fake" with
# pictures (FACES) or clips (VIDEOS).
MARKERS = {
    FACES: ("metadata.csv",),
    VIDEOS: ("train_sample_videos/metadata.json", "metadata.json"),
}
DOWNLOADS = {
    FACES: "kaggle datasets download --unzip --path data/deepfake-faces dagnelies/deepfake-faces",
    VIDEOS: "kaggle competitions download --path data deepfake-detection-challenge, then unzip it "
    "into data/deepfake-detection-challenge (the competition's rules must be accepted first)",
}
ORIGINS = ("argument", "Kaggle mount", "kagglehub cache", "data folder", "bundled sample")


@dataclass(frozen=True)
class Dataset:
    """A data set and its location.

    Attributes:
        name: ``FACES`` or ``VIDEOS``.
        root: absolute path of its folder.
        origin: how it was found, one of ``ORIGINS``.
    """

    name: str
    root: Path
    origin: str

    @property
    def is_sample(self) -> bool:
        """Whether this is the bundled sample, however it was found."""
        return self.root.is_relative_to(project_root() / "data" / "sample")

    @property
    def shown_root(self) -> str:
        """The folder as shown to readers: relative to the project, if inside it."""
        if self.root.is_relative_to(project_root()):
            return self.root.relative_to(project_root()).as_posix()
        return str(self.root)

    def __str__(self) -> str:
        note = "; computer-generated people, not real deepfakes" if self.is_sample else ""
        return f"{self.name} from the {self.origin} ({self.shown_root}{note})"


def project_root() -> Path:
    """Return the folder that contains ``data/`` and ``notebooks/``.

    Returns:
        The parent of the installed package; if the package was copied away from its project, the
        nearest folder at or above the working directory that has ``notebooks/``.
    """
    here = Path(__file__).resolve().parents[2]
    above = [Path.cwd(), *Path.cwd().parents]
    return next((folder for folder in [here, *above] if (folder / "notebooks").is_dir()), here)


def results_folder() -> Path:
    """Create the default folder for results.

    Returns:
        ``runs/latest`` in the project; if the project is read-only, such as a shared course folder,
        in the working directory, the home folder or, last, the folder for temporary files, which a
        warning reports.

    Raises:
        FileExistsError: a file has its name.
        PermissionError: none of them is writable.
    """
    places = [project_root(), Path.cwd(), home_folder(), Path(tempfile.gettempdir())]
    for place in places:
        folder = place / "runs" / "latest"
        if can_write(folder):
            if place != places[0]:
                logger.warning(
                    "The project's folder is read-only: results go to %s; OUTPUT_DIR, or --out "
                    "of a command, names another folder.",
                    folder,
                )
            return folder.resolve()
    raise PermissionError(
        f"Expected a writable folder for results; received {places[0]}, and neither the working "
        "directory nor the home folder is writable. Set OUTPUT_DIR to a folder of your own."
    )


def kaggle_input() -> Path:
    """Return where Kaggle mounts data; kagglehub's KAGGLE_CACHE_MOUNT_FOLDER changes it."""
    return Path(os.environ.get("KAGGLE_CACHE_MOUNT_FOLDER", "/kaggle/input"))


def kagglehub_cache() -> Path:
    """Return where kagglehub keeps downloads; its variable KAGGLEHUB_CACHE changes it."""
    return Path(os.environ.get("KAGGLEHUB_CACHE", home_folder() / ".cache" / "kagglehub"))


def find(name: str, data_dir: str | os.PathLike = "") -> Dataset:
    """Find one of the two data sets.

    The search goes from the most specific place to the least: Kaggle's mounts, kagglehub's cache,
    the project's ``data/``, and finally the bundled sample.

    Args:
        name: ``FACES`` or ``VIDEOS``.
        data_dir: the data set's folder or its parent; "" searches.

    Returns:
        The data set, its root absolute.

    Raises:
        ValueError: ``name`` is not one of the two.
        FileNotFoundError: it is not in ``data_dir``, or in none of the places.
    """
    if name not in MARKERS:
        raise ValueError(
            f"Expected a data set name of {sorted(MARKERS)}; received {name!r}. "
            "Use locate.FACES or locate.VIDEOS."
        )
    dataset = _find_under(name, _expanded(data_dir)) if os.fspath(data_dir) else _search(name)
    logger.info("Using %s", dataset)
    return dataset


def _find_under(name: str, folder: Path) -> Dataset:
    """Find ``name`` in a given folder, or say what is there instead."""
    for candidate in _shapes(folder, name):
        if _holds(candidate, name):
            return Dataset(name, candidate.resolve(), "argument")
    beside = folder.parent / name
    hint = (
        f" It is in the parent folder: pass {str(folder.parent)!r}." if _holds(beside, name) else ""
    )
    raise FileNotFoundError(
        f"Expected {name} ({' or '.join(MARKERS[name])}, or folders real and fake) in the folder "
        f"or directly below it; received data_dir={str(folder)!r}: {_seen_in(folder)}. Pass the "
        f'data set\'s folder or its parent, or "" to search.{hint}'
    )


def _expanded(data_dir: str | os.PathLike) -> Path:
    try:
        return Path(data_dir).expanduser()
    except RuntimeError as error:  # ~somebody, an unknown user
        raise FileNotFoundError(
            f"Expected the folder of a data set; received {os.fspath(data_dir)!r}, and no such "
            "user is known. Write the path in full."
        ) from error


def _seen_in(folder: Path) -> str:
    """Describe a folder's content instead of a data set."""
    try:
        return f"it holds {sorted(entry.name for entry in folder.iterdir())[:8]}"
    except FileNotFoundError:
        return "no such folder"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"


def _search(name: str) -> Dataset:
    """Search the known places, best first."""
    project_data = project_root() / "data"
    places = {
        "Kaggle mount": _shapes(kaggle_input(), name, itself=False),
        "kagglehub cache": _cached(kagglehub_cache(), name),
        "data folder": [project_data / name, project_data / name / name],
        "bundled sample": [project_data / "sample" / name],
    }
    for origin, candidates in places.items():
        for candidate in candidates:
            if _holds(candidate, name):
                return Dataset(name, candidate.resolve(), origin)
    raise FileNotFoundError(
        f"Expected {name} in {kaggle_input()}, {kagglehub_cache()}, {project_data} or its sample; "
        f"received none of them. Get it with: {DOWNLOADS[name]}; or set DATA_DIR to its folder."
    )


def _shapes(folder: Path, name: str, *, itself: bool = True) -> Iterator[Path]:
    """Yield the folders below ``folder`` in which Kaggle may mount a data set."""
    if itself:
        yield folder
    yield folder / name
    yield folder / name / name  # archives that contain a folder of their own name
    yield folder / "competitions" / name
    with contextlib.suppress(OSError):  # unreadable
        yield from sorted(folder.glob(f"datasets/*/{name}"))


def _cached(cache: Path, name: str) -> Iterator[Path]:
    """Yield kagglehub's complete downloads of ``name``, newest version first.

    It stores ``datasets/<owner>/<slug>/versions/<n>`` and ``competitions/<slug>``, and marks a
    finished download with a file in ``.complete``; folders without one are incomplete downloads.
    """
    versions = [
        (int(marker.name.removesuffix(".complete")), marker.parents[1])
        for marker in cache.glob(f"datasets/*/{name}/.complete/*.complete")
        if marker.name.removesuffix(".complete").isdigit()
    ]
    for number, folder in sorted(versions, reverse=True):
        yield folder / "versions" / str(number)
    if (cache / "competitions" / ".complete" / f"{name}.complete").is_file():
        yield cache / "competitions" / name
    # An archive may contain a folder with the data set's name.
    for number, folder in sorted(versions, reverse=True):
        yield folder / "versions" / str(number) / name


def _holds(folder: Path, name: str) -> bool:
    """Whether ``folder`` has the data set's marker file, or folders "real" and "fake"."""
    try:
        if not (folder / "faces_224").is_dir() and (classes := class_folders(folder)):
            return kind_in(classes) == (PICTURE_ENDINGS if name == FACES else CLIP_ENDINGS)
        return any((folder / marker).is_file() for marker in MARKERS[name])
    except (OSError, DatasetError):  # an unreadable folder counts as empty
        return False
