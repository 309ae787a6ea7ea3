"""One file's part of a page: the answer with a thumbnail, and folded below, faces and maps.

Each part is self-contained, so that a page can grow file by file: all maps share one colour scale,
which does not depend on the rest of the page.
"""

from __future__ import annotations

import html
import logging
import math
from collections.abc import Iterator

import cv2
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from nbhelpers import explain
from nbhelpers.common.files import displayable
from nbhelpers.common.html import figure_tag, picture_tag
from nbhelpers.predict import wording
from nbhelpers.predict.detector import Detector, Verdict
from nbhelpers.predict.scoring import OVERVIEW, Face, FileScore
from nbhelpers.reporting import plots

logger = logging.getLogger(__name__)

MOST_FACES = 12  # drawn per file
FACE_SIDE = 320  # pixels of a drawn face
THUMBNAIL = 400  # pixels: longer side; shown at half this size, for high-density screens
COLOURS = {Verdict.MANIPULATED: "fake", Verdict.NO_SIGN: "real", Verdict.UNDECIDED: "open"}
STYLE = """
.file { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 1rem 0;
  border-left: .7rem solid var(--faint); }
.file.fake { border-left-color: #D55E00; } .file.real { border-left-color: #0072B2; }
.file > summary { display: grid; grid-template-columns: minmax(6rem, 12rem) 1fr; gap: 1rem;
  padding: 1rem; cursor: pointer; list-style: none; align-items: start; }
.file > summary.plain { cursor: default; }
.file > summary::-webkit-details-marker { display: none; }
.file > summary img { width: 100%; border-radius: 6px; display: block; }
.file h2 { margin: 0 0 .2rem; font-size: 1rem; overflow-wrap: anywhere; }
.answer { font-size: 1.2rem; font-weight: 600; margin: 0 0 .4rem; }
.answer::first-letter { text-transform: uppercase; }
.inside { padding: 0 1rem 1rem; }
.inside .whole img { width: 100%; max-width: 40rem; border-radius: 6px; display: block; }
.more { color: var(--link); font-size: .9rem; }
details[open] > summary .more { display: none; }
.ruler { position: relative; height: 1.1rem; border-radius: 4px; margin: .3rem 0 .2rem;
  max-width: 26rem; border: 1px solid var(--line); }
.ruler b { position: absolute; top: -.2rem; bottom: -.2rem; width: 4px; margin-left: -2px;
  background: var(--text); border-radius: 2px; }
.key { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; max-width: 26rem;
  margin: 0 0 .8rem; }
.key span { border-top: .8rem solid var(--line); padding: 0 .3rem 0 0; line-height: 1.3; }
.key .real { border-color: #0072B255; } .key .fake { border-color: #D55E0055; }
.ends { display: flex; justify-content: space-between; gap: .5rem; max-width: 26rem; }
.ends span:last-child { text-align: right; }
.faces { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
figure { margin: .5rem 0 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.pair img { width: 100%; display: block; border-radius: 4px; }
.curve img { width: 100%; max-width: 44rem; background: #fff; border-radius: 6px; }
.scale { height: .8rem; max-width: 26rem; border-radius: 4px; margin-top: .4rem; }
figcaption { font-size: .86rem; color: var(--faint); }
@media (max-width: 30rem) { .file > summary { grid-template-columns: 5.5rem 1fr; gap: .8rem;
  padding: .8rem; } }
.file > summary.bare { grid-template-columns: 1fr; }
"""
EXPLAINED = (
    "Where boxes are drawn, a face without one was not found or is too small, and was not judged. "
    "Beside each face is a copy in colours that show which parts argued for a manipulation "
    "(Grad-CAM); all copies have the same scale. It says what the detector looked at, not where a "
    "picture was changed."
)


def section(result: FileScore, detector: Detector) -> str:
    """Draw the result for a file.

    Args:
        result: from `scoring.score_file`.
        detector: the one that gave the scores.

    Returns:
        HTML with `STYLE`'s classes; every name is escaped, every picture embedded.
    """
    name = html.escape(displayable(result.path.name))
    if not result.people:
        is_bare = result.overview is None
        thumbnail = "" if is_bare else f"<div>{_thumbnail(result)}</div>"
        return (
            f'<details class="file none" open><summary class="plain{" bare" * is_bare}">{thumbnail}'
            f'<div><h2>{name}</h2><p class="answer">no answer</p>'
            f"<p>{html.escape(result.reason)}</p>{_notes(result.notes)}</div></summary></details>\n"
        )
    verdict = detector.verdict(result.p_fake)
    name_of_face = wording.most_suspicious(result)
    of = f", of {name_of_face}" if name_of_face else ""
    faces, notes = _faces(result, detector)
    over_time = _over_time(result, detector) if result.kind == "video" else ""
    how_often = html.escape(wording.how_often(verdict, detector, kind=result.kind))
    return (
        f'<details class="file {COLOURS[verdict]}"><summary><div>{_thumbnail(result)}</div><div>'
        f'<h2>{name}</h2><p class="answer">{html.escape(verdict)}</p>'
        f"{_ruler(result.p_fake, detector, of)}"
        f'<p class="small">{how_often}</p>'
        f'<span class="more">Show the face{"s" * bool(of)}</span></div></summary>'
        f'<div class="inside">{_whole(result)}{over_time}<div class="faces">{faces}</div>'
        f"{_notes(notes)}</div></details>\n"
    )


