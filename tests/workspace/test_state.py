"""What a source's spelling means, which configuration goes with it, and which trackers belong
together.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync import config
from pinsync.errors import ConfigError, FileError, PinsyncError, RepositoryError, UsageError
from pinsync.model import EVERYTHING
from pinsync.repository import Repository
from pinsync.workspace.source import Source, parse_sources
from pinsync.workspace.state import State, open_state, pair_trackers, read_contents
from pinsync.workspace.tree import open_tree
from support.exporting import BASKET_TEXT, HOME_TEXT, put

if TYPE_CHECKING:
    from support.command_line import Git


@pytest.fixture
def commits(repository: Path, git: Git) -> dict[str, str]:
    """Two branches that part from one commit, by name; the current one is ``main``."""
    found: dict[str, str] = {}
    for name, text in (
        ("base", HOME_TEXT),
        ("main", HOME_TEXT + "# main\n"),
        ("topic", HOME_TEXT + "# topic\n"),
    ):
        if name == "topic":
            git("switch", "--quiet", "--create", "topic", found["base"])
        put(repository / "customizations" / "home.yaml", text)
        git("add", ".")
        git("commit", "--quiet", "--message", name)
        found[name] = git("rev-parse", "HEAD")
    git("switch", "--quiet", "main")
    return found


def parse(*arguments: str) -> tuple[Source, Source]:
    return parse_sources(arguments, Repository.discover(Path.cwd()), Path.cwd())


def kinds(*arguments: str) -> list[str]:
    return [side.kind for side in parse(*arguments)]


def test_without_arguments_it_is_from_head_to_live(commits: dict[str, str]) -> None:
    assert parse() == (
        Source("revision", "HEAD", revision=commits["main"]),
        Source("live", "@live"),
    )
    assert parse("topic") == (
        Source("revision", "topic", revision=commits["topic"]),
        Source("live", "@live"),
    )


@pytest.mark.parametrize(
    ("argument", "old", "new"),
    [
        ("main..topic", "main", "topic"),
        ("topic..", "topic", "main"),
        ("..topic", "main", "topic"),
        ("main...topic", "base", "topic"),
        ("topic...main", "base", "main"),
        ("...topic", "base", "topic"),
        ("topic...", "base", "main"),
        ("main~1..topic~1", "base", "base"),
    ],
)
def test_dots_are_as_in_git_diff(
    argument: str, old: str, new: str, commits: dict[str, str]
) -> None:
    assert [side.revision for side in parse(argument)] == [commits[old], commits[new]]


@pytest.mark.usefixtures("commits")
def test_words_files_and_revisions_are_told_apart(repository: Path) -> None:
    put(repository / "backup.json", "{}")
    put(repository / "..backup", "{}")
    assert kinds("@worktree", "@index") == ["worktree", "index"]
    assert kinds("backup.json") == ["export", "live"]
    assert kinds("..backup") == ["export", "live"]
    assert kinds("main..@worktree") == ["revision", "worktree"]
    assert kinds("@~1", "@") == ["revision", "revision"]
    assert parse("backup.json")[0].path == repository / "backup.json"


@pytest.mark.parametrize(
    "arguments",
    [("HEAD", "HEAD"), ("@live", "@live"), ("@live",), ("HEAD..HEAD",), ("HEAD..",), ("topic...topic",),
     ("backup.json", "./backup.json"), ("backup.json..backup.json",)],
)  # fmt: skip
@pytest.mark.usefixtures("commits")
def test_a_source_isnt_compared_with_itself(arguments: tuple[str, ...], repository: Path) -> None:
    put(repository / "backup.json", "{}")
    with pytest.raises(UsageError, match="is compared with itself") as caught:
        parse(*arguments)
    assert caught.value.hint


def test_two_names_of_one_commit_are_two_sources(commits: dict[str, str]) -> None:
    """Or a check in CI would fail whenever a branch has nothing new."""
    assert [side.revision for side in parse("main...HEAD")] == [commits["main"]] * 2


@pytest.fixture
def references(commits: dict[str, str], git: Git) -> dict[str, str]:
    """Tags, a remote's branch, and a name that a tag and a branch share, for the two branches."""
    git("tag", "v1", commits["topic"])
    git("tag", "--annotate", "--message", "two", "v2", commits["topic"])
    git("branch", "release", commits["main"])
    git("tag", "release", commits["topic"])
    git("remote", "add", "origin", ".")
    git("update-ref", "refs/remotes/origin/main", commits["topic"])
    git("branch", "--quiet", "--set-upstream-to", "origin/main", "main")
    git("branch", "it's", commits["main"])
    return commits


