"""The findings of a git revision, which ``pinsync lint --since`` leaves out of its report."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.document import written
from pinsync.workspace.source import parse_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pinsync.document.written import Written
    from pinsync.model import Finding
    from pinsync.workspace.tree import WorkingTree

# As git's own detection of renames (git-diff(1), --find-renames and -l): where many files are gone
# and many are new, only those with equal texts are taken for renamed.
_SIMILARITY: Final = 0.5
_MOST_PAIRS: Final = 40_000

Key = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings of a revision.

    Attributes:
        counts: lint rule, file and identity → the number of findings.
    """

    counts: Mapping[Key, int]

    def select_new(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that the revision doesn't have, or has less often."""
        left = Counter(self.counts)
        new = []
        for finding in findings:
            key = _key(finding)
            if left[key]:
                left[key] -= 1
            else:
                new.append(finding)
        return new


def read_baseline(
    revision: str,
    tree: WorkingTree,
    documents: Sequence[Written],
    check: Callable[[PurePosixPath, Sequence[Written]], Sequence[Finding]],
    warn: Callable[[str], None],
) -> Baseline:
    """Check the documents of a revision, which the current configuration says where to find.

    Args:
        revision: as git spells it.
        tree: the working tree.
        documents: the documents of today, after which renamed ones are called.
        check: returns the findings of a folder with these documents.
        warn: takes a warning of git.

    Raises:
        RepositoryError: there is no such commit, or no repository.
        FileError: a folder or document of the commit is a link, or can't be read.
    """
    source = parse_revision(revision, tree.repository)
    for warning in source.warnings:
        warn(warning)
    if tree.repository is None or source.revision is None:  # before the first commit
        return Baseline({})
    names = tree.repository.folders(source.revision, tree.directory, source.name)
    folders = {tree.directory, *(tree.directory / name for name in names)}
    folders.update(PurePosixPath(document.source).parent for document in documents)
    findings: list[Finding] = []
    earlier: list[Written] = []
    for folder in sorted(folders):
        texts = tree.repository.read(source.revision, folder, source.name)
        found = [written.read(text, str(path)) for path, text in texts]
        findings += check(folder, found)
        earlier += found
    renames = _find_renames(earlier, documents, tree)
    renamed = (replace(one, file=renames.get(one.file or "", one.file)) for one in findings)
    return Baseline(Counter(map(_key, renamed)))


def _key(finding: Finding) -> Key:
    return finding.rule, finding.file, finding.identity or finding.message


def _find_renames(earlier: Sequence[Written], documents: Sequence[Written], tree: WorkingTree) -> Mapping[str, str]:
    """Return the old path → the new path of documents that were renamed since the revision."""
    known = {document.source for document in earlier}
    gone = [each for each in earlier if not (tree.store.root / each.source).exists()]
    new = [each for each in documents if each.source not in known]
    renames: dict[str, str] = {}
    waiting: dict[bytes, deque[Written]] = {}
    for each in gone:
        waiting.setdefault(each.text, deque()).append(each)
    for document in new:
        if same := waiting.get(document.text):
            renames[same.popleft().source] = document.source
    renamed = set(renames.values())
    left = {each.source: _lines(each) for each in gone if each.source not in renames}
    changed = {each.source: _lines(each) for each in new if each.source not in renamed}
    if len(left) * len(changed) > _MOST_PAIRS:
        return renames
    for source, lines in changed.items():
        nearest = max(left, key=lambda each: _similarity(left[each], lines), default=None)
        if nearest is not None and _similarity(left[nearest], lines) >= _SIMILARITY:
            renames[nearest] = source
            del left[nearest]
    return renames


def _lines(document: Written) -> Counter[bytes]:
    return Counter(document.text.splitlines())


def _similarity(one: Counter[bytes], other: Counter[bytes]) -> float:
    """Return which part of the longer document's lines the two have in common."""
    longest = max(one.total(), other.total())
    return (one & other).total() / longest if longest else 1.0
