"""Operations: their parameters, examples, credentials and methods."""

from __future__ import annotations

from typing import Any

import pytest

from deployment_gate.openapi import Document
from deployment_gate.openapi.operations import Place
from tests.openapi.documents import document


def test_fastapis_operations_are_read(fastapi_document: Document) -> None:
    first, second = fastapi_document.operations

    assert fastapi_document.version == "2.4.0"
    assert (str(first), first.needs_credentials) == ("GET /policies", False)
    assert (str(second), second.needs_credentials) == ("GET /policies/{policy_id}", True)
    assert [(one.name, one.where, one.is_required, one.examples) for one in first.parameters] == [
        ("q", Place.QUERY, True, ("data",)),
        ("size", Place.QUERY, False, (20,)),
    ]
    assert [(one.name, one.where, one.is_required) for one in second.parameters] == [
        ("policy_id", Place.PATH, True),
        ("if-match", Place.HEADER, True),
    ]
    assert list(second.answers) == ["200", "422"]
    assert second.answers["200"].pointer == "#/paths/~1policies~1{policy_id}/get/responses/200"


def test_an_operations_parameters_win_over_its_paths() -> None:
    shared = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("a", "b")]
    own = [{"name": "a", "in": "query", "required": True}, {"name": "a", "in": "header"}]
    ignored = [{"name": "Authorization", "in": "header", "required": True}]
    read = document({"/": {"parameters": shared, "get": {"parameters": [*own, *ignored]}}})

    assert [(one.name, one.where, one.is_required) for one in read.operations[0].parameters] == [
        ("a", "query", True),
        ("b", "query", False),
        ("a", "header", False),
    ]


@pytest.mark.parametrize(
    ("parameter", "examples"),
    [
        ({"example": 1, "schema": {"default": 2}}, [1, 2]),
        ({"examples": {"one": {"value": 1}, "two": {"$ref": "#/components/examples/Two"}}}, [1, 2]),
        ({"schema": {"example": 1, "default": 2, "enum": [3, 4]}}, [1, 2, 3]),
        ({"schema": {"examples": [1, 2], "const": 3}}, [1, 2, 3]),
        ({"schema": {"$ref": "#/components/schemas/Kind"}}, ["b"]),
        ({"schema": {"anyOf": [{"$ref": "#/components/schemas/Kind"}, {"type": "null"}]}}, ["b"]),
        ({"content": {"application/json": {"schema": {"default": 5}}}}, [5]),
        ({"schema": {"type": "string"}}, []),
    ],
)
def test_examples_come_from_wherever_a_document_has_them(
    parameter: dict[str, Any], examples: list[Any]
) -> None:
    raw = {"name": "x", "in": "query", **parameter}
    shared = {"examples": {"Two": {"value": 2}}, "schemas": {"Kind": {"enum": ["b", "c"]}}}
    read = document({"/": {"get": {"parameters": [raw]}}}, openapi="3.1.0", components=shared)

    assert list(read.operations[0].parameters[0].examples) == examples


@pytest.mark.parametrize(
    ("everywhere", "here", "needed"),
    [
        (None, None, False),
        ([{"key": []}], None, True),
        ([{"key": []}], [], False),
        ([{"key": []}], [{"key": []}, {}], False),
        (None, [{"key": []}], True),
        ([], [{"key": []}, {"token": []}], True),
    ],
)
def test_credentials_are_needed_unless_a_way_in_needs_none(
    everywhere: object, here: object, *, needed: bool
) -> None:
    operation = {} if here is None else {"security": here}
    further = {} if everywhere is None else {"security": everywhere}

    read = document({"/": {"get": operation}}, **further)

    assert read.operations[0].needs_credentials is needed


def test_path_items_and_further_methods_are_read() -> None:
    item = {"query": {}, "additionalOperations": {"COPY": {}}, "summary": "x"}
    components = {"pathItems": {"A": item}}
    read = document(
        {"/a": {"$ref": "#/components/pathItems/A"}, "x-note": {"get": {}}},
        openapi="3.2.0",
        components=components,
    )

    assert list(map(str, read.operations)) == ["QUERY /a", "COPY /a"]
