"""What a commit and the index hold in a folder."""

from __future__ import annotations

import contextlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import FileError, RepositoryError
from pinsync.escape import printable
from pinsync.model import MAX_FILE_BYTES
from pinsync.repository.process import (
    build_pathspec,
    decode,
    decode_line,
    encode_quoted,
    extract_reason,
)
from pinsync.repository.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinsync.repository.process import Git
    from pinsync.repository.reader import Object

FILE_MODE: Final = "100644"
FILE_MODES: Final = frozenset({FILE_MODE, "100755"})
"""Git's modes of plain files."""
_LISTED_MODES: Final = frozenset(mode.encode() for mode in FILE_MODES)
FOLDER_MODE: Final = "040000"
_SUBMODULE: Final = "160000"
_CONFLICT: Final = "unmerged"
_EMPTY: Final = frozenset(
    (
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    )
)
"""The hash of an empty file, in SHA-1 and in SHA-256 repositories."""


class Entry(NamedTuple):
    """One name in a folder: git's mode of it, the hash of its content, and the path from the repository's root."""

    mode: str
    blob: str
    path: PurePosixPath


class Listed(NamedTuple):
    """One name in a folder of a commit: whether it is a plain file, and the hash of its content."""

    is_file: bool
    hash: str


def tree(git: Git, commit: str, folder: PurePosixPath, source: str) -> list[Entry]:
    """Return what lies directly in a folder of a commit.

    Args:
        git: the repository.
        commit: its full hash.
        folder: nothing is returned for one that doesn't exist.
        source: how messages call the commit.

    Raises:
        FileError: the folder is a link or a file, or lies behind one.
    """
    return _entries(git, ("ls-tree", "-z", "-t", "--full-tree", commit), folder, source)


def index(git: Git, folder: PurePosixPath) -> list[Entry]:
    """Return the files directly in a folder of the index; raises what `tree` does."""
    return _entries(git, ("ls-files", "-z", "--stage"), folder, "@index")


def index_folders(git: Git, folder: PurePosixPath) -> list[str]:
    """Return the names of the folders directly in a folder of the index, sorted."""
    paths = map(
        PurePosixPath, decode(git.run("ls-files", "-z", "--", *_below(folder))).split("\0")[:-1]
    )
    inner = (path.relative_to(folder).parts for path in paths)
    return sorted({parts[0] for parts in inner if len(parts) > 1})


def unchecked(git: Git, folder: PurePosixPath) -> list[Entry]:
    """Return the files directly in a folder of the index that git doesn't check out, as in a sparse checkout.

    Git marks them with the skip-worktree bit, the tag ``S`` (git-ls-files(1), ``-t``); in lower
    case if the file has the bit for ``--assume-unchanged`` too.
    """
    found = []
    for record in decode(git.run("ls-files", "-z", "-v", "--stage", "--", *_below(folder))).split(
        "\0"
    )[:-1]:
        fields, _, name = record.partition("\t")
        tag, mode, blob, _stage = fields.split()
        path = PurePosixPath(name)
        if tag in ("S", "s") and path.parent == folder:
            found.append(Entry(mode, blob, path))
    return found


def staged(git: Git, folder: PurePosixPath) -> list[Entry]:
    """Return what `index` does, but for files that are only announced (``git add --intent-to-add``), as git counts."""
    found = index(git, folder)
    if _EMPTY.isdisjoint(entry.blob for entry in found):
        return found
    # Announced and empty look alike but here: against the empty tree, whose hash depends on the
    # repository's format.
    nothing = decode_line(git.run("hash-object", "-t", "tree", "--stdin"))
    listed = git.run(
        "diff-index",
        "--cached",
        "--ita-invisible-in-index",
        "--no-renames",
        "--name-only",
        "-z",
        nothing,
    )
    known = {PurePosixPath(path) for path in decode(listed).split("\0")}
    return [entry for entry in found if entry.path in known]


def uncommitted(git: Git, folder: PurePosixPath) -> list[PurePosixPath]:
    """Return the files in and below a folder that differ from the last commit, sorted: staged, untracked or gone too.

    Git's own filters apply, so that converted line endings are no edit, and the index stays as it
    is. It takes one process, and where files seem to be edited another.
    """
    options = (
        "--porcelain=v2",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        "--ignore-submodules=all",
    )
    listed = git.run(
        "status", *options, "--", build_pathspec(folder), environment={"GIT_OPTIONAL_LOCKS": "0"}
    )
    found: set[PurePosixPath] = set()
    edited: dict[PurePosixPath, str] = {}
    for record in decode(listed).split("\0")[:-1]:
        if (
            record[0] not in _FIELDS
        ):  # a header, such as the number of stashes that `status.showStash` asks for
            continue
        *fields, path = record.split(" ", _FIELDS[record[0]])
        found.add(PurePosixPath(path))
        if fields[1:2] == [".M"]:
            edited[PurePosixPath(path)] = fields[-1]
    if edited:
        # A file of another length is edited for git, whatever its filters would make of it.
        hashes = (
            git.run("hash-object", "--stdin-paths", feed=encode_quoted(edited)).decode().split()
        )
        found -= {path for path, blob in zip(edited, hashes, strict=True) if edited[path] == blob}
    return sorted(found)


_FIELDS: Final = {"1": 8, "u": 10, "?": 1}
"""What begins a record, and how many fields stand before its path (git-status(1), "Porcelain Format Version 2")."""


