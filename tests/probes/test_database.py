"""What is seen of real databases, healthy and broken, and that nothing is ever written."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from deployment_gate.environment import DatabaseTarget, SecretAddress
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.data_library import LibraryMissingError
from deployment_gate.probes.database import look_at_database
from deployment_gate.probes.dialects import dialect_of, opening_of
from deployment_gate.probes.sql_session import QuestionRefused, open_session
from tests.servers import PASSWORD, SUPERUSER, PostgreSQL, wait_for

# What SQLAlchemy and psycopg ask for themselves when they connect.
HANDSHAKE = {
    "select pg_catalog.version()",
    "select current_schema()",
    "show standard_conforming_strings",
    "show transaction isolation level",
}


def look(url: str, **section: Any) -> Observation:
    """Look at a database, with little patience."""
    section = {"timeout": timedelta(seconds=3), **section}
    target = DatabaseTarget(url=SecretAddress(url), **section)
    observation = look_at_database("main", target, application="gate of the tests")
    assert observation.kind is ObservationKind.DATABASE
    assert observation.subject == "main"
    json.dumps(observation.facts)
    return observation


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
def url(postgresql_server: PostgreSQL, app: str) -> Callable[..., str]:
    """Make the address of the database for a role, by default one that may see everything."""

    def url(role: str = "monitor", **more: str) -> str:
        return postgresql_server.url(role, database=app, **more)

    return url


@contextmanager
def session(server: PostgreSQL, database: str, role: str = "owner") -> Iterator[psycopg.Connection]:
    """Somebody else's session, which holds what it has locked until the block ends."""
    with closing(server.connect(role, database=database)) as connection:
        connection.execute("BEGIN")
        yield connection


def test_a_healthy_postgresql_tells_all(url: Callable[..., str]) -> None:
    seen = look(url())
    assert (seen.error, seen.unobserved) == (None, None)
    assert set(seen.facts) == {
        *("server", "is_standby", "transactions", "lock_waits", "replicas", "idle_slots"),
        *("connections", "invalid_indexes", "size_bytes", "revisions"),
        *("not_visible", "not_covered"),
    }
    assert seen.facts["server"].startswith("PostgreSQL ")
    assert seen.facts["revisions"] == ["4f2a", "9b1c"]
    assert seen.facts["size_bytes"] > 10**6
    assert 0 < seen.facts["connections"]["used"] < seen.facts["connections"]["most"]
    assert not seen.facts["not_visible"]
    assert not seen.facts["not_covered"]


