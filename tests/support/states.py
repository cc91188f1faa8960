"""Random states for `equivalence`: a folder with its history, shops, and command lines.

Nothing here imports pinsync, so that no restructuring of the package needs a change here.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = list[Row]


@dataclass(frozen=True)
class Command:
    """A command line, and what meets it.

    Attributes:
        arguments: without the program's name.
        stdin: what standard input holds.
        environment: variables beside the usual ones.
        fault: how every request fails, as for ``pinsync sandbox --fail``; empty if none does.
        answer: the rows of every answer; None for what the shop holds.
    """

    arguments: tuple[str, ...]
    stdin: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    answer: Rows | None = None


@dataclass(frozen=True)
class State:
    """What the command lines of a state run on, beside the folder.

    Attributes:
        shops: the id of a tracker → its customizations.
        environment: the variables that all commands share.
        commands: the command lines, in the order in which they run.
    """

    shops: Mapping[str, Rows]
    environment: Mapping[str, str]
    commands: Sequence[Command]


Run: TypeAlias = Callable[[Command], None]

# Texts that YAML, a terminal, markdown, a CI runner or a sort may take for something else.
WORDS: Final = (
    *("christmas", "summer", "žltá", "日本語", "עברית", "é", "e\u0301", "👩\u200d💻", "no", "007"),
    *("1:30", "1e5", "0x1f", "null", "~", "", " lead", "trail ", "a: b", "#1", "a #b", "it's"),
    *('"quote"', "\\n", "a\tb", "a\nb", "2026-01-01", "2026-01-01T00:00:00Z", "\u200b", "\u202e"),
    *("\u2028", "\x85", "\x1b[31m", "x" * 120, "::error::x", "##vso[task]", "<b>", "`a`", "|"),
    *("- a", "[a]", "{a}", "&a", "*a", "!a", "@live", "%41", "=", "<<"),
)
MODELS: Final = ("basket", "home", "Detail", "košík", "a/b", "item_detail-2.x")
ITEMS: Final = (
    *(f"/p/{number}/" for number in range(1, 13)),
    *("/p/1/\u00a0", "p 1", "all", "-x"),
)
MOMENTS: Final = (
    *("2019-12-24T11:00:00Z", "2020-06-01T00:00:00+02:00", "2020-06-01T00:00:00.500Z"),
    *("2030-01-01t00:00:00-05:30", "2031-12-31T23:59:60Z", "tomorrow", "2020-01-01"),
)
TRACKERS: Final = (["default"], ["default"], ["sk", "cs"], ["a", "b", "c"])
AUTHORS: Final = ("Ada <ada@example.com>", "Jiří Novák <jiri@example.com>")
FIRST_COMMIT: Final = 1577880000
"""2020-01-01T12:00:00Z: so long ago that "6 years ago" stays the same while the versions run."""


def git_environment(commits: int = 1000) -> dict[str, str]:
    """Return the variables that fix a commit's identity and moment, so many days after the
    first.
    """
    moment = f"{FIRST_COMMIT + commits * 86400} +0000"
    return {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.com",
        "GIT_AUTHOR_DATE": moment,
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.com",
        "GIT_COMMITTER_DATE": moment,
    }


# Customizations.


def some_value(random: Random, depth: int = 2) -> object:
    """Return a JSON value."""
    kind = random.randrange(8 if depth else 5)
    if kind < 2:
        return random.choice(WORDS)
    if kind < 5:
        return random.choice((0, 1, -1, 49.9, -0.5, 2**53, True, False, None))
    if kind == 5:
        return [some_value(random, depth - 1) for _ in range(random.randint(0, 3))]
    return some_object(random, depth - 1)


def some_object(random: Random, depth: int = 1) -> Row:
    """Return a JSON object."""
    names = ("category", "price", "in_stock", "language", *WORDS)
    keys = random.choices(names, k=random.randint(0, 3))
    return {key: some_value(random, depth) for key in keys}


def some_pin(random: Random) -> Row:
    """Return a pin with some of the documented fields, and now and then an unknown one."""
    kind = random.choices(("item", "criteria", "banner"), (20, 5, 1))[0]
    pin: Row = {"position": random.choice((-1, 0, 1, 1, 2, 2, 3, 4, 51)), "pin_type": kind}
    if kind == "item":
        pin["pin_identity"] = random.choice(ITEMS)
    if kind == "criteria":
        pin["pin_criteria"] = some_object(random)
    optional = {
        "widget_id": random.choice(("hero", "bundle", "")),
        "is_block_pin": random.random() < 0.6,
        "is_bundle_pin": random.random() < 0.6,
        "active_from": random.choice(MOMENTS),
        "active_to": random.choice(MOMENTS),
    }
    pin.update((name, value) for name, value in optional.items() if random.random() < 0.2)
    if random.random() < 0.05:
        pin[random.choice(("note", "zz", "no"))] = some_value(random)
    return pin


def some_row(random: Random) -> Row:
    """Return a customization with some documented fields, and now and then an unknown one."""
    kind = random.choices(("item", "criteria", "all", "brand"), (10, 4, 2, 1))[0]
    row: Row = {
        "id": some_id(random),
        "model": random.choices(MODELS, (6, 4, 1, 1, 1, 1))[0],
        "target_type": kind,
    }
    if kind == "item":
        row["target_identity"] = random.choice(ITEMS)
    if kind == "criteria":
        row["target_criteria"] = some_object(random, 2)
    optional = {
        "tags": random.choices(WORDS[:20], k=random.randint(0, 3)),
        "target_metadata": {
            "title": random.choice(WORDS),
            "image": f"https://cdn.example/{random.randrange(9)}.jpg",
        },
        "created_at": "2019-05-01T08:00:00Z",
        "updated_at": f"2020-02-{random.randint(1, 28):02}T08:00:00Z",
    }
    row.update((name, value) for name, value in optional.items() if random.random() < 0.7)
    row["pin_definitions"] = [some_pin(random) for _ in range(random.randint(0, 4))]
    if random.random() < 0.1:
        row[random.choice(("note", "enabled", "a b"))] = some_value(random)
    return row


def some_id(random: Random) -> str:
    """Return an id, as a rule a UUID."""
    if random.random() < 0.05:
        return f"{random.choice(WORDS)}{random.randrange(10**6)}"
    number = random.getrandbits(128)
    return re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", f"{number:032x}")


def change_rows(random: Random, rows: Rows) -> Rows:
    """Return the customizations after some edits in the UI."""
    rows = copy.deepcopy(rows)
    for _ in range(random.randint(0, 6)):
        if rows:
            random.choice(ROW_CHANGES)(random, rows, random.randrange(len(rows)))
    return rows


def _remove(_: Random, rows: Rows, at: int) -> None:
    del rows[at]


def _add(random: Random, rows: Rows, _: int) -> None:
    rows.append(some_row(random))


def _copy(random: Random, rows: Rows, at: int) -> None:
    rows.append({**copy.deepcopy(rows[at]), "id": some_id(random)})


def _recreate(random: Random, rows: Rows, at: int) -> None:
    rows[at]["id"] = some_id(random)


def _change_field(random: Random, rows: Rows, at: int) -> None:
    fields = some_row(random)
    name = random.choice([name for name in fields if name != "id"])
    rows[at][name] = fields[name]


def _change_pins(random: Random, rows: Rows, at: int) -> None:
    pins = rows[at]["pin_definitions"]
    if not pins or random.random() < 0.2:
        pins.append(some_pin(random))
        return
    pin = random.choice(pins)
    fields = some_pin(random)
    name = random.choice(list(fields))
    pin[name] = fields[name]


def _swap_pins(random: Random, rows: Rows, at: int) -> None:
    pins = rows[at]["pin_definitions"]
    if len(pins) > 1:
        one, other = random.sample(pins, 2)
        one["position"], other["position"] = other["position"], one["position"]


ROW_CHANGES: Final = (
    _remove,
    _add,
    _copy,
    _recreate,
    _change_field,
    _change_pins,
    _change_pins,
    _swap_pins,
)


def noisy_export(random: Random, rows: Rows) -> str:
    """Return a JSON export with rows and keys in any order."""
    rows = random.sample(rows, len(rows))
    results = [dict(random.sample(list(row.items()), len(row))) for row in rows]
    indent = random.choice((None, 1))
    return json.dumps({"results": results}, indent=indent, ensure_ascii=random.random() < 0.5)


# Documents. An edit replaces one match of a pattern, chosen at random.

HARMLESS: Final = (
    (r"$(?=\n)", "  # agreed with purchasing"),
    (r"^( *)(?=\S)", r"\1# above\n\1"),
    (r"^(?= )", "\n"),
    (r": item$", ': "item"'),
    (r": item$", ":   'item'"),
    (r"^( *)tags:\n *- ([a-z]+)$(?!\n *- )", r"\1tags: [\2]"),
    (r"\A", "# yaml-language-server: $schema=../pinsync.schema.json\n"),
    (r"^( +)(pin_type: .*)\n +(pin_identity: .*)$", r"\1\3\n\1\2"),
    (r"\n", "\r\n"),
    (r"^( *)(?=- position)", r"\1# pinsync: ignore[position-conflict, expired]\n\1"),
    (r"^( *)(?=- id)", r"\1# pinsync: ignore[no-such-rule]\n\1"),
)
MEANINGFUL: Final = (
    (r"position: -?\d+", "position: 7"),
    (r"position: -?\d+", "position: 1"),
    (r"/p/\d+/", "/p/99/"),
    (
        r"^( *)(pin_type: .*)$(?!(\n\1.*)*\n\1active_to)",
        r'\1\2\n\1active_to: "2021-01-01T00:00:00+02:00"',
    ),
    (r"^  - id: .*\n    ", "  - "),
    (r"title: .*", 'title: "Ťava"'),
    (r"^      - position: .*\n(?:(?! {0,6}\S).*\n)*", ""),
    (r"^  - id: .*\n(?:(?! {0,2}\S).*\n)*", ""),
)
MISTAKEN: Final = (
    (r"^model: .*", "model: moved"),
    (r"^    (?=target_type)", "    target_typo: 1\n    "),
    (r"position: -?\d+", "position: first"),
    (r"position: -?\d+", "position: -7"),
    (r"pin_identity: .*", "pin_identity: 8989"),
    (r"pin_type: item", "pin_type: item\n        active_from: yesterday"),
    (r"^    target_type: .*\n", ""),
    (r"^format: 1\n", ""),
)
BROKEN: Final = (
    (r"^(    target_type: .*)$", r"\1\n\1"),
    (r"^(?=  - )", "<<<<<<< HEAD\n"),
    (r"^    (?=\S)", "\t"),
    (r"^format: 1", "format: 2"),
    (r"target_type: ", "target_type: &a "),
    (r"position: \d+", "position: 010"),
    (r"[^\n]*\n\Z", "  - {"),
    (r"\A", "\x00"),
)
TIDY: Final = (*HARMLESS, *MEANINGFUL)
UNTIDY: Final = (*HARMLESS, *MISTAKEN)


def edit_document(random: Random, path: Path, edits: Sequence[tuple[str, str]]) -> None:
    """Replace one match of one of the patterns."""
    text = path.read_bytes().decode()  # keeps the line ends of Windows
    pattern, replacement = random.choice(edits)
    if matches := list(re.finditer(pattern, text, re.MULTILINE)):
        match = random.choice(matches)
        text = text[: match.start()] + match.expand(replacement) + text[match.end() :]
        path.write_bytes(text.encode())


def append_rules(random: Random, path: Path) -> None:
    """Append customizations that somebody wrote by hand, without an id, in JSON's spelling."""
    with path.open("a", encoding="utf-8") as file:
        for _ in range(random.randint(1, 2)):
            row = some_row(random)
            del row["id"], row["model"]
            file.write(f"  - {json.dumps(row, ensure_ascii=random.random() < 0.5)}\n")


