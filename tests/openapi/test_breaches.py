"""Which changes of a schema break those who send it, and which those who receive it."""

from __future__ import annotations

from typing import Any

import pytest

from deployment_gate.openapi import breaking_changes
from tests.openapi.documents import INTEGER, ITEM, STRING, receiving, sending


@pytest.mark.parametrize(
    ("old", "new", "sent", "received"),
    [
        (INTEGER, STRING, "was integer and is now string", "was integer and is now string"),
        (INTEGER, {"type": "number"}, None, "was integer and is now number"),
        ({"type": "number"}, INTEGER, "was number and is now integer", None),
        ({"type": ["string", "integer"]}, STRING, "was integer or string and is now string", None),
        ({}, STRING, "was anything and is now string", None),
        ({"type": ["string", "null"]}, STRING, "may no longer be null", None),
        (STRING, {"type": ["string", "null"]}, None, "may now be null"),
        (STRING, {"anyOf": [STRING, {"type": "null"}]}, None, "may now be null"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, 'may no longer be "b"', None),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, None, 'may now be "b"'),
        (STRING, {"enum": ["a", "b"]}, 'may now only be "a", "b"', None),
        ({"enum": ["a", "b"]}, STRING, None, 'was one of "a", "b" and is now any string'),
        ({"const": "a"}, {"enum": ["a"]}, None, None),
        (INTEGER, INTEGER | {"minimum": 1}, "now has minimum 1, and had none", None),
        (
            INTEGER | {"minimum": 1},
            INTEGER | {"minimum": 2},
            "now has minimum 2, and had 1",
            None,
        ),
        (INTEGER | {"minimum": 2}, INTEGER | {"minimum": 1}, None, None),
        (INTEGER | {"exclusiveMinimum": 0}, INTEGER | {"minimum": 1}, None, None),
        (
            {"type": "number", "maximum": 5},
            {"type": "number", "exclusiveMaximum": 5},
            "now has maximum less than 5, and had 5",
            None,
        ),
        (
            INTEGER | {"maximum": 5},
            INTEGER | {"maximum": 4},
            "now has maximum 4, and had 5",
            None,
        ),
        (STRING, STRING | {"minLength": 0}, None, None),
        (STRING, STRING | {"minLength": 1}, "now has minLength 1, and had none", None),
        (
            STRING | {"maxLength": 100},
            STRING | {"maxLength": 50},
            "now has maxLength 50, and had 100",
            None,
        ),
        (STRING | {"maxLength": 50}, STRING, None, None),
        (STRING, STRING | {"pattern": "^a"}, "must now match ^a", None),
        (INTEGER, INTEGER | {"multipleOf": 5}, "must now be a multiple of 5", None),
        (
            STRING,
            STRING | {"format": "date"},
            "was of no format and is now of the format date",
            None,
        ),
        (
            STRING | {"format": "date"},
            STRING,
            None,
            "was of the format date and is now of no format",
        ),
        (
            INTEGER | {"format": "int32"},
            INTEGER | {"format": "int64"},
            None,
            "was of the format int32 and is now of the format int64",
        ),
        (STRING, STRING | {"format": "password"}, None, None),
        (
            {"type": "array", "items": INTEGER},
            {"type": "array", "items": INTEGER, "minItems": 2},
            "now has minItems 2, and had none",
            None,
        ),
        (
            {"type": "array", "items": INTEGER},
            {"type": "array", "items": INTEGER, "uniqueItems": True},
            "must now have no item twice",
            None,
        ),
        (
            {"type": "object"},
            {"type": "object", "additionalProperties": False},
            "may no longer have fields that aren't documented",
            None,
        ),
        (
            STRING,
            {"type": ["string", "integer"], "minimum": 5, "multipleOf": 5},
            None,
            "was string and is now integer or string",
        ),
        (
            {"type": ["string", "object"], "properties": {"b": {}}, "required": ["b"]},
            STRING,
            "was object or string and is now string",
            None,
        ),
        (
            STRING,
            {"type": ["string", "object"], "required": ["b"]},
            None,
            "was string and is now object or string",
        ),
        (STRING | {"description": "a"}, STRING | {"title": "b", "x-c": 1}, None, None),
    ],
)
def test_what_is_sent_may_be_widened_and_what_is_received_narrowed(
    old: Any, new: Any, sent: str | None, received: str | None
) -> None:
    inside = [{"type": "object", "properties": {"a": one}} for one in (old, new)]

    assert breaking_changes(*map(sending, inside)) == (
        [f"POST /items: the body's $.a {sent}"] if sent else []
    )
    assert breaking_changes(*map(receiving, inside)) == (
        [f"GET /items: the answer's $.a {received}"] if received else []
    )
    assert breaking_changes(sending(old), sending(new)) == (
        [f"POST /items: the body {sent}"] if sent else []
    )


def test_a_field_that_must_now_be_sent_is_told() -> None:
    new = ITEM | {"required": ["id", "owner"], "properties": ITEM["properties"] | {"owner": {}}}
    only_read = {"properties": {"id": {}, "owner": {"readOnly": True}}, "required": ["owner"]}

    assert breaking_changes(sending(ITEM), sending(new)) == [
        "POST /items: the body's $.owner is now required"
    ]
    assert breaking_changes(sending({"properties": {"id": {}}}), sending(only_read)) == []


def test_a_field_that_is_no_longer_taken_is_told_where_no_others_are_taken() -> None:
    less = {**ITEM, "properties": {"id": INTEGER}}
    closed = {"additionalProperties": False}

    assert breaking_changes(sending(ITEM), sending(less)) == []
    assert breaking_changes(sending(ITEM | closed), sending(less | closed)) == [
        "POST /items: the body's $.name may no longer be sent"
    ]


def test_fields_that_are_received_may_not_go() -> None:
    new = {"type": "object", "properties": {"id": INTEGER}}

    assert breaking_changes(receiving(ITEM), receiving(new)) == [
        "GET /items: the answer's $.name was removed",
        "GET /items: the answer's $.id is no longer always there",
    ]
