"""Stage 3: renders -> pictures, clips, masks and tables in data/sample.

Cheap; run it again after every change of settings.yaml.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import clip_plan
import cv2
import numpy as np
import pandas as pd
import people as plan
import yaml
from container import babble, break_clip, enlarge, write_video
from facemodel import FaceModel
from imaging import (
    bleed,
    develop,
    draw_final,
    exposure_gain,
    finish,
    make_backdrop,
    over,
    spread_positions,
    uniform,
)
from manipulate import draw_method, reenact_mouth, swap_face
from sharing import share_stills

FIRST = "stills_first"  # in the work folder: photos before they were shared
FACES, CHALLENGE, BROKEN = "deepfake-faces", "deepfake-detection-challenge", "broken"
LABELLED, UNLABELLED = "train_sample_videos", "test_videos"
RIM = 2  # pixels
# First key of the random streams used here.
SCENE, METHOD, FINAL, NOISE, SOUND = range(5)


def _rng(settings, purpose, key, extra=0):
    return np.random.default_rng([settings["seed"], purpose, *key, extra])


def _load(path: Path) -> dict:
    with np.load(path) as data:
        return dict(data)


def _loader(folder: Path, ending: str = ""):
    """A function that reads one kind of render (target, donor, mouth) of a photo or a frame."""
    return lambda kind: _load(folder / f"{kind}{ending}.npz")


def _mark_rendered(mouth: dict) -> dict:
    """Mark the rendered pixels: a box around the lower face, without a rim.

    The denoiser may have spoilt the rim.
    """
    height, width = mouth["alpha"].shape
    x0, y0, x1, y1 = mouth["box"]
    mouth["rendered"] = np.zeros((height, width), bool)
    mouth["rendered"][
        y0 + RIM * (y0 > 0) : y1 - RIM * (y1 < height),
        x0 + RIM * (x0 > 0) : x1 - RIM * (x1 < width),
    ] = True
    return mouth


class Scene:
    """What a shot's real and fakes share: backdrop, exposure, contrast."""

    def __init__(self, shot, person, settings):
        rng = _rng(settings, SCENE, shot["key"])
        self.backdrops = [make_backdrop(shot["size"], rng)]
        self.contrast = uniform(rng, settings["scene"]["contrast"])
        self.factor = uniform(rng, settings["scene"]["exposure"])
        self.person, self.gain = person, None

    def picture(self, render: dict, frame: int = 0) -> np.ndarray:
        """Developed target or mouth render in front of the backdrop.

        The first one sets the exposure, also for a whole clip.  There is one backdrop for all
        frames, or one per frame.
        """
        if self.gain is None:
            self.gain = exposure_gain(render, self.person["ancestry"], self.factor)
        backdrop = self.backdrops[frame % len(self.backdrops)]
        return over(*develop(render, self.gain, self.contrast), backdrop)

    def donor(self, render: dict) -> np.ndarray:
        return bleed(*develop(render, self.gain, self.contrast))


def _fake(method, scene, target, render, load, drawn, frame):
    """One fake frame by one method."""
    if method in plan.SWAPS:
        other = load("donor")
        return swap_face(target, render, scene.donor(other), other, drawn, frame)
    other = _mark_rendered(load("mouth"))
    return reenact_mouth(target, render, scene.picture(other, frame), other, drawn, frame)


