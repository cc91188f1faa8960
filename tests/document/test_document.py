from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.canonical import answer, normalize
from pinsync.document.form import format_document
from pinsync.document.merge import DocumentPlan, merge_document
from pinsync.document.parse import _Reader, parse_document
from pinsync.document.record import render_document
from pinsync.errors import DataError, FileError
from pinsync.model import MAX_DEPTH
from pinsync.yamlio import load
from support import paths
from support.merging import export
from support.paths import ROOT
from support.strategies import QUICK, rows

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.canonical.normalize import Ignored
    from pinsync.document.record import Document, Known
    from pinsync.model import Customization

Row = dict[str, Any]

CASES = paths.CASES / "document"
HEAD = "format: 1\nmodel: basket\ncustomizations:\n"
A = "  - id: a\n    target_type: all\n    note: 1\n"
B = "  - id: b\n    target_type: all\n    note: 2\n"

SAME = [{"id": "a", "target_type": "all", "note": 1}, {"id": "b", "target_type": "all", "note": 2}]


def rule(name: str, note: object = None, **fields: object) -> Row:
    return {
        "id": name,
        "model": "basket",
        "target_type": "all",
        **({} if note is None else {"note": note}),
        **fields,
    }


def item(row: Row) -> Customization:
    return normalize.build_customization(row)


def parse(text: str | bytes, known: Known | None = None, ignore: Ignored = ()) -> Document:
    return parse_document(
        text.encode() if isinstance(text, str) else text, "f.yaml", known=known, ignore=ignore
    )


def texts(read: Document) -> list[str]:
    return [entry.customization.text.decode() for entry in read.entries]


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_an_export_makes_after_of_before(case: str) -> None:
    folder = CASES / case
    live = [
        answer.decode_row(raw) for raw in answer.split_rows((folder / "answer.json").read_bytes())
    ]
    before = folder / "before.yaml"
    path = "basket.yaml" if before.exists() else f"{live[0]['model']}.yaml"
    files = {path: before.read_bytes()} if before.exists() else {}
    after = (folder / "after.yaml").read_bytes()
    assert export(files, live)[path].decode() == after.decode()
    assert export({path: after}, live) == {path: after}


# Reading


def test_a_canonical_document_is_cut_into_its_blocks() -> None:
    text = f"# top\n{HEAD}\n  # place\n\n  # lead\n{A}  # of b\n{B}# tail\n"
    read = parse(text)
    a, b = read.entries
    assert (read.source, read.model, read.crlf) == ("f.yaml", "basket", False)
    assert read.head.decode() == f"# top\n{HEAD}"
    assert (a.gap, a.lead, a.body.decode(), a.line) == (b"\n  # place\n\n", b"  # lead\n", A, 9)
    assert (b.gap, b.lead, b.body.decode(), b.line) == (b"", b"  # of b\n", B, 13)
    assert read.tail == b"# tail\n"
    assert read.render().decode() == text
    assert [entry.customization for entry in read.entries] == [
        item(rule("a", 1)),
        item(rule("b", 2)),
    ]


@pytest.mark.parametrize("sign", ["|", ">", "|+", ">2", "|2+ # why", "|+2"])
def test_a_text_that_the_file_ends_in_gains_no_line_end(sign: str) -> None:
    text = f"{HEAD}{A}    title: {sign}\n\n      Hello"
    read = parse(text)
    (found,) = read.entries
    assert found.customization == item(rule("a", 1, title="\nHello"))
    assert read.original == text.encode()
    more = merge_document(
        read, "basket", DocumentPlan([found.customization], [(item(rule("b", 2)), None)])
    )
    assert more is not None
    assert texts(parse(more)) == [
        item(rule("a", 1, title="\nHello")).text.decode(),
        item(rule("b", 2)).text.decode(),
    ]


@pytest.mark.parametrize(
    "end", ["title: |-\n      Hello", "title: |\n      Hello\n    tags:\n      - x", "title: a |"]
)
def test_any_other_last_line_gets_its_line_end(end: str) -> None:
    text = f"{HEAD}{A}    {end}"
    read = parse(text)
    assert read.render().decode() == f"{text}\n"
    assert read.entries[0].body.decode() == f"{A}    {end}\n"


def test_a_last_line_of_blanks_in_a_text_is_refused() -> None:
    with pytest.raises(FileError, match=r"^f\.yaml:9:8: a last line of nothing but blanks"):
        parse(f"{HEAD}{A}    title: |\n      Hello\n       ")


