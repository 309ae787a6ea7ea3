"""How fast frames become features, beside the article's loop and beside ffmpeg; a plain script.

    python tests/benchmarks/bench_video.py [--clips 2] [--pairs 3] [--minutes 10] [--out FILE.json]

The two sides of a ratio run in turn, in one process, on the same clips; each ratio is the median
of the pairs. Clips are made on the spot: 1080p, 300 frames, H.264. Weights are random: they do not
change the time, and features are compared first.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
import pandas as pd

from nbhelpers import features, video

IMG_SIZE, MAX_SEQ_LENGTH, NUM_FEATURES = 224, 20, 2048  # as in the article
THREADS = os.cpu_count()  # what OpenCV's decoder takes by itself; ffmpeg is told the same
LIMITS = {"first": 5.0, "even decode": 1.25, "second run": 100.0, "memory": 1500.0}


# ---------------------------------------------------------------- the article's side


def crop_center_square(frame):
    y, x = frame.shape[0:2]
    min_dim = min(y, x)
    start_x = (x // 2) - (min_dim // 2)
    start_y = (y // 2) - (min_dim // 2)
    return frame[start_y : start_y + min_dim, start_x : start_x + min_dim]


def load_video(path, max_frames=0, resize=(IMG_SIZE, IMG_SIZE)):
    cap = cv2.VideoCapture(path)
    frames = []
    try:
        while True:
            ret, frame = cap.read()
            if not ret:
                break
            frame = crop_center_square(frame)
            frame = cv2.resize(frame, resize)
            frame = frame[:, :, [2, 1, 0]]
            frames.append(frame)
            if len(frames) == max_frames:
                break
    finally:
        cap.release()
    return np.array(frames)


def prepare_all_videos(paths, feature_extractor):
    """The article's loop: the whole clip is decoded, and every frame is predicted alone."""
    frame_features = np.zeros((len(paths), MAX_SEQ_LENGTH, NUM_FEATURES), "float32")
    for idx, path in enumerate(paths):
        frames = load_video(path)[None, ...]
        for batch in frames:
            length = min(MAX_SEQ_LENGTH, batch.shape[0])
            for j in range(length):
                frame_features[idx, j, :] = feature_extractor.predict(batch[None, j, :], verbose=0)
    return frame_features


# ---------------------------------------------------------------- measuring


def timed(work):
    """What the work returns, its wall seconds, and its CPU seconds with those of children."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = work()
    return result, time.perf_counter() - wall, cpu_seconds() - cpu


def cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def pairs_of(one, other, count):
    """Medians over pairs of (wall ratio, CPU ratio) of one to other, and both median walls."""
    walls, cpus, ones, others = [], [], [], []
    for _ in range(count):
        _, wall_one, cpu_one = timed(one)
        _, wall_other, cpu_other = timed(other)
        walls.append(wall_one / wall_other)
        cpus.append(cpu_one / max(cpu_other, 1e-3))
        ones.append(wall_one)
        others.append(wall_other)
    return {
        "ratio": statistics.median(walls),
        "cpu_ratio": statistics.median(cpus),
        "seconds": [statistics.median(ones), statistics.median(others)],
        "pairs": count,
    }


def make_clips(folder, count):
    """1080p, 300 frames, moving, with some noise, as a camera gives it."""
    paths = []
    for number in range(count):
        path = folder / f"clip{number}.mp4"
        source = f"testsrc2=size=1920x1080:rate=30:duration=10,noise=alls={6 + number}:allf=t"
        command = [video.ffmpeg(), "-v", "error", "-y", "-f", "lavfi", "-i", source]
        command += ["-pix_fmt", "yuv420p", "-preset", "veryfast", "-crf", "28", str(path)]
        subprocess.run(command, check=True)
        paths.append(path)
    return paths


def decode_to_nothing(paths):
    for path in paths:
        command = [video.ffmpeg(), "-v", "error", "-nostdin", "-threads", str(THREADS)]
        subprocess.run([*command, "-i", str(path), "-an", "-f", "null", "-"], check=True)


LONG = """
import resource, sys
import numpy as np, pandas as pd
from nbhelpers import features

class MeanColour:
    name, image_size, dim, digest = "mean colour", 224, 3, "-"
    def predict(self, batch):
        return batch.mean(axis=(1, 2)).astype(np.float32)

