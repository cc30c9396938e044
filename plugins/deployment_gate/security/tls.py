"""What a server takes of TLS, against Mozilla's profiles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from deployment_gate.environment import TlsProfile
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.handshakes import (
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    VERSIONS,
    Dialler,
    TlsServer,
)
from deployment_gate.security.protocols import (
    DH_BITS_BY_LEVEL,
    SeenProtocols,
    SuiteKind,
    see_protocols,
)
from deployment_gate.security.rules import Breach, Looked, Rule

_PROFILE = "Mozilla Server Side TLS 5.7"

ONLY_OBSOLETE = Rule(
    id="tls-only-obsolete",
    severity=FindingSeverity.HIGH,
    title="The server speaks no version of TLS that is still in use",
    source=f"RFC 8996; {_PROFILE}",
    remedy="Have it speak TLS 1.2 and 1.3, and nothing older",
)
OBSOLETE_VERSION = Rule(
    id="tls-obsolete-version",
    severity=FindingSeverity.MEDIUM,
    title="The server takes versions of TLS that are given up",
    source=f"RFC 8996; {_PROFILE}",
    remedy="Set TLS 1.2 as the oldest version; for nginx `ssl_protocols TLSv1.2 TLSv1.3`",
)
VERSION_OUTSIDE_PROFILE = Rule(
    id="tls-version-outside-profile",
    severity=FindingSeverity.MEDIUM,
    title="The server takes a version of TLS that its profile leaves out",
    source=f"{_PROFILE}, modern",
    remedy="Have it speak TLS 1.3 alone, or set `security: {tls: intermediate}`",
)
NEWEST_MISSING = Rule(
    id="tls-1-3-missing",
    severity=FindingSeverity.LOW,
    title="The server doesn't speak TLS 1.3",
    source=_PROFILE,
    remedy="Have it speak TLS 1.3, too",
)
BROKEN_SUITE = Rule(
    id="tls-broken-suite",
    severity=FindingSeverity.HIGH,
    title="The server takes cipher suites that are broken",
    source="RFC 9325, 4.1",
    remedy="Take them out; Mozilla's generator of configurations has what to write in their place",
)
WEAK_SUITE = Rule(
    id="tls-weak-suite",
    severity=FindingSeverity.MEDIUM,
    title="The server takes cipher suites without forward secrecy or authenticated encryption",
    source=f"{_PROFILE}, intermediate; RFC 9325, 4.2",
    remedy="Leave only ECDHE or DHE with AES-GCM or CHACHA20; Mozilla's generator of "
    "configurations has what to write",
)
SUITE_OUTSIDE_PROFILE = Rule(
    id="tls-suite-outside-profile",
    severity=FindingSeverity.LOW,
    title="The server takes sound cipher suites that its profile leaves out",
    source=f"{_PROFILE}, intermediate",
    remedy="Leave only ECDHE or DHE with AES-GCM or CHACHA20",
)
WEAK_DH = Rule(
    id="tls-weak-dh",
    severity=FindingSeverity.MEDIUM,
    title="The server's Diffie-Hellman group is too small",
    source=f"{_PROFILE}; CVE-2015-4000",
    remedy="Leave out DHE, or give it ffdhe2048 (RFC 7919)",
)

RULES = (
    ONLY_OBSOLETE,
    OBSOLETE_VERSION,
    VERSION_OUTSIDE_PROFILE,
    NEWEST_MISSING,
    BROKEN_SUITE,
    WEAK_SUITE,
    SUITE_OUTSIDE_PROFILE,
    WEAK_DH,
)


def look_at_protocols(server: TlsServer, dialler: Dialler, profile: TlsProfile) -> Looked:
    """Look at which versions and suites a server takes, and judge them.

    Args:
        server: Which one.
        dialler: Connects to it.
        profile: Mozilla's that it must keep to.

    Raises:
        Unanswered: It finished no handshake, whatever was offered.
    """
    return judge_protocols(server, see_protocols(server, dialler), profile)


def judge_protocols(server: TlsServer, seen: SeenProtocols, profile: TlsProfile) -> Looked:
    """What breaks the rules of what a server takes.

    Args:
        server: Which one.
        seen: What it takes.
        profile: Mozilla's that it must keep to.
    """
    breaches = (*_version_breaches(server, seen, profile), *_suite_breaches(server, seen))
    return Looked(breaches, seen.unseen)


def _version_breaches(
    server: TlsServer, seen: SeenProtocols, profile: TlsProfile
) -> Iterator[Breach]:
    place = [server.place]
    old = ["SSL 3.0"] if seen.takes_ssl_3 else []
    takes = f"{server.address} takes {_listed([*old, *(VERSIONS[one] for one in seen.accepted)])}"
    is_modern = profile is TlsProfile.MODERN
    if TLS_1_2 not in seen.accepted and TLS_1_3 not in seen.accepted:
        yield ONLY_OBSOLETE.found(f"{takes} and nothing newer", place)
        return
    if {TLS_1_0, TLS_1_1} & set(seen.accepted) or seen.takes_ssl_3:
        # CVE-2014-3566: what SSL 3.0 encrypts can be read.
        severity = FindingSeverity.HIGH if seen.takes_ssl_3 else None
        yield OBSOLETE_VERSION.found(takes, place, curl=_curl(server), severity=severity)
    if is_modern and TLS_1_2 in seen.accepted:
        yield VERSION_OUTSIDE_PROFILE.found(f"{takes}; the modern profile has TLS 1.3 alone", place)
    if TLS_1_3 in seen.refused:
        severity = FindingSeverity.MEDIUM if is_modern else None
        yield NEWEST_MISSING.found(f"{takes} and nothing newer", place, severity=severity)


# RFC 4492 and RFC 3268: what TLS 1.0 and 1.1 have with forward secrecy, by OpenSSL's names.
_OF_OLD_VERSIONS = re.compile(r"(?:ECDHE|DHE)-(?:RSA|ECDSA)-AES(?:128|256)-SHA")

_SUITE_RULES = {
    SuiteKind.BROKEN: BROKEN_SUITE,
    SuiteKind.WEAK: WEAK_SUITE,
    SuiteKind.OUTSIDE: SUITE_OUTSIDE_PROFILE,
}


def _suite_breaches(server: TlsServer, seen: SeenProtocols) -> Iterator[Breach]:
    place = [server.place]
    for kind, rule in _SUITE_RULES.items():
        suites = seen.suites.get(kind, ())
        if kind is SuiteKind.WEAK and {TLS_1_0, TLS_1_1} & set(seen.accepted):
            # Those come with the old versions, which are told, and go with them.
            suites = tuple(one for one in suites if not _OF_OLD_VERSIONS.fullmatch(one))
        if suites:
            more = ", and maybe more" if kind in seen.has_more else ""
            detail = f"{server.address} takes with TLS 1.2: {', '.join(suites)}{more}"
            yield rule.found(detail, place)
    if seen.dh_below:
        is_breakable = seen.dh_below < max(DH_BITS_BY_LEVEL.values())
        yield WEAK_DH.found(
            f"{server.address} takes DHE with a group of fewer than {seen.dh_below} bits",
            place,
            severity=FindingSeverity.HIGH if is_breakable else None,
        )


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _curl(server: TlsServer) -> str:
    """A command that shows it, where curl's own TLS still can."""
    return (
        "curl --insecure --verbose --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 "
        f"https://{server.address}/"
    )
