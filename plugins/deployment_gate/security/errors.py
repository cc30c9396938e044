"""What error answers show of the platform's inside, provoked without harming anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from deployment_gate.api.answers import with_query
from deployment_gate.api.internals import internals_in
from deployment_gate.environment import fill
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import RANDOM, Base
from deployment_gate.security.rules import Looked, Rule, curl_of, told_exchange

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.collections import Listing
    from deployment_gate.environment import ApiTarget, Login, WebTarget

INSIDE = Rule(
    id="inside-shown-by-errors",
    severity=FindingSeverity.MEDIUM,
    title="Errors show the platform's inside",
    source="OWASP ASVS 5.0, 16.5.1; OWASP API Security Top 10 2023, API8",
    remedy="Switch the debug mode off, and answer every error that nobody foresaw with one general "
    "sentence and an id. What happened belongs into the log, under that id. Where SQL is shown, "
    "have the driver fill in the values, in place of putting the statement together.",
)

RULES = (INSIDE,)

_GRAVE = {"an SQL statement", "an error of the database's own", "a password hash"}
"""What shows data, or how to get at it."""

ODD_IDS = {"'": "'", "%": "%", "no-such-id": "no-such-id", "...": "9" * 300}
"""Ids that there can't be, by how places name them: an apostrophe, a percent sign, too long."""

ODD_TERMS = {
    "'": "'",
    '"': '"',
    "%": "%",
    "\\": "\\",
    "NUL": "policy\0",
    "(": "(",
    "...": "policy " * 900,
}
"""What breaks a query that is put together carelessly; the last is longer than anybody types, and
below the 8 KiB that servers take of a request line."""


@dataclass(frozen=True, slots=True)
class Provoked:
    """An answer to what can't be served.

    Attributes:
        place: What was asked, as findings name it.
        answer: What came back.
        usual: The answer to the same without what is wrong with it. It is needed only where an
            error may come with a success, on a page say: what both show isn't the error's.
    """

    place: str
    answer: httpx.Response
    usual: httpx.Response | None = None

    @property
    def shown(self) -> list[str]:
        """What of the inside it shows, by kind."""
        if not self.answer.is_success:
            return internals_in(self.answer.text)
        if self.usual is None:
            return []
        known = internals_in(self.usual.text)
        return [what for what in internals_in(self.answer.text) if what not in known]


def judge_errors(provoked: Iterable[Provoked]) -> Looked:
    """Look for the inside in answers to what can't be served."""
    seen = [(one, shown) for one in provoked if (shown := one.shown)]
    if not seen:
        return Looked()
    kinds = list(dict.fromkeys(what for _, shown in seen for what in shown))
    first, _ = next((one for one in seen if _GRAVE & set(one[1])), seen[0])
    breach = INSIDE.found(
        f"{', '.join(kinds)} in {len(seen)} answers, that to {first.place} among them",
        [one.place for one, _ in seen],
        exchange=told_exchange(first.answer),
        curl=curl_of(first.answer.request),
        severity=FindingSeverity.HIGH if _GRAVE & set(kinds) else None,
    )
    return Looked((breach,))


def provoke_unknown_paths(bases: Iterable[Base]) -> Iterator[Provoked]:
    """Ask for what isn't there, and for what is no text."""
    for base in bases:
        answers = {f"/{RANDOM}": base.ask(f"/{uuid4().hex}"), "/%FF": base.ask("/%ff")}
        yield from (
            Provoked(base.place(path), answer) for path, answer in answers.items() if answer
        )


def provoke_listing(listing: Listing) -> Iterator[Provoked]:
    """Ask a list for pages that can't be, for what is no filter, and for ids that there are not."""
    section, paging, path = listing.section, listing.paging, listing.path
    queries = [
        *([(paging.page or paging.offset, odd) for odd in ("-1", "first")]),
        *([(paging.size, "many")]),
        *([(name, "'") for name in section.filters]),
    ]
    for name, value in queries:
        if name:
            answer = listing.reader.get(with_query(path, {name: value}))
            yield Provoked(f"api GET {path}?{name}={value}", answer)
    if not section.item:
        return
    for told, id_ in {str(section.missing): section.missing, **ODD_IDS}.items():
        shown = path_of(section.item, told)
        yield Provoked(f"api GET {shown}", listing.get(id_))


def path_of(template: str, id_: str) -> str:
    """The path of an item, as places name it."""
    return str(fill(template, {"id": id_}))


def provoke_search(api: ApiTarget, client: httpx.Client) -> Iterator[Provoked]:
    """Search for what breaks a query that is put together carelessly.

    Args:
        api: What the environment says of the API; it has a search.
        client: The API as the one sees it who searches.
    """
    search = api.search
    assert search is not None
    for told, term in ODD_TERMS.items():
        answer = client.get(with_query(search.path, {search.parameter: term}))
        yield Provoked(f"api GET {search.path}?{search.parameter}={told}", answer)


def provoke_sign_in(login: Login, client: httpx.Client) -> Iterator[Provoked]:
    """Sign in with what can't be understood, and as nobody.

    Args:
        login: How one signs in; it has a request.
        client: The API as a stranger sees it.
    """
    request = login.request
    assert request is not None

    def send(**sent: Any) -> httpx.Response:
        return client.request(request.method, request.path, **sent)

    odd = {"username": "'", "password": "'", "basic": "'", "token": "'"}
    json_type = {"Content-Type": "application/json"}
    mistakes: Mapping[str, Callable[[], httpx.Response]] = {
        "another content type": lambda: send(
            content=b"username", headers={"Content-Type": "text/plain"}
        ),
        "a content type that is none": lambda: send(
            content=b"{}", headers={"Content-Type": "application/;;="}
        ),
        "half of a document": lambda: send(content=b'{"username": ', headers=json_type),
        "no text": lambda: send(content=b'{"username": "\xff"}', headers=json_type),
        "a field of another type": lambda: send(json={"username": ["a"], "password": {}}),
        "no body": send,
        "apostrophes": lambda: (
            send(data=fill(login.form, odd))
            if login.form is not None
            else send(json=fill(login.body or {"username": "'", "password": "'"}, odd))
        ),
    }
    for mistake, attempt in mistakes.items():
        yield Provoked(f"api {request} ({mistake})", attempt())


def provoke_pages(web: WebTarget, base: Base) -> Iterator[Provoked]:
    """Ask for pages with an apostrophe in place of an id, and beside their queries."""
    for path in dict.fromkeys(urlsplit(page.path).path for page in web.shown.values()):
        usual = base.ask(path)
        folder, _, name = path.rpartition("/")
        odd = {f"{path}?q='": f"{path}?q=%27"}
        if name.isdigit():
            odd[f"{folder}/'"] = f"{folder}/{quote(chr(39))}"
        for told, asked in odd.items():
            answer = base.ask(asked)
            if answer is not None:
                yield Provoked(base.place(told), answer, usual)
