from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.canonical import normalize
from pinsync.canonical.pins import read_pin
from pinsync.document import written
from pinsync.document.form import format_document
from pinsync.document.record import render_document
from pinsync.items.file import parse_items
from pinsync.items.record import list_missing
from pinsync.lint import ignores, rules
from pinsync.lint.engine import apply_rules
from pinsync.lint.folder import Folder
from pinsync.lint.rules import RULES, describe_rule
from pinsync.reports.ci.findings import Context
from pinsync.reports.lint import text as lint_text
from pinsync.shelf.overlaps import Timeline
from support import paths
from support.schemas import load_schema
from support.strategies import QUICK, rows, scribbled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.canonical.pins import Pin
    from pinsync.model import Finding
    from support.golden import Golden
    from support.strategies import Row

SCHEMA = jsonschema.Draft7Validator(load_schema("document"))
CASES = paths.CASES / "lint"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def linted(
    files: Mapping[str, bytes],
    ids: Iterable[str] = RULES,
    days: int = 30,
    expected: str | None = None,
    items: bytes | None = None,
) -> list[Finding]:
    """What rules find in the documents of a folder, at noon of a certain day."""
    documents = [written.read(text, name) for name, text in sorted(files.items())]
    missing = list_missing(parse_items(items, "items.json") if items else {})
    folder = Folder(documents, RULES, NOON, days, expected=expected, missing_items=missing)
    return apply_rules(folder, set(ids), files.keys())


def check(text: str, expected: Iterable[str], name: str = "basket.yaml") -> None:
    """A document has these findings, each ``line:column rule``."""
    found = linted({name: text.encode()})
    assert [f"{one.line}:{one.column} {one.rule}" for one in found] == list(expected)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_folder_of_cases(rule: str, golden: Golden) -> None:
    folder = CASES / rule
    files = {file.name: file.read_bytes() for file in sorted(folder.glob("*.yaml"))}
    items = folder / "items.json"
    found = linted(
        files,
        expected="customizations/<tracker>" if rule == "unread-document" else None,
        items=items.read_bytes() if items.exists() else None,
    )
    report = lint_text.render_findings(found, Context("lint", ()))
    golden(report, folder / "expected.txt")
    assert rule in {one.rule for one in found}


