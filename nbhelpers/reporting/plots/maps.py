"""Why this answer? Explanations drawn over the face, with the outline of the true region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb

from nbhelpers.explain.methods import GREY
from nbhelpers.reporting.plots.style import COLOURS

if TYPE_CHECKING:
    from lime.lime_image import ImageExplanation
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: From blue (against FAKE) to vermilion (for FAKE), the colours of the classes; opaque at the ends
#: and transparent in the middle, so that the face shows through where there is no evidence.
EVIDENCE = LinearSegmentedColormap.from_list(
    "evidence", [(*to_rgb(COLOURS["REAL"]), 0.85), (1, 1, 1, 0), (*to_rgb(COLOURS["FAKE"]), 0.85)]
)


def plot_maps(
    pictures: Sequence[np.ndarray],
    masks: Sequence[np.ndarray | None],
    *,
    maps: Sequence[Mapping[str, np.ndarray]] = (),
    titles: Sequence[str] | None = None,
    size: float = 2.2,
) -> Figure:
    """Draw explanation maps over their pictures, one picture per row.

    Args:
        pictures: ``(H, W, 3)`` RGB 0-255 each.
        masks: ``bool (H, W)`` each, None where nothing was manipulated; its outline is drawn
            over the picture and over every map.
        maps: for each picture, method -> ``float (H, W)``, the same methods for every picture; no
            methods: the pictures are drawn side by side with their outlines.
        titles: one per picture.
        size: width of a picture, inches.

    Returns:
        The figure, with one colour bar: vermilion is evidence for FAKE, blue evidence against it,
        and the grey face shows through where there is none. Each map has its own scale, which ends
        at the 99.5th percentile of its absolute values (otherwise a single extreme pixel would make
        all others pale), and is smoothed by 1/64 of the picture. The measures use the unsmoothed
        maps.
    """
    if not maps:
        return _outlines(pictures, masks, titles, size)
    names = ["picture", *maps[0]]
    figure, axes = plt.subplots(
        len(pictures),
        len(names),
        figsize=(len(names) * size, len(pictures) * size + 0.5),
        squeeze=False,
    )
    for row, picture, mask, heats in zip(axes, pictures, masks, maps, strict=True):
        _picture(row[0], picture)
        for ax, heat in zip(row[1:], heats.values(), strict=True):
            _over(ax, picture, heat)
        for ax in row:
            _outline(ax, mask)
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title(name, fontsize=10)
    if titles is not None:
        for row, title in zip(axes[:, 0], titles, strict=True):
            row.set_ylabel(title, fontsize=9)
    _bar(figure, axes)
    return figure


def plot_method(
    pictures: Sequence[np.ndarray],
    masks: Sequence[np.ndarray | None],
    *,
    heats: Sequence[np.ndarray],
    titles: Sequence[str],
    size: float = 1.8,
) -> Figure:
    """Draw the maps of one method over several pictures, side by side.

    Args:
        pictures: ``(H, W, 3)`` RGB 0-255 each.
        masks: ``bool (H, W)`` each, whose outline is drawn; None draws none.
        heats: ``float (H, W)`` each.
        titles: one each.
        size: width of a picture, inches.

    Returns:
        The figure, with colours and scales as `plot_maps`.
    """
    figure, axes = plt.subplots(
        1, len(pictures), figsize=(len(pictures) * size, size + 0.8), squeeze=False
    )
    columns = zip(axes[0], pictures, masks, heats, titles, strict=True)
    for ax, picture, mask, heat, title in columns:
        _over(ax, picture, heat)
        _outline(ax, mask)
        ax.set_title(title, fontsize=8)
    _bar(figure, axes)
    return figure


def plot_lime(
    explanations: Sequence[ImageExplanation], *, titles: Sequence[str], size: float = 1.6
) -> Figure:
    """Draw LIME's explanations as the article does, in colours safe for colour-blind readers.

    Args:
        explanations: from `explain.lime_explanation`, of class 1 (FAKE).
        titles: one each.
        size: width of a picture, inches.

    Returns:
        The figure. Above: the five pieces that speak most for FAKE, the rest in the grey behind
        which LIME hides pieces from the network. Below: the weight of every piece over the face,
        vermilion for FAKE, blue against.
    """
    columns = len(explanations)
    figure, axes = plt.subplots(2, columns, figsize=(columns * size, 2 * size + 0.8), squeeze=False)
    for (top, bottom), explanation, title in zip(axes.T, explanations, titles, strict=True):
        options = {"positive_only": True, "num_features": 5, "hide_rest": False}
        visible = explanation.get_image_and_mask(1, **options)[1].astype(bool)
        _picture(top, np.where(visible[..., None], explanation.image, GREY))
        heat = np.zeros(explanation.segments.shape)
        for piece, weight in explanation.local_exp[1]:
            heat[explanation.segments == piece] = weight
        _over(bottom, explanation.image, heat)
        top.set_title(title, fontsize=8, color=COLOURS.get(title.split()[0], "black"))
    axes[0, 0].set_ylabel("for FAKE, the rest hidden", fontsize=8)
    axes[1, 0].set_ylabel("weight of each piece", fontsize=8)
    _bar(figure, axes)
    return figure


def _outlines(
    pictures: Sequence[np.ndarray],
    masks: Sequence[np.ndarray | None],
    titles: Sequence[str] | None,
    size: float,
) -> Figure:
    figure, axes = plt.subplots(
        1, len(pictures), figsize=(len(pictures) * size, size + 0.3), squeeze=False
    )
    for number, (ax, picture, mask) in enumerate(zip(axes[0], pictures, masks, strict=True)):
        _picture(ax, picture)
        _outline(ax, mask)
        if titles is not None:
            ax.set_title(titles[number], fontsize=9)
    return figure


def _picture(ax: Axes, picture: np.ndarray) -> None:
    ax.imshow(np.clip(picture, 0, 255).astype("uint8"))
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _over(ax: Axes, picture: np.ndarray, heat: np.ndarray) -> None:
    """Draw a map over the grey picture, smoothed a little: single pixels would be invisible."""
    grey = np.asarray(picture, float).mean(axis=2, keepdims=True).repeat(3, axis=2)
    _picture(ax, grey)
    heat = cv2.GaussianBlur(np.asarray(heat, "float32"), (0, 0), max(heat.shape) / 64)
    reach = np.quantile(np.abs(heat), 0.995) or np.abs(heat).max() or 1.0
    ax.imshow(heat, cmap=EVIDENCE, vmin=-reach, vmax=reach)


def _outline(ax: Axes, mask: np.ndarray | None) -> None:
    """Draw the outline of a region in white over black, visible on any background."""
    if mask is not None and np.any(mask):
        ax.contour(mask, levels=[0.5], colors="black", linewidths=2.4)
        ax.contour(mask, levels=[0.5], colors="white", linewidths=1)


def _bar(figure: Figure, axes: np.ndarray) -> None:
    """Draw one colour bar below all axes; its ends are those of each map's own scale."""
    scale = ScalarMappable(Normalize(-1, 1), EVIDENCE)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.5, aspect=40)
    bar.set_ticks([-1, 0, 1], labels=["against FAKE", "no evidence", "for FAKE"])
    bar.ax.tick_params(labelsize=8, length=0)
