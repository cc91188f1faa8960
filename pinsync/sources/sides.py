"""The two sides of a comparison: what a source's spelling means, and what it holds, tracker by tracker."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import merge
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pinsync import config, layout, sources
from pinsync.config import Settings, Tracker
from pinsync.errors import FileError, RepositoryError, UsageError, suggestion
from pinsync.layout import is_document
from pinsync.model import STANDARD_INPUT, Customization, Scope, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.api import Watcher
    from pinsync.document import Document
    from pinsync.repository import Repository
    from pinsync.store import Store

Kind = Literal["live", "worktree", "index", "export", "revision", "nothing"]
_WORDS: Final[dict[str, Kind]] = {"@live": "live", "@worktree": "worktree", "@index": "index"}
_PLACES: Final = {"worktree": "the working tree", "index": "the index"}
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


def parse(
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
    base = _needed(repository, left.text).merge_base(*commits, names)
    shown = left.text if base == left.revision else f"the merge base of {names[0]} and {names[1]}"
    return Source("revision", shown, revision=base, place=base[:12], warnings=left.warnings)


@dataclass(frozen=True, slots=True)
class _Words:
    """Finds the source that a word of the command line names; its fields are as in `parse`."""

    repository: Repository | None
    folder: Path
    advice: Callable[[str], str | None]
    stdin: bytes

    def source(self, text: str) -> Source:
        """Return the source that a single word names; raises what `parse` does."""
        if text == STANDARD_INPUT:
            return Source("export", text, content=self.stdin)
        if found := word(text, _WORDS, "a JSON export or a revision"):
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
            return revision(text, self.repository)
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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for one
        return False


def word(text: str, words: Collection[str], otherwise: str) -> Source | None:
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
        hint = suggestion(text, words)
        raise UsageError(f"{text} is no source; expected {', '.join(words)}, {otherwise}", hint=hint)
    return None


def revision(text: str, repository: Repository | None) -> Source:
    """Return the source that a git revision is; before the first commit HEAD is nothing.

    Raises:
        RepositoryError: there is no such revision, or no repository.
    """
    warnings: list[str] = []
    try:
        commit = _needed(repository, text).resolve(text, warnings.append)
        return Source("revision", text, revision=commit, warnings=tuple(warnings))
    except RepositoryError:
        if text == "HEAD" and repository and repository.head() is None:
            return Source("nothing", text)
        raise


def _needed(repository: Repository | None, text: str) -> Repository:
    if repository is None:
        hint = "make one with `git init`; without git there are @worktree, @live and JSON exports"
        raise RepositoryError(f"{text} is looked for in git, but this is not a git repository", hint=hint)
    return repository


@dataclass(frozen=True, slots=True)
class Content:
    """What one side holds of one tracker.

    Attributes:
        snapshot: its customizations.
        documents: model → document, if they stand in files.
        prefix: what stands before the path in a document's ``source``.
    """

    snapshot: Snapshot
    documents: Mapping[str, Document] = field(default_factory=dict)
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One side, opened.

    Attributes:
        source: where it is read from.
        settings: the configuration that goes with it; of a revision, the one committed there.
        repository: the repository, if there is one.
        store: the files on disk.
    """

    source: Source
    settings: Settings
    repository: Repository | None
    store: Store

    @property
    def in_files(self) -> bool:
        """Whether it is read from documents."""
        return self.source.kind not in ("live", "export")

    @property
    def trackers(self) -> tuple[Tracker, ...]:
        """The trackers it knows; files can be read without knowing any."""
        return self.settings.trackers or ((Tracker("default", ""),) if self.source.kind != "live" else ())

    def reading(self, tracker: Tracker) -> str:
        """Say what is read of a tracker, and from where."""
        match self.source.kind:
            case "live":
                return f"asking {' or '.join(tracker.hosts)}"
            case "export" | "nothing":
                return f"reading {self.source.text}"
            case "revision":
                return f"reading {self.source.prefix}{self.folder(tracker)} (commit {str(self.source.revision)[:12]})"
        return f"reading {self.folder(tracker)} of {_PLACES[self.source.kind]}"

    def files(self, tracker: Tracker) -> Iterable[tuple[PurePosixPath, bytes]]:
        """Return path and bytes of each document of a tracker."""
        folder = self.folder(tracker)
        match self.source.kind:
            case "worktree":
                return worktree_documents(self.store, self.repository, self._name(tracker))
            case "index":
                return _needed(self.repository, self.source.text).read_index(folder)
            case "revision":
                return _needed(self.repository, self.source.text).read(
                    str(self.source.revision), folder, self.source.name
                )
        return ()

    def folder(self, tracker: Tracker) -> PurePosixPath:
        """Return where a tracker's documents lie, from the repository's root."""
        return layout.folder(self.settings.directory, self._name(tracker))

    def _name(self, tracker: Tracker) -> str | None:
        return tracker.name if len(self.settings.trackers) > 1 else None


