"""Which origins of others the platform lets read its answers, found out by asking as them.

By OWASP ASVS 5.0, 3.4.2, the Fetch Standard (WHATWG), and the Mozilla HTTP Observatory, which takes
off most where any origin is allowed together with credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Answer, Kind, breach_at, named
from deployment_gate.security.rules import Looked, Rule

CREDENTIALS = Rule(
    id="cors-any-origin-with-credentials",
    severity=FindingSeverity.HIGH,
    title="Pages of strangers may ask as whoever looks at them, and read the answers",
    source="OWASP ASVS 5.0, 3.4.2; Mozilla HTTP Observatory",
    remedy=(
        "Compare Origin with a list of whole origins, and send Access-Control-Allow-Origin and "
        "-Credentials for those alone; `null` is never one of them."
    ),
)
OPEN = Rule(
    id="cors-any-origin",
    severity=FindingSeverity.MEDIUM,
    title="Pages of strangers may read answers that are for those who signed in",
    source="OWASP ASVS 5.0, 3.4.2",
    remedy="Send Access-Control-Allow-Origin for the origins of your own pages alone.",
)

RULES: tuple[Rule, ...] = (CREDENTIALS, OPEN)

FOREIGN = "https://attacker.example"
"""An origin that nobody has."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for across origins.

    Attributes:
        base: `api` or `web`.
        path: The path.
        is_private: Whether it is only for who signed in.
    """

    base: str
    path: str
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """An answer to a request that says it comes from a page of some origin.

    Attributes:
        origin: That origin.
        called: What it is called where the platform's own names mustn't stand.
        answer: The answer.
    """

    origin: str
    called: str
    answer: Answer

    @property
    def allowed(self) -> str:
        """The origin that is allowed; "" where none is."""
        said: str = self.answer.response.headers.get("Access-Control-Allow-Origin", "")
        return said.strip()

    @property
    def is_echoed(self) -> bool:
        """Whether it is this very origin that is allowed."""
        return self.allowed == self.origin

    @property
    def may_be_read(self) -> bool:
        """Whether a page of that origin may read the answer."""
        return self.is_echoed or self.allowed == "*"

    @property
    def takes_credentials(self) -> bool:
        """Whether it may do so with somebody's cookies; never beside `*` (Fetch, 4.10)."""
        said = self.answer.response.headers.get("Access-Control-Allow-Credentials", "").strip()
        return self.is_echoed and said == "true"


def origin_of(url: str) -> str:
    """The origin of an address, as browsers write it: without the port that is usual."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = parts.port
    shown = f":{port}" if port and port != _DEFAULT_PORTS.get(parts.scheme) else ""
    return f"{parts.scheme}://{host}{shown}"


def strangers(own: str | None, allowed: Iterable[str] = ()) -> Mapping[str, str]:
    """Origins that must not be allowed, and what each is called.

    Args:
        own: The web interface's origin, of which some are look-alikes.
        allowed: Origins that may be allowed, so that nothing is said of them.
    """
    asked = {FOREIGN: "a stranger's origin", "null": "the origin null"}
    if own:
        scheme, _, rest = own.partition("://")
        host, _, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
        host, end = (host, f":{port}") if host and port.isdigit() else (rest, "")
        asked[f"{scheme}://{host}.attacker.example{end}"] = "one that begins like the pages' own"
        asked[f"{scheme}://evil{host.strip('[]')}{end}"] = "one that ends like the pages' own"
        if scheme == "https":
            asked[f"http://{rest}"] = "the pages' own without TLS"
    known = {*map(origin_of, allowed), *([own] if own else [])}
    return {origin: called for origin, called in asked.items() if origin not in known}


def ask_as(
    origins: Mapping[str, str],
    question: Question,
    *,
    reader: httpx.Client,
    stranger: httpx.Client,
) -> tuple[CrossOrigin, ...]:
    """Ask for something as pages of some origins would: first whether they may, then for it.

    Args:
        origins: The origins, and what each is called.
        question: What is asked for.
        reader: Asks as one who may see it.
        stranger: Asks whether one may, which browsers do without saying who asks.
    """
    path, seen = question.path, []
    for origin, called in origins.items():
        headers = {"Origin": origin}
        first = stranger.options(path, headers=headers | {"Access-Control-Request-Method": "GET"})
        then = reader.get(path, headers=headers)
        for response in (first, then):
            place = named(Kind.DATA, question.base, path, response).place
            # Also the answer on whether one may ask is about what is private.
            answer = Answer(Kind.DATA, place, response, question.is_private)
            seen.append(CrossOrigin(origin, called, answer))
    return tuple(seen)


def look_at_origins(asked: Iterable[CrossOrigin]) -> Looked:
    """Which strangers' origins are allowed; the worst of it is one breach.

    What anybody may see may be read from anywhere, as long as no credentials go with it.
    """
    seen = list(asked)
    for rule, bad in (
        (CREDENTIALS, [one for one in seen if one.takes_credentials]),
        (OPEN, [one for one in seen if one.may_be_read and one.answer.is_private]),
    ):
        if bad:
            called = ", ".join(dict.fromkeys(one.called for one in bad))
            said = "*" if all(one.allowed == "*" for one in bad) else "the one that asks"
            detail = f"Access-Control-Allow-Origin is {said}: {called}"
            return Looked((breach_at(rule, detail, [one.answer for one in bad]),))
    return Looked()
