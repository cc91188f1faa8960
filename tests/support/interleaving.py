"""Random histories of a shop and its repository, and a model of "who moved" of its own.

The model is written from the rules of the documentation. It keeps every version of every rule, and
looks at all of them for each answer. A history may keep a record of agreement, too.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from pinsync.agreement.record import add_proposals, move_entries
from pinsync.agreement.store import write_record
from pinsync.canonical import normalize
from pinsync.drift.pairs import match_customizations
from pinsync.repository import Repository
from support.exporting import put
from support.histories import text
from support.moving import CONFIGURATION, LINE, LIVE

if TYPE_CHECKING:
    from random import Random

    from pinsync.agreement.record import Entry
    from pinsync.agreement.record import Record as AgreementRecord
    from pinsync.model import Customization

Record = dict[str, Any]

BEGIN = 1767225600
"""The beginning of 2026, in seconds since 1970."""
SLOTS = (1, 2, 3)
TEXTS = ("/p/7/", "/p/8/", "/p/9/")
MODELS = ("basket", "cart")


class Rule(NamedTuple):
    """A rule: its id, model and text. Each slot is a target, so no target is ambiguous."""

    id: int | None
    model: str
    text: str

    @property
    def content(self) -> tuple[str, str]:
        """All that a person sees of it."""
        return self.model, self.text


Rules = dict[int, Rule]


@dataclass
class Version:
    """A commit of the main line.

    Attributes:
        subject: the subject of its message.
        moment: its date.
        rules: the rules, by slot.
        is_export: whether its message has the line.
        exported: the slots that exports within a merged branch changed.
    """

    subject: str
    moment: int
    rules: Rules
    is_export: bool = False
    exported: frozenset[int] = frozenset()


@dataclass
class Proposal:
    """A branch with an export, and perhaps with a correction of a person.

    Attributes:
        mark: the mark of its last commit.
        base: the rules of the commit it was made on.
        rules: the rules of its last commit.
        exported: the slots that the export changed.
    """

    mark: int
    base: Rules
    rules: Rules
    exported: frozenset[int]


def find_changed(old: Rules, new: Rules) -> frozenset[int]:
    """Return the slots with another rule."""
    return frozenset(slot for slot in {*old, *new} if old.get(slot) != new.get(slot))


@dataclass
class World:
    """A repository and a shop, with their history.

    Attributes:
        main: the main line, the newest commit first.
        shop: the rules of the shop, by slot.
        saved: when a person or the API last saved the shop's rule of a slot.
        agreed: by slot, when git and the shop last had the same text.
        edited: by slot, when the shop last got another text than git's.
        dated: whether the shop says when a rule was saved.
        keeps_record: whether exports keep a record of agreement.
        record: the record, with marks instead of hashes.
        known: by slot, when the record last saw an agreement.
        known_content: by slot, the text of that agreement.
        known_id: by slot, git's id at that agreement.
        merged: by slot, when a branch in which an export changed the rule was last merged.
    """

    random: Random
    now: int = BEGIN
    main: list[Version] = field(default_factory=list)
    shop: Rules = field(default_factory=dict)
    saved: dict[int, int] = field(default_factory=dict)
    agreed: dict[int, int] = field(default_factory=dict)
    edited: dict[int, int] = field(default_factory=dict)
    stream: list[bytes] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    last_mark: int = 0
    last_id: int = 0
    dated: bool = True
    keeps_record: bool = False
    record: AgreementRecord | None = None
    known: dict[int, int] = field(default_factory=dict)
    known_content: dict[int, tuple[str, str] | None] = field(default_factory=dict)
    known_id: dict[int, int | None] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)

    @property
    def git(self) -> Rules:
        """The rules of the newest commit."""
        return self.main[0].rules if self.main else {}

    def make_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def note_agreement(self) -> None:
        """Note which rules agree now."""
        for slot in SLOTS:
            git, shop = self.git.get(slot), self.shop.get(slot)
            if (git and git.content) == (shop and shop.content):
                self.agreed[slot] = self.now

    # What happens.

    def write_commit(
        self, branch: str, subject: str, rules: Rules, parents: list[int], *, line: bool = False
    ) -> int:
        """Write a commit in the form of fast-import; return its mark."""
        self.last_mark += 1
        message = (f"{subject}\n\n{LINE}\n" if line else subject).encode()
        head = f"commit refs/heads/{branch}\nmark :{self.last_mark}\n"
        head += f"committer Test <test@example.com> {self.now} +0000\ndata {len(message)}\n"
        parts = [head.encode(), message, b"\n"]
        for word, parent in zip(("from", "merge"), parents, strict=False):
            parts.append(f"{word} :{parent}\n".encode())
        parts.append(b"deleteall\n")
        for path, content in render_files(rules).items():
            parts.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode())
            parts += [content, b"\n"]
        self.stream += parts
        return self.last_mark

    def commit(self, subject: str, rules: Rules, *, line: bool = False) -> None:
        """Commit to the main line."""
        subject = f"{subject} {len(self.main)}"
        mark = self.write_commit("main", subject, rules, self.marks[:1], line=line)
        self.marks.insert(0, mark)
        self.main.insert(0, Version(subject, self.now, rules, line))

    def edit_git(self) -> None:
        """A person edits files and commits."""
        rules = dict(self.git)
        slot = self.random.choice(SLOTS)
        rule = rules.get(slot)
        way = self.random.choice(["text", "text", "text", "model", "remove", "drop id"])
        if rule is None:
            rules[slot] = Rule(None, MODELS[0], self.random.choice(TEXTS))
        elif way == "text":
            rules[slot] = rule._replace(text=self.random.choice(TEXTS))
        elif way == "model" and rule.id is not None:
            rules[slot] = rule._replace(model=self.random.choice(MODELS))
        elif way == "drop id" and rule.model == MODELS[0]:
            rules[slot] = rule._replace(id=None)
        else:
            del rules[slot]
        if rules != self.git:
            self.commit("Edit", rules)

    def revert(self) -> None:
        """A person reverts the newest commit."""
        if len(self.main) > 1:
            self.commit("Revert", self.main[1].rules)

    def build_export(self) -> Rules:
        """Return what an export makes of git's rules."""
        rules = dict(self.shop)
        for slot, rule in self.git.items():
            if rule.id is None and slot not in rules:
                rules[slot] = rule
        return rules

    def export(self) -> None:
        """An export commits to the main line."""
        rules = self.build_export()
        self.keep_record(rules)
        if rules != self.git:
            self.commit("Export", rules, line=True)
            self.move_record()

    def export_only(self) -> None:
        """An export writes files that nobody commits."""
        self.keep_record(self.build_export())

    def build_items(self, rules: Rules) -> dict[int, Customization]:
        """Return rules of the shop as pinsync reads them, by slot."""
        items: dict[int, Customization] = {}
        for slot, rule in rules.items():
            item = normalize.build_customization(build_row(slot, rule), model=rule.model)
            if self.dated and slot in self.saved:
                item = item._replace(updated_at=format_moment(self.saved[slot]))
            items[slot] = item
        return items

    def move_record(self) -> None:
        """Move the record's entries by a comparison of the newest commit with the shop."""
        if not self.keeps_record:
            return
        git, live = (list(self.build_items(side).values()) for side in (self.git, self.shop))
        mark = f"{self.marks[0]}"
        self.record = move_entries(self.record, "1234-5678", mark, git, live)
        for slot in SLOTS:
            in_git, in_shop = self.git.get(slot), self.shop.get(slot)
            if (in_git and in_git.content) == (in_shop and in_shop.content):
                self.known[slot] = self.now
                self.known_content[slot] = in_git and in_git.content
                self.known_id[slot] = in_git and in_git.id

    def keep_record(self, written: Rules) -> None:
        """Update the record as an export on the main line does.

        Args:
            written: the rules that the export writes.
        """
        self.move_record()
        if self.record and self.keeps_record:
            old, new = self.build_items(self.git), self.build_items(written)
            pairs = match_customizations(list(old.values()), list(new.values()))
            self.record = add_proposals(self.record, pairs, f"{self.marks[0]}")

    def propose(self) -> None:
        """An export commits to a branch; a reviewer may correct it."""
        rules = self.build_export()
        self.keep_record(rules)
        exported = find_changed(self.git, rules)
        if not exported:
            return
        branch = f"pins-{self.last_mark}"
        mark = self.write_commit(branch, "Propose", rules, self.marks[:1], line=True)
        base = self.git
        if self.random.random() < 0.3:
            slot = self.random.choice([*rules] or [*SLOTS])
            if slot in rules:
                corrected = rules[slot]._replace(text=self.random.choice(TEXTS))
                rules = {**rules, slot: corrected}
                mark = self.write_commit(branch, "Correct", rules, [mark])
        self.proposals.append(Proposal(mark, base, rules, exported))

    def merge(self) -> None:
        """A person merges or squashes a proposal."""
        if not self.proposals:
            return
        proposal = self.proposals.pop(self.random.randrange(len(self.proposals)))
        rules = dict(self.git)
        for slot in find_changed(proposal.base, proposal.rules):
            # In a conflict, the main line wins.
            if rules.get(slot) == proposal.base.get(slot):
                rules.pop(slot, None)
                if slot in proposal.rules:
                    rules[slot] = proposal.rules[slot]
        if rules == self.git:
            return
        self.merged.update(dict.fromkeys(proposal.exported, self.now))
        way = self.random.choice(["merge", "merge", "squash", "squash with another message"])
        if way != "merge":
            self.commit("Squash", rules, line=way == "squash")
            return
        subject = f"Merge {len(self.main)}"
        mark = self.write_commit("main", subject, rules, [self.marks[0], proposal.mark])
        self.marks.insert(0, mark)
        self.main.insert(0, Version(subject, self.now, rules, exported=proposal.exported))

    def save_rule(self, slot: int, rule: Rule | None) -> None:
        """The shop saves a rule, or deletes it."""
        old = self.shop.pop(slot, None)
        if rule:
            self.shop[slot] = rule
        self.saved[slot] = self.now
        if (old and old.content) != (rule and rule.content):
            self.edited[slot] = self.now

    def edit_shop(self) -> None:
        """A person edits the shop."""
        slot = self.random.choice(SLOTS)
        rule = self.shop.get(slot)
        chance = self.random.random()
        if rule is None:
            rule = Rule(self.make_id(), MODELS[0], self.random.choice(TEXTS))
        elif chance < 0.15:
            rule = None
        elif chance < 0.25:
            rule = rule._replace(id=self.make_id())
        else:
            rule = rule._replace(text=self.random.choice(TEXTS))
        self.save_rule(slot, rule)

    def apply(self) -> None:
        """Somebody enters git's rules in the shop."""
        for slot in SLOTS:
            git, shop = self.git.get(slot), self.shop.get(slot)
            if (git and git.content) == (shop and shop.content):
                continue
            if git is None:
                self.save_rule(slot, None)
            else:
                id_ = shop.id if shop else self.make_id()
                self.save_rule(slot, Rule(id_, git.model, git.text))

    def go_on(self, steps: int) -> None:
        """Let things happen."""
        self.commit("Begin", {})
        events = [self.edit_git] * 4 + [self.edit_shop] * 3 + [self.export] * 5
        events += [self.apply, self.apply, self.propose, self.propose, self.merge, self.merge]
        events.append(self.revert)
        if self.keeps_record:
            events += [self.export_only, self.lose_record, *[self.edit_shop] * 5]
        for _ in range(steps):
            self.now += 60 * self.random.choice([1, 4, 6, 30, 300])
            self.random.choice(events)()
            self.note_agreement()

    def lose_record(self) -> None:
        """From now on, exports can't write the record, or not for some time."""
        self.keeps_record = not self.keeps_record or self.random.random() < 0.5

    def take_back(self) -> None:
        """Take back the newest commit, and leave its text in the index and the working tree."""
        subprocess.run(["git", "reset", "--quiet", "--soft", "HEAD^"], check=True)
        # The text is the newest version, and dated now, which is later than all of the history.
        self.main[0] = Version("", 2 * BEGIN, self.git)

    def write(self) -> None:
        """Write the repository and the shop into the current folder."""
        feed = b"".join(self.stream)
        options = ["--quiet", "--force", "--export-marks=../marks"]
        subprocess.run(["git", "fast-import", *options], input=feed, check=True)
        subprocess.run(["git", "reset", "--quiet", "--hard", "main"], check=True)
        put(Path(LIVE), json.dumps({"results": self.build_rows()}))
        if self.record:
            self.write_record(self.record)

    def build_rows(self) -> list[Record]:
        """Return the rules of the shop as it answers."""
        rows: list[Record] = []
        for slot, rule in self.shop.items():
            row = {**build_row(slot, rule), "model": rule.model}
            if self.dated:
                row["updated_at"] = f"{format_moment(self.saved[slot])}"
            rows.append(row)
        return rows

    def write_record(self, record: AgreementRecord) -> None:
        """Write the record into the repository of the current folder."""
        marks = dict(line.split() for line in Path("../marks").read_text().splitlines())
        entries: dict[str, Entry] = {}
        for shop_id, entry in record.entries.items():
            base = entry.base and replace(entry.base, commit=marks[f":{entry.base.commit}"])
            proposals = [
                replace(version, commit=marks[f":{version.commit}"]) for version in entry.proposals
            ]
            entries[shop_id] = replace(entry, base=base, proposals=tuple(proposals))
        source, applied = marks[f":{record.source}"], marks[f":{record.applied}"]
        written = replace(record, source=source, applied=applied, entries=entries)
        repository = Repository.discover(Path.cwd())
        assert repository
        write_record(repository, written, None)


