"""A session with a database never writes, whatever its role may do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from deployment_gate.environment import DatabaseTarget, SecretAddress
from deployment_gate.probes.dialects import dialect_of, opening_of
from deployment_gate.probes.sql_session import QuestionRefused, open_session
from tests.probes.databases import look, session
from tests.servers import SUPERUSER, PostgreSQL

# What SQLAlchemy and psycopg ask for themselves when they connect.
HANDSHAKE = {
    "select pg_catalog.version()",
    "select current_schema()",
    "show standard_conforming_strings",
    "show transaction isolation level",
}


def test_a_role_that_may_do_everything_does_nothing_but_read(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    begins = len(postgresql_server.log)
    with session(postgresql_server, app, SUPERUSER) as counting:
        counting.execute("COMMIT")
        before = _written(counting, app)

        seen = look(app_url("owner"))

        after = _written(counting, app)
    assert seen.error is seen.unobserved is None
    assert after == before
    target = DatabaseTarget(url=SecretAddress(app_url("owner")))
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
    app_url: Callable[..., str], statement: str
) -> None:
    target = DatabaseTarget(url=SecretAddress(app_url("owner")))
    opening = opening_of(target, application="tests")
    questions = dialect_of(target).questions
    with (
        open_session(opening, questions, timeout_s=5) as session,
        pytest.raises(QuestionRefused, match="was not sent"),
    ):
        session.connection.exec_driver_sql(statement)


def test_the_server_refuses_to_write_even_when_it_were_asked(app_url: Callable[..., str]) -> None:
    target = DatabaseTarget(url=SecretAddress(app_url("owner")))
    opening = opening_of(target, application="tests")
    questions = {"write": "UPDATE account SET name = 'x'"}
    with (
        open_session(opening, questions, timeout_s=5) as session,
        pytest.raises(Exception, match="read-only transaction"),
    ):
        session.ask("write")


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


def test_in_a_session_that_can_write_nothing_is_asked(
    app_url: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a pooler does that ignores the options of a session.
    connect = psycopg.connect

    def forgetful(**arguments: Any) -> psycopg.Connection:
        return connect(**{**arguments, "options": ""})

    monkeypatch.setattr(psycopg, "connect", forgetful)
    seen = look(app_url("owner"))
    assert seen.error is None
    assert "its session can write although it was told not to" in (seen.unobserved or "")
    assert set(seen.facts) == {"not_covered"}
