"""`pinsync init`: what it writes, what it leaves alone, and what it never does."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from msgspec.structs import replace

from pinsync import __version__, config
from pinsync.commands.init import ATTRIBUTES, CI, init
from pinsync.errors import ConfigError, FileError, UsageError
from pinsync.sandbox import Sandbox
from support.exporting import BASKET_TEXT, put, rows, untouched
from support.paths import ROOT
from support.workflows import COMMIT, FROM_COMMIT, FROM_FOLDER, REPOSITORY, Runner, check_schema

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git, Install

KEY = "s3cret-key"
TEMPLATES = ROOT / "pinsync" / "templates"


def run(
    root: Path,
    *,
    tracker_id: str | None = None,
    host: str | None = None,
    environ: dict[str, str] | None = None,
) -> list[str]:
    said: list[str] = []
    assert (
        init(root=root, tracker_id=tracker_id, host=host, environ=environ or {}, echo=said.append)
        == 0
    )
    return said


def names(root: Path) -> set[str]:
    return {file.name for file in root.iterdir()}


def test_the_starter_is_valid_and_holds_the_defaults(tmp_path: Path) -> None:
    said = run(tmp_path)
    environ = {"PINSYNC_TRACKER_ID": "1234-5678"}
    assert config.load(None, start=tmp_path, environ=environ) == replace(
        config.parse(b"", "", root=tmp_path.resolve(), environ=environ),
        path=tmp_path.resolve() / "pinsync.yaml",
    )
    assert said == [
        "Wrote pinsync.yaml and a line of .gitattributes.",
        "Set PINSYNC_TRACKER_ID and PINSYNC_PRIVATE_KEY in the environment.",
        "Next: pinsync export",
    ]


def test_what_is_commented_out_is_valid_too(tmp_path: Path) -> None:
    run(tmp_path)
    lines = (tmp_path / "pinsync.yaml").read_text(encoding="utf-8").splitlines()
    start = lines.index("# trackers:")
    text = "\n".join(
        line.removeprefix("# ") if index >= start else line
        for index, line in enumerate(lines[: start + 4])
    )
    settings = config.parse(text.encode(), "pinsync.yaml", root=tmp_path, environ={})
    assert settings.trackers == (config.Tracker("default", "1234-5678"),)


@pytest.mark.parametrize(
    "environ", [{"PINSYNC_TRACKER_ID": "1234-5678", "PINSYNC_PRIVATE_KEY": KEY}, {}]
)
def test_a_tracker_is_written_and_its_key_is_not(tmp_path: Path, environ: dict[str, str]) -> None:
    said = run(tmp_path, tracker_id=None if environ else "1234-5678", environ=environ)
    settings = config.load(None, start=tmp_path, environ={})
    assert settings.trackers == (config.Tracker("default", "1234-5678"),)
    assert KEY not in (tmp_path / "pinsync.yaml").read_text(encoding="utf-8")
    assert said[-1] == "Next: pinsync export"
    assert ("Set PINSYNC_PRIVATE_KEY in the environment." in said) == (not environ)


def test_a_tracker_id_of_digits_stays_a_string(tmp_path: Path) -> None:
    run(tmp_path, tracker_id="0012")
    assert config.load(None, start=tmp_path, environ={}).trackers[0].tracker_id == "0012"


def test_a_host_is_written_with_its_tracker(tmp_path: Path) -> None:
    environ = {"PINSYNC_ALLOW_HOST": "127.0.0.1"}
    run(tmp_path, tracker_id="1234-5678", host="http://127.0.0.1:8080", environ=environ)
    settings = config.load(None, start=tmp_path, environ=environ)
    assert settings.trackers[0].hosts == ("http://127.0.0.1:8080",)


def test_a_host_that_the_next_command_would_refuse_is_not_written(
    tmp_path: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["init", "--tracker-id", "1234-5678", "--host", "http://127.0.0.1:8080"]
    refused = pinsync(*words)
    assert (refused.code, names(tmp_path)) == (2, set())
    assert refused.err.endswith("if you trust 127.0.0.1: export PINSYNC_ALLOW_HOST=127.0.0.1\n")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    assert (pinsync(*words).code, pinsync("trackers").code) == (0, 0)


@pytest.mark.parametrize(
    ("tracker_id", "host", "message"),
    [
        ('x"\nhosts: y', None, "tracker_id must consist of"),
        ("../x", None, "tracker_id must consist of"),
        ("x", "https://evilluigisbox.tech", "must not point at evilluigisbox.tech"),
        ("x", "https://u:p@live.luigisbox.tech", "user name or password"),
        (None, "https://live.luigisbox.tech", "a host belongs to a tracker"),
    ],
)
def test_what_would_not_be_valid_is_not_written(
    tmp_path: Path, tracker_id: str | None, host: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        run(tmp_path, tracker_id=tracker_id, host=host)
    assert names(tmp_path) == set()


def test_a_variable_that_is_refused_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PINSYNC_TIMEOUT"):
        run(tmp_path, environ={"PINSYNC_TIMEOUT": "soon"})
    assert names(tmp_path) == set()


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "pinsync.yaml"
    file.write_text("format: 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"pinsync\.yaml is there already") as caught:
        run(tmp_path)
    assert caught.value.exit_code == 2
    assert file.read_text(encoding="utf-8") == "format: 1\n"
    assert names(tmp_path) == {"pinsync.yaml"}


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "pinsync.yaml").symlink_to("elsewhere")
    with pytest.raises(UsageError, match="is there already"):
        run(tmp_path)
    assert names(tmp_path) == {"pinsync.yaml"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", f"{ATTRIBUTES}\n"),
        (b"*.png binary\n", f"*.png binary\n{ATTRIBUTES}\n"),
        (b"*.png binary", f"*.png binary\n{ATTRIBUTES}\n"),
        (b"*.png binary\r\n", f"*.png binary\r\n{ATTRIBUTES}\n"),
        (f"{ATTRIBUTES}\r\n*.png binary\r\n".encode(), f"{ATTRIBUTES}\r\n*.png binary\r\n"),
        (f"# {ATTRIBUTES}\n".encode(), f"# {ATTRIBUTES}\n{ATTRIBUTES}\n"),
    ],
)
def test_the_attributes_keep_what_is_there_and_gain_one_line(
    tmp_path: Path, before: bytes, after: str
) -> None:
    file = tmp_path / ".gitattributes"
    file.write_bytes(before)
    run(tmp_path)
    assert file.read_bytes() == after.encode()
    (tmp_path / "pinsync.yaml").unlink()
    assert run(tmp_path)[0] == "Wrote pinsync.yaml."
    assert file.read_bytes() == after.encode()


def test_git_understands_the_line(tmp_path: Path) -> None:
    run(tmp_path)
    environ = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), *arguments]
        return subprocess.run(
            command, env=environ, check=True, capture_output=True, text=True
        ).stdout

    git("init", "--quiet")
    for path in ("customizations/basket.yaml", "customizations/shop-sk/basket.yaml"):
        assert git("check-attr", "eol", "--", path) == f"{path}: eol: lf\n"
    assert git("check-attr", "eol", "--", "pinsync.yaml") == "pinsync.yaml: eol: unspecified\n"


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_attributes_that_can_not_be_written_leave_nothing_behind(tmp_path: Path, kind: str) -> None:
    file = tmp_path / ".gitattributes"
    file.symlink_to("elsewhere") if kind == "link" else file.mkdir()
    with pytest.raises(FileError, match="symbolic link" if kind == "link" else "can't be written"):
        run(tmp_path)
    assert names(tmp_path) == {".gitattributes"}


def test_a_folder_that_can_not_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        run(tmp_path / "nowhere")


# CI for a configuration in a folder.


@pytest.mark.parametrize("host", CI)
def test_the_files_for_ci_name_a_configuration_in_a_folder(
    host: str,
    repository: Path,
    pinsync: CommandLine,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(FROM_FOLDER)
    monkeypatch.chdir(put(repository / "shops" / "sk" / "note.txt", "").parent)
    assert pinsync("init").code == 0
    result = pinsync("init", "--ci", host)
    assert result.code == 0
    for name, template in CI[host].items():
        assert f"../../{name}" in result.err
        text = (repository / name).read_text(encoding="utf-8")
        names = "diff|lint|export|calendar|fmt|trackers|plan|apply"
        commands = re.findall(rf"pinsync (?:{names})\b(?! -->).*", text)
        assert commands
        assert all(
            re.match(r"pinsync \w+ --config shops/sk/pinsync\.yaml\b", command)
            for command in commands
        )
        # Only a request that changes a file of that folder is reviewed.
        filters = re.findall(r'^ +(?:paths|changes):\n +- "shops/sk/.*"\n', text, re.MULTILINE)
        counts = {"github-review.yml": 1, "github-plan.yml": 1, "gitlab-ci.yml": 2}
        assert len(filters) == counts.get(template, 0)
        for each in filters:
            text = text.replace(each, "")
        assert text.replace(" --config shops/sk/pinsync.yaml", "") == (
            TEMPLATES / template
        ).read_text(encoding="utf-8")
    assert not (repository / "pinsync.yaml").exists()
    with untouched(repository):
        assert "is there already" in pinsync("init", "--ci", host).err


def test_ci_with_a_configuration_in_a_folder_runs(
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(put(repository / "shop" / "note.txt", "").parent)
    with Sandbox(rows(), private_key=KEY) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        assert pinsync("init", "--tracker-id", api.tracker_id).code == 0
        assert pinsync("init", "--ci", "github").code == 0
        git("add", "--all", str(repository))
        git("commit", "--quiet", "-m", "Configure pinsync")
        contexts = {
            "secrets.PINSYNC_PRIVATE_KEY": KEY,
            "vars.PINSYNC_TRACKER_ID": "",
            "github.token": "a-token",
        }
        runner = Runner(
            tmp_path / "runner", repository, contexts | {"github.repository": "shop/pins"}
        )
        drift, review = (
            repository / ".github" / "workflows" / f"pins-{name}.yml"
            for name in ("drift", "review")
        )
        outputs = runner.job(drift, "drift")
        assert (outputs, runner.gh()[-1]) == ({}, "issue create")
        assert "The shop differs from git in 3 rules" in runner.calls[-1].files["drift.md"]
        git("checkout", "--quiet", "-b", "topic")
        put(repository / "shop" / "customizations" / "basket.yaml", BASKET_TEXT)
        git("add", "--all", str(repository))
        git("commit", "--quiet", "-m", "Pin")
        runner.ref = "topic"
        event = {"base.ref": "main", "head.sha": git("rev-parse", "topic")}
        outputs = runner.job(
            review,
            "review",
            **{f"github.event.pull_request.{name}": value for name, value in event.items()},
        )
    assert outputs == {"code": "1"}
    assert "`basket`" in (tmp_path / "runner" / "artifacts" / "pins").read_text(encoding="utf-8")


def test_where_only_a_folder_has_a_configuration_ci_is_set_up_there(
    repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "shop" / "pinsync.yaml", "format: 1\n")
    with untouched(repository):
        result = pinsync("init", "--ci", "github")
    assert (result.code, "run the command in shop; " in result.err) == (2, True)
    assert not (repository / "pinsync.yaml").exists()
    assert pinsync("init").code == 0
    assert pinsync("init", "--ci", "github").code == 0


def test_a_folder_that_a_shell_would_misread_is_refused(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(put(repository / "my $(shop)" / "pinsync.yaml", "format: 1\n").parent)
    with untouched(repository):
        result = pinsync("init", "--ci", "gitlab")
    assert (result.code, "rename the folder" in result.err) == (2, True)


# A configuration where others are.


@pytest.mark.parametrize("place", ["pins", "pins/sk"])
@pytest.mark.parametrize("arguments", [(), ("--tracker-id", "1234-5678")])
def test_where_documents_go_no_configuration_begins(
    place: str,
    arguments: tuple[str, ...],
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(repository / "pinsync.yaml", "format: 1\ndirectory: pins\n")
    monkeypatch.chdir(put(repository / place / "basket.yaml", BASKET_TEXT).parent)
    with untouched(repository):
        result = pinsync("init", *arguments)
    above = os.path.relpath(repository / "pinsync.yaml")
    assert result.code == 2
    assert f"pins is the folder for the documents of {above}" in result.err
    assert f"edit {above}" in result.err


def test_without_a_configuration_a_folder_is_nobodys(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(put(repository / "customizations" / "shop.txt", "").parent)
    assert pinsync("init").code == 0
    assert (repository / "customizations" / "pinsync.yaml").exists()


def test_below_another_configuration_the_new_one_counts(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", "format: 1\n")
    monkeypatch.chdir(put(repository / "shops" / "sk" / "note.txt", "").parent)
    result = pinsync("init", "--tracker-id", "9-9")
    assert (result.code, result.err.splitlines()[1]) == (
        0,
        "Here, and in the folders below, it counts instead of ../../pinsync.yaml from now on.",
    )
    assert config.load(None, start=Path.cwd(), environ={}).trackers == (
        config.Tracker("default", "9-9"),
    )


def test_a_configuration_that_the_environment_names_is_not_looked_at(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_CONFIG", "other/shop.yaml")
    put(
        repository / "other" / "shop.yaml",
        "directory: ../customizations\ntrackers: {other: {tracker_id: 1-1}}\n",
    )
    result = pinsync("init", "--tracker-id", "9-9", "--ci", "github")
    assert result.code == 0, result.err
    said = (
        "PINSYNC_CONFIG names other/shop.yaml, which counts instead until you unset the variable."
    )
    assert result.err.splitlines()[1] == said
    assert "1-1" not in Path(".github", "workflows", "pins-drift.yml").read_text()


def test_beyond_the_repository_no_configuration_is_looked_for(
    repository: Path, pinsync: CommandLine
) -> None:
    put(repository.parent / "pinsync.yaml", "nonsense: true\n")
    result = pinsync("init")
    assert (result.code, "counts instead" in result.err) == (0, False)


@pytest.mark.parametrize(
    ("directory", "line"),
    [
        ("pins", "pins/** text eol=lf"),
        ("shops/all", "shops/all/** text eol=lf"),
        ("our pins", "our?pins/** text eol=lf"),
        ("'#pins!'", "?pins?/** text eol=lf"),
        ("'[p]ins'", "?p?ins/** text eol=lf"),
        ("pripnuté", "pripnuté/** text eol=lf"),
    ],
)
@pytest.mark.parametrize("folder", [".", "shop"])
def test_the_attributes_are_for_the_configured_directory(
    directory: str,
    line: str,
    folder: str,
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = put(repository / folder / "pinsync.yaml", f"directory: {directory}\n").parent
    monkeypatch.chdir(place)
    assert pinsync("init", "--ci", "github").code == 0
    assert (place / ".gitattributes").read_text(encoding="utf-8") == f"{line}\n"
    path = f"{directory.strip(chr(39))}/sk/basket.yaml"
    assert git("check-attr", "-z", "eol", "--", path).split("\0")[1:3] == ["eol", "lf"]


def test_a_configuration_that_is_refused_gets_no_ci(repository: Path, pinsync: CommandLine) -> None:
    put(repository / "pinsync.yaml", "directory: .git\n")
    with untouched(repository):
        assert pinsync("init", "--ci", "github").code == 2
    assert names(repository) == {".git", "pinsync.yaml"}


# What to do next.


def test_what_was_written_is_to_be_committed_and_then_exported(
    api: Sandbox, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    assert api.url
    said = pinsync("init").err.splitlines()
    assert said == [
        "Wrote pinsync.yaml and a line of .gitattributes.",
        "Commit what was written: git add pinsync.yaml .gitattributes && git commit",
        "Next: pinsync export",
    ]
    commit = said[1].partition(": ")[2]
    subprocess.run(["bash", "-c", f"{commit} --quiet -m Configure"], check=True)
    assert git("status", "--short") == ""
    assert pinsync("export", "--commit").code == 0
    said = pinsync("init", "--ci", "github").err.splitlines()
    assert said[-1] == (
        "Commit what was written: git add .github/workflows/pins-drift.yml "
        ".github/workflows/pins-sync.yml "
        ".github/workflows/pins-review.yml "
        ".github/workflows/pins-plan.yml "
        ".github/workflows/pins-apply.yml "
        ".github/workflows/pins-calendar.yml && git commit"
    )
    assert (repository / "customizations").exists(), "so there is nothing to export next"


# What CI installs.


def sources(repository: Path, host: str) -> set[str]:
    """Return what the files of a code host install."""
    found = set()
    for name in CI[host]:
        data = yaml.safe_load((repository / name).read_text(encoding="utf-8"))
        found.add((data.get("env") or data["variables"])["PINSYNC"])
    return found


@pytest.mark.parametrize("host", CI)
def test_a_commit_that_is_installed_here_is_installed_in_ci(
    host: str, repository: Path, pinsync: CommandLine, install: Install
) -> None:
    install(FROM_COMMIT)
    result = pinsync("init", "--ci", host)
    source = f"git+{REPOSITORY}@{COMMIT}"
    assert f"The jobs install {source}, the commit that is installed here" in result.err
    assert sources(repository, host) == {source}
    assert not any("PyPI" in (repository / name).read_text(encoding="utf-8") for name in CI[host])


@pytest.mark.parametrize("host", CI)
@pytest.mark.parametrize("version", [__version__, "2.0", "2.0rc1", "2.0.post1"])
def test_a_release_that_is_installed_here_is_installed_in_ci(
    version: str, host: str, repository: Path, pinsync: CommandLine, install: Install
) -> None:
    install(None, version)
    result = pinsync("init", "--ci", host)
    assert f"The jobs install pinsync=={version} from PyPI, and hand it the key: " in result.err
    assert sources(repository, host) == {f"pinsync=={version}"}
    for name in CI[host]:
        text = (repository / name).read_text(encoding="utf-8")
        assert re.search(r"# From PyPI.* git\+https://…@<commit>\.\n +PINSYNC: pinsync==", text)


@pytest.mark.parametrize("host", CI)
@pytest.mark.parametrize(
    ("origin", "version"),
    [
        (FROM_FOLDER, "2.0"),
        ({**FROM_COMMIT, "url": "file:///home/ann/pinsync"}, "2.0"),
        ({"url": "file:///home/ann/pinsync", "dir_info": {}}, "2.0"),
        ({"url": "https://git.example/pinsync-2.0.tar.gz", "archive_info": {}}, "2.0"),
        ({"url": "file:///home/ann/pinsync-2.0-py3-none-any.whl", "archive_info": {}}, "2.0"),
        ({**FROM_COMMIT, "url": "ssh://git@git.example/them/pinsync.git"}, "2.0"),
        ({**FROM_COMMIT, "url": "https://user:word@git.example/them/pinsync"}, "2.0"),
        ({**FROM_COMMIT, "url": "https://git.example/pinsync # x"}, "2.0"),
        ({**FROM_COMMIT, "vcs_info": {"vcs": "hg", "commit_id": COMMIT}}, "2.0"),
        ({**FROM_COMMIT, "vcs_info": {"vcs": "svn", "commit_id": "7"}}, "2.0"),
        (None, "2.0.dev3"),
        (None, "2.0+ours"),
    ],
)
def test_what_is_neither_a_commit_nor_a_release_is_for_a_person_to_fill_in(
    origin: dict[str, object] | None,
    version: str,
    host: str,
    repository: Path,
    pinsync: CommandLine,
    install: Install,
) -> None:
    install(origin, version)
    result = pinsync("init", "--ci", host)
    assert result.code == 0
    assert "The jobs fail until each of these files says at PINSYNC what to install" in result.err
    reason = "neither from a commit at a plain https address nor from a release"
    assert f"this pinsync was installed {reason}.\n" in result.err
    assert sources(repository, host) == {""}


# GitLab, where there are jobs already.


@pytest.mark.parametrize("folder", [".", "shop"])
def test_gitlabs_jobs_can_be_included(
    folder: str,
    repository: Path,
    pinsync: CommandLine,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(FROM_COMMIT)
    file = put(repository / ".gitlab-ci.yml", "build:\n  script: make\n")
    monkeypatch.chdir(put(repository / folder / "pinsync.yaml", "format: 1\n").parent)
    result = pinsync("init", "--ci", "gitlab")
    assert result.code == 0
    assert file.read_text(encoding="utf-8") == "build:\n  script: make\n"
    up = "" if folder == "." else "../"
    assert result.err.startswith(f"Wrote {up}pins.gitlab-ci.yml and a line of .gitattributes.\n")
    assert f"git add {up}pins.gitlab-ci.yml .gitattributes" in result.err
    include, jobs = re.findall(
        r"^Add `(.*)` to (\S+), and to its stages, .*: test\.$", result.err, re.MULTILINE
    )[0]
    assert jobs == f"{up}.gitlab-ci.yml"
    file.write_text(f"{include}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    included = repository / yaml.safe_load(file.read_text(encoding="utf-8"))[
        "include"
    ].removeprefix("/")
    text = included.read_text(encoding="utf-8")
    assert (f"PINSYNC: git+{REPOSITORY}@{COMMIT} #" in text, "PyPI" in text) == (True, False)
    assert len(re.findall(r"pinsync (?:diff|lint|export) --config shop/pinsync\.yaml ", text)) == (
        0 if folder == "." else len(re.findall(r"pinsync (?:diff|lint|export)\b", text))
    )
    assert "stage" not in yaml.safe_load(text)[".pinsync"], "so that it is test"
    for each in (file, included):
        check_schema(each, "gitlab-ci")
    with untouched(repository):
        again = pinsync("init", "--ci", "gitlab")
    assert (
        again.code,
        "pins.gitlab-ci.yml is there already, and nothing was changed" in again.err,
    ) == (2, True)


@pytest.mark.parametrize("how", ["ours", "folder", "link"])
def test_what_holds_the_jobs_already_or_no_others_is_not_joined(
    how: str, repository: Path, pinsync: CommandLine
) -> None:
    file = repository / ".gitlab-ci.yml"
    if how == "ours":
        assert pinsync("init", "--ci", "gitlab").code == 0
    elif how == "folder":
        file.mkdir()
    else:
        file.symlink_to("elsewhere")
    result = pinsync("init", "--ci", "gitlab")
    assert (
        result.code,
        ".gitlab-ci.yml is there already, and nothing was changed" in result.err,
    ) == (2, True)
    assert not (repository / "pins.gitlab-ci.yml").exists()
