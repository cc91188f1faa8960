"""``pinsync show``: the rules of a model as a person reads them, and how each pin stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pinsync.canonical.moments import format_utc, parse_option
from pinsync.commands.query import select_customizations
from pinsync.config import select_trackers
from pinsync.drift.changes import titles
from pinsync.drift.record import Place, Placed, Side
from pinsync.errors import UsageError
from pinsync.reports import Style
from pinsync.reports.show import json as show_json
from pinsync.reports.show import text as show_text
from pinsync.shelf.shelf import Shelves, TrackerShelves, arranged, pinned_items
from pinsync.terminal.pager import open_pager
from pinsync.workspace.leftovers import find_state_warnings
from pinsync.workspace.read import read_documents
from pinsync.workspace.source import parse_revision, parse_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.config import Tracker
    from pinsync.document.record import Document
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.source import Source
    from pinsync.workspace.workspace import Workspace

_FILES: Final = ("@worktree", "@index")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        model: the recommender model.
        target: what `query.matches_target` takes; None for all.
        revision: a git revision, ``@index`` or ``@worktree``.
        at: the moment that the states are of; None for now.
        names: the trackers; all if empty.
        format: ``text`` or ``json``.
        now: the present, in UTC.
    """

    model: str
    target: str | None = None
    revision: str = "@worktree"
    at: str | None = None
    names: Sequence[str] = ()
    format: str = "text"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


def show(workspace: Workspace, options: Options, console: Console) -> int:
    """Show rules, on standard output; a terminal gets them page by page.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: a model, target, tracker or time isn't one, or live is asked for.
        PinsyncError: a file or the configuration can't be read, or there is no such revision.
    """
    tree = workspace.tree
    today = tree.settings
    zone = ZoneInfo(today.timezone)
    at = options.now if options.at is None else parse_option(options.at, zone, option="--at")
    source = _source(options.revision, tree.repository)
    for warning in source.warnings:
        console.warn(warning)
    state = workspace.open_source(source)
    for warning in find_state_warnings(state, tree):
        console.warn(warning)
    trackers = select_trackers(state.trackers, options.names)
    with console.show_phase("reading", [tracker.name for tracker in trackers]) as done:
        read = []
        for tracker in trackers:
            console.step(f"{tracker.name}: {state.describe_reading(tracker)}")
            # A field that is left out of comparison may say a title all the same.
            read.append(read_documents(state.files(tracker), (), (), prefix=source.prefix))
            done(tracker.name)
    found = _shelves(dict(zip(trackers, read, strict=True)), options, format_utc(at), source)
    shelves = Shelves(
        options.model, format_utc(at), Side(source.text, source.revision), tuple(found)
    )
    style = Style(zone, console.color_out)
    if options.format == "json":
        console.report(show_json.render(shelves, style), "json")
        return 0
    with open_pager(console, workspace.environ, tree.repository) as write:
        write(show_text.render(shelves, style).removesuffix("\n"))
    return 0


def _source(text: str, repository: Repository | None) -> Source:
    if text == "@live":
        hint = "export it with `pinsync export`, or see what is different there with `pinsync diff`"
        raise UsageError("--rev: @live is no revision; what is shown are files", hint=hint)
    return parse_word(text, _FILES, "or a git revision") or parse_revision(text, repository)


def _shelves(
    read: Mapping[Tracker, Mapping[str, Document]], options: Options, at: str, source: Source
) -> Iterator[TrackerShelves]:
    """Yield what each tracker has of the model and target.

    Raises:
        UsageError: none has any.
    """
    placed = {
        tracker: {model: _placed(found, source.prefix) for model, found in read[tracker].items()}
        for tracker in read
    }
    for tracker, items in select_customizations(placed, options.model, options.target).items():
        shelves = tuple(arranged(item, at, place) for item, place in items)
        known = [item for found in placed[tracker].values() for item, _ in found]
        names = titles(pinned_items(shelves), known)
        yield TrackerShelves(tracker.name, tracker.tracker_id, shelves, names)


def _placed(document: Document, prefix: str) -> list[Placed]:
    file = document.source.removeprefix(prefix)
    return [Placed(entry.customization, Place(file, entry.line)) for entry in document.entries]
