"""Hours of use in minutes: the series several times, many extractions; nothing may grow.

    make soak
    python -m tests.faults.soak --runs 0 --extractions 2000

Prints resident memory and open files as it goes; ends with 1 where they grow.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
GROWTH = 0.05  # of resident memory between a third of the way and the end
WAYS = 10  # how often memory is looked at


def resident_mb():
    """Memory of this process that is in RAM, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_files():
    """How many file handles this process has."""
    return len(os.listdir("/proc/self/fd"))


def look(what, rows):
    """Notes and prints memory and handles."""
    rows.append((resident_mb(), open_files()))
    print(f"{what}: {rows[-1][0]:.0f} MiB, {rows[-1][1]} open files", flush=True)


def grown(rows):
    """What grew after a third of the rows; "" when nothing did."""
    (memory, handles), (memory_end, handles_end) = rows[len(rows) // 3], rows[-1]
    if memory_end > memory * (1 + GROWTH):
        return f"memory grew from {memory:.0f} to {memory_end:.0f} MiB"
    if handles_end > handles:
        return f"open files grew from {handles} to {handles_end}"
    return ""


def run_series(times, folder):
    """Runs all notebooks into one folder, again and again; returns what grew."""
    from nbhelpers.runner import series

    rows, files = [], []
    for number in range(1, times + 1):
        with open(os.devnull, "w") as stream:
            code = series.run(out=str(folder), profile="smoke", stream=stream)
        if code:
            return f"run {number} failed, see {folder}"
        files.append(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))
        look(f"series, run {number}", rows)
    new = set(files[-1]) - set(files[0])
    return f"files appeared: {sorted(new)}" if new else grown(rows)


def extract(times, folder):
    """Extracts the features of one short clip, again and again; returns what grew."""
    import pandas as pd
    from tiny_clips import grey_frames, write_clip

    from nbhelpers.features import encoders, extraction

    clip = write_clip(folder / "clip.mp4", grey_frames(12))
    table = pd.DataFrame({"videoname": [clip.name], "path": [str(clip)]})
    encoder = encoders.load_encoder("Xception", image_size=75, weights_mode="none")
    rows = []
    for number in range(1, times + 1):
        found = extraction.extract(table, encoder, frames=2)
        if not found.report["readable"].all():
            return f"extraction {number} failed: {found.report['reason'][0]}"
        if number % max(1, times // WAYS) == 0:
            look(f"extraction {number}", rows)
    return grown(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of the series (smoke profile)")
    parser.add_argument("--extractions", type=int, default=2000, help="of one short clip")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    faults = []
    with tempfile.TemporaryDirectory(prefix="nbhelpers-soak-") as folder:
        for work, times in ((run_series, chosen.runs), (extract, chosen.extractions)):
            if times:
                place = Path(folder, work.__name__)
                place.mkdir()
                faults.append(work(times, place))
    print("\n".join(filter(None, faults)) or "nothing grew")
    return int(any(faults))


if __name__ == "__main__":
    sys.exit(main())
