"""JSONPath (RFC 9535): which values of a JSON document a query selects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from deployment_gate.environment.variables import as_written

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

# The commonest form, which is known to be valid without loading the library: a tenth of a second.
_PLAIN = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]{1,9}\]|\[\*\])*")


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A query as it is written."""

    text: str

    @property
    def is_singular(self) -> bool:
        """Whether it can select one value at most (RFC 9535, 2.3.5.1)."""
        return _compiled(self.text).singular_query()

    def values(self, document: object) -> list[Any]:
        """Answer all values that the query selects, in their order.

        >>> JsonPath("$.items[*].id").values({"items": [{"id": 1}, {"id": 2}]})
        [1, 2]
        """
        return list(_compiled(self.text).find(_plain(document)).values())

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


def _plain(document: object) -> Any:
    """The library's type of JSON, which no checker can prove of what a network sent."""
    return document
