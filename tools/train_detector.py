"""Train the bundled detector of real faces: ``python -m tools.train_detector --data D --work W``.

D is Kaggle's folder *deepfake-faces*, W a folder for backups. Restarted with the same settings, it
continues from the last backup; the random draws of a step depend only on the seed and the step, so
the result is that of an uninterrupted training. `--epochs` may change: as long as the learning rate
has not begun to fall under either number, the result is as if the new one had been given from the
start. `--start` begins with the averaged weights of another folder, for a further stage with other
settings. ``tools.bundle_detector`` evaluates the result.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.common import files
from nbhelpers.data import manifest, splits
from nbhelpers.evaluation import metrics
from nbhelpers.networks import models, training, weights
from tools.detector_batches import Pairs, Settings, evaluation_views, split_table

logger = logging.getLogger("train_detector")

STATE = "state.json"


def learning_rate(step: int, total: int, settings: Settings) -> float:
    """Rise linearly, stay constant, then fall along half a cosine to a hundredth.

    >>> [learning_rate(step, 1000, Settings(rate=1.0)) for step in (0, 99, 500)]
    [0.01, 1.0, 1.0]
    """
    if step < settings.warmup:
        return settings.rate * (step + 1) / settings.warmup
    begins = total * (1 - settings.fall)
    done = max(0.0, (step - begins) / max(1.0, total - begins))
    return settings.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def network(settings: Settings, size: int):
    """Return the detector with its first weights, or raise; all layers are trainable."""
    pretrained = None if settings.start else weights.imagenet("Xception", mode="imagenet")
    model = models.xception_classifier(size, weights=pretrained, last=settings.last)
    if settings.start:
        model.set_weights(mean_weights(model, settings.start.split(",")))
    models.unfreeze_from(model, model.layers[0].name)
    return model


def mean_weights(model, files: Sequence[str | Path]) -> list[np.ndarray]:
    """Load files of weights into a network, one after the other, and return their mean.

    Source:
        Wortsman et al., "Model soups", 2022: trainings that begin with the same weights end close
        enough to each other for their mean to be as good as any of them, or better.
    """
    loaded = []
    for file in files:
        model.load_weights(file)
        loaded.append(model.get_weights())
    return [np.mean(values, axis=0) for values in zip(*loaded, strict=True)]


def compiled(settings: Settings):
    """Return the network for the training windows with its optimizer and loss."""
    import keras

    model = network(settings, settings.window)
    optimizer = keras.optimizers.AdamW(
        settings.rate,
        weight_decay=settings.weight_decay,
        clipnorm=settings.clip,
        use_ema=True,
        ema_momentum=settings.averaging,
    )
    loss = keras.losses.BinaryCrossentropy(label_smoothing=settings.smoothing)
    model.compile(optimizer, loss)
    optimizer.build(model.trainable_variables)
    return model


@contextmanager
def averaged(model) -> Iterator[None]:
    """Give the network its averaged weights while the block runs."""
    before = [np.asarray(variable) for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, before, strict=True):
            variable.assign(value)


class Training:
    """A training that continues from the last backup in its folder.

    Args:
        table: rows with ``split``.
        settings: of the training.
        work: folder for backups, which may contain some.
    """

    def __init__(self, table: pd.DataFrame, settings: Settings, work: Path):
        self._settings, self._work = settings, work
        self._pairs = Pairs(table[table["split"] == "train"], settings)
        chosen = table[table["split"] == "validation"].sort_values("videoname")
        half = settings.validation_pictures // 2
        chosen = chosen.groupby("label").head(half)
        self._y = manifest.y_true(chosen)
        self._views = {
            name: evaluation_views(chosen, size=settings.image_size, damaged=name == "damaged")
            for name in ("clean", "damaged")
        }
        self._state = _read_state(work, settings)
        self._model = compiled(settings)
        self._judge = network(settings, settings.image_size)
        if self._state["epoch"]:
            self._model.load_weights(self._file(self._state["epoch"]))
            logger.info("continues after epoch %d", self._state["epoch"])

    def run(self) -> Path:
        """Train to the end.

        Returns:
            The file of the averaged weights.
        """
        own = self._settings
        for epoch in range(self._state["epoch"], own.epochs):
            began, wall = time.process_time(), time.time()
            first = epoch * own.steps
            losses = list(self._steps(range(first, first + own.steps)))
            row = {"epoch": epoch + 1, "loss": float(np.mean(losses))} | self._validate()
            row["cpu_seconds"] = time.process_time() - began
            row["wall_seconds"] = time.time() - wall
            self._back_up(row)
            logger.info(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
        return self._export()

    def _steps(self, steps: range) -> Iterator[float]:
        total = self._settings.epochs * self._settings.steps
        with ThreadPoolExecutor(1) as pool:  # the next batch is made while this one trains
            waiting = [pool.submit(self._pairs.batch, step) for step in steps[:2]]
            for step in steps:
                pictures, labels = waiting.pop(0).result()
                if step + 2 < steps.stop:
                    waiting.append(pool.submit(self._pairs.batch, step + 2))
                rate = learning_rate(step, total, self._settings)
                self._model.optimizer.learning_rate.assign(rate)
                self._model.reset_metrics()
                loss = float(self._model.train_on_batch(pictures, labels))
                if not np.isfinite(loss):
                    raise FloatingPointError(
                        f"Expected a finite loss; received {loss} at step {step}. Lower the rate "
                        "and start with an empty work folder."
                    )
                if step % 10 == 0:
                    logger.info("step %d loss %.3f", step, loss)
                yield loss

    def _validate(self) -> dict[str, float]:
        with averaged(self._model):
            self._judge.set_weights(self._model.get_weights())
        return {
            f"auc_{name}": metrics.scores(self._y, self._scores(views))["auc"]
            for name, views in self._views.items()
        }

    def _scores(self, views: np.ndarray) -> np.ndarray:
        parts = [
            self._judge.predict_on_batch(views[first : first + 32].astype(np.float32))
            for first in range(0, len(views), 32)
        ]
        return np.concatenate(parts)[:, 0].astype(float)

    def _back_up(self, row: dict) -> None:
        self._state = {
            **self._state,
            "settings": _kept(self._settings),
            "epoch": row["epoch"],
            "history": [*self._state["history"], row],
        }
        with files.whole(self._file(row["epoch"])) as draft:
            self._model.save_weights(draft)
        files.write_text(self._work / STATE, json.dumps(self._state, indent=1))
        for path in self._work.glob("epoch-*.weights.h5"):
            if path != self._file(row["epoch"]):
                path.unlink()
        self._export()

    def _export(self) -> Path:
        """Write the current averaged weights."""
        target = self._work / f"averaged-{self._state['epoch']}.weights.h5"
        with averaged(self._model):
            self._judge.set_weights(self._model.get_weights())
        with files.whole(target) as draft:
            self._judge.save_weights(draft)
        return target

    def _file(self, epoch: int) -> Path:
        return self._work / f"epoch-{epoch}.weights.h5"


def _kept(settings: Settings) -> dict:
    """Return the settings that may not change between two starts."""
    facts = json.loads(json.dumps(dataclasses.asdict(settings)))
    facts.pop("epochs")
    return facts


def _read_state(work: Path, settings: Settings) -> dict:
    try:
        state = json.loads((work / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"epoch": 0, "history": [], "stages": _stages_before(settings)}
    if state["settings"] != _kept(settings):
        raise ValueError(
            f"Expected the settings with which {work} was started, {state['settings']}; received "
            f"{_kept(settings)}. Use another work folder, or the same settings."
        )
    return state


def _stages_before(settings: Settings) -> list[dict]:
    """Return settings and history of the trainings that the first weights come from, in order."""
    if not settings.start:
        return []
    last = Path(settings.start.split(",")[-1])
    state = json.loads(last.with_name(STATE).read_text(encoding="utf-8"))
    return [*state.get("stages", []), {key: state[key] for key in ("settings", "history")}]


def parser() -> argparse.ArgumentParser:
    """Return the command line: the folders, and each of the settings as an option."""
    command_line = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    command_line.add_argument(
        "--data", type=Path, required=True, help="Kaggle's folder deepfake-faces"
    )
    command_line.add_argument("--work", type=Path, required=True, help="folder for backups")
    command_line.add_argument(
        "--split-csv", default="", help="table of videoname and split (the bundled one)"
    )
    command_line.add_argument(
        "--order", default="", help="table of videoname and upload_order, instead of a split"
    )
    command_line.add_argument("--precision", choices=training.PRECISIONS, default="auto")
    for field in dataclasses.fields(Settings):
        name, usual = "--" + field.name.replace("_", "-"), field.default
        if isinstance(usual, tuple):
            command_line.add_argument(name, nargs=len(usual), type=type(usual[0]), default=usual)
        else:
            command_line.add_argument(name, type=type(usual), default=usual)
    return command_line


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, train, and log where the weights are."""
    import keras

    options = vars(parser().parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    names = {field.name for field in dataclasses.fields(Settings)}
    settings = Settings(**{name: value for name, value in options.items() if name in names})
    keras.utils.set_random_seed(settings.seed)
    keras.config.set_dtype_policy(training.precision(options["precision"]))
    table = split_table(options["data"], order=options["order"], split_csv=options["split_csv"])
    logger.info("%s\n%s", settings, splits.counts(table).to_string())
    options["work"].mkdir(parents=True, exist_ok=True)
    splits.write_csv(table, options["work"] / "split.csv")
    logger.info("averaged weights: %s", Training(table, settings, options["work"]).run())


if __name__ == "__main__":
    main()
