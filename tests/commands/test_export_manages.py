"""An export of the rules that ``manages`` names: what comes into the files, and what stays there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from pinsync.canonical import normalize
from pinsync.drift.pairs import is_managed
from pinsync.model import Managed
from pinsync.sandbox import Sandbox
from pinsync.sync.basis import list_blocks
from pinsync.workspace.read import parse_documents
from support.commenting import commented
from support.diffing import diffed
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    rows,
    rule,
    served,
    untouched,
)
from support.strategies import QUICK, SEEDED, answers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from pinsync.document.record import Block, Document
    from support.command_line import CommandLine, Git

Row = dict[str, Any]


def manage(manages: str, *, name: str = "shop") -> None:
    """Write the configuration of a tracker that manages these rules."""
    text = f"trackers: {{{name}: {{tracker_id: 1234-5678, manages: {manages}}}}}\n"
    put(Path("pinsync.yaml"), text)


STRINGS_TEXT = BASKET_TEXT[: BASKET_TEXT.index("  - id: b3e6")]


@pytest.mark.parametrize(
    ("manages", "basket", "home"),
    [
        ("{tags: [christmas]}", STRINGS_TEXT, None),
        ("{tags: [christmas, summer]}", STRINGS_TEXT, HOME_TEXT),
        ("{models: [home]}", None, HOME_TEXT),
        ("{models: [basket], tags: [christmas, summer]}", STRINGS_TEXT, None),
        ("{tags: [nobodys]}", None, None),
        ("{}", BASKET_TEXT, HOME_TEXT),
    ],
)
@pytest.mark.usefixtures("folder")
def test_only_managed_rules_come_into_the_files(
    manages: str, basket: str | None, home: str | None, api: Sandbox, pinsync: CommandLine
) -> None:
    manage(manages)
    result = pinsync("export")
    assert result.code == 0, result.err
    for name, text in (("basket", basket), ("home", home)):
        assert document(name).exists() is (text is not None)
        assert text is None or document(name).read_text() == text
    # The API has no filter for several tags, so everything is asked for.
    assert [dict(request.query) for request in api.requests] == [{}]
    assert diffed(pinsync, "@worktree", "@live").code == 0


@pytest.fixture
def mixed(exported: Path, git: Git) -> Path:
    """A committed export of the whole shop, of which the rule for Christmas is managed since."""
    manage("{tags: [christmas]}")
    git("add", "pinsync.yaml")
    git("commit", "--quiet", "--message", "Manage Christmas")
    return exported


def test_rules_of_somebody_else_stay_as_they_are(
    api: Sandbox, mixed: Path, pinsync: CommandLine, git: Git
) -> None:
    text = BASKET_TEXT.replace("    target_type: all\n", "    # theirs\n    target_type:   all\n")
    put(document(), text)
    git("commit", "--quiet", "--all", "--message", "By hand")
    api.delete(HOME)
    repinned(api, EVERYONE, -1)
    edited(api, EVERYONE, tags=["x"])
    api.create(rule(5))
    with untouched(mixed, recorded=True):
        assert pinsync("export", "--check").code == 0
        result = pinsync("export")
    assert "0 added, 0 changed, 0 removed" in result.err
    repinned(api, STRINGS)
    assert pinsync("export").code == 0
    changed = text.replace("position: 1\n", "position: 7\n")
    # Pins are sorted by their positions.
    pins = changed.index("      - position: 7"), changed.index("      - position: 2")
    end = changed.index("  - id: b3e6")
    seven, two = changed[pins[0] : pins[1]], changed[pins[1] : end]
    assert document().read_text() == changed[: pins[0]] + two + seven + changed[end:]
    assert document("home").read_text() == HOME_TEXT


@pytest.mark.usefixtures("mixed")
def test_a_rule_that_lost_its_tag_is_taken_over_once(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    edited(api, STRINGS, tags=["theirs"])
    assert diffed(pinsync).told == ["changed basket /p/123/"]
    assert "0 added, 1 changed, 0 removed" in pinsync("export", "--commit").err
    taken = BASKET_TEXT.replace("- christmas", "- theirs")
    assert document().read_text() == taken
    # From now on it is somebody else's, whatever happens to it …
    repinned(api, STRINGS)
    assert diffed(pinsync).told == []
    assert "0 added, 0 changed, 0 removed" in pinsync("export").err
    assert document().read_text() == taken
    # … until it gets its tag back.
    edited(api, STRINGS, tags=["theirs", "christmas"])
    assert diffed(pinsync).told == ["changed basket /p/123/"]
    assert "0 added, 1 changed, 0 removed" in pinsync("export", "--commit").err
    assert "position: 7" in document().read_text()
    edited(api, STRINGS, tags=["theirs"])
    assert pinsync("export", "--commit").code == 0
    api.delete(STRINGS)
    assert diffed(pinsync).told == []
    with untouched(document().parent):
        assert pinsync("export").code == 0
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("mixed")
def test_a_rule_that_gained_a_tag_is_taken_over(api: Sandbox, pinsync: CommandLine) -> None:
    edited(api, EVERYONE, tags=["christmas"])
    assert diffed(pinsync).told == ["changed basket all"]
    assert "0 added, 1 changed, 0 removed" in pinsync("export").err
    assert document().read_text().count("- christmas") == 2


@pytest.mark.usefixtures("repository")
def test_a_rule_that_left_the_managed_models_moves_once(api: Sandbox, pinsync: CommandLine) -> None:
    manage("{models: [basket]}")
    assert pinsync("export", "--commit").code == 0
    edited(api, EVERYONE, model="detail")
    assert "0 added, 1 changed, 0 removed" in pinsync("export").err
    text = document("detail").read_text()
    assert EVERYONE in text
    assert document().read_text() == STRINGS_TEXT
    repinned(api, EVERYONE, -1)
    edited(api, EVERYONE, tags=["x"])
    assert "0 added, 0 changed, 0 removed" in pinsync("export").err
    assert document("detail").read_text() == text
    assert not document("home").exists()


def test_a_rule_at_the_same_target_is_not_taken_for_ours(
    api: Sandbox, mixed: Path, pinsync: CommandLine
) -> None:
    """Somebody deletes our rule, and makes another one for the item."""
    put(document("kept"), "format: 1\nmodel: kept\ncustomizations: []\n")
    api.delete(STRINGS)
    api.create({"model": "basket", "target_type": "item", "target_identity": "/p/123/"})
    api.create(rule(5, tags=["christmas"]))
    assert diffed(pinsync).told == ["removed basket /p/123/", "added basket /p/5/"]
    result = pinsync("export")
    assert "1 added, 0 changed, 1 removed" in result.err
    assert "/p/123/" not in document().read_text()
    assert document("kept").exists()
    assert (mixed / "customizations").is_dir()


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        (
            "theirs",
            "isn't managed (`manages` in pinsync.yaml): give it one of the managed tags in Luigi's",
        ),
        ("christmas", ""),
    ],
)
@pytest.mark.usefixtures("mixed")
def test_a_rule_by_hand_waits_for_one_that_is_managed(
    tag: str, told: str, api: Sandbox, pinsync: CommandLine
) -> None:
    planned = "  - target_type: item\n    target_identity: /p/5/\n    tags:\n      - christmas\n"
    put(document(), BASKET_TEXT + planned)
    api.create(rule(5, tags=[tag]))
    result = pinsync("export", "--force")
    assert result.code == 0
    assert told in result.err
    assert ("note:" in result.err) is bool(told)
    assert document().read_text().endswith(planned) is bool(told)


def test_a_deleted_file_is_written_again_for_managed_rules_alone(
    api: Sandbox, mixed: Path, pinsync: CommandLine
) -> None:
    for name in ("basket", "home"):
        document(name).unlink()
    assert pinsync("export").code == 0
    assert document().read_text() == BASKET_TEXT
    assert not document("home").exists()
    assert (len(api.requests), mixed.is_dir()) == (2, True)


# The guard.


def shop(count: int, tag: str = "ours") -> list[Row]:
    return [rule(number, tags=[tag]) for number in range(count)]


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        (10, 7, ""),
        (10, 6, "4 of 10 customizations would go"),
        (9, 1, ""),
        (9, 0, "the answer has no rule that `manages` names, but 9 customizations are here"),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--commit"], ["--branch", "pins"]])
def test_the_guard_counts_managed_rules(
    before: int,
    after: int,
    refused: str,
    arguments: list[str],
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [rule(number, tags=["theirs"]) for number in range(100, 160)]
    with served(monkeypatch, [*shop(before), *others]) as api:
        assert pinsync("export", "--commit").code == 0
        manage("{tags: [ours]}")
        git("add", ".")
        git("commit", "--quiet", "--message", "Manage ours")
        for row in shop(before)[after:]:
            api.delete(row["id"])
        # What others remove doesn't count.
        for row in others[:50]:
            api.delete(row["id"])
        result = pinsync("export", *arguments)
        if not refused:
            assert (result.code, f"{before - after} removed" in result.err) == (0, True)
            return
        assert (result.code, refused in result.err) == (4, True), result.err
        assert git("status", "--porcelain") == ""
        assert pinsync("export", *arguments, "--allow-mass-removal").code == 0
    assert repository.is_dir()


def test_the_guard_counts_no_others_that_an_earlier_export_removed(
    repository: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit counts from HEAD, and a file may hold rules of both."""
    others = [rule(number, tags=["theirs"]) for number in range(100, 120)]
    with served(monkeypatch, [*shop(10), *others]) as api:
        assert pinsync("export", "--commit").code == 0
        for row in others[1:]:
            api.delete(row["id"])
        assert pinsync("export", "--allow-mass-removal").code == 0
        manage("{tags: [ours]}")
        api.delete(shop(10)[0]["id"])
        result = pinsync("export", "--commit")
        assert result.code == 0, result.err
    assert "20 removed" in git("log", "-1", "--format=%s")
    assert repository.is_dir()


