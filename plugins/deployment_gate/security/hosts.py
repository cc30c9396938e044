"""Whether the platform believes a request that says which host it is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import Base, unseen_of
from deployment_gate.security.proofs import is_page
from deployment_gate.security.rules import Looked, Rule, curl_of, told_exchange

HOST_REFLECTED = Rule(
    id="host-reflected",
    severity=FindingSeverity.MEDIUM,
    title="Links or redirects lead to whatever host a request names",
    source="OWASP WSTG, WSTG-INPV-17; OWASP ASVS 5.0, 4.1.3",
    remedy="Make links and redirects without a host, or with the one of the application's "
    "settings. Have the server refuse hosts that it doesn't know, and the proxy overwrite "
    "X-Forwarded-Host and Forwarded.",
)

RULES = (HOST_REFLECTED,)

_FOR_PROGRAMS = re.compile(
    r"<meta\b(?![^>]*\bhttp-equiv)[^>]*>|<link\b(?![^>]*\brel\s*=\s*['\"]?(?:stylesheet|\w*preload|manifest))[^>]*>",
    re.IGNORECASE,
)
"""Elements of a page whose addresses no browser follows by itself: alternate, canonical, og:url."""

_PASSWORD_FIELD = re.compile(r"<input\b[^>]*\btype\s*=\s*['\"]?password", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer that leads to a host which only its request has named.

    Attributes:
        place: What was asked, as findings name it.
        what: The part of the answer that leads there.
        severity: How bad that is.
        answer: The answer.
    """

    place: str
    what: str
    severity: FindingSeverity
    answer: httpx.Response


def look_at_hosts(addresses: Iterable[tuple[Base, str]]) -> Looked:
    """Ask for addresses by the name of a host that there is none of.

    A caching proxy would give such an answer to others, too; and a mail that lets somebody choose
    a new password would lead them to that host. How bad it is follows who is led: a browser that
    is asked for a password, a browser, or only a program that reads data (ours).

    Args:
        addresses: Bases and paths below them.
    """
    asked = {(base.name, path): base for base, path in addresses}
    seen = [one for (_, path), base in asked.items() for one in _reflected(base, path)]
    unseen = tuple(unseen_of({base.name: base for base in asked.values()}.values()))
    if not seen:
        return Looked((), unseen)
    worst = min(seen, key=lambda one: list(FindingSeverity).index(one.severity))
    others = f", as do {len(seen) - 1} more answers" if len(seen) > 1 else ""
    breach = HOST_REFLECTED.found(
        f"{worst.what} of {worst.place} leads to a host that only the request has named{others}",
        [one.place for one in seen],
        exchange=told_exchange(worst.answer),
        curl=_curl_of(worst.answer.request),
        severity=worst.severity,
    )
    return Looked((breach,), unseen)


def _reflected(base: Base, path: str) -> Iterator[Seen]:
    """Where the answers to a path lead to a host that only the request has named."""
    host = f"h{uuid4().hex[:16]}.invalid"  # RFC 2606: nobody has it
    for header, value in {
        "Host": host,
        "X-Forwarded-Host": host,
        "Forwarded": f"host={host}",
    }.items():
        answer = base.ask(path, headers={header: value})
        if answer is not None and (found := _leads_to(host, answer)):
            yield Seen(f"{base.place(path)} ({header})", *found, answer)


def _leads_to(host: str, answer: httpx.Response) -> tuple[str, FindingSeverity] | None:
    """Which part of an answer leads to a host, and how bad that is.

    To be named alone leads nobody there.
    """
    for name in ("Location", "Refresh"):
        if host in _hosts_in(answer.headers.get(name, "")):
            return f"the header {name}", FindingSeverity.MEDIUM
    link = re.compile(rf"(?:https?:)?(?:\\?/){{2}}{re.escape(host)}\b", re.IGNORECASE)
    if is_page(answer) and link.search(_FOR_PROGRAMS.sub("", answer.text)):
        asks = bool(_PASSWORD_FIELD.search(answer.text))
        return "a link on the page", FindingSeverity.HIGH if asks else FindingSeverity.MEDIUM
    if link.search(answer.text):
        return "a link for programs", FindingSeverity.LOW
    for name in ("Content-Location", "Link"):
        if host in _hosts_in(answer.headers.get(name, "")):
            return f"the header {name}", FindingSeverity.LOW
    return None


def _hosts_in(value: str) -> str:
    """The hosts of the addresses in a header."""
    return " ".join(re.findall(r"//(?:[^/@\s]*@)?([^/?#\s<>;,\"']+)", value.lower()))


def _curl_of(request: httpx.Request) -> str:
    """The command, with the host that the request names and curl wouldn't."""
    bare = httpx.URL(request.url)
    named = request.headers.get("Host", "")
    if named == bare.netloc.decode():
        return curl_of(request)
    return curl_of(request).replace("curl ", f"curl --header 'Host: {named}' ", 1)
