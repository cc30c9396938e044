"""The certificate of a server: whose it is, who vouches for it, for how long, and how strongly."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.handshakes import (
    Dialler,
    TlsServer,
    Unanswered,
    context_trusting_only,
    open_context,
)
from deployment_gate.security.rules import Breach, Looked, Rule, Unseen

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NOT_SPOKEN = Rule(
    id="tls-not-spoken",
    severity=FindingSeverity.HIGH,
    title="An https address doesn't speak TLS",
    source="OWASP ASVS 5.0, 12.2.1",
    remedy="Have the server speak TLS at that port, or write the port that does into `base_url`",
)
EXPIRED = Rule(
    id="certificate-expired",
    severity=FindingSeverity.HIGH,
    title="The certificate has expired",
    source="RFC 5280, 4.1.2.5",
    remedy="Renew it, and have the server load the new one; automate that",
)
NOT_YET_VALID = Rule(
    id="certificate-not-yet-valid",
    severity=FindingSeverity.HIGH,
    title="The certificate isn't valid yet",
    source="RFC 5280, 4.1.2.5",
    remedy="Set the clocks of the issuer and of this machine, or wait until it is",
)
EXPIRES_IN_DAYS = Rule(
    id="certificate-expires-in-days",
    severity=FindingSeverity.HIGH,
    title="The certificate expires within a week",
    source="deployment gate: fewer than 7 days left",
    remedy="Renew it now, and find out why that didn't happen by itself",
)
EXPIRES_SOON = Rule(
    id="certificate-expires-soon",
    severity=FindingSeverity.LOW,
    title="The certificate should have been renewed by now",
    source="deployment gate: less than a third of its lifetime left, and less than 30 days",
    remedy="Renew it, and see that it is renewed by itself with a third of its lifetime left",
)
SELF_SIGNED = Rule(
    id="certificate-self-signed",
    severity=FindingSeverity.HIGH,
    title="The certificate is vouched for by nobody but itself",
    source="OWASP ASVS 5.0, 12.2.2",
    remedy="Have it issued by an authority that its users trust; on a private network, by a "
    "private one whose certificate SSL_CERT_FILE names here",
)
CHAIN_INCOMPLETE = Rule(
    id="certificate-chain-incomplete",
    severity=FindingSeverity.HIGH,
    title="The server doesn't send who issued its certificate",
    source="RFC 8446, 4.4.2",
    remedy="Have the server send its certificate and the intermediate ones after it, `fullchain` "
    "as most tools call that file. If the issuer is a private root, name it in SSL_CERT_FILE",
)
UNKNOWN_ISSUER = Rule(
    id="certificate-unknown-issuer",
    severity=FindingSeverity.HIGH,
    title="The certificate comes from an authority that this machine doesn't trust",
    source="OWASP ASVS 5.0, 12.2.2",
    remedy="Have it issued by an authority that its users trust. If they do trust this one, "
    "install its certificate here, or name it in SSL_CERT_FILE",
)
WRONG_HOST = Rule(
    id="certificate-wrong-host",
    severity=FindingSeverity.HIGH,
    title="The certificate is for another host",
    source="RFC 9525, 6",
    remedy="Issue it for the host of `base_url`, as a subject alternative name",
)
NOT_TRUSTED = Rule(
    id="certificate-not-trusted",
    severity=FindingSeverity.HIGH,
    title="The certificate can't be trusted",
    source="RFC 5280, 6",
    remedy="Mend what OpenSSL says of it, and have it issued anew",
)
WEAK_KEY = Rule(
    id="certificate-weak-key",
    severity=FindingSeverity.HIGH,
    title="A certificate's key is too short",
    source="Mozilla Server Side TLS 5.7: RSA of 2048 bits, P-256 or P-384",
    remedy="Issue it for a new key: P-256, or RSA of 2048 bits at least",
)
UNUSUAL_KEY = Rule(
    id="certificate-unusual-key",
    severity=FindingSeverity.LOW,
    title="The certificate's key is of a kind that many clients don't know",
    source="Mozilla Server Side TLS 5.7: RSA of 2048 bits, P-256 or P-384",
    remedy="Issue it for a key of P-256 or P-384",
)
WEAK_SIGNATURE = Rule(
    id="certificate-weak-signature",
    severity=FindingSeverity.HIGH,
    title="A certificate is signed by a hash that can be forged",
    source="RFC 9155; CA/Browser Forum Baseline Requirements, 7.1.3.2",
    remedy="Have it issued anew, signed by SHA-256 or better",
)

RULES = (
    NOT_SPOKEN,
    EXPIRED,
    NOT_YET_VALID,
    EXPIRES_IN_DAYS,
    EXPIRES_SOON,
    SELF_SIGNED,
    CHAIN_INCOMPLETE,
    UNKNOWN_ISSUER,
    WRONG_HOST,
    NOT_TRUSTED,
    WEAK_KEY,
    UNUSUAL_KEY,
    WEAK_SIGNATURE,
)

FEWEST_DAYS = timedelta(days=7)
"""With less than this left, a certificate is as good as expired."""
RENEWAL_SHARE = 1 / 3
"""Of its lifetime; with less left than this, a certificate should have been renewed ..."""
LATEST_RENEWAL = timedelta(days=30)
"""... but with so much left it is early enough for all."""

# What OpenSSL's x509_vfy.h calls what is wrong.
_TIMES = frozenset({9, 10})
_SELF_SIGNED = 18
_UNKNOWN_ROOT = 19
_NO_ISSUER = frozenset({2, 20, 21})
_OTHER_HOST = frozenset({62, 63, 64})

# What OpenSSL says where the other side doesn't speak TLS.
_NO_TLS = frozenset({"HTTP_REQUEST", "UNKNOWN_PROTOCOL", "WRONG_VERSION_NUMBER"})

_FORGEABLE = frozenset({"md2", "md4", "md5", "sha1"})
_USUAL_CURVES = frozenset({"secp256r1", "secp384r1"})
_FEWEST_BITS_RSA = 2048
_FEWEST_BITS_CURVE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a server shows of itself.

    Attributes:
        sent: The certificates that it sent, its own first.
        path: Those from its own to one that is trusted, without that; as many of those that it
            sent where none is.
        wrong: What OpenSSL has against them, by its codes.
    """

    sent: tuple[Certificate, ...]
    path: tuple[Certificate, ...]
    wrong: dict[int, str]


