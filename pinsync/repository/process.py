"""Run git's commands.

pinsync runs git's own commands, since only they respect filters, hooks, signing, worktrees and the
environment of a hook.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import weakref
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct, field

from pinsync.environment import read_variables
from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath
    from typing import IO

# The variables that tie git to one repository: the list of `git rev-parse --local-env-vars`, and
# GIT_NAMESPACE.
_LOCAL_VARIABLES: Final = (
    "GIT_(?:ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|CONFIG_COUNT|CONFIG_PARAMETERS|DIR|"
    "GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE|INTERNAL_SUPER_PREFIX|NAMESPACE|NO_REPLACE_OBJECTS|"
    "OBJECT_DIRECTORY|PREFIX|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)"
)
_SETTINGS: Final = (
    # `:(literal)` keeps its meaning if the user has set GIT_LITERAL_PATHSPECS.
    "--no-literal-pathspecs",
    # A conversion of line endings is no failure.
    "-c",
    "core.safecrlf=false",
    # Commit messages are UTF-8, even if the user's i18n settings say otherwise.
    "-c",
    "i18n.commitEncoding=UTF-8",
    # A committed folder can look like a bare repository, and its configuration would run programs.
    # Git before 2.38 ignores the setting: `discovery` keeps git out of such folders by itself.
    "-c",
    "safe.bareRepository=explicit",
)
# Messages in English, since pinsync reads some of them.
_LANGUAGE: Final = {"LANGUAGE": "C", "LC_ALL": "C"}
# The characters that git reads only as escapes within quotes.
_QUOTED: Final = r'["\\\n]'
_PIECE: Final = 1 << 16
if sys.platform == "win32":
    # Without a window of its own, and without the Ctrl-C that ends pinsync.
    _FLAGS: Final = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _FLAGS: Final = 0
PATHS_ON_INPUT: Final = ("--pathspec-from-file=-", "--pathspec-file-nul")
"""The options of a command that reads the bytes of `encode_pathspecs` from standard input.

An argument list has a maximum length, on Windows a low one.
"""


class CommandResult(NamedTuple):
    """The result of a git command: exit status, standard output and standard error."""

    status: int
    output: bytes
    errors: str


class Conversation:
    """A running command with the pipes for its questions and answers.

    A caller that drops the conversation ends the command.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        # Not __del__: of objects that refer to each other, Python may destroy the pipes first.
        self._finalizer = weakref.finalize(self, _end, process)

    def close(self) -> None:
        """End the command."""
        self._finalizer()

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe for questions."""
        return _require_pipe(self._process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe of the answers."""
        return _require_pipe(self._process.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        """The pipe of the messages."""
        return _require_pipe(self._process.stderr)


class Git(Struct, frozen=True):
    """Git's commands, run in one folder.

    Args:
        folder: the folder in which the commands run.
        environment: variables to set in addition to the environment of the process.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def attempt(
        self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> CommandResult:
        """Run a command and return its result, even if the command fails.

        Args:
            arguments: the command's name and its arguments.
            feed: the bytes for its standard input.
            environment: variables to set for this command alone.

        Raises:
            RepositoryError: git itself can't be run.
        """
        process = self._start(arguments, environment or {}, asks=bool(feed))
        try:
            # Feeds and reads all pipes at the same time: git may fill its standard output before
            # it has read all input, which would deadlock.
            output, errors = process.communicate(feed or None)
        finally:
            # An interrupted command goes on: it may have moved a branch, and writes its index.
            _close_pipes(process)
        return CommandResult(process.returncode, output, decode_line(errors))

    def run(
        self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a command and return its output.

        Args:
            arguments: the command's name and its arguments.
            feed: the bytes for its standard input.
            environment: variables to set for this command alone.

        Raises:
            RepositoryError: the command failed; the message holds one line of git's own.
        """
        result = self.attempt(*arguments, feed=feed, environment=environment)
        return require_success(result, arguments[0])

    def stream(self, *arguments: str) -> Iterator[bytes]:
        """Yield a command's output in pieces, as soon as git writes them.

        A caller that drops the iterator ends the command.

        Raises:
            RepositoryError: the command failed; the message holds one line of git's own.
        """
        process = self._start(arguments, {}, asks=False)
        stdout, stderr = _require_pipe(process.stdout), _require_pipe(process.stderr)
        try:
            # Not stdout.read(), which waits for a whole piece.
            while piece := os.read(stdout.fileno(), _PIECE):
                yield piece
            errors = decode(stderr.read())
            status = process.wait()
        finally:
            _end(process)
        require_success(CommandResult(status, b"", errors), arguments[0])

    def start_conversation(self, *arguments: str) -> Conversation:
        """Start a command that answers each line of its input."""
        return Conversation(self._start(arguments, {}, asks=True))

    def _start(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, asks: bool
    ) -> subprocess.Popen[bytes]:
        """Start a command; ``asks`` is whether pinsync writes to its standard input."""
        command = self.build_command(arguments)
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE if asks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **_LANGUAGE, **self.environment, **environment},
                creationflags=_FLAGS,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise build_missing_error() from error

    def build_command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command line of a command."""
        # With -C and not with a working folder: of a folder that can't be entered, git says so.
        return [_find_program(), "-C", str(self.folder), *_SETTINGS, *arguments]


def build_missing_error() -> RepositoryError:
    """Return the error for a git that can't be run."""
    return RepositoryError("the git command can't be run", hint="install git and put it on PATH")


