"""Several trackers: each in a folder of its own, each with a fate of its own, and one exit code for
all.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Sandbox, parse_fault
from support.exporting import (
    BASKET_TEXT,
    HOME,
    STRINGS,
    document,
    put,
    repinned,
    rows,
    rule,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command_line import CommandLine, Git

CONFIGURATION = """\
trackers:
  sk: {{tracker_id: "1", private_key_env: KEY_SK, hosts: ["{0}"]}}
  cz: {{tracker_id: "2", private_key_env: KEY_CZ, hosts: ["{1}"]}}
  hu: {{tracker_id: "3", private_key_env: KEY_HU, hosts: ["{2}"]}}
safety: {{min_existing: 2}}
"""
NAMES = ("sk", "cz", "hu")


@pytest.fixture
def apis(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sandbox]]:
    """Three trackers in the configuration, each with the same small shop."""
    with ExitStack() as stack:
        served = {
            name: stack.enter_context(
                Sandbox(rows(), tracker_id=str(number), private_key=f"secret-{name}")
            )
            for number, name in enumerate(NAMES, 1)
        }
        for name in NAMES:
            monkeypatch.setenv(f"KEY_{name.upper()}", f"secret-{name}")
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        put(
            repository / "pinsync.yaml", CONFIGURATION.format(*(api.url for api in served.values()))
        )
        yield served


@pytest.fixture
def exported(apis: dict[str, Sandbox], repository: Path, pinsync: CommandLine) -> Path:
    """The same with a committed export."""
    assert pinsync("export", "--commit").code == 0
    assert all(len(api.requests) == 1 for api in apis.values())
    return repository


@pytest.mark.usefixtures("exported")
def test_each_has_a_folder_and_all_are_one_commit(git: Git) -> None:
    assert git("ls-files").splitlines() == [
        f"customizations/{name}/{model}.yaml"
        for name in sorted(NAMES)
        for model in ("basket", "home")
    ]
    assert git("rev-list", "--count", "HEAD") == "1"
    assert "\nsk, model home:\n  rule added: /p/1/\n" in git("log", "-1", "--format=%B")
    assert git("show", "HEAD:customizations/sk/basket.yaml") + "\n" == BASKET_TEXT


@pytest.mark.usefixtures("exported")
def test_each_has_a_line_in_the_configurations_order(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    repinned(apis["cz"], STRINGS)
    lines = pinsync("export").err.splitlines()
    assert lines == [
        f"{name}: 0 added, {changed} changed, 0 removed · {files} in customizations/{name}/"
        for name, changed, files in zip(
            NAMES,
            (0, 1, 0),
            ("nothing to write", "1 file rewritten", "nothing to write"),
            strict=True,
        )
    ]


def test_one_that_fails_keeps_its_files_and_the_others_are_written(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine, git: Git
) -> None:
    for api in apis.values():
        repinned(api, STRINGS)
    apis["cz"].fail(parse_fault("500"))
    with untouched(exported / "customizations" / "cz"):
        result = pinsync("export", "--commit")
    assert result.code == 3
    assert "error: tracker cz: " in result.err
    assert "sk: 0 added, 1 changed" in result.err
    assert "hu: 0 added, 1 changed" in result.err
    assert git("show", "--name-only", "--format=").splitlines() == [
        "customizations/hu/basket.yaml",
        "customizations/sk/basket.yaml",
    ]


def test_one_that_is_refused_keeps_its_files_too(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine
) -> None:
    for api in apis.values():
        repinned(api, STRINGS)
    document(folder="customizations/cz").write_text(BASKET_TEXT + "# mine\n")
    with untouched(exported / "customizations" / "cz"):
        result = pinsync("export")
    assert result.code == 4
    assert "position: 7" in document(folder="customizations/hu").read_text()


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({}, 0),
        ({"cz": "drift"}, 1),
        ({"sk": "drift", "cz": "guard"}, 4),
        ({"sk": "guard", "cz": "remote"}, 3),
        ({"sk": "remote", "cz": "guard", "hu": "file"}, 2),
        ({"sk": "drift", "hu": "remote"}, 3),
        ({"sk": "key", "cz": "remote"}, 2),
    ],
)
def test_the_gravest_exit_code_wins(
    faults: dict[str, str],
    code: int,
    apis: dict[str, Sandbox],
    exported: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, fault in faults.items():
        if fault == "drift":
            repinned(apis[name], STRINGS)
        elif fault == "guard":
            for row in rows():
                apis[name].delete(row["id"])
        elif fault == "remote":
            apis[name].fail(parse_fault("500"))
        elif fault == "key":
            monkeypatch.delenv(f"KEY_{name.upper()}")
        else:
            put(document(folder=f"customizations/{name}"), "nonsense\n")
    with untouched(exported):
        result = pinsync("export", "--check")
    assert result.code == code
    assert (result.err.count("error: ")) == sum(fault != "drift" for fault in faults.values())


@pytest.mark.usefixtures("exported")
def test_a_fault_of_one_does_not_hide_the_graver_one_of_all(
    apis: dict[str, Sandbox], pinsync: CommandLine, git: Git
) -> None:
    # The branch is refused (4), which is less grave than an answer that can't be trusted (3).
    git("branch", "pins", git("commit-tree", "-p", "HEAD", "-m", "A person's", "HEAD^{tree}"))
    apis["sk"].fail(parse_fault("500"))
    repinned(apis["cz"], STRINGS)
    result = pinsync("export", "--branch", "pins")
    assert result.code == 3
    assert "holds commits that pinsync didn't make" in result.err


def test_a_tracker_can_be_chosen(
    apis: dict[str, Sandbox], repository: Path, pinsync: CommandLine
) -> None:
    assert pinsync("export", "--tracker", "cz", "--tracker", "sk").code == 0
    assert sorted(path.name for path in (repository / "customizations").iterdir()) == ["cz", "sk"]
    assert [len(apis[name].requests) for name in NAMES] == [1, 1, 0]
    result = pinsync("export", "--tracker", "ro")
    assert result.code == 2
    assert 'no tracker is named "ro"\n  known: cz, hu, sk\n' in result.err


def test_a_saved_export_needs_to_be_told_whose_it_is(
    apis: dict[str, Sandbox], repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "export.json", '{"results": []}')
    with untouched(repository):
        result = pinsync("export", "--from-file", "export.json")
    assert result.code == 2
    assert "choose one with --tracker: sk, cz, hu" in result.err
    assert pinsync("export", "--from-file", "export.json", "--tracker", "hu").code == 0
    assert [len(api.requests) for api in apis.values()] == [0, 0, 0]


@pytest.mark.usefixtures("exported")
def test_the_guard_is_for_each_tracker(apis: dict[str, Sandbox], pinsync: CommandLine) -> None:
    apis["sk"].delete(HOME)
    for api in apis.values():
        api.create(rule(5))
    result = pinsync("export")
    assert result.code == 4
    assert "tracker sk: 1 of 3 customizations would go" in result.err
    assert not document(folder="customizations/sk").read_text().count("/p/5/")
    assert document(folder="customizations/cz").read_text().count("/p/5/") == 1


def test_the_same_id_in_two_trackers_is_no_conflict(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine
) -> None:
    assert {row["id"] for row in apis["sk"].customizations()} == {
        row["id"] for row in apis["cz"].customizations()
    }
    with untouched(exported):
        assert pinsync("export").code == 0


def test_no_key_is_shown_by_any_failure(
    apis: dict[str, Sandbox],
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY_CZ", "secret-wrong")
    apis["hu"].fail(parse_fault("redirect"))
    result = pinsync("export", "-v")
    assert result.code == 3
    assert "secret" not in result.out + result.err
    assert "KEY_CZ holds the private key of tracker_id 2" in result.err
    assert all(
        b"secret" not in path.read_bytes() for path in repository.rglob("*") if path.is_file()
    )


def test_files_from_before_there_were_several_are_not_left_lying_without_a_word(
    exported: Path, pinsync: CommandLine
) -> None:
    put(exported / "customizations/basket.yaml", BASKET_TEXT)
    with untouched(exported):
        result = pinsync("export", "--check")
    assert result.code == 0
    assert "warning: not read, since each of several trackers has a folder of its own" in result.err
    move = "mkdir -p customizations/NAME && mv customizations/*.yaml customizations/NAME/"
    assert (
        f"customizations/basket.yaml; before the export, {move} (NAME: sk or cz or hu)"
        in result.err
    )


@pytest.mark.parametrize("options", [[], ["--check"], ["--commit"], ["--branch", "pins"]])
@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.usefixtures("apis")
def test_rules_from_before_there_were_several_are_not_written_twice(
    tracked: bool, options: list[str], repository: Path, pinsync: CommandLine, git: Git
) -> None:
    if "--branch" in options and not tracked:
        return  # it starts from HEAD, which has no such documents
    put(
        repository / "customizations/basket.yaml",
        BASKET_TEXT.replace("  - id", "  # from 2019\n  - id"),
    )
    put(repository / "customizations/nonsense.yaml", "nonsense\n")
    git("add", "pinsync.yaml", *(["customizations"] if tracked else []))
    git("commit", "--quiet", "-m", "One tracker")
    with untouched(repository):
        result = pinsync("export", "--tracker", "sk", *options)
    assert result.code == 4
    move = f"{'git ' * tracked}mv customizations/*.yaml customizations/sk/"
    assert f"their comments: mkdir -p customizations/sk && {move}\n" in result.err
    (repository / "customizations/nonsense.yaml").unlink()
    subprocess.run(["sh", "-ec", result.err.rpartition("comments: ")[2]], check=True)
    assert pinsync("export", "--tracker", "sk").code == 0
    assert document(folder="customizations/sk").read_text().count("# from 2019") == 2


@pytest.mark.parametrize("options", [["--commit"], ["--branch", "pins"]])
@pytest.mark.usefixtures("exported")
def test_a_message_names_the_one_tracker_that_changed(
    options: list[str], apis: dict[str, Sandbox], pinsync: CommandLine, git: Git
) -> None:
    repinned(apis["cz"], STRINGS)
    apis["sk"].fail(parse_fault("500"))
    assert pinsync("export", *options).code == 3
    assert git("log", "-1", "--format=%B", options[-1].replace("--commit", "HEAD")).startswith(
        "Export pins of cz: 1 changed\n\ncz, model basket:\n  moved from position 1 to position 7: "
    )
    repinned(apis["cz"], STRINGS, 8)
    assert pinsync("export", "--tracker", "cz", *options).code == 0
    assert (
        git("log", "-1", "--format=%s", options[-1].replace("--commit", "HEAD"))
        == "Export pins of cz: 1 changed"
    )


@pytest.mark.parametrize("kept", [1, 2])
@pytest.mark.parametrize("options", [[], ["--branch", "pins"]])
def test_folders_that_no_tracker_reads_any_more_are_named_and_stay(
    kept: int, options: list[str], exported: Path, pinsync: CommandLine
) -> None:
    lines = (exported / "pinsync.yaml").read_text().splitlines(keepends=True)
    put(exported / "pinsync.yaml", "".join(lines[: 1 + kept]))
    put(exported / "customizations/hooks/check.yaml", "repos: []\n")
    put(exported / "customizations/.hidden/basket.yaml", BASKET_TEXT)
    (exported / "customizations/link").symlink_to("sk")
    with untouched(exported / "customizations/hu"), untouched(exported / "customizations/cz"):
        result = pinsync("export", *options)
    assert result.code == 0
    stale = [
        f"customizations/{name}"
        for name in sorted(NAMES)
        if name not in NAMES[: kept if kept > 1 else 0]
    ]
    warnings = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert f": {', '.join(stale)}; to remove: git rm -r {' '.join(stale)}" in warnings[0]


@pytest.mark.parametrize("known", [("cz", "hu"), ("cz",), ()])
def test_what_git_has_nothing_of_is_removed_without_it(
    known: tuple[str, ...], exported: Path, pinsync: CommandLine, git: Git
) -> None:
    lines = (exported / "pinsync.yaml").read_text().splitlines(keepends=True)
    put(exported / "pinsync.yaml", "".join(lines[:2]))
    git("rm", "-r", "--quiet", "--cached", "customizations")
    git("add", "pinsync.yaml", *(f"customizations/{name}" for name in known))
    git("commit", "--quiet", "--message", "One tracker")
    (told,) = [
        line
        for line in pinsync("export", "--check").err.splitlines()
        if line.startswith("warning: ")
    ]
    subprocess.run(["sh", "-ec", told.partition("to remove: ")[2]], check=True)
    assert list((exported / "customizations").iterdir()) == []


def test_what_a_branch_proposes_of_a_tracker_that_fails_stays_proposed(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine, git: Git
) -> None:
    for api in apis.values():
        repinned(api, STRINGS)
    with untouched(exported / "customizations"):
        assert pinsync("export", "--branch", "pins").code == 0
        proposed = git("rev-parse", "pins^{tree}")
        apis["cz"].fail(parse_fault("500:*"))
        assert pinsync("export", "--branch", "pins").code == 3
        assert git("rev-parse", "pins^{tree}") == proposed
        assert pinsync("export", "--branch", "pins", "--tracker", "sk").code == 0
        assert git("rev-parse", "pins^{tree}") == proposed


def test_what_a_branch_proposes_of_a_tracker_stays_unless_head_changed_it(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine, git: Git
) -> None:
    for api in apis.values():
        repinned(api, STRINGS)
        repinned(api, HOME)
    pinsync("export", "--branch", "pins")
    path = document(folder="customizations/cz")
    path.write_text(path.read_text().replace("position: 1\n", "position: 3\n"))
    git("commit", "--quiet", "-am", "Another position")
    with untouched(exported / "customizations"):
        result = pinsync("export", "--branch", "pins", "--tracker", "sk")
    warnings = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    assert warnings == [
        "warning: cz: pins no longer proposes its change of a rule, which HEAD has changed since"
    ]
    assert git("diff", "--name-only", "HEAD", "pins").splitlines() == [
        "customizations/cz/home.yaml",
        *(
            f"customizations/{name}/{model}.yaml"
            for name in ("hu", "sk")
            for model in ("basket", "home")
        ),
    ]
    assert git("log", "-1", "--format=%s", "pins") == "Export pins: 5 changed"


def test_a_filter_leaves_the_other_trackers_proposals_alone(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine, git: Git
) -> None:
    for api in apis.values():
        repinned(api, STRINGS)
    with untouched(exported / "customizations"):
        pinsync("export", "--branch", "pins")
        tree = git("rev-parse", "pins^{tree}")
        pinsync("export", "--branch", "pins", "--tracker", "sk", "--model", "home")
    assert git("rev-parse", "pins^{tree}") == tree


def test_documents_of_head_that_can_not_be_read_carry_no_proposal_and_a_line_says_so(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine, git: Git
) -> None:
    for api in apis.values():
        repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    put(document(folder="customizations/cz"), "nonsense\n")
    git("commit", "--quiet", "-am", "Oops")
    with untouched(exported / "customizations"):
        result = pinsync("export", "--branch", "pins", "--tracker", "sk")
    assert result.code == 0
    assert (
        "warning: cz: the earlier proposal of pins is dropped: customizations/cz/basket.yaml:1"
        in result.err
    )
    assert git("diff", "--name-only", "HEAD", "pins").splitlines() == [
        f"customizations/{name}/basket.yaml" for name in ("hu", "sk")
    ]


def test_a_key_that_a_hook_prints_is_not_shown_whatever_its_variable_is_called(
    apis: dict[str, Sandbox], exported: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        exported / "pinsync.yaml",
        (exported / "pinsync.yaml").read_text().replace("KEY_CZ", "CZECHIA"),
    )
    monkeypatch.delenv("KEY_CZ")
    monkeypatch.setenv("CZECHIA", "secret-cz")
    # No hook inherits a key, but it may have one from elsewhere.
    hook = put(
        exported / ".git/hooks/pre-commit", '#!/bin/sh\necho "secret-sk secret-cz" >&2\nexit 1\n'
    )
    hook.chmod(0o755)
    repinned(apis["cz"], STRINGS)
    result = pinsync("export", "--commit")
    assert result.code == 2
    assert "<KEY_SK> <private key>" in result.err
    assert "secret" not in result.out + result.err
