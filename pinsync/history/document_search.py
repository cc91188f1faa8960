"""Look up versions of rules in the documents that hold them, commit by commit.

See `document_walk` for what is found, and what is left to the walk through whole states.
"""

from __future__ import annotations

import glob
from collections import deque
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.history.arrivals import UNSHALLOW, CommitArrival, UncommittedArrival
from pinsync.history.document_walk import DocumentWalk, Parent
from pinsync.history.versions import ReadFault
from pinsync.layout import is_document
from pinsync.repository import CommitChanges, FileChange, parse_tree
from pinsync.workspace.state import pair_trackers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.config import Tracker
    from pinsync.history.arrivals import CommitLookup
    from pinsync.history.configurations import Outline
    from pinsync.history.mover_search import GitSide, Inquiry
    from pinsync.model import Commit
    from pinsync.repository import Reader, Repository

_MAX_REQUESTS: Final = 32
"""The number of objects to ask for at once: their hashes fit into any pipe."""


def search_documents(
    inquiries: Sequence[Inquiry],
    side: GitSide,
    repository: Repository,
    lookup: CommitLookup,
    tip: str,
    end: Commit | None,
) -> None:
    """Answer the inquiries as far as the documents of the rules tell.

    Args:
        inquiries: the trackers.
        side: git's side.
        repository: the repository.
        lookup: reads commits.
        tip: the full hash of the newest commit.
        end: the commit at which a shallow clone ends; None in a full clone.
    """
    outline = lookup.configurations.read_outline(tip)
    if isinstance(outline, ReadFault):
        return
    opened = [_open(inquiry, side, outline) for inquiry in inquiries]
    followers = [follower for follower in opened if follower]
    with repository.open_reader() as reader:
        search = _DocumentSearch(reader, lookup, followers)
        if side.source.kind != "revision":
            search.go_back_to_head(outline, side.now)
        search.walk(repository.walk_changes(tip, lookup.configurations.file_names), end)
    for follower in followers:
        follower.inquiry.restart(follower.walk.given_up)


def describe_shallow_end(end: Commit) -> str:
    """Return the reason why a shallow clone has no answer, and the remedy."""
    return f"this clone is shallow and ends at {end.short}; {UNSHALLOW}"


class _Follower:
    """The walk for one tracker.

    Args:
        inquiry: the tracker's inquiry.
        tracker: the tracker in the current commit.
        folder: the folder of its documents.
        walk: the walk.
    """

    def __init__(
        self, inquiry: Inquiry, tracker: Tracker, folder: PurePosixPath, walk: DocumentWalk
    ) -> None:
        self.inquiry = inquiry
        self.tracker = tracker
        self.folder = folder
        self.walk = walk

    def keep_folder(self, newer: Outline | ReadFault, older: Outline | ReadFault) -> None:
        """Give up all rules if the older configuration has other places for the documents."""
        if isinstance(newer, ReadFault) or isinstance(older, ReadFault):
            self.walk.give_up_all()
            return
        for old, new in pair_trackers(list(older.folders), list(newer.folders)):
            is_own = old and new and new.name == self.tracker.name
            if old and is_own and older.folders[old][0] == self.folder:
                self.tracker = old
                return
        self.walk.give_up_all()


def _open(inquiry: Inquiry, side: GitSide, outline: Outline) -> _Follower | None:
    """Return the walk of an inquiry; None if its documents are no usual ones."""
    question = inquiry.question
    for tracker, own in pair_trackers(list(outline.folders), side.trackers):
        if tracker and own and question.tracker and own.name == question.tracker.name:
            folder = outline.folders[tracker][0]
            break
    else:
        return None
    texts: dict[str, bytes] = {}
    for document in question.documents:
        path = document.source.removeprefix(question.prefix)
        is_plain = not document.crlf and not document.bom and document.original is None
        if not is_plain or PurePosixPath(path).parent != folder:
            return None
        texts[path] = document.render()
    walk = DocumentWalk(inquiry.traces, texts, side.ignore)
    return _Follower(inquiry, tracker, folder, walk)


class _Job(NamedTuple):
    """A commit to look at.

    Attributes:
        commit: the commit.
        touches_configuration: whether it changed a file with the name of the configuration.
        documents: folder → the documents that it changed.
        requested: the documents whose older bytes were asked for.
    """

    commit: Commit
    touches_configuration: bool
    documents: Mapping[PurePosixPath, Sequence[FileChange]]
    requested: Sequence[FileChange]


