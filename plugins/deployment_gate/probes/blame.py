"""Whose doing it was that a request got no whole answer: the target's or the runner's."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from deployment_gate.probes.reach import accepts_connections

# What the runner's own machine or network says; the target has no part in it.
_RUNNERS_ERRNOS = {
    errno.EACCES,
    errno.EADDRNOTAVAIL,
    errno.EHOSTUNREACH,
    errno.EMFILE,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.EPERM,
}

# OpenSSL's x509_vfy.h: what the certificate itself is to blame for. All the others (an issuer
# that this machine doesn't trust, say) may be missing on the runner only.
_CERTIFICATES_OWN = {
    10: "has expired",
    62: "is for another host name",
    64: "is for another IP address",
}


@dataclass(frozen=True, slots=True)
class Blame:
    """One of the two says why there is no whole answer.

    Attributes:
        error: The target's doing.
        unobserved: The runner's doing, or nobody can tell: fail closed, never roll back.
    """

    error: str | None = None
    unobserved: str | None = None


def blame(exception: BaseException) -> Blame:
    """Whose doing `exception` is, of httpx or aiohttp, by the system's error behind it."""
    causes = list(_causes(exception))
    for kind, judge in _BY_SYSTEM_ERROR:
        for cause in causes:
            if isinstance(cause, kind) and (found := judge(cause)):
                return found
    names = {base.__name__ for cause in causes for base in type(cause).__mro__}
    for known, found in _BY_NAME.items():
        if known in names:
            return found
    return Blame(unobserved=f"{type(exception).__name__}: {exception}".rstrip(": "))


def no_answer_within(seconds: float) -> Blame:
    """The connection stood, and the target said nothing (more) in time."""
    return Blame(error=f"no whole answer within {seconds:g} s")


def no_connection_within(seconds: float, *, url: str) -> Blame:
    """Nothing answered: a dead target and a dead way to it look the same from here.

    Unless something there still takes connections, and only the TLS handshake is not answered.
    """
    if accepts_connections(url):
        return Blame(error=f"takes connections, but finished none within {seconds:g} s")
    return Blame(
        unobserved=f"no connection within {seconds:g} s: the target, or the way there from here"
    )


def _causes(exception: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException] = [exception]
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [
            behind
            for behind in (
                cause.__cause__,
                cause.__context__,
                getattr(cause, "os_error", None),
                *getattr(cause, "exceptions", ()),
                *cause.args,
            )
            if isinstance(behind, BaseException)
        ]


def _blame_certificate(error: ssl.SSLCertVerificationError) -> Blame | None:
    if not hasattr(error, "verify_code"):
        return None  # aiohttp's own kind of it, which only wraps the one that tells
    own = _CERTIFICATES_OWN.get(error.verify_code)
    if own:
        return Blame(error=f"the certificate {own}")
    return Blame(
        unobserved=f"this machine doesn't trust the certificate: {error.verify_message}. "
        "Install the issuer's certificate here, or name it in SSL_CERT_FILE"
    )


def _blame_errno(error: OSError) -> Blame | None:
    if error.errno not in _RUNNERS_ERRNOS:
        return None
    return Blame(unobserved=f"this machine can't reach it: {error.strerror}")


_CUT_OFF = Blame(error="connection closed before the answer was whole")

# The first that fits; the more special kinds first.
_BY_SYSTEM_ERROR: tuple[tuple[type[BaseException], Callable[[Any], Blame | None]], ...] = (
    (ssl.SSLCertVerificationError, _blame_certificate),
    (ssl.SSLError, lambda error: Blame(error=f"the TLS handshake failed: {error.reason or error}")),
    (
        socket.gaierror,
        lambda error: Blame(
            unobserved=f"the name doesn't resolve on this machine: {error.strerror}"
        ),
    ),
    (ConnectionRefusedError, lambda _error: Blame(error="connection refused")),
    (ConnectionResetError, lambda _error: _CUT_OFF),
    (BrokenPipeError, lambda _error: _CUT_OFF),
    (OSError, _blame_errno),
)

# By name, so that neither client library need be imported to judge the other's errors.
_BY_NAME = {
    "LineTooLong": Blame(unobserved="a header is longer than this client reads"),
    "ContentEncodingError": Blame(unobserved="its encoding can't be read by this client"),
    "ServerDisconnectedError": _CUT_OFF,
    "RemoteProtocolError": _CUT_OFF,
    "ClientPayloadError": _CUT_OFF,
    "ClientResponseError": Blame(error="the answer isn't valid HTTP"),
}
