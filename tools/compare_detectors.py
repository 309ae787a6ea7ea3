"""Compare trained detectors on the same pictures: ``python -m tools.compare_detectors``.

Each is given as a name and the file of its weights, in a work folder of ``tools.train_detector``;
several files are averaged, and ``mirror`` after them averages the scores of a face and its mirror
image. The table shows their AUC on validation people, clean and damaged, and on clips from another
source, and how far each is from the first. Test people are not used: the table is for deciding what
to train.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.data import labels, manifest, splits
from nbhelpers.evaluation import metrics
from nbhelpers.media import images
from nbhelpers.networks import inference, models
from nbhelpers.predict import detector, scoring
from tools.bundle_detector import CLIP_FRAMES, one_damage_each
from tools.train_detector import STATE, mean_weights

logger = logging.getLogger("compare_detectors")

MIRROR = "mirror"


class Pictures:
    """Pictures that every detector scores, one score per row.

    Args:
        table: rows with ``label`` and ``group``.
        pictures: of each row, its pictures by person; a row's score is that of its most suspicious
            person, as in `nbhelpers predict`.
    """

    def __init__(self, table: pd.DataFrame, pictures: Sequence[Sequence[Sequence[np.ndarray]]]):
        self.y_true, self.groups = labels.y_true(table), table["group"]
        self._pictures = pictures

    def scores(self, judge: detector.Detector) -> np.ndarray:
        """Return P(fake) of each row, ``float (N,)`` in [0, 1]."""
        faces = [face for people in self._pictures for person in people for face in person]
        score = iter(judge.p_fake(faces))
        return np.array([
            max(np.mean([next(score) for _ in person]) for person in people)
            for people in self._pictures
        ])  # fmt: skip


class NoDetector(detector.Detector):
    """Scores nothing, so that the faces of a clip can be cut out once for all detectors."""

    def p_fake(self, pictures, *, batch_size=32):
        """Return a zero for each picture."""
        return np.zeros(len(pictures))


def load(words: Sequence[str]) -> detector.Detector:
    """Load a network from its weights and the settings beside them; scores are not calibrated.

    Args:
        words: files of weights, which are averaged; ``mirror`` may follow.
    """
    files = [word for word in words if word != MIRROR]
    settings = json.loads(Path(files[-1]).with_name(STATE).read_text(encoding="utf-8"))["settings"]
    model = models.xception_classifier(settings["image_size"], last=settings["last"])
    model.set_weights(mean_weights(model, files))
    return detector.Detector(inference.folded(model), mirror=MIRROR in words)


def validation_pictures(data: Path, *, split_csv: Path, size: int) -> dict[str, Pictures]:
    """Return the validation rows clean, and each with one damage of medium strength.

    Args:
        data: folder of face crops.
        split_csv: table of videoname and split.
        size: at which pictures are damaged, pixels.
    """
    split = pd.read_csv(split_csv, index_col="videoname")["split"]
    table = manifest.read(data).table
    rows = table[table["videoname"].map(split) == splits.SPLITS[1]]
    clean = [[[images.read_image(path)]] for path in rows["path"]]
    damaged = [[[picture]] for picture in one_damage_each(rows, size=size)]
    return {
        "validation, clean": Pictures(rows, clean),
        "validation, damaged": Pictures(rows, damaged),
    }


def clip_pictures(folder: Path, *, split_csv: Path) -> Pictures:
    """Return the faces in the clips that share no name with the split's rows."""
    table = manifest.read(folder).table
    met = set(pd.read_csv(split_csv)["videoname"])
    table = table[~table["videoname"].isin(met) & ~table["original"].isin(met)]
    found = [
        scoring.score_file(Path(path), detector=NoDetector(None), frames=CLIP_FRAMES)
        for path in table["path"]
    ]
    seen = np.array([bool(one.people) for one in found])
    pictures = [
        [[face.crop for face in person.faces] for person in one.people]
        for one in found
        if one.people
    ]
    return Pictures(table[seen], pictures)


def comparison(
    judges: Mapping[str, detector.Detector], pictures: Mapping[str, Pictures], *, seed: int = 42
) -> pd.DataFrame:
    """Score all pictures with all detectors.

    Returns:
        A row per detector; per kind of pictures its AUC with a 95 % interval by group, and its
        paired difference from the first.
    """
    columns = {}
    for kind, these in pictures.items():
        score = {name: these.scores(judge) for name, judge in judges.items()}
        first, *others = score.values()
        how = {"groups": these.groups, "seed": seed}
        columns[f"{kind} (n = {len(these.y_true)})"] = [
            f"{metrics.score_intervals(these.y_true, one, **how)['auc']:.3f}"
            for one in score.values()
        ]
        columns[f"{kind}, minus the first"] = [
            "",
            *(
                f"{metrics.paired_difference(these.y_true, one, minus=first, **how):+.3f}"
                for one in others
            ),
        ]
        logger.info("%s done", kind)
    return pd.DataFrame(columns, index=pd.Index(list(judges), name="recipe"))


def main() -> None:
    """Read the command line and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="Kaggle's folder deepfake-faces")
    parser.add_argument("--clips", type=Path, help="labelled clips from another source")
    parser.add_argument("detectors", nargs="+", metavar="NAME=FILE,…", help="two or more")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = parser.parse_args()
    named = dict(one.split("=", 1) for one in options.detectors)
    judges = {name: load(words.split(",")) for name, words in named.items()}
    split_csv = Path(next(iter(named.values())).split(",")[0]).with_name("split.csv")
    size = next(iter(judges.values())).image_size
    pictures = validation_pictures(options.data, split_csv=split_csv, size=size)
    if options.clips:
        pictures["clips"] = clip_pictures(options.clips, split_csv=split_csv)
    table = comparison(judges, pictures).reset_index()
    for row in [table.columns, ["---"] * len(table.columns), *table.to_numpy()]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
