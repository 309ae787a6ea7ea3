"""The page of `predict`: for every file the answer, the faces, and what argued for it.

Files are added one by one and wait on disk, so that memory does not grow with their number; the
page is put together at the end, when the scale that all of its maps share is known.
"""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import math
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from nbhelpers import explain
from nbhelpers.common import files
from nbhelpers.common.errors import UsageError
from nbhelpers.common.files import displayable
from nbhelpers.common.html import NO_PROOF, beginning, figure_tag, page, picture_tag
from nbhelpers.predict import wording
from nbhelpers.predict.detector import Detector, Verdict
from nbhelpers.predict.scoring import Face, FileScore
from nbhelpers.reporting import plots

logger = logging.getLogger(__name__)

TITLE = "Do these files look manipulated?"
MOST_FACES = 12  # of one file that are drawn
MAP_SIDE = 16  # places along a side of a stored map; networks give fewer
FACE_SIDE = 320  # pixels of a drawn face
COLOURS = {Verdict.MANIPULATED: "fake", Verdict.NO_SIGN: "real", Verdict.UNDECIDED: "open"}
STYLE = """
.file { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 1rem 0;
  border-left: .7rem solid var(--faint); }
.file.fake { border-left-color: #D55E00; } .file.real { border-left-color: #0072B2; }
.file > summary { display: grid; grid-template-columns: minmax(6rem, 12rem) 1fr; gap: 1rem;
  padding: 1rem; cursor: pointer; list-style: none; align-items: start; }
.file > summary::-webkit-details-marker { display: none; }
.file > summary img { width: 100%; border-radius: 6px; display: block; }
.file h2 { margin: 0 0 .2rem; font-size: 1rem; overflow-wrap: anywhere; }
.answer { font-size: 1.2rem; font-weight: 600; margin: 0 0 .4rem; }
.inside { padding: 0 1rem 1rem; }
.more { color: var(--link); font-size: .9rem; }
details[open] > summary .more { display: none; }
.ruler { position: relative; height: 1.1rem; border-radius: 4px; margin: .3rem 0 .2rem;
  max-width: 26rem; border: 1px solid var(--line); }
.ruler b { position: absolute; top: -.2rem; bottom: -.2rem; width: 4px; margin-left: -2px;
  background: var(--text); border-radius: 2px; }
.ends { display: flex; justify-content: space-between; max-width: 26rem; }
.faces { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
figure { margin: .5rem 0 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.pair img { width: 100%; display: block; border-radius: 4px; }
.curve img { width: 100%; max-width: 44rem; background: #fff; border-radius: 6px; }
.scale { height: .8rem; max-width: 20rem; border-radius: 4px; margin-top: .4rem; }
figcaption { font-size: .86rem; color: var(--faint); }
@media (max-width: 30rem) { .file > summary { grid-template-columns: 1fr; } }
"""
EXPLAINED = (
    "Beside each face is a map of what argued for a manipulation (Grad-CAM): the brighter, the "
    "stronger, on one scale for the whole page. A map says what the detector looked at, not where "
    "a picture was changed."
)


