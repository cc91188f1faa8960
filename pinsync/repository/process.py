"""Running git: GitPython is imported here and nowhere else.

It runs git while it is imported, so that waits for the first command: by then the configuration is
read, and it is known which variables hold keys.

Git's own commands are run, since they alone know filters, hooks, signing, worktrees and what a
hook's environment says. GitPython's objects aren't used: they fail on SHA-256 repositories, and
``index.commit`` commits all that is staged, skips hooks and signs nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, Protocol, cast

from pinsync.environment import read_variables
from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath
    from types import ModuleType

    from git import Git as GitPython

# What ties git to one repository: the list of `git rev-parse --local-env-vars`, and the namespace.
_LOCAL_VARIABLES: Final = re.compile(
    "GIT_(?:ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|CONFIG_COUNT|CONFIG_PARAMETERS|DIR|GRAFT_FILE|"
    "IMPLICIT_WORK_TREE|INDEX_FILE|INTERNAL_SUPER_PREFIX|NAMESPACE|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|"
    "REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)"
)
_SETTINGS: Final = (
    # `literal` means what it says under GIT_LITERAL_PATHSPECS too.
    "--no-literal-pathspecs",
    # A conversion of line endings is no failure.
    "-c",
    "core.safecrlf=false",
    # Messages are UTF-8 whatever the user's i18n settings say.
    "-c",
    "i18n.commitEncoding=UTF-8",
    # A committed folder can look like a bare repository, whose configuration runs programs. Git
    # before 2.38 ignores the setting: `discovery` keeps git out of such folders by itself.
    "-c",
    "safe.bareRepository=explicit",
)
_PIECE: Final = 1 << 16
PATHS_ON_INPUT: Final = ("--pathspec-from-file=-", "--pathspec-file-nul")
"""The options of a command that reads what `pathspecs` returns; an argument list has a limit, on Windows a low one."""


def _missing() -> RepositoryError:
    return RepositoryError("the git command can't be run", hint="install git and put it on PATH")


if not shutil.which(os.environ.get("GIT_PYTHON_GIT_EXECUTABLE", "git")):
    raise _missing()


class Outcome(NamedTuple):
    """What a git command ended with: exit status, standard output and standard error."""

    status: int
    output: bytes
    errors: str


class Conversation(Protocol):
    """A running command that is asked and answers."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: BinaryIO


