"""Swagger 2.0, read as if OpenAPI 3.0 said the same."""

from __future__ import annotations

from deployment_gate.openapi import Document, breaking_changes
from tests.openapi.documents import INTEGER, ITEM, JSON, content, parse, query


def test_swagger_2_has_the_shape_of_3(swagger: Document) -> None:
    listing, make, one, scan = swagger.operations

    assert (swagger.version, swagger.base_path) == ("1.10", "/v1")
    assert list(map(str, swagger.operations)) == [
        "GET /orders",
        "POST /orders",
        "GET /orders/{id}",
        "POST /orders/{id}/scan",
    ]
    assert [it.needs_credentials for it in swagger.operations] == [False, True, True, True]
    assert [it.is_deprecated for it in swagger.operations] == [False, False, True, False]
    assert [(it.name, it.examples) for it in listing.parameters] == [("size", (20,))]
    assert [(it.name, it.examples) for it in one.parameters] == [("id", (7,))]
    assert make.body is not None
    assert make.body.is_required
    assert list(make.body.content) == ["application/json"]
    assert list(one.answers["200"].content) == ["application/json", "text/csv"]
    assert list(one.answers["404"].content) == ["application/json", "text/csv"]
    assert make.answers["201"].content == {}
    assert scan.body is not None
    assert scan.body.content["multipart/form-data"]["required"] == ["scan"]


def test_swagger_2s_definitions_are_schemas(swagger: Document) -> None:
    schema = swagger.operations[0].answers["200"].content["application/json"]

    assert swagger.schema_errors(schema, [{"id": 1, "kind": "a", "note": None}]) == []
    assert swagger.schema_errors(schema, [{"id": "1", "kind": "a"}]) == [
        "$[0].id: '1' is not of type 'integer'"
    ]
    assert swagger.schema_errors("#/components/schemas/Order", {"id": 1}) == [
        "$: 'kind' is a required property"
    ]


def test_swagger_2_and_3_0_may_say_the_same() -> None:
    old = Document.parse(
        {
            "swagger": "2.0",
            "basePath": "/v1",
            "consumes": [JSON],
            "produces": [JSON],
            "definitions": {"Item": ITEM},
            "paths": {
                "/items": {
                    "post": {
                        "parameters": [
                            query(type="integer", minimum=1),
                            {
                                "in": "body",
                                "name": "item",
                                "required": True,
                                "schema": {"$ref": "#/definitions/Item"},
                            },
                        ],
                        "responses": {"201": {"schema": {"$ref": "#/definitions/Item"}}},
                    }
                }
            },
        },
        origin="old",
    )
    post = {
        "parameters": [query(schema=INTEGER | {"minimum": 1})],
        "requestBody": content(ITEM) | {"required": True},
        "responses": {"201": content(ITEM)},
    }
    new = parse({"/items": {"post": post}}, "3.0.0", servers=[{"url": "/v1"}])

    assert breaking_changes(old, new) == []
    assert breaking_changes(new, old) == []
