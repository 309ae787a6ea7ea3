"""Metadata and files of a data set as one checked table.

Every layout gives the same columns, and every problem of a row becomes an entry in a table of
findings, instead of a crash an hour later or an unnoticed picture of zeros.
"""

import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.data import ties
from nbhelpers.data.file_checks import VERIFY, verify_rows
from nbhelpers.data.groups import connected_groups
from nbhelpers.data.labels import LABELS as LABELS
from nbhelpers.data.labels import y_true as y_true
from nbhelpers.data.layouts import Layout, layout_of, list_files
from nbhelpers.data.locate import Dataset
from nbhelpers.data.metadata import DatasetError as DatasetError
from nbhelpers.data.metadata import read_rows
from nbhelpers.data.rows import DOUBTS, Files, check_rows, clean, tidied, tie_findings
from nbhelpers.data.rows import PROBLEMS as LEFT_OUT
from nbhelpers.media.kinds import CLIP_ENDINGS, PICTURE_ENDINGS

logger = logging.getLogger(__name__)

COLUMNS = [
    "videoname",
    "label",
    "original",
    "group",
    "path",
    "method",
    "mask_path",
    "source",
    "identity",
    "split",
    "original_width",
    "original_height",
]
FINDING_COLUMNS = ["videoname", "problem", "detail"]
PROBLEMS = LEFT_OUT + DOUBTS


@dataclass(frozen=True)
class Manifest:
    """A data set's usable rows, problems of the others, and doubts about the usable ones.

    Attributes:
        table: one row per file, columns ``COLUMNS``. Unknown text is "", an unknown size is
            NaN. Originals and sources are the videonames of the rows that they refer to, where
            these exist. Row order is that of the metadata file.
        findings: columns ``videoname, problem, detail``. A row with a problem of ``LEFT_OUT`` is
            not in ``table``; one with a problem of ``DOUBTS`` is, but its family is in doubt.
    """

    table: pd.DataFrame
    findings: pd.DataFrame

    def summary(self) -> str:
        """Summarise the checks and the findings in a sentence."""
        counted = self.findings["problem"].value_counts()
        faults = ", ".join(f"{problem} {count}" for problem, count in counted.items())
        return (
            f"{len(self.table)} usable rows; {len(PROBLEMS)} kinds of fault looked for: "
            f"{faults or 'none found'}."
        )


def read(dataset: Dataset | str | os.PathLike, *, verify: str = "header") -> Manifest:
    """Read and check a data set: one of Kaggle's two, or folders real and fake.

    Args:
        dataset: from ``locate.find``, or the data set's folder.
        verify: what to check of each file: "none" (it exists), "header" (also: it is not empty and
            begins like a picture or a clip, and crops of the usual size decode; half a minute for
            100,000 of them) or "decode" (every pixel of every file; minutes).

    Returns:
        The table and the findings. Labels are REAL or FAKE, in upper case. Each finding names
        one of ``PROBLEMS``.

    Raises:
        DatasetError: no metadata, not the expected columns, or no usable row.
        ValueError: unknown ``verify``.
    """
    if verify not in VERIFY:
        raise ValueError(f"Expected verify to be one of {VERIFY}; received {verify!r}.")
    root = Path(dataset.root if isinstance(dataset, Dataset) else dataset)
    layout = layout_of(root)
    files = Files(layout)
    if layout.metadata is None:
        rows = files.rows()
    else:
        labelled = () if layout.classes else ("label",)
        rows = read_rows(layout.metadata, needed=("videoname", *labelled))
    rows = tidied(rows)
    usable, findings = check_rows(rows, files)
    usable, unreadable = verify_rows(usable, verify=verify)
    table = _to_table(usable, layout)
    labels = {row["videoname"]: row["label"] for row in rows}
    findings += unreadable + tie_findings(table, labels)
    table["group"] = connected_groups(table)
    for column in ("original", "source"):
        table[column] = ties.resolved(table, column)
    findings = pd.DataFrame(findings, columns=FINDING_COLUMNS, dtype="str")
    _report(table, findings, layout.metadata or layout.media)
    return Manifest(table[COLUMNS], findings)


def test_clips(dataset: Dataset | str | os.PathLike) -> pd.DataFrame:
    """Return the clips in ``test_videos``, which have no labels.

    Args:
        dataset: from ``locate.find(VIDEOS)``, or the data set's folder.

    Returns:
        Columns ``videoname, path``, sorted by name. Files that do not begin like a clip are left
        out and logged.

    Raises:
        DatasetError: there is no ``test_videos`` folder with a clip in it.
    """
    folder = Path(dataset.root if isinstance(dataset, Dataset) else dataset) / "test_videos"
    files, outside = list_files(folder, CLIP_ENDINGS) if folder.is_dir() else ({}, set())
    rows = [{"videoname": name, "path": path} for name, path in sorted(files.items())]
    rows = [row for row in rows if row["path"] not in outside]
    usable, unreadable = verify_rows(rows, verify="header")
    if outside:
        logger.warning("%d links that lead out of %s are left out", len(outside), folder)
    for finding in unreadable:
        logger.warning("%s is left out: %s", finding["videoname"], finding["detail"])
    if not usable:
        raise DatasetError(
            f"Expected clips in a test_videos folder; received none in {folder}. "
            "Check that the data set was unpacked whole."
        )
    return pd.DataFrame(usable, columns=["videoname", "path"], dtype="str")


# ---------------------------------------------------------------- helpers


def _to_table(usable: list[dict], layout: Layout) -> pd.DataFrame:
    """Return the usable rows with their masks and all columns except the group."""
    text = [column for column in COLUMNS if not column.startswith("original_")]
    rows = {column: [clean(row.get(column)) for row in usable] for column in text}
    table = pd.DataFrame(rows, columns=text, dtype="str")
    for column in ("original", "source", "identity", "method", "split"):
        absent = table[column].str.lower().isin(["nan", "null", "none"])
        table[column] = table[column].where(~absent, "")
    masks = {}
    if layout.masks.is_dir():
        files, outside = list_files(layout.masks, PICTURE_ENDINGS + CLIP_ENDINGS)
        masks = {ties.stem(name): path for name, path in files.items() if path not in outside}
    table["mask_path"] = [masks.get(ties.stem(name), "") for name in table["videoname"]]
    for column in ("original_width", "original_height"):
        sizes = [clean(row.get(column)) for row in usable]
        known = pd.to_numeric(pd.Series(sizes, dtype="str"), errors="coerce").astype(float)
        table[column] = known.where(np.isfinite(known))
    return table


def _report(table: pd.DataFrame, findings: pd.DataFrame, place: Path) -> None:
    """Log the findings; raise if no row is usable."""
    left_out = _summary(findings, LEFT_OUT)
    if table.empty:
        raise DatasetError(
            f"Expected at least one usable row in {place}; received {left_out or 'none'}. "
            "Check that the files are beside the metadata and were unpacked completely."
        )
    if left_out:
        logger.warning("%s: %d rows usable; left out: %s", place.name, len(table), left_out)
    if doubts := _summary(findings, DOUBTS):
        logger.warning("%s: families in doubt: %s", place.name, doubts)
    alone = int(((table["label"] == "FAKE") & (table["original"] == "")).sum())
    if alone:
        logger.warning(
            "%d fakes name no original: a split by group cannot keep them from leaking", alone
        )


def _summary(findings: pd.DataFrame, problems: tuple[str, ...]) -> str:
    counts = Counter(findings.loc[findings["problem"].isin(problems), "problem"])
    return ", ".join(f"{count} {problem}" for problem, count in counts.most_common())
