"""Tables for terminals, pages and spreadsheets, from rows of text."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nbhelpers.common.files import displayable

if TYPE_CHECKING:
    import pandas as pd

WIDEST_CELL = 90
FORMULA_STARTS = tuple("=+-@\t\n＝＋－＠")  # what spreadsheets take for the start of a formula


def text_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out columns of text side by side.

    Args:
        heads: one per column.
        rows: cells of text; long ones are cut, control characters shown as escapes.

    Returns:
        Lines for a terminal; "" if there are no rows.

    >>> print(text_table(["model", "AUC"], [["ours", "0.9"]]))
    model  AUC
    -----  ---
    ours   0.9
    """
    cells = [[_cut(displayable(cell)) for cell in row] for row in [heads, *rows]]
    if len(cells) == 1:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _cut(cell: str) -> str:
    return cell if len(cell) <= WIDEST_CELL else cell[: WIDEST_CELL - 3] + "..."


def escaped(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Turn cells of text into cells of HTML.

    Args:
        rows: cells of text.

    Returns:
        The same, escaped.

    >>> escaped([["a<b"]])
    [['a&lt;b']]
    """
    return [[html.escape(cell) for cell in row] for row in rows]


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Build a table for a page; it scrolls by itself if the page is too narrow.

    Args:
        heads: plain text, one per column.
        rows: cells of HTML; see `escaped`.

    Returns:
        HTML; "" if there are no rows.
    """
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    label = f"Table: {', '.join(heads)}"
    return scrolling(
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>", label=label
    )


def scrolling(table: str, *, label: str) -> str:
    """Wrap a table so that it scrolls sideways, also with the keyboard.

    Args:
        table: HTML.
        label: what it contains, for screen readers.

    Returns:
        HTML.

    >>> scrolling("<table></table>", label="Scores")
    '<div class="wide" tabindex="0" role="region" aria-label="Scores"><table></table></div>'
    """
    label = html.escape(label)
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{table}</div>'


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Write a table as CSV in which no cell is a formula.

    Args:
        heads: one per column.
        rows: values; None becomes an empty cell.

    Returns:
        Lines that end in a newline.

    >>> csv_text(["name", "change"], [["=1+1", -0.5]])
    "name,change\n'=1+1,-0.5\n"
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_without_formula(cell) for cell in row] for row in [heads, *rows])
    return stream.getvalue()


def frame_csv(frame: pd.DataFrame) -> str:
    """Write a DataFrame as CSV in which no cell is a formula; the index is left out.

    Args:
        frame: any columns; missing values become empty cells.

    Returns:
        Lines that end in a newline.
    """
    from pandas.api.types import is_numeric_dtype

    columns = {
        name: frame[name].map(_without_formula, na_action="ignore")
        for name in frame
        if not is_numeric_dtype(frame[name])
    }
    return frame.assign(**columns).to_csv(index=False, lineterminator="\n")


def _without_formula(cell: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would execute."""
    if not isinstance(cell, str):
        return cell
    cell = cell.replace("\r", "\\r")  # Python's writer does not quote it, so it would end the row
    if not cell.startswith(FORMULA_STARTS):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell  # a number with a sign