def test_every_rule_is_documented_and_named_after_its_module() -> None:
    modules = {file.stem for file in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert {rule.replace("-", "_") for rule in RULES} == modules
    for rule in RULES.values():
        summary, text = describe_rule(rule)
        assert summary.endswith(".")
        assert len(text) > 100


def test_a_finding_names_its_file_model_and_subject() -> None:
    (found,) = linted(
        {
            "basket.yaml": pinned(
                "      - position: -3\n        pin_type: item\n        pin_identity: /p/2/\n"
            )
        }
    )
    assert (found.file, found.model, found.rule, found.severity) == (
        "basket.yaml",
        "basket",
        "position",
        "error",
    )
    assert found.identity == ":item:/p/1/.pin_definitions.-3:item:/p/2/:.position"
    assert found.hint


def pinned(pins: str) -> bytes:
    """A document of one customization with these pins."""
    head = (
        "format: 1\nmodel: basket\ncustomizations:\n  - target_type: item\n"
        "    target_identity: /p/1/\n"
    )
    return f"{head}    pin_definitions:\n{pins}".encode()


def test_an_identity_stays_when_lines_move() -> None:
    pin = "      - position: -3\n        pin_type: item\n        pin_identity: /p/2/\n"
    above = "      - position: -5\n        pin_type: item\n        pin_identity: /p/9/\n"
    (alone,) = linted({"basket.yaml": pinned(pin)})
    both = linted({"basket.yaml": pinned(above + pin)})
    assert both[1].line == (alone.line or 0) + 3
    assert both[1].identity == alone.identity
    assert both[0].identity != alone.identity


WRONG = "  - target_type: item\n    target_identity: /p/1/\n    pin_definitions:\n"
PIN = "        pin_type: item\n        pin_identity: /p/2/\n"
HEAD = "format: 1\nmodel: basket\ncustomizations:\n"


@pytest.mark.parametrize(
    "body",
    [
        f"{WRONG}      - position: -2 # pinsync: ignore[position]\n{PIN}",
        f"{WRONG}      # pinsync: ignore[position]\n      - position: -2\n{PIN}",
        (
            f"{WRONG}      # pinsync: ignore[position]: it is on purpose\n      # and why\n"
            f"      - position: -2\n{PIN}"
        ),
        f"{WRONG}      - position: -2  #pinsync:ignore[ schema , position ]\n{PIN}",
        f"{WRONG}      -   # pinsync: ignore[position]\n        position: -2\n{PIN}",
        f"{WRONG}      # pinsync: ignore[position]\n      - # and why\n        position: -2\n{PIN}",
        f"{WRONG}      - # pinsync: ignore[position]\n{PIN}        position: -2\n",
        f"{WRONG}      - # pinsync: ignore[position]\n\n        position: -2\n{PIN}",
        f"{WRONG}      # pinsync: ignore[position]\n      -\n        position: -2\n{PIN}",
        f"{WRONG}      # pinsync: ignore[position]\n      -{PIN[7:]}        position: -2\n",
        (
            f"{WRONG}      - {{pin_type: item, pin_identity: /p/2/, position: -2}} # pinsync: "
            f"ignore[position]\n"
        ),
        (
            f"{WRONG}      - {{pin_type: item,\n"
            f"         pin_identity: /p/2/, position: -2}} # pinsync: ignore[position]\n"
        ),
        f"{WRONG}      - position: -2\n{PIN}".replace(
            "definitions:", "definitions: # pinsync: ignore[position]"
        ),
        "  # pinsync: ignore[position]\n" + f"{WRONG}      - position: -2\n{PIN}",
    ],
)
def test_a_comment_on_the_line_or_above_ignores_a_rule(body: str) -> None:
    assert linted({"basket.yaml": (HEAD + body).encode()}, RULES.keys() - {"format"}) == []


@pytest.mark.parametrize(
    "body",
    [
        f"{WRONG}      # pinsync: ignore[schema]\n      - position: -2\n{PIN}",
        f"{WRONG}      # pinsync: ignore[position]\n\n      - position: -2\n{PIN}",
        WRONG.replace("/p/1/", "/p/1/ # pinsync: ignore[position]")
        + f"      - position: -2\n{PIN}",
        WRONG.replace("/p/1/", '"# pinsync: ignore[position]"') + f"      - position: -2\n{PIN}",
        f"{WRONG}      - position: -2\n{PIN}      # pinsync: ignore[position]\n",
        f"{WRONG}      # pinsync: ignored\n      - position: -2\n{PIN}",
        f"{WRONG}      -{PIN[7:-1]} # pinsync: ignore[position]\n        position: -2\n",
    ],
)
def test_any_other_comment_ignores_nothing(body: str) -> None:
    found = linted({"basket.yaml": (HEAD + body).encode()}, RULES.keys() - {"format"})
    assert [one.rule for one in found] == ["position"]


def test_what_a_pin_lacks_stands_at_its_first_key_whatever_else_is_wrong() -> None:
    deep = "[" * 63 + "]" * 63
    for note in ("1", deep):
        pins = f"      - note: {note}\n        pin_type: item\n        pin_identity: /p/2/\n"
        found = linted({"basket.yaml": pinned(pins)}, {"schema"})
        places = [
            (one.line, one.message.partition(":")[0]) for one in found if "missing" in one.message
        ]
        assert places == [(8 if note == "1" else 7, "position")]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (
            "# ours\n# pinsync: ignore[position, file-name]\nformat: 1\nmodel: home\n",
            ["file-name", "position"],
        ),
        ("# pinsync: ignore[position, file-name]\nmodel: home\nformat: 1\n", ["position"]),
        ("# pinsync: ignore[position, file-name]\n---\nmodel: home\nformat: 1\n", ["position"]),
        ("format: 1\nmodel: home\n# pinsync: ignore[position, file-name]\n", ["file-name"]),
    ],
)
def test_a_comment_above_the_first_line_is_about_the_key_there(head: str, found: list[str]) -> None:
    text = f"{head}customizations:\n{WRONG}      - position: -2\n{PIN}".encode()
    for each in (text, format_document(text, "basket.yaml")):
        assert [
            one.rule for one in linted({"basket.yaml": each}, {"position", "file-name"})
        ] == found


