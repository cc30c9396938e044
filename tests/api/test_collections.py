"""Lists, page by page in each way there is, and items of a check's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deployment_gate.api.collections import Listing
from deployment_gate.environment import ApiTarget
from tests.api.shop import Shop

BY_PAGE = {"page": "page", "size": "size"}
BY_OFFSET = {"offset": "offset", "size": "size"}
BY_CURSOR = {"next": "$.next", "cursor": "after", "size": "size"}
BY_LINK = {"next": "header Link", "size": "size"}
WAYS = {"page": BY_PAGE, "offset": BY_OFFSET, "cursor": BY_CURSOR, "link": BY_LINK}


@pytest.fixture
def listing_of(
    shop: Shop, client_of: Callable[[str | None], httpx.Client]
) -> Callable[..., Listing]:
    """The shop's orders, paged in some way."""

    def listing_of(paging: dict[str, Any], **more: Any) -> Listing:
        api = ApiTarget.model_validate(
            {
                "base_url": shop.url,
                "paging": {"items": "$.data", "total": "$.total", **paging},
                "collections": {
                    "orders": {
                        "path": "/orders",
                        "item": "/orders/{{id}}",
                        "reader": "buyer",
                        "writer": "buyer",
                        "draft": {"item": "book {{run}}"},
                        "change": {"item": "another"},
                        **more,
                    }
                },
            }
        )
        return Listing("orders", api, client_of, values={"environment": "here"})

    return listing_of


@pytest.mark.parametrize("paging", WAYS.values(), ids=WAYS)
def test_pages_follow_one_another(
    listing_of: Callable[..., Listing], paging: dict[str, Any]
) -> None:
    pages = listing_of(paging).pages(size=5, at_most=10)
    assert [[item["id"] for item in page.items] for page in pages][:3] == [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [11, 12],
    ]


@pytest.mark.parametrize("paging", WAYS.values(), ids=WAYS)
def test_no_more_pages_are_asked_for_than_may_be(
    listing_of: Callable[..., Listing], shop: Shop, paging: dict[str, Any]
) -> None:
    assert len(list(listing_of(paging).pages(size=2, at_most=3))) == 3
    assert shop.requests.count("GET /orders") == 3


@pytest.mark.parametrize("paging", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("largest", [5, 100])
def test_items_are_counted(
    listing_of: Callable[..., Listing], shop: Shop, paging: dict[str, Any], largest: int
) -> None:
    orders = listing_of({**paging, "largest": largest})
    assert orders.count() == (12, 12)
    shop.flaws.add("wrong-total")
    assert orders.count() == (13, 12)


def test_a_long_list_is_counted_by_its_end(listing_of: Callable[..., Listing], shop: Shop) -> None:
    shop.orders = {number: {"id": number, "item": "a"} for number in range(1, 102)}
    assert listing_of({**BY_PAGE, "largest": 2}).count() == (101, 101)
    assert shop.requests.count("GET /orders") == 3


def test_a_long_list_without_numbers_is_counted_as_far_as_it_is_walked(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    shop.orders = {number: {"id": number, "item": "a"} for number in range(1, 102)}
    assert listing_of({**BY_CURSOR, "largest": 2}).count() == (42, 42)


def test_a_total_that_is_just_as_far_as_one_walks_is_looked_beyond(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    shop.orders = {number: {"id": number, "item": "a"} for number in range(1, 102)}
    shop.told_total = 40
    assert listing_of({**BY_PAGE, "largest": 2}).count() == (40, 42)
    assert listing_of({**BY_CURSOR, "largest": 2}).count() == (40, 42)


def test_the_next_page_is_not_looked_for_elsewhere(listing_of: Callable[..., Listing]) -> None:
    orders = listing_of({"next": "$.next", "size": "size"})
    page = orders.page(size=5)
    elsewhere = httpx.Response(
        200, json={"data": [1], "next": "http://elsewhere.invalid/"}, request=page.answer.request
    )
    with pytest.raises(AssertionError, match="the next page is elsewhere"):
        orders._next(type(page)(elsewhere, page.items_at, page.paging), 5)  # noqa: SLF001


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ("$.rows", "GET /orders was answered 200 without $.rows"),
        ("$.total", "GET /orders was answered 200: $.total is no list"),
    ],
)
def test_an_answer_without_a_list_fails_with_what_it_is(
    listing_of: Callable[..., Listing], items: str, told: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        _ = listing_of(BY_PAGE, items=items).page().items
    assert str(caught.value) == told


def test_an_answer_that_is_no_success_fails_with_its_status(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    orders = listing_of(BY_PAGE)
    shop.flaws.add("down")
    with pytest.raises(AssertionError, match="GET /orders was answered 503"):
        _ = orders.page().items


def test_an_item_is_made_changed_and_removed(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    orders = listing_of(BY_PAGE)
    item = orders.make(note="mine")
    assert shop.orders[13] == {"id": 13, "note": "mine", "item": item.draft["item"]}
    assert item.etag == '"13"'
    assert orders.change(item).json() == {"id": 13, "note": "mine", "item": "another"}
    assert orders.remove(item.id).status_code == 204
    assert orders.get(item.id).status_code == 404


def test_what_is_made_is_known_by_the_address_that_the_answer_names(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    shop.flaws.add("answers-by-location")
    assert listing_of(BY_PAGE).make().id == "13"


def test_what_was_made_without_an_id_is_told_with_its_draft(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    shop.flaws.add("answers-nothing")
    with pytest.raises(AssertionError, match=r"may have got an item .* made of .*book v"):
        listing_of(BY_PAGE).make()


def test_the_runs_values_stand_in_drafts_and_changes(
    listing_of: Callable[..., Listing], shop: Shop
) -> None:
    orders = listing_of(
        BY_PAGE, draft={"item": "of {{environment}}"}, change={"item": "changed {{run}}"}
    )
    item = orders.make()
    assert shop.orders[13]["item"] == "of here"
    orders.change(item)
    assert re.fullmatch("changed v[0-9a-f]{12}", shop.orders[13]["item"])


def test_what_differs_each_time_is_not_compared(listing_of: Callable[..., Listing]) -> None:
    orders = listing_of(BY_PAGE, volatile=["link"])
    assert orders.same({"id": 1, "link": "a"}, {"id": 1, "link": "b"})
    assert not orders.same({"id": 1, "link": "a"}, {"id": 2, "link": "a"})
    assert orders.same("a", "a")


def test_each_draft_is_different(listing_of: Callable[..., Listing]) -> None:
    orders = listing_of(BY_PAGE)
    assert orders.draft() != orders.draft()
