"""Alternatives of schemas: which of them have gone or come, and which have only changed."""

from __future__ import annotations

from deployment_gate.openapi import breaking_changes
from tests.openapi.documents import ANIMALS, CHOICE, DOG, INTEGER, STRING, receiving, sending

ONLY_CAT = {"oneOf": CHOICE["oneOf"][:1]}


def test_an_alternative_that_may_no_longer_be_sent_is_told() -> None:
    both, one = sending(CHOICE, **ANIMALS), sending(ONLY_CAT, **ANIMALS)

    assert breaking_changes(both, one) == ["POST /items: the body may no longer be Dog"]
    assert breaking_changes(one, both) == []


def test_an_alternative_that_may_now_be_received_is_told() -> None:
    both, one = receiving(CHOICE, **ANIMALS), receiving(ONLY_CAT, **ANIMALS)

    assert breaking_changes(one, both) == ["GET /items: the answer may now be Dog"]
    assert breaking_changes(both, one) == []


def test_a_change_inside_an_alternative_is_told_as_such() -> None:
    strict = DOG | {"properties": {"bark": INTEGER}}

    assert breaking_changes(
        receiving(CHOICE, **ANIMALS), receiving(CHOICE, **(ANIMALS | {"Dog": strict}))
    ) == ["GET /items: the answer's $.bark was string and is now integer"]


def test_alternatives_without_names_are_told_by_their_types() -> None:
    old = {"anyOf": [STRING, INTEGER, {"type": "array", "items": STRING}]}
    new = {"type": ["string", "integer"]}

    assert breaking_changes(sending(old), sending(new)) == [
        "POST /items: the body may no longer be array"
    ]
    assert breaking_changes(receiving(new), receiving(old)) == [
        "GET /items: the answer may now be array"
    ]
    assert breaking_changes(sending({"anyOf": [STRING, INTEGER]}), sending(new)) == []
    assert breaking_changes(sending(new), sending({"anyOf": [INTEGER, STRING]})) == []
