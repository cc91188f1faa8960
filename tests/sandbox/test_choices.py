"""The words of ``--api``, and that help and documentation list them all."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from msgspec import structs

from pinsync.cli import cli
from pinsync.errors import UsageError
from pinsync.sandbox.choices import DELAYS, VALUES, Choices, parse_choices
from support.paths import ROOT


def field(name: str) -> str:
    return name.replace("-", "_")


def test_each_choice_has_a_word_and_the_first_value_is_the_default() -> None:
    defaults = {field(name): values[0] for name, values in VALUES.items()}
    assert structs.asdict(Choices()) == {**defaults, **dict.fromkeys(map(field, DELAYS), 0.0)}
    assert parse_choices([]) == Choices()


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in VALUES.items() for value in values]
)
def test_each_value_can_be_chosen(name: str, value: int | str) -> None:
    choices = parse_choices([f"{name}={value}"])
    assert structs.asdict(choices) == {**structs.asdict(Choices()), field(name): value}


@pytest.mark.parametrize("name", VALUES)
def test_a_name_alone_is_the_second_value(name: str) -> None:
    assert getattr(parse_choices([name]), field(name)) == VALUES[name][1]


@pytest.mark.parametrize("name", DELAYS)
def test_seconds(name: str) -> None:
    specs = (name, f"{name}=0", f"{name}=0.25", f"{name}=3600")
    found = [getattr(parse_choices([spec]), field(name)) for spec in specs]
    assert found == [5, 0, 0.25, 3600]


def test_the_last_of_several_counts() -> None:
    specs = ["bulk=partial", "stale-get=1", "bulk=atomic", "timestamps=none"]
    assert parse_choices(specs) == Choices(stale_get=1, timestamps="none")


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("bulks=atomic", "'bulks'", 'did you mean "bulk"?'),
        ("", "''", "stale-get"),
        ("bulk=half", "bulk has no value 'half'", "choose one of atomic, partial"),
        ("bulk=", "bulk has no value ''", "choose one of atomic, partial"),
        ("create-status=202", "create-status has no value '202'", "choose one of 200, 201"),
        ("stale-get=-1", "stale-get has no value '-1'", "from 0 to 3600"),
        ("stale-get=nan", "stale-get has no value 'nan'", "from 0 to 3600"),
        ("stale-export=3601", "stale-export has no value '3601'", "from 0 to 3600"),
        ("stale-export=long", "stale-export has no value 'long'", "from 0 to 3600"),
    ],
)
def test_a_choice_that_does_not_exist(spec: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_choices([spec])
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_the_help_lists_each_name_with_its_values() -> None:
    text = re.sub(r"\s+", "", CliRunner().invoke(cli, ["sandbox", "--help"]).output)
    for name, values in VALUES.items():
        assert f"{name}={'|'.join(map(str, values))}" in text
    for name in DELAYS:
        assert f"{name}=SECONDS" in text


def test_the_documentation_lists_each_name_with_its_values() -> None:
    text = (ROOT / "docs" / "how-to" / "testing.md").read_text(encoding="utf-8")
    for name, values in VALUES.items():
        assert f"| `{name}` | {', '.join(f'`{value}`' for value in values)} |" in text
    for name in DELAYS:
        assert f"| `{name}` | `0`, seconds |" in text