def look_at_certificate(
    server: TlsServer, dialler: Dialler, *, trust: ssl.SSLContext, at: datetime
) -> Looked:
    """Look at a server's certificate.

    Args:
        server: Whose it is.
        dialler: Connects to it.
        trust: Whom this machine trusts, as `trusting_context` has it.
        at: The time that it is judged by, aware.

    Raises:
        Unanswered: The server finished no handshake.
        Unseen: Its certificate can't be read.
    """
    try:
        presented = _present(server, dialler, trust)
    except OSError as error:
        if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
            detail = f"what {server.address} answered was no TLS ({error.reason})"
            return Looked((NOT_SPOKEN.found(detail, [server.place]),))
        raise Unanswered(server, dialler.why_not(server, error)) from None
    return judge_certificate(server, presented, at)


def _present(server: TlsServer, dialler: Dialler, trust: ssl.SSLContext) -> Presented:
    """Shake hands by the rules, and where the certificate doesn't allow that, without them."""
    try:
        sound = dialler.shake_hands(server, trust)
    except ssl.SSLCertVerificationError as error:
        wrong = {error.verify_code: error.verify_message}
    else:
        path = _read(sound.path)
        return Presented(sent=_read(sound.sent), path=path[:-1] or path, wrong={})
    seen = dialler.shake_hands(server, open_context())
    if not seen.sent:
        raise Unseen(f"{server.place} sent no certificate to a client that asks for none")
    if not wrong.keys() & (_TIMES | _OTHER_HOST):
        # OpenSSL tells one thing at a time, and who issued it comes before whom it is for.
        try:
            dialler.shake_hands(server, context_trusting_only(seen.sent[0]))
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in _OTHER_HOST:
                wrong[error.verify_code] = error.verify_message
    sent = _read(seen.sent)
    return Presented(sent=sent, path=tuple(_linked(sent)), wrong=wrong)


