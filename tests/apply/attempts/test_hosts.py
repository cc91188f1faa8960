"""Attempts to let an apply write to another host than the first one, or follow a redirect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Answer
from support.agreeing import OTHER, S, T, without_id, write
from support.attacking import CREATE, EXPORT, Meddler, Trap, swap
from support.exporting import put
from support.histories import rule
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.attacking import Scene


@pytest.fixture
def other() -> Iterator[Meddler]:
    """Another host with the same tracker, which must not be asked for anything."""
    with Meddler([{"model": "basket", **row} for row in (T, OTHER)]) as api:
        yield api


def use_hosts(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Let the configuration on disk name hosts."""
    monkeypatch.delenv("PINSYNC_HOST")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    listing = ", ".join(f"'{host}'" for host in hosts)
    put(Path("pinsync.yaml"), f"{CONFIGURATION}    hosts: [{listing}]\n")


@pytest.mark.parametrize("call", ["GET scope/.*", "PUT scope/.*", CREATE, "DELETE scope/.*"])
def test_redirects_to_another_host(call: str, scene: Scene, other: Meddler) -> None:
    write("Change all", S, without_id(rule(3)), at=10)
    target = f"{other.url}/v1/recommender/pin/1234-5678/scope/x"
    for status in (301, 302, 303, 307, 308):
        scene.calm()
        answer = Answer(status, b"", {"Location": target})
        scene.give(call, answer)
        assert scene.apply("--delete", "--overwrite-edits", "--recreate").code == 3
    assert other.log == []


def test_a_redirect_of_the_export_after_the_writes(scene: Scene, other: Meddler) -> None:
    swap()
    scene.at(EXPORT, lambda: Answer(307, b"", {"Location": other.url}), nth=2)
    assert scene.apply().code == 3
    assert other.log == []


@pytest.mark.parametrize("status", [502, 503])
@pytest.mark.parametrize("call", ["GET scope/.*", "PUT scope/.*", EXPORT])
def test_a_first_host_that_fails_after_the_plan(
    status: int, call: str, scene: Scene, other: Meddler, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_hosts(monkeypatch, scene.api.url, other.url)
    monkeypatch.setattr("pinsync.api.call.ATTEMPTS", 1)
    swap()
    answers = iter([None, *[Answer(status, b"{}")] * 99] if call == EXPORT else [])
    broken = Answer(status, b"{}")
    scene.at(call, lambda: next(answers, broken), nth=None)
    assert scene.apply().code == 3
    assert other.log == []


def test_a_first_host_that_comes_back_after_the_plan(
    scene: Scene, other: Meddler, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_hosts(monkeypatch, other.url, scene.api.url)
    monkeypatch.setattr("pinsync.api.call.ATTEMPTS", 1)
    seen: list[str] = []

    def fail_once() -> Answer | None:
        seen.append("export")
        return Answer(503, b"{}") if len(seen) == 1 else None

    other.traps.append(Trap(EXPORT, fail_once, nth=None))
    swap()
    done = scene.apply("--format", "json")
    assert done.code == 0, done.err
    assert scene.read_pin(T) == "/p/8/"
    assert len(other.log) == 1
    assert scene.api.url in done.out


def test_hosts_that_the_configuration_of_source_names(
    scene: Scene, other: Meddler, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_hosts(monkeypatch, other.url)
    swap()
    use = CONFIGURATION + f"    hosts: ['{scene.api.url}']\n"
    put(Path("pinsync.yaml"), use)
    assert scene.apply().code == 0
    assert scene.read_pin(T) == "/p/8/"
    assert other.log == []


def test_another_tracker_that_the_configuration_of_source_names(scene: Scene) -> None:
    put(Path("pinsync.yaml"), CONFIGURATION.replace("1234-5678", "9999-9999"))
    swap()
    put(Path("pinsync.yaml"), CONFIGURATION)
    assert scene.apply().code in (2, 4)
    assert scene.restore("HEAD").code == 2
    assert scene.read_pin(T) == "/p/7/"


def test_a_variable_that_names_another_tracker(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap()
    monkeypatch.setenv("PINSYNC_TRACKER_ID", "9999-9999")
    assert scene.apply().code == 0
    assert {each.path.split("/")[4] for each in scene.api.log} == {"1234-5678"}


def test_every_signature_is_of_its_own_request(scene: Scene) -> None:
    """A signature that is used twice would be one that somebody can replay."""
    write("Change all", S, without_id(rule(3)), at=10)
    assert scene.apply("--delete").code == 0
    writes = [each for each in scene.api.log if each.method in ("PUT", "DELETE")]
    assert len({each.headers["authorization"] for each in writes}) == len(writes) == 2
