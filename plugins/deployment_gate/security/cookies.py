"""The cookies that answers set, by what they are for.

By RFC 6265 and its successor (rfc6265bis), OWASP ASVS 5.0, 3.3, and what the Mozilla HTTP
Observatory takes off: a session that may be sent without TLS or read by scripts is high. Over plain
http on loopback no cookie needs Secure: nobody can listen in there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Answer, Answers, breach_at, is_trustworthy
from deployment_gate.security.rules import Breach, Looked, Rule

SESSION = Rule(
    id="session-cookie-exposed",
    severity=FindingSeverity.HIGH,
    title="The cookie of a session can be stolen or used by others",
    source="OWASP ASVS 5.0, 3.3.1, 3.3.2, 3.3.4; Mozilla HTTP Observatory",
    remedy="Set it as `__Host-NAME=...; Secure; HttpOnly; SameSite=Lax; Path=/`.",
)
EXPOSED = Rule(
    id="cookie-exposed",
    severity=FindingSeverity.MEDIUM,
    title="A cookie is sent more widely than it need be",
    source="OWASP ASVS 5.0, 3.3.1, 3.3.2; Mozilla HTTP Observatory",
    remedy="Set it with `Secure` and `SameSite=Lax`, or `SameSite=Strict`.",
)
PREFIX = Rule(
    id="cookie-prefix-broken",
    severity=FindingSeverity.MEDIUM,
    title="A cookie doesn't keep what the prefix of its name promises, so browsers refuse it",
    source="rfc6265bis, 4.1.3; OWASP ASVS 5.0, 3.3.3",
    remedy="Set `__Host-` with `Secure; Path=/` and without Domain, `__Secure-` with `Secure`.",
)
UNPREFIXED = Rule(
    id="session-cookie-unprefixed",
    severity=FindingSeverity.LOW,
    title="The cookie of a session can be overwritten from a neighbouring host",
    source="OWASP ASVS 5.0, 3.3.1, 3.3.3",
    remedy="Begin its name with `__Host-`, or with `__Secure-` where several hosts share it.",
)

RULES: tuple[Rule, ...] = (SESSION, EXPOSED, PREFIX, UNPREFIXED)

SAME_SITE = frozenset({"lax", "strict", "none"})


class CookieKind(Enum):
    """What a cookie is for, by its name."""

    SESSION = auto()
    CSRF = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie as an answer sets it.

    Attributes:
        name: Its name.
        value: Its value, which no report shows.
        attributes: Its attributes by their names in lower case; the last of each counts.
    """

    name: str
    value: str
    attributes: Mapping[str, str]

    @property
    def is_secure(self) -> bool:
        """Whether it is sent over TLS only."""
        return "secure" in self.attributes

    @property
    def is_http_only(self) -> bool:
        """Whether scripts can't read it."""
        return "httponly" in self.attributes

    @property
    def same_site(self) -> str | None:
        """What it says of requests from other sites, in lower case; None where it says nothing."""
        said = self.attributes.get("samesite")
        return None if said is None else said.lower()

    @property
    def folded(self) -> str:
        """Its name in lower case."""
        return self.name.lower()

    def kind(self, tokens: frozenset[str] = frozenset()) -> CookieKind:
        """What it is for; against forged requests it must be read by scripts, so that comes first.

        Args:
            tokens: The names of those that the environment says bear a token.
        """
        if self.name in tokens:
            return CookieKind.SESSION
        if "csrf" in self.folded or "xsrf" in self.folded:
            return CookieKind.CSRF
        is_session = "login" in self.folded or "sess" in self.folded
        return CookieKind.SESSION if is_session else CookieKind.OTHER

    def is_deleted(self, now: datetime) -> bool:
        """Whether it is set to be forgotten; Max-Age counts before Expires (RFC 6265, 5.3).

        Args:
            now: The time, aware.
        """
        age = self.attributes.get("max-age", "")
        if age.removeprefix("-").isascii() and age.removeprefix("-").isdigit():
            return age.startswith("-") or int(age[:9]) == 0
        until = _time(self.attributes.get("expires", ""))
        return until is not None and until <= now


def read_cookie(header: str) -> Cookie | None:
    """Read one Set-Cookie header, by RFC 6265, 5.2; None where it sets nothing.

    Args:
        header: Its value.
    """
    pair, *parts = header.split(";")
    name, separator, value = pair.partition("=")
    if not separator or not (name.strip() or value.strip()):
        return None
    split = (part.partition("=") for part in parts)
    attributes = {key.strip().lower(): given.strip() for key, _, given in split}
    return Cookie(name.strip(), value.strip().strip('"'), attributes)


