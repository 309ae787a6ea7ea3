"""How long a large set of clips takes, from the seconds that one clip takes here; a plain script.

    python tests/benchmarks/scaling_model.py [--frames 6] [--size 128] [--repeats 9] [--out F]
    python tests/benchmarks/scaling_model.py --check [--workers 1 2 4] [--clips 48]

The first form times each stage of one clip in CPU seconds, in one process with one thread as a Ray
worker has, and prints the arithmetic for DFDC and for ten million clips. The second also carries
the work out over Ray on this machine, and holds a small simulation against the wall times. Clips
are made on the spot from the bundled sample: 1080p, 10 s, with DFDC's mean bit rate. Weights are
random: they do not change the time.
"""

import argparse
import hashlib
import heapq
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd

from nbhelpers.data import locate, manifest
from nbhelpers.features import cluster, encoders, extraction
from nbhelpers.features.store import Store
from nbhelpers.media import faces, ffmpeg, video

DFDC_CLIPS, DFDC_BYTES, DFDC_SECONDS = 119_154, 471e9, 10
SETS = {"DFDC": DFDC_CLIPS, "ten million": 10_000_000}
# keras.io/api/applications: Xception, "time per inference step (GPU)", a Tesla A100, batches of 32
# pictures of 299 px.
GPU_SECONDS_A_PICTURE = 8.1e-3 / 32
DISK = 1e9  # bytes a second that a shared disk gives to all readers together; an assumption
STAGES = ("hash", "decode", "faces", "encode", "store")


# ---------------------------------------------------------------- one clip, stage by stage


def make_clips(folder, count, *, size="1920x1080", seconds=DFDC_SECONDS):
    """Clips of the sample, enlarged and repeated, with DFDC's bit rate for 1080p."""
    table = manifest.read(locate.find(locate.VIDEOS, locate.project_root() / "data/sample")).table
    width, height = map(int, size.split("x"))
    rate = int(DFDC_BYTES * 8 / DFDC_CLIPS / DFDC_SECONDS * width * height / (1920 * 1080))
    paths = []
    for number in range(count):
        source = table["path"].iloc[number % len(table)]
        paths.append(str(folder / f"clip{number}.mp4"))
        command = [ffmpeg.program(), "-v", "error", "-y", "-stream_loop", "-1", "-i", source]
        command += ["-t", str(seconds), "-r", "30", "-an", "-pix_fmt", "yuv420p"]
        command += ["-vf", f"scale={width}:{height},noise=alls=4:allf=t", "-preset", "veryfast"]
        command += ["-b:v", str(rate), "-metadata", f"title={number}", paths[-1]]
        subprocess.run(command, check=True)
    return pd.DataFrame({"videoname": [Path(path).name for path in paths], "path": paths})


def stage_seconds(path, choice, store):
    """CPU seconds of each stage of one clip, and bytes that it leaves in the store."""
    marks = [time.process_time()]
    with open(path, "rb") as file:
        key = hashlib.file_digest(file, "sha256").hexdigest()
    marks.append(time.process_time())
    clip = video.read_frames(path, count=choice.frames)
    marks.append(time.process_time())
    size = choice.encoder.image_size
    pixels, report = faces.crop_faces(clip, size=size, margin=choice.margin)
    marks.append(time.process_time())
    values = choice.encoder.predict(pixels)
    marks.append(time.process_time())
    facts = {"frames": len(clip), "crop": report.crop, "faces_found": report.found}
    Store(store).put(key, extraction._Sequence(values, facts))
    marks.append(time.process_time())
    seconds = [after - before for before, after in itertools.pairwise(marks)]
    return dict(zip(STAGES, seconds, strict=True)), (store / f"{key}.npz").stat().st_size


def measure(folder, choice, repeats):
    """Medians over clips."""
    table = make_clips(folder, 3)
    stage_seconds(table["path"][0], choice, folder / "warm")  # loads libraries, builds the graph
    found, sizes = [], []
    for number in range(repeats):
        path = table["path"][number % len(table)]
        seconds, left = stage_seconds(path, choice, folder / f"store{number}")
        found.append(seconds)
        sizes.append(left)
    stages = {name: statistics.median(one[name] for one in found) for name in STAGES}
    bytes_a_clip = statistics.mean(os.path.getsize(path) for path in table["path"])
    return {"stages": stages, "stored": statistics.median(sizes), "bytes": bytes_a_clip}


def dispatch_seconds(choice, folder, clips=3000):
    """Seconds of the one process that hands out work, a clip: of clips that are not there."""
    names = [f"{number}.mp4" for number in range(clips)]
    table = pd.DataFrame({"videoname": names, "path": [str(folder / name) for name in names]})
    rows = cluster.fill(table, choice, store=folder / "none", workers=2)
    next(rows)
    wall, used = time.perf_counter(), time.process_time()
    for _ in rows:
        pass
    return (time.process_time() - used) / (clips - 1), (time.perf_counter() - wall) / (clips - 1)