@pytest.mark.parametrize(
    ("name", "full", "commit"),
    [
        ("main", "refs/heads/main", "main"),
        ("topic", "refs/heads/topic", "topic"),
        ("heads/topic", "refs/heads/topic", "topic"),
        ("v1", "refs/tags/v1", "topic"),
        ("v2", "refs/tags/v2", "topic"),
        ("origin/main", "refs/remotes/origin/main", "topic"),
        ("main@{u}", "refs/remotes/origin/main", "topic"),
        ("main~1", "{base}", "base"),
        ("release", "{topic}", "topic"),
        ("it's", "refs/heads/it's", "main"),
    ],
)
def test_a_word_that_could_be_a_file_and_a_revision_is_refused(
    name: str, full: str, commit: str, references: dict[str, str], repository: Path
) -> None:
    put(repository / name, "{}")
    with pytest.raises(UsageError, match="could be a file and a revision") as caught:
        parse(name, "@worktree")
    full = full.format(**references)
    assert spellings(caught.value) == [f"./{name}", full]
    put(repository / full, "{}")  # which doesn't make the full spelling ambiguous
    assert kinds(f"./{name}", "@worktree") == ["export", "worktree"]
    assert parse(full, "@worktree")[0].revision == references[commit]


def test_a_short_hash_is_spelled_in_full(commits: dict[str, str], repository: Path) -> None:
    put(repository / commits["base"][:10], "{}")
    with pytest.raises(UsageError, match="could be a file and a revision") as caught:
        parse(commits["base"][:10])
    assert spellings(caught.value)[1] == commits["base"]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("main...HEAD", "refs/heads/main...HEAD"),
        ("main..topic", "refs/heads/main..refs/heads/topic"),
        ("topic..", "refs/heads/topic.."),
        ("...v1", "...refs/tags/v1"),
        ("main~1..@{u}", "{base}..@{{u}}"),
        ("HEAD..origin/main", "HEAD..refs/remotes/origin/main"),
        ("release...main", "{topic}...refs/heads/main"),
        ("main..@worktree", "refs/heads/main..@worktree"),
    ],
)
def test_a_word_that_could_be_a_file_and_a_range_is_refused(
    name: str, full: str, references: dict[str, str], repository: Path
) -> None:
    expected = [(side.kind, side.revision) for side in parse(name)]
    full = full.format(**references)
    put(repository / name, "{}")
    for arguments in ((name,), (name, "@worktree"), ("@worktree", name)):
        with pytest.raises(UsageError, match="could be a file and a range") as caught:
            parse(*arguments)
        assert spellings(caught.value) == [f"./{name}", full]
    put(repository / full, "{}")
    assert kinds(f"./{name}", "@worktree") == ["export", "worktree"]
    assert [(side.kind, side.revision) for side in parse(full)] == expected


@pytest.mark.parametrize("name", ["main..nope", "nope...HEAD", "nope..main", "main..backup.json"])
@pytest.mark.usefixtures("commits")
def test_a_range_with_an_unknown_end_is_refused_too(name: str, repository: Path) -> None:
    """Or a file would be compared wherever a clone lacks the other branch."""
    put(repository / name, "{}")
    with pytest.raises(UsageError, match="could be a file and a range") as caught:
        parse(name)
    assert spellings(caught.value) == [f"./{name}"]
    assert kinds(f"./{name}") == ["export", "live"]


