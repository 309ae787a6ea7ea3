"""Forest plots: whiskers where the numbers say, none for too few groups."""

import re

from nbhelpers.evaluation.metrics import Interval
from nbhelpers.runner import forest


def drawn(*rows):
    return forest.figure("AUC", rows, reference=0.5, reference_name="the prior", ends=(0.0, 1.0))


def test_values_and_intervals_lie_where_they_belong():
    page = drawn(forest.Row("<b>ours", Interval(0.75, 0.5, 1.0, 9), "0.75"))
    assert 'class="whisker" x1="50.00%" x2="98.00%"' in page
    assert 'cx="74.00%"' in page
    assert 'class="reference" x1="50.00%" x2="50.00%"' in page
    assert "&lt;b&gt;ours" in page and "<b>" not in page
    assert re.findall(r">(\d\.\d)</text>", page) == ["0.0", "0.5", "1.0"]


def test_too_few_groups_have_a_dot_alone_and_nothing_has_neither():
    assert "whisker" not in drawn(forest.Row("a", Interval(0.7, 0.6, 0.8, 7), ""))
    assert "circle" in drawn(forest.Row("a", Interval(0.7, 0.6, 0.8, 7), ""))
    assert "circle" not in drawn(forest.Row("a", None, "not known"))
    note = "none for too few groups"
    assert note in drawn(forest.Row("a", Interval(0.7, 0.6, 0.8, 7), ""))
    assert note not in drawn(forest.Row("a", Interval(0.7, 0.6, 0.8, 8), ""))


def test_the_axis_is_no_close_up_of_noise():
    near = [forest.Row("a", Interval(0.51, 0.47, 0.53, 9), "")]
    assert forest.limits(near, reference=0.5, least=0.2) == (0.3, 0.7)
    far = [forest.Row("a", Interval(0.51, 0.17, 0.93, 9), ""), forest.Row("b", None, "")]
    assert forest.limits(far, reference=0.5, least=0.2) == (0.1, 1.0)
