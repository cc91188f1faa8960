"""Make the files that run pinsync in CI, from templates and the trackers of a configuration."""

from __future__ import annotations

import json
import re
from importlib import metadata, resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.canonical import quote
from pinsync.config import DEFAULT_KEY_VARIABLE
from pinsync.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.config import Tracker

TRACKER_VARIABLE: Final = "PINSYNC_TRACKER_ID"

_COMMAND: Final = re.compile(r"\bpinsync (?:diff|lint|export|calendar|plan|apply)\b(?! -->)")
"""A command in a template that reads a configuration."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
"""A path that needs no quotes, neither in YAML nor in a shell."""

_SOURCE: Final = re.compile(r'(?m)^  # What (pipx?) installs: .*\n  PINSYNC: ""$')
"""The lines of a template about the package to install."""
_FROM_PYPI: Final = (
    "From PyPI: make sure that it has this pinsync, or write git+https://…@<commit>."
)
_URL: Final = re.compile(r"https://[A-Za-z0-9._~/-]+")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_UNRELEASED: Final = re.compile(r"dev|\+")
"""The mark of a development build's version, or of a local version (PEP 440)."""

# Lines that change for several trackers, in all templates:
_HEADER: Final = re.compile(r"(?m)^# .*\bone (?:open issue|pull request|merge request)\b")
_BRANCH: Final = re.compile(r"(?m)^ +BRANCH: .*$")
_TITLE: Final = re.compile(r"(?m)^ +TITLE: .*$")
_LIVE_COMMAND: Final = re.compile(r'\bpinsync (?:diff|export|plan|apply)\b(?! "\$from| -->)')
"""A command about one tracker; those for a pull or merge request have `"$from` behind."""
_OF_ALL: Final = ("github-plan.yml",)
"""The templates with one job for all trackers, since a pull request has one comment."""
# In GitHub's templates:
_JOB_NAME: Final = re.compile(r"(?m)^    name: .*$")
_JOB_ENVIRONMENT: Final = re.compile(r"(?m)^    env:\n")
_SECRET: Final = re.compile(r"\$\{\{ secrets\.(\w+) \}\}")
_ISSUE: Final = "--json number --jq '"
_ISSUE_OF_TITLE: Final = (
    # By default gh lists only 30 issues. Its jq can read the environment.
    "--limit 1000 --json number,title \\\n            --jq 'map(select(.title == env.TITLE)) | "
)
_ARTIFACT: Final = re.compile(r"(?m)^          name: pins-(?:page|plan-page|apply)$")
_OUTPUT: Final = re.compile(
    r"(?m)^(      checksum)(: \$\{\{ steps\.plan\.outputs\.checksum) \}\}\n"
)
_WRITTEN_OUTPUT: Final = 'echo "checksum=$checksum"'
_WRITTEN_OUTPUTS: Final = """printf '%s\\n' "checksum=$checksum" "checksum-$TRACKER=$checksum\""""
_READ_OUTPUT: Final = "CHECKSUM: ${{ needs.plan.outputs.checksum }}"
_READ_OUTPUTS: Final = "CHECKSUM: ${{ needs.plan.outputs[format('checksum-{0}', matrix.tracker)] }}"
_PULL_REQUEST: Final = re.compile(r"(?m)^  pull_request:$")
# In GitLab's template:
_MERGE_REQUEST: Final = re.compile(
    r'(?m)^    - if: \$CI_PIPELINE_SOURCE == "merge_request_event".*\n'
)
_JOB_OF_TRACKER: Final = re.compile(
    r"(?m)^pins-(?:drift|sync|merged|apply):\n  extends: \.pinsync\n"
)
_CHECKSUM_FILE: Final = "pins.checksum"
_ENVIRONMENT: Final = re.compile(r"(?m)^    name: pins-apply$")


def find_installed_source() -> str | None:
    """Return pip's name of the installed pinsync: a release or a commit; None for neither."""
    try:
        package = metadata.distribution("pinsync")
    except metadata.PackageNotFoundError:
        # pinsync runs from its source.
        return None
    # pip writes the file for a commit, an archive or a folder (PEP 610), but not for a package that
    # it found in an index by its name.
    record = package.read_text("direct_url.json")
    if record is None:
        is_released = not _UNRELEASED.search(package.version)
        return f"pinsync=={package.version}" if is_released else None
    origin = json.loads(record)
    url, vcs = origin.get("url", ""), origin.get("vcs_info", {})
    commit = vcs.get("commit_id", "")
    is_commit = vcs.get("vcs") == "git" and _URL.fullmatch(url) and _COMMIT.fullmatch(commit)
    return f"git+{url}@{commit}" if is_commit else None


def is_release(source: str) -> bool:
    """Return whether a source is a release in an index, not a commit."""
    return not source.startswith("git+")


def list_key_variables(trackers: Sequence[Tracker]) -> list[str]:
    """Return the variables of the trackers' keys, each once; without trackers the default one."""
    variables = dict.fromkeys(tracker.private_key_env for tracker in trackers)
    return list(variables) or [DEFAULT_KEY_VARIABLE]


