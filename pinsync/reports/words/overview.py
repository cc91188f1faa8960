"""The frame of a drift report: headline, groups of entries, actions, origins of the sides."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, get_args

from msgspec import Struct

from pinsync.canonical.moments import read_instant
from pinsync.drift.record import Moved, When, find_when
from pinsync.escape import one_line
from pinsync.plan.decisions import drop_settled, find_kind, list_required
from pinsync.reports.words.entries import build_words
from pinsync.reports.words.sides import describe_origin
from pinsync.reports.words.terminal import name_tracker
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.reports.words.entries import Entry, EntryWords
    from pinsync.reports.words.sides import Escape
    from pinsync.shelf.calendar import TrackerCalendar

WHENS: Final[tuple[When, ...]] = get_args(When)
TITLES: Final[Mapping[When, str]] = {
    "now": "DIFFERENCE TO SHOPPERS NOW",
    "later": "DIFFERENCE TO SHOPPERS LATER",
    "never": "NO DIFFERENCE TO SHOPPERS",
}
# In the order of the groups: people's changes of the shop first, since they are news to git.
MOVED_WORDS: Final[Mapping[Moved, str]] = {
    "shop": "changed in the shop",
    "extra": "added in the shop (git never had it)",
    "both": "changed in git and in the shop",
    "unknown": "changed in git or in the shop (it can't be told which)",
    "git": "changed in git (the shop still has the old state)",
}
_EFFECTS: Final = {True: "changes", False: "stays"}
_OMITTED: Final = "changed by nobody: the API left out pins, as asked"
_EXPORT: Final = "pinsync export --commit"
_CHOICE: Final = "pinsync export -p --commit"
_APPLY: Final = "pinsync apply"
_APPLY_OPTIONS: Final = ("--delete", "--overwrite-edits", "--recreate", "--delete-extra")
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_URL: Final = "https://app.luigisbox.com/sites/{}/setup/recommendations_customization"


class EntryGroup(Protocol):
    """Entries under one heading."""

    @property
    def title(self) -> str:
        """The beginning of the heading."""

    @property
    def mover(self) -> str:
        """The end of the heading; may be empty."""

    @property
    def size(self) -> int:
        """The number of entries."""

    def describe(self) -> Iterator[Entry]:
        """Yield the entries; a page stops at the first one that it has no room for."""


class Group(NamedTuple):
    """The changes that shoppers notice at one time, and that one side moved.

    Attributes:
        title: when shoppers notice them, in capital letters.
        mover: who moved; empty if the comparison has no mover.
        changes: the changes in the order of the drift, each with the words of its tracker.
    """

    title: str
    mover: str
    changes: tuple[tuple[EntryWords, Change], ...]

    @property
    def size(self) -> int:
        """The number of changes."""
        return len(self.changes)

    def describe(self) -> Iterator[Entry]:
        """Yield the entries; a page stops at the first one that it has no room for."""
        for words, change in self.changes:
            yield words.describe(change)


class Action(NamedTuple):
    """A way to resolve the differences.

    Attributes:
        text: what it does.
        command: the command to run; empty if there is none.
        changes_shop: whether it changes the shop.
        changes_git: whether it changes git.
        url: the page to open; empty if there is none.
    """

    text: str
    command: str
    changes_shop: bool
    changes_git: bool
    url: str = ""

    @property
    def effects(self) -> tuple[str, str]:
        """The effects on the shop and on git, in words."""
        return _EFFECTS[self.changes_shop], _EFFECTS[self.changes_git]


class Overview(Struct, frozen=True):
    """A drift in words.

    The sentences are escaped for the report. The entries of groups are text without markup.

    Attributes:
        drift: the drift.
        headline: the differences in one sentence; without a difference, that there is none.
        movers: further sentences about all rules; empty without a difference.
        groups: the groups of changes, the most important first.
        actions: the ways to resolve the differences.
        origins: where the states of both sides come from.
    """

    drift: Drift
    headline: str
    movers: str
    groups: tuple[Group, ...]
    actions: tuple[Action, ...]
    origins: tuple[str, ...]


def build_overview(drift: Drift, zone: tzinfo, escape: Escape) -> Overview:
    """Return a drift in words.

    Args:
        drift: the drift.
        zone: the time zone of moments.
        escape: turns a name into safe words of the report's sentences.
    """
    words = build_words(drift, zone, escape)
    changes = list_changes(drift)
    return Overview(
        drift=drift,
        headline=_write_headline(drift, words, changes),
        movers=" ".join(_list_sentences(drift, words, changes)),
        groups=tuple(build_groups(drift, words)),
        actions=tuple(list_actions(drift, changes, escape)),
        origins=tuple(list_origins(drift, zone, escape)),
    )


def list_changes(drift: Drift) -> list[Change]:
    """Return the changes of all trackers."""
    changes: list[Change] = []
    for tracker in drift.trackers:
        changes += tracker.changes
    return changes


# The headline


def _write_headline(drift: Drift, words: EntryWords, changes: Sequence[Change]) -> str:
    old, new = words.sides
    if not changes:
        return _describe_sameness(drift, words)
    count = pluralize(len(changes), "rule")
    if drift.old.source == "HEAD" and drift.old.revision is None:
        start = f"{new.name} has {count}, and git has no commit yet"
    elif drift.old.is_live or drift.new.is_live:
        verb = "differ" if new.is_plural else "differs"
        start = f"{new.name} {verb} from {old.name} in {count}"
    else:
        verb = "change" if new.is_plural else "changes"
        start = f"{new.name} {verb} {count} of {old.name}"
    return f"{_capitalize(start)}: {describe_times(words, changes)}."


def _capitalize(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name."""
    return f"{text[0].upper()}{text[1:]}" if text.startswith(("the ", "your ", "what ")) else text


