"""Backups of trainings: told apart by what they depend on, gone on with where they ended."""

import gc
import json

import numpy as np
import pandas as pd
import pytest

from nbhelpers.networks import checkpoints, training

TABLE = pd.DataFrame({"videoname": ["a", "b"], "split": ["train", "test"]})
X, Y = np.linspace(-1, 1, 16)[:, None], np.linspace(-1, 1, 16)[:, None] ** 2


def network(units=3, rate=0.05):
    """A compiled network that begins the same every time."""
    import keras

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(units, activation="tanh"), keras.layers.Dense(1)]
    made = keras.Sequential([keras.layers.Input((1,)), *layers])
    made.compile(keras.optimizers.Adam(rate), "mse")
    return made


class Cut(Exception):
    """Ends a training as a power cut does: no callback hears of it."""


def cut_at(epoch):
    import keras

    def stop(at, logs=None):
        if at == epoch:
            raise Cut

    return keras.callbacks.LambdaCallback(on_epoch_begin=stop)


def kept_in(folder, *, resume=True, table=TABLE, **parameters):
    return training.Backups(folder, resume=resume, parameters=parameters, table=table)


def fit(model, kept, epochs=6, *more):
    return model.fit(
        X,
        Y,
        validation_data=(X, Y + 0.1),
        epochs=epochs,
        initial_epoch=kept.epoch,
        callbacks=[kept, *more],
        shuffle=False,
        verbose=0,
    )


def cut_training(folder, best, **options):
    """Trains three of six epochs."""
    model = network()
    with pytest.raises(Cut):
        fit(model, kept_in(folder, **options).keep(model, best, epochs=6), 6, cut_at(3))


