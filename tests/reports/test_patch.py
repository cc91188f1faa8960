from __future__ import annotations

import random
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.document.record import render_document
from pinsync.drift.record import FileTexts, TrackerDrift
from pinsync.errors import RemoteError
from pinsync.reports import Style
from pinsync.reports.drift import patch
from support import drifts
from support.drifts import HEAD, LIVE, build_drift
from support.runners import find_commands
from support.workflows import commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.command_line import Git
    from support.drifts import Row

STYLE = Style(UTC)
Files = dict[str, bytes]


def rendered(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """The patch from some files to others."""
    texts = tuple(FileTexts(path, old.get(path), new.get(path)) for path in {**old, **new})
    return patch.render(
        build_drift(HEAD, LIVE, (TrackerDrift("default", "1234-5678", texts=texts),)), STYLE
    )


def documents(models: Mapping[str, Sequence[Row]]) -> Files:
    """The canonical text of each model's document."""
    return {
        f"customizations/{model}.yaml": render_document(model, drifts.state({model: rows}))
        for model, rows in models.items()
    }


def write(files: Mapping[str, bytes]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text)


def found() -> Files:
    """The files of the current folder."""
    return {
        path.as_posix(): path.read_bytes()
        for path in Path().rglob("*")
        if path.is_file() and path.parts[0] != ".git"
    }


def applied(text: str, old: Mapping[str, bytes], git: Git, *options: str) -> Files:
    """What git makes of the files with the patch."""
    write(old)
    file = Path(".git", "the.patch")
    file.write_bytes(text.encode())
    git("add", "--all")
    git("apply", "--check", "--index", "--whitespace=error-all", *options, str(file))
    git("apply", "--index", *options, str(file))
    return found()


OLD = drifts.rule(
    1, "/p/1/", [drifts.pin(1, "/p/5/"), drifts.pin(2, "/p/6/"), drifts.pin(3, "/p/7/")], "One"
)
NEW = drifts.rule(
    1, "/p/1/", [drifts.pin(1, "/p/5/"), drifts.pin(2, "/p/9/"), drifts.pin(3, "/p/7/")], "One"
)
OTHERS = [drifts.rule(number, f"/p/{number}/", [drifts.pin(1, "/p/5/")]) for number in range(2, 9)]


def test_one_pin() -> None:
    text = rendered(documents({"basket": [OLD, *OTHERS]}), documents({"basket": [NEW, *OTHERS]}))
    assert text == (
        "diff --git a/customizations/basket.yaml b/customizations/basket.yaml\n"
        "--- a/customizations/basket.yaml\n"
        "+++ b/customizations/basket.yaml\n"
        "@@ -12,7 +12,7 @@\n"
        "         pin_identity: /p/5/\n"
        "       - position: 2\n"
        "         pin_type: item\n"
        "-        pin_identity: /p/6/\n"
        "+        pin_identity: /p/9/\n"
        "       - position: 3\n"
        "         pin_type: item\n"
        "         pin_identity: /p/7/\n"
    )


def test_git_applies_the_drift_of_a_shop(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    old, new = documents(drifts.COMMITTED), documents(drifts.EDITED)
    assert applied(rendered(old, new), old, git) == new


def test_git_applies_it_backwards(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    old, new = documents(drifts.COMMITTED), documents(drifts.EDITED)
    assert applied(rendered(old, new), new, git, "--reverse") == old


def test_a_model_that_comes_and_one_that_goes(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    old, new = (
        documents({"basket": [OLD], "cart": OTHERS}),
        documents({"basket": [OLD], "wish": OTHERS}),
    )
    text = rendered(old, new)
    assert "deleted file mode 100644\n--- a/customizations/cart.yaml\n+++ /dev/null\n" in text
    assert "new file mode 100644\n--- /dev/null\n+++ b/customizations/wish.yaml\n" in text
    assert "basket" not in text
    assert applied(text, old, git) == new


def test_a_rule_that_comes_and_one_that_goes_are_shown_whole() -> None:
    first, second, *rest = OTHERS
    text = rendered(
        documents({"basket": [first, *rest]}), documents({"basket": [first, second, *rest]})
    )
    added = [line[1:] for line in text.split("\n") if line.startswith("+  ")]
    assert "\n".join([*added, ""]).encode() == drifts.state({"basket": [second]})[0].text
    assert "\n-" not in text.partition("\n@@")[2]


def test_hostile_texts_are_data(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    drift = drifts.hostile()
    old = {
        "a.yaml": render_document(
            "a", [change.old for change in drift.trackers[0].changes if change.old]
        )
    }
    new = {
        "a.yaml": render_document(
            "a", [change.new for change in drift.trackers[0].changes if change.new]
        )
    }
    tracker, broken = drift.trackers
    notes = ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+x", *drift.notes)
    texts = (FileTexts("a.yaml", old["a.yaml"], new["a.yaml"]),)
    tracker = TrackerDrift(tracker.name, tracker.tracker_id, texts=texts, notes=notes)
    text = patch.render(build_drift(drift.old, drift.new, (tracker, broken), notes), STYLE)
    head = text.partition("\n::stop-commands::")[0]
    assert all(line.startswith("# ") for line in head.split("\n"))
    assert all(line.isprintable() for line in text.split("\n"))
    assert applied(text, old, git) == new


@pytest.mark.parametrize(
    "line",
    [b"a ##[add-mask]x", b"::error::x", b" \t::error::x", b"\xc2\xa0::error::x", b"\r::error::x"],
)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_what_a_runner_takes_for_a_command_stands_in_a_fence(
    repository: Path, git: Git, line: bytes, end: bytes
) -> None:
    assert repository == Path.cwd()
    old = {
        "a.yaml": b"1\n%b\n3%b" % (line, end),
        "b.yaml": b"1\n",
        "c.yaml": b"1\n%b%b" % (line, end),
    }
    new = {
        "a.yaml": b"1\n%b\n4%b" % (line, end),
        "b.yaml": b"2\n",
        "c.yaml": b"2\n%b%b" % (line, end),
    }
    text = rendered(old, new)
    assert text.count("::stop-commands::") == 2
    assert commands(text) == []
    assert commands(text.replace("stop-commands", "notice")) != []
    assert applied(text, old, git) == new
    assert applied(text, new, git, "--reverse") == old


def test_a_fence_cant_be_opened_from_within() -> None:
    old, new = {"a.yaml": b"##[add-mask]x\n"}, {"a.yaml": b"::error::x\n##[add-mask]x\n"}
    token = rendered(old, new).partition("::stop-commands::")[2].partition("\n")[0]
    old, new = ({"a.yaml": b"::%b::\n" % token.encode() + files["a.yaml"]} for files in (old, new))
    assert commands(rendered(old, new)) == []


def test_a_part_has_no_fence_of_its_own() -> None:
    part = patch.render_part(FileTexts("a.yaml", b"a\n", b"##[add-mask]x\n"))
    assert b"::stop-commands" not in part
    token, *lines = patch.fence(part).splitlines(keepends=True)
    assert token.startswith(b"::stop-commands::")
    assert b"".join(lines[:-1]) == part
    assert patch.render_part(FileTexts("a.yaml", b"a\n", b"a\n")) == patch.fence(b"") == b""


def test_what_is_no_command_needs_no_fence() -> None:
    assert "::stop" not in rendered(
        {"a.yaml": b"title: a::b\n"}, {"a.yaml": b"title: #[x]\n::added\n"}
    )


NUMBERED = b"".join(b"%d\n" % number for number in range(1, 21))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"", b"a\nb ##vso[a.b]c\n", "a.yaml:2: a command to Azure Pipelines, "),
        (
            b"",
            b"a\n##teamcity[a 'b']\n##vso\n@@continua[a]\n",
            "a.yaml:2: a command to TeamCity (and 2 more lines), ",
        ),
        (b"a\n##octopus\n", None, "a.yaml:2: a command to Octopus Deploy, "),
        (NUMBERED + b"[[ATTACHMENT|x\n", NUMBERED, "a.yaml:21: a command to Jenkins, "),
        (b"<CTestLabel\n" + NUMBERED, b"x\n" + NUMBERED, "a.yaml:1: a command to CTest, "),
        (
            NUMBERED + b"##vso\n",
            b"0\n" + NUMBERED + b"##vso\nx",
            "a.yaml:22: a command to Azure Pipelines, ",
        ),
        (b"@@ -7,1 +7,1 @@ ##vso\n", b"a\n", "a.yaml:1: a command to Azure Pipelines, "),
        # A fence keeps GitHub's runner from obeying its own.
        (b"##[error]x\n::error::x\n", b"a\n", None),
        # The line is too far away from what differs to stand in the patch.
        (NUMBERED + b"##vso\n", b"0\n" + NUMBERED + b"##vso\n", None),
        (b"a ## vso\n", b"# vso\n", None),
        (b"##vso\n", b"##vso\n", None),
    ],
)
def test_the_first_line_with_a_command_of_another_runner_is_named(
    old: bytes | None, new: bytes | None, expected: str | None
) -> None:
    end = "which a patch can't escape: keep the patch out of a job's log"
    assert patch.describe_commands(FileTexts("a.yaml", old, new)) == (expected and expected + end)


@pytest.mark.parametrize(
    "name", ["##vso[task.complete]a.yaml", "a ##[error]b.yaml", "<CTestLabel>[[ATTACHMENT|x]].yaml"]
)
def test_a_files_name_is_no_command(repository: Path, git: Git, name: str) -> None:
    assert repository == Path.cwd()
    text = rendered({name: b"a\n"}, {name: b"b\n"})
    assert find_commands(text) == []
    assert "stop-commands" not in text
    assert applied(text, {name: b"a\n"}, git) == {name: b"b\n"}


NAMES = (
    "with blank.yaml",
    'quote".yaml',
    "back\\slash.yaml",
    "tab\t.yaml",
    "new\nline.yaml",
    "bell\a\b\v\f\r\x01\x7f.yaml",
    "řetěz 🎸.yaml",
    "c%41~1.yaml",
    "-rf.yaml",
    " ends with a blank ",
)


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_stand_as_git_writes_them(repository: Path, git: Git, name: str) -> None:
    assert repository == Path.cwd()
    path, old, new = f"a folder/{name}", b"a\nb\n", b"a\nc\n"
    text = rendered({path: old}, {path: new})
    write({path: old})
    git("add", "--all")
    write({path: new})
    expected = [line for line in git("diff").split("\n") if not line.startswith("index ")]
    assert text.split("\n")[:3] == expected[:3]
    assert applied(text, {path: old}, git) == {path: new}


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_of_files_that_come_and_go(repository: Path, git: Git, name: str) -> None:
    assert repository == Path.cwd()
    assert applied(rendered({}, {name: b"a\n"}), {"x": b""}, git) == {"x": b"", name: b"a\n"}
    assert applied(rendered({name: b"a\n"}, {}), {}, git) == {"x": b""}


def test_a_name_that_isnt_utf_8() -> None:
    assert patch.quote_path("a/\udcff.yaml") == '"a/\\377.yaml"'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\nb", b"c\nb"),
        (b"a", b"b"),
        (b"a\r\nb\r\n", b"a\r\nc\rd\r\n"),
    ],
)
def test_line_ends_of_every_kind(repository: Path, git: Git, old: bytes, new: bytes) -> None:
    assert repository == Path.cwd()
    write({"f": old})
    file = Path(".git", "the.patch")
    file.write_bytes(rendered({"f": old}, {"f": new}).encode())
    git("apply", str(file))
    assert found() == {"f": new}