def _read(chain: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415  # a slow import

    try:
        return tuple(map(load_der_x509_certificate, chain))
    except ValueError as error:
        raise Unseen(f"the certificate can't be read: {error}") from None


def _linked(sent: tuple[Certificate, ...]) -> Iterator[Certificate]:
    """A server's own certificate, its issuer's and so on, as far as they were sent; no root."""
    yield sent[0]
    rest, last = list(sent[1:]), sent[0]
    while issuer := next((one for one in rest if one.subject == last.issuer), None):
        rest.remove(issuer)
        if issuer.issuer == issuer.subject:
            return
        yield issuer
        last = issuer


def judge_certificate(server: TlsServer, presented: Presented, at: datetime) -> Looked:
    """What breaks the rules of what a server shows of itself.

    Args:
        server: Whose certificate it is.
        presented: What it shows.
        at: The time that it is judged by, aware.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # a slow import

    place = [server.place]
    own = presented.path[0]
    breaches: list[Breach] = [*_trust_breaches(server, presented)]
    unseen: list[str] = []
    times = [breach for one in presented.path for breach in _time_breaches(one, at, place)]
    # The server's own certificate first; that of its issuer says little more.
    breaches += times[:1]
    for judge in (_key_breaches, _signature_breaches):
        try:
            breaches += judge(presented.path, place)
        except (UnsupportedAlgorithm, ValueError) as error:
            unseen.append(f"{server.place}: the certificate {_named(own)} can't be read: {error}")
    is_told = times and times[0].rule in {EXPIRED, NOT_YET_VALID}
    for code in presented.wrong.keys() & _TIMES if not is_told else ():
        breaches.append(NOT_TRUSTED.found(_told(presented.wrong[code], own), place))
    return Looked(tuple(breaches), tuple(unseen))


def _trust_breaches(server: TlsServer, presented: Presented) -> Iterator[Breach]:
    place = [server.place]
    own = presented.path[0]
    for code, message in presented.wrong.items():
        if code in _OTHER_HOST:
            detail = f"{server.host} is none of the hosts that it is for: {_hosts_of(own)}"
            yield WRONG_HOST.found(detail, place)
        elif code == _SELF_SIGNED:
            yield SELF_SIGNED.found(f"{_named(own)} has signed itself", place)
        elif code in _NO_ISSUER and len(presented.path) == 1:
            detail = (
                f"{_named(own)} was issued by {own.issuer.rfc4514_string()}, which this machine "
                f"doesn't know, and {_others_sent(presented)}"
            )
            yield CHAIN_INCOMPLETE.found(detail, place)
        elif code in _NO_ISSUER or code == _UNKNOWN_ROOT:
            root = presented.path[-1].issuer.rfc4514_string()
            yield UNKNOWN_ISSUER.found(
                f"{_named(own)} leads to {root}, which isn't trusted here", place
            )
        elif code not in _TIMES:
            yield NOT_TRUSTED.found(_told(message, own), place)


def _others_sent(presented: Presented) -> str:
    others = [one.subject.rfc4514_string() for one in presented.sent[1:]]
    return f"only these were sent with it: {'; '.join(others)}" if others else "it was sent alone"


def _told(message: str, certificate: Certificate) -> str:
    return f"{_named(certificate)}: OpenSSL says: {message}"


def _time_breaches(certificate: Certificate, at: datetime, place: list[str]) -> Iterator[Breach]:
    """What a certificate's times are against; at most one."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    lifetime, left = end - begin, end - at
    of_it = (
        f"{_named(certificate)} is valid from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    )
    how_long = f"{of_it}: {left.days} of its {lifetime.days} days are left"
    if left < timedelta():
        yield EXPIRED.found(f"{of_it}, and it is {at:%Y-%m-%d %H:%M}", place)
    elif begin > at:
        yield NOT_YET_VALID.found(f"{of_it}, and it is {at:%Y-%m-%d %H:%M} here", place)
    elif left < FEWEST_DAYS:
        yield EXPIRES_IN_DAYS.found(how_long, place)
    elif left < min(lifetime * RENEWAL_SHARE, LATEST_RENEWAL):
        yield EXPIRES_SOON.found(how_long, place)


def _key_breaches(path: tuple[Certificate, ...], place: list[str]) -> Iterator[Breach]:
    """What the keys of a path are against."""
    weak = [told for one in path if (told := _weak_key(one))]
    if weak:
        yield WEAK_KEY.found("; ".join(weak), place)
    elif unusual := _unusual_key(path[0]):
        yield UNUSUAL_KEY.found(unusual, place)


def _weak_key(certificate: Certificate) -> str | None:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa  # noqa: PLC0415  # slow

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _FEWEST_BITS_RSA:
        return f"{_named(certificate)} has an RSA key of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _FEWEST_BITS_CURVE:
        return f"{_named(certificate)} has a key of {key.curve.name}, {key.key_size} bits"
    if isinstance(key, dsa.DSAPublicKey):
        return f"{_named(certificate)} has a DSA key"
    return None


def _unusual_key(certificate: Certificate) -> str | None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415  # slow

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in _USUAL_CURVES:
            return None
        return f"{_named(certificate)} has a key of {key.curve.name}"
    kind = type(key).__name__.removesuffix("PublicKey")
    return f"{_named(certificate)} has a key of the kind {kind}"


def _signature_breaches(path: tuple[Certificate, ...], place: list[str]) -> Iterator[Breach]:
    """What the signatures of a path are against."""
    hashes = [(one, one.signature_hash_algorithm) for one in path]
    weak = [
        f"{_named(one)} is signed by {known.name.upper()}"
        for one, known in hashes
        if known and known.name in _FORGEABLE
    ]
    if weak:
        yield WEAK_SIGNATURE.found("; ".join(weak), place)


def _named(certificate: Certificate) -> str:
    return certificate.subject.rfc4514_string() or f"number {certificate.serial_number:x}"


def _hosts_of(certificate: Certificate) -> str:
    from cryptography import x509  # noqa: PLC0415  # a slow import

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return f"{_named(certificate)}, without alternative names"
    hosts = [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]
    return ", ".join(hosts) or "none at all"
