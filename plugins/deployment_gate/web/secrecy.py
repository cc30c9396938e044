"""What a browser's session holds that no report may show."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from playwright.sync_api import BrowserContext, Error, Locator, Page, Request

from deployment_gate.probes.secrecy import LARGEST, is_made_up, names_a_secret, secrets_in

SHORTEST = 4
"""Characters from which what is called a password counts as one; less would take every word."""

_SHORTEST_NAMED = 8
"""The same for a parameter or a cookie that is called a token."""

_SHORTEST_COOKIE = 16

_CREDENTIAL_HEADERS = re.compile(
    r"(?:proxy-)?authorization$|x-.*(?:key|token|secret|session)$|.*(?:csrf|xsrf|api-?key)",
    re.IGNORECASE,
)

# RFC 6749 and OpenID Connect: what a sign-in passes along in addresses; signatures of links.
_PARAMETERS = {"code", "ticket", "assertion", "samlresponse", "sig", "signature", "auth"}

_PATIENCE_MS = 2000
"""How long a page may be busy before its storage counts as out of reach."""

_TURNS = 20
"""Questions to the browser in which a listener must have had its few answers."""

# Pages without an origin refuse to be asked.
_STORAGE = """() => ['localStorage', 'sessionStorage'].flatMap(
    name => { try { return Object.entries(window[name]) } catch { return [] } })"""
_HELD = """fields => fields.map(field => [
    /^password$/i.test(field.type) || /-password$/i.test(field.autocomplete || ''),
    field.name || '', field.value || field.content || ''])"""
_SHOWN = """elements => {
const numbers = new Map(elements.map((element, number) => [element, number]));
return elements.map(element => {
    const own = [...element.childNodes].filter(node => node.nodeType === 3);
    const texts = own.map(node => node.data).join('');
    const whole = element.textContent.length <= 4096 ? element.textContent : '';
    const unseen = ['hidden', 'password'].includes(element.type);
    const value = typeof element.value === 'string' && !unseen ? element.value : '';
    const parent = numbers.get(element.parentElement) ?? -1;
    return [parent, texts, whole, value, element.getAttribute('placeholder') || ''];
})}"""


class SecretWatch:
    """Collects what a browser context's traffic, storage and fields hold of secrets.

    Playwright runs each listener as a fiber of its own, so one that asks the browser for a body
    holds up nobody. It has to be asked soon: the browser forgets bodies with their page. Only
    what is complete is asked for, since the rest of an answer may never come.
    """

    def __init__(self, context: BrowserContext, keep: Callable[[str], None]) -> None:
        self._context = context
        self._keep = keep
        self._being_read = 0
        context.on("request", self._see)
        context.on("requestfinished", self._read)

    def collect(self) -> None:
        """Keep what is still on its way, and what pages hold; to be called before any writing.

        What is out of reach by now is passed over.
        """
        for page in self._context.pages:
            for secret in secrets_in_storage(page):
                self._keep(secret)
        for _ in range(_TURNS):
            if not self._being_read:
                return
            # A question to the browser lets the fibers have their answers, which came before.
            try:
                self._context.cookies()
            except Error:
                return

    def _see(self, request: Request) -> None:
        for secret in secrets_in_request(request.url, request.headers.items()):
            self._keep(secret)
        for secret in secrets_in_body(request.post_data or ""):
            self._keep(secret)

    def _read(self, request: Request) -> None:
        self._being_read += 1
        try:
            for secret in _secrets_in_exchange(request):
                self._keep(secret)
        finally:
            self._being_read -= 1


def watch_secrets(context: BrowserContext, keep: Callable[[str], None]) -> SecretWatch:
    """Have every secret of this context kept, from now on.

    Args:
        context: A fresh one; what it has seen before is not looked at.
        keep: Takes each secret; `Redactor.add`, for instance.
    """
    return SecretWatch(context, keep)


def secrets_in_storage(page: Page) -> Iterator[str]:
    """What a page keeps between requests, and what its fields for passwords and tokens hold."""
    try:
        cookies = page.context.cookies()
    except Error:
        cookies = []
    for cookie in cookies:
        yield from _cookie(cookie.get("name", ""), cookie.get("value", ""))
    for frame in page.frames:
        for key, value in _asked(frame.locator("html"), _STORAGE):
            yield from _stored(key, value)
    # Only a page that has just answered is asked for more: this has no time limit of its own.
    for frame in page.frames:
        if _asked(frame.locator("html"), "() => [1]"):
            with contextlib.suppress(Error):
                for is_password, name, value in frame.locator("input, meta").evaluate_all(_HELD):
                    if len(value) >= (SHORTEST if is_password else _SHORTEST_NAMED) and (
                        is_password or names_a_secret(name)
                    ):
                        yield value


def secrets_in_request(url: str, headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The credentials in a request's address and headers; Set-Cookie of an answer as well."""
    yield from _parameters(url)
    for name, value in headers:
        lower = name.lower()
        if lower == "cookie":
            for cookie in value.split(";"):
                own, _, held = cookie.strip().partition("=")
                yield from _cookie(own, held)
        elif lower == "set-cookie":
            for line in value.split("\n"):
                own, _, held = line.partition(";")[0].strip().partition("=")
                yield from _cookie(own, held)
        elif lower in {"referer", "location"}:
            yield from _parameters(value)
        elif is_credential_header(lower):
            yield from _credentials(value)


