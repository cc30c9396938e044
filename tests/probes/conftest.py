"""Real servers on loopback, which keep a log of what reached them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

from deployment_gate.probes.sampler import ssl_context

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


class Hang(Exception):  # noqa: N818  # a way to answer, not an error
    """Raised by an answer that never comes."""


class Reset(Exception):  # noqa: N818
    """Raised by an answer that is cut off by a TCP reset; its argument is what comes before."""


class Close(Exception):  # noqa: N818
    """Raised by an answer after which the connection ends; its argument is what comes before."""


@dataclass(frozen=True, slots=True)
class Request:
    """What reached the server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request], bytes | Iterator[bytes]]


@dataclass
class Target:
    """A small HTTP server whose answers a test makes up byte by byte.

    Attributes:
        answer: Makes the answer to a request.
        requests: What reached it.
        connections: How many connections were made to it.
        sent: How many bytes it sent.
        most_at_once: How many requests it was answering at one time, at most.
    """

    answer: Answer
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"

    def url(self, path: str = "/health") -> str:
        """An address on it."""
        return self.origin + path

    def close(self) -> None:
        """End it, and every connection to it."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._threads[0].join()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            with self._lock:
                self.connections += 1
                self._open.append(connection)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with contextlib.closing(connection.makefile("rb")) as stream:
                while not self._over.is_set() and self._answer_one(connection, stream):
                    pass
        except Reset as reset:
            for part in reset.args:
                connection.sendall(part)
            # A linger of no time makes close() send a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except Close as close:
            connection.sendall(close.args[0])
        except Hang:
            self._over.wait()
        except (OSError, ValueError):
            pass  # the client went away or speaks no HTTP, or this server was closed
        finally:
            connection.close()

    def _answer_one(self, connection: socket.socket, stream: object) -> bool:
        request = _read_request(stream)
        if request is None:
            return False
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            answer = self.answer(request)
        finally:
            with self._lock:
                self._at_once -= 1
        if request.method == "HEAD" and isinstance(answer, bytes):
            answer = answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        for part in [answer] if isinstance(answer, bytes) else answer:
            connection.sendall(part)
            self.sent += len(part)
        return True


def _read_request(stream: object) -> Request | None:
    line = stream.readline()  # type: ignore[attr-defined]
    if not line:
        return None
    method, path, _ = line.decode().split()
    headers = {}
    while (line := stream.readline().decode().strip()) != "":  # type: ignore[attr-defined]
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))  # type: ignore[attr-defined]
    return Request(method, path, headers, body)


def http(body: bytes | str = b"{}", status: int = 200, **headers: str) -> bytes:
    """An HTTP answer; headers' underscores become hyphens."""
    content = body.encode() if isinstance(body, str) else body
    shown = {"content-type": "application/json", "content-length": str(len(content))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in shown.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


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
