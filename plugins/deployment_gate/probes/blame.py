"""Whose doing it was that a request got no whole answer: the target's or the runner's."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

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
_CERTIFICATES_OWN = {10: "has expired", 62: "is for another host name"}


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
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _blame_certificate(cause)
        if isinstance(cause, ssl.SSLError):
            return Blame(error=f"the TLS handshake failed: {cause.reason or cause}")
        if isinstance(cause, socket.gaierror):
            return Blame(unobserved=f"the name doesn't resolve on this machine: {cause.strerror}")
        if isinstance(cause, OSError) and cause.errno in _RUNNERS_ERRNOS:
            return Blame(unobserved=f"this machine can't reach it: {cause.strerror}")
        if isinstance(cause, ConnectionRefusedError):
            return Blame(error="connection refused")
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return Blame(error="connection closed before the answer was whole")
    names = {name for cause in causes for name in _class_names(cause)}
    if names & {"ServerDisconnectedError", "RemoteProtocolError", "ClientPayloadError"}:
        return Blame(error="connection closed before the answer was whole")
    if names & {"ClientResponseError", "InvalidUrlClientError"}:
        return Blame(error=f"the answer isn't valid HTTP: {exception}")
    return Blame(unobserved=f"{type(exception).__name__}: {exception}".rstrip(": "))


def no_answer_within(seconds: float) -> Blame:
    """The connection stood, and the target said nothing (more) in time."""
    return Blame(error=f"no whole answer within {seconds:g} s")


def no_connection_within(seconds: float) -> Blame:
    """Nothing answered at all: a dead target and a dead way to it look the same from here."""
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


def _class_names(exception: BaseException) -> set[str]:
    # By name, so that neither client library need be imported to judge the other's errors.
    return {base.__name__ for base in type(exception).__mro__}


def _blame_certificate(error: ssl.SSLCertVerificationError) -> Blame:
    own = _CERTIFICATES_OWN.get(error.verify_code)
    if own:
        return Blame(error=f"the certificate {own}")
    return Blame(
        unobserved=f"this machine doesn't trust the certificate: {error.verify_message}. "
        "Install the issuer's certificate here, or name it in SSL_CERT_FILE"
    )
