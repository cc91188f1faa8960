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
    """Return what a function makes of each tracker, in their order; ``done`` is told of each as it is ready."""

    def run(item: _Item) -> _Result:
        result = function(item)
        done(item)
        return result

    if len(items) == 1:
        return [run(items[0])]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - help, and most runs, need no threads

    pool = ThreadPoolExecutor(max_workers=8)
    try:
        return list(pool.map(run, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # interrupted, nobody waits for a server that hangs
