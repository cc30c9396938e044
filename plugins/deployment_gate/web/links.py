"""Where the links of pages lead: each is asked once, and an answer for any path is known."""

from __future__ import annotations

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

    def broken(self, page: SeenPage) -> list[str]:
        """What is wrong with the links of a page to its own site."""
        return [fault for fault in map(self._fault, self._asked(page.links)) if fault]

    def answers_anything(self) -> bool:
        """Whether a path that can't exist is answered with a page, as a catch-all does."""
        answer = self._client.get(f"/{uuid4().hex}")
        return answer.is_success and "html" in answer.headers.get("Content-Type", "")

    def _asked(self, links: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(links))[:MOST_LINKS]

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
            return f"its link {urlsplit(link).path} is answered {answer.status_code}"
        return None
