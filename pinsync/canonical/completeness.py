"""The signs by which an answer of the API says that it is only a part of the export.

The API documents no paging. Each answer is checked for the signs of other APIs all the same: an
export of a part would remove the customizations that are missing in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from pinsync.errors import DataError, spell_path
from pinsync.redaction import redact

Headers: TypeAlias = Iterable[tuple[str, str]]
"""The name and the value of each header of an answer."""

_Judge: TypeAlias = Callable[[object, int], bool | None]
"""Returns what a value says of an answer with this number of customizations: True if the answer is
whole, False if it is a part, None if the value says neither."""

_PAGE: Final = "looks like one page of several"
_FAILURE: Final = "looks incomplete"
_HINT: Final = (
    "pinsync uses only whole exports: fetch the export again, and if it stays so report it to the "
    "vendor, who documents no paging"
)
_DEPTH: Final = 4
"""The most keys in the path of a sign, as in `data.pins.pageInfo.hasNextPage`."""
_LONGEST: Final = 200
"""The most characters of a path or a value in a message."""

# Patterns that are rarely needed, and so compiled where they are used.
_NAMESPACE: Final = "^(?:.*[.:@]|x[-_])?(?:wp[-_]|pagination[-_])?"
_RANGE: Final = r"(?:[a-zA-Z]\S*\s+)?(?:([0-9]{1,15})-([0-9]{1,15})|\*)/([0-9]{1,15})"
_LINK_TARGET: Final = "<[^>]*>"
_LINK_PARAMETER: Final = r""";\s*([^\s;,=]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s;,]*)"""

_NOTHING: Final = frozenset({"", "0", "false", "no", "none", "null"})
_BOOLEANS: Final[Mapping[object, bool]] = {True: True, "true": True, False: False, "false": False}


def _split_names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def raise_if_partial(envelope: Mapping[str, Any], headers: Headers, count: int) -> None:
    """Raise an error if an answer says that it is only a part of the export.

    Args:
        envelope: the keys of the answer with their values, without its results.
        headers: the headers of the answer.
        count: the number of customizations in the answer.

    Raises:
        DataError: the answer has a sign that it is a part.
    """
    doubt: DataError | None = None
    is_whole = False
    for claim in (*_list_headers(headers), *_list_members(envelope)):
        for sign in _SIGNS:
            if claim.name not in sign.names:
                continue
            verdict = sign.judge(claim.value, count)
            is_whole = is_whole or verdict is True
            if verdict is False and not sign.is_doubtful:
                raise _build_error(sign, claim, count)
            if verdict is False and doubt is None:
                doubt = _build_error(sign, claim, count)
    if doubt and not is_whole:
        raise doubt


class _Claim(NamedTuple):
    """A header or a key of an answer.

    Attributes:
        place: the name of the header, or the path of the key.
        name: the name in the form that `_SIGNS` has.
        value: the value.
        is_header: whether it is a header.
    """

    place: str
    name: str
    value: object
    is_header: bool = False


def _list_headers(headers: Headers) -> Iterator[_Claim]:
    for name, value in headers:
        yield _Claim(name.title(), _fold(name), value.strip(), is_header=True)


def _list_members(members: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[_Claim]:
    """Yield the keys of an object and of the objects in it, and the relations in lists of links."""
    for key, value in members.items():
        place = (*path, key)
        yield _Claim(spell_path(place), _fold(key), value)
        if isinstance(value, list):
            yield from _list_links(value, place)
        elif isinstance(value, dict) and len(place) < _DEPTH:
            inside = value
            # Elasticsearch: the total of shards isn't the number of rows.
            if _fold(key) == "shards":
                inside = {name: item for name, item in value.items() if name == "failed"}
            yield from _list_members(inside, place)


def _list_links(links: list[Any], path: tuple[str | int, ...]) -> Iterator[_Claim]:
    """Yield the relation and the target of each link, as in `[{"rel": "next", "href": "/2"}]`."""
    for number, link in enumerate(links):
        relation = link.get("rel") if isinstance(link, dict) else None
        if isinstance(relation, str):
            place = spell_path((*path, number, relation))
            yield _Claim(place, _fold(relation), link.get("href", link))


def _fold(name: str) -> str:
    """Return a name without case, punctuation and namespace, such as `@odata.` or `X-WP-`."""
    return re.sub("[^a-z0-9]", "", re.sub(_NAMESPACE, "", name.lower()))


def _build_error(sign: _Sign, claim: _Claim, count: int) -> DataError:
    if claim.is_header:
        place, value = f"the header {claim.place}", str(claim.value)
    else:
        place = json.dumps(claim.place, ensure_ascii=False)
        value = json.dumps(claim.value, ensure_ascii=False)
    # A server may echo the key. Were a text cut first, a part of the key could be left.
    place, value = (_shorten(redact(text, {})) for text in (place, value))
    fact = f"{place} is {value}"
    if sign.judge in (_judge_total, _judge_count, _judge_limit):
        fact += f", {count} came"
    return DataError(f"the answer {sign.problem} ({fact})", hint=_HINT)


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}…"


def _judge_next(value: object, _count: int) -> bool | None:
    return not _says_something(value)


def _judge_end(value: object, _count: int) -> bool | None:
    if isinstance(value, str):
        value = value.lower()
    # An object can't be looked up in a dictionary, and 1 would be found as True.
    return _BOOLEANS.get(value) if isinstance(value, str | bool) else None


def _judge_total(value: object, count: int) -> bool | None:
    number = _read_number(value)
    if number is None or number < count:
        return None
    # Elasticsearch: it stopped counting at this number.
    is_lower_bound = isinstance(value, dict) and value.get("relation") == "gte"
    return number == count and not is_lower_bound


def _judge_count(value: object, count: int) -> bool | None:
    # It may be the number of rows in a page, which doesn't tell whether there are others.
    return False if _judge_total(value, count) is False else None


def _judge_pages(value: object, _count: int) -> bool | None:
    number = _read_number(value)
    return None if number is None or number < 1 else number == 1


def _judge_limit(value: object, count: int) -> bool | None:
    return False if count and _read_number(value) == count else None


def _judge_presence(value: object, _count: int) -> bool | None:
    return False if _says_something(value) else None


def _judge_success(value: object, count: int) -> bool | None:
    # A page may be a success too.
    return False if _judge_end(value, count) is False else None


def _judge_status(value: object, _count: int) -> bool | None:
    if isinstance(value, str | int) and _fold(str(value)) in _BAD_STATUS:
        return False
    return None


def _judge_range(value: object, _count: int) -> bool | None:
    if not isinstance(value, str):
        return None
    match = re.fullmatch(_RANGE, value)
    # Another form has an unknown total, such as `items 0-9/*`.
    if not match:
        return False
    total = int(match[3])
    if match[1] is None:
        return total == 0
    # RFC 9110 counts from 0; some servers count from 1.
    return (int(match[1]), int(match[2])) in ((0, total - 1), (1, total))


def _judge_link(value: object, _count: int) -> bool | None:
    if not isinstance(value, str):
        return None
    # Behind the last `>` no target ends: the pattern would look for one from each `<` to the end.
    end = value.rfind(">") + 1
    parameters = re.sub(_LINK_TARGET, "", value[:end]) + value[end:]
    # The next page is a link one of whose relations is `next` (RFC 8288, 3).
    for name, relation in re.findall(_LINK_PARAMETER, parameters):
        if name.lower() == "rel" and "next" in relation.strip("\"'").lower().split():
            return False
    return None


def _says_something(value: object) -> bool:
    """Return whether a value is neither empty nor a way to say no, nor an object of such values."""
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING
    return bool(value)


def _read_number(value: object) -> float | None:
    """Return a number, which may be a text or stand in an object's `value`."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str) and value.isdecimal():
        return float(value)
    # To Python, True is a number.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


