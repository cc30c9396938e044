"""Journeys as an environment file writes them, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from textwrap import dedent, indent

import pytest

from deployment_gate.environment import Environment, Journey, explain

BEFORE = """
api:
  base_url: http://shop
  login: {request: POST /login}
  identities: {buyer: {username: test, password: "${PASSWORD}"}}
  journeys:
    buy:
"""


def journey_of(text: str, more: str = "") -> str:
    """The text of an environment with such a journey."""
    return BEFORE.lstrip() + indent(dedent(text).strip(), "      ") + f"\n{dedent(more)}"


@pytest.fixture
def journey(load: Callable[..., Environment]) -> Callable[[str], Journey]:
    """Load a journey."""

    def journey(text: str) -> Journey:
        api = load(journey_of(text), PASSWORD="a-password").api
        assert api
        return api.journeys["buy"]

    return journey


@pytest.fixture
def wrong(complaint: Callable[..., str]) -> Callable[..., str]:
    """Answer what is wrong with a journey."""
    return lambda text, more="": complaint(journey_of(text, more), PASSWORD="a-password")


ORDER = """
writes: true
steps:
  - request: POST /orders
    identity: buyer
    body: {item: book, note: "{{run}}"}
    expect:
      status: 201
      headers: {Location: {matches: "^/orders/"}}
      jsonpath: {"$.item": book, "$.lines[*].price": {each: {at_least: 0}}}
      json_schema: {type: object}
      within: 500ms
    capture: {id: $.id, etag: header ETag}
  - request: GET /orders/{{id}}
    query: {version: "{{etag}}"}
    retry: {interval: 100ms, timeout: 2s}
cleanup:
  - request: DELETE /orders/{{id}}
    expect: {status: [204, 404]}
"""


def test_a_journey_is_read_step_by_step(journey: Callable[[str], Journey]) -> None:
    first, second = (order := journey(ORDER)).steps
    assert str(first.request) == "POST /orders"
    assert first.expect.status == {201}
    assert [str(query) for query in first.expect.jsonpath] == ["$.item", "$.lines[*].price"]
    assert first.expect.within == timedelta(milliseconds=500)
    assert {name: str(source) for name, source in first.capture.items()} == {
        "id": "$.id",
        "etag": "header ETag",
    }
    assert second.retry
    assert second.retry.timeout == timedelta(seconds=2)
    assert order.cleanup
    assert order.cleanup[0].expect.status == {204, 404}


def test_a_journey_is_explained_step_by_step(load: Callable[..., Environment]) -> None:
    told = explain(load(journey_of(ORDER), PASSWORD="a-password"))
    assert "buy, in the full run, where writing is allowed" in told
    assert "1. POST /orders as buyer is answered 201 within 500 ms" in told
    assert "2. GET /orders/{{id}} is answered a success, tried for 2 seconds" in told
    assert "at the end: DELETE /orders/{{id}} is answered 204 or 404" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: []", "steps: must not be empty"),
        ("steps: [{wish: GET /}]", "steps.0.wish: isn't a key that is known here"),
        ("steps: [{request: GET /, expect: {sttus: 200}}]", "Did you mean status?"),
        ("steps: [{request: GET /, identity: byer}]", "Did you mean buyer?"),
        ("steps: [{request: 'GET /{{id}}'}]", "steps.0.request: nothing is called {{id}} here"),
        (
            "steps: [{request: GET /, expect: {jsonpath: {$.a: '{{b}}'}}}]",
            "steps.0.expect: nothing is called {{b}} here",
        ),
        ("steps: [{request: POST /}]", "POST may change something. Write `writes: true`"),
        (
            "writes: true\nsteps: [{request: POST /}]",
            "writes, and doesn't say how it cleans up",
        ),
        (
            "steps: [{request: GET /, retry: {timeout: 10m}}]",
            "steps.0.retry.timeout: is no shorter than a check may take (1 minute)",
        ),
        ("steps: [{request: GET /, retry: {}}]", "retry.timeout: isn't there"),
        ("steps: [{request: GET /, expect: {jsonpath: {id: 1}}}]", "is no JSONPath"),
        ("steps: [{request: GET /, expect: {jsonpath: {$.a: {count: x}}}}]", "whole number"),
        ("steps: [{request: GET /, capture: {id: id}}]", "is no place in an answer"),
        ("steps: [{request: GET //evil/v}]", "is no request"),
        ("steps: [{request: GET /, capture: {order-id: $.id}}]", "is no name for {{...}}"),
        ("steps: [{request: 'GET /{{order-id}}'}]", "{{order-id}} is no place for a value"),
        ("steps: [{request: GET /, capture: {run: $.id}}]", "would hide the run's own {{run}}"),
        ("steps: [{request: GET /, query: {f: {a: 1}}}]", "query.f: is a map"),
        ("steps: [{request: GET /, body: {}, form: {a: b}}]", "form: stands beside `body`"),
        (
            "writes: true\nsteps: [{request: POST /, retry: {timeout: 1s}}]\ncleanup: []",
            "retry: may make several things",
        ),
        (
            "steps: [{request: GET /, expect: {json_schema: {typ: array}}}]",
            "expect.json_schema.typ: is no keyword of JSON Schema. Did you mean type?",
        ),
        (
            "steps: [{request: GET /, expect: {json_schema: '#/components/schemas/A'}}]",
            "Write `openapi:`",
        ),
        ("steps: [{request: GET /, expect: {status: ok}}]", "must be an HTTP status"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    wrong: Callable[..., str], text: str, told: str
) -> None:
    complaints = wrong(text)
    assert complaints.startswith("here.yaml:")
    assert told in complaints


def test_a_step_may_use_only_what_was_captured_before_it(wrong: Callable[..., str]) -> None:
    told = wrong(
        "steps:\n  - {request: 'GET /{{id}}'}\n  - {request: GET /, capture: {id: $.id}}\n"
    )
    assert "steps.0.request: nothing is called {{id}} here. There are: run, environment" in told


def test_who_writes_need_not_be_known_where_writing_is_not_allowed(
    journey: Callable[[str], Journey], wrong: Callable[..., str]
) -> None:
    text = "writes: true\nsteps: [{request: POST /, identity: admin}]\ncleanup: []"
    assert journey(text).writes
    assert '"admin" is no identity' in wrong(text, "allow: {writes: true}\n")
