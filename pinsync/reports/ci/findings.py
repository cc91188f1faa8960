"""Findings, from which all reports for CI are made: one difference or fault at one place each.

`collect_findings` turns a drift into findings; the linter makes its own. The formats know only
findings and their context.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pinsync.drift.record import find_when
from pinsync.errors import FileError
from pinsync.escape import clip, one_line
from pinsync.model import Finding
from pinsync.reports.words.changes import SHORT
from pinsync.reports.words.entries import build_words
from pinsync.reports.words.overview import TITLES, list_actions, name_mover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.drift.record import Change, Drift, Effect, TrackerDrift
    from pinsync.errors import PinsyncError
    from pinsync.reports import Style
    from pinsync.reports.words.entries import Entry, EntryWords

Severity = Literal["error", "warning"]

_INCOMPLETE: Final = frozenset({"drift-incomplete", "lint-incomplete"})

_IN_SYNC: Final = "in sync"
"""The test of a whole tracker: it passes without changes, and fails if nothing was compared."""

_SEVERITIES: Final[Mapping[Effect, Severity]] = {"shown": "error", "label": "warning"}

_MAX_NAME: Final = 180
_MAX_SECTIONS: Final = 4
_MAX_CELLS: Final = 12
_MAX_MESSAGE: Final = 1_000


class FindingRule(Struct, frozen=True):
    """The documentation of a kind of finding.

    Attributes:
        id: the value of ``Finding.rule``.
        severity: the default severity of its findings.
        summary: one sentence.
        help: the meaning and the remedy, in markdown without HTML.
    """

    id: str
    severity: Severity
    summary: str
    help: str


class PassedTest(Struct, frozen=True):
    """A file or tracker without findings: its name, and its suite, a model or tracker."""

    suite: str
    name: str


class Context(Struct, frozen=True):
    """The facts of a report besides its findings.

    Attributes:
        command: the command that found them, ``diff`` or ``lint``.
        rules: all rules that the command checked.
        passed: the files or trackers without findings.
        notes: remarks to read first.
        configuration: the path of the configuration from the repository's root: the place of
            notes, and of findings without a file in formats that need one.
        has_page: whether the CI job has a page for a summary.
    """

    command: str
    rules: Sequence[FindingRule]
    passed: Sequence[PassedTest] = ()
    notes: Sequence[str] = ()
    configuration: str = "pinsync.yaml"
    has_page: bool = False


_ADDED_HELP: Final = """\
The second state of the comparison, by default the shop, has a rule that the first one, by default \
the last commit, lacks.

To record it in git, run `pinsync export --commit`. To remove it from the shop, run `pinsync \
apply` with the options that `pinsync plan` names, or remove it in Luigi's Box."""
_REMOVED_HELP: Final = """\
The first state of the comparison, by default the last commit, has a rule that the second one, by \
default the shop, lacks.

To drop it from git too, run `pinsync export --commit`. To create it in the shop, run `pinsync \
apply` with the options that `pinsync plan` names, or create it in Luigi's Box. An export keeps a \
rule without an id: give it the id of its rule in the shop, or apply it, or delete its block."""
_CHANGED_HELP: Final = """\
Both states of the comparison have this rule, and they differ in its pins, its target or its other \
fields. The row *agreed* is what git says, the row *shop* is what the shop has. A difference that \
shoppers can't see (tags, metadata) is a warning.

To record the shop's state in git, run `pinsync export --commit`. To give the shop the state of \
git, run `pinsync apply` with the options that `pinsync plan` names, or mend the rule in Luigi's \
Box."""
_RECREATED_HELP: Final = """\
Somebody removed this rule and created it again, so that it has a new id.

To record the new id in git, run `pinsync export --commit`."""
_DRIFT_INCOMPLETE_HELP: Final = """\
Whether anything differs is not known: one of the two sides could not be read. The message says \
why, and what to do about it."""
_LINT_INCOMPLETE_HELP: Final = """\
Whether anything is wrong in it is not known: it could not be opened, or is none that holds \
customizations. The message says why, and what to do about it."""

DRIFT_RULES: Final = (
    FindingRule(
        "drift-added",
        "error",
        "A rule is only in the second state, such as the shop.",
        _ADDED_HELP,
    ),
    FindingRule(
        "drift-removed",
        "error",
        "A rule is only in the first state, such as git.",
        _REMOVED_HELP,
    ),
    FindingRule(
        "drift-changed",
        "error",
        "A rule differs between the two states.",
        _CHANGED_HELP,
    ),
    FindingRule(
        "drift-recreated",
        "error",
        "A rule has the same target under another id.",
        _RECREATED_HELP,
    ),
    FindingRule(
        "drift-incomplete",
        "error",
        "A tracker could not be compared.",
        _DRIFT_INCOMPLETE_HELP,
    ),
)
"""The rules of a drift's findings."""

LINT_INCOMPLETE: Final = FindingRule(
    "lint-incomplete",
    "error",
    "A file or folder could not be looked at.",
    _LINT_INCOMPLETE_HELP,
)
"""The rule of files and folders that the linter couldn't read."""


