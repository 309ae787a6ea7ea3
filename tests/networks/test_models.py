"""Networks: shapes, the article's numbers, saving, learning."""

import numpy as np
import pytest

from nbhelpers.networks import inference, ladder, models, weights


@pytest.fixture(scope="module")
def keras():
    import keras

    keras.utils.set_random_seed(1)
    return keras


@pytest.fixture(scope="module")
def xception(keras):
    return models.xception_classifier(96)


def pictures(size, count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, 3)).astype("float32")


def test_baseline_is_the_articles(keras):
    network = models.baseline_cnn(224)
    assert network.count_params() == 51_619_585
    kinds = [type(layer).__name__ for layer in network.layers]
    assert " ".join(kinds) == (
        "Rescaling Conv2D MaxPooling2D Conv2D Conv2D MaxPooling2D Flatten "
        "Dense Dropout Dense Dropout Dense"
    )
    first_dense = network.layers[7]
    assert first_dense.count_params() / network.count_params() > 0.99


def test_xception_scales_as_keras_does(keras, xception):
    x = pictures(96)
    scaled = keras.Model(xception.inputs[0], xception.layers[1].output)(x)
    expected = keras.applications.xception.preprocess_input(x.copy())
    np.testing.assert_allclose(np.asarray(scaled), expected, atol=1e-5)


def test_xception_base_is_frozen_and_not_nested(xception):
    assert [weight.path for weight in xception.trainable_weights] == [
        "p_fake/kernel",
        "p_fake/bias",
    ]
    ours = ("Rescaling", "GlobalAveragePooling2D", "Dense")
    base = [layer for layer in xception.layers if type(layer).__name__ not in ours]
    assert len(base) == 132
    assert base[56].name == models.ARTICLE_UNFREEZE_FROM


def test_a_low_head_leaves_the_layers_above_off(keras, xception):
    values = [weight + number for number, weight in enumerate(xception.get_weights()[:-2])]
    given = weights.PretrainedWeights("Xception", "made up", values=values)
    low = models.xception_classifier(96, weights=given, last="block11_sepconv1_act")
    spatial = [layer for layer in low.layers if len(layer.output.shape) == 4]
    assert spatial[-1].name == "block11_sepconv1_act"
    assert spatial[-1].output.shape == (None, 6, 6, 728)  # the end of block 10; block 14 has 3 x 3
    np.testing.assert_array_equal(low.get_weights()[0], values[0])
    kept = low.get_layer("block10_sepconv3_bn").gamma
    whole = models.xception_classifier(96, weights=given).get_layer("block10_sepconv3_bn").gamma
    np.testing.assert_array_equal(kept, whole)
    with pytest.raises(ValueError, match="no_such_layer"):
        models.xception_classifier(96, last="no_such_layer")


def test_unfreeze_from_splits_at_the_layer(keras):
    network = models.xception_classifier(96)
    models.unfreeze_from(network, models.ARTICLE_UNFREEZE_FROM)
    names = [layer.name for layer in network.layers]
    first = names.index(models.ARTICLE_UNFREEZE_FROM)
    assert not any(layer.trainable for layer in network.layers[:first])
    assert all(layer.trainable for layer in network.layers[first:])
    models.unfreeze_from(network, names[0], batch_norm=False)
    norms = [layer for layer in network.layers if "Normalization" in type(layer).__name__]
    assert len(norms) == 40
    assert not any(layer.trainable for layer in norms)
    with pytest.raises(ValueError, match="no_such_layer"):
        models.unfreeze_from(network, "no_such_layer")


def test_saved_model_gives_equal_scores(keras, xception, tmp_path):
    x = pictures(96)
    before = xception.predict(x, verbose=0)
    xception.save(tmp_path / "model.keras")
    after = keras.models.load_model(tmp_path / "model.keras").predict(x, verbose=0)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_residual_network_sees_no_smooth_content(keras):
    network = models.residual_cnn(32)
    assert network.count_params() < 200_000
    plain = np.full((1, 32, 32, 3), 40, "float32")
    np.testing.assert_allclose(  # brightness and colour alone change nothing
        network.predict(plain, verbose=0), network.predict(plain + 90, verbose=0), atol=1e-5
    )
    noisy = plain + pictures(32, 1) / 10
    assert abs(network.predict(noisy, verbose=0) - network.predict(plain, verbose=0)) > 1e-4


def form_of(network):
    """Kinds and weights of the layers, without layers that only name an activation."""
    return [
        (type(layer).__name__, [weight.shape for weight in layer.weights])
        for layer in network.layers
        if type(layer).__name__ not in ("InputLayer", "ReLU")
    ]


def test_the_ladder_begins_and_ends_at_the_lesson_s_networks(keras):
    steps = ("small", "averaged", "normalised", "residual")
    assert form_of(ladder.ladder_cnn(32)) == form_of(models.baseline_cnn(32))
    top = ladder.ladder_cnn(32, **dict.fromkeys(steps, True))
    assert form_of(top) == form_of(models.residual_cnn(32))
    assert top.get_layer(index=4).scale == models.residual_cnn(32).get_layer(index=4).scale
    forms = [form_of(ladder.ladder_cnn(32, **{step: True})) for step in steps]
    assert all(form != form_of(models.baseline_cnn(32)) for form in forms)


