"""``pinsync history``: what each commit changed in the meaning of the rules, the newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pinsync import config, layout
from pinsync.commands.pager import paged
from pinsync.commands.places import working_tree
from pinsync.commands.times import moment
from pinsync.commands.wanted import Wanted
from pinsync.compare import Pair
from pinsync.compare import changes as changing
from pinsync.compare.drift import Change, TrackerDrift
from pinsync.compare.log import Entry, Log
from pinsync.errors import RepositoryError, UsageError, printable
from pinsync.model import Scope
from pinsync.reports import Style, history_json, history_markdown, history_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.commands import Console
    from pinsync.config import Settings
    from pinsync.history import History, Step, TrackerStep
    from pinsync.history.versions import Fault
    from pinsync.model import Commit, Customization
    from pinsync.repository import Range, Repository

FORMATS: Final = ("text", "json", "markdown")
_RANGE: Final = re.compile(r"(?P<base>.*?)(?P<dots>\.{2,3})(?P<tip>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        words: MODEL, TARGET and a range of revisions, as far as they are given.
        wanted: the filters by name.
        revision: a revision to begin at, or a range; None for HEAD.
        since: the earliest moment, as text.
        until: the latest moment, as text.
        author: what git looks for in the author's line.
        count: the most entries.
        every: whether commits count that changed no meaning.
        names: the trackers; all if empty.
        format: one of ``FORMATS``.
    """

    words: Sequence[str] = ()
    wanted: Wanted = field(default_factory=Wanted)
    revision: str | None = None
    since: str | None = None
    until: str | None = None
    author: str | None = None
    count: int | None = None
    every: bool = False
    names: Sequence[str] = ()
    format: str = "text"


def history(config_file: Path | None, options: Options, environ: Mapping[str, str], console: Console) -> int:
    """Show what commits changed, on standard output; a terminal gets it page by page.

    Args:
        config_file: the configuration; None to look for it.
        options: what the command line says.
        environ: the environment variables; no private key is needed.
        console: where to speak.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: a model, target, id, item, tag, tracker or time isn't one.
        RepositoryError: this is no git repository, it has no commit yet, or there is no such revision.
        PinsyncError: the configuration can't be read.
    """
    from pinsync.history import History, Today  # noqa: PLC0415 - git's library, which other commands may not need

    today = config.load(config_file, start=Path.cwd(), environ=environ)
    wanted, revisions = _asked(options)
    tree = working_tree(today)
    if tree.repository is None:
        hint = "make one with `git init`, and commit what `pinsync export` writes"
        raise RepositoryError("history is what git keeps, but this is not a git repository", hint=hint)
    range_ = _range(tree.repository, revisions, options, today)
    style = Style(ZoneInfo(today.timezone), console.color_out)
    with tree.repository.reader() as reader:
        read = History(reader, Today(today, tree.repository, tree.store, environ))
        walk = _Walk(read, tree.repository, range_, wanted, options)
        console.step(f"reading {len(walk.commits)} commits back from {range_.tip[:12]}")
        entries = walk.chosen()
        if options.format == "text":
            _write(entries, walk, style, console, environ)
            return 0
        log = Log(range_.tip, list(entries), walk.shallow)
    report = history_json if options.format == "json" else history_markdown
    console.out(report.render(log, style).removesuffix("\n"))
    if not log.entries:
        console.say(_NOTHING)
    return 0


_NOTHING: Final = "no commit here changed what was asked for"


def _write(entries: Iterable[Entry], walk: _Walk, style: Style, console: Console, environ: Mapping[str, str]) -> None:
    pieces = history_text.render(entries, style)
    first = next(pieces, None)  # before there is a pager, so that an error stands alone
    if first is None:
        console.say(_NOTHING)
    with paged(console, environ) as write:
        if first is not None:
            write(first)
        for piece in pieces:
            write(piece)
        if walk.shallow:
            if first is not None:
                write("")
            write(history_text.end(walk.shallow))


def _asked(options: Options) -> tuple[Wanted, str | None]:
    """Return what is asked for, and of which revisions.

    Raises:
        UsageError: the same is said twice, in different words.
    """
    ranges = [word for word in options.words if _is_range(word)]
    names = [word for word in options.words if not _is_range(word)]
    if len(ranges) > 1 or len(names) > 2:  # noqa: PLR2004 - MODEL and TARGET
        message = f"{printable((ranges if len(ranges) > 1 else names)[-1])} is one argument too many"
        raise UsageError(message, hint="expected a model, a target, and a range of revisions, each once at most")
    model, target = (*names, None, None)[:2]
    given = options.wanted
    wanted = Wanted(_one("--model", model, given.model), target, given.target_identity, given.tag, given.id, given.item)
    return wanted, _one("--rev", ranges[0] if ranges else None, options.revision)


def _one(option: str, word: str | None, value: str | None) -> str | None:
    if word is not None and value is not None and word != value:
        message = f"{printable(word)} says something else than {option} {printable(value)}"
        raise UsageError(message, hint="leave out one of them; the first argument is the model")
    return value if word is None else word


def _is_range(word: str) -> bool:
    """Whether a word is a range of revisions; no name of one begins as identities and criteria do."""
    return ".." in word and not word.startswith(("/", "{"))


