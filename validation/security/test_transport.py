"""What is sent to and from the platform can't be read or changed on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import Looked, TlsServer

each_tls_server = pytest.mark.needs("tls_servers.{tls_server}")


@pytest.mark.smoke
@each_tls_server
def test_certificate_is_sound(
    tls_server: TlsServer,
    look_at_certificate: Callable[[TlsServer], Looked],
    judge_findings: Callable[[Looked], None],
) -> None:
    judge_findings(look_at_certificate(tls_server))


@each_tls_server
def test_only_sound_versions_and_suites_are_taken(
    tls_server: TlsServer,
    look_at_protocols: Callable[[TlsServer], Looked],
    judge_findings: Callable[[Looked], None],
) -> None:
    judge_findings(look_at_protocols(tls_server))


@pytest.mark.needs("tls_servers.{tls_server}", "library sslyze")
def test_sslyze_finds_nothing_more(
    tls_server: TlsServer,
    look_deeper_at_tls: Callable[[TlsServer], Looked],
    judge_findings: Callable[[Looked], None],
) -> None:
    judge_findings(look_deeper_at_tls(tls_server))


@pytest.mark.smoke
@pytest.mark.needs("open_addresses.{open_address}")
def test_nothing_is_reached_over_plain_http(
    open_address: str,
    look_at_open_address: Callable[[str], Looked],
    judge_findings: Callable[[Looked], None],
) -> None:
    judge_findings(look_at_open_address(open_address))


@pytest.mark.provokes
@pytest.mark.needs("plain_http.{plain_http}")
def test_plain_http_leads_to_https(
    plain_http: str,
    look_at_plain_http: Callable[[str], Looked],
    judge_findings: Callable[[Looked], None],
) -> None:
    judge_findings(look_at_plain_http(plain_http))
