"""`pinsync trackers`: who is configured, for people and for the matrix of a CI job, and the check
of the keys.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Answer, Fault, Sandbox, parse_fault
from support.exporting import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command_line import CommandLine

TWO = """\
trackers:
  shop-sk: {tracker_id: 1234-5678, private_key_env: LUIGISBOX_KEY_SK}
  cz: {tracker_id: 8765-4321}
"""


@pytest.fixture(autouse=True)
def configured(repository: Path) -> Path:
    """Two trackers, and no key anywhere."""
    return put(repository / "pinsync.yaml", TWO)


def test_the_matrix_is_one_line_without_secrets(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "a-private-key")
    monkeypatch.setenv("LUIGISBOX_KEY_SK", "another-key")
    result = pinsync("trackers", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1
    assert json.loads(result.out) == {
        "include": [
            {
                "tracker": "shop-sk",
                "tracker_id": "1234-5678",
                "private_key_env": "LUIGISBOX_KEY_SK",
            },
            {"tracker": "cz", "tracker_id": "8765-4321", "private_key_env": "PINSYNC_PRIVATE_KEY"},
        ]
    }
    assert "-key" not in result.out


def test_the_table_is_for_people(pinsync: CommandLine) -> None:
    result = pinsync("trackers")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "TRACKER  TRACKER ID  KEY FROM\n"
        "shop-sk  1234-5678   LUIGISBOX_KEY_SK\n"
        "cz       8765-4321   PINSYNC_PRIVATE_KEY\n"
    )


def test_some_can_be_chosen_and_a_wrong_name_gets_a_suggestion(pinsync: CommandLine) -> None:
    result = pinsync("trackers", "--json", "--tracker", "cz")
    assert [entry["tracker"] for entry in json.loads(result.out)["include"]] == ["cz"]
    result = pinsync("trackers", "--tracker", "shop-sl")
    assert (result.code, result.out) == (2, "")
    assert 'no tracker is named "shop-sl"\n  did you mean "shop-sk"?' in result.err


def test_the_environment_alone_is_enough(
    configured: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.unlink()
    result = pinsync("trackers", "--json")
    assert (result.code, result.out) == (2, "")
    assert "no tracker is configured" in result.err
    monkeypatch.setenv("PINSYNC_TRACKER_ID", "1234-5678")
    (entry,) = json.loads(pinsync("trackers", "--json").out)["include"]
    assert (entry["tracker"], entry["tracker_id"]) == ("default", "1234-5678")


def test_another_configuration_can_be_named(pinsync: CommandLine) -> None:
    put(Path("other.yaml"), 'trackers: {only: {tracker_id: "1"}}\n')
    assert pinsync("trackers", "--config", "other.yaml").out.splitlines()[1].startswith("only ")


# The check of the keys.


@pytest.fixture
def shops(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two trackers on hosts of their own; the environment has both keys."""
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    monkeypatch.setenv("LUIGISBOX_KEY_SK", "key-of-sk")
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "key-of-cz")
    with (
        Sandbox(tracker_id="1234-5678", private_key="key-of-sk") as sk,
        Sandbox(private_key="key-of-cz") as cz,
    ):
        put(
            repository / "pinsync.yaml",
            f"trackers:\n"
            f"  shop-sk: {{tracker_id: 1234-5678, private_key_env: LUIGISBOX_KEY_SK, hosts: "
            f"['{sk.url}']}}\n"
            f"  cz: {{tracker_id: {cz.tracker_id}, hosts: ['{cz.url}']}}\n",
        )
        yield sk, cz


