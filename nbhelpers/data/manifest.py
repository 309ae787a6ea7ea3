"""Kaggle's ``metadata.csv`` and ``metadata.json`` as one checked table.

Both layouts end in the same columns, and whatever is wrong with a row ends in a table of findings
instead of in a crash an hour later, or in a picture of zeros that nobody notices.
"""

import csv
import io
import json
import logging
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.common.files import displayable
from nbhelpers.data.file_checks import CLIPS, PICTURES, VERIFY, verify_rows
from nbhelpers.data.groups import connected_groups
from nbhelpers.data.locate import FACES, VIDEOS, Dataset

logger = logging.getLogger(__name__)

LABELS = ("REAL", "FAKE")
COLUMNS = [
    *("videoname", "label", "original", "group", "path"),
    *("method", "mask_path", "source", "identity", "split"),
    *("original_width", "original_height"),
]
FINDING_COLUMNS = ["videoname", "problem", "detail"]
PROBLEMS = (
    *("unsafe name", "unlabelled", "unknown label", "duplicate"),
    *("missing", "leads outside", "unreadable", "unlisted"),
)

_MOST_BYTES = 500_000_000  # of metadata; those of all of DFDC have 10
# Not a bare file name, or one that no terminal can show.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]|^[A-Za-z]:|^\.{0,2}$")


class DatasetError(ValueError):
    """A data set as a whole cannot be used."""


@dataclass(frozen=True)
class Manifest:
    """A data set's usable rows and what was found wrong with the others.

    Attributes:
        table: one row a file, columns ``COLUMNS``. Text that is not known is "", a size that is
            not known is NaN. Row order is that of the metadata file.
        findings: columns ``videoname, problem, detail``; the rows it names are not in ``table``.
    """

    table: pd.DataFrame
    findings: pd.DataFrame


@dataclass(frozen=True)
class _Layout:
    """Where one of Kaggle's layouts keeps its parts."""

    metadata: Path
    media: Path
    masks: Path
    suffixes: tuple[str, ...]


def read(dataset: Dataset | str | os.PathLike, *, verify: str = "header") -> Manifest:
    """Read and check the metadata of either layout.

    Args:
        dataset: from ``locate.find``, or the data set's folder.
        verify: what to check of each file: "none" (that it is there), "header" (also that it is
            not empty, begins like a picture or a clip, and that a picture does not break off;
            seconds for 100,000 files) or "decode" (also that every pixel can be decoded; minutes).

    Returns:
        The table and the findings. Labels are REAL or FAKE, in capitals. Each finding names one
        of ``PROBLEMS``.

    Raises:
        DatasetError: no metadata, not the expected columns, or no usable row.
        ValueError: unknown ``verify``.
    """
    if verify not in VERIFY:
        raise ValueError(f"Expected verify to be one of {VERIFY}; received {verify!r}.")
    root = Path(dataset.root if isinstance(dataset, Dataset) else dataset)
    layout = _layout(root)
    rows = _read_rows(layout.metadata)
    kept, findings = _check_rows(rows, _Files(layout))
    kept, unreadable = verify_rows(kept, verify)
    table = _to_table(kept, layout)
    findings = pd.DataFrame(findings + unreadable, columns=FINDING_COLUMNS, dtype="str")
    _report(table, findings, layout.metadata)
    return Manifest(table, findings)


def test_clips(dataset: Dataset | str | os.PathLike) -> pd.DataFrame:
    """The clips in ``test_videos``, which have no labels.

    Args:
        dataset: from ``locate.find(VIDEOS)``, or the data set's folder.

    Returns:
        Columns ``videoname, path``, sorted by name. Files that do not begin like a clip are left
        out and logged.

    Raises:
        DatasetError: there is no ``test_videos`` folder with a clip in it.
    """
    folder = Path(dataset.root if isinstance(dataset, Dataset) else dataset) / "test_videos"
    files, outside = _list_files(folder, CLIPS) if folder.is_dir() else ({}, set())
    rows = [{"videoname": name, "path": path} for name, path in sorted(files.items())]
    kept, unreadable = verify_rows([row for row in rows if row["path"] not in outside], "header")
    if outside:
        logger.warning("%d links that lead out of %s are left out", len(outside), folder)
    for finding in unreadable:
        logger.warning("%s is left out: %s", finding["videoname"], finding["detail"])
    if not kept:
        raise DatasetError(
            f"Expected clips in a test_videos folder; received none in {folder}. "
            "Check that the data set was unpacked whole."
        )
    return pd.DataFrame(kept, columns=["videoname", "path"], dtype="str")


