"""What tells of persons, and is answered to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from deployment_gate.api.answers import MISSING, body_of
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.access import place_of
from deployment_gate.security.rules import Looked, Rule, curl_of, told_exchange

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import Security
    from deployment_gate.security.survey import Survey

PERSONAL_DATA = Rule(
    id="personal-data-open",
    severity=FindingSeverity.CRITICAL,
    title="Anybody is answered what tells of persons",
    source="OWASP API Security Top 10 2023, API3; OWASP ASVS 5.0, 14.2.6",
    remedy="Leave these fields out of what anybody is answered, or have the operation ask for a "
    "token. A field that tells of nobody can be taken out of `security.personal_fields`.",
)


RULES = (PERSONAL_DATA,)

_SEPARATORS = re.compile(r"[_\-\s]")
_MASKED = re.compile(r"[*•.xX\s]+")


def look_at_personal_data(seen: Survey, sessions: Sessions, security: Security) -> Looked:
    """See whether what anybody is answered has fields that tell of persons.

    Args:
        seen: What is documented, and what was answered to whoever may read.
        sessions: How one signs in.
        security: Which fields tell of persons, and which further paths are public.
    """
    own = sessions.api.openapi.path if sessions.api.openapi else None
    answers = {
        one.operation.path: one.answer
        for one in seen.asked
        if not one.operation.needs_credentials and one.operation.path != own
    }
    for path in security.public:
        if "*" not in path and path != own and path not in answers:
            answers[path] = sessions.stranger.get(path)
    found = {
        path: fields
        for path, answer in answers.items()
        if answer.is_success and (fields := personal_fields_in(answer, security.personal_fields))
    }
    if not found:
        return Looked()
    first = answers[next(iter(found))]
    shown = "; ".join(f"GET {path} has {', '.join(fields)}" for path, fields in found.items())
    breach = PERSONAL_DATA.found(
        f"without a token {shown}",
        [place_of("GET", path) for path in found],
        exchange=told_exchange(first),
        curl=curl_of(first.request),
    )
    return Looked((breach,))


def personal_fields_in(answer: httpx.Response, names: Iterable[str]) -> list[str]:
    """The fields of an answer's JSON that tell of a person, each once, in their order.

    What is empty tells nothing, nor does what is masked. A description of an API is no answer that
    tells of anybody.

    Args:
        answer: The answer.
        names: What such fields are called, whatever their case, underscores and hyphens.
    """
    body = body_of(answer)
    if body is MISSING or (isinstance(body, dict) and body.keys() & {"openapi", "swagger"}):
        return []
    plain = {_plain(name) for name in names}
    return list(dict.fromkeys(name for name in _telling(body) if _plain(name) in plain))


def _telling(node: object) -> Iterator[str]:
    """The names of all fields that have something in them."""
    for part in node if isinstance(node, list) else ():
        yield from _telling(part)
    for name, value in node.items() if isinstance(node, dict) else ():
        if _tells(value):
            yield name
        yield from _telling(value)


def _tells(value: object) -> bool:
    if isinstance(value, list):
        return any(_tells(one) for one in value)
    if isinstance(value, str):
        return bool(value) and not _MASKED.fullmatch(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()
