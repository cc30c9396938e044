"""Wrong sign-ins: what refusals tell, how often one may try, and which accounts open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from deployment_gate.api.answers import MISSING, body_of
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Looked, Rule, Unseen, curl_of, told_exchange
from deployment_gate.security.wrong_sign_ins import (
    Refusal,
    WrongSignIns,
    made_up_password,
    made_up_username,
)

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.sessions import Sessions

TOLD = Rule(
    id="usernames-told-by-sign-in",
    severity=FindingSeverity.MEDIUM,
    title="A refused sign-in tells whether the username is known",
    source="OWASP ASVS 5.0, 6.3.8",
    remedy="Answer an unknown username and a wrong password alike: one status, one text, one "
    "shape.",
)
ECHOED = Rule(
    id="echoed-secret",
    severity=FindingSeverity.HIGH,
    title="The answer to a sign-in repeats the password",
    source="OWASP ASVS 5.0, 14.2.1 and 16.5.1",
    remedy="Leave what was sent out of error answers; where a framework echoes input that it "
    "refuses, switch that off. Look whether logs have it, too.",
)
DEFAULT = Rule(
    id="default-account",
    severity=FindingSeverity.CRITICAL,
    title="An account that everybody knows of signs in",
    source="OWASP ASVS 5.0, 6.3.2",
    remedy="Remove the account, or give it a password of its own, and end its sessions. See what "
    "it was used for.",
)
UNLIMITED = Rule(
    id="sign-ins-unlimited",
    severity=FindingSeverity.MEDIUM,
    title="Passwords may be tried without a limit",
    source="OWASP API Security Top 10 2023, API2 and API4; OWASP ASVS 5.0, 6.3.1",
    remedy="Count failed sign-ins by username and by address, and answer 429 with Retry-After "
    "above a limit of about ten a minute.",
)
WITHOUT_RETRY_AFTER = Rule(
    id="throttling-without-retry-after",
    severity=FindingSeverity.LOW,
    title="Whoever tries too often isn't told when to try again",
    source="RFC 6585, 4; RFC 9110, 10.2.3",
    remedy="Send Retry-After, in seconds, with each answer 429.",
)

RULES = (TOLD, ECHOED, DEFAULT, UNLIMITED, WITHOUT_RETRY_AFTER)

_SHOWN = 3
_LIMITS = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.LOCKED})

DEFAULT_ACCOUNTS = (
    ("root", "root"),
    ("admin", "admin"),
    ("guest", "guest"),
    ("user", "user"),
    ("test", "test"),
    ("demo", "demo"),
    ("administrator", "administrator"),
    ("admin", "password"),
    ("postgres", "postgres"),
    ("root", "toor"),
)
"""Usernames and passwords that software is delivered with, each offered once."""


@dataclass(frozen=True, slots=True, repr=False)
class Provoked:
    """How wrong passwords for a known username and for unknown ones were refused, in turn."""

    known: tuple[Refusal, ...]
    unknown: tuple[Refusal, ...]
    odd: Refusal | None = None


def provoke(wrong: WrongSignIns, sessions: Sessions) -> Provoked:
    """Offer wrong passwords, two for a known username and three for unknown ones, in turn.

    Args:
        wrong: Offers them.
        sessions: Signs the known one in afterwards: only then was it the password that was wrong.

    Raises:
        Unseen: They aren't refused, or nobody who is known signs in by a password.
        SignInError: The right password isn't taken.
    """
    name = next((one for one, who in wrong.api.identities.items() if who.password), None)
    username = wrong.api.identities[name].username if name else None
    if name is None or username is None:
        raise Unseen("nobody signs in by a password. Write one under `api.identities`")
    known, unknown = [], [wrong.refuse(made_up_username(username))]
    for _ in range(2):
        known.append(wrong.refuse(username))
        unknown.append(wrong.refuse(made_up_username(username)))
    odd = wrong.offer_without_username()
    sessions.sign_in(name)
    return Provoked(tuple(known), tuple(unknown), odd)


def look_at_refusals(wrong: WrongSignIns, provoked: Provoked) -> Looked:
    """See whether status or text of a refusal tells that a username is known.

    What differs from one answer to the next of the same kind, the time say, tells nothing.

    Args:
        wrong: Where one signs in.
        provoked: How wrong passwords were refused.
    """
    told = list(_differences(provoked.known, provoked.unknown))
    if not told:
        return Looked()
    answer = provoked.known[-1].answer
    breach = TOLD.found(
        "; ".join(told[:_SHOWN]),
        [wrong.place],
        exchange="\n".join(
            told_exchange(one.answer) for one in (provoked.known[-1], provoked.unknown[-1])
        ),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))


def look_at_echoes(wrong: WrongSignIns, provoked: Provoked) -> Looked:
    """See whether the answer to a wrong password repeats it.

    Args:
        wrong: Where one signs in.
        provoked: How wrong passwords were refused.
    """
    sent = [*provoked.known, *provoked.unknown, *([provoked.odd] if provoked.odd else [])]
    echoing = [one for one in sent if _repeats(one.answer, one.password)]
    if not echoing:
        return Looked()
    answer = echoing[0].answer
    ways = []
    if any(one is not provoked.odd for one in echoing):
        ways.append("a wrong password")
    if provoked.odd in echoing:
        ways.append("a sign-in without a username")
    breach = ECHOED.found(
        f"the answer ({answer.status_code}) to {' and to '.join(ways)} holds the password that "
        "was sent",
        [wrong.place],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))


def look_at_default_accounts(wrong: WrongSignIns) -> Looked:
    """Offer what software is delivered with, each once, and see whether somebody is let in.

    Where it is how one of the environment's identities signs in, it isn't offered, nor where an
    account could be locked.

    Args:
        wrong: Offers them.

    Raises:
        Unseen: Whoever comes with whatever password is let in, so that no account is special.
    """
    opened, unseen = [], []
    for username, password in DEFAULT_ACCOUNTS:
        if wrong.is_real(username, password) or wrong.was_refused(username, password):
            continue
        if wrong.is_spent(username):
            unseen.append(f"{username} with its usual password was not tried: it could be locked")
            continue
        with _strangers_beside(wrong, username):
            answer, is_refused = wrong.offer(username, password)
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error:
            unseen.append(f"{username} with its usual password was answered {answer.status_code}")
        elif not is_refused and (answer.is_success or answer.is_redirect):
            opened.append((username, password, answer))
    if not opened:
        return Looked(unseen=tuple(unseen))
    # The control: somebody who doesn't exist is not let in, either.
    wrong.refuse(made_up_username())
    answer = opened[0][2]
    shown = ", ".join(f"{username} with {password}" for username, password, _ in opened)
    breach = DEFAULT.found(
        f"let in: {shown}",
        [f"{wrong.place} ({username})" for username, _, _ in opened],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,), tuple(unseen))


@contextmanager
def _strangers_beside(wrong: WrongSignIns, username: str) -> Iterator[None]:
    """What is refused of a known username is a sample of its time, with others to compare it."""
    if username not in wrong.known:
        yield
        return
    wrong.offer(made_up_username(username), made_up_password())
    yield
    wrong.offer(made_up_username(username), made_up_password())


def look_at_limit(wrong: WrongSignIns, burst: int) -> Looked:
    """Try passwords for a username that is nobody's until the API limits that.

    Args:
        wrong: Offers them.
        burst: How many at the most.

    Raises:
        Unseen: A wrong password is taken, or answered by a failure.
    """
    username = made_up_username(next(iter(wrong.known), ""))
    answer = None
    for _ in range(burst):
        answer, is_refused = wrong.offer(username, made_up_password())
        if answer.status_code in _LIMITS:
            return _limited(wrong, answer)
        if not is_refused:
            raise Unseen(
                f"a wrong password was answered {answer.status_code}, so no limit was looked for"
            )
    if answer is None:
        raise Unseen("nothing was tried. Set `security.burst` to more than 0")
    breach = UNLIMITED.found(
        f"{burst} wrong passwords one after another for one username met no limit: the last one "
        f"was answered {answer.status_code}",
        [wrong.place],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))


def _limited(wrong: WrongSignIns, answer: httpx.Response) -> Looked:
    if answer.headers.get("Retry-After"):
        return Looked()
    breach = WITHOUT_RETRY_AFTER.found(
        f"the answer {answer.status_code} has no Retry-After",
        [wrong.place],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))


def _repeats(answer: httpx.Response, password: str) -> bool:
    return password in answer.text or any(password in one for one in answer.headers.values())


def _differences(known: Sequence[Refusal], unknown: Sequence[Refusal]) -> Iterator[str]:
    """What tells the two kinds apart in each of their answers, a sentence each."""
    of_known, of_unknown = [_told(one) for one in known], [_told(one) for one in unknown]
    for where in dict.fromkeys(where for one in (*of_known, *of_unknown) for where in one):
        ones = {one.get(where) for one in of_known}
        others = {one.get(where) for one in of_unknown}
        if others == {None} and None not in ones:
            yield f"only for a known username there is {where}"
        elif ones == {None} and None not in others:
            yield f"only for an unknown username there is {where}"
        elif len(ones) == len(others) == 1 and ones != others:
            yield (
                f"{where} is {ones.pop()} for a known username and {others.pop()} for an unknown "
                "one"
            )


def _told(refusal: Refusal) -> dict[str, str]:
    """What a refusal says: its status, and each place of its body, without what was sent."""
    body = body_of(refusal.answer)
    if body is MISSING:
        lines = enumerate(refusal.answer.text.splitlines(), 1)
        found = {f"line {number}": line.strip() for number, line in lines}
    else:
        found = dict(_leaves(body, "$"))
    for sent in (refusal.username, refusal.password):
        found = {where: text.replace(sent, "") if sent else text for where, text in found.items()}
    return {"the status": str(refusal.answer.status_code), **found}


def _leaves(node: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, f"{where}.{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _leaves(value, f"{where}[{number}]")
    else:
        yield where, json.dumps(node, ensure_ascii=False)
