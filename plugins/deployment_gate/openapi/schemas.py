"""The schemas of a document: in which ways a value can meet them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, TypeAlias

from deployment_gate.openapi.tree import listed, look_up, media_type

Schema: TypeAlias = Any
"""A JSON Schema as the document has it: an object, or in 3.1 a boolean."""
Branch: TypeAlias = tuple[Mapping[str, Any], ...]
"""Schemas that hold together; what they refer to and combine is among them."""


def branches(root: Mapping[str, Any], *schemas: Schema) -> list[Branch]:
    """Answer in which ways all these schemas can be met: one for each choice they leave."""
    return _together(root, schemas, within=frozenset())


def schema_for(content: Mapping[str, Schema], content_type: str) -> Schema:
    """Answer the schema of a content type, the most particular one; None where there is none.

    >>> schema_for({"*/*": {}, "text/*": {"type": "string"}}, "text/csv; header=present")
    {'type': 'string'}
    """
    kind = media_type(content_type)
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((content[one] for one in ranges if one in content), None)


def _together(
    root: Mapping[str, Any], schemas: Iterable[Schema], *, within: frozenset[int]
) -> list[Branch]:
    choices = [_ways(root, schema, within) for schema in schemas]
    return [
        tuple({id(one): one for way in ways for one in way}.values()) for ways in product(*choices)
    ]


def _ways(root: Mapping[str, Any], schema: Schema, within: frozenset[int]) -> list[Branch]:
    """The branches of one schema; one that is part of itself adds nothing, and has none."""
    if not isinstance(schema, dict):
        return [()]
    if id(schema) in within:
        return []
    inner = within | {id(schema)}
    together = listed(schema.get("allOf"))
    if isinstance(to := schema.get("$ref"), str):
        together = [*together, look_up(root, to)]
    ways = [(schema, *branch) for branch in _together(root, together, within=inner)]
    for key in ("anyOf", "oneOf"):
        if alternatives := listed(schema.get(key)):
            chosen = [way for one in alternatives for way in _ways(root, one, inner)]
            ways = [(*way, *more) for way in ways for more in chosen]
    return ways