@settings(QUICK, max_examples=50)
@given(st.lists(rows, max_size=4, unique_by=lambda row: str(row["id"])), st.data())
def test_what_is_rendered_is_read_back(drawn: list[Row], data: st.DataObject) -> None:
    items = [item(row) for row in drawn]
    text = render_document("basket", data.draw(st.permutations(items)))
    assert text == render_document("basket", items)
    known = {"basket": {found.text: found for found in data.draw(st.permutations(items))[:2]}}
    if items:
        read = parse(text, known=known)
        assert sorted(texts(read)) == sorted(found.text.decode() for found in items)
        assert [entry.body.decode() for entry in read.entries] == texts(read)
        assert read.render() == text
        assert (
            merge_document(
                read, "basket", DocumentPlan([entry.customization for entry in read.entries])
            )
            is None
        )


@pytest.mark.parametrize(
    "text",
    [
        HEAD + A + B,
        HEAD + A + B[:-1],  # no final newline
        (HEAD + A + B).replace("\n", "\r\n"),
        (HEAD + A + B).replace("\n", "\r\n")[:-2],
        "\ufeff" + HEAD + A + B,
        "\ufeff" + (HEAD + A + B).replace("\n", "\r\n")[:-2],
        "\ufeff" + (HEAD + A + B).replace("\n  ", "\n"),
        HEAD + A + "\n\n" + B + "\n\n",
        HEAD.replace("\n", "  # x\n") + A + B,
        "# x\n\n" + HEAD.replace("\n", "\n# y\n\n") + A + B,
        HEAD.replace("basket", '"basket"') + A + B,
        HEAD.replace("1", "1.0").replace("basket", "'basket'") + A + B,
        "---\n" + HEAD + A + B,
        HEAD + A + B + "...\n",
        HEAD + A.replace("note: 1", "note: 1.0") + B,
        HEAD + A.replace("note: 1", "note:   +1") + B,
        HEAD + "  - note: 1\n    id: 'a'\n    target_type: \"all\"\n" + B,
        HEAD + "  - {id: a, target_type: all, note: 1}\n" + B,
        HEAD + "  -\n    id: a\n    target_type: all\n    note: 1\n" + B,
        HEAD + "  -   id: a\n      target_type: all\n      note: 1\n" + B,
        HEAD + "  - # here\n    id: a\n    target_type: all\n    note: 1\n" + B,
        HEAD + A + ("    created_at: x\n    updated_at: y\n"
"    tags: []\n    target_metadata: {}\n") + B,
        HEAD + A.replace("    note", "    tags:\n\n    note") + B,
        (HEAD + A + B).replace("\n  ", "\n"),
        (HEAD + A + B).replace("\n  ", "\n      "),
        "customizations:\n" + A + B + "model: basket\nformat: 1\n",
        "model: basket\nformat: 1\ncustomizations:\n" + A + B,
        HEAD[:-1] + " [{id: a, target_type: all, note: 1}, {id: b, target_type: all, note: 2}]\n",
        json.dumps({"format": 1, "model": "basket", "customizations": SAME}, indent="\t"),
        HEAD + B + A,
    ],
)  # fmt: skip
def test_every_form_says_the_same(text: str) -> None:
    read = parse(text)
    assert read.model == "basket"
    assert sorted(texts(read)) == [A, B]
    says = [entry.customization for entry in read.entries]
    assert merge_document(read, "basket", DocumentPlan([*says])) is None
    edited = DocumentPlan([item(rule("b", 3)) if each.id == "b" else each for each in says])
    changed = merge_document(read, "basket", edited)
    assert changed is not None
    assert sorted(texts(parse(changed))) == [A, B.replace("2", "3")]
    assert (b"\r\n" in changed) == ("\r\n" in text)
    assert changed.decode().count("\ufeff") == text.count("\ufeff")
    assert b"\n\n\n" not in changed or "\n\n\n" in text


def test_crlf_stays_where_a_block_changes() -> None:
    before = (HEAD + "  # a\n" + A + B).replace("\n", "\r\n").encode()
    assert export({"basket.yaml": before}, [rule("a", 1), rule("b", 3)])[
        "basket.yaml"
    ] == before.replace(b"note: 2", b"note: 3")


@pytest.mark.parametrize(
    "text", [HEAD + A, "# x\n" + HEAD + A, (HEAD + A).replace("\n", "\r\n"), HEAD[:-1] + " []\n"]
)
def test_a_byte_order_mark_stays_and_is_no_part_of_the_text(text: str) -> None:
    read = parse("\ufeff" + text)
    assert read.bom
    assert read.head.decode() == parse(text).head.decode()
    assert read.render().decode() == "\ufeff" + text
    outcome = DocumentPlan(
        [entry.customization for entry in read.entries], [(item(rule("c")), None)]
    )
    more = merge_document(read, "basket", outcome)
    assert more is not None
    assert more.decode().rindex("\ufeff") == 0


