"""List and read the files that a commit and the index hold in a folder."""

from __future__ import annotations

import contextlib
import re
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import FileError, RepositoryError
from pinsync.escape import printable
from pinsync.model import MAX_FILE_BYTES
from pinsync.repository.process import (
    build_pathspec,
    decode,
    decode_line,
    decode_with_nul,
    encode_quoted,
    extract_reason,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pinsync.repository.process import Git
    from pinsync.repository.reader import Object, SharedReader

FILE_MODE: Final = "100644"
FILE_MODES: Final = frozenset({FILE_MODE, "100755"})
"""Git's modes of plain files."""
FOLDER_MODE: Final = "040000"
_FILE_MODES_IN_BYTES: Final = frozenset(mode.encode() for mode in FILE_MODES)
_LINK_MODE: Final = "120000"
_SUBMODULE_MODE: Final = "160000"
_CONFLICT: Final = "unmerged"
"""Replaces the mode of a file with an unresolved merge conflict."""
_EMPTY_BLOBS: Final = frozenset(
    (
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    )
)
"""The hash of an empty file, in SHA-1 and in SHA-256 repositories."""
_STATUS_FIELDS: Final = {"1": 8, "u": 10, "?": 1}
"""The first character of a record of ``git status`` → the number of fields before the path.

See git-status(1), "Porcelain Format Version 2".
"""


class PathEntry(NamedTuple):
    """A file or folder in a commit or in the index.

    Attributes:
        mode: git's mode, such as ``100644``.
        blob: the hash of the content.
        path: the path from the repository's root.
    """

    mode: str
    blob: str
    path: PurePosixPath


class TreeEntry(NamedTuple):
    """A file or folder in a tree object.

    Attributes:
        is_file: whether it is a plain file.
        hash: the hash of the content.
    """

    is_file: bool
    hash: str


def list_tree(
    reader: SharedReader, commit: str, folder: PurePosixPath, source: str
) -> list[PathEntry]:
    """Return the files and folders directly in a folder of a commit.

    Args:
        reader: reads the repository's objects.
        commit: the full hash of the commit.
        folder: the folder; it needn't exist.
        source: the name of the commit in messages.

    Raises:
        FileError: the folder is a link or a file, or lies behind a link or a file.
        RepositoryError: a folder is missing from a damaged repository.
    """
    # Git finds the folder itself. To search each parent here would take quadratic time for many
    # trackers, whose folders have one parent. A query can't hold a line break.
    if folder.parts and "\n" not in str(folder):
        found = reader.find(commit, folder)
        if found is not None and found.type == "tree":
            return _parse_tree(found, folder)
    entries = _read_tree(reader, f"{commit}^{{tree}}", PurePosixPath())
    for place in (*reversed(folder.parents), folder):
        if not place.parts:
            continue
        matching = [entry for entry in entries if entry.path == place]
        if not matching:
            return []
        _require_folder(matching[0], source)
        entries = _read_tree(reader, matching[0].blob, place)
    return entries


def _read_tree(reader: SharedReader, name: str, folder: PurePosixPath) -> list[PathEntry]:
    """Return the entries of a tree object, which a folder of a commit is."""
    tree = reader.find(name)
    if tree is None:
        raise _build_missing_error(folder)
    return _parse_tree(tree, folder)


def _parse_tree(tree: Object, folder: PurePosixPath) -> list[PathEntry]:
    # No entries would look as if all customizations were gone.
    if tree.content is None:
        raise _build_missing_error(folder)
    return [
        PathEntry(_canonicalize_mode(mode), hash_, folder / name)
        for mode, name, hash_ in _parse_records(tree)
    ]


def _build_missing_error(folder: PurePosixPath) -> RepositoryError:
    return RepositoryError(
        f"git has no content of a folder: {printable(str(folder))}",
        hint="see what git fsck says",
    )


def _canonicalize_mode(digits: bytes) -> str:
    """Return the mode that git shows for a mode in a tree, such as 100644 for 100664."""
    # As git's canon_mode() does; early versions of git wrote other permissions.
    mode = int(digits, 8)
    if stat.S_ISREG(mode):
        return "100755" if mode & stat.S_IXUSR else FILE_MODE
    if stat.S_ISDIR(mode):
        return FOLDER_MODE
    return _LINK_MODE if stat.S_ISLNK(mode) else _SUBMODULE_MODE


def list_index(git: Git, folder: PurePosixPath) -> list[PathEntry]:
    """Return the files directly in a folder of the index.

    Raises:
        FileError: the folder is a link or a file, or lies behind a link or a file.
    """
    pathspecs = _build_pathspecs(folder)
    entries = [entry for entry in _list_entries(git, pathspecs) if entry.path.parent == folder]
    if pathspecs and not entries:
        # Git also lists nothing if the folder lies behind a link. It would look as if all rules
        # were gone.
        way = [place for place in (*folder.parents, folder) if place.parts]
        for entry in _list_entries(git, list(map(build_pathspec, way))):
            if entry.path in way:
                _require_folder(entry, "@index")
    return entries


def list_index_folders(git: Git, folder: PurePosixPath) -> list[str]:
    """Return the names of the folders directly in a folder of the index, sorted."""
    names = set()
    for path in decode_with_nul(git.run("ls-files", "-z", "--", *_build_pathspecs(folder))):
        name, *below = PurePosixPath(path).relative_to(folder).parts
        if below:
            names.add(name)
    return sorted(names)


def list_skip_worktree(git: Git, folder: PurePosixPath) -> list[PathEntry]:
    """Return the files directly in a folder of the index that a sparse checkout leaves out."""
    entries = []
    output = git.run("ls-files", "-z", "-v", "--stage", "--", *_build_pathspecs(folder))
    for record in decode_with_nul(output):
        fields, _, name = record.partition("\t")
        tag, mode, blob, _stage = fields.split()
        path = PurePosixPath(name)
        # git-ls-files(1), -t: S marks the skip-worktree bit. It is in lower case if the file has
        # the bit of --assume-unchanged too.
        if tag in ("S", "s") and path.parent == folder:
            entries.append(PathEntry(mode, blob, path))
    return entries


def list_staged(git: Git, folder: PurePosixPath) -> list[PathEntry]:
    """Return the files directly in a folder of the index, without files of ``git add -N``.

    Raises:
        FileError: the folder is a link or a file, or lies behind a link or a file.
    """
    entries = list_index(git, folder)
    if _EMPTY_BLOBS.isdisjoint(entry.blob for entry in entries):
        return entries
    # In the index a file of `git add -N` (--intent-to-add) looks like an empty file. Only this
    # comparison tells them apart. The hash of the empty tree depends on the repository's format.
    empty_tree = decode_line(git.run("hash-object", "-t", "tree", "--stdin"))
    options = ("--cached", "--ita-invisible-in-index", "--no-renames", "--name-only", "-z")
    output = git.run("diff-index", *options, empty_tree)
    staged = set(map(PurePosixPath, decode_with_nul(output)))
    return [entry for entry in entries if entry.path in staged]


def find_uncommitted(git: Git, folder: PurePosixPath) -> list[PurePosixPath]:
    """Return the files in and below a folder that differ from the last commit, sorted.

    These are edited, staged, untracked and removed files. Git's own filters apply, so that
    converted line endings are no edit. The index isn't changed.
    """
    # One process for all files, and a second one only if files seem to be edited.
    output = git.run(
        *("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames"),
        *("--ignore-submodules=all", "--", build_pathspec(folder)),
        # `git status` writes the refreshed index unless this variable forbids it.
        environment={"GIT_OPTIONAL_LOCKS": "0"},
    )
    uncommitted: set[PurePosixPath] = set()
    edited: dict[PurePosixPath, str] = {}
    for record in decode_with_nul(output):
        # The setting `status.showStash` adds a header with the number of stashes.
        if record[0] not in _STATUS_FIELDS:
            continue
        *fields, name = record.split(" ", _STATUS_FIELDS[record[0]])
        path = PurePosixPath(name)
        uncommitted.add(path)
        if fields[1:2] == [".M"]:
            edited[path] = fields[-1]
    if edited:
        # To `git status`, a file with another length is edited even if the filters would give it
        # the committed text.
        hashes = git.run("hash-object", "--stdin-paths", feed=encode_quoted(edited)).decode()
        for path, blob in zip(edited, hashes.split(), strict=True):
            if edited[path] == blob:
                uncommitted.discard(path)
    return sorted(uncommitted)


def read_contents(
    reader: SharedReader, entries: Sequence[PathEntry], source: str, partial: Git | None
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield path and content of each entry.

    Args:
        reader: reads the repository's objects.
        entries: the files.
        source: the name of the commit or the index in messages.
        partial: the repository, if it may be a partial clone; else None.

    Raises:
        FileError: an entry is no plain file, is larger than `MAX_FILE_BYTES`, or missing from a
            damaged repository.
        RepositoryError: a partial clone lacks an entry, and git can't fetch it.
    """
    for entry in entries:
        require_file_mode(entry, source)
    if not entries:
        return
    if partial is not None:
        _fetch_missing(partial, [entry.blob for entry in entries], source)
    for entry in entries:
        yield entry.path, _read_content(reader, entry, source)


def _read_content(reader: SharedReader, entry: PathEntry, source: str) -> bytes:
    # Git ends at a damaged object.
    with contextlib.suppress(RepositoryError):
        blob = reader.find(entry.blob)
        if blob and blob.content is not None:
            return blob.content
    size = f"has more than {MAX_FILE_BYTES} bytes"
    message = f"{size}, or is missing from git's object store (see git fsck)"
    raise FileError(message, source=_format_source(source, entry.path))


def may_be_partial(git_dir: Path) -> bool:
    """Return whether a repository may be a partial clone.

    Args:
        git_dir: the git directory, also that of a linked worktree.
    """
    # Without a process of git, which takes as long as reading 1,000 customizations. Git notes the
    # promisor in the configuration of the clone, which may include other files. A promisor in a
    # person's own configuration would be missed: git then fetches each blob by itself.
    try:
        place = git_dir
        # gitrepository-layout(5): a linked worktree names the directory that it shares.
        with contextlib.suppress(FileNotFoundError):
            place = git_dir / (git_dir / "commondir").read_text(encoding="utf-8").strip()
        text = (place / "config").read_bytes().lower()
    except (OSError, ValueError):
        return True
    return any(word in text for word in (b"promisor", b"include", b"worktreeconfig"))


def find_promisor(git: Git) -> str | None:
    """Return the remote that has the objects which a partial clone lacks; None in a whole clone."""
    promisors = git.attempt("config", "--get-regexp", r"^remote\..*\.promisor$")
    # Only a partial clone has such a setting.
    if promisors.status:
        return None
    setting = promisors.output.decode(errors="surrogateescape")
    return setting.partition(".promisor ")[0].removeprefix("remote.")


def _fetch_missing(git: Git, blobs: Sequence[str], source: str) -> None:
    """Fetch the blobs that a partial clone lacks, in one batch."""
    remote = find_promisor(git)
    if remote is None:
        return
    missing = _find_missing(git, blobs)
    if not missing:
        return
    # Git would fetch each blob by a process of its own. These are the options of that process
    # (promisor-remote.c in git's source).
    options = (
        "--no-tags",
        "--no-write-fetch-head",
        "--recurse-submodules=no",
        "--filter=blob:none",
        "--no-auto-gc",
    )
    fetched = git.attempt(
        *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", remote, *options, "--stdin"),
        feed=_encode_lines(missing),
    )
    if fetched.status:
        count = "a document" if len(missing) == 1 else f"{len(missing)} documents"
        raise RepositoryError(
            f"this partial clone lacks {count} of {printable(source)}, "
            f"and {printable(remote)} doesn't deliver: {extract_reason(fetched.errors)}",
            hint="run the command where git can reach the remote, or clone without --filter",
        )


def _find_missing(git: Git, blobs: Sequence[str]) -> list[str]:
    environment = {"GIT_NO_LAZY_FETCH": "1"}
    feed = _encode_lines(blobs)
    result = git.attempt("cat-file", "--batch-check", feed=feed, environment=environment)
    lines = result.output.decode().splitlines()
    missing = [line.split()[0] for line in lines if line.endswith(" missing")]
    # Git stops at the first blob that it lacks. Later versions may report the blob as missing and
    # go on.
    return missing + list(blobs[len(lines) :])


def _encode_lines(blobs: Sequence[str]) -> bytes:
    return "".join(f"{blob}\n" for blob in blobs).encode()


def parse_tree(tree: Object) -> Iterator[tuple[str, TreeEntry]]:
    """Yield the name and the entry of each file and folder of a tree object."""
    for mode, name, hash_ in _parse_records(tree):
        yield name, TreeEntry(mode in _FILE_MODES_IN_BYTES, hash_)


def _parse_records(tree: Object) -> Iterator[tuple[bytes, str, str]]:
    """Yield mode, name and hash of each file and folder of a tree object."""
    # Mode, space, name, NUL, and the hash in binary.
    pattern = rb"([0-7]+) ([^\0]+)\0(.{%d})" % (len(tree.hash) // 2)
    for mode, name, hash_ in re.findall(pattern, tree.content or b"", re.DOTALL):
        yield mode, decode(name), hash_.hex()


def require_file_mode(entry: PathEntry, source: str) -> str:
    """Return the mode of a plain file.

    Args:
        entry: the file.
        source: the name of the commit or the index in messages.

    Raises:
        FileError: the entry is no plain file, or has an unresolved conflict.
    """
    place = _format_source(source, entry.path)
    if entry.mode == _CONFLICT:
        message = "has an unresolved merge conflict"
        raise FileError(message, source=place, hint="resolve it, then git add the file")
    if entry.mode not in FILE_MODES:
        raise FileError("is a link, a folder or a submodule, expected a plain file", source=place)
    return entry.mode


def _require_folder(entry: PathEntry, source: str) -> None:
    if entry.mode != FOLDER_MODE:
        kind = "a submodule" if entry.mode == _SUBMODULE_MODE else "a link or a file"
        raise FileError(f"is {kind}, expected a folder", source=_format_source(source, entry.path))


def _build_pathspecs(folder: PurePosixPath) -> list[str]:
    """Return the pathspec of everything below a folder; none for the repository's root."""
    return [build_pathspec(f"{folder}/")] if folder.parts else []


def _list_entries(git: Git, pathspecs: Sequence[str]) -> Iterator[PathEntry]:
    """Yield the files of the index."""
    for record in decode_with_nul(git.run("ls-files", "-z", "--stage", "--", *pathspecs)):
        fields, _, name = record.partition("\t")
        mode, blob, stage = fields.split()
        # Stages above 0 are the versions of a file with a conflict.
        if stage != "0":
            mode = _CONFLICT
        yield PathEntry(mode, blob, PurePosixPath(name))


def _format_source(source: str, path: PurePosixPath) -> str:
    return printable(f"{source}:{path}")
