"""Finds pages by following links from a start page, within a bound."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deployment_gate.environment import WebPage
from deployment_gate.web.findings import is_page
from deployment_gate.web.seen import SeenPage

if TYPE_CHECKING:
    from deployment_gate.web.visit import Visit
    from deployment_gate.web.visitor import Visitor


_SIGNS_OUT = re.compile(r"(?:log|sign)[-_]?(?:out|off)(?:[/.?]|$)", re.IGNORECASE)
"""What ends the session that all visits share, where a link does that."""


def find_pages(visitor: Visitor) -> list[Visit]:
    """Visit the start page, and each page that can be reached from it and that nobody named.

    Raises:
        SignInError: They are for who signed in, and nobody could.
        BrowserTroubleError: The browser failed, twice.
    """
    target = visitor.target
    section = target.finds
    if section is None:
        return []
    named = {page.path for page in target.shown.values()}
    known = {section.start}
    waiting = deque([section.start])
    visits: list[Visit] = []
    while waiting and len(visits) < section.at_most:
        path = waiting.popleft()
        visit = visitor.visit("found", WebPage(path=path), target.widest)
        visits.append(visit)
        for link in SeenPage(visit, target).links:
            parts = urlsplit(link.removeprefix(target.base_url))
            found = parts.path or "/"
            if parts.query:
                found += f"?{parts.query}"
            if found not in known and not _SIGNS_OUT.search(found):
                known.add(found)
                waiting.append(found)
    return [visit for visit in visits if visit.path not in named and is_page(visit)]
