"""Where requests may go and files may be written: the rules that a configuration from a stranger is held to.

Both rules are lists of what is allowed rather than of what is known to be bad.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.escape import one_line, printable
from pinsync.layout import DEVICES

if TYPE_CHECKING:
    from collections.abc import Collection

_SUCH_AS: Final = "such as https://live.luigisbox.tech"
_DOMAINS: Final = ("luigisbox.tech", "luigisbox.com")
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rf"(?:{_LABEL}\.)*{_LABEL}"
_IPV6: Final = r"\[[0-9a-f:]+\]"
_ORIGIN: Final = re.compile(rf"(https?)://({_NAME}|{_IPV6})(?::([0-9]{{1,5}}))?/?")
_MAX_ORIGIN: Final = 300
_MAX_PORT: Final = 65535

# Part of what makes a folder portable. In the names of ports the superscript digits count as digits.
_DEVICE: Final = re.compile(rf"(?:{DEVICES}|(?:com|lpt)[¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_UNPORTABLE: Final = re.compile(r'[\\:<>"|?*~]')
_CI_FOLDERS: Final = frozenset({"ci", "azure-pipelines", "jenkins"})
_MAX_DIRECTORY: Final = 200


class HostError(ValueError):
    """Why a host is refused.

    Args:
        reason: shows no more of the text than the name.
        hint: what to do about it.
    """

    def __init__(self, reason: str, hint: str = f"write scheme and name only, {_SUCH_AS}") -> None:
        super().__init__(reason)
        self.hint = hint


def host_name(text: str) -> str | None:
    """Return a host's name in lower case, an IPv6 address shortened; None if it isn't one."""
    # Only ASCII is lowered: the Kelvin sign, for one, would become a k.
    name = text.lower() if text.isascii() else ""
    try:
        if re.fullmatch(_IPV6, name):
            return f"[{ipaddress.IPv6Address(name[1:-1])}]"
        if re.fullmatch(r"[0-9.]+", name):
            return str(ipaddress.IPv4Address(name))
    except ValueError:
        return None
    return name if re.fullmatch(_NAME, name) else None


def origin(text: str, allowed: Collection[str] | None) -> str:
    """Return a host as ``scheme://name[:port]`` in lower case.

    Args:
        text: the host as it is configured.
        allowed: the hosts that the user allows besides the vendor's domains; None for every host.

    Raises:
        HostError: the host is refused.
    """
    if "@" in text:
        raise HostError("must not hold a user name or password")
    if "?" in text or "#" in text:
        raise HostError("must not hold a query or a fragment")
    match = _ORIGIN.fullmatch(text.lower()) if text.isascii() and len(text) <= _MAX_ORIGIN else None
    name = host_name(match[2]) if match else None
    if match is None or name is None:
        raise HostError("must be a scheme and a host name, without path, trailing dot, or non-ASCII characters")
    scheme, _, port = match.groups()
    if port is not None and not 1 <= int(port) <= _MAX_PORT:
        raise HostError(f"must have a port from 1 to {_MAX_PORT}", "leave it out for the usual one")
    if allowed is not None:
        _refuse_foreign(name, allowed)
    if scheme == "http" and not _is_loopback(name):
        raise HostError("must use https: plain http is for loopback only", f"write https://{name}")
    return f"{scheme}://{name}" if port is None else f"{scheme}://{name}:{int(port)}"


def _refuse_foreign(name: str, allowed: Collection[str]) -> None:
    """Refuse a host that is neither the vendor's nor allowed.

    Loopback is foreign too: a stranger's file must not reach the services of this machine.
    """
    if name in allowed or any(f".{name}".endswith(f".{domain}") for domain in _DOMAINS):
        return
    reason = f"must not point at {name}: allowed are {', '.join(_DOMAINS)}, their subdomains"
    variable = shlex.quote(",".join(sorted({*allowed, name})))
    hint = f"write one of those, {_SUCH_AS}; or, if you trust {name}"
    raise HostError(
        f"{reason}, and the hosts in PINSYNC_ALLOW_HOST",
        f"{hint}: export PINSYNC_ALLOW_HOST={variable}",
    )


def _is_loopback(name: str) -> bool:
    if name in {"localhost", "[::1]"}:
        return True
    try:
        return ipaddress.IPv4Address(name).is_loopback
    except ValueError:
        return False


def directory(text: str, base: PurePosixPath) -> PurePosixPath:
    """Return the folder of the documents relative to the repository's root.

    Args:
        text: the folder as it is configured, relative to ``base``.
        base: the folder of the configuration file, relative to the root.

    Raises:
        ValueError: the folder is refused; says why.
    """
    if text.startswith("/") or ".." in text.split("/"):
        raise ValueError("must be a folder inside the repository, relative to the file, without `..`")
    if one_line(text) != text or _UNPORTABLE.search(text) or len(text) > _MAX_DIRECTORY:
        raise ValueError(
            'must be a plain path of at most 200 characters, with / and without control characters or \\:<>"|?*~'
        )
    if not PurePosixPath(text).parts:
        raise ValueError("must be a folder of its own, not the one that the file lies in")
    return within(base / text)


def within(path: PurePosixPath) -> PurePosixPath:
    """Return a folder as it is, once sure that it may be the one of the documents.

    Args:
        path: the folder, relative to the repository's root.

    Raises:
        ValueError: the folder is refused; says why.
    """
    for part in path.parts:
        # Git and the CI systems keep theirs in folders that begin with a dot; ".GIT", ".git." and the like do too.
        if part.startswith(".") or part.casefold() in _CI_FOLDERS:
            raise ValueError(f"must not lie in {printable(part)}: such folders belong to git, CI and other tools")
        if part != part.strip(" ") or part.endswith(".") or is_device(part):
            raise ValueError(f'must not hold "{part}", which not every file system can store')
    return path


def is_device(name: str) -> bool:
    """Return whether Windows takes a file's or folder's name for a device."""
    return _DEVICE.fullmatch(name) is not None
