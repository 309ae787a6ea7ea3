"""Work in other threads: in order, bounded, errors in their turn."""

import threading
import time

import pytest

from nbhelpers.common import threads


def test_results_come_in_the_order_of_the_items():
    def slow_when_even(number):
        time.sleep(0.02 * (number % 2 == 0))
        return number * 10

    numbers = range(7)
    assert [*threads.in_order(slow_when_even, numbers, workers=3, ahead=3)] == [*range(0, 70, 10)]


def test_two_workers_are_at_work_at_once():
    both = threading.Barrier(2, timeout=10)  # passed by nobody who comes alone
    assert len([*threads.in_order(lambda _: both.wait(), range(4), workers=2, ahead=1)]) == 4


@pytest.mark.parametrize("far", [1, 3])
def test_no_more_is_drawn_than_is_asked_for(far):
    drawn = []

    def items():
        for number in range(20):
            drawn.append(number)
            yield number

    results = threads.in_order(str, items(), workers=1, ahead=far)
    assert drawn == []
    for asked in range(1, 5):
        next(results)
        assert len(drawn) == asked + far


def test_an_error_is_raised_in_its_turn_and_the_rest_is_dropped():
    begun = []

    def work(number):
        begun.append(number)
        if number == 2:
            raise OSError("the third")
        time.sleep(0.3 * (number == 3))  # the only thread is busy while the rest is dropped
        return number

    results = threads.in_order(work, range(100), workers=1, ahead=4)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(OSError, match="the third"):
        next(results)
    assert begun in ([0, 1, 2], [0, 1, 2, 3])  # 4, 5 and 6 were waiting


def test_an_item_that_cannot_be_drawn_costs_none_before_it():
    def items():
        yield from (1, 2)
        raise OSError("no third")

    results = threads.in_order(abs, items(), workers=2, ahead=2)
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(OSError, match="no third"):
        next(results)


def test_nothing_gives_nothing():
    assert [*threads.in_order(str, [], workers=2, ahead=1)] == []