def _describe_sameness(drift: Drift, words: EntryWords) -> str:
    old, new = words.sides
    if drift.has_changes is None and not any(not tracker.error for tracker in drift.trackers):
        return f"Nothing was compared: whether {new.name} differs from {old.name} is not known."
    count = pluralize(sum(tracker.unchanged for tracker in drift.trackers), "rule")
    if drift.has_changes is None:
        return f"What could be compared agrees ({count})."
    within = f" in {len(drift.trackers)} trackers" if len(drift.trackers) > 1 else ""
    verb = "are" if new.is_plural else "is"
    return f"In sync: {new.name} {verb} the same as {old.name} ({count}{within})"


def describe_times(words: EntryWords, changes: Sequence[Change]) -> str:
    """Return how many rules make a difference to shoppers, and when: the end of a headline.

    Args:
        words: writes the moments.
        changes: the changes, each with the moment at which shoppers notice it.
    """
    whens = Counter(map(find_when, changes))
    (only, *others) = whens
    if not others:
        return _describe_one_time(words, changes, only)
    parts = []
    if whens["now"]:
        verb = "makes" if whens["now"] == 1 else "make"
        parts.append(f"{whens['now']:,} {verb} a difference to shoppers now")
    if whens["later"]:
        count = f"{whens['later']:,} "
        if not parts:
            verb = "makes" if whens["later"] == 1 else "make"
            count += f"{verb} a difference to shoppers "
        parts.append(count + _describe_start(words, changes))
    if whens["never"]:
        verb = "makes" if whens["never"] == 1 else "make"
        parts.append(f"{whens['never']:,} {verb} no difference to them")
    return ", ".join(parts)


def _describe_one_time(words: EntryWords, changes: Sequence[Change], when: When) -> str:
    """Return the end of the headline for changes that shoppers notice at one time."""
    if len(changes) == 1:
        subject, verb = "it", "makes"
    else:
        subject, verb = "all of them", "make"
    if when == "never":
        none = "it makes" if len(changes) == 1 else "they make"
        return f"{none} no difference to shoppers"
    time = "now" if when == "now" else _describe_start(words, changes)
    return f"{subject} {verb} a difference to shoppers {time}"


