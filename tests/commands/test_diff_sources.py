"""The sources of a diff through the command line: revisions, the index, files, saved exports, and
none at all.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pinsync.sandbox import Sandbox
from support.diffing import checked, diffed
from support.exporting import (
    BASKET_TEXT,
    HOME,
    HOME_TEXT,
    STRINGS,
    document,
    edited,
    piped,
    put,
    repinned,
    rows,
    rule,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.sandbox.spelling import Row
    from support.command_line import CommandLine, Git

TWO: Final = "trackers:\n  sk: {tracker_id: 1234-5678}\n  cz: {tracker_id: 2345-6789}\n"


def commit(git: Git, message: str = "edit") -> str:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)
    return git("rev-parse", "HEAD")


def saved(name: str, content: object) -> str:
    put(Path(name), json.dumps(content if isinstance(content, dict) else {"results": content}))
    return name


# Git.


@pytest.mark.usefixtures("exported")
def test_head_index_and_working_tree_are_three_states(pinsync: CommandLine, git: Git) -> None:
    put(document("home"), HOME_TEXT.replace("position: 1", "position: 2"))
    git("add", ".")
    put(document("home"), HOME_TEXT.replace("position: 1", "position: 3"))
    for sides, positions in (
        (("HEAD", "@index"), (1, 2)),
        (("@index", "@worktree"), (2, 3)),
        (("@worktree", "@live"), (3, 1)),
        (("HEAD", "@live"), ()),
    ):
        found = diffed(pinsync, *sides)
        moved = [
            (pin["from"]["position"], pin["to"]["position"])
            for c in found.changes
            for pin in c["pins"]
        ]
        assert moved == ([positions] if positions else [])
        assert [found.record["from"]["source"], found.record["to"]["source"]] == list(sides)


@pytest.mark.usefixtures("exported")
def test_a_fault_of_both_sides_is_left_to_lint(pinsync: CommandLine, git: Git) -> None:
    put(document("home"), HOME_TEXT.replace("position: 1", "position: ["))
    assert diffed(pinsync, "HEAD", "@worktree").code == 2
    git("add", ".")
    assert diffed(pinsync, "@index", "@worktree").code == 0
    put(document("basket"), BASKET_TEXT.replace("position: 1", "position: 7"))
    assert diffed(pinsync, "@index", "@worktree").told == ["changed basket /p/123/"]
    assert pinsync("lint").code == 1


@pytest.mark.usefixtures("api")
def test_where_a_folder_has_an_empty_dot_git_all_commands_agree_on_its_files(
    repository: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "shop/pinsync.yaml", "format: 1\n")
    (repository / "shop/.git").mkdir()
    monkeypatch.chdir(repository / "shop")
    assert pinsync("export").code == 0
    put(Path(document("home")), HOME_TEXT.replace("position: 1", "position: 2"))
    git("-C", "..", "add", "shop/pinsync.yaml", "shop/customizations")
    git("commit", "--quiet", "--message", "one")
    assert pinsync("export", "--check").out == "customizations/home.yaml\n"
    (change,) = diffed(pinsync, "HEAD", "@live").changes
    assert change["file"] == "shop/customizations/home.yaml"
    (commit_,) = json.loads(pinsync("history", "--format", "json", "home").out)["commits"]
    assert commit_["trackers"][0]["changes"][0]["file"] == "shop/customizations/home.yaml"
    assert pinsync("fmt", "--check").code == pinsync("lint", "customizations/home.yaml").code == 0
    assert pinsync("export", "--force", "--commit").code == 0
    assert git("show", "--format=", "--name-only") == "shop/customizations/home.yaml"
    put(Path(document("home")), HOME_TEXT.replace("position: 1", "position: x"))
    found = json.loads(pinsync("lint", "--format", "json").out)["findings"]
    assert {finding["file"] for finding in found} == {"shop/customizations/home.yaml"}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "command", [["lint"], ["fmt", "--check"], ["trackers"], ["diff"], ["export"]]
)
def test_an_empty_dot_git_hides_no_folder_of_ci(
    command: list[str], pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Path("ci/pinsync.yaml"), "format: 1\n")
    Path("ci/.git").mkdir()
    monkeypatch.chdir("ci")
    result = pinsync(*command)
    assert (result.code, "must not lie in ci" in result.err) == (2, True)


def test_the_review_of_a_branch_is_what_it_changed_since_it_parted(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = git("rev-parse", "HEAD")
    git("switch", "--quiet", "--create", "topic")
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    topic = commit(git)
    git("switch", "--quiet", "main")
    put(document(), BASKET_TEXT.replace("/p/9/", "/p/8/"))
    commit(git)
    for name in api.environment:
        monkeypatch.delenv(name)
    with untouched(exported):
        found = diffed(pinsync, "main...topic")
        assert (found.code, found.told) == (1, ["changed home /p/1/"])
        assert found.record["from"] == {
            "source": "the merge base of main and topic",
            "revision": base,
        }
        assert found.record["to"] == {"source": "topic", "revision": topic}
        assert diffed(pinsync, "main..topic").told == ["changed basket all", "changed home /p/1/"]
        assert diffed(pinsync, "..topic").told == ["changed basket all", "changed home /p/1/"]
        assert diffed(pinsync, "topic...main").told == ["changed basket all"]
    assert len(api.requests) == 1


@pytest.mark.usefixtures("exported")
def test_a_committed_file_cant_stand_in_for_a_reviewed_branch(
    pinsync: CommandLine, git: Git
) -> None:
    git("switch", "--quiet", "--create", "stranger")
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/666/"))
    saved("main...HEAD", rows())
    saved("HEAD", rows())
    commit(git)
    for format_ in ("text", "json"):
        result = pinsync("diff", "main...HEAD", "--format", format_)
        assert (result.code, result.out) == (2, "")
        assert result.err == (
            "error: main...HEAD could be a file and a range\n"
            "  write ./main...HEAD for the file, or refs/heads/main...HEAD for the range\n"
        )
    assert diffed(pinsync, "refs/heads/main...HEAD").told == ["changed home /p/1/"]
    assert diffed(pinsync, "./main...HEAD").told == []
    assert diffed(pinsync).told == ["changed home /p/1/"]
    assert diffed(pinsync, "HEAD", "@live").told == ["changed home /p/1/"]


@pytest.mark.parametrize("name", ["main...HEAD", "main", "HEAD", "HEAD~1"])
@pytest.mark.usefixtures("exported")
def test_a_file_called_like_the_revision_of_an_option_doesnt_matter(
    name: str, pinsync: CommandLine, git: Git
) -> None:
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    commit(git)
    words = ["history", "--rev", name, "--format", "json"]
    commands = (
        [words] if "..." in name else [words, ["show", "home", "--rev", name, "--at", "2026-12-24"]]
    )
    expected = [pinsync(*command) for command in commands]
    saved(name, [])
    assert [pinsync(*command) for command in commands] == expected
    assert [result.code for result in expected] == [0] * len(commands)


@pytest.mark.usefixtures("exported")
def test_names_that_are_no_revision(pinsync: CommandLine) -> None:
    result = pinsync("diff", "--format", "json", "mian")
    assert (result.code, result.out) == (2, "")
    assert "error: mian names no commit" in result.err
    result = pinsync("diff", "HEAD", "HEAD")
    assert (result.code, result.out) == (2, "")
    assert "HEAD is compared with itself" in result.err


def test_a_shallow_clone_says_what_to_fetch(
    exported: Path, tmp_path: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    commit(git)
    git("clone", "--quiet", "--depth=1", f"file://{exported}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    result = pinsync("diff", "HEAD~1", "HEAD")
    assert (result.code, result.out) == (2, "")
    assert "HEAD~1 names no commit" in result.err
    assert "`fetch-depth: 0`" in result.err
    assert diffed(pinsync, "HEAD", "@worktree").code == 0


@pytest.mark.parametrize(
    "text", ["format: 1\nmodel: basket\ncustomizations:\n  - id: 3\n", "a: [\n", "\x00"]
)
@pytest.mark.usefixtures("exported")
def test_a_file_at_fault_is_named_with_its_revision_and_line(
    text: str, pinsync: CommandLine, git: Git
) -> None:
    put(document(), text)
    broken = commit(git)
    put(document(), BASKET_TEXT)
    commit(git, "mend")
    assert diffed(pinsync).code == 0
    for sides in (("HEAD~1", "@live"), ("@live", "HEAD~1"), ("HEAD", broken[:10])):
        found = diffed(pinsync, *sides)
        assert (found.code, found.record["drift"], found.record["complete"]) == (2, None, False)
        (tracker,) = found.record["trackers"]
        name = next(side for side in sides if side not in ("HEAD", "@live"))
        assert tracker["error"]["message"].startswith(f"{name}:customizations/basket.yaml:")
        assert int(tracker["error"]["message"].split(":")[2]) > 0
        assert f"error: {tracker['error']['message']}" in found.err


@pytest.mark.usefixtures("exported")
def test_a_model_or_an_id_in_two_files_is_an_error_too(pinsync: CommandLine) -> None:
    put(document("copy"), BASKET_TEXT)
    found = diffed(pinsync, "@worktree", "@live")
    assert found.code == 2
    assert "customizations/copy.yaml: holds the model 'basket'" in found.err
    put(document("copy"), BASKET_TEXT.replace("model: basket", "model: copy"))
    found = diffed(pinsync, "@worktree", "@live")
    assert found.code == 2
    assert (
        f"customizations/copy.yaml:4: the id {STRINGS} stands in customizations/basket.yaml"
        in found.err
    )


@pytest.mark.usefixtures("api", "repository")
def test_before_the_first_commit_everything_is_added_and_the_report_says_so(
    pinsync: CommandLine,
) -> None:
    found = diffed(pinsync)
    assert found.code == 1
    assert {change["kind"] for change in found.changes} == {"added"}
    assert found.notes == ["there is no commit yet: everything is added"]
    assert found.record["from"] == {"source": "HEAD"}
    assert "there is no commit yet: everything is added" in pinsync("diff").out
    back = diffed(pinsync, "@live", "HEAD")
    assert {change["kind"] for change in back.changes} == {"removed"}
    assert back.notes == ["there is no commit yet: everything is removed"]


def test_outside_a_repository_files_and_live_can_be_compared(
    api: Sandbox, tmp_path: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = pinsync("diff")
    assert (result.code, result.out) == (2, "")
    assert "this is not a git repository" in result.err
    assert "git init" in result.err
    assert pinsync("export").code == 0
    assert diffed(pinsync, "@worktree", "@live").code == 0
    repinned(api, STRINGS)
    assert diffed(pinsync, "@live", "@worktree").told == ["changed basket /p/123/"]
    assert diffed(pinsync, saved("a.json", rows()), "@worktree").code == 0


def test_without_a_configuration_the_three_variables_are_named(
    repository: Path, pinsync: CommandLine
) -> None:
    with untouched(repository):
        result = pinsync("diff", "--format", "json")
    assert (result.code, result.out) == (2, "")
    for name in ("PINSYNC_TRACKER_ID", "PINSYNC_PRIVATE_KEY", "PINSYNC_HOST"):
        assert name in result.err


def test_a_hooks_index_is_the_one_that_is_read(
    exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in ``git commit --only``, whose pre-commit hook is given an index of its own."""
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    with monkeypatch.context() as hook:
        hook.setenv("GIT_INDEX_FILE", str(exported / ".git" / "next-index"))
        git("read-tree", "HEAD")
        git("add", ".")
        assert diffed(pinsync, "HEAD", "@index").told == ["changed home /p/1/"]
    assert diffed(pinsync, "HEAD", "@index").told == []


