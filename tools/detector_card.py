"""The bundled detector's card as text: every number comes from the card's JSON."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from nbhelpers.evaluation.metrics import FEWEST_GROUPS
from tools.detector_batches import Settings

NO_SIGN = "no sign of manipulation that this detector knows"
PAIRS = 300  # test pairs that are damaged, unless another number is asked for

HEAD = """# The bundled detector of real faces

`real_faces.keras` is a network that was trained on real faces and on fakes of them;
`real_faces.card.json` says how to read its scores and holds every number below;
`real_faces.split.csv` names the pictures it was trained on, so that nobody tests it on them. This
page is written by `tools/bundle_detector.py`; edit that program, not this page.
"""

USE = """## What it is for, and what it is not for

For learning, teaching and research on how such detectors work and fail, and as a first look at a
picture or clip of your own. It must not decide about people: not in moderation, hiring, identity
checks, courts or the press. A score is no proof in either direction. It knows the forgery methods
of one data set of 2019 and 2020; on anything newer, such as pictures made by a generator, do not
rely on it. How its errors differ between groups of people was not measured.

"""

DATA = """## The data

Face crops of the data set *deepfake-faces*, cut from the clips of the Deepfake Detection
Challenge (Dolhansky et al., 2020; paid actors who agreed to it). The data's owners allow research
and teaching; the pictures are not part of this project; the weights are numbers fitted to them.
Validation and test people are far from the training people in the order of upload, in which
neighbours are mostly the same person. That order does not prove identity: a few people may be on
two sides.

"""

MADE = """## How it was made

Xception with ImageNet weights up to the end of block 9, all of it trained on pairs of a real and a
fake of the same person, both cut, mirrored and damaged alike (light, colour, blur, shrinking,
noise, JPEG, H.264); in some pairs the fake is made from the real itself (Shiohara and Yamasaki,
"Detecting Deepfakes with Self-Blended Images", 2022). The weights are averaged over the
steps{also}.
{mirrored}
```
{commands}
python -m tools.bundle_detector --data D --work {last} --clips C{options}
```

D is Kaggle's folder *deepfake-faces*, {folders} any folder, C a folder of labelled clips. After an
interruption, a training continues where it stopped. {steps} steps of {batch_size} pictures, in
which each training original was used {passes:.1f} times; {hours:.1f} CPU hours on two shared cores;
{seeds}.
Kernels are rounded to half precision.

