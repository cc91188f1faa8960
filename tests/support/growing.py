"""Inputs that can be made as large as one likes, each with the command that reads it.

What a command does with an input twice as large must be about twice as much. Each input is one of
which a command once did four times as much, or one whose shape invites that.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from support.exporting import put, rule

if TYPE_CHECKING:
    from pathlib import Path

Files: TypeAlias = Mapping[str, str]
"""Path → text."""


class Growing(NamedTuple):
    """An input that can grow, and the command that reads it.

    Attributes:
        arguments: the command line.
        files: size → the files to run it on.
        committed: size → the files of the commit before; None if it needs no repository.
    """

    arguments: tuple[str, ...]
    files: Callable[[int], Files]
    committed: Callable[[int], Files] | None = None

    def write(self, folder: Path, size: int) -> None:
        """Write the files of a size into an empty folder, and commit them if it needs a
        repository.
        """
        if self.committed is None:
            _write(folder, self.files(size))
            return
        _git(folder, "init", "--quiet")
        _write(folder, self.committed(size))
        _commit(folder)
        shutil.rmtree(folder / "customizations", ignore_errors=True)
        _write(folder, self.files(size))
        if "export" not in self.arguments:
            _commit(folder)


def _write(folder: Path, files: Files) -> None:
    for path, text in files.items():
        put(folder / path, text)


def _commit(folder: Path) -> None:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--allow-empty", "--message", "State")


def _git(folder: Path, *arguments: str) -> None:
    identity = (
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "maintenance.auto=false",
    )
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


INPUTS: Final[dict[str, Growing]] = {}
"""Name → input."""

_BETWEEN: Final = ("diff", "a.json", "b.json", "--format")


def _of(
    *arguments: str, name: str = "", after: Callable[[int], Files] | None = None
) -> Callable[[Callable[[int], Files]], Callable[[int], Files]]:
    """Add an input, by its function's name, for a command line.

    Args:
        arguments: the command line.
        name: another name of the input.
        after: the files of the commit before, for a command that needs a repository.
    """

    def add(files: Callable[[int], Files]) -> Callable[[int], Files]:
        INPUTS[name or files.__name__] = Growing(arguments, files, after)
        return files

    return add


def _exports(size: int, row: Callable[[int, int], Mapping[str, Any]]) -> Files:
    """Return two saved exports; ``row`` returns a customization by its number and its side, 0 or
    1.
    """
    sides = ([row(number, side) for number in range(size)] for side in (0, 1))
    old, new = (json.dumps({"results": rows}) for rows in sides)
    return {"a.json": old, "b.json": new}


def _item_pin(position: int, identity: str = "/p/1/") -> dict[str, Any]:
    return {"position": position, "pin_type": "item", "pin_identity": identity}


# Reports of a diff.


def many_changes(size: int) -> Files:
    """One pin of each rule moved."""
    return _exports(size, lambda number, side: rule(number, pin_definitions=[_item_pin(side + 1)]))


for _format in ("text", "json", "markdown", "patch", "github", "gitlab", "sarif", "junit"):
    _of(*_BETWEEN, _format, name=f"many_changes_{_format}")(many_changes)


@_of(*_BETWEEN, "json", "--at", "2020-01-01T00:00:00Z")
def windows_split_anew(size: int) -> Files:
    """One time in windows that follow one another, divided at other moments on each side."""
    begin = datetime(2020, 1, 1, tzinfo=UTC)

    def export(side: int) -> str:
        cuts = [begin + timedelta(minutes=number) for number in range(size)]
        if side:
            cuts[1:] = [cut - timedelta(seconds=30) for cut in cuts[1:]]
        ends = [*(f"{cut:%Y-%m-%dT%H:%M:%SZ}" for cut in cuts), None]
        pins = [
            {**_item_pin(1), "active_from": start, "active_to": end}
            for start, end in pairwise(ends)
        ]
        return json.dumps({"results": [rule(1, pin_definitions=pins)]})

    return {"a.json": export(0), "b.json": export(1)}


@_of(*_BETWEEN, "junit")
def rules_of_one_name(size: int) -> Files:
    """Changes that only the ends of their ids tell apart."""

    def row(number: int, side: int) -> Mapping[str, Any]:
        return {
            "id": f"00000000-{number}",
            "model": "basket",
            "target_type": "all",
            "tags": [str(side)],
        }

    return _exports(size, row)


@_of(*_BETWEEN, "text")
def long_ids(size: int) -> Files:
    """Changes at one target whose ids, ever longer, differ at their ends."""

    def row(number: int, side: int) -> Mapping[str, Any]:
        return {
            "id": f"{'0' * 20 * size}{number}",
            "model": "basket",
            "target_type": "all",
            "tags": [str(side)],
        }

    return _exports(10, row)


@_of(*_BETWEEN, "text")
def changed_metadata(size: int) -> Files:
    """Many fields of one rule that changed, of which shoppers see one."""

    def row(number: int, side: int) -> Mapping[str, Any]:
        return rule(
            number, target_metadata={f"field_{at}": side for at in range(size)}, switch=side
        )

    return _exports(1, row)


@_of(*_BETWEEN, "text")
def changed_list(size: int) -> Files:
    """Many items of one list that changed."""
    return _exports(1, lambda number, side: rule(number, list=[at + side for at in range(size)]))


# Documents.

_TOP: Final = "format: 1\nmodel: basket\ncustomizations:\n"
_DOCUMENT: Final = "customizations/basket.yaml"
_ALL: Final = "  - id: a\n    target_type: all\n"
_PINS: Final = f"{_ALL}    pin_definitions:\n"


def _document(*parts: str) -> Files:
    """Return a document of these customizations."""
    return {_DOCUMENT: "".join((_TOP, *parts))}


def _lines(size: int, line: str) -> str:
    """Return a line for each number, which stands in it for ``{}``, with ever the same width."""
    return "".join(line.replace("{}", f"{number:07}") + "\n" for number in range(size))


def _pin(*fields: str, item: str = "/p/{}/", position: str = "1") -> str:
    """Return the lines of a pin, without the last line end."""
    lines = (f"      - position: {position}", "pin_type: item", f"pin_identity: {item}", *fields)
    return "\n        ".join(lines)


def _window(number: int, length: int = 1) -> str:
    """Return the fields of the window that begins in a second, and lasts for some."""
    begin = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=2 * number)
    start, end = (
        f"{moment:%Y-%m-%dT%H:%M:%S}Z" for moment in (begin, begin + timedelta(seconds=length))
    )
    return f'\n        active_from: "{start}"\n        active_to: "{end}"\n'


@_of("lint")
def unknown_fields(size: int) -> Files:
    """Fields that are unknown."""
    return _document(_ALL, _lines(size, "    key_{}: 1"))


@_of("lint", name="unknown_fields_by_hand")
def unknown_fields_by_hand(size: int) -> Files:
    """The same, in a form that isn't canonical."""
    return _document(_ALL, _lines(size, "    key_{}:   1"))