def compose_still(shot, people, work, out, settings) -> list:
    """One photo and its fakes, as the camera stores them; returns table rows."""
    folder, person = work / "stills" / shot["name"], people[shot["person"]]
    scene, load = Scene(shot, person, settings), _loader(folder)
    render = load("target")
    target = scene.picture(render)
    rows = []
    for method in [None, *shot["methods"]]:
        name, code = plan.video_name(shot, method), plan.method_number(method)
        picture = target
        if method:
            drawn = draw_method(
                settings[method], "still", 1, _rng(settings, METHOD, shot["key"], code)
            )
            picture, weight = _fake(method, scene, target, render, load, drawn, 0)
            mask = ((weight >= settings["mask_threshold"]) * 255).astype(np.uint8)
            cv2.imwrite(
                str(out / FACES / "masks_224" / name.replace(".mp4", ".png")),
                mask,
                [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 9],
            )
        final = draw_final(settings["final"], shot["positions"], code)
        picture = finish(picture, final, _rng(settings, NOISE, shot["key"], code))
        cv2.imwrite(
            str(work / FIRST / name.replace(".mp4", ".jpg")),
            picture,
            [cv2.IMWRITE_JPEG_QUALITY, final["quality"], cv2.IMWRITE_JPEG_OPTIMIZE, 1],
        )
        rows.append(_row(shot, method, person, people))
    return rows


def _read_clip(shot, people, work, settings):
    """Renders of a clip, developed: loaders, target renders, pictures, and the scene.

    A second person stands behind, in the room and the light of the first.
    """
    folder, count = work / "clips" / shot["name"], len(shot["ticks"])
    scene = Scene(shot, people[shot["person"]], settings)
    loads = [_loader(folder, f"_{i:03d}") for i in range(count)]
    renders = [load("target") for load in loads]
    if shot["companion"] is not None:
        behind = Scene(shot, people[shot["companion"]], settings)
        other = work / "clips" / clip_plan.clip_name(shot["companion"])
        scene.backdrops = [
            behind.picture(_loader(other, f"_{i:03d}")("target")) for i in range(count)
        ]
    return loads, renders, [scene.picture(r, i) for i, r in enumerate(renders)], scene


def _fake_frames(shot, method, code, clip, settings):
    """Frames of one fake and their masks."""
    loads, renders, targets, scene = clip
    face = float(np.ptp(renders[0]["face"][:, 1]))
    rng = _rng(settings, METHOD, shot["key"], code)
    drawn = draw_method(settings[method], "clip", len(targets), rng, face)
    made = [
        _fake(method, scene, targets[i], renders[i], loads[i], drawn, i)
        for i in range(len(targets))
    ]
    masks = [((w >= settings["mask_threshold"]) * 255).astype(np.uint8) for _, w in made]
    return [fake for fake, _ in made], masks


def _shown(frames, shot):
    """Frames at the clip's size, mirrored if the camera did so."""
    frames = [enlarge(frame, shot["output"]) for frame in frames]
    return [frame[:, ::-1] for frame in frames] if shot["mirrored"] else frames


def compose_clip(shot, people, work, out, settings) -> list:
    """One clip and its fakes; returns table rows."""
    clip, rows, base = _read_clip(shot, people, work, settings), [], out / CHALLENGE
    timing = {"length": shot["frames"], **{k: shot[k] for k in ("fps", "ticks", "variable")}}
    voice = _rng(settings, SOUND, shot["key"])
    sound = babble(shot["jaw"], shot["fps"], voice) if shot["sound"] else None
    for method in [None, *shot["methods"]]:
        name, code, frames = plan.video_name(shot, method), plan.method_number(method), clip[2]
        if method:
            frames, masks = _fake_frames(shot, method, code, clip, settings)
            if shot["split"] == "train":
                masks = _shown(masks, shot)
                write_video(base / "masks" / name, masks, crf=24, **timing)
        final = draw_final(settings["final"], shot["positions"], code)
        noise = _rng(settings, NOISE, shot["key"], code)
        path = base / (LABELLED if shot["split"] == "train" else UNLABELLED) / name
        frames = [finish(frame, final, noise) for frame in _shown(frames, shot)]
        look = {"codec": shot["codec"], "rotated": shot["rotated"], "sound": sound}
        write_video(path, frames, crf=final["crf"], **timing, **look)
        row = _row(shot, method, people[shot["person"]], people)
        rows.append({**row, "split": shot["split"], **_second_person(shot, people)})
    return rows


def _second_person(shot, people):
    """Who else is in the picture, and on which side the person of `identity` is."""
    if shot["companion"] is None:
        return {"companion": None, "position": None}
    return {
        "companion": people[shot["companion"]]["name"],
        "position": "right" if shot["mirrored"] else "left",
    }


