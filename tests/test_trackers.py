"""`pinsync trackers`: who is configured, for people and for the matrix of a CI job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from exporting import put

if TYPE_CHECKING:
    from conftest import CommandLine

TWO = """\
trackers:
  shop-sk: {tracker_id: 1234-5678, private_key_env: LUIGISBOX_KEY_SK}
  cz: {tracker_id: 8765-4321}
"""


@pytest.fixture(autouse=True)
def configured(repository: Path) -> Path:
    """Two trackers, and no key anywhere."""
    return put(repository / "pinsync.yaml", TWO)


def test_the_matrix_is_one_line_without_secrets(pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "a-private-key")
    monkeypatch.setenv("LUIGISBOX_KEY_SK", "another-key")
    result = pinsync("trackers", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1
    assert json.loads(result.out) == {
        "include": [
            {"tracker": "shop-sk", "tracker_id": "1234-5678", "private_key_env": "LUIGISBOX_KEY_SK"},
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
