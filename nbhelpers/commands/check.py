"""`check`: what is wrong with a data set, before a network learns it."""

from __future__ import annotations

import argparse
import logging

EXAMPLES = """
examples:
  python -m nbhelpers check                              what the notebooks would find
  python -m nbhelpers check ~/kaggle                     a folder with one or both data sets in it
  python -m nbhelpers check ~/kaggle --verify decode     decode every pixel (minutes)
  python -m nbhelpers check ~/kaggle --csv findings.csv  all findings as a table

Exit code: 0 nothing to find, 1 findings, 2 no data set there.
"""
SHOWN = 3  # examples of each problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    parser.add_argument(
        "folder",
        nargs="?",
        default="",
        metavar="DIR",
        help="a data set or its parent; none searches",
    )
    parser.add_argument(
        "--verify",
        default="header",
        choices=("none", "header", "decode"),
        help="that files are there; that they begin as they should; that every pixel decodes",
    )
    parser.add_argument("--csv", default="", metavar="FILE", help="write all findings to a file")


def main(chosen: argparse.Namespace) -> int:
    """Checks what is there."""
    import pandas as pd

    from nbhelpers.common import files
    from nbhelpers.common.errors import UsageError
    from nbhelpers.data import locate, manifest

    logging.disable(logging.WARNING)  # the findings below say the same
    try:
        found = _datasets(chosen.folder)
        tables = []
        for dataset in found:
            print(dataset)
            try:
                checked = manifest.read(dataset, verify=chosen.verify)
            except manifest.DatasetError as error:
                raise UsageError(str(error)) from None
            print(_summary(checked))
            tables.append(checked.findings.assign(dataset=dataset.name))
    finally:
        logging.disable(logging.NOTSET)
    findings = pd.concat(tables, ignore_index=True)
    if chosen.csv:
        files.write_text(chosen.csv, findings.to_csv(index=False))
        print(f"{len(findings)} findings in {chosen.csv}")
    absent = [name for name in locate.MARKERS if name not in [one.name for one in found]]
    for name in absent:
        print(f"{name}: not there")
    return int(len(findings) > 0)


def _datasets(folder: str) -> list:
    """The data sets of a folder, or those that the notebooks would find."""
    from nbhelpers.common.errors import UsageError
    from nbhelpers.data import locate

    found, refusals = [], []
    for name in locate.MARKERS:
        try:
            found.append(locate.find(name, folder))
        except FileNotFoundError as error:
            refusals.append(str(error))
    if not found:
        raise UsageError("\n".join(refusals))
    # A folder with metadata.json alone is not a data set of faces: each root counts once.
    return list({dataset.root: dataset for dataset in found}.values())


def _summary(checked) -> str:
    """Counts, and each problem with how often and for example where."""
    counts = checked.table["label"].value_counts()
    lines = [
        "  usable: " + ", ".join(f"{counts.get(label, 0)} {label}" for label in ("REAL", "FAKE")),
        f"  groups that must not be torn apart: {checked.table['group'].nunique()}",
    ]
    for problem, rows in checked.findings.groupby("problem"):
        lines.append(f"  {problem}: {len(rows)}")
        lines += [f"    {row.videoname}: {row.detail}" for row in rows.head(SHOWN).itertuples()]
        if len(rows) > SHOWN:
            lines.append(f"    and {len(rows) - SHOWN} more")
    if checked.findings.empty:
        lines.append("  nothing wrong was found")
    return "\n".join(lines)
