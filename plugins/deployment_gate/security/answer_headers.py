"""The headers that every kind of answer must bear.

By the OWASP Secure Headers Project, and by what the Mozilla HTTP Observatory takes off for each: a
fault that costs a page 20 points or more is medium, what costs less is low. Redirects show nothing,
so of these headers they need Strict-Transport-Security alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Answer, Answers, breach_at
from deployment_gate.security.csp import BROAD
from deployment_gate.security.rules import Breach, Looked, Rule

LEAST_MAX_AGE_S = 15_768_000
"""Half a year: how long Strict-Transport-Security must be good for, by the Observatory."""

SAFE_REFERRER = frozenset(
    {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
)
"""Referrer policies that keep paths from others."""

LOOSE_REFERRER = frozenset(
    {"origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade"}
)
"""Those that tell others more."""

NOSNIFF = Rule(
    id="content-type-sniffed",
    severity=FindingSeverity.LOW,
    title="Browsers may take an answer for another type than it says",
    source="OWASP Secure Headers Project; OWASP ASVS 5.0, 3.4.4",
    remedy="Send `X-Content-Type-Options: nosniff` with every answer, errors among them.",
)
FRAMING = Rule(
    id="framing-allowed",
    severity=FindingSeverity.MEDIUM,
    title="Pages of others may show this one in a frame",
    source="Mozilla HTTP Observatory; OWASP ASVS 5.0, 3.4.6",
    remedy=(
        "Send `Content-Security-Policy: frame-ancestors 'none'` (with `default-src 'none'` where "
        "the answer is no page), or `X-Frame-Options: DENY`, with every answer, errors among them."
    ),
)
HSTS = Rule(
    id="strict-transport-missing",
    severity=FindingSeverity.MEDIUM,
    title="Browsers may come back without TLS",
    source="Mozilla HTTP Observatory; RFC 6797; OWASP ASVS 5.0, 3.4.1",
    remedy=(
        "Send `Strict-Transport-Security: max-age=63072000; includeSubDomains` with every answer "
        "over TLS."
    ),
)
REFERRER = Rule(
    id="referrer-told",
    severity=FindingSeverity.LOW,
    title="Other sites may be told which page somebody comes from",
    source="OWASP Secure Headers Project; OWASP ASVS 5.0, 3.4.5",
    remedy="Send `Referrer-Policy: no-referrer`, or `strict-origin-when-cross-origin`, with pages.",
)
STORED = Rule(
    id="private-answer-stored",
    severity=FindingSeverity.MEDIUM,
    title="What is for one person may be kept by caches",
    source="OWASP ASVS 5.0, 14.3.2; RFC 9111, 5.2.2.5; RFC 6749, 5.1",
    remedy="Send `Cache-Control: no-store` with what only one who signed in may see.",
)

RULES: tuple[Rule, ...] = (NOSNIFF, FRAMING, HSTS, REFERRER, STORED)

_UNSHARED = frozenset({"private", "no-cache"})


def look_at_headers(answers: Answers) -> Looked:
    """Which answers lack what keeps them safe in a browser.

    Args:
        answers: Answers of every kind.
    """
    breaches = [
        *_sniffed(answers),
        *_framing(answers),
        *_strict_transport(answers),
        *_referrer(answers),
        *_stored(answers),
    ]
    return Looked(tuple(breaches), answers.unseen)


def is_nosniff(answer: Answer) -> bool:
    """Whether browsers must believe its type; by Fetch (WHATWG), the first of several counts."""
    values = _listed(answer, "X-Content-Type-Options")
    return bool(values) and values[0] == "nosniff"


def refuses_frames(answer: Answer) -> bool:
    """Whether not everybody may show it in a frame.

    Where a policy has frame-ancestors, browsers don't look at X-Frame-Options (CSP Level 3, 6.4.2).
    ALLOW-FROM counts for nothing, since no browser knows it any more.
    """
    lists = [policy.sources("frame-ancestors") for policy in answer.policies]
    said = [sources for sources in lists if sources is not None]
    if said:
        return any(not BROAD.intersection(sources) for sources in said)
    options = set(_listed(answer, "X-Frame-Options"))
    return len(options) == 1 and options <= {"deny", "sameorigin"}


def read_strict_transport(value: str) -> int | None:
    """For how many seconds Strict-Transport-Security is good; None where it says nothing valid.

    By RFC 6797, 6.1: a directive that stands twice is invalid.

    Args:
        value: The header's first value, the only one that counts (8.1).
    """
    directives: dict[str, str] = {}
    for part in value.split(";"):
        name, _, given = part.strip().partition("=")
        name = name.strip().lower()
        if name in directives:
            return None
        if name:
            directives[name] = given.strip().strip('"')
    age = directives.get("max-age", "")
    return int(age) if re.fullmatch(r"[0-9]{1,18}", age) else None


def strict_transport_of(answer: Answer) -> int:
    """For how many seconds browsers must come back over TLS alone; 0 where they needn't."""
    values = answer.response.headers.get_list("Strict-Transport-Security")
    return (read_strict_transport(values[0]) or 0) if values else 0


