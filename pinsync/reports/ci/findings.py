"""Findings, the common ground of the reports for CI: what differs, or is wrong, at one place each.

A drift becomes findings here; a linter makes its own. The formats know only findings and their context.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from pinsync.drift.changes import plain_data
from pinsync.errors import FileError
from pinsync.escape import clipped, one_line
from pinsync.model import Finding
from pinsync.reports.words.changes import SHORT, DriftWords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.words.changes import Description

_INCOMPLETE: Final = frozenset({"drift-incomplete", "lint-incomplete"})

_IN_SYNC: Final = "in sync"
"""The name of what is wrong with a tracker that couldn't be compared, and of one of which nothing differs."""

_MAX_VALUE: Final = 200
_MAX_NAME: Final = 180
_MAX_LINES: Final = 6
_MAX_MESSAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class FindingRule:
    """What a finding's rule is about.

    Attributes:
        id: as in ``Finding.rule``.
        severity: of its findings, unless one says otherwise.
        summary: one sentence.
        help: what it means and how to mend it, in markdown without HTML.
    """

    id: str
    severity: Literal["error", "warning"]
    summary: str
    help: str


@dataclass(frozen=True, slots=True)
class PassedTest:
    """What was looked at and is fine: its name, and the model or tracker that it belongs to."""

    suite: str
    name: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a report is told besides the findings.

    Attributes:
        command: what found them, ``diff`` or ``lint``.
        rules: all that could have been broken.
        passed: what was looked at and is fine.
        notes: what a reader should know first.
        configuration: its path from the repository's root: where notes stand; and, in formats that must name a file,
            findings that no file is at fault for.
        has_page: whether the job has a page that takes a summary.
    """

    command: str
    rules: Sequence[FindingRule]
    passed: Sequence[PassedTest] = ()
    notes: Sequence[str] = ()
    configuration: str = "pinsync.yaml"
    has_page: bool = False


DRIFT_RULES: Final = (
    FindingRule(
        "drift-added",
        "error",
        "A customization is only on the right side, such as live.",
        "The right side of the comparison, by default live, has a customization that the left one, by default the last "
        "commit, lacks.\n\nTo take it into git, run `pinsync export --commit`; otherwise remove it in Luigi's Box.",
    ),
    FindingRule(
        "drift-removed",
        "error",
        "A customization is only on the left side, such as git.",
        "The left side of the comparison, by default the last commit, has a customization that the right one, by "
        "default live, lacks.\n\nTo drop it from git too, run `pinsync export --commit`; otherwise create it again in "
        "Luigi's Box. Give one without an id the id of its rule in live, or enter it there, or delete its block.",
    ),
    FindingRule(
        "drift-changed",
        "error",
        "A customization differs between the two sides.",
        "Both sides of the comparison have this customization, and they differ in its pins, its target or its other "
        "fields. What stands left of an arrow is the left side's, by default the last commit's; right of it the right "
        "side's, by default live's. A difference that shoppers can't see (tags, metadata) is a warning.\n\nTo take "
        "live into git, run `pinsync export --commit`; otherwise mend it in Luigi's Box.",
    ),
    FindingRule(
        "drift-recreated",
        "error",
        "A customization has the same target under another id.",
        "Somebody removed this customization and created it again, so that it has a new id.\n\nTo take the new id into "
        "git, run `pinsync export --commit`.",
    ),
    FindingRule(
        "drift-incomplete",
        "error",
        "A tracker could not be compared.",
        "Whether anything differs is not known: one of the two sides could not be read. The message says why, and what "
        "to do about it.",
    ),
)
"""The rules of a drift's findings."""

LINT_INCOMPLETE: Final = FindingRule(
    "lint-incomplete",
    "error",
    "A file or folder could not be looked at.",
    "Whether anything is wrong in it is not known: it could not be opened, or is none that holds customizations. The "
    "message says why, and what to do about it.",
)
"""The rule of what a linter was to look at and couldn't."""


def collect_findings(drift: Drift, style: Style) -> tuple[tuple[Finding, ...], Context]:
    """Return a drift's findings, trackers that could not be compared first, and their context.

    Args:
        drift: what to report.
        style: the time zone, and the configuration's path.
    """
    words = DriftWords(style.zone, one_line, _MAX_VALUE, drift=drift)
    failures = [_build_failure(tracker, tracker.error) for tracker in drift.trackers if tracker.error]
    changes: list[Finding] = []
    for tracker in drift.trackers:
        # Once for a tracker: it compares the ids of all changes.
        of_tracker = words.adapt_to(tracker)
        changes += [_build_finding(change, tracker, of_tracker) for change in tracker.changes]
    in_sync = [tracker for tracker in drift.trackers if not tracker.error and not tracker.changes]
    passed = [PassedTest(tracker.name, _IN_SYNC) for tracker in in_sync]
    notes = [*drift.notes, *(f"{tracker.name}: {note}" for tracker in drift.trackers for note in tracker.notes)]
    context = Context(
        "diff", DRIFT_RULES, tuple(passed), tuple(filter(None, notes)), style.configuration, style.has_page
    )
    return (*failures, *changes), context


