"""``pinsync history``: what each commit changed in the meaning of the rules, the newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pinsync import layout
from pinsync.canonical.moments import parse_option
from pinsync.commands.query import Query
from pinsync.drift import changes as changing
from pinsync.drift.record import TrackerDrift
from pinsync.errors import RepositoryError, UsageError
from pinsync.history.configurations import Today
from pinsync.history.record import Entry, Log
from pinsync.history.steps import History
from pinsync.layout import is_document
from pinsync.model import Scope
from pinsync.reports import Style
from pinsync.reports.history import json as history_json
from pinsync.reports.history import markdown as history_markdown
from pinsync.reports.history import text as history_text
from pinsync.repository import Range
from pinsync.terminal.pager import open_pager
from pinsync.workspace.leftovers import find_warnings
from pinsync.workspace.tree import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pinsync.config import Settings
    from pinsync.drift.record import Change
    from pinsync.history.steps import Step, TrackerStep
    from pinsync.history.versions import Fault
    from pinsync.model import Commit
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace

FORMATS: Final = {"json": history_json, "markdown": history_markdown}
"""The formats of which a report is made as a whole, each with its module."""
_RANGE: Final = re.compile(r"(?P<base>.*?)(?P<dots>\.{2,3})(?P<tip>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        words: MODEL, TARGET and a range of revisions, as far as they are given.
        model: only this recommender model.
        target_identity: only rules of this item.
        tag: only rules that have or had this tag.
        id: only the rule with this id.
        item: only pins of this item.
        revision: a revision to begin at, or a range; None for HEAD.
        since: the earliest moment, as text.
        until: the latest moment, as text.
        author: what git looks for in the author's line.
        count: the most entries.
        every: whether commits count that changed no meaning.
        names: the trackers; all if empty.
        format: ``text``, or one of ``FORMATS``.
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
    """Show what commits changed, on standard output; a terminal gets it page by page.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: a model, target, id, item, tag, tracker or time isn't one.
        RepositoryError: this is no git repository, it has no commit yet, or there is no such
            revision.
        PinsyncError: the configuration can't be read.
    """
    tree = workspace.tree
    today = tree.settings
    if tree.repository is None:
        hint = "make one with `git init`, and commit what `pinsync export` writes"
        raise RepositoryError(
            "history is what git keeps, but this is not a git repository", hint=hint
        )
    wanted, revisions = _asked(options, tree.repository)
    range_ = _range(tree.repository, revisions, options, today, console)
    style = Style(ZoneInfo(today.timezone), console.color_out)
    console.step(f"reading the commits back from {range_.tip[:12]}")
    with tree.repository.reader() as reader:
        steps = History(reader, Today(today, tree.repository, workspace.environ), range_.tip)
        if newest := steps.newest():
            name = "HEAD" if range_.tip == tree.repository.head() else range_.tip[:12]
            place = Head(tree.repository, newest.settings.directory, range_.tip, name)
            for warning in find_warnings(place, newest.settings, tree):
                console.warn(warning)
        walk = _Walk(steps, range_, wanted, options)
        if options.format == "text":
            _write(walk, style, console, open_pager(console, workspace.environ, tree.repository))
            return 0
        log = Log(range_.tip, list(walk.entries()), walk.shallow)
    console.report(FORMATS[options.format].render(log, style), options.format)
    if not log.entries:
        console.say(_nothing(log.shallow))
    return 0


def _nothing(shallow: Commit | None) -> str:
    """Return the line of a log without entries, which is a poor answer where older commits are missing."""
    if shallow is None:
        return "no commit here changed what was asked for"
    missing = (
        f"this clone is shallow: what is older than {shallow.short} isn't here (git fetch "
        f"--unshallow)"
    )
    return f"{missing}; none of the commits that are here changed what was asked for"


def _write(
    walk: _Walk,
    style: Style,
    console: Console,
    pages: AbstractContextManager[Callable[[str], None]],
) -> None:
    pieces = history_text.render(walk.entries(), style)
    first = next(pieces, None)  # before there is a pager, so that an error stands alone
    if first is None:
        console.say(_nothing(walk.shallow))
    with pages as write:
        if first is not None:
            write(first)
        for piece in pieces:
            write(piece)
        if walk.shallow:
            if first is not None:
                write("")
            write(history_text.render_end(walk.shallow))


def _asked(options: Options, repository: Repository) -> tuple[Query, str | None]:
    """Return what is asked for, and of which revisions.

    Raises:
        UsageError: the same is said twice, in different words.
    """
    ranges = [word for word in options.words if _is_range(word, repository)]
    names = [word for word in options.words if word not in ranges]
    if len(ranges) > 1 or len(names) > 2:  # noqa: PLR2004 - MODEL and TARGET
        message = f"{(ranges if len(ranges) > 1 else names)[-1]} is one argument too many"
        raise UsageError(
            message, hint="expected a model, a target, and a range of revisions, each once at most"
        )
    model, target = (*names, None, None)[:2]
    model = _one("--model", model, options.model)
    wanted = Query(model, target, options.target_identity, options.tag, options.id, options.item)
    return wanted, _one("--rev", ranges[0] if ranges else None, options.revision)


def _one(option: str, word: str | None, value: str | None) -> str | None:
    if word is not None and value is not None and word != value:
        message = f"{word} says something else than {option} {value}"
        raise UsageError(message, hint="leave out one of them; the first argument is the model")
    return value if word is None else word


def _is_range(word: str, repository: Repository) -> bool:
    """Whether a word is a range of revisions, of which git knows one side at least; a title may hold dots too."""
    found = _RANGE.fullmatch(word)
    return found is not None and any(
        side and repository.knows(side) for side in (found["base"], found["tip"])
    )


def _range(
    repository: Repository,
    revisions: str | None,
    options: Options,
    today: Settings,
    console: Console,
) -> Range:
    """Return the commits that are asked for.

    Raises:
        RepositoryError: there are none, or a revision doesn't exist.
        UsageError: a time isn't one.
    """
    zone = ZoneInfo(today.timezone)
    since = None if options.since is None else parse_option(options.since, zone, option="--since")
    until = (
        None
        if options.until is None
        else parse_option(options.until, zone, option="--until", end=True)
    )
    if repository.head() is None:
        raise RepositoryError(
            "there is no commit yet, and so no history", hint="commit something first"
        )
    found = _RANGE.fullmatch(revisions) if revisions else None
    if found is None:
        tip = repository.resolve("HEAD" if revisions is None else revisions, console.warn)
        return Range(tip, None, options.author, since, until)
    base, tip = found["base"] or "HEAD", found["tip"] or "HEAD"
    newest, excluded = repository.resolve(tip, console.warn), repository.resolve(base, console.warn)
    if found["dots"] == "...":
        excluded = repository.merge_base(excluded, newest, (base, tip))
    return Range(newest, excluded, options.author, since, until)


class _Walk:
    """The way back through the commits.

    Args:
        history: what compares them.
        range_: which are asked for.
        wanted: what of their changes.
        options: what else the command line says.
    """

    def __init__(self, history: History, range_: Range, wanted: Query, options: Options) -> None:
        self._history = history
        self._range = range_
        self._wanted = wanted
        self._options = options
        self._model = Scope(wanted.model)
        # Whether what is older than all that is asked for may not even be looked at.
        self._bounded = range_.base is not None or range_.since is not None
        self._known = (
            wanted == Query()
        )  # whether each word is known to name something, at whatever time
        self._ended = False

    @property
    def shallow(self) -> Commit | None:
        """The commit at which a shallow clone ends, if what is asked for goes as far."""
        end, since = self._history.end, self._range.since
        return end if end and self._ended and (since is None or end.date >= since) else None

    def entries(self) -> Iterator[Entry]:
        """Yield what is asked for, as much as is wanted; each commit is read when it is its turn.

        Raises:
            UsageError: what is asked for was never there, as far as the commits tell that were
                looked at.
        """
        return islice(self._entries(), self._options.count)

    def _entries(self) -> Iterator[Entry]:
        for step in self._history.steps(
            self._options.names, self._range, lambda: self._bounded or self._known
        ):
            self._known = self._known or any(self._is_of_model(fault) for fault in step.faults)
            if entry := self._entry(step):
                self._known = self._known or bool(entry.trackers)
                yield entry
        self._ended = self._range.base is None
        if not self._known:
            newest = self._history.newest()
            models = (
                {model for found in newest.documents.values() for model in found.models}
                if newest
                else ()
            )
            try:
                self._wanted.check_names(self._history.seen, models)
            except UsageError as error:
                raise UsageError(
                    error.message, hint="; ".join([str(error.hint), *self._doubts()])
                ) from error

    def _doubts(self) -> Iterator[str]:
        """Yield why a word may be right that names nothing."""
        if any(".." in name for name in (self._wanted.model or "", self._wanted.target or "")):
            yield "as a range of revisions, git knows neither side of it"
        if self.shallow:
            yield (
                "what is older than this clone, which is shallow, isn't known (git fetch "
                "--unshallow)"
            )

    def _entry(self, step: Step) -> Entry | None:
        compared = [
            (tracker, changing.compare(tracker.old, tracker.new, self._model)[0])
            for tracker in step.trackers
        ]
        trackers = tuple(
            self._reported(tracker, found)
            for tracker, changes in compared
            if (found := tuple(self._wanted.select_changes(changes)))
        )
        notes = tuple(
            _note(fault) for fault, model in step.faults.items() if self._concerns(fault, model)
        )
        touched = {version.model for tracker in step.trackers for version in tracker.touched}
        of_model = bool(touched) and self._wanted.model in (None, *touched)
        reformatted = (
            self._options.every
            and of_model
            and not notes
            and not any(changes for _, changes in compared)
        )
        return (
            Entry(step.commit, trackers, notes, reformatted)
            if trackers or notes or reformatted
            else None
        )

    def _reported(self, tracker: TrackerStep, changes: Sequence[Change]) -> TrackerDrift:
        placed = tuple(replace(change, place=tracker.place(change.pair)) for change in changes)
        pinned = changing.pinned_items(changes)
        names = changing.first_titles(self._history.titled(tracker.name, pinned))
        return TrackerDrift(tracker.name, tracker.tracker_id, placed, names=names)

    def _concerns(self, fault: Fault, model: str | None) -> bool:
        """Whether what can't be read, and held a model before, may be of the model that is asked for."""
        if (
            self._wanted.model is None
            or not is_document(fault.path.name)
            or self._is_of_model(fault)
        ):
            return True
        return model in (None, self._wanted.model)

    def _is_of_model(self, fault: Fault) -> bool:
        """Whether a file that can't be read is called as the model asks for that is asked for."""
        return self._wanted.model is not None and fault.path.name == layout.build_file_name(
            self._wanted.model
        )


def _note(fault: Fault) -> str:
    return f"{fault.path} can't be read: {fault.reason}; what it says is skipped until it can"
