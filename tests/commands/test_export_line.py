"""The line ``Pinsync-Export`` in the commits of an export: what it promises, and where it stands."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Sandbox
from support.exporting import (
    EVERYONE,
    HOME,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    rows,
)

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

LINE = "Pinsync-Export: 1234-5678"


def read_trailers(git: Git, revision: str = "HEAD") -> list[str]:
    """Return the trailers of a commit, as git reads them."""
    message = git("log", "-1", "--format=%B", revision)
    put(Path("message.txt"), message)
    found = git("interpret-trailers", "--parse", "message.txt").splitlines()
    Path("message.txt").unlink()
    return found


def save(api: Sandbox, name: str = "saved.json") -> str:
    """Save what the shop has as a JSON export; return the name of the file."""
    put(Path(name), json.dumps({"results": [api.get(each) for each in (STRINGS, EVERYONE, HOME)]}))
    return name


@pytest.mark.usefixtures("exported")
def test_a_commit_names_the_tracker_whose_rules_it_changes(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    assert read_trailers(git) == [LINE]
    repinned(api, STRINGS)
    assert pinsync("export", "--commit").code == 0
    assert read_trailers(git) == [LINE]
    api.delete(HOME)
    assert pinsync("export", "--commit").code == 0
    assert read_trailers(git) == [LINE]


@pytest.mark.parametrize(
    ("message", "trailers"),
    [
        ("Pins", [LINE]),
        ("Pins\n\nOf the morning.", [LINE]),
        ("Pins\n\nSigned-off-by: Jana", ["Signed-off-by: Jana", LINE]),
        ("Pins: all\n", [LINE]),
        ("Pins\n\nthe shop: closed\nSeen-by: Jana", [LINE]),
    ],
)
@pytest.mark.usefixtures("exported")
def test_a_message_of_ones_own_gets_the_line_too(
    message: str, trailers: list[str], api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    assert pinsync("export", "--commit", "-m", message).code == 0
    assert read_trailers(git) == trailers
    assert git("log", "-1", "--format=%s") == message.partition("\n")[0]


@pytest.mark.usefixtures("exported")
def test_on_a_branch_all_trailers_are_one_block_and_its_own_stay_last(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    for options in ((), ("-m", "Pins\n\nSigned-off-by: Jana")):
        assert pinsync("export", "--branch", "pins", *options).code == 0
        tree = git("rev-parse", "pins^{tree}")
        own = [LINE, "Pinsync-Branch: pins", f"Pinsync-Tree: {tree}"]
        assert read_trailers(git, "pins")[-3:] == own
        repinned(api, STRINGS, 8)
    assert read_trailers(git, "pins")[0] == "Signed-off-by: Jana"
    # It is known as pinsync's own commit, and replaced.
    repinned(api, STRINGS, 9)
    assert "pins: replaced by" in pinsync("export", "--branch", "pins").err


@pytest.mark.usefixtures("exported")
def test_a_saved_export_promises_nothing(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    repinned(api, STRINGS)
    name = save(api)
    assert pinsync("export", "--from-file", name, "--branch", "pins").code == 0
    assert read_trailers(git, "pins")[0] == "Pinsync-Branch: pins"
    assert pinsync("export", "--from-file", name, "--commit").code == 0
    assert read_trailers(git) == []


@pytest.mark.parametrize("flag", ["--remove-expired-pins", "--remove-nonexisting-item-pins"])
@pytest.mark.usefixtures("exported")
def test_an_answer_that_lacks_pins_promises_nothing(
    flag: str, api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    assert pinsync("export", flag, "--commit").code == 0
    assert read_trailers(git) == []


@pytest.mark.usefixtures("exported")
def test_an_id_that_an_export_writes_is_a_promise(pinsync: CommandLine, git: Git) -> None:
    text = document("home").read_text().replace(f"- id: {HOME}\n    target", "- target")
    put(document("home"), text)
    git("commit", "--quiet", "--all", "--message", "Write it anew")
    assert pinsync("export", "--commit").code == 0
    assert git("log", "-1", "--format=%s") == "Export pins: same rules, new text"
    assert read_trailers(git) == [LINE]


@pytest.mark.usefixtures("exported")
def test_under_a_filter_only_what_the_answer_has_is_promised(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    repinned(api, EVERYONE, -2)
    assert pinsync("export", "--tag", "christmas", "--commit").code == 0
    assert read_trailers(git) == [LINE]
    # An earlier export wrote the other rule of the file, and the commit takes it along.
    old = rows()
    old[1]["pin_definitions"][0]["position"] = -5
    put(Path("old.json"), json.dumps({"results": old}))
    assert pinsync("export", "--from-file", "old.json").code == 0
    repinned(api, STRINGS, 8)
    assert pinsync("export", "--tag", "christmas", "--commit").code == 0
    assert git("show", "--format=", "HEAD").count("position: -5") == 1
    assert read_trailers(git) == []


@pytest.mark.usefixtures("exported")
def test_a_rule_that_left_the_shop_is_promised_under_a_filter(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    api.delete(STRINGS)
    assert pinsync("export", "--tag", "christmas", "--commit", "--allow-mass-removal").code == 0
    assert read_trailers(git) == [LINE]


@pytest.mark.usefixtures("exported")
def test_what_a_branch_proposes_still_keeps_its_promise(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, HOME)
    assert pinsync("export", "--branch", "pins").code == 0
    edited(api, HOME, tags=["winter"])
    repinned(api, STRINGS)
    # The branch keeps the change of the other model, which the shop had.
    assert pinsync("export", "--branch", "pins", "--model", "basket").code == 0
    assert git("diff", "--name-only", "HEAD", "pins").splitlines() == [
        "customizations/basket.yaml",
        "customizations/home.yaml",
    ]
    assert read_trailers(git, "pins")[0] == LINE


@pytest.mark.usefixtures("exported")
def test_what_a_saved_export_proposed_makes_no_promise_later(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, HOME)
    assert pinsync("export", "--from-file", save(api), "--branch", "pins").code == 0
    repinned(api, STRINGS)
    assert pinsync("export", "--branch", "pins", "--model", "basket").code == 0
    assert read_trailers(git, "pins")[0] == "Pinsync-Branch: pins"


def test_each_tracker_has_a_line_if_its_rules_change(
    repository: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine, git: Git
) -> None:
    with ExitStack() as stack:
        apis = []
        trackers = ""
        for number in (1, 2):
            api = Sandbox(rows(), tracker_id=f"id-{number}", private_key="secret")
            apis.append(stack.enter_context(api))
            trackers += f"  t{number}: {{tracker_id: id-{number}, hosts: ['{api.url}']}}\n"
        monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "secret")
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        put(repository / "pinsync.yaml", f"trackers:\n{trackers}")
        assert pinsync("export", "--commit").code == 0
        lines = ["Pinsync-Export: id-1", "Pinsync-Export: id-2"]
        assert read_trailers(git) == lines
        repinned(apis[1], STRINGS)
        assert pinsync("export", "--branch", "pins").code == 0
        assert read_trailers(git, "pins")[:-2] == [lines[1]]
        # The branch keeps what the other tracker proposes, line included.
        repinned(apis[0], STRINGS)
        assert pinsync("export", "--branch", "pins", "--tracker", "t1").code == 0
        assert read_trailers(git, "pins")[:-2] == lines
