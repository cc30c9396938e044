"""Makes certificates for the loopback: a root, one that issues, and the servers' own."""

import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.certificates import ISSUED_BY, Certificates

HOST = "localhost"
ADDRESS = IPv4Address("127.0.0.1")
NAMES = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ADDRESS)])
# The issuer's key stays on disk: whatever else it signs is worth nothing to who trusts the root.
LOOPBACK = x509.NameConstraints(
    [x509.DNSName(HOST), x509.IPAddress(IPv4Network(f"{ADDRESS}/32"))], None
)


@dataclass(slots=True, frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        """Return the certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        """Return the key as text, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


@dataclass(slots=True, frozen=True)
class Validity:
    """From when until when a certificate is good."""

    begin: datetime
    end: datetime


def issue(certificates: Certificates, now: datetime, lifetime: timedelta) -> None:
    """Make all certificates anew, those of the servers good for that long."""
    # What runs out soon was made long ago, so what has issued it must be older.
    above = Validity(now - lifetime, now + lifetime)
    root_key, issuer_key = make_key(), make_key()
    root = Pair(sign_authority("root", root_key, above, None), root_key)
    issuer = Pair(sign_authority("issuer", issuer_key, above, root), issuer_key)
    server = make_server(issuer, Validity(now - timedelta(hours=1), now + lifetime))
    certificates.expiring.unlink(missing_ok=True)
    write(certificates.issuer, issuer.pem() + issuer.key_pem())
    write(certificates.key, server.key_pem())
    write(certificates.server, server.pem() + issuer.pem())
    write(certificates.ca, root.pem())


def issue_expiring(
    certificates: Certificates, now: datetime, lifetime: timedelta, rest: timedelta
) -> None:
    """Make a certificate of that lifetime of which only the rest is left."""
    content = certificates.issuer.read_bytes()
    key = serialization.load_pem_private_key(content, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuer = Pair(x509.load_pem_x509_certificate(content), key)
    server = make_server(issuer, Validity(now + rest - lifetime, now + rest))
    write(certificates.expiring, server.key_pem() + server.pem() + issuer.pem())


def make_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_server(issuer: Pair, validity: Validity) -> Pair:
    """Return a certificate for servers on the loopback, and its key."""
    key = make_key()
    certificate = (
        begin(name(HOST), key, validity, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(may_issue=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(NAMES, critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    return Pair(certificate, key)


def sign_authority(
    role: str, key: ec.EllipticCurvePrivateKey, validity: Validity, issuer: Pair | None
) -> x509.Certificate:
    """Return a certificate that issues others, its own where it has no issuer."""
    builder = (
        begin(name(f"{ISSUED_BY} {role}"), key, validity, issuer)
        .add_extension(
            x509.BasicConstraints(ca=True, path_length=0 if issuer else 1), critical=True
        )
        .add_extension(usage(may_issue=True), critical=True)
    )
    if issuer:
        builder = builder.add_extension(LOOPBACK, critical=True)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def begin(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, validity: Validity, issuer: Pair | None
) -> x509.CertificateBuilder:
    """Return what all certificates say: whose they are, who has issued them, until when."""
    issuer_key = issuer.key if issuer else key
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.begin)
        .not_valid_after(validity.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(by, critical=False)
    )


def name(text: str) -> x509.Name:
    """Return a name that is that text."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*, may_issue: bool) -> x509.KeyUsage:
    """Return what a key is for: to issue certificates, or to prove who a server is."""
    return x509.KeyUsage(
        digital_signature=not may_issue,
        key_cert_sign=may_issue,
        crl_sign=may_issue,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write(path: Path, content: bytes) -> None:
    """Replace the file at once; nobody else may read it, since there may be a key in it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)