def test_a_comment_above_or_behind_a_file_in_braces_ignores_nothing() -> None:
    pin = '{"position": -2, "pin_type": "item", "pin_identity": "/p/2/"}'
    row = f'{{"target_type": "item", "target_identity": "/p/1/", "pin_definitions": [{pin}]}}'
    text = f'{{"format": 1, "model": "basket", "customizations": [{row}]}}'
    for each in (
        f"# pinsync: ignore[position]\n{text}\n",
        f"{text}  # pinsync: ignore[position]\n",
    ):
        for form in (each.encode(), format_document(each.encode(), "basket.yaml")):
            assert b"ignore[position]" in form
            assert [one.rule for one in linted({"basket.yaml": form}, {"position"})] == ["position"]


def test_a_comment_behind_a_closing_brace_is_about_the_key_above_it() -> None:
    """As one behind the last line of a text is, which stands on the line where the text begins."""
    pin = (
        "{pin_type: item, pin_identity: /p/2/,\n         position: -2\n"
        "        }  # pinsync: ignore[position]\n"
    )
    assert linted({"basket.yaml": pinned(f"      - {pin}")}, {"position"}) == []


def test_what_is_behind_a_pin_or_a_list_in_braces_of_several_lines_is_about_all_of_it() -> None:
    ignore = "  # pinsync: ignore[position]\n"
    pin = "{position: -2, pin_type: item,\n         pin_identity: /p/2/, note: 1}"
    assert linted({"basket.yaml": pinned(f"      - {pin}{ignore}")}, {"position"}) == []
    row = (
        f"  - pin_definitions: [{pin},\n"
        f"      {{position: -3}}, {{position: -4}}]{ignore}    target_type: all\n"
    )
    assert linted({"basket.yaml": f"{HEAD}{row}".encode()}, {"position"}) == []


def test_many_comments_are_looked_up_at_once() -> None:
    pins = [f"      - position: -2  # pinsync: ignore[position]\n{PIN}" for _ in range(300)]
    text = pinned("".join([*pins, f"      - position: -2\n{PIN}"]))
    ignored = ignores.find_ignored(written.read(text, "basket.yaml"))
    assert ignored.keys() == {"position"}
    lines = [line for line in range(len(text)) if line in ignored["position"]]
    assert lines == [*range(7, 7 + 3 * 300, 3)]
    assert [one.line for one in linted({"basket.yaml": text}, {"position"})] == [7 + 3 * 300]


def test_what_cant_be_read_cant_be_ignored() -> None:
    text = (
        f"# pinsync: ignore[syntax]\n{HEAD}{WRONG}  - id: a  # pinsync: ignore[syntax]\n    id: b\n"
    )
    found = linted({"basket.yaml": text.encode()}, {"syntax", "unknown-ignore"})
    assert [(one.line, one.rule) for one in found] == [(1, "unknown-ignore"), (9, "syntax")]
    assert found[0].message == "no comment can ignore an unreadable file"


@pytest.mark.parametrize("position", ["", "position: -1\n        ", "position: 1\n        "])
def test_a_duplicate_says_where_the_other_is_pinned(position: str) -> None:
    pins = f"      - {position}{PIN.lstrip()}      - position: 5\n{PIN}"
    (found,) = linted({"basket.yaml": pinned(pins)}, {"duplicate-pin"})
    where = {"": "", "position: -1": " to all positions", "position: 1": " to position 1"}[
        position.strip()
    ]
    at = " to position 5" if not position else where  # what has no position comes last
    assert found.message == f"/p/2/ is pinned{at} already, at all times"


def test_what_comes_later_is_told_by_the_canonical_order() -> None:
    """So that ``fmt`` moves a finding no more than a comment that ignores it."""
    pins = f"      - position: 7\n{PIN}      - position: 2\n{PIN}"
    check(pinned(pins).decode(), ["7:7 format", "9:9 duplicate-pin"])
    rules_ = "  - id: b\n    target_type: all\n  - id: a\n    target_type: all\n"
    check(HEAD + rules_, ["4:3 format", "5:5 several-for-all"])