@_of("lint")
def misspelt_fields_of_pins(size: int) -> Files:
    """A field of each pin is misspelt."""
    return _document(_PINS, _lines(size, _pin("widgetid: a{}")))


@_of("lint")
def equal_pins(size: int) -> Files:
    """Pins that are the same."""
    return _document(_PINS, _lines(size, _pin(item="/p/")))


@_of("lint")
def overlapping_pins(size: int) -> Files:
    """Pins of different items at one position."""
    return _document(_PINS, _lines(size, _pin()))


def _sequence(
    size: int, *fields: str, item: str = "/p/{}/", position: str = "1", length: int = 1
) -> str:
    """Return pins whose windows follow one another."""
    pin = _pin(*fields, item=item, position=position)
    return "".join(
        pin.replace("{}", f"{number:07}") + _window(number, length) for number in range(size)
    )


@_of("lint")
def windows_in_a_row(size: int) -> Files:
    """Pins of different items at one position, whose windows follow one another."""
    return _document(_PINS, _sequence(size))


@_of("lint")
def windows_of_one_item(size: int) -> Files:
    """Pins of one item at one position, whose windows follow one another."""
    return _document(_PINS, _sequence(size, item="/p/"))


@_of("lint")
def windows_that_overlap(size: int) -> Files:
    """Pins of one item at one position, of which each overlaps with the next one."""
    return _document(_PINS, _sequence(size, item="/p/", length=3))


