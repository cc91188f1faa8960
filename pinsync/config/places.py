"""Check the hosts and the folder that a configuration from a stranger names.

Both checks compare with a list of allowed values, not of known bad ones.
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
_HOST_NAME: Final = rf"(?:{_LABEL}\.)*{_LABEL}"
_IPV6: Final = r"\[[0-9a-f:]+\]"
_ORIGIN: Final = rf"(https?)://({_HOST_NAME}|{_IPV6})(?::([0-9]{{1,5}}))?/?"
_MAX_ORIGIN: Final = 300
_MAX_PORT: Final = 65535

# Windows takes superscript digits in the names of ports for digits.
_DEVICE: Final = rf"(?i)(?:{DEVICES}|(?:com|lpt)[¹²³]|conin\$|conout\$)(?:\..*)?"
_UNPORTABLE: Final = r'[\\:<>"|?*~]'
_CI_FOLDERS: Final = frozenset({"ci", "azure-pipelines", "jenkins"})
_MAX_DIRECTORY: Final = 200


class HostError(ValueError):
    """Why a host is refused.

    Args:
        reason: the reason, which shows no more of the text than the host name.
        hint: the remedy.
    """

    def __init__(self, reason: str, hint: str = f"write scheme and name only, {_SUCH_AS}") -> None:
        super().__init__(reason)
        self.hint = hint


def read_host_name(text: str) -> str | None:
    """Return a host name in lower case, an IPv6 address shortened; None if it is invalid."""
    # Lower ASCII only: lower() turns the Kelvin sign, for example, into a k.
    name = ""
    if text.isascii():
        name = text.lower()
    try:
        if re.fullmatch(_IPV6, name):
            return f"[{ipaddress.IPv6Address(name[1:-1])}]"
        if re.fullmatch(r"[0-9.]+", name):
            return str(ipaddress.IPv4Address(name))
    except ValueError:
        return None
    if not re.fullmatch(_HOST_NAME, name):
        return None
    return name


def read_picture_host(text: str) -> str | None:
    """Return the name of a host with pictures in lower case; None if it is no such name.

    A content security policy knows no IP addresses, and pages have no business on loopback or on a
    name of the local network without a dot.
    """
    name = read_host_name(text)
    if name is None or "." not in name or re.fullmatch(r"\[.*|[0-9.]+|.*\.localhost", name):
        return None
    return name


def check_origin(text: str, allowed: Collection[str] | None) -> str:
    """Return a host as ``scheme://name[:port]`` in lower case.

    Args:
        text: the host as it is configured.
        allowed: the hosts allowed by the user besides the vendor's domains; None for every host.

    Raises:
        HostError: the host is refused.
    """
    if "@" in text:
        raise HostError("must not hold a user name or password")
    if "?" in text or "#" in text:
        raise HostError("must not hold a query or a fragment")
    match = name = None
    if text.isascii() and len(text) <= _MAX_ORIGIN:
        match = re.fullmatch(_ORIGIN, text.lower())
    if match is not None:
        name = read_host_name(match[2])
    if match is None or name is None:
        raise HostError(
            "must be a scheme and a host name, without path, trailing dot, or non-ASCII characters"
        )
    scheme, _, port = match.groups()
    if port is not None and not 1 <= int(port) <= _MAX_PORT:
        raise HostError(f"must have a port from 1 to {_MAX_PORT}", "leave it out for the usual one")
    if allowed is not None:
        _refuse_foreign(name, allowed)
    if scheme == "http" and not _is_loopback(name):
        raise HostError("must use https: plain http is for loopback only", f"write https://{name}")
    if port is None:
        return f"{scheme}://{name}"
    return f"{scheme}://{name}:{int(port)}"  # int() drops leading zeros


def _refuse_foreign(name: str, allowed: Collection[str]) -> None:
    """Refuse a host that is neither the vendor's nor allowed."""
    # Loopback is foreign too: a stranger's file must not reach the services of this machine.
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


def check_directory(text: str, base: PurePosixPath) -> PurePosixPath:
    """Return the folder of the documents relative to the repository's root.

    Args:
        text: the folder as it is configured, relative to ``base``.
        base: the folder of the configuration file, relative to the root.

    Raises:
        ValueError: the folder is refused; the message says why.
    """
    if text.startswith("/") or ".." in text.split("/"):
        raise ValueError(
            "must be a folder inside the repository, relative to the file, without `..`"
        )
    if one_line(text) != text or re.search(_UNPORTABLE, text) or len(text) > _MAX_DIRECTORY:
        raise ValueError(
            f"must be a plain path of at most {_MAX_DIRECTORY} characters, "
            'with / and without control characters or \\:<>"|?*~'
        )
    if not PurePosixPath(text).parts:
        raise ValueError("must be a folder of its own, not the folder of the file")
    return check_folder(base / text)


def check_folder(path: PurePosixPath) -> PurePosixPath:
    """Return the folder unchanged if it may hold the documents.

    Args:
        path: the folder, relative to the repository's root.

    Raises:
        ValueError: the folder is refused; the message says why.
    """
    for part in path.parts:
        # git and CI systems keep their files in folders that begin with a dot. This also refuses
        # other spellings of .git, such as ".GIT" and ".git.".
        if part.startswith(".") or part.casefold() in _CI_FOLDERS:
            reason = "such folders belong to git, CI and other tools"
            raise ValueError(f"must not lie in {printable(part)}: {reason}")
        # Windows drops a dot or a space at the end of a name.
        if part != part.strip(" ") or part.endswith(".") or is_device(part):
            raise ValueError(f'must not hold "{part}", which not every file system can store')
    return path


def is_device(name: str) -> bool:
    """Return whether Windows takes the name of a file or folder for a device."""
    return re.fullmatch(_DEVICE, name) is not None
