"""Explanations: a planted network whose evidence is known, and measures on hand-made maps."""

import tracemalloc

import numpy as np
import pytest

from nbhelpers import explain
from nbhelpers.data import locate, manifest
from nbhelpers.media import images

SIZE = 64
PATCH = (slice(8, 24), slice(40, 56))  # off centre


@pytest.fixture(scope="module")
def red_detector():
    """P(fake) rises with the number of red pixels; nothing else counts."""
    import keras
    from keras import layers

    inputs = layers.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    redness = layers.Conv2D(1, 1, activation="relu", name="redness")
    x = layers.GlobalAveragePooling2D()(redness(x))
    head = layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, head(x))
    redness.set_weights([np.array([[[[1.0], [-1.0], [-1.0]]]]), np.array([-0.2])])
    head.set_weights([np.array([[120.0]]), np.array([-3.0])])
    return model


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    pixels = rng.integers(80, 120, (SIZE, SIZE, 3)).astype("uint8")
    pixels[PATCH] = (250, 10, 10)
    return pixels


@pytest.fixture(scope="module")
def mask():
    truth = np.zeros((SIZE, SIZE), bool)
    truth[PATCH] = True
    return truth


METHODS = {
    "grad_cam": lambda model, image: explain.grad_cam(model, image),
    "occlusion": lambda model, image: explain.occlusion(model, image, patch=8, stride=4),
    "integrated_gradients": lambda model, image: explain.integrated_gradients(model, image),
    "lime": lambda model, image: explain.lime(
        model, image, samples=200, segmentation="grid", segments=64
    ),
}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_points_at_the_evidence(name, red_detector, picture, mask):
    heat = METHODS[name](red_detector, picture)
    assert heat.shape == mask.shape
    assert heat.dtype == np.float32
    assert explain.pointing_hit(heat, mask) == 1.0
    energy = explain.energy_inside(heat, mask)
    assert energy > 0.5
    assert energy > 2 * explain.energy_inside(explain.centre_prior(mask.shape), mask)
    assert explain.iou_at_mask_area(heat, mask) > 0.5


@pytest.fixture(scope="module")
def place_detector():
    """P(fake) rises with the brightness of one patch; the picture around it does not count."""
    import keras
    from keras import layers

    only_there = np.zeros((SIZE, SIZE, 1), "float32")
    only_there[PATCH] = 1
    inputs = layers.Input((SIZE, SIZE, 3))
    brightness = layers.Conv2D(1, 1, kernel_initializer="ones")
    x = brightness(layers.Rescaling(1 / 765)(inputs))
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(only_there)(x))
    head = layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, head(x))
    head.set_weights([np.array([[120.0]]), np.array([-4.0])])
    return model


def noise_picture(seed):
    """Bright noise: no place stands out, so only the network can know one."""
    return np.random.default_rng(seed).integers(150, 250, (SIZE, SIZE, 3)).astype("uint8")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_knows_a_place_that_the_picture_does_not_show(name, place_detector, mask):
    for seed in range(3):
        heat = METHODS[name](place_detector, noise_picture(seed))
        assert explain.pointing_hit(heat, mask) == 1.0
        assert explain.energy_inside(heat, mask) > 0.5


@pytest.fixture(scope="module")
def random_network():
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = layers.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 5, strides=2, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 5, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


@pytest.mark.parametrize("name", METHODS)
def test_of_a_random_network_no_method_points_there(name, random_network, mask):
    scores = []
    for seed in range(6):
        heat = METHODS[name](explain.randomised(random_network, seed=seed), noise_picture(seed))
        scores.append((explain.pointing_hit(heat, mask), explain.energy_inside(heat, mask)))
    pointing, energy = np.mean(scores, axis=0)
    assert pointing < 0.5  # chance is the mask's share, 1/16; the planted network gives 1
    assert energy < 0.25  # the planted network gives more than 0.5


def test_a_map_that_knows_nothing_does_not_point_there(mask):
    assert explain.pointing_hit(explain.centre_prior(mask.shape), mask) == 0.0
    hits = [explain.pointing_hit(explain.random_map(mask.shape, seed=s), mask) for s in range(40)]
    assert np.mean(hits) < 0.3  # chance is the mask's share, 1/16