@_of("lint")
def blocks_in_a_row(size: int) -> Files:
    """Blocks and pins of one item, never at the same time."""
    blocks = _sequence(size, "is_block_pin: true", item="/p/", position="0")
    pins = "".join(
        _pin(item="/p/", position="2") + _window(size + number) for number in range(size)
    )
    return _document(_PINS, blocks, pins)


@_of("lint")
def blocks_in_widgets(size: int) -> Files:
    """Blocks and pins of one item, in different widgets."""
    blocks = _lines(size, _pin("widget_id: a{}", "is_block_pin: true", item="/p/", position="0"))
    return _document(_PINS, blocks, _lines(size, _pin("widget_id: b{}", item="/p/", position="2")))


@_of("lint")
def pins_without_positions(size: int) -> Files:
    """Pins that lack a field."""
    return _document(_PINS, _lines(size, "      - pin_type: item\n        pin_identity: /p/{}/"))


@_of("lint")
def equal_ids(size: int) -> Files:
    """Customizations of one id, the first of them large."""
    return _document(_PINS, _lines(size, _pin()), _lines(size, "  - id: a\n    target_type: all"))


@_of("lint")
def equal_targets(size: int) -> Files:
    """Customizations of one target, the first of them large."""
    first = "  - id: a\n    target_type: item\n    target_identity: /p/\n    pin_definitions:\n"
    others = _lines(size, "  - id: b{}\n    target_type: item\n    target_identity: /p/")
    return _document(first, _lines(size, _pin()), others)


@_of("lint")
def several_for_all(size: int) -> Files:
    """Customizations for all, the first of them large."""
    return _document(_PINS, _lines(size, _pin()), _lines(size, "  - id: b{}\n    target_type: all"))


@_of("lint")
def invisible_tags(size: int) -> Files:
    """Tags with a character that nobody sees."""
    return _document(_ALL, "    tags:\n", _lines(size, '      - "a{}\\u200b"'))


@_of("lint")
def faulty_blocks(size: int) -> Files:
    """Customizations that can't be read."""
    return _document(_lines(size, "  - id: a{}\n    target_type: &all all"))


@_of("lint")
def faulty_blocks_not_utf8(size: int) -> Files:
    """Customizations that aren't text."""
    return _document(_lines(size, "  - id: a{}\n    target_type: \x01all"))


@_of("lint")
def ignore_comments(size: int) -> Files:
    """Comments that ignore a finding each."""
    return _document(_ALL, _lines(size, "    key_{}: 1  # pinsync: ignore[unknown-field]"))


@_of("lint")
def ignore_comments_above(size: int) -> Files:
    """Comments above one customization, which each ignore all of it."""
    return _document(
        _lines(size, "  # pinsync: ignore[unknown-field]"), _ALL, _lines(size, "    key_{}: 1")
    )


@_of("lint")
def ignore_comments_on_pins(size: int) -> Files:
    """Comments above and behind the parts of a customization, of which none is the whole."""
    note = "  # pinsync: ignore[position-conflict]"
    pins = _lines(
        size, _pin().replace("1\n", f"1{note}\n").replace("      -", f"    {note}\n      -", 1)
    )
    return _document(_PINS, pins)


@_of("lint")
def unknown_ignores(size: int) -> Files:
    """One comment that ignores many rules that don't exist."""
    return _document(
        _ALL, f"    # pinsync: ignore[{', '.join(f'rule-{number}' for number in range(size))}]\n"
    )