def render(template: str, source: str | None, path: str | None, trackers: Sequence[Tracker]) -> str:
    """Return the text of a file for CI.

    Args:
        template: the name of the template.
        source: the package to install; None leaves it open, so that the jobs fail.
        path: the path of the configuration, if the commands must name it.
        trackers: the trackers of the configuration; without any, CI's environment names one.

    Raises:
        UsageError: the path would need quotes.
    """
    text = resources.files("pinsync").joinpath("templates", template).read_text(encoding="utf-8")
    if source:
        comment = f"  # {_FROM_PYPI}\n" if is_release(source) else ""
        text = _SOURCE.sub(rf"{comment}  PINSYNC: {source} # what \1 installs", text)
    # A template without a key compares commits only, for all trackers in one job.
    if trackers and DEFAULT_KEY_VARIABLE in text:
        text = _name_keys(text, list_key_variables(trackers))
        if len(trackers) > 1 and template not in _OF_ALL:
            split = _split_on_gitlab if template.startswith("gitlab") else _split_on_github
            text = split(text, trackers)
    if path is None:
        return text
    if not _PLAIN.fullmatch(path):
        message = f"{path} can't stand in a file for CI as it is"
        raise UsageError(message, hint="rename the folder, to letters, digits, - and _")
    text = _COMMAND.sub(rf"\g<0> --config {path}", text)
    return _limit_reviews(text, str(PurePosixPath(path).parent))


def _limit_reviews(text: str, folder: str) -> str:
    """Review only requests that change a file in the folder of the configuration."""
    text = _PULL_REQUEST.sub(rf'\g<0>\n    paths:\n      - "{folder}/**"', text)
    return _MERGE_REQUEST.sub(rf'\g<0>      changes:\n        - "{folder}/**/*"\n', text)


def _name_keys(text: str, variables: Sequence[str]) -> str:
    """Repeat each line about the key for each variable; drop lines about the tracker's id."""
    lines = []
    for line in text.splitlines(keepends=True):
        if DEFAULT_KEY_VARIABLE in line:
            lines += [line.replace(DEFAULT_KEY_VARIABLE, variable) for variable in variables]
        elif TRACKER_VARIABLE not in line:
            lines.append(line)
    return "".join(lines)


def _split_on_github(text: str, trackers: Sequence[Tracker]) -> str:
    """Give each tracker a job of its own, with only the tracker's key."""
    matrix = [
        "    strategy:\n",
        "      fail-fast: false # a tracker that fails stops no other\n",
        "      matrix:\n",
        "        include: # the trackers of pinsync.yaml; a new one has to be added here\n",
    ]
    for tracker in trackers:
        name, variable = quote(tracker.name), quote(tracker.private_key_env)
        matrix.append(f"          - {{tracker: {name}, private_key_env: {variable}}}\n")
    each = "${{ matrix.tracker }}"
    text = _JOB_ENVIRONMENT.sub(rf"{''.join(matrix)}\g<0>      TRACKER: {each}\n", text)
    text = _JOB_NAME.sub(rf"\g<0> ({each})", text)
    text = _SECRET.sub(r"${{ matrix.private_key_env == '\1' && secrets.\1 || '' }}", text)
    text = text.replace(_ISSUE, _ISSUE_OF_TITLE)
    # A run may have only one artifact of a name.
    text = _ARTIFACT.sub(rf"\g<0>-{each}", text)
    # The jobs of a matrix share their outputs, so each tracker has an output of its own name. The
    # output without a name says whether there is anything to apply.
    outputs = "".join(rf"\1-{tracker.name}\2-{tracker.name} }}}}\n" for tracker in trackers)
    text = _OUTPUT.sub(rf"\g<0>{outputs}", text)
    text = text.replace(_WRITTEN_OUTPUT, _WRITTEN_OUTPUTS)
    text = text.replace(_READ_OUTPUT, _READ_OUTPUTS)
    return _tell_apart(text, each)


def _split_on_gitlab(text: str, trackers: Sequence[Tracker]) -> str:
    """Give each tracker a job of its own."""
    matrix = [
        "  parallel:\n",
        "    matrix:\n",
        "      - TRACKER: # the trackers of pinsync.yaml; a new one has to be added here\n",
    ]
    matrix += [f"          - {quote(tracker.name)}\n" for tracker in trackers]
    text = _JOB_OF_TRACKER.sub(rf"\g<0>{''.join(matrix)}", text)
    # A job gets the files of all jobs of the matrix that it needs, so each file has its own name.
    text = text.replace(_CHECKSUM_FILE, "pins-$TRACKER.checksum")
    text = _ENVIRONMENT.sub(r"\g<0>-$TRACKER", text)
    return _tell_apart(text, "$TRACKER")


def _tell_apart(text: str, each: str) -> str:
    """Limit each job to its tracker, and name branch, issue and request after the tracker."""
    text = _HEADER.sub(r"\g<0> for each tracker", text)
    text = _BRANCH.sub(rf"\g<0>-{each}", text)
    text = _TITLE.sub(rf"\g<0> ({each})", text)
    return _LIVE_COMMAND.sub(r'\g<0> --tracker "$TRACKER"', text)
