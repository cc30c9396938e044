"""Offers made by hand, against OpenSSL's servers and against answers made by hand."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from deployment_gate.environment import TlsProfile
from deployment_gate.security.client_hello import (
    GIVEN_UP,
    OF_SSL_3,
    SSL_3_0,
    TLS_1_2,
    NoHelloError,
    client_hello,
)
from deployment_gate.security.tls import look_at_protocols
from tests.security import tls_servers
from tests.security.tls_servers import Counted, Listener, issue, rules_of, server_context

TLS_1_0, TLS_1_1 = 0x0301, 0x0302
ECDHE_ECDSA_AES128_SHA = 0xC009
ECDHE_ECDSA_AES256_GCM = 0xC02C
RSA_AES128_SHA = 0x002F
RSA_3DES = 0x000A
ALERT = bytes([21, 3, 3, 0, 2, 2, 40])
TOO_SHORT = bytes([22, 3, 3, 0, 4, 2, 0, 0, 0])
WARNING = bytes([21, 3, 3, 0, 2, 1, 112])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate."""
    return issue("own").save(tmp_path_factory.mktemp("certificate"), sending=0)


def offer(taking: Listener, version: int, *suites: int) -> int | None:
    """Offer suites to a server."""
    return Counted(timeout_s=2).dialler.offer(taking.server, version=version, suites=suites)


def server_hello(version: int, suite: int, *, session: bytes = b"") -> bytes:
    """A server's answer (RFC 5246, 7.4.1.3), as a whole record."""
    body = version.to_bytes(2, "big") + bytes(32) + bytes([len(session)]) + session
    body += suite.to_bytes(2, "big") + b"\0"
    message = b"\2" + len(body).to_bytes(3, "big") + body
    return b"\x16" + version.to_bytes(2, "big") + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize(
    ("suite", "is_taken"),
    [(ECDHE_ECDSA_AES128_SHA, True), (ECDHE_ECDSA_AES256_GCM, False), (RSA_AES128_SHA, False)],
)
def test_openssl_takes_what_it_has_and_refuses_the_rest(
    suite: int, *, is_taken: bool, certificate: Path
) -> None:
    context = server_context(certificate, suites="ECDHE-ECDSA-AES128-SHA")

    with tls_servers.tls(context) as taking:
        assert offer(taking, TLS_1_2, suite) == (suite if is_taken else None)


def test_openssl_chooses_among_several(certificate: Path) -> None:
    with tls_servers.tls(server_context(certificate, suites="ECDHE-ECDSA-AES128-SHA")) as taking:
        chosen = offer(taking, TLS_1_2, RSA_AES128_SHA, RSA_3DES, ECDHE_ECDSA_AES128_SHA)

    assert chosen == ECDHE_ECDSA_AES128_SHA


@pytest.mark.parametrize("version", [TLS_1_0, TLS_1_1, TLS_1_2])
def test_openssl_takes_its_own_version_alone(version: int, certificate: Path) -> None:
    only = ssl.TLSVersion(version)
    weak = tls_servers.WEAK_SUITES

    with tls_servers.tls(
        server_context(certificate, oldest=only, newest=only, suites=weak)
    ) as taking:
        taken = {
            one: offer(taking, one, ECDHE_ECDSA_AES128_SHA)
            for one in (SSL_3_0, TLS_1_0, TLS_1_1, version)
        }

    assert taken.pop(version) == ECDHE_ECDSA_AES128_SHA
    assert set(taken.values()) <= {None}


def test_openssl_refuses_what_is_given_up(certificate: Path) -> None:
    context = server_context(certificate, suites=tls_servers.WEAK_SUITES)

    with tls_servers.tls(context) as taking:
        assert offer(taking, TLS_1_2, *GIVEN_UP) is None
        assert offer(taking, SSL_3_0, *OF_SSL_3) is None


def test_a_name_is_told_and_an_address_is_not() -> None:
    assert b"example.org" in client_hello("example.org", TLS_1_2, [RSA_3DES])
    assert b"127.0.0.1" not in client_hello("127.0.0.1", TLS_1_2, [RSA_3DES])
    assert b"example.org" not in client_hello("example.org", SSL_3_0, [RSA_3DES])


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (server_hello(TLS_1_2, RSA_3DES), RSA_3DES),
        (server_hello(TLS_1_2, RSA_3DES, session=bytes(32)), RSA_3DES),
        (server_hello(TLS_1_0, RSA_3DES), None),
        (ALERT, None),
        (WARNING + server_hello(TLS_1_2, RSA_3DES), RSA_3DES),
    ],
)
def test_an_answer_is_read_whatever_its_session(answer: bytes, taken: int | None) -> None:
    with tls_servers.plain(answer) as taking:
        assert offer(taking, TLS_1_2, RSA_3DES) == taken


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", ALERT[:4], TOO_SHORT])
def test_what_is_no_answer_is_no_refusal(answer: bytes) -> None:
    with tls_servers.plain(answer) as taking, pytest.raises((NoHelloError, ConnectionResetError)):
        offer(taking, TLS_1_2, RSA_3DES)


@pytest.mark.parametrize(
    ("takes", "told"),
    [
        (
            [0xC012, RSA_3DES],
            "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        ),
        ([*GIVEN_UP], "TLS_RSA_WITH_DES_CBC_SHA, and maybe more"),
    ],
)
def test_a_server_of_long_ago_is_told_what_it_takes(
    takes: list[int], told: str, certificate: Path
) -> None:
    # No library at hand speaks these, so they are answered by hand, and all else by OpenSSL.
    context = server_context(certificate)

    def answer(connection: socket.socket) -> None:
        connection.settimeout(5)
        first = connection.recv(4096, socket.MSG_PEEK)
        version = int.from_bytes(first[9:11], "big")
        offered = first[46 : 46 + int.from_bytes(first[44:46], "big")]
        numbers = {offered[at : at + 2] for at in range(0, len(offered), 2)}
        of_old = [one for one in takes if one.to_bytes(2, "big") in numbers]
        is_by_hand = version == SSL_3_0 or numbers <= {one.to_bytes(2, "big") for one in GIVEN_UP}
        if is_by_hand:
            connection.sendall(server_hello(version, of_old[0]) if of_old else ALERT)
            connection.recv(4096)
            return
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    with tls_servers.serving(answer) as taking:
        looked = look_at_protocols(taking.server, Counted().dialler, TlsProfile.INTERMEDIATE)

    assert not looked.unseen
    assert rules_of(looked.breaches) == {
        "tls-obsolete-version": "high",
        "tls-broken-suite": "high",
    }
    versions, suites = (one.detail for one in looked.breaches)
    assert versions.endswith("takes SSL 3.0, TLS 1.2 and TLS 1.3")
    assert suites.endswith(told)
