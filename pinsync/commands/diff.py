"""``pinsync diff``: compare two sources; return a report and an exit code."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from pinsync import config, layout
from pinsync.canonical.moments import format_utc, parse_option
from pinsync.commands.deliver import (
    Reports,
    check_link_base,
    check_reports,
    deliver,
    has_summary,
)
from pinsync.drift.causes import Omissions, add_causes, has_unexplained_pins
from pinsync.drift.changes import collect_shown_items, compare_customizations, find_titles
from pinsync.drift.pairs import (
    are_ids_disjoint,
    build_no_match_error,
    check_ids,
    is_filter_inconclusive,
    resolve_ids,
)
from pinsync.drift.record import Change, Drift, FileTexts, Place, Side, TrackerDrift
from pinsync.drift.shoppers import add_shoppers
from pinsync.errors import FileError, PinsyncError, RepositoryError, UsageError, pick_gravest
from pinsync.escape import one_line
from pinsync.layout import is_document
from pinsync.model import EVERYTHING, STANDARD_INPUT, Customization, FailOn, Managed, Scope
from pinsync.reports import Style, load_drift
from pinsync.reports.words.likeness import fold, tell_apart
from pinsync.sync.basis import list_blocks
from pinsync.terminal.console import read_standard_input
from pinsync.workspace.items import Titles, read_titles
from pinsync.workspace.leftovers import find_state_warnings
from pinsync.workspace.parallel import run_in_parallel
from pinsync.workspace.paths import find_configuration_path, find_current_folder, relative_to_cwd
from pinsync.workspace.read import fetch_live, override_flags
from pinsync.workspace.source import parse_sources
from pinsync.workspace.state import pair_trackers, read_contents
from pinsync.workspace.tree import find_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pinsync.config import Settings, Tracker
    from pinsync.document.record import Block
    from pinsync.terminal.console import Console
    from pinsync.workspace.state import Content, State
    from pinsync.workspace.tree import Place as FilePlace
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace

    TrackerPair = tuple[Tracker | None, Tracker | None]
    """A tracker in the configurations of both sides; None if a side doesn't know the tracker."""


