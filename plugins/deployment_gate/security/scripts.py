"""What pages and their scripts give away: their sources, and secrets that stand in them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from posixpath import dirname
from typing import TYPE_CHECKING

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import Base, is_there, told_head, unseen_of
from deployment_gate.security.page import read_page
from deployment_gate.security.rules import Looked, Rule, Unseen, curl_of
from deployment_gate.security.token_shapes import SHAPES, SHARED_SHAPES, Shape, tokens_in

if TYPE_CHECKING:
    import httpx

SOURCE_MAP = Rule(
    id="source-map-open",
    severity=FindingSeverity.LOW,
    title="A script's source map gives its sources to anybody",
    source="OWASP WSTG, WSTG-INFO-05; OWASP ASVS 5.0, 13.4.7",
    remedy="Keep source maps where only those who look for mistakes reach them, and have the "
    "bundler leave out the comment that names them ('hidden-source-map' in webpack).",
)
SECRET = Rule(
    id="secret-in-page",
    severity=FindingSeverity.CRITICAL,
    title="A page or what it loads holds a secret",
    source="OWASP WSTG, WSTG-INFO-05; OWASP ASVS 5.0, 13.3.1",
    remedy="Revoke it now: it is known. Have the server use it on behalf of its pages, in place "
    "of giving it to them, and look for it in the variables that the bundler fills in.",
)
SHARED_KEY = Rule(
    id="shared-key-in-page",
    severity=FindingSeverity.LOW,
    title="A page holds a key that must be bound to it",
    source="Google Cloud, best practices for managing API keys",
    remedy="See that the key works for this site's addresses and for the APIs in use alone, then "
    "accept the finding by a waiver.",
)

RULES = (SOURCE_MAP, SECRET, SHARED_KEY)

MOST_PAGES = 8
MOST_SCRIPTS = 40
"""Scripts and documents that are asked for."""

_NAMED_MAP = re.compile(r"^\s*(?://|/\*)[#@]\s*sourceMappingURL=([^\s*'\"]+)", re.MULTILINE)
_IMPORTED = re.compile(r"(?:\bfrom|\bimport)\s*\(?\s*[\"'`]([./][^\"'`$\s]*\.m?js)[\"'`]")
_CONFIGURES = re.compile(r"[\"'`]((?:[\w./-]*/)?[\w.-]*(?:config|settings|env)[\w.-]*\.json)[\"'`]")
_IS_SCRIPT = re.compile(r"\.(?:m?js|json)$")
_HASH = re.compile(r"(?<=[.-])(?=[\w-]*\d)[A-Za-z0-9_]{6,}(?=[.-])|\b[0-9a-f]{8,}\b")


@dataclass(frozen=True, slots=True)
class Source:
    """A page, a script, or a document that one of them names.

    Attributes:
        path: Its path.
        answer: What it was answered with.
    """

    path: str
    answer: httpx.Response


@dataclass(frozen=True, slots=True)
class Sources:
    """What the web interface's pages are made of, as a stranger gets it.

    Attributes:
        web: The web interface.
        pages: Its pages.
        scripts: Scripts of its own that they load, and documents that those name.
    """

    web: Base
    pages: tuple[Source, ...]
    scripts: tuple[Source, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that the scripts lie in."""
        folders = {f"{dirname(one.path).rstrip('/')}/" for one in self.scripts}
        return tuple(sorted(folders))


def read_sources(web: Base, paths: Iterable[str]) -> Sources:
    """Read pages and what they load from their own origin.

    Args:
        web: The web interface.
        paths: Its pages; those that nobody may see without signing in show nothing.

    Raises:
        Unseen: None of them is shown to a stranger.
    """
    answers = {path: web.ask(path) for path in list(dict.fromkeys(paths))[:MOST_PAGES]}
    pages = tuple(
        Source(path, answer)
        for path, answer in answers.items()
        if answer is not None and answer.is_success
    )
    if not pages:
        raise Unseen(
            "no page of the web interface was shown to a stranger, so neither were its scripts. "
            "Name one under `web.pages` that anybody may see, that to sign in say"
        )
    waiting = [named for page in pages for named in _loaded(page, web)]
    scripts: dict[str, Source | None] = {}
    while waiting and len(scripts) < MOST_SCRIPTS:
        url = waiting.pop(0)
        if url.path in scripts:
            continue
        answer = web.ask(url)
        source = Source(url.path, answer) if answer and is_there(answer, web, url.path) else None
        scripts[url.path] = source
        waiting += _named(source, web) if source else ()
    return Sources(web, pages, tuple(source for source in scripts.values() if source))


