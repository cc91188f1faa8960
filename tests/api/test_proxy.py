"""Which proxy a host is reached through: the variables mean what they mean to curl."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pinsync.api.proxy import find_proxy
from pinsync.errors import ConfigError
from support.exporting import put

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine

HOST = "https://live.luigisbox.tech"
PROXY = "http://proxy.example.com:3128"
KEY = "p4ssw0rd"


def test_without_a_variable_there_is_no_proxy() -> None:
    assert find_proxy(HOST, {}) is None
    assert find_proxy(HOST, {"HTTPS_PROXY": " ", "https_proxy": "", "NO_PROXY": "x"}) is None


@pytest.mark.parametrize(
    ("variables", "counts"),
    [
        (("HTTPS_PROXY",), "HTTPS_PROXY"),
        (("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), "https_proxy"),
        (("ALL_PROXY", "all_proxy", "HTTPS_PROXY"), "HTTPS_PROXY"),
        (("ALL_PROXY", "all_proxy"), "all_proxy"),
        (("ALL_PROXY",), "ALL_PROXY"),
        (("http_proxy", "HTTP_PROXY"), None),
    ],
)
def test_the_variables_have_an_order(variables: tuple[str, ...], counts: str | None) -> None:
    environ = {name: f"http://{name.lower().replace('_', '-')}.example.com" for name in variables}
    proxy = find_proxy(HOST, environ)
    assert (proxy and proxy.variable) == counts
    assert proxy is None or str(proxy.url) == environ[proxy.variable]


@pytest.mark.parametrize(
    ("value", "url", "secret"),
    [
        ("proxy.example.com:3128", PROXY, ""),
        (" http://proxy.example.com:3128/ ", f"{PROXY}/", ""),
        ("https://u:p%40%23@proxy.example.com:1", "https://u:p%40%23@proxy.example.com:1", "p@#"),
        ("token@[2001:db8::1]:3128", "http://token@[2001:db8::1]:3128", "token"),
    ],
)
def test_a_proxy_may_lack_a_scheme_and_have_credentials(value: str, url: str, secret: str) -> None:
    proxy = find_proxy(HOST, {"HTTPS_PROXY": value})
    assert proxy is not None
    assert (str(proxy.url), proxy.secret) == (url, secret)
    assert "example" not in repr(proxy)


NAMES = {"host": HOST, "IPv4": "https://10.1.2.3:8443", "IPv6": "https://[fd07:b51a:cc66:f0::9]"}


@pytest.mark.parametrize(
    ("entries", "exempt"),
    [
        ("", []),
        ("*", ["host", "IPv4", "IPv6"]),
        (" * ", ["host", "IPv4", "IPv6"]),
        ("a,*", []),
        ("live.luigisbox.tech", ["host"]),
        ("luigisbox.tech", ["host"]),
        (".luigisbox.tech", ["host"]),
        ("LuigisBox.Tech.", ["host"]),
        ("tech", ["host"]),
        ("box.tech", []),
        ("*.luigisbox.tech", []),
        ("w.live.luigisbox.tech", []),
        ("live.luigisbox.tech:443", []),
        ("https://live.luigisbox.tech", []),
        ("a, \tluigisbox.tech ,b", ["host"]),
        (",,luigisbox.tech", ["host"]),
        (".", []),
        ("10.1.2.3", ["IPv4"]),
        ("10.1.2.3:8443", []),
        ("10.1.2.4", []),
        ("10.0.0.0/8", ["IPv4"]),
        ("10.9.9.9/8", ["IPv4"]),
        ("10.1.2.0/33", []),
        ("10.1.2.3/", []),
        ("1.2.3", []),
        ("fd07:b51a:cc66:f0::9", ["IPv6"]),
        ("FD07:B51A:CC66:00F0:0::9", ["IPv6"]),
        ("[fd07:b51a:cc66:f0::9]", ["IPv6"]),
        ("fd07:b51a:cc66:f0::/64", ["IPv6"]),
        ("[fd07:b51a:cc66:f0::]/64", ["IPv6"]),
        ("fd07:b51a:cc66:f1::/64", []),
        ("[::1],[fe80::]/10,::/200,[", []),
        ("localhost,127.0.0.1,::1,fd07:b51a:cc66:f0::/64,10.0.0.0/8", ["IPv4", "IPv6"]),
    ],
)
def test_an_entry_of_no_proxy_exempts_hosts(entries: str, exempt: list[str]) -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": entries}
    assert [name for name, host in NAMES.items() if find_proxy(host, environ) is None] == exempt


def test_the_lower_case_list_counts_first() -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": "*", "no_proxy": "example.com"}
    assert find_proxy(HOST, environ) is not None
    assert find_proxy(HOST, {**environ, "no_proxy": ""}) is None


@pytest.mark.parametrize(
    "host",
    [
        "http://127.0.0.1:80",
        "https://127.9.9.9",
        "http://[::1]:8080",
        "http://localhost",
        "https://localhost:1",
    ],
)
def test_loopback_never_looks_at_proxies(host: str) -> None:
    for value in (PROXY, "socks5://127.0.0.1:1080", "nonsense://"):
        assert (
            find_proxy(host, {"ALL_PROXY": value, "HTTPS_PROXY": value, "http_proxy": value})
            is None
        )


@pytest.mark.parametrize("scheme", ["socks4", "socks5", "SOCKS5h", "socks"])
def test_socks_is_not_supported_and_says_what_to_do(scheme: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_proxy(HOST, {"ALL_PROXY": f"{scheme}://user:{KEY}@127.0.0.1:1080"})
    assert caught.value.message == "ALL_PROXY: names a SOCKS proxy, which pinsync doesn't support"
    assert "HTTP proxy" in str(caught.value.hint)
    assert "NO_PROXY" in str(caught.value.hint)
    assert KEY not in f"{caught.value}{caught.value.hint}"


def test_a_proxy_that_is_not_used_may_be_socks() -> None:
    assert find_proxy(HOST, {"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks5://x"}) is not None
    assert find_proxy(HOST, {"ALL_PROXY": "socks5://x", "NO_PROXY": "luigisbox.tech"}) is None


@pytest.mark.parametrize(
    "value",
    [
        f"gopher://user:{KEY}@proxy",
        f"http://user:{KEY}#@proxy:3128",
        f"http://user:1/{KEY}@proxy:3128",
        f"http://user:1?{KEY}@proxy:3128",
        f"http://user:1#{KEY}@proxy:3128",
        f"http://{KEY}:x@[::1",
        f"http://{KEY}@xn--a",
        f"http://{KEY}@",
        f"{KEY}@proxy:70000",
        f"{KEY}@proxy:0",
        f"{KEY}\x00",
        "http://",
    ],
)
def test_a_variable_that_can_not_be_used_is_named_without_its_value(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_proxy(HOST, {"https_proxy": value})
    assert caught.value.message == "https_proxy: is not the URL of an HTTP proxy"
    assert "percent-encoded" in str(caught.value.hint)
    assert KEY not in f"{caught.value}{caught.value.hint}"
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.skipif(not shutil.which("curl"), reason="compares with curl")
@pytest.mark.parametrize(
    ("host", "entries"),
    [
        ("https://a.example.invalid", "example.invalid"),
        ("https://a.example.invalid", ".example.invalid"),
        ("https://a.example.invalid", "ample.invalid"),
        ("https://a.example.invalid:444", "a.example.invalid:444"),
        ("https://a.example.invalid", "b, example.invalid."),
        ("https://a.example.invalid", "b,*"),
        ("https://a.example.invalid", "*"),
    ],
)
def test_curl_means_the_same(host: str, entries: str) -> None:
    """A proxy's name that can't be resolved is error 5 to curl, and a host's is error 6."""
    environ = {"https_proxy": "http://proxy.invalid:1", "NO_PROXY": entries}
    done = subprocess.run(
        ["curl", "-q", "-s", host], env={**os.environ, **environ}, capture_output=True, check=False
    )
    assert done.returncode == (6 if find_proxy(host, environ) is None else 5)