def lines(chance: random.Random) -> list[bytes]:
    """A text with few different lines, so that most stand in it several times."""
    return [
        b"%d\n" % chance.randrange(chance.choice((2, 6, 60))) for _ in range(chance.randrange(40))
    ]


def edited(text: list[bytes], chance: random.Random) -> list[bytes]:
    """The text after a few cuts and pastes."""
    text = list(text)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(text) + 1)
        text[at : at + chance.randrange(4)] = lines(chance)[: chance.randrange(4)]
    return text


def test_git_applies_any_edit(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    chance = random.Random(1)
    old, new = {}, {}
    for number in range(400):
        text = lines(chance)
        old[f"f{number:03}"] = b"".join(text)
        new[f"f{number:03}"] = b"".join(edited(text, chance) if number % 4 else lines(chance))
    assert applied(rendered(old, new), old, git) == new


def test_hunks_never_touch(repository: Path, git: Git) -> None:
    """Edits six lines apart share a hunk; git refuses overlaps, and one line more makes two."""
    assert repository == Path.cwd()
    for between, hunks in ((6, 1), (7, 2)):
        same = b"".join(b"%d\n" % number for number in range(between))
        old, new = {"f": b"a\n" + same + b"b\n"}, {"f": b"A\n" + same + b"B\n"}
        text = rendered(old, new)
        assert text.count("\n@@ ") == hunks
        assert applied(text, old, git) == new


def test_only_what_differs_is_marked_however_many_customizations_do() -> None:
    old = [
        drifts.rule(number, f"/p/{number}/", [drifts.pin(1, f"/a/{number}/")])
        for number in range(2000)
    ]
    new = [
        drifts.rule(number, f"/p/{number}/", [drifts.pin(1, f"/b/{number}/")])
        for number in range(2000)
    ]
    text = rendered(documents({"basket": old}), documents({"basket": new}))
    assert (text.count("\n-      "), text.count("\n+      ")) == (2000, 2000)
    assert (text.count("\n-"), text.count("\n+")) == (2001, 2001), "the file's name besides"


def test_new_ids_are_one_line_each() -> None:
    old = [drifts.rule(number, f"/p/{number}/", [drifts.pin(1, "/a/")]) for number in range(200)]
    new = [
        drifts.rule(number + 200, f"/p/{number}/", [drifts.pin(1, "/a/")]) for number in range(200)
    ]
    text = rendered(documents({"basket": old}), documents({"basket": new}))
    assert (text.count("\n-  - id: "), text.count("\n+  - id: ")) == (200, 200)
    assert (text.count("\n-"), text.count("\n+")) == (201, 201)


def test_files_stand_in_order() -> None:
    text = rendered(
        {"b": b"1\n", "a": b"1\n", "c": b"1\n"}, {"c": b"2\n", "b": b"2\n", "a": b"2\n"}
    )
    assert [line[-1] for line in text.split("\n") if line.startswith("diff")] == ["a", "b", "c"]


def test_nothing_differs() -> None:
    assert rendered({"a": b"1\n"}, {"a": b"1\n"}) == ""
    assert patch.render(drifts.in_sync(), STYLE) == ""


def test_what_is_missing_is_said_and_git_passes_over_it(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    whole = TrackerDrift(
        "shop-sk", "1", texts=(FileTexts("a", b"1\n", b"2\n"),), notes=("its answer has no date",)
    )
    broken = drifts.failed(RemoteError("no connection\nto live"), name="shop-cz")
    text = patch.render(
        build_drift(HEAD, LIVE, (whole, broken), ("the configuration changed",)), STYLE
    )
    assert text.split("\n")[:4] == [
        "# the configuration changed",
        "# shop-sk: its answer has no date",
        "# incomplete: shop-cz is missing, it could not be compared: no connection\\nto live",
        "diff --git a/a b/a",
    ]
    assert applied(text, {"a": b"1\n"}, git) == {"a": b"2\n"}


def test_no_more_is_marked_than_by_gits_own_patience(repository: Path, git: Git) -> None:
    assert repository == Path.cwd()
    old, new = documents(drifts.COMMITTED), documents(drifts.EDITED)
    write(old)
    git("add", "--all")
    write(new)
    marked = [
        sum(line.startswith(("+", "-")) for line in text.split("\n"))
        for text in (rendered(old, new), git("diff", "--patience"))
    ]
    assert marked[0] <= marked[1]
