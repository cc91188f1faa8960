"""The way back through the commits: from wherever it begins and whatever is asked for, each says
the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.exporting import put
from support.histories import BASKET, HOME, commit, configuration, log, rule, run, text

if TYPE_CHECKING:
    from support.command_line import CommandLine

CONFIG = "pinsync.yaml"
MORE = "".join(f"# a line more, {number}\n" for number in range(40))


@pytest.fixture(autouse=True)
def _shop(repository: Path) -> None:
    put(repository / CONFIG, configuration("shop"))


@pytest.fixture
def moved(repository: Path) -> list[str]:
    """The hashes of commits around which the configuration moved from ``shop/`` to the root, and
    then grew.
    """
    Path(CONFIG).unlink()
    put(repository / "shop" / CONFIG, configuration("shop"))
    hashes = [commit("Begin", {f"shop/{BASKET}": text("basket", rule(1, "/p/2/"))}, at=1)]
    hashes.append(
        commit(
            "Edit",
            {f"shop/{BASKET}": text("basket", rule(1, "/p/3/"))},
            author="Jana <j@x.sk>",
            at=2,
        )
    )
    run("mv", f"shop/{CONFIG}", CONFIG)
    run("mv", "shop/customizations", "customizations")
    hashes.append(commit("Move", at=3))
    hashes.append(commit("Explain", {CONFIG: configuration("shop", more=MORE)}, at=4))
    hashes.append(commit("Edit again", {BASKET: text("basket", rule(1, "/p/4/"))}, at=5))
    return hashes


@pytest.mark.parametrize(
    ("arguments", "subjects"),
    [
        ([], ["Edit again", "Edit", "Begin"]),
        (["--author", "Jana"], ["Edit"]),
        (["--until", "2026-01-01T02:30Z"], ["Edit", "Begin"]),
        (["--since", "2026-01-01T01:30Z", "--until", "2026-01-01T02:30Z"], ["Edit"]),
        (["--rev", "HEAD~3"], ["Edit", "Begin"]),
        (["HEAD~4..HEAD~3"], ["Edit"]),
        (["--tracker", "shop", "--author", "Jana"], ["Edit"]),
    ],
)
@pytest.mark.usefixtures("moved")
def test_a_configuration_that_moved_and_grew_is_found_whatever_is_asked_for(
    arguments: list[str], subjects: list[str], pinsync: CommandLine
) -> None:
    assert log(pinsync, *arguments).subjects == subjects


def test_a_configuration_that_moved_in_a_merge_and_changed_wholly_is_found(
    repository: Path, pinsync: CommandLine
) -> None:
    Path(CONFIG).unlink()
    put(repository / "shop" / CONFIG, configuration("shop"))
    commit("Begin", {f"shop/{BASKET}": text("basket", rule(1, "/p/2/"))})
    run("switch", "--quiet", "--create", "branch")
    commit("Read me", {"README": "hello"})
    run("switch", "--quiet", "main")
    commit("Edit", {f"shop/{BASKET}": text("basket", rule(1, "/p/3/"))})
    run("merge", "--quiet", "--no-ff", "--no-commit", "branch")
    run("rm", "--quiet", f"shop/{CONFIG}")
    run("mv", "shop/customizations", "customizations")
    commit("Merge and move", {CONFIG: MORE + configuration("shop")})
    assert log(pinsync).subjects == ["Edit", "Begin"]
    assert log(pinsync, "--all").subjects == ["Merge and move", "Edit", "Begin"]


def test_a_clock_that_went_wrong_hides_nothing_from_since(pinsync: CommandLine) -> None:
    for at, number in ((1, 2), (3, 3), (2, 4), (4, 5)):
        commit(f"Edit {number}", {BASKET: text("basket", rule(1, f"/p/{number}/"))}, at=at)
    assert log(pinsync, "--since", "2026-01-01T02:30Z").subjects == ["Edit 5", "Edit 3"]


def test_a_document_without_rules_is_no_matter_when_other_fields_are_left_out(
    pinsync: CommandLine,
) -> None:
    commit("Begin", {BASKET: text("basket")})
    commit("Ignore", {CONFIG: configuration("shop", more="ignore: [target_metadata.image]\n")})
    commit("Rule", {BASKET: text("basket", rule(1, "/p/2/"))})
    assert log(pinsync).subjects == ["Rule"]


def test_a_rule_below_an_empty_list_is_a_fault_however_its_parts_stood_before(
    pinsync: CommandLine,
) -> None:
    whole = text("basket", rule(1, "/p/2/"))
    _, _, block = whole.partition("customizations:\n")
    commit("Empty", {BASKET: text("basket")})
    commit("Break", {BASKET: text("basket") + block})
    commit("Empty again", {BASKET: text("basket")})
    commit("Rule", {BASKET: whole})
    found = log(pinsync)
    assert found.changes == {"Rule": ["added basket /p/1/"], "Break": []}
    assert found.notes.keys() == {"Break"}


def test_a_configuration_of_any_name_is_followed(pinsync: CommandLine) -> None:
    name = "shop[eu].yml"
    Path(CONFIG).unlink()
    commit(
        "Begin",
        {
            name: configuration("shop", directory="old"),
            "old/basket.yaml": text("basket", rule(1, "/p/2/")),
        },
    )
    Path("customizations").mkdir()
    Path("customizations/basket.yaml").write_text(
        text("basket", rule(1, "/p/3/")), encoding="utf-8"
    )
    commit("Write")
    commit("Point there", {name: configuration("shop")})
    assert log(pinsync, "--config", name).subjects == ["Point there", "Begin"]


def test_what_is_left_out_of_comparison_changes_nothing_of_what_stood_before(
    pinsync: CommandLine,
) -> None:
    ignoring = configuration("shop", more="ignore: [target_metadata.image]\n")
    pictured = text("basket", rule(1, "/p/2/", target_metadata={"image": "a"}))
    commit("Begin", {CONFIG: ignoring, BASKET: pictured})
    commit("Break", {BASKET: pictured + "x: ["})
    commit("Compare all", {CONFIG: configuration("shop")})
    commit("Mend", {BASKET: pictured.replace("image: a", "image: b")})
    assert log(pinsync).changes == {
        "Mend": ["changed basket /p/1/: target_metadata.image"],
        "Break": [],
        "Begin": ["added basket /p/1/"],
    }


def test_old_revisions_are_read_with_a_configuration_that_moved_since(
    moved: list[str], pinsync: CommandLine
) -> None:
    drift = pinsync("diff", moved[0], moved[1])
    assert (drift.code, "#1 /p/3/" in drift.out) == (1, True)
    assert "/p/3/" in pinsync("show", "basket", "--rev", moved[1]).out
    blamed = json.loads(pinsync("blame", "basket", "--rev", moved[1], "--json").out)
    assert blamed["trackers"][0]["rules"][0]["pins"][0]["commit"]["subject"] == "Edit"


def test_before_there_was_a_configuration_the_environment_alone_counts(
    pinsync: CommandLine,
) -> None:
    run("rm", "--cached", "-r", "--quiet", "--ignore-unmatch", ".")
    Path(CONFIG).unlink()
    commit("Rules", {"b/rules/basket.yaml": text("basket", rule(1, "/p/2/"))})
    put(Path("a", CONFIG), configuration("shop", directory="rules"))
    commit("Configure elsewhere")
    Path("b").mkdir(exist_ok=True)
    run("mv", f"a/{CONFIG}", f"b/{CONFIG}")
    commit("Configure here")
    found = log(pinsync, "--config", f"b/{CONFIG}")
    assert found.changes == {"Configure here": ["added basket /p/1/"]}


def test_a_file_that_never_could_be_read_says_so(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    commit("Scrap", {HOME: "model: [\n"})
    found = log(pinsync, "home")
    assert found.notes["Scrap"][0].startswith(f"{HOME} can't be read: ")
    blamed = pinsync("blame", "home")
    assert blamed.code == 2
    assert f"HEAD:{HOME}: line " in blamed.err
    assert "isn't in that commit" not in blamed.err


def test_a_stray_file_costs_no_change_and_hides_none(pinsync: CommandLine) -> None:
    commit(
        "Begin",
        {"customizations/notes.yaml": "just: notes\n", BASKET: text("basket", rule(1, "/p/2/"))},
    )
    for number in range(3, 6):
        commit(f"Edit {number}", {BASKET: text("basket", rule(1, f"/p/{number}/"))})
    commit("Note", {"customizations/notes.yaml": "just: other notes\n"})
    found = log(pinsync)
    assert found.subjects == ["Note", "Edit 5", "Edit 4", "Edit 3", "Begin"]
    assert found.notes.keys() == {"Note", "Begin"}
    assert found.changes["Note"] == []
    assert log(pinsync, "basket").subjects == ["Note", "Edit 5", "Edit 4", "Edit 3", "Begin"]


def test_of_two_files_with_one_id_the_one_that_was_first_counts_as_long_as_both_are_there(
    pinsync: CommandLine,
) -> None:
    commit("Begin", {HOME: text("home", rule(1, "/p/2/"))})
    commit("Copy", {BASKET: text("basket", rule(1, "/p/2/"), rule(2, "/p/3/"))})
    commit("Edit", {"customizations/other.yaml": text("other", rule(3, "/p/4/"))})
    commit("Edit the first", {HOME: text("home", rule(1, "/p/5/"))})
    commit("Mend", {BASKET: text("basket", rule(2, "/p/3/"))})
    assert log(pinsync).changes == {
        "Mend": ["added basket /p/2/"],
        "Edit the first": ["changed home /p/1/: replaced /p/5/"],
        "Edit": ["added other /p/3/"],
        "Copy": [],
        "Begin": ["added home /p/1/"],
    }


def test_a_submodule_in_place_of_the_folder_is_a_note_and_no_removal(pinsync: CommandLine) -> None:
    first = commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    run("rm", "-r", "--quiet", "customizations")
    run("update-index", "--add", "--cacheinfo", f"160000,{first},customizations")
    run("commit", "--quiet", "--message", "Submodule")
    found = log(pinsync)
    assert found.changes == {"Submodule": [], "Begin": ["added basket /p/1/"]}
    assert "expected a folder" in found.notes["Submodule"][0]


def test_trackers_that_exchange_their_names_are_told_by_their_ids(
    repository: Path, pinsync: CommandLine
) -> None:
    put(repository / CONFIG, configuration("sk", "cz"))
    files = {
        f"customizations/{name}/basket.yaml": rule(number, f"/{name}/")
        for number, name in ((1, "sk"), (2, "cz"))
    }
    commit("Begin", {path: text("basket", row) for path, row in files.items()})
    swapped = (
        configuration("sk", "cz")
        .replace("id-sk", "id-x")
        .replace("id-cz", "id-sk")
        .replace("id-x", "id-cz")
    )
    one, other = files.values()
    commit(
        "Swap",
        {CONFIG: swapped}
        | dict(zip(files, (text("basket", other), text("basket", one)), strict=True)),
    )
    assert log(pinsync).subjects == ["Begin"]


def test_a_subject_in_another_encoding_is_shown_as_far_as_it_can_be(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))}, author="René <r@x.fr>")
    raw = (
        run("cat-file", "commit", "HEAD")
        .encode()
        .replace("René".encode(), "René".encode("latin-1"))
    )
    put(Path("raw"), raw)
    run("update-ref", "HEAD", run("hash-object", "-t", "commit", "-w", "--literally", "raw"))
    (found,) = log(pinsync).record["commits"]
    assert found["author"]["name"] == "Ren\N{REPLACEMENT CHARACTER}"


def test_an_author_without_a_name_goes_by_the_address(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    raw = run("cat-file", "commit", "HEAD").replace("author Test <", "author <")
    put(Path("raw"), raw)
    run("update-ref", "HEAD", run("hash-object", "-t", "commit", "-w", "--literally", "raw"))
    assert " · test@example.com\n" in pinsync("history").out


def test_a_title_with_dots_is_a_target(pinsync: CommandLine) -> None:
    commit(
        "Begin",
        {BASKET: text("basket", rule(1, "/p/2/", target_metadata={"title": "Socks... winter"}))},
    )
    commit("Other", {HOME: text("home", rule(2, "/p/2/"))})
    assert log(pinsync, "basket", "Socks... winter").subjects == ["Begin"]


def test_what_a_partial_clone_can_not_fetch_is_told_in_gits_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    run("config", "uploadpack.allowFilter", "true")
    run(
        "clone",
        "--quiet",
        "--no-checkout",
        "--filter=blob:none",
        f"file://{Path.cwd()}",
        str(tmp_path / "clone"),
    )
    monkeypatch.chdir(tmp_path / "clone")
    run("remote", "set-url", "origin", f"file://{tmp_path}/gone")
    result = pinsync("history")
    assert result.code == 2
    assert "error: git " in result.err
    assert f"{tmp_path}/gone" in result.err
