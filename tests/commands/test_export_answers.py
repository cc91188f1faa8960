"""Answers that can't be trusted: each ends with exit code 3, says what and why, and changes
nothing.
"""

from __future__ import annotations

import base64
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from pinsync import api as client
from pinsync.sandbox import Answer, Fault, Sandbox, parse_fault
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    STRINGS,
    answered,
    document,
    put,
    repinned,
    rows,
    served,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from support.command_line import CommandLine, Result


def _no_sleep(_seconds: float) -> None:
    """Between two attempts nobody waits here."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(
        client.export,
        "__kwdefaults__",
        {**(client.export.__kwdefaults__ or {}), "sleep": _no_sleep},
    )
    with served(monkeypatch) as server:
        yield server


@pytest.fixture
def folder(
    api: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> Path:
    """A folder with an export, while live has gone on; whatever is believed would be written."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    assert pinsync("export").code == 0
    repinned(api, STRINGS)
    return work


def refused(pinsync: CommandLine, folder: Path, *arguments: str) -> Result:
    with untouched(folder):
        result = pinsync("export", *arguments)
    assert (result.code, result.out) == (3, "")
    first = next(
        line for line in result.err.splitlines() if not line.startswith("default: attempt ")
    )
    assert first.startswith("error: tracker default: ")
    return result


def without(name: str) -> list[dict[str, Any]]:
    first, *others = rows()
    del first[name]
    return [first, *others]


def with_value(name: str, value: object) -> list[dict[str, Any]]:
    first, *others = rows()
    return [{**first, name: value}, *others]