def _several(size: int, text: str) -> Files:
    """Return as many documents."""
    names = (f"m{number:07}" for number in range(size))
    return {
        f"customizations/{name}.yaml": text.replace("basket", name).replace("{}", name)
        for name in names
    }


@_of("lint")
def many_files(size: int) -> Files:
    """Documents in order."""
    return _several(size, f"{_TOP}  - id: i{{}}\n    target_type: all\n")


@_of("lint")
def many_folders(size: int) -> Files:
    """Documents that no tracker reads, each in a folder of its own."""
    names = (f"{number:07}" for number in range(size))
    return {f"customizations/{name}/basket.yaml": f"{_TOP}{_ALL}" for name in names}


@_of("lint")
def many_misnamed_files(size: int) -> Files:
    """Files that no tracker reads, for their names."""
    return {f"customizations/m{number:07}.yml": f"{_TOP}{_ALL}" for number in range(size)}


def _empty(_size: int) -> Files:
    """Return a document without customizations."""
    return {_DOCUMENT: "format: 1\nmodel: basket\ncustomizations: []\n"}


for _format in ("json", "github", "gitlab", "sarif", "junit"):
    _of("lint", "--format", _format, name=f"unknown_fields_{_format}")(unknown_fields)

for _files in (unknown_fields, equal_pins, faulty_blocks, many_files):
    _of("lint", "--since", "HEAD~1", name=f"{_files.__name__}_since", after=_files)(_files)
for _files in (unknown_fields, equal_pins, equal_ids, ignore_comments):
    _of("lint", "--add-ignores", name=f"{_files.__name__}_add_ignores")(_files)


@_of("lint", "--add-ignores")
def texts_of_several_lines(size: int) -> Files:
    """Unknown fields whose lines end inside a text, where no comment can stand."""
    return _document(_ALL, _lines(size, '    key_{}: "one\n      two"'))


@_of("lint", "--add-ignores")
def files_with_findings(size: int) -> Files:
    """Documents with one finding each."""
    return _several(size, f"{_TOP}  - id: i{{}}\n    target_type: all\n    key: 1\n")


def _renamed(size: int) -> Files:
    """Return the documents of `many_files` under other names, each with a change."""
    found = many_files(size)
    return {
        path.replace("/m", "/n"): text.replace("model: m", "model: n")
        for path, text in found.items()
    }


# The form of documents.


@_of("fmt", "--check")
def rules_in_reverse(size: int) -> Files:
    """Customizations in the reverse of their order."""
    blocks = (f"  - id: i{number:07}\n    target_type: all\n" for number in reversed(range(size)))
    return _document(*blocks)


@_of("fmt", "--check")
def pins_in_reverse(size: int) -> Files:
    """Pins in the reverse of their order, with comments above and behind."""
    pins = (
        f"      # above\n{_pin(position=str(size - number))}  # behind\n" for number in range(size)
    )
    return _document(_PINS, *(pin.replace("{}", "1") for pin in pins))


@_of("fmt", "--check")
def tags_in_reverse(size: int) -> Files:
    """Tags in the reverse of their order, with comments."""
    tags = (f"      - t{number:07}  # behind\n" for number in reversed(range(size)))
    return _document(_ALL, "    tags:\n", *tags)


@_of("fmt", "--check")
def comments_on_noise(size: int) -> Files:
    """Comments on what canonical text doesn't write."""
    return _document(_PINS, _lines(size, _pin("is_block_pin: false  # noise")))


@_of("fmt", "--check")
def comments_on_noise_of_one_object(size: int) -> Files:
    """Comments in an object that canonical text doesn't write."""
    lines = _lines(size, "      key_{}: null  # noise")
    return _document("  - id: a\n    target_type: all\n    created_at:\n", lines)


@_of("fmt", "--check")
def detached_comments(size: int) -> Files:
    """Comments with a blank line below, on what canonical text doesn't write."""
    return _document(_PINS, _lines(size, _pin("# detached\n", "is_block_pin: false")))


