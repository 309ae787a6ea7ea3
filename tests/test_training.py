"""Training helpers: best weights, history, schedule, prediction order."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nbhelpers import models, training


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

    from nbhelpers import images, metrics

    keras.utils.set_random_seed(3)
    network = models.baseline_cnn(24)
    network.compile(keras.optimizers.Nadam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    rows = images.make_dataset(table, image_size=24, batch_size=8, shuffle_seed=0)
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


def test_best_weights_are_kept_not_the_last(tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.array([[1.0]])])
    network.compile(keras.optimizers.SGD(0.6), "mse")
    x = np.ones((1, 1))
    path = tmp_path / "best.weights.h5"
    # Training pulls the weight from 1 to 5; validation wants 2.
    fitted = network.fit(
        x, 5 * x, epochs=6, verbose=0, validation_data=(x, 2 * x),
        callbacks=[training.keep_best(path)],
    )  # fmt: skip
    best = min(fitted.history["val_loss"])
    assert fitted.history["val_loss"][-1] > best
    network.load_weights(path)
    assert network.evaluate(x, 2 * x, verbose=0) == pytest.approx(best)


def test_file_name_that_keras_refuses_is_explained():
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        training.keep_best("best.ckpt")


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
