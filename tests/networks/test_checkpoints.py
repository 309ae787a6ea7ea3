"""Trainings on disk: told apart by what they depend on, gone on with where they ended."""

import gc
import json
import shutil
import uuid
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nbhelpers.networks import checkpoints
from nbhelpers.networks.checkpoints import Resumable

TABLE = pd.DataFrame({"videoname": ["a", "b"], "split": ["train", "test"]})
X, Y = np.linspace(-1, 1, 16)[:, None], np.linspace(-1, 1, 16)[:, None] ** 2


def network(units=3, rate=0.05):
    """A compiled network that begins the same every time."""
    import keras

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(units, activation="tanh"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.layers.Input((1,)), *layers])
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


class Cut(Exception):
    """Ends a training as a power cut does: no callback hears of it."""


def cut_at(epoch):
    import keras

    def stop(at, logs=None):
        if at == epoch:
            raise Cut

    return keras.callbacks.LambdaCallback(on_epoch_begin=stop)


def run_in(folder, *, resume=True, **parameters):
    return SimpleNamespace(backups_folder=folder, resume=resume, parameters=parameters)


@pytest.fixture(autouse=True)
def restart(monkeypatch):
    """Call it to be another process from then on, as far as backups can see."""
    return lambda: monkeypatch.setattr(checkpoints, "PROCESS", uuid.uuid4().hex)


def backup_of(model, folder, *, name="m", table=TABLE, epochs=6, watch="val_loss", **run):
    run = run_in(folder, **run)
    return Resumable(model, run=run, name=name, table=table, epochs=epochs, watch=watch)


def fit(model, backup, *more, epochs=6, y=Y):
    history = model.fit(
        X,
        y,
        validation_data=(X, Y + 0.1),
        epochs=epochs,
        initial_epoch=backup.epoch,
        callbacks=[backup, *more],
        shuffle=False,
        verbose=0,
    ).history
    assert len(history.pop("cpu_seconds")) == epochs
    return history


def cut_training(folder, restart, **options):
    """Train three of six epochs and leave it to the next process."""
    model = network()
    with pytest.raises(Cut):
        fit(model, backup_of(model, folder, **options), cut_at(3))
    restart()


def only_folder(folder):
    (only,) = folder.iterdir()
    return only


def test_a_training_without_randomness_ends_as_if_never_cut(tmp_path, restart):
    straight = network()
    backup = backup_of(straight, tmp_path / "a")
    expected = fit(straight, backup)
    cut_training(tmp_path / "b", restart)
    model = network()
    again = backup_of(model, tmp_path / "b")
    assert again.epoch == 3
    history = fit(model, again)
    assert history == expected  # to the last digit: the moments of Adam came along
    for one, other in zip(model.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for each in (backup, again):
        fresh = network()
        fresh.optimizer.build(fresh.trainable_variables)
        fresh.load_weights(each.best_weights)
        loss = fresh.evaluate(X, Y + 0.1, verbose=0)
        assert loss == pytest.approx(min(expected["val_loss"]), rel=1e-6)


def test_the_best_epoch_before_the_cut_is_not_forgotten(tmp_path, restart):
    import keras

    def risen(rate):
        model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        model.set_weights([np.array([[1.0]])])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    x = np.ones((1, 1))
    # Training pulls the weight from 1 to 5; validation wants 2 and is nearest in the first epochs.
    options = {"epochs": 8, "validation_data": (x, 2 * x), "verbose": 0}
    losses = risen(0.1).fit(x, 5 * x, **options).history["val_loss"]
    assert np.argmin(losses) < 3
    model = risen(0.1)
    backup = backup_of(model, tmp_path, epochs=8)
    with pytest.raises(Cut):
        model.fit(x, 5 * x, callbacks=[backup, cut_at(5)], **options)
    restart()
    model = risen(0.1)
    backup = backup_of(model, tmp_path, epochs=8)
    model.fit(x, 5 * x, callbacks=[backup], initial_epoch=backup.epoch, **options)
    model.load_weights(backup.best_weights)
    assert model.evaluate(x, 2 * x, verbose=0) == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("watch", ["val_loss", None])
def test_finished_training_is_taken_as_it_is(tmp_path, caplog, restart, watch):
    model = network()
    backup = backup_of(model, tmp_path, watch=watch)
    history = fit(model, backup)
    model.load_weights(backup.best_weights)
    restart()
    again = network()
    backup = backup_of(again, tmp_path, watch=watch)
    assert "m continues after epoch 6 of 6" in caplog.text
    assert fit(again, backup) == history
    again.load_weights(backup.best_weights)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    expected = min(history["val_loss"]) if watch else history["val_loss"][-1]
    assert again.evaluate(X, Y + 0.1, verbose=0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ({"units": 4}, {}),
        ({"rate": 0.1}, {}),
        ({}, {"EPOCHS": 7}),
        ({}, {"table": TABLE[::-1]}),
        ({}, {"resume": False}),
        ({}, {"epochs": 7}),
        ({}, {"watch": "val_auc"}),
        ({}, {"name": "n"}),
    ],
)
def test_another_training_begins_anew(tmp_path, restart, model, options):
    cut_training(tmp_path, restart, EPOCHS=6)
    assert backup_of(network(**model), tmp_path, **({"EPOCHS": 6} | options)).epoch == 0


