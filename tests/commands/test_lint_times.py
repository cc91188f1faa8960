"""``pinsync lint --at`` and ``--until``: the time in which overlaps of windows count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.exporting import put

if TYPE_CHECKING:
    from support.command_line import CommandLine

HEAD = """\
format: 1
model: basket
customizations:
  - target_type: all
    pin_definitions:
"""


def pin(position: int, item: str, start: str, end: str) -> str:
    return (
        f"      - position: {position}\n        pin_type: item\n        pin_identity: {item}\n"
        f'        active_from: "{start}T00:00:00Z"\n        active_to: "{end}T00:00:00Z"\n'
    )


@pytest.fixture(autouse=True)
def _document(repository: Path) -> None:
    """A pin that meets another one in May, and a third one in July."""
    text = HEAD + pin(1, "/p/1/", "2026-04-01", "2026-06-01")
    text += pin(1, "/p/2/", "2026-05-01", "2026-08-01")
    text += pin(1, "/p/3/", "2026-07-01", "2026-09-01")
    put(repository / "customizations/basket.yaml", text)


def overlaps(pinsync: CommandLine, *options: str) -> list[str]:
    result = pinsync("lint", "--select", "position-conflict", *options)
    messages = [line for line in result.out.splitlines() if "position-conflict" in line]
    assert result.code == int(bool(messages))
    return [line.partition("is held by ")[2] for line in messages]


MAY = "/p/1/ too, from 2026-05-01T00:00:00Z to 2026-06-01T00:00:00Z"
JULY = "/p/2/ too, from 2026-07-01T00:00:00Z to 2026-08-01T00:00:00Z"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [MAY, JULY]),
        (["--at", "2026-05-31"], [MAY, JULY]),
        (["--at", "2026-06-01"], [JULY]),
        (["--at", "2026-08-01"], []),
        (["--until", "2026-06-30"], [MAY]),
        (["--until", "2026-07-01"], [MAY, JULY]),
        (["--until", "2026-04-30"], []),
        (["--at", "2026-06-01", "--until", "2026-06-30"], []),
        (["--at", "2026-07-10", "--until", "2026-07-10"], [JULY]),
        (["--at", "0001-01-01T00:00Z", "--until", "9999-12-31T23:59Z"], [MAY, JULY]),
    ],
)
def test_overlaps_at_other_times_are_left_out(
    options: list[str], expected: list[str], pinsync: CommandLine
) -> None:
    assert overlaps(pinsync, *options) == expected


def test_an_overlap_that_is_left_out_hides_no_other(pinsync: CommandLine) -> None:
    text = HEAD + pin(1, "/p/1/", "2026-01-01", "2026-06-01")
    text += pin(1, "/p/2/", "2026-01-01", "2026-08-01")
    text += pin(1, "/p/3/", "2026-05-01", "2026-09-01")
    put(Path("customizations/basket.yaml"), text)
    assert overlaps(pinsync, "--at", "2026-07-01") == [
        "/p/2/ too, from 2026-05-01T00:00:00Z to 2026-08-01T00:00:00Z"
    ]


@pytest.mark.parametrize(
    ("at", "number"),
    [("2026-06-30", 0), ("2026-07-02", 1), ("2027-01-01", 3), ("0001-01-01T00:00Z", 0)],
)
def test_the_time_is_the_present_of_expired(at: str, number: int, pinsync: CommandLine) -> None:
    result = pinsync("lint", "--select", "expired", "--at", at)
    assert (result.code, result.out.count(" expired: ")) == (0, number)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--at", "now"], '--at: "now" is no time'),
        (["--until", "2026-02-30"], '--until: there is no "2026-02-30"'),
        (["--at", "2026-06-02", "--until", "2026-06-01"], "--until lies before --at"),
    ],
)
def test_bad_times_are_usage_errors(options: list[str], message: str, pinsync: CommandLine) -> None:
    result = pinsync("lint", *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
