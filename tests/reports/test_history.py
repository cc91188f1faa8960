"""The reports of history, with foreign text in every place, and what a history adds up to."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pinsync.canonical import normalize
from pinsync.escape import INVISIBLE
from pinsync.history.record import Log, LogEntry
from pinsync.model import Commit
from pinsync.reports import Style
from pinsync.reports.history import json as history_json
from pinsync.reports.history import markdown as history_markdown
from pinsync.reports.history import text as history_text
from pinsync.reports.words.page import MAX_CHARS, measure
from support.drifts import pin, rule, state, tracker
from support.exporting import put
from support.histories import configuration, log, text
from support.histories import rule as item_rule
from support.hostile import TITLES, flat, rows
from support.runners import find_commands
from support.schemas import check_report, load_schema
from support.strategies import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from support.command_line import CommandLine

STYLE = Style(ZoneInfo("Europe/Bratislava"))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_commit(number: int = 1, subject: str = "Subject", author: str = "Jana") -> Commit:
    full = f"{number:040x}"
    return Commit(full, full[-7:], None, author, f"{author}@example.com", NOON, subject)


def hostile() -> Log:
    """Commits whose author, subject, notes, and rules are all foreign text."""
    found = tracker(state({"basket": rows("")}), state({"basket": rows("!")}))
    entries = [
        LogEntry(a_commit(at, title, title), (found,) if at == 3 else (), (title,))
        for at, title in enumerate(TITLES)
    ]
    return Log("1" * 40, entries, a_commit(99))


def as_text(log_: Log, style: Style = STYLE) -> str:
    return "\n".join(history_text.render(log_.entries, style))


def test_a_job_takes_no_line_for_a_command() -> None:
    for report in (
        as_text(hostile()),
        history_json.render(hostile(), STYLE),
        history_markdown.render(hostile(), STYLE),
    ):
        assert find_commands(report) == []
        assert not re.search(INVISIBLE, report.replace("\n", ""))


def test_text_is_lines_of_ours() -> None:
    lines = as_text(hostile()).split("\n")
    ours = re.compile("commit [0-9a-f]{7} · 24 Nov 2026 13:00 CET · |note: |[~+-] |    [~+-] ")
    commits = [at for at, line in enumerate(lines) if line.startswith("commit ")]
    assert len(commits) == len(TITLES)
    others = [
        line for at, line in enumerate(lines) if at - 1 not in commits
    ]  # but for the subjects
    assert [line for line in others if line and not ours.match(line)] == []


def test_json_gives_foreign_text_back() -> None:
    record = json.loads(history_json.render(hostile(), STYLE))
    check_report("history", record)
    for name in ("subject", "notes", "author"):
        values = [found[name] for found in record["commits"]]
        assert [value["name"] if name == "author" else value for value in values] == [
            [title] if name == "notes" else title for title in TITLES
        ]


def test_markdown_has_no_markup_but_ours() -> None:
    reader = MarkdownIt("gfm-like", {"linkify": True, "html": True, "typographer": False})
    tokens = list(flat(reader.parse(history_markdown.render(hostile(), STYLE))))
    html = "".join(token.content for token in tokens if token.type in ("html_block", "html_inline"))
    assert set(re.findall(r"<[^>]*>", html)) <= {
        "<details>",
        "<summary>",
        "</summary>",
        "</details>",
    }
    assert not [token for token in tokens if token.type in ("link_open", "image")]
    plain = "".join(token.content for token in tokens if token.type == "text")
    assert not re.search(r"everyone|pwned|evil|add-mask|\]\]>|file=x", plain)
    assert "@everyone" in "".join(token.content for token in tokens if token.type == "code_inline")


def test_markdown_folds_the_details_and_names_the_commits() -> None:
    found = tracker(
        state({"basket": []}), state({"basket": [rule(1, "/p/1/", [pin(1, "/p/2/")], "Strap")]})
    )
    entries = [
        LogEntry(a_commit(1, "Pin it"), (found,)),
        LogEntry(a_commit(2, "Respell"), (), (), reformatted=True),
    ]
    assert (
        history_markdown.render(Log("1" * 40, entries), STYLE)
        == """\
### pinsync history: 2 commits

#### `0000001` · 24 Nov 2026 13:00 CET · `Jana`

`Pin it`

<details>
<summary>1 customization</summary>

- **added:** `Strap` (item `/p/1/`) · model `basket`
  - position 1: `/p/2/`

</details>

#### `0000002` · 24 Nov 2026 13:00 CET · `Jana`

`Respell`

