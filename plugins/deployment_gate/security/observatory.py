"""How the Mozilla HTTP Observatory would grade the web interface.

By its rules and scores of November 2026: 100 points to begin with, fewer for what is wrong, and
more for what is better than it need be, where at least 90 are left. What costs points has a rule of
its own, told by the check that is about it, so that one fault is one finding: headers, policies,
cookies, origins and scripts. Only what no other check is about is told here, and a grade that
several faults together make.

On loopback without TLS there is nobody to listen in, so the tests of Strict-Transport-Security and
of the way to https don't apply. Whether a host is on the browsers' preload list isn't looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import httpx

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answer_headers import (
    LEAST_MAX_AGE_S,
    SAFE_REFERRER,
    is_nosniff,
    referrer_policy_of,
    refuses_frames,
    strict_transport_of,
)
from deployment_gate.security.answers import Answer, breach_at, is_trustworthy
from deployment_gate.security.content_policy import plain_sources
from deployment_gate.security.cookies import SAME_SITE, Cookie, CookieKind, cookies_of
from deployment_gate.security.cors import CrossOrigin
from deployment_gate.security.csp import BROAD, Policy
from deployment_gate.security.page import Loaded
from deployment_gate.security.page_source import is_external
from deployment_gate.security.rules import Looked, Rule

FEWEST_POINTS = 50
"""What no single fault takes a page below; fewer is several at once (ours)."""

EXTRA_FROM = 90
"""The points from which on bonuses count."""

GRADE = Rule(
    id="page-graded-low",
    severity=FindingSeverity.MEDIUM,
    title="The web interface's headers would get a low grade",
    source="Mozilla HTTP Observatory",
    remedy="Mend what its tests tell, the most expensive first; the check's report lists them.",
)
ISOLATION = Rule(
    id="cross-origin-policy-invalid",
    severity=FindingSeverity.LOW,
    title="A header that keeps pages apart says nothing that browsers know",
    source="Mozilla HTTP Observatory; HTML (WHATWG), 7.1.3 and 7.1.4",
    remedy=(
        "Send `Cross-Origin-Opener-Policy: same-origin`, `Cross-Origin-Resource-Policy: "
        "same-origin`, `Cross-Origin-Embedder-Policy: require-corp`, each once, or none of them."
    ),
)

RULES: tuple[Rule, ...] = (GRADE, ISOLATION)

# The least points of each grade.
_GRADES = (
    (100, "A+"),
    (90, "A"),
    (85, "A-"),
    (80, "B+"),
    (70, "B"),
    (65, "B-"),
    (60, "C+"),
    (50, "C"),
    (45, "C-"),
    (40, "D+"),
    (30, "D"),
    (25, "D-"),
    (0, "F"),
)

# What is strong, and what else browsers know, of the headers that keep origins apart.
_ISOLATION = (
    ("Cross-Origin-Opener-Policy", {"same-origin"}, {"same-origin-allow-popups"}),
    ("Cross-Origin-Resource-Policy", {"same-origin", "same-site"}, {"cross-origin"}),
    ("Cross-Origin-Embedder-Policy", {"require-corp"}, {"credentialless"}),
)
_WEAK = frozenset({"unsafe-none", "noopener-allow-popups"})


@dataclass(frozen=True, slots=True)
class Mark:
    """What one of the Observatory's tests gave or took.

    Attributes:
        name: What it is about.
        modifier: The points that it gives, or takes.
        why: What was seen.
    """

    name: str
    modifier: int
    why: str

    def __str__(self) -> str:
        return f"{self.modifier:+d} {self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Grade:
    """How a page is graded.

    Attributes:
        page: The page.
        marks: What the tests that apply to it gave or took.
        left_out: Those that don't, and why, a sentence each.
    """

    page: Answer
    marks: tuple[Mark, ...]
    left_out: tuple[str, ...] = ()

    @property
    def score(self) -> int:
        """Its points, from 0 on."""
        return score_of(one.modifier for one in self.marks)

    @property
    def letter(self) -> str:
        """Its grade, from A+ to F."""
        return grade_of(self.score)

    def told(self) -> str:
        """The grade, and what made it, a line each."""
        tests = sorted(self.marks, key=lambda one: one.modifier)
        return "\n".join(
            [
                f"{self.page.place}: {self.letter}, {self.score} points",
                *map(str, tests),
                *(f"left out: {why}" for why in self.left_out),
            ]
        )


def score_of(modifiers: Iterable[int]) -> int:
    """Points by what each test gives or takes: bonuses count from 90 on, and none are below 0."""
    given = list(modifiers)
    score = 100 + sum(one for one in given if one < 0)
    if score >= EXTRA_FROM:
        score += sum(one for one in given if one > 0)
    return max(0, score)


def grade_of(score: int) -> str:
    """The grade of so many points."""
    return next(grade for least, grade in _GRADES if score >= least)


def grade_page(
    page: Answer,
    *,
    cross_origin: Sequence[CrossOrigin] = (),
    plain: httpx.Response | None = None,
    own_hosts: Iterable[str] = (),
    tokens: frozenset[str] = frozenset(),
) -> Grade:
    """Grade a page.

    Args:
        page: The page as it was answered.
        cross_origin: What was answered to strangers' origins that asked for it.
        plain: What is answered where it is asked for without TLS; None where that isn't known.
        own_hosts: The platform's hosts.
        tokens: The names of cookies that the environment says bear a token.
    """
    url = str(page.response.url)
    tests = [
        _content_policy(page),
        _cookies(page, tokens),
        _cors(cross_origin),
        _referrer(page),
        _nosniff(page),
        _framing(page),
        _integrity(page, frozenset(own_hosts)),
        *(_isolation(page, *row) for row in _ISOLATION),
    ]
    left_out = []
    if not page.is_https and is_trustworthy(url):
        left_out.append("strict-transport-security and redirection: plain http on loopback")
    else:
        tests.append(_strict_transport(page))
        if not page.is_https or plain is not None:
            tests.append(_redirection(plain))
        else:
            left_out.append("redirection: `security.plain_http` doesn't say where plain http is")
    return Grade(page, tuple(tests), tuple(left_out))


def look_at_grade(grade: Grade) -> Looked:
    """What of a grade no other check tells.

    Args:
        grade: The grade.
    """
    names = [header for header, _, _ in _ISOLATION]
    bad = [one for one in grade.marks if one.modifier < 0]
    breaches = []
    if grade.score < FEWEST_POINTS:
        why = ", ".join(map(str, sorted(bad, key=lambda one: one.modifier)))
        detail = f"{grade.letter}, {grade.score} points: {why}"
        breaches.append(breach_at(GRADE, detail, [grade.page]))
    invalid = [one for one in bad if one.name in names]
    if invalid:
        breaches.append(breach_at(ISOLATION, ", ".join(one.why for one in invalid), [grade.page]))
    return Looked(tuple(breaches))


def policy_modifier(policy: Policy, *, is_https: bool) -> tuple[int, str]:
    """What one policy gives or takes, and why.

    Args:
        policy: The policy.
        is_https: Whether it is that of a page over TLS.
    """
    scripts = policy.sources("script-src-elem")
    objects = policy.sources("object-src")
    styles = policy.sources("style-src") or ()
    evaluated = {*(policy.sources("script-src") or ()), *styles}
    plain = plain_sources(policy) if is_https else []
    active = [one for one in plain if one.partition(" ")[0] not in {"img-src", "media-src"}]
    is_loose = policy.allows_inline("style-src") or BROAD.union({"data:"}).intersection(styles)
    is_alone = policy.is_strict() and not policy.trusts_by_mark()
    # The first that is so.
    results: tuple[tuple[object, int, str], ...] = (
        (is_alone, -25, "'strict-dynamic' without a nonce or a hash"),
        (scripts is None or objects is None, -20, "script-src or object-src is left open"),
        (_is_unsafe(policy), -20, "unsafe or broad sources of scripts"),
        (active, -20, f"plain http: {', '.join(active)}"),
        ("'unsafe-eval'" in evaluated, -10, "'unsafe-eval'"),
        (plain, -10, f"plain http: {', '.join(plain)}"),
        (is_loose, 0, "unsafe only in style-src"),
        (policy.sources("default-src") == ("'none'",), 10, "default-src 'none', nothing unsafe"),
        (True, 5, "nothing unsafe"),
    )
    return next((modifier, why) for holds, modifier, why in results if holds)


def _is_unsafe(policy: Policy) -> bool:
    """Whether scripts in the page or of almost anybody run, or plugins of almost anybody."""
    if any(policy.allows_inline(one) for one in ("script-src-elem", "script-src-attr")):
        return True
    # Beside 'strict-dynamic' hosts and schemes count for nothing.
    broad = frozenset() if policy.is_strict() else BROAD | {"data:"}
    scripts, objects = policy.sources("script-src-elem") or (), policy.sources("object-src") or ()
    return bool(broad.intersection(scripts) or BROAD.intersection(objects))


def _content_policy(page: Answer) -> Mark:
    """The best of its policies, since all of them are enforced."""
    told = [policy_modifier(one, is_https=page.is_https) for one in page.policies]
    if told:
        modifier, why = max(told)
    elif "Content-Security-Policy-Report-Only" in page.response.headers:
        modifier, why = -25, "only one that reports"
    else:
        modifier, why = -25, "none"
    return Mark("content-security-policy", modifier, why)


def _cookies(page: Answer, tokens: frozenset[str]) -> Mark:
    """The worst of its cookies; sound ones with SameSite give points."""
    cookies = [*cookies_of(page, datetime.now(UTC))]
    url = str(page.response.url)
    is_safe = not page.is_https and is_trustworthy(url)
    guarded = strict_transport_of(page) >= LEAST_MAX_AGE_S
    told = [_cookie(one, tokens, is_safe=is_safe, guarded=guarded) for one in cookies]
    if not told:
        return Mark("cookies", 0, "none")
    modifier, why = min(told)
    return Mark("cookies", modifier, why)


def _cookie(
    cookie: Cookie, tokens: frozenset[str], *, is_safe: bool, guarded: bool
) -> tuple[int, str]:
    kind, name = cookie.kind(tokens), cookie.name
    is_session = kind is CookieKind.SESSION
    found = [(5, "all Secure and SameSite, sessions HttpOnly")]
    if not (cookie.is_secure or is_safe):
        usual, session = (-5, -10) if guarded else (-20, -40)
        found.append((session if is_session else usual, f"{name} without Secure"))
    if is_session and not cookie.is_http_only:
        found.append((-30, f"session {name} without HttpOnly"))
    if cookie.same_site is None:
        found.append((-20 if kind is CookieKind.CSRF else 0, f"{name} without SameSite"))
    elif cookie.same_site not in SAME_SITE:
        found.append((-20, f"{name} with SameSite={cookie.same_site}"))
    elif cookie.same_site == "none" and not cookie.is_secure:
        found.append((-20, f"{name} with SameSite=None without Secure"))
    return min(found)


def _cors(cross_origin: Sequence[CrossOrigin]) -> Mark:
    name = "cross-origin-resource-sharing"
    if any(one.takes_credentials for one in cross_origin):
        return Mark(name, -50, "any origin, with credentials")
    if any(one.may_be_read for one in cross_origin):
        return Mark(name, 0, "public")
    return Mark(name, 0, "none" if cross_origin else "not asked")


def _redirection(plain: httpx.Response | None) -> Mark:
    """Where plain http leads first; further steps aren't taken."""
    name = "redirection"
    if plain is None or not plain.has_redirect_location:
        return Mark(name, -20, "plain http doesn't lead to https")
    to = urlsplit(urljoin(str(plain.url), plain.headers["Location"]))
    if to.scheme != "https":
        return Mark(name, -10, "the first step stays on plain http")
    if to.hostname != urlsplit(str(plain.url)).hostname:
        return Mark(name, -5, "the first step leads to another host")
    return Mark(name, 0, "to https")


