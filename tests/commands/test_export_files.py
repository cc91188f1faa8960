"""Documents, names and folders that an export meets: what it refuses to touch, what it keeps, and
where it writes.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from pinsync.workspace.store import Store
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    answered,
    document,
    edited,
    put,
    repinned,
    rows,
    rule,
    state,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git


# Documents that can't be read.

FAULTS: dict[str, tuple[str | bytes, str]] = {
    "a duplicate key": (BASKET_TEXT + "    tags: [a]\n    tags: [b]\n", ":25:5: "),
    "an anchor": (BASKET_TEXT.replace("tags:", "tags: &t"), ":7:11: "),
    "an alias": (BASKET_TEXT.replace("/p/9/", "*t"), ":23:23: "),
    "a tag": (BASKET_TEXT.replace("- christmas", "- !!str christmas"), ":8:9: "),
    "a second document": (BASKET_TEXT + "---\nformat: 1\n", ":24:1: "),
    "a key that is no string": (BASKET_TEXT.replace("title:", "1:"), ":10:7: "),
    "NaN": (BASKET_TEXT.replace("-1\n", ".nan\n"), ":21:19: "),
    "a conflict": (
        BASKET_TEXT.replace(
            "      - christmas\n", "<<<<<<< HEAD\n      - a\n=======\n      - b\n>>>>>>> theirs\n"
        ),
        ":8:1: ",
    ),
    "two byte order marks": ("\ufeff\ufeff" + BASKET_TEXT, ":1:1: "),
    "a byte order mark in the middle": (BASKET_TEXT.replace("model", "\ufeffmodel"), ":2:1: "),
    "UTF-16": (BASKET_TEXT.encode("utf-16"), ":1:1: "),
    "invalid UTF-8": (BASKET_TEXT.encode().replace(b"Strings", b"Str\xffngs"), ":10:"),
    "endless nesting": (BASKET_TEXT.replace("/p/9/", "[" * 200 + "]" * 200), ":23:87: "),
    "a tab": (BASKET_TEXT.replace("    tags", "\ttags"), ":7:1: "),
    "half of it": (BASKET_TEXT[: BASKET_TEXT.index("#1")], ":10:"),
    "nothing": ("", ":1:1: "),
    "another format": (BASKET_TEXT.replace("format: 1", "format: 2"), ":1:1: "),
    "no model": (BASKET_TEXT.replace("model: basket\n", ""), ":1:1: "),
    "an empty model": (BASKET_TEXT.replace("model: basket", 'model: ""'), ":2:1: "),
    "an unknown key": (BASKET_TEXT.replace("model:", "modle: x\nmodel:"), ":2:1: "),
    "a list for a rule": (BASKET_TEXT + "  - []\n", ":24:5: "),
    "no target type": (BASKET_TEXT + "  - id: x\n", ":24:5: "),
    "an id that is no string": (BASKET_TEXT + "  - id: 5\n    target_type: all\n", ":24:5: "),
    "an id twice": (BASKET_TEXT + f"  - id: {STRINGS}\n    target_type: all\n", ":24: "),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_document_that_can_not_be_read_is_named_by_line_and_left_alone(
    name: str, api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    text, place = FAULTS[name]
    put(document(), text)
    put(document("home"), HOME_TEXT)
    repinned(api, STRINGS)
    with untouched(folder):
        result = pinsync("export", "--force")
    assert result.code == 2
    assert result.err.startswith("error: customizations/basket.yaml:"), result.err
    assert f"customizations/basket.yaml{place}" in result.err, result.err


def test_a_merge_conflict_has_its_own_message(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("checkout", "--quiet", "-b", "theirs")
    put(document(), BASKET_TEXT.replace("christmas", "easter"))
    git("commit", "--quiet", "-am", "Theirs")
    git("checkout", "--quiet", "main")
    put(document(), BASKET_TEXT.replace("christmas", "summer"))
    git("commit", "--quiet", "-am", "Ours")
    subprocess.run(["git", "merge", "--quiet", "theirs"], check=False, capture_output=True)
    repinned(api, STRINGS)
    with untouched(exported):
        result = pinsync("export")
    assert result.code == 2
    assert "customizations/basket.yaml:8:1: " in result.err
    assert "conflict" in result.err
    with untouched(exported):
        assert (
            "git checkout --ours or --theirs; a file that is removed"
            in pinsync("export", "--force").err
        )
    document().unlink()
    assert pinsync("export", "--force").code == 0
    assert "position: 7" in document().read_text()


@pytest.mark.usefixtures("api")
def test_two_documents_of_one_model_are_an_error(folder: Path, pinsync: CommandLine) -> None:
    put(document("basket"), BASKET_TEXT)
    put(document("copy"), BASKET_TEXT.replace("id: ", "id: x"))
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 2
    assert (
        "customizations/copy.yaml: holds the model 'basket', which customizations/basket.yaml holds"
        in result.err
    )
    assert "put all rules of a model into one file" in result.err


@pytest.mark.usefixtures("api")
def test_an_id_in_two_documents_is_an_error_that_names_both(
    folder: Path, pinsync: CommandLine
) -> None:
    put(document("basket"), BASKET_TEXT)
    put(document("home"), BASKET_TEXT.replace("model: basket", "model: home"))
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 2
    assert "customizations/home.yaml:4: " in result.err
    assert f"the id {STRINGS} stands in customizations/basket.yaml, line 4, already" in result.err


@pytest.mark.usefixtures("api")
def test_a_document_in_another_models_place_is_an_error_with_the_remedy(
    folder: Path, pinsync: CommandLine
) -> None:
    put(document("basket"), HOME_TEXT)
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 2
    assert (
        "customizations/basket.yaml: holds the model 'home', but is the place of 'basket'"
        in result.err
    )
    assert "git mv customizations/basket.yaml customizations/home.yaml" in result.err


@pytest.mark.usefixtures("folder")
def test_the_model_line_is_the_truth_and_a_files_name_a_matter_of_taste(
    api: Sandbox, pinsync: CommandLine
) -> None:
    put(document("mine"), BASKET_TEXT)
    repinned(api, EVERYONE)
    assert pinsync("export", "--force").code == 0
    assert sorted(path.name for path in document().parent.iterdir()) == ["home.yaml", "mine.yaml"]
    assert "position: 7" in document("mine").read_text()


def test_comments_and_layout_by_hand_survive_a_change(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    text = (
        "# Ask purchasing first.\n\n"
        + BASKET_TEXT.replace(
            "      - position: 2", "      # agreed until spring\n      - position: 2"
        )
        .replace("tags:\n      - christmas", "tags: [christmas]  # season")
        .replace("position: -1", "position:   -1")
        + "\n# The end.\n"
    )
    put(document(), text)
    edited(api, STRINGS, tags=["christmas", "gifts"])
    assert pinsync("export", "--force").code == 0
    after = document().read_text()
    for remark in (
        "# Ask purchasing first.\n\n",
        "      # agreed until spring\n      - position: 2",
        "# season",
    ):
        assert remark in after
    assert after.endswith(
        "      - position:   -1\n        pin_type: item\n        pin_identity: /p/9/\n\n"
        "# The end.\n"
    )
    with untouched(exported):
        assert pinsync("export").code == 0


# Names of models.


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("../../etc/passwd", "%2E%2E%2F..%2Fetc%2Fpasswd.yaml"),
        ("CON", "%43%4F%4E.yaml"),
        ("con", "%63on.yaml"),
        ("a/b", "a%2Fb.yaml"),
        ("a\\b", "a%5Cb.yaml"),
        ("Basket", "%42asket.yaml"),
        (".", "%2E.yaml"),
        ("..", "%2E%2E.yaml"),
        (".git", "%2Egit.yaml"),
        ("-rf", "-rf.yaml"),
        ("a\nb\x1b[31m", "a%0Ab%1B%5B31m.yaml"),
        ("é", "%C3%A9.yaml"),
        ("{}", "%7B%7D.yaml"),
    ],
)
def test_any_model_has_a_file_of_its_own_inside_the_directory(
    model: str, name: str, api: Sandbox, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    names = sorted(["basket.yaml", "home.yaml", name])
    for _ in range(2):
        answered(api, [*rows(), rule(5, model)])
        result = pinsync("export", "--commit")
        assert result.code == 0, result.err
        assert "\x1b" not in result.err
        assert sorted(path.name for path in (repository / "customizations").iterdir()) == names
        assert sorted(path.name for path in repository.iterdir()) == [".git", "customizations"]
    assert git("ls-files").count("\n") == 2
    assert git("status", "--porcelain") == ""
    assert git("rev-list", "--count", "HEAD") == "1"


def test_three_hundred_emoji_are_a_model_too(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    for _ in range(2):
        answered(api, [rule(1, "🧦" * 300), rule(2, "🧦" * 301)])
        assert pinsync("export").code == 0
    names = [path.name for path in (folder / "customizations").iterdir()]
    assert len(names) == 2
    assert all(len(name) <= 205 and "~" in name for name in names)


def test_odd_texts_come_back_as_they_are(api: Sandbox, folder: Path, pinsync: CommandLine) -> None:
    odd = rule(
        1,
        target_metadata={
            "title": "\x85 \u2028 no\n'\"\\ 1:30 # ~",
            "null": None,
            "~": [[], {}, "on"],
        },
    )
    for _ in range(2):
        answered(api, [odd])
        before = state(folder)
        assert pinsync("export").code == 0
    assert state(folder) == before


# Uncommitted work.


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace("christmas", "by hand"))


@pytest.mark.usefixtures("git")
def edited_file(_: Git) -> None:
    edit(document())


def staged_file(git: Git) -> None:
    edit(document())
    git("add", "customizations")


def staged_then_edited(git: Git) -> None:
    staged_file(git)
    document().write_text(document().read_text() + "# and more\n")


def staged_then_restored(git: Git) -> None:
    staged_file(git)
    document().write_text(BASKET_TEXT)


def untracked(git: Git) -> None:
    git("rm", "--quiet", "--cached", "customizations/basket.yaml")
    git("commit", "--quiet", "-m", "Forget it")
    edit(document())


def ignored(git: Git) -> None:
    untracked(git)
    put(document().parent.parent / ".gitignore", "customizations\n")


WORK: list[Callable[[Git], None]] = [
    edited_file,
    staged_file,
    staged_then_edited,
    staged_then_restored,
    untracked,
    ignored,
]


@pytest.mark.parametrize("work", WORK)
def test_a_persons_uncommitted_work_is_not_overwritten(
    work: Callable[[Git], None], api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    work(git)
    repinned(api, STRINGS)
    repinned(api, EVERYONE)
    with untouched(exported):
        asked, result = pinsync("export", "--check"), pinsync("export")
    assert (asked.code, result.code) == (1, 4)
    reason = "customizations/basket.yaml holds uncommitted work that an export would overwrite"
    remedy = "commit or stash it, or overwrite it with export --force"
    assert f"error: {reason}\n  {remedy}\n" in result.err
    assert asked.err.splitlines()[1:] == [
        f"note: {reason}, so the export would be refused (4): {remedy}"
    ]
    assert pinsync("export", "--force").code == 0
    assert document().read_text().count("position: 7") == 2
    assert "by hand" not in document().read_text()


def test_nor_is_it_removed(api: Sandbox, exported: Path, pinsync: CommandLine) -> None:
    document("home").write_text("# mine\n" + HOME_TEXT)
    answered(api, rows()[:2])
    with untouched(exported):
        assert pinsync("export", "--allow-mass-removal").code == 4


def test_work_in_one_file_holds_back_the_others_of_its_tracker(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    edit(document())
    for row in api.customizations():
        repinned(api, row["id"])
    with untouched(exported):
        assert pinsync("export").code == 4


@pytest.mark.usefixtures("exported")
def test_work_in_a_file_that_stays_as_it_is_is_no_obstacle(
    api: Sandbox, pinsync: CommandLine
) -> None:
    document("home").write_text("# mine\n" + HOME_TEXT)
    repinned(api, STRINGS)
    assert pinsync("export").code == 0
    assert document("home").read_text() == "# mine\n" + HOME_TEXT


@pytest.mark.usefixtures("exported")
def test_what_pinsync_wrote_itself_is_nobodys_work(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    for position in (5, 6):
        repinned(api, STRINGS, position)
        assert pinsync("export").code == 0
    git("add", "--all")
    for position in (7, 8):
        repinned(api, STRINGS, position)
        assert pinsync("export").code == 0
    document().write_text(document().read_text() + "# mine\n")
    repinned(api, STRINGS, 9)
    assert pinsync("export").code == 4


def test_exporting_twice_works_before_the_first_commit_and_outside_git(
    api: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for place in (repository, outside):
        monkeypatch.chdir(place)
        for position in (3, 4, 5):
            repinned(api, STRINGS, position)
            assert pinsync("export").code == 0
        document().write_text(document().read_text() + "# mine\n")
        repinned(api, STRINGS, 6)
        with untouched(place):
            result = pinsync("export")
        assert result.code == 4
        assert "--force" in result.err


def test_a_file_that_somebody_made_before_the_first_export_is_theirs(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    put(document(), BASKET_TEXT)
    with untouched(folder / "customizations" / "basket.yaml"):
        assert pinsync("export").code == 0
    repinned(api, STRINGS)
    result = pinsync("export")
    assert result.code == 4
    assert "put it under git, or move it away, or overwrite it with export --force" in result.err


@pytest.mark.usefixtures("exported")
def test_a_person_who_removed_a_file_gets_it_back(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    document().unlink()
    repinned(api, STRINGS)
    assert pinsync("export").code == 0
    assert "position: 7" in document().read_text()
    assert git("status", "--porcelain") == " M customizations/basket.yaml"


# Line endings.


def test_a_checkout_with_crlf_is_neither_work_nor_drift(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    git("config", "core.autocrlf", "true")
    shutil.rmtree(exported / "customizations")
    git("checkout", "--quiet", ".")
    assert document().read_bytes() == BASKET_TEXT.replace("\n", "\r\n").encode()
    with untouched(exported):
        assert pinsync("export").code == 0
        assert pinsync("export", "--check").code == 0
    for position in (5, 6):
        repinned(api, STRINGS, position)
        assert pinsync("export").code == 0
    assert b"position: 6\r\n" in document().read_bytes()
    assert b"\n" not in document().read_bytes().replace(b"\r\n", b"")
    assert git("diff", "--stat").count("|") == 1
    assert pinsync("export", "--commit").code == 0
    assert git("status", "--porcelain") == ""
    assert "\r" not in git("cat-file", "-p", "HEAD:customizations/basket.yaml")


def test_a_byte_order_mark_is_no_drift_and_stays_until_fmt(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    document().write_text("\ufeff" + BASKET_TEXT, encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "Save it with an editor of Windows")
    with untouched(exported, tried=True, recorded=True):
        assert pinsync("export").code == 0
        assert pinsync("diff", "HEAD~1", "HEAD").out.startswith("In sync")
        assert "1:1: warning format: the file begins with a byte order mark" in pinsync("lint").out
    for position in (5, 6):
        repinned(api, STRINGS, position)
        patch = pinsync("diff", "--format", "patch").out
        assert pinsync("export", "--commit").code == 0
        text = document().read_bytes()
        assert text.count(b"\xef\xbb\xbf") == 1
        assert text.decode().startswith("\ufeffformat: 1\n")
        assert "-\ufeff" not in patch
    assert pinsync("fmt").code == 0
    assert document().read_text(encoding="utf-8") == text.decode().removeprefix("\ufeff")


@pytest.mark.usefixtures("exported")
def test_a_checkout_with_crlf_and_a_persons_edit_is_work(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    git("config", "core.autocrlf", "true")
    document().write_bytes(BASKET_TEXT.replace("\n", "\r\n").replace("christmas", "mine").encode())
    repinned(api, STRINGS)
    assert pinsync("export").code == 4


# Folders that can't be written.


def test_a_file_where_the_folder_should_be(
    api: Sandbox, folder: Path, pinsync: CommandLine
) -> None:
    assert len(api.requests) == 0
    put(folder / "customizations", "not a folder\n")
    with untouched(folder):
        result = pinsync("export")
    assert result.code == 2
    assert "customizations: is a link or a file, expected a folder" in result.err


@pytest.mark.parametrize("link", ["customizations", "customizations/basket.yaml"])
def test_no_link_is_followed(
    link: str, api: Sandbox, repository: Path, pinsync: CommandLine, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    put(elsewhere / "basket.yaml", BASKET_TEXT)
    (repository / link).parent.mkdir(exist_ok=True)
    (repository / link).symlink_to(
        elsewhere if link == "customizations" else elsewhere / "basket.yaml"
    )
    repinned(api, STRINGS)
    with untouched(elsewhere), untouched(repository):
        result = pinsync("export", "--force")
    assert result.code == 2
    assert "link" in result.err


# Takes from root what makes it pass over permissions: PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and
# CAP_DAC_READ_SEARCH.
OBEYING_PERMISSIONS = """
import ctypes
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
"""
WITH_LITTLE_ROOM = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
"""
EXPORT = """
import os, sys
os.execv(sys.executable, [sys.executable, "-m", "pinsync", "export"])
"""


