"""What an answer holds that no report may show, whoever asked for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_NAMES = re.compile(
    r"(?:token|secret|passw(?:or)?d|session(?:_?id)?|jwt|api_?key|otp)$", re.IGNORECASE
)
_SHORTEST = 16
"""Characters of a secret that a machine made up; what is shorter may be a word."""

LARGEST = 64 * 1024
"""Bytes of a body that is looked through: answers that hand out secrets are small."""


def secrets_in_answer(answer: httpx.Response) -> Iterator[str]:
    """The cookies that an answer sets, and what its JSON calls a token, a secret, a session."""
    yield from secrets_in(answer.headers.get_list("Set-Cookie"), answer.content)


def secrets_in(set_cookies: Iterable[str], content: bytes) -> Iterator[str]:
    """The same of an answer in parts.

    Args:
        set_cookies: The values of its Set-Cookie headers.
        content: Its body.
    """
    for cookie in set_cookies:
        value = cookie.partition(";")[0].partition("=")[2].strip().strip('"')
        if is_made_up(value):
            yield value
    if len(content) <= LARGEST and content[:1] in {b"{", b"["}:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            return
        yield from _named(body)


def names_a_secret(name: str) -> bool:
    """Whether what is called so is a token, a password, a session."""
    return _NAMES.search(name) is not None


def _named(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and names_a_secret(key) and is_made_up(item):
                yield item
            yield from _named(item)


def is_made_up(value: str) -> bool:
    """No sentence and no address, which may stand elsewhere for good reasons."""
    return len(value) >= _SHORTEST and not re.search(r"[\s/]", value[:_SHORTEST])
