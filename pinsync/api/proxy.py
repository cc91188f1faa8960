"""Find the proxy of a host in the environment variables that curl reads.

The variables have the meaning that they have to curl: https://curl.se/docs/manpage.html,
"ENVIRONMENT", and curl's lib/noproxy.c. httpx reads the same variables, but fails if ``NO_PROXY``
holds an IPv6 network or an address in brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from pinsync.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# `http_proxy` is missing: plain http is for loopback only, which needs no proxy.
_PROXY_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_NO_PROXY_VARIABLES: Final = ("no_proxy", "NO_PROXY")
_BRACKETS: Final = re.compile(r"^\[(.+)\](?=/|$)")
_SCHEMES: Final = frozenset({"http", "https"})
_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the environment variable that names it."""

    variable: str
    url: httpx.URL = field(repr=False)

    @property
    def secret(self) -> str:
        """The password in the URL, else the user name, which may be a token; else empty."""
        return self.url.password or self.url.username


def find_proxy(host: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy of a host; None for a direct connection.

    Args:
        host: scheme, name and port of the host.
        environ: the environment variables.

    Raises:
        ConfigError: the variable doesn't hold the URL of a usable proxy. The value isn't shown,
            since it may hold a password.
    """
    name = urlsplit(host).hostname or ""
    address = _parse_address(name)
    if name == "localhost" or (address is not None and address.is_loopback):
        return None
    variable = _find_set_variable(_PROXY_VARIABLES, environ)
    if variable is None:
        return None
    exemption = _find_set_variable(_NO_PROXY_VARIABLES, environ)
    if exemption is not None and _is_exempt(name, address, environ[exemption]):
        return None
    return Proxy(variable, _parse_url(variable, environ[variable].strip()))


def _find_set_variable(variables: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """Return the first variable with a value; curl takes an empty variable for unset."""
    for variable in variables:
        if environ.get(variable, "").strip():
            return variable
    return None


def _is_exempt(name: str, address: IPv4Address | IPv6Address | None, entries: str) -> bool:
    """Return whether ``NO_PROXY`` exempts a host.

    Args:
        name: the host's name or address.
        address: the address, if the name is one.
        entries: the value of ``NO_PROXY``.
    """
    if entries.strip() == "*":
        return True
    return any(_matches(entry, name, address) for entry in entries.replace(",", " ").split())


def _matches(entry: str, name: str, address: IPv4Address | IPv6Address | None) -> bool:
    if address is None:
        # An entry with a port matches nothing: curl compares it with the name alone.
        domain = entry.lower().removeprefix(".").removesuffix(".")
        return domain != "" and f".{name}".endswith(f".{domain}")
    try:
        # To curl, brackets around an IPv6 address match nothing. Other tools want them.
        return address in ip_network(_BRACKETS.sub(r"\1", entry), strict=False)
    except ValueError:
        return False


def _parse_address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _parse_url(variable: str, value: str) -> httpx.URL:
    scheme, separator, _ = value.partition("://")
    if scheme.lower().startswith("socks"):
        raise ConfigError(
            "names a SOCKS proxy, which pinsync doesn't support",
            source=variable,
            hint="set https_proxy to an HTTP proxy, or exempt the host by NO_PROXY",
        )
    try:
        url = httpx.URL(value if separator else f"http://{value}")
        is_usable = _is_usable(url)
    except (httpx.InvalidURL, ValueError):
        # A ValueError comes from a host name that idna can't decode.
        is_usable = False
    if not is_usable:
        hint = "write it as in http://proxy.example.com:3128, with a percent-encoded password"
        raise ConfigError("is not the URL of an HTTP proxy", source=variable, hint=hint)
    return url


def _is_usable(url: httpx.URL) -> bool:
    """Return whether a URL can be a proxy's."""
    if url.scheme not in _SCHEMES or not url.host:
        return False
    if url.port is not None and not 1 <= url.port <= _MAX_PORT:
        return False
    # A bare "/", "?" or "#" in a password ends the authority: the "@" then lies behind it.
    return b"@" not in url.raw_path and "@" not in url.fragment
