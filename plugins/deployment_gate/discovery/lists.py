"""What an API keeps lists of, by its description, and as it answers strangers."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from deployment_gate.discovery.asking import Asker, Reply
from deployment_gate.discovery.description import Description
from deployment_gate.discovery.names import slug, unused
from deployment_gate.discovery.platform import ListFound
from deployment_gate.discovery.signing_in import answer_schema, properties_of
from deployment_gate.environment import JsonPath
from deployment_gate.openapi import Document, Operation
from deployment_gate.openapi.operations import Place, names_in
from deployment_gate.openapi.schemas import Schema
from deployment_gate.openapi.tree import entries, listed, step_to

MOST = 12
"""Lists that are looked at."""

_ITEMS = ("items", "results", "data", "rows", "records", "content", "entries", "value")
_TOTALS = ("total", "total_count", "totalCount", "count", "total_items", "totalElements")
_PAGES = ("page", "page_number", "pageNumber")
_OFFSETS = ("offset", "skip", "start")
_SIZES = ("per_page", "page_size", "pageSize", "perPage", "limit", "size")
IS_SEARCH = re.compile(r"search|find", re.IGNORECASE)
"""Paths by which something is looked for."""
_IDS = ("id", "uuid", "slug", "key", "name")
_ITEM_AT = ("data", "item", "result")
_IS_OF_OPERATORS = re.compile(
    r"_*(health|live|ready|heartbeat|version|info|metrics|status)", re.IGNORECASE
)
_NO_SUCH_UUID = "00000000-0000-4000-8000-000000000000"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PARAMETER = re.compile(r"\{[^{}]+\}")
REFUSED = frozenset({401, 403})
"""How strangers are kept out."""
_NOT_FOR_ALL = "403"
_LARGEST = 10_000


@dataclass(frozen=True, slots=True)
class Shape:
    """A list as it is described: its operation, where its items are, and what one item is."""

    operation: Operation
    items: str
    item: Schema


def lists_in(document: Document) -> list[Shape]:
    """Answer the described operations that answer lists, and can be asked as they are."""
    found = []
    for operation in document.operations:
        is_askable = operation.method == "GET" and not any(
            one.is_required for one in operation.parameters
        )
        is_search = IS_SEARCH.search(operation.path) is not None
        if is_askable and not is_search and (shape := shape_of(document, operation)):
            found.append(shape)
    return found[:MOST]


def shape_of(document: Document, operation: Operation) -> Shape | None:
    """Answer what an operation answers as a list; None where that is none."""
    schema = answer_schema(operation)
    if schema is None:
        return None
    if (item := _item_of(document, schema)) is not None:
        return Shape(operation, "$", item)
    arrays = {
        name: item
        for name, one in properties_of(document, schema).items()
        if (item := _item_of(document, one)) is not None
    }
    last = operation.path.rstrip("/").rpartition("/")[2]
    names = [name for name in (*_ITEMS, last) if name in arrays]
    names += list(arrays) if len(arrays) == 1 else []
    if not names or _IS_OF_OPERATORS.match(last):
        return None
    return Shape(operation, f"${step_to(names[0])}", arrays[names[0]])


def _item_of(document: Document, schema: Schema) -> Schema | None:
    """What an array has; None for what is none."""
    for branch in document.branches(schema):
        types = {str(kind) for part in branch for kind in _types(part)}
        if "array" in types:
            return next((part["items"] for part in branch if "items" in part), {})
    return None


def _types(part: Mapping[str, Any]) -> list[Any]:
    return [part.get("type"), *listed(part.get("type"))]


@dataclass(frozen=True, slots=True)
class ListsOf:
    """What an API keeps lists of.

    Attributes:
        asker: Asks it.
        description: What it says of itself.
    """

    asker: Asker
    description: Description

    def path_of(self, operation: Operation) -> str:
        """Answer where an operation is, below the API's address."""
        return self.description.prefix + operation.path

    def found(self, shape: Shape, reply: Reply | None, *, used: Container[str]) -> ListFound | str:
        """Answer a list as its answer to a stranger shows it, or why it can't be described.

        Args:
            shape: The list as it is described.
            reply: What a stranger was answered.
            used: The names that are used already.
        """
        path = self.path_of(shape.operation)
        if reply is None:
            return f"GET {path} was not answered"
        last = path.strip("/").rpartition("/")[2]
        found = ListFound(
            name=unused(slug(last, "list"), used),
            path=path,
            items=shape.items,
            is_public=reply.is_success,
            is_for_some=_NOT_FOR_ALL in shape.operation.answers,
        )
        item = _item_operation(self.description.document, shape.operation)
        if reply.status in REFUSED:
            return self._with_described_item(found, shape, item) if item else found
        items = items_in(reply, shape.items)
        if not reply.is_success or items is None:
            what = f" without {shape.items}" if reply.is_success else ""
            return f"GET {path} was answered {reply.status}{what}"
        found = replace(found, count=len(items))
        return self._with_seen_item(found, items, item) if item else found

    def _with_described_item(self, found: ListFound, shape: Shape, item: Operation) -> ListFound:
        document = self.description.document
        told = properties_of(document, shape.item)
        key = next((one for one in _keys(item) if one in told), None)
        parameter = next((one for one in item.parameters if one.where is Place.PATH), None)
        if key is None or parameter is None:
            return found
        parts = [part for way in document.branches(parameter.schema) for part in way]
        is_number = any("integer" in _types(part) for part in parts)
        is_uuid = any(part.get("format") == "uuid" for part in parts)
        return replace(
            found,
            item=self._place_of(item),
            id=f"${step_to(key)}",
            missing=_missing(is_number=is_number, is_uuid=is_uuid),
        )

    def _with_seen_item(self, found: ListFound, items: Sequence[Any], item: Operation) -> ListFound:
        """It with where an item is, where the first one is really there."""
        first = entries(items[0]) if items else {}
        key = next((one for one in _keys(item) if isinstance(first.get(one), str | int)), None)
        if key is None:
            return found
        id_ = first[key]
        address = _PARAMETER.sub(lambda _: quote(str(id_), safe=""), self.path_of(item))
        reply = self.asker.get(self.description.base_url + address)
        body = entries(reply.json) if reply and reply.is_success else {}
        at = "$" if body.get(key) == id_ else None
        for name in _ITEM_AT:
            if at is None and entries(body.get(name)).get(key) == id_:
                at = f"${step_to(name)}"
        if at is None:
            return found
        is_uuid = isinstance(id_, str) and _UUID.fullmatch(id_) is not None
        return replace(
            found,
            item=self._place_of(item),
            id=f"${step_to(key)}",
            item_at=at,
            missing=_missing(is_number=isinstance(id_, int), is_uuid=is_uuid),
        )

    def _place_of(self, item: Operation) -> str:
        return _PARAMETER.sub("{{id}}", self.path_of(item))