def format_moment(seconds: int) -> str:
    """Return a moment as the API spells it."""
    days, rest = divmod(seconds - BEGIN, 86400)
    hours, rest = divmod(rest, 3600)
    return f"2026-01-{days + 1:02}T{hours:02}:{rest // 60:02}:{rest % 60:02}Z"


def build_row(slot: int, rule: Rule) -> Record:
    """Return a rule as the API has it."""
    row: Record = {
        "target_type": "item",
        "target_identity": f"/p/{slot}/",
        "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": rule.text}],
    }
    if rule.id is not None:
        row["id"] = f"00000000-0000-4000-8000-{rule.id:012}"
    return row


def render_files(rules: Rules) -> dict[str, bytes]:
    """Return the files of a commit."""
    files = {"pinsync.yaml": CONFIGURATION.encode()}
    for model in MODELS:
        rows = [build_row(slot, rule) for slot, rule in rules.items() if rule.model == model]
        if rows:
            files[f"customizations/{model}.yaml"] = text(model, *rows).encode()
    return files


# The model.


class Answer(NamedTuple):
    """Who moved, and the subject of the commit that brought git's text."""

    moved: str
    subject: str | None


def answer(
    world: World, slot: int, git: Rule | None, live: Rule | None, saved: int | None
) -> Answer:
    """Return the answer for a rule that differs."""
    way = trace(world, slot, git, live)
    contents = [rule and rule.content for rule in way]
    if git is None and not any(way):
        return Answer("extra", None)
    origin = next(at for at, content in enumerate(contents[1:]) if content != contents[0])
    subject = world.main[origin].subject
    if is_exported(world, slot, way, origin):
        return Answer("shop", subject)
    if live and (git is None or git.content != live.content) and saved is not None:
        for at, content in enumerate(contents[1:]):
            if content == live.content:
                if world.main[at].moment - saved > 300:
                    return Answer("git", subject)
                break
    if git and git.id is not None and (live is None or live.id != git.id):
        return Answer("shop", subject)
    return Answer("unknown", subject)