def _build_failure(tracker: TrackerDrift, error: PinsyncError) -> Finding:
    place = error if tracker.file is not None and isinstance(error, FileError) else None
    return Finding(
        rule="drift-incomplete",
        severity="error",
        message=f"{tracker.name} could not be compared: {error.message}",
        file=tracker.file,
        line=place.line if place else None,
        column=place.column if place else None,
        hint=error.hint,
        identity=tracker.name,
        name=_IN_SYNC,
    )


def _build_finding(change: Change, tracker: TrackerDrift, words: DriftWords) -> Finding:
    item = change.subject
    target = ":".join(part or "" for part in item.target)
    entry = words.describe_change(replace(change, place=None))  # the place has a field of its own
    remedy = words.find_remedy(change)
    return Finding(
        rule=f"drift-{change.kind}",
        severity="error" if change.effect == "shown" else "warning",
        message=_write_message(entry, tracker, words),
        file=change.place.file if change.place else None,
        line=change.place.line if change.place else None,
        hint=remedy and remedy.plain,
        identity=f"{tracker.name}:{change.id or target}",
        model=item.model,
        tracker=tracker.name if len(words.drift.trackers) > 1 else None,
        name=_name_test(change, words),
    )


def _name_test(change: Change, words: DriftWords) -> str:
    """Return what a change is about, told from all that is alike, whether that differs today or not."""
    item = change.subject
    # Whatever else differs: a name that changed with it would be another test's.
    words = replace(words, alike=frozenset())
    name = clipped(words.name_rule(item, plain_data(item)).full, _MAX_NAME)
    return name if change.id is None else f"{name}, id {one_line(change.id[:SHORT])}"


def _write_message(entry: Description, tracker: TrackerDrift, words: DriftWords) -> str:
    """Return ``Strings (item /p/123/) · model basket · git → live: position 3: /p/234/ → /p/999/``."""
    drift = words.drift
    sides = f"{words.shorten_side(drift.old)} → {words.shorten_side(drift.new)}"
    several = [one_line(tracker.name)] if len(drift.trackers) > 1 else []
    verdict = [] if entry.kind == "changed" else [entry.verdict]
    arrows = [] if entry.kind in ("added", "removed") else [sides]
    lines = [line for _, line in entry.lines[:_MAX_LINES]]
    if more := len(entry.lines) - len(lines):
        lines.append(f"and {more:,} more")
    head = " · ".join([*several, entry.name.full, f"model {entry.model}", *verdict, *entry.remarks, *arrows])
    return f"{head}: {'; '.join(lines)}" if lines else head


def is_failure(finding: Finding) -> bool:
    """Return whether it says that something could not be looked at, rather than that something is wrong there."""
    return finding.rule in _INCOMPLETE


def count_files(findings: Iterable[Finding], context: Context) -> int:
    """Return how many files a linter could look at."""
    return len({finding.file for finding in findings if not is_failure(finding)}) + len(context.passed)


def describe(finding: Finding) -> str:
    """Return what is wrong and how to mend it, on one line."""
    message = clipped(one_line(finding.message), _MAX_MESSAGE)
    return f"{message}; {clipped(one_line(finding.hint), _MAX_MESSAGE)}" if finding.hint else message


def name_suite(model: str | None, tracker: str | None) -> str | None:
    """Return a model's name, with its tracker's where there are several; None of what has no model."""
    return f"{tracker}/{model}" if tracker and model else model


def choose_line(finding: Finding) -> int:
    """Return the line for a format that must have one: the first of the file if it is the file as a whole."""
    return finding.line if finding.file is not None and finding.line else 1


def compute_fingerprints(findings: Iterable[Finding]) -> Iterator[tuple[str, int]]:
    """Yield for each finding a hash of what it is, and how many of that hash there have been with it.

    The hash is of the rule, the file and the identity, 128 bits in hexadecimal; a line that moves doesn't change it.
    """
    counts: Counter[str] = Counter()
    for finding in findings:
        key = "\0".join((finding.rule, finding.file or "", finding.identity or finding.message))
        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        counts[digest] += 1
        yield digest, counts[digest]
