"""The JSON of a document: its nodes, and the references among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Whose keys are names that the document's author chose, `default` among responses say.
_NAMED = re.compile(
    r"\$defs|callbacks|content|definitions|dependentSchemas|encoding|headers|links|mediaTypes|"
    r"parameters|pathItems|paths|patternProperties|properties|requestBodies|responses|schemas|"
    r"securityDefinitions|securitySchemes|webhooks"
)
# What stands below them is data, in which `$ref` is nothing but a key.
_DATA = frozenset({"const", "default", "enum", "example", "examples", "mapping", "value"})


def entries(value: object) -> Mapping[str, Any]:
    """Answer the entries of a JSON object; none of what isn't one."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """Answer the items of a JSON array; none of what isn't one."""
    return value if isinstance(value, list) else []


def step_to(name: str) -> str:
    """Answer a field's step in a JSONPath.

    >>> step_to("owner"), step_to("first name")
    ('.owner', "['first name']")
    """
    return f".{name}" if _PLAIN_NAME.fullmatch(name) else f"[{name!r}]"


def media_type(content_type: str) -> str:
    """Answer a content type without its parameters.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


def look_up(root: Mapping[str, Any], pointer: str) -> Any:
    """Answer what a JSON Pointer names (RFC 6901, 6).

    Raises:
        LookupError: It names nothing.
    """
    node: Any = root
    tokens = unquote(pointer.removeprefix("#")).split("/")
    if tokens[0]:
        raise LookupError(pointer)
    for token in tokens[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and key.isascii() and key.isdigit():
            node = node[int(key)]
        else:
            node = entries(node)[key]
    return node


def escaped(key: str) -> str:
    """Answer a key as a step of a JSON Pointer (RFC 6901, 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def resolved(
    root: Mapping[str, Any], node: object, pointer: str = ""
) -> tuple[str, Mapping[str, Any]]:
    """Answer where a node stands once its references are followed, and what it is."""
    followed: set[str] = set()
    while isinstance(to := entries(node).get("$ref"), str) and to not in followed:
        followed.add(to)
        pointer, node = to, look_up(root, to)
    return pointer, entries(node)


def gap_in(root: Mapping[str, Any]) -> str | None:
    """Answer what the first reference that leads nowhere lacks; None where all can be followed."""
    for where, reference in _all_references(root):
        if not reference.startswith("#"):
            return (
                f"refers to another document: `$ref: {reference}` at {where}. "
                "Bundle all of them into one, `redocly bundle` does"
            )
        try:
            look_up(root, reference)
        except LookupError:
            return (
                f"has a reference to nothing: `$ref: {reference}` at {where}. "
                "Add what it names, or mend it"
            )
    return None


def _all_references(root: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield those of the document, and those of extensions that it refers to."""
    waiting, followed = [("#", root)], set()
    while waiting:
        start, node = waiting.pop()
        for where, reference in _references(node, start):
            yield where, reference
            if "/x-" in reference and reference not in followed:
                followed.add(reference)
                waiting.append((reference, look_up(root, reference)))


def _references(node: object, where: str, *, has_names: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each reference and its place; `has_names`: the node's keys are no keywords."""
    for index, item in enumerate(listed(node)):
        yield from _references(item, f"{where}/{index}")
    for key, value in entries(node).items():
        if has_names:
            yield from _references(value, f"{where}/{escaped(key)}")
        elif key == "$ref" and isinstance(value, str):
            yield where, value
        elif key not in _DATA and not key.startswith("x-"):
            yield from _references(
                value, f"{where}/{escaped(key)}", has_names=bool(_NAMED.fullmatch(key))
            )
