"""``pinsync items``: write titles and images of the items that documents mention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.commands.lookup import MAX_PAGES, Lookup, Mentioned
from pinsync.errors import PinsyncError, pick_gravest
from pinsync.escape import one_line
from pinsync.items.mentioned import collect_mentioned
from pinsync.reports.words.outcome import list_item_notes, summarize_items
from pinsync.sync.basis import list_customizations
from pinsync.workspace.leftovers import find_warnings
from pinsync.workspace.paths import relative_to_cwd
from pinsync.workspace.read import parse_documents
from pinsync.workspace.store import explain_interrupts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Tracker
    from pinsync.sync.items import ItemsUpdate
    from pinsync.terminal.console import Console
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        names: the names of the trackers; all trackers if empty.
        check: only print the files that would change.
        max_pages: the number of pages after which the search in a catalog ends.
        force: overwrite uncommitted work.
    """

    names: Sequence[str] = ()
    check: bool = False
    max_pages: int = MAX_PAGES
    force: bool = False


def items(workspace: Workspace, options: Options, console: Console) -> int:
    """Write the items that the documents of the working tree mention, one file for each tracker.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: prints the result.

    Returns:
        0; with ``check`` 1 if a file would change; the gravest exit code if a tracker failed.

    Raises:
        PinsyncError: an error that stops all trackers. An error of one tracker is printed, and the
            other trackers continue.
    """
    tree = workspace.tree
    for warning in find_warnings(tree, tree.settings, tree):
        console.warn(warning)
    run = _Run(workspace, options, console)
    updates = run.plan(tree.settings.select(options.names))
    if options.check:
        run.check(updates)
    else:
        run.write(updates)
    return pick_gravest(run.codes)


class _Run:
    """One run. An error of a tracker is printed at once, and its exit code kept."""

    def __init__(self, workspace: Workspace, options: Options, console: Console) -> None:
        self._tree: WorkingTree = workspace.tree
        self._environ = workspace.environ
        self._options = options
        self._console = console
        self.codes: list[int] = []

    def plan(self, trackers: Sequence[Tracker]) -> list[ItemsUpdate]:
        """Return the updates of the trackers without an error."""
        mentioned: list[Mentioned] = []
        for tracker in trackers:
            try:
                mentioned.append(self._read_mentioned(tracker))
            except PinsyncError as error:
                self._fail(error)
        lookup = Lookup(
            self._tree,
            self._tree.settings,
            self._environ,
            self._console,
            self._options.max_pages,
        )
        updates: list[ItemsUpdate] = []
        for update in lookup.plan_updates(mentioned):
            if isinstance(update, PinsyncError):
                self._fail(update)
            else:
                updates.append(update)
        return updates

    def _fail(self, error: PinsyncError) -> None:
        self.codes.append(self._console.fail(error))

    def _read_mentioned(self, tracker: Tracker) -> Mentioned:
        settings = self._tree.settings
        files = self._tree.read_documents(settings.choose_subfolder(tracker.name))
        documents = parse_documents(files, (), settings.ignore)
        return Mentioned(tracker, collect_mentioned(list_customizations(documents)))

    def check(self, updates: Sequence[ItemsUpdate]) -> None:
        """Print the files that would change."""
        for update in updates:
            if update.text is not None:
                self._console.print_name(self._show_path(update))
            self._announce(update, would="would be ")
            self.codes.append(0 if update.text is None else 1)

    def _announce(self, update: ItemsUpdate, *, would: str = "") -> None:
        self._console.say(summarize_items(update, self._show_path(update), would=would))
        for note in list_item_notes(update):
            self._console.say(f"note: {note}")

    def _show_path(self, update: ItemsUpdate) -> str:
        return one_line(relative_to_cwd(str(update.path), self._tree.store.root))

    def write(self, updates: Sequence[ItemsUpdate]) -> None:
        """Write the files, once all of them are checked."""
        tree = self._tree
        changed = [update for update in updates if update.text is not None]
        try:
            if tree.repository and changed:
                tree.repository.check_index(tree.directory)
            written = self._write_files(changed) if changed else []
            if tree.repository:
                tree.repository.clear_skip_worktree([update.path for update in written])
        except PinsyncError as error:
            self._fail(error)
            return
        for update in updates:
            if update.text is None or update in written:
                self._announce(update)

    def _write_files(self, updates: Sequence[ItemsUpdate]) -> list[ItemsUpdate]:
        """Write the files; return the updates without an error."""
        # Before the lock: other writers must not wait for git.
        staged: dict[PurePosixPath, dict[PurePosixPath, bytes]] = {}
        for update in updates:
            try:
                unsaved = self._tree.find_unsaved(
                    [update.path], force=self._options.force, writer="items"
                )
            except PinsyncError as error:
                self._fail(error)
                continue
            staged[update.path] = {
                item.path: item.staged for item in unsaved if item.staged is not None
            }
        ready = [update for update in updates if update.path in staged]
        with explain_interrupts(), self._tree.store.lock():
            return [update for update in ready if self._write_file(update, staged[update.path])]

    def _write_file(self, update: ItemsUpdate, staged: Mapping[PurePosixPath, bytes]) -> bool:
        """Write the file of a tracker; return False if an error was printed."""
        before = {} if update.on_disk is None else {update.path: update.on_disk}
        try:
            self._tree.store.write({update.path: update.text}, before, staged)
        except PinsyncError as error:
            self._fail(error)
            return False
        return True