@_of("fmt", "--check")
def detached_comments_on_gone(size: int) -> Files:
    """Comments with a blank line below, in an object that canonical text doesn't write."""
    lines = _lines(size, "      # detached\n\n      key_{}: 1")
    return _document("  - id: a\n    target_type: all\n    created_at:\n", lines)


@_of("fmt", "--check")
def comments_in_lists(size: int) -> Files:
    """Comments on the items of a list of metadata."""
    lines = _lines(size, "        - {}a  # behind")
    return _document(_ALL, "    target_metadata:\n      list:\n", lines)


@_of("fmt", "--check")
def comments_between_rules(size: int) -> Files:
    """Customizations with comments between them."""
    return _document(_lines(size, "  # detached\n\n  # above\n  - id: i{}\n    target_type: all"))


@_of("fmt", "--check")
def rules_in_braces(size: int) -> Files:
    """Customizations in braces."""
    return _document(_lines(size, "  - {id: i{}, target_type: all}  # behind"))


@_of("fmt", "--check")
def document_in_braces(size: int) -> Files:
    """A document of one line."""
    rules = ", ".join(f"{{id: i{number}, target_type: all}}" for number in range(size))
    return {_DOCUMENT: f"{{format: 1, model: basket, customizations: [{rules}]}}\n"}


@_of("fmt", "--check")
def comments_only(size: int) -> Files:
    """Comments without any customization."""
    return {_DOCUMENT: f"format: 1\nmodel: basket\ncustomizations: []\n{_lines(size, '# {}')}"}


@_of("fmt", "--check")
def blank_lines(size: int) -> Files:
    """Blank lines between two customizations."""
    return _document(_ALL, "\n" * size, "  - id: b\n    target_type: all\n", " \n" * size)


@_of("fmt", "--check")
def open_texts(size: int) -> Files:
    """A line with many signs that may open a text of several lines, in a file without a last line
    end.
    """
    return _document(_ALL, "    key: a" + " | # a" * size, "\n     # a" * size, "\nb")


@_of("fmt", "--check")
def keys_twice(size: int) -> Files:
    """Keys that stand twice."""
    return _document(_ALL, _lines(size, "    key_{}: 1"), "    key_0000001: 1\n")


@_of("fmt")
def files_out_of_form(size: int) -> Files:
    """Documents to format."""
    return _several(size, f"{_TOP}  - id:   i{{}}\n    target_type: all\n")


# Exports.


def _export(size: int, row: Callable[[int], Mapping[str, Any]]) -> Files:
    return {"new.json": json.dumps({"results": [row(number) for number in range(size)]})}


def _models(size: int) -> Files:
    """A model for each rule."""
    return _export(size, lambda number: rule(number, f"m{number:07}"))


_FROM: Final = ("--from-file", "new.json", "--allow-mass-removal")
_of("export", *_FROM, name="export_models")(_models)
_of("export", *_FROM, "--commit", name="export_models_commit", after=_empty)(_models)
_of("export", *_FROM, "--commit", name="export_models_removed", after=many_files)(
    lambda size: {**many_files(size), **_export(size, rule)}
)


@_of("export", *_FROM, "--commit", after=_empty)
def export_rules(size: int) -> Files:
    """New rules."""
    return _export(size, rule)


@_of("export", *_FROM, "--check")
def export_over_comments(size: int) -> Files:
    """Changed pins of a rule with comments."""
    row = {"model": "basket", "target_type": "all"}
    pins = [_item_pin(number + 1) for number in range(size)]
    old = "".join(
        f"      # above\n{_pin(item='/p/1/', position=str(number + 2))}\n" for number in range(size)
    )
    return {
        **_document(_PINS, old),
        **_export(1, lambda _: {"id": "a", **row, "pin_definitions": pins}),
    }


@_of("export", *_FROM, "--check")
def export_over_rules_without_ids(size: int) -> Files:
    """Rules that have no id yet, all of one target."""
    old = _document(_lines(size, '  - target_type: all\n    tags:\n      - "{}"'))
    row = {"model": "basket", "target_type": "all"}
    return {
        **old,
        **_export(
            size, lambda number: {"id": f"i{number:07}", **row, "tags": [f"{number + size:07}"]}
        ),
    }