def _row(shot, method, person, people):
    return {
        "videoname": plan.video_name(shot, method),
        "original_width": shot["size"][0],
        "original_height": shot["size"][1],
        "label": "FAKE" if method else "REAL",
        "original": plan.video_name(shot, None) if method else None,
        "method": method,
        "identity": person["name"],
        "donor": shot["donor"] if method in plan.SWAPS else None,
        "person": shot["person"],
    }


def _name_sources(rows: list, rng) -> None:
    """Replace the donor's number by the name of one of the donor's real pictures or clips."""
    reals = {}
    for row in rows:
        if row["label"] == "REAL":
            reals.setdefault(row["person"], []).append(row["videoname"])
    for row in rows:
        donor = row.pop("donor")
        row["source"] = None if donor is None else str(rng.choice(reals[donor]))
    for row in rows:
        del row["person"]


def _break_one(rows: list, clips: Path, folder: Path) -> None:
    """Fill the folder of broken clips from one whole clip of the first person in the table."""
    row = min(
        (r for r in rows if r["label"] == "REAL" and r["split"] == "train"),
        key=lambda r: r["videoname"],
    )
    _fresh(folder)
    break_clip((clips / row["videoname"]).read_bytes(), folder, plan.stream("order", 4))
    entries = {p.name: {"label": "REAL", "split": "train"} for p in sorted(folder.glob("*.mp4"))}
    (folder / "metadata.json").write_text(json.dumps(entries, indent=1) + "\n")


def _fresh(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def _prepare(shots, settings):
    """Give every shot its place in the ranges of the final chain."""
    positions = spread_positions(len(shots), _rng(settings, FINAL, shots[0]["size"]))
    return [{**shot, "positions": p} for shot, p in zip(shots, positions, strict=True)]


def _all(function, shots, jobs):
    with Pool(jobs) as pool:
        return [row for rows in pool.imap(function, shots) for row in rows]


def run(assets, work: Path, out: Path, settings_path: Path, what: str, jobs: int = 2) -> None:
    """Compose the stills and/or the clips from finished renders; or only share the stills again."""
    cv2.setNumThreads(1)
    settings = yaml.safe_load(settings_path.read_text())
    people = plan.make_identities(FaceModel(assets))
    if what in ("all", "stills"):
        order = plan.stream("order", 3)
        _fresh(work / FIRST, out / FACES / "masks_224")
        rows = _all(
            partial(compose_still, people=people, work=work, out=out, settings=settings),
            _prepare(plan.make_stills(people), settings),
            jobs,
        )
        _name_sources(rows, order)
        table = pd.DataFrame(rows).iloc[order.permutation(len(rows))]
        table.to_csv(out / FACES / "metadata.csv", index=False)
    if what in ("all", "stills", "shared"):
        _fresh(out / FACES / "faces_224")
        share_stills(plan.make_stills(people), work / FIRST, out / FACES, settings)
    if what in ("all", "clips"):
        order, base = plan.stream("order", 5), out / CHALLENGE
        _fresh(base / LABELLED, base / UNLABELLED, base / "masks")
        rows = _all(
            partial(compose_clip, people=people, work=work, out=out, settings=settings),
            _prepare(clip_plan.make_clips(people), settings),
            jobs,
        )
        _name_sources(rows, order)
        rows = [rows[i] for i in order.permutation(len(rows))]
        keep = ("label", "split", "original", "method", "identity", "source")
        keep += ("companion", "position")
        for split, path in (
            ("train", base / LABELLED / "metadata.json"),
            ("test", work / "test_videos_metadata.json"),
        ):
            entries = {
                row["videoname"]: {k: row[k] for k in keep if row[k] is not None}
                for row in rows
                if row["split"] == split
            }
            path.write_text(json.dumps(entries, indent=1) + "\n")
        _break_one(rows, base / LABELLED, out / BROKEN)