table = pd.DataFrame({"videoname": ["long"], "path": [sys.argv[1]]})
found = features.extract(table, MeanColour(), frames=20, how="even", crop=sys.argv[2])
assert found.mask.all()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak_of_long_clip(path, folder, minutes, crop):
    """MiB of a process that takes 20 even frames of a clip of so many minutes."""
    long = folder / "long.mp4"
    command = [video.ffmpeg(), "-v", "error", "-y", "-stream_loop", str(6 * minutes - 1)]
    subprocess.run([*command, "-i", str(path), "-c", "copy", str(long)], check=True)
    command = [sys.executable, "-c", LONG, str(long), crop]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# ---------------------------------------------------------------- the four claims


def run(folder, *, clips, pairs, minutes):
    paths = make_clips(folder, clips)
    table = pd.DataFrame({"videoname": [p.name for p in paths], "path": [str(p) for p in paths]})
    keras.utils.set_random_seed(0)
    inputs = keras.Input((IMG_SIZE, IMG_SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)  # inception's preprocess_input
    base = keras.applications.InceptionV3(include_top=False, weights=None, input_tensor=scaled)
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(base.output))
    encoder = features.Encoder("InceptionV3", IMG_SIZE, 2048, "0", "random", True, network)

    def ours(store=None):
        options = {"frames": MAX_SEQ_LENGTH, "how": "first", "crop": "centre", "store": store}
        return features.extract(table, encoder, **options).arrays[0]

    def articles():
        return prepare_all_videos(table["path"], network)

    theirs = articles()  # also warms both sides up
    # as a share of the largest feature
    gap = float(np.abs(theirs - ours()).max() / np.abs(theirs).max())
    results = {"gap": gap, "first": pairs_of(articles, ours, pairs)}

    def even():
        for path in paths:
            square = lambda frame: video.centre_square(frame, size=IMG_SIZE)  # noqa: E731
            video.read_frames(path, count=MAX_SEQ_LENGTH, transform=square)

    results["even decode"] = pairs_of(even, lambda: decode_to_nothing(paths), max(pairs, 5))
    stores = iter(range(pairs))
    first, second = [], []
    for number in stores:
        store = folder / f"store{number}"
        first.append(timed(lambda store=store: ours(store))[1])
        second.append(timed(lambda store=store: ours(store))[1])
    ratios = [one / other for one, other in zip(first, second, strict=True)]
    medians = [statistics.median(first), statistics.median(second)]
    results["second run"] = {"ratio": statistics.median(ratios), "seconds": medians, "pairs": pairs}
    if minutes:
        crops = ("centre", "face")
        peaks = {crop: peak_of_long_clip(paths[0], folder, minutes, crop) for crop in crops}
        results["memory"] = {"MiB": peaks, "minutes": minutes}
    return results


def report(results):
    """Lines of a table: claim, measured, wanted."""
    yield f"features, article's against ours: they differ by {results['gap']:.1e} at most (<= 1e-5)"
    for name, sign in (("first", ">="), ("even decode", "<="), ("second run", ">=")):
        one = results[name]
        seconds = " : ".join(f"{value:.3f} s" for value in one["seconds"])
        cpu = f", CPU {one['cpu_ratio']:.2f}" if "cpu_ratio" in one else ""
        yield f"{name:12} {one['ratio']:8.2f} ({sign} {LIMITS[name]:g}){cpu}   {seconds}"
    if "memory" in results:
        for crop, peak in results["memory"]["MiB"].items():
            yield f"memory, {crop:6} {peak:6.0f} MiB (<= {LIMITS['memory']:g})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--minutes", type=int, default=10, help="of the long clip; 0 leaves it out")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    sizes = {"clips": arguments.clips, "pairs": arguments.pairs, "minutes": arguments.minutes}
    with tempfile.TemporaryDirectory() as folder:
        results = run(Path(folder), **sizes)
    print(f"{arguments.clips} clips of 1080p, 300 frames; {THREADS} decoder threads on both sides")
    print("\n".join(report(results)))
    if arguments.out:
        arguments.out.write_text(json.dumps(results | {"threads": THREADS}, indent=1) + "\n")


if __name__ == "__main__":
    main()
