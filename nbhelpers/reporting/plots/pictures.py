"""What do the pictures show? Rows and grids of pictures, and forgeries beside their originals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from nbhelpers.reporting.plots.style import COLOURS

if TYPE_CHECKING:
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
            none of them gives an empty figure.
        titles: one a picture; None draws none.
        columns: pictures in a row.
        size: width of a picture, inches.
        colours: a colour for each title; None draws them black.

    Returns:
        The figure.
    """
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, -(-len(pictures) // columns))
    title_space = 0.25 if titles is not None else 0.0
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (size + title_space)), squeeze=False
    )
    for position, ax in enumerate(axes.flat):
        ax.axis("off")
        if position >= len(pictures):
            continue
        picture = np.asarray(pictures[position])
        if picture.ndim == 3:
            ax.imshow(np.clip(picture, 0, 255).astype("uint8"))
        else:
            ax.imshow(picture, cmap="gray")
        if titles is not None:
            ax.set_title(
                titles[position], fontsize=8, color=colours[position] if colours else "black"
            )
    return figure


def plot_forgeries(
    reals: Sequence[np.ndarray],
    fakes: Sequence[np.ndarray],
    *,
    masks: Sequence[np.ndarray] | None = None,
    titles: Sequence[str] | None = None,
) -> Figure:
    """Draw each real above its fake, their difference and the mask of the manipulated region.

    Args:
        reals: ``uint8 (H, W, 3)`` RGB 0-255, the originals.
        fakes: the same shapes; a fake of each.
        masks: ``bool (H, W)`` of each, True where manipulated; None draws none.
        titles: one a fake, for example its method; None draws "FAKE".

    Returns:
        The figure. Differences are the largest of the three channels, stretched for each pair.
    """
    gaps = [
        np.abs(real.astype(int) - fake).max(axis=2) for real, fake in zip(reals, fakes, strict=True)
    ]
    names = ["REAL"] * len(reals) + list(titles or ["FAKE"] * len(fakes))
    names += ["difference"] * len(gaps) + ["mask"] * len(masks or [])
    colours = [COLOURS["REAL"]] * len(reals) + [COLOURS["FAKE"]] * len(fakes)
    colours += ["black"] * (len(names) - len(colours))
    return plot_pictures(
        [*reals, *fakes, *gaps, *(masks or [])], names, columns=len(reals), colours=colours
    )
