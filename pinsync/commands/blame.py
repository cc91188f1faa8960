"""``pinsync blame``: print each pin of a model with the commit that last changed it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field

from pinsync import layout
from pinsync.commands.query import select_customizations
from pinsync.config import select_trackers
from pinsync.drift.changes import find_titles
from pinsync.drift.record import LocatedCustomization, Place, Side
from pinsync.errors import FileError, RepositoryError, UsageError
from pinsync.history.blame import blame_pins
from pinsync.history.configurations import HistoryContext
from pinsync.history.record import Blame, BlamedTracker
from pinsync.history.steps import History
from pinsync.reports import Style
from pinsync.reports.blame import json as blame_json
from pinsync.reports.blame import text as blame_text
from pinsync.terminal.pager import open_pager
from pinsync.workspace.items import read_titles
from pinsync.workspace.leftovers import find_warnings
from pinsync.workspace.tree import Head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.config import Settings, Tracker
    from pinsync.history.record import BlamedRule
    from pinsync.history.states import CommitState
    from pinsync.history.versions import ReadFault, Version
    from pinsync.model import Customization
    from pinsync.repository import Repository
    from pinsync.terminal.console import Console
    from pinsync.workspace.items import Titles
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        model: the recommender model.
        target: the argument TARGET, as `query.matches_target` takes it; None for all rules.
        revision: the git revision whose rules are blamed.
        names: the trackers; all if empty.
        format: ``text`` or ``json``.
        now: the present, in UTC, for the ages of commits.
    """

    model: str
    target: str | None = None
    revision: str = "HEAD"
    names: Sequence[str] = ()
    format: str = "text"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def blame(workspace: Workspace, options: Options, console: Console) -> int:
    """Print the commit that last changed each pin, in a pager on a terminal.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: the output.

    Returns:
        0.

    Raises:
        UsageError: there is no such model, target or tracker.
        RepositoryError: there is no repository, no commit, or no such revision.
        FileError: the document or the configuration can't be read.
    """
    tree = workspace.tree
    today = tree.settings
    repository = _find_repository(tree)
    tip = repository.resolve(options.revision, console.warn)
    with repository.open_reader() as reader:
        history = History(reader, HistoryContext(today, repository, workspace.environ), tip)
        state = _read_state(history, options)
        place = Head(repository, state.settings.directory, tip, options.revision)
        for warning in find_warnings(place, state.settings, tree):
            console.warn(warning)
        rules = _select_rules(state, options, today, tree)
        for fault in sorted(state.faults):
            source = f"{options.revision}:{fault.path}"
            console.warn(f"{source}: {fault.reason}; its last readable version is blamed instead")
        # An older commit differs from the working tree anyway.
        if tip == repository.resolve_head() and (text := _describe_uncommitted(repository, rules)):
            console.warn(text)
        names = [tracker.name for tracker in rules]
        with console.show_phase("looking through the history of", names):
            console.step(f"looking through the commits from {options.revision} ({tip[:12]}) back")
            by_name = {tracker.name: rows for tracker, rows in rules.items()}
            found, is_complete = blame_pins(history.walk_steps(names), by_name)
        # A shallow clone's end is worth a note only if a pin is as old.
        end = None if is_complete else history.end
        trackers = []
        for tracker in rules:
            titles = read_titles([(place, state.settings.choose_subfolder(tracker.name))])
            if titles.note:
                console.warn(titles.note)
            trackers.append(_build_tracker(tracker, found[tracker.name], state, titles))
    side = Side(options.revision, tip)
    result = Blame(options.model, side, options.now, tuple(trackers), end)
    style = Style(today.zone, console.color_out)
    if options.format == "json":
        console.report(blame_json.render(result, style), "json")
        return 0
    with open_pager(console, workspace.environ, repository) as write:
        write(blame_text.render(result, style).removesuffix("\n"))
    return 0


def _find_repository(tree: WorkingTree) -> Repository:
    if tree.repository is None:
        message = f"{tree.store.root} is not in a git repository, so there is nobody to blame"
        hint = "run the command in the repository that the documents are committed to"
        raise RepositoryError(message, hint=hint)
    if tree.repository.resolve_head() is None:
        hint = "commit the documents first, as `pinsync export --commit` does"
        raise RepositoryError("there is no commit yet to blame", hint=hint)
    return tree.repository


