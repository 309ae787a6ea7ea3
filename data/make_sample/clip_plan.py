"""Which clips are filmed: people, motion, light, framing, container, and which fakes are made.

Like people.py: pure numpy, determined by its SEED.  Whatever a container can reveal (size, rate,
length, codec, sound) belongs to the shot: a real and its fakes share it, so none of it reveals the
label.
"""

from __future__ import annotations

import numpy as np
import people as plan
from people import both_sides, gaze, stream

# Numbers of pairs with labelled clips of both people, with unlabelled ones, with one person filmed.
FULL_PAIRS, UNLABELLED_PAIRS, SINGLE_PAIRS = 24, 2, 6
DUET_PAIRS = 4  # of the full ones: the first person's clip also shows the second, behind
CLIP = 99  # second key of random streams, where photos have their number
# Fakes of the people of full pairs; the others get the fewest renders: one method each.
COMBINATIONS = {
    ("swap_coarse", "swap_autoencoder"): 12,
    ("swap_coarse", "mouth_reenactment"): 4,
    ("swap_autoencoder", "mouth_reenactment"): 4,
    ("swap_coarse",): 8,
    ("swap_autoencoder",): 8,
    ("mouth_reenactment",): 12,
}
# Rendered size, and the factor to the clip's size: an app has enlarged some people's clips.
FORMATS = (
    *[((256, 192), 1)] * 3,
    *[((256, 192), 1.25)] * 3,
    ((256, 192), 1.5),
    ((320, 240), 1),
    *[((320, 180), 1)] * 2,
    *[((320, 180), 1.5)] * 2,
    *[((192, 256), 1.25)] * 2,
    *[((180, 320), 1)] * 2,
)
DUET_FORMAT = ((384, 216), 1)
RATES = (25, 25, 25, 25, 24, 24, 30, 30)  # frames per second
SECONDS = (1.5, 4.0)
# Numbers of clips with something special.  All but the smooth ones come from a camera that takes a
# new picture only at every second frame, as webcams do in the evening; this saves renders.
RARE = {"hevc": 5, "vp9": 4, "sound": 12, "leaves": 5, "rotated": 2, "variable": 2, "smooth": 3}
DROPPED = 0.5  # share of the frames that a clip of variable rate lacks


# ---------------------------------------------------------------- motion


def smooth_noise(n, frames, strength, rng):
    """Gaussian-filtered noise with a correlation time in frames."""
    pad = int(4 * frames)
    kernel = np.exp(-0.5 * (np.arange(-pad, pad + 1) / frames) ** 2)
    white = rng.standard_normal(n + 2 * pad)
    return strength * np.convolve(white, kernel / np.sqrt((kernel**2).sum()), "valid")


