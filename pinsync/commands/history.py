"""``pinsync history``: list the commits that changed customizations, the newest first."""

from __future__ import annotations

import re
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync import layout
from pinsync.canonical.moments import parse_option
from pinsync.commands.query import Query
from pinsync.drift import changes as drift_changes
from pinsync.drift.record import TrackerDrift
from pinsync.errors import RepositoryError, UsageError
from pinsync.history.configurations import HistoryContext
from pinsync.history.record import Log, LogEntry
from pinsync.history.steps import History
from pinsync.layout import is_document
from pinsync.model import Scope
from pinsync.reports import Style
from pinsync.reports.history import json as history_json
from pinsync.reports.history import markdown as history_markdown
from pinsync.reports.history import text as history_text
from pinsync.repository import CommitRange
from pinsync.terminal.pager import open_pager
from pinsync.workspace.items import Titles, read_titles
from pinsync.workspace.leftovers import find_warnings
from pinsync.workspace.tree import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, tzinfo

    from pinsync.config import Settings
    from pinsync.drift.record import Change
    from pinsync.history.steps import Step, TrackerStep
    from pinsync.history.versions import ReadFault
    from pinsync.model import Commit
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace

FORMATS: Final = {"json": history_json, "markdown": history_markdown}
"""Format of a report that needs all entries at once → its module."""
_RANGE: Final = re.compile(r"(?P<base>.*?)(?P<dots>\.{2,3})(?P<tip>.*)", re.DOTALL)


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        words: the arguments: MODEL, TARGET and a range of revisions, each optional.
        model: only customizations of this recommender model.
        target_identity: only customizations of this item.
        tag: only customizations that have or had this tag.
        id: only the customization with this id.
        item: only pins of this item.
        revision: a revision to start at, or a range; None for HEAD.
        since: the earliest moment, as text.
        until: the latest moment, as text.
        author: the pattern that the author must match, as in ``git log``.
        count: the maximum number of entries.
        every: whether to list commits that only reformatted or moved documents too.
        names: the trackers; all if empty.
        format: ``text``, or a key of ``FORMATS``.
    """

    words: Sequence[str] = ()
    model: str | None = None
    target_identity: str | None = None
    tag: str | None = None
    id: str | None = None
    item: str | None = None
    revision: str | None = None
    since: str | None = None
    until: str | None = None
    author: str | None = None
    count: int | None = None
    every: bool = False
    names: Sequence[str] = ()
    format: str = "text"


def history(workspace: Workspace, options: Options, console: Console) -> int:
    """Print the commits that changed matching customizations, in a pager on a terminal.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: the output.

    Returns:
        0.

    Raises:
        UsageError: an argument names nothing, contradicts an option, or is no time.
        RepositoryError: there is no repository, no commit, or no such revision.
        PinsyncError: the configuration can't be read.
    """
    tree = workspace.tree
    today = tree.settings
    if tree.repository is None:
        hint = "create one with `git init`, and commit the files that `pinsync export` writes"
        message = "this is not a git repository, so there is no history"
        raise RepositoryError(message, hint=hint)
    query, revisions = _parse_words(options, tree.repository)
    range_ = _resolve_range(tree.repository, revisions, options, today, console)
    style = Style(today.zone, console.color_out)
    console.step(f"reading the commits back from {range_.tip[:12]}")
    with tree.repository.open_reader() as reader:
        steps = History(
            reader, HistoryContext(today, tree.repository, workspace.environ), range_.tip
        )
        read_names: Callable[[str], Titles] = _read_no_titles
        if newest := steps.read_newest():
            name = "HEAD" if range_.tip == tree.repository.resolve_head() else range_.tip[:12]
            place = Head(tree.repository, newest.settings.directory, range_.tip, name)
            for warning in find_warnings(place, newest.settings, tree):
                console.warn(warning)
            # Read once for all commits of a tracker.
            read_names = cache(partial(_read_titles, place, newest.settings, console))
        walk = _Walk(steps, range_, query, options, read_names)
        if options.format == "text":
            pages = open_pager(console, workspace.environ, tree.repository)
            _write_entries(walk, style, console, pages)
            return 0
        log = Log(range_.tip, list(walk.read_entries()), walk.shallow_end)
    console.report(FORMATS[options.format].render(log, style), options.format)
    if not log.entries:
        console.say(_explain_empty_log(log.shallow))
    return 0


def _read_titles(place: Head, settings: Settings, console: Console, tracker: str) -> Titles:
    """Return the titles in the ``items.json`` of a tracker, and warn of a damaged file."""
    titles = read_titles([(place, settings.choose_subfolder(tracker))])
    if titles.note:
        console.warn(titles.note)
    return titles


def _read_no_titles(_tracker: str) -> Titles:
    return Titles({})


def _explain_empty_log(shallow_end: Commit | None) -> str:
    """Return the message for a log without entries."""
    if shallow_end is None:
        return "no commit in the range changed a matching customization"
    return (
        f"this clone is shallow and lacks the commits before {shallow_end.short} (git fetch "
        f"--unshallow); no commit that it has changed a matching customization"
    )


def _write_entries(
    walk: _Walk,
    style: Style,
    console: Console,
    pages: AbstractContextManager[Callable[[str], None]],
) -> None:
    """Write the entries for people, each as soon as its commit is read."""
    pieces = history_text.render(walk.read_entries(), style)
    # The first piece is read before the pager starts, so that an error doesn't end up in the pager.
    first = next(pieces, None)
    if first is None:
        console.say(_explain_empty_log(walk.shallow_end))
    with pages as write:
        if first is not None:
            write(first)
        for piece in pieces:
            write(piece)
        if walk.shallow_end:
            if first is not None:
                write("")
            write(history_text.render_end(walk.shallow_end))


def _parse_words(options: Options, repository: Repository) -> tuple[Query, str | None]:
    """Return the conditions and the range of revisions, from the arguments and the options.

    Raises:
        UsageError: there are too many arguments, or an argument contradicts an option.
    """
    ranges: list[str] = []
    names: list[str] = []
    for word in options.words:
        if _is_range(word, repository):
            ranges.append(word)
        else:
            names.append(word)
    surplus = ranges[1:] or names[2:]
    if surplus:
        hint = "expected a model, a target, and a range of revisions, each once at most"
        raise UsageError(f"{surplus[-1]} is one argument too many", hint=hint)
    model = _merge_word("--model", names[0] if names else None, options.model)
    target = names[1] if len(names) > 1 else None
    query = Query(model, target, options.target_identity, options.tag, options.id, options.item)
    return query, _merge_word("--rev", ranges[0] if ranges else None, options.revision)


def _merge_word(option: str, word: str | None, value: str | None) -> str | None:
    """Return the value of an option that may be given as an argument too."""
    if word is None:
        return value
    if value is not None and word != value:
        hint = "leave out one of the two; the first argument is the model"
        raise UsageError(f"{word} contradicts {option} {value}", hint=hint)
    return word


def _is_range(word: str, repository: Repository) -> bool:
    """Return whether an argument is a range of revisions."""
    found = _RANGE.fullmatch(word)
    if found is None:
        return False
    # A title or an identity may have dots too, so one side must be a revision. A misspelled other
    # side is an error later.
    return any(side and repository.has_commit(side) for side in (found["base"], found["tip"]))


def _resolve_range(
    repository: Repository,
    revisions: str | None,
    options: Options,
    today: Settings,
    console: Console,
) -> CommitRange:
    """Return the range of commits to list.

    Raises:
        RepositoryError: there is no commit, or no such revision.
        UsageError: a time can't be parsed.
    """
    zone = today.zone
    since = _parse_time("--since", options.since, zone)
    until = _parse_time("--until", options.until, zone, end=True)
    if repository.resolve_head() is None:
        message = "there is no commit yet, and so no history"
        raise RepositoryError(message, hint="commit something first")
    found = _RANGE.fullmatch(revisions) if revisions else None
    if found is None:
        tip = repository.resolve("HEAD" if revisions is None else revisions, console.warn)
        return CommitRange(tip, None, options.author, since, until)
    # As in git, a missing side of a range is HEAD (gitrevisions(7)).
    base, tip = found["base"] or "HEAD", found["tip"] or "HEAD"
    newest, excluded = repository.resolve(tip, console.warn), repository.resolve(base, console.warn)
    if found["dots"] == "...":
        # As in a pull request: the changes of one side since both sides parted.
        excluded = repository.find_merge_base(excluded, newest, (base, tip))
    return CommitRange(newest, excluded, options.author, since, until)


def _parse_time(
    option: str, text: str | None, zone: tzinfo, *, end: bool = False
) -> datetime | None:
    return None if text is None else parse_option(text, zone, option=option, end=end)


class _Walk:
    """Reads the matching entries of a history, from the newest commit to the oldest.

    Args:
        history: the steps of all commits.
        range_: the commits to list.
        query: the changes to list.
        options: the other options of the command line.
        read_titles: returns the titles in the ``items.json`` of a tracker.
    """

    def __init__(
        self,
        history: History,
        range_: CommitRange,
        query: Query,
        options: Options,
        read_titles: Callable[[str], Titles],
    ) -> None:
        self._history = history
        self._read_titles = read_titles
        self._range = range_
        self._query = query
        self._options = options
        self._scope = Scope(query.model)
        # With a lower end, older commits are never read, not even to find a name there.
        self._is_bounded = range_.base is not None or range_.since is not None
        self._has_known_names = query == Query()
        self._has_ended = False

    @property
    def shallow_end(self) -> Commit | None:
        """The commit at which a shallow clone ends, if the range reaches it."""
        end, since = self._history.end, self._range.since
        if end is None or not self._has_ended:
            return None
        if since is not None and end.date < since:
            return None
        return end

    def read_entries(self) -> Iterator[LogEntry]:
        """Yield the matching entries, at most as many as asked for.

        Raises:
            UsageError: a condition names nothing in any commit that was read.
        """
        # Lazy, so that `-n 5` reads no commit after the fifth entry.
        return islice(self._read_all_entries(), self._options.count)

    def _read_all_entries(self) -> Iterator[LogEntry]:
        for step in self._history.walk_steps(self._options.names, self._range, self._can_stop):
            if any(self._has_model_name(fault) for fault in step.faults):
                self._has_known_names = True
            entry = self._build_entry(step)
            if entry is not None:
                if entry.trackers:
                    self._has_known_names = True
                yield entry
        self._has_ended = self._range.base is None
        if not self._has_known_names:
            self._check_names()

    def _can_stop(self) -> bool:
        """Return whether commits older than the range needn't be read."""
        # Without a lower end, an unknown name may be one that the rules had long ago.
        return self._is_bounded or self._has_known_names

    def _check_names(self) -> None:
        """Make sure that each condition names something in the commits that were read."""
        models: set[str] = set()
        newest = self._history.read_newest()
        if newest is not None:
            for documents in newest.documents.values():
                models.update(documents.models)
        try:
            self._query.check_names(self._history.customizations, models)
        except UsageError as error:
            hint = "; ".join([str(error.hint), *self._list_doubts()])
            raise UsageError(error.message, hint=hint) from error

    def _list_doubts(self) -> Iterator[str]:
        """Yield reasons why an unknown name may exist after all."""
        for name in (self._query.model, self._query.target):
            if name is not None and ".." in name:
                yield f"git knows no revision on either side of {name}"
        if self.shallow_end:
            yield "this clone is shallow, so older commits aren't known (git fetch --unshallow)"

    def _build_entry(self, step: Step) -> LogEntry | None:
        """Return the matching changes of a commit; None if it has none."""
        trackers: list[TrackerDrift] = []
        has_changes = False
        for tracker in step.trackers:
            changes, _ = drift_changes.compare_customizations(tracker.old, tracker.new, self._scope)
            has_changes = has_changes or bool(changes)
            matching = list(self._query.select_changes(changes))
            if matching:
                trackers.append(self._build_drift(tracker, matching))
        notes: list[str] = []
        for fault, model in step.faults.items():
            if self._is_relevant(fault, model):
                notes.append(_describe_fault(fault))
        is_reformatted = (
            self._options.every and not notes and not has_changes and self._touches_model(step)
        )
        if not trackers and not notes and not is_reformatted:
            return None
        return LogEntry(step.commit, tuple(trackers), tuple(notes), is_reformatted)

    def _build_drift(self, tracker: TrackerStep, changes: Sequence[Change]) -> TrackerDrift:
        rows = tuple(replace(change, place=tracker.locate(change.pair)) for change in changes)
        items = drift_changes.collect_pinned_items(changes)
        names = drift_changes.collect_first_titles(self._history.find_titled(tracker.name, items))
        wanted = drift_changes.collect_named_items(changes)
        names = self._read_titles(tracker.newest_name or tracker.name).add_to(names, wanted)
        return TrackerDrift(tracker.name, tracker.tracker_id, rows, names=names)

    def _touches_model(self, step: Step) -> bool:
        """Return whether a commit changed or moved a document of the requested model."""
        models: set[str] = set()
        for tracker in step.trackers:
            models.update(version.model for version in tracker.touched)
        return bool(models) and self._query.model in (None, *models)

    def _is_relevant(self, fault: ReadFault, model: str | None) -> bool:
        """Return whether an unreadable file may hold the requested model.

        Args:
            fault: the unreadable file.
            model: the model of the file in the parent commit, if it was readable there.
        """
        # The file of a configuration, which is no document, may hide any model.
        if self._query.model is None or not is_document(fault.path.name):
            return True
        return self._has_model_name(fault) or model in (None, self._query.model)

    def _has_model_name(self, fault: ReadFault) -> bool:
        """Return whether the unreadable file has the file name of the requested model."""
        model = self._query.model
        return model is not None and fault.path.name == layout.build_file_name(model)


def _describe_fault(fault: ReadFault) -> str:
    reason = f"{fault.path} can't be read: {fault.reason}"
    # The step that mends the file compares it with its last readable version.
    return f"{reason}; its changes are skipped until it can be read"
