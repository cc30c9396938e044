"""The certificates of a sandbox that answers over TLS: where they are, and until when."""

import fcntl
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.errors import SandboxError

LIFETIME = timedelta(days=90)
RENEWED_BELOW = timedelta(days=30)
EXPIRING_IN = timedelta(days=3)
# It may lose some hours before it is made anew.
EXPIRING_IN_AT_LEAST = timedelta(days=2, hours=12)
FIRST_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL
)
# Validity in DER: a sequence of two UTCTime, which RFC 5280 (4.1.2.5) asks for until 2049.
VALIDITY = re.compile(rb"\x30\x1e\x17\x0d\d{12}Z\x17\x0d(\d{12})Z")
ISSUED_BY = "Open Policy sandbox"


@dataclass(slots=True, frozen=True)
class Certificates:
    """The files of one directory; all of them are PEM."""

    directory: Path

    @property
    def ca(self) -> Path:
        """The root that clients trust; its key was thrown away."""
        return self.directory / "ca.pem"

    @property
    def server(self) -> Path:
        """The servers' certificate, followed by the one that has issued it."""
        return self.directory / "server.pem"

    @property
    def key(self) -> Path:
        """The servers' key."""
        return self.directory / "server.key"

    @property
    def issuer(self) -> Path:
        """The certificate that issues, and its key; it is good for the loopback alone."""
        return self.directory / "issuer.pem"

    @property
    def expiring(self) -> Path:
        """A chain and its key, as a fault shows them that lets the certificate run out."""
        return self.directory / "expiring.pem"

    @property
    def files(self) -> tuple[Path, ...]:
        """All that belongs to the directory from the start."""
        return (self.ca, self.server, self.key, self.issuer)


def prepare(directory: Path, now: datetime | None = None) -> Certificates:
    """Return the certificates of that directory; those are made that it lacks, or that run out.

    Args:
        directory: Where they are; made when missing.
        now: The time, by default the present.

    Raises:
        SandboxError: The directory can't hold them, or holds others.
    """
    now = now or datetime.now(UTC)
    certificates = Certificates(directory.absolute())
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with held(directory):
            present = [file.name for file in certificates.files if file.exists()]
            if present:
                demand_ours(certificates, present)
            if not present or expires_at(certificates.server) - now < RENEWED_BELOW:
                # It takes a library that is needed for nothing else.
                from sandbox.issuing import issue  # noqa: PLC0415

                issue(certificates, now, LIFETIME)
    except OSError as error:
        raise SandboxError(
            f"{directory} can't hold certificates ({error.strerror}): "
            "say a directory that you may write, as in --tls /tmp/sandbox-tls."
        ) from error
    return certificates


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep others from making certificates there meanwhile: files of two makers don't fit."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def demand_ours(certificates: Certificates, present: list[str]) -> None:
    """Raise an error unless all files are there, fit each other, and were made by the sandbox."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(certificates.ca)
        context.load_cert_chain(certificates.server, certificates.key)
        subjects = str([ca["subject"] for ca in context.get_ca_certs()])
        expires_at(certificates.server)
        is_ours = ISSUED_BY in subjects and certificates.issuer.exists()
    except (OSError, ValueError):  # an error of ssl is one of the system's, too
        is_ours = False
    if not is_ours:
        raise SandboxError(
            f"{certificates.directory} holds {', '.join(present)}, and these are no certificates "
            "that the sandbox can use: remove them, or say another directory, as in "
            "--tls /tmp/sandbox-tls."
        )


def prepare_expiring(certificates: Certificates, now: datetime | None = None) -> Path:
    """Return a chain with its key that is good for some three more days, made anew if need be."""
    now = now or datetime.now(UTC)
    path = certificates.expiring
    if not path.exists() or expires_at(path) - now < EXPIRING_IN_AT_LEAST:
        from sandbox.issuing import issue_expiring  # noqa: PLC0415 - as in `prepare`

        issue_expiring(certificates, now, LIFETIME, EXPIRING_IN)
    return path


def expires_at(path: Path) -> datetime:
    """Return until when the first certificate of that file is good.

    Raises:
        ValueError: There is none in it.
    """
    first = FIRST_CERTIFICATE.search(path.read_text())
    validity = first and VALIDITY.search(ssl.PEM_cert_to_DER_cert(first.group()))
    if not validity:
        raise ValueError(f"{path} holds no certificate")
    written = validity.group(1).decode()
    return datetime.strptime(written, "%y%m%d%H%M%S").replace(tzinfo=UTC)