def referrer_policy_of(answer: Answer) -> str:
    """The referrer policy that counts: the last one that browsers know, "" where there is none."""
    said = [*_listed(answer, "Referrer-Policy"), *_split(answer.page.referrer)]
    known = [one for one in said if one in SAFE_REFERRER | LOOSE_REFERRER]
    return known[-1] if known else ""


def _sniffed(answers: Answers) -> Iterator[Breach]:
    bad = [one for one in answers.seen if one.has_content and not is_nosniff(one)]
    if bad:
        yield breach_at(NOSNIFF, f"no `nosniff`: {_count(bad)}", bad)


def _framing(answers: Answers) -> Iterator[Breach]:
    """Answers that anybody may frame; where no page is among them it matters little."""
    bad = [one for one in answers.seen if one.has_content and not refuses_frames(one)]
    if bad:
        lesser = None if any(one.is_html for one in bad) else FindingSeverity.LOW
        detail = f"neither frame-ancestors nor X-Frame-Options refuses it: {_count(bad)}"
        yield breach_at(FRAMING, detail, bad, severity=lesser)


def _strict_transport(answers: Answers) -> Iterator[Breach]:
    secured = [one for one in answers.seen if one.is_https]
    ages = {one: strict_transport_of(one) for one in secured}
    missing = [one for one in secured if not ages[one]]
    short = [one for one in secured if 0 < ages[one] < LEAST_MAX_AGE_S]
    if missing:
        detail = f"no valid Strict-Transport-Security: {_count(missing)}"
        more = f"; good for too short a time: {_count(short)}" if short else ""
        yield breach_at(HSTS, detail + more, missing + short)
    elif short:
        least = min(ages[one] for one in short)
        detail = f"max-age is {least} s, less than {LEAST_MAX_AGE_S} s: {_count(short)}"
        yield breach_at(HSTS, detail, short, severity=FindingSeverity.LOW)


def _referrer(answers: Answers) -> Iterator[Breach]:
    bad = [one for one in answers.pages if referrer_policy_of(one) not in SAFE_REFERRER]
    if bad:
        said = sorted({referrer_policy_of(one) or "no Referrer-Policy" for one in bad})
        yield breach_at(REFERRER, f"{', '.join(said)}: {_count(bad)}", bad)


def _stored(answers: Answers) -> Iterator[Breach]:
    """Private answers that may be kept; less bad where only the reader's own browser would."""
    bad = [one for one in answers.seen if one.is_private and "no-store" not in _cached(one)]
    if bad:
        said = sorted({", ".join(_cached(one)) or "no Cache-Control" for one in bad})
        is_shared = any(not _UNSHARED.intersection(_cached(one)) for one in bad)
        lesser = None if is_shared else FindingSeverity.LOW
        yield breach_at(STORED, f"{'; '.join(said)}: {_count(bad)}", bad, severity=lesser)


def _cached(answer: Answer) -> list[str]:
    return _listed(answer, "Cache-Control")


def _listed(answer: Answer, name: str) -> list[str]:
    """What stands in a header, in lower case, part by part."""
    return [part for value in answer.response.headers.get_list(name) for part in _split(value)]


def _split(value: str) -> list[str]:
    return [part.strip().lower() for part in value.split(",") if part.strip()]


def _count(answers: list[Answer]) -> str:
    return f"{len(answers)} {'answer' if len(answers) == 1 else 'answers'}"
