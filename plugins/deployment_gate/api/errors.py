"""The one shape that every error answer of an API has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployment_gate.api.answers import MISSING, body_of
from deployment_gate.api.schemas import SchemaError, schema_errors

if TYPE_CHECKING:
    import httpx

    from deployment_gate.environment import ErrorShape


def shape_errors(answer: httpx.Response, *, shape: ErrorShape, source: str) -> list[str]:
    """What speaks against an error answer's shape, a sentence each.

    Args:
        answer: The answer.
        shape: What it must be.
        source: Where the file says so, "file:line".

    Raises:
        SchemaError: The file's schema is none.
    """
    content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    if content_type.lower() != shape.content_type.lower():
        return [f"is {content_type or 'of no content type'}, not {shape.content_type}"]
    if shape.json_schema is None:
        return []
    body = body_of(answer)
    if body is MISSING:
        return ["its body isn't JSON"]
    try:
        return schema_errors(shape.json_schema, body)
    except SchemaError as error:
        raise SchemaError(f"{source}: api.errors.json_schema: {error}") from error
