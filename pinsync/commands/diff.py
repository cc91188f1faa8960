"""``pinsync diff``: what differs between two sources, as a report and an exit code."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pinsync import config, layout
from pinsync.commands.deliver import Reports, check_reports, deliver, has_summary
from pinsync.drift import changes as changing
from pinsync.drift.causes import Omissions, add_causes, has_unexplained_pins
from pinsync.drift.pairs import are_ids_disjoint, build_no_match_error, is_filter_inconclusive
from pinsync.drift.record import Change, Drift, Place, Side, TrackerDrift
from pinsync.errors import FileError, PinsyncError, RepositoryError, UsageError, pick_gravest
from pinsync.escape import one_line
from pinsync.layout import is_document
from pinsync.model import EVERYTHING, STANDARD_INPUT, Customization, FailOn, Scope
from pinsync.reports import Style, load_drift
from pinsync.reports.drift import patch
from pinsync.reports.words.likeness import fold, tell_apart
from pinsync.sync.basis import list_blocks
from pinsync.sync.texts import build_texts
from pinsync.terminal.console import read_standard_input
from pinsync.workspace.leftovers import find_state_warnings
from pinsync.workspace.parallel import run_in_parallel
from pinsync.workspace.paths import find_configuration_path, find_current_folder, relative_to_cwd
from pinsync.workspace.read import fetch_live, override_flags
from pinsync.workspace.source import parse_sources
from pinsync.workspace.state import pair_trackers, read_contents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from pinsync.config import Settings, Tracker
    from pinsync.document.record import Block
    from pinsync.terminal.console import Console
    from pinsync.workspace.state import Content, State
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        sources: FROM and TO, as far as they are given.
        names: the trackers; all if empty.
        scope: the customizations it is about.
        format: of the report on stdout.
        reports: more reports, each a format and a file.
        fail_on: the changes that make the exit code 1.
        summary: whether the counts are enough.
        max_chars: the most characters of a markdown report.
        remove_expired_pins: overrides the trackers' setting.
        remove_nonexisting_item_pins: overrides the trackers' setting.
    """

    sources: Sequence[str] = ()
    names: Sequence[str] = ()
    scope: Scope = field(default=EVERYTHING)
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    fail_on: FailOn = "any"
    summary: bool = False
    max_chars: int | None = None
    remove_expired_pins: bool | None = None
    remove_nonexisting_item_pins: bool | None = None

    @property
    def formats(self) -> set[str]:
        """The formats that are asked for."""
        return {self.format, *(format_ for format_, _ in self.reports)}

    @property
    def is_whole(self) -> bool:
        """Whether it is about all trackers, and all their customizations as they are configured."""
        flags = (self.remove_expired_pins, self.remove_nonexisting_item_pins)
        return not self.names and self.scope == EVERYTHING and flags == (None, None)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One tracker, compared.

    Attributes:
        drift: what differs, or what kept it from being compared.
        warnings: what was odd but kept.
        date: when the live side answered, if it did.
        known: all customizations that were looked at, under a scope.
    """

    drift: TrackerDrift
    warnings: tuple[str, ...] = ()
    date: datetime | None = None
    known: tuple[Customization, ...] = ()


def diff(workspace: Workspace, options: Options, console: Console) -> int:
    """Compare two sources.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        0 if nothing that counts differs, 1 if something does, the gravest exit code if a tracker
        couldn't be compared.

    Raises:
        PinsyncError: what stops all trackers alike; what stops one of them stands in the report.
    """
    tree = workspace.tree
    today = tree.settings
    stdin = read_standard_input() if STANDARD_INPUT in options.sources else b""
    pair = parse_sources(
        options.sources, tree.repository, find_current_folder(), partial(_of_model, tree), stdin
    )
    for warning in (*pair[0].warnings, *pair[1].warnings):
        console.warn(warning)
    check_reports(options.reports, today, [source.path for source in pair if source.path])
    old, new = (workspace.open_source(source) for source in pair)
    run = _Run(old, new, options, workspace.environ, console)
    trackers = run.trackers()
    with console.show_phase("comparing", [_tracker(both).name for both in trackers]) as done:
        found = run_in_parallel(run.compared, trackers, lambda both: done(_tracker(both).name))
    run.warn(found)
    run.check_scope(found)
    drifts = tuple(one.drift for one in found)
    fetched_at = max((one.date for one in found if one.date), default=None)
    ends = (_side(old, fetched_at), _side(new, fetched_at))
    result = Drift(
        *ends,
        drifts,
        tuple(_notes(old, new, tree)),
        workspace.config_file is None and options.is_whole,
    )
    zone = ZoneInfo(today.timezone)
    has_page = has_summary(workspace.environ)
    style = Style(
        zone,
        console.color_out,
        options.max_chars,
        options.summary,
        find_configuration_path(today),
        has_page,
    )
    errors = [tracker.error for tracker in drifts if tracker.error]
    reports = Reports(
        partial(_render, result, style),
        partial(_render_page, result, style),
        _is_nothing(result),
        errors,
    )
    deliver(reports, options, workspace.environ, console)
    folders = {new.folder(both[1]) for both in trackers if both[1]}
    if console.verbosity >= 0 and not options.sources and (note := _not_committed(tree, folders)):
        console.say(note)
    return pick_gravest(result.find_exit_codes(options.fail_on))


def _of_model(tree: WorkingTree, word: str) -> str | None:
    """Return how to compare a model alone, for a word that names no source but a model that has a document."""
    name = layout.build_file_name(word.encode(errors="replace").decode())
    with suppress(FileError):
        if any(
            path.name == name
            for folder in tree.settings.subfolders()
            for path in tree.store.paths(folder)
        ):
            return (
                f"{word} is a model; to compare its rules alone: pinsync diff --model "
                f"{shlex.quote(word)}"
            )
    return None


def _not_committed(tree: WorkingTree, folders: Collection[PurePosixPath]) -> str | None:
    """Return a note on files that differ from HEAD: who doesn't name FROM may think that they are compared."""
    found: Sequence[PurePosixPath] = ()
    with suppress(RepositoryError):  # an index at fault, say, which a diff from HEAD can do without
        found = tree.repository.find_uncommitted(tree.directory) if tree.repository else ()
    paths = [path for path in found if path.parent in folders and is_document(path.name)]
    if not paths:
        return None
    first, *more = paths
    names = one_line(relative_to_cwd(str(first), tree.store.root)) + (
        f" and {len(more)} more have" if more else " has"
    )
    return (
        f"note: {names} changes that aren't committed, which HEAD doesn't hold: pinsync diff "
        f"@worktree compares them"
    )