def _find_program() -> str:
    """Return git's name or path.

    Raises:
        RepositoryError: on Windows, git isn't on PATH.
    """
    # GitPython's variable. It makes the commits, and all commands are to be of one git.
    name = os.environ.get("GIT_PYTHON_GIT_EXECUTABLE", "git")
    if sys.platform == "win32":
        # Windows looks into the current folder first, where anybody can have committed a git.exe.
        for folder in os.get_exec_path():
            program = Path(folder, name).with_suffix(".exe")
            if program.is_file():
                return str(program)
        raise build_missing_error()
    return name


def _require_pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the command was started without this pipe")
    return pipe


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            # Closing writes what was kept back, and git may have ended meanwhile.
            with suppress(BrokenPipeError):
                pipe.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that may have ended by itself."""
    process.terminate()
    _close_pipes(process)
    process.wait()


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for work in another repository.

    It lacks the variables that tie git to one repository. Git sets such variables for hooks.
    """
    return {
        name: value
        for name, value in environment.items()
        if not re.fullmatch(_LOCAL_VARIABLES, name)
    }


def require_success(result: CommandResult, command: str) -> bytes:
    """Return the output of a command.

    Args:
        result: the result of the command.
        command: the name of the command in messages.

    Raises:
        RepositoryError: the command failed; the message holds one line of git's own.
    """
    if result.status:
        raise RepositoryError(f"git {command} failed: {extract_reason(result.errors)}")
    return result.output


def extract_reason(errors: str) -> str:
    """Return the line of a command's standard error that says why the command failed."""
    lines = [line.strip() for line in redact_errors(errors).splitlines() if line.strip()]
    if not lines:
        return "no reason given"
    for line in lines:
        if line.startswith(("fatal: ", "error: ")):
            return re.sub("^(?:fatal|error): ", "", line)
    return lines[-1]


def redact_errors(errors: str) -> str:
    """Return a command's standard error for people, without secrets."""
    # A hook can write the value of any variable there.
    return printable(redact(errors, read_variables()))


def decode(output: bytes) -> str:
    """Return output as text: UTF-8, with surrogates for the bytes of names in other encodings."""
    return output.decode("utf-8", "surrogateescape")


def decode_line(output: bytes) -> str:
    """Return output of one line as text, without the newline."""
    return decode(output).removesuffix("\n")


def decode_with_nul(output: bytes) -> list[str]:
    """Return the items in the output of a command with ``-z``."""
    return decode(output).split("\0")[:-1]


def encode_with_nul(items: Iterable[object]) -> bytes:
    """Return items as input for a command with ``-z``."""
    return "".join(f"{item}\0" for item in items).encode("utf-8", "surrogateescape")


def build_pathspec(path: object) -> str:
    """Return a path as an argument of git in which a ``*`` has no special meaning."""
    return f":(literal){path}"


def encode_pathspecs(paths: Iterable[PurePosixPath]) -> bytes:
    """Return paths as input for a command with the options `PATHS_ON_INPUT`."""
    return encode_with_nul(map(build_pathspec, paths))


def encode_quoted(paths: Iterable[PurePosixPath]) -> bytes:
    """Return paths as quoted lines, as input for a command with ``--stdin-paths``."""
    # --stdin-paths has no -z, and without quotes a newline would end the path.
    lines = [f'"{re.sub(_QUOTED, _escape, str(path))}"\n' for path in paths]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _escape(character: re.Match[str]) -> str:
    return f"\\{ord(character[0]):03o}"


@contextmanager
def make_temporary_folder(files: Mapping[str, bytes]) -> Iterator[Path]:
    """Yield a new folder, and remove it at the end.

    Args:
        files: name → content of each file to write into the folder.

    Raises:
        RepositoryError: the system has no place for the folder, as in a container with a read-only
            file system.
    """
    with ExitStack() as stack:
        try:
            # Imported here, since only a commit needs it, and it takes as long as all of click.
            import tempfile  # noqa: PLC0415

            temporary = tempfile.TemporaryDirectory(prefix="pinsync-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
            for name, content in files.items():
                (folder / name).write_bytes(content)
        except OSError as error:
            message = f"no temporary folder can be written: {error.strerror}"
            hint = "set TMPDIR to a folder that can be written, on a disk with free space"
            raise RepositoryError(message, hint=hint) from error
        yield folder


def read_pager(git: Git | None) -> str:
    """Return the shell command of the user's pager; ``cat`` for no pager.

    Git takes the first of GIT_PAGER, the setting core.pager, PAGER and its own default (see
    GIT_PAGER in git-var(1)).

    Args:
        git: the repository; None for the user's settings alone.

    Raises:
        RepositoryError: git can't be run, or can't read its settings.
    """
    # A GIT_DIR that is no repository keeps git from looking for one around the current folder: a
    # bare repository that somebody committed there would choose the pager.
    outside = Git(Path.cwd(), {"GIT_DIR": os.devnull})
    return decode_line(require_success((git or outside).attempt("var", "GIT_PAGER"), "var"))
