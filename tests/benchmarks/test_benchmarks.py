"""The benchmark's machinery, at the smallest sizes: what it says is complete, and it can fail."""

import json
import math

import numpy as np
import pytest

from nbhelpers.common.errors import UsageError
from nbhelpers.features import encoders
from nbhelpers.media import video
from nbhelpers.reporting import environment
from tests.benchmarks import __main__ as bench
from tests.benchmarks import bench_import, bench_lime, bench_pictures, bench_video, measure
from tests.benchmarks.measure import SMALL, DifferentError


def checked(rows):
    """Look at rows for gaps; return them."""
    for one in rows:
        assert {"what", "beside", "unit", "target", "met", "ours", "pairs"} <= one.keys()
        assert all(math.isfinite(one[key]) and one[key] > 0 for key in ("ours", "theirs"))
        assert 0 < one["low"] <= one["ratio"] <= one["high"]
        assert one["met"] is None or one["target"]
    return rows


@pytest.mark.parametrize("name", ["first", "even", "second_run", "decoding"])
def test_rows_about_clips(name):
    (one,) = checked(bench.ROWS[name](SMALL))
    assert one["equal"]["gap"] <= one["equal"]["limit"] <= 1e-5


def test_rows_about_growth():
    points = checked(bench_video.growth(SMALL))[0]["points"]
    assert [one["step"] for one in points] == ["1 x clips", "2 x clips"]
    loaded = checked(bench_pictures.loading(SMALL))
    assert [one["unit"] for one in loaded] == ["pictures/s"] * 2 + ["MiB"] * 2


def test_encoder_and_training_and_lime():
    (one,) = checked(bench_video.encoder_share(SMALL))
    assert "of its time" in one["notes"][0]
    checked(bench_lime.explaining(SMALL))
    checked(bench_pictures.training(SMALL))


def test_a_wrong_feature_makes_the_row_fail(monkeypatch):
    right = encoders.Encoder.predict

    def wrong(self, batch):
        return right(self, batch) * np.float32(1 + 1e-4)

    monkeypatch.setattr(encoders.Encoder, "predict", wrong)
    with pytest.raises(DifferentError, match="at most 1e-05; received"):
        bench_video.first(SMALL)


def test_wrong_frames_make_the_row_fail(monkeypatch):
    read = video.read_frames
    monkeypatch.setattr(
        video, "read_frames", lambda path, **options: read(path, **options | {"how": "even"})
    )
    with pytest.raises(DifferentError):
        bench_video.first(SMALL)


@pytest.mark.parametrize("wrong", [[1.0, np.nan], [1.0, 2.1], [1.0], [np.nan, np.nan]])
def test_equality_is_refused(wrong):
    assert measure.check_equal([1.0, 2.0], [1.0, 2.0], limit=0)["gap"] == 0
    with pytest.raises(DifferentError):
        measure.check_equal(wrong, [1.0, 2.0], limit=1e-2)


def test_rounding_of_pictures_is_no_excuse_for_other_pictures(tmp_path):
    table = bench_pictures.grow(tmp_path, 4)
    right = bench_pictures.article_load(table)[2]
    measure.check_equal(right, right + 1, **bench_pictures.ROUNDING)
    for wrong in (right[..., ::-1], right[::-1]):
        with pytest.raises(DifferentError):
            measure.check_equal(wrong, right, **bench_pictures.ROUNDING)


def test_ratios_are_of_pairs_and_targets_are_about_them():
    found = measure.summary([(1, 2), (10, 50), (1, 3)])
    assert (found["ratio"], found["low"], found["high"], found["pairs"]) == (3, 2, 5, 3)
    assert measure.summary([(3, 2)], inverse=True)["ratio"] == 1.5
    for target, met in (("<= 3", True), (">= 3.1", False), ("", None)):
        assert measure.row("a", "b", found, unit="s", target=target)["met"] is met


def broken(sizes):
    """A row that fails, in its own process."""
    raise DifferentError("Expected a difference of at most 0; received 1.")


def test_rows_run_in_processes_of_their_own_and_a_failed_one_stops_no_other():
    rows = {"import": bench_import.importing, "broken": broken}
    results = bench.run(["broken", "import"], SMALL, rows=rows, told=lambda line: None)
    failed, one = json.loads(json.dumps(results, allow_nan=False))["rows"]
    assert "at most 0; received 1" in failed["failed"]
    assert "ratio" not in failed
    checked([one])
    assert results["machine"]["cores"] >= 1
    assert {"cpu", "tensorflow", "load before"} <= results["machine"].keys()
    assert "| broken | FAILED: DifferentError" in bench.table(results)


def test_a_set_grows_by_links_and_memory_is_a_process_own(tmp_path):
    table = bench_pictures.grow(tmp_path, 1100)
    assert len({*table["path"]}) == 1100
    pixels = bench_pictures.article_load(table.head(2))[2]
    assert pixels.shape == (2, 224, 224, 3)
    np.testing.assert_array_equal(pixels[0], bench_pictures.images.read_image(table["path"][0]))
    assert measure.alone(allocate, 300) > measure.alone(allocate, 1) + 250


def allocate(mib):
    """Peak MiB of a process that has held so many."""
    return np.ones(mib * 2**17).sum() * 0 + environment.peak_memory_mb()


def test_newest_complete_run_is_taken(tmp_path):
    notebooks = bench_import.locate.project_root() / "notebooks"
    stems = [path.stem for path in notebooks.glob("[0-9][0-9]_*.ipynb")]
    assert bench_import.newest_run(tmp_path) is None
    for name, left in (("whole", 0), ("part", 1)):
        state = {stem: {"status": "done", "seconds": 2.0} for stem in stems[left:]}
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps(state))
    folder, seconds = bench_import.newest_run(tmp_path)
    assert (folder.name, sum(seconds.values())) == ("whole", 2.0 * len(stems))


def test_readme_takes_the_ratios(tmp_path):
    found = measure.summary([(1.0, 4.0), (1.0, 6.0), (1.0, 5.0)])
    results = {
        "date": "2000-01-01T00:00:00",
        "machine": {"cores": 2, "cpu": "X", "tensorflow": "2"},
        "rows": [measure.row("clips", "the loop", found, unit="s", target=">= 5")],
    }
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{bench.BEGIN}\nold\n{bench.END}\nbelow\n")
    block = bench.page_block(results)
    assert "| clips | the loop | 1 s | 5 s | 5 | 4–6 | >= 5 |" in block
    assert bench.results_table.rewrite_between(readme, block, begin=bench.BEGIN, end=bench.END)
    assert readme.read_text() == f"above\n{bench.BEGIN}\n{block}\n{bench.END}\nbelow\n"
    readme.write_text("no markers")
    with pytest.raises(UsageError, match="speed:begin"):
        bench.results_table.rewrite_between(readme, block, begin=bench.BEGIN, end=bench.END)
