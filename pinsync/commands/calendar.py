"""``pinsync calendar``: print when shelves change, and the troubles ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.canonical.moments import Window, parse_option, to_instant
from pinsync.commands.deliver import check_link_base, check_reports, write_reports
from pinsync.commands.query import locate_customizations, select_customizations
from pinsync.config import select_trackers
from pinsync.drift.changes import find_titles
from pinsync.drift.pairs import read_data
from pinsync.drift.record import Side
from pinsync.errors import PinsyncError, UsageError, pick_gravest
from pinsync.model import EVERYTHING
from pinsync.reports import Style, load_calendar
from pinsync.shelf.calendar import Calendar, RuleSchedule, TrackerCalendar, collect_named_items
from pinsync.shelf.schedule import build_schedule
from pinsync.terminal.pager import open_pager
from pinsync.workspace.items import read_titles
from pinsync.workspace.leftovers import find_state_warnings
from pinsync.workspace.parallel import run_in_parallel
from pinsync.workspace.read import fetch_live, parse_documents
from pinsync.workspace.source import parse_revision, parse_word
from pinsync.workspace.tree import find_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.config import Tracker
    from pinsync.drift.record import Place
    from pinsync.model import Customization
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.items import Titles
    from pinsync.workspace.source import Source
    from pinsync.workspace.state import State
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace

    Rules = Mapping[str, Sequence["_Rule"]]
    """Model → the rules of a tracker."""

_SOURCES: Final = ("@worktree", "@index", "@live")
_DAYS: Final = timedelta(days=90)
_PLACEHOLDER: Final = "{tracker}"


class _Rule(NamedTuple):
    """A customization, and its place in a file; None for the shop."""

    customization: Customization
    place: Place | None = None


class _File(NamedTuple):
    """The file of a further report.

    Attributes:
        format: the format of the report.
        path: the path of the file.
        tracker: the name of the tracker that the report is for; None for all trackers.
    """

    format: str
    path: Path
    tracker: str | None = None


class _Answer(NamedTuple):
    """The rules of a tracker.

    Attributes:
        rules: the rules.
        changed_at: the moment of their last change, as far as it is known.
        warnings: oddities that were accepted, for people.
    """

    rules: Rules
    changed_at: datetime
    warnings: tuple[str, ...] = ()


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        model: the recommender model; None for all models.
        target: the argument TARGET, as `query.matches_target` takes it; None for all rules.
        start: the first moment, as text; None for now.
        end: the last moment, as text; None for 90 days after the first one.
        revision: a git revision, ``@index``, ``@worktree`` or ``@live``.
        names: the trackers; all if empty.
        format: the format of the report on standard output.
        reports: the format and the file of each further report; ``{tracker}`` in the file of an
            iCalendar stands for the tracker's name.
        link_base: the address of the files, for the links of a page; None for no links.
        no_pictures: whether a page loads no pictures.
        now: the present, in UTC.
    """

    model: str | None = None
    target: str | None = None
    start: str | None = None
    end: str | None = None
    revision: str = "@worktree"
    names: Sequence[str] = ()
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    link_base: str | None = None
    no_pictures: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


def calendar(workspace: Workspace, options: Options, console: Console) -> int:
    """Print the changes of shelves in a span of time, in a pager on a terminal.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: the output.

    Returns:
        0; the gravest exit code if the shop of a tracker can't be read.

    Raises:
        UsageError: there is no such model, target or tracker, a time can't be parsed, the last
            moment lies before the first, or an iCalendar would be for several trackers.
        RepositoryError: there is no such revision.
        FileError: a document or the configuration can't be read, or a report can't be written.
    """
    tree = workspace.tree
    zone = tree.settings.zone
    start, end = _parse_times(options, zone)
    link_base = check_link_base(options.link_base)
    hosts = () if options.no_pictures else tree.settings.pictures
    source = _parse_source(options.revision, tree.repository)
    for warning in source.warnings:
        console.warn(warning)
    state = workspace.open_source(source)
    for warning in find_state_warnings(state, tree):
        console.warn(warning)
    trackers = _choose_trackers(state, options.names)
    files = list(_list_files(options, trackers))
    check_reports([(file.format, file.path) for file in files], tree.settings)
    reader = _Reader(workspace, state, options, console)
    with console.show_phase("reading", [tracker.name for tracker in trackers]) as done:
        found = run_in_parallel(reader.read, trackers, lambda tracker: done(tracker.name))
    errors = [answer for answer in found if isinstance(answer, PinsyncError)]
    if errors:
        for error in errors:
            console.fail(error)
        return pick_gravest([error.exit_code for error in errors])
    answers = [answer for answer in found if not isinstance(answer, PinsyncError)]
    read = dict(zip(trackers, answers, strict=True))
    limits = Window(to_instant(start), to_instant(end))
    built = tuple(reader.build_calendars(read, limits, hosts))
    side = Side(source.text, source.revision)
    record = Calendar(start, end, options.now, side, built)
    style = Style(zone, console.color_out, hosts=hosts, link_base=link_base)
    _deliver(record, files, style, options, workspace, console)
    return 0


