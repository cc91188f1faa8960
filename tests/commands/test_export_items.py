"""``pinsync export --items``: documents and titles in one run, and no commit for titles alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.items.file import parse_items
from pinsync.items.record import Item
from pinsync.sandbox import Sandbox, StandIn, parse_fault
from support.exporting import HOME, STRINGS, document, put, repinned, rows, rule, untouched
from support.terminals import Dialogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.command_line import CommandLine, Git

FILE = Path("customizations/items.json")


@pytest.fixture
def products() -> dict[str, dict[str, Any]]:
    """The catalog, which a test may change."""
    return {"/p/1/": {"title": "One"}, "/p/2/": {"title": "Two"}, "/p/123/": {"title": "Strings"}}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, products: dict[str, dict[str, Any]]) -> Iterator[Sandbox]:
    """The small shop with a catalog; the environment points at it."""
    with Sandbox(rows(), products=products, seed=1) as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        yield api


@pytest.fixture
def committed(shop: Sandbox, repository: Path, pinsync: CommandLine) -> Path:
    """A repository with a committed export of the shop and its items; the current folder."""
    assert pinsync("export", "--items", "--commit").code == 0
    assert len(shop.requests) == 2
    return repository


def read(text: bytes | None = None) -> Mapping[str, Item | None]:
    return parse_items(FILE.read_bytes() if text is None else text, str(FILE))


@pytest.mark.usefixtures("shop", "repository")
def test_documents_and_items_are_written(pinsync: CommandLine, git: Git) -> None:
    result = pinsync("export", "--items")
    assert result.err == (
        "default: 3 added, 0 changed, 0 removed · 3 files written in customizations/\n"
    )
    assert read()["/p/1/"] == Item("One")
    assert read()["/p/234/"] is None
    assert git("status", "--porcelain", "-uall").splitlines() == [
        "?? customizations/basket.yaml",
        "?? customizations/home.yaml",
        "?? customizations/items.json",
    ]


@pytest.mark.usefixtures("committed")
def test_one_commit_has_both(git: Git) -> None:
    assert git("show", "--name-only", "--format=").splitlines() == [
        "customizations/basket.yaml",
        "customizations/home.yaml",
        "customizations/items.json",
    ]
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("committed")
def test_the_items_are_those_of_the_documents_afterwards(
    shop: Sandbox, pinsync: CommandLine
) -> None:
    shop.delete(HOME)
    shop.create(rule(1, "other"))
    assert pinsync("export", "--items").code == 0
    assert [*read()] == ["/p/1/", "/p/123/", "/p/234/", "/p/235/", "/p/9/"]


@pytest.mark.usefixtures("committed")
def test_a_new_title_alone_is_written_without_a_commit(
    pinsync: CommandLine, products: dict[str, dict[str, Any]]
) -> None:
    products["/p/1/"]["title"] = "Uno"
    result = pinsync("export", "--items", "--check")
    assert (result.code, result.out) == (1, f"{FILE}\n")
    result = pinsync("export", "--items")
    assert result.err == (
        "default: 0 added, 0 changed, 0 removed · 1 file rewritten in customizations/\n"
    )
    assert read()["/p/1/"] == Item("Uno")


@pytest.mark.usefixtures("committed")
def test_a_new_title_alone_makes_no_commit(
    pinsync: CommandLine, shop: Sandbox, products: dict[str, dict[str, Any]], git: Git
) -> None:
    products["/p/1/"]["title"] = "Uno"
    head = git("rev-parse", "HEAD")
    with untouched(Path.cwd()):
        result = pinsync("export", "--items", "--commit")
    assert (result.code, result.err.splitlines()[-1]) == (0, "nothing to commit")
    assert git("rev-parse", "HEAD") == head
    result = pinsync("export", "--items", "--branch", "pins/live")
    assert (result.code, result.err.splitlines()[-1]) == (0, "nothing to commit")
    assert git("branch", "--list", "pins/live") == ""
    # The catalog wasn't even asked.
    assert [request.path for request in shop.requests].count("/v1/content_export") == 1


@pytest.mark.usefixtures("committed")
def test_a_new_title_comes_along_with_a_change_of_a_rule(
    pinsync: CommandLine, shop: Sandbox, products: dict[str, dict[str, Any]], git: Git
) -> None:
    products["/p/1/"]["title"] = "Uno"
    repinned(shop, HOME)
    with untouched(Path("customizations")):
        assert pinsync("export", "--items", "--branch", "pins/live").code == 0
    changed = git("diff", "--name-only", "HEAD", "pins/live").splitlines()
    assert changed == ["customizations/home.yaml", "customizations/items.json"]
    assert read(git("show", f"pins/live:{FILE}").encode())["/p/1/"] == Item("Uno")
    again = pinsync("export", "--items", "--branch", "pins/live")
    assert "has already" in again.err
    assert pinsync("export", "--items", "--commit").code == 0
    assert git("diff", "--name-only", "HEAD", "pins/live") == ""
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("committed")
def test_a_filtered_proposal_has_the_titles_of_all_documents(
    pinsync: CommandLine, shop: Sandbox, products: dict[str, dict[str, Any]], git: Git
) -> None:
    products["/p/1/"]["title"] = "Uno"
    repinned(shop, HOME)
    assert pinsync("export", "--items", "--branch", "b", "--model", "home").code == 0
    items = read(git("show", f"b:{FILE}").encode())
    assert items["/p/1/"] == Item("Uno")
    assert "/p/123/" in items


@pytest.mark.usefixtures("committed")
def test_titles_of_an_earlier_run_are_part_of_the_next_commit(
    pinsync: CommandLine, shop: Sandbox, products: dict[str, dict[str, Any]], git: Git
) -> None:
    products["/p/1/"]["title"] = "Uno"
    assert pinsync("export", "--items").code == 0
    repinned(shop, HOME)
    assert pinsync("export", "--items", "--commit").code == 0
    assert git("status", "--porcelain") == ""
    assert read(git("show", f"HEAD:{FILE}").encode())["/p/1/"] == Item("Uno")


@pytest.mark.usefixtures("committed")
def test_a_persons_titles_stop_the_tracker(pinsync: CommandLine, shop: Sandbox, git: Git) -> None:
    put(FILE, '{"format": 1, "items": {"/p/1/": {"title": "Mine"}}}\n')
    repinned(shop, HOME)
    with untouched(Path("customizations")):
        result = pinsync("export", "--items", "--commit")
    assert result.code == 4
    assert f"{FILE} holds uncommitted work that an export would overwrite" in result.err
    assert pinsync("export", "--items", "--force").code == 0
    assert read()["/p/1/"] == Item("One")
    assert git("log", "--oneline").count("\n") == 0


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("fault", ["catalog:cut", "catalog:total", "401"])
@pytest.mark.parametrize("option", [(), ("--commit",), ("--branch", "b")])
def test_a_catalog_that_cannot_be_trusted_writes_nothing(
    fault: str, option: tuple[str, ...], pinsync: CommandLine, shop: Sandbox, git: Git
) -> None:
    repinned(shop, HOME)
    # The first request is for the customizations.
    shop.fail(parse_fault("slow:0"), parse_fault(fault))
    head = git("rev-parse", "HEAD")
    with untouched(Path("customizations")):
        result = pinsync("export", "--items", *option)
    assert result.code == 3
    assert "error: tracker default: " in result.err
    assert git("rev-parse", "HEAD") == head
    assert git("branch", "--list", "b") == ""


@pytest.mark.usefixtures("committed")
def test_a_catalog_that_fails_keeps_the_open_proposal(
    pinsync: CommandLine, shop: Sandbox, git: Git
) -> None:
    repinned(shop, HOME)
    assert pinsync("export", "--items", "--branch", "b").code == 0
    before = git("rev-parse", "b:")
    shop.fail(parse_fault("slow:0"), parse_fault("401"))
    assert pinsync("export", "--items", "--branch", "b").code == 3
    assert git("rev-parse", "b:") == before


@pytest.mark.usefixtures("committed")
def test_a_damaged_file_is_left_as_it_is(pinsync: CommandLine, shop: Sandbox, git: Git) -> None:
    put(FILE, "<<<<<<< HEAD\n")
    git("commit", "-qam", "Damage")
    repinned(shop, HOME)
    with untouched(Path("customizations")):
        result = pinsync("export", "--items", "--commit")
    assert result.code == 2
    assert f"{FILE}:1: a merge conflict is left unresolved" in result.err
    assert pinsync("export").code == 0


@pytest.mark.usefixtures("committed")
def test_without_the_option_the_file_stays(
    pinsync: CommandLine, shop: Sandbox, products: dict[str, dict[str, Any]]
) -> None:
    before = FILE.read_bytes()
    products["/p/1/"]["title"] = "Uno"
    shop.delete(HOME)
    assert pinsync("export").code == 0
    assert FILE.read_bytes() == before
    assert not document("home").exists()


def test_a_saved_export_has_no_catalog(shop: Sandbox, folder: Path, pinsync: CommandLine) -> None:
    put(folder / "live.json", '{"results": []}')
    result = pinsync("export", "--from-file", "live.json", "--items")
    assert result.code == 2
    assert "--items asks the API" in result.err
    assert shop.requests == []


TRACKERS = """\
trackers:
  cz:
    tracker_id: 1234-5678
    private_key_env: KEY
  de:
    tracker_id: 5-6
    private_key_env: KEY
