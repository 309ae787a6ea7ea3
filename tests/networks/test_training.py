"""Training helpers: best weights, history, schedule, prediction order."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nbhelpers.networks import models, training


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Forty pictures of noise; fakes carry a bright square."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(40):
        pixels = rng.integers(60, 120, (24, 24, 3), dtype="uint8")
        fake = number % 2 == 1
        if fake:
            pixels[8:16, 8:16] = 250
        path = folder / f"{number:02d}.png"
        Image.fromarray(pixels).save(path)
        rows.append({"label": "FAKE" if fake else "REAL", "path": str(path)})
    return pd.DataFrame(rows)


def test_planted_artefact_is_learnt_and_scores_keep_the_order(table):
    import keras

    from nbhelpers.evaluation import metrics
    from nbhelpers.networks import pipelines

    keras.utils.set_random_seed(3)
    network = models.baseline_cnn(24)
    network.compile(keras.optimizers.Nadam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    rows = pipelines.make_dataset(table, image_size=24, batch_size=8, shuffle_seed=0)
    network.fit(rows, epochs=10, verbose=0, shuffle=False)  # the rows shuffle themselves
    shuffled = table.sample(frac=1, random_state=1)
    score = training.predict(network, shuffled, batch_size=7)
    assert score.shape == (40,)
    y_true = (shuffled["label"] == "FAKE").astype(int).to_numpy()
    assert metrics.scores(y_true, score)["auc"] > 0.95
    np.testing.assert_allclose(
        score, training.predict(network, table)[shuffled.index.to_numpy()], atol=1e-5
    )


def test_mirror_averages_a_picture_and_its_mirror_image(table, tmp_path):
    import keras

    keras.utils.set_random_seed(4)
    network = models.baseline_cnn(24)
    mirrored = table.copy()
    for row in mirrored.index:
        path = tmp_path / f"{row}.png"
        Image.open(table.loc[row, "path"]).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
        mirrored.loc[row, "path"] = str(path)
    both = training.predict(network, table, mirror=True)
    expected = (training.predict(network, table) + training.predict(network, mirrored)) / 2
    np.testing.assert_allclose(both, expected, atol=1e-6)


def risen(keras, rate):
    """A network of one weight, 1, which training pulls to 5."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[1.0]])])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def test_fit_ends_with_the_best_epoch_or_the_last(tmp_path):
    import keras
    import tensorflow as tf

    one = np.ones((1, 1))
    rows, wanted = (
        tf.data.Dataset.from_tensors((one, value * one)) for value in (5, 2)
    )  # validation wants 2
    run = SimpleNamespace(backups_folder=tmp_path, resume=False, parameters={})
    table = pd.DataFrame({"videoname": ["a"], "split": ["train"]})
    options = {"validation": wanted, "epochs": 6, "run": run, "table": table, "verbose": 0}
    model = risen(keras, 0.6)
    history = training.fit(model, rows, name="best", **options)
    best = history["val_loss"].min()
    assert history["val_loss"].iloc[-1] > best
    assert model.evaluate(wanted, verbose=0) == pytest.approx(best)
    assert (history["cpu_seconds"] > 0).all()
    model = risen(keras, 0.6)
    last = training.fit(model, rows, name="last", watch=None, **options)
    assert last["val_loss"].tolist() == history["val_loss"].tolist()
    assert model.evaluate(wanted, verbose=0) == pytest.approx(history["val_loss"].iloc[-1])
    two = training.history_table(history, last)
    assert two.index.tolist() == list(range(1, 13))
    assert two["stage"].tolist() == [1] * 6 + [2] * 6


def test_a_network_that_gives_no_probability_is_an_error(table):
    import keras

    inside = keras.layers.Input((24, 24, 3))
    x = keras.layers.GlobalAveragePooling2D()(inside)
    network = keras.Model(inside, keras.layers.Dense(1, kernel_initializer="ones")(x))
    with pytest.raises(ValueError, match=r"P\(fake\) in \[0, 1\].* for 40 of 40"):
        training.predict(network, table)
    network.set_weights([np.full_like(values, np.nan) for values in network.get_weights()])
    with pytest.raises(ValueError, match="nan"):
        training.predict(network, table)


def test_history_counts_epochs_through_the_stages():
    class Fitted:
        def __init__(self, losses):
            self.history = {"loss": losses}

    joined = training.history_table(Fitted([3.0, 2.0]), Fitted([1.0]))
    assert joined.index.tolist() == [1, 2, 3]
    assert joined["stage"].tolist() == [1, 1, 2]
    assert joined["loss"].tolist() == [3.0, 2.0, 1.0]


def test_schedule_rises_then_falls_to_zero():
    schedule = training.warmup_cosine(1e-3, steps=100, warmup=0.1)
    rates = np.array([float(schedule(step)) for step in range(101)])
    assert rates.argmax() in (9, 10)
    assert rates.max() == pytest.approx(1e-3, rel=1e-3)
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[11:]) < 0).all()
    assert rates[-1] == pytest.approx(0, abs=1e-6)


def test_precision_follows_the_hardware(tmp_path):
    assert training.precision("float32") == "float32"
    with pytest.raises(ValueError, match="float64"):
        training.precision("float64")
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu avx512f avx512_bf16 sse")
    assert training.cpu_has_bfloat16(info)
    info.write_text("flags : fpu avx2 avx512_bf16ish")
    assert not training.cpu_has_bfloat16(info)
    assert not training.cpu_has_bfloat16(tmp_path / "none")


TWO_REPLICAS = """
import numpy as np
from nbhelpers.networks import models, training
strategy = training.strategy(2)
assert strategy.num_replicas_in_sync == 2, strategy
import keras
import tensorflow as tf
keras.utils.set_random_seed(0)
with strategy.scope():
    network = models.residual_cnn(16)
    network.compile(keras.optimizers.Nadam(1e-2), "binary_crossentropy")
x = np.random.default_rng(0).uniform(0, 60, (32, 16, 16, 3)).astype("float32")
y = np.arange(32) % 2
x[y == 1, 4:12, 4:12] += 120 * (np.indices((8, 8)).sum(axis=0) % 2)[..., None]
rows = tf.data.Dataset.from_tensor_slices((x, y.astype("float32"))).batch(16)
losses = network.fit(rows, epochs=12, verbose=0).history["loss"]
assert losses[-1] < 0.5 * losses[0], losses
try:
    training.strategy(3)
except ValueError as error:
    print("late:", error)
"""


def test_two_replicas_train_one_model():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TWO_REPLICAS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "in a fresh process" in done.stdout


def test_one_replica_is_the_default_strategy():
    assert training.strategy(1).num_replicas_in_sync == 1
    with pytest.raises(ValueError, match="0 or more"):
        training.strategy(-1)