def test_a_training_without_randomness_ends_as_if_never_cut(tmp_path):
    straight = network()
    kept = kept_in(tmp_path / "a").keep(straight, tmp_path / "a.weights.h5", epochs=6)
    expected = fit(straight, kept)
    cut_training(tmp_path / "b", tmp_path / "b.weights.h5")
    model = network()
    kept = kept_in(tmp_path / "b").keep(model, tmp_path / "b.weights.h5", epochs=6)
    assert kept.epoch == 3
    history = fit(model, kept)
    assert history.history == expected.history  # to the last digit: the moments of Adam came along
    for one, other in zip(model.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for name in "ab":
        fresh = network()
        fresh.optimizer.build(fresh.trainable_variables)
        fresh.load_weights(tmp_path / f"{name}.weights.h5")
        loss = fresh.evaluate(X, Y + 0.1, verbose=0)
        assert loss == pytest.approx(min(expected.history["val_loss"]), rel=1e-6)


def test_the_best_epoch_before_the_cut_is_not_forgotten(tmp_path):
    import keras

    def risen(rate):
        model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        model.set_weights([np.array([[1.0]])])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    x, best = np.ones((1, 1)), tmp_path / "best.weights.h5"
    # Training pulls the weight from 1 to 5; validation wants 2 and is nearest in the first epochs.
    run = {"epochs": 8, "validation_data": (x, 2 * x), "verbose": 0}
    straight = risen(0.1)
    losses = straight.fit(x, 5 * x, **run).history["val_loss"]
    assert np.argmin(losses) < 3
    model = risen(0.1)
    kept = kept_in(tmp_path / "t").keep(model, best, epochs=8)
    with pytest.raises(Cut):
        model.fit(x, 5 * x, callbacks=[kept, cut_at(5)], **run)
    best.unlink()  # whatever became of it
    model = risen(0.1)
    kept = kept_in(tmp_path / "t").keep(model, best, epochs=8)
    model.fit(x, 5 * x, callbacks=[kept], initial_epoch=kept.epoch, **run)
    model.load_weights(best)
    assert model.evaluate(x, 2 * x, verbose=0) == pytest.approx(min(losses), rel=1e-5)


def test_finished_training_is_taken_as_it_is(tmp_path, caplog):
    best = tmp_path / "m.weights.h5"
    model = network()
    history = fit(model, kept_in(tmp_path / "t").keep(model, best, epochs=6))
    best.unlink()
    again = network()
    kept = kept_in(tmp_path / "t").keep(again, best, epochs=6)
    assert "m goes on after epoch 6 of 6" in caplog.text
    assert fit(again, kept).history == history.history
    again.load_weights(best)
    assert again.evaluate(X, Y + 0.1, verbose=0) == pytest.approx(min(history.history["val_loss"]))
    last = network()  # without a best epoch the last weights are what counts
    fit(last, kept_in(tmp_path / "t").keep(last, epochs=6))
    again = network()
    fit(again, kept_in(tmp_path / "t").keep(again, epochs=6))
    np.testing.assert_array_equal(last.get_weights()[0], again.get_weights()[0])


@pytest.mark.parametrize(
    ("model", "options", "epochs"),
    [
        ({"units": 4}, {}, 6),
        ({"rate": 0.1}, {}, 6),
        ({}, {"EPOCHS": 7}, 6),
        ({}, {"table": TABLE[::-1]}, 6),
        ({}, {"resume": False}, 6),
        ({}, {}, 7),
    ],
)
def test_another_training_begins_anew(tmp_path, model, options, epochs):
    best = tmp_path / "m.weights.h5"
    cut_training(tmp_path / "t", best, EPOCHS=6)
    kept = kept_in(tmp_path / "t", **({"EPOCHS": 6} | options))
    assert kept.keep(network(**model), best, epochs=epochs).epoch == 0


def test_other_starting_weights_are_another_training(tmp_path):
    cut_training(tmp_path / "t", tmp_path / "m.weights.h5")
    model = network()
    model.set_weights([2 * values for values in model.get_weights()])
    assert kept_in(tmp_path / "t").keep(model, tmp_path / "m.weights.h5", epochs=6).epoch == 0


def test_twins_in_one_notebook_are_told_apart_by_their_order(tmp_path):
    best = tmp_path / "m.weights.h5"
    first = kept_in(tmp_path / "t")
    model = network()
    fit(model, first.keep(model, best, epochs=6))
    assert first.keep(network(), best, epochs=6).epoch == 0
    second = kept_in(tmp_path / "t")
    assert [second.keep(network(), best, epochs=6).epoch for _ in range(2)] == [6, 0]


def test_moved_output_and_resume_itself_change_nothing(tmp_path):
    best = tmp_path / "m.weights.h5"
    cut_training(tmp_path / "t", best, OUTPUT_DIR="a", RESUME=False)
    kept = kept_in(tmp_path / "t", OUTPUT_DIR="b", RESUME=True).keep(network(), best, epochs=6)
    assert kept.epoch == 3


def test_a_damaged_backup_is_no_backup(tmp_path):
    best = tmp_path / "m.weights.h5"
    cut_training(tmp_path / "t", best)
    (state,) = (tmp_path / "t").glob(f"*/{checkpoints.STATE}")
    content = state.read_text()
    state.write_text(content[:20])
    assert kept_in(tmp_path / "t").keep(network(), best, epochs=6).epoch == 0
    state.write_text(content)
    (state.parent / json.loads(content)["last"]).unlink()
    assert kept_in(tmp_path / "t").keep(network(), best, epochs=6).epoch == 0


def test_no_more_lies_on_disk_than_is_needed(tmp_path):
    best = tmp_path / "m.weights.h5"
    cut_training(tmp_path / "t", best)
    (folder,) = (tmp_path / "t").iterdir()
    state = json.loads((folder / checkpoints.STATE).read_text())
    assert state["last"] == state["best_file"] == "best-3.weights.h5"  # one file, written once
    assert len(list(folder.iterdir())) == 2
    model = network()
    kept = kept_in(tmp_path / "t")
    fit(model, kept.keep(model, best, epochs=6))
    assert len(list(folder.iterdir())) == 2
    kept.clear()
    assert not (tmp_path / "t").exists()
    assert best.is_file()


def test_seconds_of_spared_epochs_are_counted(tmp_path):
    best = tmp_path / "m.weights.h5"
    cut_training(tmp_path / "t", best)
    (state,) = (tmp_path / "t").glob(f"*/{checkpoints.STATE}")
    content = json.loads(state.read_text())
    assert content["cpu_seconds"] > 0
    state.write_text(json.dumps(content | {"cpu_seconds": 1e6}))
    again = kept_in(tmp_path / "t")
    before = again.cpu_seconds()
    again.keep(network(), best, epochs=6)
    assert again.cpu_seconds() - before == pytest.approx(1e6, rel=1e-3)


def test_what_is_not_measured_cannot_be_watched(tmp_path):
    model = network()
    kept = training.keep_best(tmp_path / "m.weights.h5", monitor="val_auc")
    with pytest.raises(ValueError, match=r"val_loss.*'val_auc'"):
        fit(model, kept)


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
import numpy as np, pandas as pd
from nbhelpers.networks import checkpoints, training
strategy = training.strategy(2)
import keras
table = pd.DataFrame({{"videoname": ["a"], "split": ["train"]}})
x = np.ones((8, 1))
for epoch in (0, 2):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
        model.compile("adam", "mse")
    backups = checkpoints.Backups({folder!r}, resume=True, parameters={{}}, table=table)
    kept = backups.keep(model, epochs=2)
    assert kept.epoch == epoch, kept.epoch
    options = {{"epochs": 2, "initial_epoch": kept.epoch, "callbacks": [kept], "verbose": 0}}
    assert len(model.fit(x, x, **options).history["loss"]) == 2
"""


def test_nothing_holds_a_network_that_was_trained(tmp_path):
    import tensorflow as tf

    def held():
        gc.collect()
        return sum(isinstance(each, tf.Graph) for each in gc.get_objects())

    def train():
        model = network()
        fit(model, kept_in(tmp_path, resume=False).keep(model, epochs=1), epochs=1)

    train()
    before = held()
    train()
    assert held() <= before