def _describe_start(words: EntryWords, changes: Sequence[Change]) -> str:
    """Return the time at which shoppers notice the later changes."""
    starts: set[str] = set()
    for change in changes:
        if change.shoppers and change.shoppers.at:
            starts.add(change.shoppers.at)
    # As texts without "Z", instants sort by time.
    first = words.format_moment(min(starts, key=lambda start: start.removesuffix("Z")))
    if len(starts) == 1:
        return f"from {first}"
    return f"later, the first from {first}"


# The sentences below the headline


def _list_sentences(drift: Drift, words: EntryWords, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    movers = Counter(map(name_mover, changes))
    parts = [
        f"{movers[name]:,} {name}" for name in (*MOVED_WORDS.values(), _OMITTED) if movers[name]
    ]
    if parts:
        yield f"Who moved: {'; '.join(parts)}."
    if any(change.moved in ("shop", "both", "extra") for change in changes):
        yield _describe_last_save(words, changes)
    unchanged = sum(tracker.unchanged for tracker in drift.trackers)
    if unchanged:
        agree = "rule agrees" if unchanged == 1 else "rules agree"
        yield f"{unchanged:,} {agree}."
    if not drift.old.is_live and not drift.new.is_live:
        yield "The shop was not asked, and is not changed."


def _describe_last_save(words: EntryWords, changes: Sequence[Change]) -> str:
    instants: set[str] = set()
    for change in changes:
        if change.moved != "git" and (instant := read_instant(change.updated_at)):
            instants.add(instant)
    if not instants:
        return "The shop doesn't say who changes a rule."
    last = words.format_moment(f"{max(instants)}Z")
    return f"The last change in the shop was on {last}; the shop doesn't say who changes a rule."


# The trackers


def describe_failure(tracker: TrackerDrift, verb: str = "compared") -> str:
    """Return the headline of a tracker that could not be compared.

    Args:
        tracker: the tracker.
        verb: the participle of the step that failed.
    """
    return f"INCOMPLETE: {name_tracker(tracker)} could not be {verb}"


def name_missing(drift: Drift, text: str) -> str:
    """Return a sentence, with the names of the trackers that could not be compared."""
    missing = [one_line(tracker.name) for tracker in drift.trackers if tracker.error]
    if not missing or len(missing) == len(drift.trackers):
        return text
    return f"{text} NOT COMPARED: {', '.join(missing)}"


def count_rules(tracker: TrackerDrift) -> str:
    """Return the number of rules of a tracker that differ and that agree."""
    if tracker.error:
        return "NOT COMPARED, see above"
    if not tracker.changes:
        return f"in sync ({pluralize(tracker.unchanged, 'rule')})"
    verb = "differs" if len(tracker.changes) == 1 else "differ"
    return f"{pluralize(len(tracker.changes), 'rule')} {verb}, {tracker.unchanged:,} agree"


# The groups


def build_groups(drift: Drift, words: EntryWords) -> Iterator[Group]:
    """Yield the groups of changes, the most important first.

    Args:
        drift: the drift.
        words: writes the changes.
    """
    changes: dict[tuple[When, str], list[tuple[EntryWords, Change]]] = {}
    for tracker in drift.trackers:
        adapted = words.adapt_to(tracker)
        for change in tracker.changes:
            key = find_when(change), name_mover(change)
            changes.setdefault(key, []).append((adapted, change))
    for when in WHENS:
        for mover in (*MOVED_WORDS.values(), _OMITTED, ""):
            if found := changes.get((when, mover)):
                yield Group(TITLES[when], mover, tuple(found))


def name_mover(change: Change) -> str:
    """Return the words for who moved; empty if the comparison has no mover."""
    if change.cause != "edited":
        return _OMITTED
    return MOVED_WORDS[change.moved] if change.moved else ""


# The actions


def list_actions(drift: Drift, changes: Sequence[Change], escape: Escape) -> Iterator[Action]:
    """Yield the ways to resolve the differences, where they are certain.

    Args:
        drift: the drift.
        changes: the changes to resolve.
        escape: turns a name into safe words of the report.
    """
    if not changes or not drift.old.is_committed or drift.new.source != "@live":
        return
    # A block without an id stays in its document whatever an export finds.
    blocks = [change for change in changes if _is_new_block(change)]
    others = [change for change in changes if not _is_new_block(change)]
    can_export = bool(others) and drift.is_complete and drift.is_unrestricted
    # Nobody wants to put back what the API was asked to leave out.
    if can_export and sum(change.cause == "edited" for change in changes) > 1:
        yield Action("decide rule by rule what git takes from the shop", _CHOICE, False, True)
    if can_export:
        text = f"make git the same as the shop{_describe_losses(others)}"
        yield Action(text, _EXPORT, False, True)
    if drift.old.source == "HEAD" and drift.is_complete and drift.is_unrestricted:
        yield from _list_applies(changes)
    if stuck := [change for change in blocks if change.moved != "git"]:
        if len(stuck) == 1:
            text = "give the rule without an id in git the id of its rule in the shop, or delete it"
        else:
            count = pluralize(len(stuck), "rule")
            text = f"give the {count} without an id in git the ids of their rules in the shop, or "
            text += "delete them"
        yield Action(text, "", False, True)
    for tracker in drift.trackers:
        if any(change.cause == "edited" for change in tracker.changes):
            name = f" of {escape(tracker.name)}" if len(drift.trackers) > 1 else ""
            text = f"change the shop{name} by hand, in Luigi's Box"
            yield Action(text, "", True, False, build_url(tracker))


def _list_applies(changes: Sequence[Change]) -> Iterator[Action]:
    """Yield the ways to bring git's rules to the shop."""
    # A write replaces all pins of a rule, so `apply` refuses answers that lack pins.
    if any(change.cause != "edited" for change in changes):
        return
    planned = drop_settled(changes)
    ours = [change for change in planned if change.moved == "git"]
    if ours:
        number = "change" if len(ours) == 1 else f"{len(ours):,} changes"
        text = f"bring git's {number} to the shop, after a preview"
        yield Action(text, _name_apply(ours), True, False)
    if len(ours) < len(planned):
        text = "make the shop the same as git, after a preview; the shop's changes are lost"
        yield Action(text, _name_apply(planned), True, False)


def _name_apply(changes: Sequence[Change]) -> str:
    """Return the command that applies the changes, with the options that they need."""
    options: set[str] = set()
    for change in changes:
        options.update(list_required(find_kind(change), change.moved or "unknown"))
    return " ".join([_APPLY, *(each for each in _APPLY_OPTIONS if each in options)])


def _describe_losses(changes: Sequence[Change]) -> str:
    """Return a warning of the changes that git loses if it becomes the same as the shop."""
    movers = Counter(change.moved for change in changes)
    certain, possible = movers["git"], movers["both"] + movers["unknown"]
    if not certain and not possible:
        return ""
    if not certain:
        return f"; {pluralize(possible, 'change')} made in git may be lost"
    verb = "is" if certain == 1 else "are"
    text = f"; {pluralize(certain, 'change')} made IN GIT {verb} lost"
    return f"{text}, and maybe {possible:,} more" if possible else text


def _is_new_block(change: Change) -> bool:
    return change.kind == "removed" and change.id is None


def build_url(tracker: TrackerDrift | TrackerCalendar) -> str:
    """Return the address of a tracker's rules in Luigi's Box; empty if the id is no id."""
    if not _SAFE_ID.fullmatch(tracker.tracker_id):
        return ""
    return _URL.format(tracker.tracker_id)


# The origins


def list_origins(drift: Drift, zone: tzinfo, escape: Escape) -> Iterator[str]:
    """Yield where the states of both sides come from.

    Args:
        drift: the drift.
        zone: the time zone of moments.
        escape: turns a name into safe words of the report's sentences.
    """
    yield describe_origin(drift.old, zone, escape)
    yield describe_origin(drift.new, zone, escape)
    if len(drift.trackers) == 1:
        (tracker,) = drift.trackers
        if tracker.tracker_id:
            yield f"tracker {escape(tracker.tracker_id)}"
