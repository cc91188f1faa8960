"""Twice the input makes twice the work, counted in calls: a clock on a busy machine says
nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.growing import INPUTS

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from support.command_line import CommandLine

SIZE = 32
LINEAR = 2.4
"""How much more twice the input may take: n log n takes 2.3 times as much at these sizes, n² four
times.
"""
NOISE = 100
"""Calls that come and go whatever the input: of the garbage collector, of a cache that is full."""


def count_calls(pinsync: CommandLine, arguments: tuple[str, ...]) -> int:
    """Return how many functions, those written in C included, a command calls."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        result = pinsync(*arguments)
    finally:
        sys.setprofile(None)
    assert result.code in (0, 1, 2), result.err
    assert "Traceback" not in result.err
    return count


@pytest.mark.parametrize("name", INPUTS)
def test_twice_the_input_makes_twice_the_calls(
    name: str, pinsync: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = INPUTS[name]
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "test@example.com")
    counts = []
    for size in (4, SIZE, 2 * SIZE, 4 * SIZE):  # the first time modules are imported too
        place = folder / f"{size}"
        place.mkdir()
        growing.write(place, size)
        monkeypatch.chdir(place)
        counts.append(count_calls(pinsync, growing.arguments))
    _, first, second, third = counts
    assert third - second <= LINEAR * (second - first) + NOISE
