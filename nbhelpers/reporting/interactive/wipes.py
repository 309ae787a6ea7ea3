"""An original under its fake."""

from __future__ import annotations

import html
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from nbhelpers.reporting.interactive import checks, frame, pictures

TITLE = "Wipe between an original and its fake"


def wipe(
    original: np.ndarray, fake: np.ndarray, *, labels: Sequence[str] = ("original", "fake")
) -> None:
    """Show a fake over its original; a slider wipes it away.

    Args:
        original: uint8 (H, W, 3) RGB 0-255.
        fake: uint8 (H, W, 3) RGB 0-255, of the same size.
        labels: what the two are called.

    Raises:
        ValueError: pictures have another shape or dtype, their sizes differ, or there are not two
            labels.
    """
    checks.pictures(original, name="original", shape="(H, W, 3)")
    checks.pictures(fake, name="fake", shape="(H, W, 3)")
    if original.shape != fake.shape:
        raise ValueError(
            f"Expected two pictures of the same size; received {original.shape[:2]} and "
            f"{fake.shape[:2]}. Cut both with the same box."
        )
    checks.same(len(labels), 2, name="labels")
    below, above = labels
    title = TITLE if tuple(labels) == ("original", "fake") else f"Wipe: {below} and {above}"
    states = [{"--x": step / 100, "value": f"{step} %"} for step in range(101)]
    images = pictures.encoded(np.stack([original, fake]))
    tags = "".join(pictures.tag(text, name) for text, name in zip(images, labels, strict=True))
    body = (
        f'<div class="nbh-wipe" data-drag>{tags}'
        f'<span class="nbh-tag" style="left:6px">{html.escape(below)}</span>'
        f'<span class="nbh-tag" style="right:6px">{html.escape(above)}</span></div>'
        + frame.slider(f"Part that shows: {below}", states=states, start=50)
    )
    sentence = f"{below} on the left of the line, {above} on the right of it."
    still = _still(original, fake, labels)
    frame.show(body, title=title, states=states, start=50, still=still, sentence=sentence)


def _still(original: np.ndarray, fake: np.ndarray, labels: Sequence[str]):
    middle = original.shape[1] // 2
    both = np.concatenate([original[:, :middle], fake[:, middle:]], axis=1)
    size = (7.5, 2.5 * original.shape[0] / original.shape[1] + 0.4)
    figure, axes = plt.subplots(1, 3, figsize=size)
    names = (labels[0], f"{labels[0]} | {labels[1]}", labels[1])
    for ax, picture, name in zip(axes, (original, both, fake), names, strict=True):
        ax.imshow(picture)
        ax.set_title(name)
        ax.axis("off")
    axes[1].axvline(middle - 0.5, color="white", linewidth=1)
    return figure
