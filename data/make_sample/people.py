"""Who is in the sample and what is photographed.

Identities in look-alike pairs, stills, and which fakes are made of them (clips: clip_plan.py).
Pure numpy and fully determined by SEED, so that the render and the compose stage
can rebuild the same plan independently.
"""

from __future__ import annotations

import string

import numpy as np

SEED = 20240
PAIRS = 32
PHOTOS_PER_IDENTITY = 6
METHODS = ("swap_coarse", "swap_autoencoder", "mouth_reenactment")
SWAPS = METHODS[:2]
# How many fakes a still gets (1, 2, 3), with probabilities.
STILL_FAKES = ((1, 2, 3), (0.45, 0.40, 0.15))

# Separate random streams, so that changing one thing leaves the others alone.
STREAM = {
    "pool": 0,
    "shape": 1,
    "look": 2,
    "still": 3,
    "mouth": 4,
    "light": 5,
    "donor": 6,
    "clip": 7,
    "methods": 8,
    "names": 9,
    "order": 10,
    "texture": 11,
    "container": 12,
}


def stream(name: str, *keys: int) -> np.random.Generator:
    """Random generator of one purpose and one object."""
    return np.random.default_rng([SEED, STREAM[name], *keys])


# ---------------------------------------------------------------- identities

# Spread of the random face-shape targets per region; women get a smaller one (closer to the mean).
REGION_SPREAD = {
    "head": 0.16,
    "nose": 0.36,
    "mouth": 0.30,
    "chin": 0.32,
    "cheek": 0.36,
    "forehead": 0.32,
    "eyes": 0.26,
    "eyebrows": 0.32,
    "ears": 0.30,
    "neck": 0.12,
}
OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("concave", "convex"),
    ("backward", "forward"),
)
# Targets that shift whole features away from their place or look like a grimace.
UNWANTED = (
    "head-trans",
    "head-age",
    "head-angle",
    "head-back",
    "head-fat",
    "mouth-trans-in",
    "mouth-dimples",
    "mouth-laugh",
    "nose-trans-in",
    "nose-compression",
    "neck-trans",
    "ear-trans",
    "eye-trans-up",
    "eye-push",
)
HEAD_SHAPES = (
    "oval",
    "round",
    "rectangular",
    "square",
    "triangular",
    "invertedtriangular",
    "diamond",
)
MALE_HAIR = ("short01", "short02", "short04", "short01", "short04")
FEMALE_HAIR = (
    "long01",
    "ponytail01",
    "long01",
    "short02",
    "ponytail01",
    "short04",
    "long01",
    "Braid01",
)
HAIR_COLOURS = (
    (22, 16, 14),
    (38, 28, 22),
    (62, 42, 30),
    (92, 62, 40),
    (120, 84, 52),
    (165, 125, 80),
    (196, 160, 110),
    (120, 56, 30),
    (150, 148, 145),
    (205, 203, 200),
)
SUITS = {
    "male": [f"male_casualsuit0{i}" for i in range(1, 7)]
    + ["male_elegantsuit01", "male_worksuit01"],
    "female": [
        "female_casualsuit01",
        "female_casualsuit02",
        "female_elegantsuit01",
        "female_sportsuit01",
    ],
}
LIGHT_EYES = ("brown", "brownlight", "blue", "bluegreen", "deepblue", "green", "grey", "lightblue")


def _kind(rng, sex):
    """Coarse description of a person: what look-alikes must share."""
    return {
        "sex": sex,
        "age": float(rng.beta(1.1, 2.0) * 0.85),
        "ancestry": rng.dirichlet([0.3, 0.3, 0.3]),
        "muscle": float(rng.uniform(0.2, 0.7 if sex == "male" else 0.45)),
        "weight": float(np.clip(rng.normal(0.5, 0.18), 0.1, 0.95)),
    }


def _distance(a, b):
    return (
        10 * (a["sex"] != b["sex"])
        + np.abs(a["ancestry"] - b["ancestry"]).sum()
        + 0.9 * abs(a["age"] - b["age"])
        + 0.4 * abs(a["weight"] - b["weight"])
    )