@pytest.mark.parametrize(
    "comment", ["# pinsync: ignore", "# pinsync: ignore[]", "# pinsync: ignore[ , ]"]
)
def test_a_comment_that_names_no_rule_ignores_nothing_and_says_so(comment: str) -> None:
    text = f"{HEAD}{WRONG}      - position: -2  {comment}\n{PIN}".encode()
    found = linted({"basket.yaml": text})
    assert [(one.rule, one.line, one.column) for one in found] == [
        ("position", 7, 9),
        ("unknown-ignore", 7, 23),
    ]


def test_a_comment_in_the_head_counts_for_the_head() -> None:
    text = (
        "format: 1\n# pinsync: ignore[file-name]\nmodel: basket\ncustomizations:\n"
        "  - target_type: all\n"
    )
    assert linted({"other.yaml": text.encode()}) == []


def test_lines_of_windows_have_the_same_places() -> None:
    text = pinned("      - position: -3\n        pin_type: item\n        pin_identity: /p/2/\n")
    found = linted({"basket.yaml": text.replace(b"\n", b"\r\n")})
    assert [(one.rule, one.line, one.column) for one in found] == [
        ("format", 1, 1),
        ("position", 7, 9),
    ]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_byte_order_mark_moves_no_place(end: str) -> None:
    text = pinned("      - position: -3\n        pin_type: item\n        pin_identity: /p/2/\n")
    found = linted({"basket.yaml": b"\xef\xbb\xbf" + text.removesuffix(b"\n") + end.encode()})
    assert [(one.rule, one.line, one.column) for one in found] == [
        ("format", 1, 1),
        ("position", 7, 9),
    ]
    assert found[0].message == "the file begins with a byte order mark"


def test_a_rule_that_isnt_chosen_finds_nothing() -> None:
    text = pinned("      - position: -3\n        pin_type: thing\n        pin_identity: /p/2/\n")
    assert [one.rule for one in linted({"basket.yaml": text}, {"position"})] == ["position"]


def test_only_the_files_given_are_reported_on() -> None:
    one = HEAD + "  - id: a\n    target_type: item\n    target_identity: /p/1/\n"
    two = one.replace("basket", "home").replace("/p/1/", "/p/2/")
    documents = [written.read(one.encode(), "basket.yaml"), written.read(two.encode(), "home.yaml")]
    folder = Folder(documents, RULES, NOON, 30)
    found = apply_rules(folder, RULES.keys(), {"home.yaml"})
    assert [(finding.file, finding.rule) for finding in found] == [("home.yaml", "duplicate-id")]


def test_a_file_that_is_laid_out_in_another_way_has_its_places() -> None:
    check(
        '{"format": 1, "model": "basket", "customizations": [\n'
        '  {"target_type": "item", "target_identity": "/p/1/", "pin_definitions": [\n'
        '    {"position": -2, "pin_type": "item", "pin_identity": "/p/2/"}]}]}\n',
        ["1:1 format", "3:6 position"],
    )
    check(
        "format: 1\nmodel: basket\ncustomizations:\n- target_type: item\n  target_identity: /p/1/\n"
        "  pin_definitions:\n  - position: -2\n    pin_type: item\n    pin_identity: /p/2/\n",
        ["4:1 format", "7:5 position"],
    )


def test_how_long_ago_is_long_can_be_chosen() -> None:
    text = pinned(f'      - position: 1\n{PIN}        active_to: "2026-11-20T12:00:00Z"\n')
    assert linted({"basket.yaml": text}, days=1) == []
    assert [one.rule for one in linted({"basket.yaml": text}, days=0)] == ["expired"]


def test_what_nobody_can_read_is_one_finding() -> None:
    check("format: 1\nmodel: basket\ncustomizations: [\n", ["4:1 syntax"])
    assert [one.rule for one in linted({"a.yaml": b"\xff\xfe"})] == ["syntax"]