def _parse_times(options: Options, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first and the last moment.

    Raises:
        UsageError: a time can't be parsed, or the last moment lies before the first.
    """
    start = options.now
    if options.start is not None:
        start = parse_option(options.start, zone, option="--from")
    if options.end is not None:
        end = parse_option(options.end, zone, option="--to", end=True)
    else:
        end = _add_days(start)
    if end < start:
        hint = "without --from, the calendar starts now" if options.start is None else None
        raise UsageError("--to lies before --from", hint=hint or "exchange the two times")
    return start, end


def _add_days(start: datetime) -> datetime:
    try:
        return start + _DAYS
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _parse_source(text: str, repository: Repository | None) -> Source:
    return parse_word(text, _SOURCES, "or a git revision") or parse_revision(text, repository)


def _choose_trackers(state: State, names: Sequence[str]) -> Sequence[Tracker]:
    """Return the trackers of these names, all if there are no names.

    Raises:
        ConfigError: the shop is to be asked, but no tracker is configured.
        UsageError: no tracker has one of the names.
    """
    if state.source.kind == "live":
        return state.settings.select(names)
    return select_trackers(state.trackers, names)


def _list_files(options: Options, trackers: Sequence[Tracker]) -> Iterator[_File]:
    """Yield the files of the further reports.

    Raises:
        UsageError: an iCalendar would be for several trackers.
    """
    if options.format == "ics":
        _check_single("--format ics", trackers)
    for format_, file in options.reports:
        if format_ != "ics":
            yield _File(format_, file)
        elif _PLACEHOLDER in str(file):
            for tracker in trackers:
                name = str(file).replace(_PLACEHOLDER, tracker.name)
                yield _File(format_, Path(name), tracker.name)
        else:
            _check_single(f"--report ics={file}", trackers)
            yield _File(format_, file)


def _check_single(option: str, trackers: Sequence[Tracker]) -> None:
    if len(trackers) > 1:
        names = ", ".join(tracker.name for tracker in trackers)
        hint = (
            f"choose one with --tracker: {names}; or write a file for each: "
            "--report ics=calendar-{tracker}.ics"
        )
        raise UsageError(f"{option}: an iCalendar is for one tracker", hint=hint)


class _Reader(Struct, frozen=True):
    """Reads the rules of trackers; several threads may share it."""

    workspace: Workspace
    state: State
    options: Options
    console: Console

    def read(self, tracker: Tracker) -> _Answer | PinsyncError:
        """Return the rules of a tracker, or the error; called by several threads."""
        self.console.step(f"{tracker.name}: {self.state.describe_reading(tracker)}")
        try:
            if self.state.source.kind == "live":
                return self._fetch(tracker)
            prefix = self.state.source.prefix
            # With the ignored fields, since one of them may be a title.
            documents = parse_documents(self.state.read_documents(tracker), (), (), prefix=prefix)
            rules = {
                model: [_Rule(*row) for row in locate_customizations(document, prefix)]
                for model, document in documents.items()
            }
            return _Answer(rules, self._find_last_change(tracker))
        except PinsyncError as error:
            return error

    def _fetch(self, tracker: Tracker) -> _Answer:
        settings = replace(self.state.settings, ignore=())
        answer = fetch_live(tracker, settings, EVERYTHING, self.workspace.environ, self.console)
        rules: dict[str, list[_Rule]] = {}
        for item in answer.customizations:
            rules.setdefault(item.model, []).append(_Rule(item))
        return _Answer(rules, answer.date or self.options.now, answer.warnings)

    def _find_last_change(self, tracker: Tracker) -> datetime:
        """Return the date of the commit that last changed the documents; else the present."""
        repository, revision = self.state.repository, self.state.source.revision
        folder = self.state.find_folder(tracker)
        if repository is None:
            return self.options.now
        if self.state.source.kind == "worktree" and not repository.find_uncommitted(folder):
            revision = repository.resolve_head()
        if revision is None:
            return self.options.now
        commit = repository.find_last_commit(revision, folder)
        return commit.date if commit else self.options.now

    def build_calendars(
        self, read: Mapping[Tracker, _Answer], limits: Window, hosts: Collection[str]
    ) -> Iterator[TrackerCalendar]:
        """Yield the calendar of each tracker.

        Args:
            read: the rules of each tracker.
            limits: the first and the last moment.
            hosts: the hosts from which a page may load pictures.

        Raises:
            UsageError: no rule has the model or the target.
        """
        chosen = self._choose_rules({tracker: answer.rules for tracker, answer in read.items()})
        for tracker, rows in chosen.items():
            answer = read[tracker]
            for warning in answer.warnings:
                self.console.warn(f"{tracker.name}: {warning}")
            schedules: list[RuleSchedule] = []
            for item, place in rows:
                data = read_data(item)
                schedules.append(RuleSchedule(item, data, build_schedule(data, limits), place))
            named = collect_named_items(schedules)
            titles = self._read_titles(tracker)
            yield TrackerCalendar(
                tracker.name,
                tracker.tracker_id,
                tuple(schedules),
                answer.changed_at,
                names=titles.add_to(_find_titles(named, answer.rules), named),
                images=titles.choose_images(named, hosts),
            )

    def _choose_rules(self, rules: Mapping[Tracker, Rules]) -> Mapping[Tracker, Sequence[_Rule]]:
        if self.options.model is not None:
            found = select_customizations(rules, self.options.model, self.options.target)
            return {tracker: found.get(tracker, []) for tracker in rules}
        chosen: dict[Tracker, list[_Rule]] = {}
        for tracker, models in rules.items():
            chosen[tracker] = []
            for model in sorted(models):
                chosen[tracker] += models[model]
        return chosen

    def _read_titles(self, tracker: Tracker) -> Titles:
        """Return the titles and pictures in the ``items.json`` of a tracker."""
        tree: WorkingTree = self.workspace.tree
        place = find_place(self.state, tree)
        # The shop has no items.json; the file of the working tree names the same items.
        places = [(place or tree, self.state.settings.choose_subfolder(tracker.name))]
        titles = read_titles(places)
        if titles.note:
            self.console.warn(titles.note)
        return titles


def _find_titles(named: frozenset[str], rules: Rules) -> Mapping[str, str]:
    """Return identity → title of the items that have a rule with a title."""
    known: list[Customization] = []
    for rows in rules.values():
        known += [row.customization for row in rows]
    return find_titles(named, known)


def _deliver(
    record: Calendar,
    files: Sequence[_File],
    style: Style,
    options: Options,
    workspace: Workspace,
    console: Console,
) -> None:
    """Write the report to standard output, and the further reports to their files."""
    # All reports are rendered first, so that a bug in one doesn't leave only some of them.
    plain = replace(style, color=False)
    texts: list[tuple[Path, str]] = []
    for file in files:
        part = record
        if file.tracker is not None:
            chosen = tuple(one for one in record.trackers if one.name == file.tracker)
            part = replace(record, trackers=chosen)
        texts.append((file.path, load_calendar(file.format).render(part, plain)))
    report = load_calendar(options.format).render(record, style)
    if options.format == "text":
        with open_pager(console, workspace.environ, workspace.tree.repository) as write:
            write(report.removesuffix("\n"))
    else:
        console.report(report, options.format)
    write_reports(texts)