# By the settings of the old side, so that a branch can't hide its own changes, and can't let the
# readers of a page ask a host of its own.
_REMARKS: Final = {
    "ignore": "; both sides are read with the former",
    "manages": "; both sides are read with the former",
    "pictures": "; pages use the former",
}


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        sources: FROM and TO, as far as they are given.
        names: the names of the trackers; all trackers if empty.
        scope: the customizations to compare.
        format: the format of the report on stdout.
        reports: the format and the file of each further report.
        fail_on: the changes that make the exit code 1.
        at: the moment from which the changes are seen, as text; None for the date of the answer of
            a live side, else for now.
        summary: print only the headline, the groups with their counts, and the actions.
        max_chars: the longest markdown report, in characters.
        link_base: the address of the files, for the links of a page; None for no links.
        no_pictures: whether a page loads no pictures.
        remove_expired_pins: overrides the setting of the trackers.
        remove_nonexisting_item_pins: overrides the setting of the trackers.
        now: the present, in UTC.
    """

    sources: Sequence[str] = ()
    names: Sequence[str] = ()
    scope: Scope = field(default=EVERYTHING)
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    fail_on: FailOn = "any"
    at: str | None = None
    summary: bool = False
    max_chars: int | None = None
    link_base: str | None = None
    no_pictures: bool = False
    remove_expired_pins: bool | None = None
    remove_nonexisting_item_pins: bool | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def formats(self) -> set[str]:
        """The formats of all reports."""
        return {self.format, *(format_ for format_, _ in self.reports)}

    @property
    def flags(self) -> tuple[bool | None, bool | None]:
        """The flags that override the settings of the trackers."""
        return self.remove_expired_pins, self.remove_nonexisting_item_pins

    @property
    def is_unrestricted(self) -> bool:
        """Whether all trackers are compared, each as it is configured."""
        return not self.names and self.scope == EVERYTHING and self.flags == (None, None)


class Comparison(Struct, frozen=True):
    """The comparison of one tracker.

    Attributes:
        drift: the drift, or the error that prevented the comparison.
        warnings: oddities that were accepted.
        date: the moment of the live side's answer; None without a live side.
        known: under a scope, all customizations of both sides.
        contents: both sides; None if the comparison failed.
    """

    drift: TrackerDrift
    warnings: tuple[str, ...] = ()
    date: datetime | None = None
    known: tuple[Customization, ...] = ()
    contents: tuple[Content, Content] | None = None


def diff(workspace: Workspace, options: Options, console: Console) -> int:
    """Compare two sources.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: prints the reports and the warnings.

    Returns:
        1 if a change matches ``fail_on``, else 0; the gravest exit code if a tracker failed.

    Raises:
        PinsyncError: an error that stops all trackers. An error of one tracker is part of the
            report.
    """
    tree = workspace.tree
    settings = tree.settings
    at = None
    if options.at is not None:
        at = parse_option(options.at, settings.zone, option="--at")
    link_base = check_link_base(options.link_base)
    stdin = read_standard_input() if STANDARD_INPUT in options.sources else b""
    advice = partial(suggest_model, tree, "diff")
    sources = parse_sources(options.sources, tree.repository, find_current_folder(), advice, stdin)
    for source in sources:
        for warning in source.warnings:
            console.warn(warning)
    check_reports(options.reports, settings, [source.path for source in sources if source.path])
    old, new = map(workspace.open_source, sources)
    run = Run(old, new, options, workspace.environ, console, tree)
    run.check_fail_on()
    trackers = run.choose_trackers()
    names = [get_tracker(pair).name for pair in trackers]
    with console.show_phase("comparing", names) as done:
        found = run_in_parallel(run.compare, trackers, lambda pair: done(get_tracker(pair).name))
    run.print_warnings(found)
    run.check_scope(found)
    drifts = run.add_movers(found, trackers)
    fetched_at = max((comparison.date for comparison in found if comparison.date), default=None)
    # One moment for all trackers, which the report names as the date of the answer.
    moment = format_utc(at or fetched_at or options.now)
    drift = Drift(
        build_side(old, fetched_at),
        build_side(new, fetched_at),
        tuple(_add_shoppers(drift, moment) for drift in drifts),
        moment,
        tuple(list_notes(old, new, tree)),
        # Reports suggest `pinsync export --commit` only where it needs none of these options.
        workspace.config_file is None and options.is_unrestricted,
    )
    style = Style(
        zone=settings.zone,
        color=console.color_out,
        max_chars=options.max_chars,
        summary=options.summary,
        configuration=find_configuration_path(settings),
        has_page=has_summary(workspace.environ),
        hosts=run.picture_hosts,
        link_base=link_base,
    )
    reports = Reports(
        partial(_render, drift, style),
        _is_empty(drift),
        partial(_render_page, drift, style),
        [tracker.error for tracker in drift.trackers if tracker.error],
    )
    deliver(reports, options, workspace.environ, console)
    # A user who names no source may expect that the files on disk are compared.
    if console.verbosity >= 0 and not options.sources:
        folders = {new.find_folder(tracker) for _, tracker in trackers if tracker}
        if note := describe_uncommitted(tree, folders, "pinsync diff @worktree compares"):
            console.say(note)
    return pick_gravest(drift.find_exit_codes(options.fail_on))


def suggest_model(tree: WorkingTree, command: str, word: str) -> str | None:
    """Return a hint for a word that names no source, if it is the model of a document.

    Args:
        tree: the files on disk.
        command: the name of the command.
        word: the word.
    """
    # An argument that isn't UTF-8 has surrogates, which can't be encoded.
    name = layout.build_file_name(word.encode(errors="replace").decode())
    with suppress(FileError):
        for folder in tree.settings.list_subfolders():
            if any(path.name == name for path in tree.store.list_paths(folder)):
                verb = "plan" if command == "plan" else "compare"
                return (
                    f"{word} is a model; to {verb} its rules alone: pinsync {command} --model "
                    f"{shlex.quote(word)}"
                )
    return None


def describe_uncommitted(
    tree: WorkingTree, folders: Collection[PurePosixPath], remedy: str
) -> str | None:
    """Return a note about the documents that differ from HEAD.

    Args:
        tree: the files on disk.
        folders: the folders of the documents.
        remedy: the command that reads them, and its verb.
    """
    found: Sequence[PurePosixPath] = ()
    # A diff from HEAD can do without git's index, which may be broken.
    with suppress(RepositoryError):
        if tree.repository:
            found = tree.repository.find_uncommitted(tree.directory)
    paths = [path for path in found if path.parent in folders and is_document(path.name)]
    if not paths:
        return None
    names = one_line(relative_to_cwd(str(paths[0]), tree.store.root))
    if len(paths) == 1:
        verb = "has"
    else:
        verb = f"and {len(paths) - 1} more have"
    return (
        f"note: {names} {verb} changes that aren't committed, which HEAD doesn't hold: "
        f"{remedy} them"
    )


def _is_empty(drift: Drift) -> bool:
    """Whether a report says only that nothing differs."""
    has_notes = drift.notes or any(tracker.notes for tracker in drift.trackers)
    return drift.has_changes is False and not has_notes


def get_tracker(pair: TrackerPair) -> Tracker:
    """Return the tracker that names a pair."""
    tracker = pair[1] or pair[0]
    if tracker is None:
        raise ValueError("a pair of nothing")
    return tracker


def _render(drift: Drift, style: Style, format_: str, _color: bool) -> str:
    text: str = load_drift(format_).render(drift, style)
    return text


def _render_page(drift: Drift, style: Style, max_chars: int) -> str:
    # The command line may set a lower limit than the page.
    limit = min(max_chars, style.max_chars or max_chars)
    return _render(drift, replace(style, max_chars=limit), "markdown", False)


def list_notes(old: State, new: State, tree: WorkingTree) -> Iterator[str]:
    """Yield the notes at the top of a report."""
    for state, verb in ((old, "added"), (new, "removed")):
        if state.source.kind == "nothing":
            yield f"there is no commit yet: everything is {verb}"
    names_by_warning: dict[str, list[str]] = {}
    for state in (old, new):
        for warning in find_state_warnings(state, tree):
            names_by_warning.setdefault(warning, []).append(state.source.text)
    for warning, names in names_by_warning.items():
        yield f"{' and '.join(names)}: {warning}"
    old_settings, new_settings = _list_settings(old.settings), _list_settings(new.settings)
    for name, value in old_settings.items():
        # A setting of a tracker that only one side knows is no difference.
        new_value = new_settings.get(name, value)
        if value == new_value:
            continue
        # By the old side's settings, so that a branch can't hide its own changes.
        remark = _REMARKS.get("manages" if ".manages." in name else name, "")
        sides = (value, new_value)
        # Texts that look alike are written with escapes.
        if fold(value) == fold(new_value):
            sides = tell_apart(*sides)
        yield f"the configuration itself differs: {name}: {' → '.join(sides)}{remark}"


def _list_settings(settings: Settings) -> dict[str, str]:
    """Return dotted name → text of the settings that a comparison names."""
    values: dict[str, object] = {
        "directory": settings.directory,
        "main_branch": settings.main_branch or "nothing",
        "timezone": settings.timezone,
        "ignore": [".".join(path) for path in settings.ignore],
        "pictures": settings.pictures,
        "trackers": [f"{tracker.name} ({tracker.tracker_id})" for tracker in settings.trackers],
    }
    for name, value in asdict(settings.safety).items():
        values[f"safety.{name}"] = value
    for tracker in settings.trackers:
        for name, value in asdict(tracker).items():
            # Name and id are part of "trackers".
            if name not in ("name", "tracker_id", "manages"):
                values[f"trackers.{tracker.name}.{name}"] = value
        for name, texts in asdict(tracker.manages).items():
            values[f"trackers.{tracker.name}.manages.{name}"] = _spell_condition(texts)
    return {name: _spell_value(value) for name, value in values.items()}


def _spell_value(value: object) -> str:
    """Return the text of a setting, spelled as in YAML."""
    if isinstance(value, list | tuple):
        return ", ".join(value) or "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spell_condition(texts: Sequence[str] | None) -> str:
    """Return the text of a condition of ``manages``; a tag may hold commas, so it is quoted."""
    return "any" if texts is None else json.dumps(texts, ensure_ascii=False)


def _has_name(pair: TrackerPair, names: Collection[str]) -> bool:
    return any(tracker is not None and tracker.name in names for tracker in pair)


class Run(Struct, frozen=True):
    """One comparison of two opened sides.

    Attributes:
        old: the old side.
        new: the new side.
        options: the options of the command line.
        environ: the environment variables.
        console: prints warnings and steps.
    """

    # Several threads share the record, so it must not change.

    old: State
    new: State
    options: Options
    environ: Mapping[str, str]
    console: Console
    tree: WorkingTree

    @property
    def states(self) -> tuple[State, State]:
        """Both sides."""
        return self.old, self.new

    @property
    def picture_hosts(self) -> tuple[str, ...]:
        """The hosts from which a page may load pictures."""
        if self.options.no_pictures or "html" not in self.options.formats:
            return ()
        return self.old.settings.pictures

    @property
    def export_name(self) -> str | None:
        """The name of the side that is a JSON export; None without such a side."""
        for state in self.states:
            if state.source.kind == "export":
                return state.source.text
        return None

    @property
    def live_index(self) -> int | None:
        """The index of the side that is the shop; None unless git has exactly the other side."""
        in_files = [state.in_files for state in self.states]
        return None if in_files[0] == in_files[1] else in_files.index(False)

    def check_fail_on(self) -> None:
        """Refuse ``--fail-on shop`` unless the shop is compared with git.

        Raises:
            UsageError: no side is the shop, or git has none.
        """
        if self.options.fail_on == "shop" and self.live_index is None:
            message = "--fail-on shop compares the shop with git, so it needs a side of each"
            hint = "name @live or a JSON export, and @worktree, @index or a revision"
            raise UsageError(message, hint=hint)

    def choose_trackers(self) -> list[TrackerPair]:
        """Return the trackers to compare.

        Raises:
            UsageError: no tracker has the name, or a JSON export doesn't name its tracker.
            ConfigError: the live side has no tracker.
        """
        for state in self.states:
            if state.source.kind == "live":
                # Called for its error alone: the live side needs a tracker.
                state.settings.select(())
        pairs = list(pair_trackers(self.old.trackers, self.new.trackers))
        known = {tracker.name for tracker in chain.from_iterable(pairs) if tracker}
        config.check_trackers(self.options.names, known)
        wanted = self.options.names or known
        chosen = [pair for pair in pairs if _has_name(pair, wanted)]
        if self.export_name is not None and len(chosen) > 1:
            message = (
                f"{self.export_name} is the export of one tracker, but doesn't name the tracker"
            )
            hint = f"choose one with --tracker: {', '.join(sorted(known))}"
            raise UsageError(message, hint=hint)
        return [self._complete_pair(pair) for pair in chosen]

    def _complete_pair(self, pair: TrackerPair) -> TrackerPair:
        """Return a pair with the flags of the command line."""
        old, new = pair
        # A JSON export knows no tracker. It is compared with the tracker of the other side.
        if self.old.source.kind == "export":
            old = old or new
        if self.new.source.kind == "export":
            new = new or old
        flags = self.options.flags
        return old and override_flags(old, *flags), new and override_flags(new, *flags)

    def compare(self, pair: TrackerPair) -> Comparison:
        """Compare one tracker; an error becomes part of the result."""
        tracker = get_tracker(pair)
        notes = tuple(self._describe_missing_tracker(pair))
        drift = TrackerDrift(tracker.name, tracker.tracker_id, notes=notes)
        try:
            return self._compare_contents(drift, pair)
        except PinsyncError as error:
            file = self._find_unreadable_file(error, pair)
            return Comparison(replace(drift, error=error, file=file))

    def _find_unreadable_file(self, error: PinsyncError, pair: TrackerPair) -> str | None:
        """Return the path of the document of an error; None if the error is about another file."""
        if not isinstance(error, FileError):
            return None
        for state, tracker in zip(self.states, pair, strict=True):
            path = PurePosixPath(error.source.removeprefix(state.source.prefix))
            if tracker and state.in_files and path.parent == state.find_folder(tracker):
                return str(path)
        return None

    def _describe_missing_tracker(self, pair: TrackerPair) -> Iterator[str]:
        for state, tracker, verb in zip(self.states, pair, ("added", "removed"), strict=True):
            if tracker is None:
                yield f"{state.source.text} knows no such tracker: everything is {verb}"

    def _compare_contents(self, drift: TrackerDrift, pair: TrackerPair) -> Comparison:
        old, new = self._read_contents(pair)
        scope = self._choose_scope(pair)
        scope = resolve_ids(scope, [*old.snapshot.customizations, *new.snapshot.customizations])
        self.console.step(f"{drift.name}: comparing {old.size} with {new.size} customizations")
        changes, unchanged = _compare(old, new, scope)
        # A patch holds the whole text of a file, and the hint of a filter that matches nothing
        # names the nearest value of any rule.
        if old.equal and ((changes and "patch" in self.options.formats) or not unchanged):
            old, new = self._read_contents(pair, whole=True)
            changes, unchanged = _compare(old, new, scope)
        old_items, new_items = old.snapshot.customizations, new.snapshot.customizations
        warnings = [*old.snapshot.warnings, *new.snapshot.warnings]
        if self.export_name is not None and are_ids_disjoint(old_items, new_items):
            warnings.append(
                "the two sides have no id in common; is it the export of another tracker?"
            )
        changes = self._add_causes(changes, pair, (old, new))
        # A title may stand in a rule that wasn't read, since it is equal on both sides.
        items = collect_shown_items(changes)
        titled = new.find_targeting(items, self.old.settings.ignore)
        texts: Sequence[FileTexts] = ()
        if "patch" in self.options.formats:
            # Imported for patches alone, with the merge of documents.
            from pinsync.sync.texts import build_texts  # noqa: PLC0415

            texts = tuple(build_texts(changes, old, new, self._choose_folder(pair)))
        titles = self._read_titles(pair) if changes else Titles({})
        names = find_titles(items, [*new_items, *titled], old_items)
        drift = replace(
            drift,
            changes=tuple(_add_places(changes, old, new)),
            unchanged=unchanged,
            names=titles.add_to(names, items),
            images=titles.choose_images(items, self.picture_hosts),
            notes=(*drift.notes, *filter(None, [titles.note])),
            texts=tuple(texts),
        )
        date = new.snapshot.date or old.snapshot.date
        known = () if self.options.scope == EVERYTHING else (*old_items, *new_items)
        return Comparison(drift, tuple(warnings), date, known, (old, new))

    def _choose_scope(self, pair: TrackerPair) -> Scope:
        """Return the filters within the rules that the old side manages."""
        # By the old side, so that a branch can't hide its own changes. A tracker that the old side
        # doesn't know is new, with all its rules.
        old, _ = pair
        return self.options.scope.restrict_to(old.manages) if old else self.options.scope

    def add_movers(
        self, found: Sequence[Comparison], trackers: Sequence[TrackerPair]
    ) -> list[TrackerDrift]:
        """Return the drifts, with the mover of each change if git and the shop are compared."""
        drifts = [comparison.drift for comparison in found]
        side = self.live_index
        if side is None or not any(map(_has_edits, drifts)):
            return drifts
        # Imported here, since a shop in sync needs no history, which takes a tenth of the start.
        from pinsync.history.configurations import HistoryContext  # noqa: PLC0415
        from pinsync.history.mover_search import GitSide, Question, add_movers  # noqa: PLC0415

        questions: dict[int, Question] = {}
        for at, (comparison, pair) in enumerate(zip(found, trackers, strict=True)):
            if comparison.contents and _has_edits(comparison.drift):
                git, live = comparison.contents[1 - side], comparison.contents[side]
                tracker = pair[side] or get_tracker(pair)
                questions[at] = Question(
                    drift=comparison.drift,
                    tracker=pair[1 - side],
                    tracker_id=tracker.tracker_id,
                    git=git.snapshot.customizations,
                    documents=tuple(git.documents.values()),
                    prefix=git.prefix,
                    live=live.snapshot.customizations,
                    live_is_new=bool(side),
                )
        state = self.states[1 - side]
        now = int(self.options.now.timestamp())
        shop_trackers = self.states[side].trackers
        git_side = GitSide(
            state.source, self.old.settings.ignore, state.trackers, shop_trackers, now
        )
        context = None
        if self.tree.repository:
            self.console.step(f"looking through the history of {state.source.text} for who moved")
            context = HistoryContext(self.tree.settings, self.tree.repository, self.environ)
        answers = add_movers(list(questions.values()), git_side, context)
        for at, drift in zip(questions, answers, strict=True):
            drifts[at] = drift
        return drifts

    def _read_titles(self, pair: TrackerPair) -> Titles:
        """Return the titles in ``items.json`` of the new side, else of the old side.

        A side without files has the titles of the other side, else of the working tree.
        """
        places: list[tuple[FilePlace, str | None]] = []
        for state, tracker in ((self.new, pair[1]), (self.old, pair[0])):
            place = find_place(state, self.tree)
            if place and tracker:
                places.append((place, state.settings.choose_subfolder(tracker.name)))
        if not (self.old.in_files and self.new.in_files):
            name = get_tracker(pair).name
            places.append((self.tree, self.tree.settings.choose_subfolder(name)))
        return read_titles(places)

    def _choose_folder(self, pair: TrackerPair) -> PurePosixPath:
        """Return the folder of a tracker's new files, by the new side if it knows the tracker."""
        for state, tracker in ((self.new, pair[1]), (self.old, pair[0])):
            if tracker:
                return state.find_folder(tracker)
        return PurePosixPath()

    def _read_contents(self, pair: TrackerPair, *, whole: bool = False) -> tuple[Content, Content]:
        """Read both sides; read them again without filters if a filtered answer is inconclusive.

        Args:
            pair: the tracker on both sides.
            whole: whether to read blocks that are equal in the files of both sides, too.
        """
        scope = self._choose_scope(pair)
        by_model = Scope(model=scope.model, managed=Managed(models=scope.managed.models))
        # Only the model of a rule is known without reading its block.
        whole = whole or scope != by_model
        for state, tracker in zip(self.states, pair, strict=True):
            if tracker:
                self.console.step(f"{tracker.name}: {state.describe_reading(tracker)}")
        sent = scope.for_api
        old, new = read_contents(*self.states, pair, sent, self.environ, self.console, whole=whole)
        if sent == EVERYTHING:
            return old, new
        if self.old.source.kind == "live":
            live, other = old, new
        elif self.new.source.kind == "live":
            live, other = new, old
        else:
            return old, new
        items = other.snapshot.customizations, live.snapshot.customizations
        if not is_filter_inconclusive(*items, scope):
            return old, new
        name = get_tracker(pair).name
        self.console.step(f"{name}: the filtered answer is inconclusive; fetching all")
        return read_contents(*self.states, pair, EVERYTHING, self.environ, self.console)

    def _add_causes(
        self, changes: list[Change], pair: TrackerPair, contents: tuple[Content, Content]
    ) -> list[Change]:
        """Return the changes with the cause of each pin that a live side lacks."""
        for state, tracker, content in zip(self.states, pair, contents, strict=True):
            if state.source.kind != "live" or tracker is None:
                continue
            is_new = state is self.new
            omissions = Omissions(content.snapshot.date if tracker.remove_expired_pins else None)
            changes = add_causes(changes, omissions, live_is_new=is_new)
            # A second answer takes time, so the tracker is asked only for pins without a cause.
            if tracker.remove_nonexisting_item_pins and has_unexplained_pins(
                changes, live_is_new=is_new
            ):
                unfiltered = self._fetch_unfiltered(tracker, state.settings)
                omissions = replace(omissions, unfiltered=unfiltered)
                changes = add_causes(changes, omissions, live_is_new=is_new)
        return changes

    def _fetch_unfiltered(self, tracker: Tracker, settings: Settings) -> dict[str, Customization]:
        """Fetch all customizations, with pins of items outside the catalog; return them by id."""
        self.console.step(
            f"{tracker.name}: pins are missing; fetching also the pins of items that aren't in "
            f"the catalog"
        )
        tracker = replace(tracker, remove_nonexisting_item_pins=False)
        # As in `read_contents`: both sides are read without the fields that the old side ignores.
        settings = replace(settings, ignore=self.old.settings.ignore)
        answer = fetch_live(tracker, settings, EVERYTHING, self.environ, self.console)
        return {item.id: item for item in answer.customizations if item.id}

    def print_warnings(self, found: Sequence[Comparison]) -> None:
        """Print the warnings of each tracker, and those about commands in a patch on stdout."""
        for comparison in found:
            for warning in comparison.warnings:
                self.console.warn(f"{comparison.drift.name}: {warning}")
            # A CI runner obeys commands in its log. A patch must keep every byte, so it can only
            # warn.
            if self.options.format == "patch":
                describe_commands = load_drift("patch").describe_commands
                for warning in filter(None, map(describe_commands, comparison.drift.texts)):
                    self.console.warn(warning)

    def check_scope(self, found: Sequence[Comparison]) -> None:
        """Refuse a scope that no customization is in, because its values are probably mistyped.

        Raises:
            UsageError: no customization is in the scope, or an id is unclear.
        """
        if self.options.scope == EVERYTHING:
            return
        known = list(chain.from_iterable(comparison.known for comparison in found))
        is_complete = not any(comparison.drift.error for comparison in found)
        check_ids(self.options.scope, known, is_complete=is_complete)
        for comparison in found:
            drift = comparison.drift
            # A tracker that failed might have had a match.
            if drift.changes or drift.unchanged or drift.error:
                return
        raise build_no_match_error(self.options.scope, known)


