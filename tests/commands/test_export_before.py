"""The state that an export counts from: HEAD, the disk, and documents that git doesn't check
out.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    untouched,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

HEADING = "# agreed with purchasing\n"


@pytest.fixture
def remarked(exported: Path, git: Git) -> Path:
    """The small shop's repository, with a comment in the document of the basket; the current
    folder.
    """
    put(document(), HEADING + document().read_text())
    put(exported / "other/notes.txt", "mine\n")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Remark")
    return exported


def emptied(api: Sandbox, *kept: str) -> None:
    for row in api.customizations():
        if row["id"] not in kept:
            api.delete(row["id"])


# Documents that somebody deleted by hand.


@pytest.mark.parametrize("options", [[], ["--commit"], ["--check"]])
@pytest.mark.usefixtures("git")
def test_an_empty_answer_is_refused_although_the_folder_is_gone(
    options: list[str], api: Sandbox, remarked: Path, pinsync: CommandLine
) -> None:
    shutil.rmtree("customizations")
    emptied(api)
    with untouched(remarked):
        result = pinsync("export", *options)
    assert result.code == 4
    assert "the answer is empty, but 3 customizations are here" in result.err


@pytest.mark.parametrize("options", [[], ["--commit"], ["--check"]])
def test_a_short_answer_is_refused_although_the_folder_is_gone(
    options: list[str], api: Sandbox, remarked: Path, pinsync: CommandLine
) -> None:
    put(remarked / "pinsync.yaml", "format: 1\nsafety:\n  min_existing: 1\n")
    shutil.rmtree("customizations")
    emptied(api, STRINGS)
    with untouched(remarked):
        result = pinsync("export", *options)
    assert result.code == 4
    assert "2 of 3 customizations would go" in result.err
    assert not document().exists()


@pytest.mark.usefixtures("remarked")
def test_what_is_removed_after_all_is_counted_and_committed(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    shutil.rmtree("customizations")
    emptied(api, HOME)
    checked = pinsync("export", "--check", "--allow-mass-removal")
    assert (checked.code, checked.out) == (1, f"{document('home')}\n{document()}\n")
    assert "2 removed · 1 file would be written, 1 would be removed" in checked.err
    result = pinsync("export", "--commit", "--allow-mass-removal")
    assert result.code == 0
    assert (
        "default: 0 added, 0 changed, 2 removed · 1 file removed in customizations/" in result.err
    )
    assert git("log", "-1", "--format=%s") == "Export pins: 2 removed"
    assert git("show", "--name-status", "--format=") == "D\tcustomizations/basket.yaml"
    assert document("home").read_text() == HOME_TEXT
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("options", [[], ["--commit"]])
@pytest.mark.usefixtures("remarked")
def test_a_document_that_somebody_deleted_is_written_again_with_its_comments(
    options: list[str], api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    document().unlink()
    assert pinsync("export", "--check").out == f"{document()}\n"
    assert pinsync("export", *options).code == 0
    assert document().read_text() == HEADING + BASKET_TEXT
    assert git("status", "--porcelain") == ""
    document().unlink()
    repinned(api, STRINGS)
    result = pinsync("export", *options)
    assert "1 changed, 0 removed" in result.err
    assert document().read_text().startswith(HEADING)
    assert "position: 7" in document().read_text()


@pytest.mark.usefixtures("remarked")
def test_a_document_that_an_export_removed_is_no_news_to_the_next(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    api.delete(HOME)
    assert "1 removed · 1 file removed" in pinsync("export").err
    assert pinsync("export", "--check").code == 0
    assert "0 removed · nothing to write" in pinsync("export").err
    git("checkout", "--quiet", ".")
    assert "1 removed · 1 file removed" in pinsync("export").err, "git brought the file back"
    assert "1 removed · 1 file removed" in pinsync("export", "--commit").err, "HEAD has it still"
    assert git("show", "--name-status", "--format=") == "D\tcustomizations/home.yaml"


@pytest.mark.usefixtures("exported")
def test_a_rule_moved_to_another_file_by_hand_is_there_once(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    document().rename(document("mine"))
    assert "0 added, 0 changed, 0 removed · nothing to write" in pinsync("export").err
    repinned(api, STRINGS)
    assert pinsync("export").code == 4, "the file is a person's work"
    git("add", "--all")
    git("commit", "--quiet", "-m", "Rename")
    assert "0 added, 1 changed, 0 removed · 1 file rewritten" in pinsync("export").err


@pytest.mark.usefixtures("api", "exported")
def test_a_rule_without_an_id_does_not_come_back_with_a_deleted_file(
    pinsync: CommandLine, git: Git
) -> None:
    block = "  - target_type: item\n    target_identity: /p/77/\n"
    put(document("home"), HOME_TEXT + block)
    put(document("drafts"), f"format: 1\nmodel: drafts\ncustomizations:\n{block}")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Drafts")
    document("home").unlink()
    document("drafts").unlink()
    assert pinsync("export").code == 0
    assert document("home").read_text() == HOME_TEXT
    assert not document("drafts").exists()


@pytest.mark.parametrize("options", [[], ["--commit"]])
def test_a_link_in_head_that_somebody_replaced_or_deleted_is_no_obstacle(
    options: list[str], api: Sandbox, remarked: Path, pinsync: CommandLine, git: Git
) -> None:
    new, old = document("new"), document("old")
    for link in (new, old):
        link.symlink_to("basket.yaml")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Links")
    assert pinsync("export").code == 2
    for link in (new, old):
        link.unlink()
    edited(api, HOME, model="new")
    result = pinsync("export", *options)
    assert result.code == 0, result.err
    assert new.read_text().startswith("format: 1")
    shutil.rmtree("customizations")
    emptied(api)
    with untouched(remarked):
        assert pinsync("export", "--commit").code == 4, "the other documents of HEAD count"


# --commit counts from HEAD.


@pytest.mark.usefixtures("remarked")
def test_a_commit_is_counted_from_head(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    repinned(api, STRINGS)
    assert pinsync("export").code == 0
    result = pinsync("export", "--commit")
    assert (
        "default: 0 added, 1 changed, 0 removed · 1 file rewritten in customizations/" in result.err
    )
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed"


def test_removals_in_steps_are_refused_by_the_commit(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(
        exported / "pinsync.yaml",
        "format: 1\nsafety:\n  min_existing: 1\n  max_removed_percent: 50\n",
    )
    for rule in (STRINGS, EVERYONE):
        api.delete(rule)
        assert pinsync("export").code == 0
    with untouched(exported):
        result = pinsync("export", "--commit")
    assert result.code == 4
    assert "2 of 3 customizations would go" in result.err
    assert pinsync("export", "--commit", "--allow-mass-removal").code == 0
    assert git("log", "-1", "--format=%s") == "Export pins: 2 removed"


@pytest.mark.usefixtures("repository")
def test_files_that_head_lacks_count_with_their_text_on_disk(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    assert pinsync("export").code == 0
    git("commit", "--quiet", "--allow-empty", "-m", "First")
    emptied(api)
    assert pinsync("export", "--commit").code == 4
    assert pinsync("export", "--commit", "--allow-mass-removal").code == 0
    assert not document().exists()


@pytest.mark.usefixtures("repository", "api")
def test_the_message_says_what_the_commit_adds(pinsync: CommandLine, git: Git) -> None:
    assert pinsync("export").code == 0
    assert pinsync("export", "--commit").code == 0
    assert git("log", "-1", "--format=%s") == "Export pins: 3 added"


@pytest.mark.usefixtures("api")
def test_rules_without_an_id_are_no_removals_to_the_guard(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(exported / "pinsync.yaml", "format: 1\nsafety:\n  min_existing: 1\n")
    blocks = "".join(
        f"  - target_type: item\n    target_identity: /p/{number}/\n" for number in (77, 78, 79, 80)
    )
    put(document("drafts"), f"format: 1\nmodel: drafts\ncustomizations:\n{blocks}")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Drafts")
    document("drafts").unlink()
    result = pinsync("export", "--commit")
    assert result.code == 0, result.err
    assert git("log", "-1", "--format=%s") == "Export pins: 4 removed"


# A filtered export and other models.


@pytest.mark.usefixtures("remarked")
def test_a_filtered_commit_leaves_what_a_person_deleted(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    document("home").unlink()
    repinned(api, STRINGS)
    assert pinsync("export", "--model", "basket", "--commit").code == 0
    assert git("show", "--name-only", "--format=") == "customizations/basket.yaml"
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed"
    assert git("status", "--porcelain") == " D customizations/home.yaml"


@pytest.mark.usefixtures("remarked")
def test_a_filtered_commit_does_not_count_what_a_person_edited(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    put(document("home"), document("home").read_text().replace("/p/2/", "/p/3/"))
    repinned(api, STRINGS)
    assert pinsync("export", "--model", "basket", "--commit").code == 0
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed"
    assert git("status", "--porcelain") == " M customizations/home.yaml"


@pytest.mark.usefixtures("remarked")
def test_a_filtered_commit_leaves_an_earlier_export_of_another_model(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, HOME)
    assert pinsync("export").code == 0
    repinned(api, STRINGS)
    assert pinsync("export", "--model", "basket", "--commit").code == 0
    assert git("show", "--name-only", "--format=") == "customizations/basket.yaml"
    assert git("status", "--porcelain") == " M customizations/home.yaml"
    assert pinsync("export", "--model", "home", "--commit").code == 0
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("remarked")
def test_a_filtered_commit_has_the_removal_of_a_whole_model(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    api.delete(HOME)
    assert pinsync("export", "--model", "home").code == 0
    result = pinsync("export", "--model", "home", "--commit")
    assert result.code == 0, result.err
    assert git("log", "-1", "--format=%s") == "Export pins: 1 removed"
    assert git("status", "--porcelain") == ""
    assert pinsync("export", "--model", "home", "--commit").code == 2, (
        "no side has the model any more"
    )


@pytest.mark.usefixtures("remarked")
def test_a_filtered_export_writes_a_deleted_document_whole_or_not_at_all(
    pinsync: CommandLine,
) -> None:
    document().unlink()
    document("home").unlink()
    assert pinsync("export", "--tag", "christmas").code == 0
    assert document().read_text() == HEADING + BASKET_TEXT
    assert not document("home").exists()


# Rules that move from one file to another.


@pytest.mark.parametrize("model", ["basket", "home"])
@pytest.mark.usefixtures("remarked")
def test_a_filtered_commit_has_both_files_of_a_rule_that_moved(
    model: str, api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    edited(api, STRINGS, model="home")
    assert pinsync("export").code == 0
    result = pinsync("export", "--model", model, "--commit")
    assert result.code == 0, result.err
    assert git("log", "-1", "--format=%s") == "Export pins: 1 changed"
    assert git("status", "--porcelain") == ""
    assert pinsync("diff").code == 0


def test_a_commit_with_half_of_a_persons_rename_is_refused(
    api: Sandbox, remarked: Path, pinsync: CommandLine, git: Git
) -> None:
    document().rename(document("mine"))
    repinned(api, STRINGS)
    assert pinsync("export", "--force").code == 0
    with untouched(remarked):
        result = pinsync("export", "--commit")
    assert result.code == 4
    assert (
        f"the commit would hold the model basket twice: {document()} was changed by hand"
        in result.err
    )
    git("add", "--all")
    git("commit", "--quiet", "-m", "Rename")
    assert pinsync("export", "--commit").code == 0
    assert pinsync("diff").code == 0


def test_a_commit_with_half_of_a_persons_move_is_refused(
    api: Sandbox, remarked: Path, pinsync: CommandLine
) -> None:
    start = BASKET_TEXT.index(f"  - id: {EVERYONE}")
    put(document(), HEADING + BASKET_TEXT[:start])
    put(document("home"), HOME_TEXT + BASKET_TEXT[start:])
    edited(api, EVERYONE, model="home")
    assert pinsync("export", "--check").code == 0
    repinned(api, STRINGS)
    with untouched(remarked):
        result = pinsync("export", "--commit", "--force")
    assert result.code == 4
    assert (
        f"the commit would lack the rule {EVERYONE}: {document('home')} was changed by hand"
        in result.err
    )


# Documents that git doesn't check out.


@pytest.fixture(params=["sparse", "bit"])
def unchecked(request: pytest.FixtureRequest, remarked: Path, git: Git) -> Path:
    """The repository without its documents on disk, by a sparse checkout or by the bit alone; the
    current folder.
    """
    if request.param == "sparse":
        git("sparse-checkout", "set", "other")
    else:
        git("update-index", "--skip-worktree", str(document()), str(document("home")))
        shutil.rmtree("customizations")
    assert not document().exists()
    assert git("status", "--porcelain") == ""
    return remarked


@pytest.mark.usefixtures("api", "git")
def test_a_document_that_is_not_checked_out_counts(unchecked: Path, pinsync: CommandLine) -> None:
    with untouched(unchecked, recorded=True):
        assert pinsync("diff", "HEAD", "@worktree").code == 0
        assert pinsync("diff", "@worktree").code == 0
        checked = pinsync("export", "--check")
        assert (checked.code, checked.out) == (0, "")
        assert "nothing to commit" in pinsync("export", "--commit").err
        assert "/p/123/" in pinsync("show", "basket").out


@pytest.mark.parametrize("options", [[], ["--commit"]])
def test_an_export_that_changes_such_a_document_writes_it_and_says_so(
    options: list[str], api: Sandbox, unchecked: Path, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    would = pinsync("export", "--check")
    assert would.code == 1
    assert (
        f"note: {document()} changed, though git doesn't check it out here: it would be written"
        in would.err
    )
    result = pinsync("export", *options)
    assert result.code == 0, result.err
    assert (
        f"note: {document()} changed, though git doesn't check it out here: it is written"
        in result.err
    )
    assert document().read_text().startswith(HEADING)
    assert not document("home").exists()
    assert git("status", "--porcelain") == ("" if options else f" M {document()}")
    if options:
        assert git("show", "--name-status", "--format=") == f"M\t{document()}"
        assert git("show", f"HEAD:{document()}").startswith(HEADING)
    assert sorted(path.name for path in (unchecked / "customizations").iterdir()) == ["basket.yaml"]


@pytest.mark.parametrize(
    "options", [["--cone", "other"], ["--no-cone", "/other/"], ["--sparse-index", "other"]]
)
@pytest.mark.usefixtures("remarked")
def test_a_new_document_outside_of_a_sparse_checkout_is_committed(
    options: list[str], api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    git("sparse-checkout", "set", *options)
    edited(api, HOME, model="new")
    result = pinsync("export", "--commit")
    assert result.code == 0, result.err
    assert (
        git("show", "--name-status", "--format=", "--no-renames")
        == f"D\t{document('home')}\nA\t{document('new')}"
    )
    assert git("status", "--porcelain") == ""
    assert pinsync("diff").code == 0


@pytest.mark.usefixtures("unchecked")
def test_the_guard_counts_such_documents(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    emptied(api)
    for options in ([], ["--check"], ["--commit"]):
        assert pinsync("export", *options).code == 4
    result = pinsync("export", "--allow-mass-removal")
    assert (
        f"note: {document()} changed, though git doesn't check it out here: it is removed"
        in result.err
    )
    assert git("status", "--porcelain") == f" D {document()}\n D {document('home')}"
    assert pinsync("export", "--check").code == 0
    assert pinsync("export", "--commit", "--allow-mass-removal").code == 0
    assert git("ls-files", "customizations") == ""
    assert git("status", "--porcelain") == ""


@pytest.mark.usefixtures("unchecked")
def test_a_file_that_somebody_wrote_in_its_place_counts_instead(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    put(document(), HEADING + BASKET_TEXT.replace("/p/9/", "/p/10/"))
    assert pinsync("diff", "HEAD", "@worktree").code == 1
    repinned(api, STRINGS)
    assert pinsync("export").code == 4, "it holds a person's work"
    assert pinsync("export", "--force").code == 0
    assert "/p/9/" in document().read_text()
    assert git("status", "--porcelain") == f" M {document()}"
