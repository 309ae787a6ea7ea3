"""`check`: what is wrong with a data set, before a network learns from it."""

from __future__ import annotations

import argparse
import logging

import pandas as pd

from nbhelpers.common import files, tables
from nbhelpers.common.errors import UsageError
from nbhelpers.common.paths import path_argument
from nbhelpers.data import locate, manifest, readiness
from nbhelpers.data.labels import LABELS

EXAMPLES = """
examples:
  python -m nbhelpers check                              the data sets that the notebooks would use
  python -m nbhelpers check ~/kaggle                     a folder with one or both data sets in it
  python -m nbhelpers check ~/mine                       your own folders "real" and "fake"
  python -m nbhelpers check ~/kaggle --verify decode     decode every pixel (minutes)
  python -m nbhelpers check ~/kaggle --csv findings.csv  all findings as a table

Exit code: 0 no findings, 1 findings, 2 no data set found.
"""
MOST_EXAMPLES = 3  # of each problem
COLUMNS = [*manifest.FINDING_COLUMNS, "dataset"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=path_argument,
        metavar="DIR",
        help="a data set or its parent (searched for)",
    )
    parser.add_argument(
        "--verify",
        default="header",
        choices=("none", "header", "decode"),
        help="none: files exist; header: also, they start correctly and crops decode; decode: "
        "also, every pixel of every file decodes",
    )
    parser.add_argument(
        "--csv", type=path_argument, metavar="FILE", help="write all findings to a file"
    )
    parser.add_argument("--force", action="store_true", help=files.FORCE_HELP)


def main(chosen: argparse.Namespace) -> int:
    """Check the data sets."""
    datasets = _datasets(chosen.folder or "")
    if chosen.csv:
        kind = ",".join(COLUMNS) + "\n"
        files.check_target(chosen.csv, kind=kind, force=chosen.force)
    logging.disable(logging.WARNING)  # the findings below report the same
    try:
        findings = pd.concat(
            [_checked(dataset, verify=chosen.verify) for dataset in datasets], ignore_index=True
        )
    finally:
        logging.disable(logging.NOTSET)
    if chosen.csv:
        files.write_target(chosen.csv, tables.frame_csv(findings[COLUMNS]))
        print(f"{len(findings)} findings in {files.displayable(str(chosen.csv))}")
    absent = [name for name in locate.MARKERS if name not in [one.name for one in datasets]]
    for name in absent:
        print(f"{name}: not found")
    return int(len(findings) > 0)


def _datasets(folder) -> list[locate.Dataset]:
    """Return the data sets of a folder, or those that the notebooks would find."""
    datasets, refusals = [], []
    for name in locate.MARKERS:
        try:
            datasets.append(locate.find(name, folder))
        except FileNotFoundError as error:
            refusals.append(str(error))
    if not datasets:
        raise UsageError("\n".join(refusals))
    # A folder with only metadata.json is not a data set of faces: each root counts once.
    return list({dataset.root: dataset for dataset in datasets}.values())


def _checked(dataset: locate.Dataset, *, verify: str) -> pd.DataFrame:
    """Check one data set, print the findings, and return them as rows of `COLUMNS`."""
    print(files.displayable(str(dataset)))
    try:
        checked = manifest.read(dataset, verify=verify)
    except manifest.DatasetError as error:
        raise UsageError(str(error)) from None
    lacking = readiness.stumbles(checked.table, dataset.name)
    print(_summary(checked, lacking))
    rows = [
        {"videoname": "", "problem": _of_notebooks(one), "detail": one.detail} for one in lacking
    ]
    parts = [checked.findings, pd.DataFrame(rows, columns=manifest.FINDING_COLUMNS, dtype="str")]
    return pd.concat(parts, ignore_index=True).assign(dataset=dataset.name)


def _of_notebooks(stumble: readiness.Stumble) -> str:
    return f"notebook{'s'[: len(stumble.notebooks) - 1]} {', '.join(stumble.notebooks)}"


def _summary(checked: manifest.Manifest, lacking: list[readiness.Stumble]) -> str:
    """Return counts, each problem with its frequency and examples, and what notebooks lack."""
    counts = checked.table["label"].value_counts()
    lines = [
        "  usable: " + ", ".join(f"{counts.get(label, 0)} {label}" for label in LABELS),
        f"  groups that a split must keep together: {checked.table['group'].nunique()}",
    ]
    for problem, rows in checked.findings.groupby("problem"):
        lines.append(f"  {problem}: {len(rows)}")
        examples = rows.head(MOST_EXAMPLES).itertuples()
        lines += [f"    {row.videoname}: {row.detail}" for row in examples]
        if len(rows) > MOST_EXAMPLES:
            lines.append(f"    and {len(rows) - MOST_EXAMPLES} more")
    lines += [f"  {_of_notebooks(one)}: {one.detail}" for one in lacking]
    if checked.findings.empty and not lacking:
        lines.append("  no problems")
    return "\n".join(lines)
