"""What pinsync.yaml and the environment may say, and what is refused, with its place."""

from __future__ import annotations

import shlex
import subprocess
import sys
import traceback
from datetime import UTC
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync import config
from pinsync.config import key, places
from pinsync.errors import ConfigError, UsageError
from pinsync.layout import find_repository_root

HIDDEN = "s3cret-Key/+="

FULL = """\
format: 1
directory: shop/rules
main_branch: release/live
timezone: Europe/Bratislava
trackers:
  shop-sk:
    tracker_id: 1234-5678
    private_key_env: LUIGISBOX_KEY_SK
    hosts: [https://Live.Luigisbox.tech/, "https://a.luigisbox.com:8080"]
    remove_expired_pins: true
  shop_cz:
    tracker_id: "9999"
    remove_nonexisting_item_pins: true
ignore: [target_metadata.image, score]
pictures: [CDN.shop.example, img-2.example.com]
safety: {max_removed_percent: 0, min_existing: 5, max_answer_mb: 1}
"""


def parse(text: str, **environ: str) -> config.Settings:
    return config.parse(text.encode(), "pinsync.yaml", root=Path("/repository"), environ=environ)


def refusal(text: str, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, **environ)
    assert caught.value.exit_code == 2
    return caught.value


def tracker(**fields: object) -> str:
    lines = "".join(f"    {name}: {value}\n" for name, value in fields.items())
    return f"trackers:\n  shop:\n    tracker_id: 1234-5678\n{lines}"


def test_every_setting_is_read() -> None:
    settings = parse(FULL)
    assert settings == config.Settings(
        path=None,
        root=Path("/repository"),
        directory=PurePosixPath("shop/rules"),
        timezone="Europe/Bratislava",
        trackers=(
            config.Tracker(
                "shop-sk",
                "1234-5678",
                "LUIGISBOX_KEY_SK",
                ("https://live.luigisbox.tech", "https://a.luigisbox.com:8080"),
                remove_expired_pins=True,
            ),
            config.Tracker("shop_cz", "9999", remove_nonexisting_item_pins=True),
        ),
        ignore=(("target_metadata", "image"), ("score",)),
        pictures=("cdn.shop.example", "img-2.example.com"),
        safety=config.Safety(0, 5, 1),
        timeout=30.0,
        main_branch="release/live",
    )
    assert settings.safety.max_answer_bytes == 1_000_000


def test_a_file_saved_by_an_editor_of_windows_says_the_same() -> None:
    assert parse("\ufeff" + FULL.replace("\n", "\r\n")) == parse(FULL)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "format: 1\n", "trackers:\nignore:\nsafety:\n"]
)
def test_what_is_left_out_has_its_default(text: str) -> None:
    settings = parse(text, PINSYNC_TRACKER_ID="1234-5678")
    assert settings.trackers == (config.Tracker("default", "1234-5678"),)
    assert settings.trackers[0].hosts == (
        "https://live.luigisbox.tech",
        "https://live.luigisbox.com",
    )
    assert settings.trackers[0].private_key_env == "PINSYNC_PRIVATE_KEY"
    assert (settings.directory, settings.timezone, settings.ignore) == (
        PurePosixPath("customizations"),
        "UTC",
        (),
    )
    assert settings.zone is UTC
    assert settings.main_branch is None
    assert (settings.safety.max_removed_percent, settings.safety.min_existing) == (30, 10)
    assert settings.safety.max_answer_mb == 256


