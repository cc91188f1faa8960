"""``export --commit`` and ``export --branch``: what is recorded, and all that is left alone."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Sandbox, parse_fault
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    state,
    untouched,
)

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git


def hook(root: Path, name: str, script: str) -> None:
    place = put(root / ".git" / "hooks" / name, f"#!/bin/sh\n{script}\n")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)


def files(root: Path) -> dict[str, tuple[bytes, int, int]]:
    return {name: value for name, value in state(root).items() if not name.startswith(".git/")}


@pytest.mark.usefixtures("exported")
def test_a_commit_of_an_id_has_what_an_earlier_export_removed(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    """Neither the shop nor the files have the rule any more, but HEAD does."""
    api.delete(HOME)
    repinned(api, STRINGS)
    assert pinsync("export", "--id", HOME).code == 0
    result = pinsync("export", "--commit", "--id", HOME[:6])
    assert result.code == 0, result.err
    assert git("show", "--name-status", "--format=") == "D\tcustomizations/home.yaml"
    assert git("log", "-1", "--format=%B").endswith("\nPinsync-Export: 1234-5678\n")
    assert pinsync("export", "--commit", "--id", HOME).code == 2


@pytest.mark.usefixtures("repository")
def test_the_commit_tells_the_changes(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    result = pinsync("export", "--commit")
    assert result.code == 0
    assert f"committed {git('rev-parse', 'HEAD')[:12]}\n" in result.err
    assert git("log", "-1", "--format=%B") == (
        "Export pins: 3 added\n\nmodel basket:\n  rule added: “Strings: 9-42 #1” (/p/123/)\n"
        "  rule added: every visitor\n\n"
        "model home:\n  rule added: /p/1/\n\n"
        "Pinsync-Export: 1234-5678\n"
    )
    assert git("status", "--porcelain") == ""
    repinned(api, STRINGS)
    api.delete(HOME)
    assert pinsync("export", "--commit").code == 0
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed, 1 removed"
    assert (
        git("show", "--name-status", "--format=")
        == "M\tcustomizations/basket.yaml\nD\tcustomizations/home.yaml"
    )


@pytest.mark.usefixtures("api", "repository")
def test_a_message_of_ones_own(pinsync: CommandLine, git: Git) -> None:
    assert pinsync("export", "--commit", "-m", "Pins\n\n#1 of many").code == 0
    assert git("log", "-1", "--format=%B") == ("Pins\n\n#1 of many\n\nPinsync-Export: 1234-5678\n")


@pytest.mark.usefixtures("repository")
def test_titles_are_data_in_the_message(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    edited(api, STRINGS, target_metadata={"title": "a\nCo-authored-by: x\x1b[31m\u202e"})
    assert pinsync("export", "--commit").code == 0
    assert r"“a\nCo-authored-by: x\u001b[31m\u202e” (/p/123/)" in git("log", "-1", "--format=%B")


def test_where_nothing_changed_there_is_no_commit(exported: Path, pinsync: CommandLine) -> None:
    with untouched(exported):
        result = pinsync("export", "--commit")
    assert result.code == 0
    assert "nothing to commit" in result.err


def test_what_else_is_staged_stays_staged(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "notes.txt", "mine\n")
    put(exported / "draft.txt", "not staged\n")
    git("add", "notes.txt")
    repinned(api, STRINGS)
    assert pinsync("export", "--commit").code == 0
    assert git("show", "--name-only", "--format=") == "customizations/basket.yaml"
    assert git("status", "--porcelain") == "A  notes.txt\n?? draft.txt"


@pytest.mark.usefixtures("exported")
def test_an_earlier_export_is_committed_too(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    repinned(api, STRINGS)
    api.delete(HOME)
    assert pinsync("export").code == 0
    repinned(api, EVERYONE)
    assert pinsync("export", "--commit").code == 0
    assert git("status", "--porcelain") == ""
    assert git("log", "-1", "--format=%s") == "Export pins: 2 changed, 1 removed"


@pytest.mark.usefixtures("exported")
def test_even_if_by_now_it_is_in_sync(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    repinned(api, STRINGS)
    assert pinsync("export").code == 0
    assert pinsync("export", "--commit").code == 0
    assert git("status", "--porcelain") == ""
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed"


@pytest.mark.usefixtures("exported")
def test_a_persons_comment_in_an_unchanged_file_is_not_committed(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    document("home").write_text("# mine\n" + document("home").read_text())
    repinned(api, STRINGS)
    assert pinsync("export", "--commit").code == 0
    assert git("show", "--name-only", "--format=") == "customizations/basket.yaml"
    assert git("status", "--porcelain") == " M customizations/home.yaml"


def test_hooks_run(api: Sandbox, exported: Path, pinsync: CommandLine, git: Git) -> None:
    hook(exported, "commit-msg", 'echo "Checked-by: hook" >>"$1"')
    repinned(api, STRINGS)
    assert pinsync("export", "--commit").code == 0
    assert git("log", "-1", "--format=%B").endswith("Checked-by: hook\n")


def test_a_refusal_of_the_lint_hook_names_the_option_that_ignores_findings(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    hook(
        exported,
        "pre-commit",
        f"'{sys.executable}' -m pinsync lint --strict customizations/home.yaml",
    )
    edited(api, HOME, unheard_of=1)
    result = pinsync("export", "--commit")
    assert result.code == 2
    assert "warning unknown-field" in result.err
    assert "pinsync lint --add-ignores, then run the command again" in result.err
    assert pinsync("lint", "--add-ignores").code == 0
    assert pinsync("export", "--commit").code == 0
    assert (
        git("show", "HEAD:customizations/home.yaml").count("# pinsync: ignore[unknown-field]") == 1
    )


def test_a_hook_that_refuses_is_quoted_and_the_index_is_as_it_was(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    hook(exported, "pre-commit", "echo 'no pins on \033[31mFridays' >&2; exit 1")
    put(exported / "notes.txt", "mine\n")
    git("add", "notes.txt")
    before = git("rev-parse", "HEAD"), git("ls-files", "--stage")
    edited(api, HOME, model="new")
    result = pinsync("export", "--commit")
    assert result.code == 2
    assert r"no pins on \u001b[31mFridays" in result.err
    assert "run the command again" in result.err
    assert (git("rev-parse", "HEAD"), git("ls-files", "--stage")) == before
    assert document("new").exists()
    (exported / ".git/hooks/pre-commit").unlink()
    assert pinsync("export", "--commit").code == 0
    assert git("status", "--porcelain") == "A  notes.txt"


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_a_git_that_dies_after_the_commit_is_told_of_until_the_index_is_right(
    signal: str, api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    script = f"[ $1 = committed ] && grep -q refs/heads/main && kill -{signal} $PPID; exit 0"
    hook(exported, "reference-transaction", script)
    repinned(api, STRINGS)
    edited(api, HOME, model="new")
    result = pinsync("export", "--commit")
    commit = git("rev-parse", "HEAD")
    assert git("log", "-1", "--format=%s") == "Export pins: 2 changed"
    assert result.code == 2
    assert f"error: git commit made {commit[:12]}, then it was killed by signal " in result.err
    assert "hook" not in result.err
    told = result.err.partition("once no other git is running: ")[2]
    (exported / ".git/hooks/reference-transaction").unlink()
    for position in (7, 8):  # the same as before, and something new
        repinned(api, STRINGS, position)
        for options in ([], ["--force"], ["--commit"])[2 if position == 7 else 0 :]:
            with untouched(exported):
                result = pinsync("export", *options)
            assert result.code == 2
            assert (
                f"the index lacks the last commit, {commit[:7]}, and the next one would take "
                f"it back"
            ) in result.err
            assert told in result.err
    subprocess.run(told, shell=True, check=True)  # noqa: S602 - as told
    assert git("status", "--porcelain") == ""
    result = pinsync("export", "--commit")
    assert result.code == 0, result.err
    assert git("show", "--name-only", "--format=") == "customizations/basket.yaml"
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("source", ["PINSYNC_PRIVATE_KEY_FILE", "PINSYNC_PRIVATE_KEY_COMMAND"])
def test_a_key_from_elsewhere_that_a_hook_prints_is_not_shown(
    source: str, api: Sandbox, exported: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    key = os.environ["PINSYNC_PRIVATE_KEY"]
    place = put(exported.parent / "key", key)
    monkeypatch.delenv("PINSYNC_PRIVATE_KEY")
    monkeypatch.setenv(source, f"cat {place}" if source.endswith("COMMAND") else str(place))
    header = base64.b64encode(f"1234-5678:{key}".encode()).decode()
    hook(
        exported,
        "pre-commit",
        f"cat {place}; echo; echo 'Basic {header}'; echo '{key.encode().hex()}'; exit 1",
    )
    repinned(api, STRINGS)
    result = pinsync("export", "--commit")
    assert (result.code, key in result.err) == (2, False)
    assert result.err.count("<private key>") == 3


@pytest.mark.usefixtures("api")
def test_without_an_identity_the_remedy_is_named_and_nothing_written(
    repository: Path, pinsync: CommandLine, git: Git
) -> None:
    git("config", "--unset", "user.name")
    git("config", "--unset", "user.email")
    git("config", "user.useConfigOnly", "true")
    with untouched(repository):
        result = pinsync("export", "--commit")
    assert result.code == 2
    assert "git doesn't know in whose name to commit" in result.err
    assert "git config --global user.email" in result.err


def test_during_a_merge_nothing_is_written(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("switch", "--quiet", "--create", "theirs")
    git("commit", "--quiet", "--allow-empty", "-m", "Theirs")
    git("switch", "--quiet", "main")
    git("commit", "--quiet", "--allow-empty", "-m", "Ours")
    git("merge", "--quiet", "--no-commit", "theirs")
    assert "nothing to commit" in pinsync("export", "--commit").err
    repinned(api, STRINGS)
    with untouched(exported):
        result = pinsync("export", "--commit")
    assert result.code == 2
    assert "a merge is under way" in result.err
    git("commit", "--quiet", "-m", "Merged")
    assert pinsync("export", "--commit").code == 0
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed"


def test_while_another_git_holds_the_index_nothing_is_written(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    lock = exported / ".git/index.lock"
    lock.touch()
    with untouched(exported):
        result = pinsync("export", "--commit")
    assert result.code == 2
    assert (
        f"another git process seems to be running in this repository: {lock} exists" in result.err
    )
    lock.unlink()
    assert pinsync("export", "--commit").code == 0


def test_during_a_revert_nothing_is_written(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "notes.txt", "mine\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Notes")
    git("revert", "--no-commit", "HEAD")
    repinned(api, STRINGS)
    with untouched(exported):
        result = pinsync("export", "--commit")
    assert result.code == 2
    assert "a revert is under way" in result.err
    assert pinsync("export").code == 0
    head = git("rev-parse", "HEAD")
    assert pinsync("export", "--commit").code == 2, "what an earlier export wrote is no way round"
    assert git("rev-parse", "HEAD") == head


@pytest.mark.usefixtures("exported")
def test_in_a_rebase_with_conflicts_nothing_is_written(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("switch", "--quiet", "--create", "theirs")
    for branch in ("theirs", "main"):
        git("switch", "--quiet", branch)
        put(exported / "notes.txt", f"{branch}\n")
        git("add", ".")
        git("commit", "--quiet", "-m", branch)
    with pytest.raises(AssertionError, match="could not apply"):
        git("rebase", "theirs")
    repinned(api, STRINGS)
    with untouched(exported):
        result = pinsync("export", "--commit")
    assert result.code == 2
    assert "notes.txt has an unresolved merge conflict" in result.err
    git("add", ".")
    assert pinsync("export", "--commit").code == 0
    assert git("show", "--name-only", "--format=") == "customizations/basket.yaml"


@pytest.mark.parametrize("options", [["--commit"], ["--branch", "pins"]])
@pytest.mark.usefixtures("api")
def test_what_git_ignores_is_refused_before_it_is_written(
    options: list[str], repository: Path, pinsync: CommandLine, git: Git
) -> None:
    put(repository / ".gitignore", "customizations/\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Ignore")
    with untouched(repository):
        result = pinsync("export", *options)
    assert result.code == 2
    assert (
        "git ignores customizations/basket.yaml, customizations/home.yaml, as a .gitignore says"
        in result.err
    )
    assert git("branch", "--list", "pins") == ""


@pytest.mark.parametrize("options", [["--commit"], ["--branch", "pins"]])
@pytest.mark.usefixtures("api")
def test_a_repository_in_the_place_of_the_folder_is_a_clear_error(
    options: list[str], repository: Path, pinsync: CommandLine, git: Git
) -> None:
    git("commit", "--quiet", "--allow-empty", "-m", "First")
    git("init", "--quiet", "customizations")
    with untouched(repository / "customizations"):
        result = pinsync("export", *options)
    assert result.code == 2
    assert "error: customizations is a git repository of its own" in result.err
    assert git("branch", "--list", "pins") == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--commit"], "customizations is a git repository of its own"),
        (["--branch", "pins"], "HEAD:customizations: is a submodule, expected a folder"),
    ],
)
@pytest.mark.usefixtures("api")
def test_a_submodule_in_the_place_of_the_folder_is_one_too(
    options: list[str], message: str, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    git("init", "--quiet", "customizations")
    git("-C", "customizations", "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet",
        "--allow-empty", "-m", "First")  # fmt: skip
    git("-c", "advice.addEmbeddedRepo=false", "add", "customizations")
    git("commit", "--quiet", "-m", "A submodule")
    with untouched(repository / "customizations"):
        result = pinsync("export", *options)
    assert result.code == 2
    assert message in result.err


def test_outside_a_repository_commit_says_what_is_missing(
    api: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    monkeypatch.chdir(tmp_path)
    for option in (["--commit"], ["--branch", "pins"]):
        with untouched(tmp_path):
            result = pinsync("export", *option)
        assert result.code == 2
        assert f"{option[0]}: {tmp_path.resolve()} is not in a git repository" in result.err
        assert "git init" in result.err
    assert len(api.requests) == 0


@pytest.mark.usefixtures("exported")
def test_on_a_detached_head(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    git("checkout", "--quiet", "--detach")
    repinned(api, STRINGS)
    assert pinsync("export", "--commit").code == 0
    assert git("rev-parse", "HEAD^") == git("rev-parse", "main")


def test_in_a_linked_worktree(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("worktree", "add", "--quiet", "-b", "side", "../side")
    repinned(api, STRINGS)
    monkeypatch.chdir(exported.parent / "side")
    with untouched(exported / "customizations"):
        assert pinsync("export").code == 0
        repinned(api, STRINGS, 8)
        assert pinsync("export", "--commit").code == 0
    assert git("rev-parse", "side^") == git("rev-parse", "main")
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("api", "exported")
def test_committed_work_that_is_broken_is_mended(pinsync: CommandLine, git: Git) -> None:
    document().write_text("<<<<<<< HEAD\n")
    git("commit", "--quiet", "-am", "Oops")
    document().unlink()
    result = pinsync("export", "--commit")
    assert result.code == 0, result.err
    assert git("status", "--porcelain") == ""
    assert document().read_text() == BASKET_TEXT


@pytest.mark.usefixtures("exported", "git")
def test_in_a_hook_gits_own_variables_lead_nowhere_else(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    repinned(api, STRINGS)
    monkeypatch.setenv("GIT_DIR", ".git")
    assert pinsync("export").code == 0
    repinned(api, STRINGS, 8)
    assert pinsync("export").code == 0


# --branch


def test_a_branch_is_made_and_all_else_stays(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "notes.txt", "mine\n")
    git("add", "notes.txt")
    document("home").write_text("unsaved: work\n")
    repinned(api, STRINGS)
    before = (
        files(exported),
        git("ls-files", "--stage"),
        git("symbolic-ref", "HEAD"),
        git("rev-parse", "HEAD"),
    )
    result = pinsync("export", "--branch", "pins")
    assert result.code == 0, result.err
    assert f"pins: is now {git('rev-parse', 'pins')[:12]}\n" in result.err
    after = (
        files(exported),
        git("ls-files", "--stage"),
        git("symbolic-ref", "HEAD"),
        git("rev-parse", "HEAD"),
    )
    assert after == before
    assert git("rev-parse", "pins^") == git("rev-parse", "HEAD")
    assert git("diff", "--name-only", "HEAD", "pins") == "customizations/basket.yaml"
    assert "position: 7" in git("show", "pins:customizations/basket.yaml")
    assert git("log", "-1", "--format=%s", "pins") == "Export pins: 1 changed"


@pytest.mark.usefixtures("exported")
def test_run_again_the_branch_holds_one_commit(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    first = git("rev-parse", "pins")
    assert f"pins: has already {first[:12]}" in pinsync("export", "--branch", "pins").err
    assert git("rev-parse", "pins") == first
    repinned(api, EVERYONE)
    result = pinsync("export", "--branch", "pins", "-m", "All pins")
    assert f"pins: replaced by {git('rev-parse', 'pins')[:12]}" in result.err
    assert git("log", "--format=%s", "HEAD..pins") == "All pins"


def test_once_in_sync_the_branch_is_gone_and_later_it_is_made_again(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    repinned(api, STRINGS, 1)
    result = pinsync("export", "--branch", "pins")
    assert result.code == 0
    assert "pins: deleted, since nothing is left to propose\n" in result.err
    assert git("branch", "--list", "pins") == ""
    with untouched(exported):
        assert "nothing to commit" in pinsync("export", "--branch", "pins").err
    repinned(api, STRINGS)
    assert "pins: is now " in pinsync("export", "--branch", "pins").err
    assert git("rev-parse", "pins^") == git("rev-parse", "HEAD")


def test_the_main_branch_is_not_carried_on_by_a_feature(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("switch", "--quiet", "--create", "feature")
    put(exported / "notes.txt", "not for main yet\n")
    git("add", "notes.txt")
    git("commit", "--quiet", "-m", "A feature")
    repinned(api, STRINGS)
    with untouched(exported):
        result = pinsync("export", "--branch", "main")
    assert result.code == 4
    assert "branch main holds commits that pinsync didn't make" in result.err
    assert "choose another" in result.err


@pytest.mark.usefixtures("exported")
def test_a_merged_branch_is_used_again(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    for position in (7, 8):
        repinned(api, STRINGS, position)
        assert "pins: is now " in pinsync("export", "--branch", "pins").err
        assert git("rev-parse", "pins^") == git("rev-parse", "HEAD")
        git("merge", "--quiet", "--no-ff", "-m", "Merge", "pins")
    assert "pins: deleted" in pinsync("export", "--branch", "pins").err


@pytest.mark.usefixtures("exported")
def test_a_branch_whose_name_leaves_no_room_is_refused_with_the_remedy(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    git("branch", "pins")
    repinned(api, STRINGS)
    result = pinsync("export", "--branch", "pins/live")
    assert result.code == 2
    assert "there can't be a branch pins/live beside pins" in result.err
    assert "choose another name, or rename that branch: git branch -m pins NEW-NAME" in result.err


@pytest.mark.parametrize("how", ["foreign", "amended", "checked out", "in a worktree"])
@pytest.mark.usefixtures("exported")
def test_a_branch_in_use_is_refused(
    how: str, api: Sandbox, pinsync: CommandLine, git: Git, tmp_path: Path
) -> None:
    name = "main" if how == "checked out" else "pins"
    repinned(api, STRINGS)
    if how == "amended":
        pinsync("export", "--branch", "pins")
        git("worktree", "add", "--quiet", str(tmp_path / "side"), "pins")
        put(tmp_path / "side/more.txt", "a person's\n")
        git("-C", str(tmp_path / "side"), "add", ".")
        git("-C", str(tmp_path / "side"), "commit", "--quiet", "--amend", "--no-edit")
        git("worktree", "remove", str(tmp_path / "side"))
    elif how == "foreign":
        git("branch", "pins", git("commit-tree", "-p", "HEAD", "-m", "A person's", "HEAD^{tree}"))
    elif how == "in a worktree":
        git("worktree", "add", "--quiet", "-b", "pins", str(tmp_path / "side"))
    before = git("rev-parse", name)
    result = pinsync("export", "--branch", name)
    assert result.code == 4
    assert f"branch {name} " in result.err
    assert "another" in result.err
    assert git("rev-parse", name) == before


@pytest.mark.usefixtures("api")
def test_a_branch_needs_a_commit_to_stand_on(repository: Path, pinsync: CommandLine) -> None:
    with untouched(repository):
        result = pinsync("export", "--branch", "pins")
    assert result.code == 2
    assert "there is no commit yet to put a branch on" in result.err


@pytest.mark.usefixtures("git")
def test_a_branch_is_not_touched_by_an_answer_that_fails(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    api.fail(parse_fault("500"))
    with untouched(exported):
        assert pinsync("export", "--branch", "pins").code == 3


def test_a_branch_is_guarded_against_mass_removal(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    for row in api.customizations():
        api.delete(row["id"])
    with untouched(exported):
        assert pinsync("export", "--branch", "pins").code == 4
    assert pinsync("export", "--branch", "pins", "--allow-mass-removal").code == 0
    assert git("ls-tree", "-r", "--name-only", "pins") == ""


# Attributes that change a text.


@pytest.mark.parametrize(
    ("attribute", "title"),
    [
        ("ident", "the price of $Id: 4711$"),
        ("ident", "the price of $Id$"),
        ("filter=upper", "strings"),
        ("working-tree-encoding=latin1", "prix: 7 \u20ac or \u00e9"),
    ],
)
def test_an_attribute_that_changes_the_text_is_refused_before_anything_is_written(
    attribute: str, title: str, api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("config", "filter.upper.clean", "tr a-z A-Z")
    put(exported / ".gitattributes", f"*.yaml {attribute}\n")
    git("add", ".gitattributes")
    git("commit", "--quiet", "-m", "Attributes")
    edited(api, STRINGS, target_metadata={"title": title})
    name = attribute.partition("=")[0]
    for options in (["--commit"], ["--branch", "pins"]):
        with untouched(exported / "customizations"):
            result = pinsync("export", *options)
        assert result.code == 2
        assert (
            f"git's attribute {name} changes the text of customizations/basket.yaml" in result.err
        )
    remedy = f"customizations/** -{name}"
    assert f"add a line to .gitattributes: {remedy}" in result.err
    plain = pinsync("export")
    assert (plain.code, f"warning: git's attribute {name} changes the text" in plain.err) == (
        0,
        True,
    )
    put(exported / ".gitattributes", f"*.yaml {attribute}\n{remedy}\n")
    assert pinsync("export", "--commit").code == 0
    assert pinsync("diff").code == 0


@pytest.mark.usefixtures("exported")
def test_an_attribute_that_changes_nothing_is_no_matter(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    git("config", "filter.same.clean", "cat")
    put(Path(".gitattributes"), "* ident filter=same\n")
    repinned(api, STRINGS)
    result = pinsync("export", "--commit")
    assert (result.code, "warning" in result.err) == (0, False)


LOCK_PROBE = """
import sys
from pathlib import Path
from filelock import FileLock, Timeout
log, lock, name = sys.argv[1:]
try:
    with FileLock(lock, blocking=False):
        found = "free"
