"""What is seen of a real PostgreSQL database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.probes.databases import look, session
from tests.servers import PostgreSQL


def test_a_healthy_postgresql_tells_all(app_url: Callable[..., str]) -> None:
    seen = look(app_url())
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
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-layer.md").read_text(encoding="utf-8")
    statements = text.partition("```sql\n")[2].partition("```")[0].split(";")[:-1]
    postgresql_server.run(*statements, database=app)
    seen = look(app_url("gate"))
    assert seen.facts["revisions"] == ["4f2a", "9b1c"]
    assert not seen.facts["not_visible"]


@pytest.mark.usefixtures("postgresql_standby")
def test_what_a_role_without_rights_may_not_see_is_told(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app):
        seen = look(app_url("narrow"))
    assert (seen.error, seen.unobserved) == (None, None)
    assert set(seen.facts["not_visible"]) == {"transactions", "replicas", "revisions"}
    for hidden in ("transactions", "replicas"):
        assert "Run: GRANT pg_monitor TO narrow" in seen.facts["not_visible"][hidden]
    assert "permission denied for table alembic_version" in seen.facts["not_visible"]["revisions"]
    assert "revisions" not in seen.facts
    assert seen.facts["connections"]["used"] >= 2, "that others are there is no secret"


def test_any_driver_in_the_address_is_taken_for_postgresql(app_url: Callable[..., str]) -> None:
    for scheme in ("postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2"):
        seen = look(app_url().replace("postgresql+psycopg", scheme))
        assert seen.error is seen.unobserved is None, scheme


def test_a_table_elsewhere_and_none_at_all_are_told(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run(
        "CREATE SCHEMA audit",
        'CREATE TABLE audit."Versions" (version_num text)',
        """INSERT INTO audit."Versions" VALUES ('7d3e')""",
        "GRANT USAGE ON SCHEMA audit TO monitor",
        'GRANT SELECT ON audit."Versions" TO monitor',
        database=app,
    )
    assert look(app_url(), migrations_table="audit.Versions").facts["revisions"] == ["7d3e"]
    assert look(app_url(), migrations_table="nothing_here").facts["revisions"] == []
    assert "nothing_here" not in postgresql_server.log, "the server's log is other people's"


def test_an_open_transaction_is_told_with_its_age(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as open_one:
        open_one.execute("SELECT set_config('application_name', 'nightly job', false)")
        open_one.execute("SELECT pg_sleep(0.2)")
        (transaction,) = look(app_url()).facts["transactions"]
    assert transaction["application"] == "nightly job"
    assert transaction["state"] == "idle in transaction"
    assert transaction["pid"] > 0
    assert 0.2 <= transaction["open_s"] < 10
    assert look(app_url()).facts["transactions"] == []


def test_a_transaction_that_was_prepared_and_forgotten_is_told(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as forgetful:
        forgetful.execute("UPDATE account SET name = 'x'")
        forgetful.execute("PREPARE TRANSACTION 'forgotten'")
    (transaction,) = look(app_url()).facts["transactions"]
    postgresql_server.run("ROLLBACK PREPARED 'forgotten'", database=app)
    assert (transaction["application"], transaction["state"]) == ("forgotten", "prepared")


def test_who_waits_for_a_lock_and_who_holds_it_are_told(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as holder, session(postgresql_server, app) as waiting:
        holder.execute("LOCK TABLE account")
        holder_pid, waiting_pid = holder.info.backend_pid, waiting.info.backend_pid
        waiter = threading.Thread(target=waiting.execute, args=("SELECT * FROM account",))
        waiter.start()
        try:
            lock_waits: list[dict[str, Any]] = []
            while not (lock_waits and lock_waits[0]["waited_s"]):
                lock_waits = look(app_url()).facts["lock_waits"]
        finally:
            holder.execute("ROLLBACK")
            waiter.join()
    (wait,) = lock_waits
    assert wait["pid"] == waiting_pid
    assert wait["relation"] == "account"
    assert wait["mode"] == "AccessShareLock"
    assert wait["blocked_by"].startswith(f"{holder_pid} ")
    assert 0 < wait["waited_s"] < 10


def test_an_index_whose_build_failed_is_told(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run(
        "CREATE TABLE twins AS SELECT 1 AS id FROM generate_series(1, 2)", database=app
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        postgresql_server.run(
            "CREATE UNIQUE INDEX CONCURRENTLY twins_id ON twins (id)", database=app
        )
    assert look(app_url()).facts["invalid_indexes"] == ["twins_id"]
    postgresql_server.run("DROP INDEX twins_id", database=app)
    assert look(app_url()).facts["invalid_indexes"] == []
