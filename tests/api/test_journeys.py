"""Journeys, taken for real through a shop that keeps orders."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml

from deployment_gate.api.journeys import JourneyRun, Way, take_journey
from deployment_gate.api.schemas import schema_errors
from deployment_gate.environment import Journey
from tests.api.shop import Shop

ORDER = """
writes: true
steps:
  - name: order
    request: POST /orders
    identity: buyer
    body: {item: "book {{run}}"}
    expect: {status: 201, jsonpath: {$.item: "book {{run}}"}}
    capture: {id: $.id, etag: header ETag}
  - request: GET /orders/{{id}}
    identity: buyer
    expect: {jsonpath: {$.id: "{{id}}"}, json_schema: {required: [item]}, within: 5s}
  - request: GET /orders
    identity: buyer
    query: {item: "book {{run}}"}
    expect: {jsonpath: {"$.data[*].id": ["{{id}}"]}}
cleanup:
  - request: DELETE /orders/{{id}}
    identity: buyer
    expect: {status: 204}
"""


@pytest.fixture
def steps() -> list[str]:
    """The names of the steps that were taken."""
    return []


@pytest.fixture
def take(
    client_of: Callable[[str | None], httpx.Client], steps: list[str]
) -> Callable[..., JourneyRun]:
    """Take a journey."""

    def note(step: str | None) -> None:
        if step:
            steps.append(step)

    def take(text: str, sleep: Callable[[float], None] | None = None) -> JourneyRun:
        way = Way(
            client=client_of,
            note_step=note,
            keep_secret=lambda _: None,
            schema_errors=lambda schema, body: schema_errors(dict(schema), body),  # type: ignore[call-overload]
            **({"sleep": sleep} if sleep else {}),
        )
        data: dict[str, Any] = yaml.safe_load(text)
        return take_journey("order", Journey.model_validate(data), way, {"run": "r1"})

    return take


def test_each_step_is_taken_and_what_was_made_is_removed(
    take: Callable[..., JourneyRun], shop: Shop, steps: list[str]
) -> None:
    run = take(ORDER)
    assert run.complaints == ()
    assert run.went_well
    assert steps == [
        "step 1, order",
        "step 2, GET /orders/{{id}}",
        "step 3, GET /orders",
        "cleaning up, DELETE /orders/{{id}}",
    ]
    assert len(shop.orders) == 12


def test_the_first_step_that_goes_wrong_ends_it_and_it_still_cleans_up(
    take: Callable[..., JourneyRun], shop: Shop
) -> None:
    run = take(ORDER.replace("$.id: ", "$.number: "))
    assert run.complaints == ("step 2, GET /orders/{{id}}: $.number isn't there; expected 13",)
    assert "GET /orders" not in shop.requests
    assert shop.requests[-1] == "DELETE /orders/13"
    assert len(shop.orders) == 12


def test_what_could_not_be_removed_is_told(take: Callable[..., JourneyRun], shop: Shop) -> None:
    shop.flaws.add("refuses-deletes")
    run = take(ORDER)
    assert run.complaints == ("cleaning up, DELETE /orders/{{id}}: answered 500; expected 204",)


def test_what_was_never_made_is_not_removed(take: Callable[..., JourneyRun], shop: Shop) -> None:
    run = take(ORDER.replace("identity: buyer", "identity: null"))
    assert run.complaints[0] == "step 1, order: answered 401; expected 201"
    assert not any("left out" in complaint for complaint in run.complaints)
    assert shop.requests == ["POST /orders"]


def test_what_may_have_been_made_unseen_is_told(
    take: Callable[..., JourneyRun], shop: Shop
) -> None:
    shop.flaws.add("down")
    run = take(ORDER)
    assert (run.complaints[0], run.complaints[-1]) == (
        "step 1, order: answered 503; expected 201",
        (
            "cleaning up, DELETE /orders/{{id}}: left out, since nothing gave {{id}}. See whether "
            "POST /orders made something, and remove it by hand"
        ),
    )


TWO_REMOVALS = (
    ORDER
    + """
  - request: DELETE /orders/{{id}}
    identity: buyer
    expect: {status: 404}