# Filters.


@pytest.mark.usefixtures("mixed")
def test_filters_narrow_what_is_managed(api: Sandbox, pinsync: CommandLine) -> None:
    api.create(rule(5, "home", tags=["christmas"]))
    repinned(api, STRINGS)
    repinned(api, HOME)
    assert diffed(pinsync, "--model", "home").told == ["added home /p/5/"]
    assert "1 added, 0 changed, 0 removed" in pinsync("export", "--model", "home").err
    assert "/p/5/" in document("home").read_text()
    assert "position: 7" not in document("home").read_text()
    assert document().read_text() == BASKET_TEXT
    assert [dict(request.query) for request in api.requests[1:]] == [{"model": ["home"]}] * 2


@pytest.mark.parametrize("command", [["export"], ["export", "--check"], ["diff"]])
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--model", "home"], "some do, but `manages` in pinsync.yaml leaves them out"),
        (["--tag", "chrismas"], '--tag: did you mean "christmas"?'),
    ],
)
@pytest.mark.usefixtures("api")
def test_a_filter_of_rules_that_nobody_manages_is_an_error(
    command: list[str], arguments: list[str], hint: str, mixed: Path, pinsync: CommandLine
) -> None:
    with untouched(mixed):
        result = pinsync(*command, *arguments)
    assert (result.code, hint in result.err) == (2, True), result.err


