"""The main job through the command line: live → files, what is said of it, and what stays as it
is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Sandbox, parse_fault
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    answered,
    document,
    edited,
    piped,
    put,
    repinned,
    rows,
    rule,
    served,
    untouched,
)

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

# api.md's reference, to the letter.
REFERENCE = """{"results": [{"id": "199620b4-df1a-46e8-ab59-9e9ed9af7106", "model": "basket", "target_type": "item"},
                 {"id": "b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f", "model": "basket", "target_type": "all"}]}
"""
REFERENCE_TEXT = """\
format: 1
model: basket
customizations:
  - id: 199620b4-df1a-46e8-ab59-9e9ed9af7106
    target_type: item
  - id: b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f
    target_type: all
"""


@pytest.mark.usefixtures("api")
def test_each_model_becomes_a_file_and_a_line_says_so(
    repository: Path, pinsync: CommandLine
) -> None:
    result = pinsync("export")
    assert (result.code, result.out) == (0, "")
    assert (
        result.err
        == "default: 3 added, 0 changed, 0 removed · 2 files written in customizations/\n"
    )
    assert document("basket").read_bytes() == BASKET_TEXT.encode()
    assert document("home").read_bytes() == HOME_TEXT.encode()
    assert sorted(path.name for path in repository.iterdir()) == [".git", "customizations"]


@pytest.mark.usefixtures("sandbox")
def test_in_sync_nothing_is_written_however_the_answer_is_spelt(
    repository: Path, pinsync: CommandLine
) -> None:
    pinsync("export", "--commit")
    for _ in range(3):
        with untouched(repository):
            result = pinsync("export")
        assert result.code == 0
        assert "0 added, 0 changed, 0 removed · nothing to write in customizations/" in result.err


@pytest.mark.usefixtures("api")
def test_the_line_says_where_the_files_lie_as_seen_from_the_current_folder(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(repository / "shop/pinsync.yaml", "directory: rules/live\n")
    for place, shown in (
        ("shop", "rules/live/"),
        ("shop/rules", "live/"),
        (".", f"{repository}/shop/rules/live/"),
    ):
        (repository / place).mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(tmp_path if place == "." else repository / place)
        result = pinsync("export", "--config", str(repository / "shop/pinsync.yaml"))
        assert result.err.endswith(f" in {shown}\n")
    monkeypatch.chdir(repository / "shop/rules/live")
    assert pinsync("export", "--check").err.endswith(" nothing to write in this folder\n")
    (repository / "other").mkdir()
    monkeypatch.chdir(repository / "other")
    assert pinsync("export", "--check", "--config", "../shop/pinsync.yaml").err.endswith(
        " in ../shop/rules/live/\n"
    )


@pytest.mark.usefixtures("api")
def test_without_repository_and_configuration_the_line_has_the_whole_path(
    folder: Path, pinsync: CommandLine
) -> None:
    result = pinsync("export")
    assert (
        result.err
        == f"default: 3 added, 0 changed, 0 removed · 2 files written in {folder}/customizations/\n"
    )
    put(folder / "pinsync.yaml", "")
    assert pinsync("export").err.endswith("nothing to write in customizations/\n")


@pytest.mark.usefixtures("exported")
def test_new_files_are_told_from_those_that_are_rewritten(
    api: Sandbox, pinsync: CommandLine
) -> None:
    api.create(rule(5, "new"))
    repinned(api, STRINGS)
    api.delete(HOME)
    files = "1 file written, 1 rewritten, 1 removed in customizations/"
    assert pinsync("export").err == f"default: 1 added, 1 changed, 1 removed · {files}\n"


@pytest.mark.usefixtures("exported")
def test_a_change_rewrites_its_block_alone(api: Sandbox, pinsync: CommandLine) -> None:
    basket, home = document("basket"), document("home")
    before = home.stat().st_mtime_ns
    repinned(api, EVERYONE)
    result = pinsync("export")
    assert (
        result.err
        == "default: 0 added, 1 changed, 0 removed · 1 file rewritten in customizations/\n"
    )
    assert basket.read_text() == BASKET_TEXT.replace("position: -1", "position: 7")
    assert home.stat().st_mtime_ns == before


@pytest.mark.usefixtures("exported")
def test_added_removed_and_recreated_rules_are_counted(api: Sandbox, pinsync: CommandLine) -> None:
    api.delete(EVERYONE)
    api.create(rule(5, "basket"))
    again = api.get(HOME)
    api.delete(HOME)
    api.create({name: value for name, value in again.items() if name != "id"})
    result = pinsync("export")
    assert result.code == 0
    assert (
        "default: 1 added, 0 changed, 1 recreated, 1 removed · 2 files rewritten in customizations/"
        in result.err
    )


@pytest.mark.usefixtures("repository")
def test_an_import_into_the_ui_keeps_each_rule_with_its_comments(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    """An import changes every id, and a model may have several rules for all, some of them
    equal.
    """
    shelves = [[], [{"position": 1, "pin_type": "item", "pin_identity": "/p/1/"}], []]
    for_all = [
        {"id": f"old-{number}", "model": "basket", "target_type": "all", "pin_definitions": pins}
        for number, pins in enumerate(shelves)
    ]
    answered(api, for_all)
    assert pinsync("export", "--commit").code == 0
    text = (
        document()
        .read_text()
        .replace("  - id: old-1\n", "  # agreed with purchasing\n  - id: old-1\n")
    )
    put(document(), text)
    git("commit", "--quiet", "--all", "--message=Remark")
    answered(
        api, [{**row, "id": f"new-{number}"} for number, row in reversed(list(enumerate(for_all)))]
    )
    result = pinsync("export", "--commit", "--allow-mass-removal")
    assert "default: 0 added, 0 changed, 3 recreated, 0 removed · 1 file rewritten" in result.err
    assert document().read_text() == text.replace("old-", "new-")
    subject, *lines = git("log", "-1", "--format=%B").split("\n")
    assert subject == "Export pins: 3 recreated"
    assert lines == [
        "",
        "model basket:",
        *["  created again: every visitor"] * 3,
        "",
        "Pinsync-Export: 1234-5678",
        "",
    ]


@pytest.mark.usefixtures("exported")
def test_a_model_without_rules_loses_its_file(api: Sandbox, pinsync: CommandLine) -> None:
    api.delete(HOME)
    result = pinsync("export")
    assert (
        result.err == "default: 0 added, 0 changed, 1 removed · 1 file removed in customizations/\n"
    )
    assert [path.name for path in document().parent.iterdir()] == ["basket.yaml"]


@pytest.mark.usefixtures("repository")
def test_quiet_says_nothing_and_verbose_names_the_files(api: Sandbox, pinsync: CommandLine) -> None:
    result = pinsync("export", "-v")
    assert "wrote customizations/basket.yaml\nwrote customizations/home.yaml\n" in result.err
    api.delete(HOME)
    assert "removed customizations/home.yaml\n" in pinsync("export", "-v").err
    repinned(api, STRINGS)
    assert pinsync("export", "-q") == type(result)(0, "", "")
    assert "position: 7" in document().read_text()


@pytest.mark.usefixtures("repository")
def test_quiet_still_says_what_is_wrong(api: Sandbox, pinsync: CommandLine) -> None:
    api.fail(parse_fault("500"))
    assert pinsync("export", "-q").err.startswith("error: tracker default: ")


@pytest.mark.usefixtures("repository")
def test_colour_is_for_terminals_and_who_asks(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def painted(*arguments: str) -> bool:
        edited(api, STRINGS, tags="odd")
        return "\x1b[33mwarning:" in pinsync("export", *arguments).err

    assert not painted()
    assert painted("--color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert painted()
    assert not painted("--no-color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not painted()


def test_check_names_the_files_and_changes_nothing(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    with untouched(exported):
        assert pinsync("export", "--check").code == 0
    api.delete(HOME)
    repinned(api, STRINGS)
    with untouched(exported):
        result = pinsync("export", "--check")
    assert result.code == 1
    assert result.out == "customizations/basket.yaml\ncustomizations/home.yaml\n"
    files = "1 file would be rewritten, 1 would be removed in customizations/"
    assert result.err == f"default: 0 added, 1 changed, 1 removed · {files}\n"


def test_all_paths_are_written_as_in_the_current_folder(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("customizations")
    put(Path("basket.yaml"), BASKET_TEXT + "  - target_type: item\n    target_identity: /p/7/\n")
    repinned(api, STRINGS)
    line = len(BASKET_TEXT.splitlines()) + 1
    kept = f"note: basket.yaml:{line}: has no id, and live has none for its target"
    held = "basket.yaml holds uncommitted work that an export would overwrite"
    asked, refused = pinsync("export", "--check"), pinsync("export")
    assert asked.out == "basket.yaml\n"
    summary = "default: 0 added, 1 changed, 0 removed · 1 file would be rewritten in this folder"
    notes = asked.err.splitlines()
    assert notes[0].startswith(kept)
    assert notes[1] == summary
    remedy = "commit or stash it, or overwrite it with export --force"
    assert notes[2] == f"note: {held}, so the export would be refused (4): {remedy}"
    assert f"error: {held}\n  {remedy}\n" in refused.err
    monkeypatch.chdir(exported)
    git("commit", "--quiet", "--all", "--message", "By hand")
    (exported / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    written = pinsync("export", "-v")
    assert f"note: ../customizations/basket.yaml:{line}: has no id" in written.err
    assert "wrote ../customizations/basket.yaml\n" in written.err


def test_an_index_at_fault_is_no_matter_to_who_only_looks(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    put(exported / ".git/index", "broken")
    result = pinsync("export", "--check")
    assert (result.code, result.out) == (1, "customizations/basket.yaml\n")
    assert result.err.count("\n") == 1


def test_of_a_branch_it_is_said_that_the_files_are_on_it(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    with untouched(exported / "customizations"):
        first, *_ = pinsync("export", "--branch", "pins").err.splitlines()
    assert first == "default: 0 added, 1 changed, 0 removed · 1 file rewritten on pins"


@pytest.mark.usefixtures("api")
def test_check_leaves_no_trace_where_nothing_was_exported_yet(
    repository: Path, pinsync: CommandLine
) -> None:
    with untouched(repository):
        assert pinsync("export", "--check").code == 1
    assert not (repository / ".git" / "pinsync").exists()


def test_the_references_example_from_a_file(repository: Path, pinsync: CommandLine) -> None:
    put(repository / "export.json", REFERENCE)
    assert pinsync("export", "--from-file", "export.json").code == 0
    assert document().read_text() == REFERENCE_TEXT


def test_the_references_example_from_the_api(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(monkeypatch, json.loads(REFERENCE)["results"]) as api:
        assert pinsync("export").code == 0
        assert document().read_text() == REFERENCE_TEXT
        # The same by the API's own example, and by the sandbox's spelling of it.
        put(repository / "export.json", REFERENCE)
        with untouched(document().parent):
            assert pinsync("export", "--from-file", "export.json").code == 0
        assert len(api.requests) == 1


def test_a_saved_export_needs_neither_key_nor_network(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    changed = rows()
    changed[0]["tags"] = ["easter"]
    put(exported / "export.json", json.dumps({"results": changed}))
    before = len(api.requests)
    assert pinsync("export", "--from-file", "export.json", "--check").code == 1
    assert pinsync("export", "--from-file", "export.json").code == 0
    assert "- easter" in document().read_text()
    assert len(api.requests) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", 'export.json: the answer is not {"results": [...]}'),
        ('{"results": [{"id": "a", "model": "m"}]}', "target_type: expected a non-empty string"),
        ('{"results": [], "next": 2}', "one page of several"),
        (None, "export.json: can't be read: No such file or directory"),
    ],
)
def test_a_saved_export_that_is_not_whole_is_the_files_fault(
    text: str | None, message: str, repository: Path, pinsync: CommandLine
) -> None:
    if text is not None:
        put(repository / "export.json", text)
    with untouched(repository):
        result = pinsync("export", "--from-file", "export.json")
    assert result.code == 2
    assert message in result.err


def test_a_saved_export_from_standard_input(
    api: Sandbox, exported: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = rows()
    changed[0]["tags"] = ["easter"]
    before = len(api.requests)
    piped(monkeypatch, changed)
    assert pinsync("export", "--from-file", "-", "--check").out == "customizations/basket.yaml\n"
    piped(monkeypatch, changed)
    assert pinsync("export", "--from-file", "-", "--commit").code == 0
    assert "- easter" in document().read_text()
    assert len(api.requests) == before
    piped(monkeypatch, b"{")
    with untouched(exported):
        result = pinsync("export", "--from-file", "-")
    assert (result.code, 'error: -: the answer is not {"results": [...]}' in result.err) == (
        2,
        True,
    )


@pytest.mark.usefixtures("api")
def test_a_saved_export_that_shares_no_id_may_be_another_trackers(
    exported: Path, pinsync: CommandLine
) -> None:
    put(exported / "export.json", json.dumps({"results": [rule(5)]}))
    result = pinsync("export", "--from-file", "export.json", "--check")
    assert (
        "warning: default: export.json shares no id with the files here; is it the export of another tracker?"
        in result.err
    )
    put(exported / "export.json", json.dumps({"results": [*rows()[:1], rule(5)]}))
    assert "warning" not in pinsync("export", "--from-file", "export.json", "--check").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "--commit"], "--check changes nothing"),
        (["--check", "--branch", "pins"], "--check changes nothing"),
        (
            ["--commit", "--branch", "pins"],
            "--commit is for the branch that is checked out and --branch for another",
        ),
        (["-m", "Pins"], "-m is the message of a commit"),
        (["-m", ""], "-m is the message of a commit"),
        (["--commit", "-m", ""], "-m: the commit message is empty"),
        (["--branch", "pins", "-m", " \n"], "-m: the commit message is empty"),
        (
            ["--force", "--check"],
            "--check writes no files, so there is nothing for --force to overwrite",
        ),
        (
            ["--force", "--branch", "pins"],
            "--branch leaves the files as they are, so there is nothing for --force",
        ),
        (["--from-file", "e.json", "--remove-expired-pins"], "a saved export is read as it is"),
        (["--target-identity", "/p/1/", "--target-type", "all"], "--target-identity names an item"),
        (["--tracker", "other"], 'no tracker is named "other"'),
        (["--from-file", "e.json", "--tracker", "other"], 'no tracker is named "other"'),
        (["--branch", ""], "can't be a branch's name"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    arguments: list[str], message: str, api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    put(exported / "e.json", REFERENCE)
    with untouched(exported):
        result = pinsync("export", *arguments)
    assert result.code == 2
    assert message in result.err


@pytest.mark.usefixtures("exported")
def test_a_rule_that_changes_its_model_moves_with_its_comments(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    basket = document("basket")
    basket.write_text(
        BASKET_TEXT.replace("  - id: b3", "  # for everybody\n  - id: b3").replace(
            ": -1", ": -1  # all"
        )
    )
    git("commit", "--quiet", "-am", "Say why")
    edited(api, EVERYONE, model="home")
    result = pinsync("export")
    assert "0 added, 1 changed, 0 removed · 2 files rewritten in customizations/" in result.err
    assert "b3e6e3c1" not in basket.read_text()
    assert (
        document("home")
        .read_text()
        .endswith(
            "  # for everybody\n"
            "  - id: b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f\n"
            "    target_type: all\n"
            "    pin_definitions:\n"
            "      - position: -1  # all\n"
            "        pin_type: item\n"
            "        pin_identity: /p/9/\n"
        )
    )


def test_ignored_fields_count_on_neither_side(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    edited(
        api,
        STRINGS,
        target_metadata={"title": "Strings: 9-42 #1", "image": "https://cdn.example.com/1.jpg"},
    )
    assert pinsync("export", "--check").code == 1
    put(exported / "pinsync.yaml", "ignore: [target_metadata.image]\n")
    with untouched(exported, recorded=True):
        assert pinsync("export").code == 0
    # And where the file has the field, it stays until its block changes.
    text = document().read_text().replace("      title: ", "      image: old.jpg\n      title: ")
    document().write_text(text)
    with untouched(exported, recorded=True):
        assert pinsync("export").code == 0
    edited(api, STRINGS, target_metadata={"title": "New", "image": "https://cdn.example.com/2.jpg"})
    assert pinsync("export", "--force").code == 0
    assert "image" not in document().read_text()
    assert "title: New\n" in document().read_text()


def test_a_rule_without_an_id_is_kept_until_live_has_it(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    own = "  # spring sale\n  - target_type: item\n    target_identity: /p/77/\n"
    document().write_text(BASKET_TEXT + own)
    git("commit", "--quiet", "-am", "Plan a rule")
    for _ in range(2):
        with untouched(exported, recorded=True):
            result = pinsync("export")
        assert result.code == 0
        place = f"customizations/basket.yaml:{len(BASKET_TEXT.splitlines()) + 2}"
        what = "live has none for its target: run pinsync apply, or delete it here"
        told, summary = result.err.splitlines()
        assert told == f"note: {place}: has no id, and {what}"
        assert (
            summary
            == "default: 0 added, 0 changed, 0 removed · nothing to write in customizations/"
        )
    made = api.create({"model": "basket", "target_type": "item", "target_identity": "/p/77/"})
    result = pinsync("export")
    assert (
        result.err
        == "default: 0 added, 0 changed, 0 removed · 1 file rewritten in customizations/\n"
    )
    assert (
        f"  # spring sale\n  - id: {made['id']}\n    target_type: item\n" in document().read_text()
    )


@pytest.mark.usefixtures("api")
def test_a_rule_without_an_id_of_a_model_that_live_does_not_know_keeps_its_file(
    exported: Path, pinsync: CommandLine
) -> None:
    put(document("planned"), "format: 1\nmodel: planned\ncustomizations:\n  - target_type: all\n")
    with untouched(exported):
        assert pinsync("export").code == 0
