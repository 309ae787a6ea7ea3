"""What the rows share: equality first, pairs in turn, memory, the machine, sizes."""

import multiprocessing
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class DifferentError(ValueError):
    """The two sides of a row do not give the same, so that their times say nothing."""


@dataclass(frozen=True)
class Sizes:
    """How much the rows measure; the defaults take some ten minutes on two cores.

    Attributes:
        network: encoder of the clips, a name of `keras.applications`, or "tiny" for a test.
        image_size: of that encoder, pixels.
        clips: clips in one call.
        frame: width and height of a clip, pixels.
        seconds: length of a clip.
        pairs: how often the two sides run in turn.
        pictures: three sizes of a set of pictures.
        train_size: of notebook 03's pictures, pixels.
        steps: training steps in one turn, batches of 32.
        samples: of LIME.
        grow: how many times as many clips, and as long ones.
        minutes: length of the long clip.
        matrix: side of the matrix product that tells what the machine gives.
    """

    network: str = "InceptionV3"
    image_size: int = 224
    clips: int = 4
    frame: tuple[int, int] = (1920, 1080)
    seconds: int = 10
    pairs: int = 3
    pictures: tuple[int, ...] = (1000, 4000, 16000)
    train_size: int = 128
    steps: int = 5
    samples: int = 1000
    grow: tuple[int, ...] = (1, 4, 16)
    minutes: float = 10
    matrix: int = 4000


SMALL = Sizes(
    network="tiny",
    image_size=32,
    clips=2,
    frame=(96, 64),
    seconds=1,
    pairs=1,
    pictures=(16, 32),
    train_size=71,
    steps=1,
    samples=20,
    grow=(1, 2),
    minutes=0.05,
    matrix=200,
)


def check_equal(
    ours: np.ndarray, theirs: np.ndarray, *, limit: float, by: Callable = np.max
) -> dict[str, float]:
    """Compare what the two sides made, before any time is believed.

    Args:
        ours: numbers of any shape.
        theirs: as many.
        limit: difference allowed, as a share of the largest of theirs.
        by: `np.max` looks at the largest difference, `np.mean` at the average.

    Returns:
        `gap`, the difference as such a share, and the `limit`.

    Raises:
        DifferentError: another shape, a number that is not finite, or a larger difference.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape:
        raise DifferentError(f"Expected equal shapes; received {ours.shape} and {theirs.shape}.")
    gap = float(by(np.abs(ours - theirs)) / np.abs(theirs).max())
    if not gap <= limit:  # a nan is no equality
        raise DifferentError(f"Expected a difference of at most {limit:g}; received {gap:.2g}.")
    return {"gap": gap, "limit": limit}


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall seconds of one call, and its CPU seconds with those of child processes."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    work()
    return time.perf_counter() - wall, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def in_turn(ours: Callable, theirs: Callable, *, pairs: int, inverse: bool = False) -> dict:
    """Time both sides in turn, so that a busy machine is fair to both.

    Args:
        ours: one call of ours.
        theirs: one of theirs.
        pairs: how often.
        inverse: False: the ratio says how many times as fast ours is; True: how many times as
            long it takes.

    Returns:
        What `summary` says of the wall seconds, and `cpu_ratio`, the median of the same ratio in
        CPU seconds, which other programs on the machine disturb less.
    """
    both = [(timed(ours), timed(theirs)) for _ in range(pairs)]
    walls = [(one[0], other[0]) for one, other in both]
    cpus = [(max(one[1], 1e-3), max(other[1], 1e-3)) for one, other in both]
    return summary(walls, inverse=inverse) | {"cpu_ratio": summary(cpus, inverse=inverse)["ratio"]}


def summary(seconds: list[tuple[float, float]], *, inverse: bool = False) -> dict:
    """Sum up seconds of ours and theirs that were taken in turn.

    Returns:
        Median seconds of `ours` and `theirs`; `ratio`, the median over the pairs, with the
        smallest and the largest, `low` and `high`; `pairs`.

    >>> summary([(1.0, 4.0), (2.0, 6.0), (1.0, 5.0)])["ratio"]
    4.0
    """
    ratios = [one / other if inverse else other / one for one, other in seconds]
    ours, theirs = (statistics.median(side) for side in zip(*seconds, strict=True))
    return {
        "ours": ours,
        "theirs": theirs,
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "pairs": len(seconds),
    }


def row(what: str, beside: str, measured: dict, *, unit: str, target: str = "", **more) -> dict:
    """Put a row together; `target` is like ">= 5", about the ratio."""
    met = None
    if target:
        sign, limit = target.split()
        ratio = measured["ratio"]
        met = ratio >= float(limit) if sign == ">=" else ratio <= float(limit)
    return {"what": what, "beside": beside, "unit": unit, "target": target, "met": met} | (
        measured | more
    )


def alone(work: Callable, *arguments) -> object:
    """Call a function in a process of its own; what it raises is raised here.

    Its standard error is dropped: TensorFlow's greetings and the plain packages' progress bars.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_hush) as pool:
        return pool.submit(work, *arguments).result()


def _hush() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def machine() -> dict[str, str | int | float]:
    """Return what the numbers were measured on."""
    from importlib.metadata import version

    cpu = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        names = [line for line in facts.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "load before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "keras", "numpy", "lime")},
        "opencv": _opencv(),
    }


def _opencv() -> str:
    import cv2

    return cv2.__version__