def _compare(old: Content, new: Content, scope: Scope) -> tuple[list[Change], int]:
    """Return the changes, and the number of customizations in the scope that are equal."""
    sides = old.snapshot.customizations, new.snapshot.customizations
    changes, unchanged = compare_customizations(*sides, scope)
    return changes, unchanged + new.count_equal(scope)


def _has_edits(drift: TrackerDrift) -> bool:
    """Whether somebody made a change, rather than the API as it was asked to."""
    return any(change.cause == "edited" for change in drift.changes)


def _add_shoppers(drift: TrackerDrift, at: str) -> TrackerDrift:
    return replace(drift, changes=tuple(add_shoppers(drift.changes, at)))


def build_side(state: State, fetched_at: datetime | None) -> Side:
    """Return a side of a report.

    Args:
        state: the state.
        fetched_at: the moment of the API's answer.
    """
    if state.source.kind != "live":
        fetched_at = None
    is_export = state.source.kind == "export"
    return Side(state.source.text, state.source.revision, fetched_at, is_export)


def _add_places(changes: Sequence[Change], old: Content, new: Content) -> Iterator[Change]:
    """Yield the changes with their places, on the old side if it is read from files."""
    old_blocks, new_blocks = list_blocks(old.documents), list_blocks(new.documents)
    for change in changes:
        place = _find_place(change.pair.old_index, old_blocks, old)
        place = place or _find_place(change.pair.new_index, new_blocks, new)
        yield replace(change, place=place)


def _find_place(index: int | None, blocks: Sequence[Block], side: Content) -> Place | None:
    """Return the place of a customization; None if the side lacks it or isn't read from files."""
    if index is None or not blocks:
        return None
    block = blocks[index]
    document = side.documents[block.customization.model]
    return Place(document.source.removeprefix(side.prefix), block.line)
