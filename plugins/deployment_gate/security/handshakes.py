"""TLS handshakes with a server, each on a connection of its own, and what they showed."""

from __future__ import annotations

import socket
import ssl
import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from deployment_gate.errors import GateError
from deployment_gate.probes.blame import Blame, blame, no_connection_within
from deployment_gate.security.client_hello import answered_suite, client_hello

ANY_SUITE = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
"""Whatever this machine's OpenSSL has, however weak."""

_SIGNED_SUITE = "ALL:!ADH:!AECDH:@SECLEVEL=0"
"""The same, but for those without a certificate."""

TLS_1_0 = ssl.TLSVersion.TLSv1
TLS_1_1 = ssl.TLSVersion.TLSv1_1
TLS_1_2 = ssl.TLSVersion.TLSv1_2
TLS_1_3 = ssl.TLSVersion.TLSv1_3

VERSIONS = {TLS_1_0: "TLS 1.0", TLS_1_1: "TLS 1.1", TLS_1_2: "TLS 1.2", TLS_1_3: "TLS 1.3"}
"""Versions of TLS and their names, the oldest first."""


class Unanswered(GateError):  # noqa: N818  # no error of this program's
    """A server that finished no handshake at all.

    Attributes:
        blame: Whose doing that was.
    """

    def __init__(self, server: TlsServer, why: Blame) -> None:
        super().__init__(f"{server.place}: {why.error or why.unobserved}")
        self.blame = why


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsServer:
    """Where TLS is spoken.

    Attributes:
        name: Which part of the platform it is: `api` or `web`.
        host: Its name or address, as its certificate must have it.
        port: The one that it listens on.
    """

    name: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def place(self) -> str:
        """Where something was found, for findings."""
        return f"{self.name} {self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One that was finished.

    Attributes:
        suite: The cipher suite that was agreed upon, by OpenSSL's name.
        sent: The certificates that the server sent, its own first, in DER.
        path: Those from its own to one that is trusted; none where nothing was verified.
    """

    suite: str
    sent: tuple[bytes, ...]
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Dialler:
    """Connects to servers.

    Attributes:
        spend: Takes a host before each connection to it, and counts that.
        timeout_s: Seconds that connecting may take, and a handshake, too.
    """

    spend: Callable[[str], None]
    timeout_s: float

    def shake_hands(self, server: TlsServer, context: ssl.SSLContext) -> Handshake:
        """Connect, shake hands, and hang up.

        Args:
            server: With whom.
            context: What is offered and trusted.

        Raises:
            OSError: There was no connection, or no handshake; `ssl.SSLError` is one, too.
        """
        self.spend(server.host)
        with socket.create_connection((server.host, server.port), timeout=self.timeout_s) as plain:
            plain.settimeout(self.timeout_s)
            with context.wrap_socket(plain, server_hostname=server.host) as secured:
                is_verified = context.verify_mode is not ssl.CERT_NONE
                return Handshake(
                    suite=(secured.cipher() or ("", "", 0))[0],
                    sent=_chain(secured, "get_unverified_chain"),
                    path=_chain(secured, "get_verified_chain") if is_verified else (),
                )

    def offer(self, server: TlsServer, *, version: int, suites: Iterable[int]) -> int | None:
        """Offer what OpenSSL may not have, and hang up after the first answer.

        Args:
            server: To whom.
            version: By TLS's own number; TLS 1.2 at most.
            suites: By IANA's numbers.

        Returns:
            The suite that it took; None where it refused.

        Raises:
            NoHelloError: It hung up without a word.
            OSError: There was no connection, or no answer.
        """
        self.spend(server.host)
        with socket.create_connection((server.host, server.port), timeout=self.timeout_s) as plain:
            plain.settimeout(self.timeout_s)
            plain.sendall(client_hello(server.host, version, suites))
            return answered_suite(plain, version)

    def why_not(self, server: TlsServer, error: OSError) -> Blame:
        """Whose doing it was that there was no handshake."""
        if isinstance(error, TimeoutError):
            return no_connection_within(self.timeout_s, url=f"https://{server.address}")
        return blame(error)


def _chain(secured: ssl.SSLSocket, name: str) -> tuple[bytes, ...]:
    """Certificates of a handshake in DER; Python has a public way to them from 3.13 on."""
    source: Any = secured if hasattr(secured, name) else secured._sslobj  # type: ignore[attr-defined]  # noqa: SLF001  # the only way before
    return tuple(
        one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes())
        for one in getattr(source, name)() or ()
    )


def trusting_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """One that trusts whom this machine trusts, and is otherwise content with any TLS.

    So a certificate is told of by itself, however old the version or weak its key.

    Args:
        ca_file: The issuers to trust in their place.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.set_ciphers(_SIGNED_SUITE)
    # A certificate without alternative names suits no browser (RFC 9525, 6.1).
    context.hostname_checks_common_name = False
    return limited(context, TLS_1_0, TLS_1_3)


def context_trusting_only(certificate: bytes) -> ssl.SSLContext:
    """One that trusts a server's own certificate, whoever issued it: for what else is wrong.

    Args:
        certificate: In DER.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_ciphers(_SIGNED_SUITE)
    context.hostname_checks_common_name = False
    return limited(context, TLS_1_0, TLS_1_3)


def open_context(
    oldest: ssl.TLSVersion = TLS_1_0,
    newest: ssl.TLSVersion = TLS_1_3,
    *,
    suites: Iterable[str] = (ANY_SUITE,),
) -> ssl.SSLContext:
    """One that offers versions and suites, and takes whatever certificate it is shown.

    Args:
        oldest: The oldest version that is offered.
        newest: The newest.
        suites: By OpenSSL's names, those of TLS 1.3 apart, which are always offered.

    Raises:
        ValueError: This OpenSSL doesn't have the version.
        ssl.SSLError: It has none of the suites.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(":".join(suites))
    return limited(context, oldest, newest)


def limited(
    context: ssl.SSLContext, oldest: ssl.TLSVersion, newest: ssl.TLSVersion
) -> ssl.SSLContext:
    """The same context, from one version of TLS to another."""
    with warnings.catch_warnings():
        # Old versions are deprecated, which is why servers are asked for them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = oldest
        context.maximum_version = newest
    return context


@cache
def can_offer(version: ssl.TLSVersion) -> bool:
    """Whether this machine's OpenSSL speaks a version at all, proved by a handshake in memory."""
    try:
        client = open_context(version, version)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.set_ciphers(ANY_SUITE)
        limited(server, version, version)
        with tempfile.TemporaryDirectory(prefix="deployment-gate-") as folder:
            file = Path(folder, "own.pem")
            file.write_bytes(_own_certificate())
            server.load_cert_chain(file)
        _shake_hands_in_memory(client, server)
    except (ValueError, ssl.SSLError):
        return False
    return True


def _shake_hands_in_memory(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Have two contexts shake hands.

    Raises:
        ssl.SSLError: They have nothing in common.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    waiting = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while waiting:
        for side in tuple(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)


def _own_certificate() -> bytes:
    """A key and a certificate of its own, in PEM."""
    from cryptography import x509  # noqa: PLC0415  # only where a server refused a version
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
