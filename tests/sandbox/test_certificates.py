"""The certificates that the sandbox makes, as another library and other processes see them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sandbox.certificates import Certificates, expires_at, prepare, prepare_expiring
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates that no test changes."""
    return prepare(tmp_path_factory.mktemp("certificates"))


def read(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a file."""
    return x509.load_pem_x509_certificates(path.read_bytes())


def verify(ca: Path, chain: list[x509.Certificate], name: x509.GeneralName) -> None:
    """Hold a chain to what browsers ask for; raise an error when it falls short."""
    assert isinstance(name, x509.DNSName | x509.IPAddress)
    verifier = PolicyBuilder().store(Store(read(ca))).build_server_verifier(name)
    verifier.verify(chain[0], chain[1:])


@pytest.mark.parametrize(
    "name", [x509.DNSName("localhost"), x509.IPAddress(IPv4Address(2130706433))]
)
def test_chain_proves_both_names_of_the_loopback(
    made: Certificates, name: x509.GeneralName
) -> None:
    verify(made.ca, read(made.server), name)
    verify(made.ca, read(prepare_expiring(made)), name)


def test_server_has_a_key_of_its_own_for_ninety_days(made: Certificates) -> None:
    server, issuer = read(made.server)
    key = server.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert key != issuer.public_key()
    left = server.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    assert expires_at(made.server) == server.not_valid_after_utc


def test_expiring_chain_has_three_days_left_of_ninety(made: Certificates) -> None:
    server = read(prepare_expiring(made))[0]
    left = server.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=2, hours=12) < left <= timedelta(days=3)
    assert server.not_valid_after_utc - server.not_valid_before_utc == timedelta(days=90)


def test_what_the_issuer_signs_for_others_is_worth_nothing(made: Certificates) -> None:
    content = made.issuer.read_bytes()
    issuer = x509.load_pem_x509_certificate(content)
    signer = serialization.load_pem_private_key(content, password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())

    def sign(name: str) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(by, critical=False)
            .sign(signer, hashes.SHA256())
        )

    verify(made.ca, [sign("localhost"), issuer], x509.DNSName("localhost"))
    with pytest.raises(VerificationError):
        verify(made.ca, [sign("bank.example"), issuer], x509.DNSName("bank.example"))


def test_second_time_changes_nothing_and_needs_no_library(tmp_path: Path) -> None:
    made = prepare(tmp_path)
    before = [file.read_bytes() for file in made.files]
    script = (
        "import sys, pathlib, sandbox.certificates as one; one.prepare(pathlib.Path(sys.argv[1]));"
        "sys.exit('cryptography' in sys.modules)"
    )
    again = subprocess.run([sys.executable, "-c", script, tmp_path], cwd=ROOT, check=False)
    assert again.returncode == 0
    assert [file.read_bytes() for file in made.files] == before


@pytest.mark.parametrize(("days", "is_renewed"), [(59, False), (61, True), (100, True)])
def test_what_runs_out_within_thirty_days_is_made_anew(
    tmp_path: Path, days: int, *, is_renewed: bool
) -> None:
    made = prepare(tmp_path)
    before, later = made.server.read_bytes(), datetime.now(UTC) + timedelta(days=days)
    prepare(tmp_path, later)
    assert (made.server.read_bytes() != before) == is_renewed
    assert expires_at(made.server) > later + timedelta(days=29)


def test_expiring_chain_is_made_anew_when_it_has_lost_half_a_day(tmp_path: Path) -> None:
    made, now = prepare(tmp_path), datetime.now(UTC)
    first = prepare_expiring(made, now).read_bytes()
    assert prepare_expiring(made, now + timedelta(hours=11)).read_bytes() == first
    later = now + timedelta(days=20)
    assert prepare_expiring(made, later).read_bytes() != first
    left = expires_at(made.expiring) - later
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)


def test_nobody_else_may_read_the_keys(tmp_path: Path) -> None:
    made = prepare(tmp_path / "new")
    assert made.directory.stat().st_mode & 0o777 == 0o700
    for file in (made.key, made.issuer, prepare_expiring(made)):
        assert file.stat().st_mode & 0o777 == 0o600


def lacks_its_key(directory: Path) -> None:
    (directory / "server.key").unlink()


def has_another_key(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (directory / "server.key").write_bytes(key)


def holds_nonsense(directory: Path) -> None:
    (directory / "server.pem").write_text("nonsense")


def was_made_by_somebody_else(directory: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody else")])
    root = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "ca.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize(
    "spoil", [lacks_its_key, has_another_key, holds_nonsense, was_made_by_somebody_else]
)
def test_certificates_of_others_are_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    prepare(tmp_path)
    spoil(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(SandboxError, match="remove them, or say another directory"):
        prepare(tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_command_makes_them_and_says_how_to_trust_them(
    tmp_path: Path, run_command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    directory = tmp_path / "deep" / "certificates"
    for _ in range(2):
        told = run_command("certificates", str(directory))
        assert told.returncode == 0
        assert f"SSL_CERT_FILE={directory}/ca.pem" in told.stdout
    assert {file.name for file in directory.iterdir()} == {
        *("ca.pem", "server.pem", "server.key", "issuer.pem")
    }


@pytest.mark.parametrize("command", [["certificates"], ["up", "--api-port", "0", "--tls"]])
def test_directory_that_is_none_is_one_clear_sentence(
    tmp_path: Path,
    run_command: Callable[..., subprocess.CompletedProcess[str]],
    command: list[str],
) -> None:
    (tmp_path / "file").write_text("")
    told = run_command(
        *command, str(tmp_path / "file"), SANDBOX_WEB_PORT="0", SANDBOX_PLAIN_PORT="0"
    )
    assert told.returncode == 1
    assert "can't hold certificates" in told.stderr
    assert "say a directory" in told.stderr
    assert "Traceback" not in told.stderr