@_of("export", *_FROM, "--check")
def export_over_equal_rules(size: int) -> Files:
    """Rules that have no id yet and are all the same."""
    row = {"model": "basket", "target_type": "all"}
    old = _document("  - target_type: all\n" * size)
    return {**old, **_export(size, lambda number: {"id": f"i{number:07}", **row})}


@_of(*_BETWEEN, "json")
def equal_rows(size: int) -> Files:
    """A row that stands in an answer twice, at its end."""
    rows = [rule(number % size) for number in range(size + 1)]
    return {name: json.dumps({"results": rows}) for name in ("a.json", "b.json")}


@_of(*_BETWEEN, "json")
def deep_envelope(size: int) -> Files:
    """An answer with much inside many lists, besides its results."""
    depth = 300
    text = f'{{"results": [], "more": {"[" * depth}{"1," * size}1{"]" * depth}}}'
    return {"a.json": text, "b.json": text}


@_of(*_BETWEEN, "json")
def wide_envelope(size: int) -> Files:
    """An answer with many keys besides its results."""
    text = json.dumps(
        {"results": [], **{f"key_{number}": {"a": [{"rel": "self"}]} for number in range(size)}}
    )
    return {"a.json": text, "b.json": text}


def _pins_of_two(old: Callable[[int], Any], new: Callable[[int], Any]) -> Callable[[int], Files]:
    """Return, by size, a rule whose pins changed."""

    def files(size: int) -> Files:
        pins = [[pin(number) for number in range(size)] for pin in (old, new)]
        return _exports(1, lambda number, side: rule(number, pin_definitions=pins[side]))

    return files


def _distinct(at: int) -> Mapping[str, Any]:
    return _item_pin(at + 1, f"/p/{at}/")


def _until(at: int, day: int) -> Mapping[str, Any]:
    return {**_item_pin(1, "/p/"), "active_to": f"{1000 + at}-01-{day:02}T00:00:00Z"}


_CHANGES_OF_PINS: Final = {
    "added": _pins_of_two(lambda _: _item_pin(1), lambda _: _item_pin(1, "/p/2/")),
    "moved": _pins_of_two(lambda _: _item_pin(1), lambda _: _item_pin(2)),
    "swapped": _pins_of_two(_distinct, lambda at: _item_pin(at + 1, f"/p/{at ^ 1}/")),
    "shifted": _pins_of_two(_distinct, lambda at: _item_pin(at + 1, f"/p/{at + 1}/")),
    "turned": _pins_of_two(_distinct, lambda at: _item_pin(10**6 - at, f"/p/{at}/")),
    "replaced": _pins_of_two(_distinct, lambda at: _item_pin(at + 1, f"/q/{at}/")),
    "in_windows": _pins_of_two(lambda at: _until(at, 1), lambda at: _until(at, 2)),
}
for _name, _files in _CHANGES_OF_PINS.items():
    for _format in ("text", "json", "markdown"):
        _of(*_BETWEEN, _format, name=f"pins_{_name}_{_format}")(_files)


# History.


def _equal_pins_moved(size: int) -> Files:
    """Return the pins of `equal_pins` at another position."""
    return _document(_PINS, _lines(size, _pin(item="/p/", position="2")))


def _rules_without_ids(tag: str) -> Callable[[int], Files]:
    return lambda size: _document(
        _lines(size, f'  - target_type: all\n    tags:\n      - "{tag}{{}}"')
    )


def _equal_rules(size: int) -> Files:
    return _document("  - target_type: all\n" * size)


for _arguments in (
    ("history",),
    ("history", "--format", "json"),
    ("blame", "basket"),
    ("blame", "basket", "--json"),
):
    _command = "_".join(word.strip("-") for word in _arguments)
    _of(*_arguments, name=f"{_command}_equal_pins", after=equal_pins)(_equal_pins_moved)
    _of(*_arguments, name=f"{_command}_rules", after=rules_in_reverse)(_equal_rules)
    _of(*_arguments, name=f"{_command}_without_ids", after=_rules_without_ids("a"))(
        _rules_without_ids("b")
    )