# The commands.

VARIABLES = [
    {"NO_PROXY": "localhost,127.0.0.1,::1,[::1]"},
    {"no_proxy": "10.0.0.0/8,fe80::/10"},
    {"ALL_PROXY": "socks5h://127.0.0.1:1080"},
    {"all_proxy": "nonsense"},
]


@pytest.mark.parametrize("environ", VARIABLES, ids=str)
@pytest.mark.usefixtures("api", "repository")
def test_the_sandbox_is_reached_whatever_proxies_are_set(
    environ: dict[str, str], pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    result = pinsync("export", "--check")
    assert (result.code, result.err) == (
        1,
        "default: 3 added, 0 changed, 0 removed · 2 files would be written in customizations/\n",
    )


def test_the_demo_needs_no_proxy(pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "[::1]")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    assert pinsync("demo").code == 0


def test_a_proxy_that_can_not_be_used_is_the_configurations_fault(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", "trackers: {sk: {tracker_id: 1-2}}\n")
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "k")
    monkeypatch.setenv("ALL_PROXY", f"socks5://user:{KEY}@127.0.0.1:1080")
    result = pinsync("export", "-v")
    assert result.code == 2
    assert "error: ALL_PROXY: names a SOCKS proxy" in result.err
    assert KEY not in result.err