def _thirds(x):
    """Weights of the min/average/max target for a value in 0..1."""
    return max(0, 1 - 2 * x), 1 - abs(2 * x - 1), max(0, 2 * x - 1)


ANCESTRIES, LEVELS = ("african", "asian", "caucasian"), ("min", "average", "max")


def _macro_targets(kind):
    """MakeHuman's macro targets (sex x age x ancestry x build) for one description."""
    sex, weights = kind["sex"], {}
    for age, wa in (("young", 1 - kind["age"]), ("old", kind["age"])):
        for name, we in zip(ANCESTRIES, kind["ancestry"], strict=True):
            weights[f"macrodetails/{name}-{sex}-{age}"] = wa * we
        for muscle, wm in zip(LEVELS, _thirds(kind["muscle"]), strict=True):
            for fat, wf in zip(LEVELS, _thirds(kind["weight"]), strict=True):
                weights[f"macrodetails/universal-{sex}-{age}-{muscle}muscle-{fat}weight"] = (
                    wa * wm * wf
                )
    return weights


def _detail_targets(model, kind, rng):
    """Random individual face shape."""
    scale = 1.0 if kind["sex"] == "male" else 0.72
    weights = {}
    for region, spread in REGION_SPREAD.items():
        names = sorted(
            p.name[: -len(".target.gz")]
            for p in (model.assets.mpfb / "targets" / region).glob("*.target.gz")
        )
        for name in names:
            if name.startswith("r-") or any(word in name for word in UNWANTED):
                continue
            for low, high in OPPOSITES:
                partner = name[: -len(low)] + high
                if name.endswith("-" + low) and partner in names:
                    value = float(np.clip(rng.normal(0, spread * scale), -0.75, 0.75))
                    chosen = name if value < 0 else partner
                    weights[f"{region}/{chosen}"] = abs(value)
                    if chosen.startswith("l-"):  # nearly symmetric, as faces are
                        weights[f"{region}/r-{chosen[2:]}"] = abs(value) * float(
                            rng.uniform(0.9, 1.1)
                        )
    weights[f"head/head-{rng.choice(HEAD_SHAPES)}"] = float(rng.uniform(0.1, 0.45) * scale)
    return weights


def _look(kind, rng):
    """Hair, brows, eyes, clothes and colours."""
    colours = np.array(HAIR_COLOURS, float)
    african, _, caucasian = kind["ancestry"]
    if kind["age"] > 0.6 and rng.random() < 0.75:
        colour = colours[8 + rng.integers(2)]
    else:
        colour = colours[rng.integers(0, 8 if caucasian > 0.5 else 3)]
    hair = str(rng.choice(MALE_HAIR if kind["sex"] == "male" else FEMALE_HAIR))
    if african > 0.55 and rng.random() < 0.4:
        hair = "afro01"
    if kind["sex"] == "male" and rng.random() < (0.3 if kind["age"] > 0.4 else 0.08):
        hair = None
    return {
        "hair": hair,
        "hair_colour": (colour * rng.uniform(0.85, 1.15)).tolist(),
        "mirror_hair": bool(rng.random() < 0.5),
        "brows": f"eyebrow{rng.integers(1, 13):03d}",
        "lashes": str(rng.choice(["eyelashes02", "eyelashes03"]))
        if kind["sex"] == "female"
        else "Eyelashes01",
        "iris": str(rng.choice(LIGHT_EYES if caucasian > 0.45 else LIGHT_EYES[:2])),
        "suit": str(rng.choice(SUITS[kind["sex"]])),
        "roughness": float(rng.uniform(0.42, 0.55)),
    }


