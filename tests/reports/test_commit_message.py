from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from pinsync.canonical.normalize import build_customization
from pinsync.drift.pairs import Pair
from pinsync.reports.commit_message import MAX_ENTRIES, write_message
from support.runners import HOSTILE, find_commands

if TYPE_CHECKING:
    from pinsync.model import Customization


def rule(id_: str, identity: str, model: str = "basket", title: str | None = None) -> Customization:
    row = {"id": id_, "model": model, "target_type": "item", "target_identity": identity}
    return build_customization({**row, "target_metadata": {"title": title}} if title else row)


def test_changes_are_counted_and_listed_by_model() -> None:
    same, old, new = rule("s", "/s/"), rule("c", "/c/"), rule("c", "/c2/", title="Strings")
    pairs = [
        Pair(same, same),
        Pair(None, rule("d", "/d/", "detail")),
        Pair(old, new),
        Pair(rule("r", "/r/"), rule("r2", "/r/")),
        Pair(rule("g", "/g/"), None),
        Pair(None, rule("n", "/n/")),
    ]
    assert write_message({"shop": pairs}) == (
        "Export pins: 2 added, 1 changed, 1 recreated, 1 removed\n\n"
        "model basket:\n  target changed, metadata changed: “Strings” (/c2/)\n  rule removed: /g/\n"
        "  rule added: /n/\n  created again: /r/\n\n"
        "model detail:\n  rule added: /d/\n"
    )
    assert write_message({"shop": pairs[::-1]}) == write_message({"shop": pairs}), (
        "the order of an answer means nothing"
    )


def test_several_trackers_are_told_apart() -> None:
    found = write_message(
        {"sk": [Pair(None, rule("a", "/a/"))], "cz": [Pair(None, rule("b", "/b/"))], "hu": []}
    )
    assert found == (
        "Export pins: 2 added\n\ncz, model basket:\n  rule added: /b/\n\nsk, model basket:\n"
        "  rule added: /a/\n"
    )


def test_where_one_of_several_changed_the_subject_names_it() -> None:
    found = write_message({"sk": [Pair(None, rule("a", "/a/"))], "cz": []})
    assert found == "Export pins of sk: 1 added\n\nsk, model basket:\n  rule added: /a/\n"


def test_a_new_text_alone_has_a_message_too() -> None:
    same = rule("s", "/s/")
    assert write_message({"shop": [Pair(same, same)]}) == "Export pins: same rules, new text\n"


def test_the_list_is_cut_and_the_count_is_not() -> None:
    found = write_message(
        {
            "shop": [
                Pair(None, rule(f"{number}", f"/{number}/")) for number in range(MAX_ENTRIES + 7)
            ]
        }
    )
    assert found.startswith(f"Export pins: {MAX_ENTRIES + 7} added\n")
    assert found.count("  rule added: ") == MAX_ENTRIES
    assert found.endswith("\nand 7 more\n")


def test_what_comes_from_outside_can_break_no_line() -> None:
    title = "a\n\nSigned-off-by: x\x1b[2J\u202e\r" + "z" * 100
    found = write_message({"shop": [Pair(None, rule("a", "/a\tb/", "m\n# x", title))]})
    lines = found.split("\n")
    assert lines[2:] == [r'model "m\n# x":', lines[3], ""]
    assert lines[3].startswith(r"  rule added: “a\n\nSigned-off-by: x\u001b[2J\u202e\rz")
    assert len(lines[3]) < 100
    assert lines[3].endswith("…")


def added(title: str, model: str = "basket") -> str:
    """The message of an export that added a rule."""
    return write_message({"shop": [Pair(None, rule("a", "/a/", model, title))]})


FOREIGN: Final = (
    "Signed-off-by: Linus <l@x.org>",
    "Co-authored-by",
    "basket",
    ": x",
    "Signed-off-by: x\nAcked-by: y",
    "::error::pwned",
    "  ::error::pwned",
    "##[error]pwned",
    "a\n::error::pwned",
    *HOSTILE,
)


@pytest.mark.parametrize("text", FOREIGN)
@pytest.mark.parametrize("trackers", [("shop",), ("sk", "cz")])
def test_no_foreign_text_is_a_trailer_or_a_command(text: str, trackers: tuple[str, ...]) -> None:
    pairs = [Pair(None, rule("a", text, text, text))]
    found = write_message(dict.fromkeys(trackers, pairs))
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=found,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert find_commands(found) == []


CLOSING: Final = (
    "Fixes #12",
    "close #1",
    "Closed: shop/pins#3",
    "RESOLVED  GH-4",
    "resolves issue #5",
    "fix https://github.com/shop/pins/issues/6",
    "Closing !7",
    "implements shop/group/pins!8",
    "sale; fixed #9",
)
ORDINARY: Final = (
    "Strings: 9-42 #1",
    "Fixed blade, 20 cm",
    "Close-up #1",
    "prefixes #1",
    "Affix #1",
    "a@example.com",
    "2 @ 3",
    "[skip it]",
)


@pytest.mark.parametrize("title", CLOSING)
def test_no_title_closes_an_issue(title: str) -> None:
    word = title.removeprefix("sale; ")
    shown = title.removesuffix(word) + f"\\u{ord(word[0]):04x}{word[1:]}"
    assert f" “{shown}” (/a/)\n" in added(title)
    assert added("x", title).split("\n")[2] == f'model "{shown}":'


@pytest.mark.parametrize("title", ["@somebody", "for @org/team", "(@a)"])
def test_no_title_calls_anybody(title: str) -> None:
    shown = title.replace("@", r"\u0040")
    assert f" “{shown}” (/a/)\n" in added(title)


@pytest.mark.parametrize(
    "title", ["[skip ci]", "now [CI skip] x", "[no ci]", "[skip actions]", "[actions skip]"]
)
def test_no_title_skips_a_job(title: str) -> None:
    shown = title.replace("[", r"\u005b")
    assert f" “{shown}” (/a/)\n" in added(title)


@pytest.mark.parametrize("title", ORDINARY)
def test_an_ordinary_title_stays_as_it_is(title: str) -> None:
    assert f" “{title}” (/a/)\n" in added(title)