class _DocumentSearch:
    """A walk along the main line for all trackers.

    Args:
        reader: reads the versions; nobody else uses it.
        lookup: reads commits.
        followers: the walks.
    """

    def __init__(
        self, reader: Reader, lookup: CommitLookup, followers: Sequence[_Follower]
    ) -> None:
        self._reader = reader
        self._lookup = lookup
        self._followers = followers

    def go_back_to_head(self, outline: Outline, now: int) -> None:
        """Go back from uncommitted text to the last commit.

        Args:
            outline: the folders of the last commit.
            now: the present, in seconds since 1970.
        """
        for follower in self._followers:
            _, tree = outline.folders[follower.tracker]
            texts: dict[str, bytes | None] = dict.fromkeys(follower.walk.texts)
            for name, entry in parse_tree(tree) if tree else ():
                if is_document(name):
                    found = self._reader.find(entry.hash) if entry.is_file else None
                    texts[str(follower.folder / name)] = found.content if found else b""
            arrival = UncommittedArrival(None, now)
            follower.walk.go_back(Parent(texts, lambda _rule_id: False), arrival)

    def walk(self, changes: Iterator[CommitChanges], end: Commit | None) -> None:
        """Walk until every rule has its answer, or is given up.

        Args:
            changes: the commits of the main line.
            end: the commit at which a shallow clone ends; None in a full clone.
        """
        for job in self._read_ahead(changes, end):
            texts: dict[str, bytes | None] = {}
            for file in job.requested:
                found = self._reader.receive()
                texts[file.path] = found.content if found else None
            for follower in self._followers:
                self._go_back(follower, job, texts)
            if all(follower.walk.is_done for follower in self._followers):
                return
        for follower in self._followers:
            if end:
                follower.inquiry.explain(describe_shallow_end(end))
                follower.walk.cut(end)
            # At the end of a full history, no rule is left in a document.
            follower.walk.give_up_held()

    def _read_ahead(self, changes: Iterator[CommitChanges], end: Commit | None) -> Iterator[_Job]:
        """Yield the commits; git reads documents of the next ones meanwhile."""
        jobs: deque[_Job] = deque()
        requested = 0
        for change in changes:
            if end and change.commit.hash == end.hash:
                break
            job = self._build_job(change)
            size = len(job.requested)
            if size > _MAX_REQUESTS:
                # Git's answers could fill its pipe before it has read all requests.
                for follower in self._followers:
                    follower.walk.give_up_all()
                return
            while jobs and requested + size > _MAX_REQUESTS:
                requested -= len(jobs[0].requested)
                yield jobs.popleft()
            self._reader.request([str(file.old) for file in job.requested])
            requested += size
            jobs.append(job)
        yield from jobs

    def _build_job(self, changes: CommitChanges) -> _Job:
        _, configuration = self._lookup.configurations.file_names
        documents: dict[PurePosixPath, list[FileChange]] = {}
        touches_configuration = False
        for file in changes.files:
            path = PurePosixPath(file.path)
            if is_document(path.name):
                documents.setdefault(path.parent, []).append(file)
            if glob.escape(path.name) == configuration:
                touches_configuration = True
        requested: list[FileChange] = []
        for follower in self._followers:
            files = documents.get(follower.folder, ())
            requested += [file for file in files if file.old and follower.walk.concerns(file.path)]
        return _Job(changes.commit, touches_configuration, documents, requested)

    def _go_back(self, follower: _Follower, job: _Job, texts: Mapping[str, bytes | None]) -> None:
        """Go from a commit to its parent."""
        files = job.documents.get(follower.folder, ())
        if follower.walk.is_done or not (files or job.touches_configuration):
            return
        commit = job.commit
        if commit.parent:
            # A new document may come from elsewhere, or from a folder that couldn't be read.
            is_new = any(file.old is None for file in files)
            if is_new or job.touches_configuration:
                read_outline = self._lookup.configurations.read_outline
                follower.keep_folder(read_outline(commit.hash), read_outline(commit.parent))
        old: dict[str, bytes | None] = {}
        others: list[str] = []
        for file in files:
            if not follower.walk.concerns(file.path):
                others += filter(None, [file.old])
            elif file.is_plain and bool(file.old) == bool(texts.get(file.path)):
                old[file.path] = texts.get(file.path)
            else:
                # A link, an empty file, or one that git can't read.
                follower.walk.give_up_all()
        inquiry = follower.inquiry
        arrival = CommitArrival(self._lookup, commit, inquiry.tracker_id, inquiry.explain)
        follower.walk.go_back(Parent(old, partial(self._lookup.has_text, others)), arrival)