def key_tag(detector: Detector) -> str:
    """Return what the colours of all rulers mean, in the order in which they stand there.

    Args:
        detector: one with a single border cannot answer "cannot tell".

    Returns:
        HTML, for a page with `STYLE`.
    """
    texts = {
        Verdict.NO_SIGN: "no sign of manipulation",
        Verdict.UNDECIDED: "cannot tell",
        Verdict.MANIPULATED: "looks manipulated",
    }
    if detector.low == detector.high:
        del texts[Verdict.UNDECIDED]
    spans = [f'<span class="{COLOURS[answer]}">{text}</span>' for answer, text in texts.items()]
    return f'<div class="key small">{"".join(spans)}</div>'


def scale_tag() -> str:
    """Return the colour bar shared by all maps."""
    stops = ", ".join(
        mpl.colors.to_hex(mpl.colormaps["inferno"](share)) for share in np.linspace(0, 1, 6)
    )
    return (
        '<div class="scale" role="img" aria-label="Colour scale of the copies, from dark to light" '
        f'style="background: linear-gradient(90deg, {stops})"></div>'
        '<div class="ends small"><span>no argument</span>'
        "<span>strong argument for a manipulation</span></div>"
    )


def overlaid(crop: np.ndarray, glow: np.ndarray) -> np.ndarray:
    """Draw a map over a face.

    Args:
        crop: uint8 (H, W, 3) RGB.
        glow: float (h, w), from 0 (nothing) to 1.

    Returns:
        uint8 (H, W, 3): the picture in grey, and over it colours of increasing lightness, so that
        colour-blind readers can distinguish them.
    """
    glow = np.clip(cv2.resize(glow.astype("float32"), crop.shape[1::-1]), 0, 1)
    colours = mpl.colormaps["inferno"](glow)[..., :3] * 255
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
    strength = 0.75 * glow[..., None]
    return np.clip(grey * (1 - strength) + colours * strength, 0, 255).astype(np.uint8)


# ---------------------------------------------------------------- the answer


def _notes(notes: list[str]) -> str:
    return "".join(f'<p class="small">{html.escape(note)}</p>' for note in notes)


def _thumbnail(result: FileScore) -> str:
    return picture_tag(_numbered(result), _overview_alt(result), longest=THUMBNAIL)


def _whole(result: FileScore) -> str:
    """Return the whole picture, larger, if the thumbnail is too small to tell people apart."""
    if len(result.people) == 1:
        return ""
    tag = picture_tag(_numbered(result), f"{_overview_alt(result)}, larger", longest=OVERVIEW)
    return f'<figure class="whole">{tag}</figure>'


def _overview_alt(result: FileScore) -> str:
    what = "The picture" if result.kind == "picture" else f"The clip at {result.second:.1f} s"
    if not result.people:
        return f"{what}, with no face found"
    if not (count := len(_boxed(result))):
        return f"{what}, judged whole"
    boxes = "box" if count == 1 else "boxes"
    if len(result.people) == 1:
        return f"{what}, with a box around the face"
    return f"{what}, with {count} numbered {boxes} around faces"


def _numbered(result: FileScore) -> np.ndarray:
    """Return the overview with a box and a number for each face in it."""
    picture = result.overview.copy()
    for number, face in _boxed(result):
        _draw_box(picture, face, number if len(result.people) > 1 else 0, result.scale)
    return picture


def _boxed(result: FileScore) -> list[tuple[int, Face]]:
    """Return the faces that are to be seen in the overview, with the number of their person."""
    return [
        (number, face)
        for number, person in enumerate(result.people, start=1)
        for face in person.faces
        if face.square.side and (result.kind == "picture" or face.second == result.second)
    ]


def _draw_box(picture: np.ndarray, face: Face, number: int, scale: float) -> None:
    """Draw the box of a face into a picture, and its number unless that is 0."""
    square = face.square
    left, top, side = (round(v * scale) for v in (square.left, square.top, square.side))
    for colour, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
        cv2.rectangle(picture, (left, top), (left + side, top + side), colour, thickness)
        if number:
            place, font = (left + 6, top + 26), cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(picture, str(number), place, font, 0.8, colour, thickness)


def _ruler(score: float, detector: Detector, of: str) -> str:
    low, high = 100 * detector.low, 100 * detector.high
    colours = (
        f"linear-gradient(90deg, #0072B255 {low:.1f}%, transparent {low:.1f}% {high:.1f}%, "
        f"#D55E0055 {high:.1f}%)"
    )
    written = wording.number(score, detector)
    text = f"score {written} between 0 and 1; borders {low / 100:.3g} and {high / 100:.3g}"
    return (
        f'<div class="ruler" role="img" aria-label="{text}" style="background: {colours}">'
        f'<b style="left: {100 * score:.1f}%"></b></div>'
        f'<div class="ends small"><span>0</span><span>score {written}{of}</span><span>1</span>'
        "</div>"
    )


