"""The report for a GitHub job's log, and the page of a step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pinsync.commands.deliver import MAX_BYTES, append_summary
from pinsync.escape import one_line
from pinsync.model import Finding
from pinsync.reports import Style
from pinsync.reports.ci.findings import Context
from pinsync.reports.ci.github import MAX_OF_A_KIND, render, render_findings, render_summary
from pinsync.reports.words.page import MIN_CHARS, measure
from pinsync.terminal.console import Console
from support import paths
from support.drifts import CASES, HOSTILE
from support.findings import DUPLICATE, EXPIRED, FINDINGS, LINT, NO_FILE, WHOLE_FILE
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine
    from support.golden import Golden

GOLDEN: Final = paths.CASES / "reports"
STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
PROPERTIES: Final = {"\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C", "%": "%25"}
DATA: Final = {"\r": "%0D", "\n": "%0A", "%": "%25"}


@dataclass(frozen=True, slots=True)
class Command:
    """What the runner takes from a line."""

    name: str
    properties: dict[str, str]
    data: str


def run(log: str) -> list[Command]:
    """What the runner makes of a log in which every line must be a command.

    As in its ActionCommand: a line is trimmed, begins with two colons, and ends its properties at
    the next two."""
    commands = []
    assert not log or log.endswith("\n")
    for line in log.removesuffix("\n").split("\n") if log else []:
        assert "##[" not in line
        assert line.lstrip().startswith("::")
        info, _, data = line.lstrip()[2:].partition("::")
        name, _, properties = info.partition(" ")
        pairs = [pair.split("=", 1) for pair in properties.split(",") if pair]
        read = {key.strip(): unescaped(value, PROPERTIES) for key, value in pairs}
        commands.append(Command(name, read, unescaped(data, DATA)))
    return commands


def unescaped(text: str, escapes: dict[str, str]) -> str:
    for character, escape in escapes.items():
        text = text.replace(escape, character)
    return text


def lint(*findings: Finding) -> list[Command]:
    return run(render_findings(findings, LINT))


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    golden(render(CASES[case](), STYLE), GOLDEN / case / "github.txt")


def test_a_finding_is_an_annotation_at_its_place() -> None:
    place = {
        "file": "customizations/basket.yaml",
        "line": "12",
        "col": "9",
        "title": "pinsync duplicate-id",
    }
    assert lint(DUPLICATE) == [
        Command("error", place, "the id 1 is that of line 4 too\nleave it out")
    ]
    assert [command.properties for command in lint(WHOLE_FILE, NO_FILE)] == [
        {"file": "customizations/homepage.yaml", "title": "pinsync file-name"},
        {"title": "pinsync other"},
    ]


def test_nothing_is_no_text() -> None:
    assert render_findings((), LINT) == ""
    assert render(CASES["in_sync"](), STYLE) == ""


def test_notes_come_first() -> None:
    first, *_ = run(render(CASES["branch"](), STYLE))
    assert first == Command(
        "notice", {"file": "pinsync.yaml", "title": "pinsync diff"}, CASES["branch"]().notes[0]
    )
    first, *_ = run(render(CASES["branch"](), replace(STYLE, configuration="shop/pinsync.yaml")))
    assert first.properties["file"] == "shop/pinsync.yaml"


def test_what_github_would_drop_is_counted() -> None:
    errors = [replace(DUPLICATE, line=line) for line in range(1, 14)]
    commands = lint(*errors, *[EXPIRED] * 11, NO_FILE)
    kinds = [command.name for command in commands]
    assert (kinds.count("error"), kinds.count("warning")) == (MAX_OF_A_KIND, MAX_OF_A_KIND)
    assert [command.properties["line"] for command in commands[:10]] == [
        str(line) for line in range(1, 11)
    ]
    assert commands[-1].name == "notice"
    assert commands[-1].data.startswith("3 more errors and 2 more warnings, ")
    assert len(lint(*errors[:10], *[EXPIRED] * 10)) == 20


def test_a_page_is_pointed_at_where_there_is_one() -> None:
    many = [DUPLICATE] * (MAX_OF_A_KIND + 1)
    for has_page, where in (
        (False, "with --format text"),
        (True, "in the step's summary as far as it goes, or with --format text"),
    ):
        last = render_findings(many, replace(LINT, has_page=has_page)).splitlines()[-1]
        assert (
            last == f"::notice title=pinsync lint::1 more {DUPLICATE.severity}, to be found {where}"
        )


def test_notes_too_are_no_more_than_github_shows() -> None:
    context = Context("diff", (), notes=[f"note {number}" for number in range(20)])
    commands = run(render_findings([DUPLICATE] * 11, context))
    assert sum(command.name == "notice" for command in commands) == MAX_OF_A_KIND
    assert commands[-1].data.startswith("1 more error and 11 more notes, ")


def test_a_tracker_that_could_not_be_compared_is_an_error_without_a_file() -> None:
    (command,) = run(render(CASES["nothing_known"](), STYLE))
    assert command.name == "error"
    assert command.properties == {"title": "pinsync drift-incomplete"}
    assert command.data.startswith("default could not be compared: ")


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_known_harm_is_data(text: str) -> None:
    assert_data(text)


@QUICK
@given(texts.filter(bool))
def test_any_text_is_data(text: str) -> None:
    assert_data(text)


def assert_data(text: str) -> None:
    """Wherever it stands, a text changes nothing else, and comes out readable."""
    finding = Finding(text, "error", text, file=text, line=1, column=2, hint=text)
    (command,) = run(render_findings([finding], LINT))
    assert command.name == "error"
    assert command.properties.keys() == {"file", "line", "col", "title"}
    expected = one_line(text).replace("##[", "#\\u0023[")
    if expected.lstrip().startswith("::"):
        expected = expected.replace("::", "\\u003a:", 1)
    assert command.properties["file"] == expected
    assert command.data == f"{expected}\n{expected}"


def test_the_escape_in_full() -> None:
    finding = Finding("a:b,c%", "error", "100 %, a:b\r\n::x", file="a,b:c%.yaml")
    assert (
        render_findings([finding], LINT)
        == "::error file=a%2Cb%3Ac%25.yaml,title=pinsync a%3Ab%2Cc%25::100 %25, a:b\\r\\n::x\n"
    )
    assert lint(replace(NO_FILE, message="  ::error::x"))[0].data == "  \\u003a:error::x"


# The page of a step.


def read(page: str) -> str:
    """The page in HTML, as GitHub would show it."""
    html: str = MarkdownIt("gfm-like").render(page)
    return html


def test_the_page_is_a_table() -> None:
    html = read(render_summary(FINDINGS, LINT, 65_536))
    assert "<h3>pinsync lint: 2 errors, 2 warnings</h3>" in html
    assert html.count("<tr>") == 1 + len(FINDINGS)
    assert "<code>customizations/basket.yaml:12:9</code>" in html
    assert "<code>error duplicate-id: the id 1 is that of line 4 too</code>" in html


def test_the_page_says_that_there_is_nothing() -> None:
    assert "<h3>pinsync lint: nothing found</h3>" in read(render_summary((), LINT, MIN_CHARS))


def test_the_page_has_the_notes() -> None:
    html = read(
        render_summary(FINDINGS, replace(LINT, notes=("a.yaml was not looked at",)), 65_536)
    )
    assert "<li>note: <code>a.yaml was not looked at</code></li>" in html
    assert html.count("<tr>") == 1 + len(FINDINGS)


@pytest.mark.parametrize("max_chars", [MIN_CHARS, 1_000, 20_000])
def test_the_page_is_as_long_as_is_allowed(max_chars: int) -> None:
    findings = [replace(DUPLICATE, message=text) for text in HOSTILE] * 30
    page = render_summary(findings, replace(LINT, notes=HOSTILE * 30), max_chars)
    assert measure(page) <= max_chars
    html = read(page)
    rows, notes = html.count("<tr>"), html.count("<li>")
    left_out = f"{len(findings) - max(0, rows - 1)} findings"
    assert f"<p>Left out to fit: {len(findings) - notes} notes, {left_out}.</p>" in html
    assert notes > 0
    assert rows > 1 or max_chars == MIN_CHARS


def test_nothing_in_the_page_is_markup() -> None:
    html = read(
        render_summary(
            [replace(DUPLICATE, message=text, hint=text) for text in HOSTILE], LINT, 65_536
        )
    )
    for tag in ("<img", "<a ", "<script", "</details"):
        assert tag not in html
    assert html.count("<tr>") == 1 + len(HOSTILE)


def appended(environ: dict[str, str], page: str = "the page\n") -> list[str]:
    """Append a page; return what was said."""
    said: list[str] = []
    console = Console(out=lambda _: pytest.fail("data"), err=said.append)
    append_summary(environ, lambda max_chars: page[:max_chars], console)
    return said


def test_a_page_is_appended_below_what_there_is(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    assert appended({"GITHUB_STEP_SUMMARY": str(file)}) == []
    assert appended({"GITHUB_STEP_SUMMARY": str(file)}, "another\n") == []
    assert file.read_bytes() == b"the page\n\nanother\n"


def test_without_a_step_nothing_is_written() -> None:
    assert appended({}) == []
    assert appended({"GITHUB_STEP_SUMMARY": ""}) == []


@pytest.mark.parametrize("filler", [0, 900 * 1024, 1024 * 1024 - 3_000])
def test_a_step_has_a_mebibyte_in_all(tmp_path: Path, filler: int) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * filler)
    assert appended({"GITHUB_STEP_SUMMARY": str(file)}, "ž€" * 100_000) == []
    assert filler < file.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("room", [-5, 0, 1, 1_000])
def test_a_full_page_is_left_as_it_is(tmp_path: Path, room: int) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * (MAX_BYTES - room))
    (said,) = appended({"GITHUB_STEP_SUMMARY": str(file)}, "x" * 100_000)
    assert "full" in said
    assert file.stat().st_size == MAX_BYTES - room


@pytest.mark.parametrize("place", [".", "nowhere/summary", "/dev/full"])
def test_a_page_that_cannot_be_written_is_a_warning(tmp_path: Path, place: str) -> None:
    (said,) = appended({"GITHUB_STEP_SUMMARY": str(tmp_path / place)})
    assert said.startswith(
        "warning: the summary of the step can't be written (GITHUB_STEP_SUMMARY): "
    )


@pytest.fixture
def drifted(repository: Path, sandbox: Sandbox, pinsync: CommandLine) -> None:
    """A repository that lacks what is live."""
    assert repository
    assert sandbox
    assert pinsync("init").code == 0


@pytest.mark.usefixtures("drifted")
def test_diff_appends_its_page(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    assert pinsync("diff", "--format", "json").code == 1
    assert not file.exists()
    result = pinsync("diff", "--format", "github", "--report", "github=report.txt")
    assert result.code == 1
    assert run(result.out)[-1].name == "notice"
    assert Path("report.txt").read_text(encoding="utf-8") == result.out
    page = file.read_text(encoding="utf-8")
    assert page.count("### pinsync: ") == 1
    short = pinsync("diff", "--report", "github=report.txt", "--max-chars", "600")
    assert short.code == 1
    assert measure(file.read_text(encoding="utf-8")[len(page) :]) <= 601


@pytest.mark.usefixtures("drifted")
def test_a_page_that_cannot_be_written_changes_no_exit_code(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    result = pinsync("diff", "--format", "github")
    assert result.code == 1
    assert "the summary of the step can't be written" in result.err
    assert run(result.out)


@pytest.mark.usefixtures("drifted")
def test_one_fetch_makes_all_the_reports(pinsync: CommandLine, sandbox: Sandbox) -> None:
    reports = {"json": "a.json", "gitlab": "b.json", "sarif": "c.json", "junit": "d.xml"}
    options = [part for name, file in reports.items() for part in ("--report", f"{name}={file}")]
    assert pinsync("diff", *options).code == 1
    assert len(sandbox.requests) == 1
    texts = {name: Path(file).read_text(encoding="utf-8") for name, file in reports.items()}
    changes = json.loads(texts["json"])["trackers"][0]["changes"]
    assert len(changes) > 100
    assert len(json.loads(texts["sarif"])["runs"][0]["results"]) == len(changes)
    assert texts["junit"].count("<failure ") == len(changes)
    issues = [issue for issue in json.loads(texts["gitlab"]) if issue["severity"] != "info"]
    assert len(issues) == len(changes)
