from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.compare import Pair
from pinsync.document import customization
from pinsync.reports.message import MAX_ENTRIES, message

if TYPE_CHECKING:
    from pinsync.model import Customization


def rule(id_: str, identity: str, model: str = "basket", title: str | None = None) -> Customization:
    row = {"id": id_, "model": model, "target_type": "item", "target_identity": identity}
    return customization({**row, "target_metadata": {"title": title}} if title else row)


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
    assert message({"shop": pairs}) == (
        "Export pins: 2 added, 1 changed, 1 recreated, 1 removed\n\n"
        "basket:\n  changed item /c2/ (Strings)\n  removed item /g/\n  added item /n/\n  recreated item /r/\n\n"
        "detail:\n  added item /d/\n"
    )
    assert message({"shop": pairs[::-1]}) == message({"shop": pairs}), "the order of an answer means nothing"


def test_several_trackers_are_told_apart() -> None:
    found = message({"sk": [Pair(None, rule("a", "/a/"))], "cz": [Pair(None, rule("b", "/b/"))], "hu": []})
    assert found == "Export pins: 2 added\n\ncz/basket:\n  added item /b/\n\nsk/basket:\n  added item /a/\n"


def test_where_one_of_several_changed_the_subject_names_it() -> None:
    found = message({"sk": [Pair(None, rule("a", "/a/"))], "cz": []})
    assert found == "Export pins of sk: 1 added\n\nsk/basket:\n  added item /a/\n"


def test_a_new_text_alone_has_a_message_too() -> None:
    same = rule("s", "/s/")
    assert message({"shop": [Pair(same, same)]}) == "Export pins: same rules, new text\n"


def test_the_list_is_cut_and_the_count_is_not() -> None:
    found = message({"shop": [Pair(None, rule(f"{number}", f"/{number}/")) for number in range(MAX_ENTRIES + 7)]})
    assert found.startswith(f"Export pins: {MAX_ENTRIES + 7} added\n")
    assert found.count("  added ") == MAX_ENTRIES
    assert found.endswith("\nand 7 more\n")


def test_what_comes_from_outside_can_break_no_line() -> None:
    title = "a\n\nSigned-off-by: x\x1b[2J\u202e\r" + "z" * 100
    found = message({"shop": [Pair(None, rule("a", "/a\tb/", "m\n# x", title))]})
    lines = found.split("\n")
    assert lines[2:] == ["m # x:", lines[3], ""]
    assert lines[3].startswith("  added item /a b/ (a  Signed-off-by: x\\u001b[2J\\u202e\\u000dzzz")
    assert len(lines[3]) < 80
    assert lines[3].endswith("…")
