"""Documents that tests are about, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployment_gate.openapi import Document, breaking_changes

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
JSON = "application/json"
ITEM = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
}
INTEGER = {"type": "integer"}
STRING = {"type": "string"}
CAT = {"type": "object", "required": ["meow"], "properties": {"meow": {"type": "string"}}}
DOG = {"type": "object", "required": ["bark"], "properties": {"bark": {"type": "string"}}}
CHOICE = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}
ANIMALS = {"Cat": CAT, "Dog": DOG}

Raw = dict[str, Any]


def document(paths: Mapping[str, Any] | None = None, **further: Any) -> Document:
    raw = {"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": paths or {}}
    return Document.parse(raw | further, origin="openapi.json")


def with_schemas(version: str = "3.0.3", **schemas: Any) -> Document:
    return document(openapi=version, components={"schemas": schemas})


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


def query(name: str = "q", **further: Any) -> Raw:
    return {"name": name, "in": "query", **further}
