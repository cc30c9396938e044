"""Swagger 2.0 in OpenAPI 3.0's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployment_gate.openapi.operations import METHODS, Place, parameters_of
from deployment_gate.openapi.tree import entries, listed, resolved

_MOVED = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}


def from_swagger(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the same in 3.0's words; parameters that are shared stand where they are used."""
    old = _renamed(raw)
    old["components"] = {key: entries(old.get(key)) for key in ("parameters", "responses")}
    paths = {}
    for path, raw_item in old["paths"].items():
        item = resolved(old, raw_item)[1]
        operations = {key: entries(item[key]) for key in METHODS if key in item}
        paths[path] = {key: _operation_3(old, item, one) for key, one in operations.items()}
    return {
        "openapi": "3.0.4",
        "info": old.get("info"),
        "servers": [{"url": old.get("basePath", "")}],
        "security": old.get("security"),
        "paths": paths,
        "components": {
            "schemas": entries(old.get("definitions")),
            "securitySchemes": entries(old.get("securityDefinitions")),
            "parameters": {
                name: _parameter_3(entries(one))
                for name, one in old["components"]["parameters"].items()
                if entries(one).get("in") not in ("body", "formData")
            },
            "responses": {
                name: _response_3(entries(one), listed(old.get("produces")))
                for name, one in old["components"]["responses"].items()
            },
        },
    }


def _renamed(node: Any) -> Any:
    """The same with references to where 3.0 has things, and with 3.0's keywords."""
    if isinstance(node, list):
        return [_renamed(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: _renamed(value) for key, value in node.items()}
    if isinstance(to := node.get("$ref"), str):
        new["$ref"] = next(
            (to.replace(old, moved, 1) for old, moved in _MOVED.items() if to.startswith(old)), to
        )
    if node.get("x-nullable") is True:
        new["nullable"] = True
    if isinstance(node.get("discriminator"), str):
        del new["discriminator"]
    return new


def _operation_3(
    root: Mapping[str, Any], item: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any]:
    new = {key: old[key] for key in ("deprecated", "security") if key in old}
    parameters = parameters_of(root, item, old)
    bodies = [one for one in parameters if one["in"] == "body"]
    fields = [one for one in parameters if one["in"] == "formData"]
    consumed = listed(old.get("consumes", root.get("consumes")))
    if bodies:
        new["requestBody"] = _content_3(bodies[0], consumed or ["application/json"])
    elif fields:
        new["requestBody"] = _form_3(fields, consumed)
    responses = {
        status: _response_3(
            resolved(root, response)[1], listed(old.get("produces", root.get("produces")))
        )
        for status, response in entries(old.get("responses")).items()
    }
    return new | {
        "parameters": [_parameter_3(one) for one in parameters if one["in"] in set(Place)],
        "responses": responses,
    }


def _parameter_3(old: Mapping[str, Any]) -> dict[str, Any]:
    """What 2.0 writes beside the name is the schema, all but these keys."""
    own = {key: old[key] for key in ("name", "in", "required") if key in old}
    schema = {key: value for key, value in old.items() if key not in own}
    if schema.get("type") == "file":
        schema |= {"type": "string", "format": "binary"}
    if "x-example" in old:
        own["example"] = old["x-example"]
    return own | {"schema": schema}


def _form_3(fields: list[Mapping[str, Any]], consumed: list[Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {str(one.get("name")): _parameter_3(one)["schema"] for one in fields},
        "required": [str(one.get("name")) for one in fields if one.get("required") is True],
    }
    kinds = consumed or ["application/x-www-form-urlencoded"]
    return _content_3({"schema": schema, "required": bool(schema["required"])}, kinds)


def _content_3(old: Mapping[str, Any], kinds: list[Any]) -> dict[str, Any]:
    media = {"schema": old["schema"]} if "schema" in old else {}
    if entries(media.get("schema")).get("type") == "file":
        media = {}
    new: dict[str, Any] = {"content": {str(kind): media for kind in kinds}}
    return new | ({"required": old["required"]} if "required" in old else {})


def _response_3(old: Mapping[str, Any], produced: list[Any]) -> dict[str, Any]:
    """An answer without a schema has no body (Swagger 2.0, Response Object)."""
    new = {key: value for key, value in old.items() if key != "schema"}
    return new | _content_3(old, produced or ["*/*"]) if "schema" in old else new