def make_identities(model) -> list:
    """64 people; numbers 2k and 2k+1 of the internal list are a look-alike pair."""
    rng = stream("pool")
    anchors = [_kind(rng, "male" if i % 2 else "female") for i in range(PAIRS)]
    pool = [_kind(rng, "male" if i % 2 else "female") for i in range(20 * PAIRS)]
    people = []
    for anchor in anchors:
        twin = min(range(len(pool)), key=lambda i: _distance(anchor, pool[i]))
        people += [anchor, pool.pop(twin)]
    numbers = stream("order", 1).permutation(len(people))  # public numbers say nothing about pairs
    for i, person in enumerate(people):
        person.update(
            index=i,
            pair=i // 2,
            partner=i ^ 1,
            name=f"id{numbers[i]:03d}",
            targets={
                **_macro_targets(person),
                **_detail_targets(model, person, stream("shape", i)),
            },
            look=_look(person, stream("look", i)),
        )
        person["targets"] = {
            k: w for k, w in person["targets"].items() if w > 1e-4 and model.has_target(k)
        }
    return people


# ---------------------------------------------------------------- expressions


def both_sides(name, value, rng=None):
    """A left/right pair of expression units, slightly asymmetric if a generator is given."""
    side = rng.uniform(0.8, 1.1) if rng is not None else 1.0
    return {f"{name}Left": value, f"{name}Right": value * side}


def gaze(amount):
    """Both eyes to one side (positive: to the model's left)."""
    return (
        {"eyeLookOutLeft": amount, "eyeLookInRight": amount}
        if amount > 0
        else {"eyeLookInLeft": -amount, "eyeLookOutRight": -amount}
    )


def _mouth(rng):
    """Random mouth shape."""
    shape = {}
    if rng.random() < 0.55:
        shape["jawOpen"] = rng.uniform(0.02, 0.4)
    if rng.random() < 0.25:
        shape["mouthFunnel"] = rng.uniform(0.1, 0.5)
    if rng.random() < 0.55:
        shape.update(both_sides("mouthSmile", rng.uniform(0.05, 0.6), rng))
    elif rng.random() < 0.3:
        shape.update(both_sides("mouthFrown", rng.uniform(0.1, 0.5), rng))
    return shape


def still_expression(rng):
    """Expression of a photo: mouth, brows, mostly open eyes, gaze near the camera."""
    face = _mouth(rng)
    if rng.random() < 0.3:
        face["browInnerUp"] = rng.uniform(0.1, 0.6)
    if rng.random() < 0.2:
        face.update(both_sides("browDown", rng.uniform(0.1, 0.5)))
    face.update(
        both_sides("eyeBlink", rng.uniform(0, 0.12) if rng.random() < 0.96 else rng.uniform(0.6, 1))
    )
    face.update(both_sides("eyeWide", rng.uniform(0, 0.3)))
    face.update(gaze(rng.normal(0, 0.22)))
    return face


def _is_mouth(unit):
    return unit.startswith(("mouth", "jaw"))


def with_mouth_of(expression, other):
    """One expression with the mouth of another."""
    return {
        **{k: v for k, v in expression.items() if not _is_mouth(k)},
        **{k: v for k, v in other.items() if _is_mouth(k)},
    }


def _mouth_difference(a, b):
    return sum(abs(a.get(k, 0) - b.get(k, 0)) for k in sorted({*a, *b}) if _is_mouth(k))


def exchange_mouths(expressions):
    """Re-enactment targets: every photo gets the mouth of another photo of the same person.

    Mouth shapes are then distributed alike among real and fake photos; drawing "some clearly
    different mouth" instead would make wide-open mouths typical of fakes.
    """
    n = len(expressions)

    def difference(shift):
        others = [expressions[(i + shift) % n] for i in range(n)]
        total = sum(_mouth_difference(a, b) for a, b in zip(expressions, others, strict=True))
        # Shifting by r and by n - r compares the same photos: rounded, the first wins everywhere.
        return round(total, 6)

    shift = max(range(1, n), key=difference)
    return [with_mouth_of(e, expressions[(i + shift) % n]) for i, e in enumerate(expressions)]


# ---------------------------------------------------------------- light, camera, head pose


