from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

import pytest

from pinsync.errors import FileError, RepositoryError, SafetyError
from pinsync.repository import BranchResult, Proposal, Repository, clean_environment, objects
from pinsync.repository.reader import Reader

if TYPE_CHECKING:
    from pinsync.repository.process import Git

DIRECTORY = PurePosixPath("customizations")
BASKET = DIRECTORY / "basket.yaml"
HOME = DIRECTORY / "home.yaml"
ODD = DIRECTORY / 'a "b\\c\nd.yaml'
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    settings = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(tmp_path),
        **IDENTITY,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def git(folder: Path, *arguments: str, feed: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=feed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def put(root: Path, path: PurePosixPath | str, text: bytes = b"x\n") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text)


def committed(root: Path, *paths: PurePosixPath | str, text: bytes = b"old\n") -> str:
    for path in paths:
        put(root, path, text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=a commit")
    return git(root, "rev-parse", "HEAD")


def opened(folder: Path) -> Repository:
    found = Repository.discover(folder)
    assert found is not None
    return found


def status(root: Path) -> str:
    return git(root, "status", "--porcelain", "-uall")


def hook(root: Path, name: str, script: str) -> None:
    path = root / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


# Finding the repository


def test_a_repository_is_found_from_any_folder_in_it(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    found = opened(root / "a" / "b")
    assert (found.root, found.git_dir) == (root, root / ".git")
    assert found.relative_to_root(root / "a" / "b") == PurePosixPath("a/b")
    assert found.relative_to_root(root) == PurePosixPath()


def test_there_is_none_outside(tmp_path: Path) -> None:
    assert Repository.discover(tmp_path) is None


def test_a_folder_outside_is_not_inside(root: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="outside the repository"):
        opened(root).relative_to_root(tmp_path)


def test_a_linked_worktree_has_its_own_git_directory(root: Path, tmp_path: Path) -> None:
    committed(root, BASKET)
    git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    found = opened(tmp_path / "linked")
    assert found.root == tmp_path / "linked"
    assert found.git_dir == root / ".git" / "worktrees" / "linked"
    put(found.root, BASKET, b"new\n")
    assert found.commit([BASKET], "in the linked worktree") == git(root, "rev-parse", "other")


def test_a_bare_repository_is_a_clear_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    with pytest.raises(RepositoryError, match="has no working tree"):
        Repository.discover(tmp_path / "bare.git")


def test_a_broken_repository_is_not_taken_for_none(root: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(RepositoryError, match="not a git repository: "):
        Repository.discover(tmp_path / "broken")
    assert Repository.discover(root)


def test_a_damaged_git_directory_in_the_environment_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    with pytest.raises(RepositoryError, match="not a git repository"):
        Repository.discover(tmp_path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
def test_another_users_repository_is_a_clear_error(root: Path) -> None:
    for path in (root, root / ".git"):
        os.chown(path, 12345, 12345)
    (root / "below").mkdir()
    with pytest.raises(RepositoryError, match="belongs to another user") as caught:
        Repository.discover(root / "below")
    assert f"safe.directory {root}" in str(caught.value.hint)


@pytest.mark.parametrize("linked", [False, True])
def test_a_hook_finds_the_repository_and_the_index_that_git_names(
    root: Path, tmp_path: Path, linked: bool
) -> None:
    committed(root, BASKET, "shop/note")
    top = root
    if linked:  # there git exports GIT_DIR as well
        top = tmp_path / "linked"
        git(root, "worktree", "add", "--quiet", str(top))
    script = (
        "from pathlib import Path, PurePosixPath\n"
        "from pinsync.repository import Repository\n"
        "r = Repository.discover(Path('shop').resolve())\n"
        "print(r.root, dict(r.read_index(PurePosixPath('customizations'))))"
    )
    put(top, "hook.py", script.encode())
    hook(root, "pre-commit", f'"{sys.executable}" hook.py > seen')
    put(top, BASKET, b"staged\n")
    put(top, HOME, b"staged too, but no part of this commit\n")
    git(top, "add", str(HOME))
    git(top, "commit", "--quiet", "--only", "--message=x", str(BASKET))
    assert (top / "seen").read_text() == f"{top} {{PurePosixPath('{BASKET}'): b'staged\\n'}}\n"


def test_the_clean_environment_forgets_the_repository_and_keeps_the_rest() -> None:
    local = subprocess.run(
        ["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True
    ).stdout
    kept = {
        "PATH": "/bin",
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_CONFIG_GLOBAL": "x",
        "GIT_SSH_COMMAND": "ssh",
    }
    assert clean_environment({**dict.fromkeys(local.split(), "x"), **kept}) == kept


def test_without_git_the_error_says_so(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom pinsync.errors import RepositoryError\n"
        "from pinsync.repository import Repository\n"
        "try:\n    Repository.discover(Path())\nexcept RepositoryError as error:\n"
        "    print(error, '/', error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "the git command can't be run / install git and put it on PATH\n"


def test_git_that_disappears_later_is_the_same_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = opened(root)
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(RepositoryError, match="git command can't be run"):
        repository.resolve_head()


# Revisions


def test_head_is_none_before_the_first_commit(root: Path) -> None:
    repository = opened(root)
    assert repository.resolve_head() is None
    first = committed(root, BASKET)
    assert repository.resolve_head() == first


def test_revisions_are_resolved_to_full_hashes(root: Path) -> None:
    first = committed(root, BASKET)
    git(root, "tag", "-m", "annotated", "v1")
    second = committed(root, HOME)
    git(root, "checkout", "--quiet", "--detach")
    repository = opened(root)
    assert (
        repository.resolve("v1")
        == repository.resolve("HEAD~1")
        == repository.resolve(first[:8])
        == first
    )
    assert repository.resolve("main") == repository.resolve_head() == second


def test_a_full_name_is_a_reference_or_a_hash(root: Path) -> None:
    first = committed(root, BASKET)
    git(root, "tag", "both")
    second = committed(root, HOME)
    git(root, "branch", "both")
    for name in ("heads/-x", "remotes/origin/main"):
        git(root, "update-ref", f"refs/{name}", first)
    git(root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(root, "tag", "--message=annotated", "v1", first)
    repository = opened(root)
    names = {
        "main": "refs/heads/main",
        "refs/heads/main": "refs/heads/main",
        "-x": "refs/heads/-x",
        "v1": "refs/tags/v1",
        "origin": "refs/remotes/origin/main",
        "both": first,  # git takes the tag, but has no word for that
        "main~1": first,
        "main@{1}": first,
        second[:8]: second,
        second: second,
        "nope": None,
        "HEAD:customizations": None,
    }
    assert {name: repository.resolve_full_name(name) for name in names} == names


def test_a_merge_base_is_that_of_two_commits_and_an_error_has_their_names(root: Path) -> None:
    base = committed(root, BASKET)
    one = committed(root, HOME)
    git(root, "switch", "--quiet", "--detach", base)
    other = committed(root, HOME, text=b"other\n")
    git(root, "switch", "--quiet", "--orphan", "orphan")
    orphan = committed(root, "x")
    repository = opened(root)
    assert repository.find_merge_base(one, other, ("a", "b")) == base
    with pytest.raises(RepositoryError, match="a and b have no commit in common"):
        repository.find_merge_base(one, orphan, ("a", "b"))
    with pytest.raises(RepositoryError, match="git merge-base failed: Not a valid"):
        repository.find_merge_base(one, "0" * 40, ("a", "b"))


@pytest.mark.parametrize(
    "revision", ["nope", "-x", "--all", "HEAD:customizations", "", "HEAD..main", "^HEAD", "a\nb"]
)
def test_what_names_no_commit_is_an_error(root: Path, revision: str) -> None:
    committed(root, BASKET)
    with pytest.raises(RepositoryError, match="names no commit") as caught:
        opened(root).resolve(revision)
    assert "git branch" in str(caught.value.hint)
    assert not opened(root).has_commit(revision)


def test_in_a_shallow_clone_the_hint_is_to_fetch_more(root: Path, tmp_path: Path) -> None:
    committed(root, BASKET)
    committed(root, HOME)
    git(tmp_path, "clone", "--quiet", "--depth=1", root.as_uri(), "shallow")
    with pytest.raises(RepositoryError) as caught:
        opened(tmp_path / "shallow").resolve("HEAD~1")
    assert "fetch-depth: 0" in str(caught.value.hint)


# Reading


def test_documents_of_a_commit_come_as_they_are_and_sorted(root: Path) -> None:
    content = {"b.yaml": b"no end", "a.yaml": b"\xff\r\n\n\n", "empty.yaml": b""}
    for name in (*content, "README.md", ".hidden.yaml", "shop/z.yaml"):
        put(root, DIRECTORY / name, content.get(name, b"x"))
    first = committed(root, ODD)
    git(root, "rm", "-r", "--quiet", "customizations")
    committed(root, "other")
    repository = opened(root)
    expected = sorted(
        [*((DIRECTORY / name, text) for name, text in content.items()), (ODD, b"old\n")]
    )
    assert list(repository.read_documents(first, DIRECTORY)) == expected
    assert list(repository.read_documents(first, DIRECTORY / "shop")) == [
        (DIRECTORY / "shop/z.yaml", b"x")
    ]
    assert list(repository.read_documents("HEAD", DIRECTORY)) == []
    assert list(repository.read_documents(first, DIRECTORY / "nope")) == []
    assert list(repository.read_documents(first, PurePosixPath())) == []
    assert repository.read_file(first, DIRECTORY / "a.yaml") == content["a.yaml"]
    assert repository.read_file("HEAD", BASKET) is None
    assert repository.read_file("HEAD", PurePosixPath("other")) == b"old\n"


def test_names_that_are_not_utf8_are_read(root: Path) -> None:
    name = os.fsdecode(b"\xff.yaml")
    committed(root, DIRECTORY / name)
    repository = opened(root)
    assert [path.name for path, _ in repository.read_documents("HEAD", DIRECTORY)] == [name]
    put(root, DIRECTORY / name, b"new\n")
    assert [unsaved.path.name for unsaved in repository.find_unsaved([DIRECTORY / name])] == [name]
    assert repository.commit([DIRECTORY / name], "message")


@pytest.mark.parametrize(
    "folder", ["customizations", "customizations/shop", "customizations/shop/deep"]
)
def test_a_link_on_the_way_is_an_error_and_not_an_empty_folder(root: Path, folder: str) -> None:
    put(root, "elsewhere/shop/deep/basket.yaml")
    (root / DIRECTORY).symlink_to("elsewhere")
    committed(root)
    repository = opened(root)
    with pytest.raises(FileError, match=r"^HEAD:customizations: is a link"):
        repository.read_documents("HEAD", PurePosixPath(folder))
    with pytest.raises(FileError, match=r"^@index:customizations: is a link"):
        repository.read_index(PurePosixPath(folder))


def test_a_link_or_a_folder_named_like_a_document_is_an_error(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    (root / BASKET).symlink_to("../secret.yaml")
    put(root, DIRECTORY / "shop.yaml" / "x")
    committed(root)
    for path in (BASKET, DIRECTORY / "shop.yaml"):
        with pytest.raises(FileError, match="expected a plain file"):
            opened(root).read_file("HEAD", path)
    with pytest.raises(FileError, match="expected a plain file"):
        list(opened(root).read_documents("HEAD", DIRECTORY))


def test_a_blob_beyond_the_cap_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(root, BASKET, text=b"x" * 101)
    monkeypatch.setattr(objects, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr("pinsync.repository.MAX_FILE_BYTES", 100)
    with pytest.raises(FileError, match=r"^HEAD:customizations/basket.yaml: has more than 100 b"):
        list(opened(root).read_documents("HEAD", DIRECTORY))


def test_a_blob_missing_from_the_object_store_is_an_error(root: Path) -> None:
    committed(root, BASKET)
    blob = git(root, "rev-parse", f"HEAD:{BASKET}")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(FileError, match="missing from git's object store"):
        list(opened(root).read_documents("HEAD", DIRECTORY))


def test_a_damaged_blob_is_an_error(root: Path) -> None:
    committed(root, BASKET)
    blob = git(root, "rev-parse", f"HEAD:{BASKET}")
    place = root / ".git" / "objects" / blob[:2] / blob[2:]
    place.chmod(0o644)
    place.write_bytes(b"nothing that git wrote")
    with pytest.raises(FileError, match="missing from git's object store"):
        list(opened(root).read_documents("HEAD", DIRECTORY))


class HalfAnswer:
    """A git that ends while it answers."""

    def __init__(self, answer: bytes) -> None:
        self.stdin = BytesIO()
        self.stdout = BytesIO(answer)
        self.stderr = BytesIO(b"fatal: out of memory\n")

    def start_conversation(self, *_arguments: str) -> HalfAnswer:
        return self

    def close(self) -> None:
        pass


@pytest.mark.parametrize("cap", [1, 100])
def test_a_part_of_an_object_is_not_taken_for_all_of_it(cap: int) -> None:
    git_process = cast("Git", HalfAnswer(b"%s blob 12\nformat: 1\n" % (b"0" * 40)))
    with (
        Reader(git_process, cap) as reader,
        pytest.raises(RepositoryError, match="failed: out of memory"),
    ):
        reader.find("HEAD")


class Gone:
    """A pipe to a git that has ended."""

    def write(self, _text: bytes) -> None:
        raise BrokenPipeError

    flush = write


def test_a_git_that_ended_is_an_error_and_not_a_missing_object() -> None:
    ended = HalfAnswer(b"")
    ended.stdin = cast("BytesIO", Gone())
    with (
        Reader(cast("Git", ended), 1) as reader,
        pytest.raises(RepositoryError, match="failed: out of memory"),
    ):
        reader.find("HEAD")


def test_reading_may_be_dropped_half_way_and_nothing_stays_open(root: Path) -> None:
    committed(root, BASKET, HOME, text=b"x" * 1_000_000)
    reading = opened(root).read_documents("HEAD", DIRECTORY)
    assert next(iter(reading))[0] == BASKET
    del reading
    gc.collect()  # a process or a pipe left open would be a ResourceWarning


def test_the_index_is_read_apart_from_head_and_files(root: Path) -> None:
    committed(root, BASKET, DIRECTORY / "shop/z.yaml")
    put(root, BASKET, b"staged\n")
    git(root, "add", "--all")
    put(root, BASKET, b"edited\n")
    repository = opened(root)
    assert list(repository.read_index(DIRECTORY)) == [(BASKET, b"staged\n")]
    assert list(repository.read_index(DIRECTORY / "shop")) == [
        (DIRECTORY / "shop/z.yaml", b"old\n")
    ]
    assert list(repository.read_index(DIRECTORY / "nope")) == []


def conflicting(root: Path) -> None:
    committed(root, BASKET)
    git(root, "checkout", "--quiet", "-b", "other")
    committed(root, BASKET, text=b"theirs\n")
    git(root, "checkout", "--quiet", "main")
    committed(root, BASKET, text=b"ours\n")
    subprocess.run(["git", "merge", "other"], cwd=root, capture_output=True, check=False)


def test_an_unresolved_conflict_in_the_index_is_an_error(root: Path) -> None:
    conflicting(root)
    with pytest.raises(
        FileError, match=r"^@index:customizations/basket.yaml: has an unresolved merge conflict"
    ):
        list(opened(root).read_index(DIRECTORY))


def test_a_repository_of_sha256_hashes_works_alike(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "work")
    first = committed(tmp_path / "work", BASKET)
    repository = opened(tmp_path / "work")
    assert len(first) == 64
    assert list(repository.read_documents("HEAD", DIRECTORY)) == [(BASKET, b"old\n")]
    made = repository.commit_to_branch("bot", {HOME: b"h\n"}, "message")
    assert repository.read_file("bot", HOME) == b"h\n"
    assert made.commit == repository.resolve("bot")


# Unsaved work


def unsaved(root: Path, *paths: PurePosixPath) -> list[tuple[str, bytes | None, bool]]:
    return [
        (item.path.name, item.staged, item.worktree) for item in opened(root).find_unsaved(paths)
    ]


def test_edited_staged_untracked_and_ignored_files_are_unsaved(root: Path) -> None:
    names = ["clean", "edited", "staged", "both", "removed"]
    paths = {name: DIRECTORY / f"{name}.yaml" for name in [*names, "untracked", "ignored", "never"]}
    put(root, ".gitignore", b"ignored.yaml\n")
    committed(root, *(paths[name] for name in names))
    for name in ("staged", "both"):
        put(root, paths[name], b"staged\n")
    git(root, "add", "--all")
    for name in ("edited", "both", "untracked", "ignored"):
        put(root, paths[name], b"mine\n")
    (root / paths["removed"]).unlink()
    assert unsaved(root, *paths.values()) == [
        ("both.yaml", b"staged\n", True),
        ("edited.yaml", None, True),
        ("ignored.yaml", None, True),
        ("staged.yaml", b"staged\n", True),
        ("untracked.yaml", None, True),
    ]


def test_only_the_index_holds_what_was_staged_and_then_put_back(root: Path) -> None:
    committed(root, BASKET)
    put(root, BASKET, b"staged\n")
    git(root, "add", "--all")
    put(root, BASKET, b"old\n")
    assert unsaved(root, BASKET) == [("basket.yaml", b"staged\n", False)]


def test_a_file_taken_out_of_the_index_is_unsaved_only_if_it_differs(root: Path) -> None:
    committed(root, BASKET, HOME)
    git(root, "rm", "--cached", "--quiet", str(BASKET), str(HOME))
    put(root, HOME, b"mine\n")
    assert unsaved(root, BASKET, HOME) == [("home.yaml", None, True)]


def test_what_differs_from_the_last_commit_is_uncommitted(root: Path) -> None:
    repository = opened(root)
    put(root, HOME)
    assert repository.find_uncommitted(DIRECTORY) == [HOME]
    names = ["clean", "gone", "staged", "touched", "converted", "edited"]
    committed(root, *(DIRECTORY / name for name in names), ODD, HOME, text=b"a\nb\n")
    git(root, "config", "core.autocrlf", "true")
    (root / DIRECTORY / "gone").unlink()
    put(root, DIRECTORY / "staged")
    git(root, "add", "--all", "customizations/staged")
    put(root, DIRECTORY / "staged", b"a\nb\n")
    put(root, DIRECTORY / "touched", b"a\nb\n")
    put(root, DIRECTORY / "converted", b"a\r\nb\r\n")
    for path in (
        DIRECTORY / "edited",
        ODD,
        DIRECTORY / "below/new.yaml",
        "elsewhere.yaml",
        "customizations.yaml",
    ):
        put(root, path, b"a\nc\n")
    index = (root / ".git/index").read_bytes()
    edited = [ODD, *(DIRECTORY / name for name in ("below/new.yaml", "edited", "gone", "staged"))]
    assert repository.find_uncommitted(DIRECTORY) == edited
    assert (root / ".git/index").read_bytes() == index


def test_what_git_status_says_besides_is_no_file(root: Path) -> None:
    committed(root, HOME)
    git(root, "config", "status.showStash", "true")
    git(root, "config", "status.branch", "true")
    put(root, HOME, b"stashed\n")
    git(root, "stash", "--quiet")
    put(root, HOME, b"edited\n")
    assert opened(root).find_uncommitted(DIRECTORY) == [HOME]


def test_a_path_means_itself_whatever_the_environment_says_of_pathspecs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = opened(root)
    committed(root, HOME)
    put(root, HOME, b"edited\n")
    for name in ("LITERAL", "GLOB", "NOGLOB"):
        with monkeypatch.context() as environment:
            environment.setenv(f"GIT_{name}_PATHSPECS", "1")
            assert repository.find_uncommitted(DIRECTORY) == [HOME]
            assert dict(repository.read_index(DIRECTORY)) == {HOME: b"old\n"}
            assert list(repository.walk_main_line("HEAD", [HOME.name]))
            assert unsaved(root, HOME) == [("home.yaml", None, True)]


def test_a_file_in_conflict_is_uncommitted(root: Path) -> None:
    committed(root, HOME)
    git(root, "switch", "--quiet", "--create", "other")
    committed(root, HOME, text=b"other\n")
    git(root, "switch", "--quiet", "main")
    committed(root, HOME, text=b"main\n")
    subprocess.run(["git", "merge", "--quiet", "other"], cwd=root, capture_output=True, check=False)
    assert opened(root).find_uncommitted(DIRECTORY) == [HOME]


def test_before_the_first_commit_every_file_is_unsaved(root: Path) -> None:
    put(root, BASKET, b"mine\n")
    put(root, HOME, b"staged\n")
    git(root, "add", str(HOME))
    assert unsaved(root, BASKET, HOME) == [
        ("basket.yaml", None, True),
        ("home.yaml", b"staged\n", True),
    ]


def test_an_intent_to_add_stages_no_work(root: Path) -> None:
    committed(root, "README.md")
    put(root, BASKET, b"mine\n")
    git(root, "add", "--intent-to-add", str(BASKET))
    assert unsaved(root, BASKET) == [("basket.yaml", None, True)]


def test_converted_line_endings_are_no_edit(root: Path) -> None:
    committed(root, BASKET, HOME)
    git(root, "config", "core.autocrlf", "true")
    git(root, "config", "core.safecrlf", "true")
    (root / BASKET).unlink()
    git(root, "checkout", "--quiet", "--", str(BASKET))
    assert (root / BASKET).read_bytes() == b"old\r\n"
    assert unsaved(root, BASKET, HOME) == []
    put(root, BASKET, b"old\r\nnew\r\n")
    assert unsaved(root, BASKET) == [("basket.yaml", None, True)]


def test_a_file_committed_with_crlf_is_no_edit_either(root: Path) -> None:
    committed(root, BASKET, text=b"old\r\n")
    git(root, "config", "core.autocrlf", "true")
    assert unsaved(root, BASKET) == []


def test_odd_names_are_told_apart(root: Path) -> None:
    star = DIRECTORY / "*.yaml"
    committed(root, ODD, star, BASKET)
    put(root, ODD, b"mine\n")
    put(root, BASKET, b"mine\n")
    assert unsaved(root, ODD, star) == [(ODD.name, None, True)]


# Committing


def test_a_commit_takes_new_changed_and_removed_files_and_nothing_else(root: Path) -> None:
    gone, never = DIRECTORY / "gone.yaml", DIRECTORY / "never.yaml"
    first = committed(root, BASKET, gone, "README.md")
    put(root, BASKET, b"new\n")
    put(root, HOME, b"new\n")
    (root / gone).unlink()
    put(root, "README.md", b"staged\n")
    put(root, DIRECTORY / "mine.yaml", b"staged\n")
    git(root, "add", "README.md", "customizations/mine.yaml")
    made = opened(root).commit([BASKET, HOME, gone, never], "Subject\n\n# not a comment\n")
    assert made == git(root, "rev-parse", "HEAD")
    assert git(root, "rev-parse", "HEAD~1") == first
    assert git(root, "log", "-1", "--format=%B") == "Subject\n\n# not a comment"
    assert git(root, "show", "--format=", "--name-status").split() == [
        "M",
        str(BASKET),
        "D",
        str(gone),
        "A",
        str(HOME),
    ]
    assert status(root) == "M  README.md\nA  customizations/mine.yaml"


def test_nothing_to_commit_is_no_commit(root: Path) -> None:
    first = committed(root, BASKET)
    put(root, "README.md", b"staged\n")
    git(root, "add", "README.md")
    assert opened(root).commit([BASKET, HOME], "message") is None
    assert git(root, "rev-parse", "HEAD") == first


def test_the_first_commit_and_one_on_a_detached_head(root: Path) -> None:
    put(root, BASKET)
    put(root, "README.md")
    git(root, "add", "README.md")
    repository = opened(root)
    assert repository.commit([BASKET], "first")
    assert git(root, "ls-tree", "-r", "--name-only", "HEAD") == str(BASKET)
    git(root, "checkout", "--quiet", "--detach")
    put(root, BASKET, b"new\n")
    made = repository.commit([BASKET], "second")
    assert made == git(root, "rev-parse", "HEAD") != git(root, "rev-parse", "main")


def test_names_mean_themselves_and_no_pattern(root: Path) -> None:
    odd = [
        DIRECTORY / "*.yaml",
        PurePosixPath("-rf/-rf.yaml"),
        ODD,
        PurePosixPath(":(glob)x/basket.yaml"),
    ]
    committed(root, BASKET)
    for path in (*odd, BASKET):
        put(root, path, b"new\n")
    assert opened(root).commit(odd, "message")
    assert status(root) == f" M {BASKET}"
    for path in odd:
        put(root, path, b"newer\n")
    made = opened(root).commit_to_branch("bot", dict.fromkeys(odd, b"newer\n"), "message")
    assert opened(root).commit(odd, "message")
    assert git(root, "rev-parse", "HEAD^{tree}") == git(
        root, "rev-parse", f"{made.commit}^{{tree}}"
    )


def test_a_file_taken_out_of_the_index_can_be_committed(root: Path) -> None:
    committed(root, BASKET)
    git(root, "rm", "--cached", "--quiet", str(BASKET))
    put(root, BASKET, b"new\n")
    assert opened(root).commit([BASKET], "message")
    assert status(root) == ""


@pytest.mark.parametrize("autocrlf", ["true", "input"])
def test_line_ending_settings_do_not_fail_a_commit(root: Path, autocrlf: str) -> None:
    git(root, "config", "core.autocrlf", autocrlf)
    git(root, "config", "core.safecrlf", "true")
    put(root, BASKET, b"a\nb\n")
    assert opened(root).commit([BASKET], "message")
    assert opened(root).read_file("HEAD", BASKET) == b"a\nb\n"


def test_a_missing_identity_is_a_clear_error_and_leaves_the_index(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in IDENTITY:
        monkeypatch.delenv(name)
    git(root, "config", "user.useConfigOnly", "true")
    put(root, BASKET)
    with pytest.raises(RepositoryError, match="in whose name") as caught:
        opened(root).commit([BASKET], "message")
    assert "git config --global user.name" in str(caught.value.hint)
    assert status(root) == f"?? {BASKET}"


def test_hooks_run_and_what_a_failing_one_leaves_is_undone(root: Path) -> None:
    committed(root, BASKET)
    hook(
        root,
        "pre-commit",
        "git diff --cached --name-only -- '*.yaml'; echo 'too \x1b[31mlate' >&2; exit 1",
    )
    put(root, BASKET, b"new\n")
    put(root, HOME, b"new\n")
    put(root, "README.md")
    git(root, "add", "README.md")
    before = status(root)
    with pytest.raises(RepositoryError, match="hook") as caught:
        opened(root).commit([BASKET, HOME], "message")
    assert f"{BASKET}\n{HOME}\ntoo \\u001b[31mlate" in str(caught.value)
    assert status(root) == before


def test_a_hook_that_refuses_the_first_commit_leaves_the_index_too(root: Path) -> None:
    hook(root, "pre-commit", "exit 1")
    put(root, BASKET)
    put(root, "README.md")
    git(root, "add", "README.md")
    with pytest.raises(RepositoryError, match="git commit ended with status 1"):
        opened(root).commit([BASKET], "message")
    assert status(root) == f"A  README.md\n?? {BASKET}"


def test_a_hook_may_change_the_message(root: Path) -> None:
    hook(root, "commit-msg", 'echo "Ticket: 7" >> "$1"')
    put(root, BASKET)
    opened(root).commit([BASKET], "message\n")
    assert "Ticket: 7" in git(root, "log", "-1", "--format=%B")


def test_signing_is_asked_for_as_configured(root: Path, tmp_path: Path) -> None:
    committed(root, BASKET)
    program = tmp_path / "sign"
    program.write_text("#!/bin/sh\necho 'no such key' >&2\nexit 1\n")
    program.chmod(0o755)
    git(root, "config", "commit.gpgSign", "true")
    git(root, "config", "gpg.program", str(program))
    put(root, BASKET, b"new\n")
    with pytest.raises(RepositoryError, match="gpg failed to sign"):
        opened(root).commit([BASKET], "message")
    with pytest.raises(RepositoryError, match="gpg failed to sign"):
        opened(root).commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert status(root) == f" M {BASKET}"


def test_during_a_merge_the_error_says_so(root: Path) -> None:
    conflicting(root)
    put(root, HOME)
    with pytest.raises(RepositoryError, match="a merge is under way") as caught:
        opened(root).commit([HOME], "message")
    assert "conclude or abort" in str(caught.value.hint)
    assert f"?? {HOME}" in status(root)


def test_what_keeps_git_from_a_commit_is_known_beforehand(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(root)
    with pytest.raises(RepositoryError, match="a merge is under way") as caught:
        opened(root).check_commit([])
    assert "git status" in str(caught.value.hint)
    other = git(root, "rev-parse", "MERGE_HEAD")
    git(root, "merge", "--abort")
    opened(root).check_commit([])
    subprocess.run(["git", "cherry-pick", other], cwd=root, capture_output=True, check=False)
    with pytest.raises(RepositoryError, match="a cherry-pick is under way"):
        opened(root).check_commit([])
    git(root, "cherry-pick", "--abort")
    for name in IDENTITY:
        monkeypatch.delenv(name)
    git(root, "config", "user.useConfigOnly", "true")
    with pytest.raises(RepositoryError, match="in whose name"):
        opened(root).check_commit([])


def test_a_revert_is_not_concluded_by_the_way(root: Path) -> None:
    committed(root, BASKET)
    committed(root, HOME)
    git(root, "revert", "--no-commit", "HEAD")
    put(root, BASKET, b"new\n")
    before = git(root, "rev-parse", "HEAD")
    with pytest.raises(RepositoryError, match="a revert is under way"):
        opened(root).commit([BASKET], "message")
    assert git(root, "rev-parse", "HEAD", "REVERT_HEAD").splitlines() == [before, before]


@pytest.mark.parametrize("unmerged", [True, False])
def test_a_stop_of_a_rebase_is_an_obstacle_only_with_conflicts(root: Path, unmerged: bool) -> None:
    committed(root, BASKET, HOME)
    git(root, "switch", "--quiet", "--create", "theirs")
    committed(root, HOME, text=b"theirs\n")
    git(root, "switch", "--quiet", "main")
    committed(root, HOME, text=b"ours\n")
    subprocess.run(["git", "rebase", "theirs"], cwd=root, capture_output=True, check=False)
    put(root, BASKET, b"new\n")
    if unmerged:
        with pytest.raises(
            RepositoryError, match=f"^{HOME} has an unresolved merge conflict"
        ) as caught:
            opened(root).commit([BASKET], "message")
        assert "git add" in str(caught.value.hint)
        return
    git(root, "checkout", "--quiet", "--theirs", str(HOME))
    git(root, "add", str(HOME))
    assert opened(root).commit([BASKET], "message")
    assert git(root, "show", "--name-only", "--format=") == str(BASKET)


@pytest.mark.parametrize("folder", ["customizations", "customizations/sk", "a*b", ":(x"])
def test_what_git_ignores_is_known_before_it_is_written(root: Path, folder: str) -> None:
    put(root, ".gitignore", b"*.yaml\n!elsewhere/*\n")
    path = PurePosixPath(folder, "basket.yaml")
    committed(root)
    with pytest.raises(
        RepositoryError, match=re.escape(f"git ignores {path}, as a .gitignore says")
    ):
        opened(root).check_commit([PurePosixPath("elsewhere/basket.yaml"), path])
    with pytest.raises(RepositoryError, match=re.escape(f"git ignores {path}, ")):
        opened(root).commit_to_branch("bot", {path: b"new\n"}, "message")
    assert git(root, "branch", "--list", "bot") == ""
    put(root, path)
    git(root, "add", "--force", "--", f"./{path}")
    git(root, "commit", "--quiet", "--message=all the same")
    opened(root).check_commit([path])
    assert opened(root).commit_to_branch("bot", {path: b"new\n"}, "message").commit


@pytest.mark.parametrize("kind", ["repository", "submodule"])
def test_a_repository_inside_is_not_committed_into(root: Path, kind: str) -> None:
    committed(root, "README.md")
    if kind == "repository":
        (root / DIRECTORY).mkdir()
        git(root / DIRECTORY, "init", "--quiet")
    else:
        put(root, DIRECTORY / ".git", b"gitdir: ../.git/modules/customizations\n")
    repository = opened(root)
    put(root, DIRECTORY / "sk/basket.yaml")
    with pytest.raises(RepositoryError, match="customizations is a git repository of its own"):
        repository.check_commit([DIRECTORY / "sk/basket.yaml"])
    with pytest.raises(RepositoryError, match="customizations is a git repository of its own"):
        repository.commit([DIRECTORY / "sk/basket.yaml"], "message")
    with pytest.raises(RepositoryError, match="customizations is a git repository of its own"):
        repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert git(root, "branch", "--list", "bot") == ""


@pytest.mark.parametrize("prefix", ["", "fatal: "])
def test_a_hook_shows_no_secret_of_the_environment(
    root: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "abc-private\n")
    monkeypatch.setenv("DEPLOY_TOKEN", "abc-private-and-more")
    hook(
        root, "pre-commit", f'echo "{prefix}with $DEPLOY_TOKEN or $PINSYNC_PRIVATE_KEY" >&2; exit 1'
    )
    put(root, BASKET)
    with pytest.raises(
        RepositoryError, match="with <DEPLOY_TOKEN> or <PINSYNC_PRIVATE_KEY>"
    ) as caught:
        opened(root).commit([BASKET], "message")
    assert "private" not in caught.value.message


def test_folders_of_a_commit(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    (root / DIRECTORY / "link").symlink_to("sk")
    committed(root, BASKET, DIRECTORY / "sk/basket.yaml", DIRECTORY / "cz/deep/basket.yaml")
    assert opened(root).list_folders("HEAD", DIRECTORY) == ["cz", "sk"]
    assert opened(root).list_folders("HEAD", PurePosixPath("elsewhere")) == []


def test_an_ignored_file_is_a_clear_error(root: Path) -> None:
    put(root, ".gitignore", b"customizations/\n")
    committed(root)
    put(root, BASKET)
    with pytest.raises(RepositoryError, match=f"git ignores {BASKET}"):
        opened(root).commit([BASKET], "message")


def test_what_git_says_when_it_fails_is_one_line_of_its_message(root: Path) -> None:
    committed(root, BASKET)
    put(root, BASKET, b"new\n")
    put(root, ".git/HEAD.lock")
    with pytest.raises(
        RepositoryError,
        match=r"^git commit failed: .*Unable to create '.*HEAD.lock': File exists\.$",
    ):
        opened(root).commit([BASKET], "message")


@pytest.mark.parametrize("linked", [False, True])
def test_another_git_at_work_is_an_obstacle(root: Path, tmp_path: Path, linked: bool) -> None:
    committed(root, BASKET)
    top = root
    if linked:
        top = tmp_path / "linked"
        git(root, "worktree", "add", "--quiet", str(top))
    lock = Path(git(top, "rev-parse", "--path-format=absolute", "--git-path", "index.lock"))
    opened(top).check_commit([])
    lock.touch()
    with pytest.raises(
        RepositoryError, match=r"another git process seems .*index\.lock exists$"
    ) as caught:
        opened(top).check_commit([])
    assert "remove that file" in str(caught.value.hint)
    lock.unlink()
    opened(top).check_commit([])


def test_a_hook_whose_commit_holds_the_index_is_no_obstacle_to_itself(root: Path) -> None:
    committed(root, BASKET)
    script = (
        "from pathlib import Path\n"
        "from pinsync.repository import Repository\n"
        "Repository.discover(Path.cwd()).check_commit([])\n"
    )
    put(root, "hook.py", script.encode())
    hook(
        root,
        "pre-commit",
        f'case $GIT_INDEX_FILE in *.git/index.lock) "{sys.executable}" hook.py;; *) exit 1; esac',
    )
    put(root, BASKET, b"new\n")
    git(root, "commit", "--quiet", "--all", "--message=x")


MOVED = "[ $1 = committed ] && grep -q refs/heads/main || exit 0; "
"""For a hook on references, so that it goes on only once the branch is moved; git then still has to
write the index.
"""


def told(error: RepositoryError) -> str:
    """The commands that a hint tells to run."""
    return (error.hint or "").partition("once no other git is running: ")[2]


@pytest.mark.parametrize("first", [False, True], ids=["a later commit", "the first commit"])
@pytest.mark.parametrize(
    ("name", "script", "ending", "remains"),
    [
        (
            "reference-transaction",
            f"{MOVED}kill -KILL $PPID",
            "it was killed by signal 9",
            "rm .*index.lock && git -C",
        ),
        (
            "reference-transaction",
            f"{MOVED}kill -TERM $PPID",
            "it was killed by signal 15",
            "git -C",
        ),
        ("reference-transaction", f"{MOVED}rm .git/index.lock", "unable to write\nnew", "git -C"),
        ("post-commit", "kill -KILL $PPID", "it was killed by signal 9", ""),
    ],
    ids=["killed", "terminated", "unwritable index", "killed at the end"],
)
def test_a_commit_that_git_made_before_it_failed_stands(
    first: bool, name: str, script: str, ending: str, remains: str, root: Path
) -> None:
    gone, odd = DIRECTORY / "gone.yaml", DIRECTORY / "[a] 'b'.yaml"
    if not first:
        committed(root, BASKET, gone)
        (root / gone).unlink()
    put(root, "README.md", b"staged\n")
    git(root, "add", "README.md")
    for path in (BASKET, odd):
        put(root, path, b"new\n")
    repository = opened(root)
    hook(root, name, script)
    with pytest.raises(RepositoryError) as caught:
        repository.commit([BASKET, gone, odd], "message")
    made = git(root, "rev-parse", "HEAD")
    assert git(root, "log", "-1", "--format=%s") == "message"
    assert caught.value.message.startswith(f"git commit made {made[:12]}, then it ")
    assert ending in caught.value.message.replace("new_index", "new")
    assert (caught.value.hint or "").startswith("the commit stands; ")
    assert re.match(remains, told(caught.value))
    (root / ".git/hooks" / name).unlink()
    if remains:
        with pytest.raises(
            RepositoryError, match=f"the index lacks the last commit, {made[:7]}"
        ) as again:
            repository.check_index(DIRECTORY)
        assert told(again.value) == told(caught.value)
        subprocess.run(told(again.value), shell=True, cwd=root / "customizations", check=True)  # noqa: S602 - as told
    repository.check_index(DIRECTORY)
    assert status(root) == "A  README.md"
    put(root, BASKET, b"newer\n")
    assert repository.commit([BASKET, odd], "message")
    assert git(root, "show", "--format=", "--name-only") == str(BASKET)


def test_a_git_that_is_killed_before_it_moves_the_branch_commits_nothing(root: Path) -> None:
    first = committed(root, BASKET)
    put(root, BASKET, b"new\n")
    put(root, HOME, b"new\n")
    hook(root, "pre-commit", "kill -KILL $PPID")
    with pytest.raises(RepositoryError, match=r"^git commit was killed by signal 9$") as caught:
        opened(root).commit([BASKET, HOME], "message")
    assert "nothing was committed" in (caught.value.hint or "")
    assert git(root, "rev-parse", "HEAD") == first
    (root / ".git/hooks/pre-commit").unlink()
    with pytest.raises(RepositoryError, match=r"index\.lock exists"):
        opened(root).commit([BASKET, HOME], "message")
    (root / ".git/index.lock").unlink()
    assert opened(root).commit([BASKET, HOME], "message")
    assert status(root) == ""


def test_a_commit_of_somebody_elses_is_not_taken_for_ones_own(root: Path) -> None:
    committed(root, BASKET)
    put(root, BASKET, b"new\n")
    put(root, HOME, b"new\n")
    hook(
        root,
        "pre-commit",
        'git commit-tree -p HEAD -m theirs "HEAD^{tree}" | xargs git update-ref HEAD; exit 1',
    )
    with pytest.raises(SafetyError, match="HEAD moved while pinsync was at work"):
        opened(root).commit([BASKET, HOME], "message")
    assert git(root, "log", "-1", "--format=%s") == "theirs"
    assert status(root) == f" M {BASKET}\n?? {HOME}"


@pytest.mark.parametrize("how", ["in part", "with the files", "staged anew"])
def test_what_a_person_takes_back_is_no_stale_index(how: str, root: Path) -> None:
    committed(root, BASKET, HOME)
    committed(root, BASKET, HOME, text=b"new\n")
    paths = [str(BASKET), str(HOME)]
    if how == "in part":
        git(root, "reset", "--quiet", "HEAD^", "--", paths[0])
    elif how == "with the files":
        git(root, "checkout", "--quiet", "HEAD^", "--", *paths)
    else:
        put(root, BASKET, b"newer\n")
        git(root, "add", ".")
    opened(root).check_index(DIRECTORY)
    git(root, "reset", "--quiet", "HEAD^", "--", *paths)
    put(root, BASKET, b"edited since\n")
    put(root, HOME, b"new\n")
    with pytest.raises(RepositoryError, match="lacks the last commit"):
        opened(root).check_index(DIRECTORY)
    opened(root).check_index(PurePosixPath("elsewhere"))


# Committing onto a branch


def untouched(root: Path) -> tuple[str, bytes, str]:
    return (
        status(root),
        (root / ".git" / "index").read_bytes(),
        git(root, "rev-parse", "HEAD", "main"),
    )


def test_a_branch_is_made_on_top_of_head_and_all_else_stays(root: Path) -> None:
    gone = DIRECTORY / "gone.yaml"
    head = committed(root, BASKET, gone, "README.md")
    put(root, "README.md", b"staged\n")
    git(root, "add", "README.md")
    put(root, BASKET, b"mine\n")
    before = untouched(root)
    changes = {BASKET: b"new\n", ODD: b"odd\n", gone: None, DIRECTORY / "never.yaml": None}
    made = opened(root).commit_to_branch("bot/export", changes, "Subject\n\nBody\n")
    assert made == BranchResult(git(root, "rev-parse", "bot/export"), changed=True, replaced=False)
    assert untouched(root) == before
    assert git(root, "rev-parse", "bot/export~1") == head
    repository = opened(root)
    assert dict(repository.read_documents("bot/export", DIRECTORY)) == {
        BASKET: b"new\n",
        ODD: b"odd\n",
    }
    assert repository.read_file("bot/export", PurePosixPath("README.md")) == b"old\n"
    tree = git(root, "rev-parse", "bot/export^{tree}")
    message = git(root, "log", "-1", "--format=%B", "bot/export")
    assert message == f"Subject\n\nBody\n\nPinsync-Branch: bot/export\nPinsync-Tree: {tree}"


def test_a_branch_works_without_an_index(root: Path) -> None:
    committed(root, BASKET)
    (root / ".git" / "index").unlink()
    assert opened(root).commit_to_branch("bot", {BASKET: b"new\n"}, "message").commit


def test_run_again_it_replaces_its_own_commit_or_leaves_it(root: Path) -> None:
    committed(root, BASKET)
    repository = opened(root)
    first = repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message")
    assert repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message") == BranchResult(
        first.commit, False, False
    )
    second = repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message")
    assert (second.changed, second.replaced) == (True, True)
    assert git(root, "rev-list", "bot", "^main") == second.commit
    head = committed(root, HOME)
    third = repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message")
    assert third.replaced
    assert git(root, "rev-parse", "bot~1") == head
    git(root, "commit", "--quiet", "--allow-empty", "--message=empty")
    assert repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message").replaced
    assert git(root, "rev-parse", "bot~1") == git(root, "rev-parse", "HEAD")


def test_when_nothing_is_left_to_propose_an_own_branch_is_deleted_and_made_again_later(
    root: Path,
) -> None:
    committed(root, BASKET)
    repository = opened(root)
    assert repository.commit_to_branch("bot", {BASKET: b"old\n"}, "message") == BranchResult(
        None, False, False
    )
    assert git(root, "branch", "--list", "bot") == ""
    repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert repository.commit_to_branch("bot", {BASKET: b"old\n"}, "message") == BranchResult(
        None, True, True
    )
    assert git(root, "branch", "--list", "bot") == ""
    made = repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert made == BranchResult(git(root, "rev-parse", "bot"), changed=True, replaced=False)


@pytest.mark.parametrize("how", ["--no-ff", "--ff-only", "--squash"])
def test_a_merged_branch_is_used_again_or_deleted(root: Path, how: str) -> None:
    committed(root, BASKET)
    repository = opened(root)
    for text in (b"one\n", b"two\n"):
        repository.commit_to_branch("bot", {BASKET: text}, "message")
        git(root, "merge", "--quiet", how, "bot")
        if how == "--squash":
            git(root, "commit", "--quiet", "--message=squashed")
    stale = git(root, "rev-parse", "bot")
    assert repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message").commit is None
    assert git(root, "branch", "--list", "bot") == ""
    git(root, "branch", "bot", stale)
    made = repository.commit_to_branch("bot", {BASKET: b"three\n"}, "message")
    assert git(root, "rev-parse", "bot~1") == git(root, "rev-parse", "HEAD")
    assert made.replaced == (how == "--squash"), "merged, the commit is a part of the history"


def test_a_branch_of_others_is_used_at_head_and_refused_behind_it(root: Path) -> None:
    head = committed(root, BASKET)
    git(root, "branch", "bot")
    repository = opened(root)
    assert repository.commit_to_branch("bot", {BASKET: b"old\n"}, "message") == BranchResult(
        None, False, False
    )
    assert git(root, "rev-parse", "bot") == head
    committed(root, HOME)
    for text in (b"old\n", b"new\n"):
        with pytest.raises(SafetyError, match="holds commits that pinsync didn't make") as caught:
            repository.commit_to_branch("bot", {BASKET: text}, "message")
        assert caught.value.hint == "choose another name, or delete the branch if nobody needs it"
        assert git(root, "rev-parse", "bot") == head
    git(root, "branch", "--force", "bot", "HEAD")
    made = repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert made == BranchResult(git(root, "rev-parse", "bot"), changed=True, replaced=False)


def test_the_main_branch_is_not_carried_on_by_a_branch_of_its_own(root: Path) -> None:
    committed(root, BASKET)
    repository = opened(root)
    repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    git(
        root, "merge", "--quiet", "--ff-only", "bot"
    )  # after which main's last commit is one of pinsync's
    main = git(root, "rev-parse", "main")
    git(root, "switch", "--quiet", "--create", "feature")
    assert repository.commit_to_branch("main", {BASKET: b"new\n"}, "message") == BranchResult(
        None, False, False
    )
    committed(root, HOME)
    with pytest.raises(SafetyError, match="branch main holds commits that pinsync didn't make"):
        repository.commit_to_branch("main", {BASKET: b"newer\n"}, "message")
    assert git(root, "rev-parse", "main") == main


@pytest.mark.parametrize("how", ["commit", "amend", "foreign"])
def test_a_branch_with_a_persons_commits_is_refused(root: Path, tmp_path: Path, how: str) -> None:
    committed(root, BASKET)
    repository = opened(root)
    if how == "foreign":
        git(root, "branch", "bot")
    else:
        repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message")
    person = tmp_path / "person"
    git(root, "worktree", "add", "--quiet", str(person), "bot")
    put(person, HOME, b"a person's\n")
    git(person, "add", "--all")
    git(
        person,
        "commit",
        "--quiet",
        *(["--amend", "--no-edit"] if how == "amend" else ["--message=mine"]),
    )
    git(root, "worktree", "remove", str(person))
    before = git(root, "rev-parse", "bot")
    with pytest.raises(SafetyError, match="holds commits that pinsync didn't make"):
        repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message")
    assert git(root, "rev-parse", "bot") == before


@pytest.mark.parametrize("how", ["commit", "amend", "update"])
def test_an_own_branch_with_a_persons_commits_is_replaced_once_it_is_merged(
    root: Path, tmp_path: Path, how: str
) -> None:
    committed(root, BASKET)
    repository = opened(root)
    repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message")
    committed(root, HOME)
    person = tmp_path / "person"
    git(root, "worktree", "add", "--quiet", str(person), "bot")
    if how == "update":
        git(person, "merge", "--quiet", "--no-edit", "main")
    else:
        amend = ["--amend", "--no-edit"] if how == "amend" else ["--message=mine"]
        put(person, "notes.md", b"a person's\n")
        git(person, "add", "--all")
        git(person, "commit", "--quiet", *amend)
    git(root, "worktree", "remove", str(person))
    before = git(root, "rev-parse", "bot")
    with pytest.raises(SafetyError, match="holds commits that pinsync didn't make") as caught:
        repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message")
    assert caught.value.hint == "merge the branch or delete it, or choose another name"
    assert git(root, "rev-parse", "bot") == before
    git(root, "merge", "--quiet", "--no-ff", "--no-edit", "bot")
    made = repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message")
    assert made == BranchResult(git(root, "rev-parse", "bot"), changed=True, replaced=False)
    assert git(root, "rev-parse", "bot~1") == git(root, "rev-parse", "HEAD")


def test_in_a_shallow_clone_an_own_branch_is_still_replaced(root: Path, tmp_path: Path) -> None:
    committed(root, BASKET)
    opened(root).commit_to_branch("bot", {BASKET: b"one\n"}, "message")
    committed(root, HOME)
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", root.as_uri(), "shallow")
    git(tmp_path / "shallow", "branch", "bot", "origin/bot")
    made = opened(tmp_path / "shallow").commit_to_branch("bot", {BASKET: b"two\n"}, "message")
    assert made.replaced


@pytest.mark.parametrize("state", ["here", "linked", "rebase", "bisect"])
def test_a_branch_in_use_is_refused(root: Path, tmp_path: Path, state: str) -> None:
    committed(root, BASKET)
    repository = opened(root)
    repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message")
    if state == "here":
        git(root, "checkout", "--quiet", "bot")
    else:
        linked = tmp_path / "linked"
        git(root, "worktree", "add", "--quiet", str(linked), "bot")
        if state == "rebase":
            committed(root, BASKET, text=b"conflict\n")
            subprocess.run(["git", "rebase", "main"], cwd=linked, capture_output=True, check=False)
        elif state == "bisect":
            git(linked, "bisect", "start")
            git(linked, "checkout", "--quiet", "--detach")
    with pytest.raises(SafetyError, match="is checked out"):
        repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message")


def test_a_branch_that_git_moved_before_it_died_is_moved(root: Path) -> None:
    committed(root, BASKET)
    repository = opened(root)
    hook(
        root,
        "reference-transaction",
        "[ $1 = committed ] && grep -q refs/heads/bot && kill -KILL $PPID; exit 0",
    )
    made = repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert made == BranchResult(git(root, "rev-parse", "bot"), changed=True, replaced=False)
    gone = repository.commit_to_branch("bot", {BASKET: b"old\n"}, "message")
    assert gone == BranchResult(None, changed=True, replaced=True)
    assert git(root, "branch", "--list", "bot") == ""


def test_a_branch_moved_meanwhile_is_not_overwritten(root: Path) -> None:
    put(root, ".gitattributes", b"*.yaml filter=race\n")
    committed(root, BASKET)
    repository = opened(root)
    own = repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message").commit or ""
    # The filter runs between the look at the branch and its update.
    git(root, "config", "filter.race.clean", "git update-ref refs/heads/bot main; cat")
    for text, done in ((b"two\n", "moved"), (b"old\n", "deleted")):
        with pytest.raises(SafetyError, match=f"couldn't be {done}"):
            repository.commit_to_branch("bot", {BASKET: text}, "message")
        assert git(root, "rev-parse", "bot") == git(root, "rev-parse", "main")
        git(root, "update-ref", "refs/heads/bot", own)


def test_a_proposal_is_pinsyncs_own_commit_that_head_has_not(root: Path, tmp_path: Path) -> None:
    head = committed(root, BASKET)
    repository = opened(root)
    assert repository.find_proposal("bot") is None
    git(root, "branch", "bot")
    assert repository.find_proposal("bot") is None
    made = (
        repository.commit_to_branch("bot", {BASKET: b"one\n"}, "parent 1234\n\nparent 5678").commit
        or ""
    )
    committed(root, HOME)
    assert repository.find_proposal("bot") == Proposal(made, head)
    for name in ("", "-x", "a b", "bot/x"):
        assert repository.find_proposal(name) is None
    git(root, "branch", "other", "bot")
    assert repository.find_proposal("other") is None, "made for another branch"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", root.as_uri(), "shallow")
    git(tmp_path / "shallow", "branch", "bot", "origin/bot")
    assert opened(tmp_path / "shallow").find_proposal("bot") == Proposal(made, None)
    git(tmp_path / "shallow", "fetch", "--quiet", "--depth=1", "origin", head)
    assert opened(tmp_path / "shallow").find_proposal("bot") == Proposal(made, head)
    git(root, "merge", "--quiet", "--no-edit", "bot")
    assert repository.find_proposal("bot") is None


def test_before_the_first_commit_there_is_no_branch(root: Path) -> None:
    with pytest.raises(RepositoryError, match="no commit yet"):
        opened(root).commit_to_branch("bot", {BASKET: b"x"}, "message")


@pytest.mark.parametrize("name", ["", "-x", "a b", "a..b", "@{-1}", "HEAD", "a\nb", "x.lock"])
def test_a_name_that_no_branch_can_have_is_refused(root: Path, name: str) -> None:
    committed(root, BASKET)
    with pytest.raises(RepositoryError, match="can't be a branch's name"):
        opened(root).commit_to_branch(name, {BASKET: b"x"}, "message")


def test_an_empty_name_is_seen(root: Path) -> None:
    committed(root, BASKET)
    with pytest.raises(RepositoryError, match=r"^'' can't be a branch's name"):
        opened(root).commit_to_branch("", {BASKET: b"x"}, "message")


def test_a_full_name_of_a_reference_is_refused_with_the_short_one(root: Path) -> None:
    committed(root, BASKET)
    with pytest.raises(RepositoryError, match="expected a name without refs/") as caught:
        opened(root).commit_to_branch("refs/heads/bot/x", {BASKET: b"x"}, "message")
    assert str(caught.value.hint).endswith(": bot/x")


@pytest.mark.parametrize(
    ("there", "wanted"), [("bot", "bot/a/b"), ("bot/a/b", "bot"), ("bot/a", "bot/a/b")]
)
def test_a_branch_that_another_leaves_no_room_for_is_refused(
    root: Path, there: str, wanted: str
) -> None:
    committed(root, BASKET)
    git(root, "branch", there)
    with pytest.raises(RepositoryError, match=f"a branch {wanted} beside {there}:") as caught:
        opened(root).commit_to_branch(wanted, {BASKET: b"new\n"}, "message")
    assert f"git branch -m {there}" in str(caught.value.hint)
    git(root, "branch", "robot/a")
    git(root, "branch", "bots")
    git(root, "branch", "-D", there)
    assert opened(root).commit_to_branch(wanted, {BASKET: b"new\n"}, "message").changed


def test_a_tag_of_the_same_name_is_no_obstacle(root: Path) -> None:
    committed(root, BASKET)
    repository = opened(root)
    repository.commit_to_branch("bot", {BASKET: b"one\n"}, "message")
    committed(root, HOME)
    git(root, "tag", "bot", "HEAD~1")
    assert repository.commit_to_branch("bot", {BASKET: b"two\n"}, "message").replaced
    assert git(root, "rev-parse", "refs/heads/bot~1") == git(root, "rev-parse", "HEAD")
    assert git(root, "rev-parse", "refs/tags/bot") == git(root, "rev-parse", "HEAD~1")


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1"])
def test_a_name_beyond_ascii_is_known_again(root: Path, encoding: str) -> None:
    committed(root, BASKET)
    git(root, "config", "i18n.logOutputEncoding", encoding)
    for text in (b"one\n", b"two\n"):
        made = opened(root).commit_to_branch("piny/živé", {BASKET: text}, "message")
    assert made.replaced


def test_a_branch_keeps_the_mode_of_a_file_and_refuses_links(root: Path) -> None:
    put(root, BASKET)
    (root / BASKET).chmod(0o755)
    (root / HOME).symlink_to("basket.yaml")
    (root / DIRECTORY / "shop").symlink_to("..")
    committed(root)
    repository = opened(root)
    repository.commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert git(root, "ls-tree", "bot", str(BASKET)).startswith("100755 ")
    for path in (HOME, DIRECTORY / "shop" / "x.yaml"):
        with pytest.raises(FileError, match="link"):
            repository.commit_to_branch("bot", {path: b"new\n"}, "message")


def test_a_branch_is_stored_through_the_filters(root: Path) -> None:
    put(root, ".gitattributes", b"*.yaml text eol=lf\n")
    committed(root, BASKET)
    repository = opened(root)
    repository.commit_to_branch("bot", {BASKET: b"a\r\nb\r\n"}, "message")
    assert repository.read_file("bot", BASKET) == b"a\nb\n"


def test_a_branch_without_an_identity_is_a_clear_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(root, BASKET)
    for name in IDENTITY:
        monkeypatch.delenv(name)
    git(root, "config", "user.useConfigOnly", "true")
    with pytest.raises(RepositoryError, match="in whose name"):
        opened(root).commit_to_branch("bot", {BASKET: b"new\n"}, "message")
    assert git(root, "branch", "--list", "bot") == ""


def test_an_empty_dot_git_makes_no_other_repository_for_a_hook(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "below/.git").mkdir(parents=True)
    monkeypatch.setenv("GIT_DIR", str(root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(root))
    found = Repository.discover(root / "below")
    assert found is not None
    assert (found.root, found.git_dir) == (root, root / ".git")


def test_the_environment_of_a_hook_in_another_repository_is_not_this_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "there"):
        subprocess.run(["git", "init", "--quiet", str(tmp_path / name)], check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "there/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "there/.git/index.lock"))
    found = Repository.discover(tmp_path / "here")
    assert found is not None
    assert (found.root, found.git_dir) == (tmp_path / "here", tmp_path / "here/.git")
    assert list(found.read_index(PurePosixPath("customizations"))) == []
    monkeypatch.delenv("GIT_DIR")
    assert list(found.read_index(PurePosixPath("customizations"))) == []


# A partial clone.


@pytest.fixture
def partial(root: Path, tmp_path: Path) -> Path:
    """A clone without blobs of a repository with three documents."""
    for name in ("basket", "home", "other"):
        put(root, f"customizations/{name}.yaml", f"{name}\n".encode())
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "Three")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(root, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "partial"
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--no-checkout",
        "--filter=blob:none",
        root.as_uri(),
        str(clone),
    )
    return clone


@pytest.mark.parametrize("linked", [False, True], ids=["clone", "linked worktree"])
def test_a_partial_clone_fetches_its_documents_in_one_batch(
    linked: bool, partial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if linked:
        git(partial, "worktree", "add", "--quiet", "--no-checkout", str(tmp_path / "linked"))
        partial = tmp_path / "linked"
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    found = dict(opened(partial).read_documents("HEAD", PurePosixPath("customizations")))
    assert [text for _, text in sorted(found.items())] == [b"basket\n", b"home\n", b"other\n"]
    assert trace.read_text().count("trace: built-in: git fetch") == 1
    dict(opened(partial).read_documents("HEAD", PurePosixPath("customizations")))
    assert trace.read_text().count("trace: built-in: git fetch") == 1, (
        "what is there is not fetched again"
    )


def test_a_partial_clone_whose_remote_is_gone_says_so(partial: Path, root: Path) -> None:
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(
        RepositoryError, match="this partial clone lacks 3 documents of HEAD, and origin doesn't"
    ) as error:
        dict(opened(partial).read_documents("HEAD", PurePosixPath("customizations")))
    assert "clone without --filter" in str(error.value.hint)
