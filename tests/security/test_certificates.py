"""Certificates that servers present by real handshakes: each set-up is told apart."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from deployment_gate.security.certificates import look_at_certificate
from deployment_gate.security.handshakes import TlsServer, Unanswered, trusting_context
from deployment_gate.security.rules import Looked
from tests.security import tls_servers
from tests.security.tls_servers import Counted, Issued, Listener, issue, rules_of


@pytest.fixture(scope="module")
def issuer() -> Issued:
    """An intermediate authority, whose root is trusted."""
    return tls_servers.authority("Trusted")


@pytest.fixture(scope="module")
def stranger() -> Issued:
    """An intermediate authority, whose root isn't trusted."""
    return tls_servers.authority("Strange")


@pytest.fixture(scope="module")
def trust(issuer: Issued, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Whom this machine trusts."""
    file = tmp_path_factory.mktemp("trust") / "ca.pem"
    file.write_bytes(issuer.issuers[0].pem)
    return trusting_context(file)


@contextmanager
def presenting(
    issued: Issued, folder: Path, *, sending: int | None = None, suites: str = ""
) -> Iterator[Listener]:
    """Serve with a certificate."""
    file = issued.save(folder, sending=sending)
    context = tls_servers.server_context(file, suites=suites or tls_servers.WEAK_SUITES)
    with tls_servers.tls(context) as taking:
        yield taking


def look(server: TlsServer, trust: ssl.SSLContext, counted: Counted | None = None) -> Looked:
    """Look at a certificate now."""
    dialler = (counted or Counted()).dialler
    return look_at_certificate(server, dialler, trust=trust, at=datetime.now(UTC))


def found(
    issued: Issued, trust: ssl.SSLContext, folder: Path, *, sending: int | None = None
) -> dict[str, str]:
    """The rules that a server with a certificate breaks; nothing may stay unseen."""
    with presenting(issued, folder, sending=sending) as taking:
        looked = look(taking.server, trust)
    assert not looked.unseen
    assert {one.places for one in looked.breaches} <= {(taking.server.place,)}
    return rules_of(looked.breaches)


def test_a_sound_certificate_breaks_nothing(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    counted = Counted()

    with presenting(issue("sound", issuer), tmp_path) as taking:
        looked = look(taking.server, trust, counted)

    assert looked == Looked()
    assert counted.spent == [tls_servers.HOST]
    assert taking.connections == 1


def test_it_takes_less_than_a_tenth_of_a_second(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    with presenting(issue("sound", issuer), tmp_path) as taking:
        took = []
        for _ in range(5):
            begin = time.perf_counter()
            look(taking.server, trust)
            took.append(time.perf_counter() - begin)

    assert min(took) < 0.1


@pytest.mark.parametrize(
    ("of_days", "days_left", "rules"),
    [
        (90, -1, {"certificate-expired": "high"}),
        (90, 100, {"certificate-not-yet-valid": "high"}),
        (90, 5, {"certificate-expires-in-days": "high"}),
        (90, 8, {"certificate-expires-soon": "low"}),
        (90, 20, {"certificate-expires-soon": "low"}),
        (90, 31, {}),
        (365, 25, {"certificate-expires-soon": "low"}),
        (365, 31, {}),
        (47, 15, {"certificate-expires-soon": "low"}),
        (47, 16, {}),
    ],
)
def test_time_left_is_judged_by_the_lifetime(  # noqa: PLR0913, PLR0917
    of_days: int,
    days_left: int,
    rules: dict[str, str],
    issuer: Issued,
    trust: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    issued = issue("timed", issuer, of_days=of_days, days_left=days_left)

    assert found(issued, trust, tmp_path) == rules


def test_a_self_signed_one_is_told(trust: ssl.SSLContext, tmp_path: Path) -> None:
    assert found(issue("itself"), trust, tmp_path) == {"certificate-self-signed": "high"}


def test_one_for_another_host_is_told_with_its_hosts(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("elsewhere", issuer, hosts=["example.org", "127.0.0.2"])

    with presenting(issued, tmp_path) as taking:
        looked = look(taking.server, trust)

    assert rules_of(looked.breaches) == {"certificate-wrong-host": "high"}
    assert "example.org, 127.0.0.2" in looked.breaches[0].detail


def test_a_common_name_alone_names_no_host(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    with presenting(issue("localhost", issuer, hosts=()), tmp_path) as taking:
        server = TlsServer(name="web", host="localhost", port=taking.server.port)
        looked = look(server, trust)

    assert rules_of(looked.breaches) == {"certificate-wrong-host": "high"}


def test_a_missing_intermediate_is_told(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("alone", issuer)

    assert found(issued, trust, tmp_path, sending=0) == {"certificate-chain-incomplete": "high"}


@pytest.mark.parametrize("sending", [1, 2])
def test_an_unknown_issuer_is_told_with_and_without_its_root(
    sending: int, stranger: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("strange", stranger)

    rules = found(issued, trust, tmp_path, sending=sending)

    assert rules == {"certificate-unknown-issuer": "high"}


def test_an_unknown_root_that_issues_itself_and_is_sent_is_no_missing_intermediate(
    stranger: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("strange", stranger.issuers[0])

    rules = found(issued, trust, tmp_path, sending=1)

    assert rules == {"certificate-unknown-issuer": "high"}


def test_a_trusted_root_that_has_expired_is_told(tmp_path: Path) -> None:
    root = issue("Late", is_authority=True, of_days=900, days_left=-2)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(root.pem)

    with presenting(issue("sound", root), tmp_path) as taking:
        looked = look(taking.server, trusting_context(ca_file))

    assert rules_of(looked.breaches) == {"certificate-not-trusted": "high"}
    assert looked.breaches[0].detail.endswith("certificate has expired")


def test_the_wrong_intermediate_counts_as_a_missing_one(
    issuer: Issued, stranger: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("muddled", issuer)
    muddled = Issued(issued.certificate, issued.key, stranger.issuers)

    with presenting(muddled, tmp_path, sending=1) as taking:
        looked = look(taking.server, trust)

    assert rules_of(looked.breaches) == {"certificate-chain-incomplete": "high"}
    assert "Strange root" in looked.breaches[0].detail


def test_all_that_is_wrong_with_one_is_told(
    stranger: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("wrong", stranger, hosts=["example.org"], days_left=-3)

    assert found(issued, trust, tmp_path) == {
        "certificate-unknown-issuer": "high",
        "certificate-wrong-host": "high",
        "certificate-expired": "high",
    }


def test_an_expired_one_for_another_host_is_told_as_both(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("wrong", issuer, hosts=["example.org"], days_left=-3)

    assert found(issued, trust, tmp_path) == {
        "certificate-wrong-host": "high",
        "certificate-expired": "high",
    }


def test_an_expired_intermediate_is_told_by_its_name(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    late = issue("Late", issuer.issuers[0], is_authority=True, of_days=900, days_left=-2)

    with presenting(issue("sound", late), tmp_path) as taking:
        looked = look(taking.server, trust)

    assert rules_of(looked.breaches) == {"certificate-expired": "high"}
    assert "CN=Late" in looked.breaches[0].detail


def test_one_that_may_not_vouch_for_others_is_told_as_openssl_has_it(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    no_authority = issue("No authority", issuer)

    rules = found(issue("vouched", no_authority), trust, tmp_path)

    assert rules == {"certificate-not-trusted": "high"}


def test_a_short_rsa_key_is_told(issuer: Issued, trust: ssl.SSLContext, tmp_path: Path) -> None:
    issued = issue("short", issuer, key=tls_servers.rsa_key(1024))

    assert found(issued, trust, tmp_path) == {"certificate-weak-key": "high"}


def test_a_short_curve_of_an_issuer_is_told(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP224R1())
    short = issue("Short", issuer.issuers[0], key=key, is_authority=True)

    assert found(issue("sound", short), trust, tmp_path) == {"certificate-weak-key": "high"}


def test_a_key_that_few_clients_know_only_warns(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    issued = issue("unusual", issuer, key=ec.generate_private_key(ec.SECP521R1()))

    assert found(issued, trust, tmp_path) == {"certificate-unusual-key": "low"}


def test_an_edwards_key_and_rsa_of_2048_bits_are_fine(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), tls_servers.rsa_key()):
        assert found(issue("fine", issuer, key=key), trust, tmp_path) == {}


def test_a_signature_by_sha_1_is_told(tmp_path: Path) -> None:
    signer = tls_servers.authority("Old", key=tls_servers.rsa_key())
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(signer.issuers[0].pem)
    issued = issue("old", signer, is_sha1=True)

    rules = found(issued, trusting_context(ca_file), tmp_path)

    assert rules == {"certificate-weak-signature": "high"}


def test_an_old_version_says_nothing_of_the_certificate(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    context = tls_servers.server_context(
        issue("sound", issuer).save(tmp_path),
        oldest=ssl.TLSVersion.TLSv1,
        newest=ssl.TLSVersion.TLSv1,
        suites=tls_servers.WEAK_SUITES,
    )

    with tls_servers.tls(context) as taking:
        assert look(taking.server, trust) == Looked()


def test_the_issuers_are_those_that_ssl_cert_file_names(
    stranger: Issued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "private.pem"
    file.write_bytes(stranger.issuers[0].pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    assert found(issue("private", stranger), trusting_context(), tmp_path) == {}


def test_plain_text_is_told(trust: ssl.SSLContext) -> None:
    with tls_servers.plain(b"HTTP/1.1 400 Bad Request\r\n\r\n") as taking:
        looked = look(taking.server, trust)

    assert rules_of(looked.breaches) == {"tls-not-spoken": "high"}


def test_silence_is_the_servers_doing_and_no_pass(trust: ssl.SSLContext) -> None:
    with tls_servers.silent() as taking, pytest.raises(Unanswered) as caught:
        look(taking.server, trust, Counted(timeout_s=0.2))

    assert caught.value.blame.error == "takes connections, but finished none within 0.2 s"


def test_a_port_that_nobody_listens_on_is_no_pass(trust: ssl.SSLContext) -> None:
    with tls_servers.silent() as taking:
        pass

    with pytest.raises(Unanswered, match="connection refused"):
        look(taking.server, trust)


def test_a_name_that_does_not_resolve_is_this_machines_doing(trust: ssl.SSLContext) -> None:
    server = TlsServer(name="api", host="nowhere.invalid", port=443)

    with pytest.raises(Unanswered) as caught:
        look(server, trust)

    assert caught.value.blame.error is None
    assert caught.value.blame.unobserved


def test_times_are_judged_by_the_time_that_is_given(
    issuer: Issued, trust: ssl.SSLContext, tmp_path: Path
) -> None:
    with presenting(issue("sound", issuer), tmp_path) as taking:
        later = datetime.now(UTC) + timedelta(days=76)
        looked = look_at_certificate(taking.server, Counted().dialler, trust=trust, at=later)

    assert rules_of(looked.breaches) == {"certificate-expires-in-days": "high"}
