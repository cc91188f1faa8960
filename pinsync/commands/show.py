"""``pinsync show``: print the rules of a model, and the state of each pin at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.canonical.moments import format_utc, parse_option
from pinsync.commands.deliver import check_link_base, check_reports, write_reports
from pinsync.commands.query import locate_customizations, select_customizations
from pinsync.config import select_trackers
from pinsync.drift.changes import find_titles
from pinsync.drift.record import Side
from pinsync.errors import UsageError
from pinsync.reports import Style, load_show
from pinsync.shelf.shelf import Shelves, TrackerShelves, build_shelf, collect_shelf_items
from pinsync.terminal.pager import open_pager
from pinsync.workspace.items import Titles, read_titles
from pinsync.workspace.leftovers import find_state_warnings
from pinsync.workspace.read import parse_documents
from pinsync.workspace.source import parse_revision, parse_word
from pinsync.workspace.tree import find_place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pinsync.config import Tracker
    from pinsync.drift.record import LocatedCustomization
    from pinsync.model import Customization
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.source import Source
    from pinsync.workspace.workspace import Workspace

_FILES: Final = ("@worktree", "@index")


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        model: the recommender model.
        target: the argument TARGET, as `query.matches_target` takes it; None for all rules.
        revision: a git revision, ``@index`` or ``@worktree``.
        at: the moment of the states, as text; None for now.
        names: the trackers; all if empty.
        format: the format of the report on stdout.
        reports: the format and the file of each further report.
        link_base: the address of the files, for the links of a page; None for no links.
        no_pictures: whether a page loads no pictures.
        now: the present, in UTC.
    """

    model: str
    target: str | None = None
    revision: str = "@worktree"
    at: str | None = None
    names: Sequence[str] = ()
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    link_base: str | None = None
    no_pictures: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


def show(workspace: Workspace, options: Options, console: Console) -> int:
    """Print the rules of a model, in a pager on a terminal.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: the output.

    Returns:
        0.

    Raises:
        UsageError: there is no such model, target or tracker, the time can't be parsed, or the
            revision is ``@live``.
        RepositoryError: there is no such revision.
        FileError: a document or the configuration can't be read, or a report can't be written.
    """
    tree = workspace.tree
    today = tree.settings
    zone = today.zone
    at = options.now if options.at is None else parse_option(options.at, zone, option="--at")
    link_base = check_link_base(options.link_base)
    check_reports(options.reports, today)
    hosts = () if options.no_pictures else today.pictures
    source = _parse_source(options.revision, tree.repository)
    for warning in source.warnings:
        console.warn(warning)
    state = workspace.open_source(source)
    for warning in find_state_warnings(state, tree):
        console.warn(warning)
    trackers = select_trackers(state.trackers, options.names)
    documents: dict[Tracker, dict[str, list[LocatedCustomization]]] = {}
    with console.show_phase("reading", [tracker.name for tracker in trackers]) as done:
        for tracker in trackers:
            console.step(f"{tracker.name}: {state.describe_reading(tracker)}")
            # With the ignored fields, since one of them may be a title.
            read = parse_documents(state.read_documents(tracker), (), (), prefix=source.prefix)
            documents[tracker] = {
                model: locate_customizations(document, source.prefix)
                for model, document in read.items()
            }
            done(tracker.name)
    place = find_place(state, tree)

    def read_names(tracker: Tracker) -> Titles:
        places = [(place, state.settings.choose_subfolder(tracker.name))] if place else []
        titles = read_titles(places)
        if titles.note:
            console.warn(titles.note)
        return titles

    shelves = Shelves(
        options.model,
        format_utc(at),
        Side(source.text, source.revision),
        tuple(_build_shelves(documents, options, format_utc(at), read_names, hosts)),
    )
    style = Style(zone, console.color_out, hosts=hosts, link_base=link_base)
    # All reports are rendered first, so that a bug in one doesn't leave only some of them.
    plain = replace(style, color=False)
    files = [(file, load_show(format_).render(shelves, plain)) for format_, file in options.reports]
    report = load_show(options.format).render(shelves, style)
    if options.format == "text":
        with open_pager(console, workspace.environ, tree.repository) as write:
            write(report.removesuffix("\n"))
    else:
        console.report(report, options.format)
    write_reports(files)
    return 0


def _parse_source(text: str, repository: Repository | None) -> Source:
    if text == "@live":
        hint = (
            "write live to files with `pinsync export`, or see the differences with `pinsync diff`"
        )
        raise UsageError("--rev: @live is no revision; `pinsync show` reads files", hint=hint)
    return parse_word(text, _FILES, "or a git revision") or parse_revision(text, repository)


def _build_shelves(
    documents: Mapping[Tracker, Mapping[str, Sequence[LocatedCustomization]]],
    options: Options,
    at: str,
    read_names: Callable[[Tracker], Titles],
    hosts: Collection[str],
) -> Iterator[TrackerShelves]:
    """Yield the shelves of the model and the target, for each tracker that has any.

    Args:
        documents: all customizations, by tracker and model.
        options: the model and the target.
        at: the moment of the states, as `format_utc` returns it.
        read_names: returns the titles in a tracker's ``items.json``.
        hosts: the hosts from which a page may load pictures.

    Raises:
        UsageError: no tracker has any.
    """
    rules = select_customizations(documents, options.model, options.target)
    for tracker, rows in rules.items():
        shelves = tuple(build_shelf(item, at, place) for item, place in rows)
        # Rules of other models may have the title of a pinned item too.
        known: list[Customization] = []
        for placed in documents[tracker].values():
            known += [row.customization for row in placed]
        pinned = collect_shelf_items(shelves)
        targets = filter(None, (item.target.identity for item, _ in rows))
        titles = read_names(tracker)
        names = titles.add_to(find_titles(pinned, known), pinned.union(targets))
        images = titles.choose_images(pinned, hosts)
        yield TrackerShelves(tracker.name, tracker.tracker_id, shelves, names, images)