def test_fields_of_the_wrong_type_leave_the_other_rules_unmoved() -> None:
    values = ("null", "7", "[1]", "{a: b}", '"text"', "true", "1.5", "-1")
    for value in values:
        pin = "".join(
            f"        {name}: {value}\n"
            for name in ("pin_type", "pin_identity", "pin_criteria", "widget_id")
        )
        rest = "".join(
            f"        {name}: {value}\n" for name in ("is_block_pin", "active_from", "active_to")
        )
        linted({"basket.yaml": pinned(f"      - position: {value}\n{pin}{rest}")})
        row = "".join(
            f"    {name}: {value}\n"
            for name in (
                "target_type",
                "target_identity",
                "target_criteria",
                "tags",
                "target_metadata",
            )
        )
        for body in (
            f"  - id: {value}\n{row}    pin_definitions: {value}\n",
            f"  - {value}\n",
            f" {value}\n",
        ):
            linted({"basket.yaml": (HEAD + body).encode()})


@settings(QUICK, max_examples=150)
@given(st.lists(rows, min_size=1, max_size=2))
def test_what_the_json_schema_rejects_is_an_error(items: list[Row]) -> None:
    text = render_document("basket", [normalize.build_customization(row) for row in items])
    read = written.read(text, "basket.yaml")
    data = {"format": 1, "model": "basket", "customizations": [row.data for row in read.rows]}
    found = linted({"basket.yaml": text})
    structural = {
        "schema",
        "date-time",
        "position",
        "target-fields",
        "pin-fields",
        "block-position",
    }
    lacking = (
        "which is missing",
        "is_block_pin isn't set",
    )  # but what documented rows may lack is accepted
    assert SCHEMA.is_valid(data) != any(
        one.rule in structural and not any(words in one.message for words in lacking)
        for one in found
    )


# What fmt changes: nothing of what rules find, whatever comments ignore.

COMMENTED = (
    "schema",
    "position",
    "position-conflict",
    "duplicate-pin",
    "pinned-and-blocked",
    "self-pin",
    "window",
    "date-time",
    "pin-fields",
    "block-position",
    "target-fields",
    "target-missing",
    "several-for-all",
    "unknown-field",
    "expired",
    "invisible",
    "duplicate-target",
    "file-name",
    "unread-document",
)
"""The lint rules whose ignore comments stand in the documents."""
_identities = st.sampled_from(["/p/1/", "/p/2/", "", "/p/\u200b/"])
_ends = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2027-01-01T01:00:00+01:00", "2026-02-01T00:00:00", "soon"]
)
faulty_pins = st.fixed_dictionaries(
    {"pin_identity": _identities},
    optional={
        "position": st.sampled_from([-2, -1, 0, 1, 1, 2]),
        "pin_type": st.sampled_from(["item", "item", "criteria", "else"]),
        "pin_criteria": st.sampled_from([{}, {"brand": "x"}]),
        "is_block_pin": st.sampled_from([True, False, None]),
        "widget_id": st.none(),
        "active_from": _ends,
        "active_to": _ends,
        "note": st.just(1),
    },
)
faulty_rows = st.fixed_dictionaries(
    {"target_type": st.sampled_from(["item", "item", "all"])},
    optional={
        "id": st.sampled_from("abc"),
        "target_identity": _identities,
        "target_criteria": st.just({}),
        "tags": st.sampled_from([[], ["y", "x"], [1]]),
        "note": st.just({"a": 1}),
        "created_at": st.just(1),
        "pin_definitions": st.lists(faulty_pins, max_size=3),
    },
)


def check_form(text: str) -> str:
    """Hold that ``fmt`` changes no finding, and return what it makes of a document."""
    new = format_document(text.encode(), "basket.yaml").decode()
    before, after = (
        Counter(
            (one.rule, one.identity)
            for one in linted({"home.yaml": each.encode()}, ALL_BUT_FORMAT, expected="x")
        )
        for each in (text, new)
    )
    assert after == before, f"{text}\n{new}"
    return new


ALL_BUT_FORMAT = RULES.keys() - {"format"}

