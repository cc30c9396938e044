"""Access: whether an answer lets somebody in, who is asked for that, and past which caches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from uuid import uuid4

from deployment_gate.api.answers import with_query
from deployment_gate.environment import is_administrator
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Looked, Rule, Unseen, curl_of, told_exchange

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import ApiTarget, Security

REFUSALS = frozenset({401, 403})
"""RFC 9110, 15.5.2 and 15.5.4: what says that it is about who asks."""

GARBAGE = "made.up.token"
"""A token that nobody was ever given."""

_ABOUT_THE_REQUEST = frozenset({400, 404, 409, 410, 411, 412, 413, 415, 422, 428})
_SHOWN = 5


class Admission(Enum):
    """What an answer says of who asked."""

    LET_IN = "let in"
    UNCHECKED = "unchecked"
    """The request was looked at, and nobody asked first who sends it."""
    REFUSED = "refused"
    UNCLEAR = "unclear"
    """It tells nothing of that: a failure, a redirect."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What somebody was answered who should have been refused.

    Attributes:
        place: Where, without what differs from run to run.
        answer: What was answered.
        admission: What that says.
    """

    place: str
    answer: httpx.Response
    admission: Admission


def admission_of(status: int, *, refusals: Collection[int] = REFUSALS) -> Admission:
    """What an answer's status says of who asked.

    Args:
        status: The status.
        refusals: Those that the API refuses with.
    """
    if 200 <= status < 300:  # noqa: PLR2004  # RFC 9110, 15.3
        return Admission.LET_IN
    if status in refusals:
        return Admission.REFUSED
    return Admission.UNCHECKED if status in _ABOUT_THE_REQUEST else Admission.UNCLEAR


def uncached(address: str) -> httpx.URL:
    """An address that no cache knows: an answer kept for somebody else is no bypass."""
    return with_query(address, {"uncached": uuid4().hex})


def place_of(method: str, path: str) -> str:
    """Where something was found, as findings name it."""
    return f"api {method} {path}"


def first_of(api: ApiTarget) -> str:
    """The identity that reads.

    Raises:
        Unseen: The environment has none.
    """
    name = next(iter(api.identities), None)
    if name is None:
        raise Unseen("nobody can sign in. Write somebody under `api.identities`")
    return name


def private_path_of(api: ApiTarget) -> str:
    """A path that strangers must be refused.

    Raises:
        Unseen: None is known.
    """
    if api.private_path is None:
        raise Unseen("nothing private is known. Write `api.whoami`")
    return api.private_path


def low_privileged(api: ApiTarget, security: Security) -> str:
    """The identity that may do the least: the one named, or the first that is no administrator.

    Raises:
        Unseen: There is none, or it is an administrator by its role.
    """
    if security.low_privilege:
        return security.low_privilege
    for name, identity in api.identities.items():
        if not is_administrator(identity.role or name):
            return name
    raise Unseen(
        "every identity is an administrator, by its role or its name. Write one under "
        "`api.identities` that may do little, and name it in `security.low_privilege`"
    )


def demand_let_in(sessions: Sessions, name: str, path: str, *, token: str | None = None) -> None:
    """The control: somebody with a good token is let in where others are to be refused.

    Args:
        sessions: How one signs in.
        name: Who asks.
        path: What for.
        token: In place of their own.

    Raises:
        Unseen: They are not, so that refusals prove nothing.
    """
    answer = sessions.stranger.get(uncached(path), headers=sessions.headers(name, token))
    if not answer.is_success:
        raise Unseen(
            f"GET {path} as {name} was answered {answer.status_code}, so whoever is refused it "
            "proves nothing. See that this identity may ask for it"
        )


def learned_refusals(sessions: Sessions, *, token: str | None) -> frozenset[int]:
    """What a stranger, or a token that isn't good, is refused with, as the API does it.

    Some answer 400 or 422 to a token that is none, and some 404 to whoever may not know.

    Args:
        sessions: How one signs in.
        token: The one that isn't good; None for a stranger.
    """
    path = sessions.api.private_path
    if path is None:
        return REFUSALS
    headers = {} if token is None else sessions.headers(first_of(sessions.api), token)
    status = sessions.stranger.get(uncached(path), headers=headers).status_code
    is_refusal = admission_of(status) in {Admission.REFUSED, Admission.UNCHECKED}
    return REFUSALS | {status} if is_refusal else REFUSALS


def looked_at(
    rule: Rule, who: str, seen: Sequence[Admitted], *, unseen: Iterable[str] = ()
) -> Looked:
    """What answers to somebody who should have been refused come to: one breach at most.

    Where nobody was let in, and access was only looked at too late, it is a high one: what it
    comes to can't be seen without doing harm.

    Args:
        rule: The rule that this would break.
        who: Who asked, as the end of a sentence: "without a token".
        seen: The answers.
        unseen: What else could not be looked at.
    """
    let_in = [one for one in seen if one.admission is Admission.LET_IN]
    unchecked = [one for one in seen if one.admission is Admission.UNCHECKED]
    unclear = [one for one in seen if one.admission is Admission.UNCLEAR]
    sentences = (
        *unseen,
        *(
            f"{one.place} was answered {one.answer.status_code} {who}, which tells nothing of who "
            "may ask for it"
            for one in unclear
        ),
    )
    open_ = [*let_in, *unchecked]
    if not open_:
        return Looked(unseen=sentences)
    shown = ", ".join(f"{one.place} ({one.answer.status_code})" for one in open_[:_SHOWN])
    more = f" and {len(open_) - _SHOWN} more" if len(open_) > _SHOWN else ""
    how = (
        "were answered"
        if let_in
        else "were answered of the request itself, as if nobody had asked who sends it"
    )
    detail = f"{len(open_)} of {len(seen)} requests {who} {how}: {shown}{more}"
    breach = rule.found(
        detail,
        [one.place for one in open_],
        exchange=told_exchange(open_[0].answer),
        curl=curl_of(open_[0].answer.request),
        severity=None if let_in else FindingSeverity.HIGH,
    )
    return Looked((breach,), sentences)