def cookies_of(answer: Answer, now: datetime) -> Iterator[Cookie]:
    """The cookies that an answer sets, without those that it deletes or that hold nothing."""
    for header in answer.response.headers.get_list("Set-Cookie"):
        cookie = read_cookie(header)
        if cookie and cookie.value and not cookie.is_deleted(now):
            yield cookie


def look_at_cookies(answers: Answers, *, tokens: frozenset[str] = frozenset()) -> Looked:
    """Which cookies are kept less close than they must be.

    Args:
        answers: Answers of every kind, that to signing in among them.
        tokens: The names of cookies that the environment says bear a token.
    """
    now = datetime.now(UTC)
    set_by = [(answer, one) for answer in answers.seen for one in cookies_of(answer, now)]
    faults = [
        (answer, cookie, fault)
        for answer, cookie in set_by
        for fault in faults_of(cookie, str(answer.response.url), cookie.kind(tokens))
    ]
    return Looked(tuple(_breaches(faults)), answers.unseen)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cookie, by which rule, and how bad that is."""

    rule: Rule
    what: str
    severity: FindingSeverity


def faults_of(cookie: Cookie, url: str, kind: CookieKind) -> Iterator[Fault]:
    """What is wrong with a cookie that was set at an address."""
    secured = cookie.is_secure or (url.startswith("http:") and is_trustworthy(url))
    rule = SESSION if kind is CookieKind.SESSION else EXPOSED
    exposed = [*_exposures(cookie, kind, secured=secured)]
    yield from (Fault(rule, what, severity) for what, severity in exposed)
    broken = _broken_prefix(cookie, secured=secured)
    if broken:
        yield Fault(PREFIX, broken, PREFIX.severity)
    is_prefixed = cookie.folded.startswith(("__host-", "__secure-"))
    if url.startswith("https:") and kind is CookieKind.SESSION and not (exposed or is_prefixed):
        yield Fault(UNPREFIXED, "no prefix", UNPREFIXED.severity)


def _exposures(
    cookie: Cookie, kind: CookieKind, *, secured: bool
) -> Iterator[tuple[str, FindingSeverity]]:
    """What it lacks, and how bad that is for its kind."""
    is_session = kind is CookieKind.SESSION
    if not secured:
        yield "no Secure", FindingSeverity.HIGH if is_session else FindingSeverity.MEDIUM
    if is_session and not cookie.is_http_only:
        yield "no HttpOnly", FindingSeverity.HIGH
    if cookie.same_site is None:
        # Only some browsers take it for Lax then.
        lesser = kind is CookieKind.OTHER
        yield "no SameSite", FindingSeverity.LOW if lesser else FindingSeverity.MEDIUM
    elif cookie.same_site not in SAME_SITE:
        yield f"SameSite={cookie.same_site}, which is none", FindingSeverity.MEDIUM
    elif cookie.same_site == "none" and not cookie.is_secure:
        yield "SameSite=None without Secure", FindingSeverity.MEDIUM


def _broken_prefix(cookie: Cookie, *, secured: bool) -> str:
    """What its name promises and it doesn't keep; browsers compare prefixes without case."""
    if cookie.folded.startswith("__secure-"):
        return "" if secured else "no Secure"
    if not cookie.folded.startswith("__host-"):
        return ""
    lacking = [] if secured else ["no Secure"]
    lacking += [] if cookie.attributes.get("path") == "/" else ["no Path=/"]
    lacking += ["Domain"] if cookie.attributes.get("domain") else []
    return ", ".join(lacking)


def _breaches(faults: Iterable[tuple[Answer, Cookie, Fault]]) -> Iterator[Breach]:
    """One breach for each rule, as bad as the worst of what breaks it."""
    found = list(faults)
    order = list(FindingSeverity)
    for rule in RULES:
        bad = [(answer, cookie, fault) for answer, cookie, fault in found if fault.rule is rule]
        if not bad:
            continue
        lacking: dict[str, list[str]] = {}
        for _, cookie, fault in bad:
            lacking.setdefault(cookie.name, []).append(fault.what)
        told = (f"{name}: {', '.join(dict.fromkeys(all_))}" for name, all_ in lacking.items())
        worst = min((fault.severity for _, _, fault in bad), key=order.index)
        answers = dict.fromkeys(answer for answer, _, _ in bad)
        yield breach_at(rule, "; ".join(told), answers, severity=worst)


def _time(text: str) -> datetime | None:
    """A date of HTTP; None where it is none."""
    try:
        time = parsedate_to_datetime(text.replace("-", " "))
    except (ValueError, TypeError, IndexError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
