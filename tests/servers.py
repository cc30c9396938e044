"""Real servers that the tests start for themselves, on sockets in directories of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_S = 30.0
SUPERUSER = "sandbox"
PASSWORD = "correct-horse-battery"


def wait_for(claim: Callable[[], bool], explain: Callable[[], str] = str) -> None:
    """Wait until the claim is true; fail with the explanation when it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > deadline:
            pytest.fail(f"It never became true. {explain()}")
        time.sleep(0.02)


def find_postgresql() -> Path:
    """Return the directory of an installed PostgreSQL server's programs."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [*map(str, installed), os.environ.get("PATH", "")]
    found = shutil.which("initdb", path=os.pathsep.join(places))
    if found is None:
        pytest.fail("No PostgreSQL server was found: apt-get install postgresql")
    return Path(found).resolve().parent


@dataclass
class PostgreSQL:
    """A server that runs, reached by a socket in its directory."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, role: str = SUPERUSER, *, password: str = "", database: str = "postgres") -> str:
        """Where it is, as SQLAlchemy writes it."""
        who = f"{role}:{password}" if password else role
        return f"postgresql+psycopg://{who}@/{database}?host={self.directory}&port={self.port}"

    def connect(self, role: str = SUPERUSER, *, database: str = "postgres") -> psycopg.Connection:
        """Connect as one who needs no password."""
        return psycopg.connect(
            host=str(self.directory), port=self.port, dbname=database, user=role, autocommit=True
        )

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Carry out statements, each by itself."""
        with self.connect(database=database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log_file.read_text(errors="replace")

    @property
    def _log_file(self) -> Path:
        return self.directory / f"log-{self.port}"


class _Cluster:
    """Where PostgreSQL servers of one test run keep their data, and the user that they run as."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = find_postgresql()
        self._as_user: list[str] = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self._as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            shutil.chown(directory, "nobody", "nogroup")

    def say(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end."""
        command = [*self._as_user, str(self.programs / program), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, cwd=self.directory)
        assert done.returncode == 0, done.stderr.decode()

    @contextmanager
    def serve(self, data: str, port: int, options: Sequence[str]) -> Iterator[PostgreSQL]:
        """Start a server on a data directory; end it after the block."""
        log_file = self.directory / f"log-{port}"
        command = [str(self.programs / "postgres"), "-D", data, "-p", str(port), "-F"]
        settings = ["listen_addresses=", f"unix_socket_directories={self.directory}", *options]
        command += [word for setting in settings for word in ("-c", setting)]
        with (
            log_file.open("ab") as log,
            subprocess.Popen(
                [*self._as_user, *command], stdout=log, stderr=log, cwd=self.directory
            ) as process,
        ):
            server = PostgreSQL(self.directory, port, process)
            try:
                wait_for(lambda: _takes_sessions(server), lambda: server.log)
                yield server
            finally:
                process.send_signal(signal.SIGQUIT)


def _takes_sessions(server: PostgreSQL) -> bool:
    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgresql(
    *options: str, access: Sequence[str] = ("local all all trust",)
) -> Iterator[tuple[PostgreSQL, Callable[..., PostgreSQL]]]:
    """Start a server, and hand out what makes a streaming standby of it.

    Args:
        options: Settings, each as `name=value`.
        access: Lines of `pg_hba.conf`; the superuser needs no password in any case.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="tests-postgresql-")))
        cluster = _Cluster(directory)
        data = str(directory / "data")
        create = ("-D", data, "-U", SUPERUSER, "-A", "trust", "-N")
        cluster.say("initdb", *create, "-E", "UTF8", "--locale=C.UTF-8")
        superuser = [f"local all {SUPERUSER} trust", f"local replication {SUPERUSER} trust"]
        (directory / "data" / "pg_hba.conf").write_text("\n".join([*superuser, *access, ""]))
        server = stack.enter_context(cluster.serve(data, 5432, options))

        def standby(*options: str, port: int = 5433) -> PostgreSQL:
            copy = str(directory / f"standby-{port}")
            source = f"host={directory} port=5432 user={SUPERUSER} application_name=standby"
            arguments = ("-d", source, "-D", copy, "-R", "-c", "fast", "-X", "stream", "-N")
            cluster.say("pg_basebackup", *arguments)
            return stack.enter_context(cluster.serve(copy, port, options))

        yield server, standby


def redis_command() -> tuple[str, list[str]]:
    """The executable of a Redis server, and what it must be called as.

    Debian's redis-server is a link to redis-check-rdb, which its redis-tools have without the
    service that redis-server starts.
    """
    for program in ("redis-server", "redis-check-rdb"):
        if found := shutil.which(program):
            return found, ["redis-server"]
    pytest.fail("No Redis server was found: apt-get install redis-tools")


@dataclass
class RedisServer:
    """A Redis that runs, reached by a socket."""

    socket: Path
    process: subprocess.Popen[bytes]
    password: str | None

    @property
    def url(self) -> str:
        """Where it is."""
        who = f":{self.password}@" if self.password else ""
        return f"unix://{who}{self.socket}"

    def client(self) -> redis.Redis:
        """Connect to it."""
        return redis.Redis(
            unix_socket_path=str(self.socket),
            password=self.password,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


@contextmanager
def redis_server(
    directory: Path, *arguments: str, password: str | None = None
) -> Iterator[RedisServer]:
    """Start a Redis that saves nothing unless told to; end it after the block.

    Args:
        directory: Where its socket and files are.
        arguments: Further ones of `redis-server`.
        password: What it requires.
    """
    executable, command = redis_command()
    socket = directory / "redis.sock"
    command += ["--port", "0", "--unixsocket", str(socket), "--dir", str(directory), "--save", ""]
    command += ["--requirepass", password] if password else []
    with subprocess.Popen(
        [*command, *arguments], executable=executable, stdout=subprocess.DEVNULL
    ) as process:
        server = RedisServer(socket, process, password)
        try:
            wait_for(lambda: _answers(server))
            yield server
        finally:
            process.kill()


def _answers(server: RedisServer) -> bool:
    try:
        with server.client() as client:
            return bool(client.ping())
    except redis.exceptions.BusyLoadingError:
        return True
    except redis.exceptions.ConnectionError:
        return False
