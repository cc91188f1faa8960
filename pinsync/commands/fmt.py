"""``pinsync fmt``: bring documents and ``items.json`` into canonical form; comments stay."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from pinsync import layout
from pinsync.document.form import format_document
from pinsync.drift.record import FileTexts
from pinsync.errors import FileError, pick_gravest
from pinsync.escape import defuse, one_line, printable
from pinsync.items.file import format_items
from pinsync.model import STANDARD_INPUT
from pinsync.reports.drift import patch
from pinsync.terminal.console import is_terminal, read_standard_input
from pinsync.workspace.leftovers import describe_misnamed
from pinsync.workspace.paths import choose_files, describe_search, rebase_error, relative_to_cwd
from pinsync.workspace.store import Store, explain_interrupts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from pinsync.terminal.console import Console
    from pinsync.workspace.paths import FileSelection
    from pinsync.workspace.workspace import Workspace


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        paths: files and folders; all documents if empty.
        names: the trackers, instead of paths; all if empty.
        check: print the names of the files that would change, and write nothing.
        diff: print the changes, and write nothing.
    """

    paths: Sequence[str] = ()
    names: Sequence[str] = ()
    check: bool = False
    diff: bool = False

    @property
    def writes(self) -> bool:
        """Whether files are changed."""
        return not (self.check or self.diff)


class _Change(NamedTuple):
    """The old and the formatted text of a file that isn't in canonical form."""

    path: PurePosixPath
    old: bytes
    new: bytes


def fmt(workspace: Workspace, options: Options, console: Console) -> int:
    """Bring documents into canonical form.

    All files are read and formatted before the first file is written.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: the output.

    Returns:
        0; 1 if a file would change, with ``check`` or ``diff``; 2 if a file is faulty. The other
        files are formatted even then.

    Raises:
        PinsyncError: an error that concerns all files.
    """
    if STANDARD_INPUT in options.paths:
        return _format_input(read_standard_input(), options, console)
    tree = workspace.tree
    settings, store = tree.settings, tree.store
    chosen = choose_files(options.paths, options.names, settings, store)
    codes = [console.fail(error) for error in chosen.errors]
    changes: list[_Change] = []
    unchanged = 0
    for path in (*chosen.paths, *chosen.items):
        try:
            change = _format(path, store)
        except FileError as error:
            codes.append(console.fail(rebase_error(error, store.root)))
            continue
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    if options.writes:
        failures = _rewrite(changes, store, console)
    else:
        failures = []
        _preview(changes, store, options, console)
    codes += failures
    changed = len(changes) - len(failures)
    if chosen.unread:
        console.warn(_describe_unread(chosen, store))
    if chosen.misnamed:
        names = [relative_to_cwd(str(path), store.root) for path in chosen.misnamed]
        console.warn(describe_misnamed(names))
    if not chosen.paths and not chosen.items and not codes:
        console.warn(describe_search(options.paths, options.names, settings, store))
    elif changed or unchanged:
        console.say(_summarize(changed, unchanged, options))
    return pick_gravest([*codes, int(bool(changes) and not options.writes)])


def _describe_unread(chosen: FileSelection, store: Store) -> str:
    """Return a warning of the documents that no tracker reads."""
    first, *more = chosen.unread
    others = f", and {len(more)} more" if more else ""
    name = relative_to_cwd(str(first), store.root)
    expected = relative_to_cwd(str(chosen.expected / first.name), store.root)
    return f"no tracker reads {name}{others}; expected {expected}: see pinsync lint"


def _format(path: PurePosixPath, store: Store) -> _Change | None:
    """Return the change of a file, or None if it is in canonical form."""
    old = store.read(path)
    if old is None:
        raise FileError("is gone", source=str(path))
    format_text = format_items if path.name == layout.ITEMS else format_document
    new = format_text(old, str(path))
    return None if new == old else _Change(path, old, new)


def _rewrite(changes: Sequence[_Change], store: Store, console: Console) -> list[int]:
    """Write the changed files; return an exit code for each file that can't be written.

    Raises:
        SafetyError: another process is writing, or somebody changed a file since it was read.
    """
    # Without changes no lock is needed, so that pinsync can run in a hook of its own commit.
    if not changes:
        return []
    codes = []
    with store.lock(), explain_interrupts():
        store.record_forms(changes)
        for change in changes:
            try:
                store.reshape(*change)
            except FileError as error:
                codes.append(console.fail(rebase_error(error, store.root)))
            else:
                name = one_line(relative_to_cwd(str(change.path), store.root))
                console.step(f"reformatted {name}")
    return codes


def _preview(changes: Sequence[_Change], store: Store, options: Options, console: Console) -> None:
    """Print the changes, or only the names of the files without ``--diff``."""
    for change in changes:
        if options.diff:
            _show(FileTexts(str(change.path), change.old, change.new), console)
        else:
            console.print_name(relative_to_cwd(str(change.path), store.root))


def _summarize(changed: int, unchanged: int, options: Options) -> str:
    # The words of ``ruff format``.
    if options.writes:
        counts = [(changed, "reformatted"), (unchanged, "left unchanged")]
    else:
        counts = [(changed, "would be reformatted"), (unchanged, "already formatted")]
    parts = []
    for count, verb in counts:
        if count:
            parts.append(f"{count} {'file' if count == 1 else 'files'} {verb}")
    return ", ".join(parts)


def _format_input(text: bytes, options: Options, console: Console) -> int:
    """Bring one document into canonical form.

    Args:
        text: the document, of any model.
        options: the options of the command line, except ``paths`` and ``names``.
        console: the output.

    Returns:
        0; with ``check`` or ``diff`` 1 if the text would change.

    Raises:
        FileError: the text isn't a document.
    """
    new = format_document(text, STANDARD_INPUT)
    if options.writes:
        console.out(new)
        return 0
    if options.diff:
        _show(FileTexts(STANDARD_INPUT, text, new), console)
    elif new != text:
        console.out(STANDARD_INPUT)
    return int(new != text)


def _show(texts: FileTexts, console: Console) -> None:
    """Print the change of a file as a patch, which names the file."""
    part = patch.render_part(texts)
    if is_terminal(sys.stdout):
        console.out(defuse(printable(part.decode().removesuffix("\n"))))
        return
    if warning := patch.describe_commands(texts):
        console.warn(warning)
    console.out(patch.fence(part))
