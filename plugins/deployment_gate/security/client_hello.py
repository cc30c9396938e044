"""A first message of TLS made by hand, for what no current library offers any more."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from ipaddress import ip_address

SSL_3_0 = 0x0300
TLS_1_2 = 0x0303

GIVEN_UP = {
    0x0003: "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
    0x0004: "TLS_RSA_WITH_RC4_128_MD5",
    0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x0006: "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5",
    0x0008: "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
    0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0011: "TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA",
    0x0012: "TLS_DHE_DSS_WITH_DES_CBC_SHA",
    0x0013: "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA",
    0x0014: "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
    0x0015: "TLS_DHE_RSA_WITH_DES_CBC_SHA",
    0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0017: "TLS_DH_anon_EXPORT_WITH_RC4_40_MD5",
    0x0018: "TLS_DH_anon_WITH_RC4_128_MD5",
    0x0019: "TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA",
    0x001A: "TLS_DH_anon_WITH_DES_CBC_SHA",
    0x001B: "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA",
    0xC002: "TLS_ECDH_ECDSA_WITH_RC4_128_SHA",
    0xC003: "TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA",
    0xC007: "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    0xC008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    0xC00C: "TLS_ECDH_RSA_WITH_RC4_128_SHA",
    0xC00D: "TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC016: "TLS_ECDH_anon_WITH_RC4_128_SHA",
    0xC017: "TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA",
}
"""Suites of keys that can be guessed or blocks that are too short, by IANA's registry of TLS."""

OF_SSL_3 = (
    # All that a server of SSL 3.0 may take.
    *GIVEN_UP,
    *(0x002F, 0x0033, 0x0035, 0x0039),  # AES in CBC, by RSA and DHE
    *(0xC009, 0xC00A, 0xC013, 0xC014),  # and by ECDHE
)

_ALERT, _HANDSHAKE = 21, 22
_WARNING = 1
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_SHORTEST_HELLO = 41
_SERVER_NAME, _GROUPS, _POINT_FORMATS, _SIGNATURES = 0, 10, 11, 13

# RFC 8422 and 8446: P-256, P-384, P-521, X25519; and each signature that servers may have.
_ALL_GROUPS = (0x0017, 0x0018, 0x0019, 0x001D)
_ALL_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0807)
_OLD_SIGNATURES = (0x0203, 0x0201)


class NoHelloError(OSError):
    """A line that went dead instead of an answer."""


def client_hello(host: str, version: int, suites: Iterable[int]) -> bytes:
    """The first message of a handshake (RFC 5246, 7.4.1.2), as a whole record.

    Args:
        host: Whom it is for; a name is told, an address isn't (RFC 6066, 3).
        version: The newest that is offered, which for this kind of message is TLS 1.2 at most.
        suites: What is offered, by IANA's numbers.
    """
    body = b"".join(
        [
            _short(version),
            os.urandom(32),
            b"\0",  # no session to go on with
            _sized(b"".join(map(_short, suites)), 2),
            b"\1\0",  # no compression
        ]
    )
    if version > SSL_3_0:
        body += _sized(_extensions(host), 2)
    message = bytes([_CLIENT_HELLO]) + _sized(body, 3)
    # RFC 5246, E.1: old servers want the oldest version around the message.
    return bytes([_HANDSHAKE]) + _short(min(version, 0x0301)) + _sized(message, 2)


def _extensions(host: str) -> bytes:
    signatures = b"".join(map(_short, (*_ALL_SIGNATURES, *_OLD_SIGNATURES)))
    told = {
        _GROUPS: _sized(b"".join(map(_short, _ALL_GROUPS)), 2),
        _POINT_FORMATS: _sized(b"\0", 1),
        _SIGNATURES: _sized(signatures, 2),
    }
    if not _is_address(host):
        told[_SERVER_NAME] = _sized(b"\0" + _sized(host.encode("idna"), 2), 2)
    return b"".join(_short(kind) + _sized(data, 2) for kind, data in told.items())


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _short(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _sized(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def answered_suite(connection: socket.socket, version: int) -> int | None:
    """The suite that a server chose by its answer; None where it refused.

    Args:
        connection: One on which the first message was sent.
        version: What it offered; a server that answers with another refuses it.

    Raises:
        NoHelloError: It hung up without a word.
        OSError: There was no answer.
    """
    kind, data = _record(connection)
    while kind == _ALERT and data[:1] == bytes([_WARNING]):
        kind, data = _record(connection)
    if kind == _ALERT:
        return None
    if kind != _HANDSHAKE or data[:1] != bytes([_SERVER_HELLO]) or len(data) < _SHORTEST_HELLO:
        raise NoHelloError("the answer is no TLS")
    chosen = int.from_bytes(data[4:6], "big")
    after_session = 39 + data[38]
    suite = int.from_bytes(data[after_session : after_session + 2], "big")
    return suite if chosen == version else None


def _record(connection: socket.socket) -> tuple[int, bytes]:
    """A record's kind and what it holds."""
    head = _exactly(connection, 5)
    return head[0], _exactly(connection, int.from_bytes(head[3:5], "big"))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise NoHelloError("the connection was closed")
        data += more
    return data
