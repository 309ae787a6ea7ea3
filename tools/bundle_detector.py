"""Evaluate a trained detector and write ``data/detector/``: weights in half precision, card, split.

``python -m tools.bundle_detector --data D --work W --clips C``: D is Kaggle's folder
*deepfake-faces*, W the folder of ``tools.train_detector``, C a folder of labelled clips in the
layout of the *deepfake-detection-challenge*, from another source than D; "" leaves them out.
Temperature, threshold and borders come from validation rows, all reported numbers from test rows.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from nbhelpers.common import files
from nbhelpers.data import labels, locate, manifest, splits
from nbhelpers.evaluation import calibration, metrics, robustness
from nbhelpers.media import images
from nbhelpers.networks import inference, loading, models
from nbhelpers.predict import detector, scoring
from tools.detector_batches import SPLIT_CSV
from tools.detector_card import NO_SIGN, PAIRS, as_text
from tools.train_detector import STATE, mean_weights

logger = logging.getLogger("bundle_detector")

ACCUSED = 0.03  # largest share of the reals above the high border
MISSED = 0.05  # largest share of the fakes below the low border
ANSWERS = (NO_SIGN, "cannot tell", "looks manipulated")  # from the lowest scores to the highest
CLIP_FRAMES = 8
WEIGHTS = "model.weights.h5"  # their place in a .keras file
REPORTED = ("auc", "log_loss", "balanced_accuracy", "eer", "expected_calibration_error")


def in_half_precision(path: Path) -> None:
    """Store the kernels of a ``.keras`` file as float16; vectors keep all their digits.

    Keras reads them as the network's own float32. The card's scores are those of the network read.
    """
    with zipfile.ZipFile(path) as old:
        members = {member.filename: old.read(member) for member in old.infolist()}
    members[WEIGHTS] = _halved(members[WEIGHTS])
    with files.whole(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)


def _halved(content: bytes) -> bytes:
    """Copy an HDF5 file of weights, with arrays of more than one dimension as float16."""
    copied = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(copied, "w") as new:

        def copy(name, node):
            if isinstance(node, h5py.Dataset):
                dtype = np.float16 if node.ndim > 1 else node.dtype
                part = new.create_dataset(name, data=node[()].astype(dtype))
            else:
                part = new.require_group(name)
            part.attrs.update(node.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)
    return copied.getvalue()


def one_damage_each(table: pd.DataFrame, *, size: int, seed: int = 42) -> np.ndarray:
    """Damage each picture at medium strength; the kinds take turns, one kind per family.

    Args:
        table: rows with `path` and `group`.
        size: height and width of the pictures, pixels.
        seed: of the noise.

    Returns:
        ``uint8 (N, size, size, 3)`` RGB 0-255.
    """
    pictures = np.stack([images.read_image(path, size=size) for path in table["path"]])
    kind = pd.factorize(table["group"])[0] % len(robustness.CORRUPTIONS)
    for number, name in enumerate(robustness.CORRUPTIONS):
        chosen = kind == number
        if chosen.any():
            pictures[chosen] = robustness.corrupt(pictures[chosen], name, seed=seed)
    return pictures


def borders(
    y_true: np.ndarray,
    *scores: np.ndarray,
    stretch: np.ndarray,
    accused: float = ACCUSED,
    missed: float = MISSED,
) -> dict:
    """Choose where the three answers begin, so that few of each class are on the wrong side.

    People differ more than pictures do: what holds on average for one set of people may fail for
    the next. A false accusation weighs most, so the limit for reals holds in every stretch of
    neighbouring people; that for fakes holds on average.

    Args:
        y_true: (N,) of 0 and 1.
        *scores: (N,) P(fake) of the same rows, in each condition in which the limits must hold.
        stretch: (N,) number of the stretch of each row; see `stretches`.
        accused: largest share of reals on the wrong side, 0-1.
        missed: largest share of fakes on the wrong side, 0-1.

    Returns:
        ``low``: below it "no sign"; ``high``: from it on "looks manipulated"; between them
        "cannot tell". The borders meet in the middle if no score needs that answer.

    >>> y, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])
    >>> borders(y, score, stretch=np.zeros(4), accused=0, missed=0)
    {'low': 0.4, 'high': 0.6000000000000001}
    """
    y = np.asarray(y_true)
    highest = max(
        np.quantile(score[(y == 0) & (stretch == one)], 1 - accused, method="higher")
        for score in scores
        for one in np.unique(stretch[y == 0])
    )
    high = float(np.nextafter(highest, 1))
    low = min(float(np.quantile(score[y == 1], missed, method="lower")) for score in scores)
    if low > high:
        low = high = (low + high) / 2
    return {"low": low, "high": high}


def stretches(table: pd.DataFrame, order: pd.Index) -> np.ndarray:
    """Cut the families into ten stretches of equal length, in the order of their reals.

    Args:
        table: rows with ``label``, ``videoname`` and ``original``.
        order: names of reals, in which neighbours are mostly the same person.

    Returns:
        ``int (N,)``, 0-9.
    """
    family = table["original"].where(table["label"] == "FAKE", table["videoname"])
    place = pd.Series(order.get_indexer(family), index=table.index)
    if (place < 0).any():
        raise ValueError(
            f"Expected a place in the order for every real; {family[place < 0].iloc[0]} has none."
        )
    return pd.qcut(place.rank(method="dense"), 10, labels=False).to_numpy()


def answers(y_true: np.ndarray, score: np.ndarray, limits: dict) -> dict[str, dict[str, float]]:
    """Return the shares of the three answers: truth -> answer -> share of that truth's rows.

    >>> answers([0, 1], [0.1, 0.9], {"low": 0.2, "high": 0.8})["FAKE"]["looks manipulated"]
    1.0
    """
    y, score = np.asarray(y_true), np.asarray(score)
    which = (score >= limits["low"]).astype(int) + (score >= limits["high"])
    return {
        truth: {
            name: float((which[y == label] == number).mean()) for number, name in enumerate(ANSWERS)
        }
        | {"n": int((y == label).sum())}
        for label, truth in enumerate(labels.LABELS)
    }


def half_damaged(clean: dict, damaged: list[dict]) -> dict[str, dict[str, float]]:
    """Return the shares of the answers if half of the faces are clean, half damaged (medium).

    Args:
        clean: from `answers`.
        damaged: rows of `under_damage`.

    Returns:
        Truth -> answer -> share.
    """
    medium = [row["answers"] for row in damaged if row["level"] == "medium"]
    return {
        truth: {
            answer: float((clean[truth][answer] + np.mean([m[truth][answer] for m in medium])) / 2)
            for answer in ANSWERS
        }
        for truth in labels.LABELS
    }


def judged(y_true, score, groups, *, limits: dict, seed: int = 42) -> dict:
    """Return scores with intervals by group, and the shares of the answers."""
    with_intervals = metrics.score_intervals(y_true, score, groups=groups, seed=seed)
    return {
        "n": len(score),
        "groups": int(pd.Series(groups).nunique()),
        "scores": {name: with_intervals[name] for name in REPORTED},
        "answers": answers(y_true, score, limits),
    }


def calibrated(
    network, validation: pd.DataFrame, *, order: pd.Index, mirror: bool = False
) -> tuple[detector.Detector, dict, dict]:
    """Choose temperature, threshold and borders on validation rows, clean and damaged alike.

    Returns:
        The detector, the borders, and the facts for the card: AUC and answers in both states.
    """
    raw = detector.Detector(network, mirror=mirror)
    y = labels.y_true(validation)
    clean = raw.p_fake([images.read_image(path) for path in validation["path"]])
    damaged = raw.p_fake(one_damage_each(validation, size=raw.image_size))
    both = np.concatenate([clean, damaged])
    temperature = calibration.fit_temperature(np.tile(y, 2), both)
    fitted = [calibration.apply_temperature(score, temperature) for score in (clean, damaged)]
    threshold = calibration.best_threshold(np.tile(y, 2), np.concatenate(fitted))
    limits = borders(y, *fitted, stretch=stretches(validation, order))
    auc = {
        name: metrics.score_intervals(y, score, groups=validation["group"])["auc"]
        for name, score in zip(("clean", "damaged"), fitted, strict=True)
    }
    facts = {"n": len(y), "auc": auc, "answers": {}}
    for name, score in zip(("clean", "damaged"), fitted, strict=True):
        facts["answers"][name] = answers(y, score, limits)
    return detector.Detector(network, temperature, threshold, mirror), limits, facts


def under_damage(judge: detector.Detector, rows: pd.DataFrame, limits: dict) -> list[dict]:
    """Judge every kind of damage at every strength: AUC with its interval, shares of answers."""
    y, scores = labels.y_true(rows), []

    def score(pictures):
        scores.append(judge.p_fake(pictures))
        return scores[-1]

    pictures = np.stack([images.read_image(path, size=judge.image_size) for path in rows["path"]])
    table = robustness.curves(score, pictures, y_true=y, groups=rows["group"])
    return [
        {**row, "n": len(y), "answers": answers(y, one, limits)}
        for row, one in zip(table.fillna({"amount": 0}).to_dict("records"), scores, strict=True)
    ]


def on_clips(judge: detector.Detector, folder: str, names: set[str], limits: dict) -> dict:
    """Judge clips from another source by the mean over frames, as `nbhelpers predict` does.

    Args:
        judge: the detector.
        folder: of the clips.
        names: of training and validation rows; clips with these names are left out.
        limits: the borders.

    Returns:
        As `judged`, with ``auc_by_method``: each method's fakes against all reals.
    """
    table = manifest.read(folder).table
    table = table[~table["videoname"].isin(names) & ~table["original"].isin(names)]
    clip_scores = [
        scoring.score_file(Path(p), detector=judge, frames=CLIP_FRAMES) for p in table["path"]
    ]
    seen = np.array([bool(one.people) for one in clip_scores])
    table = table[seen]
    score = np.array([one.p_fake for one in clip_scores if one.people])
    y = labels.y_true(table)
    facts = judged(y, score, table["group"], limits=limits)
    facts |= {"without_a_face": int((~seen).sum()), "frames": CLIP_FRAMES, "auc_by_method": {}}
    method = table["videoname"].str.extract(r"^[a-z]+_([a-z0-9]+)_", expand=False)
    method = table["method"].where(table["method"] != "", method.fillna("method not known"))
    for name in sorted(method[y == 1].unique()):
        part = (y == 0) | (method == name).to_numpy()
        values = metrics.score_intervals(y[part], score[part], groups=table["group"][part])["auc"]
        facts["auc_by_method"][name] = values.as_dict() | {"fakes": int((y[part] == 1).sum())}
    facts["clips"] = dict(zip(table["videoname"], score.round(3).tolist(), strict=True))
    return facts


def in_order(names: pd.Index, order: str) -> pd.Index:
    """Return `names` in the order used in training, or else that of the bundled split.

    Args:
        names: of all rows.
        order: path of a table with ``videoname`` and ``upload_order``; "" takes the rows of the
            bundled split, which are in that order.
    """
    if order:
        places = pd.read_csv(order, index_col="videoname")["upload_order"]
        return places.reindex(names).sort_values(kind="stable").index
    known = pd.read_csv(SPLIT_CSV)["videoname"]
    return pd.Index(known[known.isin(names)])


def some_pairs(test: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the first `count` originals of a test split by name, each with one fake."""
    rows = test.sort_values(["group", "label", "videoname"]).drop_duplicates(["group", "label"])
    whole = rows.groupby("group").filter(lambda family: len(family) == 2)
    return whole[whole["group"].isin(sorted(whole["group"].unique())[:count])]


