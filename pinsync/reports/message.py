"""The commit message of an export."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pinsync import compare
from pinsync.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.compare import Pair

MAX_ENTRIES = 50
"""How many changes are listed; the subject counts them all."""
_MAX_NAME = 60


def message(trackers: Mapping[str, Sequence[Pair]]) -> str:
    """Return a commit message: a subject with the counts, and a line for each change.

    Args:
        trackers: name → its pairs, none for one that had no part: where there are several, each change is told by name.
            Pairs that didn't change are left out.
    """
    changes = [(name, pair) for name, pairs in trackers.items() for pair in pairs if pair.kind]
    counts = Counter(pair.kind for _, pair in changes)
    subject = ", ".join(f"{counts[kind]} {kind}" for kind in compare.KINDS if counts[kind]) or "same rules, new text"
    names = {name for name, _ in changes}
    whose = f" of {_one_line(*names)}" if len(names) == 1 < len(trackers) else ""
    lines = []
    heading = ""
    ordered = sorted(changes, key=lambda change: (change[0], change[1].shown.model, compare.order(change[1].shown)))
    for name, pair in ordered[:MAX_ENTRIES]:
        here = f"{name}/{pair.shown.model}" if len(trackers) > 1 else pair.shown.model
        if here != heading:
            lines += ["", f"{_one_line(here)}:"]
            heading = here
        lines.append(f"  {pair.kind} {_one_line(compare.name(pair.shown))}")
    if len(ordered) > MAX_ENTRIES:
        lines += ["", f"and {len(ordered) - MAX_ENTRIES} more"]
    return "\n".join([f"Export pins{whose}: {subject}", *lines, ""])


def _one_line(text: str) -> str:
    text = printable(text.replace("\n", " ").replace("\t", " "))
    return text if len(text) <= _MAX_NAME else text[: _MAX_NAME - 1] + "…"
