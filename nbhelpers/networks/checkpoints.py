"""Trainings that survive an interruption: their whole state is saved after every epoch.

Keras' own `BackupAndRestore` writes two files that a kill can leave inconsistent, forgets which
epoch was the best, and does not notice another training's backup. Here one small file, written
last, names the weights that belong to it, and the folder's name is a digest of the training.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any, Protocol

import keras
import pandas as pd

from nbhelpers.common import files
from nbhelpers.networks import workarounds

logger = logging.getLogger(__name__)

STATE = "state.json"
WEIGHTS = ".weights.h5"
COUNTED = re.compile(r'_\d+(?=")')  # the counter that Keras adds to names
NO_FILE_NAME = re.compile(r"[^\w-]+")
NOT_ASKED = {"OUTPUT_DIR", "RESUME"}  # parameters that do not affect training
PROCESS = uuid.uuid4().hex  # marks a backup's writer: a process does not resume its own


class Run(Protocol):
    """What a training needs from a notebook's run; see `results.start`."""

    backups_folder: Path
    resume: bool
    parameters: Mapping[str, Any]


class Resumable(keras.callbacks.Callback):
    """Save a training after every epoch, and continue where an earlier run was interrupted.

    Use: ``fit(..., initial_epoch=backup.epoch, callbacks=[backup])``, then
    ``model.load_weights(backup.best_weights)``.

    A training is recognised by its name, network, optimizer, losses, starting weights, number of
    epochs, the notebook's parameters and the split; when any of them differs, it starts again.
    Trainings finished before the interruption are reused. Changes that Keras cannot see, such as a
    different augmentation in a cell, are not detected: do not resume after them.

    Restored are weights, optimizer state and with it the learning-rate schedule, history and best
    epoch. Not restored are the order of rows, augmentation and dropout, whose random draws restart
    as in the first epoch. So the result is as good as that of an uninterrupted training, but
    differs from it as one seed differs from another.

    The history gets an additional column, ``cpu_seconds``: of this process, per epoch including
    validation, also for epochs before an interruption.

    Args:
        model: built and compiled, with the weights that the training starts from.
        run: of the notebook, with ``backups_folder``, ``resume`` and ``parameters``.
        name: of the training, unique within the run.
        table: rows with `videoname` and `split`.
        epochs: as given to ``fit``.
        watch: the metric of ``fit`` that decides the best epoch; its direction follows from the
            name (losses fall, AUC rises). None takes the last epoch.

    Attributes:
        epoch: number of epochs already finished.

    Raises:
        ValueError: fewer than one epoch; or, in training, no metric is named `watch`.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        run: Run,
        name: str,
        table: pd.DataFrame,
        epochs: int,
        watch: str | None = "val_loss",
    ) -> None:
        super().__init__()
        if epochs < 1:
            raise ValueError(f"Expected 1 epoch or more for {name}; received {epochs}.")
        key = _key(model, f"{_inputs(run.parameters, table)} {epochs} {watch}")
        self.watch = watch
        self._folder = run.backups_folder / f"{NO_FILE_NAME.sub('_', name)}-{key}"
        state = _read(self._folder) if run.resume else None
        if state is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            state = {"epoch": 0, "best": None, "history": {}, "last": None, "best_file": None}
        self.epoch, self._best, self._past = state["epoch"], state["best"], state["history"]
        self._last_file, self._best_file = state["last"], state["best_file"]
        if self.epoch:
            logger.warning("%s continues after epoch %d of %d", name, self.epoch, epochs)

    @property
    def best_weights(self) -> Path:
        """The file with the weights of the best epoch so far, or of the last one."""
        return self._folder / (self._best_file or self._last_file)

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Restore the network's state from disk."""
        gc.collect()  # earlier networks have reference cycles; this frees them in time
        self._gradients = workarounds.registered_gradients()
        # Files also hold the optimizer's variables. And a first step that creates them is traced
        # twice, which takes seconds.
        with self.model.distribute_strategy.scope():
            self.model.optimizer.build(self.model.trainable_variables)
        if self._last_file:
            self.model.load_weights(self._folder / self._last_file)
        self.model.history.history |= {name: [*past] for name, past in self._past.items()}

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start the epoch's clock."""
        self._began = process_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the weights if needed, then the state that names them."""
        logs = {} if logs is None else logs
        logs["cpu_seconds"] = process_time() - self._began  # the history records every entry
        for name, value in logs.items():
            self._past.setdefault(name, []).append(float(value))
        self.epoch, self._last_file = epoch + 1, None
        if self.watch is not None and self._is_best(logs):
            self._last_file = self._best_file = f"best-{self.epoch}{WEIGHTS}"
        elif self._best_file is None or self.epoch < self.params["epochs"]:
            self._last_file = f"last-{self.epoch}{WEIGHTS}"
        if self._last_file:
            with files.whole(self._folder / self._last_file) as draft:
                self.model.save_weights(draft)
        state = {"epoch": self.epoch, "best": self._best, "history": self._past}
        state |= {"last": self._last_file, "best_file": self._best_file, "process": PROCESS}
        files.write_text(self._folder / STATE, json.dumps(state))
        for path in self._folder.glob(f"*{WEIGHTS}"):
            if path.name not in (self._last_file, self._best_file):
                path.unlink()

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Release TensorFlow's memory of the training."""
        workarounds.forget_gradients(since=self._gradients)

    def _is_best(self, logs: Mapping[str, float]) -> bool:
        if self.watch not in logs:
            raise ValueError(
                f"Expected to watch one of the training metrics {sorted(logs)}; received "
                f"{self.watch!r}. Pass validation data, or watch another metric."
            )
        value, best = float(logs[self.watch]), self._best
        falls = self.watch.endswith("loss")
        better = best is None or best != best or (value < best if falls else value > best)
        self._best = value if better else best
        return better


def _read(folder: Path) -> dict | None:
    """Return the state left by another process; None if nothing can be read."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        named = [state[name] for name in ("last", "best_file") if state[name]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if state.get("process") == PROCESS:  # a cell run again, not an interrupted run
        return None
    return state if all((folder / name).is_file() for name in named) else None


def _inputs(parameters: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Return everything besides the network that a training depends on, as text."""
    asked = {name: parameters[name] for name in sorted(parameters.keys() - NOT_ASKED)}
    rows = table[["videoname", "split"]].to_csv(index=False)
    return json.dumps([asked, rows], default=str)


def _key(model: keras.Model, inputs: str) -> str:
    """Return a digest of everything detectable that a training depends on."""
    digest = hashlib.sha256(inputs.encode())
    network = model.to_json() + json.dumps(model.get_compile_config(), default=str)
    digest.update(COUNTED.sub("", network).encode())
    for values in model.get_weights():
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]
