"""LIME beside the plain `lime` package: same network, picture, pieces, samples and batch size."""

import numpy as np

from nbhelpers.reporting import environment
from tests.benchmarks import measure
from tests.benchmarks.measure import Sizes, check_equal, in_turn


def plainly(model, picture, *, samples, batch_size, seed):
    """Call the package as its manual does, the one output wrapped as two.

    It cuts the picture by quickshift as it would by itself, of a picture from 0 to 1 as ours does,
    so that both explain the same pieces.
    """
    from lime.lime_image import LimeImageExplainer
    from skimage.segmentation import quickshift

    def pieces(image):
        scaled = image.astype("float64") / 255
        return quickshift(scaled, kernel_size=4, max_dist=200, ratio=0.2, rng=seed)

    def both_classes(pictures):
        fake = model.predict_on_batch(np.asarray(pictures, "float32"))[:, 0]
        return np.stack([1 - fake, fake], axis=1)

    return LimeImageExplainer(random_state=seed).explain_instance(
        picture,
        both_classes,
        labels=(1,),
        top_labels=None,
        hide_color=127.5,
        num_samples=samples,
        batch_size=batch_size,
        segmentation_fn=pieces,
        random_seed=seed,
    )


def make(size):
    """Return an Xception with random weights, and a picture of smooth noise."""
    import cv2
    import keras

    from nbhelpers.networks import models

    keras.utils.set_random_seed(0)
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3)).astype("float32")
    picture = 127 + 5 * (cv2.GaussianBlur(noise, (0, 0), 5) - 127)
    return models.xception_classifier(size, weights=None), np.clip(picture, 0, 255)


def peak_mib(size, samples):
    """Return the peak memory of this process, MiB, after one explanation."""
    from nbhelpers import explain

    explain.lime_explanation(*make(size), samples=samples)
    return environment.peak_memory_mb()


def explaining(sizes: Sizes) -> list[dict]:
    """One picture explained, beside the plain package; the two explanations are compared first.

    Then the peak memory of ours with all samples, beside that with a tenth of them.
    """
    from nbhelpers import explain

    model, picture = make(sizes.train_size)
    common = {"batch_size": 32, "seed": 42}

    def ours(samples=sizes.samples):
        return explain.lime_explanation(model, picture, samples=samples, **common)

    def theirs(samples=sizes.samples):
        return plainly(model, picture, samples=samples, **common)

    few = min(100, sizes.samples)
    weights = [dict(side(few).local_exp[1]) for side in (ours, theirs)]
    equal = check_equal(*[[side[key] for key in sorted(side)] for side in weights], limit=1e-3)
    counts = (sizes.samples, sizes.samples // 10)
    peaks = [tuple(measure.alone(peak_mib, sizes.train_size, count) for count in counts)]
    return [
        measure.row(
            f"LIME, one picture, {sizes.samples:,} samples",
            "the plain `lime` package",
            in_turn(ours, theirs, pairs=sizes.pairs),
            unit="s",
            target=">= 1",
            equal=equal,
        ),
        measure.row(
            f"peak memory, LIME with {sizes.samples:,} samples",
            "with a tenth of them",
            measure.summary(peaks, inverse=True),
            unit="MiB",
            target="<= 1.1",
        ),
    ]
