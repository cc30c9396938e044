"""What breaks an API's clients from one document to the next, and what doesn't."""

from __future__ import annotations

import copy
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from deployment_gate.api.changes import breaking_changes
from deployment_gate.api.document import Document

JSON = "application/json"
ITEM = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
}
CAT = {"type": "object", "required": ["meow"], "properties": {"meow": {"type": "string"}}}
DOG = {"type": "object", "required": ["bark"], "properties": {"bark": {"type": "string"}}}

Raw = dict[str, Any]


def parse(paths: Raw, version: str = "3.1.0", **further: Any) -> Document:
    return Document.parse({"openapi": version, "paths": paths} | further, origin="here")


def changes(old: Raw, new: Raw, **further: Any) -> list[str]:
    """What breaks from one set of paths to the other."""
    return breaking_changes(parse(old, **further), parse(new, **further))


def content(schema: Any) -> Raw:
    return {"content": {JSON: {"schema": schema}}}


def sending(schema: Any, version: str = "3.1.0", **schemas: Any) -> Document:
    """A document in which this is sent."""
    post = {"requestBody": content(schema), "responses": {"204": {}}}
    return parse({"/items": {"post": post}}, version, components={"schemas": schemas})


def receiving(schema: Any, version: str = "3.1.0", **schemas: Any) -> Document:
    """A document in which this is received."""
    get = {"responses": {"200": content(schema)}}
    return parse({"/items": {"get": get}}, version, components={"schemas": schemas})


def getting(*parameters: Raw, path: str = "/items") -> Raw:
    return {path: {"get": {"parameters": list(parameters), "responses": {"200": {}}}}}


def query(name: str = "q", **further: Any) -> Raw:
    return {"name": name, "in": "query", **further}


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


INTEGER = {"type": "integer"}
STRING = {"type": "string"}


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


def test_a_field_that_only_goes_the_other_way_does_not_matter() -> None:
    old = {"properties": {"id": INTEGER, "password": STRING | {"writeOnly": True}}}
    new = {"properties": {"id": INTEGER}}

    assert breaking_changes(receiving(old), receiving(new)) == []


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


CHOICE = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}
ONLY_CAT = {"oneOf": CHOICE["oneOf"][:1]}
ANIMALS = {"Cat": CAT, "Dog": DOG}


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


NAMES = ("a", "b", "c")
SCALARS = st.one_of(
    st.just({}),
    st.sampled_from(["string", "boolean"]).map(lambda kind: {"type": kind}),
    st.sampled_from(["integer", "number"]).map(lambda kind: {"type": kind, "minimum": 1}),
    st.just({"type": ["string", "null"], "format": "date"}),
    st.sampled_from([["x"], ["x", "y"], ["y", None]]).map(lambda values: {"enum": values}),
    st.sampled_from(NAMES).map(lambda name: {"$ref": f"#/components/schemas/{name}"}),
)


