"""Folder layouts of data sets: Kaggle's two, and files sorted into "real" and "fake"."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbhelpers.data.metadata import DatasetError
from nbhelpers.media.kinds import CLIP_ENDINGS, PICTURE_ENDINGS

FACES, VIDEOS = "deepfake-faces", "deepfake-detection-challenge"

#: Folder names that give the split of their files.
SIDES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_CLASSES = {
    **dict.fromkeys(("real", "reals", "original", "originals", "authentic"), "REAL"),
    **dict.fromkeys(("fake", "fakes", "deepfake", "deepfakes", "manipulated"), "FAKE"),
}
_BESIDE = {"images", "pictures", "faces", "videos", "clips", "frames", "data", *SIDES}
_APART = {"masks", "masks_224", "test_videos"}  # their files are not rows


@dataclass(frozen=True)
class ClassFolder:
    """A folder whose name is a label.

    Attributes:
        path: the folder.
        label: REAL or FAKE.
        split: train, validation or test, of the folder above it; "" if it names none.
    """

    path: Path
    label: str
    split: str


@dataclass(frozen=True)
class Layout:
    """The locations of a data set's parts.

    Attributes:
        metadata: the table or the JSON file; None if only folder names give the labels.
        media: the folder of the files named by the rows.
        masks: the folder of the masks, which need not exist.
        suffixes: of its files, lower case.
        classes: the folders "real" and "fake", if labels come from them.
    """

    metadata: Path | None
    media: Path
    masks: Path
    suffixes: tuple[str, ...]
    classes: list[ClassFolder] = field(default_factory=list)


def layout_of(root: Path) -> Layout:
    """Return the layout of a folder.

    Raises:
        DatasetError: no known layout, or files are missing.
    """
    try:
        layout = _known_layout(root)
    except OSError as error:
        raise DatasetError(
            f"Expected a readable folder; received {root}: {error.strerror}. Check its "
            "name and permissions."
        ) from error
    if layout is None:
        raise DatasetError(
            f"Expected {FACES} (metadata.csv), {VIDEOS} (train_sample_videos/metadata.json) or "
            f"folders real and fake; received {root} with none of them. Find the folder with "
            "locate.find."
        )
    return layout


def _known_layout(root: Path) -> Layout | None:
    table = root / "metadata.csv"
    if table.is_file():
        classes = [] if (root / "faces_224").is_dir() else class_folders(root)
        if not classes and not (root / "faces_224").is_dir():
            raise DatasetError(
                f"Expected the files in a folder faces_224, or in real and fake; received {root} "
                "without it. Check that the data set was unpacked completely."
            )
        media = root if classes else root / "faces_224"
        suffixes = kind_in(classes) if classes else PICTURE_ENDINGS
        return Layout(table, media, root / "masks_224", suffixes, classes)
    for media, masks in ((root / "train_sample_videos", root / "masks"), (root, root / "masks")):
        if (media / "metadata.json").is_file():  # the second is one of DFDC's training parts
            return Layout(media / "metadata.json", media, masks, CLIP_ENDINGS)
    if classes := class_folders(root):
        return Layout(None, root, root / "masks", kind_in(classes), classes)
    return None


def class_folders(root: Path) -> list[ClassFolder]:
    """Return folders "real" and "fake" in a folder, or below its train, validation and test.

    Args:
        root: any folder.

    Returns:
        Folders of both labels, sorted by path; nothing if one of the two is missing.
    """
    sides = {folder: SIDES.get(folder.name.casefold(), "") for folder in _folders(root)}
    places = [(root, "")] + [(folder, side) for folder, side in sides.items() if side]
    result = []
    for place, side in places:
        for folder in _folders(place):
            words = {word for word in re.split(r"[\W_\d]+", folder.name.casefold()) if word}
            labels = {_CLASSES[word] for word in words & _CLASSES.keys()}
            if len(labels) == 1 and words <= _CLASSES.keys() | _BESIDE:
                within = [SIDES[word] for word in words & SIDES.keys()]  # training_real
                result.append(ClassFolder(folder, labels.pop(), side or (within or [""])[0]))
    return result if len({one.label for one in result}) == 2 else []


def kind_in(classes: list[ClassFolder]) -> tuple[str, ...]:
    """Return the suffixes of pictures if the folders have any, else those of clips, or ()."""
    for endings in (PICTURE_ENDINGS, CLIP_ENDINGS):
        if any(True for one in classes for _ in _walk(one.path, endings)):
            return endings
    return ()


def list_files(folder: Path, suffixes: tuple[str, ...]) -> tuple[dict[str, str], set[str]]:
    """List the files with one of the suffixes, at any depth.

    A linked data folder is its owner's choice; a link inside a data set may have come with it, to
    reach files that it should not.

    Args:
        folder: of the data set.
        suffixes: lower case.

    Returns:
        Relative name, with "/" -> path; and the paths that lead out of the folder.

    Raises:
        DatasetError: the folder cannot be read.
    """
    files, outside = {}, set()
    root = os.path.realpath(folder)
    for entry in _walk(folder, suffixes):
        files[Path(entry.path).relative_to(folder).as_posix()] = entry.path
        target = os.path.realpath(entry.path) if entry.is_symlink() else ""
        if target and not target.startswith(root + os.sep):
            outside.add(entry.path)
    return files, outside


def _walk(folder: Path, suffixes: tuple[str, ...]) -> Iterator[os.DirEntry]:
    """Yield every file with one of the suffixes; each folder is listed once, no file opened."""
    waiting = [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.name.lower().endswith(suffixes):
                        yield entry
                    elif entry.name not in _APART and entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:
            raise DatasetError(
                f"Expected readable folders; received {error.filename}: {error.strerror}. "
                "Check their permissions."
            ) from error


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(one for one in root.iterdir() if one.is_dir() and one.name[0] != ".")
    except OSError:  # missing or unreadable: treated as empty
        return []