def _strict_transport(page: Answer) -> Mark:
    name, age = "strict-transport-security", strict_transport_of(page)
    if not page.is_https:
        return Mark(name, -20, "no TLS")
    if not age:
        return Mark(name, -20, "none")
    return Mark(name, 0 if age >= LEAST_MAX_AGE_S else -10, f"max-age {age} s")


def _referrer(page: Answer) -> Mark:
    name, policy = "referrer-policy", referrer_policy_of(page)
    if policy in SAFE_REFERRER:
        return Mark(name, 5, policy)
    is_said = "Referrer-Policy" in page.response.headers or bool(page.page.referrer)
    return Mark(name, -5 if is_said else 0, policy or ("none known" if is_said else "none"))


def _nosniff(page: Answer) -> Mark:
    has = is_nosniff(page)
    return Mark("x-content-type-options", 0 if has else -5, "nosniff" if has else "no nosniff")


def _framing(page: Answer) -> Mark:
    name = "x-frame-options"
    if not refuses_frames(page):
        return Mark(name, -20, "anybody may frame it")
    by_policy = any("frame-ancestors" in one.directives for one in page.policies)
    return Mark(name, 5 if by_policy else 0, "frame-ancestors" if by_policy else "X-Frame-Options")


def _integrity(page: Answer, own: frozenset[str]) -> Mark:
    """The worst of its scripts of other hosts."""
    name = "subresource-integrity"
    url = str(page.response.url)
    scripts = [one for one in page.page.loaded if one.element == "script"]
    external = [one for one in scripts if is_external(one, url, own)]
    if not external:
        guarded = any(one.integrity for one in scripts)
        return Mark(name, 5 if guarded else 0, "no scripts of other hosts")
    modifier, why = min(map(_script, external))
    return Mark(name, modifier, why)


def _script(one: Loaded) -> tuple[int, str]:
    is_plain = urlsplit(one.url).scheme != "https"
    if one.integrity:
        return (-20, "a script over plain http") if is_plain else (5, "all scripts have a hash")
    return (-50, "a script over plain http without a hash") if is_plain else (-5, "one without")


def _isolation(page: Answer, header: str, strong: set[str], known: set[str]) -> Mark:
    """One of the headers that keep origins apart: a token, whatever parameters follow."""
    values = page.response.headers.get_list(header)
    if not values:
        return Mark(header, 0, "none")
    token = re.split(r"[\s;]", values[0].strip(), maxsplit=1)[0]
    if len(values) == 1 and token in strong:
        return Mark(header, 10, token)
    is_valid = len(values) == 1 and token in known | _WEAK
    return Mark(header, 0 if is_valid else -5, f"{header}: {', '.join(values)}")
