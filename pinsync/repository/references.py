"""Keep files in a reference of their own, outside of all branches."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.errors import RepositoryError, SafetyError
from pinsync.escape import printable
from pinsync.repository import objects
from pinsync.repository.process import (
    decode_line,
    encode_quoted,
    extract_reason,
    make_temporary_folder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.repository.process import Git

# Not the user's identity, which a machine of CI may lack.
_IDENTITY: Final = {
    "GIT_AUTHOR_NAME": "pinsync",
    "GIT_AUTHOR_EMAIL": "pinsync@localhost",
    "GIT_COMMITTER_NAME": "pinsync",
    "GIT_COMMITTER_EMAIL": "pinsync@localhost",
}


def resolve_reference(git: Git, reference: str) -> str | None:
    """Return the full hash that a reference names; None if there is no such reference."""
    # Unlike rev-parse, show-ref takes the name literally.
    result = git.attempt("show-ref", "--verify", "--hash", reference)
    return None if result.status else decode_line(result.output)


def commit_files(
    git: Git, reference: str, files: Mapping[PurePosixPath, bytes], old: str | None
) -> str:
    """Move a reference to a new commit that has exactly these files.

    Args:
        git: the repository.
        reference: the full name of the reference.
        files: path → bytes; a file lies at the top, or in a folder there.
        old: the full hash of the commit that the reference names now, which becomes the parent of
            the new one; None to create the reference.

    Returns:
        The full hash of the commit; ``old`` if that has the same files.

    Raises:
        SafetyError: somebody moved the reference meanwhile.
        RepositoryError: git failed, for instance in a repository that can't be written.
    """
    tree = _write_tree(git, files)
    if old and decode_line(git.run("rev-parse", f"{old}^{{tree}}")) == tree:
        return old
    parents = ["-p", old] if old else []
    arguments = ("commit-tree", *parents, "-m", "Record of agreement", tree)
    commit = decode_line(git.run(*arguments, environment=_IDENTITY))
    # update-ref refuses if the reference isn't at the old commit; zeros mean no reference.
    expected = old or "0" * len(commit)
    result = git.attempt("update-ref", "--no-deref", reference, commit, expected)
    if not result.status:
        return commit
    reason = extract_reason(result.errors)
    if resolve_reference(git, reference) == old:
        raise RepositoryError(f"git update-ref failed: {reason}")
    raise SafetyError(f"{printable(reference)} moved meanwhile: {reason}")


def _write_tree(git: Git, files: Mapping[PurePosixPath, bytes]) -> str:
    """Write files into the object store; return the hash of their folder."""
    paths = sorted(files)
    # One process for all files, since each process takes 4 ms.
    contents = {f"{number}": files[path] for number, path in enumerate(paths)}
    with make_temporary_folder(contents) as folder:
        names = [PurePosixPath(folder.as_posix(), name) for name in contents]
        options = ("-w", "--no-filters", "--stdin-paths")
        output = git.run("hash-object", *options, feed=encode_quoted(names))
    trees: dict[str, list[str]] = {}
    for path, blob in zip(paths, output.decode("ascii").split(), strict=True):
        line = f"{objects.FILE_MODE} blob {blob}\t{path.name}\n"
        trees.setdefault(str(path.parent), []).append(line)
    top = trees.pop(".", [])
    for name, lines in trees.items():
        top.append(f"{objects.FOLDER_MODE} tree {_make_tree(git, lines)}\t{name}\n")
    return _make_tree(git, top)


def _make_tree(git: Git, lines: list[str]) -> str:
    return decode_line(git.run("mktree", feed="".join(lines).encode()))
