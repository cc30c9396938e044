"""One page of a list, as an answer has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment_gate.api.answers import MISSING, body_of, json_of, told

if TYPE_CHECKING:
    import httpx

    from deployment_gate.environment import JsonPath, Paging


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        answer: What came back, whatever it is.
        items_at: Where it has the items.
        paging: Where it says what it is a page of.
    """

    answer: httpx.Response
    items_at: JsonPath
    paging: Paging

    @property
    def items(self) -> list[Any]:
        """The items; an answer without them fails the check.

        Raises:
            AssertionError: It is no success, or has no list there.
        """
        found = self.items_at.values(json_of(self.answer))
        if not self.items_at.is_singular:
            return found
        if not found:
            raise AssertionError(f"{told(self.answer)} without {self.items_at}")
        if not isinstance(found[0], list):
            raise AssertionError(f"{told(self.answer)}: {self.items_at} is no list")  # noqa: TRY004
        return list(found[0])

    @property
    def total(self) -> int:
        """How many items there are in all, by the answer.

        Raises:
            AssertionError: It doesn't say.
        """
        total = self._number_in(self.paging.total)
        if total is None:
            raise AssertionError(f"{told(self.answer)} without a number in {self.paging.total}")
        return total

    @property
    def told_size(self) -> int | None:
        """How many items it has at most, by the answer; None where it doesn't say."""
        return self._number_in(self.paging.told_size)

    def _number_in(self, query: JsonPath | None) -> int | None:
        body = body_of(self.answer)
        value = query.first(body) if query and body is not MISSING else None
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
