"""What must hold for any input: hypothesis looks for one for which it does not."""

import csv
import io
import math

import broken
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nbhelpers.common import files
from nbhelpers.data import manifest, splits
from nbhelpers.data.groups import connected_groups
from nbhelpers.evaluation import calibration, metrics
from nbhelpers.media import video

settings.register_profile(
    "here",
    max_examples=80,
    deadline=None,
    derandomize=True,  # the same examples every time
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("here")

# ---------------------------------------------------------------- frame choice


@settings(max_examples=300)
@given(st.integers(1, 10**7), st.integers(1, 500), st.sampled_from(video.SAMPLINGS))
def test_frames_are_sorted_unique_and_within_the_clip(total, count, how):
    indices = video.frame_indices(total, count, how=how)
    assert len(indices) == min(total, count)
    assert (np.diff(indices) > 0).all()
    assert indices[0] >= 0
    assert indices[-1] < total
    if how == "first":
        assert indices[-1] == len(indices) - 1
    else:  # each is in its own stretch of the clip, in the middle of it
        stretch = total / len(indices)
        middles = (np.arange(len(indices)) + 0.5) * stretch
        assert (np.abs(indices - middles) <= 1).all()


# ---------------------------------------------------------------- metrics

# Steps of 1/64 keep 1 - score exact and make ties common.
ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 64), st.integers(0, 6)), min_size=2, max_size=60
)


def judged(rows, *, groups=False):
    """y_true, y_score and groups of examples that can be judged."""
    y, steps, group = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < y.sum() < len(y))
    if groups:
        assume(len(set(group)) >= 2)
    return y, steps / 64, group


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_order(rows):
    y, score, _ = judged(rows)
    fake, real = score[y == 1][:, None], score[y == 0][None]
    pairs = (fake > real) + 0.5 * (fake == real)
    assert metrics.scores(y, score)["auc"] == pytest.approx(pairs.mean(), abs=1e-12)


@given(ROWS)
def test_labels_and_scores_turned_round(rows):
    y, score, _ = judged(rows)
    plain, both, labels = (
        metrics.scores(*pair) for pair in ((y, score), (1 - y, 1 - score), (1 - y, score))
    )
    assert both["auc"] == pytest.approx(plain["auc"], abs=1e-12)
    assert labels["auc"] == pytest.approx(1 - plain["auc"], abs=1e-12)
    for name in ("log_loss", "brier"):
        assert both[name] == pytest.approx(plain[name], abs=1e-12)
    assert both["eer"] == pytest.approx(plain["eer"], abs=1e-9)


@given(ROWS, st.randoms(use_true_random=False))
def test_metrics_stay_in_their_range_whatever_the_order_of_the_rows(rows, random):
    y, score, _ = judged(rows)
    plain = metrics.scores(y, score)
    for name in metrics.METRICS:
        assert 0 <= plain[name] <= (math.inf if name == "log_loss" else 1), name
        assert math.isfinite(plain[name])
    order = list(range(len(y)))
    random.shuffle(order)
    shuffled = metrics.scores(y[order], score[order])
    for name in metrics.METRICS:
        assert shuffled[name] == pytest.approx(plain[name], abs=1e-9), name


@given(ROWS)
def test_what_depends_on_order_only_does_so(rows):
    y, score, _ = judged(rows)
    plain, squeezed = metrics.scores(y, score), metrics.scores(y, 0.25 + score / 2)
    for name in ("auc", "average_precision", "eer"):
        assert squeezed[name] == pytest.approx(plain[name], abs=1e-12), name


@settings(max_examples=40)
@given(ROWS, st.integers(0, 5))
def test_intervals_hold_the_value_and_repeat(rows, seed):
    y, score, group = judged(rows, groups=True)
    found = metrics.score_intervals(y, score, groups=group, resamples=200, seed=seed)
    assert found == metrics.score_intervals(y, score, groups=group, resamples=200, seed=seed)
    for name, interval in found.items():
        assert interval.low <= interval.high, name
        assert interval.low >= 0, name
        assert interval.value == metrics.scores(y, score)[name]


@settings(max_examples=40)
@given(ROWS, st.integers(0, 5))
def test_a_model_does_not_differ_from_itself(rows, seed):
    y, score, group = judged(rows, groups=True)
    gap = metrics.paired_difference(y, score, minus=score, groups=group, resamples=100, seed=seed)
    assert gap[:3] == (0, 0, 0)


@given(ROWS, st.floats(0.05, 20))
def test_a_temperature_keeps_the_order_and_the_side(rows, temperature):
    _, score, _ = judged(rows)
    warm = calibration.apply_temperature(score, temperature)
    assert ((warm >= 0) & (warm <= 1)).all()
    order = np.argsort(score, kind="stable")
    assert (np.diff(warm[order]) >= 0).all()
    assert ((warm > 0.5) == (score > 0.5)).all()


# ---------------------------------------------------------------- splits

# Mostly sets that can be split: one that cannot is tried twenty times, which takes long.
FAMILIES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=5, max_size=20)
FEW = settings(max_examples=25)


