"""Attempts to get the private key into an account, a journal, a backup or a log."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from pinsync.sandbox import Answer
from support.agreeing import OTHER, S, T, without_id, write
from support.attacking import BULK, CREATE, swap
from support.exporting import put
from support.histories import rule

if TYPE_CHECKING:
    from support.attacking import Scene
    from support.command_line import Result

KEY = "k3y/with+odd=signs"
SPELLINGS = (KEY, quote(KEY, safe=""), KEY.encode().hex(), base64.b64encode(KEY.encode()).decode())


@pytest.fixture
def keyed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A shop whose key would be recognized anywhere."""
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", KEY)
    monkeypatch.setattr(scene.api._service, "_private_key", KEY)
    return scene


def hold_secret(scene: Scene, *results: Result) -> None:
    """Hold all that was written to having no spelling of the key."""
    texts = [result.out + result.err for result in results]
    for folder in (scene.backups, Path(os.environ["HOME"]), Path(".git/refs")):
        texts += [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    for text in texts:
        for spelling in SPELLINGS:
            assert spelling not in text


def test_a_run_that_goes_well(keyed: Scene) -> None:
    write("Change all", S, without_id(rule(3)), without_id(rule(4)), at=10)
    done = keyed.apply("--delete", "-v")
    assert done.code == 0
    hold_secret(keyed, done)


@pytest.mark.parametrize("call", ["GET scope/.*", "PUT scope/.*", CREATE, BULK, "DELETE scope/.*"])
def test_a_refusal_that_repeats_the_key(call: str, keyed: Scene) -> None:
    write("Change all", S, without_id(rule(3)), without_id(rule(4)), at=10)
    results = []
    for status in (400, 409, 422, 500):
        details = {spelling: [spelling] for spelling in SPELLINGS}
        body = json.dumps({"reason": f"bad {KEY}", "exception_details": details}).encode()
        keyed.calm()
        keyed.give(call, Answer(status, body))
        results.append(keyed.apply("--delete", "-v", "--overwrite-edits", "--recreate"))
    assert results[0].code == 3
    hold_secret(keyed, *results)


def test_a_redirect_that_repeats_the_key(keyed: Scene) -> None:
    swap()
    place = f"https://{quote(KEY, safe='')}@evil.example/{quote(KEY, safe='')}?{KEY}"
    keyed.at("PUT scope/.*", lambda: Answer(302, b"", {"Location": place}))
    done = keyed.apply("-v")
    assert done.code == 3
    hold_secret(keyed, done)


def test_a_field_of_a_rule_that_is_named_like_the_key(keyed: Scene) -> None:
    swap()
    body = json.dumps({"model": "basket", **S, KEY: "x"}).encode()
    keyed.at("GET scope/.*", lambda: Answer(200, body), nth=2)
    done = keyed.apply("-v")
    assert done.code == 3
    hold_secret(keyed, done)


def test_an_id_of_a_created_rule_that_is_the_key(keyed: Scene) -> None:
    write("Add", T, OTHER, without_id(rule(3)), at=10)
    body = json.dumps({"model": "basket", **rule(3), "id": KEY}).encode()
    keyed.at(CREATE, lambda: Answer(200, body))
    done = keyed.apply("-v")
    assert done.code == 3
    hold_secret(keyed, done)


def test_a_hook_of_git_that_prints_its_environment(keyed: Scene) -> None:
    swap()
    hook = put(Path(".git/hooks/reference-transaction"), "#!/bin/sh\nenv >&2\nexit 1\n")
    hook.chmod(0o755)
    done = keyed.apply("-v")
    assert done.code == 4
    assert keyed.writes == []
    hold_secret(keyed, done)


def test_files_that_others_can_read(keyed: Scene) -> None:
    swap()
    before = os.umask(0)
    try:
        assert keyed.apply().code == 0
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in keyed.backups.iterdir()]
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE(keyed.backups.stat().st_mode) == 0o700
