"""Methods that explain one score of a detector as a map over the picture.

One interface: ``method(model, image, *, …) -> float32 (H, W)``, where ``model`` takes
``float32 (B, H, W, 3)`` RGB 0-255 and returns P(fake) from one sigmoid unit, and ``image`` is
``(H, W, 3)`` RGB 0-255 of the model's own input size. Positive values are evidence for FAKE.
Maps are not normalised: each docstring states the unit.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from nbhelpers.common import threads

if TYPE_CHECKING:
    import keras
    from lime.lime_image import ImageExplanation

#: The colour of hidden pixels: mid-grey, the value 0 after Xception's scaling to [-1, 1].
GREY = 127.5


def _checked(model: keras.Model, image: np.ndarray) -> np.ndarray:
    image = np.asarray(image, dtype="float32")
    expected = tuple(model.input_shape[1:])
    if image.shape != expected:
        raise ValueError(
            f"Expected a picture of the model's input shape {expected}; received {image.shape}. "
            "Read it with images.read_image(path, size=...)."
        )
    if image.max() <= 1.0:
        raise ValueError(
            f"Expected RGB values 0-255; received a maximum of {image.max():.3g}. "
            "Do not rescale: the networks do so internally."
        )
    return image


def _two_at_once(score: Callable, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Score batches in order, with at most two of them in memory."""
    return threads.in_order(score, batches, workers=2, ahead=1)


