"""``pinsync fmt``: documents in canonical form, their comments kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pinsync.document.form import format_document
from pinsync.drift.record import Texts
from pinsync.errors import FileError, pick_gravest
from pinsync.escape import defuse, one_line, printable
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
    from pinsync.workspace.paths import Chosen
    from pinsync.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        paths: files and folders; all documents if empty.
        names: the trackers, instead of paths; all if empty.
        check: only name the files that would change.
        diff: only show what would change.
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
    """The two texts of a file that isn't in canonical form: as it is, and formatted."""

    path: PurePosixPath
    old: bytes
    new: bytes


def fmt(workspace: Workspace, options: Options, console: Console) -> int:
    """Bring documents into canonical form.

    Every file is read and formatted before the first one is written. Only a run that has a file to
    write takes the lock, so that pinsync can run in a hook of its own commit.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        0; with ``check`` or ``diff`` 1 if a file would change; 2 if one is at fault, while the others are done.

    Raises:
        PinsyncError: what stops all files alike.
    """
    if STANDARD_INPUT in options.paths:
        return _format_input(read_standard_input(), options, console)
    tree = workspace.tree
    settings, store = tree.settings, tree.store
    found = choose_files(options.paths, options.names, settings, store)
    codes = [console.fail(error) for error in found.errors]
    changes: list[_Change] = []
    unchanged = 0
    for path in found.paths:
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
        failed = _rewrite(changes, store, console)
    else:
        failed = []
        _preview(changes, store, options, console)
    codes += failed
    changed = len(changes) - len(failed)
    if found.unread:
        console.warn(_unread(found, store))
    if found.misnamed:
        console.warn(describe_misnamed([relative_to_cwd(str(path), store.root) for path in found.misnamed]))
    if not found.paths and not codes:
        console.warn(describe_search(options.paths, options.names, settings, store))
    elif changed or unchanged:
        console.say(_summary(changed, unchanged, options))
    return pick_gravest([*codes, int(bool(changes) and not options.writes)])


def _unread(found: Chosen, store: Store) -> str:
    """Return the line on the files that no tracker reads: what was only found among the documents is left as it is."""
    first, *more = found.unread
    others = f", and {len(more)} more" if more else ""
    expected = relative_to_cwd(str(found.expected / first.name), store.root)
    return f"no tracker reads {relative_to_cwd(str(first), store.root)}{others}; expected {expected}: see pinsync lint"


def _format(path: PurePosixPath, store: Store) -> _Change | None:
    """Return the change that formatting makes to a file, None for a file in canonical form."""
    old = store.read(path)
    if old is None:
        raise FileError("is gone", source=str(path))
    new = format_document(old, str(path))
    return None if new == old else _Change(path, old, new)


def _rewrite(changes: Sequence[_Change], store: Store, console: Console) -> list[int]:
    """Write the changed files; return an exit code for each that can't be written.

    Raises:
        SafetyError: another process is writing, or somebody changed a file since it was read.
    """
    if not changes:
        return []
    failed = []
    with store.lock(), explain_interrupts():
        store.record_forms(changes)
        for change in changes:
            try:
                store.reshape(*change)
            except FileError as error:
                failed.append(console.fail(rebase_error(error, store.root)))
            else:
                console.step(f"reformatted {one_line(relative_to_cwd(str(change.path), store.root))}")
    return failed


def _preview(changes: Sequence[_Change], store: Store, options: Options, console: Console) -> None:
    """Show the changes, or with ``--check`` alone the names of the files."""
    for change in changes:
        if options.diff:
            _show(Texts(str(change.path), change.old, change.new), console)
        else:
            console.print_name(relative_to_cwd(str(change.path), store.root))


def _summary(changed: int, unchanged: int, options: Options) -> str:
    """Return the line that a person reads, in ruff's words."""
    changes, same = (
        ("reformatted", "left unchanged") if options.writes else ("would be reformatted", "already formatted")
    )
    counts = [(changed, changes), (unchanged, same)]
    parts = [f"{count} {'file' if count == 1 else 'files'} {what}" for count, what in counts if count]
    return ", ".join(parts)


def _format_input(text: bytes, options: Options, console: Console) -> int:
    """Bring one document into canonical form.

    Args:
        text: the document, of any model.
        options: what the command line says; ``paths`` and ``names`` don't count.
        console: where to speak.

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
        _show(Texts(STANDARD_INPUT, text, new), console)
    elif new != text:
        console.out(STANDARD_INPUT)
    return int(new != text)


def _show(texts: Texts, console: Console) -> None:
    """Show what would change; a difference names its file, so that the name needs no line of its own."""
    part = patch.render_part(texts)
    if is_terminal(sys.stdout):
        console.out(defuse(printable(part.decode().removesuffix("\n"))))
        return
    if warning := patch.describe_commands(texts):
        console.warn(warning)
    console.out(patch.fence(part))