def worktree_documents(
    store: Store, repository: Repository | None, tracker: str | None
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield path and bytes of each document of the working tree, sorted by path.

    Args:
        store: the files on disk.
        repository: the repository, if there is one.
        tracker: names the folder where there are several trackers.
    """
    unchecked = unchecked_documents(repository, layout.folder(store.directory, tracker))
    yield from merge(store.documents(tracker), unchecked.items(), key=itemgetter(0))


def unchecked_documents(repository: Repository | None, folder: PurePosixPath) -> dict[PurePosixPath, bytes]:
    """Return path and text of each document that git doesn't check out, as in a sparse checkout.

    Such a document counts with its text in the index. Where the index is damaged there is none: to look at files needs
    no index, and whoever writes files is refused by git later.
    """
    if repository is None:
        return {}
    with suppress(RepositoryError):
        return dict(repository.read_unchecked(folder))
    return {}


def opened(
    source: Source, today: Settings, repository: Repository | None, store: Store, environ: Mapping[str, str]
) -> State:
    """Open a side: find the configuration that goes with it.

    Of a revision and of the index it is the one committed there, where its folder was called otherwise too. Where there
    is none, today's goes with it if it isn't under git at all, but not one that came later: it could hide what came
    with it.

    Args:
        source: where it is read from.
        today: the configuration of the working tree.
        repository: the repository, if there is one.
        store: the files on disk.
        environ: the environment variables.

    Raises:
        ConfigError: the configuration committed there is refused.
    """
    state = State(source, today, repository, store)
    if repository is None or source.kind not in ("revision", "index"):
        return state
    places = configuration_places(today, repository)
    found = ((place, _committed(repository, source, place)) for place in _looked_at(places, source, repository))
    path, text = next((each for each in found if each[1] is not None), (None, None))
    if path is None or text is None:
        return replace(state, settings=without_configuration(today, places, repository, environ))
    settings = config.parse(text, f"{source.prefix}{path}", root=today.root, environ=environ, base=path.parent)
    return replace(state, settings=settings)


def configuration_places(today: Settings, repository: Repository) -> list[PurePosixPath]:
    """Return where a revision's configuration is looked for: where it is today, and above, before it was moved down.

    There is none for a configuration from elsewhere.
    """
    file = today.path or today.root / config.FILE_NAME
    if not file.parent.resolve().is_relative_to(today.root):
        return []
    folder = repository.inside(file.parent)
    return [place / file.name for place in (folder, *folder.parents)]


def without_configuration(
    today: Settings, places: Sequence[PurePosixPath], repository: Repository, environ: Mapping[str, str]
) -> Settings:
    """Return the configuration of a revision that has none: today's, unless that is under git and so came later."""
    if not places or today.path is None or repository.read_index_file(places[0]) is None:
        return today
    return config.parse(b"", str(places[0]), root=today.root, environ=environ, base=places[0].parent)


def _looked_at(places: Sequence[PurePosixPath], source: Source, repository: Repository) -> Iterator[PurePosixPath]:
    """Yield the places, and last those from which HEAD's configuration was moved."""
    yield from places
    if places and source.kind == "revision":
        yield from repository.former_places(places[0])


def _committed(repository: Repository, source: Source, path: PurePosixPath) -> bytes | None:
    if source.kind == "revision":
        return repository.read_file(str(source.revision), path, source.name)
    return repository.read_index_file(path)


def contents(
    old: State,
    new: State,
    trackers: tuple[Tracker | None, Tracker | None],
    scope: Scope,
    environ: Mapping[str, str],
    watcher: Watcher | None = None,
) -> tuple[Content, Content]:
    """Read both sides of one tracker; what the one says in canonical text the other needs not be parsed for.

    Args:
        old: the one side; its ``ignore`` holds for both.
        new: the other side.
        trackers: the tracker as either side knows it; None where a side doesn't.
        scope: the filters that go to the API.
        environ: where private keys are looked for.
        watcher: is told how a call of the API gets on.

    Raises:
        PinsyncError: a side can't be read or isn't to be trusted.
    """
    ignore = old.settings.ignore
    found: dict[int, Content] = {}
    states = (old, new)
    for side in sorted((0, 1), key=lambda side: states[side].in_files):  # rows first
        tracker, state = trackers[side], states[side]
        if tracker is None:
            found[side] = Content(Snapshot(()))
        elif state.in_files:
            known = found[1 - side].snapshot.customizations if found else ()
            found[side] = _documents(state, tracker, known, ignore)
        elif state.source.path is not None:
            found[side] = Content(sources.saved_export(state.source.path, ignore))
        elif state.source.kind == "export":
            found[side] = Content(sources.parsed_export(state.source.content, state.source.text, ignore))
        else:
            settings = replace(state.settings, ignore=ignore)
            found[side] = Content(sources.live(tracker, settings, scope, environ, watcher))
    return found[0], found[1]


def _documents(
    state: State, tracker: Tracker, known: Iterable[Customization], ignore: Sequence[tuple[str, ...]]
) -> Content:
    prefix = state.source.prefix
    documents = sources.documents(state.files(tracker), known, ignore, prefix=prefix)
    items = tuple(entry.customization for read in documents.values() for entry in read.entries)
    return Content(Snapshot(items), documents, prefix)


def paired(old: Sequence[Tracker], new: Sequence[Tracker]) -> Iterator[tuple[Tracker | None, Tracker | None]]:
    """Pair the trackers of two sides: by name and id, then by id, then by name; and a side's only one with the other's.

    Yields:
        Each tracker of either side once, those of ``old`` first, in their order.
    """
    if len(old) == len(new) == 1:
        yield old[0], new[0]
        return
    found: dict[str, Tracker] = {}
    for key in (attrgetter("name", "tracker_id"), attrgetter("tracker_id"), attrgetter("name")):
        for tracker in old:
            free = (other for other in new if other not in found.values() and key(other) == key(tracker))
            if tracker.name not in found and (match := next(free, None)):
                found[tracker.name] = match
    yield from ((tracker, found.get(tracker.name)) for tracker in old)
    yield from ((None, other) for other in new if other not in found.values())
