"""``items.json`` in the commands that read files: lint, fmt and schema; and those that pass it over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.items.file import render_items
from pinsync.items.record import Item
from support.exporting import document, put, rows, rule, served, untouched
from support.schemas import load_schema

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

FILE = Path("customizations/items.json")
MISSING = render_items({"/p/234/": None, "/p/9/": Item("Nine"), "/p/1/": None})
UNSORTED = b'{"items": {"/p/1000/": null,\n "/p/1/": {"title": "\\u017d"}}, "format": 1}'
SORTED = render_items({"/p/1/": Item("Ž"), "/p/1000/": None})
CONFLICT = MISSING.replace(b'    "/p/234/"', b'<<<<<<< HEAD\n    "/p/234/"')


def findings(pinsync: CommandLine, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    result = pinsync("lint", "--json", *arguments)
    return result.code, json.loads(result.out)["findings"], result.err


@pytest.mark.usefixtures("exported")
def test_lint_finds_pins_of_items_that_are_gone(pinsync: CommandLine) -> None:
    put(FILE, MISSING)
    code, (found,), err = findings(pinsync)
    assert (code, err) == (0, "")
    assert (found["rule"], found["file"], found["line"]) == (
        "missing-item",
        "customizations/basket.yaml",
        14,
    )
    assert findings(pinsync, "--strict")[0] == 1


@pytest.mark.usefixtures("exported")
def test_lint_finds_nothing_without_the_lint_rule(pinsync: CommandLine) -> None:
    put(FILE, MISSING)
    assert findings(pinsync, "--ignore", "missing-item")[1] == []
    assert len(findings(pinsync, "customizations/basket.yaml")[1]) == 1
    assert findings(pinsync, "customizations/home.yaml")[1] == []


@pytest.mark.usefixtures("exported")
def test_lint_counts_the_file(pinsync: CommandLine) -> None:
    put(FILE, SORTED)
    assert pinsync("lint").out == "nothing found in 3 files\n"
    assert pinsync("lint", str(FILE)).out == "nothing found in 1 file\n"
    assert pinsync("lint", str(FILE)).err == ""


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (CONFLICT, 5),
        (b'{\n"format": 2, "items": {}}\n', 2),
        (b'{"format": 1, "items": {\n"/p/1/": [1]}}\n', 2),
    ],
)
@pytest.mark.parametrize("words", [(), ("customizations",), (str(FILE),)])
def test_lint_names_a_damaged_file_with_its_line(
    text: bytes, line: int, words: tuple[str, ...], pinsync: CommandLine
) -> None:
    put(FILE, text)
    code, (found,), err = findings(pinsync, *words)
    assert (code, err) == (1, "")
    assert (found["rule"], found["file"], found["line"]) == ("syntax", str(FILE), line)
    assert f"{FILE}:{line}:1: error syntax: " in pinsync("lint", *words).out


@pytest.mark.usefixtures("exported")
def test_a_link_is_not_followed(pinsync: CommandLine) -> None:
    put(Path("elsewhere.json"), SORTED)
    FILE.symlink_to("../elsewhere.json")
    for command in ("lint", "fmt", "items"):
        result = pinsync(command)
        assert result.code == 2
        assert f"{FILE}: is a link" in result.err
    assert pinsync("lint", "customizations/basket.yaml").code == 0


@pytest.mark.usefixtures("exported")
def test_lint_of_one_document_warns_of_a_damaged_file(pinsync: CommandLine) -> None:
    put(FILE, CONFLICT)
    code, found, err = findings(pinsync, "customizations/basket.yaml")
    assert (code, found) == (0, [])
    assert err == (
        f"warning: {FILE}:5: a merge conflict is left unresolved; findings that depend on this "
        "file are missing\n"
    )


@pytest.mark.usefixtures("exported")
def test_lint_since_tells_which_items_are_gone_anew(pinsync: CommandLine, git: Git) -> None:
    put(FILE, render_items({"/p/234/": None}))
    git("add", ".")
    git("commit", "-qm", "One is gone")
    put(FILE, render_items({"/p/234/": None, "/p/9/": None}))
    (found,) = findings(pinsync, "--since", "HEAD")[1]
    assert "/p/9/" in found["message"]
    # A revision with a damaged file has no old findings of this kind.
    put(FILE, CONFLICT)
    git("commit", "-qam", "Damage")
    put(FILE, render_items({"/p/234/": None}))
    assert len(findings(pinsync, "--since", "HEAD")[1]) == 1


@pytest.mark.usefixtures("exported")
def test_fmt_sorts_the_file(pinsync: CommandLine) -> None:
    put(FILE, UNSORTED)
    with untouched(Path.cwd()):
        result = pinsync("fmt", "--check")
    assert (result.code, result.out) == (1, f"{FILE}\n")
    assert result.err == "1 file would be reformatted, 2 files already formatted\n"
    assert '+    "/p/1/": {"title": "Ž"},' in pinsync("fmt", "--diff").out
    result = pinsync("fmt", str(FILE))
    assert (result.code, result.err) == (0, "1 file reformatted\n")
    assert FILE.read_bytes() == SORTED
    assert pinsync("fmt", "--check").code == 0


@pytest.mark.usefixtures("exported")
def test_fmt_refuses_a_damaged_file(pinsync: CommandLine) -> None:
    put(FILE, CONFLICT)
    with untouched(Path.cwd()):
        result = pinsync("fmt")
    assert result.code == 2
    assert f"error: {FILE}:5: a merge conflict is left unresolved" in result.err


@pytest.mark.usefixtures("exported")
def test_a_formatted_file_of_pinsync_is_no_persons_work(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pinsync("items").code == 0
    FILE.write_bytes(b"\xef\xbb\xbf" + FILE.read_bytes())
    assert pinsync("fmt").code == 0
    with served(monkeypatch, [*rows(), rule(101)]):
        pinsync("export")
        assert pinsync("items").code == 0


@pytest.mark.usefixtures("exported")
def test_other_places_have_no_such_file(pinsync: CommandLine) -> None:
    put(Path("items.json"), CONFLICT)
    assert pinsync("fmt", "items.json").code == 2
    assert pinsync("lint", "items.json").code == 2
    put(Path("customizations/old/items.json"), CONFLICT)
    result = pinsync("lint")
    assert (result.code, result.err) == (0, "")


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("text", [MISSING, CONFLICT])
def test_the_file_is_no_document(text: bytes, pinsync: CommandLine, git: Git) -> None:
    put(FILE, text)
    git("add", ".")
    git("commit", "-qm", "Titles")
    for command in ("export", "diff", "diff @worktree HEAD", "history", "show basket"):
        result = pinsync(*command.split())
        assert result.code == 0, command
        assert "not read" not in result.err, command
    assert "warning" not in pinsync("export", "--branch", "pins/live").err
    assert document().exists()


def test_the_schema_of_the_file(pinsync: CommandLine) -> None:
    schema = json.loads(pinsync("schema", "items").out)
    assert schema == load_schema("items")
    assert json.loads(pinsync("schema", "document").out) == json.loads(pinsync("schema").out)
    result = pinsync("schema", "item")
    assert result.code == 2
    assert "items" in result.err
    jsonschema.Draft7Validator.check_schema(schema)


VALIDATOR = jsonschema.Draft7Validator(load_schema("items"))


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.none() | st.builds(Item, st.none() | st.text(min_size=1), st.just("https://x/1.jpg")),
    )
)
def test_every_file_fits_its_schema(items: dict[str, Item | None]) -> None:
    VALIDATOR.validate(json.loads(render_items(items)))


@pytest.mark.parametrize("text", [b'{"format": 2, "items": {}}', b'{"format": 1}', b"[]"])
def test_another_text_does_not_fit(text: bytes) -> None:
    assert not VALIDATOR.is_valid(json.loads(text))