@pytest.mark.parametrize("name", ["a..b.json", "2025...2026", "nope..", "main.json"])
@pytest.mark.usefixtures("commits")
def test_a_file_that_git_reads_as_nothing_else_needs_no_prefix(name: str, repository: Path) -> None:
    put(repository / name, "{}")
    assert kinds(name) == ["export", "live"]


@pytest.mark.usefixtures("commits")
def test_a_path_is_no_range(repository: Path) -> None:
    put(repository / "main..topic", "{}")
    put(repository / "sub" / "export.json", "{}")
    os.chdir(repository / "sub")
    for name in ("../main..topic", str(repository / "main..topic"), "../sub/export.json"):
        assert kinds(name) == ["export", "live"]


@pytest.mark.usefixtures("commits")
def test_a_link_to_a_file_is_a_file_and_a_folder_is_none(repository: Path) -> None:
    put(repository / "backup.json", "{}")
    (repository / "main...topic").symlink_to("backup.json")
    with pytest.raises(UsageError, match="could be a file and a range"):
        parse("main...topic")
    for name in ("main", "main..topic"):
        (repository / name).mkdir()
        assert {side.kind for side in parse(name)} <= {"revision", "live"}
    (repository / "topic").symlink_to("nowhere")
    assert kinds("topic") == ["revision", "live"]


@pytest.mark.parametrize(
    ("arguments", "commit"),
    [
        ((), "main"),
        (("HEAD",), "main"),
        (("@",), "main"),
        (("HEAD~1",), "base"),
        (("HEAD^1",), "base"),
        (("HEAD^{commit}",), "main"),
        (("HEAD@{0}",), "main"),
        (("@{u}",), "topic"),
        (("{main}",), "main"),
        (("{main}^",), "base"),
        (("refs/heads/topic",), "topic"),
        (("HEAD..topic",), "main"),
        (("..topic",), "main"),
        (("topic...HEAD",), "base"),
        (("topic...",), "base"),
        (("main...topic",), "base"),
    ],
)
def test_no_file_is_taken_for_head_a_full_name_or_the_end_of_a_range(
    arguments: tuple[str, ...], commit: str, references: dict[str, str], repository: Path
) -> None:
    words = [argument.replace("{main}", references["main"]) for argument in arguments]
    for name in ("HEAD", "@", *(word for word in words if ".." not in word)):
        put(repository / name, "{}")
    if arguments == ("main...topic",):  # its ends can't be files
        put(repository / "main", "{}")
        put(repository / "topic", "{}")
    old, new = parse(*words)
    assert (old.kind, old.revision) == ("revision", references[commit])
    assert new.kind in ("revision", "live")


@pytest.mark.parametrize("name", ["HEAD~9", "refs/backup.json", "0" * 40])
@pytest.mark.usefixtures("commits")
def test_a_file_called_like_a_missing_revision_needs_its_path(name: str, repository: Path) -> None:
    put(repository / name, "{}")
    with pytest.raises(RepositoryError, match="names no commit") as caught:
        parse(name)
    assert spellings(caught.value) == [f"./{name}"]
    assert kinds(f"./{name}") == ["export", "live"]


def spellings(error: PinsyncError) -> list[str]:
    """Return the words that the hint of an error says to write, as a shell reads them."""
    file, _, other = str(error.hint).removeprefix("write ").partition(" for the file")
    words = [file, other.removeprefix(", or ").rpartition(" for the ")[0]]
    return [word for quoted in words for word in shlex.split(quoted)]


@pytest.mark.usefixtures("commits")
def test_an_empty_name_is_not_taken_for_head() -> None:
    """Or a variable that isn't set would be."""
    with pytest.raises(RepositoryError, match="names no commit"):
        parse("")