def rename_file(random: Random, path: Path) -> None:
    """Give a document another name, as a rule a wrong one."""
    names = ("other.yaml", "Basket.yaml", "home.yml", "basket.YAML", "a b.yaml")
    path.rename(path.with_name(random.choice(names)))


def copy_file(random: Random, path: Path) -> None:
    """Copy a document, so that models and ids stand twice."""
    name = random.choice(("copy.yaml", "home.yaml", "detail.yaml"))
    path.with_name(name).write_bytes(path.read_bytes())


def change_tidily(random: Random, path: Path) -> None:
    """Edit a document so that pinsync can still read it."""
    if random.random() < 0.15:
        append_rules(random, path)
    for _ in range(random.randint(1, 4)):
        edit_document(random, path, TIDY)


def change_untidily(random: Random, path: Path) -> None:
    """Make a mistake in a document, break it, copy it, rename it, or remove it."""
    kind = random.randrange(8)
    if kind < 2:
        rename_file(random, path)
    elif kind == 2:
        copy_file(random, path)
    elif kind == 3:
        path.unlink()
    elif kind == 4:
        edit_document(random, path, BROKEN)
    else:
        edit_document(random, path, UNTIDY)


# The folder.


def configuration(random: Random, names: Sequence[str]) -> str:
    """Return a configuration of trackers."""
    lines = ["format: 1"]
    if random.random() < 0.2:
        lines.append("directory: pins/live")
    if random.random() < 0.3:
        lines.append("timezone: Europe/Bratislava")
    if random.random() < 0.4:
        ignored = random.choice(("target_metadata", "target_metadata.image", "tags, note"))
        lines.append(f"ignore: [{ignored}]")
    if random.random() < 0.3:
        lines.append("safety: {max_removed_percent: 20, min_existing: 2}")
    lines.append("trackers:")
    for name in names:
        lines.append(f"  {name}:\n    tracker_id: id-{name}")
        if random.random() < 0.2:
            lines.append(f"    remove_{random.choice(('expired', 'nonexisting_item'))}_pins: true")
    return "\n".join([*lines, ""])


