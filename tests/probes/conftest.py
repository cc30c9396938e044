"""Real servers on loopback and in the file system, and the clients that the checks would get."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from hypothesis import settings

from deployment_gate.evidence import Observation
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.http import http_client
from deployment_gate.probes.sampler import ssl_context
from tests.probes.target import Answer, Close, Hang, Reset, Target, http
from tests.servers import PostgreSQL

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture
def answer() -> Callable[..., bytes]:
    """Make an HTTP answer."""
    return http


@pytest.fixture
def hang() -> type[Hang]:
    """Raise this in an answer, and it never comes."""
    return Hang


@pytest.fixture
def reset() -> type[Reset]:
    """Raise this in an answer, and the connection is reset."""
    return Reset


@pytest.fixture
def close() -> type[Close]:
    """Raise this in an answer, and the connection is closed."""
    return Close


@pytest.fixture
def serve() -> Iterator[Callable[..., Target]]:
    """Start servers; they end with the test."""
    targets: list[Target] = []

    def serve(answer: Answer | None = None, tls: ssl.SSLContext | None = None) -> Target:
        targets.append(Target(answer or (lambda _request: http()), tls))
        return targets[-1]

    yield serve
    for target in targets:
        target.close()


@pytest.fixture
def dead_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def mute() -> Iterator[str]:
    """An address whose connections are never established: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class Certificates:
    """An authority of its own and what it issued, made by OpenSSL."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nnew_certs_dir = .\n"
            "rand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\n"
            "unique_subject = no\n[any]\ncommonName = supplied\n"
        )
        self._openssl("req", "-x509", *self._key("ca"), "-out", "ca.pem", "-subj", "/CN=ca")
        self.authority = folder / "ca.pem"
        self.good = self._issued("good", "IP:127.0.0.1", until="20900101000000Z")
        self.expired = self._issued("expired", "IP:127.0.0.1", until="20210101000000Z")
        self.of_another_host = self._issued("other", "DNS:other.example", until="20900101000000Z")

    def _key(self, name: str) -> list[str]:
        return [
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-noenc", "-keyout", f"{name}.key"),
        ]

    def _issued(self, name: str, host: str, *, until: str) -> ssl.SSLContext:
        named = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={host}"]
        self._openssl("req", *self._key(name), "-out", f"{name}.csr", *named)
        self._openssl(
            *("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"),
            *("-in", f"{name}.csr", "-out", f"{name}.pem", "-notext"),
            *("-startdate", "20200101000000Z", "-enddate", until),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates: good, expired, of another host."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusting(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Certificates]:
    """The certificates, with their authority trusted by this machine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    ssl_context.cache_clear()
    yield certificates
    ssl_context.cache_clear()


@pytest.fixture
def seen() -> list[Observation]:
    """What was observed."""
    return []


@pytest.fixture
def conduct(seen: list[Observation]) -> Conduct:
    """The conduct of a check that only reads."""
    return Conduct(
        observe=seen.append, environment="production", allows_writing=False, check="t::check"
    )


@pytest.fixture
def connect(conduct: Conduct) -> Iterator[Callable[..., httpx.Client]]:
    """Make clients that keep to the conduct."""
    with contextlib.ExitStack() as stack:

        def connect(target: Target | str, *, timeout_s: float = 5.0) -> httpx.Client:
            base_url = target if isinstance(target, str) else target.origin
            made = http_client(conduct, base_url=base_url, timeout_s=timeout_s, user_agent="t/1")
            return stack.enter_context(made)

        yield connect


@pytest.fixture(scope="module")
def app(postgresql_server: PostgreSQL) -> str:
    """A database of this module's own, at a revision."""
    name = f"app_{uuid4().hex[:8]}"
    postgresql_server.run(
        f"CREATE DATABASE {name}",
        f"CREATE DATABASE closed_{name}",
        f"REVOKE CONNECT ON DATABASE closed_{name} FROM PUBLIC",
    )
    postgresql_server.run(
        "CREATE TABLE alembic_version (version_num text PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('4f2a'), ('9b1c')",
        "GRANT SELECT ON alembic_version TO monitor",
        "CREATE TABLE account (id int PRIMARY KEY, name text)",
        "INSERT INTO account VALUES (1, 'somebody')",
        database=name,
    )
    return name


@pytest.fixture
def app_url(postgresql_server: PostgreSQL, app: str) -> Callable[..., str]:
    """Make the address of the database for a role, by default one that may see everything."""

    def app_url(role: str = "monitor", **more: str) -> str:
        return postgresql_server.url(role, database=app, **more)

    return app_url
