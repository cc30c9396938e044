"""Methods that must not be served: TRACE, and one that only a header names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import uuid4

import httpx

from deployment_gate.api.answers import with_query
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import Base
from deployment_gate.security.rules import Breach, Looked, Rule, curl_of, told_exchange

TRACE = Rule(
    id="trace-answered",
    severity=FindingSeverity.MEDIUM,
    title="TRACE is answered with what was sent",
    source="OWASP ASVS 5.0, 13.4.4; RFC 9110, 9.3.8",
    remedy="Have the server refuse TRACE with 405: `TraceEnable off` in Apache. An answer to it "
    "shows what proxies add to requests, credentials among that.",
)
OVERRIDE = Rule(
    id="method-override-obeyed",
    severity=FindingSeverity.LOW,
    title="A GET is carried out as the method that its header or query names",
    source="OWASP ASVS 5.0, 4.1.4; OWASP WSTG, WSTG-CONF-06",
    remedy="Switch the override off, or let only POST be overridden. Whatever refuses methods by "
    "their names, a firewall or the browser's own rules, doesn't see the one that is meant.",
)

RULES = (TRACE, OVERRIDE)

MADE_UP = "GATECHECK"
"""A method that nobody has, so that to obey it does nothing."""

_REFUSING = {400, 404, 405, 500, 501}
_HEADERS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")

Ask = Callable[[httpx.URL, dict[str, str]], httpx.Response]
"""Sends a GET to an address with further headers."""


def look_at_trace(addresses: Iterable[tuple[Base, str]]) -> Looked:
    """Send TRACE, without any credentials, and see whether it comes back.

    Args:
        addresses: Bases, and a path below each that is served.
    """
    seen = []
    for base, path in addresses:
        mark = uuid4().hex
        answer = base.ask(path, method="TRACE", headers={"X-Trace-Mark": mark})
        if answer is not None and answer.is_success and mark in answer.text:
            seen.append((base.place(path, method="TRACE"), answer))
    if not seen:
        return Looked()
    answer = seen[0][1]
    breach = TRACE.found(
        f"{seen[0][0]} was answered {answer.status_code} with the head of the request",
        [place for place, _ in seen],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))


def look_at_override(candidates: Iterable[tuple[str, str, Ask]]) -> Looked:
    """See whether a header or a parameter turns GET into another method.

    The method that it names is made up. Where GET by the same means is served, and the made-up
    method isn't, the means is obeyed; each is asked twice, since a server may be unwell.

    Args:
        candidates: Addresses that may be served to a GET, the name of their base, a path, and what
            asks them. The first of each base that is served is looked at.
    """
    seen: list[tuple[str, httpx.Response]] = []
    open_: dict[str, bool] = {}
    for base, path, ask in candidates:
        if open_.get(base, False):
            continue
        open_[base] = ask(httpx.URL(path), {}).is_success
        if open_[base]:
            seen += _obeyed(f"{base} GET {path}", path, ask)
    unseen = tuple(
        f"no GET of {base} was answered with a success, so whether another method's name is "
        f"obeyed isn't known"
        for base, is_open in open_.items()
        if not is_open
    )
    return Looked((_override(seen),) if seen else (), unseen)


def _obeyed(place: str, path: str, ask: Ask) -> list[tuple[str, httpx.Response]]:
    def by_header(name: str) -> Callable[[str], httpx.Response]:
        return lambda method: ask(httpx.URL(path), {name: method})

    ways = {name: by_header(name) for name in _HEADERS}
    ways["_method="] = lambda method: ask(with_query(path, {"_method": method}), {})
    return [
        (f"{place} ({way})", answer) for way, send in ways.items() if (answer := _refused(send))
    ]


def _refused(send: Callable[[str], httpx.Response]) -> httpx.Response | None:
    """The answer that refuses a method which is only named; None where it isn't heeded."""
    answer = send(MADE_UP)
    if answer.status_code not in _REFUSING:
        return None
    # Whoever refuses the header as such refuses it with GET, too.
    if not send("GET").is_success or send(MADE_UP).status_code not in _REFUSING:
        return None
    return answer


def _override(seen: list[tuple[str, httpx.Response]]) -> Breach:
    place, answer = seen[0]
    return OVERRIDE.found(
        f"{place} was answered {answer.status_code} where it names {MADE_UP}, and with a success "
        "where it names GET",
        [place for place, _ in seen],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
