"""TLS as sslyze sees it, beyond what this machine's own OpenSSL can look at."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from deployment_gate.environment import TlsProfile
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security import certificates, tls
from deployment_gate.security.handshakes import Dialler, TlsServer
from deployment_gate.security.protocols import SeenProtocols
from deployment_gate.security.rules import Breach, Looked, Rule

KNOWN_ATTACK = Rule(
    id="tls-known-attack",
    severity=FindingSeverity.HIGH,
    title="The server is open to a known attack on TLS",
    source="Mozilla Server Side TLS 5.7, as sslyze checks it",
    remedy="Bring its TLS library up to date, and turn off what that can't mend",
)
NOT_COMPLIANT = Rule(
    id="tls-not-compliant",
    severity=FindingSeverity.MEDIUM,
    title="The server takes what Mozilla's profile leaves out",
    source="Mozilla Server Side TLS 5.7, as sslyze checks it",
    remedy="Take its configuration from Mozilla's generator, for the profile of the environment",
)
NOT_AS_ADVISED = Rule(
    id="tls-not-as-advised",
    severity=FindingSeverity.LOW,
    title="The server's TLS is sound, but not as Mozilla's profile advises",
    source="Mozilla Server Side TLS 5.7, as sslyze checks it",
    remedy="Take curves, kind and lifetime of the certificate from Mozilla's profile",
)

RULES = (KNOWN_ATTACK, NOT_COMPLIANT, NOT_AS_ADVISED)

CONNECTIONS = 90
"""As many as sslyze 6.3 opens at most beside going through suites of versions.

They are counted before they are opened, since sslyze opens them by itself.
"""
CONNECTIONS_OF_A_VERSION = 130
"""As many as it opens to go through the suites of one, TLS 1.2 apart, which has twice as many."""

# sslyze's names of issues, and the rules that have told the same where they are broken.
_TOLD_BY: dict[str, frozenset[Rule]] = {
    "rsa_key_size": frozenset({certificates.WEAK_KEY}),
    "certificate_curves": frozenset({certificates.WEAK_KEY, certificates.UNUSUAL_KEY}),
    "certificate_types": frozenset({certificates.WEAK_KEY, certificates.UNUSUAL_KEY}),
    "certificate_signatures": frozenset({certificates.WEAK_SIGNATURE}),
    "dh_param_size": frozenset({tls.WEAK_DH}),
}
# Trust is judged as this machine has it, not by the stores that sslyze brings along.
_TRUST = "certificate_path_validation"

_ATTACKS = frozenset(
    {
        "tls_vulnerability_ccs_injection",
        "tls_vulnerability_compression",
        "tls_vulnerability_heartbleed",
        "tls_vulnerability_renegotiation",
        "tls_vulnerability_robot",
    }
)
_ADVICE = frozenset(
    {
        "certificate_curves",
        "certificate_signatures",
        "certificate_types",
        "maximum_certificate_lifespan",
        "tls_curves",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a server without sslyze.

    Attributes:
        protocols: What it takes.
        breaches: The rules that are known to be broken.
    """

    protocols: SeenProtocols
    breaches: Collection[Rule]


def look_deeper(
    server: TlsServer,
    dialler: Dialler,
    profile: TlsProfile,
    *,
    told: Told,
) -> Looked:
    """Have sslyze look at a server, and tell what isn't known yet.

    Args:
        server: Which one.
        dialler: Counts connections, and says how long each may take.
        profile: Mozilla's that it must keep to.
        told: What is known of it.

    Raises:
        Unseen: sslyze came to no end.
    """
    from deployment_gate.security import sslyze_scan  # noqa: PLC0415  # an optional library

    versions = sslyze_scan.versions_asked(told.protocols)
    for _ in range(CONNECTIONS + CONNECTIONS_OF_A_VERSION * versions):
        dialler.spend(server.host)
    with warnings.catch_warnings():
        # Of certificates in the stores that sslyze brings along, which nobody here can mend.
        warnings.simplefilter("ignore")
        result = sslyze_scan.scan(server, timeout_s=dialler.timeout_s, known=told.protocols)
        issues = sslyze_scan.issues_of(server, result, profile)
    return Looked(tuple(breaches_of(server, issues, told.breaches)))


def breaches_of(
    server: TlsServer, issues: Mapping[str, str], told: Collection[Rule] = ()
) -> Iterator[Breach]:
    """A breach for each rule that issues are about, but for those that are told already.

    Args:
        server: Which one they are of.
        issues: By sslyze's names.
        told: Rules that are known to be broken.
    """
    new = {
        name
        for name in issues
        if name != _TRUST and not _TOLD_BY.get(name, frozenset()).intersection(told)
    }
    attacks, advice = new & _ATTACKS, new & _ADVICE
    for rule, names in (
        (KNOWN_ATTACK, attacks),
        (NOT_COMPLIANT, new - attacks - advice),
        (NOT_AS_ADVISED, advice),
    ):
        if names:
            detail = " ".join(issues[name] for name in sorted(names))
            yield rule.found(f"{server.address}: {detail}", [server.place])