def table_of(families):
    """Groups of so many reals and fakes each; reals of one group are tied by an identity."""
    rows = []
    for number, (reals, fakes) in enumerate(families):
        for real in range(reals):
            rows.append((f"r{number}x{real}.mp4", "REAL", "", f"p{number}"))
        for fake in range(fakes):
            rows.append((f"f{number}x{fake}.mp4", "FAKE", f"r{number}x0.mp4", f"p{number}"))
    table = pd.DataFrame(rows, columns=["videoname", "label", "original", "identity"])
    return table.assign(group=connected_groups(table))


def torn(split, tie):
    """What stands on more than one side."""
    return split.drop_duplicates([tie, "split"])[tie].duplicated().any()


@FEW
@given(FAMILIES, st.integers(0, 3), st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.1, 0.1)]))
def test_a_split_loses_no_row_and_tears_no_group(families, seed, fractions):
    table = table_of(families)
    try:
        split = splits.group_split(table, fractions=fractions, seed=seed)
    except ValueError as error:
        assert "Expected" in str(error)
        return
    assert sorted(split["videoname"]) == sorted(table["videoname"])
    for tie in ("group", "identity"):
        assert not torn(split, tie)
    seen = split.groupby(["split", "label"]).size()
    assert len(seen) == 6  # both labels in all three
    assert splits.leak_report(split)["group"] == 0
    again = splits.group_split(table.iloc[::-1], fractions=fractions, seed=seed)
    pd.testing.assert_frame_equal(split, again)


@FEW
@given(FAMILIES, st.integers(0, 3))
def test_balanced_splits_are_balanced_and_tear_no_group(families, seed):
    table = table_of(families)
    try:
        split = splits.balanced_split(table, seed=seed)
    except ValueError as error:
        assert "Expected" in str(error)
        return
    counts = split.groupby(["split", "label"]).size()
    assert (counts.xs("REAL", level="label") == counts.xs("FAKE", level="label")).all()
    assert not torn(split, "group")
    assert set(split["videoname"]) <= set(table["videoname"])
    assert split["videoname"].is_unique


@given(FAMILIES, st.integers(1, 20), st.integers(0, 3))
def test_a_balanced_sample_draws_each_row_once(families, per_class, seed):
    table = table_of(families)
    try:
        drawn = splits.balanced_sample(table, per_class=per_class, seed=seed)
    except ValueError as error:
        assert "both" in str(error)
        return
    rarer = table["label"].value_counts().min()
    assert (drawn["label"].value_counts() == min(per_class, rarer)).all()
    assert drawn["videoname"].is_unique


# ---------------------------------------------------------------- manifest

NAMES = st.sampled_from(["a.mp4", "b.mp4", "c.mp4", " a.mp4 ", "gone.mp4", "", "a\x00.mp4"]) | (
    st.text(max_size=12)
)
LABEL = st.sampled_from(["REAL", "FAKE", "real", "", "nan", "9"]) | st.text(max_size=5)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return broken.faces(tmp_path_factory.mktemp("p") / "set", "", names="abcd")


@given(st.lists(st.tuples(NAMES, LABEL, NAMES), min_size=1, max_size=12))
def test_every_row_ends_in_the_table_or_in_the_findings(root, rows):
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    table.writerow(["videoname", "label", "original"])
    table.writerows(rows)
    (root / "metadata.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    try:
        read = manifest.read(root)
    except manifest.DatasetError as error:
        assert "at least one usable row" in str(error)
        return
    left_out = set(manifest.LEFT_OUT) - {"unlisted"}
    others = read.findings[read.findings["problem"].isin(left_out)]
    assert len(read.table) + len(others) == len(rows)
    assert set(read.findings["problem"]) <= set(manifest.PROBLEMS)
    assert set(read.table["label"]) <= set(manifest.LABELS)
    assert read.table["videoname"].is_unique
    assert set(read.table["videoname"]) <= {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}
    assert (read.table["group"] == connected_groups(read.table)).all()
    for name in read.findings["videoname"]:
        assert files.displayable(name) == name
    read.findings.to_csv(io.StringIO())


@given(st.text(max_size=30))
def test_shown_names_are_one_line_and_can_be_written(name):
    shown = files.displayable(name)
    shown.encode("utf-8")
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)
    assert files.displayable(shown) == shown


EDGES = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=20)


@given(EDGES)
def test_groups_are_the_connected_parts(edges):
    """Rows 0-14, each named by its number; an edge says that one is the other's original."""
    original = {child: parent for child, parent in edges}
    table = pd.DataFrame(
        {
            "videoname": [f"{n:02d}.mp4" for n in range(15)],
            "label": "FAKE",
            "original": [f"{original[n]:02d}.mp4" if n in original else "" for n in range(15)],
        }
    )
    group = connected_groups(table).to_numpy()
    root = list(range(15))

    def find(node):
        while root[node] != node:
            node = root[node]
        return node

    for child, parent in original.items():
        root[find(child)] = find(parent)
    parts = np.array([find(node) for node in range(15)])
    np.testing.assert_array_equal(group[:, None] == group, parts[:, None] == parts)