def _is_nothing(result: Drift) -> bool:
    """Whether a report says no more than that nothing differs."""
    return (
        result.has_changes is False
        and not result.notes
        and not any(tracker.notes for tracker in result.trackers)
    )


def _tracker(pair: tuple[Tracker | None, Tracker | None]) -> Tracker:
    tracker = pair[1] or pair[0]
    if tracker is None:
        raise ValueError("a pair of nothing")
    return tracker


def _render(result: Drift, style: Style, format_: str, _color: bool) -> str:
    text: str = load_drift(format_).render(result, style)
    return text


def _render_page(result: Drift, style: Style, max_chars: int) -> str:
    limit = min(max_chars, style.max_chars or max_chars)
    return _render(result, replace(style, max_chars=limit), "markdown", False)


def _notes(old: State, new: State, tree: WorkingTree) -> Iterator[str]:
    for state, what in ((old, "added"), (new, "removed")):
        if state.source.kind == "nothing":
            yield f"there is no commit yet: everything is {what}"
    unread: dict[str, list[str]] = {}
    for state in (old, new):
        for warning in find_state_warnings(state, tree):
            unread.setdefault(warning, []).append(state.source.text)
    for warning, names in unread.items():
        yield f"{' and '.join(names)}: {warning}"
    before, after = _facts(old.settings), _facts(new.settings)
    for name, value in before.items():
        if value != after.get(name, value):
            remark = "; both sides are read with the former" if name == "ignore" else ""
            sides = (value, after[name])
            if fold(value) == fold(after[name]):
                sides = tell_apart(*sides)
            yield f"the configuration itself differs: {name}: {' → '.join(sides)}{remark}"


def _facts(settings: Settings) -> dict[str, str]:
    """Return what a configuration says, by dotted name, but for what a tracker that only one side knows would say."""
    facts: dict[str, object] = {
        "directory": settings.directory,
        "timezone": settings.timezone,
        "ignore": [".".join(path) for path in settings.ignore],
        "trackers": [f"{tracker.name} ({tracker.tracker_id})" for tracker in settings.trackers],
        **{f"safety.{name}": value for name, value in asdict(settings.safety).items()},
    }
    for tracker in settings.trackers:
        said = asdict(tracker).items()
        facts |= {
            f"trackers.{tracker.name}.{name}": value
            for name, value in said
            if name not in ("name", "tracker_id")
        }
    return {name: _spelled(value) for name, value in facts.items()}


