"""Certificates made by the tests, and servers on loopback that present them by real TLS."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dh, ec, ed25519, padding, rsa

from deployment_gate.security.handshakes import Dialler, TlsServer

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

HOST = "127.0.0.1"
SOUND_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
WEAK_SUITES = "ALL:@SECLEVEL=0"

# DER of the object identifiers of RSA signatures, as long as one another.
_SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
_SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")

# RFC 2409, 6.2: Oakley's second group, of 1024 bits.
_OAKLEY_2 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E34"
    "04DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6"
    "F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """One for all tests of a process: making it takes long."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and those that it was issued by, the nearest first."""

    certificate: x509.Certificate
    key: Key
    issuers: tuple[Issued, ...] = ()

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def save(self, folder: Path, *, sending: int | None = None) -> Path:
        """Write key and chain into a file.

        Args:
            folder: Where.
            sending: How many issuers follow the certificate; all but the root unless told.
        """
        followers = self.issuers[: len(self.issuers) - 1 if sending is None else sending]
        file = folder / f"{self.certificate.serial_number:x}-{sending}.pem"
        private = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(b"".join([private, self.pem, *(one.pem for one in followers)]))
        return file


def issue(  # noqa: PLR0913  # what certificates differ in
    name: str,
    by: Issued | None = None,
    *,
    key: Key | None = None,
    hosts: Sequence[str] = (HOST,),
    of_days: float = 90,
    days_left: float = 80,
    is_authority: bool = False,
    is_sha1: bool = False,
) -> Issued:
    """Issue a certificate.

    Args:
        name: Its common name.
        by: Who issues it; itself unless told.
        key: Its key; a new one of P-256 unless told.
        hosts: Names and addresses that it is for.
        of_days: How long it is valid.
        days_left: How long from now on.
        is_authority: Whether it may issue others.
        is_sha1: Whether it is signed by SHA-1, which needs an issuer with an RSA key.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    end = datetime.now(UTC) + timedelta(days=days_left, minutes=1)
    signer = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=of_days))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if hosts and not is_authority:
        names = x509.SubjectAlternativeName(list(map(_name_of, hosts)))
        builder = builder.add_extension(names, critical=False)
    is_edwards = isinstance(signer, ed25519.Ed25519PrivateKey)
    made = builder.sign(signer, None if is_edwards else hashes.SHA256())
    if is_sha1:
        assert isinstance(signer, rsa.RSAPrivateKey)
        made = _signed_by_sha1(made, signer)
    return Issued(made, key, (by, *by.issuers) if by else ())


def _name_of(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _signed_by_sha1(made: x509.Certificate, signer: rsa.RSAPrivateKey) -> x509.Certificate:
    """The same certificate, signed in the way that libraries refuse to."""
    told = made.tbs_certificate_bytes.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
    signature = signer.sign(told, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  # wanted weak
    algorithm = _der(0x30, _der(0x06, _SHA1_WITH_RSA) + _der(0x05, b""))
    whole = _der(0x30, told + algorithm + _der(0x03, b"\0" + signature))
    return x509.load_der_x509_certificate(whole)


def _der(tag: int, content: bytes) -> bytes:
    """A value in DER (X.690): its tag, its length, itself."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def authority(name: str, *, key: Key | None = None) -> Issued:
    """A root, and an intermediate authority below it, which is returned."""
    root = issue(f"{name} root", is_authority=True, of_days=3650, days_left=3000)
    return issue(f"{name} issuing", root, key=key, is_authority=True, of_days=1800, days_left=1500)


def save_dh_group(folder: Path) -> Path:
    """Write a group of 1024 bits into a file, and return that."""
    group = dh.DHParameterNumbers(_OAKLEY_2, 2).parameters()
    file = folder / "dh.pem"
    file.write_bytes(
        group.parameter_bytes(serialization.Encoding.PEM, serialization.ParameterFormat.PKCS3)
    )
    return file


def server_context(
    file: Path,
    *,
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    suites: str = SOUND_SUITES,
    dh_group: Path | None = None,
) -> ssl.SSLContext:
    """How a server does TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(suites)
    context.set_ecdh_curve("prime256v1")
    if dh_group:
        context.load_dh_params(str(dh_group))
    context.load_cert_chain(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest
    return context


@dataclass
class Listener:
    """A server that runs.

    Attributes:
        server: Where it is.
        connections: How many it has taken.
    """

    server: TlsServer
    connections: int = 0
    errors: list[BaseException] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[socket.socket], None], *, name: str = "web") -> Iterator[Listener]:
    """Take connections on a free port, and have each answered in a thread of its own.

    Args:
        answer: What is done with a connection; what the other side spoils is no error.
        name: Which part of the platform it stands for.
    """
    with socket.create_server((HOST, 0), backlog=64) as listening:
        taking = Listener(TlsServer(name=name, host=HOST, port=listening.getsockname()[1]))
        open_: list[socket.socket] = []

        def serve(connection: socket.socket) -> None:
            try:
                with connection:
                    answer(connection)
            except OSError as error:
                taking.errors.append(error)

        def take() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                taking.connections += 1
                open_.append(connection)
                threading.Thread(target=serve, args=[connection], daemon=True).start()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield taking
        finally:
            # Closing alone would leave the thread waiting for one more connection.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in open_:
                one.close()


@contextmanager
def tls(context: ssl.SSLContext, *, name: str = "web") -> Iterator[Listener]:
    """Serve TLS until the other side hangs up; each request is answered in few words."""

    def answer(connection: socket.socket) -> None:
        connection.settimeout(10)
        with context.wrap_socket(connection, server_side=True) as secured:
            while secured.recv(4096):
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(answer, name=name) as taking:
        yield taking


@contextmanager
def plain(answer: bytes, *, name: str = "web") -> Iterator[Listener]:
    """Answer whatever comes with some bytes, and hang up."""

    def reply(connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.recv(4096)
        connection.sendall(answer)

    with serving(reply, name=name) as taking:
        yield taking


@contextmanager
def silent(*, name: str = "web") -> Iterator[Listener]:
    """Take connections and say nothing, until the other side hangs up."""

    def wait(connection: socket.socket) -> None:
        connection.settimeout(10)
        while connection.recv(4096):
            pass

    with serving(wait, name=name) as taking:
        yield taking


@dataclass
class Counted:
    """A dialler, and how many connections it has counted."""

    timeout_s: float = 5
    spent: list[str] = field(default_factory=list)

    @property
    def dialler(self) -> Dialler:
        """It."""
        return Dialler(self.spent.append, self.timeout_s)


def rules_of(breaches: Sequence[object]) -> dict[str, str]:
    """Ids of the broken rules, and how bad each is."""
    return {one.rule.id: str(one.severity) for one in breaches}  # type: ignore[attr-defined]
