"""``pinsync fmt``: canonical form, whatever a document looked like, and no comment or work of
anyone lost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.canonical.normalize import build_customization
from pinsync.document.form import format_document
from pinsync.document.irregular import lay_out_document
from pinsync.document.merge import DocumentPlan, merge_document
from pinsync.document.parse import parse_document
from pinsync.document.record import render_document, render_empty_head, render_head
from pinsync.errors import FileError
from pinsync.escape import defuse, one_line
from support.commenting import commented, standing, states
from support.exporting import (
    BASKET_TEXT,
    HOME_TEXT,
    STRINGS,
    document,
    edited,
    put,
    served,
    state,
    untouched,
)
from support.paths import ROOT
from support.strategies import QUICK, as_json
from support.strategies import rows as any_rows
from support.workflows import commands

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

Row = dict[str, Any]

HEAD = "format: 1\nmodel: basket\ncustomizations:\n"
NONE = "format: 1\nmodel: basket\ncustomizations: []\n"
RULE = "  - id: {0}\n    target_type: item\n    target_identity: /{0}/\n"
A, B, C = map(RULE.format, "abc")
UGLY = """\
# ours
model: 'basket'
format: 1
customizations:
- {id: b, target_type: item, target_identity: "/b/"}

- target_type: item
  id: a   # of the shop
  tags: [z, x, z]
  target_identity: '/a/'
"""
PRETTY = """\
# ours
format: 1
model: basket
customizations:
  - id: a   # of the shop
    target_type: item
    target_identity: /a/
    tags:
      - x
      - z
  - id: b
    target_type: item
    target_identity: /b/
"""
CONFIGURATION = """\
format: 1
trackers:
  shop-sk: {tracker_id: "1"}
  shop-cz: {tracker_id: "2"}
