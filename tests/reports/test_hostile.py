"""Hostile titles through every format: each is read by a real parser, and no CI runner obeys
any.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pinsync.document.record import render_document
from pinsync.drift.record import Drift, FileTexts
from pinsync.errors import RemoteError
from pinsync.escape import INVISIBLE, one_line
from pinsync.reports import DRIFT_FORMATS, Style
from pinsync.reports.ci import github, gitlab, junit, sarif
from pinsync.reports.drift import html, markdown, patch, text
from pinsync.reports.drift import json as json_report
from support.drifts import HEAD, LIVE, build_drift, failed, rule, state, tracker
from support.hostile import TITLES, flat, rows
from support.html_pages import ATTRIBUTES, ELEMENTS, parse_page
from support.runners import HARMLESS, find_foreign_commands
from support.workflows import commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.command_line import Git
    from support.drifts import Row

STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
FILES: Final = "customizations/basket.yaml"
RENDERERS: Final[dict[str, Callable[[Drift, Style], str]]] = {
    "text": text.render,
    "json": json_report.render,
    "markdown": markdown.render,
    "patch": patch.render,
    "html": html.render,
    "github": github.render,
    "gitlab": gitlab.render,
    "sarif": sarif.render,
    "junit": junit.render,
}


def hostile() -> Drift:
    """Hostile titles, identities, tags, keys, models, notes and errors; a tracker's name can't
    be.
    """
    changed = {"basket": (rows(""), rows("!"))}
    gone: dict[str, tuple[list[Row], list[Row]]] = {
        title: ([rule(100 + number, None, [], title)], []) for number, title in enumerate(TITLES)
    }
    sides = [
        state({model: both[side] for model, both in {**changed, **gone}.items()}) for side in (0, 1)
    ]
    texts = [render_document("basket", state({"basket": both})) for both in changed["basket"]]
    found = replace(
        tracker(*sides), texts=(FileTexts(FILES, *texts),), names=dict.fromkeys(TITLES, TITLES[2])
    )
    broken = [
        failed(RemoteError(title, hint=title), name=f"shop-{number}")
        for number, title in enumerate(TITLES)
    ]
    return build_drift(HEAD, LIVE, (replace(found, notes=TITLES), *broken), TITLES)


def test_every_format_is_walked() -> None:
    assert RENDERERS.keys() == set(DRIFT_FORMATS)


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_a_job_takes_no_line_for_a_command_of_ours(name: str) -> None:
    report = RENDERERS[name](hostile(), STYLE)
    assert report
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    taken = commands(report)
    if name == "github":
        assert all(re.match("::(error|notice) ", line) for line in taken)
        assert len(taken) == report.count("\n") == 9 + 10 + 1
    else:
        assert not taken
    # A patch holds a file's bytes as they are. It has a fence instead, which only GitHub's runner
    # knows.
    assert ("##[" in report) == (name == "patch")
    if name != "patch":
        assert find_foreign_commands(report) == []


def test_a_patch_names_the_lines_that_other_runners_obey() -> None:
    report = patch.render(hostile(), STYLE)
    ((both,), *_) = [tracker.texts for tracker in hostile().trackers]
    lines = [line for line in report.split("\n") if find_foreign_commands(line)]
    assert lines
    assert all(line[:1] in "+- " for line in lines)
    found = re.match(
        rf"{FILES}:\d+: a command to .* \(and (\d+) more lines\), ",
        patch.describe_commands(both) or "",
    )
    assert found
    assert int(found[1]) >= len(lines) - 1


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_what_is_harmless_is_left_as_it_is(name: str) -> None:
    report = RENDERERS[name](build_drift(HEAD, LIVE, (), HARMLESS), STYLE)
    if name == "html":
        # Quotes are references in HTML, and the script has an escape of its own.
        report = re.sub("&#3[49];", "", report.partition("<script>")[0])
    assert HARMLESS[0] in report
    assert not re.search(r"\\u00|&#(?!124;)", report)


def test_text_is_lines_of_ours() -> None:
    lines = text.render(hostile(), STYLE).split("\n")
    words = "INCOMPLETE|note: |The shop |Who moved: |[0-9]|[A-Z ]+[A-Z]{2}|What you can do|- (make|change|decide)"
    ours = re.compile(f"{words}|Rules that differ|git: |shop-|  |NOT COMPARED|[a-z]+ ")
    assert [line for line in lines if line and not ours.match(line)] == []


def test_json_gives_the_titles_back() -> None:
    record = json.loads(json_report.render(hostile(), STYLE))
    first, *broken = record["trackers"]
    assert {change["title"] for change in first["changes"]} == set(TITLES)
    assert [found["error"]["message"] for found in broken] == list(TITLES)
    assert record["notes"] == list(TITLES)


def test_markdown_has_no_markup_but_ours() -> None:
    reader = MarkdownIt("gfm-like", {"linkify": True, "html": True, "typographer": False})
    tokens = list(flat(reader.parse(markdown.render(hostile(), STYLE))))
    html = "".join(token.content for token in tokens if token.type in ("html_block", "html_inline"))
    assert set(re.findall(r"<[^>]*>", html)) <= {
        "<!-- pinsync -->",
        "<details>",
        "<summary>",
        "</summary>",
        "</details>",
    }
    hrefs = {str(token.attrs["href"]) for token in tokens if token.type == "link_open"}
    assert all(href.startswith("https://app.luigisbox.com/sites/") for href in hrefs)
    assert not [token for token in tokens if token.type == "image"]
    plain = "".join(token.content for token in tokens if token.type == "text")
    assert not re.search(r"everyone|pwned|evil|add-mask|\]\]>|file=x", plain)
    code = "".join(token.content for token in tokens if token.type == "code_inline")
    assert "@everyone" in code


def test_a_page_has_no_element_but_ours() -> None:
    page = parse_page(html.render(hostile(), replace(STYLE, hosts=("cdn.example.com",))))
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES
    sites = re.compile(
        "https://app.luigisbox.com/sites/[0-9-]+/setup/recommendations_customization"
    )
    others = {address for address in page.addresses if not sites.fullmatch(address)}
    assert others == {"#rules", "#group-1", "#group-2"}
    assert not page.pictures
    shown = " ".join(page.text.split())
    for title in ("</details><img src=x>", "@everyone", "##[add-mask]x", "<CTestLabel>x"):
        assert title in shown


def test_git_applies_the_patch(git: Git, repository: Path) -> None:
    drift = hostile()
    ((found,), *_) = [tracker.texts for tracker in drift.trackers]
    file = repository / FILES
    file.parent.mkdir()
    assert found.old
    file.write_bytes(found.old)
    report = patch.render(drift, STYLE)
    assert "##[" in report
    Path("the.patch").write_bytes(report.encode())
    git("apply", "the.patch")
    assert file.read_bytes() == found.new


def test_github_takes_our_commands_alone() -> None:
    for line in github.render(hostile(), STYLE).splitlines():
        properties, _, data = line.removeprefix("::").partition("::")
        keys = [pair.partition("=")[0] for pair in properties.partition(" ")[2].split(",")]
        assert keys in (["title"], ["file", "title"], ["file", "line", "title"])
        assert not re.search(r"%(?!25|0A)", line)
        assert not data.lstrip().startswith("::")


def test_gitlab_and_sarif_are_json_of_text_alone() -> None:
    drift = hostile()
    issues = json.loads(gitlab.render(drift, STYLE))
    ((run,), *_) = [json.loads(sarif.render(drift, STYLE))["runs"]]
    texts = [result["message"]["text"] for result in run["results"]]
    assert len(issues) - 2 * len(TITLES) == len(texts) == 3 * len(TITLES)
    for found in (*texts, *(issue["description"] for issue in issues)):
        assert found == one_line(found)
    assert not any(re.search(r"(?<!\\)\[[^\]]*[^\\]\]\(|(?<!\{)\{0\}", found) for found in texts)


def test_junit_is_xml_in_which_titles_are_text() -> None:
    report = junit.render(hostile(), STYLE)
    assert "<!" not in report
    root = ET.fromstring(report.encode())  # noqa: S314 - of our own making
    assert {element.tag for element in root.iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
    }
    names = [suite.attrib["name"] for suite in root]
    for title in ("]]>", "</details><img src=x>", "@everyone"):
        assert any(name.endswith(f"/{title}") for name in names)
    assert len(root.findall(".//failure")) == 2 * len(TITLES)
    assert len(root.findall(".//error")) == len(TITLES)
