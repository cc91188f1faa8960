"""Faults on demand and the sandbox's HTTP, byte for byte; no request here needs to be signed."""

from __future__ import annotations

import gzip
import http.client
import json

import httpx
import pytest

from pinsync.errors import UsageError
from pinsync.sandbox import Answer, Fault, Sandbox, parse_fault
from pinsync.sandbox.faults import SIGNS, halve

UNSIGNED = "/v1/recommender/pin/1234-5678/scopes/export"


def ask(sandbox: Sandbox, accept: str = "identity") -> httpx.Response:
    headers = {"Accept-Encoding": accept, "User-Agent": "me/1"}
    with httpx.Client(trust_env=False, verify=False, timeout=5) as client:  # noqa: S501 - no TLS here, so no need to load CAs
        return client.post(f"{sandbox.url}{UNSIGNED}?model=a%20b&tag=&model=c", headers=headers)


def port(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


def test_answers_are_compressed_where_that_is_welcome() -> None:
    with Sandbox() as sandbox:
        encodings = {
            accepted: ask(sandbox, accepted).headers.get("Content-Encoding")
            for accepted in ("gzip, deflate", "br, gzip;q=0.5", "identity", "gzip;q=0")
        }
    assert encodings == {
        "gzip, deflate": "gzip",
        "br, gzip;q=0.5": "gzip",
        "identity": None,
        "gzip;q=0": None,
    }


def test_one_connection_serves_many_requests() -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", port(sandbox))
        for _ in range(3):
            connection.request("POST", UNSIGNED)
            assert connection.getresponse().read() != b""
            socket = connection.sock
        assert connection.sock is socket
        connection.close()
        assert len(sandbox.requests) == 3


def test_an_open_connection_does_not_hold_up_the_end() -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", port(sandbox))
        connection.request("POST", UNSIGNED)
        connection.getresponse().read()
    connection.close()
    with pytest.raises(httpx.ConnectError):
        ask(sandbox)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Content-Length", "many", 411),
        ("Transfer-Encoding", "chunked", 411),
        ("Content-Length", str(10**12), 413),
    ],
)
def test_a_body_without_a_known_length_is_refused(name: str, value: str, status: int) -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", port(sandbox))
        connection.putrequest("POST", UNSIGNED)
        connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_requests_are_remembered() -> None:
    with Sandbox() as sandbox:
        ask(sandbox)
        (request,) = sandbox.requests
    assert (request.method, request.path) == ("POST", UNSIGNED)
    assert request.query == {"model": ["a b", "c"], "tag": [""]}
    assert (request.headers["user-agent"], request.status) == ("me/1", 401)


def test_a_port_that_is_taken() -> None:
    with (
        Sandbox() as sandbox,
        pytest.raises(UsageError, match="can't listen on port"),
        Sandbox(port=port(sandbox)),
    ):
        pass


def test_environment() -> None:
    with Sandbox(tracker_id="7-8", private_key="k") as sandbox:
        assert sandbox.environment == {
            "PINSYNC_TRACKER_ID": "7-8",
            "PINSYNC_PRIVATE_KEY": "k",
            "PINSYNC_HOST": f"http://127.0.0.1:{port(sandbox)}",
        }


# Faults


def statuses(sandbox: Sandbox, count: int) -> list[int]:
    return [ask(sandbox).status_code for _ in range(count)]


def test_faults_come_in_order_and_then_service_is_normal() -> None:
    with Sandbox(faults=[parse_fault("429:2:retry-after=3"), parse_fault("503")]) as sandbox:
        assert statuses(sandbox, 5) == [429, 429, 503, 401, 401]
        assert [request.status for request in sandbox.requests] == [429, 429, 503, 401, 401]
        sandbox.fail(parse_fault("500:*"))
        assert statuses(sandbox, 4) == [500] * 4
        sandbox.fail()
        assert statuses(sandbox, 1) == [401]


def test_an_error_has_the_apis_shape_and_says_when_to_come_back() -> None:
    with Sandbox(
        faults=[parse_fault("429:1:retry-after=3"), parse_fault("503"), parse_fault("599")]
    ) as sandbox:
        first, second, third = (ask(sandbox) for _ in range(3))
    assert (first.json(), first.headers["Retry-After"]) == ({"reason": "Too Many Requests"}, "3")
    assert (second.json(), "Retry-After" in second.headers) == (
        {"reason": "Service Unavailable"},
        False,
    )
    assert third.json() == {"reason": "Error"}


def test_truncate_sends_half_of_the_body() -> None:
    with Sandbox(faults=[parse_fault("truncate")]) as sandbox:
        with pytest.raises(
            httpx.RemoteProtocolError, match="without sending complete message body"
        ):
            ask(sandbox)
        assert statuses(sandbox, 1) == [401]


def test_reset_resets_the_connection() -> None:
    with Sandbox(faults=[parse_fault("reset")]) as sandbox:
        with pytest.raises(httpx.ReadError, match="reset"):
            ask(sandbox)
        assert [request.status for request in sandbox.requests] == [None]
        assert statuses(sandbox, 1) == [401]


def test_slow_holds_the_answer_back_but_not_the_end() -> None:
    with Sandbox(faults=[parse_fault("slow:300")]) as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", port(sandbox), timeout=0.2)
        connection.request("POST", UNSIGNED)
        with pytest.raises(TimeoutError):
            connection.getresponse()
        assert sandbox.requests == []
    connection.close()
    assert len(sandbox.requests) == 1