test_clips.__test__ = False  # the name is the field's word, not a test


def y_true(table: pd.DataFrame) -> np.ndarray:
    """Labels as numbers.

    Args:
        table: with a column ``label`` of REAL and FAKE.

    Returns:
        int64 (N,), 1 for FAKE and 0 for REAL.

    Raises:
        ValueError: any other label.

    >>> y_true(pd.DataFrame({"label": ["REAL", "FAKE"]})).tolist()
    [0, 1]
    """
    unknown = sorted(set(table["label"]) - set(LABELS), key=str)
    if unknown:
        raise ValueError(
            f"Expected labels {LABELS}; received also {unknown[:5]}. "
            "Take the table from manifest.read, which sorts such rows out."
        )
    return (table["label"] == "FAKE").to_numpy().astype(np.int64)


# ---------------------------------------------------------------- reading


def _layout(root: Path) -> _Layout:
    """Which of the two layouts ``root`` has."""
    if (root / "metadata.csv").is_file():
        layout = _Layout(root / "metadata.csv", root / "faces_224", root / "masks_224", PICTURES)
    elif (root / "train_sample_videos" / "metadata.json").is_file():
        media = root / "train_sample_videos"
        layout = _Layout(media / "metadata.json", media, root / "masks", CLIPS)
    elif (root / "metadata.json").is_file():  # one of DFDC's training parts
        layout = _Layout(root / "metadata.json", root, root / "masks", CLIPS)
    else:
        raise DatasetError(
            f"Expected {FACES} (metadata.csv) or {VIDEOS} (train_sample_videos/metadata.json); "
            f"received {root} with neither. Find the folder with locate.find."
        )
    if not layout.media.is_dir():
        raise DatasetError(
            f"Expected the files in a folder {layout.media.name}; received {root} without it. "
            "Check that the data set was unpacked whole."
        )
    return layout


def _read_rows(path: Path) -> list[dict]:
    """The rows of a metadata file, untouched but for the byte order mark."""
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise DatasetError(
            f"Expected {path.name} of at most {_MOST_BYTES / 1e6:.0f} MB; received {path} of "
            f"{size / 1e6:.0f} MB. Download it again."
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = _csv_rows(text) if path.suffix == ".csv" else _json_rows(text)
    except DatasetError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:  # not UTF-8, not JSON, nested deeply
        raise DatasetError(
            f"Expected {path.name} in UTF-8, well formed; received {path}: {error}. "
            "Download it again."
        ) from error
    if not rows:
        raise DatasetError(f"Expected rows in {path}; received none. Download it again.")
    missing = {"videoname", "label"} - set(rows[0])
    if missing:
        raise DatasetError(
            f"Expected columns videoname and label in {path}; received {sorted(map(str, rows[0]))}."
            " Is this the metadata file of one of Kaggle's two data sets?"
        )
    return rows


def _csv_rows(text: str) -> list[dict]:
    # The csv module keeps names such as "NA" and NUL bytes, which pandas would swallow.
    return list(csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True))


def _json_rows(text: str) -> list[dict]:
    pairs = json.loads(text, object_pairs_hook=_Pairs)  # a plain dict would hide duplicate names
    if not isinstance(pairs, _Pairs):
        raise DatasetError(
            f"Expected metadata.json to map file names to facts; received a {type(pairs).__name__}."
        )
    rows = []
    for name, facts in pairs:
        facts = dict(facts) if isinstance(facts, _Pairs) else {}
        rows.append({"label": None, **facts, "videoname": name})
    return rows


class _Pairs(list):
    """A JSON object as the pairs it was written in."""


