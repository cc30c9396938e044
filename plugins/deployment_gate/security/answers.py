"""Answers of every kind that the platform gives: pages, data, refusals, mistakes, redirects.

Each is asked for once and shared by all that look at headers: it is the rarer ones, of proxies and
error handlers, from which headers are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from deployment_gate.environment import Part, fill_text
from deployment_gate.errors import GateError
from deployment_gate.security.csp import Policy, parse_meta, parse_policies
from deployment_gate.security.page import PageSource, read_page
from deployment_gate.security.rules import Breach, Rule, curl_of, told_exchange

if TYPE_CHECKING:
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import ApiTarget, Collection, WebTarget
    from deployment_gate.evidence import FindingSeverity

MOST_PAGES = 8
"""Pages that are asked for; those that anybody may see come first."""

_NO_ID = "not-an-id"

_WORTH_NOTING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR)


class Kind(StrEnum):
    """What is asked for."""

    PAGE = "a page"
    DATA = "data"
    SIGN_IN = "a sign-in"
    STRANGER = "something private, without a token"
    NOWHERE = "a path that there is none of"
    MISTAKE = "an id or a size that can't be"
    SLASH = "a path with a slash too many"
    METHOD = "a method that isn't served"
    PROVOKED = "what another check provoked"


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer, and what it is to.

    Attributes:
        kind: What was asked for.
        place: Where it came from, in words that don't differ from run to run.
        response: The answer itself.
        is_private: Whether it is for one who signed in, and nobody else's.
    """

    kind: Kind
    place: str
    response: httpx.Response
    is_private: bool = False

    @property
    def is_html(self) -> bool:
        """Whether a browser shows it as a page."""
        told = self.response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return not self.response.has_redirect_location and told in {
            "text/html",
            "application/xhtml+xml",
        }

    @property
    def has_content(self) -> bool:
        """Whether anything comes with it that a browser would read."""
        empty = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        return self.response.status_code not in empty and not self.response.has_redirect_location

    @property
    def is_https(self) -> bool:
        """Whether it came over TLS."""
        return self.response.url.scheme == "https"

    @cached_property
    def page(self) -> PageSource:
        """What stands in it, where it is a page."""
        if not self.is_html:
            return PageSource()
        return read_page(self.response.text, str(self.response.url))

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The content security policies that a browser keeps to: of its headers and of its page."""
        headers = self.response.headers.get_list("Content-Security-Policy")
        return parse_policies(headers) + parse_meta(self.page.policies)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered.

    Attributes:
        seen: The answers.
        unseen: What could not be asked for, and why, a sentence each.
    """

    seen: tuple[Answer, ...] = ()
    unseen: tuple[str, ...] = ()

    def __add__(self, other: Answers) -> Answers:
        return Answers(self.seen + other.seen, self.unseen + other.unseen)

    @property
    def pages(self) -> tuple[Answer, ...]:
        """Those that a browser shows, errors among them."""
        return tuple(one for one in self.seen if one.is_html)

    @property
    def front(self) -> Answer | None:
        """The page that stands for the web interface: the first that was shown to a stranger."""
        return next((one for one in self.pages if one.kind is Kind.PAGE and _is_fine(one)), None)

    @property
    def unseen_pages(self) -> tuple[str, ...]:
        """Why nothing is known of pages, where no stranger is shown one."""
        if self.front:
            return ()
        why = (
            "no page of the web interface was shown to a stranger. Name one that is, with "
            "`public: true`, under `web.pages`"
        )
        return (why,)

    def told(self) -> str:
        """What was asked for and how it was answered, a line each."""
        lines = [f"{one.place}: {one.response.status_code}, {one.kind}" for one in self.seen]
        met = {one.response.status_code for one in self.seen}
        lines += [f"not met: an answer {int(one)}" for one in _WORTH_NOTING if one not in met]
        return "\n".join([*lines, *(f"not asked: {why}" for why in self.unseen)])


def _is_fine(answer: Answer) -> bool:
    return answer.response.is_success


