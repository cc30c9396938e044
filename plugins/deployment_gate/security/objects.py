"""Things of one identity that others must not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.access import (
    REFUSALS,
    Admission,
    admission_of,
    demand_let_in,
    place_of,
    uncached,
)
from deployment_gate.security.rules import Looked, Rule, Unseen, curl_of, told_exchange

if TYPE_CHECKING:
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import PrivateObject

READABLE = Rule(
    id="object-of-another-readable",
    severity=FindingSeverity.CRITICAL,
    title="Somebody may read what belongs to somebody else",
    source="OWASP API Security Top 10 2023, API1; OWASP ASVS 5.0, 8.2.2",
    remedy="Look for a thing among those of whoever asks, or compare its owner with who asks, in "
    "each operation that takes an id, and answer 403 or 404.",
)

RULES = (READABLE,)

_REFUSALS = REFUSALS | {404}


def look_at_objects(sessions: Sessions, objects: Sequence[PrivateObject]) -> Looked:
    """Ask for things as those whose they aren't; the owner must be let in.

    Args:
        sessions: How one signs in.
        objects: The things, and whose they are.

    Raises:
        Unseen: An owner isn't let in, or nobody else is known.
        SignInError: Somebody can't sign in.
    """
    found, unseen = [], []
    for one in objects:
        others = one.others or tuple(name for name in sessions.api.identities if name != one.owner)
        if not others:
            raise Unseen(
                f"nobody is known but {one.owner}, who owns {one.path}. Write somebody else under "
                "`api.identities`"
            )
        demand_let_in(sessions, one.owner, one.path)
        for other in others:
            answer = sessions.stranger.get(uncached(one.path), headers=sessions.headers(other))
            admission = admission_of(answer.status_code, refusals=_REFUSALS)
            if admission is Admission.LET_IN:
                found.append((one, other, answer))
            elif admission is not Admission.REFUSED:
                unseen.append(
                    f"GET {one.path} as {other} was answered {answer.status_code}, which tells "
                    "nothing of who may see it"
                )
    if not found:
        return Looked(unseen=tuple(unseen))
    readers = "; ".join(
        f"GET {one.path}, which is {one.owner}'s, was answered {answer.status_code} as {other}"
        for one, other, answer in found
    )
    answer = found[0][2]
    breach = READABLE.found(
        readers,
        [place_of("GET", one.path) for one, _, _ in found],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,), tuple(unseen))
