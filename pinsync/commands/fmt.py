"""``pinsync fmt``: documents in canonical form, their comments kept."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from pinsync import config
from pinsync.commands import Console, gravest
from pinsync.commands.paths import chosen
from pinsync.commands.places import working_tree
from pinsync.document.form import formatted
from pinsync.errors import FileError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.store import Store

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
    """

    paths: Sequence[str] = ()
    names: Sequence[str] = ()
    check: bool = False
    diff: bool = False

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
    settings = config.load(config_file, start=Path.cwd(), environ=environ)
    store = working_tree(settings).store
    done: Counter[bool] = Counter()
    with store.lock() if options.writes else contextlib.nullcontext():
        found = chosen(options.paths, options.names, settings, store)
        codes = [console.fail(error) for error in found.errors]
        for path in found.paths:
            try:
                done[_changed(path, store, options, console)] += 1
            except FileError as error:
                codes.append(console.fail(error))
    if not found.paths and not codes:
        console.warn(f"there are no documents in {', '.join(options.paths) or store.directory}")
    elif done:
        console.say(_summary(done, options))
    return gravest([*codes, int(bool(done[True]) and not options.writes)])


def _changed(path: PurePosixPath, store: Store, options: Options, console: Console) -> bool:
    """Format one file, or show what that would change; return whether there is anything."""
    old = store.read(path)
    if old is None:
        raise FileError("is gone", source=printable(str(path)))
    new = formatted(old, str(path))
    if new == old:
        return False
    if options.writes:
        store.reshape(path, new)
        console.step(f"reformatted {path}")
    else:
        _show(str(path), old, new, options, console)
    return True


def _summary(done: Counter[bool], options: Options) -> str:
    """Return the line that a person reads, in ruff's words."""
    changed, same = (
        ("reformatted", "left unchanged") if options.writes else ("would be reformatted", "already formatted")
    )
    counts = [(done[True], changed), (done[False], same)]
    parts = [f"{count} {'file' if count == 1 else 'files'} {what}" for count, what in counts if count]
    return ", ".join(parts)


def fmt_input(text: bytes, options: Options, console: Console, write: Callable[[bytes], None]) -> int:
    """Bring one document into canonical form.

    Args:
        text: the document, of any model.
        options: what the command line says; ``paths`` and ``names`` don't count.
        console: where to speak.
        write: takes the result, unless ``options`` only ask what would change.

    Returns:
        0; with ``check`` or ``diff`` 1 if the text would change.

    Raises:
        FileError: the text isn't a document.
    """
    new = formatted(text, STANDARD_INPUT)
    if options.writes:
        write(new)
        return 0
    if new != text:
        _show(STANDARD_INPUT, text, new, options, console)
    return int(new != text)


def _show(name: str, old: bytes, new: bytes, options: Options, console: Console) -> None:
    """Show what would change; a difference names its file, so that the name needs no line of its own."""
    if not options.diff:
        console.out(printable(name))
        return
    for line in unified_diff(_lines(old), _lines(new), name, name, lineterm=""):
        console.out(printable(line))


def _lines(text: bytes) -> list[str]:
    *lines, rest = text.decode().split("\n")
    return [*lines, f"{rest}\n\\ No newline at end of file"] if rest else lines
