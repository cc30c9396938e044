"""JSONPath (RFC 9535): which values of a JSON document a query selects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from deployment_gate.environment.variables import as_written

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

# The commonest form is read without the library, whose loading is a tenth of a short run.
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(0|[1-9][0-9]{0,8})\]|\[\*\]")
_PLAIN = re.compile(rf"\$(?:{_STEP.pattern})*")


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A query as it is written."""

    text: str

    @property
    def is_singular(self) -> bool:
        """Whether it can select one value at most (RFC 9535, 2.3.5.1)."""
        if _PLAIN.fullmatch(self.text):
            return "*" not in self.text
        return _compiled(self.text).singular_query()

    def values(self, document: object) -> list[Any]:
        """Answer all values that the query selects, in their order.

        >>> JsonPath("$.items[*].id").values({"items": [{"id": 1}, {"id": 2}]})
        [1, 2]
        """
        if not _PLAIN.fullmatch(self.text):
            return list(_compiled(self.text).find(_as_json(document)).values())
        nodes = [document]
        for step in _STEP.finditer(self.text):
            nodes = [child for node in nodes for child in _children(node, *step.groups())]
        return nodes

    def first(self, document: object) -> Any:
        """Answer the first value that the query selects, or None."""
        return next(iter(self.values(document)), None)

    def __str__(self) -> str:
        return self.text


def parse_jsonpath(text: str) -> JsonPath:
    """Read a query.

    Raises:
        ValueError: It isn't one.
    """
    if not _PLAIN.fullmatch(text):
        from jsonpath_rfc9535 import JSONPathError  # noqa: PLC0415  # see _PLAIN

        try:
            _compiled(text)
        except JSONPathError as error:
            raise ValueError(
                f"{as_written(text)} is no JSONPath: {error}. Write one such as $.items[0].id"
            ) from error
    return JsonPath(str(text))


@cache
def _compiled(text: str) -> JSONPathQuery:
    import jsonpath_rfc9535  # noqa: PLC0415  # see _PLAIN

    return jsonpath_rfc9535.compile(text)


def _children(node: object, name: str | None, index: str | None) -> list[Any]:
    """What one step selects: a member, an element, or all of them (RFC 9535, 2.3)."""
    if name is not None:
        return [node[name]] if isinstance(node, dict) and name in node else []
    if index is not None:
        is_there = isinstance(node, list) and int(index) < len(node)
        return [node[int(index)]] if isinstance(node, list) and is_there else []
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []


def _as_json(document: object) -> Any:
    """The library's type of JSON, which no checker can prove of what a network sent."""
    return document