WHOLE = json.dumps({"results": rows()})
ANSWERS: dict[str, tuple[bytes | Sequence[object] | Mapping[str, object], str]] = {
    "half": (WHOLE[: len(WHOLE) // 2].encode(), "not {"),
    "empty body": (b"", "not {"),
    "null": (b"null", "got `null`"),
    "a list": (b"[]", "got `array`"),
    "results an object": (b'{"results": {}}', "got `object`"),
    "results null": (b'{"results": null}', "got `null`"),
    "no results": (b'{"reason": "maintenance"}', 'has no "results"'),
    "a row of text": (
        b'{"results": ["a"]}',
        "row 1 of the answer: expected an object, got a string",
    ),
    "a row of null": (b'{"results": [null]}', "row 1 of the answer: expected an object, got null"),
    "id missing": (
        without("id"),
        "row 1 of the answer: id: expected a non-empty string, got nothing",
    ),
    "id a number": (with_value("id", 7), "id: expected a non-empty string, got an integer"),
    "id null": (with_value("id", None), "id: expected a non-empty string, got null"),
    "id empty": (with_value("id", ""), 'id: expected a non-empty string, got ""'),
    "id twice": (
        [*rows(), rows()[0]],
        f"rows 1 (basket) and 4 (basket) of the answer have the same id {STRINGS}",
    ),
    "model missing": (without("model"), "model: expected a non-empty string, got nothing"),
    "model empty": (with_value("model", ""), 'model: expected a non-empty string, got ""'),
    "target_type missing": (
        without("target_type"),
        "target_type: expected a non-empty string, got nothing",
    ),
    "NaN": (WHOLE.replace('"position": 1', '"position": NaN').encode(), "not {"),
    "infinity": (
        WHOLE.replace('"position": 1', '"position": 1e400').encode(),
        "row 1 of the answer",
    ),
    "invalid UTF-8": (WHOLE.encode().replace(b"Strings", b"Str\xff\xfengs"), "UTF-8"),
    "UTF-16": (WHOLE.encode("utf-16"), "UTF-8"),
    "a lone surrogate": (
        WHOLE.replace("Strings", "Str\\ud83dngs").encode(),
        (
            f"row 1 of the answer (basket, {STRINGS}): target_metadata.title: isn't valid "
            f"Unicode (a lone surrogate)"
        ),
    ),
    "a lone surrogate as id": (
        WHOLE.replace("1996", "\\udc00").encode(),
        ": id: isn't valid Unicode",
    ),
    "results twice": (
        f'{WHOLE[:-1]}, "results": []}}'.encode(),
        'the answer: the key "results" stands twice',
    ),
    "a key twice": (
        WHOLE.replace('"position": -1', '"position": -1, "position": 1').encode(),
        (
            f'row 2 of the answer (basket, {EVERYONE}): pin_definitions[0]: the key "position" '
            f"stands twice"
        ),
    ),
    "a key twice, of two styles": (
        WHOLE.replace('"target_type"', '"target_type" : "all", "target_type"', 1).encode(),
        f'row 1 of the answer (basket, {STRINGS}): the key "target_type" stands twice',
    ),
    "something behind it": (WHOLE.encode() + b"<!-- proxy -->", "not {"),
    "endless nesting": (b'{"results": ' + b"[" * 100_000, "not {"),
    "deep nesting": (with_value("x", json.loads("[" * 100 + "]" * 100)), "nested deeper than"),
    "a page, by next": ({"results": rows(), "next": "/page/2"}, '"next" is "/page/2"'),
    "a page, by has_more": ({"results": rows(), "has_more": True}, '"has_more" is true'),
    "a page, by total": ({"results": rows(), "total": 4}, '"total" is 4, 3 came'),
    "a failure": (
        {"results": rows(), "errors": [{"message": "a\nb"}]},
        r'the answer looks incomplete ("errors" is [{"message": "a\nb"}])',
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_not_whole_changes_nothing(
    name: str, api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    body, message = ANSWERS[name]
    answered(api, body)
    result = refused(pinsync, folder)
    assert message in result.err
    assert len(result.err.splitlines()) == 2, "a message and a remedy"
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "name",
    ["a lone surrogate", "results twice", "a key twice", "a key twice, of two styles", "a failure"],
)
def test_a_saved_answer_that_is_not_whole_is_a_fault_of_the_file(
    name: str, folder: Path, pinsync: CommandLine
) -> None:
    body, message = ANSWERS[name]
    text = body if isinstance(body, bytes) else json.dumps(body)
    saved = put(folder.parent / "saved.json", text)
    with untouched(folder):
        result = pinsync("export", "--from-file", str(saved))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {saved}: ")
    assert message in result.err
    assert len(result.err.splitlines()) == 2, "a message and a remedy"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Link", '</scopes/export?page=2>; rel="next"', '</scopes/export?page=2>; rel="next"'),
        ("X-Total-Count", "4", "4, 3 came"),
        ("X-Next-Page", "2", "2"),
        ("x-has-more", "TRUE", "TRUE"),
        ("Content-Range", "items 0-2/4", "items 0-2/4"),
    ],
)
def test_a_header_that_tells_of_more_changes_nothing(
    name: str,
    value: str,
    shown: str,
    api: Sandbox,
    folder: Path,
    pinsync: CommandLine,
) -> None:
    api.fail(Fault(answer=Answer(200, WHOLE.encode(), {name: value})))
    result = refused(pinsync, folder)
    assert f"one page of several (the header {name.title()} is {shown})\n" in result.err
    assert "fetch the export again" in result.err


def test_a_key_that_is_echoed_in_a_sign_is_not_shown(
    api: Sandbox, folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "EchoedPrivateKey")
    said = f"{'x' * 190}EchoedPrivateKey"
    api.fail(
        Fault(answer=Answer(200, WHOLE.encode(), {"X-Next": said})),
        Fault(answer=Answer(200, json.dumps({"results": [], "error": said}).encode())),
    )
    for _ in range(2):
        text = refused(pinsync, folder).err
        assert "xxx" in text
        assert "Echo" not in text


@pytest.mark.parametrize("headers", [{"X-Total-Count": "3"}, {"Content-Range": "items 0-2/3"}])
def test_a_header_that_tells_that_nothing_is_missing_is_no_sign(
    headers: dict[str, str], api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    api.fail(Fault(answer=Answer(200, WHOLE.encode(), headers)))
    with untouched(folder):
        assert pinsync("export").code == 0


def test_what_else_stands_beside_the_results_is_no_sign_of_paging(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    answered(api, {"results": rows(), "next": None, "has_more": False, "total": 3, "took_ms": 12})
    with untouched(folder):
        assert pinsync("export").code == 0


def test_the_warning_of_a_field_of_another_type_names_it_and_the_value_is_kept(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    answered(api, with_value("tags", "christmas"))
    result = pinsync("export")
    assert result.code == 0
    assert result.err.startswith("warning: default: row 1 ")
    assert (
        f"(basket, {STRINGS}): tags: expected a list of strings, got a string; kept as it is\n"
        in result.err
    )
    assert document().read_text() == BASKET_TEXT.replace(
        "tags:\n      - christmas", "tags: christmas"
    )
    answered(api, with_value("tags", "christmas"))
    with untouched(folder):
        assert pinsync("export").code == 0


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        ("truncate:*", "broke off", "check the network"),
        ("html", "a web page where JSON was expected", "proxy or a login page"),
        ("garbage", "in JSON and UTF-8", "nothing was changed"),
        ("redirect", "302 Found, pointing at ", "redirects are not followed"),
        ("reset:*", "broke off", "check the network"),
        ("partial", '("total" is 3, 1 came)', "fetch the export again"),
        ("partial:next", '("meta.pagination.next" is 2)', "fetch the export again"),
        ("partial:errors", '("errors" is [{"message": "A shard', "fetch the export again"),
        ("partial:header", "(the header X-Total-Count is 3, 1 came)", "fetch the export again"),
        ("partial:range", "(the header Content-Range is items 0-0/3)", "fetch the export again"),
        ("partial:link", "(the header Link is <?page=2>; rel=", "fetch the export again"),
        ("404", "404 Not Found", "check the tracker_id, 1234-5678"),
        ("429:*", "429 Too Many Requests", "try again later"),
        ("500", "500 Internal Server Error", "try again later"),
        ("503:*", "503 Service Unavailable", "the service seems to be down"),
        ("clock:-90", "401 Unauthorized", "s ahead of the server's"),
        ("clock:3600", "401 Unauthorized", "s behind the server's"),
    ],
)
def test_a_fault_of_network_or_server_is_explained(
    fault: str, message: str, hint: str, api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    api.fail(parse_fault(fault))
    result = refused(pinsync, folder)
    first, second = result.err.splitlines()
    assert message in first
    assert hint in second


def test_a_redirect_is_not_followed(api: Sandbox, folder: Path, pinsync: CommandLine) -> None:
    before = len(api.requests)
    api.fail(Fault(answer=Answer(302, b"", {"Location": f"{api.url}/elsewhere"})))
    refused(pinsync, folder)
    assert [request.path for request in api.requests[before:]] == [
        "/v1/recommender/pin/1234-5678/scopes/export"
    ]


@pytest.mark.usefixtures("folder")
def test_a_failure_that_passes_is_outlived(api: Sandbox, pinsync: CommandLine) -> None:
    api.fail(parse_fault("429:2"), parse_fault("truncate"))
    before = len(api.requests)
    assert pinsync("export").code == 0
    assert "position: 7" in document().read_text()
    assert [request.status for request in api.requests[before:]] == [429, 429, 200, 200]


def test_a_hang_is_given_up(
    api: Sandbox, folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_TIMEOUT", "0.1")
    api.fail(Fault(times=None, delay=60))
    result = refused(pinsync, folder)
    assert "gave no sign for 0.1 s" in result.err
    assert "raise PINSYNC_TIMEOUT" in result.err


def test_a_host_without_an_address_is_named(
    folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # so that no question leaves this machine
    monkeypatch.setenv("PINSYNC_HOST", "https://pinsync.invalid")
    result = refused(pinsync, folder)
    assert "https://pinsync.invalid can't be found by name (DNS)" in result.err
    assert "hosts of the tracker" in result.err


def test_nobody_listening_is_a_clear_error(
    folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("PINSYNC_HOST", f"http://127.0.0.1:{port}")
    assert f"http://127.0.0.1:{port} can't be reached" in refused(pinsync, folder).err


def test_an_answer_beyond_the_cap_is_refused_and_the_setting_named(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    put(folder / "pinsync.yaml", "safety: {max_answer_mb: 1}\n")
    answered(api, [{**rows()[0], "note": "x" * 1_000_000}])
    result = refused(pinsync, folder)
    assert "answered with more than 1 MB" in result.err
    assert "raise safety.max_answer_mb in pinsync.yaml" in result.err


def test_a_wrong_key_names_the_variable_and_shows_no_key(
    folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "another-secret-key")
    result = refused(pinsync, folder, "-v")
    assert "401 Unauthorized" in result.err
    assert "PINSYNC_PRIVATE_KEY holds the private key of tracker_id 1234-5678" in result.err
    assert "another-secret-key" not in result.err


ECHOED = 'PinsyncTest/key+with%odd"marks'
"""A key that looks otherwise in a URL and in JSON."""


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, json.dumps({"reason": f"{ECHOED} is wrong"}).encode()),
        Answer(401, json.dumps({"reason": f"{'x' * 290}{ECHOED}"}).encode()),
        Answer(
            422,
            json.dumps(
                {"reason": "no", "exception_details": {ECHOED: [f"a {ECHOED.upper()}"]}}
            ).encode(),
        ),
        Answer(422, json.dumps({"reason": json.dumps({"key": ECHOED})}).encode()),
        Answer(302, b"", {"Location": f"/login/{quote(ECHOED, safe='')}?key={quote(ECHOED)}"}),
        Answer(302, b"", {"Location": f"https://elsewhere/{quote(ECHOED).lower()}"}),
        Answer(403, f"<html>{ECHOED}</html>".encode(), {"Content-Type": "text/html"}),
        Answer(200, f"<html>{ECHOED}</html>".encode(), {"Content-Type": "text/html"}),
        Answer(200, WHOLE.encode(), {"Content-Encoding": ECHOED}),
        Answer(503, ECHOED.encode()),
    ],
    ids=lambda answer: str(answer.status),
)
def test_a_key_that_is_echoed_is_not_shown(
    answer: Answer,
    api: Sandbox,
    folder: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", ECHOED)
    api.fail(Fault(times=None, answer=answer))
    text = refused(pinsync, folder, "-v").err.lower()
    for part in ("pinsynctest", "with%", "marks"):
        assert part not in text
    assert str(answer.status) in text or answer.status == 200


def test_a_key_that_is_echoed_in_base64_or_hexadecimal_is_not_shown(
    api: Sandbox, folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", ECHOED)
    header = base64.b64encode(f"1234-5678:{ECHOED}".encode()).decode()
    reason = f"got {header} and {ECHOED.encode().hex().upper()}"
    api.fail(Fault(times=None, answer=Answer(401, json.dumps({"reason": reason}).encode())))
    # One digit of base64 holds the last bits of the colon and the first of the key.
    assert f"got {header[:14]}<private key> and <private key>" in refused(pinsync, folder).err


def test_an_unknown_tracker_names_the_setting(
    folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_TRACKER_ID", "9999")
    result = refused(pinsync, folder)
    assert "404 Not Found: Tracker not found" in result.err
    assert "PINSYNC_TRACKER_ID" in result.err


def test_a_refused_filter_names_the_apis_field(folder: Path, pinsync: CommandLine) -> None:
    result = refused(pinsync, folder, "--target-type", "items")
    assert "422" in result.err
    assert "target_type: Must be one of: item, criteria, all" in result.err
    assert "--target-type" in result.err


def test_what_the_api_says_is_data_on_one_line(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    body = json.dumps(
        {"reason": "\x1b[2Jgone\n::error::x", "exception_details": {"\u202em": ["\x07"]}}
    ).encode()
    api.fail(Fault(answer=Answer(422, body)))
    result = refused(pinsync, folder)
    assert r"\u001b[2Jgone ::error::x; \u202em: \u0007" in result.err


def test_an_empty_answer_where_files_are_is_refused(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    answered(api, [])
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 4
    assert "tracker default: the answer is empty, but 3 customizations are here" in result.err
    assert "--allow-mass-removal" in result.err


def test_check_fails_as_the_export_does(api: Sandbox, folder: Path, pinsync: CommandLine) -> None:
    api.fail(parse_fault("500"))
    assert "500" in refused(pinsync, folder, "--check").err


def test_an_empty_answer_for_an_empty_folder_is_in_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    monkeypatch.chdir(tmp_path)
    with served(monkeypatch, []):
        assert pinsync("export").code == 0
    assert list(tmp_path.iterdir()) == []