@pytest.mark.parametrize(
    ("argument", "error", "message", "hint"),
    [
        (
            "@live!",
            UsageError,
            "@live! is no source; expected @live, @worktree, @index, a JSON",
            'did you mean "@live"?',
        ),
        ("@indx", UsageError, "@indx is no source", 'did you mean "@index"?'),
        ("mian", RepositoryError, "mian names no commit", "git branch --all"),
        ("main..mian", RepositoryError, "mian names no commit", "git branch --all"),
        ("backup.json", FileError, "backup.json: there is no such file", "or name a revision"),
        (
            "../backup.json",
            FileError,
            "../backup.json: there is no such file",
            "or name a revision",
        ),
        ("x" * 5000, RepositoryError, "names no commit", "git branch"),
        ("-x", RepositoryError, "-x names no commit", "git branch"),
        ("main...backup.json", FileError, "backup.json: there is no such file", ""),
        ("main...@worktree", RepositoryError, "@worktree names no commit", ""),
        ("customizations", RepositoryError, "customizations names no commit", ""),
    ],
)
@pytest.mark.usefixtures("commits")
def test_what_is_no_source_says_so(
    argument: str, error: type[PinsyncError], message: str, hint: str
) -> None:
    with pytest.raises(error) as caught:
        parse(argument, *([] if ".." in argument else ["@live"]))
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_two_histories_have_no_common_commit(commits: dict[str, str], git: Git) -> None:
    git("switch", "--quiet", "--orphan", "other")
    git("commit", "--quiet", "--allow-empty", "--message", "other")
    with pytest.raises(RepositoryError, match="topic and other have no commit in common") as caught:
        parse("topic...other")
    assert "fetch-depth: 0" in (caught.value.hint or "")
    assert parse("topic..other")[0].revision == commits["topic"]


def test_without_a_repository_revisions_are_looked_for_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        RepositoryError, match="HEAD is looked for in git, but this is not a git repository"
    ) as caught:
        parse()
    assert "git init" in (caught.value.hint or "")
    assert kinds("@worktree", "@live") == ["worktree", "live"]


@pytest.mark.usefixtures("repository")
def test_before_the_first_commit_head_is_nothing() -> None:
    assert kinds() == ["nothing", "live"]
    assert kinds("@live", "HEAD") == ["live", "nothing"]
    with pytest.raises(RepositoryError, match="main names no commit"):
        parse("main")


# Which configuration goes with it.


def opened(*arguments: str, config_file: Path | None = None) -> tuple[State, State]:
    tree = open_tree(config.load(config_file, start=Path.cwd(), environ=os.environ))
    today = tree.settings
    old, new = parse_sources(arguments, tree.repository, Path.cwd())
    return (
        open_state(old, today, tree.repository, tree.store, os.environ),
        open_state(new, today, tree.repository, tree.store, os.environ),
    )


def held(state: State) -> dict[str, list[str]]:
    """The documents of each tracker, as messages name them."""
    found: dict[str, list[str]] = {}
    for tracker in state.trackers:
        content, _ = read_contents(state, state, (tracker, None), EVERYTHING, os.environ)
        found[tracker.name] = [document.source for document in content.documents.values()]
    return found