def collect_findings(drift: Drift, style: Style) -> tuple[tuple[Finding, ...], Context]:
    """Return the findings of a drift, failed trackers first, and their context.

    Args:
        drift: the drift.
        style: the time zone, and the configuration's path.
    """
    words = build_words(drift, style.zone, one_line)
    failures: list[Finding] = []
    changes: list[Finding] = []
    passed: list[PassedTest] = []
    notes = list(drift.notes)
    for tracker in drift.trackers:
        # Once for a tracker, because it compares the ids of all changes.
        tracker_words = words.adapt_to(tracker)
        changes += [_build_finding(change, tracker, tracker_words) for change in tracker.changes]
        notes += [f"{tracker.name}: {note}" for note in tracker.notes]
        if tracker.error:
            failures.append(_build_failure(tracker, tracker.error))
        elif not tracker.changes:
            passed.append(PassedTest(tracker.name, _IN_SYNC))
    context = Context(
        command="diff",
        rules=DRIFT_RULES,
        passed=tuple(passed),
        notes=tuple(filter(None, notes)),
        configuration=style.configuration,
        has_page=style.has_page,
    )
    return (*failures, *changes), context


def _build_failure(tracker: TrackerDrift, error: PinsyncError) -> Finding:
    line = column = None
    if tracker.file is not None and isinstance(error, FileError):
        line, column = error.line, error.column
    return Finding(
        rule="drift-incomplete",
        severity="error",
        message=f"{tracker.name} could not be compared: {error.message}",
        file=tracker.file,
        line=line,
        column=column,
        hint=error.hint,
        identity=tracker.name,
        name=_IN_SYNC,
    )


def _build_finding(change: Change, tracker: TrackerDrift, words: EntryWords) -> Finding:
    item = change.subject
    target = ":".join(part or "" for part in item.target)
    entry = words.describe(change)
    file = line = None
    if change.place:
        file, line = change.place.file, change.place.line
    return Finding(
        rule=f"drift-{change.kind}",
        severity=_choose_severity(change, words.drift),
        message=_write_message(entry),
        file=file,
        line=line,
        hint=_find_remedy(change, words.drift),
        identity=f"{tracker.name}:{change.id or target}",
        model=item.model,
        tracker=entry.tracker or None,
        name=_name_test(change, words),
    )


def _find_remedy(change: Change, drift: Drift) -> str | None:
    """Return the way to resolve the change; None if it isn't certain.

    It brings git's own change to the shop, and every other change into git.
    """
    changes_shop = change.moved == "git"
    for action in list_actions(drift, [change], one_line):
        if action.command and action.changes_shop == changes_shop:
            return f"to {action.text}: {action.command}"
        if not action.command and not action.changes_shop:
            return action.text
    return None


def _choose_severity(change: Change, drift: Drift) -> Severity:
    # The change of a branch is no fault: it is there to be reviewed.
    if not drift.old.is_live and not drift.new.is_live:
        return "warning"
    return _SEVERITIES[change.effect]


def _name_test(change: Change, words: EntryWords) -> str:
    """Return the name of a customization for its test, the same in every run."""
    # Which identities look alike, and which titles are known, depends on the other changes: a name
    # that changed with them would be another test's.
    words = replace(words, alike=frozenset(), titles={})
    name = clip(words.name_target(change.subject, change.data), _MAX_NAME)
    return name if change.id is None else f"{name}, id {one_line(change.id[:SHORT])}"


def _write_message(entry: Entry) -> str:
    """Return the message of a finding: the heading of an entry and its rows on one line."""
    # Such as: PIN ADDED at #5 · "Strings" (/p/1/) · basket · changed in the shop · difference to
    # shoppers now: agreed #1 "Cable"; shop #1 "Cable" #5 "Case".
    change = entry.change
    head = " ".join(filter(None, [entry.verdict, entry.details]))
    facts = [head, entry.name, entry.model, entry.widget, entry.tracker, *entry.remarks]
    facts += [name_mover(change), TITLES[find_when(change)].lower(), entry.start]
    rows = []
    for section in entry.sections[:_MAX_SECTIONS]:
        caption = f"{section.caption}, " if section.caption else ""
        for row in section.rows:
            cells = " ".join(cell.text for cell in row.cells[:_MAX_CELLS])
            if len(row.cells) > _MAX_CELLS:
                cells += " …"
            rows.append(f"{caption}{row.label} {cells}")
    if more := len(entry.sections[_MAX_SECTIONS:]):
        rows.append(f"and {more:,} more")
    return f"{' · '.join(filter(None, facts))}: {'; '.join(rows)}"


def is_failure(finding: Finding) -> bool:
    """Whether a file or tracker could not be read, rather than that a fault was found in it."""
    return finding.rule in _INCOMPLETE


def count_files(findings: Iterable[Finding], context: Context) -> int:
    """Return the number of files that the linter could read."""
    files = {finding.file for finding in findings if not is_failure(finding)}
    return len(files) + len(context.passed)


def describe(finding: Finding) -> str:
    """Return the message and the hint of a finding on one line."""
    message = clip(one_line(finding.message), _MAX_MESSAGE)
    if not finding.hint:
        return message
    return f"{message}; {clip(one_line(finding.hint), _MAX_MESSAGE)}"


def name_suite(model: str | None, tracker: str | None) -> str | None:
    """Return ``tracker/model``, or the model if there is no tracker; None without a model."""
    return f"{tracker}/{model}" if tracker and model else model


def choose_line(finding: Finding) -> int:
    """Return the line of a finding, or 1, for formats that require a line."""
    return finding.line if finding.file is not None and finding.line else 1


def compute_fingerprints(findings: Iterable[Finding]) -> Iterator[tuple[str, int]]:
    """Yield the hash of each finding, and its number among the findings with the same hash."""
    counts: Counter[str] = Counter()
    for finding in findings:
        # No line number: a finding that moves keeps its hash. 128 bits are enough.
        parts = (finding.rule, finding.file or "", finding.identity or finding.message)
        key = "\0".join(parts).encode("utf-8", "surrogatepass")
        digest = sha256(key).hexdigest()[:32]
        counts[digest] += 1
        yield digest, counts[digest]
