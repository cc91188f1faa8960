"""The findings of a git revision, which ``pinsync lint --since`` omits from its report."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync import layout
from pinsync.document import written
from pinsync.workspace.source import parse_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pinsync.document.written import Written
    from pinsync.model import Finding
    from pinsync.workspace.tree import WorkingTree

# The limits of git's own search for renames (git-diff(1), --find-renames and -l): if many files
# are gone and many are new, only files with equal texts count as renamed.
_SIMILARITY: Final = 0.5
_MOST_PAIRS: Final = 40_000

Key = tuple[str, str | None, str]


class Baseline(Struct, frozen=True):
    """The findings of a revision.

    Attributes:
        counts: lint rule, file and identity → number of findings.
    """

    counts: Mapping[Key, int]

    def select_new(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that the revision lacks, or has less often."""
        remaining = Counter(self.counts)
        new = []
        for finding in findings:
            key = _build_key(finding)
            if remaining[key]:
                remaining[key] -= 1
            else:
                new.append(finding)
        return new


def read_baseline(
    revision: str,
    tree: WorkingTree,
    documents: Sequence[Written],
    check: Callable[[PurePosixPath, Sequence[Written], bytes | None], Sequence[Finding]],
    warn: Callable[[str], None],
) -> Baseline:
    """Check the documents of a revision, in the folders of the current configuration.

    Args:
        revision: a commit, in git's spelling.
        tree: the working tree.
        documents: the documents of the working tree, to recognize renamed files.
        check: returns the findings of a folder, its documents, and its file with titles of items.
        warn: shows a warning of git.

    Raises:
        RepositoryError: there is no such commit, or no repository.
        FileError: a folder or document of the commit is a link, or can't be read.
    """
    source = parse_revision(revision, tree.repository)
    for warning in source.warnings:
        warn(warning)
    # Before the first commit there is no revision.
    if tree.repository is None or source.revision is None:
        return Baseline({})
    names = tree.repository.list_folders(source.revision, tree.directory, source.name)
    folders = {tree.directory, *(tree.directory / name for name in names)}
    folders.update(PurePosixPath(document.source).parent for document in documents)
    # Most files are as they were, and needn't be read twice.
    known = {(document.source, document.original): document for document in documents}
    findings: list[Finding] = []
    old_documents: list[Written] = []
    for folder in sorted(folders):
        folder_documents: list[Written] = []
        for path, text in tree.repository.read_documents(source.revision, folder, source.name):
            document = known.get((str(path), text)) or written.read(text, str(path))
            folder_documents.append(document)
        items = tree.repository.read_file(source.revision, folder / layout.ITEMS, source.name)
        findings += check(folder, folder_documents, items)
        old_documents += folder_documents
    renames = _find_renames(old_documents, documents, tree)
    # Under today's names, so that a rename makes no old finding new.
    counts: Counter[Key] = Counter()
    for finding in findings:
        file = renames.get(finding.file or "", finding.file)
        counts[_build_key(replace(finding, file=file))] += 1
    return Baseline(counts)


def _build_key(finding: Finding) -> Key:
    return finding.rule, finding.file, finding.identity or finding.message


def _find_renames(
    old_documents: Sequence[Written], documents: Sequence[Written], tree: WorkingTree
) -> Mapping[str, str]:
    """Return the old path → the new path of documents that were renamed since the revision."""
    old_paths = {document.source for document in old_documents}
    root = tree.store.root
    gone = [document for document in old_documents if not (root / document.source).exists()]
    new = [document for document in documents if document.source not in old_paths]
    renames: dict[str, str] = {}
    gone_by_text: dict[bytes, deque[Written]] = {}
    for document in gone:
        gone_by_text.setdefault(document.text, deque()).append(document)
    for document in new:
        if equal := gone_by_text.get(document.text):
            renames[equal.popleft().source] = document.source
    new_paths = set(renames.values())
    unmatched = [document for document in new if document.source not in new_paths]
    candidates = {
        document.source: _count_lines(document)
        for document in gone
        if document.source not in renames
    }
    if len(candidates) * len(unmatched) > _MOST_PAIRS:
        return renames
    for document in unmatched:
        nearest = _find_nearest(_count_lines(document), candidates)
        if nearest is not None:
            renames[nearest] = document.source
            del candidates[nearest]
    return renames


def _count_lines(document: Written) -> Counter[bytes]:
    return Counter(document.text.splitlines())


def _find_nearest(lines: Counter[bytes], candidates: Mapping[str, Counter[bytes]]) -> str | None:
    """Return the path of the most similar document, if it is similar enough."""
    nearest, best = None, 0.0
    for path, candidate in candidates.items():
        similarity = _compute_similarity(candidate, lines)
        if similarity >= _SIMILARITY and similarity > best:
            nearest, best = path, similarity
    return nearest


def _compute_similarity(first: Counter[bytes], second: Counter[bytes]) -> float:
    """Return the share of common lines in the longer document."""
    longest = max(first.total(), second.total())
    return (first & second).total() / longest if longest else 1.0
