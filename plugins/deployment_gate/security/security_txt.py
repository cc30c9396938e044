"""Whether the web interface says whom to tell of a weakness (RFC 9116)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.controls import Base, told_head, unseen_of
from deployment_gate.security.proofs import is_page
from deployment_gate.security.rules import Looked, Rule, curl_of

SECURITY_TXT = Rule(
    id="security-txt",
    severity=FindingSeverity.LOW,
    title="No valid security.txt says whom to tell of a weakness",
    source="RFC 9116",
    remedy="Serve /.well-known/security.txt as text/plain, with a line `Contact:` and a line "
    "`Expires:` that is less than a year ahead, and renew it in time.",
)

RULES = (SECURITY_TXT,)

_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
WELL_KNOWN = "/.well-known/security.txt"


def look_at_security_txt(web: Base, *, now: datetime) -> Looked:
    """Look at what says whom to tell of a weakness.

    Args:
        web: The web interface.
        now: The time, aware.
    """
    answer = web.ask(WELL_KNOWN)
    if answer is not None and answer.is_redirect:
        # RFC 9116, 3 lets it lie elsewhere; whether it is good is that place's matter.
        return Looked()
    why = _why_not_usable(answer, now)
    if why is None or answer is None:
        return Looked((), tuple(unseen_of([web])))
    breach = SECURITY_TXT.found(
        f"{web.place(WELL_KNOWN)} {why}",
        [web.place(WELL_KNOWN)],
        exchange=told_head(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,), tuple(unseen_of([web])))


def _why_not_usable(answer: httpx.Response | None, now: datetime) -> str | None:
    """What is wrong with the answer; None where nothing is, or nothing was seen."""
    if answer is None:
        return None
    if not answer.is_success or is_page(answer):
        page = " with a page" if answer.is_success else ""
        return f"was answered {answer.status_code}{page}"
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(answer.text.replace("\r\n", "\n")):
        fields.setdefault(name.lower(), []).append(value)
    if "contact" not in fields:
        return "names no Contact"
    return _why_not_good(fields.get("expires", []), now)


def _why_not_good(expires: list[str], now: datetime) -> str | None:
    """What is wrong with the days until which it is good."""
    if len(expires) != 1:
        return f"says {len(expires)} times when it Expires, in place of once"
    try:
        until = datetime.fromisoformat(expires[0].upper())
    except ValueError:
        return f"Expires at {expires[0]!r}, which is no time of RFC 3339"
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return f"has expired on {until:%Y-%m-%d}" if until <= now else None
