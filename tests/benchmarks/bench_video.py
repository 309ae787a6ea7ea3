"""Rows about clips: clip -> features, the store, decoding, the encoder's share of the machine.

Clips are made on the spot: H.264, moving, with some noise. Weights are random: they do not change
the time, and features are compared first.

Tried and not kept, since it did not win by 1.3: other programs for the encoder. InceptionV3, 20
pictures, float32, features equal to 4e-7, medians of CPU seconds on two busy cores, against the
network as Keras calls it in a process of its own: OpenVINO 2026.4 0.9 times as fast, ONNX Runtime
1.32 0.7 times; in one process and in turn: TensorFlow's frozen graph 1.1 times. Kept:
`inference.folded`, 1.1 times as fast, which needs nothing more. The row `encoder` shows how
little there is to gain.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from nbhelpers.features import encoders, extraction
from nbhelpers.media import video
from nbhelpers.media.ffmpeg import program
from nbhelpers.reporting import environment
from tests.benchmarks import article, measure
from tests.benchmarks.measure import Sizes, check_equal, in_turn

FRAMES = article.MAX_SEQ_LENGTH
THREADS = os.cpu_count()  # what OpenCV's decoder takes by itself; ffmpeg is told the same


def make_clips(folder: Path, count: int, sizes: Sizes, *, seconds: float = 0) -> pd.DataFrame:
    """Write clips of 30 frames a second; return their table."""
    paths = [Path(folder) / f"clip{number}.mp4" for number in range(count)]
    width, height = sizes.frame
    for number, path in enumerate(paths):
        source = f"testsrc2=size={width}x{height}:rate=30:duration={seconds or sizes.seconds}"
        source += f",noise=alls={6 + number % 8}:allf=t"
        ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *_CODING, path)
    return pd.DataFrame({"videoname": [p.name for p in paths], "path": [str(p) for p in paths]})


_CODING = ("-preset", "veryfast", "-crf", "28")


def ffmpeg(*arguments) -> None:
    """Run the ffmpeg that imageio-ffmpeg brings along."""
    command = [program(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


def make_encoder(sizes: Sizes) -> encoders.Encoder:
    """Build the encoder as `nbhelpers.features.extraction` does, with random weights."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((sizes.image_size, sizes.image_size, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)  # inception's preprocess_input
    if sizes.network == "tiny":
        last = keras.layers.Conv2D(4, 3, strides=2)(scaled)
    else:
        build = getattr(keras.applications, sizes.network)
        last = build(include_top=False, weights=None, input_tensor=scaled).output
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(last))
    dim = network.output_shape[-1]
    return encoders.Encoder(sizes.network, sizes.image_size, dim, "0", "random", True, network)


