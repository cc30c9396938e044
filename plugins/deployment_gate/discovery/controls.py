"""What a site answers where there is nothing: without that, no answer tells anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import uuid4

from deployment_gate.discovery.asking import Asker, Reply


class Controls:
    """How a site answers paths that can't exist.

    A single-page application answers any path with its start page, and some APIs any path with
    `{"ok": true}`: what is answered alike isn't there.
    """

    def __init__(self, replies: Sequence[Reply | None]) -> None:
        self._replies = [reply for reply in replies if reply is not None]

    @classmethod
    def of(cls, asker: Asker, base: str) -> Controls:
        """Ask two paths below a base that can't exist."""
        return cls(asker.get_all([f"{base}/{uuid4().hex}", f"{base}/api/{uuid4().hex}"]))

    @property
    def answers_pages(self) -> bool:
        """Whether any path is answered with a page."""
        return any(reply.is_success and reply.is_page for reply in self._replies)

    def is_like(self, reply: Reply) -> bool:
        """Whether a path is answered as any would be."""
        alike = [
            one
            for one in self._replies
            if one.status == reply.status and one.content_type == reply.content_type
        ]
        if not alike:
            return False
        if not reply.is_success:
            return True
        bodies = {_without_path(one) for one in alike}
        # Where even they differ, a number in each say, no comparison tells anything.
        return _without_path(reply) in bodies or len(bodies) > 1


def _without_path(reply: Reply) -> str:
    """A body without the path that was asked for, which some repeat."""
    path = urlsplit(reply.url).path
    return re.sub(rf"{re.escape(path)}(?![\w/.-])", "", reply.text) if path != "/" else reply.text
