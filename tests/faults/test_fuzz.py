"""A few seconds of fuzzing; `python -m tests.faults.fuzz --minutes 2` does more."""

import ctypes
import time
from collections import Counter

import fuzz
import numpy as np


def test_ten_seconds_of_changed_files(tmp_path):
    counts = Counter()
    for kind, told, content in fuzz.fuzz(fuzz.seeds(tmp_path), seconds=10, seed=1):
        if told not in ("read", "refused"):
            kept = tmp_path / f"finding-{kind}"
            kept.write_bytes(content)
            raise AssertionError(f"{kind}: {told}; the input is {kept}")
        counts[kind, told] += 1
    for kind in ("picture", "clip", "csv", "json"):  # the changes are neither too mild nor too wild
        assert counts[kind, "read"] > 0, counts
        assert counts[kind, "refused"] > 0, counts


def test_the_same_seed_gives_the_same_inputs():
    good = [bytes(range(256)) * 20, b"abc" * 500]
    made = [
        [fuzz.changed(good[0], good, rng) for _ in range(50)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) > 45


def crashes(path):
    ctypes.string_at(0)


def hangs(path):
    time.sleep(60)


def lies(path):
    raise KeyError("not documented")


def test_crashes_hangs_and_other_errors_are_found(tmp_path):
    reader = fuzz.Reader(limit=15)
    try:
        assert reader.read(crashes, tmp_path) == "crash: exit code -11"
        assert reader.read(lies, tmp_path) == "KeyError: 'not documented'"
        reader.limit = 0.5
        assert reader.read(hangs, tmp_path) == "hang: no answer in 0.5 s"
    finally:
        reader.stop()
