"""A page's source: what it loads, what it states of itself, and its texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

LARGEST = 1_000_000
"""Characters of a page that are read; what counts stands at its beginning."""

# Attributes that name what a browser loads by itself, and whether that may run or paint anything.
_ACTIVE = {
    "script": "src",
    "iframe": "src",
    "frame": "src",
    "embed": "src",
    "object": "data",
}
_PASSIVE = {"img": "src", "audio": "src", "video": "src", "source": "src", "track": "src"}
_LOADED_LINKS = frozenset({"stylesheet", "preload", "modulepreload", "icon", "manifest"})

# Numbers of drawings, which look like addresses where they stand close together.
_DRAWINGS = frozenset({"d", "points", "viewbox", "transform", "values", "style"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """Something that a page loads.

    Attributes:
        element: The name of the element that loads it.
        url: Where from, as a whole address.
        integrity: The hash that it must have; "" where none is demanded.
        is_active: Whether it may run, or change the page: a script, a frame, a style sheet.
    """

    element: str
    url: str
    integrity: str
    is_active: bool


@dataclass(slots=True)
class PageSource:
    """What stands in a page.

    Attributes:
        loaded: What it loads.
        policies: The content security policies that it states.
        referrer: The referrer policy that it states last; "" where there is none.
        texts: Its texts, comments, scripts and attributes, those of drawings left out.
    """

    loaded: list[Loaded] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    referrer: str = ""
    texts: list[str] = field(default_factory=list)


def read_page(source: str, url: str) -> PageSource:
    """Read a page; what isn't HTML has no elements.

    Args:
        source: Its HTML.
        url: Where it was found.
    """
    reader = _Reader(url)
    reader.feed(source[:LARGEST])
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = PageSource()
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element."""
        given = {name: value or "" for name, value in reversed(attrs)}
        self.page.texts += [value for name, value in given.items() if name not in _DRAWINGS]
        if tag == "base" and "href" in given:
            self._base = self._whole(given["href"])
        elif tag == "meta":
            self._take_meta(given)
        elif tag == "link":
            relations = set(given.get("rel", "").lower().split())
            if relations & _LOADED_LINKS and "href" in given:
                self._take(tag, given["href"], given, is_active="icon" not in relations)
        elif tag in _ACTIVE and given.get(_ACTIVE[tag]):
            self._take(tag, given[_ACTIVE[tag]], given, is_active=True)
        elif tag in _PASSIVE and given.get(_PASSIVE[tag]):
            self._take(tag, given[_PASSIVE[tag]], given, is_active=False)

    def handle_data(self, data: str) -> None:
        """Take a text, or what stands in a script."""
        self.page.texts.append(data)

    def handle_comment(self, data: str) -> None:
        """Take a comment."""
        self.page.texts.append(data)

    def parse_html_declaration(self, i: int) -> int:
        """Take a declaration; one that there is none of is a comment, as browsers have it."""
        try:
            return super().parse_html_declaration(i)
        except AssertionError:  # what html.parser says of an unknown `<![...`
            return self.parse_bogus_comment(i)

    def _take(self, tag: str, address: str, given: dict[str, str], *, is_active: bool) -> None:
        integrity = given.get("integrity", "")
        self.page.loaded.append(Loaded(tag, self._whole(address), integrity, is_active))

    def _take_meta(self, given: dict[str, str]) -> None:
        content = given.get("content", "")
        if given.get("http-equiv", "").lower() == "content-security-policy":
            self.page.policies.append(content)
        elif given.get("name", "").lower() == "referrer":
            self.page.referrer = content

    def _whole(self, address: str) -> str:
        """As a whole address; as it stands where it can't be one."""
        try:
            return urljoin(self._base, address.strip())
        except ValueError:
            return address
