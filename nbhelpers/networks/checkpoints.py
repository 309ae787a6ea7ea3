"""Trainings that outlive what ends them: after every epoch all of it is on disk.

Keras' own `BackupAndRestore` writes two files that a kill can leave apart, forgets which epoch was
the best one, and cannot tell that it meets another training's backup. Here one small file names the
weights that belong to it and is written last, and the folder's name is a digest of the training.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import pandas as pd

from nbhelpers.common import files

if TYPE_CHECKING:
    import keras


logger = logging.getLogger(__name__)

STATE = "state.json"
WEIGHTS = ".weights.h5"
COUNTED = re.compile(r'_\d+(?=")')  # what Keras adds to names, by how many came before
NOT_ASKED = {"OUTPUT_DIR", "RESUME"}  # parameters that no training depends on


class Backups:
    """The trainings of one notebook, each of which can go on where it was cut off.

    A training is told by its network, optimizer, losses, starting weights, number of epochs, the
    notebook's parameters and the split; when any of them differs, it begins anew. Trainings that
    were finished before the cut are taken as they are. What Keras cannot see, such as another
    augmentation written into a cell, is not told apart: then do not resume.

    What is equal after going on: weights, optimizer state and with it the learning-rate schedule,
    history, best epoch. What is not: the order of rows, the augmentation and dropout, whose random
    draws begin again as in the first epoch. So the result is as good as that of a training that was
    never cut off, but differs from it as one seed from another.

    Args:
        folder: where the backups lie while the notebook is at work.
        resume: whether to go on with what lies there; else every training begins anew.
        parameters: the run's, see `results.start`.
        table: the rows with `videoname` and `split`.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        *,
        resume: bool,
        parameters: Mapping[str, Any],
        table: pd.DataFrame,
    ) -> None:
        self._folder = Path(folder)
        self._resume = resume
        asked = {name: parameters[name] for name in sorted(parameters.keys() - NOT_ASKED)}
        rows = table[["videoname", "split"]].to_csv(index=False)
        self._inputs = json.dumps([asked, rows], default=str)
        self._met: Counter[str] = Counter()
        self._spared = 0.0

    def keep(
        self,
        model: keras.Model,
        best: str | os.PathLike | None = None,
        *,
        epochs: int,
        monitor: str = "val_loss",
    ) -> keras.callbacks.Callback:
        """Prepare a training: ``fit(..., initial_epoch=keeper.epoch, callbacks=[keeper])``.

        Args:
            model: built and compiled, with the weights that the training starts from.
            best: file for the weights of the best epoch, see `keep_best`; None keeps the last ones.
            epochs: as given to ``fit``.
            monitor: what tells the best epoch; see `keep_best`.

        Returns:
            A callback with the attribute ``epoch``: how many epochs were done before.

        Raises:
            ValueError: as `keep_best`.
        """
        key = _key(model, f"{self._inputs} {epochs} {monitor}")
        self._met[key] += 1  # the second training that looks the same is another one
        name = Path(best).name.removesuffix(WEIGHTS) if best else "last"
        folder = self._folder / f"{name}-{key}-{self._met[key]}"
        if not self._resume:
            shutil.rmtree(folder, ignore_errors=True)
        keeper = _keeper_class()(best, monitor, folder)
        if keeper.epoch:
            logger.warning("%s goes on after epoch %d of %d", name, keeper.epoch, epochs)
        self._spared += keeper.cpu_seconds
        return keeper

    def cpu_seconds(self) -> float:
        """CPU seconds of this process, and of the epochs that it did not have to do again."""
        return process_time() + self._spared

    def clear(self) -> None:
        """Delete the backups; call it when the notebook's results are saved."""
        shutil.rmtree(self._folder, ignore_errors=True)


def keep_best(path: str | os.PathLike, *, monitor: str = "val_loss") -> keras.callbacks.Callback:
    """Write the weights of the best epoch to a file; load them with ``model.load_weights``.

    Args:
        path: the file, written whole or not at all; Keras wants its name to end in ``.weights.h5``.
        monitor: what is watched; "min" or "max" follows from the name (losses fall, AUC rises).

    Returns:
        A callback for ``model.fit``.

    Raises:
        ValueError: the file's name ends otherwise; in training, nothing of that name is measured.
    """
    return _keeper_class()(path, monitor, None)


