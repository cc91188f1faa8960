"""The environment variables that commands read, as their help names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURATION: Final = ("PINSYNC_CONFIG", "PINSYNC_TRACKER_ID", "PINSYNC_ALLOW_HOST")
API: Final = (
    "PINSYNC_PRIVATE_KEY",
    "PINSYNC_PRIVATE_KEY_FILE",
    "PINSYNC_PRIVATE_KEY_COMMAND",
    "PINSYNC_HOST",
    "PINSYNC_TIMEOUT",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
PAGER: Final = ("GIT_PAGER", "PAGER")
TERMINAL: Final = ("NO_COLOR", "FORCE_COLOR", "TERM", "CI")
STATE: Final = ("XDG_STATE_HOME",)
STEP_SUMMARY: Final = ("GITHUB_STEP_SUMMARY",)

MEANINGS: Final[Mapping[str, str]] = {
    "PINSYNC_CONFIG": "Path to pinsync.yaml (default: the nearest one).",
    "PINSYNC_TRACKER_ID": "Tracker, where pinsync.yaml names none.",
    "PINSYNC_ALLOW_HOST": "Hosts, joined by commas, allowed in pinsync.yaml besides the vendor's.",
    "PINSYNC_PRIVATE_KEY": "Private key, unless private_key_env names another variable.",
    "PINSYNC_PRIVATE_KEY_FILE": "File with the key. Likewise NAME_FILE for private_key_env: NAME.",
    "PINSYNC_PRIVATE_KEY_COMMAND": "Command that prints the key. Likewise NAME_COMMAND.",
    "PINSYNC_HOST": "Host of the API, in place of all hosts in pinsync.yaml.",
    "PINSYNC_TIMEOUT": "Seconds to wait for a byte of an answer (default: 30).",
    "HTTPS_PROXY": "Proxy, also as https_proxy.",
    "ALL_PROXY": "Proxy where HTTPS_PROXY is not set, also as all_proxy.",
    "NO_PROXY": "Hosts to reach without a proxy, also as no_proxy.",
    "SSL_CERT_FILE": "Certificates to trust.",
    "SSL_CERT_DIR": "Folder of certificates to trust.",
    "GIT_PAGER": "Pager on a terminal, before core.pager of git's settings.",
    "PAGER": "Pager on a terminal, after core.pager (default: git's own).",
    "NO_COLOR": "Any value turns colour off.",
    "FORCE_COLOR": "Any value turns colour on, unless NO_COLOR is set.",
    "TERM": "dumb means no colour and no progress.",
    "CI": "Any value turns progress off.",
    "XDG_STATE_HOME": "Folder of the user's state: locks, backups and journals.",
    "GITHUB_STEP_SUMMARY": "File to which --format github appends a report, for the job's page.",
}
"""Variable → meaning, in the order of the help."""
