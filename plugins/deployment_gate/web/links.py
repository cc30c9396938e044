"""Where the links of pages lead: each is asked once, and an answer for any path is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

if TYPE_CHECKING:
    from deployment_gate.web.seen import SeenPage

MOST_LINKS = 50
"""Links of one page that are asked."""

_FIRST_REFUSAL = 400
_PRIVATE = {401, 403}
"""What asks who one is leads somewhere."""


class LinkStatus:
    """Asks where links lead.

    Args:
        client: Asks the web interface.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._faults: dict[str, str | None] = {}
        self._pages: dict[str, str] = {}
        self._answers_to_any: list[str] | None = None

    def broken(self, page: SeenPage) -> list[str]:
        """What is wrong with the links of a page to its own site."""
        return [fault for fault in map(self._fault, _asked(page.links)) if fault]

    def unclear(self, page: SeenPage) -> list[str]:
        """Whether links of a page are answered as any path is, so that their answers tell nothing.

        Where scripts make the pages, one answer serves for all of them. Pages that the environment
        names are visited by themselves, and need no telling.
        """
        named = {page.target.base_url + one.path for one in page.target.shown.values()}
        links = [link for link in _asked(page.links) if link not in named and _path(link) != "/"]
        alike = [link for link in links if self._fault(link) is None and self._is_as_any(link)]
        if not alike:
            return []
        told = f"{len(alike)} of its links, {_path(alike[0])} among them, are answered as any path"
        return [
            f"{told} is, one that can't exist too: whether they lead somewhere isn't known. Name "
            + "their pages under `web.pages`, with their headings"
        ]

    def answers_anything(self) -> bool:
        """Whether a path that can't exist is answered with a page, as a catch-all does."""
        return bool(self._to_any())

    def _is_as_any(self, link: str) -> bool:
        mine = self._pages.get(link)
        if mine is None:
            return False
        any_ = self._to_any()
        alike = {_without(_path(link), page) for page in any_}
        # Where even they differ, a number in each say, no comparison tells anything.
        return bool(any_) and (mine in alike or len(set(any_)) > 1)

    def _to_any(self) -> list[str]:
        """How two paths that can't exist are answered, where that is with a page."""
        if self._answers_to_any is None:
            paths = [f"/{uuid4().hex}" for _ in range(2)]
            answers = [(path, self._client.get(path)) for path in paths]
            pages = [_page(path, answer) for path, answer in answers]
            self._answers_to_any = [page for page in pages if page is not None]
        return self._answers_to_any

    def _fault(self, link: str) -> str | None:
        if link not in self._faults:
            self._faults[link] = self._ask(link)
        return self._faults[link]

    def _ask(self, link: str) -> str | None:
        try:
            answer = self._client.get(link, follow_redirects=False)
        except httpx.HTTPError as error:
            return f"its link {link} leads nowhere: {error}"
        if answer.status_code >= _FIRST_REFUSAL and answer.status_code not in _PRIVATE:
            return f"its link {_path(link)} is answered {answer.status_code}"
        page = _page(_path(link), answer)
        if page is not None:
            self._pages[link] = page
        return None


def _asked(links: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(links))[:MOST_LINKS]


def _path(link: str) -> str:
    return urlsplit(link).path or "/"


def _page(path: str, answer: httpx.Response) -> str | None:
    """The page that a path is answered with, without the path itself, which some repeat."""
    if not answer.is_success or "html" not in answer.headers.get("Content-Type", ""):
        return None
    return _without(path, answer.text)


def _without(path: str, page: str) -> str:
    return re.sub(rf"{re.escape(path)}(?![\w/.-])", "", page) if path != "/" else page
