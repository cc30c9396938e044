"""Schemas that say the same in other words."""

from __future__ import annotations

import pytest

from deployment_gate.openapi import breaking_changes
from tests.openapi.documents import ANIMALS, CHOICE, INTEGER, ITEM, STRING, Raw, receiving, sending


def test_a_field_that_only_goes_the_other_way_does_not_matter() -> None:
    old = {"properties": {"id": INTEGER, "password": STRING | {"writeOnly": True}}}
    new = {"properties": {"id": INTEGER}}

    assert breaking_changes(receiving(old), receiving(new)) == []


def test_parts_of_a_whole_are_merged() -> None:
    whole = {
        "type": "object",
        "required": ["id", "more"],
        "properties": {"id": INTEGER, "name": STRING, "more": INTEGER},
    }
    parts = {
        "allOf": [{"$ref": "#/components/schemas/Item"}],
        "required": ["more"],
        "properties": {"more": INTEGER},
    }
    fewer = {"allOf": [{"$ref": "#/components/schemas/Item"}, {"properties": {"more": INTEGER}}]}

    for make in (sending, receiving):
        assert breaking_changes(make(whole), make(parts, Item=ITEM)) == []
        assert breaking_changes(make(parts, Item=ITEM), make(whole)) == []
    assert breaking_changes(receiving(whole), receiving(fewer, Item=ITEM)) == [
        "GET /items: the answer's $.more is no longer always there"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (STRING | {"nullable": True}, {"type": ["string", "null"]}),
        (STRING | {"nullable": True}, {"anyOf": [STRING, {"type": "null"}]}),
        (
            {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Item"}]},
            {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]},
        ),
        (
            CHOICE | {"nullable": True},
            {"oneOf": [*CHOICE["oneOf"], {"type": "null"}]},
        ),
        (
            INTEGER | {"minimum": 0, "exclusiveMinimum": True},
            INTEGER | {"exclusiveMinimum": 0},
        ),
        (
            {"type": "number", "maximum": 9, "exclusiveMaximum": True},
            {"type": "number", "exclusiveMaximum": 9},
        ),
        ({"enum": ["a"], "type": "string"}, {"const": "a"}),
    ],
)
def test_3_0_and_3_1_may_say_the_same(old: Raw, new: Raw) -> None:
    schemas = ANIMALS | {"Item": ITEM}

    for make in (sending, receiving):
        before, after = make(old, "3.0.3", **schemas), make(new, "3.1.0", **schemas)
        assert breaking_changes(before, after) == []
        assert breaking_changes(after, before) == []
