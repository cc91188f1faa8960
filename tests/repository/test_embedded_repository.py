"""A committed folder that looks like a bare repository: git takes no setting from it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from pinsync.errors import RepositoryError
from pinsync.repository import Repository
from support.exporting import STRINGS, put, repinned
from support.paths import ROOT
from support.terminals import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

SETTINGS = """\
[core]
\trepositoryformatversion = 0
\tbare = false
\tworktree = {worktree}
\tpager = {program} pager; cat
\tfsmonitor = {program} fsmonitor
\thooksPath = hooks
\tsshCommand = {program} ssh
\teditor = {program} editor
[filter "mark"]
\tclean = {program} clean; cat
\tsmudge = {program} smudge; cat
[diff]
\texternal = {program} diff
[diff "mark"]
\ttextconv = {program} textconv
[gpg]
\tprogram = {program} gpg
[log]
\tshowSignature = true
[commit]
\tgpgSign = true
[alias]
\tshow = !{program} alias
[include]
\tpath = more
[user]
\tname = Mallory
\temail = mallory@example.com
"""
HOOKS = (
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-index-change",
    "reference-transaction",
)
# Git before 2.38 ignores the setting; here it never gets to git.
OLD_GIT = """\
#!/bin/sh
for argument do
    shift
    case $argument in safe.bareRepository=*) argument=core.safecrlf=false ;; esac
    set -- "$@" "$argument"
done
exec {git} "$@"
"""


@pytest.fixture(params=["this git", "an old git"])
def marks(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a program of the embedded repository would leave its name."""
    git = shutil.which("git")
    assert git
    if request.param == "an old git":
        put(tmp_path / "bin/git", OLD_GIT.format(git=git)).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "marks"


def embed(folder: Path, marks: Path, worktree: Path) -> None:
    """Make a folder look like a bare repository whose configuration runs a program wherever git
    runs one.
    """
    program = put(marks.parent / "mark", f'#!/bin/sh\necho "$1" >>"{marks}"\n')
    program.chmod(0o755)
    put(folder / "HEAD", "ref: refs/heads/main\n")
    put(folder / "config", SETTINGS.format(worktree=worktree, program=program))
    put(folder / "more", f"[core]\n\tpager = {program} included; cat\n")
    for name in ("objects", "refs"):
        put(folder / name / ".keep", "")
    for name in HOOKS:
        put(folder / "hooks" / name, f"#!/bin/sh\n{program} {name}\n").chmod(0o755)


@pytest.fixture(params=[".", ".."], ids=["its own tree", "the outer tree"])
def shop(request: pytest.FixtureRequest, repository: Path, marks: Path, git: Git) -> Path:
    """A folder with a configuration of pinsync's in a repository; to git, a bare repository."""
    folder = repository / "shop"
    embed(folder, marks, folder / request.param)
    put(folder / "pinsync.yaml", "format: 1\n")
    put(repository / ".gitattributes", "* filter=mark diff=mark\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "All of this is in a pull request")
    return folder


def test_the_repository_is_the_one_around_it(shop: Path, repository: Path) -> None:
    for start in (shop, shop / "objects"):
        found = Repository.discover(start)
        assert found is not None
        assert (found.root, found.git_dir) == (repository, repository / ".git")


def test_no_command_runs_its_programs(
    shop: Path,
    api: Sandbox,
    marks: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(shop)
    assert pinsync("export", "--commit").code == 0
    assert git("-C", "..", "log", "-1", "--format=%an") == "Test"
    repinned(api, STRINGS)
    assert pinsync("export", "--check").code == 1
    assert pinsync("export", "--branch", "pins").code == 0
    assert pinsync("diff").code == 1
    assert pinsync("diff", "main", "@index").code == 0
    assert pinsync("lint").code == 0
    assert pinsync("fmt").code == 0
    for command in ("show", "blame"):
        assert pinsync(command, "basket", "--rev", "main").code == 0
    assert pinsync("history").code == 0
    assert not marks.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize("command", ["show", "blame", "history"])
def test_on_a_terminal_its_pager_is_not_run(
    command: str,
    shop: Path,
    api: Sandbox,
    marks: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert api.customizations()
    monkeypatch.chdir(shop)
    monkeypatch.setenv("PAGER", "sed s/^/paged:/")
    assert pinsync("export", "--commit").code == 0
    code, sent, err = Terminal(command=command, environ={}).end()
    assert (code, err) == (0, "")
    assert sent.startswith("paged:")
    assert "basket" in sent
    assert not marks.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_outside_a_repository_its_pager_is_not_run_either(
    folder: Path, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration, and with it the documents, lie elsewhere; the current folder is the bare
    repository.
    """
    embed(folder / "bare", marks, folder)
    put(folder / "shop/pinsync.yaml", "format: 1\n")
    put(
        folder / "shop/customizations/basket.yaml", "format: 1\nmodel: basket\ncustomizations: []\n"
    )
    monkeypatch.chdir(folder / "bare")
    monkeypatch.setenv("PAGER", "sed s/^/paged:/")
    code, sent, err = Terminal("--config", "../shop/pinsync.yaml", environ={}).end()
    assert (code, err) == (0, "")
    assert sent.startswith("paged:\x1b[1mbasket")
    assert not marks.exists()


def test_without_a_repository_around_it_there_is_no_working_tree(folder: Path, marks: Path) -> None:
    embed(folder / "bare", marks, folder)
    for start in (folder / "bare", folder / "bare/objects"):
        with pytest.raises(RepositoryError, match="has no working tree"):
            Repository.discover(start)
    assert not marks.exists()


@pytest.mark.usefixtures("marks")
def test_a_linked_worktree_of_a_bare_clone_works_in_hooks_too(
    repository: Path,
    tmp_path: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(repository / "customizations/basket.yaml", "format: 1\nmodel: basket\ncustomizations: []\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "First")
    bare, linked = tmp_path / "bare.git", tmp_path / "linked"
    git("clone", "--quiet", "--bare", ".", str(bare))
    git("--git-dir", str(bare), "worktree", "add", "--quiet", "-b", "side", str(linked))
    monkeypatch.chdir(linked)
    assert pinsync("history").code == 0
    found = Repository.discover(linked)
    assert found is not None
    assert (found.root, found.git_dir) == (linked, bare / "worktrees/linked")
    script = f'#!/bin/sh\n"{sys.executable}" -m pinsync diff HEAD @index >"{tmp_path}/seen" 2>&1\n'
    put(bare / "hooks/pre-commit", script).chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    put(linked / "notes.txt", "mine\n")
    git("add", ".")
    git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "Second")
    assert (
        tmp_path / "seen"
    ).read_text() == "In sync: what is staged is the same as HEAD (0 rules)\n"


@pytest.mark.usefixtures("marks")
def test_a_bare_repository_that_the_environment_names_works(
    repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("commit", "--quiet", "--allow-empty", "-m", "First")
    bare, tree = tmp_path / "bare.git", tmp_path / "tree"
    git("clone", "--quiet", "--bare", str(repository), str(bare))
    tree.mkdir()
    monkeypatch.setenv("GIT_DIR", str(bare))
    monkeypatch.setenv("GIT_WORK_TREE", str(tree))
    monkeypatch.chdir(tree)
    found = Repository.discover(tree)
    assert found is not None
    assert (found.root, found.git_dir, found.resolve_head()) == (
        tree,
        bare,
        git("rev-parse", "HEAD"),
    )
    git("config", "core.pager", "its own")
    assert found.read_pager() == "its own"
