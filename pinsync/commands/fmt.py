"""``pinsync fmt``: documents in canonical form, their comments kept."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinsync import config
from pinsync.commands import Console, gravest
from pinsync.commands.paths import chosen, current_folder, here, seen
from pinsync.commands.places import working_tree
from pinsync.compare.drift import Texts
from pinsync.document.form import formatted
from pinsync.errors import FileError, defused, one_line, printable
from pinsync.reports import patch
from pinsync.store import Store, writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from pinsync.commands.paths import Chosen

STANDARD_INPUT = "-"
"""How the command line, and every message, names standard input."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        paths: files and folders; all documents if empty.
        names: the trackers, instead of paths; all if empty.
        check: only name the files that would change.
        diff: only show what would change.
        terminal: whether a person is shown it, invisible characters escaped; otherwise git can apply it.
    """

    paths: Sequence[str] = ()
    names: Sequence[str] = ()
    check: bool = False
    diff: bool = False
    terminal: bool = False

    @property
    def writes(self) -> bool:
        """Whether files are changed."""
        return not (self.check or self.diff)


def fmt(config_file: Path | None, options: Options, environ: Mapping[str, str], console: Console) -> int:
    """Bring documents into canonical form.

    Args:
        config_file: the configuration; None to look for it.
        options: what the command line says.
        environ: the environment variables.
        console: where to speak.

    Returns:
        0; with ``check`` or ``diff`` 1 if a file would change; 2 if one is at fault, while the others are done.

    Raises:
        PinsyncError: what stops all files alike.
    """
    tree = working_tree(config.load(config_file, start=current_folder(), environ=environ))
    settings, store = tree.settings, tree.store
    done: Counter[bool] = Counter()
    with store.lock() if options.writes else nullcontext():
        found = chosen(options.paths, options.names, settings, store)
        codes = [console.fail(error) for error in found.errors]
        with writing() if options.writes else nullcontext():
            for path in found.paths:
                try:
                    done[_changed(path, store, options, console)] += 1
                except FileError as error:
                    codes.append(console.fail(seen(error, store.root)))
    if found.unread:
        console.warn(_unread(found, store))
    if not found.paths and not codes:
        console.warn(f"there are no documents in {', '.join(options.paths) or here(str(store.directory), store.root)}")
    elif done:
        console.say(_summary(done, options))
    return gravest([*codes, int(bool(done[True]) and not options.writes)])


def _unread(found: Chosen, store: Store) -> str:
    """Return the line on the files that no tracker reads: what was only found among the documents is left as it is."""
    first, *more = found.unread
    others = f", and {len(more)} more" if more else ""
    expected = here(str(found.expected / first.name), store.root)
    return f"no tracker reads {here(str(first), store.root)}{others}; expected {expected}: see pinsync lint"


def _changed(path: PurePosixPath, store: Store, options: Options, console: Console) -> bool:
    """Format one file, or show what that would change; return whether there is anything."""
    old = store.read(path)
    if old is None:
        raise FileError("is gone", source=str(path))
    new = formatted(old, str(path))
    if new == old:
        return False
    if options.writes:
        store.reshape(path, old, new)
        console.step(f"reformatted {one_line(here(str(path), store.root))}")
    elif options.diff:
        _show(Texts(str(path), old, new), options, console)
    else:
        console.name(here(str(path), store.root))
    return True


def _summary(done: Counter[bool], options: Options) -> str:
    """Return the line that a person reads, in ruff's words."""
    changed, same = (
        ("reformatted", "left unchanged") if options.writes else ("would be reformatted", "already formatted")
    )
    counts = [(done[True], changed), (done[False], same)]
    parts = [f"{count} {'file' if count == 1 else 'files'} {what}" for count, what in counts if count]
    return ", ".join(parts)


def fmt_input(text: bytes, options: Options, console: Console) -> int:
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
    new = formatted(text, STANDARD_INPUT)
    if options.writes:
        console.out(new)
        return 0
    if options.diff:
        _show(Texts(STANDARD_INPUT, text, new), options, console)
    elif new != text:
        console.out(STANDARD_INPUT)
    return int(new != text)


def _show(texts: Texts, options: Options, console: Console) -> None:
    """Show what would change; a difference names its file, so that the name needs no line of its own."""
    part = patch.part(texts)
    if options.terminal:
        console.out(defused(printable(part.decode().removesuffix("\n"))))
        return
    if warning := patch.describe_commands(texts):
        console.warn(warning)
    console.out(patch.fenced(part))
