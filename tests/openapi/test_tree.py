"""References in a document: which are followed, and which are only data."""

from __future__ import annotations

import pytest

from deployment_gate.openapi import DocumentError
from tests.openapi.documents import document, with_schemas


def test_a_reference_to_another_document_is_told_with_its_place() -> None:
    paths = {"/a": {"get": {"responses": {"default": {"$ref": "errors.yaml#/Any"}}}}}

    with pytest.raises(DocumentError, match=r"errors\.yaml#/Any` at #/paths/~1a/get/responses/def"):
        document(paths)


def test_a_reference_to_nothing_is_told() -> None:
    with pytest.raises(
        DocumentError, match=r"reference to nothing: `.ref: #/components/schemas/B`"
    ):
        with_schemas(A={"properties": {"default": {"$ref": "#/components/schemas/B"}}})


def test_a_reference_inside_an_extension_that_is_referred_to_is_followed() -> None:
    paths = {"/a": {"get": {"responses": {"default": {"$ref": "#/x-shared/Any"}}}}}
    whole = {"Any": {"$ref": "#/x-shared/Other"}, "Other": {"content": {"text/plain": {}}}}

    read = document(paths, **{"x-shared": whole, "x-unused": {"$ref": "not one"}})

    assert read.operations[0].answers["default"].pointer == "#/x-shared/Other"
    with pytest.raises(DocumentError, match=r"nothing: `.ref: #/x-shared/Other` at #/x-shared/Any"):
        document(paths, **{"x-shared": {"Any": whole["Any"]}})


def test_a_reference_in_an_example_is_data() -> None:
    example = {"$ref": "https://elsewhere.example/"}

    read = with_schemas(
        A={"example": example, "default": example, "enum": [example], "x-note": example}
    )

    assert read.schema_errors("#/components/schemas/A", example) == []


def test_a_field_called_ref_is_a_field() -> None:
    read = with_schemas(A={"properties": {"$ref": {"type": "string"}}})

    assert read.schema_errors("#/components/schemas/A", {"$ref": 1}) == [
        "$['$ref']: 1 is not of type 'string'"
    ]
