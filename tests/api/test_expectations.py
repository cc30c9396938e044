"""What of an expectation doesn't hold, in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.api.answers import MISSING
from deployment_gate.api.expectations import Seen, mismatch, unmet
from deployment_gate.api.schemas import schema_errors
from deployment_gate.environment import Expect, read_matcher

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def complaints(expect: dict[str, Any], answer: httpx.Response, **values: object) -> list[str]:
    """What of an expectation doesn't hold of an answer that took a tenth of a second."""
    return unmet(
        Expect.model_validate(expect),
        Seen(answer=answer, duration_s=0.1),
        values=values,
        schema_errors=lambda schema, body: schema_errors(dict(schema), body),  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("matcher", "value"),
    [
        ("active", "active"),
        (1, 1.0),
        (None, None),
        ({"a": [1]}, {"a": [1]}),
        ({"equals": {"count": 1}}, {"count": 1}),
        ({"not": 2}, 1),
        ({"contains": "b"}, "abc"),
        ({"contains": 2}, [1, 2]),
        ({"contains": "a"}, {"a": 1}),
        ({"matches": "^a.c$"}, "abc"),
        ({"count": 2}, [1, 2]),
        ({"count": 3}, "abc"),
        ({"at_least": 1, "at_most": 3}, 2),
        ({"at_least": "2026-01-01"}, "2026-02-01"),
        ({"exists": True}, None),
        ({"exists": False}, MISSING),
        ({"exists": False}, []),
        ({"type": "integer"}, 1),
        ({"type": "number"}, 1.5),
        ({"type": "null"}, None),
        ({"each": {"type": "string"}}, ["a", "b"]),
    ],
)
def test_what_holds_is_not_complained_of(matcher: object, value: object) -> None:
    assert mismatch(read_matcher(matcher), value) is None


@pytest.mark.parametrize(
    ("matcher", "value", "why"),
    [
        ("active", "draft", 'is "draft", not "active"'),
        (1, True, "is true, not 1"),
        (1, "1", 'is "1", not 1'),
        (None, MISSING, "isn't there; expected null"),
        ({"at_least": 1}, MISSING, "isn't there; expected at least 1"),
        ({"not": 1}, 1, "is 1, which it must not be"),
        ({"contains": 3}, [1, 2], "is [1, 2], without 3"),
        ({"matches": "^b"}, "abc", "which doesn't match ^b"),
        ({"count": 3}, [1], "has 1 parts, not 3"),
        ({"count": 1}, 1, "has no parts to count"),
        ({"at_least": 3}, 2, "is 2, less than 3"),
        ({"at_most": 1}, 2, "is 2, more than 1"),
        ({"at_least": 1}, "2", "can't be compared with 1"),
        ({"exists": True}, MISSING, "isn't there"),
        ({"exists": False}, 0, "is there"),
        ({"type": "integer"}, True, "is true, which is no integer"),
        ({"type": "string"}, 1, "is 1, which is no string"),
        ({"each": {"at_least": 1}}, [1, 0], "[1] is 0, less than 1"),
        ({"each": 1}, [], "expected a list with something in it"),
        ({"each": 1}, 1, "expected a list with something in it"),
    ],
)
def test_what_does_not_hold_is_told_with_both_sides(
    matcher: object, value: object, why: str
) -> None:
    told = mismatch(read_matcher(matcher), value)
    assert told is not None
    assert why in told


@given(JSON, JSON)
def test_equality_is_that_of_json(one: object, other: object) -> None:
    import json  # noqa: PLC0415  # the oracle

    are_same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (mismatch(read_matcher({"equals": one}), other) is None) is are_same


def test_without_a_status_any_success_is_expected() -> None:
    assert complaints({}, httpx.Response(204)) == []
    assert complaints({}, httpx.Response(302)) == ["answered 302; expected a success"]


def test_each_part_of_an_answer_is_looked_at() -> None:
    answer = httpx.Response(200, headers={"ETag": '"1"'}, json={"id": 7, "tags": ["a"]})
    assert complaints(
        {
            "status": [201, 202],
            "headers": {"ETag": '"2"', "Location": {"exists": True}},
            "jsonpath": {"$.id": 8, "$.tags[*]": {"count": 2}, "$.name": {"exists": False}},
            "json_schema": {"required": ["name"]},
            "text": {"contains": "zebra"},
            "within": timedelta(milliseconds=50),
        },
        answer,
    ) == [
        "answered 200; expected 201 or 202",
        'the header ETag is "\\"1\\"", not "\\"2\\""',
        "the header Location isn't there",
        'the body is "{\\"id\\":7,\\"tags\\":[\\"a\\"]}", without "zebra"',
        "$.id is 7, not 8",
        "$.tags[*] has 1 parts, not 2",
        "$: 'name' is a required property",
        "took 0.100 s; at most 0.05 s are allowed",
    ]


def test_places_are_filled_before_anything_is_compared() -> None:
    answer = httpx.Response(200, headers={"X-Id": "7"}, json={"id": 7, "items": [{"id": 7}]})
    expect = {
        "headers": {"X-Id": "{{id}}"},
        "jsonpath": {"$.id": "{{id}}", "$.items[*].id": {"contains": "{{id}}"}},
    }
    assert complaints(expect, answer, id=7) == []
    assert complaints(expect, answer, id=8) == [
        'the header X-Id is "7", not "8"',
        "$.id is 7, not 8",
        "$.items[*].id is [7], without 8",
    ]


def test_a_body_that_is_no_json_is_told_once() -> None:
    answer = httpx.Response(200, text="<html>")
    assert complaints({"jsonpath": {"$.a": 1, "$.b": 2}}, answer) == ["the body isn't JSON"]


def test_a_query_that_selects_several_is_judged_on_the_list() -> None:
    answer = httpx.Response(200, json={"items": [{"a": 1}, {"a": 2}]})
    assert complaints({"jsonpath": {"$.items[*].a": [1, 2]}}, answer) == []
    assert complaints({"jsonpath": {"$.items[*].b": {"exists": True}}}, answer) == [
        "$.items[*].b isn't there"
    ]