def p_fake(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """Score one batch of pictures held in memory.

    Args:
        model: a detector.
        pictures: ``(B, H, W, 3)`` RGB 0-255.

    Returns:
        P(fake), ``float32 (B,)``.
    """
    return model.predict_on_batch(np.asarray(pictures, "float32"))[:, 0]


@functools.lru_cache(maxsize=4)  # tracing takes many times longer than running
def _gradient_of_logit(model: keras.Model, layer_name: str) -> Callable:
    """Compile: pictures -> gradient of the logit with respect to a layer's output, and the output.

    With "" for the layer, the gradient is with respect to the pictures. The logit is used instead
    of P(fake) because a saturated sigmoid has no gradient. Weights are read at run time, so the
    function stays valid when the model is trained further.
    """
    import keras
    import tensorflow as tf

    head = model.layers[-1]
    watched = model.get_layer(layer_name).output if layer_name else head.input
    before_head = keras.Model(model.inputs[0], [watched, head.input])

    @tf.function(reduce_retracing=True)
    def gradient(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)  # records all later layers, frozen ones included
            output, pooled = before_head(pictures, training=False)
            logit = tf.matmul(pooled, head.kernel) + head.bias
        return tape.gradient(logit, output if layer_name else pictures), output

    return gradient


def grad_cam(model: keras.Model, image: np.ndarray, *, layer_name: str = "") -> np.ndarray:
    """Weight the feature maps of a layer by the gradient of the logit (Grad-CAM).

    Args:
        model: a detector whose layers are not nested.
        image: ``(H, W, 3)`` RGB 0-255.
        layer_name: a layer with ``(B, h, w, C)`` output; "" takes the last before pooling.

    Returns:
        ``float32 (H, W)`` >= 0, in logits per unit of feature, resized from (h, w).

    Raises:
        ValueError: wrong picture shape or range, or no such layer.

    Source:
        Selvaraju et al., "Grad-CAM", ICCV 2017.
    """
    import cv2
    import keras
    import tensorflow as tf

    image = _checked(model, image)
    spatial = [
        layer.name
        for layer in model.layers
        if len(layer.output.shape) == 4 and not isinstance(layer, keras.layers.InputLayer)
    ]
    layer_name = layer_name or (spatial[-1] if spatial else "")
    if layer_name not in spatial:
        raise ValueError(
            f"Expected a layer with a (B, h, w, C) output; received {layer_name!r}. "
            f"The last such layer is {spatial[-1]!r}."
            if spatial
            else "Expected a network with feature maps; received one without. Use another method."
        )
    gradient, features = _gradient_of_logit(model, layer_name)(tf.constant(image[None]))
    weights = tf.reduce_mean(gradient[0], axis=(0, 1))
    cam = np.asarray(tf.nn.relu(tf.reduce_sum(features[0] * weights, axis=-1)), "float32")
    height, width = image.shape[:2]
    return cv2.resize(cam, (width, height), interpolation=cv2.INTER_LINEAR)


def occlusion(
    model: keras.Model,
    image: np.ndarray,
    *,
    patch: int = 32,
    stride: int = 16,
    fill: float = GREY,
    batch_size: int = 32,
) -> np.ndarray:
    """Cover one patch after the other and measure the drop of P(fake).

    Args:
        model: a detector.
        image: ``(H, W, 3)`` RGB 0-255.
        patch: height and width of the cover, pixels.
        stride: step between covers, pixels; at most `patch`, so that no pixel is missed.
        fill: value of the cover, 0-255.
        batch_size: covered pictures scored at once; limits the memory.

    Returns:
        ``float32 (H, W)`` in [-1, 1]: mean drop of P(fake) over the patches that covered a pixel.

    Raises:
        ValueError: wrong picture shape or range, or ``stride > patch``.

    Source:
        Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
    """
    image = _checked(model, image)
    if not 1 <= stride <= patch:
        raise ValueError(f"Expected 1 <= stride <= patch; received stride {stride}, patch {patch}.")
    height, width = image.shape[:2]
    corners = list(itertools.product(_starts(height, patch, stride), _starts(width, patch, stride)))
    before = p_fake(model, image[None])[0]
    fall = np.zeros((height, width))
    times = np.zeros((height, width))

    def covered(chunk):
        pictures = np.repeat(image[None], len(chunk), axis=0)
        for picture, (top, left) in zip(pictures, chunk, strict=True):
            picture[top : top + patch, left : left + patch] = fill
        return pictures

    batches = map(covered, _chunks(corners, batch_size))
    scores = itertools.chain.from_iterable(_two_at_once(functools.partial(p_fake, model), batches))
    for score, (top, left) in zip(scores, corners, strict=True):
        fall[top : top + patch, left : left + patch] += before - score
        times[top : top + patch, left : left + patch] += 1
    return (fall / times).astype("float32")


def _starts(length: int, patch: int, stride: int) -> list[int]:
    """Return where patches begin; the last one ends at the edge."""
    last = max(0, length - patch)
    return sorted({*range(0, last, stride), last})


def _chunks(items: list, size: int) -> Iterator[list]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def integrated_gradients(
    model: keras.Model,
    image: np.ndarray,
    *,
    steps: int = 16,
    baseline: float = GREY,
    batch_size: int = 8,
) -> np.ndarray:
    """Sum the gradient of the logit along the straight line from a grey picture to this one.

    Args:
        model: a detector.
        image: ``(H, W, 3)`` RGB 0-255.
        steps: points on the line (midpoint rule).
        baseline: grey value of the picture at the start of the line, 0-255.
        batch_size: points computed at once; limits the memory.

    Returns:
        ``float32 (H, W)``, in logits, summed over the three channels. The map adds up to about the
        logit of the picture minus that of the grey one (completeness).

    Raises:
        ValueError: wrong picture shape or range.

    Source:
        Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017.
    """
    import tensorflow as tf

    image = _checked(model, image)
    gradient = _gradient_of_logit(model, "")
    start = np.full_like(image, baseline)
    alphas = list((np.arange(steps) + 0.5) / steps)
    total = np.zeros_like(image)
    for chunk in _chunks(alphas, batch_size):
        points = np.stack([start + alpha * (image - start) for alpha in chunk])
        total += gradient(tf.constant(points))[0].numpy().sum(axis=0)
    return ((image - start) * total / steps).sum(axis=-1).astype("float32")


def lime(model: keras.Model, image: np.ndarray, *, samples: int = 1000, **options) -> np.ndarray:
    """Fit a linear model of P(fake) to the visibility of picture segments (LIME).

    Args:
        model: a detector.
        image: ``(H, W, 3)`` RGB 0-255.
        samples: pictures with random segments hidden.
        **options: `segmentation`, `segments`, `hide`, `seed`, `batch_size`, `progress` of
            `lime_explanation`.

    Returns:
        ``float32 (H, W)``: the weight of each pixel's segment, in P(fake).

    Raises:
        ValueError: wrong picture shape or range, or unknown segmentation.

    Source:
        Ribeiro et al., "Why Should I Trust You?", KDD 2016.
    """
    explanation = lime_explanation(model, image, samples=samples, **options)
    heat = np.zeros(explanation.segments.shape, "float32")
    for segment, weight in explanation.local_exp[1]:
        heat[explanation.segments == segment] = weight
    return heat


def lime_explanation(
    model: keras.Model,
    image: np.ndarray,
    *,
    samples: int = 1000,
    segmentation: str = "quickshift",
    segments: int = 40,
    hide: float = GREY,
    seed: int = 42,
    batch_size: int = 32,
    progress: bool = False,
) -> ImageExplanation:
    """Run the `lime` package on a detector with one output.

    Args:
        model: a detector.
        image: ``(H, W, 3)`` RGB 0-255.
        samples: pictures with random segments hidden.
        segmentation: "quickshift" (lime's default, follows colours), "slic" (pieces of similar size
            that follow edges) or "grid" (squares).
        segments: approximate number of pieces, for "slic" and "grid".
        hide: value of hidden segments, 0-255.
        seed: of the segmentation, the samples and the linear model.
        batch_size: pictures scored at once. Memory does not depend on `samples`.
        progress: show a progress bar.

    Returns:
        lime's explanation with labels 0 (REAL) and 1 (FAKE); call its
        ``get_image_and_mask(1, positive_only=True, hide_rest=True, num_features=5)``.

    Raises:
        ValueError: wrong picture shape or range, or unknown segmentation.
    """
    image = _checked(model, image)
    pieces = _segments(image, segmentation, segments, seed)

    def both_classes(pictures: np.ndarray) -> np.ndarray:
        fake = p_fake(model, pictures)
        return np.stack([1 - fake, fake], axis=1)  # LIME expects one column per class

    model.make_predict_function()  # now, not in two threads at once
    explainer = _fast_explainer(seed, progress)
    # The segments are computed already; lime keeps the picture only for its own figures.
    return explainer.explain_instance(
        image,
        both_classes,
        labels=(1,),
        top_labels=None,
        hide_color=hide,
        num_samples=samples,
        batch_size=batch_size,
        segmentation_fn=lambda _: pieces,
        random_seed=seed,
    )


def _segments(image: np.ndarray, segmentation: str, count: int, seed: int) -> np.ndarray:
    """Segment the picture; return int (H, W) with consecutive labels 0, 1, …."""
    from skimage import segmentation as skimage_segmentation

    scaled = image.astype("float64") / 255
    cutters: dict[str, Callable[[], np.ndarray]] = {
        "quickshift": lambda: skimage_segmentation.quickshift(
            scaled, kernel_size=4, max_dist=200, ratio=0.2, rng=seed
        ),
        "slic": lambda: skimage_segmentation.slic(scaled, n_segments=count, start_label=0),
        "grid": lambda: _grid(image.shape[:2], count),
    }
    if segmentation not in cutters:
        raise ValueError(
            f"Expected one of the segmentations {sorted(cutters)}; received {segmentation!r}."
        )
    pieces = cutters[segmentation]()
    return np.unique(pieces, return_inverse=True)[1].reshape(pieces.shape)


def _grid(shape: tuple[int, int], count: int) -> np.ndarray:
    side = max(1, round(count**0.5))
    rows = np.arange(shape[0]) * side // shape[0]
    columns = np.arange(shape[1]) * side // shape[1]
    return rows[:, None] * side + columns[None, :]


def _fast_explainer(seed: int, progress: bool):
    """Return lime's explainer, sped up: look-up instead of a double loop, two batches at once."""
    from lime.lime_image import LimeImageExplainer
    from tqdm.auto import tqdm

    class FastExplainer(LimeImageExplainer):
        def data_labels(
            self, image, fudged_image, segments, classifier_fn, num_samples, batch_size=10
        ):
            shape = (num_samples, segments.max() + 1)
            visible = self.random_state.randint(0, 2, shape)
            visible[0] = 1  # the first sample is the picture itself
            starts = range(0, num_samples, batch_size)

            def hidden(start):
                is_visible = visible[start : start + batch_size].astype(bool)[:, segments]
                return np.where(is_visible[..., None], image, fudged_image)

            scores = _two_at_once(classifier_fn, map(hidden, starts))
            bar = tqdm(scores, "LIME", len(starts), disable=not progress, leave=False)
            return visible, np.concatenate(list(bar))

    return FastExplainer(random_state=seed)


def randomised(model: keras.Model, *, seed: int = 42) -> keras.Model:
    """Return a copy of a network with shuffled weights, for sanity checks of methods.

    A method whose map stays the same for such a network explains the picture, not the model. The
    values within every kernel are permuted; biases and normalisation stay. The signal therefore
    keeps its magnitude through many layers, and different pictures still get different scores.
    With newly drawn weights they hardly would, and a flat map would pass the check undeservedly.

    Args:
        model: a detector.
        seed: of the shuffle.

    Returns:
        A model of the same architecture; the given one is not changed.

    Source:
        Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
    """
    import keras

    rng = np.random.default_rng(seed)
    copy = keras.models.clone_model(model)
    copy.set_weights(
        [
            rng.permutation(value.ravel()).reshape(value.shape) if value.ndim > 1 else value
            for value in model.get_weights()
        ]
    )
    return copy