for _arguments in (("history",), ("history", "--format", "markdown")):
    _command = "_".join(word.strip("-") for word in _arguments)
    _of(*_arguments, name=f"{_command}_many_files", after=many_files)(_renamed)
_of("blame", "m0000001", name="blame_many_files", after=_empty)(many_files)


# One state.

for _arguments in (("show", "basket"), ("show", "basket", "--json")):
    _command = "_".join(word.strip("-") for word in _arguments)
    _of(*_arguments, name=f"{_command}_equal_pins")(equal_pins)
    _of(*_arguments, name=f"{_command}_windows")(windows_in_a_row)
    _of(*_arguments, name=f"{_command}_rules")(rules_in_reverse)
    _of(*_arguments, name=f"{_command}_equal_rules")(_equal_rules)
_always = ("--from", "0001-01-01T00:00Z", "--to", "9999-12-31T00:00Z")
for _format in ("text", "json", "html", "ics"):
    _words = ("calendar", "--format", _format, *_always)
    _of(*_words, name=f"calendar_{_format}_equal_pins")(equal_pins)
    _of(*_words, name=f"calendar_{_format}_overlapping_pins")(overlapping_pins)
    _of(*_words, name=f"calendar_{_format}_windows")(windows_in_a_row)
    _of(*_words, name=f"calendar_{_format}_overlaps")(windows_that_overlap)
    _of(*_words, name=f"calendar_{_format}_blocks")(blocks_in_a_row)
    _of(*_words, name=f"calendar_{_format}_rules")(rules_in_reverse)
    _of(*_words, name=f"calendar_{_format}_many_files")(many_files)
_of("show", "m0000001", name="show_many_files")(many_files)
_of("show", "baske", name="show_unknown_of_many_files")(many_files)


# The configuration.


def _trackers(size: int) -> Files:
    """Trackers."""
    trackers = _lines(size, '  t{}:\n    tracker_id: "{}-1"')
    return {"pinsync.yaml": f"trackers:\n{trackers}"}


def _trackers_of_one_id(size: int) -> Files:
    """Trackers of one id, on different hosts."""
    trackers = _lines(size, '  t{}:\n    tracker_id: "1"\n    hosts: [https://h{}.luigisbox.tech]')
    return {"pinsync.yaml": f"trackers:\n{trackers}"}


def _hosts(size: int) -> Files:
    """The hosts of one tracker."""
    hosts = _lines(size, "      - https://h{}.luigisbox.tech")
    return {"pinsync.yaml": f'trackers:\n  a:\n    tracker_id: "1"\n    hosts:\n{hosts}'}


def _unknown_settings(size: int) -> Files:
    return {"pinsync.yaml": _lines(size, "key_{}: 1")}


def _tracker_folders(size: int) -> Files:
    """Trackers with a document each."""
    names = (f"customizations/t{number:07}/basket.yaml" for number in range(size))
    return {**_trackers(size), **dict.fromkeys(names, f"{_TOP}{_ALL}")}


for _files in (_trackers, _trackers_of_one_id, _hosts, _unknown_settings):
    _of("trackers", name=f"config{_files.__name__}")(_files)
_of("trackers", "--json", name="config_trackers_json")(_trackers)
_of("lint", name="config_tracker_folders_lint")(_tracker_folders)
_of("fmt", "--check", name="config_tracker_folders_fmt")(_tracker_folders)
_of("show", "basket", name="config_tracker_folders_show")(_tracker_folders)
_of("history", name="config_tracker_folders_history", after=_trackers)(_tracker_folders)
_of("blame", "basket", name="config_tracker_folders_blame", after=_trackers)(_tracker_folders)
_of("diff", "HEAD~1", "HEAD", name="config_tracker_folders_diff", after=_trackers)(_tracker_folders)