except Timeout:
    found = "held"
with Path(log).open("a") as file:
    file.write(f"{name} {found}\\n")
"""


@pytest.mark.parametrize(
    ("arguments", "hooks"),
    [
        (
            ["--commit"],
            {"pre-commit", "commit-msg", "reference-transaction", "post-commit", "filter"},
        ),
        (["--branch", "pins"], {"reference-transaction", "filter"}),
    ],
)
def test_no_lock_is_held_while_git_or_a_hook_runs(
    arguments: list[str],
    hooks: set[str],
    api: Sandbox,
    exported: Path,
    pinsync: CommandLine,
    git: Git,
) -> None:
    log, lock = exported.parent / "log", exported / ".git" / "pinsync" / "lock"
    probe = f'"{sys.executable}" "{put(exported.parent / "probe.py", LOCK_PROBE)}" "{log}" "{lock}"'
    for name in hooks - {"filter"}:
        hook(exported, name, f"{probe} {name}")
    git("config", "filter.probe.clean", f"{probe} filter; cat")
    put(exported / ".git" / "info" / "attributes", "*.yaml filter=probe\n")
    repinned(api, STRINGS)
    result = pinsync("export", *arguments)
    assert result.code == 0, result.err
    assert set(log.read_text().splitlines()) == {f"{name} free" for name in hooks}