def limited(limit: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", limit + EXPORT], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="permissions are put aside by Linux's means")
@pytest.mark.parametrize("where", [".", "customizations"])
def test_a_read_only_folder_is_named(where: str, api: Sandbox, exported: Path) -> None:
    for row in api.customizations():
        edited(api, row["id"], model="new")
    if where == ".":
        shutil.rmtree("customizations")
    (exported / where).chmod(0o555)
    try:
        with untouched(exported, tried=True):
            code, err = limited(OBEYING_PERMISSIONS)
    finally:
        (exported / where).chmod(0o755)
    assert (code, "can't be written: Permission denied" in err) == (2, True), err
    assert "customizations/new.yaml" in err
    assert "permissions" in err


@pytest.mark.skipif(sys.platform != "linux", reason="permissions are put aside by Linux's means")
def test_a_document_that_may_not_be_read_is_not_taken_for_none(
    api: Sandbox, exported: Path
) -> None:
    repinned(api, EVERYONE)
    document().chmod(0o000)
    try:
        code, err = limited(OBEYING_PERMISSIONS)
    finally:
        document().chmod(0o644)
    assert (code, "customizations/basket.yaml: can't be read: Permission denied" in err) == (
        2,
        True,
    ), err
    assert document().read_text() == BASKET_TEXT
    assert sorted(path.name for path in document().parent.iterdir()) == ["basket.yaml", "home.yaml"]
    assert (exported / "customizations/home.yaml").read_text() == HOME_TEXT


@pytest.mark.skipif(sys.platform != "linux", reason="permissions are put aside by Linux's means")
def test_a_folder_that_may_not_be_read_and_is_no_trackers_hinders_nobody(
    api: Sandbox, exported: Path
) -> None:
    repinned(api, HOME)
    other = exported / "customizations/other"
    other.mkdir()
    other.chmod(0o000)
    try:
        code, err = limited(OBEYING_PERMISSIONS)
    finally:
        other.chmod(0o755)
    assert (code, "1 changed" in err) == (0, True), err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_a_disk_that_is_full_leaves_every_file_as_it_was(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, EVERYONE)
    for number in range(200):
        api.create(rule(number, "large"))
    with untouched(exported, tried=True):
        code, err = limited(WITH_LITTLE_ROOM)
    assert code == 2, err
    assert f"customizations/large.yaml: can't be written: {os.strerror(errno.EFBIG)}" in err
    assert pinsync("export").code == 0
    assert document("large").exists()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
def test_a_small_file_system_runs_full(api: Sandbox, exported: Path) -> None:
    script = (
        'mount -t tmpfs -o size=64k tmpfs "$1/customizations" && cp "$1"/../kept/* '
        '"$1/customizations" && { '
        '"$2" -m pinsync export; code=$?; cd "$1/customizations"; cat *.yaml | cksum; ls -A; '
        "exit $code; }"
    )
    shutil.copytree(exported / "customizations", exported.parent / "kept")
    for number in range(1000):
        api.create(rule(number, "large"))
    repinned(api, EVERYONE)
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            str(exported),
            sys.executable,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no file system of one's own here: {done.stderr.splitlines()[0]}")
    before = subprocess.run(
        ["cksum"], input=(BASKET_TEXT + HOME_TEXT).encode(), capture_output=True, check=True
    ).stdout
    assert done.returncode == 2, done.stderr
    assert (
        f"customizations/large.yaml: can't be written: {os.strerror(errno.ENOSPC)}" in done.stderr
    )
    assert "make room on the disk" in done.stderr
    assert done.stdout == before.decode() + "basket.yaml\nhome.yaml\n"


def test_two_writers_at_once_are_one_too_many(
    api: Sandbox, exported: Path, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    store = Store(exported, PurePosixPath("customizations"), exported / ".git" / "pinsync")
    with store.lock(), untouched(exported):
        result = pinsync("export")
        assert pinsync("export", "--check").code == 1, "who only looks need not wait"
    assert result.code == 4
    assert f"another pinsync, process {os.getpid()}, is writing to customizations now" in result.err
    assert "wait until it is done" in result.err
    assert pinsync("export").code == 0


@pytest.mark.usefixtures("api")
def test_a_repository_without_a_working_tree_is_a_clear_error(
    tmp_path: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "--quiet", "--bare", str(tmp_path / "bare"))
    monkeypatch.chdir(tmp_path / "bare")
    with untouched(tmp_path):
        result = pinsync("export")
    assert result.code == 2
    assert "has no working tree" in result.err


def test_from_a_folder_below_the_files_are_those_of_the_root(
    api: Sandbox, exported: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    repinned(api, STRINGS)
    monkeypatch.chdir(exported / "customizations")
    assert pinsync("export").code == 0
    assert "position: 7" in (exported / "customizations/basket.yaml").read_text()
    assert sorted(path.name for path in exported.iterdir()) == [".git", "customizations"]


def test_outside_git_an_export_needs_no_git_on_the_machine(
    api: Sandbox, tmp_path: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "plain")
    environ = {**api.environment, "PATH": str(tmp_path / "empty")}
    assert pinsync.spawn("export", environ=environ).code == 0
    assert (tmp_path / "plain/customizations/basket.yaml").is_file()
    put(tmp_path / "plain/.git/HEAD", "ref: refs/heads/main\n")
    result = pinsync.spawn("export", environ=environ)
    assert (result.code, "git" in result.err) == (2, True)