# Commits, branches, and several trackers.


def test_a_commit_has_only_files_with_managed_rules(
    api: Sandbox, mixed: Path, pinsync: CommandLine, git: Git
) -> None:
    """An export from before ``manages`` may have written others, without a commit."""
    (mixed / "pinsync.yaml").unlink()
    repinned(api, HOME)
    assert pinsync("export").code == 0
    git("restore", "pinsync.yaml")
    repinned(api, STRINGS)
    result = pinsync("export", "--commit")
    assert result.code == 0, result.err
    assert git("show", "--format=", "--name-only") == "customizations/basket.yaml"
    assert "Pinsync-Export: 1234-5678" in git("log", "-1", "--format=%B")
    assert git("status", "--porcelain").strip() == "M customizations/home.yaml"


@pytest.mark.usefixtures("mixed")
def test_a_branch_proposes_managed_rules_alone(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, HOME)
    assert "nothing to commit" in pinsync("export", "--branch", "pins").err
    api.create(rule(5, "home", tags=["christmas"]))
    repinned(api, STRINGS)
    assert pinsync("export", "--branch", "pins").code == 0
    repinned(api, STRINGS, 8)
    # The earlier proposal stays beside a filter.
    assert pinsync("export", "--branch", "pins", "--model", "home").code == 0
    assert "position: 7" in git("show", "pins:customizations/basket.yaml")
    assert "position: 7" not in git("show", "pins:customizations/home.yaml")
    assert "/p/5/" in git("show", "pins:customizations/home.yaml")
    # What isn't managed any more isn't proposed any more.
    manage("{models: [home]}")
    assert pinsync("export", "--branch", "pins", "--model", "home").code == 0
    assert git("diff", "--name-only", "HEAD", "pins") == "customizations/home.yaml"


