"""What is misspelt in the JSON Schemas of an environment file, which would allow everything."""

from collections.abc import Iterator, Mapping

from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.matchers import JSON_TYPES
from deployment_gate.environment.yaml_source import Key

# The vocabularies of JSON Schema 2020-12; those that hold a schema, several, or several by name.
_ONE = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
_PLAIN = frozenset(
    {
        "$anchor",
        "$comment",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$ref",
        "$schema",
        "$vocabulary",
        "const",
        "contentEncoding",
        "contentMediaType",
        "default",
        "dependentRequired",
        "deprecated",
        "description",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "readOnly",
        "required",
        "title",
        "type",
        "uniqueItems",
        "writeOnly",
    }
)
KEYWORDS = _ONE | _SEVERAL | _NAMED | _PLAIN


def misspelt(schema: object, path: Key = ()) -> Iterator[tuple[Key, str]]:
    """Yield the place of each keyword or type that JSON Schema doesn't know, and what it knows.

    >>> list(misspelt({"typ": "array"}))
    [(('typ',), 'is no keyword of JSON Schema. Did you mean type?')]
    """
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        where = (*path, str(key))
        if key not in KEYWORDS:
            yield where, f"is no keyword of JSON Schema.{did_you_mean(str(key), KEYWORDS)}"
        elif key == "type":
            yield from _misspelt_types(value, where)
        for name, inner in _schemas_in(str(key), value):
            yield from misspelt(inner, (*where, *name))


def _schemas_in(key: str, value: object) -> Iterator[tuple[Key, object]]:
    """The schemas that stand under a keyword, each with its place there."""
    if key in _ONE:
        yield (), value
    elif key in _SEVERAL and isinstance(value, list):
        yield from (((str(number),), item) for number, item in enumerate(value))
    elif key in _NAMED and isinstance(value, Mapping):
        yield from (((str(name),), item) for name, item in value.items())


def _misspelt_types(value: object, where: Key) -> Iterator[tuple[Key, str]]:
    for one in value if isinstance(value, list) else [value]:
        if one not in JSON_TYPES:
            yield where, f'"{one}" is no type. There are: {", ".join(JSON_TYPES)}'