class _Sign(NamedTuple):
    """Keys and headers with one meaning.

    Attributes:
        problem: the words of the message about an answer that is a part.
        judge: judges their values.
        names: their names, as `_fold` returns them.
        is_doubtful: whether another sign may overrule that the answer is a part.
    """

    problem: str
    judge: _Judge
    names: frozenset[str]
    is_doubtful: bool = False


_BAD_STATUS: Final = _split_names("""
    206 partial partialcontent partialsuccess incomplete truncated error errors fail failed
    failure timeout timedout
""")

_SIGNS: Final = (
    # JSON:API and HAL (links), DRF, Laravel, OData, Google, AWS, Azure, Salesforce, Kubernetes,
    # DynamoDB, OAI-PMH; X-Next-Page of GitLab. Then Stripe, Spring Data, Relay (pageInfo), S3,
    # ArcGIS, GitHub's and Google's search.
    _Sign(
        _PAGE,
        _judge_next,
        _split_names("""
            next nextpage nextcursor nexttoken nextpagetoken nextpagecursor nexturl nexturi
            nextlink nextpageurl nextpageuri nextpagelink nextmarker nextkey nextoffset
            nextrecordsurl nextcontinuationtoken continuation continuationtoken continue
            resumptiontoken lastevaluatedkey paginationtoken more hasmore hasnext hasnextpage
            hasmorepages hasmoreitems hasmoreresults morepages moreitems moreresults
            moreavailable truncated istruncated partial ispartial partialresults incomplete
            isincomplete incompleteresults incompletesearch exceededtransferlimit
        """),
    ),
    # Spring Data, Jira
    _Sign(
        _PAGE,
        _judge_end,
        _split_names(
            "last islast islastpage lastpage first isfirst isfirstpage complete iscomplete"
        ),
    ),
    # Spring Data, JSON:API (meta), Solr, Algolia, DataTables, Hydra, OpenSearch; X-Total-Count,
    # X-Total of GitLab and X-WP-Total of WordPress
    _Sign(
        _PAGE,
        _judge_total,
        _split_names("""
            total totalcount totalresults totalitems totalhits totalelements totalrecords
            totalrows totalsize totalobjects totalentries recordstotal numfound nbhits
        """),
    ),
    # DRF, OData
    _Sign(_PAGE, _judge_count, _split_names("count itemcount recordcount rowcount resultcount")),
    # Laravel (last_page), Strapi, Spring Data, Algolia; X-Total-Pages of GitLab
    _Sign(
        _PAGE, _judge_pages, _split_names("pages totalpages pagecount numpages lastpage nbpages")
    ),
    _Sign(_PAGE, _judge_range, _split_names("contentrange")),
    _Sign(_PAGE, _judge_link, _split_names("link")),
    # The last page may be full, and Dropbox and Relay give a cursor with the last page too.
    _Sign(
        _PAGE,
        _judge_limit,
        _split_names(
            "limit pagesize perpage pagelimit maxresults maxitems itemsperpage resultsperpage"
        ),
        is_doubtful=True,
    ),
    _Sign(
        _PAGE, _judge_presence, _split_names("cursor cursors endcursor scrollid"), is_doubtful=True
    ),
    # Elasticsearch, GraphQL, and the body of the API's own refusals
    _Sign(
        _FAILURE,
        _judge_presence,
        _split_names("""
            error errors errormessage errormessages failed failure failures exception exceptions
            exceptiondetails timedout terminatedearly
        """),
    ),
    _Sign(_FAILURE, _judge_success, _split_names("success ok succeeded")),
    _Sign(_FAILURE, _judge_status, _split_names("status state resultstatus")),
)