"""


def test_an_error_of_one_catalog_does_not_stop_the_other(
    repository: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine, git: Git
) -> None:
    put(repository / "pinsync.yaml", TRACKERS)
    other = StandIn([rule(8)], tracker_id="5-6", products={"": {}}, private_key="k")
    with Sandbox(rows(), private_key="k", more_trackers=[other]) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        monkeypatch.setenv("KEY", "k")
        result = pinsync("export", "--items", "--commit")
    assert result.code == 3
    assert "tracker de: " in result.err
    names = git("show", "--name-only", "--format=").splitlines()
    assert names == [
        f"customizations/cz/{name}" for name in ("basket.yaml", "home.yaml", "items.json")
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.usefixtures("committed")
def test_a_choice_brings_the_items_of_the_documents_afterwards(
    shop: Sandbox, products: dict[str, dict[str, Any]]
) -> None:
    products["/p/7/"] = products["/p/8/"] = {"title": "New"}
    for identifier, identity in ((HOME, "/p/7/"), (STRINGS, "/p/8/")):
        row = shop.get(identifier)
        row["pin_definitions"][0]["pin_identity"] = identity
        shop.replace(row)
    for answers, code in (("q", 0), ("nsn", 1)):
        with untouched(Path.cwd()):
            dialogue = Dialogue("export", "-p", "--items")
            dialogue.answer(*answers)
            assert dialogue.end()[0] == code
    dialogue = Dialogue("export", "-p", "--items")
    dialogue.answer("n", "s", "y")
    ended, sent = dialogue.end()
    assert ended == 0, sent
    assert "2 files rewritten" in sent
    assert read()["/p/7/"] == Item("New")
    assert "/p/8/" not in read()
