"""Configuration and key as the export meets them: refused with a remedy, nothing asked of the API,
nothing written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.exporting import document, put, untouched

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git, Result


def refused(pinsync: CommandLine, api: Sandbox, root: Path, *arguments: str) -> Result:
    with untouched(root):
        result = pinsync("export", *arguments)
    assert (result.code, result.out) == (2, "")
    assert len(api.requests) == 0
    return result


TRACKER = "trackers: {shop: {tracker_id: 1234-5678, %s}}\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "directory: .git\n",
            "pinsync.yaml:1:1: directory must not lie in .git",
            "directory: customizations",
        ),
        (
            "directory: ../x\n",
            "pinsync.yaml:1:1: directory must be a folder inside the repository",
            "customizations",
        ),
        (
            "directory: /etc\n",
            "pinsync.yaml:1:1: directory must be a folder inside",
            "customizations",
        ),
        (
            "directory: .github/workflows\n",
            "pinsync.yaml:1:1: directory must not lie in .github",
            "customizations",
        ),
        (
            "directory: .\n",
            "pinsync.yaml:1:1: directory must be a folder of its own",
            "customizations",
        ),
        ("a: [\n", "pinsync.yaml:", ""),
        ("trackers:\n  a: 1\n  a: 2\n", "pinsync.yaml:3:3: ", ""),
        ("<<<<<<< HEAD\n", "pinsync.yaml:1:1: ", ""),
        ("- a\n", "pinsync.yaml:1:1: must hold settings", "timezone: Europe/Bratislava"),
        (
            "format: 2\n",
            "pinsync.yaml:1:1: format is 2: made by a newer pinsync",
            "upgrade pinsync",
        ),
        (
            "directroy: x\n",
            "pinsync.yaml:1:1: directroy is no setting",
            'did you mean "directory"?',
        ),
        ("safety: {max_removed_percent: 101}\n", "whole number from 0 to 100", ""),
        ("ignore: [pin_definitions]\n", "must not leave out pin_definitions", "remove it"),
        (
            TRACKER % "private_key: abc-secret",
            "private_key must not stand in a file",
            "environment variable",
        ),
        (
            TRACKER % "hosts: [https://evilluigisbox.tech]",
            "must not point at evilluigisbox.tech",
            "https://live",
        ),
        (
            TRACKER % "hosts: ['https://u:secret@live.luigisbox.tech']",
            "user name or password",
            "https://live",
        ),
        (TRACKER % "hosts: [http://live.luigisbox.tech]", "must use https", "https://live"),
        (
            TRACKER % "hosts: ['https://live.luigisbox.tech?a=1']",
            "query or a fragment",
            "https://live",
        ),
    ],
)
def test_a_configuration_that_is_refused_is_named_by_line(
    text: str, message: str, hint: str, api: Sandbox, repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "pinsync.yaml", text)
    result = refused(pinsync, api, repository)
    assert message in result.err
    assert hint in result.err
    assert "secret" not in result.err


def test_bytes_that_are_no_text_are_a_configurations_fault(
    api: Sandbox, repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "pinsync.yaml", b"\xff\xfe\x00")
    assert "pinsync.yaml" in refused(pinsync, api, repository).err


def test_a_configuration_that_is_a_folder_or_missing_is_named(
    api: Sandbox, repository: Path, pinsync: CommandLine
) -> None:
    (repository / "pinsync.yaml").mkdir()
    assert "pinsync.yaml: is not a regular file" in refused(pinsync, api, repository).err
    assert (
        "other.yaml: doesn't exist"
        in refused(pinsync, api, repository, "--config", "other.yaml").err
    )


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("https://u:hunter2@live.luigisbox.tech", "must not hold a user name or password"),
        ("http://live.luigisbox.tech", "must use https"),
        ("live.luigisbox.tech", "must be a scheme and a host name"),
    ],
)
def test_a_host_of_the_environment_is_plain_and_has_its_traffic_encrypted(
    host: str,
    message: str,
    api: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PINSYNC_HOST", host)
    result = refused(pinsync, api, repository)
    assert result.err.startswith("error: PINSYNC_HOST: ")
    assert message in result.err
    assert "hunter2" not in result.err


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "PINSYNC_PRIVATE_KEY: is not set"),
        ("", "PINSYNC_PRIVATE_KEY: is empty"),
        (" \n", "PINSYNC_PRIVATE_KEY: is empty"),
        ("sécret-key", "that isn't printable ASCII"),
        ("secret\nkey", "that isn't printable ASCII"),
        ("secret-key\u200b", "that isn't printable ASCII"),
    ],
)
def test_a_key_that_is_missing_or_damaged_is_not_used_and_not_shown(
    key: str | None,
    message: str,
    api: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if key is None:
        monkeypatch.delenv("PINSYNC_PRIVATE_KEY")
    else:
        monkeypatch.setenv("PINSYNC_PRIVATE_KEY", key)
    result = refused(pinsync, api, repository, "-v")
    assert message in result.err
    assert "tracker default" in result.err
    for part in ("sécret", "secret-key", "secret\n"):
        assert part not in result.err


@pytest.mark.usefixtures("repository")
def test_a_newline_at_the_end_of_a_key_does_no_harm(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", f"{api.private_key}\r\n")
    assert pinsync("export").code == 0
    assert document().exists()


@pytest.mark.usefixtures("repository")
def test_no_tracker_at_all_says_how_to_name_one(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PINSYNC_TRACKER_ID")
    result = pinsync("export")
    assert result.code == 2
    assert "no tracker is configured" in result.err
    assert "pinsync init" in result.err
    assert len(api.requests) == 0


def test_the_configured_directory_timeout_and_folder_are_obeyed(
    api: Sandbox, repository: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "shop/pinsync.yaml", "directory: rules/pins\n")
    put(repository / "shop/deep/er/file", "")
    monkeypatch.chdir(repository / "shop/deep/er")
    assert pinsync("export", "--commit").code == 0
    assert git("ls-files", "--full-name", str(repository)).splitlines() == [
        "shop/rules/pins/basket.yaml",
        "shop/rules/pins/home.yaml",
    ]
    assert len(api.requests) == 1
    monkeypatch.chdir(repository)
    with untouched(repository):
        assert pinsync("export", "--config", "shop/pinsync.yaml").code == 0


@pytest.mark.usefixtures("api", "repository")
def test_a_timeout_that_is_none_is_refused(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_TIMEOUT", "soon")
    result = pinsync("export")
    assert result.code == 2
    assert "PINSYNC_TIMEOUT: must be a number of seconds" in result.err


def test_init_and_export_go_together(
    api: Sandbox, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    assert pinsync("init").code == 0
    assert pinsync("export", "--commit").code == 0
    assert json.loads(json.dumps(git("ls-files").splitlines())) == [
        "customizations/basket.yaml",
        "customizations/home.yaml",
    ]
    assert len(api.requests) == 1
    assert git("check-attr", "eol", "customizations/basket.yaml").endswith("eol: lf")
    assert (repository / "pinsync.yaml").exists()


@pytest.mark.parametrize("options", [[], ["--commit"], ["--branch", "pins"], ["--check"]])
@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.usefixtures("api")
def test_files_of_a_renamed_directory_are_named_and_stay(
    committed: bool, options: list[str], repository: Path, pinsync: CommandLine, git: Git
) -> None:
    put(repository / "pinsync.yaml", "timezone: Europe/Bratislava\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Settings")
    assert pinsync("export", "--commit").code == 0
    put(repository / "pinsync.yaml", "directory: pins\n")
    if committed:
        git("commit", "--quiet", "-am", "Rename")
    elif "--branch" in options:
        return  # where it is refused
    with untouched(repository / "customizations"):
        result = pinsync("export", *options)
    assert result.code == (1 if options == ["--check"] else 0)
    warnings = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    how = "git mv the files there, or to remove them: git rm -r customizations"
    assert (
        warnings[0] == f"warning: not read, since the directory is pins now: customizations; {how}"
    )
    early = ["warning: pinsync.yaml has changes that aren't committed; commit it too"]
    expected = early if "--commit" in options and not committed else []
    assert [line.partition(", since")[0] for line in warnings[1:]] == expected


@pytest.mark.usefixtures("api")
def test_a_branch_whose_own_configuration_looks_elsewhere_is_not_made(
    repository: Path, pinsync: CommandLine, git: Git
) -> None:
    put(repository / "pinsync.yaml", "")
    git("add", ".")
    git("commit", "--quiet", "-m", "Settings")
    put(repository / "pinsync.yaml", "directory: pins\n")
    result = pinsync("export", "--branch", "proposal")
    assert (result.code, git("branch", "--list", "proposal")) == (2, "")
    assert "puts documents into pins, but that of HEAD into customizations" in result.err
    git("commit", "--quiet", "-am", "Rename")
    assert pinsync("export", "--branch", "proposal").code == 0


@pytest.mark.usefixtures("api", "repository")
def test_a_directory_renamed_with_its_files_is_no_matter(
    repository: Path, pinsync: CommandLine, git: Git
) -> None:
    put(repository / "pinsync.yaml", "directory: customizations\n")
    put(repository / "unrelated/hooks.yaml", "repos: []\n")
    git("add", ".")
    assert pinsync("export", "--commit").code == 0
    git("mv", "customizations", "pins")
    put(repository / "pinsync.yaml", "directory: pins\n")
    with untouched(repository / "pins"):
        assert "warning" not in pinsync("export").err
    git("commit", "--quiet", "-am", "Renamed")
    assert "warning" not in pinsync("export").err


@pytest.mark.usefixtures("api")
def test_folders_of_a_renamed_directorys_trackers_are_named(
    api: Sandbox, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    tracker = f'{{tracker_id: "{api.tracker_id}"}}'
    put(repository / "pinsync.yaml", f'trackers: {{sk: {tracker}, cz: {{tracker_id: "2"}}}}\n')
    assert pinsync("export", "--tracker", "sk").code == 0
    put(document(folder="customizations/cz"), document(folder="customizations/sk").read_bytes())
    git("add", ".")
    git("commit", "--quiet", "-m", "Both")
    put(repository / "pinsync.yaml", f"directory: customizations/sk\ntrackers: {{sk: {tracker}}}\n")
    with untouched(repository / "customizations"):
        assert (
            "since the directory is customizations/sk now: customizations/cz; "
            in pinsync("export").err
        )
    put(repository / "pinsync.yaml", f"directory: pins\ntrackers: {{sk: {tracker}}}\n")
    assert "git rm -r customizations/cz customizations/sk\n" in pinsync("export").err


@pytest.mark.usefixtures("api")
def test_a_committed_configuration_that_is_refused_keeps_nobody_from_a_better_one(
    repository: Path, pinsync: CommandLine, git: Git
) -> None:
    put(repository / "pinsync.yaml", "directory: [\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Oops")
    put(repository / "pinsync.yaml", "directory: pins\n")
    result = pinsync("export")
    assert (result.code, "warning" in result.err) == (0, False)