@dataclass(frozen=True, slots=True)
class Git:
    """Git's commands, run in one folder.

    Args:
        folder: where they run.
        environment: what is set besides the process's own environment.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def attempt(
        self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run a command and return what came of it, failure included.

        Args:
            arguments: the command's name and its arguments.
            feed: its standard input.
            environment: what is set for this command alone.

        Raises:
            RepositoryError: git itself can't be run.
        """
        git = _gitpython()
        with _input(feed) as stream:
            try:
                return Outcome(
                    *git.Git().execute(
                        self._command(arguments),
                        stream,
                        env={**self.environment, **(environment or {})},
                        with_extended_output=True,
                        with_exceptions=False,
                        stdout_as_string=False,
                        strip_newline_in_stdout=False,
                    )
                )
            except git.GitCommandNotFound as error:
                raise _missing() from error

    def run(
        self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a command and return its output; what it takes is as for `attempt`.

        Raises:
            RepositoryError: the command failed; the message holds one line of git's own.
        """
        return checked(self.attempt(*arguments, feed=feed, environment=environment), arguments[0])

    def stream(self, *arguments: str) -> Iterator[bytes]:
        """Yield a command's output piece by piece, as it comes; whoever stops taking it ends the command.

        Raises:
            RepositoryError: the command failed; the message holds one line of git's own.
        """
        process = self._start(arguments)
        while piece := process.stdout.read1(_PIECE):
            yield piece
        try:
            process.wait()
        except _gitpython().GitCommandError as error:
            raise RepositoryError(
                f"git {arguments[0]} failed: {reason(str(error.stderr))}"
            ) from error

    def conversation(self, *arguments: str) -> Conversation:
        """Start a command that answers each line of its input; whoever drops the result ends it."""
        return cast("Conversation", self._start(arguments, subprocess.PIPE))

    def _start(
        self, arguments: Sequence[str], stream: BinaryIO | int | None = None
    ) -> GitPython.AutoInterrupt:
        client: GitPython = _gitpython().Git()
        return client.execute(
            self._command(arguments), stream, as_process=True, env=self.environment
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        # By -C, not as GitPython's working folder: where that can't be entered, it takes the
        # current one instead.
        return [
            str(_gitpython().Git.GIT_PYTHON_GIT_EXECUTABLE),
            "-C",
            str(self.folder),
            *_SETTINGS,
            *arguments,
        ]


def _gitpython() -> ModuleType:
    try:
        import git  # noqa: PLC0415 - see the top of this module
    except ImportError as error:
        raise _missing() from error
    return git


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what ties git to one repository, as a hook's does; for work in another one."""
    return {
        name: value for name, value in environment.items() if not _LOCAL_VARIABLES.fullmatch(name)
    }


def checked(outcome: Outcome, command: str) -> bytes:
    """Return the output of a command.

    Raises:
        RepositoryError: the command failed; the message holds one line of git's own.
    """
    if outcome.status:
        raise RepositoryError(f"git {command} failed: {reason(outcome.errors)}")
    return outcome.output


def reason(errors: str) -> str:
    """Return the line of a command's standard error that says why it failed."""
    lines = [line.strip() for line in shown(errors).splitlines() if line.strip()] or [
        "no reason given"
    ]
    named = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    return re.sub("^(?:fatal|error): ", "", (named or lines[-1:])[0])


def shown(errors: str) -> str:
    """Return a command's standard error for people; a hook can have put any variable's value there."""
    return printable(redact(errors, read_variables()))


def text(output: bytes) -> str:
    """Return output as text: UTF-8, where names in another encoding come through as they are."""
    return output.decode("utf-8", "surrogateescape")


def line(output: bytes) -> str:
    """Return output that is one line, without its end."""
    return text(output).removesuffix("\n")


def joined(items: Iterable[object]) -> bytes:
    """Return items as input for a command's ``-z``."""
    return "".join(f"{item}\0" for item in items).encode("utf-8", "surrogateescape")


def literal(path: object) -> str:
    """Return a path as an argument of git, so that a ``*`` in it means itself."""
    return f":(literal){path}"


def pathspecs(paths: Iterable[PurePosixPath]) -> bytes:
    """Return paths as input for `PATHS_ON_INPUT`, each as `literal` has it."""
    return joined(map(literal, paths))


def quoted_lines(paths: Iterable[PurePosixPath]) -> bytes:
    """Return paths as input for ``--stdin-paths``, which knows no ``-z``."""
    lines = (
        re.sub(r'["\\\n]', lambda found: f"\\{ord(found[0]):03o}", str(path)) for path in paths
    )
    return "".join(f'"{path}"\n' for path in lines).encode("utf-8", "surrogateescape")


@contextmanager
def temporary_folder(files: Mapping[str, bytes]) -> Iterator[Path]:
    """Yield a folder that is removed in the end.

    Args:
        files: name → content of each file that it is to hold at first.

    Raises:
        RepositoryError: the system has no place for it, as in a container whose file system is
            read-only.
    """
    with ExitStack() as stack:
        try:
            temporary = tempfile.TemporaryDirectory(prefix="pinsync-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
            for name, content in files.items():
                (folder / name).write_bytes(content)
        except OSError as error:
            hint = "set TMPDIR to a folder that can be written, on a disk with free space"
            raise RepositoryError(
                f"no temporary folder can be written: {error.strerror}", hint=hint
            ) from error
        yield folder


@contextmanager
def _input(feed: bytes) -> Iterator[BinaryIO | None]:
    """Yield the standard input of a command; None for an empty one."""
    if not feed:
        yield None
        return
    # A pipe, since a temporary file needs a disk that can be written. A thread fills it: git may
    # answer before it has read all, and would wait for us to read while we wait for it.
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        threading.Thread(target=_fill, args=(writer, feed), daemon=True).start()
        yield stream


def _fill(writer: int, feed: bytes) -> None:
    with (
        suppress(BrokenPipeError),
        os.fdopen(writer, "wb") as stream,
    ):  # a command need not read all
        stream.write(feed)


def read_pager(git: Git | None) -> str:
    """Return the command that git shows long output with, for a shell; ``cat`` for no pager.

    Git looks at GIT_PAGER, the setting core.pager, PAGER, and then knows its own default
    (gitvariables of git-var(1)).

    Args:
        git: the repository; None for the user's settings alone.

    Raises:
        RepositoryError: git can't be run, or can't read its settings.
    """
    # A GIT_DIR that is no repository keeps git from looking for one around the current folder,
    # where a bare repository that somebody committed would choose the pager.
    outside = Git(Path.cwd(), {"GIT_DIR": os.devnull})
    return line(checked((git or outside).attempt("var", "GIT_PAGER"), "var"))