def contents(
    git: Git, entries: Sequence[Entry], source: str
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield path and content of each entry.

    Raises:
        FileError: an entry is no plain file, is larger than `MAX_FILE_BYTES`, or missing from a
            damaged repository.
        RepositoryError: a partial clone lacks an entry, and git can't fetch it.
    """
    for entry in entries:
        file_mode(entry, source)
    if not entries:
        return
    blobs = [entry.blob for entry in entries]
    _fetch_missing(git, blobs, source)
    with Reader(git, MAX_FILE_BYTES) as reader:
        for entry in entries:
            yield entry.path, _content(reader, entry, source)


def _content(reader: Reader, entry: Entry, source: str) -> bytes:
    content = None
    with contextlib.suppress(RepositoryError):  # git ends at an object that is damaged
        found = reader.find(entry.blob)
        content = found.content if found else None
    if content is None:
        message = (
            f"has more than {MAX_FILE_BYTES} bytes, or is missing from git's object store (see "
            f"git fsck)"
        )
        raise FileError(message, source=_place(source, entry.path))
    return content


def _fetch_missing(git: Git, blobs: Sequence[str], source: str) -> None:
    """Fetch the blobs that a partial clone lacks in one batch; git itself would fetch them one by one.

    Raises:
        RepositoryError: they can't be fetched.
    """
    promisors = git.attempt("config", "--get-regexp", r"^remote\..*\.promisor$")
    if promisors.status:  # not a partial clone
        return
    feed = "".join(f"{blob}\n" for blob in blobs).encode()
    found = git.attempt(
        "cat-file", "--batch-check", feed=feed, environment={"GIT_NO_LAZY_FETCH": "1"}
    )
    lines = found.output.decode().splitlines()
    # Git stops at the first blob that it lacks; later versions may report it as missing and go on.
    missing = [entry.split()[0] for entry in lines if entry.endswith(" missing")] + list(
        blobs[len(lines) :]
    )
    if not missing:
        return
    remote = (
        promisors.output.decode(errors="surrogateescape")
        .partition(".promisor ")[0]
        .removeprefix("remote.")
    )
    # The call that git makes for a single blob (promisor-remote.c in its source).
    options = (
        "--no-tags",
        "--no-write-fetch-head",
        "--recurse-submodules=no",
        "--filter=blob:none",
        "--no-auto-gc",
    )
    fetched = git.attempt(
        *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", remote, *options, "--stdin"),
        feed="".join(f"{blob}\n" for blob in missing).encode(),
    )
    if fetched.status:
        count = "a document" if len(missing) == 1 else f"{len(missing)} documents"
        raise RepositoryError(
            f"this partial clone lacks {count} of {printable(source)}, "
            f"and {printable(remote)} doesn't deliver: {extract_reason(fetched.errors)}",
            hint="run the command where git can reach the remote, or clone without --filter",
        )


def listing(tree: Object) -> Iterator[tuple[str, Listed]]:
    """Yield name and content of each entry of a tree object: mode, blank, name, NUL, and the hash in binary."""
    entry = rb"([0-7]+) ([^\0]+)\0(.{%d})" % (len(tree.hash) // 2)
    for mode, name, content in re.findall(entry, tree.content or b"", re.DOTALL):
        yield decode(name), Listed(mode in _LISTED_MODES, content.hex())


def file_mode(entry: Entry, source: str) -> str:
    """Return the mode of a plain file.

    Raises:
        FileError: it is something else, or has an unresolved conflict.
    """
    if entry.mode == _CONFLICT:
        message = "has an unresolved merge conflict"
        raise FileError(
            message, source=_place(source, entry.path), hint="resolve it, then git add the file"
        )
    if entry.mode not in FILE_MODES:
        raise FileError(
            "is a link, a folder or a submodule, expected a plain file",
            source=_place(source, entry.path),
        )
    return entry.mode


def _entries(git: Git, command: Sequence[str], folder: PurePosixPath, source: str) -> list[Entry]:
    below = _below(folder)
    found = [entry for entry in _listed(git, command, below) if entry.path.parent == folder]
    if below and not found:
        # Empty for git is also what lies behind a link; taken for that, it would look as if every
        # rule were gone.
        way = [place for place in (*folder.parents, folder) if place.parts]
        for entry in _listed(git, command, list(map(build_pathspec, way))):
            if entry.path in way and entry.mode != FOLDER_MODE:
                kind = "a submodule" if entry.mode == _SUBMODULE else "a link or a file"
                raise FileError(f"is {kind}, expected a folder", source=_place(source, entry.path))
    return found


def _below(folder: PurePosixPath) -> list[str]:
    return [build_pathspec(f"{folder}/")] if folder.parts else []


def _listed(git: Git, command: Sequence[str], pathspecs: Sequence[str]) -> Iterator[Entry]:
    for record in decode(git.run(*command, "--", *pathspecs)).split("\0")[:-1]:
        fields, _, path = record.partition("\t")
        mode, second, third = fields.split()
        if command[0] == "ls-tree":
            yield Entry(mode, third, PurePosixPath(path))
        else:
            yield Entry(mode if third == "0" else _CONFLICT, second, PurePosixPath(path))


def _place(source: str, path: PurePosixPath) -> str:
    return printable(f"{source}:{path}")
