"""The platform's database: its tables, and how to reach it."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from sandbox.errors import SandboxError
from sandbox.flaws import Flaw, Flaws

T = TypeVar("T")
CONNECTIONS = 8

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("username", String(100), primary_key=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("display_name", String(100), nullable=False),
    Column("email", String(200), nullable=False),
)
# What a database of an earlier sandbox lacks; each kind of database reads these words alike.
LATER_COLUMNS = {
    "display_name": "ALTER TABLE users ADD COLUMN display_name VARCHAR(100) NOT NULL DEFAULT ''",
    "email": "ALTER TABLE users ADD COLUMN email VARCHAR(200) NOT NULL DEFAULT ''",
}

policies = Table(
    "policies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("summary", String(500), nullable=False),
    Column("body", Text, nullable=False),
    Column("category", String(40), nullable=False, index=True),
    Column("status", String(20), nullable=False, index=True),
    Column("owner", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", String(40), nullable=False),
    sqlite_autoincrement=True,
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("session", String(40), nullable=False),
    Column("username", String(100), nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("is_used", Boolean, nullable=False),
)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("session", String(40), primary_key=True),
    Column("expires_at", Integer, nullable=False),
)

# The index follows the table by triggers, as https://sqlite.org/fts5.html (4.4.3) shows.
SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS policies_search USING fts5(
        title, summary, body, content='policies', content_rowid='id',
        tokenize='porter unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER IF NOT EXISTS policies_added AFTER INSERT ON policies BEGIN
        INSERT INTO policies_search(rowid, title, summary, body)
        VALUES (new.id, new.title, new.summary, new.body); END""",
    """CREATE TRIGGER IF NOT EXISTS policies_removed AFTER DELETE ON policies BEGIN
        INSERT INTO policies_search(policies_search, rowid, title, summary, body)
        VALUES ('delete', old.id, old.title, old.summary, old.body); END""",
    """CREATE TRIGGER IF NOT EXISTS policies_changed AFTER UPDATE ON policies BEGIN
        INSERT INTO policies_search(policies_search, rowid, title, summary, body)
        VALUES ('delete', old.id, old.title, old.summary, old.body);
        INSERT INTO policies_search(rowid, title, summary, body)
        VALUES (new.id, new.title, new.summary, new.body); END""",
)
POSTGRESQL_SEARCH = (
    """ALTER TABLE policies ADD COLUMN IF NOT EXISTS search tsvector GENERATED ALWAYS AS
        (to_tsvector('english', title || ' ' || summary || ' ' || body)) STORED""",
    "CREATE INDEX IF NOT EXISTS policies_search ON policies USING gin(search)",
)
SEARCH = {"sqlite": SQLITE_SEARCH, "postgresql": POSTGRESQL_SEARCH}


class Database:
    """Runs work in transactions, each in a thread; unreachable while a fault says so."""

    def __init__(self, url: str, flaws: Callable[[], Flaws]) -> None:
        try:
            home = make_url(url)
            self._home = connect_pool(home)
            self._nowhere = connect_pool(unreachable(home))
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise SandboxError(
                f"--database-url can't be used ({error}): leave it out for SQLite, or say "
                "postgresql+psycopg://USER:PASSWORD@HOST/NAME."
            ) from error
        self._flaws = flaws
        self._threads = ThreadPoolExecutor(CONNECTIONS, "database")

    @property
    def dialect(self) -> str:
        """The kind of database: sqlite or postgresql."""
        return self._home.dialect.name

    def set_up(self, seed: Callable[[Connection], None]) -> None:
        """Create the tables that are missing and fill them."""
        try:
            with self._home.begin() as connection:
                metadata.create_all(connection)
                add_later_columns(connection)
                for statement in SEARCH[self.dialect]:
                    connection.exec_driver_sql(statement)
                seed(connection)
        except OperationalError as error:
            raise SandboxError(
                f"The database {self._home.url!r} can't be used: {error.orig}"
            ) from error

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run the work in one transaction and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run_here, work)

    def _run_here(self, work: Callable[[Connection], T]) -> T:
        engine = self._nowhere if Flaw.DATABASE_DOWN in self._flaws() else self._home
        with engine.begin() as connection:
            return work(connection)


def add_later_columns(connection: Connection) -> None:
    """Give a table that an earlier sandbox has made the columns that came after it."""
    present = {column["name"] for column in inspect(connection).get_columns(users.name)}
    for name, statement in LATER_COLUMNS.items():
        if name not in present:
            connection.exec_driver_sql(statement)


def unreachable(url: URL) -> URL:
    """Return an address of the same kind where no database is."""
    if url.get_backend_name() == "sqlite":
        return url.set(database="/nonexistent/openpolicy/platform.sqlite3")
    return url.set(host="127.0.0.1", port=1, query={"connect_timeout": "2"})


def connect_pool(url: URL) -> Engine:
    """Return a pool of connections to that database; none is opened yet."""
    engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
    return engine


def prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Let readers and a writer work at the same time, and wait for each other."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
