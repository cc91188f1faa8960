"""``pinsync blame``: every pin of a model's rules with the commit that last changed it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pinsync import layout
from pinsync.commands.query import select_customizations
from pinsync.config import select_trackers
from pinsync.drift.changes import titles
from pinsync.drift.record import Place, Placed, Side
from pinsync.errors import FileError, RepositoryError, UsageError
from pinsync.history.blame import blamed
from pinsync.history.configurations import Today
from pinsync.history.record import Blame, BlamedTracker
from pinsync.history.steps import History
from pinsync.reports import Style
from pinsync.reports.blame import json as blame_json
from pinsync.reports.blame import text as blame_text
from pinsync.terminal.pager import open_pager
from pinsync.workspace.leftovers import find_warnings
from pinsync.workspace.tree import Head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.config import Settings, Tracker
    from pinsync.history.record import BlamedRule
    from pinsync.history.states import State
    from pinsync.history.versions import Version
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        model: the recommender model.
        target: what `query.matches_target` takes; None for all.
        revision: the git revision whose rules are blamed.
        names: the trackers; all if empty.
        format: ``text`` or ``json``.
        now: the present, in UTC, from which ages count.
    """

    model: str
    target: str | None = None
    revision: str = "HEAD"
    names: Sequence[str] = ()
    format: str = "text"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def blame(workspace: Workspace, options: Options, console: Console) -> int:
    """Show which commit last changed each pin, on standard output; a terminal gets it page by page.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: a model, target or tracker isn't one.
        PinsyncError: there is no such revision, or no repository, or the configuration can't be
            read.
    """
    tree = workspace.tree
    today = tree.settings
    repository = _repository(tree)
    tip = repository.resolve(options.revision, console.warn)
    with repository.reader() as reader:
        history = History(reader, Today(today, repository, workspace.environ), tip)
        state = _state(history, options)
        place = Head(repository, state.settings.directory, tip, options.revision)
        for warning in find_warnings(place, state.settings, tree):
            console.warn(warning)
        rules = _chosen(state, options, today, tree)
        for fault in sorted(state.faults):
            console.warn(
                f"{options.revision}:{fault.path}: {fault.reason}; blamed is what it said before"
            )
        if tip == repository.head() and (message := _uncommitted(repository, rules)):
            console.warn(message)
        names = [tracker.name for tracker in rules]
        with console.show_phase("looking through the history of", names):
            console.step(f"looking through the commits from {options.revision} ({tip[:12]}) back")
            wanted = {tracker.name: found for tracker, found in rules.items()}
            found, whole = blamed(history.steps(names), wanted)
        end = None if whole else history.end
        trackers = tuple(_tracker(tracker, found[tracker.name], state) for tracker in rules)
    result = Blame(options.model, Side(options.revision, tip), options.now, trackers, end)
    style = Style(ZoneInfo(today.timezone), console.color_out)
    if options.format == "json":
        console.report(blame_json.render(result, style), "json")
        return 0
    with open_pager(console, workspace.environ, repository) as write:
        write(blame_text.render(result, style).removesuffix("\n"))
    return 0


def _repository(tree: WorkingTree) -> Repository:
    if tree.repository is None:
        hint = "run it in the repository that the documents are committed to"
        raise RepositoryError(
            f"{tree.store.root} is not in a git repository, so that nobody can be blamed", hint=hint
        )
    if tree.repository.head() is None:
        hint = "commit the documents first, as `pinsync export --commit` does"
        raise RepositoryError("there is no commit yet that could be blamed", hint=hint)
    return tree.repository


def _state(history: History, options: Options) -> State:
    """Return what the commit holds, what its configuration ignores included: that may be a title."""
    found = history.newest(whole=True)
    if found is not None:
        return found
    if fault := history.fault():
        source = f"{options.revision}:{fault.path}"
        raise FileError(fault.reason, source=source, hint="mend it, and commit that")
    raise RepositoryError(f"{options.revision} and what came before it hold no documents")


def _chosen(
    state: State, options: Options, today: Settings, tree: WorkingTree
) -> Mapping[Tracker, list[Placed]]:
    """Return by tracker what each has of the model and target.

    Raises:
        UsageError: none has any.
        FileError: the document can't be read, and never could be.
    """
    trackers = select_trackers(state.documents, options.names)
    placed = {
        tracker: {
            version.model: _placed(version)
            for version in state.documents[tracker].versions.values()
        }
        for tracker in trackers
    }
    if not any(options.model in models for models in placed.values()):
        for fault in state.faults:
            if fault.path.name == layout.build_file_name(options.model):
                raise FileError(
                    fault.reason,
                    source=f"{options.revision}:{fault.path}",
                    hint="mend it, and commit that",
                )
        if error := _not_committed(options, today, tree):
            raise error
    return select_customizations(placed, options.model, options.target)


def _placed(version: Version) -> list[Placed]:
    file = str(version.path)
    rules = zip(version.items, version.lines, strict=True)
    return [Placed(item, Place(file, line)) for item, line in rules]


def _not_committed(options: Options, today: Settings, tree: WorkingTree) -> UsageError | None:
    """Return the error of a model that only the working tree has, if it is one."""
    with contextlib.suppress(UnicodeError):  # half a surrogate pair, which no file's name holds
        for place in (
            layout.build_document_path(tree.directory, options.model, name)
            for name in today.subfolders()
        ):
            if (Path(tree.store.root) / place).is_file():
                message = f'there is no model "{options.model}" in {options.revision}'
                return UsageError(
                    message, hint=f"{place} isn't in that commit; if it is new, commit it first"
                )
    return None


def _uncommitted(repository: Repository, rules: Mapping[Tracker, Sequence[Placed]]) -> str:
    """Return what to say of documents that differ from HEAD; nothing if none does."""
    paths = {PurePosixPath(place.file) for found in rules.values() for _, place in found}
    gone = {path for path in paths if not (repository.root / path).is_file()}
    changed = sorted(gone | {item.path for item in repository.unsaved(paths)})
    if not changed:
        return ""
    verb = "differs" if len(changed) == 1 else "differ"
    return f"{', '.join(map(str, changed))} {verb} from HEAD; what isn't committed is not blamed"


def _tracker(tracker: Tracker, rules: tuple[BlamedRule, ...], state: State) -> BlamedTracker:
    pins = [
        pin
        for rule in rules
        for found in rule.pins
        for pin in (found.pin, found.change and found.change.old)
        if pin
    ]
    wanted = {pin.identity for pin in pins if pin.identity is not None}
    items = (
        item for version in state.documents[tracker].versions.values() for item in version.items
    )
    return BlamedTracker(tracker.name, tracker.tracker_id, rules, titles(wanted, items))
