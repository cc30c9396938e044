"""What breaks an API's clients from one document to the next, and what doesn't."""

from __future__ import annotations

import copy
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field

from deployment_gate.openapi import Document, breaking_changes
from tests.openapi.documents import (
    INTEGER,
    ITEM,
    JSON,
    STRING,
    Raw,
    changes,
    content,
    parse,
    query,
    receiving,
)


def getting(*parameters: Raw, path: str = "/items") -> Raw:
    return {path: {"get": {"parameters": list(parameters), "responses": {"200": {}}}}}


def answering(**answers: Any) -> Raw:
    return {"/items": {"get": {"responses": {key[1:]: one for key, one in answers.items()}}}}


def test_a_removed_operation_is_told() -> None:
    old = {"/items": {"get": {}, "post": {}}, "/items/{id}": {"get": {}}}

    assert changes(old, {"/items": {"get": {}}}) == [
        "POST /items: was removed",
        "GET /items/{id}: was removed",
    ]


def test_a_deprecated_operation_may_be_removed() -> None:
    assert changes({"/items": {"get": {"deprecated": True}}}, {}) == []


def test_a_new_operation_breaks_nothing() -> None:
    assert changes({}, {"/items": {"get": {}}}) == []


def test_the_names_of_a_paths_parameters_do_not_matter() -> None:
    name = {"in": "path", "required": True, "schema": {"type": "integer"}}
    old = getting({"name": "id", **name}, path="/items/{id}")
    new = getting({"name": "item_id", **name}, path="/items/{item_id}")
    narrower = {"name": "item_id", **name, "schema": {"type": "integer", "minimum": 9}}

    assert changes(old, new) == []
    assert changes(old, getting(narrower, path="/items/{item_id}")) == [
        "GET /items/{id}: the path parameter id now has minimum 9, and had none"
    ]


def test_a_base_path_may_move_into_the_paths() -> None:
    old = parse({"/items": {"get": {}}}, servers=[{"url": "https://one.example/api"}])
    new = parse({"/api/items": {"get": {}}}, servers=[{"url": "https://two.example"}])

    assert breaking_changes(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ([], [query(required=True)], ["the query parameter q is new and required"]),
        ([query()], [query(required=True)], ["the query parameter q is now required"]),
        ([query(required=True)], [query()], []),
        ([], [query()], []),
        ([query()], [], []),
        ([query(required=True)], [], []),
        ([{"name": "X-A", "in": "header"}], [{"name": "x-a", "in": "header"}], []),
        (
            [query(schema={"type": "string"})],
            [query(schema={"type": "integer"})],
            ["the query parameter q was string and is now integer"],
        ),
        ([query(schema={"type": "integer"})], [query(schema={"type": "string"})], []),
        (
            [query(schema={"type": "array", "items": {"enum": ["a", "b"]}})],
            [query(schema={"type": "array", "items": {"enum": ["a"]}})],
            ['the query parameter q\'s $[*] may no longer be "b"'],
        ),
    ],
)
def test_parameters_may_only_ask_for_less(old: list[Raw], new: list[Raw], told: list[str]) -> None:
    assert changes(getting(*old), getting(*new)) == [f"GET /items: {one}" for one in told]