def test_lines_are_those_of_the_file() -> None:
    regular = parse("# x\n" + HEAD + "\n" + A + "  # b\n" + B)
    zero_indented = parse(("# x\n" + HEAD + "\n" + B + "  # a\n" + A).replace("\n  ", "\n"))
    assert [(entry.customization.id, entry.line) for entry in regular.entries] == [
        ("a", 6),
        ("b", 10),
    ]
    assert [(entry.customization.id, entry.line) for entry in zero_indented.entries] == [
        ("a", 10),
        ("b", 6),
    ]


@pytest.mark.parametrize(
    "rest",
    [
        "customizations:\n",
        "customizations: []\n",
        "customizations: null\n",
        "customizations:\n# none\n",
    ],
)
def test_a_document_without_customizations(rest: str) -> None:
    read = parse("format: 1\nmodel: basket\n" + rest)
    assert (read.model, read.entries) == ("basket", ())
    assert merge_document(read, "basket", DocumentPlan()) is None
    changed = merge_document(read, "basket", DocumentPlan(arriving=[(item(rule("a", 1)), None)]))
    assert changed is not None
    assert texts(parse(changed)) == [A]
    assert changed.count(b"#") == rest.count("#")


def test_known_texts_are_believed_as_the_very_objects() -> None:
    a, b = item(rule("a", 1, updated_at="now")), item(rule("b", 2))
    known = {"basket": {found.text: found for found in (a, b)}, "detail": {}}
    read = parse(HEAD + A.replace("all\n", "all  # x\n    # y\n") + B, known=known)
    assert [entry.customization for entry in read.entries] == [a, b]
    assert all(
        entry.customization is found for entry, found in zip(read.entries, (a, b), strict=True)
    )
    assert (
        parse(HEAD + A, known={"detail": known["basket"]}).entries[0].customization.updated_at
        is None
    )


def test_ignored_fields_are_no_part_of_what_is_read() -> None:
    text = HEAD + (
        "  - id: a\n    target_type: all\n    target_metadata:\n      image: i.png  # old\n"
        "    note: 1\n"
    )
    ignore = [("target_metadata", "image")]
    assert texts(parse(text, ignore=ignore)) == [A]
    live = rule("a", 1, target_metadata={"image": "new.png"})
    assert export({"basket.yaml": text.encode()}, [live], ignore) == {"basket.yaml": text.encode()}


def test_nor_is_an_object_that_holds_nothing_else() -> None:
    text = HEAD + A + "    target_metadata:\n      image:\n        url: i.png  # from the catalog\n"
    ignore = [("target_metadata", "image", "url")]
    assert texts(parse(text, ignore=ignore)) == [A]
    assert export({"basket.yaml": text.encode()}, [rule("a", 1)], ignore) == {
        "basket.yaml": text.encode()
    }


IN_SYNC = """
import sys
from pathlib import Path
from pinsync.document.merge import DocumentPlan, merge_document
from pinsync.workspace.read import parse_documents
found = [parse_documents([("basket.yaml", Path(sys.argv[1]).read_bytes())], known, ()) for known in ([], [])]
text = Path(sys.argv[1]).read_bytes()
(read,) = found[0].values()
live = [entry.customization for entry in read.entries]
again = parse_documents([("basket.yaml", text)], live, ())["basket"]
assert merge_document(again, "basket", DocumentPlan([entry.customization for entry in again.entries])) is None
assert len(live) == int(sys.argv[2]), live
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("ruamel", "httpx", "git", "yaml", "deepdiff")))
"""


def test_being_in_sync_costs_no_yaml_parsing(tmp_path: Path) -> None:
    a, b = A.replace("all", "all  # behind"), B + '    tags:\n      - "no"  # 日本\n'
    text = f"# Košík\n{HEAD}  # place\n\n  # über a  \n{a}    # end\n\n{b}# tail\n"
    (tmp_path / "basket.yaml").write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", IN_SYNC, tmp_path / "basket.yaml", "2"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


# Faults


