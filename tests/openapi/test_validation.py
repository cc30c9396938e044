"""Values against schemas: what fits, and what is said of what doesn't."""

from __future__ import annotations

from typing import Any

import pytest

from deployment_gate.openapi import Document
from tests.openapi.documents import document, with_schemas


def test_what_keeps_a_value_from_fitting_is_told_in_sentences(fastapi_document: Document) -> None:
    policy = {"id": "1", "owner": {"name": "A", "email": 5}, "replaces": {"id": 2, "title": "B"}}

    assert fastapi_document.schema_errors("#/components/schemas/Policy", policy) == [
        "$: 'title' is a required property",
        "$.id: '1' is not of type 'integer'",
        "$.replaces: 'owner' is a required property",
        "$.owner.email: 5 is not of type 'string' or 'null'",
    ]


def test_at_most_five_errors_are_told_and_long_values_are_cut() -> None:
    errors = document().schema_errors(
        {"type": "array", "items": {"type": "integer"}}, ["x" * 1000] * 9
    )

    assert len(errors) == 5
    assert errors[0].startswith("$[0]: 'xxxx")
    assert errors[0].endswith("...  is not of type 'integer'".replace("  ", " "))
    assert len(errors[0]) < 170


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date", "2026-11-23", "23.11.2026"),
        ("date-time", "2026-11-23T03:00:00Z", "2026-11-23 03:00"),
        ("uuid", "6f1c1b3e-9c5e-4b5e-8a55-0f4f6e1a2b3c", "6f1c"),
        ("email", "a@b.example", "nobody"),
    ],
)
def test_formats_are_asserted(version: str, form: str, good: str, bad: str) -> None:
    read = document(openapi=version)

    assert read.schema_errors({"type": "string", "format": form}, good) == []
    assert read.schema_errors({"type": "string", "format": form}, bad) == [
        f"$: {bad!r} is not a {form!r}"
    ]


def test_3_0_and_3_1_say_null_in_their_own_words() -> None:
    old = {"type": "string", "nullable": True}
    new = {"type": ["string", "null"]}

    assert document().schema_errors(old, None) == []
    assert document(openapi="3.1.0").schema_errors(new, None) == []
    assert document(openapi="3.1.0").schema_errors(old, None) != []
    assert document().schema_errors({"type": "string"}, None) == ["$: None is not of type 'string'"]


def test_recursive_schemas_end() -> None:
    tree = {"properties": {"children": {"items": {"$ref": "#/components/schemas/Tree"}}}}
    read = with_schemas(Tree=tree | {"required": ["name"]})

    assert read.schema_errors(
        {"$ref": "#/components/schemas/Tree"},
        {"name": 1, "children": [{"name": 2, "children": [{}]}]},
    ) == ["$.children[0].children[0]: 'name' is a required property"]


def test_a_schema_that_is_nothing_but_itself_is_told() -> None:
    read = with_schemas(A={"allOf": [{"$ref": "#/components/schemas/A"}]})

    assert read.schema_errors("#/components/schemas/A", 1) == [
        "$: can't be judged: its schema refers to itself without end"
    ]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_base_that_names_its_children_is_judged_without_end(version: str) -> None:
    pet = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat"}},
    }
    cat = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"required": ["lives"]}]}
    one = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat"}},
    }
    read = with_schemas(version, Pet=pet, Cat=cat, One=one)

    assert read.schema_errors("#/components/schemas/One", {"kind": "cat", "lives": 9}) == []
    assert read.schema_errors("#/components/schemas/One", {"kind": "cat"}) == [
        "$: 'lives' is a required property"
    ]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_is_only_written_need_not_be_there_and_what_is_only_read_must(version: str) -> None:
    schema = {
        "type": "object",
        "required": ["id", "password"],
        "properties": {"id": {"readOnly": True}, "password": {"writeOnly": True}},
    }

    assert document(openapi=version).schema_errors(schema, {}) == ["$: 'id' is a required property"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "text"}, "type 'text' is none"),
        ({"properties": []}, "its schema is none"),
        ("#/components/schemas/Missing", "openapi.json has no #/components/schemas/Missing"),
        ({"$ref": "#/components/schemas/Missing"}, "openapi.json has no"),
    ],
)
def test_schemas_that_are_none_are_told(schema: Any, said: str) -> None:
    (error,) = document(openapi="3.1.0").schema_errors(schema, {})

    assert said in error


def test_a_pattern_that_python_does_not_know_is_not_judged() -> None:
    read = document()

    assert read.schema_errors({"pattern": r"^\p{L}+$"}, "7") == []
    assert read.schema_errors({"pattern": "^a"}, "b") == ["$: 'b' does not match '^a'"]
