"""plots: what is drawn is what was given; nothing is shown; no picture is no error."""

import matplotlib as mpl

mpl.use("Agg")

from typing import ClassVar

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from nbhelpers.evaluation.metrics import Interval
from nbhelpers.media.video import Frames
from nbhelpers.reporting import plots


@pytest.fixture(autouse=True)
def no_figure_is_shown_or_left(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a plot showed itself"))
    with mpl.rc_context():
        plots.set_style()
        yield
        axes = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
        legends = [ax.get_legend() for ax in axes if ax.get_legend()]
    plt.close("all")
    # 0 is "best": Matplotlib tries every place, and on a slow machine warns that this takes long.
    assert all(legend._get_loc() != 0 for legend in legends)


def test_a_legend_of_a_notebook_s_own_does_not_look_for_the_best_place_either():
    _, ax = plt.subplots()
    ax.plot([1, 2], label="a")
    assert ax.legend()._get_loc() == ax.get_legend().codes["upper right"]


def lowest(legend):
    """Return where a legend ends at the bottom, in the units of its axes."""
    legend.figure.draw_without_rendering()
    box = legend.get_window_extent().transformed(legend.axes.transData.inverted())
    return box.y0


def heights(ax):
    return [round(bar.get_height(), 6) for bar in ax.patches]


def picture(value, *, size=8):
    return np.full((size, size, 3), value, np.uint8)


def test_pictures_fill_a_grid_and_leave_the_rest_empty():
    figure = plots.plot_pictures([picture(9)] * 7, list("abcdefg"), columns=3)
    axes = np.array(figure.axes)
    assert len(axes) == 9
    assert [ax.get_title() for ax in axes] == [*"abcdefg", "", ""]
    assert [len(ax.images) for ax in axes] == [1] * 7 + [0, 0]
    assert (axes[0].images[0].get_array() == 9).all()


def test_rows_of_landscape_pictures_leave_no_room_between_them():
    wide, square = np.zeros((4, 8, 3), np.uint8), picture(9)
    shape = {
        kind: plots.plot_pictures([one, one], columns=1, size=2).get_size_inches().tolist()
        for kind, one in (("wide", wide), ("square", square))
    }
    assert shape == {"wide": [2, 2], "square": [2, 4]}


def test_no_pictures_give_an_empty_figure():
    assert not plots.plot_pictures([]).axes[0].images


def test_rows_of_pictures_by_label(tmp_path):
    path = tmp_path / "real.png"
    cv2.imwrite(str(path), picture(7))
    table = pd.DataFrame(
        {
            "label": ["FAKE", "REAL", "FAKE", "FAKE"],
            "path": [picture(1), str(path), picture(2), picture(3)],
            "p_fake": [0.987, 0.1, 0.5, 0.4],
        }
    )
    figure = plots.plot_rows(table, columns=2, title="p_fake")
    assert [ax.get_ylabel() for ax in figure.axes] == ["REAL", "", "FAKE", ""]
    assert [ax.get_title() for ax in figure.axes] == ["0.10", "", "0.99", "0.50"]
    assert [int(ax.images[0].get_array().max()) if ax.images else None for ax in figure.axes] == [
        7,
        None,
        1,
        2,
    ]
    assert figure.axes[2].title.get_color() == plots.COLOURS["FAKE"]


def test_rows_keep_a_gap_where_a_counterpart_is_missing():
    kinds = ["mistake", "mistake", "counterpart", "counterpart", "counterpart"]
    pixels = [picture(1), picture(2), "", picture(4), float("nan")]
    figure = plots.plot_rows(pd.DataFrame({"kind": kinds, "path": pixels}), by="kind")
    assert [bool(ax.images) for ax in figure.axes] == [True, True, False, False, True, False]
    assert figure.axes[3].get_ylabel() == "counterpart"


def test_rows_are_drawn_by_seed_or_come_first():
    table = pd.DataFrame({"label": ["REAL"] * 20, "path": [picture(i) for i in range(20)]})

    def values(**options):
        axes = plots.plot_rows(table, columns=5, **options).axes
        return [int(ax.images[0].get_array().max()) for ax in axes]

    assert values() == [0, 1, 2, 3, 4]
    assert values(seed=1) == values(seed=1) != values(seed=2)
    assert len(set(values(seed=1))) == 5


def test_no_rows_say_so():
    table = pd.DataFrame({"label": [], "path": []})
    (ax,) = plots.plot_rows(table).axes
    assert [text.get_text() for text in ax.texts] == ["nothing to show"]
    with pytest.raises(ValueError, match="columns >= 1"):
        plots.plot_rows(table, columns=0)


def test_forgeries_stand_under_their_originals(tmp_path):
    real, fake = picture(100), picture(100)
    fake[2, 3] = 160
    paths = {name: str(tmp_path / f"{name}.png") for name in ("real", "fake", "mask")}
    for name, pixels in zip(paths, (real, fake, 255 * (fake == 160)), strict=True):
        cv2.imwrite(paths[name], pixels)
    pairs = pd.DataFrame({"real_path": [paths["real"]], "path": [paths["fake"]]})
    pairs = pairs.assign(mask_path=paths["mask"], kind="FAKE swap")
    figure = plots.plot_forgeries(pairs, size=8)
    assert [ax.get_ylabel() for ax in figure.axes] == ["REAL", "FAKE", "difference", "mask"]
    assert [ax.get_title() for ax in figure.axes] == ["", "swap", "", ""]
    colours = [ax.yaxis.label.get_color() for ax in figure.axes]
    assert colours == [plots.COLOURS["REAL"], plots.COLOURS["FAKE"], "black", "black"]
    difference, shown_mask = (ax.images[0].get_array() for ax in figure.axes[2:])
    assert difference[2, 3] == 60
    assert difference.sum() == 60
    assert (shown_mask == (fake[..., 1] == 160)).all()
    assert len(plots.plot_forgeries(pairs.assign(mask_path=""), size=8).axes) == 3
    assert plots.plot_forgeries(pairs.head(0)).axes[0].texts[0].get_text() == "nothing to show"


def test_cues_have_a_panel_each():
    cues = pd.DataFrame({name: np.arange(8.0) for name in "abcd"})
    figure = plots.plot_cues(cues, ["REAL", "FAKE"] * 4)
    assert [ax.get_xlabel() for ax in figure.axes] == list("abcd")


def test_spread_has_a_dot_per_seed():
    ax = plots.plot_spread({"group": [0.5, 0.6, 0.55], "random": [0.9]})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[0.5, 0.6, 0.55], [0.9]]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["group", "random"]
    assert ax.lines[-1].get_xdata()[0] == 0.5  # chance