# ---------------------------------------------------------------- arithmetic


def arithmetic(measured, frames, dispatch):
    """Lines that say what a set of clips costs, each with its arithmetic."""
    stages = measured["stages"]
    whole = sum(stages.values())
    heads = ["stage", "CPU s per clip", "share", *(f"{name}, core-hours" for name in SETS)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, seconds in {**stages, "all": whole}.items():
        hours = " | ".join(f"{count * seconds / 3600:,.0f}" for count in SETS.values())
        lines.append(f"| {name} | {seconds:.3f} | {seconds / whole:.0%} | {hours} |")
    gpu = frames * GPU_SECONDS_A_PICTURE
    rest = whole - stages["encode"]
    for name, count in SETS.items():
        read, hours = count * DFDC_BYTES / DFDC_CLIPS, count / 3600
        lines += [
            f"\n{name}: {count:,} clips",
            f"  all on CPUs     {count:,} x {whole:.3f} s = {hours * whole:,.0f} core-hours",
            f"  encoder on GPU  {count:,} x {frames} x {gpu / frames * 1e6:.0f} us = "
            f"{hours * gpu:,.1f} GPU-hours, the rest {hours * rest:,.0f} core-hours",
            f"  to read         {read / 1e12:,.2f} TB = {read / DISK / 3600:,.1f} h at 1 GB/s",
            f"  to keep         {count:,} files, {count * measured['stored'] / 1e9:,.1f} GB",
        ]
        if dispatch:
            cost = f"{dispatch * 1e3:.2f} ms = {hours * dispatch:,.2f} h of one process"
            lines.append(f"  to hand out     {count:,} x {cost}")
    limit = DISK / (DFDC_BYTES / DFDC_CLIPS) * whole
    lines.append(
        f"\none GPU is busy with {rest:.3f} / {gpu:.5f} = {rest / gpu:,.0f} cores before it"
    )
    lines.append(f"a disk of 1 GB/s is busy with {limit:,.0f} cores")
    if dispatch:
        lines.append(f"the one process that hands out is busy with {whole / dispatch:,.0f} cores")
    return lines


def simulate(seconds, *, workers, cores, start, dispatch):
    """Wall seconds of clips that take so long each, handed one by one to the next free worker.

    Workers beyond the cores share them: all go slower by the same factor. The one process that
    hands out is busy for `dispatch` seconds a clip, and nobody else is then.
    """
    stretch = max(1.0, workers / cores)
    free = [start * stretch] * workers
    hand = last = 0.0
    for one in seconds:
        hand = max(heapq.heappop(free), hand) + dispatch
        heapq.heappush(free, hand + one * stretch)
        last = max(last, hand + one * stretch)
    return last


def check(folder, choice, *, counts, clips, dispatch):
    """Wall seconds of real runs beside the simulation's, which knows the run of one worker only."""
    table = make_clips(folder, clips, size="640x360", seconds=4)
    cores, found = len(os.sched_getaffinity(0)), []
    seconds = start = None
    for workers in counts:
        begun = time.perf_counter()
        times = [
            time.perf_counter() - begun
            for _ in cluster.fill(table, choice, store=folder / f"w{workers}", workers=workers)
        ]
        if workers == 1:
            seconds = [after - before for before, after in itertools.pairwise(times)]
            seconds.append(statistics.median(seconds))
            start = times[0] - seconds[-1]
        told = simulate(seconds, workers=workers, cores=cores, start=start, dispatch=dispatch)
        found.append({"workers": workers, "measured": times[-1], "simulated": told})
        both = f"measured {times[-1]:.1f} s, simulated {told:.1f} s ({told / times[-1] - 1:+.0%})"
        print(f"{workers} workers on {cores} cores: {both}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--out", default="")
    chosen = parser.parse_args()
    encoder = encoders.load_encoder("Xception", image_size=chosen.size, weights_mode="none")
    choice = extraction.Choice(encoder, chosen.frames, margin=-0.1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = measure(folder, choice, chosen.repeats)
        dispatch = None
        if chosen.check:
            import ray

            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
            most = max(chosen.workers)
            ray.init(num_cpus=most, include_dashboard=False, log_to_driver=False)
            dispatch, wall = dispatch_seconds(choice, folder)
            found["dispatch"] = {"cpu": dispatch, "wall": wall}
        print("\n".join(arithmetic(found, chosen.frames, dispatch)), "\n", flush=True)
        if chosen.check:
            options = {"counts": chosen.workers, "clips": chosen.clips, "dispatch": dispatch}
            found["check"] = check(folder, choice, **options)
            ray.shutdown()
    if chosen.out:
        Path(chosen.out).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
