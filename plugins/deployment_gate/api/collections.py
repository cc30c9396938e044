"""Lists of the API: their pages, their items, and items of the checks' own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin, urlsplit
from uuid import uuid4

import httpx

from deployment_gate.api.answers import (
    MISSING,
    body_of,
    json_of,
    read_source,
    same,
    shown,
    told,
    with_query,
)
from deployment_gate.api.pages import Page
from deployment_gate.environment import Part, fill, fill_text

if TYPE_CHECKING:
    from deployment_gate.environment import ApiTarget, Collection, Paging


_USUAL_SIZE = 100
"""Items of a page that are asked for where the file doesn't say how many there may be."""

_WALKED = 20
"""Pages that are asked for, one after another, to count what is on them."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item that a check made.

    Attributes:
        id: What it is asked for by.
        draft: What it was made of.
        answer: What came back when it was made.
    """

    id: Any
    draft: Any
    answer: httpx.Response

    @property
    def etag(self) -> str:
        """The version that the answer names.

        Raises:
            AssertionError: It names none.
        """
        etag: str | None = self.answer.headers.get("ETag")
        if not etag:
            raise AssertionError(f"{told(self.answer)} without an ETag")
        return etag


class Listing:
    """A list of the API, as its environment describes it.

    Attributes:
        name: Its name in the environment file.
        section: What the file says of it.
        paging: How it pages.
    """

    def __init__(
        self,
        name: str,
        api: ApiTarget,
        client: Callable[[str | None], httpx.Client],
        *,
        values: Mapping[str, object],
    ) -> None:
        self._values = values
        self.name = name
        self.section: Collection = api.collections[name]
        self.paging: Paging = api.paging
        self._reader = api.reader_of(self.section)
        self._client = client

    @property
    def path(self) -> str:
        """Where it is."""
        return self.section.path

    @property
    def reader(self) -> httpx.Client:
        """The client of who reads it."""
        return self._client(self._reader)

    @property
    def writer(self) -> httpx.Client:
        """The client of who makes, changes and removes items."""
        return self._client(self.section.writer)

    def page(
        self,
        number: int | str = 1,
        *,
        size: int | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Page:
        """A page by its number, from 1, as many items as `size` says on each.

        Args:
            number: Which page; what is no number is sent as it is.
            size: How many items a page has; None leaves that to the API.
            query: Further query parameters.
        """
        asked: dict[str, Any] = dict(query or {})
        if size is not None and self.paging.size:
            asked[self.paging.size] = size
        if self.paging.page and number != 1:
            asked[self.paging.page] = number
        elif self.paging.offset and number != 1:
            passed_over = (number - 1) * (size or 1) if isinstance(number, int) else number
            asked[self.paging.offset] = passed_over
        return self._read(self.path, asked)

    def pages(self, *, size: int, at_most: int) -> Iterator[Page]:
        """The pages one after another, by whatever way there is to the next one.

        Args:
            size: How many items a page has.
            at_most: How many pages are asked for at the most.
        """
        page = self.page(size=size)
        for number in range(2, at_most + 2):
            yield page
            if number > at_most or not page.items:
                return
            if self.paging.next is None:
                page = self.page(number, size=size)
                continue
            following = self._next(page, size)
            if following is None:
                return
            page = following

    def count(self) -> tuple[int, int]:
        """How many items there are in all: by the first answer, and counted.

        A long list isn't walked through: its last page tells, and the one after it. Where pages
        have no numbers, both figures end where the walk does.
        """
        size = self.paging.largest or _USUAL_SIZE
        total = self.page(size=size).total
        if self.paging.is_numbered and total >= size * _WALKED:
            last = -(-total // size)
            ends = [len(self.page(number, size=size).items) for number in (last, last + 1)]
            return total, (last - 1) * size + sum(ends)
        # One more than the total needs: it may be too low.
        pages = [len(page.items) for page in self.pages(size=size, at_most=_WALKED + 1)]
        is_whole = len(pages) <= _WALKED or pages[-1] == 0
        return total if is_whole else min(total, sum(pages)), sum(pages)

    def same(self, one: Any, other: Any) -> bool:
        """Whether two answers tell the same of an item, but for what differs each time."""
        return same(self._lasting(one), self._lasting(other))

    def _lasting(self, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        return {key: value for key, value in item.items() if key not in self.section.volatile}

    def get(self, id_: object, *, client: httpx.Client | None = None) -> httpx.Response:
        """Ask for the item with an id, as who reads or with another client."""
        return (client or self.reader).get(self.address_of(id_))

    def page_in(self, answer: httpx.Response) -> Page:
        """The page that an answer is."""
        return Page(answer, self.section.items or self.paging.items, self.paging)

    def item_in(self, answer: httpx.Response) -> Any:
        """The item in the answer with one.

        Raises:
            AssertionError: There is none.
        """
        found = self.section.item_at.values(json_of(answer))
        if not found:
            raise AssertionError(f"{told(answer)} without {self.section.item_at}")
        return found[0]

    def address_of(self, id_: object) -> str:
        """The path of the item with an id.

        Raises:
            AssertionError: The file doesn't say where items are.
        """
        if not self.section.item:
            raise AssertionError(f"`api.collections.{self.name}` says no `item`; write one")
        return fill_text(self.section.item, {"id": id_}, quote=lambda text: quote(text, safe=""))

    def id_of(self, item: object) -> Any:
        """The id of an item.

        Raises:
            AssertionError: It has none.
        """
        id_ = self.section.id.first(item)
        if id_ is None:
            raise AssertionError(f"an item of {self.name} has no id in {self.section.id}")
        return id_

    def draft(self, **changes: object) -> Any:
        """What an item is made of, as the file says, with a value of its own for {{run}}."""
        return _merged(fill(self.section.draft, self._own_values()), changes)

    def _own_values(self) -> dict[str, object]:
        return {**self._values, "run": f"v{uuid4().hex[:12]}"}

    def make(self, **changes: object) -> Item:
        """Make an item; the check that does removes it again.

        Args:
            changes: What is different from the file's draft.

        Raises:
            AssertionError: It could not be made.
        """
        draft = self.draft(**changes)
        made = f"{self.path} may have got an item that is not removed, made of {shown(draft)}"
        try:
            answer = self.writer.post(self.path, json=draft)
        except httpx.HTTPError as error:
            raise AssertionError(f"{error}; {made}. See to it by hand") from error
        if not answer.is_success:
            raise AssertionError(f"{told(answer)}: {self.name} can't be made")
        id_ = self._id_in(answer)
        if id_ is None:
            raise AssertionError(f"{told(answer)} without an id; {made}. See to it by hand")
        return Item(id_, draft, answer)

    def remove_made_by(self, answer: httpx.Response) -> None:
        """Remove what an answer says was made; nothing where it says nothing of that."""
        id_ = self._id_in(answer) if answer.is_success else None
        if id_ is not None:
            self.remove(id_)

    def _id_in(self, answer: httpx.Response) -> Any:
        """The id of what was made, by the answer's body or by the address that it names."""
        body = body_of(answer)
        item = None if body is MISSING else self.section.item_at.first(body)
        id_ = None if item is None else self.section.id.first(item)
        if id_ is None and self.section.item and "Location" in answer.headers:
            # RFC 9110, 10.2.2: it names what was made.
            before, after = re.split(r"\{\{\s*id\s*\}\}", self.section.item, maxsplit=1)
            path = urlsplit(answer.headers["Location"]).path
            found = re.search(rf"{re.escape(before)}([^/]+){re.escape(after)}$", path)
            id_ = unquote(found[1]) if found else None
        return id_

    def change(self, item: Item, *, etag: str | None = None, **changes: object) -> httpx.Response:
        """Replace an item by its draft with changes.

        Args:
            item: Which one.
            etag: The version that is meant; None for whichever there is.
            changes: What is different from its draft.
        """
        headers = {} if etag is None else {"If-Match": etag}
        change = fill(self.section.change or {}, self._own_values())
        body = _merged(item.draft, {**change, **changes})
        return self.writer.put(self.address_of(item.id), json=body, headers=headers)

    def remove(self, id_: object) -> httpx.Response:
        """Remove the item with an id."""
        return self.writer.delete(self.address_of(id_))

    def _read(self, address: str, query: Mapping[str, Any]) -> Page:
        return self.page_in(self.reader.get(with_query(address, query)))

    def _next(self, page: Page, size: int) -> Page | None:
        source = self.paging.next
        assert source is not None
        if source.part is Part.HEADER and source.name.lower() == "link":
            # RFC 8288: the address stands in angle brackets.
            value: Any = page.answer.links.get("next", {}).get("url")
        else:
            value = read_source(source, page.answer)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise AssertionError(  # noqa: TRY004  # of the API, not of the caller
                f"{told(page.answer)}: {source} is no address and no cursor"
            )
        if self.paging.cursor:
            asked = {self.paging.size: size} if self.paging.size else {}
            return self._read(self.path, {**asked, self.paging.cursor: value})
        return self._read(self._on_this_host(str(value), page), {})

    def _on_this_host(self, address: str, page: Page) -> str:
        """An address of the API; the token goes nowhere else."""
        here = str(page.answer.request.url)
        whole = urljoin(here, address)
        if urlsplit(whole)[:2] != urlsplit(here)[:2]:
            raise AssertionError(f"{self.name}: the next page is elsewhere, at {whole}")
        return whole


def _merged(draft: Any, changes: Mapping[str, object]) -> Any:
    return {**draft, **changes} if isinstance(draft, dict) else draft