# ---------------------------------------------------------------- faces and maps


def _faces(result: FileScore, detector: Detector) -> tuple[str, list[str]]:
    """Return the faces side by side, and the notes below them."""
    drawn, notes = list(_drawn(result, detector)), list(result.notes)
    if (more := len(result.people) - _most_people(result)) > 0:
        notes.append(f"{more} more faces, less suspicious ones, are scored but not drawn.")
    heats = [_heat(face.crop, detector) for face, _ in drawn]
    if any(heat is None for heat in heats):
        notes.append("No map can be drawn for this detector.")
    figures = [
        _figure(face, caption, heat, detector)
        for (face, caption), heat in zip(drawn, heats, strict=True)
    ]
    return "".join(figures), notes


def _drawn(result: FileScore, detector: Detector) -> Iterator[tuple[Face, str]]:
    """Return the faces to draw, with captions; in a clip, each person's highest and lowest frame.

    Where there are too many, the most suspicious are drawn: one of them is the file's answer.
    """
    numbered = list(enumerate(result.people, start=1))
    suspicious = sorted(numbered, key=lambda pair: -pair[1].p_fake)[: _most_people(result)]
    for number, person in sorted(suspicious, key=lambda pair: pair[0]):
        if result.kind == "picture":
            answer = wording.answer_about(person, detector)
            yield person.faces[0], f"{wording.who(number, result)}: {answer}"
            continue
        ordered = sorted(person.faces, key=lambda face: face.p_fake)
        ends = {"highest": ordered[-1], "lowest": ordered[0]}
        for name, face in list(ends.items())[: len(ordered)]:
            which = f"{name} score of its frames, {face.p_fake:.2f}, at {face.second:.1f} s"
            yield face, f"{wording.who(number, result)}: {which}"


def _most_people(result: FileScore) -> int:
    return MOST_FACES if result.kind == "picture" else MOST_FACES // 2


def _figure(face: Face, caption: str, heat: np.ndarray | None, detector: Detector) -> str:
    pair = picture_tag(face.crop, f"The face that was scored, {caption}", longest=FACE_SIDE)
    if heat is not None:
        overlay = overlaid(_small(face.crop), heat / (heat + _half_glow(detector)))
        pair += picture_tag(overlay, f"Map over the face, {caption}", longest=FACE_SIDE)
    caption = html.escape(caption)
    return f'<figure><div class="pair">{pair}</div><figcaption>{caption}</figcaption></figure>'


def _small(crop: np.ndarray) -> np.ndarray:
    share = min(1.0, FACE_SIDE / max(crop.shape[:2]))
    size = [max(1, round(side * share)) for side in crop.shape[1::-1]]
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA)


def _heat(crop: np.ndarray, detector: Detector) -> np.ndarray | None:
    """Return a Grad-CAM map (h, w) in logits, or None for networks without maps.

    Its mean over the positions of the last layer is the logit of P(fake), so it has the same unit
    for all faces.
    """
    size = detector.image_size
    how = cv2.INTER_AREA if size < max(crop.shape[:2]) else cv2.INTER_LINEAR
    small = cv2.resize(crop, (size, size), interpolation=how).astype("float32")
    if small.max() <= 1:
        small[:] = 2.0  # all black: a map says nothing, and the range check would fail
    try:
        heat = explain.grad_cam(detector.model, small)
        outputs = [layer.output.shape for layer in detector.model.layers]
        height, width = [shape[1:3] for shape in outputs if len(shape) == 4][-1]
    except Exception as error:  # a network unlike those of the series
        logger.info("No map: %s", error)
        return None
    return heat * (height * width)


def _half_glow(detector: Detector) -> float:
    """Return the heat drawn at half strength: three times the border, so faces below stay dim."""
    border = min(max(detector.high, 0.51), 0.999)
    return 3 * detector.temperature * math.log(border / (1 - border)) + 1


def _over_time(result: FileScore, detector: Detector) -> str:
    """Return the answer about each person of a clip, below the curves of their scores."""
    lines = "".join(
        f'<p class="small">{html.escape(wording.who(number, result))}: '
        f"{html.escape(wording.answer_over_time(person, detector, frames=result.frames))}</p>"
        for number, person in enumerate(result.people, start=1)
    )
    return f'<figure class="curve">{_curves(result, detector)}{lines}</figure>'


def _curves(result: FileScore, detector: Detector) -> str:
    """Draw each person's score over time in a clip."""
    people = list(enumerate(result.people, start=1))
    with plt.rc_context():
        plots.set_style()
        ax = plots.plot_people_scores(
            {
                wording.who(number, result): (
                    [face.second for face in person.faces],
                    [face.p_fake for face in person.faces],
                )
                for number, person in people
            },
            low=detector.low,
            high=detector.high,
        )
        means = "; ".join(f"{wording.who(n, result)}: mean score {p.p_fake:.2f}" for n, p in people)
        return figure_tag(ax.figure, f"Scores over the time of the clip. {means}")
