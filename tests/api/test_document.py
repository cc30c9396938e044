"""OpenAPI documents: what they say of operations, and whether values fit their schemas."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from fastapi import Depends, FastAPI, Header, Query
from fastapi.security import HTTPBearer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from deployment_gate.api.document import Document, DocumentError, Place, read_document

SWAGGER = """
swagger: "2.0"
info: {title: Shop, version: "1.10"}
host: shop.example
basePath: /v1
consumes: [application/json]
produces: [application/json]
security: [{key: []}]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Key}
parameters:
  Size: {name: size, in: query, type: integer, minimum: 1, default: 20}
  Order: {name: order, in: body, required: true, schema: {$ref: "#/definitions/Order"}}
responses:
  Missing: {description: none, schema: {$ref: "#/definitions/Error"}}
definitions:
  Error: {type: object, required: [message], properties: {message: {type: string}}}
  Order:
    type: object
    discriminator: kind
    required: [id, kind]
    properties:
      id: {type: integer}
      kind: {type: string}
      note: {type: string, x-nullable: true}
paths:
  /orders:
    parameters: [{$ref: "#/parameters/Size"}]
    get:
      security: []
      responses:
        200:
          description: all
          schema: {type: array, items: {$ref: "#/definitions/Order"}}
          headers: {X-Total: {type: integer}}
    post:
      parameters: [{$ref: "#/parameters/Order"}]
      responses: {201: {description: made}}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, type: integer, x-example: 7}]
    get:
      produces: [application/json, text/csv; charset=utf-8]
      deprecated: true
      responses:
        200: {description: one, schema: {$ref: "#/definitions/Order"}}
        404: {$ref: "#/responses/Missing"}
  /orders/{id}/scan:
    post:
      consumes: [multipart/form-data]
      parameters:
        - {name: id, in: path, required: true, type: integer}
        - {name: scan, in: formData, required: true, type: file}
        - {name: page, in: formData, type: integer}
      responses: {204: {description: kept}}
"""


def document(paths: Mapping[str, Any] | None = None, **further: Any) -> Document:
    raw = {"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": paths or {}}
    return Document.parse(raw | further, origin="openapi.json")


def with_schemas(version: str = "3.0.3", **schemas: Any) -> Document:
    return document(openapi=version, components={"schemas": schemas})


@pytest.fixture
def swagger(tmp_path: Path) -> Document:
    file = tmp_path / "swagger.yaml"
    file.write_text(SWAGGER)
    return read_document(file)


class Owner(BaseModel):
    """Who answers for a policy."""

    name: str
    email: str | None = None


class Policy(BaseModel):
    """What is kept."""

    id: int
    title: str
    owner: Owner
    replaces: Policy | None = None


@pytest.fixture
def fastapi_document() -> Document:
    app = FastAPI(version="2.4.0")

    @app.get("/policies")
    def policies(q: Annotated[str, Query(examples=["data"])], size: int = 20) -> list[Policy]:
        raise NotImplementedError

    @app.get("/policies/{policy_id}", dependencies=[Depends(HTTPBearer())])
    def policy(policy_id: int, if_match: Annotated[str, Header()]) -> Policy:
        raise NotImplementedError

    return Document.parse(app.openapi(), origin="/openapi.json")


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


def test_path_items_and_further_methods_are_read() -> None:
    item = {"query": {}, "additionalOperations": {"COPY": {}}, "summary": "x"}
    components = {"pathItems": {"A": item}}
    read = document(
        {"/a": {"$ref": "#/components/pathItems/A"}, "x-note": {"get": {}}},
        openapi="3.2.0",
        components=components,
    )

    assert list(map(str, read.operations)) == ["QUERY /a", "COPY /a"]


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


def test_a_saved_document_is_the_same_in_json_and_yaml(
    fastapi_document: Document, tmp_path: Path
) -> None:
    files = tmp_path / "openapi.json", tmp_path / "openapi.yaml"
    files[0].write_text(json.dumps(fastapi_document.root))
    files[1].write_text(yaml.safe_dump(fastapi_document.root))

    for file in files:
        assert read_document(file).operations == fastapi_document.operations


def test_yaml_scalars_are_those_of_json(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(
        "openapi: 3.1.0\ninfo: {version: 1.0}\npaths: {}\n"
        "x-common: &common {a: 1, b: 2}\n"
        "x: [2026-11-23, 2026-11-23T03:00:00Z, yes, on, 1:30, 007, 0x1F, 1.5e3, -2, true, ~, '1']\n"
        "y: {<<: *common, b: 3, 200: ok, true: t}\n"
    )

    root = read_document(file).root

    assert root["x"] == [
        *("2026-11-23", "2026-11-23T03:00:00Z", "yes", "on", "1:30", "007", "0x1F"),
        *(1500.0, -2, True, None, "1"),
    ]
    assert root["y"] == {"a": 1, "b": 3, "200": "ok", "true": "t"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.yaml", None, "can't be read: No such file"),
        ("latin.yaml", b"\xff", "isn't UTF-8"),
        ("broken.json", b"{", "isn't JSON"),
        ("broken.yaml", b"{", "isn't YAML"),
        ("empty.yaml", b"", "is no OpenAPI document"),
        ("loop.yaml", b"&a {b: *a}", "is nested too deeply, or in itself"),
        ("deep.json", b"[" * 100_000, "is nested too deeply, or in itself"),
        ("other.json", b"{}", "is no OpenAPI document"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(DocumentError) as refused:
        read_document(file)

    assert str(file) in str(refused.value)
    assert said in str(refused.value)
