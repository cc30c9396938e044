"""Whose failure it is that a database tells nothing: the target's, the runner's, or nobody's."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deployment_gate.environment import DatabaseTarget, SecretAddress
from deployment_gate.probes.data_library import LibraryMissingError
from deployment_gate.probes.dialects import dialect_of
from tests.probes.databases import look, session
from tests.servers import PASSWORD, PostgreSQL


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
    app_url: Callable[..., str], change: tuple[str, str], said: str
) -> None:
    seen = look(app_url().replace(*change))
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
    app_url: Callable[..., str], postgresql_server: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even its own time limit for statements helps then."""
    frozen: list[int] = []
    dialect = dialect_of(DatabaseTarget(url=SecretAddress(app_url())))
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
        seen = look(app_url(), timeout=timedelta(milliseconds=200))
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    assert seen.error == "no whole answer within 0.2 s"
    assert "server" in seen.facts
    assert postgresql_server.process.poll() is None


@pytest.mark.parametrize("sleeps_s", [(5,), (0.15, 0.15, 0.15)], ids=["one", "all together"])
def test_answers_that_take_too_long_are_the_targets(
    app_url: Callable[..., str], monkeypatch: pytest.MonkeyPatch, sleeps_s: tuple[float, ...]
) -> None:
    dialect = dialect_of(DatabaseTarget(url=SecretAddress(app_url())))
    questions = {str(second): f"SELECT pg_sleep({second})" for second in sleeps_s}

    def dawdle(session: Any, _target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
        for second in sleeps_s:
            yield str(second), session.ask(str(second))[0]["pg_sleep"]

    monkeypatch.setattr(
        "deployment_gate.probes.database.dialect_of",
        lambda _target: replace(dialect, questions=questions, facts=dawdle),
    )
    seen = look(app_url(), timeout=timedelta(milliseconds=200))
    assert seen.error == "no whole answer within 0.2 s"
    assert seen.duration_s < 1


def test_a_migration_that_keeps_its_table_locked_is_told(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    with session(postgresql_server, app) as migration:
        migration.execute("LOCK TABLE alembic_version")
        seen = look(app_url(), timeout=timedelta(milliseconds=400))
    assert seen.error is not None
    assert "a lock kept it from answering" in seen.error
    assert "revisions" not in seen.facts
    assert seen.facts["transactions"], "what was told before stays"


def test_a_server_without_a_connection_left_is_the_targets(
    app_url: Callable[..., str], postgresql_server: PostgreSQL, app: str
) -> None:
    postgresql_server.run("ALTER ROLE monitor CONNECTION LIMIT 1")
    try:
        with closing(postgresql_server.connect("monitor", database=app)):
            seen = look(app_url())
    finally:
        postgresql_server.run("ALTER ROLE monitor CONNECTION LIMIT -1")
    assert seen.error is not None
    assert "it has no connection left" in seen.error


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
