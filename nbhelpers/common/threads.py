"""Work done ahead of time in other threads: in order, and with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, ahead: int
) -> Iterator[Result]:
    """Apply a function to items in other threads and yield the results in the items' order.

    This pays off if the function spends its time outside Python, as in decoding or in a network.
    Two batches in a network at once are faster than one after the other, because one computes
    while the other waits for its slowest thread.

    Args:
        function: must be safe to call from several threads at once.
        items: drawn one by one by the thread that asks for the results, never all at once.
        workers: number of threads.
        ahead: number of results computed, or in progress, before they are asked for; bounds the
            memory.

    Yields:
        ``function(item)`` for each item. An exception from it, or from drawing an item, is raised
        here in its turn; work that has not started by then is dropped.

    >>> list(in_order(abs, [-1, 2, -3], workers=2, ahead=1))
    [1, 2, 3]
    """
    waiting: deque[Future[Result]] = deque()
    lost = None
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            draw = iter(items)
            while lost is None:
                try:
                    waiting.append(pool.submit(function, next(draw)))
                except Exception as error:  # the end, or an item that cannot be drawn
                    lost = error
                while waiting and (lost is not None or len(waiting) > ahead):
                    yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
    if not isinstance(lost, StopIteration):
        raise lost
