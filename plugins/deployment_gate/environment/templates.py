"""Texts and JSON with places for values that are known later: `{{name}}`, as Hurl has them."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# place ::= "{{" NAME "}}"        with spaces around the name, if one likes
_LOOKS_LIKE_ONE = re.compile(r"\{\{.*?(?:\}\}|$)", re.DOTALL)
_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def is_name(text: str) -> bool:
    """Whether a place can have this name."""
    return _PLACE.fullmatch(f"{{{{{text}}}}}") is not None


def odd_places_in(template: object) -> Iterator[str]:
    """Yield what looks like a place and is none, at any depth.

    >>> list(odd_places_in("/orders/{{order-id}}/{{id}}"))
    ['{{order-id}}']
    """
    for text in _texts_in(template):
        yield from (one for one in _LOOKS_LIKE_ONE.findall(text) if not _PLACE.fullmatch(one))


def names_in(template: object) -> Iterator[str]:
    """Yield the names of all places, at any depth.

    >>> sorted(names_in({"title": "{{run}}", "tags": ["a {{ tag }}"]}))
    ['run', 'tag']
    """
    for text in _texts_in(template):
        yield from _PLACE.findall(text)


def _texts_in(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from _texts_in(key)
            yield from _texts_in(value)
    elif isinstance(template, list | tuple):
        for item in template:
            yield from _texts_in(item)


def fill_text(
    template: str, values: Mapping[str, object], *, quote: Callable[[str], str] = str
) -> str:
    """Put the values into a text.

    Args:
        template: The text with its places.
        values: What stands for each name.
        quote: What is done to each value first, URL-encoding say.

    Raises:
        KeyError: A name has no value.

    >>> fill_text("/policies/{{id}}", {"id": 7})
    '/policies/7'
    """
    return _PLACE.sub(lambda place: quote(str(values[place[1]])), template)


def fill(template: Any, values: Mapping[str, object]) -> Any:
    """Put the values into a JSON document; one that is nothing but a place keeps its type.

    Raises:
        KeyError: A name has no value.

    >>> fill({"id": "{{id}}", "title": "No. {{id}}"}, {"id": 7})
    {'id': 7, 'title': 'No. 7'}
    """
    if isinstance(template, str):
        whole = _PLACE.fullmatch(template)
        return values[whole[1]] if whole else fill_text(template, values)
    if isinstance(template, Mapping):
        return {str(fill(key, values)): fill(value, values) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(item, values) for item in template]
    return template