REFUSED = [
    # text, line:column, a part of the message, a part of the hint
    ("- a\n", "1:1", "must hold settings", "timezone: Europe/Bratislava"),
    ("format: 2\n", "1:1", "made by a newer pinsync", "upgrade"),
    ("format: true\n", "1:1", "must be 1", "format: 1"),
    ("format: '1'\n", "1:1", "must be 1", "format: 1"),
    ("format: 1.0\n", "1:1", "must be 1", "format: 1"),
    ("\n\ndirectry: x\n", "3:1", "directry is no setting", 'did you mean "directory"?'),
    ("zzz: x\n", "1:1", "zzz is no setting", "known: directory, format"),
    ("directory: 5\n", "1:1", "must be a string, not an integer", "quotes"),
    ("directory:\n", "1:1", "must be a string, not null", "quotes"),
    ("timezone: Europe/Bratislva\n", "1:1", "not a timezone", 'did you mean "Europe/Bratislava"?'),
    ("main_branch: ''\n", "1:1", "must be the name of a branch", "main_branch: main"),
    ("main_branch: a b\n", "1:1", "must be the name of a branch", "without origin/"),
    ("main_branch: refs/heads/main\n", "1:1", "must be the name of a branch", "refs/heads/"),
    ("main_branch: 5\n", "1:1", "main_branch must be a string", "quotes"),
    ("timezone: ../../etc/passwd\n", "1:1", "not a timezone", "IANA"),
    ("timezone: Europe\n", "1:1", "not a timezone", ""),
    (
        "timezone: CEST\n",
        "1:1",
        "not a timezone",
        "IANA name: UTC, or Region/City such as Europe/Bratislava",
    ),
    ("timezone: Prague\n", "1:1", "not a timezone", 'did you mean "Europe/Prague"?'),
    ("timezone: ''\n", "1:1", "not a timezone", "IANA"),
    ("trackers: []\n", "1:1", "must be a mapping, not a list", ""),
    ("trackers:\n  Shop: {tracker_id: a}\n", "2:3", "a-z, 0-9", "shop-sk"),
    ("trackers:\n  ../x: {tracker_id: a}\n", "2:3", "a-z, 0-9", "shop-sk"),
    ("trackers:\n  con: {tracker_id: a}\n", "2:3", "becomes a folder", "shop-sk"),
    ("trackers:\n  shop: 1234-5678\n", "2:3", "trackers.shop must be a mapping, not a string", ""),
    ("trackers:\n  shop:\n", "2:3", "tracker_id is missing", "tracker_id:"),
    (
        "trackers:\n  shop:\n    tracker_id: 12345678\n",
        "3:5",
        "must be a string, not an integer",
        "quotes",
    ),
    ("trackers:\n  shop:\n    tracker_id: a/../b\n", "3:5", "letters, digits", ""),
    ('trackers:\n  shop:\n    tracker_id: "a\\r\\nX: y"\n', "3:5", "letters, digits", ""),
    ("trackers:\n  shop:\n    tracker_id: ''\n", "3:5", "letters, digits", ""),
    (
        tracker(host="https://live.luigisbox.tech"),
        "4:5",
        "host is no setting",
        'did you mean "hosts"?',
    ),
    (tracker(private_key_env="not a name"), "4:5", "name of an environment variable", "replace it"),
    (
        tracker(private_key_env="PATH"),
        "4:5",
        "must not be PATH, which has another meaning",
        "LUIGISBOX_KEY",
    ),
    (
        tracker(private_key_env="GIT_DIR"),
        "4:5",
        "must not be GIT_DIR, which has another meaning",
        "for the key alone",
    ),
    (tracker(private_key_command="cat key"), "4:5", "is no setting", ""),
    (tracker(remove_expired_pins="'yes'"), "4:5", "must be true or false, not a string", ""),
    (tracker(hosts="https://live.luigisbox.tech"), "4:5", "must be a list of strings", "hosts: ["),
    (tracker(hosts="[]"), "4:5", "must not be empty", "leave it out"),
    (
        tracker(hosts="[https://live.luigisbox.tech, 5]"),
        "4:42",
        "hosts[1] must be a string",
        "quotes",
    ),
    (
        tracker(hosts="[https://live.luigisbox.tech, HTTPS://LIVE.luigisbox.tech/]"),
        "4:42",
        "already",
        "remove",
    ),
    (
        "trackers:\n  a: {tracker_id: x}\n  b: {tracker_id: x}\n",
        "3:3",
        "has the tracker_id and a host of a",
        "remove",
    ),
    (tracker(manages="[a]"), "4:5", "manages must be a mapping, not a list", ""),
    (
        tracker(manages="{tag: [a]}"),
        "4:15",
        "trackers.shop.manages.tag is no setting",
        'did you mean "tags"?',
    ),
    (
        tracker(manages="{model: [a]}"),
        "4:15",
        "trackers.shop.manages.model is no setting",
        'did you mean "models"?',
    ),
    (tracker(manages="{tags: a}"), "4:15", "must be a list of strings", "write tags: ["),
    (tracker(manages="{tags: [a, 2026]}"), "4:25", "tags[1] must be a string", "quotes"),
    (
        tracker(manages="{tags: [], models: [basket]}"),
        "4:15",
        "trackers.shop.manages.tags must not be empty",
        "name one at least, or leave tags out for rules with any",
    ),
    (
        tracker(manages="{models: }"),
        "4:15",
        "trackers.shop.manages.models must not be empty",
        "leave models out",
    ),
    (tracker(manage="{tags: [a]}"), "4:5", "manage is no setting", 'did you mean "manages"?'),
    (
        "manages: {tags: [a]}\n",
        "1:1",
        "manages is a setting of a tracker, not of the file",
        "in the section of a tracker",
    ),
    ("ignore: target_metadata.image\n", "1:1", "must be a list", "ignore: ["),
    ("ignore:\n  - score\n  - 5\n", "3:5", "ignore[1] must be a string", ""),
    ("ignore: [a..b]\n", "1:10", "names of fields", "target_metadata.image"),
    ("ignore: ['']\n", "1:10", "names of fields", "target_metadata.image"),
    ("pictures: cdn.example.com\n", "1:1", "must be a list", "pictures: ["),
    ("pictures:\n  - a.example\n  - A.EXAMPLE\n", "3:5", "stands there already", "remove"),
    *(
        (f'pictures: ["{host}"]\n', "1:12", "must be the name of a host", "cdn.shop.example")
        for host in (
            "https://cdn.example.com",
            "cdn.example.com:8443",
            "cdn.example.com/a",
            "*.example.com",
            "cdn.example.com; script-src *",
            "cdn.example.com 'unsafe-inline'",
            "me@cdn.example.com",
            "localhost",
            "shop.localhost",
            "intranet",
            "127.0.0.1",
            "[::1]",
            "cdn.example.com.",
            "čdn.example",
            "",
        )
    ),
    ("ignore: [target_metadata.*]\n", "1:10", "without wildcards", "target_metadata.image"),
    (
        "safety: {max_removed: 3}\n",
        "1:10",
        "safety.max_removed is no setting",
        'did you mean "max_removed_percent"?',
    ),
    ("safety: {max_removed_percent: 101}\n", "1:10", "from 0 to 100", ""),
    ("safety: {max_removed_percent: 12.5}\n", "1:10", "whole number", ""),
    ("safety: {min_existing: -1}\n", "1:10", "from 0", ""),
    ("safety: {min_existing: true}\n", "1:10", "whole number", ""),
    ("safety: {max_answer_mb: 0}\n", "1:10", "from 1", ""),
    ("a: &x 1\nb: *x\n", "1:4", "", ""),
    ("format: 1\nformat: 1\n", "2:1", "", ""),
    ("trackers:\n  a: {tracker_id: x}\n  a: {tracker_id: y}\n", "3:3", "", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), REFUSED)
