"""The JSON Schema by which editors complete and check environment files."""

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from deployment_gate.environment import (
    api_sections,
    data_sections,
    journey_sections,
    load_sections,
    model,
    notification_sections,
    policy_sections,
    sections,
    security_sections,
    web_sections,
)
from deployment_gate.environment.elements import LABEL, ROLES, TEXT, Element
from deployment_gate.environment.inheritance import TABLES
from deployment_gate.environment.model import Environment

_MODULES = (
    *(model, sections, policy_sections),
    *(api_sections, journey_sections, data_sections, web_sections, load_sections),
    *(security_sections, notification_sections),
)
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"}
_NULL = {"type": "null"}
_ONE_KEY = {"minProperties": 1, "maxProperties": 1}
_KEPT_OUTSIDE = ("description", "default")


def environment_schema() -> dict[str, Any]:
    """Answer the JSON Schema of environment files.

    A file may extend another, so nothing is required of it alone, and null removes any entry.
    """
    schema = Environment.model_json_schema(schema_generator=_Generator)
    definitions = schema["$defs"]
    for module in _MODULES:
        for kind, described in field_docstrings(inspect.getsource(module)).items():
            entries = (schema if kind == Environment.__name__ else definitions[kind])["properties"]
            for name, description in described.items():
                entries[name]["description"] = description
    for section in (schema, *definitions.values()):
        section.pop("required", None)
    del schema["properties"]["name"]
    _refer_to_elements(schema)
    for table in TABLES:
        _accept_lists(schema["properties"][table], definitions)
    for section in (schema, *definitions.values()):
        for entry in _entries(section):
            _accept_variables_and_null(entry)
    definitions |= _elements()
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "The name of a file here whose values this one inherits.",
        "examples": ["base"],
    }
    return {"$schema": _DIALECT, **schema}


class _Generator(GenerateJsonSchema):
    """Pydantic's schema without the title of each field, which only repeats its name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's name
        return False


def field_docstrings(source: str) -> dict[str, dict[str, str]]:
    """Answer the docstring below each field of each class.

    Pydantic's `use_attribute_docstrings` would read them at each import, for a tenth of a second.
    """
    found: dict[str, dict[str, str]] = {}
    for kind in ast.parse(source).body:
        if not isinstance(kind, ast.ClassDef):
            continue
        for field, below in pairwise(kind.body):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found.setdefault(kind.name, {})[name] = " ".join(text.split())
    return found


def _refer_to_elements(schema: Any) -> None:
    """Put in place of each comment that an element stands there a reference to what one is."""
    if isinstance(schema, dict):
        if schema.get("$comment") == Element.__name__:
            del schema["$comment"]
            schema["$ref"] = f"#/$defs/{Element.__name__}"
        for below in schema.values():
            _refer_to_elements(below)
    elif isinstance(schema, list):
        for below in schema:
            _refer_to_elements(below)


def _elements() -> dict[str, JsonSchemaValue]:
    """Answer the definitions of an element of a page, which names what it is by one of its keys."""
    words = f"{Element.__name__}Words"
    kinds = {
        **{role: f"The {role} of this whole accessible name; null: of any." for role in ROLES},
        LABEL: "The field with this whole label.",
        TEXT: "What has this whole text.",
    }
    described = {
        **{kind: {"$ref": f"#/$defs/{words}", "description": what} for kind, what in kinds.items()},
        "nth": {"type": ["integer", "null"], "minimum": 1, "description": "Which of several."},
        "inside": {
            "anyOf": [{"$ref": f"#/$defs/{Element.__name__}"}, _NULL],
            "description": "What it stands in.",
        },
    }
    matches = {
        "type": "string",
        "format": "regex",
        "description": "A regular expression that is found in the words.",
    }
    pattern = {
        "type": "object",
        "properties": {"matches": matches},
        "required": ["matches"],
        "additionalProperties": False,
    }
    return {
        Element.__name__: {
            "type": "object",
            "description": "Something on a page, by what people see.",
            "properties": described,
            "additionalProperties": False,
            "minProperties": 1,
            "examples": [{"button": "Sign in"}],
        },
        words: {"anyOf": [{"type": "string", "minLength": 1}, pattern, _NULL]},
    }


def _entries(schema: JsonSchemaValue) -> Iterator[JsonSchemaValue]:
    """Yield the schemas of what may stand under the keys of a map, at any depth of maps."""
    below = [*schema.get("properties", {}).values()]
    if isinstance(schema.get("additionalProperties"), dict):
        below.append(schema["additionalProperties"])
    for entry in below:
        yield from _entries(entry)
        yield entry
    for option in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _entries(option)
    if isinstance(schema.get("items"), dict):
        yield from _entries(schema["items"])


def _accept_lists(entry: JsonSchemaValue, definitions: dict[str, Any], depth: int = 2) -> None:
    """Accept each map down to a depth also as a list of one-key maps."""
    for target in _maps(entry, definitions):
        for below in (
            *target.get("properties", {}).values(),
            *([target["additionalProperties"]] if target.get("additionalProperties") else ()),
        ):
            if depth > 1:
                _accept_lists(below, definitions, depth - 1)
    if any(True for _ in _maps(entry, definitions)):
        inner = _without_outer(entry)
        _replace(entry, [inner, {"type": "array", "items": {"allOf": [inner, _ONE_KEY]}}])


def _maps(entry: JsonSchemaValue, definitions: dict[str, Any]) -> Iterator[JsonSchemaValue]:
    if "$ref" in entry:
        entry = definitions[entry["$ref"].rpartition("/")[2]]
    if entry.get("type") == "object":
        yield entry
    for option in entry.get("anyOf", ()):
        yield from _maps(option, definitions)


def _accept_variables_and_null(entry: JsonSchemaValue) -> None:
    options = entry.get("anyOf", [_without_outer(entry)])
    for option in options:
        if _is_typed_scalar(option.get("items", {})):
            option["items"] = {"anyOf": [option["items"], _VARIABLE]}
    if any(_is_typed_scalar(option) for option in options):
        options = [*options, _VARIABLE]
    if _NULL not in options:
        options = [*options, _NULL]
    _replace(entry, options)


def _is_typed_scalar(option: JsonSchemaValue) -> bool:
    return option.get("type") in {"integer", "number", "boolean"} or "enum" in option


def _without_outer(entry: JsonSchemaValue) -> JsonSchemaValue:
    return {key: value for key, value in entry.items() if key not in _KEPT_OUTSIDE}


def _replace(entry: JsonSchemaValue, options: list[JsonSchemaValue]) -> None:
    """Turn a schema in place into a choice, its description and default kept outside."""
    outside = {key: entry[key] for key in _KEPT_OUTSIDE if key in entry}
    entry.clear()
    entry.update(outside, anyOf=options)