def _read_state(history: History, options: Options) -> CommitState:
    """Return the documents and the configuration of the revision.

    Raises:
        FileError: no configuration up to the revision can be read.
        RepositoryError: no commit up to the revision has documents.
    """
    # With the fields that the configuration ignores, since one of them may be a title.
    state = history.read_newest(whole=True)
    if state is not None:
        return state
    fault = history.find_fault()
    if fault is not None:
        raise _build_file_error(fault, options)
    raise RepositoryError(f"neither {options.revision} nor an earlier commit has documents")


def _build_file_error(fault: ReadFault, options: Options) -> FileError:
    source = f"{options.revision}:{fault.path}"
    return FileError(fault.reason, source=source, hint="mend the file, and commit it")


def _select_rules(
    state: CommitState, options: Options, today: Settings, tree: WorkingTree
) -> Mapping[Tracker, list[LocatedCustomization]]:
    """Return the rules of the model and the target, by tracker.

    Raises:
        UsageError: no tracker has a matching rule.
        FileError: no version of the document can be read.
    """
    documents: dict[Tracker, dict[str, list[LocatedCustomization]]] = {}
    for tracker in select_trackers(state.documents, options.names):
        versions = state.documents[tracker].versions.values()
        documents[tracker] = {version.model: _place_rules(version) for version in versions}
    # A file that was never readable has no version, so its model looks unknown.
    if not any(options.model in models for models in documents.values()):
        for fault in state.faults:
            if fault.path.name == layout.build_file_name(options.model):
                raise _build_file_error(fault, options)
        path = _find_new_document(options, today, tree)
        if path is not None:
            message = f'there is no model "{options.model}" in {options.revision}'
            hint = f"{path} isn't in that commit; if the file is new, commit it first"
            raise UsageError(message, hint=hint)
    return select_customizations(documents, options.model, options.target)


def _place_rules(version: Version) -> list[LocatedCustomization]:
    file = str(version.path)
    rows = zip(version.items, version.lines, strict=True)
    return [LocatedCustomization(item, Place(file, line)) for item, line in rows]


def _find_new_document(options: Options, today: Settings, tree: WorkingTree) -> str | None:
    """Return the path of the model's document in the working tree; None if there is none."""
    # An argument in another encoding has half a surrogate pair, which no file name can hold.
    with contextlib.suppress(UnicodeError):
        for name in today.list_subfolders():
            path = layout.build_document_path(tree.directory, options.model, name)
            if (Path(tree.store.root) / path).is_file():
                return str(path)
    return None


def _describe_uncommitted(
    repository: Repository, rules: Mapping[Tracker, Sequence[LocatedCustomization]]
) -> str | None:
    """Return a warning of documents that differ from HEAD; None if there are none."""
    paths: set[PurePosixPath] = set()
    for rows in rules.values():
        paths.update(PurePosixPath(place.file) for _, place in rows)
    # A deleted file has no unsaved content, but differs from HEAD all the same.
    different = {path for path in paths if not (repository.root / path).is_file()}
    different.update(item.path for item in repository.find_unsaved(paths))
    if not different:
        return None
    verb = "differs" if len(different) == 1 else "differ"
    files = ", ".join(map(str, sorted(different)))
    return f"{files} {verb} from HEAD; uncommitted changes are not blamed"


def _build_tracker(
    tracker: Tracker, rules: tuple[BlamedRule, ...], state: CommitState, titles: Titles
) -> BlamedTracker:
    pins: list[Pin] = []
    targets: set[str] = set()
    for rule in rules:
        targets.update(filter(None, [rule.customization.target.identity]))
        for row in rule.pins:
            pins.append(row.pin)
            if row.change and row.change.old:
                pins.append(row.change.old)
    identities = {pin.identity for pin in pins if pin.identity is not None}
    items: list[Customization] = []
    for version in state.documents[tracker].versions.values():
        items += version.items
    names = titles.add_to(find_titles(identities, items), identities | targets)
    return BlamedTracker(tracker.name, tracker.tracker_id, rules, names)