def test_a_refusal_names_place_and_remedy(text: str, place: str, message: str, hint: str) -> None:
    error = refusal(text)
    assert error.message.startswith(f"pinsync.yaml:{place}: ")
    assert message in error.message
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "managed"),
    [
        (
            "{tags: [christmas, 'new year'], models: [basket]}",
            (("christmas", "new year"), ("basket",)),
        ),
        ("{tags: [christmas]}", (("christmas",), None)),
        ("{models: [basket, home]}", (None, ("basket", "home"))),
        ("{}", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_tracker_manages_rules_by_tags_and_models(
    text: str, managed: tuple[tuple[str, ...] | None, tuple[str, ...] | None]
) -> None:
    (found,) = parse(tracker(manages=text)).trackers
    assert (found.manages.tags, found.manages.models) == managed


@pytest.mark.parametrize("start", ["", "trackers:\n  ", "safety:\n  "])
def test_a_huge_key_is_not_quoted_whole(start: str) -> None:
    error = refusal(f"{start}? {'k' * 900_000}\n{' ' * (len(start) and 2)}: 1\n")
    assert f"{'k' * 99}… is no" in error.message
    assert len(f"{error}{error.hint}") < 1_000


@pytest.mark.parametrize(
    "field", ["id", "model", "target_type", "target_identity", "target_criteria", "pin_definitions"]
)
def test_what_a_rule_is_can_not_be_ignored(field: str) -> None:
    assert field in refusal(f"ignore: [{field}]\n").message
    assert field in refusal(f"ignore: [{field}.x]\n").message


def test_a_key_in_the_file_is_refused_and_not_shown() -> None:
    for text in (tracker(private_key=HIDDEN), tracker(private_key_env=HIDDEN)):
        error = refusal(text)
        assert error.line == 4
        assert HIDDEN not in f"{error}{error.hint}"
        assert "replace" in (error.hint or "")


def test_bytes_that_are_no_yaml_are_a_configuration_error() -> None:
    for text in (b"\xff\xfe\x00", b"a: [", b"\x00", b"a: 1\n<<<<<<< HEAD\n", b"x" * 1_000_001):
        with pytest.raises(ConfigError) as caught:
            config.parse(text, "HEAD:pinsync.yaml", root=Path(), environ={})
        assert caught.value.message.startswith("HEAD:pinsync.yaml")


ALLOWED_HOSTS = {
    "https://live.luigisbox.tech": "https://live.luigisbox.tech",
    "https://luigisbox.com": "https://luigisbox.com",
    "https://a.b-c.luigisbox.com:8443/": "https://a.b-c.luigisbox.com:8443",
    "HTTPS://LIVE.LUIGISBOX.TECH": "https://live.luigisbox.tech",
}


@pytest.mark.parametrize("host", ALLOWED_HOSTS)
def test_the_vendors_hosts_are_allowed(host: str) -> None:
    assert places.check_origin(host, ()) == ALLOWED_HOSTS[host]


FOREIGN_HOSTS = {
    # host: its normal form, its name
    "https://evilluigisbox.tech": ("https://evilluigisbox.tech", "evilluigisbox.tech"),
    "https://luigisbox.tech.evil.io": ("https://luigisbox.tech.evil.io", "luigisbox.tech.evil.io"),
    "https://luigisbox.tech-evil.io": ("https://luigisbox.tech-evil.io", "luigisbox.tech-evil.io"),
    "https://Proxy.Example.com:8443/": ("https://proxy.example.com:8443", "proxy.example.com"),
    "https://10.0.0.5:8": ("https://10.0.0.5:8", "10.0.0.5"),
    "https://169.254.169.254": ("https://169.254.169.254", "169.254.169.254"),
    "https://[FE80:0:0:0:0:0:0:1]": ("https://[fe80::1]", "[fe80::1]"),
    "http://localhost:80": ("http://localhost:80", "localhost"),
    "https://localhost": ("https://localhost", "localhost"),
    "http://127.0.0.1": ("http://127.0.0.1", "127.0.0.1"),
    "https://127.8.9.1:1": ("https://127.8.9.1:1", "127.8.9.1"),
    "http://[::1]:8080": ("http://[::1]:8080", "[::1]"),
    "http://[0:0::0:1]": ("http://[::1]", "[::1]"),
}


@pytest.mark.parametrize("allowed", [[], ["a.invalid", "luigisbox.tech"]])
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_in_the_file_needs_permission(host: str, allowed: list[str]) -> None:
    """Loopback included: a stranger's file must not reach what listens on this machine."""
    normal, name = FOREIGN_HOSTS[host]
    text = tracker(hosts=f"['{host}']")
    error = refusal(text, PINSYNC_ALLOW_HOST=",".join(allowed))
    assert f"must not point at {name}: allowed are luigisbox.tech" in error.message
    command = str(error.hint).partition(f"if you trust {name}: export PINSYNC_ALLOW_HOST=")[2]
    (variable,) = shlex.split(command)
    assert command == shlex.quote(variable)
    assert sorted(variable.split(",")) == sorted([*allowed, name])
    assert parse(text, PINSYNC_ALLOW_HOST=variable).trackers[0].hosts == (normal,)


@pytest.mark.parametrize("host", [*ALLOWED_HOSTS, *FOREIGN_HOSTS])
def test_a_host_of_the_environment_needs_no_permission(host: str) -> None:
    normal = ALLOWED_HOSTS.get(host) or FOREIGN_HOSTS[host][0]
    settings = parse("", PINSYNC_TRACKER_ID="a", PINSYNC_HOST=host)
    assert settings.trackers[0].hosts == (normal,)
    error = refusal(tracker(hosts="[https://evil.com]"), PINSYNC_HOST=host)
    assert "must not point at evil.com" in error.message  # the file's own hosts still do


REFUSED_HOSTS = [
    "https://evil.com/live.luigisbox.tech",
    "https://evil.com#.luigisbox.tech",
    "https://evil.com?.luigisbox.tech",
    "https://evil.com\\.luigisbox.tech",
    "https://evil.com\t.luigisbox.tech",
    "https://evil.com\n.luigisbox.tech",
    "https://live.luigisbox.tech\n",
    " https://live.luigisbox.tech",
    "https://u:p@live.luigisbox.tech",
    "https://live.luigisbox.tech@evil.com",
    "https://live.luigisbox.tech:443@evil.com",
    "https://live.luigisbox.tech?a=b",
    "https://live.luigisbox.tech#a",
    "https://live.luigisbox.tech/v1",
    "https://live.luigisbox.tech//",
    "https://live.luigisbox.tech.",
    "https://.luigisbox.tech",
    "https://a..luigisbox.tech",
    "https://-a.luigisbox.tech",
    "https://*.luigisbox.tech",
    "https://live.luigisbox.tech:0",
    "https://live.luigisbox.tech:65536",
    "https://live.luigisbox.tech:",
    "https://live.luigisbox.tech:80a",
    "http://live.luigisbox.tech",
    "ftp://live.luigisbox.tech",
    "file:///etc/passwd",
    "live.luigisbox.tech",
    "//live.luigisbox.tech",
    "https://",
    "",
    "https://live.lu\u0131gisbox.tech",
    "https://\u212aive.luigisbox.tech",
    "https://live\u3002luigisbox.tech",
    "https://live%2eluigisbox.tech",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "http://127.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://0.0.0.0",
    "http://10.0.0.5",
    "http://169.254.169.254",
    "http://evil.com",
    "http://[::2]",
    "http://[::ffff:127.0.0.1]",
    "http://[::1",
    "https://[:::]",
    "https://[1]",
    "https://999.1.1.1",
    "https://127.1",
    "https://1.2.3.4.5",
    "https://" + "a" * 64 + ".luigisbox.tech",
    "https://" + "a." * 200 + "luigisbox.tech",
]


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_any_other_host_is_refused_in_the_file_and_in_the_environment(host: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        places.check_origin(host, ())
    if host.isprintable() and host.strip() == host != "":
        assert "must " in refusal(tracker(hosts=f"['{host}']")).message
        assert refusal("", PINSYNC_TRACKER_ID="a", PINSYNC_HOST=host).message.startswith(
            "PINSYNC_HOST: must "
        )


def test_a_password_in_a_host_is_not_shown() -> None:
    error = refusal(tracker(hosts=f"['https://u:{HIDDEN}@live.luigisbox.tech']"))
    assert HIDDEN not in f"{error}{error.hint}"


def test_the_environment_allows_more_hosts_by_their_exact_name() -> None:
    allow = "Proxy.Example.com , 10.0.0.5"
    settings = parse(
        tracker(hosts="[https://proxy.example.com, 'https://10.0.0.5:8']"), PINSYNC_ALLOW_HOST=allow
    )
    assert settings.trackers[0].hosts == ("https://proxy.example.com", "https://10.0.0.5:8")
    assert (
        "https" in refusal(tracker(hosts="['http://10.0.0.5']"), PINSYNC_ALLOW_HOST=allow).message
    )
    assert refusal(tracker(hosts="[https://a.proxy.example.com]"), PINSYNC_ALLOW_HOST=allow)
    assert (
        refusal("", PINSYNC_ALLOW_HOST="https://proxy.example.com").source == "PINSYNC_ALLOW_HOST"
    )
    for text in ("*", "::1", "[::1]:80", "[:::]", "127.1", "[localhost]"):
        assert refusal("", PINSYNC_ALLOW_HOST=text).source == "PINSYNC_ALLOW_HOST"


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("http://live.luigisbox.tech", "write https://live.luigisbox.tech"),
        ("https://live.luigisbox.tech/x", "write scheme and name only"),
        ("https://live.luigisbox.tech:99999", "leave it out"),
    ],
)
def test_a_host_that_is_refused_comes_with_the_remedy_for_its_own_fault(
    host: str, hint: str
) -> None:
    for error in (
        refusal("", PINSYNC_TRACKER_ID="a", PINSYNC_HOST=host),
        refusal(tracker(hosts=f"['{host}']")),
    ):
        assert hint in str(error.hint)


def test_the_file_can_not_allow_hosts() -> None:
    assert "is no setting" in refusal("allow_host: evil.com\n").message


@given(st.text(alphabet="abluigsox.techm@:/?#[]\\%0127-\u3002 ", max_size=40))
def test_whatever_passes_as_a_host_is_on_the_list(text: str) -> None:
    try:
        origin = places.check_origin(f"https://{text}", ())
    except ValueError:
        return
    name = origin.removeprefix("https://").rpartition(":")[0] or origin.removeprefix("https://")
    assert name.endswith(("luigisbox.tech", "luigisbox.com"))
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


@pytest.mark.parametrize(
    "text", ["customizations", "./a", "a/b", "a//b/", "zákazky", "git", "github", "a.b", "rules 1"]
)
def test_a_folder_of_the_repository_is_allowed(text: str) -> None:
    assert places.check_directory(text, PurePosixPath("sub")) == PurePosixPath("sub") / text


REFUSED_DIRECTORIES = [
    "",
    ".",
    "./",
    "/",
    "/etc",
    "//etc",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    ".git",
    ".GIT",
    ".git/hooks",
    ".git.",
    ".git ",
    " .git",
    "a/.git",
    ".g\u200cit",
    "\u206a.git",  # HFS+ takes no notice of it
    "git~1",
    "GIT~1/hooks",
    ".git::$INDEX_ALLOCATION",
    ".github",
    ".GitHub/workflows",
    ".gitlab",
    ".circleci",
    ".buildkite",
    ".ci",
    "ci",
    "CI/x",
    ".gitea",
    ".forgejo",
    ".woodpecker",
    ".azure-pipelines",
    "azure-pipelines",
    ".husky",
    ".drone",
    "C:",
    "C:/x",
    "C:\\x",
    "..\\x",
    "a\\..\\..\\x",
    "\\\\server\\share",
    "a\nb",
    "a\x00b",
    "a\u202eb",
    "a\ud800",
    "con",
    "Aux.txt",
    "a/nul/b",
    "com¹",
    "a.",
    "a ",
    "a?",
    "x" * 201,
]


@pytest.mark.parametrize("text", REFUSED_DIRECTORIES)
def test_any_other_folder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        places.check_directory(text, PurePosixPath())
    if text.isprintable():
        assert refusal(f"directory: '{text}'\n").message.startswith(
            "pinsync.yaml:1:1: directory must "
        )


def test_a_file_in_a_folder_of_ci_puts_nothing_beside_itself() -> None:
    with pytest.raises(ValueError, match=r"\.github"):
        places.check_directory("customizations", PurePosixPath(".github"))


def test_the_environment_is_enough(tmp_path: Path) -> None:
    environ = {
        "PINSYNC_TRACKER_ID": " 1234-5678\n",
        "PINSYNC_HOST": "http://127.0.0.1:8080",
        "PINSYNC_PRIVATE_KEY": "k",
    }
    settings = config.load(None, start=tmp_path, environ=environ)
    assert settings.path is None
    assert settings.root == tmp_path.resolve()
    assert settings.select([]) == (
        config.Tracker("default", "1234-5678", hosts=("http://127.0.0.1:8080",)),
    )
    assert config.read_private_key(settings.trackers[0], environ) == "k"


def test_the_environments_tracker_id_is_checked() -> None:
    error = refusal("", PINSYNC_TRACKER_ID="../x")
    assert error.message.startswith("PINSYNC_TRACKER_ID: must consist of")


def test_the_files_trackers_win_over_the_environments_and_the_host_over_all() -> None:
    settings = parse(FULL, PINSYNC_TRACKER_ID="other", PINSYNC_HOST="https://x.luigisbox.com")
    assert [(one.name, one.hosts) for one in settings.trackers] == [
        ("shop-sk", ("https://x.luigisbox.com",)),
        ("shop_cz", ("https://x.luigisbox.com",)),
    ]


def test_one_tracker_id_on_different_hosts_is_two_trackers() -> None:
    other = "hosts: ['https://x.luigisbox.tech']"
    text = f"trackers:\n  a: {{tracker_id: x}}\n  b: {{tracker_id: x, {other}}}\n"
    assert len(parse(text).trackers) == 2


def test_without_any_tracker_offline_work_is_possible_and_selecting_one_says_what_to_do(
    tmp_path: Path,
) -> None:
    settings = config.load(None, start=tmp_path, environ={"PINSYNC_TRACKER_ID": ""})
    assert settings.trackers == ()
    with pytest.raises(ConfigError) as caught:
        settings.select([])
    for word in ("pinsync init", "PINSYNC_TRACKER_ID", "PINSYNC_PRIVATE_KEY", "PINSYNC_HOST"):
        assert word in f"{caught.value}{caught.value.hint}"


def test_trackers_are_selected_by_name() -> None:
    settings = parse(FULL)
    assert settings.select([]) == settings.trackers
    assert [one.name for one in settings.select(["shop_cz", "shop-sk", "shop_cz"])] == [
        "shop-sk",
        "shop_cz",
    ]
    with pytest.raises(UsageError, match=r'no tracker is named "shop-cs"') as caught:
        settings.select(["shop-cs"])
    assert caught.value.hint == 'did you mean "shop-sk"?'


def test_an_error_carries_a_trackers_name_as_it_is() -> None:
    with pytest.raises(UsageError) as caught:
        config.check_trackers(["shop\n\u202e"], ["shop"])
    assert caught.value.message == 'no tracker is named "shop\n\u202e"'


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), (" 0.5 ", 0.5), ("", 30.0)])
def test_the_timeout_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert parse("", PINSYNC_TIMEOUT=text).timeout == seconds


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "5s", "1e9"])
def test_another_timeout_is_refused(text: str) -> None:
    assert refusal("", PINSYNC_TIMEOUT=text).message.startswith(
        "PINSYNC_TIMEOUT: must be a number of seconds"
    )