@functools.cache
def _keeper_class() -> type:
    """The callback's class, made when Keras is needed."""
    import keras

    class Keeper(keras.callbacks.Callback):
        """Keeps the best weights, and with a folder all that is needed to go on."""

        def __init__(self, path: str | os.PathLike | None, monitor: str, folder: Path | None):
            super().__init__()
            if path is not None and not str(path).endswith(WEIGHTS):
                raise ValueError(
                    f"Expected a file name that ends in '{WEIGHTS}'; received "
                    f"{Path(path).name!r}. Keras refuses any other for weights."
                )
            self.path = None if path is None else Path(path)
            self.monitor, self.folder = monitor, folder
            state = _read(folder)
            self.epoch, self.cpu_seconds = state["epoch"], state["cpu_seconds"]
            self.best, self._past = state["best"], state["history"]
            self._last, self._best_file = state["last"], state["best_file"]

        def on_train_begin(self, logs=None):
            self._began = process_time()
            self._gradients = {*_gradient_functions()}
            # Files hold the optimizer's variables, too. And a first step that makes them is traced
            # twice, which takes seconds.
            with self.model.distribute_strategy.scope():
                self.model.optimizer.build(self.model.trainable_variables)
            if self._last:
                self.model.load_weights(self.folder / self._last)
            self.model.history.history |= {name: [*past] for name, past in self._past.items()}

        def on_epoch_end(self, epoch, logs=None):
            logs = {name: float(value) for name, value in (logs or {}).items()}
            for name, value in logs.items():
                self._past.setdefault(name, []).append(value)
            is_best = self.path is not None and self._is_best(logs)
            if is_best:
                self._keep_best(epoch)
            if self.folder is not None:
                self._back_up(epoch + 1, is_best)

        def on_train_end(self, logs=None):
            if self._best_file:  # of an epoch before the cut, maybe
                _same_file(self.folder / self._best_file, self.path)
            for name in _gradient_functions().keys() - self._gradients:
                del _gradient_functions()[name]

        def _is_best(self, logs):
            if self.monitor not in logs:
                raise ValueError(
                    f"Expected to watch what training measures, {sorted(logs)}; received "
                    f"{self.monitor!r}. Give validation_data, or watch another name."
                )
            value, best = logs[self.monitor], self.best
            falls = self.monitor.endswith("loss")
            better = best is None or best != best or (value < best if falls else value > best)
            self.best = value if better else best
            return better

        def _keep_best(self, epoch):
            with files.whole(self.path) as draft:
                self.model.save_weights(draft)
            if self.folder is not None:
                self._best_file = f"best-{epoch + 1}{WEIGHTS}"
                _same_file(self.path, self.folder / self._best_file)

        def _back_up(self, epoch, is_best):
            self.epoch, self._last = epoch, None
            if is_best:
                self._last = self._best_file  # written a moment ago
            elif self._best_file is None or epoch < self.params["epochs"]:
                self._last = f"last-{epoch}{WEIGHTS}"
                with files.whole(self.folder / self._last) as draft:
                    self.model.save_weights(draft)
            state = {"epoch": epoch, "best": self.best, "history": self._past}
            state |= {"last": self._last, "best_file": self._best_file}
            state["cpu_seconds"] = self.cpu_seconds + process_time() - self._began
            files.write_text(self.folder / STATE, json.dumps(state))
            for path in self.folder.glob(f"*{WEIGHTS}"):
                if path.name not in (self._last, self._best_file):
                    path.unlink()

    return Keeper


def _gradient_functions() -> dict:
    """TensorFlow's table of gradient functions, {} where it is not where it is looked for.

    Every training enters one, for summing gradients over replicas, and nothing takes it out. It
    holds the training's graph, and so the weights and the optimizer's state, after the network has
    gone: 0.4 GB for each Xception.
    """
    from tensorflow.python.framework import ops

    return getattr(getattr(ops, "gradient_registry", None), "_registry", {})


def _read(folder: Path | None) -> dict:
    """What a backup says; a beginning where there is none that can be read."""
    empty = {"epoch": 0, "best": None, "history": {}, "last": None, "best_file": None}
    empty["cpu_seconds"] = 0.0
    if folder is None:
        return empty
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return empty
    named = [state[name] for name in ("last", "best_file") if state[name]]
    return state if all((folder / name).is_file() for name in named) else empty


def _same_file(source: Path, target: Path) -> None:
    """Give a file a second name, in one step; a copy where the disk cannot do that."""
    with files.whole(target) as draft:
        try:
            os.link(source, draft)
        except OSError:
            shutil.copyfile(source, draft)


def _key(model: keras.Model, inputs: str) -> str:
    """A digest of everything that a training depends on, as far as it can be seen."""
    digest = hashlib.sha256(inputs.encode())
    network = model.to_json() + json.dumps(model.get_compile_config(), default=str)
    digest.update(COUNTED.sub("", network).encode())
    for values in model.get_weights():
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]
