"""The page of `predict`: for every file the face that was judged, why, and the curve."""

from __future__ import annotations

import html
import math
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import matplotlib.pyplot as plt
import numpy as np

from nbhelpers import explain
from nbhelpers.common.files import displayable as shown_name
from nbhelpers.common.html import NO_PROOF, figure_tag, page, picture_tag
from nbhelpers.predict import wording
from nbhelpers.reporting import plots

if TYPE_CHECKING:
    from nbhelpers.predict.detector import Detector
    from nbhelpers.predict.scoring import Face, Judged


MOST_FACES = 12  # of one picture that are drawn
STYLE = """
.file { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem; margin: 1rem 0; }
.file h2 { margin: 0 0 .3rem; font-size: 1.1rem; overflow-wrap: anywhere; }
.faces { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: .5rem 0 0; }
figure.face { width: min(100%, 25rem); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.pair img { width: 100%; display: block; border-radius: 4px; }
.curve img { width: 100%; max-width: 44rem; background: #fff; border-radius: 6px; }
figcaption { font-size: .86rem; color: var(--faint); }
.score { font-weight: 600; }
.REAL, .FAKE { border-left: .7rem solid; padding-left: .5rem; }
.REAL { border-color: #0072B2; } .FAKE { border-color: #D55E00; }
"""
EXPLAINED = (
    "Left the face as the detector was shown it; right a Grad-CAM map over it: the brighter, the "
    "more that place argued for FAKE. A map says what the detector looked at, not where a picture "
    "was changed. A picture without bright places has nothing in it that argued for FAKE."
)


def report_page(judged: list[Judged], detector: Detector, model_file: Path) -> str:
    """Write the page.

    Args:
        judged: from `judging.judge_all`.
        detector: that judged them.
        model_file: where it came from.

    Returns:
        HTML, with every picture inside and every name escaped.
    """
    told = "".join(f"<li>{html.escape(text)}</li>" for text in wording.about(detector, model_file))
    with plt.rc_context():
        plots.set_style()
        sections = "\n".join(_section(one, detector) for one in judged)
    body = (
        f'<p class="banner">{html.escape(NO_PROOF)}</p>'
        f'<ul class="facts">{told}</ul>'
        f'<p class="small">{html.escape(EXPLAINED)}</p>\n{sections}'
    )
    return page("How much do these files look like fakes?", body, style=STYLE)


def _section(one: Judged, detector: Detector) -> str:
    """One file."""
    text = html.escape
    head = f'<section class="file"><h2>{text(shown_name(str(one.path)))}</h2>'
    if not one.faces:
        return f'{head}<p class="skipped">No score</p><p>{text(one.reason)}</p></section>'
    word = wording.answer(one.p_fake, detector)
    head += f'<p class="score {word}">{text(wording.summary(one, detector))}</p>'
    if one.kind == "video":
        shown = _extremes(one)
        curve = f'<figure class="curve">{_curve(one, detector)}</figure>'
    else:
        shown, curve = list(enumerate(one.faces[:MOST_FACES], start=1)), ""
    faces = "".join(_face(face, name, one, detector) for name, face in shown)
    notes = list(one.notes)
    if one.kind == "picture" and len(one.faces) > MOST_FACES:
        notes.append(f"{len(one.faces) - MOST_FACES} more faces are scored but not drawn.")
    told = "".join(f'<p class="small">{text(note)}</p>' for note in notes)
    return f'{head}{curve}<div class="faces">{faces}</div>{told}</section>'


def _extremes(one: Judged) -> list[tuple[str, Face]]:
    """Of a video the frames of highest and of lowest score, one if there is but one."""
    ordered = sorted(one.faces, key=lambda face: face.p_fake)
    shown = [("highest frame", ordered[-1])]
    return shown if len(ordered) == 1 else [*shown, ("lowest frame", ordered[0])]


def _face(face: Face, name: int | str, one: Judged, detector: Detector) -> str:
    """A crop beside its map."""
    if not math.isnan(face.second):
        name = f"{name}, at {face.second:.1f} s"
    elif len(one.faces) > 1:
        name = f"face {name} of {len(one.faces)}, from the left"
    else:
        name = "face"
    word = wording.answer(face.p_fake, detector)
    caption = f"{name}: P(fake) {face.p_fake:.2f} {word}; {wording.place_of(face)}"
    crop = picture_tag(face.crop, f"The face that was judged, {name}")
    overlay = picture_tag(map_over(face.crop, detector), f"Grad-CAM map over the {name}")
    return (
        f'<figure class="face"><div class="pair">{crop}{overlay}</div>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def map_over(crop: np.ndarray, detector: Detector) -> np.ndarray:
    """Draw a Grad-CAM map over a crop.

    Args:
        crop: uint8 (H, W, 3) RGB.
        detector: that judged it.

    Returns:
        uint8 (H, W, 3): the picture in grey, and in colours of growing lightness, so that they
        stay apart for colour-blind readers, what argued for FAKE.
    """
    import matplotlib as mpl

    size = detector.image_size
    shrinks = size < max(crop.shape[:2])
    small = cv2.resize(
        crop, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    heat = explain.grad_cam(detector.model, small.astype("float32"))
    heat = cv2.resize(heat, crop.shape[1::-1]) / (heat.max() or 1.0)
    colours = mpl.colormaps["inferno"](heat)[..., :3] * 255
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
    strength = 0.75 * np.clip(heat, 0, 1)[..., None]
    return np.clip(grey * (1 - strength) + colours * strength, 0, 255).astype(np.uint8)


def _curve(one: Judged, detector: Detector) -> str:
    """P(fake) over the time of a video."""
    seconds = [face.second for face in one.faces]
    scores = [face.p_fake for face in one.faces]
    ax = plots.plot_clip_scores(seconds, scores, threshold=detector.threshold)
    told = (
        f"P(fake) of {len(scores)} frames, from {min(scores):.2f} to {max(scores):.2f}, mean "
        f"{one.p_fake:.2f}; threshold {detector.threshold:.2f}"
    )
    return figure_tag(ax.figure, told)