def _loaded(page: Source, web: Base) -> Iterator[httpx.URL]:
    """The addresses of a page's own scripts, and of the documents that it names."""
    at = page.answer.request.url
    for one in read_page(page.answer.text, str(at)).loaded:
        url = web.below(one.url, at=at)
        if url and (one.element == "script" or _IS_SCRIPT.search(url.path)):
            yield url
    yield from _named(page, web)


def _named(source: Source, web: Base) -> Iterator[httpx.URL]:
    """The addresses of scripts and documents that a text names."""
    text = source.answer.text
    for found in (*_IMPORTED.findall(text), *_CONFIGURES.findall(text)):
        if url := web.below(found, at=source.answer.request.url):
            yield url


def stable(path: str) -> str:
    """A path without the hash of its content, which is another one in each release.

    >>> stable("/assets/index-4f2a9c1b.js")
    '/assets/index-HASH.js'
    """
    folder, _, name = path.rpartition("/")
    return f"{folder}/{_HASH.sub('HASH', name)}"


def look_at_source_maps(sources: Sources) -> Looked:
    """See whether scripts name their source maps, and whether those are there."""
    web = sources.web
    seen = [
        (web.place(stable(path)), answer)
        for script in sources.scripts
        if (found := _map_of(script, web))
        for path, answer in [found]
    ]
    unseen = tuple(unseen_of([web]))
    if not seen:
        return Looked((), unseen)
    place, answer = seen[0]
    breach = SOURCE_MAP.found(
        f"{place} is there" + (f", and {len(seen) - 1} more" if len(seen) > 1 else ""),
        [place for place, _ in seen],
        exchange=told_head(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,), unseen)


def _map_of(script: Source, web: Base) -> tuple[str, httpx.Response] | None:
    """Where the map of a script is, and the answer that holds it; None where it has none."""
    headers = script.answer.headers
    named = _NAMED_MAP.findall(script.answer.text)
    name = headers.get("SourceMap") or headers.get("X-SourceMap") or (named[-1] if named else "")
    if not name:
        return None
    if name.startswith("data:"):
        return (script.path, script.answer) if _is_map(_data_of(name)) else None
    url = web.below(name, at=script.answer.request.url)
    answer = web.ask(url) if url else None
    if url is None or answer is None or not _is_map(answer.text):
        return None
    return (url.path, answer) if is_there(answer, web, url.path) else None


def _data_of(address: str) -> str:
    """The text of a data: address (RFC 2397) in base64."""
    _, _, content = address.partition("base64,")
    try:
        return base64.b64decode(content).decode(errors="replace")
    except binascii.Error:
        return ""


def _is_map(text: str) -> bool:
    """Whether a text is a source map (ECMA-426), with or without the line that keeps it inert."""
    try:
        content = json.loads(text.removeprefix(")]}'"))
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(content, dict)
        and "version" in content
        and ("mappings" in content or "sections" in content)
    )


def look_for_secrets(sources: Sources, keep_secret: Callable[[str], object]) -> Looked:
    """Look for secrets in pages and in what they load.

    Args:
        sources: Those.
        keep_secret: Takes each that was found, since no report may show it.
    """
    rules = ((SECRET, SHAPES), (SHARED_KEY, SHARED_SHAPES))
    found = [_look_for(sources, rule, shapes, keep_secret) for rule, shapes in rules]
    return sum(found, Looked((), tuple(unseen_of([sources.web]))))


def _look_for(
    sources: Sources, rule: Rule, shapes: tuple[Shape, ...], keep_secret: Callable[[str], object]
) -> Looked:
    seen = []
    for one in (*sources.pages, *sources.scripts):
        for token in tokens_in(one.answer.text, shapes):
            keep_secret(token.value)
            seen.append((sources.web.place(stable(one.path)), token.told, one.answer))
    if not seen:
        return Looked()
    told = dict.fromkeys(f"{what} in {place}" for place, what, _ in seen)
    answer = seen[0][2]
    breach = rule.found(
        ", ".join(told),
        [place for place, _, _ in seen],
        exchange=told_head(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))
