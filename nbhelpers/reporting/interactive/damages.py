"""Damaged pictures and the detector's score for each."""

from __future__ import annotations

import html
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from nbhelpers.reporting.interactive import checks, frame
from nbhelpers.reporting.interactive import pictures as shots

ALL = "all damages"
TITLE = "One picture, damaged: what the detector says"


def damage_gallery(
    pictures: np.ndarray, p_fake: ArrayLike, *, damages: Sequence[str], levels: Sequence[str]
) -> None:
    """Show a picture under every damage and level with its P(fake); the reader picks a damage.

    Args:
        pictures: uint8 (D, L, H, W, 3) RGB 0-255.
        p_fake: (D, L), 0 to 1.
        damages: D names.
        levels: L names, from the weakest to the strongest.

    Raises:
        ValueError: pictures have another shape or dtype, or lengths differ.
    """
    pixels = checks.pictures(pictures, name="pictures", shape="(D, L, H, W, 3)")
    scores = checks.unit(p_fake, name="p_fake", shape=pixels.shape[:2])
    damages, levels = list(map(str, damages)), list(map(str, levels))
    checks.same(len(damages), len(pixels), name="damages")
    checks.same(len(levels), pixels.shape[1], name="levels")
    states = [_state(damages, levels, scores, None)]
    states += [_state(damages, levels, scores, number) for number in range(len(damages))]
    body = (
        frame.choice("Damage", names=[ALL, *damages])
        + _rows(pixels, scores, damages, levels)
        + frame.status(states[0])
    )
    still = _still(pixels, scores, damages, levels)
    sentence = states[0]["sentence"]
    frame.show(body, title=TITLE, states=states, start=0, still=still, sentence=sentence)


def _state(
    damages: list[str], levels: list[str], scores: np.ndarray, picked: int | None
) -> dict[str, object]:
    """Return which rows are visible, and a sentence about them."""
    if picked is None:
        ends = []
        for at in (scores.argmin(), scores.argmax()):
            row, column = np.unravel_index(at, scores.shape)
            ends.append(f"{scores[row, column]:.2f} ({damages[row]}, {levels[column]})")
        sentence = f"P(fake) runs from {ends[0]} to {ends[1]}."
    else:
        steps = ", ".join(
            f"{level} {score:.2f}" for level, score in zip(levels, scores[picked], strict=True)
        )
        sentence = f"{damages[picked]}, P(fake): {steps}."
    shown = {
        f"--row-{number}": "block" if picked in (None, number) else "none"
        for number in range(len(damages))
    }
    return {"sentence": sentence, **shown}


def _rows(pixels: np.ndarray, scores: np.ndarray, damages: list[str], levels: list[str]) -> str:
    texts = iter(shots.encoded(pixels.reshape(-1, *pixels.shape[2:])))
    rows = ""
    for number, damage in enumerate(damages):
        row = ""
        for level, score in zip(levels, scores[number], strict=True):
            image = shots.tag(next(texts), f"{damage}, {level}: P(fake) {score:.2f}")
            row += (
                f'<div class="nbh-shot">{image}<b><i style="width:{100 * score:.0f}%"></i></b>'
                f"{html.escape(level)} <strong>{score:.2f}</strong></div>"
            )
        rows += (
            f'<div class="nbh-row" style="display:var(--row-{number});--columns:{len(levels)}">'
            f"<strong>{html.escape(damage)}</strong><div>{row}</div></div>"
        )
    return f'{rows}<p class="nbh-small">Bar and number: P(fake).</p>'


def _still(pixels: np.ndarray, scores: np.ndarray, damages: list[str], levels: list[str]):
    count, steps, height, width = pixels.shape[:4]
    size = (1.1 * steps + 0.5, count * (1.1 * height / width + 0.2) + 0.3)
    figure, grid = plt.subplots(count, steps, figsize=size, squeeze=False)
    for row, (axes, damage) in enumerate(zip(grid, damages, strict=True)):
        for column, ax in enumerate(axes):
            ax.imshow(pixels[row, column])
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            ax.set_title(f"{levels[column]}: {scores[row, column]:.2f}", fontsize=8, pad=2)
        axes[0].set_ylabel(damage, fontsize=9)
    figure.suptitle("P(fake) by damage and level", fontsize=11)
    return figure