class Report:
    """A page that grows file by file, as a context: it is written when the block ends.

    That is so in whatever way it ends: after an interruption the page has what was scored by then.

    Args:
        target: the file to write, checked before by `files.check_target`.
        detector: that gives the scores.
    """

    def __init__(self, target: Path, detector: Detector) -> None:
        self._target, self._detector = target, detector
        self._brightest, self._lost = 0.0, 0
        self._resources = ExitStack()

    def __enter__(self) -> Report:
        draft = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._waiting = self._resources.enter_context(draft)
        return self

    def __exit__(self, *_: object) -> None:
        with self._resources:
            self._write()

    def add(self, result: FileScore) -> None:
        """Draw a file; what cannot be drawn is left out with a sentence.

        Args:
            result: from `scoring.score_file`.
        """
        entry = self._entry(result)
        heats = [face["heat"] for face in entry["faces"] if face["heat"] is not None]
        self._brightest = max([self._brightest, *(np.max(heat) for heat in heats)])
        try:
            self._waiting.write(json.dumps(entry) + "\n")
            self._waiting.flush()
        except OSError as error:  # a full disk: the answers go on
            logger.warning("%s is not drawn: %s", entry["name"], error.strerror)
            self._lost += 1

    def _write(self) -> None:
        self._waiting.seek(0)
        facts = "".join(f"<li>{html.escape(text)}</li>" for text in wording.about(self._detector))
        head, tail = page(TITLE, "\0", style=STYLE).split("\0")
        try:
            with files.whole(self._target) as draft, draft.open("w", encoding="utf-8") as file:
                file.write(f'{head}<p class="banner">{html.escape(NO_PROOF)}</p>')
                file.write(f'<ul class="facts">{facts}</ul><p class="small">{EXPLAINED}</p>')
                file.write(_scale_tag())
                file.writelines(self._section(json.loads(line)) for line in self._waiting)
                if self._lost:
                    file.write(f'<p class="banner">{self._lost} more files: no room to draw.</p>')
                file.write(tail)
        except OSError as error:
            name = displayable(str(self._target))
            raise UsageError(f"{name} cannot be written: {error.strerror}.") from None

    # ------------------------------------------------------------ what waits on disk

    def _entry(self, result: FileScore) -> dict:
        entry = {"name": displayable(result.path.name), "faces": [], "curve": "", "overview": ""}
        entry["notes"] = list(result.notes)
        if not result.people:
            return entry | {"reason": result.reason}
        drawn = list(_drawn(result))
        if (more := len(result.people) - len(drawn)) > 0 and result.kind == "picture":
            entry["notes"].append(f"{more} more faces are scored but not drawn.")
        faces = [self._face(face, caption) for face, caption in drawn]
        if any(face["heat"] is None for face in faces):
            entry["notes"].append("No map can be drawn for this detector.")
        verdict = self._detector.verdict(result.p_fake)
        return entry | {
            "verdict": verdict,
            "score": result.p_fake,
            "how_often": wording.how_often(verdict, self._detector),
            "overview": picture_tag(_numbered(result), _overview_alt(result), longest=640),
            "faces": faces,
            "curve": self._curves(result) if result.kind == "video" else "",
        }

    def _face(self, face: Face, caption: str) -> dict:
        verdict = self._detector.verdict(face.p_fake)
        try:
            heat = _heat(face.crop, self._detector)
        except Exception as error:  # of a network with another form than those of the series
            logger.info("No map: %s", error)
            heat = None
        return {
            "caption": f"{caption}: {verdict}, score {face.p_fake:.2f}; {wording.place_of(face)}",
            "pixels": _jpeg(face.crop),
            "heat": heat,
        }

    def _curves(self, result: FileScore) -> str:
        """Each person's score over the time of a clip."""
        with plt.rc_context():
            plots.set_style()
            ax = plots.plot_people_scores(
                {
                    wording.who(number, result): (
                        [face.second for face in person.faces],
                        [face.p_fake for face in person.faces],
                    )
                    for number, person in enumerate(result.people, start=1)
                },
                low=self._detector.low,
                high=self._detector.high,
            )
            text = "; ".join(
                f"{wording.who(number, result)}: mean score {person.p_fake:.2f}"
                for number, person in enumerate(result.people, start=1)
            )
            return figure_tag(ax.figure, f"Scores over the time of the clip. {text}")

    # ------------------------------------------------------------ from there to the page

    def _section(self, entry: dict) -> str:
        name = html.escape(entry["name"])
        notes = "".join(f'<p class="small">{html.escape(note)}</p>' for note in entry["notes"])
        if "reason" in entry:
            return (
                f'<details class="file" open><summary><div></div><div><h2>{name}</h2>'
                f'<p class="answer">no score</p><p>{html.escape(entry["reason"])}</p>{notes}'
                "</div></summary></details>\n"
            )
        faces = "".join(self._figure(face) for face in entry["faces"])
        curve = f'<figure class="curve">{entry["curve"]}</figure>' if entry["curve"] else ""
        colour = COLOURS[Verdict(entry["verdict"])]
        return (
            f'<details class="file {colour}"><summary><div>{entry["overview"]}</div><div>'
            f'<h2>{name}</h2><p class="answer">{html.escape(entry["verdict"])}</p>'
            f"{self._ruler(entry['score'])}"
            f'<p class="small">{html.escape(entry["how_often"])}</p>'
            '<span class="more">Show the faces</span></div></summary>'
            f'<div class="inside">{curve}<div class="faces">{faces}</div>{notes}</div></details>\n'
        )

    def _ruler(self, score: float) -> str:
        low, high = 100 * self._detector.low, 100 * self._detector.high
        colours = (
            f"linear-gradient(90deg, #0072B255 {low:.1f}%, transparent {low:.1f}% {high:.1f}%, "
            f"#D55E0055 {high:.1f}%)"
        )
        text = f"score {score:.2f} between 0 and 1; borders {low / 100:.2f} and {high / 100:.2f}"
        return (
            f'<div class="ruler" role="img" aria-label="{text}" style="background: {colours}">'
            f'<b style="left: {100 * score:.1f}%"></b></div>'
            f'<div class="ends small"><span>0</span><span>score {score:.2f}</span><span>1</span>'
            "</div>"
        )

    def _figure(self, face: dict) -> str:
        crop = _pixels(face["pixels"])
        caption = html.escape(face["caption"])
        pair = picture_tag(crop, f"The face that was scored, {face['caption']}", longest=FACE_SIDE)
        if face["heat"] is not None:
            glow = np.asarray(face["heat"]) / max(self._brightest, _full_glow(self._detector))
            overlay = overlaid(crop, glow)
            pair += picture_tag(overlay, f"Map over the face, {face['caption']}", longest=FACE_SIDE)
        return f'<figure><div class="pair">{pair}</div><figcaption>{caption}</figcaption></figure>'


