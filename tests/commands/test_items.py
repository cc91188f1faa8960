"""``pinsync items`` against the sandbox's catalog, in real repositories."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.items.file import parse_items, render_items
from pinsync.items.record import Item
from pinsync.sandbox import Answer, Fault, Sandbox, StandIn, parse_fault
from support.exporting import EVERYONE, put, rows, rule, untouched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.command_line import CommandLine, Git

FILE = Path("customizations/items.json")
MENTIONED = ("/p/1/", "/p/123/", "/p/2/", "/p/234/", "/p/235/", "/p/9/")
PRODUCTS: dict[str, dict[str, Any]] = {
    "/p/1/": {"title": "One", "image_link": "https://cdn.example/1.jpg"},
    "/p/2/": {"title": ["Two"], "image_link": ["http://cdn.example/2.jpg"]},
    "/p/123/": {"title": "Strings", "image_link": None},
    "/p/234/": {"title": "Winder\n& cutter"},
    "/p/77/": {"title": "Nobody pins it"},
}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The small shop with a catalog that lacks two of its items."""
    with Sandbox(rows(), products=PRODUCTS, seed=1) as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        yield api


@pytest.fixture
def exported(shop: Sandbox, repository: Path, pinsync: CommandLine) -> Path:
    """A repository with a committed export of the small shop; the current folder."""
    assert pinsync("export", "--commit").code == 0
    assert len(shop.requests) == 1
    return repository


def read(path: Path = FILE) -> Mapping[str, Item | None]:
    return parse_items(path.read_bytes(), str(path))


def fill(api: Sandbox, count: int) -> None:
    """Answer the next requests with pages of items that nobody mentions, 500 each."""
    faults = []
    for number in range(count):
        objects = [{"url": f"/x/{number}/{index}/", "attributes": {}} for index in range(500)]
        links = [{"rel": "next", "href": f"/v1/content_export?cursor={number}"}]
        page = {"total": count * 500, "objects": objects, "links": links}
        faults.append(Fault(answer=Answer(200, json.dumps(page).encode())))
    api.fail(*faults)


@pytest.mark.usefixtures("exported")
def test_the_items_of_all_documents(pinsync: CommandLine, git: Git) -> None:
    result = pinsync("items")
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        "default: 6 items, 2 not in the catalog · customizations/items.json written\n"
    )
    assert FILE.read_text(encoding="utf-8").splitlines() == [
        "{",
        '  "format": 1,',
        '  "items": {',
        '    "/p/1/": {"title": "One", "image": "https://cdn.example/1.jpg"},',
        '    "/p/123/": {"title": "Strings"},',
        '    "/p/2/": {"title": "Two"},',
        '    "/p/234/": {"title": "Winder & cutter"},',
        '    "/p/235/": null,',
        '    "/p/9/": null',
        "  }",
        "}",
    ]
    assert git("status", "--porcelain") == "?? customizations/items.json"


@pytest.mark.usefixtures("exported")
def test_a_second_run_writes_nothing(pinsync: CommandLine) -> None:
    pinsync("items")
    with untouched(Path.cwd()):
        result = pinsync("items")
    assert result.err == (
        "default: 6 items, 2 not in the catalog · nothing to write in customizations/items.json\n"
    )


@pytest.mark.usefixtures("exported")
def test_check_writes_nothing_and_tells(pinsync: CommandLine) -> None:
    with untouched(Path.cwd()):
        result = pinsync("items", "--check")
    assert (result.code, result.out) == (1, "customizations/items.json\n")
    assert "customizations/items.json would be written" in result.err
    pinsync("items")
    result = pinsync("items", "--check")
    assert (result.code, result.out) == (0, "")


@pytest.mark.usefixtures("exported")
def test_an_item_that_no_document_mentions_leaves(pinsync: CommandLine, shop: Sandbox) -> None:
    pinsync("items")
    shop.delete(EVERYONE)
    pinsync("export")
    assert pinsync("items").code == 0
    assert [*read()] == [identity for identity in MENTIONED if identity != "/p/9/"]