def place(text: str | bytes) -> str:
    with pytest.raises(FileError) as caught:
        parse(text)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml:1:1: expected a document of pinsync: format, model, customizations"),
        ("# x\n", "f.yaml:1:1: expected a document of pinsync: format, model, customizations"),
        ("- a\n", "f.yaml:1:1: expected a document of pinsync: format, model, customizations"),
        ("x\n", "f.yaml:1:1: expected a document of pinsync: format, model, customizations"),
        ("# x\nmodel: m\ncustomizations: []\n", "f.yaml:2:1: the key 'format' is missing"),
        ("format: 1\ncustomizations: []\n", "f.yaml:1:1: the key 'model' is missing"),
        ("format: 1\nmodel: m\n", "f.yaml:1:1: the key 'customizations' is missing"),
        ("format: 2\nmodel: m\ncustomizations: []\n", "f.yaml:1:1: format: expected 1, got 2"),
        ('format: "1"\nmodel: m\ncustomizations: []\n', "f.yaml:1:1: format: expected 1, got '1'"),
        (
            "format: true\nmodel: m\ncustomizations: []\n",
            "f.yaml:1:1: format: expected 1, got True",
        ),
        (
            "format: 1\nmodel:\ncustomizations: []\n",
            "f.yaml:2:1: model: expected a non-empty string, got None",
        ),
        (
            'format: 1\nmodel: ""\ncustomizations: []\n',
            "f.yaml:2:1: model: expected a non-empty string, got ''",
        ),
        (
            "format: 1\nmodel: 123\ncustomizations: []\n",
            "f.yaml:2:1: model: expected a non-empty string, got 123",
        ),
        (
            "format: 1\nmodel: 123\ncustomizations:\n" + A,
            "f.yaml:2:1: model: expected a non-empty string, got 123",
        ),
        ("format: 1\nmodel: m\ncustomizations: 5\n", "f.yaml:3:1: customizations: expected a list"),
        (
            "format: 1\nmodel: m\ncustomizations: {a: b}\n",
            "f.yaml:3:1: customizations: expected a list",
        ),
        (
            HEAD + A + "notes: x\n",
            "f.yaml:7:1: unknown key 'notes'; expected format, model and customizations",
        ),
        (
            "version: 1\n" + HEAD + A,
            "f.yaml:1:1: unknown key 'version'; expected format, model and customizations",
        ),
        (
            HEAD + A + "  - x\n",
            "f.yaml:7:5: expected a customization with an id, a target_type and so on",
        ),
        (
            HEAD + A + "  - []\n",
            "f.yaml:7:5: expected a customization with an id, a target_type and so on",
        ),
        (
            HEAD + A + "  - null\n",
            "f.yaml:7:5: expected a customization with an id, a target_type and so on",
        ),
        (
            HEAD + A + "    model: basket\n",
            "f.yaml:7:5: the model stands once, at the top of the document",
        ),
        (
            HEAD + A + "  - id: b\n",
            "f.yaml:7:5: target_type: expected a non-empty string, got nothing",
        ),
        (
            HEAD + A + "  - id: b\n    target_type:\n",
            "f.yaml:8:5: target_type: expected a non-empty string, got null",
        ),
        (
            HEAD + A + "  - id: b\n    target_type: 1\n",
            "f.yaml:8:5: target_type: expected a non-empty string, got an integer",
        ),
        (
            HEAD + A + '  - target_type: all\n    id: ""\n',
            'f.yaml:8:5: id: expected a non-empty string, got ""',
        ),
        (
            HEAD + A + "  - id:\n    target_type: all\n",
            "f.yaml:7:5: id: expected a non-empty string, got null",
        ),
        (
            HEAD + A + "  - id: 5\n    target_type: all\n",
            "f.yaml:7:5: id: expected a non-empty string, got an integer",
        ),
        (HEAD + A + "    note: 2\n", 'f.yaml:7:5: the key "note" stands twice, first on line 6'),
        (HEAD + A + "    x: &a 1\n    y: *a\n", "f.yaml:7:8: an anchor (&) isn't read here"),
        (HEAD + A + "    x: .nan\n", 'f.yaml:7:8: ".nan" is not a finite number'),
        (
            HEAD + "<<<<<<< ours\n" + A + "=======\n" + B + ">>>>>>> theirs\n",
            "f.yaml:4:1: a merge conflict is left unresolved (<<<<<<<)",
        ),
        (HEAD + A + "---\n" + HEAD + B, "f.yaml:7:1: a second document begins here"),
        (HEAD + A + "   x: 1\n", "f.yaml:7:4: this doesn't fit what stands above"),
        (
            HEAD.replace("basket", '"\\ud800"') + A,
            "f.yaml:2:8: an escape that names half a character (a lone surrogate)",
        ),
        (
            HEAD.replace("basket", '"\\U00110000"') + A,
            "f.yaml:2:8: an escape that names no character",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, message: str) -> None:
    if "names no character" in message:
        assert message.partition(": ")[2] in place(text)
    else:
        assert place(text) == message


