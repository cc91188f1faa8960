"""Filters, flags that leave out pins, and the guard against mass removal: what a partial answer may
and may not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    answered,
    document,
    edited,
    put,
    repinned,
    rule,
    served,
    untouched,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine


@pytest.fixture
def exported(api: Sandbox, folder: Path, pinsync: CommandLine) -> Path:
    """The same with an export."""
    assert pinsync("export").code == 0
    assert len(api.requests) == 1
    return folder


def queries(api: Sandbox, before: int) -> list[dict[str, list[str]]]:
    return [dict(request.query) for request in api.requests[before:]]


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["--model", "basket"], {"model": ["basket"]}),
        (["--tag", "christmas"], {"tag": ["christmas"]}),
        (["--target-type", "item"], {"target_type": ["item"]}),
        (
            ["--target-type", "item", "--target-identity", "/p/1/"],
            {"target_type": ["item"], "target_identity": ["/p/1/"]},
        ),
        (["--remove-expired-pins"], {"remove_expired_pins": ["true"]}),
        (["--remove-nonexisting-item-pins"], {"remove_nonexisting_item_pins": ["true"]}),
        (["--keep-expired-pins"], {}),
    ],
)
def test_filters_and_flags_go_to_the_api(
    arguments: list[str],
    query: dict[str, list[str]],
    api: Sandbox,
    exported: Path,
    pinsync: CommandLine,
) -> None:
    before = len(api.requests)
    with untouched(exported):
        assert pinsync("export", *arguments).code == 0
    assert queries(api, before) == [query]


@pytest.mark.usefixtures("exported")
def test_an_identity_alone_implies_the_type_that_the_api_asks_for(
    api: Sandbox, pinsync: CommandLine
) -> None:
    repinned(api, HOME)
    assert pinsync("export", "--target-identity", "/p/1/").code == 0
    assert queries(api, 1) == [{"target_type": ["item"], "target_identity": ["/p/1/"]}]
    assert "position: 7" in document("home").read_text()


@pytest.mark.parametrize(
    ("interrupted", "said"),
    [
        ("pinsync.commands.export.is_filter_inconclusive", "nothing was changed"),
        (
            "pinsync.workspace.store.Store.write",
            "every file is whole; run the command again to complete the rest",
        ),
    ],
)
def test_an_interrupt_counts_as_one_of_the_writing_only_once_that_has_begun(
    interrupted: str,
    said: str,
    api: Sandbox,
    exported: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A filtered answer can take a second download, with the lock held and nothing written."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    repinned(api, HOME)
    monkeypatch.setattr(interrupted, interrupt)
    with untouched(exported):
        result = pinsync("export", "--model", "home")
    assert (result.code, result.err.strip()) == (130, f"interrupted: {said}")


def test_what_the_configuration_leaves_out_the_flags_override(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    put(
        folder / "pinsync.yaml",
        "trackers: {shop: {tracker_id: 1234-5678, remove_expired_pins: true}}\n",
    )
    assert pinsync("export").code == 0
    assert pinsync("export", "--keep-expired-pins", "--remove-nonexisting-item-pins").code == 0
    assert queries(api, 0) == [
        {"remove_expired_pins": ["true"]},
        {"remove_nonexisting_item_pins": ["true"]},
    ]


@pytest.mark.usefixtures("folder")
def test_expired_pins_and_those_out_of_the_catalog_are_left_out(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = [
        {
            "position": 1,
            "pin_type": "item",
            "pin_identity": "/p/1/",
            "active_to": "2020-01-01T00:00:00Z",
        },
        {"position": 2, "pin_type": "item", "pin_identity": "/p/2/"},
        {"position": 3, "pin_type": "item", "pin_identity": "/p/gone/"},
    ]
    with served(monkeypatch, [rule(5, pin_definitions=pins)], catalog=["/p/1/", "/p/2/"]):
        pinsync("export")
        assert document().read_text().count("position") == 3
        assert pinsync("export", "--remove-expired-pins").code == 0
        assert "/p/1/" not in document().read_text()
        assert (
            pinsync("export", "--remove-expired-pins", "--remove-nonexisting-item-pins").code == 0
        )
        assert document().read_text().count("position") == 1


@pytest.mark.usefixtures("exported")
def test_a_partial_export_leaves_the_rest_as_it_stands(api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, STRINGS)
    repinned(api, HOME)
    before = len(api.requests)
    result = pinsync("export", "--model", "basket")
    assert "0 added, 1 changed, 0 removed" in result.err
    assert "position: 7" in document().read_text()
    assert document("home").read_text() == HOME_TEXT
    assert len(api.requests) == before + 1


@pytest.mark.usefixtures("api", "folder")
def test_a_partial_export_into_an_empty_folder_is_just_that_part(pinsync: CommandLine) -> None:
    assert pinsync("export", "--tag", "christmas").code == 0
    assert document().read_text() == BASKET_TEXT[: BASKET_TEXT.index("  - id: b3e6")]
    assert pinsync("export", "--tag", "summer").code == 0
    assert pinsync("export", "--target-type", "all").code == 0
    assert (document().read_text(), document("home").read_text()) == (BASKET_TEXT, HOME_TEXT)


@pytest.mark.usefixtures("exported")
def test_a_rule_of_the_scope_that_is_gone_is_removed_after_one_more_question(
    api: Sandbox, pinsync: CommandLine
) -> None:
    api.delete(EVERYONE)
    before = len(api.requests)
    result = pinsync("export", "--model", "basket", "-v")
    assert (result.code, "1 removed" in result.err) == (0, True)
    assert "default: the filtered answer is inconclusive; fetching all" in result.err
    assert queries(api, before) == [{"model": ["basket"]}, {}]
    assert EVERYONE not in document().read_text()


@pytest.mark.usefixtures("exported")
def test_the_last_rule_of_a_scope_may_go(api: Sandbox, pinsync: CommandLine) -> None:
    api.delete(HOME)
    result = pinsync("export", "--model", "home")
    assert result.code == 0, result.err
    assert not document("home").exists()


@pytest.mark.usefixtures("exported")
def test_a_rule_that_left_the_filter_is_changed_and_not_removed(
    api: Sandbox, pinsync: CommandLine
) -> None:
    edited(api, STRINGS, tags=["easter"])
    before = len(api.requests)
    result = pinsync("export", "--tag", "christmas")
    assert "0 added, 1 changed, 0 removed" in result.err
    assert queries(api, before) == [{"tag": ["christmas"]}, {}]
    assert document().read_text() == BASKET_TEXT.replace("- christmas", "- easter")


@pytest.mark.usefixtures("exported")
def test_a_rule_that_came_into_the_filter_is_changed_and_not_doubled(
    api: Sandbox, pinsync: CommandLine
) -> None:
    edited(api, EVERYONE, tags=["christmas"])
    before = len(api.requests)
    result = pinsync("export", "--tag", "christmas")
    assert "0 added, 1 changed, 0 removed" in result.err
    assert len(queries(api, before)) == 2
    assert document().read_text().count(EVERYONE) == 1


@pytest.mark.usefixtures("exported")
def test_a_rule_that_moved_to_another_model_is_found_there(
    api: Sandbox, pinsync: CommandLine
) -> None:
    edited(api, EVERYONE, model="home")
    result = pinsync("export", "--model", "basket")
    assert "0 added, 1 changed, 0 removed" in result.err
    assert EVERYONE not in document().read_text()
    assert document("home").read_text().count(EVERYONE) == 1


@pytest.mark.usefixtures("exported")
def test_a_second_rule_at_a_target_does_not_replace_one_that_the_filter_hides(
    api: Sandbox, pinsync: CommandLine
) -> None:
    twin = api.create(
        {"model": "home", "target_type": "item", "target_identity": "/p/1/", "tags": ["winter"]}
    )
    result = pinsync("export", "--tag", "winter")
    assert "1 added, 0 changed, 0 removed" in result.err
    text = document("home").read_text()
    assert HOME in text
    assert twin["id"] in text


@pytest.mark.usefixtures("exported")
def test_beyond_the_scope_even_the_unfiltered_answer_changes_nothing(
    api: Sandbox, pinsync: CommandLine
) -> None:
    edited(api, STRINGS, tags=["easter"])
    repinned(api, HOME)
    api.create(rule(5, "new"))
    assert pinsync("export", "--tag", "christmas").code == 0
    assert document("home").read_text() == HOME_TEXT
    assert not document("new").exists()


@pytest.mark.usefixtures("api")
def test_a_partial_export_leaves_a_document_without_rules_alone(
    exported: Path, pinsync: CommandLine
) -> None:
    put(document("planned"), "# to come\nformat: 1\nmodel: planned\ncustomizations: []\n")
    with untouched(exported):
        assert pinsync("export", "--model", "basket").code == 0


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--model", "baskt"], '--model: did you mean "basket"?'),
        (["--tag", "chrismas"], '--tag: did you mean "christmas"?'),
        (
            ["--target-type", "item", "--target-identity", "/p/12/"],
            '--target-identity: did you mean "/p/1',
        ),
        (["--target-type", "criteria"], "--target-type: known: all, item"),
        (
            ["--model", "home", "--tag", "christmas"],
            "each of the values exists, but no customization has them all",
        ),
    ],
)
@pytest.mark.usefixtures("api")
def test_a_scope_that_matches_nothing_is_an_error_with_the_nearest_name(
    arguments: list[str], hint: str, exported: Path, pinsync: CommandLine
) -> None:
    with untouched(exported):
        result = pinsync("export", *arguments)
    assert result.code == 2
    assert f"no customization matches {' '.join(arguments)} on either side" in result.err
    assert hint in result.err


@pytest.mark.usefixtures("api")
def test_a_value_is_shown_as_a_shell_takes_it(exported: Path, pinsync: CommandLine) -> None:
    with untouched(exported):
        result = pinsync("export", "--check", "--model", "", "--tag", "two words")
    assert result.code == 2
    assert "no customization matches --model '' --tag 'two words' on either side" in result.err


@pytest.mark.usefixtures("api")
def test_a_scope_of_a_saved_export_is_one_too(exported: Path, pinsync: CommandLine) -> None:
    put(
        exported / "export.json",
        '{"results": [{"id": "x", "model": "home", "target_type": "all"}]}',
    )
    result = pinsync(
        "export", "--from-file", "export.json", "--model", "home", "--allow-mass-removal", "--force"
    )
    assert result.code == 0, result.err
    assert document().read_text() == BASKET_TEXT
    assert document("home").read_text().count("- id:") == 1


@pytest.mark.usefixtures("exported")
def test_an_export_of_ids_leaves_the_rest_as_it_stands(api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, STRINGS)
    repinned(api, HOME)
    created = [api.create(rule(number, "home")) for number in (5, 6)]
    before = len(api.requests)
    result = pinsync("export", "--id", STRINGS[:6], "--id", created[0]["id"], "--model", "basket")
    assert "0 added, 1 changed, 0 removed" in result.err
    assert "1 added, 0 changed, 0 removed" in pinsync("export", "--id", created[0]["id"]).err
    assert document("home").read_text().count("- id:") == 2
    assert "position: 7" in document().read_text()
    assert "position: 7" not in document("home").read_text()
    assert queries(api, before) == [{}, {}]
    api.delete(HOME)
    assert "0 added, 0 changed, 1 removed" in pinsync("export", "--id", HOME).err


# The guard.


def shop(count: int) -> list[dict[str, object]]:
    return [rule(number) for number in range(count)]


@pytest.mark.parametrize(
    ("before", "after", "safety", "refused"),
    [
        (10, 7, "", False),
        (10, 6, "", True),
        (9, 1, "", False),
        (9, 0, "", True),
        (1, 0, "", True),
        (10, 6, "safety: {max_removed_percent: 40}", False),
        (20, 19, "safety: {max_removed_percent: 0}", True),
        (9, 6, "safety: {min_existing: 9}", True),
        (10, 1, "safety: {max_removed_percent: 100}", False),
    ],
)
def test_more_than_so_many_percent_of_at_least_so_many_are_not_believed_to_be_gone(
    before: int,
    after: int,
    safety: str,
    refused: bool,
    api: Sandbox,
    folder: Path,
    pinsync: CommandLine,
) -> None:
    answered(api, shop(before))
    assert pinsync("export").code == 0
    put(folder / "pinsync.yaml", f"{safety}\n")
    answered(api, shop(after))
    if not refused:
        assert pinsync("export").code == 0
        return
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 4
    assert str(before) in result.err
    assert "run again with --allow-mass-removal" in result.err
    answered(api, shop(after))
    assert pinsync("export", "--allow-mass-removal").code == 0
    assert document().exists() == (after > 0)


@pytest.mark.usefixtures("folder")
def test_the_message_has_the_numbers_and_the_setting(api: Sandbox, pinsync: CommandLine) -> None:
    answered(api, shop(10))
    pinsync("export")
    answered(api, shop(6))
    result = pinsync("export", "--check")
    assert result.code == 4
    assert (
        "4 of 10 customizations would go, more than 30 % (safety.max_removed_percent)" in result.err
    )


@pytest.mark.parametrize("target", [{}, {"target_type": "all", "target_identity": None}])
def test_recreated_rules_count_as_removed(
    target: dict[str, object], api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    rules = [row | target for row in shop(10)]
    answered(api, rules)
    pinsync("export")
    answered(
        api,
        [{**row, "id": f"new-{number}"} if number < 4 else row for number, row in enumerate(rules)],
    )
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 4
    assert (
        "4 of 10 customizations would go (recreated under new ids: 4), more than 30 %" in result.err
    )


def test_the_guard_counts_the_whole_tracker_also_under_a_filter(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    everything = [*shop(20), rule(90, "home"), rule(91, "home")]
    answered(api, everything)
    pinsync("export")
    for row in api.customizations():
        api.delete(row["id"])
    for row in everything[:20]:
        api.create({name: value for name, value in row.items() if name != "id"})
    # Live has 20 rules at the same targets, of the same model: all of them made anew.
    with untouched(folder):
        assert pinsync("export", "--model", "basket").code == 4


@pytest.mark.usefixtures("folder", "git")
def test_a_rename_of_everything_to_another_model_is_no_removal(
    api: Sandbox, pinsync: CommandLine
) -> None:
    answered(api, shop(12))
    pinsync("export")
    answered(api, [rule(number, "cart") for number in range(12)])
    assert pinsync("export").code == 0
    assert [path.name for path in document().parent.iterdir()] == ["cart.yaml"]


def test_a_rule_without_an_id_that_the_filter_may_hide_is_a_question_and_stays(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    put(document("planned"), "format: 1\nmodel: planned\ncustomizations:\n  - target_type: all\n")
    before = len(api.requests)
    with untouched(exported):
        result = pinsync("export", "--model", "planned")
        assert (result.code, "customizations/planned.yaml:4: has no id" in result.err) == (0, True)
        assert pinsync("export", "--model", "basket").code == 0
    assert queries(api, before) == [{"model": ["planned"]}, {}, {"model": ["basket"]}]


def test_a_rule_without_an_id_is_found_at_a_target_that_the_filter_hides(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    """It is reported by a filtered diff, so a filtered export brings it to what is live."""
    tagged = "  - target_type: all\n    tags:\n      - t\n"
    put(document(), BASKET_TEXT[: BASKET_TEXT.index("  - id: b3e6")] + tagged)
    assert " in 1 rule: " in pinsync("diff", "@worktree", "@live", "--tag", "t").out
    before = len(api.requests)
    result = pinsync("export", "--tag", "t", "--force")
    assert result.err == (
        f"default: 0 added, 1 changed, 0 removed · 1 file rewritten in {exported}/customizations/\n"
    )
    assert queries(api, before) == [{"tag": ["t"]}, {}]
    assert document().read_text() == BASKET_TEXT


@pytest.mark.parametrize(
    ("here", "live", "why"),
    [
        ([None], [], "live has none for its target: run pinsync apply, or delete it here"),
        (
            [1, None],
            [1],
            "live has no other for its target: run pinsync apply, or delete it here",
        ),
        (
            [None],
            [1, 2],
            "live has several for its target: give it the id of one of them (each id may stand",
        ),
        (
            [None, None],
            [1],
            "live has one for its target, but more here lack an id: give it to one of them, or",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_of_what_lacks_an_id_it_is_said_why_and_what_to_do(
    here: list[int | None], live: list[int], why: str, api: Sandbox, pinsync: CommandLine
) -> None:
    target = "target_type: item\n    target_identity: /p/1/\n"
    blocks = [
        f"  - {target}" if number is None else f"  - id: {rule(number)['id']}\n    {target}"
        for number in here
    ]
    put(document(), f"format: 1\nmodel: basket\ncustomizations:\n{''.join(blocks)}")
    answered(
        api, [rule(number) | {"target_identity": "/p/1/", "tags": ["live"]} for number in live]
    )
    notes = [
        line
        for line in pinsync("export", "--check").err.splitlines()
        if ": has no id, and " in line
    ]
    assert len(notes) == here.count(None)
    assert all(
        note.startswith("note: customizations/basket.yaml:") and f" and {why}" in note
        for note in notes
    )


def test_of_two_live_rules_for_its_target_neither_is_taken_for_the_one_without_an_id(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    put(document(), "format: 1\nmodel: basket\ncustomizations:\n  - target_type: all  # mine\n")
    api.create({"model": "basket", "target_type": "all", "tags": ["new"]})
    result = pinsync("export", "--force")
    assert result.code == 0
    assert "3 added" in result.err or "4 added" in result.err
    assert "- target_type: all  # mine\n" in document().read_text()
    with untouched(folder):
        assert pinsync("export").code == 0


@pytest.mark.usefixtures("folder")
def test_an_equal_rule_gives_its_id_also_where_live_has_several_for_the_target(
    api: Sandbox, pinsync: CommandLine
) -> None:
    head = "format: 1\nmodel: basket\ncustomizations:\n"
    first, second = "target_type: all\n", "target_type: all  # mine\n    tags:\n      - b\n"
    put(document(), f"{head}  - {first}  - {second}  - {first}")
    live = [{"id": name, "model": "basket", "target_type": "all"} for name in ("a", "b", "c")]
    answered(api, [live[2], live[1] | {"tags": ["b"]}, live[0]])
    result = pinsync("export", "--force")
    assert "0 added, 0 changed, 0 removed · 1 file rewritten" in result.err
    assert "has no id" not in result.err
    blocks = [
        f"  - id: {name}\n    {rest}" for name, rest in (("a", first), ("b", second), ("c", first))
    ]
    assert document().read_text() == head + "".join(blocks)