@pytest.mark.usefixtures("exported")
def test_the_search_ends_when_all_items_were_seen(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = {identity: {"title": identity} for identity in MENTIONED}
    products |= {f"/x/{number}/": {} for number in range(2000)}
    with Sandbox([], products=products) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        result = pinsync("items")
        assert len(api.requests) == 1
    assert result.err == "default: 6 items · customizations/items.json written\n"


@pytest.mark.usefixtures("exported")
def test_a_limit_of_pages_keeps_what_was_not_seen(pinsync: CommandLine, shop: Sandbox) -> None:
    pinsync("items")
    before = read()
    fill(shop, 3)
    result = pinsync("items", "--max-pages", "2")
    assert len(shop.requests) == 4
    summary, note = result.err.splitlines()
    assert summary == (
        "default: 6 items, 6 not seen · nothing to write in customizations/items.json"
    )
    assert note == (
        "note: default: 1 page of the catalog left unread, and 6 items not seen; pinsync "
        "items --max-pages N reads on"
    )
    assert read() == before


@pytest.mark.usefixtures("exported")
def test_an_item_that_was_not_seen_has_no_entry(pinsync: CommandLine, shop: Sandbox) -> None:
    fill(shop, 2)
    assert pinsync("items", "--max-pages", "1").code == 0
    assert not FILE.exists()


@pytest.mark.usefixtures("exported")
def test_a_limit_of_no_pages_is_refused(pinsync: CommandLine) -> None:
    assert pinsync("items", "--max-pages", "0").code == 2


FAULTS = ("catalog:total", "catalog:cut", "html", "garbage", "401", "500", "redirect")


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_cannot_be_trusted_writes_nothing(
    fault: str, pinsync: CommandLine, shop: Sandbox
) -> None:
    shop.fail(parse_fault(fault))
    with untouched(Path.cwd()):
        result = pinsync("items")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("error: tracker default: ")


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("fault", ["catalog:host", "catalog:loop", "catalog:dead:*"])
def test_a_link_that_cannot_be_trusted_writes_nothing(
    fault: str, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    products: dict[str, dict[str, Any]] = {f"/x/{number}/": {} for number in range(900)}
    with Sandbox([], products=products, faults=[parse_fault(fault)]) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        with untouched(Path.cwd()):
            result = pinsync("items")
    assert result.code == 3


@pytest.mark.usefixtures("exported")
def test_a_wrong_key_names_its_variable(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "wrong")
    result = pinsync("items")
    assert result.code == 3
    assert "check that PINSYNC_PRIVATE_KEY holds the private key" in result.err
    assert "wrong" not in result.err


@pytest.mark.usefixtures("exported")
def test_an_empty_catalog_changes_nothing(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox([], products={}) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        with untouched(Path.cwd()):
            result = pinsync("items")
    assert result.code == 3
    assert result.err.startswith(
        "error: tracker default: the catalog is empty, but documents mention 6 items\n"
    )


@pytest.mark.usefixtures("exported")
def test_a_catalog_of_other_identities_is_worth_a_note(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox([], products={"https://shop.example/p/1/": {"title": "One"}}) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        result = pinsync("items")
    assert result.code == 0
    assert "note: default: none of the 6 items is in the catalog" in result.err


@pytest.mark.usefixtures("exported")
def test_a_file_that_a_sparse_checkout_leaves_out(
    pinsync: CommandLine, git: Git, shop: Sandbox
) -> None:
    put(FILE, render_items({"/p/1/": Item("Uno"), "/p/9/": Item("Nine")}))
    git("add", ".")
    git("commit", "-qm", "Titles")
    git("sparse-checkout", "set", "--no-cone", "/*", "!/customizations/")
    assert not FILE.exists()
    assert "Nine" in pinsync("show", "basket").out
    fill(shop, 2)
    assert pinsync("items", "--max-pages", "1").code == 0
    assert not FILE.exists()
    assert pinsync("items").code == 0
    assert read()["/p/1/"] == Item("One", "https://cdn.example/1.jpg")
    assert git("status", "--porcelain") == " M customizations/items.json"


@pytest.mark.usefixtures("exported")
def test_uncommitted_work_is_not_overwritten(pinsync: CommandLine, git: Git) -> None:
    put(FILE, '{"format": 1, "items": {"/p/1/": {"title": "My own"}}}\n')
    with untouched(Path.cwd()):
        result = pinsync("items")
    assert result.code == 4
    assert result.err == (
        "error: customizations/items.json holds uncommitted work that pinsync items would "
        "overwrite\n  commit or stash it, or overwrite it with items --force\n"
    )
    git("add", "customizations/items.json")
    assert pinsync("items").code == 4
    assert pinsync("items", "--force").code == 0
    assert read()["/p/1/"] == Item("One", "https://cdn.example/1.jpg")


@pytest.mark.usefixtures("exported")
def test_committed_work_is_overwritten(pinsync: CommandLine, git: Git) -> None:
    put(FILE, '{"format": 1, "items": {"/p/1/": {"title": "My own"}}}\n')
    git("add", ".")
    git("commit", "-qm", "Own titles")
    assert pinsync("items").code == 0
    assert read()["/p/1/"] == Item("One", "https://cdn.example/1.jpg")


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize(
    "text", ['{"format": 2, "items": {}}\n', "<<<<<<< HEAD\n", '{"format": 1, "items": []}\n']
)
def test_a_damaged_file_is_left_as_it_is(text: str, pinsync: CommandLine, git: Git) -> None:
    put(FILE, text)
    git("add", ".")
    git("commit", "-qm", "Damage")
    with untouched(Path.cwd()):
        result = pinsync("items", "--force")
    assert result.code == 2
    assert "error: customizations/items.json:1: " in result.err


@pytest.mark.usefixtures("exported")
def test_line_ends_of_windows_are_no_change(pinsync: CommandLine) -> None:
    pinsync("items")
    FILE.write_bytes(FILE.read_bytes().replace(b"\n", b"\r\n"))
    with untouched(Path.cwd()):
        assert pinsync("items").code == 0


@pytest.mark.usefixtures("exported")
def test_documents_that_are_not_read_are_named(pinsync: CommandLine) -> None:
    put(Path("customizations/other.yml"), "format: 1\n")
    result = pinsync("items")
    assert result.code == 0
    assert "warning: not read, since documents end in .yaml: customizations/other.yml" in result.err


@pytest.mark.usefixtures("exported")
def test_a_document_that_cannot_be_read(pinsync: CommandLine, shop: Sandbox) -> None:
    put(Path("customizations/basket.yaml"), "format: [\n")
    result = pinsync("items")
    assert result.code == 2
    assert "customizations/basket.yaml" in result.err
    assert len(shop.requests) == 1


def test_outside_a_repository(shop: Sandbox, folder: Path, pinsync: CommandLine) -> None:
    assert pinsync("export").code == 0
    assert pinsync("items").code == 0
    shop.create(rule(77))
    pinsync("export")
    assert pinsync("items").code == 0
    assert read(folder / FILE)["/p/77/"] == Item("Nobody pins it")


@pytest.mark.usefixtures("shop")
def test_without_documents_nothing_is_asked(
    repository: Path, pinsync: CommandLine, shop: Sandbox
) -> None:
    result = pinsync("items")
    assert (result.code, shop.requests) == (0, [])
    assert result.err == ("default: 0 items · nothing to write in customizations/items.json\n")
    assert not (repository / FILE).exists()


TRACKERS = """\
trackers:
  cz:
    tracker_id: 1234-5678
    private_key_env: KEY
  de:
    tracker_id: 5-6
    private_key_env: KEY
"""


@pytest.fixture
def pair(
    repository: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> Iterator[Sandbox]:
    """A repository with two trackers, each with a committed export and a catalog of its own."""
    put(repository / "pinsync.yaml", TRACKERS)
    other = StandIn(
        [rule(8)], tracker_id="5-6", products={"/p/8/": {"title": "Acht"}}, private_key="k"
    )
    with Sandbox(rows(), products=PRODUCTS, private_key="k", more_trackers=[other]) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        monkeypatch.setenv("KEY", "k")
        assert pinsync("export", "--commit").code == 0
        yield api


@pytest.mark.usefixtures("pair")
def test_each_of_several_trackers_has_a_file(pinsync: CommandLine) -> None:
    assert pinsync("items").code == 0
    assert read(Path("customizations/de/items.json")) == {"/p/8/": Item("Acht")}
    assert [*read(Path("customizations/cz/items.json"))] == list(MENTIONED)


@pytest.mark.usefixtures("pair")
def test_one_tracker_alone(pinsync: CommandLine) -> None:
    assert pinsync("items", "--tracker", "de").code == 0
    assert not Path("customizations/cz/items.json").exists()
    assert Path("customizations/de/items.json").exists()


def test_an_error_of_one_tracker_does_not_stop_the_other(
    pair: Sandbox, pinsync: CommandLine
) -> None:
    put(Path("customizations/cz/items.json"), '{"format": 1, "items": {"/p/1/": {}}}\n')
    result = pinsync("items")
    assert result.code == 4
    assert read(Path("customizations/de/items.json")) == {"/p/8/": Item("Acht")}
    assert len(pair.requests) == 4


def test_many_items_of_a_large_catalog(
    repository: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    moment = datetime.now(UTC)
    products = {f"/p/{number}/": {"title": f"Item {number}"} for number in range(20_000)}
    pins = [
        {"position": number, "pin_type": "item", "pin_identity": f"/p/{number * 100}/"}
        for number in range(1, 200)
    ]
    shop = [{"id": "a", "model": "m", "target_type": "all", "pin_definitions": pins}]
    with Sandbox(shop, products=products, clock=lambda: moment) as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(repository)
        assert pinsync("export").code == 0
        assert pinsync("items").code == 0
        assert len(api.requests) == 41
    assert len(read()) == 199
