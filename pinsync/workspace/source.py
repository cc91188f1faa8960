"""The sources that a command line names: @live, a revision, a range, or a saved export."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

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
# HEAD, a full hash and a full reference are revisions even if a file has that name: a committed
# file must not stop `pinsync diff HEAD`, and an ambiguous word needs a spelling that always works.
_REVISION: Final = re.compile(rf"(?:@|(?:HEAD|{_HASH})@?)(?:[~^{{].*)?|refs/.*", re.DOTALL)


class Source(Struct, frozen=True):
    """The source of one side of a comparison.

    Attributes:
        kind: the kind of source; ``nothing`` is HEAD before the first commit.
        text: the user's spelling.
        path: the path of a JSON export in a file.
        content: the text of a JSON export from standard input.
        revision: the full hash of a git revision.
        place: the name in messages, if it isn't ``text``: the hash of a merge base.
        warnings: git's warnings about the revision.
        keeps_answer: whether the shop's snapshot keeps the answer of the API.
    """

    kind: Kind
    text: str
    path: Path | None = None
    content: bytes = b""
    revision: str | None = None
    place: str = ""
    warnings: tuple[str, ...] = ()
    keeps_answer: bool = False

    @property
    def name(self) -> str:
        """The name of the source in messages."""
        return self.place or self.text

    @property
    def prefix(self) -> str:
        """The prefix of paths in messages, such as ``HEAD:``; empty for the working tree."""
        # As in `git show HEAD:basket.yaml`; a file of the working tree is named as it is.
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
        repository: the repository of the revisions.
        folder: the folder that paths are relative to.
        advice: returns a hint for a text that names no revision.
        stdin: the JSON export on standard input, which ``-`` names.

    Raises:
        UsageError: both are the same, or a word could be a file and a revision or range.
        RepositoryError: a revision doesn't exist here.
        FileError: a JSON export doesn't exist.
    """
    parser = _Parser(repository, folder, advice, stdin)
    texts = [*arguments, *("HEAD", "@live")[len(arguments) :]]
    dots = ""
    if len(arguments) == 1 and (match := parser.match_range(arguments[0])):
        texts = [match["old"] or "HEAD", match["new"] or "HEAD"]
        dots = match["dots"]
    from_merge_base = dots == "..."
    # Only revisions have a merge base.
    parse = parser.parse_revision if from_merge_base else parser.parse_source
    left, right = map(parse, texts)
    is_same_file = left.path and right.path and left.path.samefile(right.path)
    if left.text == right.text or is_same_file:
        hint = "name two sources, as in pinsync diff HEAD @live"
        raise UsageError(f"{left.text} is compared with itself", hint=hint)
    if from_merge_base:
        left = _find_merge_base(left, right, repository)
    return left, right


def _find_merge_base(left: Source, right: Source, repository: Repository | None) -> Source:
    names = left.text, right.text
    # By hash: git could read a name as an option, or as another reference than before.
    commits = str(left.revision), str(right.revision)
    base = require_repository(repository, left.text).find_merge_base(*commits, names)
    text = left.text
    if base != left.revision:
        text = f"the merge base of {names[0]} and {names[1]}"
    return Source("revision", text, revision=base, place=base[:12], warnings=left.warnings)


def _is_always_revision(text: str) -> bool:
    """Whether a word is a word such as @index, or a revision even if a file has that name."""
    return text in _WORDS or _REVISION.fullmatch(text) is not None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A text that is too long for a file's name.
        return False


def parse_word(text: str, words: Collection[str], otherwise: str) -> Source | None:
    """Return the source of a word such as ``@index``; None for any other text.

    Args:
        text: the user's spelling.
        words: the expected words.
        otherwise: the other expected sources, for the error message.

    Raises:
        UsageError: the text looks like such a word, but isn't expected.
    """
    if text in words:
        return Source(_WORDS[text], text)
    # "@", "@~1" and "@{1}" are git's; with a letter behind the "@" it is a misspelled source.
    if re.match(r"@[A-Za-z]", text):
        message = f"{text} is no source; expected {', '.join(words)}, {otherwise}"
        raise UsageError(message, hint=suggest(text, words))
    return None


