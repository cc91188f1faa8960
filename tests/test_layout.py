from __future__ import annotations

import re
import string
from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinsync.layout import build_document_path, build_file_name, choose_folder, is_document

SAFE = re.compile(r"(?:[a-z0-9_.-]|%[0-9A-F]{2})+(?:~[0-9a-f]{32})?\.yaml")
RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(?:\.|$)", re.IGNORECASE
)
models = st.text(min_size=1) | st.text(
    alphabet=string.ascii_letters + ".-_~%0123é/", min_size=1, max_size=300
)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("basket", "basket.yaml"),
        ("item_detail-2.x", "item_detail-2.x.yaml"),
        ("-rf", "-rf.yaml"),
        ("Basket", "%42asket.yaml"),
        ("a/b", "a%2Fb.yaml"),
        ("../../etc/passwd", "%2E%2E%2F..%2Fetc%2Fpasswd.yaml"),
        (".", "%2E.yaml"),
        ("..", "%2E%2E.yaml"),
        ("a..", "a%2E%2E.yaml"),
        ("a\n", "a%0A.yaml"),
        ("git~1", "git%7E1.yaml"),
        ("100%", "100%25.yaml"),
        ("CON", "%43%4F%4E.yaml"),
        ("con", "%63on.yaml"),
        ("con.txt", "%63on.txt.yaml"),
        ("prn", "%70rn.yaml"),
        ("aux", "%61ux.yaml"),
        ("nul", "%6Eul.yaml"),
        ("com0", "%63om0.yaml"),
        ("lpt9", "%6Cpt9.yaml"),
        ("com¹", "com%C2%B9.yaml"),
        ("conin$", "conin%24.yaml"),
        ("console", "console.yaml"),
        ("com10", "com10.yaml"),
        ("a b\\:", "a%20b%5C%3A.yaml"),
    ],
)
def test_names_of_models(model: str, name: str) -> None:
    assert build_file_name(model) == name


def test_a_name_of_200_bytes_is_kept_and_a_longer_one_is_cut_and_closed_with_a_hash() -> None:
    assert build_file_name("a" * 200) == "a" * 200 + ".yaml"
    assert re.fullmatch(r"a{167}~[0-9a-f]{32}\.yaml", build_file_name("a" * 201))


@pytest.mark.parametrize("offset", range(3))
def test_a_cut_never_leaves_half_an_encoded_byte(offset: int) -> None:
    name = build_file_name("a" * offset + "\N{GRINNING FACE}" * 300)
    assert SAFE.fullmatch(name)
    assert len(name) <= 205


def test_long_models_that_begin_alike_do_not_share_a_name() -> None:
    assert build_file_name("x" * 500 + "a") != build_file_name("x" * 500 + "b")


def test_a_run_of_dots_is_named_in_linear_time() -> None:
    assert len(build_file_name("a" + "." * 1_000_000 + "a")) == 205


@given(models)
@example("a" * 201)
@example("aux.c")
def test_every_name_is_safe_on_every_file_system(model: str) -> None:
    name = build_file_name(model)
    assert SAFE.fullmatch(name)
    assert len(name) <= 205
    assert name[0] != "."
    assert not name.removesuffix(".yaml").endswith(".")
    assert not RESERVED.match(name)
    assert is_document(name)


@given(models)
def test_a_name_that_was_not_cut_leads_back_to_its_model_and_none_can_pose_as_cut(
    model: str,
) -> None:
    # Whatever decodes is injective; that it still does in lower case is what a file system without
    # case needs.
    name = build_file_name(model)
    encoded = sum(
        1 if re.match("[a-z0-9_.-]", letter) else 3 * len(letter.encode()) for letter in model
    )
    if "~" in name:
        assert encoded + 3 * len(model) > 200
    else:
        assert unquote(name.removesuffix(".yaml").lower()) == model


@given(st.lists(models, min_size=2, max_size=8, unique=True))
@example(["Basket", "basket", "BASKET"])
@example(["\u00e9", "e\u0301"])
@example(["%2f", "/", "%2F"])
def test_no_two_models_share_a_name_even_where_case_is_ignored(names: list[str]) -> None:
    assert len({build_file_name(model).casefold() for model in names}) == len(names)


def test_a_document_lies_in_the_directory_or_in_the_folder_of_its_tracker() -> None:
    directory = PurePosixPath("customizations")
    assert build_document_path(directory, "basket", None) == directory / "basket.yaml"
    assert (
        build_document_path(directory, "../x", "shop-sk")
        == directory / "shop-sk" / "%2E%2E%2Fx.yaml"
    )
    assert choose_folder(directory, "shop-sk") == directory / "shop-sk"
