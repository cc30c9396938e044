"""Whose doing it was that a database or a cache gave no answer, by what its library says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deployment_gate.probes.blame import Blame, blame, no_answer_within, no_connection_within

_LONGEST = 300
"""Characters of a server's own words that are told."""

_SERVERS_WORDS = re.compile(r"\b(?:FATAL|PANIC|ERROR): *(.+)")
_NO_CONNECTION_IN_TIME = re.compile(
    r"connection timeout expired|timeout connecting to server|timed out connecting", re.IGNORECASE
)
_NO_ANSWER_IN_TIME = re.compile(
    r"statement timeout|timeout reading from socket|max_statement_time|maximum statement execution"
    r"|database is locked|interrupted",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Sign:
    """What tells whose doing it is, where a library hides the system's error or a server refuses.

    Attributes:
        words: One of them is in what was said, in lower case.
        error: The target's doing; `{said}` stands for what was said.
        unobserved: The runner's doing, or nobody can tell.
    """

    words: tuple[str, ...]
    error: str | None = None
    unobserved: str | None = None


# The first that fits. PostgreSQL tells refusals by words alone: libpq hands on no SQLSTATE of a
# connection that was never made. Words of a server that speaks another language fit none, and so
# are nobody's doing.
_SIGNS = (
    _Sign(
        (
            "could not translate host name",
            "failed to resolve host",
            "name or service not known",
            "name resolution",
            "nodename nor servname",
            "no address associated with hostname",
        ),
        unobserved="the name doesn't resolve on this machine",
    ),
    _Sign(
        ("no route to host", "network is unreachable", "host is unreachable"),
        unobserved="this machine can't reach it: {said}",
    ),
    _Sign(("connection refused",), error="connection refused"),
    _Sign(
        ("failed: no such file or directory", "connecting to /", "[errno 2]"),
        error="nobody listens at its socket",
    ),
    _Sign(
        ("too many clients", "too many connections", "connection slots", "max number of clients"),
        error="it has no connection left: {said}",
    ),
    _Sign(
        (
            "password authentication failed",
            "no password supplied",
            "authentication failed",
            "authentication required",
            "access denied",
            "permission denied",
            "no pg_hba.conf entry",
            "is not permitted to log in",
            "wrongpass",
            "noauth",
            "noperm",
            "invalid username-password",
            "has no permissions",
            "without any password configured",
        ),
        unobserved="it refused the credentials, which may be the runner's mistake: {said}. "
        "See to the variable that its `url` names",
    ),
    _Sign(
        ('database "', 'role "', "unknown database", "db index is out of range"),
        unobserved="it knows no such database or role, which may be the runner's mistake: {said}. "
        "See to the variable that its `url` names",
    ),
    _Sign(
        ("startup parameter", "unrecognized configuration parameter"),
        unobserved="what stands in between, a pooler say, takes no session that can only read: "
        "{said}. Set the address of the server itself",
    ),
    _Sign(
        ("starting up", "shutting down", "in recovery mode", "not accepting connections"),
        error="it takes no sessions: {said}",
    ),
    _Sign(("loading the dataset", "is loading"), error="it is still loading its data"),
    _Sign(("lock timeout",), error="a lock kept it from answering: {said}"),
    _Sign(
        (
            "server closed the connection",
            "connection closed by server",
            "connection reset",
            "connection not open",
            "consuming input failed",
            "terminating connection",
            "has gone away",
            "lost connection",
        ),
        error="connection closed before the answer was whole: {said}",
    ),
    _Sign(("malformed", "not a database"), error="its file is damaged: {said}"),
)


def blame_store(exception: BaseException, *, timeout_s: float, address: str | None) -> Blame:
    """Whose doing `exception` is, of SQLAlchemy, of a database's driver or of redis.

    Args:
        exception: What the library raised.
        timeout_s: Seconds that connecting or an answer could take.
        address: `tcp://host:port`, to see whether anything listens there; None for what is on
            this machine.
    """
    drivers_own: BaseException = getattr(exception, "orig", None) or exception
    words = str(drivers_own)
    if _NO_CONNECTION_IN_TIME.search(words):
        return no_connection_within(timeout_s, url=address) if address else _unfinished(timeout_s)
    if _NO_ANSWER_IN_TIME.search(words):
        return no_answer_within(timeout_s)
    said = what_was_said(words)
    for sign in _SIGNS:
        if any(one in words.lower() for one in sign.words):
            return Blame(
                error=sign.error and sign.error.format(said=said),
                unobserved=sign.unobserved and sign.unobserved.format(said=said),
            )
    return blame(drivers_own)


def what_was_said(words: str) -> str:
    """The telling part of a library's message: the server's own words, or the first line."""
    servers = _SERVERS_WORDS.search(words)
    lines = words.strip().splitlines() or ["nothing"]
    return (servers[1] if servers else lines[0]).strip().rstrip(".")[:_LONGEST]


def _unfinished(seconds: float) -> Blame:
    return Blame(error=f"takes connections, but finished none within {seconds:g} s")
