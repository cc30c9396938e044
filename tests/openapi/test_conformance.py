"""Answers against their documented ones: status, content type, headers, body and its fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from deployment_gate.openapi import Document, undocumented_fields, violations

ITEM = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
JSON = "application/json"
OK = {"200": {"content": {JSON: {"schema": ITEM}}}}

Judge = Callable[..., list[str]]


class Item(BaseModel):
    """What is listed."""

    id: int
    tags: list[str] | None = None


def of_schema(schema: Any, version: str = "3.1.0", **schemas: Any) -> Judge:
    """Tell the undocumented fields of a body whose schema this is."""
    raw = {
        "openapi": version,
        "paths": {"/": {"get": {"responses": {"200": {"content": {JSON: {"schema": schema}}}}}}},
        "components": {"schemas": schemas},
    }
    document = Document.parse(raw, origin="here")

    def judge(body: Any, **further: Any) -> list[str]:
        answer = httpx.Response(200, json=body, **further)
        return undocumented_fields(document, document.operations[0], answer)

    return judge


def of_answers(answers: dict[str, Any], method: str = "get") -> Judge:
    """Tell what is wrong with an answer where these are documented."""
    raw = {"openapi": "3.0.3", "paths": {"/": {method: {"responses": answers}}}}
    document = Document.parse(raw, origin="here")

    def judge(status: int, **answer: Any) -> list[str]:
        return violations(document, document.operations[0], httpx.Response(status, **answer))

    return judge


def test_an_answer_as_documented_is_fine() -> None:
    assert of_answers(OK)(200, json={"id": 1}) == []


def test_a_status_that_is_not_documented_is_told() -> None:
    answers = OK | {"4XX": {"description": "x"}, "201": {"description": "x"}}

    assert of_answers(OK | answers)(302) == [
        "was answered 302, which isn't documented; documented: 200, 4XX, 201"
    ]
    assert of_answers({})(200) == ["was answered 200, which isn't documented; documented: none"]


@pytest.mark.parametrize("known", ["404", "4XX", "4xx", "default"])
def test_a_status_is_documented_exactly_by_a_range_or_by_default(known: str) -> None:
    assert of_answers({known: {"description": "none"}})(404) == []


@pytest.mark.parametrize("known", ["503", "5XX", "default"])
def test_a_servers_error_is_a_violation_even_when_documented(known: str) -> None:
    assert of_answers({known: {"description": "down"}})(503) == ["was answered 503"]


@pytest.mark.parametrize(
    ("documented", "kind"),
    [
        (JSON, "application/json"),
        (JSON, "application/json; charset=utf-8"),
        (f"{JSON}; version=1", "Application/JSON"),
        ("application/*", "application/json"),
        ("*/*", "application/json"),
    ],
)
def test_content_types_are_compared_without_parameters_and_by_range(
    documented: str, kind: str
) -> None:
    judge = of_answers({"200": {"content": {documented: {"schema": ITEM}}}})

    assert judge(200, content=b'{"id": 1}', headers={"Content-Type": kind}) == []
    assert judge(200, content=b"{}", headers={"Content-Type": kind}) == [
        "$: 'id' is a required property"
    ]


def test_a_content_type_that_is_not_documented_is_told() -> None:
    assert of_answers(OK)(200, html="<p>") == [
        "was answered 200 as text/html, which isn't documented; documented: application/json"
    ]


def test_a_body_without_a_content_type_is_told() -> None:
    assert of_answers(OK)(200, content=b"{}") == [
        "was answered 200 without a content type; documented: application/json"
    ]


def test_a_missing_body_is_told() -> None:
    assert of_answers(OK)(200) == ["was answered 200 without a body; documented: application/json"]


@pytest.mark.parametrize("body", [b"{", b"", b'{"id": NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_claims_to_be_json_and_is_not_is_told(body: bytes) -> None:
    (told,) = of_answers(OK)(200, content=body, headers={"Content-Type": JSON})

    assert told.startswith("was answered 200 as application/json, and the body isn't JSON")


def test_json_by_suffix_is_json() -> None:
    judge = of_answers({"404": {"content": {"application/problem+json": {"schema": ITEM}}}})

    assert judge(404, content=b"{}", headers={"Content-Type": "application/problem+json"}) == [
        "$: 'id' is a required property"
    ]


def test_a_body_that_is_no_json_is_only_judged_by_its_type() -> None:
    judge = of_answers({"200": {"content": {"text/csv": {"schema": ITEM}}}})

    assert judge(200, content=b"a,b", headers={"Content-Type": "text/csv"}) == []


def test_json_without_a_schema_may_be_any() -> None:
    assert of_answers({"200": {"content": {JSON: {}}}})(200, json=[1]) == []


def test_an_answer_documented_without_content_has_no_body() -> None:
    judge = of_answers({"200": {"description": "nothing"}})

    assert judge(200) == []
    assert judge(200, json={}) == ["was answered 200 with a body, and none is documented"]


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    assert of_answers({str(status): OK["200"]})(status) == []


def test_an_answer_to_head_has_no_body() -> None:
    assert of_answers(OK, method="head")(200, headers={"Content-Type": JSON}) == []


def test_a_required_header_that_is_missing_is_told() -> None:
    headers = {"X-Total": {"required": True}, "X-Page": {}, "Content-Type": {"required": True}}
    judge = of_answers({"200": {"headers": headers}})

    assert judge(200) == ["was answered 200 without the header X-Total"]
    assert judge(200, headers={"x-total": "3"}) == []


def test_fastapis_answers_fit_and_their_defects_are_told() -> None:
    app = FastAPI()

    @app.get("/items")
    def items() -> list[Item]:
        raise NotImplementedError

    document = Document.parse(app.openapi(), origin="here")
    (operation,) = document.operations
    good = [{"id": 1, "tags": None}, {"id": 2, "tags": ["a"]}]
    bad = [{"id": 1, "tags": [2], "secret": 1}]

    assert violations(document, operation, httpx.Response(200, json=good)) == []
    assert violations(document, operation, httpx.Response(200, json=bad)) == [
        "$[0].tags[0]: 2 is not of type 'string'"
    ]
    assert undocumented_fields(document, operation, httpx.Response(200, json=bad)) == [
        "$[*].secret"
    ]


def test_each_undocumented_field_is_told_once() -> None:
    judge = of_schema({"type": "array", "items": ITEM})

    assert judge([{"id": 1, "a": 1, "first name": 1}, {"id": 2, "a": {"b": 1}}]) == [
        "$[*].a",
        "$[*]['first name']",
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/components/schemas/Item"},
        {"allOf": [{"$ref": "#/components/schemas/Item"}, {"description": "x"}]},
        {"allOf": [{"$ref": "#/components/schemas/Item"}], "properties": {"more": {}}},
        {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]},
        {"oneOf": [{"$ref": "#/components/schemas/Item"}, {"properties": {"more": {}}}]},
        {"properties": {"more": {}}, "anyOf": [ITEM, {"required": ["more"]}]},
        {"properties": {"id": {}, "inner": {"$ref": "#/components/schemas/Item"}}},
        {"properties": {"id": {}}, "patternProperties": {"^in": ITEM}},
        {"properties": {"id": {}}, "additionalProperties": False},
    ],
)
def test_fields_are_documented_by_every_part_of_a_schema(schema: Any) -> None:
    judge = of_schema(schema, Item=ITEM)
    inner = "inner" in str(schema) or "^in" in str(schema)

    assert judge({"id": 1}) == []
    assert judge({"id": 1, "other": 1}) == ["$.other"]
    if inner:
        assert judge({"inner": {"id": 1, "other": 1}}) == ["$.inner.other"]
    if "more" in str(schema):
        assert judge({"more": 1}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        {"type": ["object", "null"], "description": "free"},
        ITEM | {"additionalProperties": True},
        ITEM | {"additionalProperties": {}},
        ITEM | {"unevaluatedProperties": True},
        {"allOf": [ITEM, {"additionalProperties": True}]},
        {"anyOf": [ITEM, {"type": "object"}]},
        {"anyOf": [ITEM, {}]},
        {"$ref": "#/components/schemas/Free"},
    ],
)
def test_where_a_schema_leaves_fields_open_nothing_is_told(schema: Any) -> None:
    assert of_schema(schema, Free={"type": "object"})({"id": 1, "other": {"a": 1}}) == []


def test_the_values_of_a_map_are_looked_into() -> None:
    judge = of_schema({"type": "object", "additionalProperties": ITEM})

    assert judge({"a": {"id": 1}, "b": {"id": 2, "x": 1}}) == ["$.b.x"]


def test_the_first_items_have_schemas_of_their_own() -> None:
    judge = of_schema({"prefixItems": [ITEM], "items": {"properties": {"name": {}}}})

    assert judge([{"id": 1, "name": 1}, {"id": 2, "name": 2}]) == ["$[*].name", "$[*].id"]


def test_recursive_schemas_are_followed_as_far_as_the_answer_goes() -> None:
    node = {"properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    judge = of_schema({"$ref": "#/components/schemas/Node"}, Node=node)

    assert judge({"next": {"next": {"next": None, "x": 1}}}) == ["$.next.next.x"]


def test_alternatives_that_contain_themselves_end() -> None:
    one = {"anyOf": [{"$ref": "#/components/schemas/One"}, ITEM]}

    assert of_schema({"$ref": "#/components/schemas/One"}, One=one)({"id": 1, "x": 1}) == ["$.x"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"x": 1}),
        httpx.Response(200, text="x"),
        httpx.Response(200, content=b"{", headers={"Content-Type": JSON}),
    ],
)
def test_fields_of_what_is_not_documented_or_no_json_are_not_told(answer: httpx.Response) -> None:
    raw = {"openapi": "3.0.3", "paths": {"/": {"get": {"responses": OK}}}}
    document = Document.parse(raw, origin="here")

    assert undocumented_fields(document, document.operations[0], answer) == []