"""
)


def test_a_clean_up_that_is_cut_off_ends_no_other_and_is_told(
    take: Callable[..., JourneyRun], shop: Shop
) -> None:
    waiting = TWO_REMOVALS.replace(
        "expect: {status: 204}", "expect: {status: 299}\n    retry: {timeout: 5s}"
    )

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt("time is up")

    with pytest.raises(KeyboardInterrupt) as caught:
        take(waiting, interrupted)
    assert shop.requests[-2:] == ["DELETE /orders/13"] * 2
    assert "cut off by time is up" in caught.value.__notes__[0]


def test_what_goes_wrong_in_a_clean_up_after_time_was_up_is_told(
    take: Callable[..., JourneyRun], shop: Shop
) -> None:
    def interrupted(_: float) -> None:
        shop.flaws.add("refuses-deletes")
        raise KeyboardInterrupt

    waiting = ORDER.replace(
        "expect: {jsonpath: {$.id:", "retry: {timeout: 5s}\n    expect: {jsonpath: {$.no:"
    )
    with pytest.raises(KeyboardInterrupt) as caught:
        take(waiting, interrupted)
    assert caught.value.__notes__ == [
        "cleaning up, DELETE /orders/{{id}}: answered 500; expected 204"
    ]


def test_what_was_captured_stands_for_itself_in_a_pattern(
    take: Callable[..., JourneyRun], shop: Shop
) -> None:
    shop.orders[1]["item"] = "a(b"
    run = take(
        "steps: [{request: GET /orders/1, identity: buyer, capture: {item: $.item}}, "
        "{request: GET /orders/1, identity: buyer, "
        "expect: {jsonpath: {$.item: {matches: '^{{item}}$'}}}}]"
    )
    assert run.went_well


def test_what_was_made_is_removed_also_when_time_is_up(
    take: Callable[..., JourneyRun], shop: Shop
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    waiting = ORDER.replace(
        "expect: {jsonpath: {$.id:", "retry: {timeout: 5s}\n    expect: {jsonpath: {$.no:"
    )
    with pytest.raises(KeyboardInterrupt):
        take(waiting, interrupted)
    assert shop.requests[-1] == "DELETE /orders/13"
    assert len(shop.orders) == 12


def test_a_step_is_tried_until_what_is_expected_holds(
    take: Callable[..., JourneyRun], shop: Shop, steps: list[str]
) -> None:
    timer = threading.Timer(0.15, lambda: shop.orders.update({99: {"id": 99}}))
    timer.start()
    run = take(
        "steps: [{request: GET /orders/99, identity: buyer, retry: {interval: 20ms, timeout: 5s}}]"
    )
    timer.join()
    assert run.went_well
    assert steps[1] == "step 1, GET /orders/99, attempt 2"
    assert 2 <= shop.requests.count("GET /orders/99") <= 12


def test_trying_ends_with_its_time_and_tells_how_often(take: Callable[..., JourneyRun]) -> None:
    run = take(
        "steps: [{request: GET /orders/99, identity: buyer, "
        "retry: {interval: 20ms, timeout: 100ms}}]"
    )
    (complaint,) = run.complaints
    assert complaint.startswith("step 1, GET /orders/99 (")
    assert complaint.endswith(" attempts): answered 404; expected a success")


def test_what_is_missing_for_a_later_step_is_told(take: Callable[..., JourneyRun]) -> None:
    run = take(
        "steps: [{request: GET /me, identity: buyer, capture: {id: $.number}}, "
        "{request: 'GET /orders/{{id}}'}]"
    )
    assert run.complaints == ("step 1, GET /me: there is nothing in $.number for {{id}}",)


def test_values_in_a_path_are_quoted(take: Callable[..., JourneyRun], shop: Shop) -> None:
    shop.orders[1]["item"] = "../a b?"
    take(
        "steps: [{request: GET /orders/1, identity: buyer, capture: {item: $.item}}, "
        "{request: 'GET /orders/{{item}}', identity: buyer}]"
    )
    assert shop.requests[-1] == "GET /orders/../a b%3F"
