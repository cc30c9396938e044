"""JSON Schema (2020-12) as environment files write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployment_gate.api.answers import cut
from deployment_gate.errors import GateError

_TOLD = 5
_LONGEST = 300


class SchemaError(GateError):
    """What should be a JSON Schema is none."""


def schema_errors(schema: Mapping[str, Any], document: object) -> list[str]:
    """What a document lacks to fit a schema, a sentence each, the first five.

    Raises:
        SchemaError: The schema is none.

    >>> schema_errors({"type": "array"}, {})
    ["$: {} is not of type 'array'"]
    """
    import jsonschema  # noqa: PLC0415  # a tenth of a second that few runs need

    plain = dict(schema)
    try:
        jsonschema.Draft202012Validator.check_schema(plain)
    except jsonschema.SchemaError as error:
        raise SchemaError(
            f"{error.json_path}: {error.message}. Write a JSON Schema (2020-12)"
        ) from error
    validator = jsonschema.Draft202012Validator(
        plain, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.path)))
    return [cut(f"{error.json_path}: {error.message}", _LONGEST) for error in errors[:_TOLD]]
