"""Changing what is known of oneself, which must not change what one may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from deployment_gate.api.answers import MISSING, body_of, told
from deployment_gate.api.sessions import SignInError
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.access import place_of, uncached
from deployment_gate.security.rules import Looked, Rule, Unseen, curl_of, told_exchange

if TYPE_CHECKING:
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import Profile

TAKEN = Rule(
    id="role-taken-from-request",
    severity=FindingSeverity.CRITICAL,
    title="Whoever changes what is known of them may give themselves a role",
    source="OWASP API Security Top 10 2023, API3; OWASP ASVS 5.0, 15.3.3",
    remedy="Take only the fields that people may change from a request, by a list of them, and "
    "refuse or pass over all others.",
)

RULES = (TAKEN,)

_FLAGS: Mapping[str, Any] = {
    "is_admin": True,
    "isAdmin": True,
    "admin": True,
    "is_staff": True,
    "is_superuser": True,
}


@dataclass(frozen=True, slots=True)
class _Standing:
    """What somebody is by what the API says.

    Attributes:
        role: Their role.
        flags: Whatever else would make an administrator of them, by name.
    """

    role: Any
    flags: Mapping[str, Any]


def look_at_profile(sessions: Sessions, profile: Profile, name: str) -> Looked:
    """Change what somebody may change of themselves, with a role beside it.

    What was changed is put back afterwards, whatever comes of it.

    Args:
        sessions: How one signs in.
        profile: What may be changed, and how.
        name: Who does: the identity that may do the least.

    Raises:
        Unseen: What may be changed can't be, or it isn't known which role somebody has.
        SignInError: They can't sign in.
    """
    wanted = _wanted_role(sessions, name)
    shown = _shown_before(sessions, profile, name)
    plain = _change(sessions, profile, name, profile.body)
    if not plain.is_success:
        raise Unseen(
            f"{told(plain)} as {name} although it changes only what may be changed. See to "
            "`security.profile`"
        )
    before = _standing(sessions, profile, name)
    if before.role is None:
        raise Unseen(
            f"no answer says which role {name} has. Write where one does: `api.whoami.role` or "
            "`security.profile.role`"
        )
    if before.role == wanted:
        raise Unseen(f"{name} has the role {wanted} already. Name another in `low_privilege`")
    found: tuple[httpx.Response, _Standing] | None = None
    try:
        found = _taken(sessions, profile, name, before=before, wanted=wanted)
    finally:
        left = _put_back(sessions, profile, name, {**profile.body, **shown}, before=before)
    unseen = (left,) if left else ()
    if found is None:
        return Looked(unseen=unseen)
    answer, after = found
    breach = TAKEN.found(
        f"{name} sent a role with {profile.request} and is {_told(after)} after that, and was "
        f"{_told(before)} before" + (f". {left}" if left else ""),
        [place_of(profile.request.method, profile.request.path)],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,), unseen)


def _taken(
    sessions: Sessions, profile: Profile, name: str, *, before: _Standing, wanted: str
) -> tuple[httpx.Response, _Standing] | None:
    """The answer to the change that gave a role, and what they are then; None where none did."""
    for more in _additions(wanted):
        answer = _change(sessions, profile, name, {**profile.body, **more})
        after = _standing(sessions, profile, name)
        if after != before:
            return answer, after
        if answer.is_success:
            # All were passed over at once: one by one they would be, too.
            return None
    return None


def _additions(wanted: str) -> Iterator[dict[str, Any]]:
    """What is added: everything at once, and by itself for an API that refuses what it ignores."""
    yield {"role": wanted, "roles": [wanted], **_FLAGS}
    yield {"role": wanted}
    yield {"roles": [wanted]}
    for flag, value in _FLAGS.items():
        yield {flag: value}


def _put_back(
    sessions: Sessions, profile: Profile, name: str, body: Mapping[str, Any], *, before: _Standing
) -> str | None:
    """Make somebody what they were; what is left to do by hand, None where nothing is."""
    try:
        _change(sessions, profile, name, body)
        if _standing(sessions, profile, name) == before:
            return None
        undo = {"role": before.role, "roles": [before.role], **dict.fromkeys(_FLAGS, False)}
        for more in (undo, {"role": before.role}):
            _change(sessions, profile, name, {**body, **more})
            if _standing(sessions, profile, name) == before:
                return None
    except (httpx.HTTPError, SignInError) as error:
        return f"See by hand that {name} is {_told(before)} again: {error}"
    return f"See by hand that {name} is {_told(before)} again: the check could not put it back"


def _change(
    sessions: Sessions, profile: Profile, name: str, body: Mapping[str, Any]
) -> httpx.Response:
    request = profile.request
    return sessions.stranger.request(
        request.method, request.path, json=dict(body), headers=sessions.headers(name)
    )


def _standing(sessions: Sessions, profile: Profile, name: str) -> _Standing:
    """What somebody is once they sign in anew, as the API says where one asks who one is."""
    whoami = sessions.api.whoami
    path = whoami.path if whoami else profile.request.path
    headers = sessions.headers(name, sessions.sign_in(name).value)
    body = body_of(sessions.stranger.get(uncached(path), headers=headers))
    queries = [profile.role, *([whoami.role] if whoami and whoami.role else [])]
    roles = [role for query in queries if (role := query.first(body)) is not None]
    fields = body if isinstance(body, dict) else {}
    flags = {key: fields[key] for key in ("roles", *_FLAGS) if key in fields}
    return _Standing(roles[0] if roles else None, flags)


def _shown_before(sessions: Sessions, profile: Profile, name: str) -> dict[str, Any]:
    """What of that which may be changed is shown, as it was."""
    paths = [profile.request.path, *([sessions.api.whoami.path] if sessions.api.whoami else [])]
    shown: dict[str, Any] = {}
    for path in dict.fromkeys(paths):
        answer = sessions.stranger.get(uncached(path), headers=sessions.headers(name))
        body = body_of(answer) if answer.is_success else MISSING
        if isinstance(body, dict):
            shown = {key: body[key] for key in profile.body if key in body} | shown
    return shown


def _wanted_role(sessions: Sessions, name: str) -> str:
    """The role of somebody who may do more, or what such roles are usually called."""
    own = sessions.api.identities[name].role
    roles = [one.role for one in sessions.api.identities.values() if one.role and one.role != own]
    return roles[0] if roles else "admin"


def _told(standing: _Standing) -> str:
    flags = [f"{name}: {value}" for name, value in standing.flags.items()]
    return ", ".join([str(standing.role), *flags])