def clip_to_features(sizes: Sizes, *, how: str) -> dict:
    """The article's loop beside ours; with `how` "even" it predicts evenly spaced frames."""
    encoder = make_encoder(sizes)
    choose = None if how == "first" else lambda total: video.frame_indices(total, FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        table = make_clips(folder, sizes.clips, sizes)

        def ours() -> np.ndarray:
            options = {"frames": FRAMES, "how": how, "crop": "centre"}
            return extraction.extract(table, encoder, **options).arrays[0]

        def articles() -> np.ndarray:
            return article.prepare_all_videos(
                table["path"], encoder.network, sizes.image_size, choose
            )

        equal = check_equal(ours(), articles(), limit=1e-5)  # and warms both up
        measured = in_turn(ours, articles, pairs=sizes.pairs)
    return measure.row(
        f"{sizes.clips} clips -> features, `{how}`",
        "the article's loop",
        measured,
        unit="s",
        target=">= 5" if how == "first" else "",
        equal=equal,
    )


def first(sizes: Sizes) -> list[dict]:
    """The article's choice of frames."""
    return [clip_to_features(sizes, how="first")]


def even(sizes: Sizes) -> list[dict]:
    """Frames from all over the clip, which the article does not offer."""
    return [clip_to_features(sizes, how="even")]


def second_run(sizes: Sizes) -> list[dict]:
    """The same request again, answered by the store."""
    encoder, seconds = make_encoder(sizes), []
    with tempfile.TemporaryDirectory() as folder:
        table = make_clips(folder, sizes.clips, sizes)

        def run(number: int) -> np.ndarray:
            options = {"frames": FRAMES, "how": "first", "crop": "centre"}
            store = Path(folder) / f"store{number}"
            return extraction.extract(table, encoder, store=store, **options).arrays[0]

        equal = check_equal(run(0), run(0), limit=0)
        for number in range(1, sizes.pairs + 1):
            again = lambda number=number: run(number)  # noqa: E731
            made = measure.timed(again)[0]
            seconds.append((measure.timed(again)[0], made))
    measured = measure.summary(seconds)
    return [
        measure.row(
            "second run, from the store",
            "the first run",
            measured,
            unit="s",
            target=">= 100",
            equal=equal,
        )
    ]


def decoding(sizes: Sizes) -> list[dict]:
    """Even frames, decode only, beside ffmpeg that decodes the clip to nothing."""
    with tempfile.TemporaryDirectory() as folder:
        table = make_clips(folder, sizes.clips, sizes)

        def ours() -> list[np.ndarray]:
            return [
                video.read_frames(
                    path,
                    count=FRAMES,
                    transform=lambda frame: video.centre_square(frame, size=sizes.image_size),
                ).pixels
                for path in table["path"]
            ]

        def to_nothing() -> None:
            for path in table["path"]:
                ffmpeg("-threads", THREADS, "-i", path, "-an", "-f", "null", "-")

        whole = article.load_video(table["path"][0], resize=(sizes.image_size,) * 2)
        chosen = whole[video.frame_indices(len(whole), FRAMES)]
        equal = check_equal(ours()[0], chosen, limit=0)
        measured = in_turn(
            ours, to_nothing, pairs=max(sizes.pairs, min(5, 2 * sizes.pairs)), inverse=True
        )
    return [
        measure.row(
            f"decoding {sizes.clips} clips for {FRAMES} even frames",
            "ffmpeg decoding them to nothing",
            measured,
            unit="s",
            target="<= 1.25",
            equal=equal,
            notes=[
                f"{THREADS} decoder threads on both sides; the ratio is of time, less is better"
            ],
        )
    ]


# ---------------------------------------------------------------- what the machine could give


def encoder_share(sizes: Sizes) -> list[dict]:
    """Operations a second of the batched encoder beside a large matrix product."""
    import tensorflow as tf

    encoder = make_encoder(sizes)
    shape = (FRAMES, sizes.image_size, sizes.image_size, 3)
    batch = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    operations = FRAMES * sum(map(_operations, encoder.network.layers))
    matrix = tf.random.stateless_normal((sizes.matrix, sizes.matrix), seed=(0, 0))

    def network() -> np.ndarray:
        return encoder.predict(batch)

    def product() -> np.ndarray:
        return tf.linalg.matmul(matrix, matrix).numpy()

    network(), product()
    measured = in_turn(network, product, pairs=max(5, sizes.pairs))
    ours = operations / measured["ours"] / 1e9
    theirs = 2 * sizes.matrix**3 / measured["theirs"] / 1e9
    faster = measured["theirs"] * operations / (2 * sizes.matrix**3)  # the same work as a product
    scale = faster / measured["theirs"]
    shares = {key: measured[key] * scale for key in ("ratio", "low", "high")}
    alone = _convolutions_alone(encoder.network, len(batch), max(3, sizes.pairs))
    return [
        measure.row(
            f"the encoder's arithmetic, batches of {FRAMES}",
            f"a {sizes.matrix} x {sizes.matrix} float32 matrix product",
            measured | {"ours": ours, "theirs": theirs} | shares,
            unit="GFLOP/s",
            convolutions_gflops=operations / alone / 1e9,
            notes=[where_it_goes(measured["ours"], alone, faster)],
        )
    ]


def where_it_goes(whole: float, alone: float, ideal: float) -> str:
    """One sentence: how the encoder's seconds divide.

    >>> where_it_goes(1.0, 0.75, 0.5)[:60]
    'of its time 50 % is the arithmetic at the speed of the produ'
    """
    return (
        f"of its time {ideal / whole:.0%} is the arithmetic at the speed of the product, "
        f"{(alone - ideal) / whole:.0%} is lost in convolutions that are smaller and thinner than "
        f"it, and {(whole - alone) / whole:.0%} goes to all between them (normalisation, ReLU, "
        "pooling, concatenation, calls)"
    ).replace("%", " %")


def _operations(layer) -> int:
    """Multiplications and additions of a convolution for one picture; other layers count as 0."""
    import keras

    if not isinstance(layer, keras.layers.Conv2D):
        return 0
    height, width = layer.output.shape[1:3]
    return 2 * int(np.prod(layer.kernel.shape)) * height * width


def _convolutions_alone(network, batch: int, repeats: int) -> float:
    """Seconds of the network's convolutions without all that stands between them."""
    import keras
    import tensorflow as tf

    total = 0.0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            pixels = tf.random.stateless_normal((batch, *layer.input.shape[1:]), seed=(0, 0))
            kernel = tf.convert_to_tensor(layer.kernel)
            options = {"strides": layer.strides, "padding": layer.padding.upper()}
            run = lambda p=pixels, k=kernel, o=options: tf.nn.conv2d(p, k, **o)  # noqa: E731
            run()
            total += min(measure.timed(run)[0] for _ in range(repeats))
    return total


# ---------------------------------------------------------------- growth


class MeanColour:
    """An encoder that costs nothing, so that what is left is ours."""

    name, image_size, dim, digest = "mean colour", 64, 3, "-"

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """Average over height and width."""
        return batch.mean(axis=(1, 2)).astype(np.float32)


def growth(sizes: Sizes) -> list[dict]:
    """Time and peak memory with more clips, with longer clips, and with one that is very long."""
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clips(folder, 1, sizes)["path"][0]
        base = max(2, sizes.clips // 2)
        more = [(f"{times} x clips", [clip] * (base * times)) for times in sizes.grow]
        longer = [
            (f"{times} x as long", [repeated(clip, Path(folder) / f"long{times}.mp4", times)])
            for times in sizes.grow
        ]
        rows = [_grown(kind, steps, sizes) for kind, steps in (("clips", more), ("length", longer))]
        times = max(1, round(60 * sizes.minutes / sizes.seconds))
        long = repeated(clip, Path(folder) / "long.mp4", times)
        seconds, peak = measure.alone(cost, [long], "face")
    measured = {"ours": peak, "theirs": 1500, "pairs": 1}
    measured |= dict.fromkeys(("ratio", "low", "high"), peak / 1500)
    name = f"peak memory, {FRAMES} even face frames of a clip of {sizes.minutes:g} minutes"
    rows.append(
        measure.row(
            name,
            "what it may take",
            measured,
            unit="MiB",
            target="<= 1",
            notes=[f"{sizes.frame[0]} x {sizes.frame[1]} pixels, {seconds:.0f} s in all"],
        )
    )
    return rows


def repeated(clip: str, to: Path, times: int) -> str:
    """Write a clip so many times in a row, without coding it again."""
    ffmpeg("-stream_loop", times - 1, "-i", clip, "-c", "copy", to)
    return str(to)


def cost(paths: list[str], crop: str = "centre") -> tuple[float, float]:
    """Seconds of turning clips into features, and the peak MiB of this process, to be run alone."""
    table = pd.DataFrame({"videoname": [f"{n}.mp4" for n in range(len(paths))], "path": paths})
    found = []
    seconds, _ = measure.timed(
        lambda: found.append(
            extraction.extract(table, MeanColour(), frames=FRAMES, how="even", crop=crop)
        )
    )
    if not found[0].mask.all():
        raise measure.DifferentError(f"Expected {FRAMES} frames of each of {len(paths)} clips.")
    return seconds, environment.peak_memory_mb()


def _grown(kind: str, steps: list[tuple[str, list[str]]], sizes: Sizes) -> dict:
    costs = [measure.alone(cost, paths) for _, paths in steps]
    (least, small), (most, large) = costs[0], costs[-1]
    times = sizes.grow[-1] / sizes.grow[0]
    measured = {"ours": large, "theirs": small, "pairs": 1}
    measured |= dict.fromkeys(("ratio", "low", "high"), large / small)
    return measure.row(
        f"peak memory, {times:g} times the {kind}",
        f"{steps[0][0]}",
        measured,
        unit="MiB",
        target="<= 1.1",
        time_ratio=most / least,
        points=[
            {"step": name, "seconds": seconds, "mib": mib}
            for (name, _), (seconds, mib) in zip(steps, costs, strict=True)
        ],
        notes=[f"time grew {most / least:.1f} times; a straight line is at most {times:g}"],
    )