def test_each_tracker_manages_its_own(
    api: Sandbox, repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(rows(), seed=1, tracker_id="8765-4321") as second:
        for server in (api, second):
            for name, value in server.environment.items():
                if name != "PINSYNC_HOST":
                    monkeypatch.setenv(name, value)
        monkeypatch.delenv("PINSYNC_HOST")
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        monkeypatch.setenv("KEY_SK", api.environment["PINSYNC_PRIVATE_KEY"])
        monkeypatch.setenv("KEY_CZ", second.environment["PINSYNC_PRIVATE_KEY"])
        put(
            repository / "pinsync.yaml",
            "trackers:\n"
            f"  sk: {{tracker_id: 1234-5678, private_key_env: KEY_SK, hosts: ['{api.url}'], "
            "manages: {tags: [christmas]}}\n"
            f"  cz: {{tracker_id: 8765-4321, private_key_env: KEY_CZ, hosts: ['{second.url}']}}\n",
        )
        result = pinsync("export")
        assert result.code == 0, result.err
        assert document("basket", "customizations/sk").read_text() == STRINGS_TEXT
        assert not document("home", "customizations/sk").exists()
        assert document("basket", "customizations/cz").read_text() == BASKET_TEXT
        found = diffed(pinsync, "@worktree", "@live")
        summaries = [tracker["summary"]["unchanged"] for tracker in found.record["trackers"]]
        assert (found.code, summaries) == (0, [1, 3])


# Any shop, any documents, anything managed.

COMMENT = re.compile(rb"# c[0-9]+")


def save(name: str, shop: list[Row]) -> None:
    put(Path(name), json.dumps({"results": shop}))


def read_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path("customizations").glob("*.yaml")}


def parse_files(files: dict[str, bytes]) -> dict[str, Document]:
    return parse_documents(
        [(PurePosixPath(name), text) for name, text in sorted(files.items())], (), ()
    )


def change_shop(random: Random, shop: list[Row]) -> list[Row]:
    """Return a shop some time later: rules are gone, retagged, moved, or made anew for a target."""
    later: list[Row] = []
    for row in shop:
        changed = dict(row)
        happenings = random.sample(["gone", "tags", "model", "id", "other", "pins", ""], 2)
        if not {"tags", "other"}.isdisjoint(happenings):
            changed["tags"] = random.sample("xyz", random.randrange(3))
        if "model" in happenings:
            changed["model"] = random.choice(["basket", "home", "detail"])
        if not {"id", "other"}.isdisjoint(happenings):
            changed["id"] = f"{row['id']}-2"
        if "pins" in happenings:
            changed["pin_definitions"] = []
        if "gone" not in happenings or random.random() < 0.5:
            later.append(changed)
    return later