def is_trustworthy(url: str) -> bool:
    """Whether nobody can listen in: TLS, or never leaving this machine.

    By Secure Contexts (W3C), 3.1: loopback is potentially trustworthy without TLS.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def ask_web(web: WebTarget, client: httpx.Client) -> Answers:
    """What the web interface answers to a stranger.

    Args:
        web: What the environment says of it.
        client: Asks below its address.
    """
    pages = sorted(web.shown.values(), key=lambda page: not page.public)
    paths = list(dict.fromkeys(page.path.partition("?")[0] for page in pages))[:MOST_PAGES]
    asking = _Asking("web", client)
    seen = [asking.get(Kind.PAGE, path) for path in paths]
    return Answers((*seen, asking.get_nothing()))


def ask_api(
    api: ApiTarget, sessions: Sessions, *, is_public: Callable[[str], bool] = lambda _: False
) -> Answers:
    """What the API answers to strangers and to one who signed in.

    Args:
        api: What the environment says of it.
        sessions: Who is signed in.
        is_public: Whether anybody may see a path.
    """
    stranger = _Asking("api", sessions.stranger)
    path, identity = data_of(api)
    unseen = []
    seen: list[Answer] = []
    try:
        reader = _Asking("api", sessions.client(identity))
        is_private = identity is not None and not is_public(path)
        seen.append(reader.get(Kind.DATA, path, is_private=is_private))
        seen += _sign_in(api, sessions)
    except GateError as error:
        unseen.append(f"what one who signed in is answered: {error}")
        reader = stranger
    seen += _mistakes(api, reader, path)
    if api.private_path:
        seen.append(stranger.get(Kind.STRANGER, api.private_path))
    seen.append(stranger.get_nothing())
    if unread := _path_without_get(api):
        seen.append(stranger.get(Kind.METHOD, unread))
    return Answers(tuple(seen), tuple(unseen))


def provoked(base: str, response: httpx.Response) -> Answers:
    """An answer that another check met: one of 429 or 5xx, which nobody asks for on purpose.

    Args:
        base: `api` or `web`.
        response: The answer; others than these are none to note.
    """
    status = response.status_code
    if status != HTTPStatus.TOO_MANY_REQUESTS and not response.is_server_error:
        return Answers()
    place = f"{base} {response.request.method} {response.url.path} ({status})"
    return Answers((Answer(Kind.PROVOKED, place, response),))


def breach_at(
    rule: Rule, detail: str, at: Iterable[Answer], *, severity: FindingSeverity | None = None
) -> Breach:
    """One breach for all answers that break a rule, with the first of them to show for it."""
    answers = list(at)
    first = answers[0].response
    return rule.found(
        detail,
        [one.place for one in answers],
        exchange=told_exchange(first),
        curl=curl_of(first.request),
        severity=severity,
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks by a client, and says where an answer came from."""

    base: str
    client: httpx.Client

    def get(self, kind: Kind, path: str, *, shown: str = "", is_private: bool = False) -> Answer:
        """Ask for a path; `shown` is what it is called where it differs from run to run."""
        response = self.client.get(path)
        return named(kind, self.base, shown or path, response, is_private=is_private)

    def get_nothing(self) -> Answer:
        return self.get(Kind.NOWHERE, f"/deployment-gate-{uuid4().hex}", shown="/RANDOM")


def named(
    kind: Kind, base: str, path: str, response: httpx.Response, *, is_private: bool = False
) -> Answer:
    """An answer with its place: base, method, path, and its status where that is no success.

    Args:
        kind: What was asked for.
        base: `api` or `web`.
        path: The path as it is told.
        response: The answer.
        is_private: Whether it is for one who signed in; an answer that is no success is not.
    """
    status = "" if response.is_success else f" ({response.status_code})"
    place = f"{base} {response.request.method} {path}{status}"
    return Answer(kind, place, response, is_private and response.is_success)


def data_of(api: ApiTarget) -> tuple[str, str | None]:
    """A path of the API that answers with data, and who may ask for it."""
    collections = sorted(api.collections.values(), key=lambda one: one.public)
    if collections and collections[0].is_private:
        return collections[0].path, api.reader_of(collections[0])
    if api.whoami and api.identities:
        return api.whoami.path, next(iter(api.identities))
    public = [one.path for one in (*collections, *api.askable, api.openapi) if one]
    return (public[0] if public else "/"), None


def _sign_in(api: ApiTarget, sessions: Sessions) -> Iterator[Answer]:
    """The answer to signing in, which bears what identifies from then on."""
    if api.login is None or api.login.request is None:
        return
    name = next((name for name, one in api.identities.items() if one.password), None)
    if name is not None:
        answer = sessions.offer(name)
        yield named(Kind.SIGN_IN, "api", api.login.request.path, answer, is_private=True)


def _mistakes(api: ApiTarget, reader: _Asking, path: str) -> Iterator[Answer]:
    """Answers to what a client got wrong."""
    items = [one for one in api.collections.values() if one.item]
    if items:
        yield reader.get(Kind.MISTAKE, _with_id(items[0], _NO_ID))
    elif api.paging.size and api.collections:
        listed = next(iter(api.collections.values()))
        wrong = str(httpx.URL(listed.path).copy_merge_params({api.paging.size: _NO_ID}))
        yield reader.get(Kind.MISTAKE, wrong)
    bare, mark, query = path.partition("?")
    if not bare.endswith("/"):
        yield reader.get(Kind.SLASH, f"{bare}/{mark}{query}")


def _with_id(collection: Collection, value: str) -> str:
    return fill_text(collection.item or "", {"id": value})


def _path_without_get(api: ApiTarget) -> str | None:
    """A path that is served, and not for reading."""
    login = api.login.request if api.login else None
    others = [one for one in (login, api.logout) if one and not one.is_reading]
    return others[0].path if others else None


def token_cookies(api: ApiTarget | None) -> frozenset[str]:
    """The names of cookies that bear a token, by what the environment says of signing in."""
    if api is None or api.login is None:
        return frozenset()
    sources = [one for one in (api.login.token, api.login.refresh_token) if one]
    return frozenset(one.name for one in sources if one.part is Part.COOKIE)