def compose(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas made of these."""
    fields = st.dictionaries(st.sampled_from([*NAMES, "odd name"]), inner, max_size=3)
    further = st.one_of(st.booleans(), inner)
    return st.one_of(
        st.builds(
            lambda properties, required, rest: {
                "type": "object",
                "properties": properties,
                "required": sorted(properties)[:required],
                "additionalProperties": rest,
            },
            fields,
            st.integers(0, 3),
            further,
        ),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda kind, parts: {kind: parts},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    )


SCHEMAS = st.recursive(SCALARS, compose, max_leaves=5)


@st.composite
def raw_documents(draw: st.DrawFn) -> Raw:
    """Small documents whose schemas may refer to each other."""
    path = draw(st.sampled_from(["/things", "/things/{id}", "/{a}/{b}.json"]))
    parameters = [
        {"name": name, "in": where, "required": required, "schema": draw(SCALARS)}
        for name, where, required in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["id", "a", "q"]),
                    st.sampled_from(["query", "header", "path"]),
                    st.booleans(),
                ),
                max_size=3,
            )
        )
    ]
    operation = {
        "parameters": parameters,
        "responses": {
            status: content(draw(SCHEMAS))
            for status in draw(st.sets(st.sampled_from(["200", "2XX", "404", "default"])))
        },
        "requestBody": content(draw(SCHEMAS)) | {"required": draw(st.booleans())},
        "security": draw(st.sampled_from([[], [{"key": []}]])),
    }
    return {
        "openapi": draw(st.sampled_from(["3.0.3", "3.1.0"])),
        "paths": {path: {draw(st.sampled_from(["get", "post"])): operation}},
        "components": {"schemas": {name: draw(SCHEMAS) for name in NAMES}},
    }


def compared(old: Raw, new: Raw) -> list[str]:
    return breaking_changes(Document.parse(old, origin="a"), Document.parse(new, origin="b"))


def operation_of(raw: Raw) -> Raw:
    (item,) = raw["paths"].values()
    (operation,) = item.values()
    return operation  # type: ignore[no-any-return]


@given(raw_documents())
def test_a_document_breaks_nothing_of_itself(raw: Raw) -> None:
    assert compared(raw, copy.deepcopy(raw)) == []


@given(raw_documents(), SCHEMAS)
def test_what_may_be_sent_and_need_not_breaks_nothing(raw: Raw, schema: Any) -> None:
    new = copy.deepcopy(raw)
    operation_of(new)["parameters"].append(query("optional", schema=schema))

    assert compared(raw, new) == []
    assert compared(new, raw) == []


@given(raw_documents(), SCHEMAS)
def test_a_further_field_in_an_answer_breaks_nothing(raw: Raw, schema: Any) -> None:
    answer = {"type": "object", "properties": {"known": {"type": "string"}}}
    operation_of(raw)["responses"]["200"] = content(answer)
    new = copy.deepcopy(raw)
    changed = operation_of(new)["responses"]["200"]["content"][JSON]["schema"]
    changed["properties"]["further"] = schema

    assert compared(raw, new) == []


@given(raw_documents(), raw_documents())
def test_further_operations_break_nothing(raw: Raw, other: Raw) -> None:
    new = copy.deepcopy(raw)
    further = {f"/further{path}": item for path, item in other["paths"].items()}
    new["paths"] |= further

    assert compared(raw, new) == []


@given(raw_documents())
def test_what_is_removed_is_always_told(raw: Raw) -> None:
    (told,) = compared(raw, raw | {"paths": {}})

    assert told.endswith(": was removed")


@given(raw_documents(), raw_documents())
def test_any_two_documents_can_be_compared(old: Raw, new: Raw) -> None:
    new["paths"] = {
        path: {method: operation_of(new) for method in item} for path, item in old["paths"].items()
    }

    for sentence in compared(old, new):
        assert sentence.startswith(("GET /", "POST /"))


def judged(*, bounded: bool, rest: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas that a validator can tell apart by a handful of values."""
    bounds: list[Raw] = [{"minimum": 1}, {"exclusiveMinimum": 1}, {"maximum": 3}] if bounded else []
    lengths: list[Raw] = [{"minLength": 1}, {"maxLength": 1}] if bounded else []
    numbers = st.sampled_from([INTEGER, {"type": "number"}])
    scalars = st.one_of(
        st.sampled_from(
            [{}, {"type": "boolean"}, {"type": "null"}, {"type": ["string", "integer"]}]
        ),
        st.builds(lambda one, bound: one | bound, numbers, st.sampled_from([{}, *bounds])),
        st.sampled_from([STRING | one for one in ({}, *lengths)]),
        st.sampled_from([["x"], ["x", "yy"], ["yy", None], [1, "x"]]).map(
            lambda one: {"enum": one}
        ),
    )

    def compose(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        fields = st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
        return st.one_of(
            st.builds(
                lambda properties, required, rest: {
                    "type": "object",
                    "properties": properties,
                    "required": sorted(properties)[:required],
                    "additionalProperties": rest,
                },
                fields,
                st.integers(0, 2),
                rest,
            ),
            st.builds(lambda items: {"type": "array", "items": items}, inner),
            st.builds(
                lambda kind, parts: {kind: parts},
                st.sampled_from(["allOf", "anyOf"]),
                st.lists(inner, min_size=1, max_size=3),
            ),
        )

    return st.recursive(scalars, compose, max_leaves=4)


VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 2, 5, 1.5, "", "x", "yy"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=4,
)
SENT = judged(bounded=True, rest=st.sampled_from([False, STRING, INTEGER]))
RECEIVED = judged(bounded=False, rest=st.sampled_from([True]))
MANY = st.lists(VALUES, min_size=10, max_size=10)


@given(SENT, SENT, MANY)
def test_where_nothing_breaks_what_could_be_sent_still_can_be(
    old: Raw, new: Raw, values: list[Any]
) -> None:
    before, after = sending(old), sending(new)
    if breaking_changes(before, after):
        return

    for value in values:
        assert before.schema_errors(old, value) or not after.schema_errors(new, value)


@given(RECEIVED, RECEIVED, MANY)
def test_where_nothing_breaks_what_comes_could_come_before(
    old: Raw, new: Raw, values: list[Any]
) -> None:
    before, after = receiving(old), receiving(new)
    if breaking_changes(before, after):
        return

    for value in values:
        assert after.schema_errors(new, value) or not before.schema_errors(old, value)