def checked(pinsync: CommandLine, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Return exit code, rows and standard error of a check, once sure that no key is shown."""
    result = pinsync("trackers", "--check", "--json", "-v", *arguments)
    assert "key-of" not in result.out + result.err
    assert result.out.count("\n") == 1
    return result.code, json.loads(result.out)["include"], result.err


def test_keys_that_are_accepted(shops: tuple[Sandbox, Sandbox], pinsync: CommandLine) -> None:
    code, rows, err = checked(pinsync)
    assert code == 0
    accepted = {"accepted": True, "clock_ahead_seconds": 0, "error": None}
    assert rows == [
        {
            "tracker": "shop-sk",
            "tracker_id": "1234-5678",
            "private_key_env": "LUIGISBOX_KEY_SK",
            "host": shops[0].url,
            **accepted,
        },
        {
            "tracker": "cz",
            "tracker_id": shops[1].tracker_id,
            "private_key_env": "PINSYNC_PRIVATE_KEY",
            "host": shops[1].url,
            **accepted,
        },
    ]
    assert sorted(err.splitlines()) == [
        f"cz: asking {shops[1].url}",
        f"shop-sk: asking {shops[0].url}",
    ]
    for shop in shops:
        (request,) = shop.requests
        assert (request.method, request.path.rpartition("/")[2], request.query) == (
            "POST",
            "scopes",
            {"limit": ["1"]},
        )


def test_the_table_of_a_check(
    shops: tuple[Sandbox, Sandbox], pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUIGISBOX_KEY_SK", "key-of-another")
    shops[1].fail(parse_fault("clock:3:1"))
    result = pinsync("trackers", "--check")
    assert result.code == 3
    assert "key-of" not in result.out + result.err
    host, other = (f"{shop.url:22}" for shop in shops)
    assert re.sub(r"\d s behind", "N s behind", result.out) == (
        f"TRACKER  TRACKER ID  KEY FROM             KEY       {'HOST':22}  CLOCK\n"
        f"shop-sk  1234-5678   LUIGISBOX_KEY_SK     refused   {host}  in time\n"
        f"cz       1234-5678   PINSYNC_PRIVATE_KEY  accepted  {other}  N s behind\n"
    )
    assert result.err.startswith(
        f"error: tracker shop-sk: {shops[0].url} answered 401 Unauthorized: "
    )
    assert "check that LUIGISBOX_KEY_SK holds the private key" in result.err


@pytest.mark.usefixtures("shops")
def test_the_table_of_a_check_names_the_variable_that_gave_the_key(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUIGISBOX_KEY_SK")
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY_COMMAND", "echo $KEY")
    result = pinsync("trackers", "--check", "--tracker", "shop-sk")
    assert re.search(
        r"^shop-sk +1234-5678 +PINSYNC_PRIVATE_KEY_COMMAND +refused ", result.out, re.MULTILINE
    )
    hint = (
        "check that PINSYNC_PRIVATE_KEY_COMMAND gives the private key of tracker_id 1234-5678; "
        "it runs without"
    )
    assert hint in result.err
    assert hint in pinsync("export", "--tracker", "shop-sk").err
    assert "LUIGISBOX_KEY_SK" in pinsync("trackers").out


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [("clock:-100", False), ("clock:100", False), ("403", False), ("422", None)],
)
def test_a_refusal_says_how_far_the_clocks_differ(
    fault: str, accepted: bool | None, shops: tuple[Sandbox, Sandbox], pinsync: CommandLine
) -> None:
    shops[0].fail(parse_fault(fault))
    code, (row, _), _ = checked(pinsync)
    assert (code, row["accepted"], row["host"]) == (3, accepted, shops[0].url)
    assert row["error"]["exit_code"] == 3
    ahead = {"clock:-100": 100, "clock:100": -100}.get(fault, 0)
    assert abs(row["clock_ahead_seconds"] - ahead) <= 1


def test_a_key_that_is_missing_is_graver_than_a_host_that_is_away(
    shops: tuple[Sandbox, Sandbox], pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops[1].fail(parse_fault("html"))
    code, (_, row), _ = checked(pinsync)
    assert (code, row["accepted"], row["host"], row["clock_ahead_seconds"]) == (3, None, None, None)
    assert "web page" in row["error"]["message"]
    monkeypatch.delenv("LUIGISBOX_KEY_SK")
    shops[1].fail(Fault(answer=Answer(200, b"[]")))
    code, (missing, odd), err = checked(pinsync)
    assert code == 2
    assert (missing["accepted"], missing["host"], missing["error"]["exit_code"]) == (None, None, 2)
    assert missing["error"]["message"].startswith("LUIGISBOX_KEY_SK: is not set")
    assert (odd["accepted"], odd["host"], odd["error"]["exit_code"]) == (None, shops[1].url, 3)
    assert f"error: tracker cz: {shops[1].url} answered with no list of customizations" in err


def test_a_wait_of_a_check_is_said_and_one_tracker_can_be_chosen(
    shops: tuple[Sandbox, Sandbox], pinsync: CommandLine
) -> None:
    shops[1].fail(parse_fault("503:1:retry-after=0"))
    code, (row,), err = checked(pinsync, "--tracker", "cz")
    assert (code, row["accepted"]) == (0, True)
    assert f"s: {shops[1].url} answered 503 Service Unavailable" in err
    assert shops[0].requests == []


def test_without_a_check_nothing_is_asked(
    shops: tuple[Sandbox, Sandbox], pinsync: CommandLine
) -> None:
    assert pinsync("trackers").code == 0
    assert [shop.requests for shop in shops] == [[], []]