def secrets_in_body(text: str) -> Iterator[str]:
    """What a request's body calls a password or a token, as a form or as JSON."""
    if len(text) > LARGEST:
        return
    try:
        pairs = list(_leaves(json.loads(text)))
    except (ValueError, RecursionError):
        pairs = parse_qsl(text) if "=" in text and "\n" not in text else []
    yield from (held for name, held in pairs if names_a_secret(name) and len(held) >= SHORTEST)


def is_credential_header(name: str) -> bool:
    """Whether a header of this name proves who asks; cookies are their own matter."""
    return _CREDENTIAL_HEADERS.match(name) is not None


def is_credential_parameter(name: str) -> bool:
    """Whether an address's parameter of this name holds a secret."""
    return names_a_secret(name) or name.lower() in _PARAMETERS


def places_of_secrets(page: Page, redact: Callable[[str], str]) -> list[Locator]:
    """The innermost elements that show a secret, for a screenshot's `mask`.

    Args:
        page: As it is to be photographed.
        redact: Knows the secrets.
    """
    places = []
    for frame in page.frames:
        every = frame.locator("*")
        try:
            shown: Sequence[Sequence[Any]] = every.evaluate_all(_SHOWN)
        except Error:
            continue
        showing = {
            number
            for number, (_, *texts) in enumerate(shown)
            if any(len(text) >= SHORTEST and redact(text) != text for text in texts)
        }
        outer = {shown[number][0] for number in showing}
        own = {
            number
            for number in showing
            if any(redact(text) != text for text in (shown[number][1], *shown[number][3:]))
        }
        places += [every.nth(number) for number in sorted((showing - outer) | own)]
    return places


def _secrets_in_exchange(request: Request) -> Iterator[str]:
    """What has to be asked of the browser: bodies, which it soon forgets, and cookies."""
    answer = request.existing_response
    # Redirects have no body, and pages that are closed have nothing.
    with contextlib.suppress(Error, ValueError):
        if answer is not None and "json" in answer.headers.get("content-type", ""):
            length = int(answer.headers.get("content-length", "0"))
            yield from secrets_in([], answer.body() if length <= LARGEST else b"")
    with contextlib.suppress(Error):
        yield from secrets_in_request(request.url, request.all_headers().items())
    with contextlib.suppress(Error):
        if answer is not None:
            yield from secrets_in_request(answer.url, answer.all_headers().items())


def _asked(place: Locator, script: str) -> list[Any]:
    """What a page's script finds; nothing where the page is gone or too busy to say."""
    try:
        found = place.evaluate(script, timeout=_PATIENCE_MS)
    except Error:
        return []
    return list(found)


def _parameters(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    for text in (parts.query, parts.fragment.partition("?")[2] or parts.fragment):
        for name, value in parse_qsl(text):
            if is_credential_parameter(name) and len(value) >= _SHORTEST_NAMED:
                yield value
    if parts.password:
        yield unquote(parts.password)


def _credentials(value: str) -> Iterator[str]:
    """RFC 9110, 11.4: a scheme and what goes with it; or the value alone."""
    scheme, _, token = value.strip().partition(" ")
    token = token.strip() or scheme
    if len(token) >= SHORTEST:
        yield token
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(token).decode()
        except (binascii.Error, ValueError):
            return
        password = decoded.partition(":")[2]
        if len(password) >= SHORTEST:
            yield password


def _cookie(name: str, value: str) -> Iterator[str]:
    value = value.strip().strip('"')
    named = is_credential_parameter(name) and len(value) >= _SHORTEST_NAMED
    if named or (len(value) >= _SHORTEST_COOKIE and not re.search(r"\s", value)):
        yield value
        if unquote(value) != value:
            yield unquote(value)


def _stored(key: str, value: str) -> Iterator[str]:
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        held = value
    pairs = _leaves(held) if isinstance(held, dict | list) else [(key, value.strip('"'))]
    for name, leaf in pairs:
        if leaf[:1] in {"{", "["} and leaf != value:
            yield from _stored(name, leaf)
        elif (names_a_secret(name) and len(leaf) >= _SHORTEST_NAMED) or (
            is_made_up(leaf) and re.search(r"[0-9]", leaf) and re.search(r"[A-Za-z]", leaf)
        ):
            yield leaf


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text in it, with the nearest name above."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield name, str(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