IGNORE = "# pinsync: ignore[date-time]"
SOON = "        active_to: soon\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            f"      -{PIN[7:]}        {IGNORE}\n        position: 1\n{SOON}",
            f"      - position: 1  {IGNORE}\n{PIN}{SOON}",
        ),
        (  # what a person wrote for people is written above, as it was
            (
                f"      -{PIN[7:]}        # one\n        {IGNORE}\n        # two\n"
                f"        position: 1\n{SOON}"
            ),
            f"      # one\n      # two\n      - position: 1  {IGNORE}\n{PIN}{SOON}",
        ),
        (
            f"      -{PIN[7:]}        {IGNORE}\n        position: 1  # first\n",
            f"      - position: 1  {IGNORE}  # first\n{PIN}",
        ),
        (  # on what isn't written it says nothing, before and after
            f"      - position: 1\n        {IGNORE}\n        is_block_pin: false\n{SOON}{PIN}",
            f"      - position: 1\n{PIN}        {IGNORE}\n\n{SOON}",
        ),
        (
            (
                f"      - {{position: 1,\n       pin_type: item,\n       {IGNORE}\n       }}\n"
                f"      - active_to: soon\n"
            ),
            (
                f"      - position: 1\n        {IGNORE}\n        pin_type: item\n"
                f"      - active_to: soon\n"
            ),
        ),
    ],
)
def test_fmt_leaves_a_comment_for_pinsync_on_what_it_is_about(old: str, new: str) -> None:
    assert check_form(pinned(old).decode()) == pinned(new).decode()


def test_fmt_leaves_a_comment_for_pinsync_on_an_id_and_on_a_key_of_the_head() -> None:
    pins = f"      - position: -2\n{PIN}"
    late = f"{HEAD}{WRONG}{pins}    # pinsync: ignore[position]\n    id: a\n"
    first = f"  - id: a  # pinsync: ignore[position]\n    {WRONG[4:]}{pins}"
    assert check_form(late) == f"{HEAD}{first}"
    head = "model: basket\n# pinsync: ignore[position]\nformat: 1\ncustomizations:\n"
    assert check_form(head + WRONG + pins) == f"# pinsync: ignore[position]\n{HEAD}{WRONG}{pins}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents with a fault in most places, written in any way, and comments that ignore one rule
    or another.
    """
    whole = {
        "format": 1,
        "model": "basket",
        "customizations": draw(st.lists(faulty_rows, min_size=1, max_size=3)),
    }
    remarks = [f"# pinsync: ignore[{rule}]" for rule in COMMENTED]
    top = draw(st.sampled_from(["", "", "---\n", f"{draw(st.sampled_from(remarks))}\n"]))
    return top + draw(scribbled(whole, remarks, draw(st.sampled_from([0, 0, 2])))) + "\n"


@settings(QUICK, max_examples=200)
@given(documents())
def test_fmt_changes_no_finding(text: str) -> None:
    check_form(text)


@pytest.mark.long
@settings(QUICK, max_examples=5_000)
@given(documents())
def test_fmt_changes_no_finding_of_thousands(text: str) -> None:
    check_form(text)


DAYS = st.sampled_from(["soon", *(f"2026-12-0{day}T00:00:00Z" for day in range(1, 7))])
PINS = st.fixed_dictionaries(
    {
        "position": st.just(1),
        "pin_type": st.just("item"),
        "pin_identity": st.sampled_from([None, "/p/1/", "/p/2/"]),
        "active_from": DAYS,
        "active_to": DAYS,
    }
).map(read_pin)


def meet(one: Pin, other: Pin) -> bool:
    if one.window is None or other.window is None:
        return False
    return max(one.window.start, other.window.start) < min(one.window.end, other.window.end)


@given(st.lists(PINS, max_size=12))
@settings(QUICK)
def test_a_timeline_finds_the_first_pin_of_an_overlapping_window(pins: list[Pin]) -> None:
    timeline = Timeline(pins)
    for at, pin in enumerate(pins):
        earlier = [other for other in pins[:at] if meet(other, pin)]
        others = [other for other in earlier if other.item is None or other.item != pin.item]
        assert timeline.find(pin) is next(iter(earlier), None)
        assert timeline.find(pin, shows_other=True) is next(iter(others), None)
        timeline.add(pin)
