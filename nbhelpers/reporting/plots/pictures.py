"""What do the pictures show? Rows and grids of pictures, and forgeries beside their originals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from nbhelpers.data.labels import LABELS
from nbhelpers.media import images
from nbhelpers.reporting.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_pictures(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    *,
    columns: int = 5,
    size: float = 1.7,
    colours: Sequence[str] | None = None,
) -> Figure:
    """Draw pictures in a grid.

    Args:
        pictures: ``uint8`` or ``float`` 0-255 ``(H, W, 3)`` RGB, or ``(H, W)`` grey/bool masks;
            no picture gives an empty figure.
        titles: one per picture; None draws none.
        columns: pictures per row.
        size: width of a picture, inches; for portrait pictures, their height.
        colours: a colour for each title; None draws them black.

    Returns:
        The figure.
    """
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, -(-len(pictures) // columns))
    title_space = 0.25 if titles is not None else 0.0
    shapes = [np.shape(picture)[:2] for picture in pictures]
    height = size * min(1.0, max((high / wide for high, wide in shapes), default=1.0))
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (height + title_space)), squeeze=False
    )
    for position, ax in enumerate(axes.flat):
        ax.axis("off")
        if position >= len(pictures):
            continue
        _show(ax, pictures[position])
        if titles is not None:
            ax.set_title(
                titles[position], fontsize=8, color=colours[position] if colours else "black"
            )
    return figure


def plot_rows(
    table: pd.DataFrame,
    *,
    columns: int = 6,
    by: str = "label",
    title: str | None = None,
    picture: str = "path",
    size: float = 1.5,
    seed: int | None = None,
) -> Figure:
    """Draw a row of pictures for each value of a column, labelled on the left.

    Args:
        table: one picture per row.
        columns: most pictures in a row, >= 1.
        by: the column whose values become the rows: REAL above FAKE, other values in the order
            of the table.
        title: a column of texts or numbers to draw above the pictures; None draws no titles.
        picture: the column of pictures: paths, or arrays as ``plot_pictures`` takes them. "" and
            None leave a gap, so that a picture stays above its counterpart.
        size: width of a picture, inches.
        seed: draws the pictures of each row at random; None takes the first ones.

    Returns:
        The figure. Row names have the colour of their class, and so do titles that begin with a
        class name, or all titles if the table has ``label``.

    Raises:
        ValueError: ``columns`` is below 1.

    >>> picture = np.zeros((8, 8, 3), "uint8")
    >>> faces = pd.DataFrame({"label": ["FAKE", "REAL"], "path": [picture, picture + 9]})
    >>> [ax.get_ylabel() for ax in plot_rows(faces).axes]
    ['REAL', 'FAKE']
    """
    if columns < 1:
        raise ValueError(f"Expected columns >= 1; received {columns}. Ask for one or more.")
    values = list(dict.fromkeys(table[by]))
    if set(values) <= set(LABELS):
        values = [label for label in LABELS if label in values]
    rows = [_picked(table[table[by] == value], columns, seed=seed) for value in values]
    columns = max(map(len, rows), default=1)
    height = size + (0.25 if title else 0.05)
    lines = max(1, len(rows))
    figure, axes = plt.subplots(
        lines, columns, figsize=(columns * size, lines * height), squeeze=False
    )
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[], frame_on=False)
    if not rows:
        axes[0, 0].text(0.5, 0.5, "nothing to show", ha="center")
    for value, row, line in zip(values, rows, axes, strict=False):
        line[0].set_ylabel(str(value), fontsize=9, color=COLOURS.get(value, "black"))
        for (_, entry), ax in zip(row.iterrows(), line, strict=False):
            _draw_entry(ax, entry, picture=picture, title=title)
    return figure


def plot_forgeries(pairs: pd.DataFrame, *, size: int = 224) -> Figure:
    """Draw each real above its fake, with their difference and the mask of the fake.

    Args:
        pairs: one column of the figure per row, from `families.pairs`: paths ``real_path``,
            ``path`` of the fake, ``mask_path`` where known, and ``kind``, "FAKE" and the method.
        size: height and width at which a pair is compared, pixels.

    Returns:
        The figure. A difference is the largest of the three channels, stretched for each pair.
        Masks are drawn if every pair has one.
    """
    reals, fakes = (
        [images.read_image(path, size=size) for path in pairs[column]]
        for column in ("real_path", "path")
    )
    gaps = [
        np.abs(real.astype(int) - fake).max(axis=2) for real, fake in zip(reals, fakes, strict=True)
    ]
    lines = {"REAL": reals, "FAKE": fakes, "difference": gaps}
    if "mask_path" in pairs and len(pairs) and (pairs["mask_path"] != "").all():
        lines["mask"] = [images.read_mask(path, size=size) for path in pairs["mask_path"]]
    method = pairs["kind"].str.removeprefix("FAKE").str.strip().to_numpy()
    rows = [
        pd.DataFrame({"line": line, "picture": pictures, "title": method if line == "FAKE" else ""})
        for line, pictures in lines.items()
    ]
    return plot_rows(
        pd.concat(rows, ignore_index=True),
        columns=max(1, len(pairs)),
        by="line",
        title="title",
        picture="picture",
        size=1.8,
    )


# ---------------------------------------------------------------- helpers


def _picked(rows: pd.DataFrame, count: int, *, seed: int | None) -> pd.DataFrame:
    """Take the first rows, or draw some at random."""
    if seed is None:
        return rows.head(count)
    return rows.sample(min(count, len(rows)), random_state=seed)


def _draw_entry(ax: Axes, entry: pd.Series, *, picture: str, title: str | None) -> None:
    """Draw the picture of one row of a table, or nothing where it has none."""
    pixels = entry[picture]
    if isinstance(pixels, str | Path):
        pixels = images.read_image(pixels) if str(pixels) else None
    if pixels is None or np.ndim(pixels) == 0:  # None, "" or NaN in a table: no picture
        return
    _show(ax, pixels)
    if title is not None:
        text = entry[title]
        text = f"{text:.2f}" if isinstance(text, float) else str(text)
        label = entry.get("label", text.partition(" ")[0])
        ax.set_title(text, fontsize=8, color=COLOURS.get(label, "black"))


def _show(ax: Axes, picture: np.ndarray) -> None:
    """Draw pixels unscaled: RGB in colour, one channel in grey."""
    picture = np.asarray(picture)
    if picture.ndim == 3:
        ax.imshow(np.clip(picture, 0, 255).astype("uint8"))
    else:
        ax.imshow(picture, cmap="gray")
