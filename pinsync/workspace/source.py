"""How a command line names a state: a word such as @live, a revision, a range, or a saved export."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pinsync.errors import FileError, RepositoryError, UsageError, suggest
from pinsync.layout import is_document
from pinsync.model import STANDARD_INPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pinsync.repository import Repository

PLACES: Final = {"worktree": "the working tree", "index": "the index"}


Kind = Literal["live", "worktree", "index", "export", "revision", "nothing"]
_WORDS: Final[dict[str, Kind]] = {"@live": "live", "@worktree": "worktree", "@index": "index"}
_DOTS: Final = re.compile(r"(?P<old>.*?)(?P<dots>\.{2,3})(?P<new>[^./].*|)")
_HASH: Final = "[0-9a-f]{40}|[0-9a-f]{64}"
# HEAD, a full hash and a full reference are revisions even where a file has that name: a committed
# file must not stop `pinsync diff HEAD`, and an ambiguous word needs a spelling that always works.
_REVISION: Final = re.compile(rf"(?:@|(?:HEAD|{_HASH})@?)(?:[~^{{].*)?|refs/.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a side is read from.

    Attributes:
        kind: what it is; ``nothing`` is a repository's HEAD before the first commit.
        text: as the user spelled it.
        path: of a JSON export in a file.
        content: of a JSON export from standard input.
        revision: the full hash, of a git revision.
        place: how messages name it, where it isn't what ``text`` names: the commit from which two branches part.
        warnings: what git warned of when it looked the revision up.
    """

    kind: Kind
    text: str
    path: Path | None = None
    content: bytes = field(default=b"", repr=False)
    revision: str | None = None
    place: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.place or self.text

    @property
    def prefix(self) -> str:
        """What stands before a path in messages, as git spells it: ``HEAD:``; nothing for the working tree."""
        return "" if self.kind == "worktree" else f"{self.name}:"


def parse_sources(
    arguments: Sequence[str],
    repository: Repository | None,
    folder: Path,
    advice: Callable[[str], str | None] = lambda _text: None,
    stdin: bytes = b"",
) -> tuple[Source, Source]:
    """Return the two sources that a command line names.

    Args:
        arguments: none, FROM, FROM and TO, ``A..B``, or ``A...B`` (from the merge base).
        repository: what revisions are looked up in.
        folder: what paths are relative to.
        advice: is asked what to say of a text that names no revision here.
        stdin: the JSON export that ``-`` stands for.

    Raises:
        UsageError: they are the same, or a word could be a file and a revision or range.
        RepositoryError: a revision doesn't exist here.
        FileError: a JSON export doesn't exist.
    """
    words = _Words(repository, folder, advice, stdin)
    given = [*arguments, *("HEAD", "@live")[len(arguments) :]]
    found = words.range(arguments[0]) if len(arguments) == 1 else None
    if found:
        given = [found["old"] or "HEAD", found["new"] or "HEAD"]
    from_merge_base = found is not None and found["dots"] == "..."
    read = words.revision if from_merge_base else words.source  # a file has no merge base
    left, right = (read(text) for text in given)
    if left.text == right.text or (left.path and right.path and left.path.samefile(right.path)):
        hint = "name two sources, as in pinsync diff HEAD @live"
        raise UsageError(f"{left.text} is compared with itself", hint=hint)
    if from_merge_base:
        left = _merge_base(left, right, repository)
    return left, right


def _merge_base(left: Source, right: Source, repository: Repository | None) -> Source:
    names = left.text, right.text
    # By hash: git could read a name as an option, or as another reference than before.
    commits = str(left.revision), str(right.revision)
    base = require_repository(repository, left.text).merge_base(*commits, names)
    shown = left.text if base == left.revision else f"the merge base of {names[0]} and {names[1]}"
    return Source("revision", shown, revision=base, place=base[:12], warnings=left.warnings)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for one
        return False


def parse_word(text: str, words: Collection[str], otherwise: str) -> Source | None:
    """Return the source that a word such as ``@index`` stands for; None for a text that is none.

    Args:
        text: as the user spelled it.
        words: those that are expected.
        otherwise: what else is.

    Raises:
        UsageError: it looks like one, but isn't expected.
    """
    if text in words:
        return Source(_WORDS[text], text)
    if re.match(r"@[A-Za-z]", text):
        hint = suggest(text, words)
        raise UsageError(f"{text} is no source; expected {', '.join(words)}, {otherwise}", hint=hint)
    return None