def make_light(rng):
    """Two or three area lamps and a weak surround.

    Strengths are relative, because exposure is set later.  The second lamp fills in from below eye
    level, which keeps the eye sockets from going black.
    """
    azimuth = rng.uniform(-65, 65)
    lamps = [
        {
            "azimuth": azimuth,
            "elevation": rng.uniform(8, 45),
            "power": rng.uniform(14, 26),
            "size": rng.uniform(0.35, 1.2),
            "kelvin": rng.uniform(3300, 7200),
        },
        {
            "azimuth": -0.6 * azimuth + rng.uniform(-20, 20),
            "elevation": rng.uniform(-8, 12),
            "power": rng.uniform(5, 12),
            "size": 1.3,
            "kelvin": rng.uniform(3800, 7200),
        },
    ]
    if rng.random() < 0.5:
        lamps.append(
            {
                "azimuth": 180 + rng.uniform(-60, 60),
                "elevation": rng.uniform(20, 50),
                "power": rng.uniform(8, 26),
                "size": 0.5,
                "kelvin": rng.uniform(3500, 8500),
            }
        )
    return {"lamps": lamps, "sky_kelvin": rng.uniform(4200, 8000), "sky": rng.uniform(0.25, 0.6)}


def shift_light(light, rng, degrees=9.0, power=0.15):
    """Almost the same light: the donor was never in exactly the target's room."""
    lamps = [
        {
            **lamp,
            "azimuth": lamp["azimuth"] + rng.normal(0, degrees),
            "elevation": lamp["elevation"] + rng.normal(0, degrees / 2),
            "power": lamp["power"] * rng.uniform(1 - power, 1 + power),
        }
        for lamp in light["lamps"]
    ]
    return {**light, "lamps": lamps}


def make_stills(people) -> list:
    """All photos: pose, expression, light, framing and which fakes are made of each."""
    stills = []
    for person in people:
        generators = [stream("still", person["index"], k) for k in range(PHOTOS_PER_IDENTITY)]
        expressions = [still_expression(rng) for rng in generators]
        other_mouths = exchange_mouths(expressions)
        for k, (rng, expression) in enumerate(zip(generators, expressions, strict=True)):
            key = (person["index"], k)
            light = make_light(stream("light", *key))
            methods_rng = stream("methods", *key)
            shuffled = methods_rng.permutation(METHODS)
            methods = shuffled[: methods_rng.choice(STILL_FAKES[0], p=STILL_FAKES[1])]
            stills.append(
                {
                    "name": f"still_{key[0]:02d}_{key[1]}",
                    "key": key,
                    "person": person["index"],
                    "donor": person["partner"],
                    "methods": [m for m in METHODS if m in methods],
                    "size": (224, 224),
                    "expression": expression,
                    "donor_expression": expression,
                    "mouth_expression": other_mouths[k],
                    "pose": (rng.uniform(-20, 20), rng.uniform(-10, 10), rng.uniform(-8, 8)),
                    "donor_pose_error": stream("donor", *key).normal(0, 0.7, 3),
                    "light": light,
                    "donor_light": shift_light(light, stream("donor", *key, 1)),
                    "camera": {
                        "distance": rng.uniform(0.9, 1.5),
                        "azimuth": rng.uniform(-8, 8),
                        "elevation": rng.uniform(-6, 9),
                        "roll": 0.0,
                        "face_fraction": rng.uniform(0.77, 0.94),
                        "centre": (rng.normal(0, 0.02), rng.normal(0, 0.015)),
                    },
                }
            )
    return stills


# ---------------------------------------------------------------- names


def video_name(shot: dict, method: str | None) -> str:
    """Public name of a real (method None) or a fake."""
    return random_name(*shot["key"], method_number(method)) + ".mp4"


def method_number(method: str | None) -> int:
    """Number of a version of a shot: 0 for the real, then one per method."""
    return 0 if method is None else 1 + METHODS.index(method)


def random_name(*keys: int) -> str:
    """Ten lowercase letters, like the names in the DFDC data, fixed by the keys."""
    return "".join(stream("names", *keys).choice(list(string.ascii_lowercase), 10))
