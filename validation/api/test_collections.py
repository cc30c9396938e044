"""What the API keeps lists of is listed whole, page by page, and only to whom it may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from deployment_gate.typing import Listing

pytestmark = pytest.mark.needs("api.collections.{collection}")

PAGE = 3
# A list that others write to may move between two answers; one that is wrong stays wrong.
LOOKS = 3
# RFC 3339, 5.6: what has a time and no zone is nobody's time.
NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?")
FAR_AWAY = 10**6
SERVER_ERROR = 500


@pytest.mark.smoke
def test_items_are_listed(collection: Listing) -> None:
    found = len(collection.page().items)

    fewest = collection.section.fewest
    assert found >= fewest, f"{collection.name} has {found} items; at least {fewest} are expected"


@pytest.mark.smoke
@pytest.mark.provokes
@pytest.mark.needs("api.login")
def test_only_who_may_read_it_gets_the_list(
    collection: Listing, api_as: Callable[[None], httpx.Client]
) -> None:
    answer = api_as(None).get(collection.path)

    if collection.section.public:
        assert answer.is_success, f"the public {collection.path} was answered {answer.status_code}"
    else:
        assert answer.status_code in {401, 403}, (
            f"{collection.path} without a token was answered {answer.status_code}; "
            "expected 401 or 403"
        )


@pytest.mark.needs("api.paging.size")
def test_a_page_has_as_many_items_as_were_asked_for(collection: Listing) -> None:
    whole = len(collection.page(size=PAGE).items)
    one = len(collection.page(size=1).items)

    assert one == min(1, whole), f"a page of 1 has {one} items"
    assert whole <= PAGE, f"a page of {PAGE} has {whole} items"


@pytest.mark.needs("api.paging.size", "api.paging.has_pages")
def test_pages_follow_one_another_without_gap_or_repeat(collection: Listing) -> None:
    for _ in range(LOOKS):
        by_pages, at_once = _walk(collection)
        if by_pages == at_once:
            return
    assert by_pages == at_once, (
        f"{collection.name} by pages of {PAGE} are {by_pages}, on one page they are {at_once}"
    )


@pytest.mark.needs("api.paging.size", "api.paging.total")
def test_the_total_is_the_number_of_items(collection: Listing) -> None:
    for _ in range(LOOKS):
        told, counted = collection.count()
        if told == counted:
            return
    assert told == counted, f"{collection.name} are {told} in all by the answer, {counted} counted"


@pytest.mark.provokes
@pytest.mark.needs("api.paging.size", "api.paging.largest")
def test_a_page_larger_than_allowed_is_refused_or_cut(collection: Listing) -> None:
    largest = collection.paging.largest or 0

    page = collection.page(size=largest * 100)

    assert page.answer.status_code < SERVER_ERROR, f"answered {page.answer.status_code}"
    if page.answer.is_success:
        size = max(len(page.items), page.told_size or 0)
        assert size <= largest, f"asked for {largest * 100} items, a page has {size} at most"


@pytest.mark.needs("api.paging.size", "api.paging.told_size")
def test_a_page_says_how_many_items_it_has_at_most(collection: Listing) -> None:
    page = collection.page(size=PAGE)

    assert page.told_size == PAGE, f"a page of {PAGE} says that it is one of {page.told_size}"


@pytest.mark.provokes
@pytest.mark.needs("api.paging.is_numbered")
@pytest.mark.parametrize("number", [0, -1, "first", "1e3", "1;2", "9" * 30])
def test_a_page_that_cannot_be_breaks_nothing(collection: Listing, number: int | str) -> None:
    status = collection.page(number, size=PAGE).answer.status_code

    assert status < SERVER_ERROR, f"page {number} was answered {status}"


@pytest.mark.needs("api.paging.is_numbered", "api.paging.size")
def test_beyond_the_last_page_is_nothing(collection: Listing) -> None:
    page = collection.page(FAR_AWAY, size=PAGE)

    if page.answer.status_code not in {404, 422}:
        assert page.items == [], f"page {FAR_AWAY} has {len(page.items)} items"


@pytest.mark.needs("api.collections.{collection}.filters")
def test_a_filter_leaves_only_what_it_says(collection: Listing) -> None:
    for name, value in collection.section.filters.items():
        items = collection.page(query={name: value}).items
        assert items, f"{collection.name} with {name}={value} are none"
        found = [item.get(name) if isinstance(item, dict) else item for item in items]
        others = [one for one in found if one != value]
        assert not others, f"{collection.name} with {name}={value} have {name} {others[0]!r}, too"


@pytest.mark.needs("api.collections.{collection}.item", "api.collections.{collection}.fewest")
def test_an_item_is_the_same_alone_as_in_the_list(collection: Listing) -> None:
    for _ in range(LOOKS):
        item = collection.page().items[0]
        answer = collection.get(collection.id_of(item))
        if not answer.is_success:
            continue
        alone = collection.item_in(answer)
        # Alone it may have more.
        if isinstance(item, dict) and isinstance(alone, dict):
            alone = {key: value for key, value in alone.items() if key in item}
        if collection.same(item, alone):
            return
    assert answer.is_success, f"the first of {collection.name} was answered {answer.status_code}"
    assert collection.same(item, alone), (
        f"the first of {collection.name} is {alone} alone, and in the list {item}"
    )


@pytest.mark.provokes
@pytest.mark.needs("api.collections.{collection}.item")
def test_an_id_that_there_is_none_of_is_not_found(collection: Listing) -> None:
    answer = collection.get(collection.section.missing)

    assert answer.status_code == 404, (
        f"{collection.address_of(collection.section.missing)} was answered {answer.status_code}"
    )


@pytest.mark.provokes
@pytest.mark.needs("api.collections.{collection}.item")
@pytest.mark.parametrize("malformed", ["-1", "no-such-id", "'", "1" * 40, "null"])
def test_an_id_that_cannot_be_is_refused(collection: Listing, malformed: str) -> None:
    answer = collection.get(malformed)

    # A redirect to how it should be written is a refusal, too.
    assert answer.is_client_error or answer.is_redirect, (
        f"{collection.address_of(malformed)} was answered {answer.status_code}"
    )


def test_every_time_stamp_names_its_zone(collection: Listing) -> None:
    naive = {
        f"{path}: {text}"
        for item in collection.page().items
        for path, text in _texts(item, "")
        if NAIVE.fullmatch(text)
    }

    assert not naive, f"{collection.name} have times without a zone: {min(naive)}"


def _walk(collection: Listing) -> tuple[list[object], list[object]]:
    """The ids on the first small pages, and on one page that is just as long.

    Where the small pages ended by themselves, the one page is longer: nothing may come after.
    """
    largest = collection.paging.largest or FAR_AWAY
    size, most = min(PAGE, max(1, largest // 3)), min(3, largest)
    pages = [page.items for page in collection.pages(size=size, at_most=most)]
    by_pages = [collection.id_of(item) for items in pages for item in items]
    has_ended = len(pages) < most or not pages[-1]
    at_once = collection.page(size=min(largest, max(1, len(by_pages) + has_ended))).items
    return by_pages, [collection.id_of(item) for item in at_once]


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, f"{path}[]")