def test_credentials_that_are_newly_needed_are_told() -> None:
    old, new = {"/items": {"get": {}}}, {"/items": {"get": {"security": [{"key": []}]}}}

    assert changes(old, new) == ["GET /items: now needs credentials"]
    assert changes(new, old) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, {"required": True}, ["the body is now required"]),
        ({}, {"required": True}, ["the body is now required"]),
        ({"required": True}, {}, []),
        (None, {}, []),
        (
            {"content": {JSON: {}, "text/csv": {}}},
            {"content": {JSON: {}}},
            ["the body is no longer taken as text/csv"],
        ),
        ({"content": {JSON: {}}}, {"content": {"application/*": {}}}, []),
        ({"content": {JSON: {}}}, None, ["the body is no longer taken as application/json"]),
    ],
)
def test_bodies_may_only_ask_for_less(old: Raw | None, new: Raw | None, told: list[str]) -> None:
    empty = {"content": {JSON: {}}}
    before, after = (
        {"/items": {"post": {} if one is None else {"requestBody": empty | one}}}
        for one in (old, new)
    )

    assert changes(before, after) == [f"POST /items: {one}" for one in told]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (answering(_200={}, _201={}), answering(_200={}), ["is no longer answered 201"]),
        (answering(_200={}), answering(_201={}), ["is no longer answered 200"]),
        (answering(_200={}), answering(_2XX={}), []),
        (answering(_200={}), answering(_default={}), []),
        (answering(_2XX={}), answering(_200={}), []),
        (answering(_200={}, _404={}), answering(_200={}), []),
        (
            answering(_200={"content": {JSON: {}, "text/csv": {}}}),
            answering(_200={"content": {JSON: {}}}),
            ["the answer no longer comes as text/csv"],
        ),
        (
            answering(_200={}, _404={"content": {JSON: {}}}),
            answering(_200={}, _404={}),
            ["the 404 answer no longer comes as application/json"],
        ),
        (
            answering(_200=content(ITEM), _404=content(ITEM)),
            answering(_200=content(ITEM), _404=content({"type": "object"})),
            [
                "the 404 answer's $.id was removed",
                "the 404 answer's $.name was removed",
            ],
        ),
        (
            answering(_200=content(ITEM), _201=content(ITEM)),
            answering(_200=content(ITEM), _201=content(ITEM | {"required": []})),
            ["the 201 answer's $.id is no longer always there"],
        ),
    ],
)
def test_answers_may_only_promise_more(old: Raw, new: Raw, told: list[str]) -> None:
    assert changes(old, new) == [f"GET /items: {one}" for one in told]


def test_changes_inside_items_references_and_maps_are_told_with_their_place() -> None:
    page = {
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
            "by name": {"additionalProperties": {"$ref": "#/components/schemas/Item"}},
        }
    }
    new = copy.deepcopy(ITEM)
    new["properties"]["id"] = STRING

    assert breaking_changes(receiving(page, Item=ITEM), receiving(page, Item=new)) == [
        "GET /items: the answer's $.items[*].id was integer and is now string",
        "GET /items: the answer's $['by name'].*.id was integer and is now string",
    ]


def test_recursive_schemas_are_compared_once_around() -> None:
    def tree(name: Any) -> Raw:
        inner = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
        return {"properties": {"name": name, "children": inner}}

    reference = {"$ref": "#/components/schemas/Tree"}

    assert breaking_changes(
        receiving(reference, Tree=tree(STRING)), receiving(reference, Tree=tree(INTEGER))
    ) == ["GET /items: the answer's $.name was string and is now integer"]


def test_schemas_that_all_refer_to_all_are_compared_in_time() -> None:
    names = [f"S{number}" for number in range(25)]
    links = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"properties": links | {"x": STRING}} for name in names}
    changed = schemas | {"S24": {"properties": links | {"x": INTEGER}}}

    told = breaking_changes(receiving(links["S0"], **schemas), receiving(links["S0"], **changed))

    assert told[0] == "GET /items: the answer's $.S24.x was string and is now integer"


class Draft(BaseModel):
    """What is sent."""

    title: Annotated[str, Field(max_length=100)]
    note: str | None = None


class Kept(Draft):
    """What comes back."""

    id: int


class ShortDraft(BaseModel):
    """What is sent to the next release."""

    title: Annotated[str, Field(max_length=50)]
    note: str | None = None
    owner: str


class KeptOtherwise(ShortDraft):
    """What the next release answers."""

    id: str


def test_fastapis_documents_are_compared() -> None:
    first, second = FastAPI(), FastAPI()

    @first.post("/drafts")
    def add(draft: Draft) -> Kept:
        raise NotImplementedError

    @second.post("/drafts")
    def add_otherwise(draft: ShortDraft, *, dry: bool) -> KeptOtherwise:
        raise NotImplementedError

    old, new = (Document.parse(app.openapi(), origin="here") for app in (first, second))

    assert breaking_changes(old, new) == [
        "POST /drafts: the query parameter dry is new and required",
        "POST /drafts: the body's $.owner is now required",
        "POST /drafts: the body's $.title now has maxLength 50, and had 100",
        "POST /drafts: the answer's $.id was integer and is now string",
    ]