def write_documents(data: st.DataObject) -> None:
    """Add comments to the documents, and drop some ids."""
    for path in sorted(Path("customizations").glob("*.yaml")):
        text = path.read_text()
        for name in data.draw(st.lists(st.sampled_from("abcdef"), max_size=2)):
            text = text.replace(f"  - id: {name}\n    target", "  - target")
        put(path, data.draw(commented(text)))


TAGS = st.none() | st.sets(st.sampled_from("xyz"), min_size=1).map(tuple)
MODELS = st.none() | st.sampled_from([("basket",), ("home",), ("basket", "home")])


@given(answers(), st.builds(Managed, TAGS, MODELS), SEEDED, st.data())
@settings(QUICK, max_examples=50, suppress_health_check=list(HealthCheck))
@pytest.mark.usefixtures("folder")
def test_managed_rules_become_the_shops_and_all_others_stay(
    pinsync: CommandLine,
    old: list[Row],
    managed: Managed,
    random: Random,
    data: st.DataObject,
) -> None:
    shutil.rmtree("customizations", ignore_errors=True)
    Path("pinsync.yaml").unlink(missing_ok=True)
    new = change_shop(random, old)
    save("old.json", old)
    save("new.json", new)
    assert pinsync("export", "--from-file=old.json").code == 0
    write_documents(data)
    before = read_files()
    manage(json.dumps({name: value for name, value in asdict(managed).items() if value}))
    arguments = ("export", "--from-file=new.json", "--force", "--allow-mass-removal")
    assert pinsync(*arguments).code == 0
    after = read_files()
    live = [normalize.build_customization(dict(row), model=row["model"]) for row in new]
    _check_rules(parse_files(after), [item for item in live if is_managed(item, managed)], managed)
    ours = {item.id for item in live if is_managed(item, managed)}
    _check_others(parse_files(before), parse_files(after), managed, ours)
    assert pinsync(*arguments).code == 0
    assert read_files() == after
    # Rules by hand, without an id, wait for the shop.
    found = diffed(pinsync, "@worktree", "new.json")
    assert {change["kind"] for change in found.changes} <= {"removed"}
    assert {change["id"] for change in found.changes} <= {None}


def _check_rules(after: dict[str, Document], live: list[Any], managed: Managed) -> None:
    items = [block.customization for block in list_blocks(after)]
    found = [item for item in items if item.id is not None and is_managed(item, managed)]
    assert sorted((item.model, item.text) for item in found) == sorted(
        (item.model, item.text) for item in live
    )


def _check_others(
    before: dict[str, Document], after: dict[str, Document], managed: Managed, ours: set[str | None]
) -> None:
    """Check the blocks of rules that are managed neither in the files nor in the shop."""

    def list_others(document: Document | None) -> list[bytes]:
        blocks: Sequence[Block] = document.entries if document else ()
        return [
            block.lead + block.body
            for block in blocks
            if not is_managed(block.customization, managed) and block.customization.id not in ours
        ]

    for model, read in before.items():
        others = list_others(read)
        if model not in after:
            assert others == []
            continue
        # A rule that was managed, and isn't any more, may have come in between.
        assert [block for block in list_others(after[model]) if block in others] == others
        text, new_text = (each.original or each.render() for each in (read, after[model]))
        if len(others) == len(read.entries) == len(after[model].entries):
            assert new_text == text
        kept = b"".join([read.head, *others, read.tail])
        assert set(COMMENT.findall(kept)) <= set(COMMENT.findall(new_text))
