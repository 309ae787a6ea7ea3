"""How the bundled detector is trained: settings, split and batches of pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from nbhelpers.data import manifest, splits
from nbhelpers.evaluation import robustness
from nbhelpers.media import images
from nbhelpers.networks import damage, selfblend

SPLIT_CSV = Path(__file__).resolve().parents[1] / "data" / "detector" / "real_faces.split.csv"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that the training depends on, besides the data."""

    seed: int = 42
    start: str = ""  # averaged weights of earlier trainings, "A,B" for their mean; "": ImageNet's
    last: str = "block10_sepconv1_act"  # layer of Xception below the head: the end of block 9
    image_size: int = 160  # pixels, when the network is used
    window: int = 128  # pixels, cut out of larger pictures: the same scale for less work
    sides: tuple[int, int] = (136, 192)  # pixels of those larger pictures; drawn for each batch
    batch_size: int = 32  # half of them reals, each with a fake of the same person
    epochs: int = 10  # of `steps` each; a backup after each
    steps: int = 100
    rate: float = 3e-4
    warmup: int = 100  # steps
    fall: float = 0.4  # share of all steps, at the end, in which the rate falls to nearly zero
    weight_decay: float = 1e-4
    clip: float = 1.0  # largest norm of each variable's gradient
    smoothing: float = 0.05  # of the labels
    averaging: float = 0.995  # of the weights, per step
    damaged: float = 0.6  # share of the pairs; see `networks.damage`
    coded: float = 0.15  # share of the pairs that are also coded as video
    crf: tuple[int, int] = (22, 40)  # of H.264; drawn for each batch
    self_blended: float = 0.15  # share of the pairs whose fake is made from the real itself
    validation_pictures: int = 200  # scored after each epoch, clean and damaged


def stretches(
    table: pd.DataFrame, order: pd.Series, *, originals: int = 600, gap: int = 150
) -> pd.DataFrame:
    """Split by upload order: its start for validation, its end for testing, the rest for training.

    Neighbours in that order are mostly the same person, so `gap` originals, with everything made
    from them, are left out on both sides of the middle.

    Args:
        table: rows of `manifest.read`.
        order: index videoname, values to sort by.
        originals: number in validation, and in test.
        gap: number left out on each side.

    Returns:
        The rows that are in a split, with a column ``split``.
    """
    place = table.loc[table["label"] == "REAL", "videoname"]
    place = pd.Series(order.reindex(place).rank().to_numpy(), index=place)
    family = table["original"].where(table["label"] == "FAKE", table["videoname"])
    rank, count = family.map(place), len(place)
    split = pd.Series("", index=table.index)
    split[rank <= originals] = "validation"
    split[(rank > originals + gap) & (rank <= count - originals - gap)] = "train"
    split[rank > count - originals] = "test"
    chosen = table.assign(split=split)[split != ""].reset_index(drop=True)
    splits.assert_no_leak(chosen)
    return chosen


def split_table(data: Path, *, order: str = "", split_csv: str = "") -> pd.DataFrame:
    """Return the rows of a data set with their split: by upload order, or by a file of names."""
    table = manifest.read(data).table
    if order:
        places = pd.read_csv(order, index_col="videoname")["upload_order"]
        return stretches(table, places)
    named = pd.read_csv(split_csv or SPLIT_CSV, index_col="videoname")["split"]
    chosen = table.assign(split=table["videoname"].map(named))
    chosen = chosen[chosen["split"].isin(splits.SPLITS)].reset_index(drop=True)
    splits.assert_no_leak(chosen)
    return chosen


class Pairs:
    """Training batches: reals and their fakes, cut, mirrored and damaged alike.

    Args:
        table: training rows; reals without a fake are left out.
        settings: of the training.
    """

    def __init__(self, table: pd.DataFrame, settings: Settings):
        reals = table[table["label"] == "REAL"].set_index("videoname")["path"]
        fakes = table[(table["label"] == "FAKE") & table["original"].isin(reals.index)]
        self._fakes = fakes.groupby("original")["path"].agg(list)
        self._reals = reals[self._fakes.index]
        self._settings = settings
        self._damage = damage.Damage(settings.damaged)

    def __len__(self) -> int:
        return len(self._reals)

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Make the batch of one step.

        Returns:
            ``float32 (B, window, window, 3)`` RGB 0-255 and ``float32 (B,)``: 0 and 1 in turn.
        """
        own = self._settings
        rng = np.random.default_rng([own.seed, step])
        side = int(rng.integers(own.sides[0], own.sides[1] + 1))
        pictures, plans = [], []
        for row in self._rows(step):
            pictures += [_resized(one, side) for one in self._pair(row, rng)]
            plans.append((self._damage.draw(rng), int(rng.integers(2**32))))
        hurt = np.stack([
            damage.damaged(one, plans[number // 2][0], seed=plans[number // 2][1] + number % 2)
            for number, one in enumerate(pictures)
        ])  # fmt: skip
        coded = np.repeat(rng.random(len(plans)) < own.coded, 2)
        crf = int(rng.integers(own.crf[0], own.crf[1] + 1))
        if coded.any():
            hurt[coded] = robustness._h264(hurt[coded], crf)
        labels = np.tile(np.array([0, 1], np.float32), len(plans))
        return np.stack(list(_windows(hurt, own.window, rng))).astype(np.float32), labels

    def _rows(self, step: int) -> Iterator[int]:
        """Yield every real once per round, in a different order each round."""
        half, count = self._settings.batch_size // 2, len(self)
        for number in range(step * half, (step + 1) * half):
            order = np.random.default_rng([self._settings.seed, 1, number // count])
            yield order.permutation(count)[number % count]

    def _pair(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        real = images.read_image(self._reals.iloc[row])
        paths = self._fakes.iloc[row]
        draw, which, seed = rng.random(), rng.integers(2**32), int(rng.integers(2**32))
        if draw < self._settings.self_blended:
            return real, selfblend.self_blended(real, selfblend.landmarks(real), seed=seed)
        return real, images.read_image(paths[which % len(paths)])


def _resized(picture: np.ndarray, side: int) -> np.ndarray:
    shrinks = side < max(picture.shape[:2])
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (side, side), interpolation=how)


def _windows(pictures: np.ndarray, window: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the same window of both pictures of a pair, mirrored at random."""
    room = pictures.shape[1] - window
    for first in range(0, len(pictures), 2):
        top, left = rng.integers(0, room + 1, 2)
        turn = -1 if rng.random() < 0.5 else 1
        for picture in pictures[first : first + 2]:
            yield picture[top : top + window, left : left + window][:, ::turn]


def evaluation_views(
    table: pd.DataFrame, *, size: int, damaged: bool, seed: int = 42
) -> np.ndarray:
    """Return whole pictures of rows, clean or damaged; the same in every call.

    Returns:
        ``uint8 (N, size, size, 3)`` RGB 0-255.
    """
    views = np.stack([images.read_image(path, size=size) for path in table["path"]])
    if not damaged:
        return views
    recipe, rng = damage.Damage(1.0), np.random.default_rng(seed)
    return np.stack([damage.damaged(one, recipe.draw(rng), seed=n) for n, one in enumerate(views)])