def test_in_a_hook_of_git_a_diff_sees_what_is_about_to_be_committed(
    exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = put(
        exported / ".git" / "hooks" / "pre-commit", "#!/bin/sh\nenv | grep ^GIT_ > hook.txt\n"
    )
    hook.chmod(0o755)
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    git("add", ".")
    git("commit", "--quiet", "--message", "edit", "customizations/home.yaml")
    given = dict(line.split("=", 1) for line in Path("hook.txt").read_text().splitlines())
    assert "GIT_INDEX_FILE" in given
    git("reset", "--quiet", "--soft", "HEAD~1")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert diffed(pinsync, "HEAD", "@index").told == ["changed home /p/1/"]
    for nowhere in (
        os.devnull + "-none",
        str(exported / "none" / "index"),
    ):  # an empty index to git
        monkeypatch.setenv("GIT_INDEX_FILE", nowhere)
        assert {change["kind"] for change in diffed(pinsync, "HEAD", "@index").changes} == {
            "removed"
        }


@pytest.mark.parametrize("hashes", ["sha1", "sha256"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_that_is_only_announced_is_not_in_the_index(
    hashes: str,
    is_there: bool,
    tmp_path: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``git add -N`` stages an empty file, which git itself doesn't count."""
    monkeypatch.chdir(put(tmp_path / "other" / "pinsync.yaml", "directory: elsewhere\n").parent)
    git("init", "--quiet", f"--object-format={hashes}")
    git("add", "--intent-to-add", "pinsync.yaml")
    put(Path("pinsync.yaml"), "format: 1\n")
    put(document(), BASKET_TEXT)
    git("add", str(document()))
    put(document("home"), HOME_TEXT)
    git("add", "--intent-to-add", str(document("home")))
    if not is_there:
        document("home").unlink()
    found = diffed(pinsync, "@index", "@worktree")
    assert (found.told, found.notes, found.err) == (["added home /p/1/"] * is_there, [], "")
    git("add", ".")
    assert diffed(pinsync, "@index", "@worktree").told == []


@pytest.mark.usefixtures("exported")
def test_an_empty_file_that_is_staged_is_no_document(pinsync: CommandLine, git: Git) -> None:
    put(document("new"), "")
    git("add", ".")
    found = diffed(pinsync, "HEAD", "@index")
    assert (found.code, "@index:customizations/new.yaml" in found.err) == (2, True)


# The configuration of a revision.


@pytest.mark.usefixtures("api")
def test_a_directory_that_looks_like_another_is_told_apart(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "pinsync.yaml", "directory: čaj\n")
    git("mv", "customizations", "čaj")
    commit(git)
    git("mv", "čaj", "c\u030caj")
    put(exported / "pinsync.yaml", "directory: c\u030caj\n")
    note = r'the configuration itself differs: directory: "\u010daj" → "c\u030caj"'
    assert diffed(pinsync, "HEAD", "@worktree").notes == [note]


@pytest.mark.usefixtures("api")
def test_another_directory_is_no_drift_but_a_note(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "pinsync.yaml", "directory: customizations\n")
    commit(git)
    git("mv", "customizations", "pins")
    put(exported / "pinsync.yaml", "directory: pins\n")
    note = "the configuration itself differs: directory: customizations → pins"
    for sides in (("HEAD", "@worktree"), ("HEAD", "@live")):
        found = diffed(pinsync, *sides)
        assert (found.code, found.notes) == (0, [note])
    commit(git)
    for line in ("HEAD~1 HEAD", "HEAD~2 @live", "HEAD~2..HEAD"):
        found = diffed(pinsync, *line.split())
        assert (found.code, found.notes) == (0, [note])
    assert pinsync("diff", "HEAD~1", "HEAD").out.startswith(f"note: {note}\n")
    assert (
        note.split(" → ", maxsplit=1)[0]
        in pinsync("diff", "HEAD~1", "HEAD", "--format", "markdown").out
    )


@pytest.fixture
def second() -> Iterator[Sandbox]:
    """Another tracker, with a rule of its own."""
    with Sandbox([rule(9)], tracker_id="2345-6789", private_key="other") as api:
        yield api


def two_trackers(api: Sandbox, second: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PINSYNC_HOST", "PINSYNC_TRACKER_ID"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEY_CZ", "other")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    text = (
        f'trackers:\n  sk: {{tracker_id: {api.tracker_id}, hosts: ["{api.url}"]}}\n'
        f"  cz: {{tracker_id: {second.tracker_id}, private_key_env: KEY_CZ, hosts: "
        f'["{second.url}"]}}\n'
    )
    put(Path("pinsync.yaml"), text)


def test_a_tracker_more_is_no_mass_removal(
    api: Sandbox,
    second: Sandbox,
    exported: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(
        exported / "pinsync.yaml",
        f'trackers: {{sk: {{tracker_id: {api.tracker_id}, hosts: ["{api.url}"]}}}}\n',
    )
    commit(git)
    two_trackers(api, second, monkeypatch)
    put(exported / "customizations" / "sk" / "basket.yaml", BASKET_TEXT)
    put(exported / "customizations" / "sk" / "home.yaml", HOME_TEXT)
    git("rm", "--quiet", "customizations/basket.yaml", "customizations/home.yaml")
    for sides in (("HEAD", "@live"), ("HEAD", "@worktree")):
        sk, cz = diffed(pinsync, *sides).record["trackers"]
        assert (sk["name"], sk["changes"], sk["summary"]["unchanged"]) == ("sk", [], 3)
        assert [change["kind"] for change in cz["changes"]] == (
            ["added"] if "@live" in sides else []
        )
        assert cz["notes"] == ["HEAD knows no such tracker: everything is added"]
    commit(git)
    assert diffed(pinsync, "HEAD", "@live", "--tracker", "sk").code == 0
    found = diffed(pinsync, "HEAD~1", "HEAD")
    assert (found.code, len(found.notes)) == (0, 1)
    assert found.notes[0].startswith(
        "the configuration itself differs: trackers: sk (1234-5678) → sk (1234-5678), cz"
    )
    git("mv", "customizations/sk/basket.yaml", "customizations/sk/home.yaml", "customizations")
    put(
        exported / "pinsync.yaml",
        f'trackers: {{sk: {{tracker_id: {api.tracker_id}, hosts: ["{api.url}"]}}}}\n',
    )
    sk, cz = diffed(pinsync, "HEAD", "@worktree").record["trackers"]
    assert (sk["changes"], cz["changes"], cz["notes"]) == (
        [],
        [],
        ["@worktree knows no such tracker: everything is removed"],
    )


def test_an_object_that_holds_only_an_ignored_field_is_no_drift_and_not_exported(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "pinsync.yaml", "ignore: [target_metadata.image.url]\n")
    commit(git)
    edited(api, HOME, target_metadata={"image": {"url": "new.png"}})
    for sides in (("HEAD", "@live"), ("@live", "HEAD")):
        found = diffed(pinsync, *sides)
        assert (found.code, found.told) == (0, [])
    with untouched(exported):
        assert pinsync("export", "--check").code == 0
    edited(api, HOME, target_metadata={"image": {}})
    assert diffed(pinsync).told == ["changed home /p/1/"], "it is empty in live"


def test_a_branch_cant_hide_its_own_changes_by_ignoring_them(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("switch", "--quiet", "--create", "topic")
    put(exported / "pinsync.yaml", "ignore: [tags]\nsafety: {max_removed_percent: 100}\n")
    put(document("home"), HOME_TEXT.replace("- summer", "- hidden"))
    commit(git)
    found = diffed(pinsync, "main...topic")
    assert (found.code, found.told) == (1, ["changed home /p/1/"])
    assert found.notes == [
        (
            "the configuration itself differs: ignore: nothing → tags; both sides are read with "
            "the former"
        ),
        "the configuration itself differs: safety.max_removed_percent: 30 → 100",
    ]
    assert diffed(pinsync, "topic..main").code == 0, "what FROM ignores doesn't count"
    found = diffed(pinsync, "main", "@live")
    assert (found.code, found.told) == (0, [])
    assert len(api.requests) == 2


@pytest.mark.usefixtures("api")
def test_what_a_tracker_is_told_is_shown_too(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    text = "trackers: {sk: {tracker_id: 1234-5678}}\n"
    put(exported / "pinsync.yaml", text)
    commit(git)
    put(
        exported / "pinsync.yaml",
        text.replace("}}", ", remove_expired_pins: true, private_key_env: OTHER}}"),
    )
    assert diffed(pinsync, "HEAD", "@worktree").notes == [
        (
            "the configuration itself differs: trackers.sk.private_key_env: PINSYNC_PRIVATE_KEY "
            "→ OTHER"
        ),
        "the configuration itself differs: trackers.sk.remove_expired_pins: false → true",
    ]


# Saved exports.


@pytest.mark.usefixtures("exported")
def test_a_look_back_at_a_saved_export(api: Sandbox, pinsync: CommandLine) -> None:
    backup = saved("backup.json", api.customizations())
    assert diffed(pinsync, backup, "@live").code == 0
    repinned(api, STRINGS)
    found = diffed(pinsync, backup, "@live")
    assert (found.told, found.err) == (["changed basket /p/123/"], "")
    assert found.record["from"] == {"source": "backup.json"}
    assert (found.changes[0]["file"], found.changes[0]["line"]) == (None, None)
    now = saved("now.json", api.customizations())
    (change,) = diffed(pinsync, backup, now).changes
    assert [pin["kind"] for pin in change["pins"]] == ["moved"]
    assert diffed(pinsync, "HEAD", now).changes[0]["file"] == "customizations/basket.yaml"


@pytest.mark.usefixtures("exported")
def test_an_export_on_standard_input(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = api.customizations()
    repinned(api, STRINGS)
    for arguments, side in ((("-", "@live"), "from"), (("-",), "from"), (("@live", "-"), "to")):
        piped(monkeypatch, before)
        found = diffed(pinsync, *arguments)
        assert (found.told, found.record[side]) == (["changed basket /p/123/"], {"source": "-"})
    saved("now.json", api.customizations())
    piped(monkeypatch, before)
    assert pinsync("diff", "-", "now.json").out.startswith(
        "The shop's export now.json differs from the shop's export - in 1 rule: "
    )
    piped(monkeypatch, before)
    assert diffed(pinsync, "HEAD", "-").code == 0
    # A filtered answer leaves a question, so that both sides are read twice.
    api.delete(HOME)
    piped(monkeypatch, before)
    assert diffed(pinsync, "-", "@live", "--tag", "summer").told == ["removed home /p/1/"]


@pytest.mark.usefixtures("exported")
def test_a_file_that_is_called_like_standard_input_has_another_spelling(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved("-", [*rows(), rule(5)])
    piped(monkeypatch, rows())
    assert diffed(pinsync, "-", "@live").code == 0
    assert diffed(pinsync, "./-", "@live").told == ["removed basket /p/5/"]
    assert pinsync("export", "--check", "--from-file", "./-").code == 1
    assert api.requests


@pytest.mark.parametrize(
    ("arguments", "content", "says"),
    [
        (("-",), b"{", "-: the answer is not"),
        (("-",), b"", "-: the answer is not"),
        (("-", "-"), b"", "- is compared with itself"),
    ],
)
def test_a_wrong_use_of_standard_input_is_exit_2(
    arguments: tuple[str, ...],
    content: bytes,
    says: str,
    exported: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    piped(monkeypatch, content)
    with untouched(exported):
        result = pinsync("diff", *arguments)
    assert (result.code, says in result.err) == (2, True), result.err


@pytest.mark.usefixtures("exported")
def test_an_export_that_shares_no_id_may_be_another_trackers(pinsync: CommandLine) -> None:
    saved("other.json", [rule(1), rule(2)])
    result = pinsync("diff", "HEAD", "other.json", "--format", "json")
    assert result.code == 1
    assert "warning: default: " in result.err
    assert "another tracker" in result.err
    assert checked(result.out)["trackers"][0]["summary"] == {
        "added": 2,
        "removed": 3,
        "changed": 0,
        "recreated": 0,
        "unchanged": 0,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"result": []}, 'has no "results"'),
        ({"results": {}}, "is not"),
        (
            {"results": [{"id": "a"}]},
            "row 1 of the answer (a): model: expected a non-empty string, got nothing",
        ),
        ({"results": [rule(1), rule(1)]}, "have the same id"),
        ({"results": [], "next": "page 2"}, "one page of several"),
    ],
)
@pytest.mark.usefixtures("exported")
def test_an_export_of_the_wrong_shape(content: Row, message: str, pinsync: CommandLine) -> None:
    saved("bad.json", content)
    found = diffed(pinsync, "HEAD", "bad.json")
    assert (found.code, found.record["drift"]) == (2, None)
    assert "bad.json: " in found.err
    assert message in found.err


@pytest.mark.usefixtures("repository")
def test_of_several_trackers_it_must_be_said_whose_it_is(
    api: Sandbox, second: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_trackers(api, second, monkeypatch)
    assert pinsync("export", "--commit").code == 0
    backup = saved("backup.json", second.customizations())
    result = pinsync("diff", "HEAD", backup)
    assert (result.code, result.out) == (2, "")
    assert "backup.json is the export of one tracker, but doesn't name the tracker" in result.err
    assert "--tracker: cz, sk" in result.err
    found = diffed(pinsync, "HEAD", backup, "--tracker", "cz")
    assert (found.code, found.told, [tracker["name"] for tracker in found.record["trackers"]]) == (
        0,
        [],
        ["cz"],
    )
    assert len(diffed(pinsync, "HEAD", backup, "--tracker", "sk").told) == 4


def test_an_export_is_of_the_tracker_that_a_revision_had(
    api: Sandbox,
    second: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two_trackers(api, second, monkeypatch)
    assert pinsync("export").code == 0
    commit(git)
    put(repository / "pinsync.yaml", "trackers: {sk: {tracker_id: 1234-5678}}\n")
    backup = saved("backup.json", second.customizations())
    assert diffed(pinsync, "HEAD", backup, "--tracker", "cz").told == []


def test_a_configuration_that_moved_into_a_folder_with_its_files_is_no_mass_change(
    repository: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", 'trackers: {one: {tracker_id: "1"}}\n')
    rows = [{"id": "a", "model": "basket", "target_type": "all"}]
    put(repository / "answer.json", json.dumps({"results": rows}))
    assert pinsync("export", "--from-file", "answer.json").code == 0
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    (repository / "shop").mkdir()
    git("mv", "pinsync.yaml", "customizations", "shop")
    git("commit", "--quiet", "-m", "two")
    monkeypatch.chdir(repository / "shop")
    result = pinsync("diff", "HEAD~1", "HEAD")
    assert result.code == 0
    assert "directory: customizations → shop/customizations" in result.out


@pytest.mark.usefixtures("api")
def test_documents_that_no_tracker_reads_are_noted_for_each_side(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(document(folder="customizations/old"), BASKET_TEXT)
    git("add", "--all")
    why = (
        "not read, since a single tracker's files lie in no folder of their own: customizations/old"
    )
    note = f"{why}; to remove: git rm -r customizations/old"
    assert diffed(pinsync, "HEAD", "@live").notes == []
    assert diffed(pinsync, "HEAD", "@index").notes == [f"@index: {note}"]
    git("commit", "--quiet", "-m", "Old")
    assert diffed(pinsync, "HEAD", "@live").notes == [f"HEAD: {note}"]
    found = diffed(pinsync, "HEAD", "@worktree")
    assert (found.code, found.notes) == (0, [f"HEAD and @worktree: {note}"])
    put(exported / "pinsync.yaml", "trackers: {old: {tracker_id: '1'}, new: {tracker_id: '2'}}\n")
    (said,) = (text for text in diffed(pinsync, "HEAD~1", "@worktree").notes if "not read" in text)
    assert said.startswith(
        "HEAD~1 and @worktree: not read, since each of several trackers has a folder of its own: "
    )


@pytest.mark.usefixtures("api", "exported")
def test_a_commit_is_found_by_its_message(pinsync: CommandLine, git: Git) -> None:
    git("commit", "--quiet", "--allow-empty", "-m", "Second thoughts")
    found = diffed(pinsync, ":/Second", "@worktree")
    assert (found.code, found.record["from"]) == (
        0,
        {"source": ":/Second", "revision": git("rev-parse", "HEAD")},
    )
    assert pinsync("diff", ":/Third", "@worktree").code == 2
    assert pinsync("show", "basket", "--rev", ":/Second").code == 0
    assert pinsync("history", "--rev", ":/Second").code == 0


@pytest.mark.parametrize(
    "arguments",
    [["diff", "main", "@worktree"], ["show", "basket", "--rev", "main"], ["blame", "basket", "--rev", "main"],
     ["history", "--rev", "main"], ["history", "main..HEAD"], ["diff", "main..@worktree"]],
)  # fmt: skip
@pytest.mark.usefixtures("api", "exported")
def test_an_ambiguous_reference_is_what_git_takes_it_for_and_git_s_warning_is_shown(
    arguments: list[str], pinsync: CommandLine, git: Git
) -> None:
    git("tag", "main")
    document("home").write_text(HOME_TEXT.replace("/p/2/", "/p/3/"))
    git("commit", "--quiet", "-am", "Later")
    result = pinsync(*arguments)
    assert result.code == (1 if arguments[0] == "diff" else 0)
    assert "warning: refname 'main' is ambiguous." in result.err


@pytest.mark.parametrize("word", ["main^!", "main^@", "^main"])
@pytest.mark.usefixtures("exported")
def test_a_file_called_like_several_revisions_is_refused_too(
    word: str, pinsync: CommandLine, git: Git
) -> None:
    git("commit", "--quiet", "--allow-empty", "-m", "Second")
    put(Path(word), '{"results": []}')
    result = pinsync("diff", word, "@worktree")
    assert result.code == 2
    assert "could be a file and a revision" in result.err
    assert f"write './{word}' for the file" in result.err


@pytest.mark.usefixtures("api", "exported")
def test_a_pointer_of_git_lfs_is_named_as_such(pinsync: CommandLine, git: Git) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n"
    put(document(), pointer)
    git("commit", "--quiet", "-am", "LFS")
    for arguments in (["diff"], ["show", "basket"], ["fmt", "--check"], ["export"]):
        result = pinsync(*arguments)
        assert result.code == 2
        assert (
            "customizations/basket.yaml:1:1: a pointer of Git LFS, not the file itself"
            in result.out + result.err
        )
    assert "a pointer of Git LFS" in pinsync("lint").out


@pytest.mark.parametrize("option", [[], ["--commit"]])
def test_documents_committed_before_the_configuration_that_reads_them_are_not_to_be_removed(
    option: list[str], api: Sandbox, second: Sandbox, exported: Path, pinsync: CommandLine, git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put(exported / "pinsync.yaml", f'trackers: {{cz: {{tracker_id: "{api.tracker_id}"}}}}\n')
    commit(git)
    two_trackers(api, second, monkeypatch)
    git("rm", "-r", "--quiet", "customizations")
    early = "pinsync.yaml has changes that aren't committed; commit it too"
    assert (early in pinsync("export", "--force", *option).err) == bool(option)
    if not option:
        git("add", "customizations")
        git("commit", "--quiet", "-m", "Documents alone")
    lost = "customizations/cz, customizations/sk"
    reason = "HEAD's pinsync.yaml doesn't name tracker sk"
    assert f"HEAD: not read, since {reason}: {lost}; commit pinsync.yaml" in diffed(pinsync).notes
    assert (
        "git rm"
        not in pinsync("history").err + pinsync("diff").out + pinsync("blame", "basket").err
    )
    assert (
        f"not read, since {reason}: {lost}; commit pinsync.yaml"
        in pinsync("show", "home", "--rev", "HEAD").err
    )
    commit(git)
    assert early not in pinsync("export", *option).err
    assert "HEAD's" not in pinsync("diff").out
    note = f"HEAD~1: not read, since {reason.replace('HEAD', 'HEAD~1')}: {lost}"
    assert note in diffed(pinsync, "HEAD~1", "@worktree").notes


@pytest.mark.usefixtures("api")
def test_a_directory_that_is_renamed_before_its_configuration_is_committed_is_named(
    repository: Path, pinsync: CommandLine, git: Git
) -> None:
    put(repository / "pinsync.yaml", "directory: customizations\n")
    commit(git)
    put(repository / "pinsync.yaml", "directory: pins\n")
    assert "pinsync.yaml has changes that aren't committed" in pinsync("export", "--commit").err
    reason = "HEAD's pinsync.yaml names the directory customizations"
    assert f"HEAD: not read, since {reason}: pins; commit pinsync.yaml" in diffed(pinsync).notes


def test_the_documents_of_one_tracker_that_is_left_are_not_to_be_removed(
    api: Sandbox,
    second: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two_trackers(api, second, monkeypatch)
    commit(git)
    text = (repository / "pinsync.yaml").read_text().splitlines(keepends=True)
    put(repository / "pinsync.yaml", text[0] + text[2])
    git("add", "pinsync.yaml")
    assert pinsync("export", "--commit").code == 0
    reason = "HEAD's pinsync.yaml names 2 trackers, and not 1"
    (note,) = [note for note in diffed(pinsync).notes if "not read" in note]
    assert note == f"HEAD: not read, since {reason}: customizations; commit pinsync.yaml"


@pytest.mark.parametrize(
    "arguments", [["HEAD", "@worktree"], ["@live", "HEAD"], ["@index", "HEAD"], ["HEAD", "b.json"]]
)
@pytest.mark.usefixtures("api", "exported")
def test_a_document_that_can_not_be_read_is_at_its_line_in_the_reports_for_ci(
    arguments: list[str], pinsync: CommandLine, git: Git
) -> None:
    put(document("home"), "format: 1\nmodel: [\n")
    commit(git)
    if "@index" not in arguments:
        put(document("home"), "format: 1\n")
    saved("b.json", [])
    sarif = json.loads(pinsync("diff", *arguments, "--format", "sarif").out)
    (place,) = sarif["runs"][0]["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "customizations/home.yaml"
    line = place["physicalLocation"]["region"]["startLine"]
    assert line in ((1, 3) if "@worktree" in arguments else (3,))
    result = pinsync("diff", *arguments, "--format", "github")
    assert (result.code, f"::error file=customizations/home.yaml,line={line}," in result.out) == (
        2,
        True,
    )
    (issue,) = json.loads(pinsync("diff", *arguments, "--format", "gitlab").out)
    assert issue["location"] == {"path": "customizations/home.yaml", "lines": {"begin": line}}
    junit = pinsync("diff", *arguments, "--format", "junit").out
    assert (
        f'classname="default" name="in sync" time="0" file="customizations/home.yaml" line="{line}"'
        in junit
    )


@pytest.mark.usefixtures("exported")
def test_an_export_that_can_not_be_read_is_no_document(pinsync: CommandLine) -> None:
    put(Path("customizations.json"), "[]")
    assert (
        "::error title=pinsync drift-incomplete::"
        in pinsync("diff", "HEAD", "./customizations.json", "--format", "github").out
    )
