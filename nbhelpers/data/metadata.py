"""``metadata.csv`` and ``metadata.json`` -> rows with unchanged values."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

COLUMNS = (
    "videoname",
    "label",
    "original",
    "source",
    "identity",
    "method",
    "split",
    "original_width",
    "original_height",
)
TWICE = "given twice"  # key of a row's list of facts that were given two different values

_MOST_BYTES = 500_000_000  # of metadata; all of DFDC has 10 MB


class DatasetError(ValueError):
    """A data set as a whole cannot be used."""


def read_rows(
    path: Path,
    *,
    needed: tuple[str, ...] = ("videoname", "label"),
    advice: str = "Is this the metadata file of one of Kaggle's two data sets?",
) -> list[dict]:
    """Read a metadata file, or a split file.

    Args:
        path: a CSV table, or (.json) an object that maps file names to facts; UTF-8.
        needed: required columns.
        advice: the next step if they are missing.

    Returns:
        One dictionary per row. If the facts of a JSON row contain a key twice, with two values, the
        names of such keys are under `TWICE`.

    Raises:
        DatasetError: the file is too large, unreadable, malformed or empty, or a column is missing
            or duplicated.
    """
    try:
        text = _read_text(path)
        rows = _json_rows(text) if path.suffix.lower() == ".json" else _csv_rows(text, path)
    except DatasetError:
        raise
    except OSError as error:
        raise DatasetError(
            f"Expected {path.name} to be readable; received {path}: {error.strerror}. "
            "Check its permissions."
        ) from error
    except (ValueError, RecursionError, csv.Error) as error:  # not UTF-8, not JSON, nested deeply
        raise DatasetError(
            f"Expected {path.name} well formed and in UTF-8; received {path}: {error}. "
            "Save it as UTF-8, or download it again."
        ) from error
    if not rows:
        raise DatasetError(f"Expected rows in {path}; received none. Download it again.")
    if not set(needed) <= set(rows[0]):
        raise DatasetError(
            f"Expected columns {' and '.join(needed)} in {path}; received "
            f"{sorted(map(str, rows[0]))}. {advice}"
        )
    return rows


def _read_text(path: Path) -> str:
    if not path.is_file():  # reading a pipe would block
        raise DatasetError(f"Expected a file; received {path}, a folder, a pipe or a device.")
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise DatasetError(
            f"Expected {path.name} of at most {_MOST_BYTES / 1e6:.0f} MB; received {path} of "
            f"{size / 1e6:.0f} MB. Download it again."
        )
    return path.read_bytes().decode("utf-8-sig")


def _csv_rows(text: str, path: Path) -> list[dict]:
    # The csv module keeps names such as "NA" and NUL bytes, which pandas would drop.
    lines = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    header = next((line for line in lines if line), [])
    known = {name.casefold(): name for name in COLUMNS}
    header = [known.get(name.strip().casefold(), name) for name in header]
    twice = [name for name, count in Counter(header).items() if count > 1 and name in COLUMNS]
    if twice:
        raise DatasetError(
            f"Expected each column once in {path}; received two or more of {twice}, and nothing "
            "says which is right. Keep one of each."
        )
    return [dict.fromkeys(header) | dict(zip(header, line, strict=False)) for line in lines if line]


def _json_rows(text: str) -> list[dict]:
    pairs = json.loads(text, object_pairs_hook=_Pairs)  # a plain dict would hide duplicate names
    if not isinstance(pairs, _Pairs):
        raise DatasetError(
            f"Expected metadata.json to map file names to facts; received a {type(pairs).__name__}."
        )
    return [{"label": None, **_facts(facts), "videoname": name} for name, facts in pairs]


def _facts(facts: object) -> dict:
    """Return the facts of one file; keys with two values are listed, none of these is chosen."""
    if not isinstance(facts, _Pairs):
        return {}
    values: dict[str, list] = {}
    for key, value in facts:
        values.setdefault(key, []).append(value)
    twice = [key for key, given in values.items() if len(set(map(repr, given))) > 1]
    return dict(facts) | ({TWICE: twice} if twice else {})


class _Pairs(list):
    """A JSON object as its list of pairs."""