def _spelled(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(value) or "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class _Run:
    """One comparison of two opened sides; threads share it, so that nothing in it changes."""

    old: State
    new: State
    options: Options
    environ: Mapping[str, str]
    console: Console

    def trackers(self) -> list[tuple[Tracker | None, Tracker | None]]:
        """Return the trackers to compare, as either side knows them.

        Raises:
            UsageError: a name is nobody's, or a JSON export doesn't say whose it is.
            ConfigError: the live side has no tracker.
        """
        for state in (self.old, self.new):
            if state.source.kind == "live":
                state.settings.select(())
        pairs = list(pair_trackers(self.old.trackers, self.new.trackers))
        known = {tracker.name for pair in pairs for tracker in pair if tracker}
        config.check_trackers(self.options.names, known)
        wanted = self.options.names or known
        chosen = [
            pair for pair in pairs if any(tracker and tracker.name in wanted for tracker in pair)
        ]
        exports = [
            state.source.text for state in (self.old, self.new) if state.source.kind == "export"
        ]
        if exports and len(chosen) > 1:
            hint = f"choose one with --tracker: {', '.join(sorted(known))}"
            raise UsageError(
                f"{exports[0]} is the export of one tracker, but it doesn't say of which", hint=hint
            )
        old, new = (state.source.kind == "export" for state in (self.old, self.new))
        named = [
            ((left or right) if old else left, (right or left) if new else right)
            for left, right in chosen
        ]
        return [(self._overridden(left), self._overridden(right)) for left, right in named]

    def _overridden(self, tracker: Tracker | None) -> Tracker | None:
        flags = self.options.remove_expired_pins, self.options.remove_nonexisting_item_pins
        return tracker and override_flags(tracker, *flags)

    def compared(self, pair: tuple[Tracker | None, Tracker | None]) -> _Compared:
        """Compare one tracker; what goes wrong stands in the result."""
        tracker = _tracker(pair)
        result = TrackerDrift(tracker.name, tracker.tracker_id, notes=tuple(self._unknown(pair)))
        try:
            return self._compared(result, pair)
        except PinsyncError as error:
            return _Compared(replace(result, error=error, file=self._unreadable(error, pair)))

    def _unreadable(
        self, error: PinsyncError, pair: tuple[Tracker | None, Tracker | None]
    ) -> str | None:
        """Return the path of the document that can't be read, if that is the error."""
        if not isinstance(error, FileError):
            return None
        for state, tracker in zip((self.old, self.new), pair, strict=True):
            path = PurePosixPath(error.source.removeprefix(state.source.prefix))
            if tracker and state.in_files and path.parent == state.folder(tracker):
                return str(path)
        return None

    def _unknown(self, pair: tuple[Tracker | None, Tracker | None]) -> Iterator[str]:
        for state, tracker, what in zip(
            (self.old, self.new), pair, ("added", "removed"), strict=True
        ):
            if tracker is None:
                yield f"{state.source.text} knows no such tracker: everything is {what}"

    def _compared(
        self, result: TrackerDrift, pair: tuple[Tracker | None, Tracker | None]
    ) -> _Compared:
        scope = self.options.scope
        old, new = self._contents(pair, scope)
        items = old.snapshot.customizations, new.snapshot.customizations
        self._step(result.name, f"comparing {len(items[0])} with {len(items[1])} customizations")
        odd = [
            "the two sides have no id in common; is the export another tracker's?"
        ] * self._export_of_another(items)
        warnings = (*old.snapshot.warnings, *new.snapshot.warnings, *odd)
        changes, unchanged = changing.compare_customizations(*items, scope)
        changes = self._explained(changes, pair, (old, new))
        names = changing.find_pinned_titles(changes, items[1], items[0])
        both = (
            tuple(build_texts(changes, old, new, self._folder(pair)))
            if "patch" in self.options.formats
            else ()
        )
        placed = tuple(_place_changes(changes, old, new))
        drift = replace(result, changes=placed, unchanged=unchanged, names=names, texts=both)
        date = new.snapshot.date or old.snapshot.date
        return _Compared(
            drift, warnings, date, () if scope == EVERYTHING else (*items[0], *items[1])
        )

    def _folder(self, pair: tuple[Tracker | None, Tracker | None]) -> PurePosixPath:
        """Return where a new file of a tracker goes: as the new side says, or the old if the new knows it not."""
        state, tracker = (self.new, pair[1]) if pair[1] else (self.old, pair[0])
        return state.folder(tracker) if tracker else PurePosixPath()

    def _contents(
        self, pair: tuple[Tracker | None, Tracker | None], scope: Scope
    ) -> tuple[Content, Content]:
        for state, tracker in zip((self.old, self.new), pair, strict=True):
            if tracker:
                self._step(tracker.name, state.describe_reading(tracker))
        old, new = read_contents(self.old, self.new, pair, scope, self.environ, self.console)
        lists = [side.snapshot.customizations for side in (old, new)]
        live = next(
            (
                side
                for side, state in enumerate((self.old, self.new))
                if state.source.kind == "live"
            ),
            None,
        )
        if (
            scope == EVERYTHING
            or live is None
            or not is_filter_inconclusive(lists[1 - live], lists[live], scope)
        ):
            return old, new
        self._step(_tracker(pair).name, "the filtered answer is inconclusive; fetching all")
        return read_contents(self.old, self.new, pair, EVERYTHING, self.environ, self.console)

    def _step(self, name: str, what: str) -> None:
        self.console.step(f"{name}: {what}")

    def _export_of_another(self, items: Sequence[Sequence[Customization]]) -> bool:
        exports = [state for state in (self.old, self.new) if state.source.kind == "export"]
        return bool(exports) and are_ids_disjoint(*items)

    def _explained(
        self,
        changes: list[Change],
        pair: tuple[Tracker | None, Tracker | None],
        both: tuple[Content, Content],
    ) -> list[Change]:
        """Say of what is missing from a live side whether the API left it out, as it was told to."""
        for state, tracker, content in zip((self.old, self.new), pair, both, strict=True):
            if state.source.kind != "live" or tracker is None:
                continue
            is_new = state is self.new
            filters = Omissions(content.snapshot.date if tracker.remove_expired_pins else None)
            changes = add_causes(changes, filters, live_is_new=is_new)
            if tracker.remove_nonexisting_item_pins and has_unexplained_pins(
                changes, live_is_new=is_new
            ):
                self._step(
                    tracker.name,
                    "pins are missing; fetching those of items that aren't in the catalog too",
                )
                whole = replace(tracker, remove_nonexisting_item_pins=False)
                settings = replace(state.settings, ignore=self.old.settings.ignore)
                unfiltered = self._whole(whole, settings)
                filters = replace(
                    filters, unfiltered={item.id: item for item in unfiltered if item.id}
                )
                changes = add_causes(changes, filters, live_is_new=is_new)
        return changes

    def _whole(self, tracker: Tracker, settings: Settings) -> Sequence[Customization]:
        return fetch_live(tracker, settings, EVERYTHING, self.environ, self.console).customizations

    def warn(self, found: Sequence[_Compared]) -> None:
        """Show what was odd but kept, tracker by tracker, and commands in a patch on stdout."""
        for one in found:
            for warning in one.warnings:
                self.console.warn(f"{one.drift.name}: {warning}")
            if self.options.format != "patch":
                continue
            for warning in filter(None, map(patch.describe_commands, one.drift.texts)):
                self.console.warn(warning)

    def check_scope(self, found: Sequence[_Compared]) -> None:
        """Refuse a scope that matches nothing anywhere: it is mistyped rather than in sync.

        Raises:
            UsageError: it does.
        """
        scope, drifts = self.options.scope, [one.drift for one in found]
        if scope != EVERYTHING and not any(
            drift.changes or drift.unchanged or drift.error for drift in drifts
        ):
            raise build_no_match_error(scope, (item for one in found for item in one.known))


def _side(state: State, fetched_at: datetime | None) -> Side:
    return Side(
        state.source.text,
        state.source.revision,
        fetched_at if state.source.kind == "live" else None,
    )


def _place_changes(changes: Sequence[Change], old: Content, new: Content) -> Iterator[Change]:
    """Yield the changes with where they stand: on the old side, or on the new where only that is a file."""
    old_blocks, new_blocks = list_blocks(old.documents), list_blocks(new.documents)
    for change in changes:
        place = _find_place(change.pair.old_index, old_blocks, old)
        place = place or _find_place(change.pair.new_index, new_blocks, new)
        yield replace(change, place=place)


def _find_place(index: int | None, blocks: Sequence[Block], side: Content) -> Place | None:
    """Return where a customization of a side stands; None if there is none, or the side isn't read from files."""
    if index is None or not blocks:
        return None
    block = blocks[index]
    document = side.documents[block.customization.model]
    return Place(document.source.removeprefix(side.prefix), block.line)