def _missing(*, is_number: bool, is_uuid: bool) -> str | None:
    """An id that there is none of; None where the usual one will do."""
    if is_number:
        return None
    return _NO_SUCH_UUID if is_uuid else "no-such-item"


def items_in(reply: Reply, path: str) -> list[Any] | None:
    """Answer the items in an answer; None where there is no list."""
    found = JsonPath(path).values(reply.json)
    return found[0] if found and isinstance(found[0], list) else None


def _item_operation(document: Document, of: Operation) -> Operation | None:
    """The operation that answers one item of a list."""
    start = of.path.rstrip("/")
    return next(
        (
            one
            for one in document.operations
            if one.method == "GET"
            and re.fullmatch(rf"{re.escape(start)}/\{{[^{{}}/]+\}}/?", one.path)
        ),
        None,
    )


def _keys(operation: Operation) -> list[str]:
    """What an item may be known by, the likeliest first."""
    name = names_in(operation.path)[-1]
    return [name, *_IDS]


def paging_of(document: Document, shapes: Sequence[Shape]) -> dict[str, Any]:
    """Answer how lists page, by the first one that is described as doing so."""
    for shape in shapes:
        parameters = {
            one.name: one for one in shape.operation.parameters if one.where is Place.QUERY
        }
        size = next((name for name in _SIZES if name in parameters), None)
        page = next((name for name in _PAGES if name in parameters), None)
        offset = next((name for name in _OFFSETS if name in parameters), None)
        if size is None or (page is None and offset is None):
            continue
        paging: dict[str, Any] = {"items": shape.items}
        told = properties_of(document, answer_schema(shape.operation))
        if total := next((name for name in _TOTALS if name in told), None):
            paging["total"] = f"${step_to(total)}"
        paging |= {"page": page} if page else {"offset": offset}
        paging["size"] = size
        for part in (one for way in document.branches(parameters[size].schema) for one in way):
            largest = part.get("maximum")
            if isinstance(largest, int) and 1 <= largest <= _LARGEST:
                paging["largest"] = largest
        return paging
    return {}