"""


ALSO = """, and then
over the ends of two stages (Wortsman et al., "Model soups", 2022)"""
MIRRORED = "A score is the mean over a picture and its mirror image.\n"


def as_text(card: Mapping) -> str:
    """Write the card for people, as Markdown."""
    stages = card["training"]["stages"]
    batch_size = stages[-1]["settings"]["batch_size"]
    steps = sum(len(one["history"]) * one["settings"]["steps"] for one in stages)
    folders = [f"W{number}" for number in range(1, len(stages) + 1)]
    training = MADE.format(
        commands="\n".join(_command(stages, number) for number in range(len(stages))),
        options=_options(card),
        also=ALSO if card["training"]["also"] else "",
        mirrored=MIRRORED if card["mirror"] else "",
        last=folders[-1],
        folders=" and ".join(folders),
        steps=steps,
        batch_size=batch_size,
        passes=steps * batch_size / 2 / card["split"]["train"]["REAL"],
        hours=card["training"]["cpu_seconds"] / 3600,
        seeds="seed " + ", then ".join(str(one["settings"]["seed"]) for one in stages),
    )
    commit = card["training"]["commit"]
    notes = [f"It ran with commit {commit}."] if commit else []
    training = "\n".join([training.rstrip(), *notes, *card["training"]["notes"]])
    training = "\n\n".join(
        part if part.startswith(("#", "```")) else _prose(part).strip()
        for part in training.split("\n\n")
    )
    parts = [HEAD, USE, DATA, _split(card["split"]), training, _scores(card), _answers(card)]
    return "\n".join(part.rstrip() + "\n" for part in [*parts, _limits(card)])


def _command(stages: Sequence[Mapping], number: int) -> str:
    """Write the command of one stage: where it begins, and its settings that are not usual."""
    stage, usual = stages[number], json.loads(json.dumps(dataclasses.asdict(Settings())))
    words = ["python -m tools.train_detector --data D", f"--work W{number + 1}"]
    if start := stage["settings"].get("start"):
        words.append(
            "--start " + ",".join(_weights(stages[:number], one) for one in start.split(","))
        )
    words.append(f"--epochs {len(stage['history'])}")
    words += [
        f"--{name.replace('_', '-')} {str(value).strip('[]').replace(',', '')}"
        for name, value in stage["settings"].items()
        if name != "start" and value != usual[name]
    ]
    return " \\\n    ".join(textwrap.wrap(" ".join(words), 84, break_on_hyphens=False))


def _options(card: Mapping) -> str:
    """Return what the bundling command has besides the folders."""
    also = [_weights(card["training"]["stages"], name) for name in card["training"]["also"]]
    words = ["--also", *also] * bool(also) + ["--mirror"] * card["mirror"]
    words += [f"--pairs {card['damage_pairs']}"] * (card["damage_pairs"] != PAIRS)
    return " \\\n    " + " ".join(words) if words else ""


def _weights(stages: Sequence[Mapping], file: str) -> str:
    """Name a file of weights by the stage at whose end it was written."""
    written = [f"averaged-{len(stage['history'])}.weights.h5" for stage in stages]
    name = PurePath(file).name
    return f"W{written.index(name) + 1}/{name}"


def _split(split: Mapping) -> str:
    rows = [
        [name, *(row[key] for key in ("REAL", "FAKE", "Groups"))] for name, row in split.items()
    ]
    return _table(["rows", "reals", "fakes", "originals"], rows)


def _scores(card: Mapping) -> str:
    test = card["test"]
    rows = [["clean", "all", f"{test['n']}", _interval(test["scores"]["auc"])]]
    rows += [
        [row["corruption"], row["level"].replace("none", "the same"), row["n"], _interval(row)]
        for row in card["damage"]
    ]
    text = "## Scores on people it has not seen\n\n"
    text += _prose(
        "AUC with its 95 % interval from resampling whole originals; the damages are those of "
        '`nbhelpers`\' robustness test, on the first test pairs by name: "clean, the same" are '
        "these pictures undamaged."
    )
    text += _table(["test pictures", "strength", "n", "AUC"], rows)
    if "clips" not in card:
        return text
    clips = card["clips"]
    rows = [["all", "", _interval(clips["scores"]["auc"])]]
    rows += [
        [name, row["fakes"], _interval(row) if row["fakes"] >= FEWEST_GROUPS else _alone(row)]
        for name, row in clips["auc_by_method"].items()
    ]
    text += "\n" + _prose(
        "Clips of another source, none of which it has seen: FaceForensics++ (Rössler et al., "
        "2019), and one clip of the Deepfake Detection Challenge. Mean over "
        f"{clips['frames']} frames, n = {clips['n']} clips of {clips['groups']} groups of people. "
        "Few clips: wide intervals."
    )
    return text + _table(["fakes", "n", "AUC against all real clips"], rows)


def _answers(card: Mapping) -> str:
    low, high = card["borders"]["low"], card["borders"]["high"]
    rows = [["test, clean", *_wrong(card["test"]["answers"])]]
    rows += [
        [f"{row['corruption']}, {row['level']}", *_wrong(row["answers"])]
        for row in card["damage"]
        if row["corruption"] != "clean"
    ]
    if "clips" in card:
        rows.append(["clips of another source", *_wrong(card["clips"]["answers"])])
    text = "## Three answers\n\n"
    text += _prose(
        f'Below {low:.3f} "{NO_SIGN}", at {high:.3f} or more "looks manipulated", between them '
        '"cannot tell". The borders were set on validation people so that at most about 3 % of '
        "the reals and 5 % of the fakes fall on the wrong side, clean and damaged alike (each "
        "picture under one damage of medium strength). For reals, this holds in each of ten "
        "stretches of neighbouring people, not only on average: people differ, and a false "
        "accusation weighs most. Measured on test people and clips, in per cent:"
    )
    head = ["pictures", "reals called manipulated", "fakes without a sign"]
    text += _table([*head, "reals undecided", "fakes undecided"], rows)
    errors = card["test"]["errors_at_threshold"]
    return f"{text}\n" + _prose(
        f"The notebooks answer FAKE from a single threshold on, {card['threshold']:.3f}, chosen on "
        f"validation people. On clean test pictures it calls {100 * errors['REAL']:.1f} % of the "
        f"reals FAKE and {100 * errors['FAKE']:.1f} % of the fakes REAL."
    )


def _limits(card: Mapping) -> str:
    text = "## Not measured\n\n" + _prose(
        "Errors for groups of people, and on fakes of later methods. The recipe was run once, so "
        "how much a number varies between trainings is not known. [All results]"
        "(../../docs/results.md) have its answers on ordinary photographs, and what the parts of "
        "the recipe gave."
    )
    return text + "\n".join(f"- {limit}" for limit in card["limits"])


def _prose(text: str) -> str:
    return textwrap.fill(text, 100, break_on_hyphens=False) + "\n\n"


def _wrong(answers: Mapping) -> list[str]:
    reals, fakes = answers["REAL"], answers["FAKE"]
    shares = (reals["looks manipulated"], fakes[NO_SIGN])
    return [f"{100 * share:.1f}" for share in (*shares, reals["cannot tell"], fakes["cannot tell"])]


def _alone(row: Mapping) -> str:
    return f"{row['value']:.3f}, too few for an interval"


def _interval(row: Mapping) -> str:
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def _table(head: list, rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"