def _list_files(folder: Path, suffixes: tuple[str, ...]) -> tuple[dict[str, str], set[str]]:
    """Name -> path of the files with one of the suffixes, and which paths lead out of the folder.

    One listing, no opening. A linked folder is its owner's choice; a link among the files of a
    data set may have come with it, to fetch a file that is none of its business.
    """
    files, outside = {}, set()
    root = os.path.realpath(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(suffixes) and not entry.name.startswith("."):
                files[entry.name] = entry.path
                if entry.is_symlink() and os.path.dirname(os.path.realpath(entry.path)) != root:
                    outside.add(entry.path)
    return files, outside


# ---------------------------------------------------------------- checking


class _Files:
    """The files of a data set, and which of them rows have named."""

    def __init__(self, layout: _Layout):
        files, self.outside = _list_files(layout.media, layout.suffixes)
        self.files = files
        self.named: set[str] = set()
        self.by_stem: dict[str, str] | None = None
        if layout.suffixes is PICTURES:  # rows name clips; their pictures have the same stem
            ordered = sorted(files, key=lambda name: -PICTURES.index(_ending(name)))
            self.by_stem = {_stem(name): files[name] for name in ordered}

    def of(self, name: str) -> str:
        """The path of a row's file, "" if it is not there."""
        stems = self.by_stem
        path = self.files.get(name, "") if stems is None else stems.get(_stem(name), "")
        self.named.add(path)
        return path

    def unlisted(self) -> list[dict]:
        """Findings for files that no row has named."""
        found = {"problem": "unlisted", "detail": "file without a row in the metadata"}
        others = (name for name in sorted(self.files) if self.files[name] not in self.named)
        return [{"videoname": displayable(name), **found} for name in others]


def _check_rows(rows: list[dict], files: _Files) -> tuple[list[dict], list[dict]]:
    """Sort the rows into usable ones (with ``path``) and findings, files without a row behind."""
    cells = [(_clean(row["videoname"]), _clean(row["label"]).upper()) for row in rows]
    labels: dict[str, set] = {}
    for name, label in cells:
        labels.setdefault(name, set()).add(label)
    kept, findings, seen = [], [], set()
    for row, (name, label) in zip(rows, cells, strict=True):
        path = files.of(name)
        problem, detail = _problem(name, label, labels[name], path)
        if not problem and path in files.outside:
            problem, detail = "leads outside", "a link to another folder; put the file itself there"
        if not problem and name in seen:
            problem, detail = "duplicate", "named before; the first row is kept"
        seen.add(name)
        if problem:
            findings.append({"videoname": displayable(name), "problem": problem, "detail": detail})
        else:
            kept.append({**row, "videoname": name, "path": path})
    return kept, findings + files.unlisted()


def _problem(name: str, label: str, all_labels: set, path: str) -> tuple[str, str]:
    """The first thing wrong with a row, or two empty strings."""
    if _UNSAFE.search(name):
        return "unsafe name", f"expected a bare file name; received {name!r}"
    if label in ("", "NAN", "NONE", "NULL"):
        return "unlabelled", "no label"
    if label not in LABELS:
        return "unknown label", f"expected REAL or FAKE; received {label!r}"
    if len(all_labels) > 1:
        return "duplicate", f"named with different labels {sorted(all_labels)}; all are dropped"
    if not path:
        return "missing", "listed in the metadata, but there is no such file"
    return "", ""


def _clean(value: object) -> str:
    """Any cell as text without outer blanks; missing is "". Half characters become "\\ud800"."""
    if value is None or value != value:
        return ""
    text = str(value).strip(" \t\r\n")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _to_table(kept: list[dict], layout: _Layout) -> pd.DataFrame:
    """The usable rows with all columns, their groups and their masks."""
    text = [column for column in COLUMNS if not column.startswith("original_")]
    rows = {column: [_clean(row.get(column)) for row in kept] for column in text}
    table = pd.DataFrame(rows, columns=text, dtype="str")
    table["label"] = table["label"].str.upper()
    for column in ("original", "source", "identity", "method", "split"):
        table[column] = table[column].where(~table[column].str.lower().isin(["nan", "null"]), "")
    masks = {}
    if layout.masks.is_dir():
        files, outside = _list_files(layout.masks, PICTURES + CLIPS)
        masks = {_stem(name): path for name, path in files.items() if path not in outside}
    table["mask_path"] = [masks.get(_stem(name), "") for name in table["videoname"]]
    for column in ("original_width", "original_height"):
        sizes = [_clean(row.get(column)) for row in kept]
        known = pd.to_numeric(pd.Series(sizes, dtype="str"), errors="coerce").astype(float)
        table[column] = known.where(np.isfinite(known))
    table["group"] = connected_groups(table)
    return table[COLUMNS]


def _report(table: pd.DataFrame, findings: pd.DataFrame, metadata: Path) -> None:
    """Log the findings; a set with nothing usable is an error."""
    found = Counter(findings["problem"])
    summary = ", ".join(f"{count} {problem}" for problem, count in found.most_common())
    if table.empty:
        raise DatasetError(
            f"Expected at least one usable row in {metadata}; received {summary}. "
            "Check that the files lie beside the metadata and were unpacked whole."
        )
    if found:
        logger.warning("%s: %d rows usable; left out: %s", metadata.name, len(table), summary)
    alone = int(((table["label"] == "FAKE") & (table["original"] == "")).sum())
    if alone:
        logger.warning(
            "%d fakes name no original: a split by group cannot keep them from leaking", alone
        )