def test_other_starting_weights_are_another_training(tmp_path, restart):
    cut_training(tmp_path, restart)
    model = network()
    model.set_weights([2 * values for values in model.get_weights()])
    assert backup_of(model, tmp_path).epoch == 0


def test_a_training_that_is_run_again_is_not_taken_for_one_that_was_cut_off(tmp_path):
    model = network()
    fit(model, backup_of(model, tmp_path))
    assert backup_of(network(), tmp_path).epoch == 0


def test_moved_output_and_resume_itself_change_nothing(tmp_path, restart):
    cut_training(tmp_path / "a", restart, OUTPUT_DIR="a", RESUME=False)
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert backup_of(network(), tmp_path / "b", OUTPUT_DIR="b", RESUME=True).epoch == 3


@pytest.mark.parametrize("damage", ["cut", "no words", "other words", "no weights"])
def test_a_damaged_backup_is_no_backup(tmp_path, restart, damage):
    cut_training(tmp_path, restart)
    state = only_folder(tmp_path) / checkpoints.STATE
    content = state.read_text()
    if damage == "no weights":
        (state.parent / json.loads(content)["last"]).unlink()
    else:
        state.write_text({"cut": content[:20], "no words": "{}", "other words": "[1]"}[damage])
    assert backup_of(network(), tmp_path).epoch == 0


def test_no_more_lies_on_disk_than_is_needed(tmp_path, restart):
    cut_training(tmp_path, restart)
    folder = only_folder(tmp_path)
    state = json.loads((folder / checkpoints.STATE).read_text())
    assert state["last"] == state["best_file"] == "best-3.weights.h5"  # one file, written once
    assert len(list(folder.iterdir())) == 2
    model = network()
    fit(model, backup_of(model, tmp_path))
    assert len(list(folder.iterdir())) == 2


def test_any_text_can_be_the_name_of_a_training(tmp_path):
    model = network()
    fit(model, backup_of(model, tmp_path, name="../only a/b: c"), epochs=6)
    assert only_folder(tmp_path).name.startswith("_only_a_b_c-")


def test_a_training_has_an_epoch(tmp_path):
    with pytest.raises(ValueError, match="1 epoch or more for m; received 0"):
        backup_of(network(), tmp_path, epochs=0)


def test_what_is_not_measured_cannot_be_watched(tmp_path):
    model = network()
    with pytest.raises(ValueError, match=r"val_loss.*'val_auc'"):
        fit(model, backup_of(model, tmp_path, watch="val_auc"))


def test_two_replicas_go_on(tmp_path):
    pytest.importorskip("tensorflow")
    import subprocess
    import sys

    code = TWO_REPLICAS.format(folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


TWO_REPLICAS = """
import pathlib, types
import numpy as np, pandas as pd
from nbhelpers.networks import checkpoints, training
strategy = training.strategy(2)
import keras
table = pd.DataFrame({{"videoname": ["a"], "split": ["train"]}})
x = np.ones((8, 1))
run = types.SimpleNamespace(backups_folder=pathlib.Path({folder!r}), resume=True, parameters={{}})
for epoch in (0, 2):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
        model.compile("adam", "mse")
    backup = checkpoints.Resumable(model, run=run, name="m", table=table, epochs=2, watch="loss")
    assert backup.epoch == epoch, backup.epoch
    options = {{"epochs": 2, "initial_epoch": backup.epoch, "callbacks": [backup], "verbose": 0}}
    assert len(model.fit(x, x, **options).history["loss"]) == 2
    checkpoints.PROCESS = "another"
"""


def test_nothing_holds_a_network_that_was_trained(tmp_path):
    import tensorflow as tf

    def held():
        gc.collect()
        return sum(isinstance(each, tf.Graph) for each in gc.get_objects())

    def train():
        model = network()
        fit(model, backup_of(model, tmp_path, epochs=1), epochs=1)

    train()
    before = held()
    train()
    assert held() <= before