def page_beginning() -> str:
    """Give the text with which every report begins, as `files.check_target` wants it."""
    return beginning(TITLE)


def overlaid(crop: np.ndarray, glow: np.ndarray) -> np.ndarray:
    """Draw a map over a face.

    Args:
        crop: uint8 (H, W, 3) RGB.
        glow: float (h, w), from 0 (nothing) to 1 (the brightest of the page).

    Returns:
        uint8 (H, W, 3): the picture in grey, and over it colours of growing lightness, so that
        they stay apart for colour-blind readers.
    """
    glow = np.clip(cv2.resize(glow.astype("float32"), crop.shape[1::-1]), 0, 1)
    colours = mpl.colormaps["inferno"](glow)[..., :3] * 255
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
    strength = 0.75 * glow[..., None]
    return np.clip(grey * (1 - strength) + colours * strength, 0, 255).astype(np.uint8)


def _heat(crop: np.ndarray, detector: Detector) -> list[list[float]]:
    """Return a Grad-CAM map (h, w) in logits: over the last layer their mean is the logit."""
    size = detector.image_size
    shrinks = size < max(crop.shape[:2])
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(crop, (size, size), interpolation=how).astype("float32")
    if small.max() <= 1:
        small[:] = 2.0  # all black: no map shows anything, and the check of the range is for others
    heat = explain.grad_cam(detector.model, small)
    outputs = [layer.output.shape for layer in detector.model.layers]
    height, width = [shape[1:3] for shape in outputs if len(shape) == 4][-1]
    side = min(MAP_SIDE, size)
    heat = cv2.resize(heat * (height * width), (side, side), interpolation=cv2.INTER_AREA)
    return np.round(heat, 3).tolist()


def _full_glow(detector: Detector) -> float:
    """Return the heat that glows fully if nothing on the page is hotter: thrice the border."""
    border = min(max(detector.high, 0.51), 0.999)
    return 3 * detector.temperature * math.log(border / (1 - border)) + 1


def _drawn(result: FileScore) -> Iterator[tuple[Face, str]]:
    """Return the faces that are drawn: of a clip each person's highest and lowest frame."""
    if result.kind == "picture":
        for number, person in enumerate(result.people[:MOST_FACES], start=1):
            yield person.faces[0], wording.who(number, result)
        return
    for number, person in enumerate(result.people[: MOST_FACES // 2], start=1):
        ordered = sorted(person.faces, key=lambda face: face.p_fake)
        ends = {"highest": ordered[-1], "lowest": ordered[0]}
        for name, face in list(ends.items())[: len(ordered)]:
            yield face, f"{wording.who(number, result)}, {name} frame, at {face.second:.1f} s"


def _numbered(result: FileScore) -> np.ndarray:
    """Return the overview with a box and a number for each face in it."""
    picture = result.overview.copy()
    for number, person in enumerate(result.people, start=1):
        for face in person.faces:
            elsewhere = result.kind == "video" and face.second != result.second
            if not face.square.side or elsewhere:
                continue
            square = face.square
            left, top, side = (
                round(v * result.scale) for v in (square.left, square.top, square.side)
            )
            for colour, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
                cv2.rectangle(picture, (left, top), (left + side, top + side), colour, thickness)
                if len(result.people) > 1:
                    place = (left + 6, top + 26)
                    cv2.putText(
                        picture,
                        str(number),
                        place,
                        cv2.FONT_HERSHEY_SIMPLEX,
                        0.8,
                        colour,
                        thickness,
                    )
    return picture


def _overview_alt(result: FileScore) -> str:
    what = "The picture" if result.kind == "picture" else f"The clip at {result.second:.1f} s"
    count = len(result.people)
    return f"{what}, with {'a box' if count == 1 else f'{count} numbered boxes'} around faces"


def _jpeg(pixels: np.ndarray) -> str:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((FACE_SIDE, FACE_SIDE))
    memory = io.BytesIO()
    picture.save(memory, "JPEG", quality=90)
    return base64.b64encode(memory.getvalue()).decode()


def _pixels(jpeg: str) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(jpeg))).convert("RGB"))


def _scale_tag() -> str:
    """Return the colour bar of all maps."""
    stops = ", ".join(
        mpl.colors.to_hex(mpl.colormaps["inferno"](share)) for share in np.linspace(0, 1, 6)
    )
    return (
        f'<div class="scale" role="img" aria-label="Colour scale of the maps, from dark to light" '
        f'style="background: linear-gradient(90deg, {stops})"></div>'
        '<p class="small">left: nothing argued for a manipulation; right: the strongest argument '
        "on this page</p>"
    )
