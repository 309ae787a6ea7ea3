"""Stage 2: render every photo and clip frame, the donor faces and the re-enacted mouths.

Writes one .npz per render into the work folder: linear pixels, alpha, hair pass
and projected outline points.  Finished files are skipped, so an interrupted
run continues where it stopped; `--shard i/n` splits the work between processes.
"""

from __future__ import annotations

import time
from pathlib import Path

import clip_plan
import numpy as np
import people as plan
from facemodel import FaceModel, Person
from studio import Camera, Figure, new_scene, nothing, set_border, set_light, shoot, to_blender
from textures import ensure_textures

# Margin rendered around a donor's face or a mouth, in face heights.
MARGIN = {"face": 0.07, "lower": 0.16}
SAMPLES = {"still": 6, "clip": 2}  # so few, because the denoiser hides it, and in clips the codec


class Session:
    """Shared state of one render process."""

    def __init__(self, assets, work: Path):
        self.assets, self.work = assets, work
        self.model = FaceModel(assets)
        self.identities = plan.make_identities(self.model)
        self._people = {}

    def person(self, index: int) -> Person:
        if index not in self._people:
            self._people[index] = Person(self.model, self.identities[index])
        return self._people[index]

    def figure(self, index: int, dressed: bool) -> Figure:
        person = self.person(index)
        folder = ensure_textures(
            self.assets, person.identity, person.parts, person.suit, self.work / "textures"
        )
        return Figure(person, folder, dressed)

    def region(self, vertices: dict, name: str) -> np.ndarray:
        return to_blender(vertices["body"][self.model.regions[name]])


def _box(points, outline, size):
    """Pixel box of a partial render.

    The mouth's box is wide, because the other mouth's chin may be lower.
    """
    margin = MARGIN[outline] * np.ptp(points["face"][:, 1])
    low = np.clip(np.floor(points[outline].min(0) - margin), 0, size)
    high = np.clip(np.ceil(points[outline].max(0) + margin), 0, size)
    return np.array([*low, *high]).astype(int)


def _save(path: Path, picture: dict, **extra) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part.npz")
    np.savez_compressed(partial, **picture, **extra)
    partial.rename(path)


def _take(session, figure, camera, expression, pose, path, outline=None, shake=(0, 0)):
    """Render one frame of one figure unless it is there already.

    `outline` limits it to a part of the face.
    """
    if path.exists():
        return
    size = camera.size
    vertices = figure.person.posed(expression, pose)
    points = {
        name: camera.project(session.region(vertices, name), shake).astype(np.float32)
        for name in ("face", "lower")
    }
    figure.pose(vertices)
    camera.apply(shake)
    box = np.array([0, 0, *size]) if outline is None else _box(points, outline, size)
    if (box[2:] <= box[:2]).any():  # the face has left the picture
        picture = nothing(size)
    else:
        set_border(None if outline is None else box, size)
        picture = shoot(path.with_name(f"scratch_{path.stem}.exr"))
    _save(path, picture, box=box, **points)


def _still_camera(session, shot):
    person = session.person(shot["person"])
    return Camera(
        shot["camera"],
        shot["size"],
        session.region(person.posed(shot["expression"], shot["pose"]), "frame"),
    )


def _wanted(shot, kind):
    return (
        kind == "target"
        or (kind == "donor" and set(shot["methods"]) & set(plan.SWAPS))
        or (kind == "mouth" and "mouth_reenactment" in shot["methods"])
    )


def render_pair_stills(session: Session, stills: list, members: tuple) -> None:
    """All photos of two look-alikes.

    Each person is dressed for its own photos, then stripped to a donor for the other's.
    """
    for index in members:
        own = [s for s in stills if s["person"] == index]
        borrowed = [s for s in stills if s["donor"] == index]

        def path(shot, kind):
            return session.work / "stills" / shot["name"] / f"{kind}.npz"

        todo = [
            (s, k)
            for s in own
            for k in ("target", "mouth")
            if _wanted(s, k) and not path(s, k).exists()
        ]
        todo_donor = [s for s in borrowed if _wanted(s, "donor") and not path(s, "donor").exists()]
        for shot, _ in todo + [(s, None) for s in todo_donor]:
            path(shot, "target").parent.mkdir(parents=True, exist_ok=True)
        if todo:
            figure = session.figure(index, True)
            for shot, kind in todo:
                set_light(shot["light"])
                expression = shot["expression"] if kind == "target" else shot["mouth_expression"]
                _take(
                    session,
                    figure,
                    _still_camera(session, shot),
                    expression,
                    shot["pose"],
                    path(shot, kind),
                    None if kind == "target" else "lower",
                )
            figure.remove()
        if todo_donor:
            figure = session.figure(index, False)
            for shot in todo_donor:
                set_light(shot["donor_light"])
                pose = np.array(shot["pose"]) + shot["donor_pose_error"]
                _take(
                    session,
                    figure,
                    _still_camera(session, shot),
                    shot["donor_expression"],
                    pose,
                    path(shot, "donor"),
                    "face",
                )
            figure.remove()


def render_clip(session: Session, clip: dict) -> None:
    """One clip: target frames, mouth frames, donor frames."""
    person = session.person(clip["person"])
    middle = session.region(person.posed({}, clip["poses"].mean(0)), "frame")
    camera = Camera(clip["camera"], clip["size"], middle)
    folder = session.work / "clips" / clip["name"]
    folder.mkdir(parents=True, exist_ok=True)

    def paths(kind):
        return [folder / f"{kind}_{i:03d}.npz" for i in range(len(clip["poses"]))]

    def frames(figure, kind, expressions, poses, outline):
        for i, path in enumerate(paths(kind)):
            _take(
                session, figure, camera, expressions[i], poses[i], path, outline, clip["shake"][i]
            )

    own = [
        k for k in ("target", "mouth") if _wanted(clip, k) and not all(p.exists() for p in paths(k))
    ]
    if own:
        figure = session.figure(clip["person"], True)
        set_light(clip["light"])
        if "target" in own:
            frames(figure, "target", clip["expressions"], clip["poses"], None)
        if "mouth" in own:
            frames(figure, "mouth", clip["mouth_expressions"], clip["poses"], "lower")
        figure.remove()
    if _wanted(clip, "donor") and not all(p.exists() for p in paths("donor")):
        figure = session.figure(clip["donor"], False)
        set_light(clip["donor_light"])
        frames(
            figure, "donor", clip["expressions"], clip["poses"] + clip["donor_pose_error"], "face"
        )
        figure.remove()


def run(assets, work: Path, what: str, shard: tuple) -> None:
    """Render this shard's share of the stills and/or clips."""
    session, (part, parts), start = Session(assets, work), shard, time.time()
    if what in ("all", "stills"):
        stills = plan.make_stills(session.identities)
        new_scene((224, 224), SAMPLES["still"])
        for pair in range(part, plan.PAIRS, parts):
            render_pair_stills(session, stills, (2 * pair, 2 * pair + 1))
            print(f"stills of pair {pair} done, {time.time() - start:.0f} s", flush=True)
    if what in ("all", "clips"):
        for clip in clip_plan.make_clips(session.identities)[part::parts]:
            new_scene(clip["size"], SAMPLES["clip"])
            render_clip(session, clip)
            print(f"{clip['name']} done, {time.time() - start:.0f} s", flush=True)