class Folder:
    """A folder in the making.

    Args:
        random: where the choices come from.
        path: the folder, which is empty.
        environment: the variables that pinsync needs there.
        run: runs a command line of pinsync in the folder.
    """

    def __init__(
        self, random: Random, path: Path, environment: Mapping[str, str], run: Run
    ) -> None:
        self.random = random
        self.path = path
        self._environment = environment
        self._run = run
        self._commits = 0
        self._untidiness = random.choice((0, 0, 0.2, 0.6))
        self._is_repository = False

    def git(self, *arguments: str) -> None:
        """Run git, which may fail, as a merge with conflicts does."""
        command = ["git", *arguments]
        environment = git_environment(self._commits)
        subprocess.run(command, cwd=self.path, env=environment, capture_output=True, check=False)

    def init(self) -> None:
        """Make the folder a repository."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "maintenance.auto", "false")
        self._is_repository = True

    def commit(self, message: str) -> None:
        """Commit all files as one of the authors, a day after the commit before."""
        self._commits += 1
        self.git("add", "--all")
        author = self.random.choice(AUTHORS)
        self.git("commit", "--quiet", f"--author={author}", f"--message={message}")

    def export(self, shops: Mapping[str, Rows]) -> None:
        """Export customizations of trackers."""
        for name, rows in shops.items():
            arguments = (
                "export",
                "--from-file",
                "-",
                "--tracker",
                name,
                "--force",
                "--allow-mass-removal",
            )
            self._run(Command(arguments, noisy_export(self.random, rows), self._environment))

    def documents(self) -> list[Path]:
        """Return the documents."""
        return sorted(path for path in self.path.glob("*/**/*.[yY]*") if ".git" not in path.parts)

    def change_documents(self) -> None:
        """Change some documents."""
        for _ in range(self.random.randint(1, 3)):
            if documents := self.documents():
                is_untidy = self.random.random() < self._untidiness
                change = change_untidily if is_untidy else change_tidily
                change(self.random, self.random.choice(documents))

    def make_history(self, shops: Mapping[str, Rows]) -> None:
        """Commit exports and edits, some of them on a branch ``topic``."""
        self.init()
        self.commit("Configure pinsync")
        messages = ("Move a pin", "Ťahaj <b>", "#1: x", "Fix", "-v", "a\n\nbody")
        for message in self.random.sample(messages, 4):
            if self.random.random() < 0.6:
                self.change_documents()
            else:
                self.export({name: change_rows(self.random, rows) for name, rows in shops.items()})
            self.commit(message)
        self.git("branch", "topic", "HEAD~2")
        self.export(shops)
        self.commit("Export pins")
        self._add_topic()

    def _add_topic(self) -> None:
        """Commit onto the branch ``topic``, and perhaps merge it; a conflict may stay
        unresolved.
        """
        self.git("switch", "--quiet", "topic")
        self.change_documents()
        self.commit("Topic")
        self.git("switch", "--quiet", "main")
        if self.random.random() < 0.3:
            self._commits += 1
            self.git("merge", "--quiet", "--message=Merge topic", "topic")
            if self.random.random() < 0.7:
                self.git("merge", "--abort")

    def add_work(self) -> None:
        """Leave work that isn't committed: staged, unstaged, or in files that git doesn't know."""
        for _ in range(self.random.choice((0, 0, 1, 2))):
            self.change_documents()
            if self._is_repository and self.random.random() < 0.4:
                self.git("add", "--all")


def make_state(random: Random, path: Path, run: Run, sample: Rows | None = None) -> State:
    """Make a folder, the shops behind it, and command lines.

    Args:
        random: where the choices come from.
        path: the folder, which is empty.
        run: runs a command line of pinsync in the folder.
        sample: the customizations of the one tracker; None for random ones of one or several.
    """
    names = ["default"] if sample else random.choice(TRACKERS)
    size = random.choice((0, 3, 6, 6, 12)) // len(names)
    agreed = {name: sample or [some_row(random) for _ in range(size)] for name in names}
    environment = {"PINSYNC_TRACKER_ID": f"id-{names[0]}"}
    if len(names) > 1 or random.random() < 0.7:
        (path / "pinsync.yaml").write_text(configuration(random, names), encoding="utf-8")
        environment = {}
    folder = Folder(random, path, environment, run)
    kind = random.random()
    if kind < 0.95:
        folder.make_history(agreed)
    else:
        if kind < 0.97:
            folder.init()
        folder.export(agreed)
    folder.add_work()
    live = {name: live_rows(random, rows) for name, rows in agreed.items()}
    (path / "export.json").write_text(noisy_export(random, live[names[0]]), encoding="utf-8")
    (path / "agreed.json").write_text(noisy_export(random, agreed[names[0]]), encoding="utf-8")
    (path / "broken.json").write_text('{"results": [{"id": "a", "id": "b"}]}', encoding="utf-8")
    (path / "broken.yaml").write_text("format: 1\ntrakcers: {}\n", encoding="utf-8")
    shops = {f"id-{name}": rows for name, rows in live.items()}
    commands = some_commands(random, folder, names, next(iter(live.values())))
    return State(shops, environment, commands)


def live_rows(random: Random, rows: Rows) -> Rows:
    """Return what a shop holds now: as a rule edited customizations; sometimes most are gone."""
    kind = random.random()
    if kind < 0.15:
        return rows
    if kind < 0.25:
        return rows[: len(rows) // 2]
    if kind < 0.3:
        return []
    return change_rows(random, rows)


# Command lines. A name in braces stands for a random choice; behind the bar stands what meets it.

FAULTS: Final = (
    *(
        "html:*",
        "garbage:*",
        "redirect:*",
        "500:*",
        "404:*",
        "401:*",
        "clock:3600:*",
        "clock:-60:*",
    ),
    *(f"partial:{sign}:*" for sign in ("total", "next", "errors", "header", "range", "link")),
)
LINES: Final = """
trackers
trackers --json
trackers --check
trackers --check | fault
trackers --tracker {tracker} --config {config}
schema
show {model}
show {model} {target} --at {time}
show {model} --json --at {time} --rev {source}
show {model} {target} --json --at {time} --rev {rev}
lint
lint {talk} --format {lint_format} --strict
lint --format {lint_format} --since {rev}
lint --select {rule},{rule} --expired-days 0
lint --ignore {rule} {path}
lint --report json=../reports/lint.json --report sarif=../reports/l.sarif
lint --report junit=../reports/l.xml --report github=../reports/l.txt
lint --report gitlab=../reports/l.gl.json --expired-days 0 --format json
lint --add-ignores
lint --add-ignores --select {rule} {path}
lint --explain {rule}
fmt --check
fmt --diff {path}
fmt --check --tracker {tracker}
fmt -
fmt --check -
fmt {path}
fmt
history {talk}
history --format {history_format}
history {model} {target} --format {history_format}
history --item {item} --since 2020-01-03 --until {time}
history --author {author} -n 2 --all --format markdown
history {range} --tag {tag}
history --id {id} --rev {rev} --format json
history --target-identity {item} --model {model} --tracker {tracker}
blame {model}
blame {model} {target} {talk}
blame {model} --json --rev {rev}
blame {model} {target} --json --tracker {tracker}
diff {talk}
diff --format {diff_format}
diff {rev} --format {diff_format}
diff @live @worktree --format {diff_format} {talk}
diff HEAD @worktree --format {diff_format}
diff HEAD @worktree --format {diff_format}
diff HEAD @worktree --fail-on {fail_on} --format {diff_format}
diff {range} --fail-on now --at {time} --format json
diff @index @worktree --format {diff_format}
diff @worktree {rev} --format {diff_format}
diff {range} --format {diff_format}
diff {range} --summary --format markdown
diff {range} --max-chars 700 --format markdown
diff agreed.json export.json --format {diff_format} --tracker {tracker}
diff {source} - --format {diff_format} --tracker {tracker}
diff broken.json {source} --tracker {tracker}
diff --model {model} --format {diff_format}
diff --tag {tag} --remove-expired-pins {talk}
diff --target-identity {item} --remove-nonexisting-item-pins
diff --target-type {target_type} HEAD @worktree
diff --tracker {tracker} --config {config}
diff --report json=../reports/d.json --report markdown=../reports/d.md
diff --report patch=../reports/d.patch --report gitlab=../reports/d.gl.json --summary
diff --report junit=../reports/d.xml --report github=../reports/d.txt --fail-on never
diff | fault
diff --format json | fault
diff --format {diff_format} | empty
diff --format {diff_format} | half
export --check {talk}
export --check | half
export --check --model {model}
export {talk}
export --model {model}
export --tag {tag} --force
export --target-type {target_type} --commit
export --target-identity {item} --allow-mass-removal --force
export --remove-expired-pins --remove-nonexisting-item-pins --check
export --from-file export.json --tracker {tracker}
export --from-file broken.json --tracker {tracker}
export --from-file - --tracker {tracker} --check
export --commit
export --commit -m {message}
export --commit --force
export --force | half
export --commit --allow-mass-removal --force | half
export | empty
export | twice
export | fault
export --commit | fault
export --tracker {tracker} --allow-mass-removal | empty
export --branch pins/live
export --branch pins/live
export --branch pins/live --tag {tag}
export --branch pins/live --model {model} -m {message}
export --branch topic
export --branch main
init
init --ci github
init --ci gitlab --tracker-id x
-C {directory} diff HEAD @worktree
-C {directory} lint --format {lint_format}
"""
LAST_LINES: Final = """
export --force --commit --allow-mass-removal
diff --format json
export --check
history -n 3 --format json
"""
HELP: Final = """
--help
--version
init --help
export --help
diff --help
fmt --help
lint --help
history --help
blame --help
show --help
schema --help
trackers --help
sandbox --help
demo --help
apply
dif
diff a b c
-C ../nowhere diff
export --branch pins/live --commit
export --check --force
diff --report json=customizations/basket.yaml
diff --format jsno
diff --report json
lint --fromat json
export --model a --model b
sandbox --fail nonsense -- true
sandbox --seed 1 -- true
"""
COMPLETIONS: Final = (
    *(
        "",
        "di",
        "diff ",
        "diff @",
        "diff --format ",
        "diff --tracker ",
        "show ",
        "show k",
        "blame b",
    ),
    *("history --model ", "lint --select ", "lint --explain s", "lint --format ", "init --ci "),
    *("export --", "fmt cust", "-C .. diff --"),
)
CHOICES: Final[Mapping[str, Sequence[str]]] = {
    name: words.split()
    for name, words in {
        "talk": "-v -q --color --no-color",
        "time": "2020-01-05 2020-06-01T10:00 2026-01-01T00:00:00Z 2026-01-01 2031-01-01 soon",
        "source": "@worktree @index HEAD main @live",
        "rev": "HEAD HEAD HEAD HEAD~1 HEAD~1 HEAD~2 HEAD~4 main topic topic nowhere",
        "range": "HEAD~1..HEAD HEAD~4..HEAD~2 main..topic main...topic topic.. topic...main",
        "diff_format": "text json markdown patch github gitlab sarif junit",
        "lint_format": "text json github gitlab sarif junit",
        "history_format": "text json markdown",
        "fail_on": "any edited shown now never",
        "target_type": "item criteria all brand",
        "config": "pinsync.yaml pinsync.yaml broken.yaml missing.yaml",
        "author": "Ada Ada Novák Novák nobody [",
        "rule": "expired position self-pin schema format file-name duplicate-id nonsense",
    }.items()
}
MESSAGES: Final = ("Export", "Ťava\n\nbody", "# comment", "")


class Draw:
    """A random choice for each name, drawn anew every time."""

    def __init__(self, random: Random, choices: Mapping[str, Sequence[str]]) -> None:
        self._random = random
        self._choices = choices

    def __getitem__(self, name: str) -> str:
        return self._random.choice(self._choices[name])


def some_commands(
    random: Random, folder: Folder, names: Sequence[str], rows: Rows
) -> list[Command]:
    """Return command lines in random order; the last ones bring the folder to what is live."""
    documents = folder.documents()
    texts = [path.read_bytes().decode() for path in documents]
    row = random.choice(rows or [some_row(random)])
    criteria = json.dumps(row.get("target_criteria", {}))
    directory = "pins" if (folder.path / "pins").exists() else "customizations"
    items = [pin["pin_identity"] for pin in row["pin_definitions"] if "pin_identity" in pin]
    draw = Draw(
        random,
        {
            **CHOICES,
            "message": MESSAGES,
            "model": (*[str(row["model"])] * 6, *(str(each["model"]) for each in rows), "nope"),
            "target": (
                *[str(row.get("target_identity") or row["id"])] * 4,
                row["id"],
                "all",
                criteria,
                "nothing",
            ),
            "item": (*[str(row.get("target_identity"))] * 4, *items, "/p/1/", "/p/404/"),
            "tag": (*[tag for each in rows for tag in each.get("tags", ())], "christmas"),
            "id": (*[row["id"]] * 4, "nope"),
            "tracker": (*[*names] * 8, "nope"),
            "path": (
                *(str(path.relative_to(folder.path)) for path in documents),
                directory,
                "pinsync.yaml",
            ),
            "directory": (directory,),
        },
    )
    lines = LINES.strip().splitlines()
    lines = [*random.sample(lines, 34), *LAST_LINES.strip().splitlines()]
    export = noisy_export(random, rows)
    commands = []
    for line in lines:
        command, _, meeting = line.partition(" | ")
        arguments = tuple(word.format_map(draw) for word in command.split())
        stdin = random.choice(texts or [""]) if arguments[0] == "fmt" else export
        fault = random.choice(FAULTS) if meeting == "fault" else ""
        answers = {"empty": [], "half": rows[::2], "twice": [*rows, row, row]}
        commands.append(Command(arguments, stdin, fault=fault, answer=answers.get(meeting)))
    return commands


def fixed_commands() -> list[Command]:
    """Return the command lines that need one state only: help, wrong usage, completion."""
    commands = [Command(tuple(line.split())) for line in HELP.strip().splitlines()]
    for words in COMPLETIONS:
        line = {"COMP_WORDS": f"pinsync {words}"}
        for shell in ("bash", "zsh"):
            variables = {
                "_PINSYNC_COMPLETE": f"{shell}_complete",
                "COMP_CWORD": str(words.count(" ") + 1),
            }
            commands.append(Command((), environment={**line, **variables}))
        variables = {"_PINSYNC_COMPLETE": "fish_complete", "COMP_CWORD": words.rpartition(" ")[2]}
        commands.append(Command((), environment={**line, **variables}))
    scripts = [{"_PINSYNC_COMPLETE": f"{shell}_source"} for shell in ("bash", "zsh", "fish")]
    return [*commands, *(Command((), environment=variables) for variables in scripts)]
