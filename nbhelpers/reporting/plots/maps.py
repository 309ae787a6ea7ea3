"""Why this answer? Explanations beside the true region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_maps(
    pictures: Sequence[np.ndarray],
    masks: Sequence[np.ndarray | None],
    *,
    maps: Sequence[Mapping[str, np.ndarray]],
    titles: Sequence[str] | None = None,
    size: float = 1.6,
) -> Figure:
    """Draw explanation maps beside their pictures and true masks, one picture per row.

    Args:
        pictures: ``(H, W, 3)`` RGB 0-255 each.
        masks: ``bool (H, W)`` each, None where nothing was manipulated; its outline is drawn
            over every map.
        maps: for each picture, method -> ``float (H, W)``, the same methods in every one.
        titles: one per row, written beside its picture.
        size: width of a picture, inches.

    Returns:
        The figure. Each map has its own scale, which ends at the 99.5th percentile of its sizes,
        else one odd pixel leaves the others pale: red is evidence for FAKE, blue against, white
        none.
    """
    names = ["picture", "true mask", *maps[0]]
    figure, axes = plt.subplots(
        len(pictures),
        len(names),
        figsize=(len(names) * size, len(pictures) * size * 1.02 + 0.2),
        squeeze=False,
    )
    for row, picture, mask, heats in zip(axes, pictures, masks, maps, strict=True):
        truth = np.zeros(np.shape(picture)[:2], bool) if mask is None else mask
        row[0].imshow(np.clip(picture, 0, 255).astype("uint8"))
        row[1].imshow(truth, cmap="gray", vmin=0, vmax=1)
        for ax, heat in zip(row[2:], heats.values(), strict=True):
            reach = np.quantile(np.abs(heat), 0.995) or np.abs(heat).max() or 1.0
            ax.imshow(heat, cmap="RdBu_r", vmin=-reach, vmax=reach)
            if truth.any():
                ax.contour(truth, levels=[0.5], colors="black", linewidths=1)
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title(name, fontsize=9)
    if titles is not None:
        for row, title in zip(axes[:, 0], titles, strict=True):
            row.set_ylabel(title, fontsize=8)
    return figure
