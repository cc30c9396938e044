"""Where an API is searched, and a word that is found there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from deployment_gate.discovery.asking import Asker
from deployment_gate.discovery.description import Description
from deployment_gate.discovery.lists import IS_SEARCH, REFUSED, Shape, items_in, shape_of
from deployment_gate.discovery.platform import SearchFound
from deployment_gate.openapi import Document
from deployment_gate.openapi.operations import Place
from deployment_gate.openapi.tree import entries

_TERMS = ("q", "query", "search", "term", "keyword", "keywords")
_TITLES = ("title", "name", "label", "subject", "summary")
_WORD = re.compile(r"[^\W\d_]{4,}")
_ANY_WORD = "a"
_MOST_WORDS = 2


def find_search(asker: Asker, description: Description, words: Sequence[str]) -> SearchFound | None:
    """Answer where the API is searched, with a word that is found where one was.

    Args:
        asker: Searches.
        description: What the API says of itself.
        words: Words of things that there are.
    """
    for shape, parameter in _searches(description.document):
        path = description.prefix + shape.operation.path
        found = None
        for word in words[:_MOST_WORDS] or [_ANY_WORD]:
            reply = asker.get(f"{description.base_url}{path}?{parameter}={quote(word)}")
            items = items_in(reply, shape.items) if reply and reply.is_success else None
            if reply is None or (items is None and reply.status not in REFUSED):
                continue
            found = SearchFound(
                path=path, parameter=parameter, items=shape.items, finds=word if items else None
            )
            if items or reply.status in REFUSED:
                break
        if found:
            return found
    return None


def words_in(items: Sequence[Any]) -> Iterator[str]:
    """Yield a word of each of the first things in a list, by which a search should find it.

    >>> list(words_in([{"id": 1, "title": "On 42 umbrellas"}, {"id": 2}]))
    ['umbrellas']
    """
    for item in items[:3]:
        texts = [entries(item).get(key) for key in _TITLES]
        found = [_WORD.search(text) for text in texts if isinstance(text, str)]
        yield from [one[0] for one in found if one][:1]


def _searches(document: Document) -> Iterator[tuple[Shape, str]]:
    for operation in document.operations:
        if operation.method != "GET" or not IS_SEARCH.search(operation.path):
            continue
        required = {one.name for one in operation.parameters if one.is_required}
        queries = {one.name for one in operation.parameters if one.where is Place.QUERY}
        parameter = next((name for name in _TERMS if name in queries), None)
        if parameter and required <= {parameter} and (shape := shape_of(document, operation)):
            yield shape, parameter
