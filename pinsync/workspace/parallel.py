"""Work on several trackers at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def run_in_parallel(
    function: Callable[[_Item], _Result], items: Sequence[_Item], done: Callable[[_Item], None]
) -> list[_Result]:
    """Return the result of a function for each item, in the order of the items.

    Args:
        function: the function.
        items: the items, such as trackers.
        done: called with each item when its result is ready.
    """

    def run(item: _Item) -> _Result:
        result = function(item)
        done(item)
        return result

    if len(items) == 1:
        return [run(items[0])]
    # Imported here because help, and most runs, need no threads.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    pool = ThreadPoolExecutor(max_workers=8)
    try:
        return list(pool.map(run, items))
    finally:
        # Without waiting, so that an interrupt doesn't wait for a server that hangs.
        pool.shutdown(wait=False, cancel_futures=True)
