"""Matching metadata rows with their files: the usable ones, and the problems of the others."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pandas as pd

from nbhelpers.common.files import displayable
from nbhelpers.data import ties
from nbhelpers.data.labels import LABELS
from nbhelpers.data.layouts import Layout, list_files
from nbhelpers.data.metadata import TWICE, DatasetError
from nbhelpers.media.kinds import CLIP_ENDINGS, PICTURE_ENDINGS, without_ending

#: Rows with one of these problems are left out.
PROBLEMS = (
    "unsafe name",
    "unlabelled",
    "unknown label",
    "duplicate",
    "missing",
    "ambiguous",
    "leads outside",
    "unreadable",
    "unlisted",
)
#: Rows with one of these stay: they are usable, except for what they say about their family.
DOUBTS = tuple(f"{kind} {tie}" for tie in ("original", "source") for kind in ("no", "fake", "own"))

# Leads out of the folder, or cannot be displayed in a terminal.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|^/|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")
_NUMBERS = {"0": "REAL", "1": "FAKE", "0.0": "REAL", "1.0": "FAKE"}
_ENDINGS = PICTURE_ENDINGS + CLIP_ENDINGS


class Files:
    """The files of a data set, and which of them rows refer to."""

    def __init__(self, layout: Layout):
        """List the files of a layout."""
        self.paths: dict[str, str] = {}
        self.outside: set[str] = set()
        self.facts: dict[str, dict] = {}  # name -> facts from its folder: label, split
        for one in layout.classes:
            inside, outside = list_files(one.path, layout.suffixes)
            folder = one.path.relative_to(layout.media).as_posix()
            below = {f"{folder}/{name}": path for name, path in inside.items()}
            self.paths |= below
            self.outside |= outside
            self.facts |= {name: {"label": one.label, "split": one.split} for name in below}
        if not layout.classes:
            self.paths, self.outside = list_files(layout.media, layout.suffixes)
        self._names = ties.Names(self.paths, loose=False)
        self._named: set[str] = set()

    def rows(self) -> list[dict]:
        """Return a row for each file, with the facts from its folder."""
        return [{"videoname": name, **self.facts[name]} for name in sorted(self.paths)]

    def named(self, name: str) -> list[str]:
        """Return the files that a row may mean; pictures of one stem count once, JPEG first."""
        matches = self._names.matching(name)
        if len(matches) > 1 and len(set(map(without_ending, matches))) == 1:
            matches = [
                min(matches, key=lambda one: _ENDINGS.index(os.path.splitext(one)[1].lower()))
            ]
        self._named.update(matches)
        return matches

    def unlisted(self) -> list[dict]:
        """Return findings for files that no row refers to."""
        finding = {"problem": "unlisted", "detail": "file without a row in the metadata"}
        others = sorted(self.paths.keys() - self._named)
        return [{"videoname": displayable(name), **finding} for name in others]


def tidied(rows: list[dict]) -> list[dict]:
    """Normalise names and labels: "/" between folders, upper case, REAL and FAKE for 0 and 1.

    Args:
        rows: from `metadata.read_rows` or `Files.rows`.

    Returns:
        The same rows; `videoname` and `label` are text, "" where they are missing.

    Raises:
        DatasetError: labels are 0 and 1, and the originals imply the opposite meaning.
    """
    label = _label_reader(rows)
    # Before cleaning, which itself writes backslashes for invalid characters.
    names = [str(row["videoname"] or "").replace("\\", "/").removeprefix("./") for row in rows]
    return [
        {**row, "videoname": clean(name), "label": label(row)}
        for name, row in zip(names, rows, strict=True)
    ]


def check_rows(rows: list[dict], files: Files) -> tuple[list[dict], list[dict]]:
    """Sort rows into usable ones and findings.

    Args:
        rows: from `tidied`.
        files: of the same data set.

    Returns:
        The usable rows with `videoname`, `label` and `path`; and findings, with those for files
        without a row at the end.
    """
    labels: dict[str, set] = {}
    for row in rows:
        labels.setdefault(row["videoname"], set()).add(row["label"])
    usable, findings, first_of = [], [], {}
    for row in rows:
        name, matches = row["videoname"], files.named(row["videoname"])
        facts = files.facts.get(matches[0], {}) if len(matches) == 1 else {}
        row = {**row, "label": row["label"] or facts.get("label", "")}
        problem, detail = _problem(row, matches, labels=labels[name], facts=facts)
        path = files.paths[matches[0]] if matches else ""
        if not problem and path in files.outside:
            problem, detail = "leads outside", "a link to another folder; put the file itself there"
        if not problem and path in first_of:
            same = first_of[path] == name
            detail = "named before" if same else f"the same file as {first_of[path]}"
            problem, detail = "duplicate", f"{detail}; the first row is kept"
        if problem:
            findings.append({"videoname": displayable(name), "problem": problem, "detail": detail})
        else:
            first_of[path] = name
            usable.append({**facts, **row, "path": path})
    return usable, findings + files.unlisted()


def tie_findings(table: pd.DataFrame, labels: dict[str, str]) -> list[dict]:
    """Report originals and sources that are not another row, or not a real one.

    Args:
        table: usable rows with ``videoname, original, source``, as in the metadata.
        labels: of every row of the metadata, left out or not: videoname -> label.

    Returns:
        Findings with problems of `DOUBTS`.
    """
    findings, names = [], ties.Names(labels)
    for column in ("original", "source"):
        known = table[table[column] != ""]
        meant = {reference: names.matching(reference) for reference in known[column].unique()}
        for name, reference in zip(known["videoname"], known[column], strict=True):
            matches = meant[reference]
            if not matches:
                kind, detail = "no", f"{displayable(reference)} is not in the metadata"
            elif name in matches:
                kind, detail = "own", f"it names itself as its {column}"
            elif all(labels[match] == "FAKE" for match in matches):
                kind, detail = "fake", f"{displayable(reference)} is a fake itself"
            else:
                continue
            findings.append({"videoname": name, "problem": f"{kind} {column}", "detail": detail})
    return findings


def clean(value: object) -> str:
    r"""Return a cell as stripped text; missing is "". Lone surrogates become "\ud800"."""
    if value is None or value != value:
        return ""
    text = str(value).strip(" \t\r\n")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _label_reader(rows: list[dict]) -> Callable[[dict], str]:
    """Return how to read these rows' labels: as words, or as 0 and 1 if all are numbers."""
    words = {clean(row.get("label")).upper() for row in rows} - {""}
    if not words or not words <= _NUMBERS.keys():
        return lambda row: clean(row.get("label")).upper()
    naming = {_NUMBERS.get(clean(row.get("label"))) for row in rows if clean(row.get("original"))}
    if naming == {"REAL"}:
        raise DatasetError(
            "Expected labels REAL and FAKE, or 0 for real and 1 for fake; received 0 and 1 where "
            "only rows of 0 name an original, so 0 seems to be fake. Write REAL and FAKE."
        )
    return lambda row: _NUMBERS.get(clean(row.get("label")), "")


def _problem(row: dict, matches: list[str], *, labels: set, facts: dict) -> tuple[str, str]:
    """Return the first thing wrong with a row, or two empty strings."""
    name, label = row["videoname"], row["label"]
    if _UNSAFE.search(name):
        return "unsafe name", f"expected a file name within the data set; received {name!r}"
    if row.get(TWICE):
        return "duplicate", f"{', '.join(map(repr, row[TWICE]))} is given twice, with two values"
    if label in ("", "NAN", "NONE", "NULL"):
        return "unlabelled", "no label"
    if label not in LABELS:
        return "unknown label", f"expected REAL or FAKE; received {label!r}"
    if len(labels) > 1:
        return "duplicate", f"named with different labels {sorted(labels)}; all are dropped"
    if facts and facts["label"] != label:
        return "unknown label", f"the table says {label}, its folder {facts['label']}"
    if not matches:
        return "missing", "listed in the metadata, but there is no such file"
    if len(matches) > 1:
        return "ambiguous", f"may mean any of {len(matches)} files, such as {sorted(matches)[:2]}"
    return "", ""