def speech(time, rng):
    """Jaw and lip curves of made-up syllables (4 to 6 per second, with pauses)."""
    t = rng.uniform(0, 0.2)
    curves = {
        k: np.zeros(len(time))
        for k in ("jawOpen", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthLowerDown")
    }
    while t < time[-1]:
        length = rng.uniform(0.15, 0.26)
        bump = np.exp(-0.5 * ((time - t - length / 2) / (length / 3.2)) ** 2)
        curves["jawOpen"] += bump * rng.uniform(0.12, 0.45)
        curves[
            str(rng.choice(["mouthFunnel", "mouthPucker", "mouthStretch", "mouthLowerDown"]))
        ] += bump * rng.uniform(0.15, 0.55)
        t += length + (rng.uniform(0.15, 0.5) if rng.random() < 0.15 else 0)
    return curves


def blinks(time, rng):
    """Eyelid closure over time."""
    t, lids = rng.uniform(0.2, 1.2), np.zeros(len(time))
    while t < time[-1]:
        lids = np.maximum(lids, np.clip(1.25 * np.exp(-0.5 * ((time - t) / 0.055) ** 2), 0, 1))
        t += rng.uniform(0.9, 2.6)
    return lids


def walk_out(time, rng):
    """Sideways shift, 0 to 1, of a person who leaves the picture for a while and comes back."""
    length = time[-1]
    out, back = rng.uniform(0.28, 0.36) * length, rng.uniform(0.60, 0.70) * length
    edge = [1 / (1 + np.exp(-(time - moment) / 0.07)) for moment in (out, back)]
    return edge[0] - edge[1]


def _frame_mouth(curves, smile, i):
    mouth = {
        "jawOpen": min(curves["jawOpen"][i], 0.6),
        "mouthFunnel": curves["mouthFunnel"][i],
        "mouthPucker": 0.8 * curves["mouthPucker"][i],
    }
    for name in ("mouthStretch", "mouthLowerDown"):
        mouth.update(both_sides(name, curves[name][i]))
    mouth.update(both_sides("mouthSmile", smile[i]))
    return mouth


def _talk(time, beat, rng):
    """Mouth of every frame."""
    curves = speech(time, rng)
    noise = smooth_noise(len(time), 12 * beat, 0.12, rng)
    smile = np.clip(rng.normal(0.1, 0.15) + noise, 0, 0.8)
    return [_frame_mouth(curves, smile, i) for i in range(len(time))]


def _motion(key, time, beat):
    """Expressions, re-enacted expressions, head poses and hand shake of every frame.

    `beat`: frames in a 25th of a second, so that nobody moves faster at a higher rate.
    """
    n, rng = len(time), stream("clip", key)
    yaw = rng.uniform(-10, 10) + smooth_noise(n, 9 * beat, 4.5, rng)
    pitch = rng.uniform(-4, 4) + smooth_noise(n, 7 * beat, 2.7, rng)
    roll = rng.uniform(-3, 3) + smooth_noise(n, 10 * beat, 2, rng)
    mouths, lids = _talk(time, beat, rng), blinks(time, rng)
    brow = np.clip(smooth_noise(n, 8 * beat, 0.25, rng), 0, 0.8)
    look = np.clip(smooth_noise(n, 6 * beat, 0.2, rng) - yaw / 60, -0.7, 0.7)
    upper = [
        {
            "browInnerUp": brow[i],
            **both_sides("browOuterUp", 0.5 * brow[i]),
            **both_sides("eyeBlink", min(1, lids[i] + 0.03)),
            **gaze(look[i]),
        }
        for i in range(n)
    ]
    others = _talk(time, beat, stream("mouth", key, CLIP))
    return {
        "expressions": [{**u, **m} for u, m in zip(upper, mouths, strict=True)],
        "mouth_expressions": [{**u, **m} for u, m in zip(upper, others, strict=True)],
        "poses": np.stack([yaw, pitch, roll], 1),
        "shake": np.stack([smooth_noise(n, 8 * beat, 0.0016, rng) for _ in range(2)], 1),
    }


# ---------------------------------------------------------------- containers


def _spread(values, count, rng):
    """`count` values in random order, all of them equally often."""
    return [values[i % len(values)] for i in rng.permutation(count)]


def _containers(count, duets):
    """Size, rate, length, codec, sound and oddities of every clip.

    `duets`: numbers of the clips with two people; each is followed by the clip of its second
    person, which must have the same size, rate and length.
    """
    rng = stream("container")
    formats, rates = _spread(FORMATS, count, rng), _spread(RATES, count, rng)
    place = (rng.permutation(count) + 0.5) / count
    low, high = SECONDS
    rows = [
        # Most are short and few are long, because every frame has to be rendered.
        {"format": f, "fps": r, "seconds": low + (high - low) * p**8, "codec": "h264"}
        for f, r, p in zip(formats, rates, place, strict=True)
    ]
    for i in duets:
        rows[i].update(format=DUET_FORMAT, seconds=min(rows[i]["seconds"], 1.7))
        rows[i + 1].update(rows[i])

    def pick(name, allowed):
        others = [i for i, row in enumerate(rows) if allowed(row)]
        return rng.choice(others, RARE[name], replace=False)

    def alone(row):
        return row["format"] != DUET_FORMAT and not set(row) & set(RARE)

    for name in ("hevc", "vp9"):
        for i in pick(name, lambda row: row["codec"] == "h264"):
            rows[i]["codec"] = name
    for i in pick("leaves", alone):
        rows[i].update(leaves=True, seconds=max(rows[i]["seconds"], 2.1))
    for i in pick("rotated", lambda row: alone(row) and row["format"][0][0] < row["format"][0][1]):
        rows[i]["rotated"] = True
    for i in pick("variable", lambda row: alone(row) and row["fps"] == 30):
        rows[i]["variable"] = True
    for i in pick("smooth", lambda row: alone(row)):
        rows[i]["smooth"] = True
    for i in pick("sound", lambda row: True):
        rows[i]["sound"] = True
    return rows


def _ticks(container, key):
    """Number of frames, and the frames at which the camera took a new picture."""
    n = 2 * round(container["seconds"] * container["fps"] / 2)
    if container.get("variable"):
        taken = stream("clip", key, 1).random(n) > DROPPED
        return n, np.flatnonzero(taken | np.isin(np.arange(n), (0, n - 1)))
    return n, np.arange(0, n, 1 if container.get("smooth") else 2)


# ---------------------------------------------------------------- clips


def clip_name(person: int) -> str:
    """Folder of the renders of a person's clip."""
    return f"clip_{person:02d}"


def _framing(size, rng, duet):
    """Camera: the face's height is about half of the picture's shorter side."""
    low, high = (0.50, 0.60) if min(size) < 200 else (0.44, 0.53)
    centre = rng.normal(0, 0.03), rng.normal(0.04, 0.02)
    if duet is not None:  # left or right of the middle
        centre = (0.2 * (1, -1)[duet == 0] + centre[0] / 2, centre[1])
    return {
        "distance": rng.uniform(0.9, 1.4),
        "azimuth": rng.uniform(-8, 8),
        "elevation": rng.uniform(-4, 8),
        "roll": 0.0,
        "face_fraction": rng.uniform(low, high) * min(size) / size[1],
        "centre": centre,
    }


def make_clip(person, container, methods, split, duet) -> dict:
    """One talking-head clip.

    Per-frame expressions and poses, one fixed camera with a little hand shake.
    `duet`: 0 or 1 for the first and second person of a pair that is seen together.
    """
    key, (size, enlarged) = person["index"], container["format"]
    (frames, ticks), beat = _ticks(container, key), container["fps"] / 25
    time = np.arange(frames) / container["fps"]
    motion = _motion(key, time, beat)
    rng = stream("clip", key, 2)
    if container.get("leaves"):
        side = rng.choice([-1, 1]) * size[0] / max(size)
        motion["shake"][:, 0] += 0.95 * side * walk_out(time, rng)
    # If both people of a pair are in the picture, they share the light of one room.
    room = stream("light", key if duet is None else 2 * person["pair"], CLIP)
    light = plan.make_light(room)
    camera = _framing(size, rng, duet)
    return {
        "name": clip_name(key),
        "key": (key, CLIP),
        "person": key,
        "donor": person["partner"],
        "companion": person["partner"] if duet == 0 else None,
        "mirrored": duet == 0 and person["pair"] % 2 == 0,  # so each side has its fakes
        "methods": methods,
        "split": split,
        "size": size,
        "output": tuple(2 * round(side * enlarged / 2) for side in size),
        "fps": container["fps"],
        "frames": frames,
        "ticks": ticks,
        "jaw": np.array([face["jawOpen"] for face in motion["expressions"]]),
        **{k: container.get(k, False) for k in ("codec", "sound", "rotated", "variable")},
        "expressions": [motion["expressions"][i] for i in ticks],
        "mouth_expressions": [motion["mouth_expressions"][i] for i in ticks],
        "poses": motion["poses"][ticks],
        "shake": motion["shake"][ticks],
        "donor_pose_error": stream("donor", key, CLIP).normal(0, 0.6, 3),
        "light": light,
        "donor_light": plan.shift_light(light, stream("donor", key, CLIP, 1)),
        "camera": camera,
    }


def _shuffled_methods(rng):
    """Methods of the first and second person of every full pair; each is used about equally often.

    At least one of the two is swapped, so that `source` links the pair, as a split by group needs.
    """
    each = [methods for methods, count in COMBINATIONS.items() for _ in range(count)]
    while True:
        dealt = [each[i] for i in rng.permutation(len(each))]
        pairs = list(zip(dealt[::2], dealt[1::2], strict=True))
        if all(set(plan.SWAPS) & {*first, *second} for first, second in pairs):
            return pairs


def make_clips(people) -> list:
    """All clips, in the best order for rendering: what is needed most comes first."""
    rng = stream("container", 1)
    pairs = [int(p) for p in stream("order", 2).permutation(plan.PAIRS)]
    full, rest = pairs[:FULL_PAIRS], pairs[FULL_PAIRS:]
    unlabelled, single = rest[:UNLABELLED_PAIRS], rest[UNLABELLED_PAIRS:][:SINGLE_PAIRS]
    dealt = zip(full, _shuffled_methods(rng), strict=True)
    cast = [(2 * p + k, "train", methods[k]) for p, methods in dealt for k in (0, 1)]
    hidden = [plan.METHODS[i % 3] for i in rng.permutation(2 * UNLABELLED_PAIRS)]
    cast += [(2 * p + k, "test", (hidden.pop(),)) for p in unlabelled for k in (0, 1)]
    cast += [(2 * p, "train", ("mouth_reenactment",)) for p in single]
    duets = {2 * p + k: k for p in full[:DUET_PAIRS] for k in (0, 1)}
    containers = _containers(len(cast), range(0, 2 * DUET_PAIRS, 2))
    return [
        make_clip(people[index], container, list(chosen), split, duets.get(index))
        for (index, split, chosen), container in zip(cast, containers, strict=True)
    ]
