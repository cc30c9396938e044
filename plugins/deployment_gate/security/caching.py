"""Caches that give somebody what was answered to somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment_gate.api.answers import MISSING, body_of, same, told
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.access import first_of, place_of, uncached
from deployment_gate.security.rules import Looked, Rule, Unseen, curl_of, told_exchange

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import ApiTarget

CACHED = Rule(
    id="cached-for-another",
    severity=FindingSeverity.CRITICAL,
    title="A cache gives somebody what was answered to somebody else",
    source="OWASP ASVS 5.0, 14.2.2 and 14.3.2; RFC 9111, 3.5",
    remedy="Answer whatever depends on who asks with `Cache-Control: no-store`, and let no cache "
    "on the way keep answers to requests with credentials; empty those that have some.",
)

RULES = (CACHED,)


@dataclass(frozen=True, slots=True)
class _Leak:
    """What was given to the wrong one, to whom, and how that is known."""

    path: str
    answer: httpx.Response
    what: str


def private_lists(api: ApiTarget) -> tuple[str, ...]:
    """The lists that aren't for everybody, each once."""
    paths = [one.path for one in api.collections.values() if one.is_private]
    return tuple(dict.fromkeys(paths))


def look_at_caches(sessions: Sessions, paths: Sequence[str]) -> Looked:
    """Ask as somebody, then for the very same as a stranger and as somebody else.

    Whoever is answered the same counts only where they are answered otherwise past all caches, so
    that what everybody may see is no finding.

    Args:
        sessions: How one signs in.
        paths: What to ask for.

    Raises:
        Unseen: Whoever may see something isn't let in.
        SignInError: Somebody can't sign in.
    """
    leaks = [leak for path in paths for leak in _leaks(sessions, path)]
    if not leaks:
        return Looked()
    first = leaks[0].answer
    breach = CACHED.found(
        "; ".join(one.what for one in leaks),
        [place_of("GET", one.path) for one in leaks],
        exchange=told_exchange(first),
        curl=curl_of(first.request),
    )
    return Looked((breach,))


def _leaks(sessions: Sessions, path: str) -> list[_Leak]:
    names = [*sessions.api.identities]
    name = first_of(sessions.api)
    ask = sessions.stranger.get
    own = ask(path, headers=sessions.headers(name))
    if not own.is_success:
        raise Unseen(f"{told(own)} as {name}, so what others are answered proves nothing")
    leaks = []
    if wrong := _is_of_another(sessions, name, path, own):
        leaks.append(wrong)
    anonymous = ask(path)
    if anonymous.is_success and _is_same(anonymous, own) and not ask(uncached(path)).is_success:
        what = f"GET {path} without a token was answered what {name} had been, from a cache"
        leaks.append(_Leak(path, anonymous, what))
    for other in names[1:2]:
        headers = sessions.headers(other)
        theirs = ask(path, headers=headers)
        if theirs.is_success and _is_same(theirs, own):
            past = ask(uncached(path), headers=headers)
            if not (past.is_success and _is_same(past, own)):
                what = f"GET {path} as {other} was answered what {name} had been, from a cache"
                leaks.append(_Leak(path, theirs, what))
    return leaks


def _is_of_another(
    sessions: Sessions, name: str, path: str, answer: httpx.Response
) -> _Leak | None:
    """Whether whoever asked who they are was answered that they are somebody else."""
    whoami, expected = sessions.api.whoami, sessions.api.identities[name].username
    if whoami is None or whoami.username is None or path != whoami.path or expected is None:
        return None
    told_name = whoami.username.first(body_of(answer))
    if told_name == expected:
        return None
    past = sessions.stranger.get(uncached(path), headers=sessions.headers(name))
    if whoami.username.first(body_of(past)) != expected:
        return None
    what = f"GET {path} as {name} was answered whatever somebody else had been, from a cache"
    return _Leak(path, answer, what)


def _is_same(one: httpx.Response, other: httpx.Response) -> bool:
    bodies = body_of(one), body_of(other)
    return one.content == other.content or (MISSING not in bodies and same(*bodies))