def test_randomised_shuffles_kernels_and_keeps_the_rest(random_network):
    before = [value.copy() for value in random_network.get_weights()]
    first = explain.randomised(random_network, seed=3).get_weights()
    again = explain.randomised(random_network, seed=3).get_weights()
    for old, new, same, kept in zip(
        before, first, again, random_network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(old, kept)  # the model itself has not changed
        np.testing.assert_array_equal(new, same)
        np.testing.assert_array_equal(np.sort(old, axis=None), np.sort(new, axis=None))
        assert (old != new).any() == (old.ndim > 1)


def test_integrated_gradients_add_up_to_the_logit(red_detector, picture):
    def logit(pixels):
        p = float(explain.p_fake(red_detector, pixels[None])[0])
        return np.log(p / (1 - p))

    grey = np.full((SIZE, SIZE, 3), 127.5, "float32")
    heat = explain.integrated_gradients(red_detector, picture, steps=64)
    expected = logit(picture.astype("float32")) - logit(grey)
    assert heat.sum() == pytest.approx(expected, rel=0.02)


def test_curves_tell_a_faithful_map_from_its_opposite(red_detector, picture, mask):
    def score(pictures):
        return explain.p_fake(red_detector, pictures)

    good, bad = mask.astype("float32"), -mask.astype("float32")
    deletion = [
        explain.curve_area(explain.deletion_curve(score, picture, heat=heat))
        for heat in (good, bad)
    ]
    insertion = [
        explain.curve_area(explain.insertion_curve(score, picture, heat=heat))
        for heat in (good, bad)
    ]
    assert deletion[0] < 0.5 * deletion[1]
    assert insertion[0] > insertion[1]
    curve = explain.deletion_curve(score, picture, heat=good)
    assert curve[0] == pytest.approx(score(picture[None].astype("float32"))[0], abs=1e-5)


def test_judged_maps_get_what_the_single_measures_give(red_detector, picture, mask):
    def score(pictures):
        return explain.p_fake(red_detector, pictures)

    maps = {"truth": mask.astype("float32"), "noise": explain.random_map(mask.shape, seed=0)}
    rows = explain.measure_maps(score, picture, mask=mask, maps=maps, steps=4)
    assert [row["method"] for row in rows] == list(maps)
    for row, heat in zip(rows, maps.values(), strict=True):
        for name, curve in (
            ("deletion", explain.deletion_curve(score, picture, heat=heat, steps=4)),
            ("insertion", explain.insertion_curve(score, picture, heat=heat, steps=4)),
        ):
            assert row[name] == pytest.approx(explain.curve_area(curve), abs=1e-6)
        assert row["pointing"] == explain.pointing_hit(heat, mask)
        assert row["energy"] == explain.energy_inside(heat, mask)
        assert row["iou"] == explain.iou_at_mask_area(heat, mask)
    assert rows[0]["pointing"] == rows[0]["energy"] == rows[0]["iou"] == 1.0


def test_lime_is_seeded_and_batches_do_not_matter(red_detector, picture):
    options = {"samples": 64, "segmentation": "slic", "segments": 20}
    first = explain.lime(red_detector, picture, batch_size=7, **options)
    second = explain.lime(red_detector, picture, batch_size=64, **options)
    np.testing.assert_allclose(first, second, atol=1e-6)
    other = explain.lime(red_detector, picture, seed=1, **options)
    assert np.abs(first - other).max() > 1e-4


def test_lime_equals_the_package_called_plainly(red_detector, picture, monkeypatch):
    import lime.lime_image
    from lime.lime_image import LimeImageExplainer

    monkeypatch.setattr(lime.lime_image, "tqdm", lambda rows: rows)
    ours = explain.lime_explanation(
        red_detector, picture, samples=80, segmentation="grid", segments=16, seed=5
    )
    pieces = ours.segments
    plain = LimeImageExplainer(random_state=5).explain_instance(
        picture.astype("float32"),
        lambda x: np.stack([1 - (p := explain.p_fake(red_detector, x)), p], axis=1),
        labels=(1,),
        top_labels=None,
        hide_color=127.5,
        num_samples=80,
        batch_size=32,
        segmentation_fn=lambda _: pieces,
        random_seed=5,
    )
    assert dict(ours.local_exp[1]) == pytest.approx(dict(plain.local_exp[1]), abs=1e-5)
    shown, region = ours.get_image_and_mask(1, positive_only=True, num_features=1, hide_rest=True)
    assert shown.shape == picture.shape
    assert region.any()


class FreeNetwork:
    """A network that costs nothing, so that only LIME's own work is left."""

    input_shape = (None, 128, 128, 3)

    def make_predict_function(self):
        pass

    def predict_on_batch(self, pictures):
        return pictures[:, ::16, ::16].mean(axis=(1, 2, 3))[:, None] / 255


@pytest.fixture(scope="module")
def large_picture():
    return np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype("float32")


def test_memory_of_lime_does_not_grow_with_the_samples(large_picture):
    def peak(samples):
        tracemalloc.start()
        explain.lime(
            FreeNetwork(), large_picture, samples=samples, segmentation="grid", segments=16
        )
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(32)  # imports
    two_batches = 2 * 32 * large_picture.nbytes
    assert peak(1024) < two_batches + 2 * 1024**2  # a thousand pictures would take 190 MB


def test_lime_shows_its_progress_when_asked(red_detector, picture, capsys):
    explain.lime(red_detector, picture, samples=8, segmentation="grid", progress=True)
    assert "LIME" in capsys.readouterr().err
    explain.lime(red_detector, picture, samples=8, segmentation="grid")
    assert capsys.readouterr().err == ""


def test_lime_paints_hidden_pieces_in_the_colour_asked_for(picture):
    seen = []

    class Watching(FreeNetwork):
        input_shape = (None, SIZE, SIZE, 3)

        def predict_on_batch(self, pictures):
            seen.append(pictures.copy())
            return super().predict_on_batch(pictures)

    explain.lime(Watching(), picture, samples=16, segmentation="grid", segments=4, hide=200.0)
    pixels = np.concatenate(seen)
    np.testing.assert_array_equal(pixels[0], picture)  # the first sample hides nothing
    hidden = (pixels[1:] == 200.0).all(axis=-1)
    assert hidden.any()
    assert ((pixels[1:] == picture).all(axis=-1) | hidden).all()


@pytest.mark.parametrize("segmentation", ["quickshift", "slic", "grid"])
def test_pieces_are_numbered_without_gaps(segmentation, picture):
    from nbhelpers.explain.methods import _segments

    pieces = _segments(picture.astype("float32"), segmentation, 20, 0)
    assert pieces.shape == (SIZE, SIZE)
    np.testing.assert_array_equal(np.unique(pieces), np.arange(pieces.max() + 1))


def test_occlusion_covers_the_last_pixels(red_detector):
    plain = np.full((SIZE, SIZE, 3), 100, "uint8")
    plain[-3:, -3:] = (250, 0, 0)
    heat = explain.occlusion(red_detector, plain, patch=24, stride=20)
    assert heat[-1, -1] == heat.max() > 0


def test_bad_input_is_explained(red_detector, picture, mask):
    with pytest.raises(ValueError, match="input shape"):
        explain.grad_cam(red_detector, picture[:32])
    with pytest.raises(ValueError, match="0-255"):
        explain.occlusion(red_detector, picture / 255)
    with pytest.raises(ValueError, match="stride"):
        explain.occlusion(red_detector, picture, patch=8, stride=9)
    with pytest.raises(ValueError, match="segmentation"):
        explain.lime(red_detector, picture, segmentation="voronoi")
    with pytest.raises(ValueError, match="layer"):
        explain.grad_cam(red_detector, picture, layer_name="nowhere")
    with pytest.raises(ValueError, match="empty"):
        explain.pointing_hit(np.ones((4, 4)), np.zeros((4, 4), bool))
    with pytest.raises(ValueError, match="same shape"):
        explain.energy_inside(np.ones((4, 4)), np.ones((5, 5), bool))
    with pytest.raises(ValueError, match="NaN"):
        explain.pointing_hit(np.full((4, 4), np.nan), np.ones((4, 4), bool))


def test_measures_by_hand():
    mask = np.array([[True, False], [False, False]])
    assert explain.pointing_hit(np.ones((2, 2)), mask) == 0.25  # a tie counts by its share
    assert explain.energy_inside(-np.ones((2, 2)), mask) == 0.0
    assert explain.iou_at_mask_area(np.array([[2.0, 1.0], [0.0, 0.0]]), mask) == 1.0
    assert explain.iou_at_mask_area(np.array([[1.0, 2.0], [0.0, 0.0]]), mask) == 0.0
    assert explain.curve_area(np.array([1.0, 1.0, 0.0])) == pytest.approx(0.75)
    ramp = np.arange(6.0).reshape(2, 3)
    assert explain.rank_agreement(ramp, -ramp) == pytest.approx(-1)
    assert explain.rank_agreement(ramp, np.zeros((2, 3))) == 0.0
    assert explain.curve_area(np.linspace(0, 1, 5)) == pytest.approx(0.5)


def test_random_maps_score_chance(mask):
    maps = [explain.random_map(mask.shape, seed=seed, blur=3) for seed in range(60)]
    energy = np.mean([explain.energy_inside(heat, mask) for heat in maps])
    assert energy == pytest.approx(mask.mean(), abs=0.01)


def test_shift_agreement_knows_a_map_that_moves_along():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (32, 32, 3)).astype("uint8")

    def brightness(pixels):
        return pixels.mean(axis=-1)

    def fixed(pixels):
        return np.random.default_rng(1).random(pixels.shape[:2])

    moves = explain.shift_agreement(brightness, image, heat=brightness(image))
    stays = explain.shift_agreement(fixed, image, heat=fixed(image))
    assert moves == pytest.approx(1.0)
    assert abs(stays) < 0.2


