"""Time strips: when the pins of a rule are active, on one scale."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.canonical.moments import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.canonical.moments import Window
    from pinsync.reports.words.pins import Words

WIDTH: Final = 1000
"""The width of a strip in its own units."""
_MARGIN: Final = 50
"""The room for bars beyond the outermost moments."""
_MINUTE: Final = timedelta(minutes=1)
_MINUTE_CHARS: Final = len("2026-12-24T11:00")


class Bar(NamedTuple):
    """The time of a pin.

    Attributes:
        label: the name of the pin.
        start: the beginning of the bar.
        width: the width of the bar.
    """

    label: str
    start: int
    width: int


class Strip(NamedTuple):
    """The times of several pins.

    Attributes:
        first: the first moment, in words.
        last: the last moment, in words.
        now: the moment of the report, in words.
        mark: the place of that moment.
        bars: the times.
    """

    first: str
    last: str
    now: str
    mark: int
    bars: tuple[Bar, ...]


def build_strip(
    windows: Sequence[tuple[str, Window | None]], at: str, words: Words
) -> Strip | None:
    """Return the strip of some pins; None if no pin has a date.

    Args:
        windows: the name and the window of each pin.
        at: the moment of the report, as `format_utc` returns it.
        words: writes moments.
    """
    read = [(label, window) for label, window in windows if window]
    moments = {at.removesuffix("Z")}
    for _, window in read:
        moments.update(moment for moment in window if moment not in ALWAYS)
    if not any(has_dates(window) for _, window in read):
        return None
    scale = Scale(min(moments), max(moments))
    bars = [Bar(label, *scale.measure(window)) for label, window in dict.fromkeys(read)]
    first, last = words.format_moment(f"{scale.first}Z"), words.format_moment(f"{scale.last}Z")
    mark = scale.place(at.removesuffix("Z"))
    return Strip(first, last, words.format_moment(at), mark, tuple(bars))


def has_dates(window: Window | None) -> bool:
    """Whether a pin has a start or an end that can be read."""
    return window is not None and window != ALWAYS


class Scale(NamedTuple):
    """The places of moments between two of them, which are instants that sort."""

    first: str
    last: str

    def measure(self, window: Window) -> tuple[int, int]:
        """Return the beginning and the width of a bar.

        A window that begins earlier or ends later than the scale reaches beyond it.
        """
        start = 0 if window.start < self.first else self.place(window.start)
        end = WIDTH if window.end > self.last else self.place(window.end)
        return start, max(end - start, 1)

    def place(self, moment: str) -> int:
        """Return the place of a moment, to the minute."""
        start = read_minute(self.first)
        span = max(read_minute(self.last) - start, _MINUTE)
        share = (read_minute(moment) - start) / span
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN))


def read_minute(moment: str) -> datetime:
    """Return the minute of an instant, in UTC without an offset."""
    # Seconds are too small to see, and may be 60.
    return datetime.fromisoformat(moment[:_MINUTE_CHARS])
