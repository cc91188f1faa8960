"""The commit message of an export.

The message holds foreign text, and code hosts obey messages: they close issues, notify people and
skip jobs.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Final

from pinsync.drift.changes import build_change
from pinsync.drift.pairs import CHANGE_KINDS, build_sort_key
from pinsync.escape import clip, defuse, escape_character, one_line
from pinsync.reports.words.events import list_events
from pinsync.reports.words.slots import SlotWords
from pinsync.reports.words.values import compact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.drift.pairs import Pair

MAX_ENTRIES = 50
"""The maximum number of listed changes; the subject counts all changes."""
_MAX_NAME = 80
_MAX_NAMES = 3
"""The maximum number of changes of one rule that a line names."""

# ``#1``, ``!1``, ``GH-1``, ``owner/repository#1``, or an address.
_ISSUE: Final = r"""
    (?: issues? \s+ )?
    (?:
        (?: [\w.-]+ (?: / [\w.-]+ )+ )? [#!]\d
        | GH-\d
        | https?://\S+/ (?: issues | pull | merge_requests | work_items ) /\d
    )
"""
# Closing keywords are GitHub's ("Linking a pull request to an issue") and GitLab's ("Default
# closing pattern", which adds ``-ing`` and ``implement``). Both hosts read them in every commit
# that reaches the default branch. Next, mentions; last, the words that keep jobs from running
# ("Skipping workflow runs", "Skip a pipeline").
_OBEYED: Final = re.compile(
    rf"""
    (?<! [a-z0-9] ) [cfri] (?=
        (?:
            los(?: e[sd]? | ing )
            | ix(?: e[sd] | ing )?
            | esolv(?: e[sd]? | ing )
            | mplement(?: s | ed | ing )?
        )
        [\s:]* {_ISSUE}
    )
    | (?<! \w ) @ (?= \w )
    | \[ (?= (?: skip[ ]ci | ci[ ]skip | no[ ]ci | skip[ ]actions | actions[ ]skip ) \] )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The first character of a text that a code host obeys."""


def write_message(trackers: Mapping[str, Sequence[Pair]]) -> str:
    """Return a commit message: a subject with the counts, and a line for each change.

    Args:
        trackers: tracker name → its pairs, changed or not. If there are several trackers, each
            change is listed under its tracker's name; a tracker without pairs counts.
    """
    changes: list[tuple[str, Pair]] = []
    for name, pairs in trackers.items():
        changes += [(name, pair) for pair in pairs if pair.kind]
    changes.sort(key=lambda change: (change[0], build_sort_key(change[1].latest)))
    lines = []
    last_heading = ""
    for name, pair in changes[:MAX_ENTRIES]:
        heading = f"model {_escape_foreign(compact(pair.latest.model))}:"
        # git takes "Signed-off-by: a person" for a trailer, which lends the commit somebody's
        # word. No heading is one: a trailer has a single word before its colon, and compact()
        # quotes a model with a colon.
        if len(trackers) > 1:
            heading = f"{name}, {heading}"
        if heading != last_heading:
            lines += ["", heading]
            last_heading = heading
        lines.append(f"  {_describe(pair)}")
    if len(changes) > MAX_ENTRIES:
        lines += ["", f"and {len(changes) - MAX_ENTRIES} more"]
    subject = _write_subject(changes, several=len(trackers) > 1)
    # Defused, because a job's log shows the message of the commit that the job checked out.
    return defuse("\n".join([subject, *lines, ""]))


def _describe(pair: Pair) -> str:
    """Return the change of a pair: ``pin added at position 5: "Strings" (/p/123/)``."""
    if pair.kind is None:
        raise ValueError("a pair without a change")
    change = build_change(pair, pair.kind)
    # A code host would link "#5" to an issue. A message names no moment, so it needs no time zone.
    words = SlotWords(UTC, one_line, _MAX_NAME, sign="position ")
    names = [" ".join(filter(None, name)) for name in words.name_changes(list_events(change))]
    more = ", …" if len(names) > _MAX_NAMES else ""
    name = words.name_target(pair.latest, change.new_data or change.old_data)
    return f"{', '.join(names[:_MAX_NAMES])}{more}: {_escape_foreign(name)}"


def _write_subject(changes: Sequence[tuple[str, Pair]], *, several: bool) -> str:
    counts = Counter(pair.kind for _, pair in changes)
    summary = ", ".join(f"{counts[kind]} {kind}" for kind in CHANGE_KINDS if counts[kind])
    names = {name for name, _ in changes}
    # Of several trackers, the subject names the only tracker with changes.
    owner = f" of {_escape_foreign(*names)}" if several and len(names) == 1 else ""
    return f"Export pins{owner}: {summary or 'same rules, new text'}"


def _escape_foreign(text: str) -> str:
    """Cut foreign text to one line in which a code host finds nothing to obey."""
    return _OBEYED.sub(lambda match: escape_character(match[0]), clip(one_line(text), _MAX_NAME))