@pytest.fixture(scope="module")
def face_pair():
    """A textured picture and a copy whose middle is another texture, both with some noise."""
    import cv2

    rng = np.random.default_rng(0)

    def texture():
        return cv2.GaussianBlur(rng.integers(0, 255, (128, 128, 3)).astype("float32"), (0, 0), 3)

    original = 4 * (texture() - 127) + 127
    fake = original.copy()
    fake[40:90, 50:100] = (4 * (texture() - 127) + 127)[40:90, 50:100]
    noisy = [
        np.clip(x + rng.normal(0, 2, x.shape), 0, 255).astype("uint8") for x in (fake, original)
    ]
    return noisy


def test_difference_mask_finds_the_region(face_pair):
    mask = explain.difference_mask(*face_pair)
    truth = np.zeros((128, 128), bool)
    truth[40:90, 50:100] = True
    assert (mask & truth).sum() / (mask | truth).sum() > 0.7


@pytest.mark.parametrize("size", [72, 128, 224])
def test_difference_mask_agrees_with_the_true_masks_of_the_sample(size):
    table = manifest.read(locate.project_root() / "data" / "sample" / "deepfake-faces").table
    originals = table.set_index("videoname")["path"]
    overlaps = []
    for row in table[table["label"] == "FAKE"].iloc[:30].itertuples():
        pair = [images.read_image(path, size=size) for path in (row.path, originals[row.original])]
        found, truth = explain.difference_mask(*pair), images.read_mask(row.mask_path, size=size)
        overlaps.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(overlaps) > 0.75  # the sample's cast fades in beyond the border of a mask
    assert min(overlaps) > 0.5