@pytest.mark.parametrize(
    "build", [models.baseline_cnn, models.residual_cnn, models.xception_classifier]
)
def test_output_is_a_probability(keras, build):
    y = build(96).predict(pictures(96, 3), verbose=0)
    assert y.shape == (3, 1)
    assert y.dtype == np.float32
    assert ((y > 0) & (y < 1)).all()


def test_mixed_precision_is_for_training_only(keras):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = models.xception_classifier(72)
    finally:
        keras.config.set_dtype_policy("float32")
    assert mixed.layers[3].compute_dtype == "bfloat16"
    assert mixed.layers[-1].compute_dtype == "float32"  # P(fake) keeps its digits
    kernel, bias = mixed.layers[-1].get_weights()
    mixed.layers[-1].set_weights([kernel * 1e5, bias])  # features of random weights are tiny
    full = inference.in_float32(mixed)
    assert {layer.compute_dtype for layer in full.layers} == {"float32"}
    assert [layer.name for layer in full.layers[1:]] == [layer.name for layer in mixed.layers[1:]]
    x = pictures(72, 4)
    exact, rough = full.predict(x, verbose=0), mixed.predict(x, verbose=0)
    np.testing.assert_allclose(rough, exact, atol=0.03)
    assert (rough != exact).any()
    again = inference.in_float32(full)
    np.testing.assert_array_equal(again.predict(x, verbose=0), exact)


def test_a_few_steps_lower_the_loss(keras):
    keras.utils.set_random_seed(1)  # He-normal weights and dropout are drawn
    network = models.baseline_cnn(32)
    network.compile("nadam", "binary_crossentropy")
    x, y = pictures(32, 16), np.tile([0.0, 1.0], 8)
    x[y == 1] *= 0.3  # the planted artefact
    before = network.evaluate(x, y, verbose=0)  # without dropout, whose noise would hide the trend
    network.fit(x, y, epochs=40, batch_size=16, verbose=0)
    assert network.evaluate(x, y, verbose=0) < 0.5 * before


def moved(keras, network, seed=0):
    """Give every batch normalisation other numbers than those it starts with."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2, value.shape) for value in layer.get_weights()])
    return network


@pytest.mark.parametrize("name", ["Xception", "InceptionV3"])  # separable ones; no gamma
def test_folding_changes_nothing_and_leaves_no_normalisation(keras, name):
    build = getattr(keras.applications, name)
    network = moved(
        keras, build(include_top=False, weights=None, input_shape=(75, 75, 3), pooling="avg")
    )
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 75, 75, 3)).astype("float32")
    fast = inference.folded(network)
    expected = network.predict_on_batch(pictures)
    found = fast.predict_on_batch(pictures)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert not [x for x in fast.layers if isinstance(x, keras.layers.BatchNormalization)]


def test_folding_spares_a_convolution_that_others_use(keras):
    inputs = keras.layers.Input((8, 8, 3))
    shared = keras.layers.Conv2D(4, 3, bias_initializer="ones")(inputs)
    curved = keras.layers.Conv2D(4, 1, activation="relu")(shared)
    normal = keras.layers.BatchNormalization()
    outputs = [normal(shared), keras.layers.BatchNormalization()(curved)]
    network = moved(keras, keras.Model(inputs, keras.layers.Concatenate()(outputs)))
    pictures = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 3)).astype("float32")
    fast = inference.folded(network)
    found, expected = (x.predict_on_batch(pictures) for x in (fast, network))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert sum(isinstance(x, keras.layers.BatchNormalization) for x in fast.layers) == 2


def test_folding_takes_a_bias_along(keras):
    inputs = keras.layers.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, bias_initializer="ones")(inputs)
    network = moved(keras, keras.Model(inputs, keras.layers.BatchNormalization()(x)))
    pictures = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 3)).astype("float32")
    found, expected = (x.predict_on_batch(pictures) for x in (inference.folded(network), network))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_folding_takes_a_stack_of_layers(keras):
    layers = keras.layers
    network = moved(
        keras,
        keras.Sequential(
            [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()]
        ),
    )
    pictures = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 3)).astype("float32")
    fast = inference.folded(network)
    found, expected = (x.predict_on_batch(pictures) for x in (fast, network))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not [x for x in fast.layers if isinstance(x, layers.BatchNormalization)]
    plain = models.baseline_cnn(32)  # nothing to fold: still a copy that scores the same
    x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    found, expected = (y.predict_on_batch(x) for y in (inference.folded(plain), plain))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_block_table_counts_every_layer_and_weight_once(keras, xception):
    table = models.block_table(xception)
    assert list(table.index) == [*map(str, range(1, 15)), "head"]
    assert table["weights"].sum() == xception.count_params()
    assert table["layers"].sum() == len(xception.layers) - 1  # the rescaling is not Xception's
    assert table.loc["7", "first layer"] == 56  # where the article's second stage begins
    assert table["trained"].to_dict() == {**dict.fromkeys(table.index, 0), "head": 2049}
    network = models.xception_classifier(96, last=models.OUR_LAST)
    models.unfreeze_from(network, network.layers[0].name)
    trained = models.block_table(network)["trained"]
    assert trained.sum() == sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    assert (trained.drop("11") > 0).all()  # of block 11 there is the activation that begins it
