"""Rows about pictures: loading them, and training from files; the sample, grown by links."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.data import locate, manifest
from nbhelpers.media import images
from nbhelpers.networks import pipelines
from nbhelpers.reporting import environment
from tests.benchmarks import article, measure
from tests.benchmarks.measure import Sizes, check_equal, in_turn

BATCH = 32  # pictures, notebook 03
# TensorFlow's JPEG decoder takes a faster and rougher transform than OpenCV's: about one grey level
# on average. Swapped colours or another picture differ by tens.
ROUNDING = {"limit": 2 / 255, "by": np.mean}


def sample() -> pd.DataFrame:
    """Return the table of the bundled sample."""
    folder = locate.project_root() / "data" / "sample"
    return manifest.read(locate.find(locate.FACES, folder)).table


def grow(folder: Path, count: int) -> pd.DataFrame:
    """Fill a folder with links to the sample's pictures, again and again; return the table."""
    table = sample()
    rows = table.iloc[np.arange(count) % len(table)].reset_index(drop=True)
    links = [Path(folder) / f"{number:06d}.jpg" for number in range(count)]
    for link, path in zip(links, rows["path"], strict=True):
        link.symlink_to(Path(path).resolve())
    return rows.assign(path=[str(link) for link in links])


def ours_load(table: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """Stream every picture once: seconds, peak MiB of this process, the first pictures in RGB."""
    import tensorflow  # noqa: F401  its loading is no part of the loading of pictures

    first = []

    def work() -> None:
        for pixels, _ in pipelines.make_dataset(table, image_size=224, batch_size=BATCH):
            if not first:
                first.append(pixels.numpy())

    return measure.timed(work)[0], environment.peak_memory_mb(), first[0]


def article_load(table: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """Read every picture into a list and then an array: as `ours_load`."""
    held = []
    seconds = measure.timed(lambda: held.append(article.retrieve_dataset(table["path"])))[0]
    return seconds, environment.peak_memory_mb(), held[0][:BATCH, :, :, ::-1].astype("float32")


def loading(sizes: Sizes) -> list[dict]:
    """Pictures a second and peak memory with more and more pictures, each in its own process."""
    rows, peaks = [], {}
    for count in sizes.pictures:
        with tempfile.TemporaryDirectory() as folder:
            table, seconds = grow(Path(folder), count), []
            for _ in range(1 if count == max(sizes.pictures) else sizes.pairs):
                ours = measure.alone(ours_load, table)
                theirs = measure.alone(article_load, table)
                equal = check_equal(ours[2], theirs[2], **ROUNDING)
                seconds.append((ours[0], theirs[0]))
            peaks[count] = ours[1], theirs[1]
        measured = measure.summary(seconds)
        measured |= {side: count / measured[side] for side in ("ours", "theirs")}
        rows.append(
            measure.row(
                f"loading {count:,} pictures once",
                "the article's list and array",
                measured,
                unit="pictures/s",
                equal=equal,
                peak_mib={"ours": peaks[count][0], "theirs": peaks[count][1]},
                notes=["the article loads once and keeps all; ours reads them again in each epoch"],
            )
        )
    least, most = min(peaks), max(peaks)
    for beside, value, unit_of, target in (
        (f"ours at {least:,}", peaks[most][0], peaks[least][0], "<= 1.1"),
        (f"the article's at {most:,}", peaks[most][0], peaks[most][1], "<= 0.25"),
    ):
        measured = {"ours": value, "theirs": unit_of, "pairs": 1}
        measured |= dict.fromkeys(("ratio", "low", "high"), value / unit_of)
        name = f"peak memory, {most:,} pictures"
        rows.append(measure.row(name, beside, measured, unit="MiB", target=target))
    return rows


def training(sizes: Sizes) -> list[dict]:
    """Steps a second of notebook 03's pipeline beside `fit` on arrays in memory."""
    import keras
    import tensorflow as tf

    from nbhelpers.networks import models

    keras.utils.set_random_seed(0)
    families = sample()
    options = {"image_size": sizes.train_size, "batch_size": BATCH}
    pairs = pipelines.make_pairs(families, **options, augment=pipelines.article_augmentation(0))
    pairs = pairs.take(sizes.steps)
    held = families.iloc[: sizes.steps * BATCH]
    whole = np.stack([images.read_image(path) for path in held["path"]]).astype("float32")
    pixels = np.clip(tf.image.resize(whole, [sizes.train_size] * 2, antialias=True), 0, 255)
    streamed = next(iter(pipelines.make_dataset(held, **options)))[0]
    equal = check_equal(streamed, pixels[:BATCH], **ROUNDING)
    labels = manifest.y_true(held).astype("float32")
    network = models.xception_classifier(sizes.train_size)
    models.unfreeze_from(network, network.layers[0].name, batch_norm=False)
    network.compile(keras.optimizers.AdamW(1e-5), "binary_crossentropy", metrics=["accuracy"])

    def ours() -> None:
        network.fit(pairs, verbose=0, shuffle=False)

    def arrays() -> None:
        network.fit(pixels, labels, batch_size=BATCH, verbose=0)

    ours(), arrays()
    measured = in_turn(ours, arrays, pairs=sizes.pairs)
    measured |= {side: sizes.steps / measured[side] for side in ("ours", "theirs")}
    return [
        measure.row(
            "training from files in pairs, augmented (notebook 03)",
            "`fit` on arrays in memory",
            measured,
            unit="steps/s",
            target="",
            equal=equal,
        )
    ]
