"""What holds of changes between any two documents."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.openapi import Document, breaking_changes
from tests.openapi.documents import INTEGER, JSON, STRING, Raw, content, query, receiving, sending

NAMES = ("a", "b", "c")
SCALARS = st.one_of(
    st.just({}),
    st.sampled_from(["string", "boolean"]).map(lambda kind: {"type": kind}),
    st.sampled_from(["integer", "number"]).map(lambda kind: {"type": kind, "minimum": 1}),
    st.just({"type": ["string", "null"], "format": "date"}),
    st.sampled_from([["x"], ["x", "y"], ["y", None]]).map(lambda values: {"enum": values}),
    st.sampled_from(NAMES).map(lambda name: {"$ref": f"#/components/schemas/{name}"}),
)


def composed(
    inner: st.SearchStrategy[Any],
    *,
    names: Sequence[str],
    most: int,
    rest: st.SearchStrategy[Any],
    kinds: Sequence[str],
) -> st.SearchStrategy[Any]:
    """Schemas made of these: objects of at most so many fields, arrays, and alternatives."""
    return st.one_of(
        st.builds(
            lambda properties, required, rest: {
                "type": "object",
                "properties": properties,
                "required": sorted(properties)[:required],
                "additionalProperties": rest,
            },
            st.dictionaries(st.sampled_from(names), inner, max_size=most),
            st.integers(0, most),
            rest,
        ),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda kind, parts: {kind: parts},
            st.sampled_from(kinds),
            st.lists(inner, min_size=1, max_size=3),
        ),
    )


SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: composed(
        inner,
        names=[*NAMES, "odd name"],
        most=3,
        rest=st.one_of(st.booleans(), inner),
        kinds=["allOf", "anyOf", "oneOf"],
    ),
    max_leaves=5,
)


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
    operation: Raw
    (operation,) = item.values()
    return operation


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

    return st.recursive(
        scalars,
        lambda inner: composed(inner, names="ab", most=2, rest=rest, kinds=["allOf", "anyOf"]),
        max_leaves=4,
    )


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
