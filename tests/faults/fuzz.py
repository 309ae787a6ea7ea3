"""Feeds changed files to the readers and counts what becomes of them.

    python -m tests.faults.fuzz --minutes 2

Good pictures, clips and metadata are changed at random (the same seed gives the same inputs) and
read in another process. Each input is read, or refused with a documented error. Everything else is
a finding: another exception, a dead process (crash) or no answer in time (hang); the file is kept.
Exit code: 0 no findings, 1 some.
"""

import argparse
import faulthandler
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[:2]]

LIMIT = 30.0  # seconds for one input; a loaded machine is slow
MEMORY = 6 << 30  # bytes of address space for the readers
TOKENS = (
    *(b'"', b"'", b",", b"\n", b"\r", b"\0", b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800"),
    *(b"NaN", b"1e999", b"-1", b"null", b"REAL", b"FAKE", b"../", b"\xff", b"\xef\xbb\xbf"),
    *(b"a.mp4", b"label", b"videoname", b"9" * 5000, b"[" * 2000),
)

# ---------------------------------------------------------------- readers, in the other process


def picture(path: Path) -> None:
    """Reads a picture in every way the package does."""
    from nbhelpers.data import file_checks
    from nbhelpers.media import images
    from nbhelpers.predict import inputs

    said = file_checks._decode_problem(str(path))
    try:
        pixels = images.read_image(path, size=16)
    except images.PictureError:
        _refused_too(lambda: inputs.read_picture(path), inputs.InputError)
        assert said, "the check passes what cannot be read"
        raise
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8


def training(path: Path) -> None:
    """Reads a picture as training does, and compares."""
    import tensorflow as tf

    from nbhelpers.media import images
    from nbhelpers.networks import pipelines

    rows = tf.data.Dataset.from_tensor_slices([str(path)])
    try:
        (streamed,) = rows.map(pipelines._decoded).as_numpy_iterator()
    except tf.errors.InvalidArgumentError as error:
        raise images.PictureError(str(error)) from None
    np.testing.assert_array_equal(streamed, images.read_image(path))


def clip(path: Path) -> None:
    """Reads a clip."""
    from nbhelpers.media import clip_facts, video

    row = clip_facts.table([path]).iloc[0]
    frames = video.read_frames(path, count=3)
    assert 1 <= len(frames) <= 3
    assert frames.pixels.dtype == np.uint8
    assert len(row["reason"]) > 0 or row["frames"] > 0


def table(path: Path) -> None:
    """Reads metadata that lie beside good files."""
    from nbhelpers.data import manifest

    read = manifest.read(path.parent.parent if path.suffix == ".json" else path.parent)
    assert set(read.table["label"]) <= set(manifest.LABELS)
    assert set(read.findings["problem"]) <= set(manifest.PROBLEMS)
    assert all(Path(found).is_file() for found in read.table["path"])
    (read.table.to_csv() + read.findings.to_csv()).encode()


def _refused_too(read: Callable, error: type[Exception]) -> None:
    try:
        read()
    except error:
        return
    raise AssertionError(f"expected {error.__name__} as well")


DOCUMENTED = ("PictureError", "InputError", "VideoError", "DatasetError")


def _child(pipe, memory: int) -> None:
    """Reads what it is told to until it is told to stop."""
    faulthandler.enable()
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    while job := pipe.recv():
        reader, path = job
        try:
            reader(path)
            pipe.send("read")
        except Exception as error:
            name = type(error).__name__
            pipe.send("refused" if name in DOCUMENTED else f"{name}: {error}"[:300])


# ---------------------------------------------------------------- changed files


def changed(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """One to four random changes, mostly one."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        content = _changed_once(content, others, rng)
    return content


def _changed_once(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    size = len(content)
    # Headers decide most: half of the changes are made in the first or last part of a file.
    spans = [(0, size), (0, min(size, 600)), (max(0, size - 1500), size)]
    low, high = spans[rng.choice(3, p=[0.5, 0.3, 0.2])]
    start = int(rng.integers(low, max(high, low + 1)))
    length = int(min(2 ** rng.integers(0, 9), size - start))
    before, middle, after = (
        content[:start],
        content[start : start + length],
        content[start + length :],
    )
    kind = rng.integers(8)
    if kind == 0:
        middle = rng.bytes(length)
    elif kind == 1:  # one bit
        middle = bytes([middle[0] ^ (1 << rng.integers(8))]) + middle[1:] if middle else b""
    elif kind == 2:
        middle = bytes([rng.choice([0, 1, 0x7F, 0x80, 0xFF])]) * length
    elif kind == 3:
        middle = b""
    elif kind == 4:
        middle = middle * int(rng.integers(2, 5))
    elif kind == 5:
        after = b"" if rng.random() < 0.5 else after
    elif kind == 6:
        other = others[rng.integers(len(others))]
        cut = int(rng.integers(0, len(other)))
        middle = other[cut : cut + length]
    else:
        middle = TOKENS[rng.integers(len(TOKENS))] + middle
    return before + middle + after


def seeds(folder: Path) -> dict[str, tuple[Callable, list[bytes], Path]]:
    """kind -> reader, good files, and where a changed one is put."""
    import broken

    pictures = [path for path, _ in broken.good_pictures(folder / "pictures").values()]
    clips = broken.good_clips(folder / "clips")
    some = [clips[name] for name in ("plain.mp4", "ten_bits_hevc.mp4", "matroska.mkv")]
    some += [clips["no_rate.avi"]]
    csv = (f"{broken.HEADER}\na.mp4,1,2,REAL,\nb.mp4,,,FAKE,a.mp4\nc.mp4,,,FAKE,\n").encode()
    json = (
        b'{"a.mp4": {"label": "REAL", "split": "train"}, "b.mp4": {"label": "FAKE", '
        b'"split": "train", "original": "a.mp4", "identity": "' + b"somebody " * 60 + b'"}}'
    )
    faces = broken.faces(folder / "faces", csv)
    videos = broken.videos(folder / "videos", json.decode())
    return {
        "picture": (picture, [path.read_bytes() for path in pictures], folder / "x.jpg"),
        "clip": (clip, [path.read_bytes() for path in some], folder / "x.mp4"),
        "csv": (table, [csv], faces / "metadata.csv"),
        "json": (table, [json], videos / "train_sample_videos" / "metadata.json"),
    }


# ---------------------------------------------------------------- the run


class Reader:
    """The other process; a new one after a crash or a hang."""

    def __init__(self, *, limit: float = LIMIT, memory: int = MEMORY):
        self.limit, self.memory = limit, memory
        self.process = None

    def read(self, reader: Callable, path: Path) -> str:
        """What came of it: read, refused, or a finding."""
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=_child, args=(theirs, self.memory), daemon=True)
            self.process.start()
            theirs.close()
        self.pipe.send((reader, path))
        try:
            if self.pipe.poll(self.limit):
                return self.pipe.recv()
            told = f"hang: no answer in {self.limit:g} s"
        except (EOFError, ConnectionError):
            self.process.join(10)
            told = f"crash: exit code {self.process.exitcode}"
        self.stop()
        return told

    def stop(self) -> None:
        """Ends the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
            self.process = None


def fuzz(
    kinds: dict[str, tuple[Callable, list[bytes], Path]], *, seconds: float, seed: int, **how
) -> Iterator[tuple[str, str, bytes]]:
    """Change and read for so long: yields kind, what came of it and the input."""
    rng = np.random.default_rng(seed)
    reader = Reader(**how)
    try:
        for kind, (read, good, path) in kinds.items():  # imports do not count
            path.write_bytes(good[0])
            told = reader.read(read, path)
            assert told == "read", f"{kind}: the unchanged file is not read: {told}"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for kind, (read, good, path) in kinds.items():
                content = changed(good[rng.integers(len(good))], good, rng)
                path.write_bytes(content)
                yield kind, reader.read(read, path), content
    finally:
        reader.stop()


def main(arguments: list[str] | None = None) -> int:
    """Runs and tells."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--minutes", type=float, default=2)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--training", action="store_true", help="pictures only, as training reads")
    words.add_argument("--keep", default="", help="folder for inputs with findings")
    chosen = words.parse_args(arguments)
    keep = Path(chosen.keep or tempfile.mkdtemp(prefix="fuzz-"))
    counts, findings = Counter(), Counter()
    with tempfile.TemporaryDirectory() as folder:
        kinds = seeds(Path(folder))
        how = {}
        if chosen.training:
            _, good, path = kinds["picture"]
            kinds, how = {"training": (training, good, path)}, {"memory": 0}
        run = fuzz(kinds, seconds=chosen.minutes * 60, seed=chosen.seed, **how)
        for number, (kind, told, content) in enumerate(run):
            counts[kind, told if told in ("read", "refused") else "finding"] += 1
            if told not in ("read", "refused"):
                findings[kind, told] += 1
                if findings[kind, told] == 1:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{kind}-{number}").write_bytes(content)
                    print(f"{kind} {number}: {told}", flush=True)
    print(f"{'kind':<10} {'tried':>7} {'read':>7} {'refused':>8} {'findings':>9}")
    for kind in kinds:
        read, refused, found = (counts[kind, what] for what in ("read", "refused", "finding"))
        print(f"{kind:<10} {read + refused + found:>7} {read:>7} {refused:>8} {found:>9}")
    if findings:
        print(f"inputs with findings are in {keep}")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