def test_the_role_of_the_documentation_sees_all(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-layer.md").read_text(encoding="utf-8")
    statements = text.partition("```sql\n")[2].partition("```")[0].split(";")[:-1]
    postgresql_server.run(*statements, database=app)
    seen = look(url("gate"))
    assert seen.facts["revisions"] == ["4f2a", "9b1c"]
    assert not seen.facts["not_visible"]


def test_any_driver_in_the_address_is_taken_for_postgresql(url: Callable[..., str]) -> None:
    for scheme in ("postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2"):
        seen = look(url().replace("postgresql+psycopg", scheme))
        assert seen.error is seen.unobserved is None, scheme


def test_a_table_elsewhere_and_none_at_all_are_told(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run(
        "CREATE SCHEMA audit",
        'CREATE TABLE audit."Versions" (version_num text)',
        """INSERT INTO audit."Versions" VALUES ('7d3e')""",
        "GRANT USAGE ON SCHEMA audit TO monitor",
        'GRANT SELECT ON audit."Versions" TO monitor',
        database=app,
    )
    assert look(url(), migrations_table="audit.Versions").facts["revisions"] == ["7d3e"]
    assert look(url(), migrations_table="nothing_here").facts["revisions"] == []
    assert "nothing_here" not in postgresql_server.log, "the server's log is other people's"


@pytest.mark.usefixtures("app")
def test_the_options_of_the_address_stay_beside_those_that_forbid_writing(
    postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run(
        "CREATE SCHEMA tenant",
        "CREATE TABLE tenant.versions_of_tenant (version_num text)",
        "INSERT INTO tenant.versions_of_tenant VALUES ('1a2b')",
        database=app,
    )
    address = postgresql_server.url("owner", database=app)
    options = "-csearch_path%3Dtenant%20-cdefault_transaction_read_only%3Doff"
    seen = look(f"{address}&options={options}", migrations_table="versions_of_tenant")
    assert seen.facts["revisions"] == ["1a2b"]


def test_an_open_transaction_is_told_with_its_age(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as open_one:
        open_one.execute("SELECT set_config('application_name', 'nightly job', false)")
        open_one.execute("SELECT pg_sleep(0.2)")
        (transaction,) = look(url()).facts["transactions"]
    assert transaction["application"] == "nightly job"
    assert transaction["state"] == "idle in transaction"
    assert transaction["pid"] > 0
    assert 0.2 <= transaction["open_s"] < 10
    assert look(url()).facts["transactions"] == []


def test_a_transaction_that_was_prepared_and_forgotten_is_told(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as forgetful:
        forgetful.execute("UPDATE account SET name = 'x'")
        forgetful.execute("PREPARE TRANSACTION 'forgotten'")
    (transaction,) = look(url()).facts["transactions"]
    postgresql_server.run("ROLLBACK PREPARED 'forgotten'", database=app)
    assert (transaction["application"], transaction["state"]) == ("forgotten", "prepared")


def test_who_waits_for_a_lock_and_who_holds_it_are_told(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as holder, session(postgresql_server, app) as waiting:
        holder.execute("LOCK TABLE account")
        holder_pid, waiting_pid = holder.info.backend_pid, waiting.info.backend_pid
        waiter = threading.Thread(target=waiting.execute, args=("SELECT * FROM account",))
        waiter.start()
        try:
            lock_waits: list[dict[str, Any]] = []
            while not (lock_waits and lock_waits[0]["waited_s"]):
                lock_waits = look(url()).facts["lock_waits"]
        finally:
            holder.execute("ROLLBACK")
            waiter.join()
    (wait,) = lock_waits
    assert wait["pid"] == waiting_pid
    assert wait["relation"] == "account"
    assert wait["mode"] == "AccessShareLock"
    assert wait["blocked_by"].startswith(f"{holder_pid} ")
    assert 0 < wait["waited_s"] < 10


def test_a_migration_that_keeps_its_table_locked_is_told(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as migration:
        migration.execute("LOCK TABLE alembic_version")
        seen = look(url(), timeout=timedelta(milliseconds=400))
    assert seen.error is not None
    assert "a lock kept it from answering" in seen.error
    assert "revisions" not in seen.facts
    assert seen.facts["transactions"], "what was told before stays"


def test_an_index_whose_build_failed_is_told(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run(
        "CREATE TABLE twins AS SELECT 1 AS id FROM generate_series(1, 2)", database=app
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        postgresql_server.run(
            "CREATE UNIQUE INDEX CONCURRENTLY twins_id ON twins (id)", database=app
        )
    assert look(url()).facts["invalid_indexes"] == ["twins_id"]
    postgresql_server.run("DROP INDEX twins_id", database=app)
    assert look(url()).facts["invalid_indexes"] == []


def test_a_slot_that_nobody_reads_is_told_with_what_it_retains(
    url: Callable[..., str], postgresql_server: PostgreSQL
) -> None:
    postgresql_server.run("SELECT pg_create_physical_replication_slot('left_behind', true)")
    try:
        (slot,) = look(url()).facts["idle_slots"]
    finally:
        postgresql_server.run("SELECT pg_drop_replication_slot('left_behind')")
    assert slot["name"] == "left_behind"
    assert slot["retained_bytes"] >= 0


def test_a_standby_that_does_not_replay_is_found_on_both_sides(
    url: Callable[..., str],
    postgresql_server: PostgreSQL,
    postgresql_standby: PostgreSQL,
    app: str,
) -> None:
    def standbys() -> list[dict[str, Any]]:
        return [one for one in look(url()).facts["replicas"] if one["state"] == "streaming"]

    def itself() -> dict[str, Any]:
        seen = look(
            postgresql_standby.url("monitor", database=app),
            replication_delay=timedelta(seconds=0.5),
        )
        assert seen.facts["is_standby"]
        return {one["name"]: one for one in seen.facts["replicas"]}["itself"]

    change = "UPDATE account SET name = 'x'"
    postgresql_server.run(change, database=app)
    wait_for(lambda: [one["behind_bytes"] for one in standbys()] == [0])
    wait_for(lambda: itself()["behind_s"] == 0)
    assert itself()["state"] == "streaming"

    postgresql_standby.run("SELECT pg_wal_replay_pause()")
    try:
        postgresql_server.run(change, database=app)
        wait_for(lambda: itself()["behind_s"] > 0.5)
        wait_for(lambda: (standbys()[0]["behind_s"] or 0) > 0.5)
        assert standbys()[0]["behind_bytes"] > 0
        assert standbys()[0]["name"] == "standby"
    finally:
        postgresql_standby.run("SELECT pg_wal_replay_resume()")

    wait_for(lambda: itself()["behind_s"] == 0)
    seen: list[dict[str, Any]] = []
    wait_for(lambda: seen.extend(standbys()) or seen[-1]["behind_bytes"] == 0)
    # The view goes on showing the last delay that was measured.
    assert seen[-1]["behind_s"] == 0


def test_a_standby_that_lost_its_primary_does_not_say_that_it_keeps_up(
    postgresql_standby: PostgreSQL, app: str
) -> None:
    def itself() -> dict[str, Any]:
        (replica,) = look(postgresql_standby.url("monitor", database=app)).facts["replicas"]
        return dict(replica)

    with postgresql_standby.connect() as connection:
        (primary,) = connection.execute("SHOW primary_conninfo").fetchone() or ("",)
    follow = "ALTER SYSTEM SET primary_conninfo = "
    postgresql_standby.run(f"{follow} ''", "SELECT pg_reload_conf()")
    try:
        wait_for(lambda: itself()["state"] == "not receiving")
        assert itself()["behind_s"] != 0
    finally:
        quoted = primary.replace("'", "''")
        postgresql_standby.run(f"{follow} '{quoted}'", "SELECT pg_reload_conf()")
    wait_for(lambda: itself()["state"] == "streaming")


@pytest.mark.usefixtures("postgresql_standby")
def test_what_a_role_without_rights_may_not_see_is_told(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app):
        seen = look(url("narrow"))
    assert (seen.error, seen.unobserved) == (None, None)
    assert set(seen.facts["not_visible"]) == {"transactions", "replicas", "revisions"}
    for hidden in ("transactions", "replicas"):
        assert "Run: GRANT pg_monitor TO narrow" in seen.facts["not_visible"][hidden]
    assert "permission denied for table alembic_version" in seen.facts["not_visible"]["revisions"]
    assert "revisions" not in seen.facts
    assert seen.facts["connections"]["used"] >= 2, "that others are there is no secret"


def test_a_role_that_may_do_everything_does_nothing_but_read(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    begins = len(postgresql_server.log)
    with session(postgresql_server, app, SUPERUSER) as counting:
        counting.execute("COMMIT")
        before = _written(counting, app)

        seen = look(url("owner"))

        after = _written(counting, app)
    assert seen.error is seen.unobserved is None
    assert after == before
    target = DatabaseTarget(url=SecretAddress(url("owner")))
    known = {_on_one_line(question) for question in dialect_of(target).questions.values()}
    known |= {
        *("show transaction_read_only", "select version_num from alembic_version"),
        "select to_regclass('alembic_version') is not null as is_there",
    }
    logged = re.findall(
        r"LOG: +(?:statement|execute [^:]*): (.*?)(?=\n\d{4}-\d\d-\d\d |\Z)",
        postgresql_server.log[begins:],
        re.DOTALL,
    )
    sent = {_on_one_line(statement) for statement in logged}
    assert len(sent) >= len(known)
    assert sent <= known | HANDSHAKE
    for statement in sent:
        assert statement.startswith(("select ", "show ")), statement


def _on_one_line(statement: str) -> str:
    return " ".join(statement.split()).lower()


def _written(connection: psycopg.Connection, database: str) -> tuple[Any, ...]:
    """What the server has counted of writes."""
    row = connection.execute(
        "SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = %s",
        (database,),
    ).fetchone()
    assert row
    return row


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account SET name = 'x'",
        "SELECT * FROM account",
        "SET default_transaction_read_only = off",
    ],
)
def test_a_statement_that_is_no_question_is_refused(
    url: Callable[..., str], statement: str
) -> None:
    target = DatabaseTarget(url=SecretAddress(url("owner")))
    opening = opening_of(target, application="tests")
    questions = dialect_of(target).questions
    with (
        open_session(opening, questions, timeout_s=5) as session,
        pytest.raises(QuestionRefused, match="was not sent"),
    ):
        session.connection.exec_driver_sql(statement)


def test_the_server_refuses_to_write_even_when_it_were_asked(url: Callable[..., str]) -> None:
    target = DatabaseTarget(url=SecretAddress(url("owner")))
    opening = opening_of(target, application="tests")
    questions = {"write": "UPDATE account SET name = 'x'"}
    with (
        open_session(opening, questions, timeout_s=5) as session,
        pytest.raises(Exception, match="read-only transaction"),
    ):
        session.ask("write")


def test_in_a_session_that_can_write_nothing_is_asked(
    url: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a pooler does that ignores the options of a session.
    connect = psycopg.connect

    def forgetful(**arguments: Any) -> psycopg.Connection:
        return connect(**{**arguments, "options": ""})

    monkeypatch.setattr(psycopg, "connect", forgetful)
    seen = look(url("owner"))
    assert seen.error is None
    assert "its session can write although it was told not to" in (seen.unobserved or "")
    assert set(seen.facts) == {"not_covered"}


def test_a_wrong_password_may_be_the_runners_and_is_never_told(
    postgresql_server: PostgreSQL, app: str
) -> None:
    right = look(postgresql_server.url("keyholder", password=PASSWORD, database=app))
    assert right.error is right.unobserved is None

    wrong = look(postgresql_server.url("keyholder", password="hunter2-hunter2", database=app))
    assert wrong.error is None
    assert wrong.unobserved is not None
    assert "it refused the credentials, which may be the runner's mistake" in wrong.unobserved
    assert "password authentication failed" in wrong.unobserved
    assert "hunter2-hunter2" not in str(wrong)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/app_", "/no_app_"), 'database "no_app_'),
        (("monitor@", "no_such_role@"), 'role "no_such_role" does not exist'),
        (("monitor@", "nobody_yet@"), 'role "nobody_yet" is not permitted to log in'),
        (("/app_", "/closed_app_"), "it refused the credentials, which may be the runner"),
        (("?", "?bogus=1&"), 'invalid connection option "bogus"'),
    ],
)
def test_an_address_that_may_be_wrong_is_nobodys_failure(
    url: Callable[..., str], change: tuple[str, str], said: str
) -> None:
    seen = look(url().replace(*change))
    assert seen.error is None
    assert said in (seen.unobserved or "")


def test_a_port_that_nobody_listens_on_is_the_targets(dead_port: int) -> None:
    seen = look(f"postgresql://gate:{PASSWORD}@127.0.0.1:{dead_port}/app")
    assert (seen.error, seen.unobserved) == ("connection refused", None)


def test_a_name_that_does_not_resolve_is_the_runners() -> None:
    seen = look(f"postgresql://gate:{PASSWORD}@database.invalid/app")
    assert (seen.error, seen.unobserved) == (None, "the name doesn't resolve on this machine")


def test_something_that_takes_connections_and_says_nothing_is_the_targets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        seen = look(f"postgresql://gate@127.0.0.1:{port}/app", timeout=timedelta(seconds=2))
    assert seen.error == "takes connections, but finished none within 2 s"


def test_a_server_that_was_stopped_is_the_targets(tmp_path: Path) -> None:
    seen = look(f"postgresql://gate@/app?host={tmp_path}")
    assert seen.error == "nobody listens at its socket"


def test_a_server_that_freezes_is_given_up(
    url: Callable[..., str], postgresql_server: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even its own time limit for statements helps then."""
    frozen: list[int] = []
    dialect = dialect_of(DatabaseTarget(url=SecretAddress(url())))
    facts = dialect.facts

    def freeze(session: Any, target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
        for fact in facts(session, target):
            if not frozen:
                frozen.append(session.connection.connection.driver_connection.info.backend_pid)
                os.kill(frozen[0], signal.SIGSTOP)
            yield fact

    monkeypatch.setattr(
        "deployment_gate.probes.database.dialect_of",
        lambda _target: replace(dialect, facts=freeze),
    )
    try:
        seen = look(url(), timeout=timedelta(milliseconds=200))
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    assert seen.error == "no whole answer within 0.2 s"
    assert "server" in seen.facts
    assert postgresql_server.process.poll() is None


@pytest.mark.parametrize("sleeps_s", [(5,), (0.15, 0.15, 0.15)], ids=["one", "all together"])
def test_answers_that_take_too_long_are_the_targets(
    url: Callable[..., str], monkeypatch: pytest.MonkeyPatch, sleeps_s: tuple[float, ...]
) -> None:
    dialect = dialect_of(DatabaseTarget(url=SecretAddress(url())))
    questions = {str(second): f"SELECT pg_sleep({second})" for second in sleeps_s}

    def dawdle(session: Any, _target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
        for second in sleeps_s:
            yield str(second), session.ask(str(second))[0]["pg_sleep"]

    monkeypatch.setattr(
        "deployment_gate.probes.database.dialect_of",
        lambda _target: replace(dialect, questions=questions, facts=dawdle),
    )
    seen = look(url(), timeout=timedelta(milliseconds=200))
    assert seen.error == "no whole answer within 0.2 s"
    assert seen.duration_s < 1


def test_a_server_without_a_connection_left_is_the_targets(
    url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run("ALTER ROLE monitor CONNECTION LIMIT 1")
    try:
        with closing(postgresql_server.connect("monitor", database=app)):
            seen = look(url())
    finally:
        postgresql_server.run("ALTER ROLE monitor CONNECTION LIMIT -1")
    assert seen.error is not None
    assert "it has no connection left" in seen.error


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """A SQLite file at a revision, in a folder whose name needs quoting."""
    folder = tmp_path / "a folder?#%41"
    folder.mkdir()
    path = folder / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num text);"
            "INSERT INTO alembic_version VALUES ('4f2a');"
        )
    return path


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file, quoted as the installed SQLAlchemy reads it."""
    from sqlalchemy import URL  # noqa: PLC0415

    return URL.create("sqlite", database=str(path)).render_as_string()


def test_a_sqlite_file_tells_its_revision_and_size(sqlite_file: Path) -> None:
    seen = look(sqlite_url(sqlite_file))
    assert (seen.error, seen.unobserved) == (None, None)
    assert seen.facts["revisions"] == ["4f2a"]
    assert seen.facts["size_bytes"] == sqlite_file.stat().st_size
    assert seen.facts["damage"] == []
    assert seen.facts["not_covered"] == ["transactions", "lock_waits"]


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_sqlite_file_and_what_stands_beside_it_stay_as_they_are(
    sqlite_file: Path, journal: str
) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    before = {file: file.read_bytes() for file in sqlite_file.parent.iterdir()}
    look(sqlite_url(sqlite_file))
    assert {file: file.read_bytes() for file in sqlite_file.parent.iterdir()} == before


def test_a_sqlite_file_in_use_is_read_with_what_its_log_has(sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("UPDATE alembic_version SET version_num = '9b1c'")
        assert look(sqlite_url(sqlite_file)).facts["revisions"] == ["9b1c"]


def test_a_damaged_sqlite_file_is_the_targets(sqlite_file: Path) -> None:
    sqlite_file.write_bytes(sqlite_file.read_bytes()[:4096] + b"x" * 4096)
    seen = look(sqlite_url(sqlite_file))
    assert (seen.error or "").startswith("its file is damaged")


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    seen = look(sqlite_url(path))
    assert seen.error is None
    assert "unable to open database file" in (seen.unobserved or "")
    assert not path.exists()


@pytest.mark.parametrize(
    ("missing", "url"),
    [("sqlalchemy", "sqlite:///x.db"), ("psycopg", "postgresql://gate@127.0.0.1:1/app")],
)
def test_a_missing_library_is_told_with_what_to_install(
    missing: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(LibraryMissingError, match=r'pip install "pytest-deployment-gate\[data\]"'):
        look(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql+pymysql://gate@127.0.0.1:1/app", "pymysql isn't installed here"),
        ("nosuch://gate@127.0.0.1:1/app", "SQLAlchemy knows no databases called 'nosuch'"),
    ],
)
def test_a_database_that_nothing_here_can_speak_to_is_told(url: str, said: str) -> None:
    with pytest.raises(LibraryMissingError, match=re.escape(said)):
        look(url)
