"""A look at a server by sslyze, an optional library: what Mozilla's profile has against it."""

from __future__ import annotations

import math
import ssl
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sslyze.errors import ServerHostnameCouldNotBeResolved
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    ServerScanResultIncomplete,
    TlsConfigurationAsJson,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)
from sslyze.plugins.openssl_cipher_suites.implementation import CipherSuitesScanResult
from sslyze.scanner.models import (
    AllScanCommandsAttempts,
    CipherSuitesScanAttempt,
    ServerScanRequest,
    ServerScanResult,
)
from sslyze.scanner.scan_command_attempt import ScanCommandAttemptStatusEnum
from sslyze.scanner.scanner import Scanner
from sslyze.server_connectivity import TlsVersionEnum
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from deployment_gate.environment import TlsProfile
from deployment_gate.security.client_hello import GIVEN_UP
from deployment_gate.security.handshakes import (
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    TlsServer,
)
from deployment_gate.security.protocols import (
    INTERMEDIATE_SUITES,
    SeenProtocols,
    SuiteKind,
    suites_of,
)
from deployment_gate.security.rules import Unseen

VERSIONS = "tls_versions"
SUITES = "ciphers"
"""sslyze's names of issues that are told here version by version, and suite by suite."""

_AT_ONCE = 3
_SSL_3 = "ssl_3_0_cipher_suites"

# sslyze's fields for each version, and what Mozilla's profiles call it.
_VERSIONS: Mapping[str, tuple[str, ssl.TLSVersion | None]] = {
    "ssl_2_0_cipher_suites": ("SSLv2", None),
    _SSL_3: ("SSLv3", None),
    "tls_1_0_cipher_suites": ("TLSv1", TLS_1_0),
    "tls_1_1_cipher_suites": ("TLSv1.1", TLS_1_1),
    "tls_1_2_cipher_suites": ("TLSv1.2", TLS_1_2),
    "tls_1_3_cipher_suites": ("TLSv1.3", TLS_1_3),
}


def versions_asked(known: SeenProtocols) -> int:
    """How many versions sslyze goes through suite by suite, those of few suites apart."""
    return 4 - len(_fields_known(known))


def scan(
    server: TlsServer,
    *,
    timeout_s: float,
    known: SeenProtocols,
) -> ServerScanResult:
    """Let sslyze look.

    Args:
        server: At which server.
        timeout_s: Seconds that a connection may take.
        known: What was seen without sslyze, which it isn't to look at again.

    Raises:
        Unseen: There was no connection.
    """
    left_out = _fields_known(known)
    commands = {one for one in SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER if one.value not in left_out}
    try:
        request = ServerScanRequest(
            server_location=ServerNetworkLocation(server.host, server.port),
            network_configuration=ServerNetworkConfiguration(
                tls_server_name_indication=server.host,
                network_timeout=math.ceil(timeout_s),
                network_max_retries=1,
            ),
            scan_commands=commands,
        )
    except ServerHostnameCouldNotBeResolved as error:
        raise Unseen(f"{server.place}: sslyze: {error}") from None
    scanner = Scanner(per_server_concurrent_connections_limit=_AT_ONCE)
    scanner.queue_scans([request])
    (result,) = scanner.get_results()
    if result.scan_result is None:
        trace = result.connectivity_error_trace
        why = "".join(trace.format_exception_only()).strip() if trace else "it had no connection"
        raise Unseen(f"{server.place}: sslyze came to nothing: {why}")
    return replace(result, scan_result=_with_known(result.scan_result, left_out))


def _fields_known(known: SeenProtocols) -> list[str]:
    """The versions that need no further look, by sslyze's fields.

    Of those that are given up the suites don't matter, and those of TLS 1.2 are known.
    """
    looked_at = {*known.refused, *known.accepted} - {TLS_1_3}
    found = [field for field, (_, version) in _VERSIONS.items() if version in looked_at]
    return [*found, *([] if known.takes_ssl_3 is None else [_SSL_3])]


def _with_known(
    seen: AllScanCommandsAttempts, left_out: Collection[str]
) -> AllScanCommandsAttempts:
    """What sslyze saw; of versions that were left out it has nothing to tell."""
    # Of any kind, for mypy, which can't know which fields the names are of.
    attempts: dict[str, Any] = {
        field: CipherSuitesScanAttempt(
            status=ScanCommandAttemptStatusEnum.COMPLETED,
            error_reason=None,
            error_trace=None,
            result=CipherSuitesScanResult(
                tls_version_used=TlsVersionEnum[field.removesuffix("_cipher_suites").upper()],
                accepted_cipher_suites=[],
                rejected_cipher_suites=[],
            ),
        )
        for field in left_out
    }
    return replace(seen, **attempts)


def issues_of(server: TlsServer, result: ServerScanResult, profile: TlsProfile) -> dict[str, str]:
    """What Mozilla's profile has against a server, by sslyze's names for it.

    Args:
        server: Which one.
        result: What sslyze saw.
        profile: Mozilla's.

    Raises:
        Unseen: sslyze did not see all that it takes.
    """
    wanted = MozillaTlsConfiguration.get(TlsConfigurationEnum(profile.value))
    issues: dict[str, str] = {}
    try:
        check_server_against_tls_configuration(result, wanted)
    except ServerNotCompliantWithTlsConfiguration as error:
        issues = {**error.issues}
    except ServerScanResultIncomplete as error:
        raise Unseen(f"{server.place}: sslyze did not see all: {error}") from None
    assert result.scan_result
    issues.pop(VERSIONS, None)
    issues.pop(SUITES, None)
    return issues | dict(_beside(result.scan_result, wanted))


def _beside(
    seen: AllScanCommandsAttempts, wanted: TlsConfigurationAsJson
) -> Iterator[tuple[str, str]]:
    """Versions that it was left to find, and suites that only sslyze could offer."""
    offered = INTERMEDIATE_SUITES.union(GIVEN_UP.values(), *map(suites_of, SuiteKind))
    versions: list[str] = []
    suites: set[str] = set()
    for field, (name, version) in _VERSIONS.items():
        found = getattr(seen, field).result
        if not found.is_tls_version_supported:
            continue
        if name not in wanted.tls_versions:
            versions.append(name)
        if version is not TLS_1_3:
            suites.update(
                one.cipher_suite.name
                for one in found.accepted_cipher_suites
                if one.cipher_suite.name not in wanted.ciphers.iana
                and offered.isdisjoint({one.cipher_suite.name, one.cipher_suite.openssl_name})
            )
    if versions:
        yield VERSIONS, f"It takes {', '.join(versions)}."
    if suites:
        yield SUITES, f"It takes {', '.join(sorted(suites))}."