def test_the_deepest_value_is_read_in_any_form_and_one_deeper_is_refused() -> None:
    deepest, deeper = ("[" * depth + "]" * depth for depth in (MAX_DEPTH, MAX_DEPTH + 1))
    for form in (
        f"{HEAD}  - {{id: a, target_type: all, x: ?}}\n",
        f"{HEAD}- id: a\n  target_type: all\n  x: ?\n",
    ):
        (text,) = texts(parse(form.replace("?", deepest)))
        assert texts(parse(HEAD + text)) == [text]
        assert f"nested deeper than {MAX_DEPTH} levels" in place(form.replace("?", deeper))


@pytest.mark.parametrize("top", [HEAD, "# x\n" + HEAD])
@pytest.mark.parametrize(
    "comment",
    [
        "# a\rtarget_type: item",
        "# \x00",
        "# \x1b[2J",
        "# \x85    note: 2",
        "# \u2028",
        "# \ufeff",
        "# \x7f",
        b"# \xff",
        b"# \xed\xa0\x80",
    ],
)
@pytest.mark.parametrize(
    "at",
    [
        "{}\n" + HEAD + A,
        HEAD.replace("basket", "basket  {}") + A,
        HEAD + "  {}\n" + A,
        HEAD + A + "{}\n",
        HEAD + A.replace("all", "all  {}"),
        HEAD + A.replace("    note", "    {}\n    note"),
    ],
)
def test_a_comment_can_hide_nothing_from_other_readers(
    comment: str | bytes, at: str, top: str
) -> None:
    """A carriage return, or a line end of YAML 1.1, ends a comment for some readers."""
    text = at.replace(HEAD, top) if at.startswith(HEAD) else at
    place(text.encode().replace(b"{}", comment.encode() if isinstance(comment, str) else comment))


@pytest.mark.parametrize(
    "comment", ["# 👩\u200d💻 a\u00a0b", "#\tx", "# e\u0301\u202f\u00ad", "#", "#!"]
)
def test_any_other_text_may_stand_in_a_comment(comment: str) -> None:
    text = f"{comment}\n{HEAD}{comment}\n{A.replace('all', 'all  ' + comment)}  {comment}\n"
    read = parse(text)
    assert texts(read) == [A]
    assert read.render().decode() == text


def test_a_row_of_the_api_names_its_model_and_a_row_of_a_document_does_not() -> None:
    with pytest.raises(DataError, match="model"):
        normalize.build_customization({"id": "a", "target_type": "all"})
    assert normalize.build_customization({"target_type": "all"}, model="m").id is None


SEEDS = [
    *(path.read_text("utf-8") for path in sorted(CASES.glob("*/before.yaml"))),
    HEAD
    + A
    + "    z: |\n      text\n      # no comment\n\n  # b\n"
    + B
    + "    x: 'it''s #1'  # y\n    z: [a, {b: c}]\n",
    HEAD
    + A
    + "    z: |+\n      text\n\n  # b\n"
    + B
    + "    x:\n      - - 1\n        - b: {}\n    z: >-\n      a\n",
]
SPOILERS = [
    *(*" \n:-#'\"\\|>+[]{},&*!?%@0a", "  ", "\n  ", "\n    ", " #", " # x"),
    *("\n# x\n", "\n\n", "- ", "\n  - ", "---\n", "\t"),
]


@settings(QUICK, max_examples=300)
@given(st.data())
def test_cutting_by_blocks_and_reading_as_a_whole_agree(data: st.DataObject) -> None:
    """Documents spoilt at random: what is cut by lines means what a YAML parser says, or isn't
    cut.
    """
    text = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", *SPOILERS]))
            + text[at + data.draw(st.integers(0, 4)) :]
        )
    encoded = text.encode() + b"\n" * (not text.endswith("\n"))
    reader = _Reader("f.yaml", {}, ())
    cut = reader.read_by_blocks(encoded)
    if cut is not None:
        assert cut.render() == encoded
        assert texts(cut) == _as_a_whole(encoded)


def _as_a_whole(text: bytes) -> list[str]:
    """Return the canonical texts in the order of the file."""
    rows = load(text, "f.yaml").data["customizations"]  # type: ignore[index]
    return [normalize.build_customization(row, model="m").text.decode() for row in rows]


def test_a_customization_without_a_blank_behind_its_colon_gets_the_hint() -> None:
    with pytest.raises(FileError) as caught:
        format_document((HEAD + A + "  - id:b\n").encode(), "f.yaml")
    assert (caught.value.line, caught.value.hint) == (
        7,
        "write id: b, with a blank behind the colon",
    )
