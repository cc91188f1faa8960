"""Where ``--report`` may write, for ``diff`` and ``lint`` alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.exporting import BASKET_TEXT, put, untouched

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

COMMANDS = (("diff", "HEAD", "@worktree"), ("lint",))


@pytest.fixture
def committed(repository: Path, git: Git) -> Path:
    """A repository with a configuration and a document, and links to them and their folder."""
    put(repository / "conf.yaml", "format: 1\n")
    put(repository / "customizations" / "basket.yaml", BASKET_TEXT)
    (repository / "link.json").symlink_to("customizations/basket.yaml")
    (repository / "second.json").hardlink_to(repository / "customizations" / "basket.yaml")
    (repository / "second.yaml").hardlink_to(repository / "conf.yaml")
    (repository / "folder").symlink_to("customizations")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    return repository


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("customizations/basket.yaml", "a document in customizations"),
        ("./customizations/../customizations/basket.yaml", "a document in customizations"),
        ("customizations/new.yaml", "a document in customizations"),
        ("customizations/items.json", "a document in customizations"),
        ("customizations/shop-sk/new.yaml", "a document in customizations"),
        ("folder/new.yaml", "a document in customizations"),
        ("link.json", "a document in customizations"),
        ("conf.yaml", "the configuration"),
        ("pinsync.yaml", "a configuration"),
        ("elsewhere/pinsync.yaml", "a configuration"),
        ("second.json", "a document in customizations"),
        ("second.yaml", "the configuration"),
        (".git/HEAD", "what lies in a git directory"),
        (".git/hooks/pre-commit", "what lies in a git directory"),
        (".GIT/config", "what lies in a git directory"),
    ],
)
def test_a_report_is_not_written_over_what_is_the_users(
    file: str, what: str, command: tuple[str, ...], committed: Path, pinsync: CommandLine
) -> None:
    names = sorted(committed.rglob("*"))
    with untouched(committed):
        result = pinsync(*command, "--config", "conf.yaml", "--report", f"json={file}")
    assert (result.code, result.out) == (2, "")
    assert f"would write over {what}\n" in result.err
    assert "name a file of its own, such as report.json" in result.err
    assert sorted(committed.rglob("*")) == names


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("committed")
def test_two_reports_are_two_files(command: tuple[str, ...], pinsync: CommandLine) -> None:
    result = pinsync(*command, "--report", "json=report", "--report", "junit=folder/../report")
    assert (result.code, result.out) == (2, "")
    assert "--report junit=folder/../report would write over another report" in result.err
    assert not Path("report").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("committed")
def test_a_dash_is_no_file(command: tuple[str, ...], pinsync: CommandLine) -> None:
    result = pinsync(*command, "--report", "json=-")
    assert (result.code, result.out) == (2, "")
    assert "'json=-': standard output takes --format json" in result.err
    assert not Path("-").exists()


@pytest.mark.usefixtures("committed")
def test_what_is_compared_stays(pinsync: CommandLine) -> None:
    backup = put(Path("backup.json"), '{"results": []}')
    result = pinsync("diff", "backup.json", "@worktree", "--report", "json=backup.json")
    assert (result.code, "would write over a file that is compared" in result.err) == (2, True)
    Path("second").hardlink_to(backup)
    result = pinsync("diff", "backup.json", "@worktree", "--report", "json=second")
    assert (result.code, "would write over a file that is compared" in result.err) == (2, True)
    assert backup.read_text() == '{"results": []}'


@pytest.mark.usefixtures("committed")
def test_git_may_keep_its_own_anywhere(
    git: Git, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a bare repository whose working trees lie in it."""
    git("clone", "--quiet", "--bare", ".", "../all")
    git("-C", "../all", "worktree", "add", "--quiet", "topic", "-b", "topic")
    monkeypatch.chdir("../all/topic")
    assert pinsync("lint", "--report", "json=report.json").code == 0
    for file in ("../report.json", "../hooks/pre-commit", ".git", "../worktrees/topic/HEAD"):
        result = pinsync("lint", "--report", f"json={file}")
        assert (result.code, "would write over what lies in a git directory" in result.err) == (
            2,
            True,
        ), result.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("committed")
def test_any_other_file_is_as_good_as_another(
    command: tuple[str, ...], pinsync: CommandLine
) -> None:
    put(Path("old.json"), "x" * 9999)
    Path("other.json").hardlink_to("old.json")
    for file in (
        "old.json",
        "other.json",
        "report.yaml",
        "customizations/report.json",
        ".gitlab.json",
    ):
        assert pinsync(*command, "--report", f"json={file}").code == 0
        assert Path(file).read_text(encoding="utf-8").startswith("{")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_link_in_the_repository_is_not_followed(
    command: tuple[str, ...], committed: Path, pinsync: CommandLine
) -> None:
    """It may be a stranger's, who would have a job write where they like."""
    outside = put(committed.parent / "outside" / "notes.md", "theirs")
    Path("pins.md").symlink_to(outside)
    Path("dangling.md").symlink_to(outside.with_name("new.md"))
    Path("out").symlink_to(outside.parent)
    Path("elsewhere").symlink_to("out")
    (outside.parent / "back").symlink_to(committed)
    links = {
        "pins.md": "pins.md",
        "dangling.md": "dangling.md",
        "out/new.md": "out",
        "elsewhere/new.md": "elsewhere",
        str(committed / "pins.md"): "pins.md",
        "../outside/back/pins.md": "../outside/back/pins.md",
    }
    for file, link in links.items():
        result = pinsync(*command, "--report", f"json={file}")
        assert (result.code, result.out) == (2, "")
        assert f"--report json={file} would follow the symbolic link {link}\n" in result.err
        assert "remove the link" in result.err
    assert [file.name for file in sorted(outside.parent.iterdir())] == ["back", "notes.md"]
    assert outside.read_text(encoding="utf-8") == "theirs"


@pytest.mark.usefixtures("committed")
def test_a_link_outside_the_repository_is_the_users_own(
    committed: Path, pinsync: CommandLine
) -> None:
    folder = committed.parent / "reports"
    folder.mkdir()
    (committed.parent / "link").symlink_to(folder)
    assert pinsync("lint", "--report", "json=../link/report.json").code == 0
    assert (folder / "report.json").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("committed")
def test_a_device_takes_several_reports(command: tuple[str, ...], pinsync: CommandLine) -> None:
    result = pinsync(*command, "--report", "json=/dev/null", "--report", "junit=/dev/null")
    assert (result.code, result.err) == (0, "")


@pytest.mark.usefixtures("committed")
def test_standard_output_can_be_named_as_a_file(pinsync: CommandLine) -> None:
    result = pinsync.spawn("lint", "-q", "--report", "json=/dev/stdout")
    assert (result.code, result.out.startswith('{\n  "version": 1')) == (0, True), result.err