def test_difference_mask_refuses_what_is_no_pair(face_pair):
    fake, original = face_pair
    for wrong in (np.roll(fake, 3, axis=1), np.roll(fake, -3, axis=0), fake[::-1].copy()):
        with pytest.raises(explain.PairError, match="aligned"):
            explain.difference_mask(wrong, original)
    with pytest.raises(explain.PairError, match="too alike"):
        explain.difference_mask(original, original)
    with pytest.raises(explain.PairError, match="compression noise"):
        explain.difference_mask(fake, original, min_contrast=1000.0)
    with pytest.raises(explain.PairError, match="80%"):
        explain.difference_mask(255 - original, original, max_misfit=2)
    with pytest.raises(ValueError, match="same shape"):
        explain.difference_mask(fake, original[:64])
    with pytest.raises(ValueError, match="uint8"):
        explain.difference_mask(fake / 255, original / 255)


def test_frame_misfit_by_hand(face_pair):
    original = face_pair[1]
    assert explain.frame_misfit(original, original) == 0.0
    plain = np.full_like(original, 90)
    assert explain.frame_misfit(plain, plain + 2) == 1.0  # too plain to tell: moving does no harm
    # Columns of 0, 10, 20, ...: off by one, and by 2 and 0 (and 1, 1) after moving by one.
    ramp = np.repeat(np.arange(0, 160, 10, dtype="uint8")[None, :, None], 16, 0).repeat(3, 2)
    assert explain.frame_misfit(ramp, ramp + 10) == pytest.approx(1.0)
    assert explain.frame_misfit(ramp, ramp + 1) == pytest.approx(1 / np.mean([1, 1, 9, 11]))


def test_the_ten_lines_of_the_lesson_draw_the_map_of_the_package(red_detector, picture):
    import cv2
    import keras
    import nbformat
    import tensorflow as tf

    lesson = nbformat.read(locate.project_root() / "notebooks/04_explainability.ipynb", 4)
    (source,) = (cell.source for cell in lesson.cells if cell.source.startswith("def grad_cam("))
    names = {"cv2": cv2, "keras": keras, "tf": tf}
    exec(source, names)
    heat = names["grad_cam"](red_detector, picture)
    np.testing.assert_allclose(heat, explain.grad_cam(red_detector, picture), rtol=1e-5)
    assert heat.max() > 0
