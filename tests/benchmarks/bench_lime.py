"""LIME beside the plain `lime` package: same network, picture, pieces, samples and batch size.

    python -m tests.benchmarks.bench_lime [--samples 1000] [--size 128] [--batch 32] [--rounds 1]

Prints seconds, CPU seconds, their ratios, the largest difference of the two explanations, and the
peak memory of ours for a tenth of the samples and for all, each in a process of its own.
"""

import argparse
import os
import time

import numpy as np

from nbhelpers import results
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
        cut = quickshift(
            image.astype("float64") / 255, kernel_size=4, max_dist=200, ratio=0.2, rng=seed
        )
        return np.unique(cut, return_inverse=True)[1].reshape(cut.shape)

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
    """Return an Xception with random weights, warmed up, and a picture of smooth noise."""
    import cv2
    import keras

    from nbhelpers import models

    keras.utils.set_random_seed(0)
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3)).astype("float32")
    picture = 127 + 5 * (cv2.GaussianBlur(noise, (0, 0), 5) - 127)
    return models.xception_classifier(size, weights=None), np.clip(picture, 0, 255)


def timed(function):
    """Return the result, seconds and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def peak_mib(size, samples, batch_size):
    """Return the peak memory of this process, MiB, after one explanation."""
    from nbhelpers import explain

    model, picture = make(size)
    explain.lime_explanation(model, picture, samples=samples, batch_size=batch_size)
    return results.peak_memory_mb()


def compare(size, samples, batch_size, rounds):
    """Time both in turns, so that a busy machine is fair to both."""
    from nbhelpers import explain

    model, picture = make(size)
    common = {"samples": samples, "batch_size": batch_size, "seed": 42}
    explain.lime_explanation(model, picture, samples=2 * batch_size, batch_size=batch_size)
    seconds = {"ours": [], "plain": []}
    for _ in range(rounds):
        plain, *spent = timed(lambda: plainly(model, picture, **common))
        seconds["plain"].append(spent)
        ours, *spent = timed(lambda: explain.lime_explanation(model, picture, **common))
        seconds["ours"].append(spent)
    best = {name: np.min(values, axis=0) for name, values in seconds.items()}
    for name, (wall, cpu) in best.items():
        print(f"{name:>6}: {wall:7.1f} s, {cpu:7.1f} CPU s")
    wall, cpu = best["ours"] / best["plain"]
    print(f" ratio: {wall:7.2f}    {cpu:7.2f}      (ours / plain)")
    first, second = dict(ours.local_exp[1]), dict(plain.local_exp[1])
    print(f"largest difference of a weight: {max(abs(first[k] - second[k]) for k in first):.1e}")


def explaining(sizes: Sizes) -> list[dict]:
    """One picture explained, beside the plain package; the two explanations are compared first."""
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
    return [
        measure.row(
            f"LIME, one picture, {sizes.samples:,} samples",
            "the plain `lime` package",
            in_turn(ours, theirs, pairs=sizes.pairs),
            unit="s",
            target=">= 1",
            equal=equal,
        )
    ]


def main():
    """Read the command line, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in {"samples": 1000, "size": 128, "batch": 32, "rounds": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for samples in (given.samples // 10, given.samples):
        peak = measure.alone(peak_mib, given.size, samples, given.batch)
        print(f"peak memory with {samples:5d} samples: {peak:.0f} MiB")
    compare(given.size, given.samples, given.batch, given.rounds)


if __name__ == "__main__":
    main()