def parse_revision(text: str, repository: Repository | None) -> Source:
    """Return the source that a git revision is; before the first commit HEAD is nothing.

    Raises:
        RepositoryError: there is no such revision, or no repository.
    """
    warnings: list[str] = []
    try:
        commit = require_repository(repository, text).resolve(text, warnings.append)
        return Source("revision", text, revision=commit, warnings=tuple(warnings))
    except RepositoryError:
        if text == "HEAD" and repository and repository.head() is None:
            return Source("nothing", text)
        raise


def require_repository(repository: Repository | None, text: str) -> Repository:
    """Return the repository that a source needs.

    Raises:
        RepositoryError: there is none.
    """
    if repository is None:
        hint = "make one with `git init`; without git there are @worktree, @live and JSON exports"
        raise RepositoryError(f"{text} is looked for in git, but this is not a git repository", hint=hint)
    return repository


@dataclass(frozen=True, slots=True)
class _Words:
    """Finds the source that a word of the command line names; its fields are as in `parse_sources`."""

    repository: Repository | None
    folder: Path
    advice: Callable[[str], str | None]
    stdin: bytes

    def source(self, text: str) -> Source:
        """Return the source that a single word names; raises what `parse_sources` does."""
        if text == STANDARD_INPUT:
            return Source("export", text, content=self.stdin)
        if found := parse_word(text, _WORDS, "a JSON export or a revision"):
            return found
        if not self.names_file(text):
            return self.revision(text)
        path = self.folder / text
        if is_document(path.name):
            hint = "to compare the files as they are, name @worktree"
            raise FileError("is a document, expected a JSON export", source=text, hint=hint)
        return Source("export", text, path=path)

    def range(self, text: str) -> re.Match[str] | None:
        """Return the ends and the dots of a range; None for a word that is none.

        Raises:
            UsageError: the word names a file too.
        """
        found = _DOTS.fullmatch(text)
        return None if found is None or self.names_file(text) else found

    def revision(self, text: str) -> Source:
        """Return the commit that a word names, without a look for a file of that name.

        Raises:
            RepositoryError: there is no such revision.
            FileError: the word ends in ``.json``, and there is no such file either.
        """
        exists = _is_file(self.folder / text)
        if text.endswith(".json") and not exists and self._full_name(text) is None:
            remedy = "save one with the API's export, or name a revision"
            raise FileError("there is no such file", source=text, hint=remedy)
        try:
            return parse_revision(text, self.repository)
        except RepositoryError as error:
            hint = error.hint
            if f"@{text}" in _WORDS:
                hint = f"did you mean @{text}?"
            elif exists and _REVISION.fullmatch(text):
                hint = f"write {shlex.quote(f'./{text}')} for the file"
            raise RepositoryError(error.message, hint=self.advice(text) or hint) from error

    def names_file(self, text: str) -> bool:
        """Return whether a word names a file.

        Raises:
            UsageError: it could be a revision or a range too.
        """
        if not _is_file(self.folder / text):
            return False
        if text.startswith(("./", "../")) or Path(text).is_absolute():
            return True
        found = _DOTS.fullmatch(text)
        words = [found["old"], found["new"]] if found else [text]
        names = [self._full_name(name) if name else "" for name in words]
        if any(words) and not any(names) and not (self.repository and self.repository.reads(text)):
            return True
        if names == words:
            return False
        kind = "range" if found else "revision"
        hint = f"write {shlex.quote(f'./{text}')} for the file"
        known = [name for name in names if name is not None]
        if len(known) == len(words):  # else git lacks an end, as in a shallow clone
            full = (found["dots"] if found else "").join(known)
            hint += f", or {shlex.quote(full)} for the {kind}"
        raise UsageError(f"{text} could be a file and a {kind}", hint=hint)

    def _full_name(self, text: str) -> str | None:
        """Return a spelling that can't be a file's name; None for a word that is no revision."""
        if text in _WORDS or _REVISION.fullmatch(text):
            return text
        return self.repository.full_name(text) if self.repository else None