"""


def form(text: str) -> str:
    """Format a text, and hold that a second time changes nothing."""
    result = format_document(text.encode(), "f")
    assert format_document(result, "f") == result
    return result.decode()


# The text.


def test_any_yaml_becomes_canonical() -> None:
    assert form(UGLY) == PRETTY


def test_what_is_canonical_stays() -> None:
    assert form(BASKET_TEXT) == BASKET_TEXT
    assert form(NONE) == NONE


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("customizations:", "customizations: []"),
        ("customizations: null  # none", "customizations: []  # none"),
        ("customizations: [ ]\n\n# one\n\n# two", "customizations: []\n# one\n\n# two"),
        ("customizations:\n  # one\n  []", "# one\ncustomizations: []"),
    ],
)
def test_no_customizations_are_an_empty_list(text: str, result: str) -> None:
    top = HEAD.removesuffix("customizations:\n")
    assert form(f"{top}{text}\n") == f"{top}{result}\n"
    assert render_document("basket", []).decode() == NONE
    assert parse_document(NONE.encode(), "f").render().decode() == NONE


def test_a_first_customization_follows_an_empty_list() -> None:
    first = build_customization(
        {"id": "a", "target_type": "item", "target_identity": "/a/"}, model="basket"
    )
    read = parse_document(f"# ours\n{NONE}# below\n".encode(), "f")
    text = merge_document(read, "basket", DocumentPlan(arriving=[(first, None)]))
    assert text is not None
    assert text.decode() == f"# ours\n{HEAD}{A}# below\n"


@pytest.mark.parametrize("field", ["tags", "note"])
def test_a_comment_in_an_empty_list_at_the_very_end(field: str) -> None:
    assert form(f"{HEAD}{A}    {field}: [\n      # why\n      ]\n").count("# why") == 1


def test_blocks_are_sorted_and_take_the_comments_on_them_along() -> None:
    assert form(f"{HEAD}  # on b\n{B}  # on a\n{A}") == f"{HEAD}  # on a\n{A}  # on b\n{B}"


def test_header_and_detached_comments_stay_at_their_place() -> None:
    before = (
        f"#  header\n\n{HEAD}# one\n\n{C}\n# two\n#  goes on\n\n\n# three\n\n{A}  # on b\n"
        f"{B}# four\n\n# five\n\n"
    )
    after = (
        f"#  header\n\n{HEAD}  # one\n\n{A}  # two\n  #  goes on\n\n  # three\n\n  # on b\n"
        f"{B}{C}# four\n\n# five\n"
    )
    assert form(before) == after


def test_blank_lines_that_hold_no_comment_apart_go() -> None:
    assert form(f"\n{HEAD}\n\n{A}\n\n{B.replace(chr(10), chr(10) * 2)}\n") == HEAD + A + B


def test_comments_in_a_block_stay_where_they_stand() -> None:
    before = (
        f"{HEAD}{A}    tags:   # why\n# odd place\n    - 'x'\n    # on noise\n    created_at: 1\n"
    )
    after = f"{HEAD}{A}    tags:   # why\n      # odd place\n      # on noise\n      - x\n"
    assert form(before) == after


@pytest.mark.parametrize("blanks", [" ", "  ", "     "])
def test_the_blanks_before_a_comment_at_the_end_of_a_line_stay(blanks: str) -> None:
    head = HEAD.replace("\n", f"{blanks}# x\n")
    text = head + (A + B).replace("\n", f"{blanks}# x\n")
    assert form(text) == text
    moved = head + (B + A).replace("  - ", "-  ").replace("    ", "   ").replace(
        "\n", f"{blanks}# x\n"
    )
    assert form(moved) == text
    in_brackets = (
        f"{HEAD}{A}    tags: [{blanks}# x\n      'y',{blanks}# y\n      z{blanks}# z\n    ]\n"
    )
    in_lines = f'{HEAD}{A}    tags:{blanks}# x\n      - "y"{blanks}# y\n      - z{blanks}# z\n'
    assert form(in_brackets) == in_lines


def test_a_tab_before_a_comment_in_brackets_becomes_blanks() -> None:
    before = f"{HEAD}{A}    tags: [\t# x\n      y,\t# y\n      z \t # z\n      ]\n"
    assert form(before) == f'{HEAD}{A}    tags:  # x\n      - "y"  # y\n      - z # z\n'


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_become_lf_the_last_is_there_and_a_byte_order_mark_goes(mark: str) -> None:
    assert form(mark + (HEAD + A + "    # x").replace("\n", "\r\n")) == HEAD + A + "# x\n"
    assert form(mark + HEAD + A) == HEAD + A
    assert form(mark + "# x\n" + UGLY) == "# x\n" + PRETTY


@pytest.mark.parametrize(
    "block",
    [
        "  - target_type: all\n",
        "  - id: a\n    target_type: else\n    tags: christmas\n    a_note: null\n",
        "  - id: a\n    target_type: all\n    pin_definitions:\n      - position: many\n",
    ],
    ids=["without an id", "wrong types and unknown fields", "a position of the wrong type"],
)
def test_what_lint_would_blame_is_kept(block: str) -> None:
    assert form(HEAD + block) == HEAD + block


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (b"", "f:1:1", "expected a document"),
        (f"{HEAD}{A}    note: 'lost\n{B}".encode(), "f:7:11", "quotes that aren't closed"),
        (f"{HEAD}  - target_type: ''\n".encode(), "f:4:5", "target_type"),
        (f"{HEAD}  - id: a\n    id: b\n".encode(), "f:5:5", "twice"),
        (HEAD.encode() + b"# \xff\n", "f:4:3", "UTF-8"),
        (b"customization:\n", "f:1:1", "unknown key"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(text: bytes, place: str, says: str) -> None:
    with pytest.raises(FileError, match=says) as caught:
        format_document(text, "f")
    assert str(caught.value).startswith(place)


@settings(QUICK, max_examples=40)
@given(st.lists(any_rows, max_size=3))
def test_json_becomes_what_an_export_writes(found: list[Row]) -> None:
    says = [build_customization(row) for row in found]
    for row in found:
        del row["model"]
    text = as_json({"customizations": found, "model": "basket", "format": 1})
    assert format_document(text.encode(), "f") == render_document("basket", says)


def test_a_comment_behind_a_dash_alone_goes_with_what_the_dash_opens() -> None:
    before = "- {id: b, #e\n  target_type: all} #f\n#g\n-   #h\n  id: a\n  target_type: item\n"
    after = "  #g\n  #h\n  - id: a\n    target_type: item\n  - id: b #e\n    target_type: all #f\n"
    assert form(HEAD + before) == HEAD + after


@settings(QUICK, max_examples=50)
@given(states(), st.data())
def test_no_comment_is_lost_or_loses_what_it_stands_on(
    found: list[Row], data: st.DataObject
) -> None:
    says = [build_customization(row) for row in found]
    blocks = data.draw(st.permutations([item.text for item in says]))
    before = data.draw(commented(b"".join((render_head("basket"), *blocks)).decode()))
    after = form(before)
    assert Counter(standing(after)) == Counter(standing(before))
    bare = [line.partition("#")[0].rstrip() for line in after.splitlines()]
    assert "\n".join(filter(None, bare)) + "\n" == render_document("basket", says).decode()
    above = zip(["", *after.splitlines()], after.splitlines(), strict=False)
    assert all(line or "#" in before_it for before_it, line in above), (
        "a blank line that holds no comment apart"
    )


@settings(QUICK, max_examples=30)
@given(states(), st.data())
def test_blocks_one_by_one_give_what_the_whole_gives(found: list[Row], data: st.DataObject) -> None:
    text = data.draw(
        commented(render_document("basket", map(build_customization, found)).decode())
    ).encode()
    whole = lay_out_document(text, "f").text
    assert format_document(text, "f") == (whole if found else render_empty_head(whole))


# The command.


@pytest.fixture
def ugly(repository: Path) -> Path:
    """A repository with two documents, one of them in need of formatting."""
    put(document(), UGLY)
    put(document("home"), HOME_TEXT)
    return repository


def test_it_formats_all_documents_and_touches_none_that_is(
    ugly: Path, pinsync: CommandLine
) -> None:
    document().chmod(0o640)
    before = state(ugly / "customizations")
    result = pinsync("fmt")
    assert (result.code, result.out, result.err) == (
        0,
        "",
        "1 file reformatted, 1 file left unchanged\n",
    )
    assert document().read_text(encoding="utf-8") == PRETTY
    assert document().stat().st_mode & 0o777 == 0o640
    assert state(ugly / "customizations")["home.yaml"] == before["home.yaml"]
    with untouched(ugly):
        assert pinsync("fmt").err == "2 files left unchanged\n"


def test_check_names_the_files(ugly: Path, pinsync: CommandLine) -> None:
    with untouched(ugly):
        result = pinsync("fmt", "--check")
        assert (result.code, result.out) == (1, "customizations/basket.yaml\n")
        assert result.err == "1 file would be reformatted, 1 file already formatted\n"
    document().write_text(PRETTY, encoding="utf-8")
    assert (pinsync("fmt", "--check").code, pinsync("fmt", "--check").out) == (0, "")


@pytest.mark.parametrize("arguments", [("--diff",), ("--check", "--diff")])
@pytest.mark.parametrize("text", [UGLY, UGLY.rstrip("\n"), PRETTY.rstrip("\n")])
def test_the_difference_can_be_applied(
    arguments: tuple[str, ...], text: str, ugly: Path, pinsync: CommandLine, git: Git
) -> None:
    put(document(), text)
    with untouched(ugly):
        result = pinsync("fmt", *arguments)
    assert result.code == 1
    assert "\n--- a/customizations/basket.yaml\n+++ b/customizations/basket.yaml\n@@ " in result.out
    git("apply", str(put(Path("..", "patch"), result.out)))
    assert document().read_text(encoding="utf-8") == PRETTY
    assert (pinsync("fmt", *arguments).code, pinsync("fmt", *arguments).out) == (0, "")


REMARKS = "\u202eours\u200b ##[add-mask]a"
ODD = UGLY.replace("ours", REMARKS).replace("\n", "\r\n").encode()
"""A text that neither a terminal nor a job's log must be shown as it is, and that can be patched
only as it is.
"""


@pytest.mark.parametrize("command", [("git", "apply"), ("patch", "-p1", "-i")])
def test_the_difference_of_an_odd_text_can_be_applied(command: tuple[str, ...], ugly: Path) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} isn't installed")
    path = ugly / document()
    path.write_bytes(ODD)
    done = subprocess.run(
        [sys.executable, "-m", "pinsync", "fmt", "--diff"],
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    (ugly / ".git" / "patch").write_bytes(done.stdout)
    applied = subprocess.run([*command, ".git/patch"], cwd=ugly, capture_output=True, check=False)
    assert applied.returncode == 0, applied.stderr
    assert path.read_bytes() == PRETTY.replace("ours", REMARKS).encode()
    assert "##[" in done.stdout.decode()
    assert commands(done.stdout.decode()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize("word", ["customizations", "-"])
def test_a_difference_moves_no_cursor_of_a_terminal(word: str, ugly: Path) -> None:
    (ugly / document()).write_bytes(ODD)
    ours, theirs = os.openpty()
    with (ugly / document()).open("rb") as text:
        process = subprocess.Popen(
            [sys.executable, "-m", "pinsync", "fmt", "--quiet", "--diff", word],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=text,
            stdout=theirs,
        )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # how Linux says that nobody writes to it any more
        while part := os.read(ours, 65536):
            seen += part
    process.wait(timeout=60)
    os.close(ours)
    assert process.returncode == 1
    assert b"\\u202eours\\u200b #\\u0023[add-mask]a\\u000d" in seen
    assert b"stop-commands" not in seen  # the fence of what isn't escaped
    assert not {"\u202e", "\u200b", "\r"}.intersection(seen.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("name", ["::error::pwned", "  ::error::pwned", "a\n::error::pwned"])
def test_a_files_name_is_one_line_and_no_command(
    name: str, ugly: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(document(name), UGLY)
    monkeypatch.chdir(ugly / "customizations")
    for arguments, said in ((("--check",), "out"), (("-v",), "err")):
        result = pinsync("fmt", *arguments)
        assert commands(result.out + result.err) == []
        (line,) = [line for line in getattr(result, said).splitlines() if "pwned" in line]
        assert line.removeprefix("reformatted ") in (
            f"{one_line(name)}.yaml",
            f"{defuse(one_line(name))}.yaml",
        )


def test_an_interrupt_of_the_writing_says_that_every_file_is_whole(
    ugly: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pinsync.workspace.store.Store.reshape", interrupt)
    result = pinsync("fmt")
    said = "interrupted: every file is whole; run the command again to complete the rest"
    assert (result.code, result.err.strip()) == (130, said)
    assert (ugly / document()).read_text(encoding="utf-8") == UGLY


def test_only_the_files_that_are_given(ugly: Path, pinsync: CommandLine) -> None:
    with untouched(ugly):
        assert pinsync("fmt", "customizations/home.yaml").err == "1 file left unchanged\n"
    put(document("home"), HOME_TEXT + "\n")
    document("home").parent.joinpath("notes.txt").write_text("of no concern")
    result = pinsync("fmt", "customizations/basket.yaml", str(document().absolute()))
    assert (result.code, result.err) == (0, "1 file reformatted\n")
    assert document("home").read_text(encoding="utf-8") == HOME_TEXT + "\n"


@pytest.mark.parametrize(
    "word", [".", "customizations", "customizations/", "../repository", "customizations/../."]
)
def test_a_folder_stands_for_the_documents_below_it(
    word: str, ugly: Path, pinsync: CommandLine
) -> None:
    assert pinsync("fmt", word).err == "1 file reformatted, 1 file left unchanged\n"
    assert ugly.joinpath(document()).read_text(encoding="utf-8") == PRETTY


def test_several_trackers(repository: Path, pinsync: CommandLine) -> None:
    put(Path("pinsync.yaml"), CONFIGURATION)
    sk, cz = (put(document(folder=f"customizations/shop-{name}"), UGLY) for name in ("sk", "cz"))
    for arguments, names in (
        ((), (cz, sk)),
        (("customizations",), (cz, sk)),
        (("--tracker", "shop-sk"), (sk,)),
        (("customizations/shop-cz",), (cz,)),
    ):
        assert pinsync("fmt", "--check", *arguments).out.splitlines() == [
            str(path) for path in names
        ]
    with untouched(repository):
        assert pinsync("fmt", "--tracker", "shop-de").code == 2
        result = pinsync("fmt", "--tracker", "shop-sk", str(cz))
    assert (result.code, "can't go with paths" in result.err) == (2, True)


def test_below_the_root_paths_start_where_the_user_is(
    ugly: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ugly / "customizations")
    assert pinsync("fmt", "--check", "basket.yaml").out == "basket.yaml\n"
    assert pinsync("fmt", "--check", "..").out == "basket.yaml\n"
    assert "--- a/customizations/basket.yaml\n" in pinsync("fmt", "--diff", "basket.yaml").out
    assert pinsync("fmt", "customizations/basket.yaml").code == 2
    put(Path("aaa.yaml"), HEAD + "  - target_type: [\n")
    assert "error: aaa.yaml:5:1: " in pinsync("fmt", "--check").err
    put(Path("..", "elsewhere", "x"), "")
    monkeypatch.chdir(ugly / "elsewhere")
    assert pinsync("fmt", "--check").out == "../customizations/basket.yaml\n"
    assert pinsync("fmt", "--verbose").err.startswith("error: ../customizations/aaa.yaml:5:1: ")


def test_a_root_behind_a_link(ugly: Path, pinsync: CommandLine) -> None:
    link = ugly.parent / "link"
    link.symlink_to(ugly)
    assert pinsync("fmt", str(link / document())).err == "1 file reformatted\n"


@pytest.mark.usefixtures("ugly")
def test_a_fault_stops_no_other_file(pinsync: CommandLine) -> None:
    bad = put(document("aaa"), HEAD + "  - target_type: [\n")
    result = pinsync("fmt", "nothing.yaml", "customizations")
    assert result.code == 2
    assert "error: nothing.yaml: there is no such file" in result.err
    assert "error: customizations/aaa.yaml:5:1: " in result.err
    assert result.err.endswith("1 file reformatted, 1 file left unchanged\n")
    assert document().read_text(encoding="utf-8") == PRETTY
    assert bad.read_text(encoding="utf-8") == HEAD + "  - target_type: [\n"
    assert pinsync("fmt", "--check").code == 2


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("customizations/other.yaml", "there is no such file"),
        ("customizations/home.yaml/x.yaml", "there is no such file"),
        ("customizations/notes.txt", "is no document"),
        ("customizations/.hidden.yaml", "is no document"),
        ("pinsync.yaml", "lies outside customizations"),
        ("customizations/../pinsync.yaml", "lies outside customizations"),
        ("elsewhere", "lies outside customizations"),
        ("..", "lies outside customizations"),
        (os.devnull, "lies outside customizations"),
        ("customizations/link.yaml", "is a link"),
        ("customizations/linked/home.yaml", "is a link"),
        ("customizations/pipe.yaml", "expected a plain file"),
        ("customizations/folder.yaml", "expected a plain file"),
        ("", "an empty text is no path"),
    ],
)
def test_paths_that_stand_for_no_document(
    word: str, says: str, ugly: Path, pinsync: CommandLine
) -> None:
    folder = ugly / "customizations"
    put(ugly / "pinsync.yaml", "format: 1\n")
    put(ugly / "elsewhere" / "home.yaml", HOME_TEXT + "\n")
    for name in ("notes.txt", ".hidden.yaml"):
        put(folder / name, HOME_TEXT + "\n")
    folder.joinpath("link.yaml").symlink_to("../elsewhere/home.yaml")
    folder.joinpath("linked").symlink_to("../elsewhere")
    os.mkfifo(folder / "pipe.yaml")
    folder.joinpath("folder.yaml").mkdir()
    result = pinsync("fmt", word)
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_a_directory_that_is_a_link(repository: Path, pinsync: CommandLine) -> None:
    put(Path("elsewhere", "basket.yaml"), UGLY)
    Path("customizations").symlink_to("elsewhere")
    with untouched(repository):
        for arguments in ((), ("customizations",), ("customizations/basket.yaml",)):
            assert pinsync("fmt", *arguments).code == 2


def test_nothing_to_format_is_said(repository: Path, pinsync: CommandLine) -> None:
    missing = f"warning: there are no documents in {repository}/"
    result = pinsync("fmt")
    assert (result.code, result.err) == (
        0,
        f"{missing}customizations, and no pinsync.yaml was found\n",
    )
    assert not Path("customizations").exists()
    Path("customizations", "nested").mkdir(parents=True)
    assert (
        pinsync("fmt", "customizations/nested").err
        == f"{missing}customizations/nested, and no pinsync.yaml was found\n"
    )


def test_what_no_tracker_reads_is_said(repository: Path, pinsync: CommandLine) -> None:
    put(document(), BASKET_TEXT)
    old = put(document(folder="customizations/old"), UGLY)
    put(document(folder="customizations/.hidden"), UGLY)
    (repository / "customizations" / "linked").symlink_to("old")
    said = (
        "warning: no tracker reads customizations/old/basket.yaml; expected "
        "customizations/basket.yaml"
    )
    for arguments in ((), ("customizations",), (".",)):
        with untouched(repository):
            result = pinsync("fmt", *arguments)
        assert (result.code, result.err) == (
            0,
            f"{said}: see pinsync lint\n1 file left unchanged\n",
        )
    assert said in pinsync("fmt", "customizations/old").err
    assert said not in pinsync("fmt", str(document())).err
    result = pinsync("fmt", str(old))
    assert (result.code, result.err) == (0, f"{said}: see pinsync lint\n1 file reformatted\n")
    assert old.read_text(encoding="utf-8") == PRETTY


def test_what_was_there_before_the_second_tracker_is_read_by_none(
    repository: Path, pinsync: CommandLine
) -> None:
    put(Path("pinsync.yaml"), CONFIGURATION)
    put(document(folder="customizations/shop-sk"), PRETTY)
    put(document(folder="customizations/shop-sk/old"), PRETTY)
    put(document(), PRETTY)
    said = (
        "no tracker reads customizations/basket.yaml, and 1 more; expected "
        "customizations/<tracker>/basket.yaml"
    )
    with untouched(repository):
        assert said in pinsync("fmt").err
    err = pinsync("fmt", "--tracker", "shop-sk").err
    assert "no tracker reads customizations/shop-sk/old/basket.yaml; " in err
    assert "no tracker" not in pinsync("fmt", "--tracker", "shop-cz").err


def test_outside_git_and_without_a_configuration(
    tmp_path: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(document(), UGLY)
    assert pinsync("fmt", "--check").code == 1
    assert pinsync("fmt").code == 0
    assert document().read_text(encoding="utf-8") == PRETTY


@pytest.mark.usefixtures("repository")
def test_many_files(pinsync: CommandLine) -> None:
    for number in range(5_000):
        put(document(f"m{number:04}"), f"format: 1\nmodel: m{number:04}\ncustomizations:\n{A}")
    put(document("m0000"), UGLY)
    assert pinsync("fmt").err == "1 file reformatted, 4999 files left unchanged\n"


def test_one_writer_at_a_time(ugly: Path, pinsync: CommandLine) -> None:
    ugly.joinpath(".git", "pinsync").mkdir()
    with FileLock(ugly / ".git" / "pinsync" / "lock"):
        assert pinsync("fmt").code == 4
        assert pinsync("fmt", "--check").code == 1
        assert document().read_text(encoding="utf-8") == UGLY
        result = pinsync("fmt", "customizations/home.yaml")
        assert (result.code, result.err) == (0, "1 file left unchanged\n"), (
            "nothing to write needs no lock"
        )


def test_a_file_at_fault_is_named_before_the_lock_is_asked_for(
    ugly: Path, pinsync: CommandLine
) -> None:
    put(document("aaa"), HEAD + "  - target_type: [\n")
    with FileLock(put(ugly / ".git" / "pinsync" / "lock", "")):
        result = pinsync("fmt")
    assert (result.code, result.err.count("error: ")) == (4, 2)
    assert result.err.startswith("error: customizations/aaa.yaml:5:1: ")


# Whose work a file holds.


def test_unsaved_work_stays_the_users_own(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(monkeypatch) as api:
        assert pinsync("export", "--commit").code == 0
        put(document(), BASKET_TEXT.replace("position: 1", "position:   4"))
        assert pinsync("fmt").err == "1 file reformatted, 1 file left unchanged\n"
        edited(api, STRINGS, tags=["summer"])
        with untouched(repository):
            result = pinsync("export")
        assert (result.code, "holds uncommitted work" in result.err) == (4, True)


@pytest.mark.usefixtures("repository")
def test_what_an_export_wrote_stays_its_own(
    pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(monkeypatch) as api:
        put(document(), BASKET_TEXT.replace("position: -1", "position:   -1  # by hand"))
        put(document("home"), HOME_TEXT)
        git("add", ".")
        git("commit", "--quiet", "--message=By hand")
        edited(api, STRINGS, tags=["winter"])
        assert pinsync("export").code == 0
        assert pinsync("fmt").err == "1 file reformatted, 1 file left unchanged\n"
        edited(api, STRINGS, tags=["spring"])
        assert pinsync("export").code == 0
    assert document().read_text(encoding="utf-8") == BASKET_TEXT.replace(
        "christmas", "spring"
    ).replace("position: -1", "position: -1  # by hand")


@pytest.mark.usefixtures("repository")
def test_an_ignored_field_stays_in_the_file(pinsync: CommandLine) -> None:
    put(Path("pinsync.yaml"), "format: 1\nignore: [target_metadata.image]\n")
    text = HEAD + A + "    target_metadata:\n      image: x.jpg\n"
    put(document(), text + "\n")
    assert pinsync("fmt").code == 0
    assert document().read_text(encoding="utf-8") == text


# Standard input.


def piped(text: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pinsync", "fmt", *arguments, "-"],
        input=text,
        capture_output=True,
        check=False,
        env={
            **os.environ,
            "PYTHONIOENCODING": "ascii",
            "PYTHONPATH": str(ROOT),
        },
    )


def test_standard_input_to_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = piped(UGLY.replace("ours", "naše").encode())
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        PRETTY.replace("ours", "naše").encode(),
        b"",
    )
    assert not list(tmp_path.iterdir())


def test_standard_input_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = piped(UGLY.encode(), "--check")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"-\n", b"")
    done = piped(UGLY.encode(), "--diff")
    assert done.returncode == 1
    assert b"\n--- a/-\n+++ b/-\n@@ " in done.stdout
    done = piped(PRETTY.encode(), "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_standard_input_at_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = piped(b"format: 1\nmodel: [\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: -:3:1: ")


@pytest.mark.parametrize(
    "arguments", [("-", "customizations"), ("-", "-"), ("-", "--tracker", "x")]
)
def test_standard_input_goes_alone(
    arguments: tuple[str, ...], ugly: Path, pinsync: CommandLine
) -> None:
    with untouched(ugly):
        result = pinsync("fmt", *arguments)
    assert (result.code, "standard input" in result.err) == (2, True)


def test_a_closed_standard_input(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m pinsync fmt - <&-"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.startswith(b"error: -:1:1: expected a document")) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    "below", ["", "  - id: b\n    target_type: item\n    target_identity: /p/2/\n"]
)
def test_a_comment_over_a_field_that_goes_finds_its_place_at_once(below: str) -> None:
    block = (
        "  - id: a\n    target_type: all\n    pin_definitions:\n      - position: 1\n"
        "        pin_type: item\n"
    )
    text = (
        f"format: 1\nmodel: basket\ncustomizations:\n{block}\n    # agreed with Jana\n\n"
        f"    tags: []\n{below}"
    ).encode()
    once = format_document(text, "basket.yaml")
    assert format_document(once, "basket.yaml") == once
    assert once.count(b"# agreed with Jana") == 1