# Where the file is looked for


def write(file: Path, text: str = "format: 1\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = (tmp_path / "repository").resolve()
    write(folder / ".git" / "HEAD", "ref: refs/heads/main\n")
    return folder


def test_the_file_is_found_up_to_the_repositorys_root_and_not_beyond(repository: Path) -> None:
    write(repository.parent / "pinsync.yaml")
    start = repository / "a" / "b"
    start.mkdir(parents=True)
    assert config.find(start) is None
    assert config.load(None, start=start, environ={}).root == repository
    top = write(repository / "pinsync.yaml")
    assert config.find(start) == top
    nearer = write(repository / "a" / "pinsync.yaml")
    assert config.find(start) == nearer


def test_a_linked_worktree_has_a_file_for_git(tmp_path: Path) -> None:
    write(tmp_path / "tree" / ".git", "gitdir: elsewhere\n")
    write(tmp_path / "pinsync.yaml")
    assert config.find(tmp_path / "tree") is None


def test_a_folder_named_dot_git_without_a_head_makes_no_repository(repository: Path) -> None:
    (repository / "shop" / ".git").mkdir(parents=True)
    assert find_repository_root(repository / "shop") == repository
    write(repository / "shop" / ".git" / "HEAD", "ref: refs/heads/main\n")
    assert find_repository_root(repository / "shop") == repository / "shop"
    (repository / ".git" / "HEAD").unlink()
    assert find_repository_root(repository) is None


def test_outside_a_repository_only_the_current_folder_counts(tmp_path: Path) -> None:
    write(tmp_path / "pinsync.yaml")
    (tmp_path / "a").mkdir()
    assert config.find(tmp_path / "a") is None
    assert config.find(tmp_path) == tmp_path.resolve() / "pinsync.yaml"


def test_the_directory_is_relative_to_the_file(repository: Path) -> None:
    write(repository / "shop" / "pinsync.yaml", "directory: rules\n")
    settings = config.load(None, start=repository / "shop", environ={})
    assert (settings.root, settings.directory) == (repository, PurePosixPath("shop/rules"))
    assert settings.path == repository / "shop" / "pinsync.yaml"


def test_a_named_file_may_lie_outside_the_repository(repository: Path, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere" / "ci.yaml")
    settings = config.load(elsewhere, start=repository, environ={})
    assert (settings.root, settings.directory) == (repository, PurePosixPath("customizations"))
    assert (
        config.load(Path("../elsewhere/ci.yaml"), start=repository, environ={}).root == repository
    )
    plain = tmp_path / "plain"
    plain.mkdir()
    assert config.load(elsewhere, start=plain, environ={}).root == elsewhere.parent.resolve()
    inside = write(repository / "pinsync.yaml")
    assert config.load(inside, start=plain, environ={}).root == repository


def test_git_s_own_root_can_make_a_directory_refused(repository: Path) -> None:
    """As ``GIT_WORK_TREE`` does, which names a folder above the one that holds ``.git``."""
    settings = config.load(None, start=repository, environ={})
    moved = config.set_root(settings, repository.parent, PurePosixPath("shop"))
    assert (moved.root, moved.directory) == (
        repository.parent,
        PurePosixPath("shop/customizations"),
    )
    with pytest.raises(ConfigError, match="directory must not lie in ci"):
        config.set_root(settings, repository.parent, PurePosixPath("ci"))


def test_errors_name_the_file_as_the_user_would(repository: Path) -> None:
    write(repository / "pinsync.yaml", "x: 1\n")
    with pytest.raises(ConfigError, match=r"^pinsync\.yaml:1:1: "):
        config.load(None, start=repository, environ={})
    with pytest.raises(ConfigError, match=r"^\./pinsync\.yaml:1:1: |^pinsync\.yaml:1:1: "):
        config.load(Path("./pinsync.yaml"), start=repository, environ={})


def test_a_file_that_can_not_be_read_is_an_error(repository: Path) -> None:
    with pytest.raises(ConfigError, match=r"^nope\.yaml: doesn't exist"):
        config.load(Path("nope.yaml"), start=repository, environ={})
    (repository / "pinsync.yaml").mkdir()
    with pytest.raises(ConfigError, match="not a regular file"):
        config.load(None, start=repository, environ={})
    (repository / "pinsync.yaml").rmdir()
    (repository / "pinsync.yaml").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="not a regular file"):
        config.load(None, start=repository, environ={})


def test_the_environment_names_the_file_where_the_command_line_does_not(repository: Path) -> None:
    for name, zone in (("pinsync", "UTC"), ("other", "Asia/Tokyo"), ("named", "Europe/Prague")):
        write(repository / f"{name}.yaml", f"timezone: {zone}\n")
    (repository / "below").mkdir()

    def timezone(path: str | None, value: str, start: str = ".") -> str:
        named = Path(path) if path else None
        return config.load(
            named, start=repository / start, environ={"PINSYNC_CONFIG": value}
        ).timezone

    assert timezone(None, "other.yaml") == "Asia/Tokyo"
    assert timezone(None, "../other.yaml", "below") == "Asia/Tokyo", (
        "a relative path starts in the current folder"
    )
    assert timezone(None, str(repository / "other.yaml"), "below") == "Asia/Tokyo"
    assert timezone("named.yaml", "other.yaml") == "Europe/Prague"
    assert timezone(None, "", "below") == "UTC"
    with pytest.raises(ConfigError, match=r"^none\.yaml: doesn't exist") as caught:
        timezone(None, "none.yaml")
    assert caught.value.hint == "PINSYNC_CONFIG names it: correct the variable, or unset it"
    with pytest.raises(ConfigError) as caught:
        timezone("none.yaml", "other.yaml")
    assert "--config" in str(caught.value.hint)


def test_no_hint_advises_init_where_it_would_refuse(repository: Path) -> None:
    def hint(path: Path | None) -> str:
        with pytest.raises(ConfigError) as caught:
            config.load(path, start=repository, environ={}).select(())
        return str(caught.value.hint)

    assert "pinsync init" in hint(None)
    assert "pinsync init" in hint(Path("nope.yaml"))
    for text in ("", "trackers:\n", "- 1\n", "timezone: nowhere\n"):
        write(repository / "pinsync.yaml", text)
        for path in (None, Path("nope.yaml")):
            assert "pinsync init" not in hint(path)


@pytest.mark.parametrize("target", ["..", ".git", "real"])
def test_a_directory_through_a_symbolic_link_is_refused(repository: Path, target: str) -> None:
    (repository / "real").mkdir()
    (repository / "link").symlink_to(target)
    write(repository / "pinsync.yaml", "format: 1\ndirectory: link/rules\n")
    with pytest.raises(
        ConfigError,
        match=r"^pinsync\.yaml:2:1: directory must not lead through the symbolic link link",
    ):
        config.load(None, start=repository, environ={})


def test_the_environment_alone_needs_no_yaml_reader() -> None:
    code = (
        "import sys, pathlib; from pinsync import config; "
        "config.load(None, start=pathlib.Path('/'), environ={}); sys.exit('ruamel.yaml' in "
        "sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The private key

SHOP = config.Tracker("shop", "1234-5678", "SHOP_KEY")


def key_error(**environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config.read_private_key(SHOP, environ)
    return caught.value


def python(code: str) -> str:
    return f"'{sys.executable}' -c \"{code}\""


def test_the_key_is_stripped() -> None:
    assert config.read_private_key(SHOP, {"SHOP_KEY": f" {HIDDEN}\r\n"}) == HIDDEN


def test_the_trackers_variable_wins_then_its_file_then_its_command_then_those_of_all_trackers(
    tmp_path: Path,
) -> None:
    environ = {"SHOP_KEY": "SHOP_KEY", "PINSYNC_PRIVATE_KEY": "of another tracker"}
    for name in ("SHOP_KEY", "PINSYNC_PRIVATE_KEY"):
        file = tmp_path / name
        file.write_text(f"{name}_FILE\n", encoding="ascii")
        environ |= {
            f"{name}_FILE": str(file),
            f"{name}_COMMAND": python(f"print('{name}_COMMAND')"),
        }
    order = [
        "SHOP_KEY",
        "SHOP_KEY_FILE",
        "SHOP_KEY_COMMAND",
        "PINSYNC_PRIVATE_KEY_FILE",
        "PINSYNC_PRIVATE_KEY_COMMAND",
    ]
    for name in order:
        assert config.read_private_key(SHOP, environ) == name
        environ[name] = ""
    assert key_error(**environ).message.startswith("SHOP_KEY: is empty, but")


def test_the_command_learns_the_tracker_and_gets_no_shell() -> None:
    code = "import os; print(os.environ['PINSYNC_TRACKER_NAME'] + os.environ['PINSYNC_TRACKER_ID'])"
    assert config.read_private_key(SHOP, {"SHOP_KEY_COMMAND": python(code)}) == "shop1234-5678"
    code = "import sys; print(sys.argv[1])"
    assert (
        config.read_private_key(SHOP, {"SHOP_KEY_COMMAND": python(code) + " $HOME;x"}) == "$HOME;x"
    )


def test_a_missing_key_names_variable_and_tracker() -> None:
    error = key_error()
    assert (
        error.message
        == "SHOP_KEY: is not set, but should give the private key of tracker shop (1234-5678)"
    )
    assert error.hint == "set SHOP_KEY, SHOP_KEY_FILE or SHOP_KEY_COMMAND"
    error = key_error(PINSYNC_PRIVATE_KEY=HIDDEN)
    reason = "PINSYNC_PRIVATE_KEY is not used for a tracker whose private_key_env is SHOP_KEY"
    assert error.hint == f"set SHOP_KEY, SHOP_KEY_FILE or SHOP_KEY_COMMAND; {reason}"
    for empty in ("", " \n"):
        assert key_error(SHOP_KEY=empty).message.startswith("SHOP_KEY: is empty, but")


@pytest.mark.parametrize("damage", ["\u00e9", "\u200b", "\x00", "\n", "\t", "\x7f", "\udc80"])
def test_a_damaged_key_is_refused_and_not_shown(damage: str, tmp_path: Path) -> None:
    broken = f"{HIDDEN}{damage}{HIDDEN}"
    error = key_error(SHOP_KEY=broken)
    assert error.message == (
        "SHOP_KEY: gives tracker shop a private key that isn't printable ASCII"
    )
    file = tmp_path / "key"
    file.write_bytes(broken.encode("utf-8", "surrogateescape"))
    for shown in (error, key_error(PINSYNC_PRIVATE_KEY_FILE=str(file))):
        assert HIDDEN not in f"{shown}{shown.hint}{shown.__cause__!r}"


FILES = ("SHOP_KEY_FILE", "PINSYNC_PRIVATE_KEY_FILE")
COMMANDS = ("SHOP_KEY_COMMAND", "PINSYNC_PRIVATE_KEY_COMMAND")


@pytest.mark.parametrize("name", FILES)
def test_of_a_key_file_that_can_not_be_read_the_folder_is_named(name: str, tmp_path: Path) -> None:
    error = key_error(**{name: str(tmp_path / "nope")})
    assert (
        error.message
        == f"{name}: names a file in {tmp_path} that can't be read: No such file or directory"
    )
    assert error.hint is None


@pytest.mark.parametrize("start", ["", "/", "//", "/nope/", "a/", "/usr/", f"/{'k' * 300}/"])
def test_a_key_in_the_place_of_its_files_path_is_not_shown(start: str) -> None:
    value = f"{start}{HIDDEN}"
    error = key_error(PINSYNC_PRIVATE_KEY_FILE=value)
    shown = f"{error}{error.hint}{error.__cause__!r}"
    assert not [part for part in value.split("/") if part not in {"", "a", "usr"} and part in shown]
    assert error.hint == "write its absolute path, not the key"


@pytest.mark.parametrize("name", FILES)
def test_a_key_file_that_holds_no_key_is_refused(name: str, tmp_path: Path) -> None:
    assert key_error(**{name: "\x00"}).source == name
    (tmp_path / "empty").touch()
    assert key_error(**{name: str(tmp_path / "empty")}).message.startswith(
        f"{name}: yields nothing, but"
    )
    (tmp_path / "large").write_bytes(b"x" * 10_001)
    error = key_error(**{name: str(tmp_path / "large")})
    assert (error.source, "can't be a key" in error.message) == (name, True)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_key_command_that_fails_is_explained_without_the_key(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = f"print('{HIDDEN}'); raise SystemExit(3)"
    error = key_error(**{name: python(failing)})
    assert error.message.startswith(f"{name}: ended with status 3")
    assert HIDDEN not in f"{error}{error.hint}"
    assert f"{name}: can't be run" in key_error(**{name: "/nowhere/at/all"}).message
    assert f"{name}: unclosed can't be run" in key_error(**{name: "unclosed '"}).message
    named = key_error(**{name: "/nowhere/at/all --of shop"}).message
    assert named == f"{name}: /nowhere/at/all can't be run: No such file or directory"
    assert "secret" not in key_error(**{name: "STORE=secret /nowhere/at/all"}).message
    assert f"{name}: yields nothing" in key_error(**{name: python("pass")}).message
    monkeypatch.setattr(key, "COMMAND_SECONDS", 0.2)
    error = key_error(
        **{name: python(f"import time; print('{HIDDEN}', flush=True); time.sleep(60)")}
    )
    assert f"{name}: gave no key within 0.2 seconds" in error.message
    assert error.__suppress_context__
    assert "by itself" in (error.hint or "")


@pytest.mark.parametrize(
    "command",
    [
        "/nowhere/pass show | head -1",
        'false "$KEY"',
        "false `cat key`",
        "cd /nowhere && cat key",
        "cat /nowhere/key 2>/dev/null",
        "~/nowhere/key.sh",
        "STORE=1 /nowhere/key",
    ],
)
def test_a_key_command_for_a_shell_is_told_that_it_gets_none(command: str) -> None:
    error = key_error(SHOP_KEY_COMMAND=command)
    assert "without a shell" in (error.hint or "")
    assert "sh -c '…'" in (error.hint or "")


@pytest.mark.parametrize(
    "command", ["/nowhere/key --of shop", "false 'a | b $c ~'", 'false "a | b"']
)
def test_a_key_command_that_needs_no_shell_is_told_nothing_of_one(command: str) -> None:
    assert "shell" not in (key_error(SHOP_KEY_COMMAND=command).hint or "")


def test_what_a_key_command_says_on_stderr_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    traced = f"import sys; print('{HIDDEN}'); print('+ {HIDDEN}', file=sys.stderr); sys.exit(%d)"
    assert config.read_private_key(SHOP, {"SHOP_KEY_COMMAND": python(traced % 0)}) == HIDDEN
    error = key_error(PINSYNC_PRIVATE_KEY_COMMAND=python(traced % 1))
    assert HIDDEN not in f"{error}{error.hint}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", [*FILES, *COMMANDS])
def test_a_key_in_the_wrong_variable_is_not_shown(name: str) -> None:
    error = key_error(**{name: HIDDEN})
    assert "No such file or directory" in error.message
    assert (error.hint or "").endswith("not the key")
    assert HIDDEN not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", ["SHOP_KEY", *FILES, *COMMANDS])
def test_the_hint_at_a_refused_key_names_the_variable_that_gave_it(name: str) -> None:
    environ = {name: "get-key --of shop"}
    gives = "holds" if name == "SHOP_KEY" else "gives"
    hint = f"check that {name} {gives} the private key of tracker_id 1234-5678"
    assert config.describe_refused_key(SHOP, HIDDEN, environ) == hint
    for quoted in (f'"{HIDDEN}"', f"'{HIDDEN}'"):
        found = config.describe_refused_key(SHOP, quoted, environ)
        assert found == f"{hint}, without the quotes around it"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("command", ["echo abc | tr a b", "echo $KEY"])
def test_the_hint_at_a_refused_key_says_that_its_command_got_no_shell(
    name: str, command: str
) -> None:
    hint = config.describe_refused_key(
        SHOP, config.read_private_key(SHOP, {name: command}), {name: command}
    )
    assert f"check that {name} gives" in hint
    assert "; it runs without a shell" in hint
    assert "shell" not in config.describe_refused_key(SHOP, HIDDEN, {"SHOP_KEY": command})