def build(arguments: argparse.Namespace) -> dict:
    """Judge the network and write all files; returns the facts for the card."""
    state = json.loads((arguments.work / STATE).read_text(encoding="utf-8"))
    settings = state["settings"]
    stages = [*state.get("stages", []), {"settings": settings, "history": state["history"]}]
    model = models.xception_classifier(settings["image_size"], last=settings["last"])
    own = arguments.work / f"averaged-{state['epoch']}.weights.h5"
    model.set_weights(mean_weights(model, [*arguments.also, own]))
    target = SPLIT_CSV.with_name("real_faces.keras")
    target.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(target) as draft:
        model.save(draft)
    in_half_precision(target)
    model = loading.load_detector(target)  # what is judged is what is stored
    split = pd.read_csv(arguments.work / "split.csv", index_col="videoname")["split"]
    split = split.loc[in_order(split.index, arguments.order)]
    table = manifest.read(arguments.data).table
    table = table.assign(split=table["videoname"].map(split)).dropna(subset=["split"])
    splits.assert_no_leak(table)
    validation, test = (table[table["split"] == name] for name in ("validation", "test"))
    judge, limits, chosen_on = calibrated(
        inference.folded(model), validation, order=split.index, mirror=arguments.mirror
    )
    logger.info("validation %s, borders %s", chosen_on["auc"], limits)
    y = labels.y_true(test)
    score = judge.p_fake([images.read_image(path) for path in test["path"]])
    facts = {
        "name": "real_faces",
        "data": {"name": locate.FACES, "origin": "DFDC, a subset of 15,935 crops"},
        "is_sample": False,
        "split": splits.counts(table).to_dict("index"),
        "borders": limits,
        "validation": chosen_on,
        "test": judged(y, score, test["group"], limits=limits),
        "damage": under_damage(judge, some_pairs(test, arguments.pairs), limits),
        "damage_pairs": arguments.pairs,
        "training": {
            "stages": stages,
            "also": [path.name for path in arguments.also],
            "cpu_seconds": sum(row["cpu_seconds"] for one in stages for row in one["history"]),
            "commit": arguments.commit,
            "notes": arguments.note,
        },
    }
    single = answers(y, score, {"low": judge.threshold, "high": judge.threshold})
    wrong = {"REAL": single["REAL"][ANSWERS[-1]], "FAKE": single["FAKE"][NO_SIGN]}
    facts["test"]["errors_at_threshold"] = wrong
    facts["answer_shares"] = half_damaged(facts["test"]["answers"], facts["damage"])
    if arguments.clips:
        met = set(table.loc[table["split"] != "test", "videoname"])
        facts["clips"] = on_clips(judge, arguments.clips, met, limits)
    card = detector.save(
        model,
        target,
        temperature=judge.temperature,
        threshold=judge.threshold,
        mirror=judge.mirror,
        facts=facts,
    )
    in_half_precision(target)
    splits.write_csv(split[split.index.isin(table["videoname"])].reset_index(), SPLIT_CSV)
    text = as_text(json.loads(card.read_text(encoding="utf-8")))
    files.write_text(SPLIT_CSV.with_name("README.md"), text)
    return facts


def main() -> None:
    """Read the command line and write the files."""
    import keras

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="Kaggle's folder deepfake-faces")
    parser.add_argument("--work", type=Path, required=True, help="folder of train_detector.py")
    parser.add_argument(
        "--also", type=Path, nargs="+", default=[], help="weights to average with those in W"
    )
    parser.add_argument("--order", default="", help="as in training (that of the bundled split)")
    parser.add_argument("--clips", default="", help="labelled clips from another source")
    parser.add_argument(
        "--mirror", action="store_true", help="average the scores of a picture and its mirror image"
    )
    parser.add_argument("--commit", default="", help="the project's commit used for training")
    parser.add_argument(
        "--note", action="append", default=[], help="remark on the training; may be repeated"
    )
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"test pairs to damage ({PAIRS})")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    keras.config.set_dtype_policy("float32")
    facts = build(parser.parse_args())
    logger.info("test %s", facts["test"]["scores"]["auc"])


if __name__ == "__main__":
    main()