def is_exported(world: World, slot: int, way: list[Rule | None], origin: int) -> bool:
    """Return whether an export brought git's text, or its id, and nothing changed it since."""
    if way[0] and way[0].id is None:
        return False
    for at in range(origin + 1):
        new, old = way[at], way[at + 1]
        version = world.main[at]
        rule = new or old
        is_proof = version.is_export or slot in version.exported
        if is_proof and new != old and rule and rule.id is not None:
            return True
    return False


def trace(world: World, slot: int, git: Rule | None, live: Rule | None) -> list[Rule | None]:
    """Return the versions of a rule: in the newest commit, …, and before the first commit."""
    way = [git]
    for at in range(len(world.main)):
        newer = world.main[at].rules.get(slot)
        older = world.main[at + 1].rules.get(slot) if at + 1 < len(world.main) else None
        way.append(find_former(way, newer, older, live))
    return way


def find_former(
    way: list[Rule | None], newer: Rule | None, older: Rule | None, live: Rule | None
) -> Rule | None:
    """Return a rule in the parent of a commit.

    Args:
        way: the versions so far.
        newer: the slot's rule in the commit.
        older: the slot's rule in the parent.
        live: the rule in the shop.
    """
    now = way[-1]
    if older is None:
        return None
    if now is not None:
        if now.id is not None and older.id not in (None, now.id):
            return None
        is_same = older.id == now.id and now.id is not None
        return older if is_same or older.model == now.model else None
    ids = [rule.id for rule in (way[0], live) if rule and rule.id is not None][:1]
    if older.id is not None:
        return older if older.id in ids else None
    # A block without an id that the commit removed; a later one in its place would be its successor.
    is_removed = newer is None or newer.model != older.model
    return older if is_removed and live and live.model == older.model else None


def list_questions(world: World) -> list[tuple[int, Rule | None, Rule | None]]:
    """Return slot, git's and the shop's rule of each difference."""
    questions: list[tuple[int, Rule | None, Rule | None]] = []
    for slot in SLOTS:
        git, live = world.git.get(slot), world.shop.get(slot)
        is_pair = git and live and (git.id == live.id or git.model == live.model)
        if git == live or (git and live and git == replace_id(live, git.id) and git.id is None):
            continue
        if is_pair or not (git and live):
            questions.append((slot, git, live))
        else:
            questions += [(slot, git, None), (slot, None, live)]
    return questions


def replace_id(rule: Rule, id_: int | None) -> Rule:
    """Return a rule with another id."""
    return rule._replace(id=id_)