def parse_revision(text: str, repository: Repository | None) -> Source:
    """Return the source of a git revision; HEAD before the first commit has the kind ``nothing``.

    Raises:
        RepositoryError: there is no such revision, or no repository.
    """
    warnings: list[str] = []
    try:
        commit = require_repository(repository, text).resolve(text, warnings.append)
        return Source("revision", text, revision=commit, warnings=tuple(warnings))
    except RepositoryError:
        if text == "HEAD" and repository and repository.resolve_head() is None:
            return Source("nothing", text)
        raise


def require_repository(repository: Repository | None, text: str) -> Repository:
    """Return the repository that a source needs.

    Raises:
        RepositoryError: there is none.
    """
    if repository is None:
        message = f"{text} is looked for in git, but this is not a git repository"
        hint = "make one with `git init`; without git there are @worktree, @live and JSON exports"
        raise RepositoryError(message, hint=hint)
    return repository


class _Parser(Struct, frozen=True):
    """Parses a single word of the command line; its fields are as in `parse_sources`."""

    repository: Repository | None
    folder: Path
    advice: Callable[[str], str | None]
    stdin: bytes

    def parse_source(self, text: str) -> Source:
        """Return the source that a word names.

        Raises the errors of `parse_sources`.
        """
        if text == STANDARD_INPUT:
            return Source("export", text, content=self.stdin)
        if found := parse_word(text, _WORDS, "a JSON export or a revision"):
            return found
        if not self.is_file_name(text):
            return self.parse_revision(text)
        path = self.folder / text
        if is_document(path.name):
            hint = "to compare the files as they are, name @worktree"
            raise FileError("is a document, expected a JSON export", source=text, hint=hint)
        return Source("export", text, path=path)

    def match_range(self, text: str) -> re.Match[str] | None:
        """Return the ends and the dots of a range; None for any other word.

        Raises:
            UsageError: the word names a file too.
        """
        match = _DOTS.fullmatch(text)
        if match is None or self.is_file_name(text):
            return None
        return match

    def parse_revision(self, text: str) -> Source:
        """Return the commit that a word names, even if a file has that name.

        Raises:
            RepositoryError: there is no such revision.
            FileError: the word ends in ``.json``, and there is no such file either.
        """
        exists = _is_file(self.folder / text)
        if text.endswith(".json") and not exists and self._find_full_name(text) is None:
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

    def is_file_name(self, text: str) -> bool:
        """Whether a word names a file.

        Raises:
            UsageError: it could be a revision or a range too.
        """
        if not _is_file(self.folder / text):
            return False
        if text.startswith(("./", "../")) or Path(text).is_absolute():
            return True
        match = _DOTS.fullmatch(text)
        is_known_to_git = self.repository is not None and self.repository.is_revision(text)
        # The quick answer for most names of exports. The ends of a range can be known to git though
        # the range isn't.
        if not match and not is_known_to_git and not _is_always_revision(text):
            return True
        words = [match["old"], match["new"]] if match else [text]
        names = [self._find_full_name(word) if word else "" for word in words]
        if any(words) and not any(names) and not is_known_to_git:
            return True
        if names == words:
            return False
        kind = "range" if match else "revision"
        hint = f"write {shlex.quote(f'./{text}')} for the file"
        known = [name for name in names if name is not None]
        # In a shallow clone, git may lack an end of the range.
        if len(known) == len(words):
            full_name = (match["dots"] if match else "").join(known)
            hint += f", or {shlex.quote(full_name)} for the {kind}"
        raise UsageError(f"{text} could be a file and a {kind}", hint=hint)

    def _find_full_name(self, text: str) -> str | None:
        """Return an unambiguous spelling of a revision; None for any other word."""
        if _is_always_revision(text):
            return text
        return self.repository.resolve_full_name(text) if self.repository else None