def test_a_revision_is_read_with_the_configuration_committed_in_it(
    repository: Path, git: Git
) -> None:
    put(repository / "pinsync.yaml", "directory: pins\ntrackers: {sk: {tracker_id: a}}\n")
    put(repository / "pins" / "basket.yaml", BASKET_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    put(repository / "pinsync.yaml", "trackers: {sk: {tracker_id: a}, cz: {tracker_id: b}}\n")
    put(repository / "customizations" / "sk" / "basket.yaml", BASKET_TEXT)
    put(repository / "customizations" / "cz" / "home.yaml", HOME_TEXT)
    assert [held(side) for side in opened("HEAD", "@worktree")] == [
        {"sk": ["HEAD:pins/basket.yaml"]},
        {"sk": ["customizations/sk/basket.yaml"], "cz": ["customizations/cz/home.yaml"]},
    ]
    git("add", "customizations")
    assert held(opened("@index")[0]) == {"sk": ["@index:pins/basket.yaml"]}
    git("add", "pinsync.yaml")
    assert held(opened("@index")[0])["cz"] == ["@index:customizations/cz/home.yaml"]


def test_a_configuration_in_a_folder_is_found_there_in_a_revision(
    repository: Path, git: Git
) -> None:
    put(repository / "shop" / "pinsync.yaml", "directory: a\n")
    put(repository / "shop" / "a" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    put(repository / "shop" / "pinsync.yaml", "directory: b\n")
    os.chdir(repository / "shop")
    assert held(opened("HEAD")[0]) == {"default": ["HEAD:shop/a/home.yaml"]}


def test_a_folder_that_was_renamed_is_found_by_its_former_name(repository: Path, git: Git) -> None:
    put(repository / "sub" / "pinsync.yaml", "directory: pins\ntrackers: {sk: {tracker_id: a}}\n")
    put(repository / "sub" / "pins" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    git("mv", "sub", "moved")
    git("commit", "--quiet", "--message", "two")
    put(repository / "other" / "pinsync.yaml", "format: 1\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "three")
    os.chdir(repository / "moved")
    assert [held(side) for side in opened("HEAD~2", "HEAD")] == [
        {"sk": ["HEAD~2:sub/pins/home.yaml"]},
        {"sk": ["HEAD:moved/pins/home.yaml"]},
    ]
    assert held(opened("HEAD~1")[0]) == {"sk": ["HEAD~1:moved/pins/home.yaml"]}


@pytest.mark.parametrize("how", ["the environment", "an empty .git"])
def test_a_folder_that_only_git_knows_to_lie_in_a_repository_is_found_by_its_former_name(
    how: str, repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", "directory: pins\n")
    put(repository / "pins" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    (repository / "shop").mkdir()
    git("mv", "pinsync.yaml", "pins", "shop")
    git("commit", "--quiet", "--message", "two")
    if how == "the environment":
        (repository / ".git").rename(tmp_path / "kept")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "kept"))
        monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    else:
        (repository / "shop" / ".git").mkdir()
    os.chdir(repository / "shop")
    old, new = opened("HEAD~1", "@worktree")
    assert [held(old), held(new)] == [
        {"default": ["HEAD~1:pins/home.yaml"]},
        {"default": ["shop/pins/home.yaml"]},
    ]
    assert held(opened("HEAD", "@index")[0]) == {"default": ["HEAD:shop/pins/home.yaml"]}


def test_where_only_git_knows_the_folders_above_they_are_refused_all_the_same(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / ".git").rename(tmp_path / "kept")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    put(repository / ".github" / "pinsync.yaml", "directory: workflows\n")
    os.chdir(repository / ".github")
    with pytest.raises(ConfigError, match=r"pinsync\.yaml: directory must not lie in \.github"):
        opened("@index", "@worktree")


def test_one_that_isnt_under_git_goes_with_every_revision(
    repository: Path, tmp_path: Path, git: Git
) -> None:
    put(repository / "pins" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    outside = put(tmp_path / "elsewhere" / "pinsync.yaml", "directory: pins\n")
    assert held(opened("HEAD", config_file=outside)[0]) == {"default": ["HEAD:pins/home.yaml"]}
    put(repository / "pinsync.yaml", "directory: pins\n")
    assert held(opened("HEAD")[0]) == {"default": ["HEAD:pins/home.yaml"]}


def test_a_revision_from_before_there_was_one_is_read_without(repository: Path, git: Git) -> None:
    put(repository / "customizations" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    put(
        repository / "pinsync.yaml",
        "directory: pins\ntrackers: {sk: {tracker_id: a}, cz: {tracker_id: b}}\n",
    )
    git("add", ".")
    git("commit", "--quiet", "--message", "two")
    assert held(opened("HEAD~1")[0]) == {"default": ["HEAD~1:customizations/home.yaml"]}


def test_a_committed_configuration_at_fault_is_named_with_its_revision(
    repository: Path, git: Git
) -> None:
    put(repository / "pinsync.yaml", "format: 1\ndirectory: ../out\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    put(repository / "pinsync.yaml", "format: 1\n")
    for source in ("HEAD", "@index"):
        with pytest.raises(ConfigError, match=f"^{source}:pinsync.yaml:2:1: directory") as caught:
            opened(source)
        assert caught.value.exit_code == 2


def test_a_committed_configuration_needs_permission_for_a_loopback_host(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", "trackers: {sk: {tracker_id: a, hosts: ['http://[::1]']}}\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    put(repository / "pinsync.yaml", "format: 1\n")
    for source in ("HEAD", "@index"):
        with pytest.raises(ConfigError, match="must not point at") as caught:
            opened(source)
        assert str(caught.value.hint).endswith("export PINSYNC_ALLOW_HOST='[::1]'")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "[::1]")
    for source in ("HEAD", "@index"):
        assert [tracker.hosts for tracker in opened(source)[0].trackers] == [("http://[::1]",)]


def test_in_the_index_only_its_own_conflicts_count(repository: Path, git: Git) -> None:
    put(repository / "customizations" / "home.yaml", HOME_TEXT)
    put(repository / "pinsync.yaml", "directory: customizations\n")
    (repository / "link.yaml").symlink_to("pinsync.yaml")
    git("add", ".")
    assert held(opened("@index", "@worktree")[0]) == {
        "default": ["@index:customizations/home.yaml"]
    }


def test_at_a_merge_base_messages_name_the_commit(commits: dict[str, str]) -> None:
    old, new = opened("main...topic")
    assert held(old) == {"default": [f"{commits['base'][:12]}:customizations/home.yaml"]}
    assert held(new) == {"default": ["topic:customizations/home.yaml"]}


@pytest.mark.usefixtures("commits")
def test_a_message_names_a_revision_as_it_was_spelled(repository: Path, git: Git) -> None:
    (repository / "customizations").rename(repository / "real")
    (repository / "customizations").symlink_to("real")
    git("add", ".")
    git("commit", "--quiet", "-m", "link")
    for argument in ("HEAD", "main~0", git("rev-parse", "HEAD")):
        with pytest.raises(FileError, match="is a link or a file, expected a folder") as caught:
            held(opened(argument)[0])
        assert caught.value.source == f"{argument}:customizations"
    git("switch", "--quiet", "--create", "later")
    git("commit", "--quiet", "--allow-empty", "-m", "later")
    with pytest.raises(FileError) as caught:
        held(opened("later...main~0")[0])
    assert caught.value.source == f"{git('rev-parse', 'main')[:12]}:customizations"


# Which trackers belong together.


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{a: {tracker_id: '1'}}", "{b: {tracker_id: '2'}}", [("a", "b")]),
        (
            "{a: {tracker_id: '1'}}",
            "{a: {tracker_id: '1'}, b: {tracker_id: '2'}}",
            [("a", "a"), (None, "b")],
        ),
        (
            "{a: {tracker_id: '1'}, b: {tracker_id: '2'}}",
            "{b: {tracker_id: '2'}}",
            [("a", None), ("b", "b")],
        ),
        (
            "{a: {tracker_id: '1'}, b: {tracker_id: '2'}}",
            "{b: {tracker_id: '2'}, c: {tracker_id: '1'}}",
            [("a", "c"), ("b", "b")],
        ),
        (
            "{a: {tracker_id: '1'}, b: {tracker_id: '2'}}",
            "{b: {tracker_id: '1'}, c: {tracker_id: '2'}}",
            [("a", "b"), ("b", "c")],
        ),
        (
            "{a: {tracker_id: '1'}, b: {tracker_id: '2'}}",
            "{a: {tracker_id: '3'}, b: {tracker_id: '2'}}",
            [("a", "a"), ("b", "b")],
        ),
        (
            "{a: {tracker_id: '1'}, b: {tracker_id: '2'}}",
            "{a: {tracker_id: '2'}, b: {tracker_id: '1'}}",
            [("a", "b"), ("b", "a")],
        ),
    ],
)
def test_trackers_are_paired(
    old: str, new: str, expected: object, repository: Path, git: Git
) -> None:
    put(repository / "pinsync.yaml", f"trackers: {old}\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    put(repository / "pinsync.yaml", f"trackers: {new}\n")
    found = [
        (left.name if left else None, right.name if right else None)
        for left, right in pair_trackers(*(side.trackers for side in opened("HEAD", "@worktree")))
    ]
    assert found == expected
