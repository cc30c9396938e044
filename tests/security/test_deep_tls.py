"""What sslyze finds beyond the rest, on real servers."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from deployment_gate.environment import TlsProfile
from deployment_gate.security import certificates, deep_tls
from deployment_gate.security.deep_tls import Told, breaches_of, look_deeper
from deployment_gate.security.handshakes import TLS_1_0, TLS_1_2, TLS_1_3
from deployment_gate.security.protocols import SeenProtocols, see_protocols
from deployment_gate.security.rules import Looked, Rule, Unseen
from deployment_gate.security.tls import judge_protocols
from tests.security import tls_servers
from tests.security.tls_servers import Counted, Issued, issue, rules_of, server_context

pytest.importorskip("sslyze")

INTERMEDIATE = TlsProfile.INTERMEDIATE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where certificates are."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def issuer() -> Issued:
    """An authority."""
    return tls_servers.authority("Private")


@pytest.fixture(scope="module")
def certificate(folder: Path, issuer: Issued) -> Path:
    """A sound certificate with its key and its chain."""
    return issue("own", issuer).save(folder)


def look(
    context: ssl.SSLContext, *, knows: bool = True, beside: tuple[Rule, ...] = ()
) -> tuple[Looked, Counted, int]:
    """Look at a server; what was counted, and how many connections came."""
    counted = Counted()
    with tls_servers.tls(context) as taking:
        seen = see_protocols(taking.server, Counted().dialler)
        rules = {one.rule for one in judge_protocols(taking.server, seen, INTERMEDIATE).breaches}
        told = Told(seen, {*rules, *beside})
        if not knows:
            told = Told(SeenProtocols(accepted=()), ())
        taking.connections = 0
        looked = look_deeper(taking.server, counted.dialler, INTERMEDIATE, told=told)
        return looked, counted, taking.connections


def test_a_sound_server_of_private_trust_breaks_nothing_and_all_is_counted(
    certificate: Path,
) -> None:
    looked, counted, came = look(server_context(certificate))

    assert looked == Looked()
    assert came <= len(counted.spent) == deep_tls.CONNECTIONS


def test_what_is_told_already_is_not_told_again(certificate: Path) -> None:
    weak = server_context(certificate, oldest=TLS_1_0, suites=tls_servers.WEAK_SUITES)

    looked, counted, came = look(weak)

    assert looked == Looked()
    assert came <= len(counted.spent)


def test_versions_that_nobody_told_of_are_told(certificate: Path) -> None:
    weak = server_context(certificate, oldest=TLS_1_0, suites=tls_servers.WEAK_SUITES)

    looked, counted, came = look(weak, knows=False)

    assert came <= len(counted.spent)
    assert rules_of(looked.breaches) == {"tls-not-compliant": "medium"}
    assert "TLSv1, TLSv1.1" in looked.breaches[0].detail


def test_curves_beside_the_profile_only_warn(certificate: Path) -> None:
    context = server_context(certificate)
    context.set_ecdh_curve("secp521r1")

    looked, _, _ = look(context)

    assert rules_of(looked.breaches) == {"tls-not-as-advised": "low"}
    assert "secp521r1" in looked.breaches[0].detail


def test_a_key_is_told_once(folder: Path, issuer: Issued) -> None:
    short = issue("short", issuer, key=tls_servers.rsa_key(1024)).save(folder)
    context = server_context(short, suites=f"{tls_servers.SOUND_SUITES}:@SECLEVEL=0")

    known, _, _ = look(context, beside=(certificates.WEAK_KEY,))
    unknown, _, _ = look(context)

    assert known == Looked()
    assert rules_of(unknown.breaches) == {"tls-not-compliant": "medium"}


def test_a_server_that_is_not_there_is_unseen() -> None:
    with tls_servers.silent() as taking:
        pass
    told = Told(SeenProtocols(accepted=(TLS_1_2, TLS_1_3)), ())

    with pytest.raises(Unseen, match="sslyze came to nothing"):
        look_deeper(
            taking.server,
            Counted(timeout_s=1).dialler,
            INTERMEDIATE,
            told=told,
        )


def test_attacks_weigh_more_than_what_is_not_as_advised() -> None:
    server = tls_servers.TlsServer(name="api", host="example.org", port=443)
    issues = {
        "tls_vulnerability_robot": "It is open to ROBOT.",
        "tls_curves": "It takes a curve.",
        "tls_vulnerability_fallback_scsv": "It lets itself be led down.",
    }

    rules = rules_of(list(breaches_of(server, issues)))

    assert rules == {
        "tls-known-attack": "high",
        "tls-not-compliant": "medium",
        "tls-not-as-advised": "low",
    }