def test_html_redirect_and_garbage() -> None:
    with Sandbox(
        faults=[parse_fault("html"), parse_fault("redirect"), parse_fault("garbage")]
    ) as sandbox:
        html, redirect, garbage = (ask(sandbox) for _ in range(3))
    assert html.status_code == 200
    assert html.headers["Content-Type"].startswith("text/html")
    assert (redirect.status_code, redirect.headers["Location"]) == (302, "/login")
    with pytest.raises(UnicodeDecodeError):
        garbage.content.decode()


@pytest.mark.parametrize(
    ("sign", "keys", "headers"),
    [
        ("total", {"total": 3}, {}),
        ("next", {"meta": {"pagination": {"next": 2}}}, {}),
        ("errors", {"errors": [{"message": "A shard timed out"}]}, {}),
        ("header", {}, {"X-Total-Count": "3"}),
        ("range", {}, {"Content-Range": "items 0-0/3"}),
        ("link", {}, {"Link": '<?page=2>; rel="next"'}),
    ],
)
def test_half_of_an_answer_has_a_sign_that_tells_so(
    sign: str, keys: dict[str, object], headers: dict[str, str]
) -> None:
    assert sign in SIGNS
    half = halve(Answer(200, b'{"results": [{"id": "a"}, {}, {}], "x": 1}', {"Y": "z"}), sign)
    assert json.loads(half.body) == {"results": [{"id": "a"}], "x": 1, **keys}
    assert half.headers == {"Y": "z", **headers}


def test_partial_leaves_an_error_as_it_is() -> None:
    with Sandbox(faults=[parse_fault("partial:header")]) as sandbox:
        response = ask(sandbox)
    assert response.status_code == 401
    assert [*response.json()] == ["reason"]
    assert "X-Total-Count" not in response.headers


def test_half_of_one_result_is_none() -> None:
    half = halve(Answer(200, b'{"results": [{}]}'), "range")
    assert (half.body, half.headers) == (b'{"results": []}', {"Content-Range": "items */1"})


def test_an_answer_without_a_body_has_no_half() -> None:
    assert halve(Answer(204), "total") == Answer(204)


def test_any_answer_can_be_given_byte_for_byte() -> None:
    headers = {
        "Content-Encoding": "gzip",
        "X-Odd": "1",
        "Content-Type": "a/b",
        "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
    }
    with Sandbox(faults=[Fault(answer=Answer(206, gzip.compress(b"[NaN]"), headers))]) as sandbox:
        response = ask(sandbox, "gzip")
    assert (response.status_code, response.content) == (206, b"[NaN]")
    assert [response.headers.get_list(name) for name in headers] == [
        [value] for value in headers.values()
    ]


@pytest.mark.parametrize(
    "spec", ["", "oops", "reset:", ":2", "200", "600", "42", "429:0", "429:-1", "429:x", "429:1:2"]
)
def test_a_status_that_is_no_fault(spec: str) -> None:
    refused(spec)


@pytest.mark.parametrize(
    "spec",
    [
        "html:1:2",
        "html:retry-after=1",
        "slow:-1",
        "slow:nan",
        "clock:inf",
        "slow:1:2:3",
        "partial:2",
        "partial:total:0",
        "catalog:next",
        "catalog:cut:0",
    ],
)
def test_a_fault_that_does_not_exist(spec: str) -> None:
    refused(spec)


@pytest.mark.parametrize(
    "spec",
    [
        "reset:write=0",
        "reset:write=x",
        "reset:write=*",
        "reset:write",
        "reset:writes=1",
        "reset:effect=later",
        "truncate:effect=after",
        "partial:effect=after",
        "clock:effect=after",
        "slow:effect=half",
        "reset:rate-limit=1",
        "html:rate-limit=1",
        "429:rate-limit=-1",
        "429:rate-limit=soon",
        "429:1:write=2:3",
    ],
)
def test_a_setting_that_does_not_exist(spec: str) -> None:
    refused(spec)


def refused(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fault(spec)
    assert repr(spec) in caught.value.message
    assert "STATUS[:TIMES]" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("spec", "times"),
    [
        ("429", 1),
        ("429:3", 3),
        ("429:*", None),
        ("slow", 1),
        ("slow:0.5:2", 2),
        ("html:*", None),
        ("partial", 1),
        ("partial:link:*", None),
        ("catalog", 1),
        ("catalog:loop:2", 2),
    ],
)
def test_how_often_a_fault_befalls(spec: str, times: int | None) -> None:
    assert parse_fault(spec).times == times


@pytest.mark.parametrize(
    ("spec", "times", "write", "effect"),
    [
        ("reset", 1, None, "before"),
        ("reset:write=3", 1, 3, "before"),
        ("500:2:write=3:effect=after", 2, 3, "after"),
        ("slow:0.5:*:effect=after:write=1", None, 1, "after"),
        ("html:effect=half", 1, None, "half"),
        ("slow:effect=before", 1, None, "before"),
    ],
)
def test_settings_of_a_fault(spec: str, times: int | None, write: int | None, effect: str) -> None:
    fault = parse_fault(spec)
    assert (fault.times, fault.write, fault.effect) == (times, write, effect)


def test_a_rate_limit_and_a_retry_after_go_together() -> None:
    fault = parse_fault("429:2:write=1:rate-limit=7:retry-after=3")
    assert fault.answer is not None
    assert (fault.limit, fault.times, fault.answer.headers) == (7, 2, {"Retry-After": "3"})


def test_a_retry_after_may_be_a_date() -> None:
    answer = parse_fault("503:1:retry-after=Wed, 21 Oct 2026 07:28:00 GMT").answer
    assert answer is not None
    assert answer.headers == {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
