"""The commit message of an export.

Foreign text stands in it, and code hosts obey what a message says: they close issues, notify people and skip jobs. Git
itself takes lines such as ``Signed-off-by: a person`` for trailers, which lend a commit somebody's word.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from pinsync.drift.pairs import KINDS, describe, order_in_tracker
from pinsync.escape import clipped, defused, escaped, one_line
from pinsync.reports.words.values import compact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.drift.pairs import Pair

MAX_ENTRIES = 50
"""How many changes are listed; the subject counts them all."""
_MAX_NAME = 60


def write_message(trackers: Mapping[str, Sequence[Pair]]) -> str:
    """Return a commit message: a subject with the counts, and a line for each change.

    Args:
        trackers: name → its pairs, none for one that had no part: where there are several, each change is told by name.
            Pairs that didn't change are left out.
    """
    changes = [(name, pair) for name, pairs in trackers.items() for pair in pairs if pair.kind]
    counts = Counter(pair.kind for _, pair in changes)
    subject = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "same rules, new text"
    names = {name for name, _ in changes}
    whose = f" of {_escape_foreign(*names)}" if len(names) == 1 < len(trackers) else ""
    lines = []
    heading = ""
    ordered = sorted(changes, key=lambda change: (change[0], order_in_tracker(change[1].shown)))
    for name, pair in ordered[:MAX_ENTRIES]:
        # No trailer: of those, the one word before the colon may be followed by blanks alone; an odd name has quotes.
        here = f"{f'{name}, ' if len(trackers) > 1 else ''}model {_escape_foreign(compact(pair.shown.model))}:"
        if here != heading:
            lines += ["", here]
            heading = here
        lines.append(f"  {pair.kind} {_escape_foreign(describe(pair.shown))}")
    if len(ordered) > MAX_ENTRIES:
        lines += ["", f"and {len(ordered) - MAX_ENTRIES} more"]
    # A job shows the commit that it checked out.
    return defused("\n".join([f"Export pins{whose}: {subject}", *lines, ""]))


_ISSUE: Final = r"""
    (?: issues? \s+ )?
    (?:
        (?: [\w.-]+ (?: / [\w.-]+ )+ )? [#!]\d
        | GH-\d
        | https?://\S+/ (?: issues | pull | merge_requests | work_items ) /\d
    )
"""
"""A reference: ``#1``, ``!1``, ``GH-1``, ``owner/repository#1``, or an address."""
_OBEYED: Final = re.compile(
    rf"""
    (?<! [a-z0-9] ) [cfri] (?=
        (?: los(?: e[sd]? | ing ) | ix(?: e[sd] | ing )? | esolv(?: e[sd]? | ing ) | mplement(?: s | ed | ing )? )
        [\s:]* {_ISSUE}
    )
    | (?<! \w ) @ (?= \w )
    | \[ (?= (?: skip[ ]ci | ci[ ]skip | no[ ]ci | skip[ ]actions | actions[ ]skip ) \] )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The first character of what a code host obeys.

Closing keywords are GitHub's ("Linking a pull request to an issue") and GitLab's ("Default closing pattern", which has
``-ing`` and ``implement`` besides); either reads them in any commit that reaches the default branch. Mentions; and what
keeps jobs from running ("Skipping workflow runs", "Skip a pipeline").
"""


def _escape_foreign(text: str) -> str:
    """Return foreign text on one line, cut, and so that nobody is called by it and nothing obeyed."""
    return _OBEYED.sub(lambda match: escaped(match[0]), clipped(one_line(text), _MAX_NAME))