def _range(repository: Repository, revisions: str | None, options: Options, today: Settings) -> Range:
    """Return the commits that are asked for.

    Raises:
        RepositoryError: there are none, or a revision doesn't exist.
        UsageError: a time isn't one.
    """
    from pinsync.repository import Range  # noqa: PLC0415

    zone = ZoneInfo(today.timezone)
    since = None if options.since is None else moment(options.since, zone, option="--since")
    until = None if options.until is None else moment(options.until, zone, option="--until", end=True)
    if repository.head() is None:
        raise RepositoryError("there is no commit yet, and so no history", hint="commit something first")
    found = _RANGE.fullmatch(revisions) if revisions else None
    if found is None:
        return Range(repository.resolve(revisions or "HEAD"), None, options.author, since, until)
    base, tip = found["base"] or "HEAD", found["tip"] or "HEAD"
    excluded = repository.resolve(base) if found["dots"] == ".." else repository.merge_base(base, tip)
    return Range(repository.resolve(tip), excluded, options.author, since, until)


class _Walk:
    """The way back through the commits.

    Args:
        read: what compares them.
        repository: the repository.
        range_: which are asked for.
        wanted: what of their changes.
        options: what else the command line says.
    """

    def __init__(self, read: History, repository: Repository, range_: Range, wanted: Wanted, options: Options) -> None:
        self._read = read
        self._tip = range_.tip
        self._wanted = wanted
        self._options = options
        self._model = Scope(wanted.model)
        found = repository.commits(range_)
        self._asked = {commit.hash for commit in found}
        # A tracker that was renamed is followed from commit to commit, those that aren't asked for too.
        self.commits = (
            repository.commits(range_._replace(author=None, since=None, until=None)) if options.names else found
        )
        self._end = _end(repository, range_)
        self._ended = False

    @property
    def shallow(self) -> Commit | None:
        """The commit at which a shallow clone ends, if the walk came as far."""
        return self._end if self._ended else None

    def chosen(self) -> Iterable[Entry]:
        """Return the entries, as many as are wanted; they are made as they are asked for, if all words are known.

        Raises:
            UsageError: what is asked for was never there.
        """
        entries = self._entries()
        first = islice(entries, self._options.count)
        tip = self._read.contents(self._tip)
        files = [version for files in tip.files.values() for version in files.values()] if tip else []
        models = {version.model for version in files}
        try:
            self._wanted.check([item for version in files for item in version.items], models)
        except UsageError:
            found = list(first)
            if not any(entry.trackers for entry in found) and not any(entry.trackers for entry in entries):
                self._wanted.check(list(self._read.seen()), models)
            return found
        return first

    def _entries(self) -> Iterator[Entry]:
        commits = [commit for commit in self.commits if self._end is None or commit.hash != self._end.hash]
        for step in self._read.steps(commits, self._options.names):
            if step.commit.hash in self._asked and (entry := self._entry(step)):
                yield entry
        self._ended = True

    def _entry(self, step: Step) -> Entry | None:
        compared = [(tracker, self._changes(tracker)) for tracker in step.trackers]
        trackers = tuple(
            self._reported(tracker, found)
            for tracker, changes in compared
            if (found := tuple(self._wanted.of(changes)))
        )
        notes = tuple(_note(fault) for fault in step.faults if self._concerns(fault, step))
        touched = any(self._wanted.model in (None, *tracker.models) for tracker in step.trackers)
        reformatted = self._options.every and touched and not notes and not any(changes for _, changes in compared)
        return Entry(step.commit, trackers, notes, reformatted) if trackers or notes or reformatted else None

    def _changes(self, tracker: TrackerStep) -> list[Change]:
        return changing.compare(tracker.old, tracker.new, self._model)[0]

    def _reported(self, tracker: TrackerStep, changes: Sequence[Change]) -> TrackerDrift:
        places = tracker.places(_present(change) for change in changes)
        placed = tuple(replace(change, place=places[id(_present(change))]) for change in changes)
        pinned = changing.pinned_items(changes)
        names = changing.titles(pinned, self._read.targeting(pinned, tracker))
        return TrackerDrift(tracker.name, tracker.tracker_id, placed, names=names)

    def _concerns(self, fault: Fault, step: Step) -> bool:
        """Whether what can't be read may be of the model that is asked for."""
        model = self._wanted.model
        if model is None or not layout.is_document(fault.path.name) or fault.path.name == layout.file_name(model):
            return True
        known = {version.path: version.model for tracker in step.trackers for version in tracker.after}
        return known.get(fault.path, model) == model


def _present(change: Change) -> Customization:
    """Return the side whose place is told: the commit's, where it has one."""
    return Pair(change.old, change.new).shown


def _note(fault: Fault) -> str:
    return f"{fault.path} can't be read: {fault.reason}; what it says is skipped until it can"


def _end(repository: Repository, range_: Range) -> Commit | None:
    """Return the commit at which a shallow clone ends, if it is among those that are asked for."""
    ends = repository.shallow_ends()
    if not ends:
        return None
    known = repository.commits(range_._replace(author=None, until=None))
    return known[-1] if known and known[-1].hash in ends else None