def test_fakes_per_original_by_hand():
    # a: two fakes, b: none, gone (not among the files): one; one fake names no original
    rows = [("a", "REAL", ""), ("b", "REAL", ""), ("c", "FAKE", "a"), ("d", "FAKE", "a")]
    rows += [("e", "FAKE", "gone"), ("f", "FAKE", "")]
    ax = plots.plot_fakes_per_original(
        pd.DataFrame(rows, columns=["videoname", "label", "original"])
    )
    places = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    assert dict(zip(np.round(places, 6), heights(ax), strict=True)) == {0: 1, 1: 1, 2: 1}


def test_by_class_gives_each_class_the_same_area():
    label = ["REAL"] * 90 + ["FAKE"] * 10
    table = pd.DataFrame({"label": label, "x": np.r_[np.arange(99), np.nan]})
    bars = plots.plot_by_class(table, "x").patches
    area = [bar.get_height() * bar.get_width() for bar in bars]
    assert sum(area[: len(area) // 2]) == pytest.approx(1)
    assert sum(area[len(area) // 2 :]) == pytest.approx(1)


def test_no_bar_of_a_cue_reaches_its_legend():
    table = pd.DataFrame({"label": ["REAL", "FAKE"] * 40, "x": [*range(79), 40]})
    ax = plots.plot_by_class(table, "x")
    assert lowest(ax.get_legend()) >= max(heights(ax))


def test_by_class_of_a_constant():
    table = pd.DataFrame({"label": ["REAL", "FAKE"], "x": [224, 224]})
    assert sum(height > 0 for height in heights(plots.plot_by_class(table, "x"))) == 2


def test_leak_bars():
    shares = {"fakes": 9, "original": 0.5, "sibling": 0.25, "group": 0.75}
    nothing = {"fakes": 9, "original": 0, "sibling": 0, "group": 0}
    reports = pd.DataFrame({"random split": shares, "group split": nothing}).T
    ax = plots.plot_leak(reports)
    assert heights(ax) == [0.5, 0.25, 0.75, 0, 0, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(reports.index)
    assert lowest(ax.get_legend()) > 1.05  # above a bar of 100 % and its number


def test_metric_draws_value_and_interval():
    score = {"auc": Interval(0.7, 0.6, 0.9), "n": 5}
    ax = plots.plot_metric({"net": score})
    interval, value, chance = ax.lines
    assert interval.get_xdata().tolist() == [0.6, 0.9]
    assert list(value.get_xdata()) == [0.7]
    assert chance.get_xdata()[0] == 0.5
    assert ax.get_xlabel() == "AUC on test people, 95 % interval"
    few = plots.plot_metric({"net": {"auc": Interval(0.7, 0.6, 0.9, groups=7)}}, chance=None)
    assert [list(line.get_xdata()) for line in few.lines] == [[0.7]]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["net"]


def test_roc_and_histogram():
    label, score = ["REAL", "REAL", "FAKE", "FAKE"], [0.1, 0.2, 0.8, 0.9]
    rows = pd.DataFrame({"model": "net", "label": label, "y_score": score})
    curve = plots.plot_roc(rows).lines[0]
    assert {(0.0, 1.0)} <= set(zip(curve.get_xdata(), curve.get_ydata(), strict=True))
    assert sum(heights(plots.plot_score_histogram(label, score))) == 4


def test_history_marks_a_new_stage():
    columns = ("accuracy", "loss", "val_accuracy", "val_loss")
    history = pd.DataFrame({name: [0.1, 0.2, 0.3] for name in columns})
    figure = plots.plot_history(history.assign(stage=[1, 1, 2]))
    assert [len(ax.lines) for ax in figure.axes] == [4, 3]  # two curves, the mark, and chance
    assert figure.axes[0].get_ylim() == (0, 1.02)  # noise about one half stays small


def test_maps_are_drawn_over_the_face_with_one_colour_bar():
    heat = np.linspace(-1, 2, 64).reshape(8, 8)
    maps = [{"lime": heat, "cam": -heat}] * 2
    figure = plots.plot_maps([picture(9)] * 2, [heat > 1, None], maps=maps, titles=["one", "two"])
    titles = [ax.get_title() for ax in figure.axes[:3]]
    assert titles == ["picture", "lime", "cam"]
    assert len(figure.axes) == 2 * 3 + 1  # the bar
    face, over = figure.axes[1].images
    assert face.get_array().ndim == 3
    low, high = over.get_clim()
    assert -low == high == pytest.approx(2, abs=0.05)
    middle, end = over.cmap(0.5), over.cmap(1.0)
    assert middle[3] < 0.05 < 0.8 < end[3]  # no evidence: the face shows through
    outlines = [len(ax.collections) for ax in figure.axes[:6]]
    assert outlines == [2, 2, 2, 0, 0, 0]  # a real: nothing was manipulated


def test_the_colours_of_evidence_are_those_of_the_classes():
    low, high = plots.maps.EVIDENCE(0.0), plots.maps.EVIDENCE(1.0)
    assert to_hex(low[:3]).upper() == plots.COLOURS["REAL"]
    assert to_hex(high[:3]).upper() == plots.COLOURS["FAKE"]


def test_pictures_alone_are_drawn_side_by_side_with_their_outlines():
    mask = np.eye(8, dtype=bool)
    figure = plots.plot_maps([picture(9)] * 3, [mask, None, mask], titles=list("abc"))
    assert [ax.get_title() for ax in figure.axes] == list("abc")
    assert [len(ax.collections) for ax in figure.axes] == [2, 0, 2]


def test_one_method_is_drawn_over_several_pictures():
    heat = np.linspace(-1, 2, 64).reshape(8, 8)
    figure = plots.plot_method(
        [picture(9)] * 2, [None, heat > 1], heats=[heat, heat], titles=["a", "b"]
    )
    assert [len(ax.images) for ax in figure.axes[:2]] == [2, 2]
    assert len(figure.axes) == 3


def test_lime_shows_the_best_pieces_above_and_all_weights_below():
    pieces = np.arange(64).reshape(8, 8) // 16

    class Explanation:
        image, segments = picture(9), pieces
        local_exp: ClassVar = {1: [(0, 0.5), (3, -1.0)]}

        def get_image_and_mask(self, label, **options):
            assert (label, options["num_features"], options["positive_only"]) == (1, 5, True)
            return self.image, (self.segments == 0).astype(int)

    figure = plots.plot_lime([Explanation()] * 2, titles=["FAKE 0.9", "REAL 0.2"])
    top, other, bottom, _ = figure.axes[:4]
    assert [top.title.get_color(), other.title.get_color()] == [
        plots.COLOURS["FAKE"],
        plots.COLOURS["REAL"],
    ]
    weights = bottom.images[1].get_array()
    assert [weights[0, 0], weights[7, 7], weights[3, 3]] == [0.5, -1.0, 0.0]
    pixels = top.images[0].get_array()
    assert [pixels[0, 0, 0], pixels[7, 7, 0]] == [9, 127]  # hidden as the network saw it, in grey


def test_measures_are_drawn_against_the_baseline():
    summary = {
        name: {measure: Interval(value, value - 0.1, value + 0.1) for measure in ("a", "b")}
        for name, value in (("method", 0.5), ("blob", 0.7))
    }
    figure = plots.plot_measures(summary, ["a", "b"], baseline="blob")
    left, right = figure.axes
    assert left.get_xlabel() == "a"
    assert 0.7 in [line.get_xdata()[0] for line in left.lines]
    assert [tick.get_text() for tick in right.get_yticklabels()] == ["", ""]


def test_two_recipes_are_judged_side_by_side():
    rows = pd.DataFrame({"label": ["REAL", "FAKE"] * 3, "y_score": [0.1, 0.9, 0.4, 0.6, 0.7, 0.3]})
    predictions = pd.concat([rows.assign(model=name) for name in ("one", "two", "left out")])
    scores = {name: {"auc": Interval(0.6, 0.5, 0.7)} for name in ("one", "two", "prior")}
    figure = plots.plot_judgement(scores, predictions, models=["one", "two"])
    promises, intervals, roc = figure.axes
    for ax in (promises, roc):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    assert [tick.get_text() for tick in intervals.get_yticklabels()] == ["one", "two"]


def test_mistakes_stand_above_their_counterparts(tmp_path):
    table = pd.DataFrame(
        {
            "videoname": ["r.jpg", "f.jpg", "lone.jpg"],
            "label": ["REAL", "FAKE", "FAKE"],
            "original": ["", "r.jpg", "gone.jpg"],
            "path": [picture(9)] * 3,
        }
    )
    worst = table.iloc[[0, 1, 2]].assign(
        kind=["accused", "missed", "missed"], y_score=[0.9, 0.2, 0.1]
    )
    figure = plots.plot_beside_counterparts(worst, table)
    rows = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert rows == ["accused", "a fake of the accused", "missed", "original of the missed"]
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["REAL 0.90", "FAKE", "FAKE 0.20", "FAKE 0.10", "REAL"]
    none = plots.plot_beside_counterparts(worst.head(0), table)
    assert not [ax.get_title() for ax in none.axes if ax.get_title()]


def test_drawing_into_given_axes_makes_no_new_figure():
    _, ax = plt.subplots()
    rows = pd.DataFrame({"videoname": ["a"], "label": ["REAL"], "original": [""]})
    assert plots.plot_fakes_per_original(rows, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_judgement_figures_draw_what_was_given():
    predictions = pd.DataFrame(
        {"model": "m", "label": ["REAL", "FAKE", "FAKE"], "y_score": [0.1, 0.4, 0.9]}
    )
    ax = plots.plot_precision_recall(predictions)
    assert ax.lines[0].get_ydata().max() == 1  # fakes above the real: precision 1 all along
    assert ax.lines[-1].get_ydata()[0] == pytest.approx(2 / 3)
    table = pd.DataFrame({"promised": [0.2, 0.7], "kept": [0.0, 1.0], "n": [3, 6]})
    ax = plots.plot_reliability({"raw": table})
    assert ax.lines[0].get_ydata().tolist() == [0.0, 1.0]
    assert ax.collections[0].get_sizes().tolist() == [60, 120]
    assert lowest(plots.plot_reliability({"raw": table, "calibrated": table}).get_legend()) > 1
    counts = pd.DataFrame([[3, 1], [0, 4]], ["REAL", "FAKE"], ["called REAL", "called FAKE"])
    ax = plots.plot_confusion(counts)
    assert [text.get_text() for text in ax.texts] == ["3\n75%", "1\n25%", "0\n0%", "4\n100%"]


@pytest.mark.parametrize("dtype", ["bool", "boolean"])
def test_counted_values_have_names_also_where_they_are_numbers_or_truth_values(dtype):
    table = pd.DataFrame({"rate": [25.0, 25.0, 30.0], "audio": [True, False, True]})
    table["audio"] = table["audio"].astype(dtype)
    figure = plots.plot_values(table, {"rate": "Rate", "audio": "Sound"})
    rates, sounds = ([label.get_text() for label in ax.get_yticklabels()] for ax in figure.axes)
    assert rates == ["25.0", "30.0"]
    assert sounds == ["yes", "no"]
    words = plots.describe(figure)
    assert "25.0 2, 30.0 1" in words
    assert "yes 2, no 1" in words


def test_robustness_starts_at_the_clean_pictures():
    curves = pd.DataFrame(
        {
            "corruption": ["clean", "blur", "blur"],
            "level": ["none", "mild", "medium"],
            "value": [0.9, 0.8, 0.6],
            "low": [0.85, 0.7, 0.5],
            "high": [0.95, 0.9, 0.7],
            "auc": [Interval(0.9, 0.85, 0.95, groups=9)] * 3,
        }
    )
    ax = plots.plot_robustness(curves)
    assert len(ax.patches) == 1  # the interval on clean pictures
    few = curves.assign(auc=[Interval(0.9, 0.85, 0.95, groups=7)] * 3)
    assert not plots.plot_robustness(few).patches
    assert ax.lines[0].get_ydata().tolist() == [0.9, 0.8, 0.6]
    assert ax.get_legend().get_texts()[0].get_text() == "blur"


def test_recipes_that_differ_in_the_last_step_share_a_line():
    score = {"auc": Interval(0.6, 0.5, 0.8), "n": 9}
    recipes = {("even", "GRU"): score, ("even", "mean"): score, ("first", "GRU"): {"n": 3}}
    ax = plots.plot_recipes(recipes, prior=0.4)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["even", "first\n3 of 9 clips"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["GRU", "mean", "prior"]
    intervals = [line for line in ax.lines if list(line.get_xdata()) == [0.5, 0.8]]
    assert [round(line.get_ydata()[0]) for line in intervals] == [0, 0]
    assert intervals[0].get_ydata()[0] < 0 < intervals[1].get_ydata()[0]
    assert 0.4 in ax.lines[-1].get_xdata()


def test_boxes_that_were_filled_in_are_dotted_and_their_time_is_grey():
    frames = Frames(np.zeros((4, 10, 20, 3), np.uint8), np.arange(4), fps=2.0)
    boxes = np.array([[2.0, 2, 4, 4]] * 4)
    seen = np.array([True, True, False, True])
    figure = plots.plot_boxes(frames, {"face": boxes}, seen={"face": seen}, columns=4)
    *pictures, track = figure.axes
    assert figure.get_size_inches()[1] < 3  # low pictures leave no gap above the curve
    assert [ax.patches[0].get_linestyle() for ax in pictures] == ["-", "-", ":", "-"]
    assert track.lines[0].get_ydata().tolist() == [0.2] * 4  # the middle, of 20 pixels
    (grey,) = track.patches
    assert (grey.get_x(), grey.get_x() + grey.get_width()) == (0.75, 1.25)  # half way to each side


def test_nobody_in_a_frame_draws_no_box():
    frames = Frames(np.zeros((2, 10, 20, 3), np.uint8), np.arange(2), fps=2.0)
    people = {"person 1": np.full((2, 4), np.nan), "person 2": np.ones((2, 4))}
    figure = plots.plot_boxes(frames, people)
    assert [len(ax.patches) for ax in figure.axes] == [1, 1, 0]
    assert figure.axes[-1].get_legend() is not None


def test_rare_values_are_one_bar():
    table = pd.DataFrame({"size": ["a"] * 5 + ["b"] * 3 + ["c", "d"]})
    (ax,) = plots.plot_values(table, {"size": "Size"}, most=2).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "other"]
    assert [bar.get_width() for bar in ax.patches] == [5, 3, 2]


def test_truth_values_are_words():
    (ax,) = plots.plot_values(pd.DataFrame({"audio": [True, False, False]}), {"audio": "x"}).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["no", "yes"]