- only reformatted or moved: no rule changed
"""
    )
    assert "no commit changed" in history_markdown.render(Log("1" * 40, []), STYLE)


@pytest.mark.parametrize(("commits", "each"), [(3, 400), (900, 2), (1, 3000)])
def test_markdown_stays_within_a_comment_and_counts_the_rest(commits: int, each: int) -> None:
    many = [rule(number, f"/p/{number}/", [pin(1, "/p/2/")], "😀" * 40) for number in range(each)]
    found = tracker(state({"basket": []}), state({"basket": many}))
    log_ = Log(
        "1" * 40, [LogEntry(a_commit(at), (found,)) for at in range(commits)], a_commit(9999)
    )
    report = history_markdown.render(log_, STYLE)
    assert MAX_CHARS / 2 < measure(report) <= MAX_CHARS
    left_out = re.search(
        r"Left out to fit: (?:([\d,]+) commits?)?(?:, )?(?:([\d,]+) customizations?)?\. ", report
    )
    assert left_out
    gone = int((left_out[1] or "0").replace(",", ""))
    shown = commits - gone
    assert report.count("\n#### ") == shown
    rest = int((left_out[2] or "0").replace(",", ""))
    assert report.count("\n- **added:**") == shown * each - rest
    assert report.count("<details>") == report.count("</details>")
    assert "the history ends at" in report


def test_colour_is_for_a_terminal_that_wants_it() -> None:
    style = Style(STYLE.zone, color=True)
    painted = as_text(hostile(), style)
    assert "\x1b[33mcommit " in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == as_text(hostile())


def test_the_schema_has_the_changes_of_diff() -> None:
    # A copy, because other tests read the same schema.
    theirs = deepcopy(load_schema("diff")["$defs"])
    # A change in the history has no moment from which shoppers notice it, and no live side.
    for name in ("shoppers", "moved", "moved_in"):
        del theirs["change"]["properties"][name]
        theirs["change"]["required"].remove(name)
    ours = load_schema("history")["$defs"]
    for name in ("change", "cause", "pin", "api_pin", "field"):
        assert {**ours[name], "description": ""} == {**theirs[name], "description": ""}, name


# Replaying.

Row = dict[str, Any]
Edit = tuple[str, int, int, int]
MODELS = ("basket", "home", "Odd one")
EDITS = ("pins", "pins", "pins", "title", "tags", "remove", "model", "id", "spell", "break", "mend")


class Shop:
    """Documents under random edits."""

    def __init__(self) -> None:
        self.rules: dict[int, Row] = {}
        self.spelled: Counter[str] = Counter()
        self.broken: set[str] = set()

    def edit(self, kind: str, model: int, number: int, value: int) -> None:
        name = MODELS[model]
        row = self.rules.setdefault(number, {"model": name, **item_rule(number)})
        match kind:
            case "pins":
                pins = row["pin_definitions"]
                row["pin_definitions"] = [*pins[value % 2 : 3], pin(number % 3 + 1, f"/p/{value}/")]
            case "title":
                row["target_metadata"] = {"title": f"Title {value}", "deep": {"x": [value]}}
            case "tags":
                row["tags"] = ["a", "b", "c"][:value]
            case "remove":
                del self.rules[number]
            case "model":
                row["model"] = name
            case "id":
                row["id"] = f"00000000-0000-4000-8000-{number * 1000 + value:012}"
            case "spell":
                self.spelled[name] += 1
            case "break":
                self.broken.add(name)
            case "mend":
                self.broken.discard(name)

    def files(self) -> dict[str, bytes]:
        return {f"customizations/{document_name(name)}": self._content(name) for name in MODELS}

    def _content(self, name: str) -> bytes:
        if name in self.broken:
            return b"["
        content = text(name, *(row for row in self.rules.values() if row["model"] == name))
        spellings = (
            content,
            content.replace("\n", "\r\n"),
            content.replace("position: ", "position:  "),
        )
        return spellings[self.spelled[name] % 3].encode()


def document_name(model: str) -> str:
    return {"Odd one": "%4Fdd%20one"}.get(model, model) + ".yaml"


def imported(states: Iterable[dict[str, bytes]]) -> None:
    """Make a branch of these states in place of the one there is."""
    lines = [b"reset refs/heads/main\n"]
    for at, files in enumerate(states, 1):
        lines.append(b"commit refs/heads/main\nmark :%d\ncommitter T <t@x> %d +0000\n" % (at, at))
        lines.append(b"data 1\n.\n" + (b"from :%d\n" % (at - 1) if at > 1 else b""))
        lines += [
            b'M 100644 inline "%s"\ndata %d\n%s\n' % (name.encode(), len(content), content)
            for name, content in files.items()
        ]
    subprocess.run(["git", "fast-import", "--quiet", "--force"], input=b"".join(lines), check=True)


def replay(rules: dict[tuple[str, str], Row], change: Row) -> None:
    """Do to the rules what a change of the JSON report says."""
    if change["kind"] == "added":
        row = {name: change[name] for name in ("model", "id", "target_type", "target_identity")}
        assert (row["model"], row["id"]) not in rules
    else:
        row = rules.pop((change["model"], change["id"]))
    pins = row.get("pin_definitions", [])
    for found in change["pins"]:
        if "from" in found:
            pins.remove(found["from"])
        if "to" in found:
            pins.append(found["to"])
    if change["kind"] == "removed":
        assert not pins
        return
    row["pin_definitions"] = pins
    for found in change["fields"]:
        *above, last = found["path"]
        place: Any = row
        for step in above:
            place = place[step]
        if "to" in found:
            place[last] = found["to"]
        else:
            assert place.pop(last) == found["from"]
    rules[row["model"], row["id"]] = row


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(EDITS), st.integers(0, 2), st.integers(1, 4), st.integers(0, 3)
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=10,
    )
)
@settings(QUICK, max_examples=40, suppress_health_check=list(HealthCheck))
def test_replaying_the_history_gives_the_last_state(
    repository: Path, pinsync: CommandLine, steps: Sequence[Sequence[Edit]]
) -> None:
    put(repository / "pinsync.yaml", configuration("shop"))
    shop = Shop()
    states = [{"pinsync.yaml": configuration("shop").encode()}]
    for step in steps:
        for edit in step:
            shop.edit(*edit)
        states.append(shop.files())
    shop.broken.clear()
    states.append(shop.files())
    imported(states)
    rules: dict[tuple[str, str], Row] = {}
    for entry in reversed(log(pinsync).record["commits"]):
        changes = list(itertools.chain.from_iterable(each["changes"] for each in entry["trackers"]))
        for change in sorted(
            changes, key=lambda change: change["kind"] != "removed"
        ):  # so that none is there twice
            replay(rules, change)
    expected = Counter(normalize.build_customization(row) for row in shop.rules.values())
    assert Counter(normalize.build_customization(row) for row in rules.values()) == expected
