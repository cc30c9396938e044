"""Documents: which are understood, where they are served, which operation serves a path."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.openapi import Document, DocumentError
from tests.openapi.documents import SWAGGER, document


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], "no OpenAPI document"),
        ({"paths": {}}, "no OpenAPI document"),
        ({"openapi": "4.0.0", "paths": {}}, "`openapi: 4.0.0`, which isn't understood"),
        ({"openapi": "3.10.0", "paths": {}}, "isn't understood"),
        ({"swagger": "1.2", "paths": {}}, "`swagger: 1.2`, which isn't understood"),
        ({"openapi": "3.1.0"}, "has no map `paths`"),
    ],
)
def test_what_is_no_openapi_document_is_refused(raw: object, said: str) -> None:
    with pytest.raises(DocumentError, match=r"^here .* Give the address or the file") as refused:
        Document.parse(raw, origin="here")

    assert said in str(refused.value)


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.1", "3.2.0", "3.1"])
def test_all_versions_from_3_0_to_3_2_are_understood(version: str) -> None:
    assert document(openapi=version).version == "1"


@pytest.mark.parametrize(
    ("servers", "base_path"),
    [
        ([], ""),
        ([{"url": "/"}], ""),
        ([{"url": "/api/v1/"}], "/api/v1"),
        ([{"url": "https://elsewhere.example:8443/api?x=1"}, {"url": "/no"}], "/api"),
        ([{"url": "//elsewhere.example/api"}], "/api"),
        ([{"url": "./v1"}], "/v1"),
        ([{"url": "https://{host}/{v}", "variables": {"v": {"default": "v3"}}}], "/v3"),
    ],
)
def test_the_base_path_is_that_of_the_first_server(
    servers: list[dict[str, Any]], base_path: str
) -> None:
    assert document(servers=servers).base_path == base_path


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/policies/7", "/policies/{policy_id}"),
        ("/policies/{{id}}", "/policies/{policy_id}"),
        ("/policies/{x}?full=1#top", "/policies/{policy_id}"),
        ("/api/policies/7", "/policies/{policy_id}"),
        ("/policies/search", "/policies/search"),
        ("/policies/7.json", "/policies/{policy_id}.json"),
        ("/policies/{{id}}.json", "/policies/{policy_id}.json"),
        ("/policies/a%2Fb", "/policies/{policy_id}"),
        ("/k%C3%B6ln", "/köln"),
        ("/policies", None),
        ("/policies/", None),
        ("/policies/7/parts", None),
        ("/other/policies/7", None),
        ("/apipolicies/7", None),
    ],
)
def test_an_operation_is_found_by_paths_and_templates(asked: str, found: str | None) -> None:
    paths = ("/policies/{policy_id}", "/policies/search", "/policies/{policy_id}.json", "/köln")
    read = document({path: {"get": {}} for path in paths}, servers=[{"url": "/api"}])

    operation = read.find("get", asked)

    assert (operation.path if operation else None) == found


def test_an_operation_of_another_method_is_not_found() -> None:
    assert document({"/": {"get": {}}}).find("POST", "/") is None


JUNK = st.sampled_from(
    [None, True, 0, -1.5, "", "object", "#", "#/paths", [], {}, [{}], [[1]], {"a": [1]}]
)


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a JSON document has values."""
    if path:
        yield path
    items = enumerate(node) if isinstance(node, list) else ()
    for key, value in node.items() if isinstance(node, dict) else items:
        yield from places(value, (*path, key))


@st.composite
def malformed(draw: st.DrawFn) -> Any:
    """A document with anything at any of its places."""
    raw = yaml.load(SWAGGER, yaml.BaseLoader)  # noqa: S506  # it makes nothing but texts
    if draw(st.booleans()):
        raw = copy.deepcopy(dict(Document.parse(raw, origin="").root))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list(places(raw))))
        node = raw
        for key in path:
            node = node[key]
        node[last] = copy.deepcopy(draw(JUNK))
    return raw


@given(malformed())
def test_a_malformed_document_is_read_or_refused(raw: Any) -> None:
    try:
        read = Document.parse(raw, origin="here")
    except DocumentError:
        return

    for operation in read.operations:
        assert read.find(operation.method, operation.path) is not None
        for answer in operation.answers.values():
            for schema in answer.content.values():
                assert len(read.schema_errors(schema, {"id": 1, "kind": None})) <= 5
