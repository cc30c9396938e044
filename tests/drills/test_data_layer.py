"""The gate really run against real databases and caches, healthy and broken."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest

from tests.servers import PASSWORD, PostgreSQL, RedisServer, redis_server, wait_for

ROOT = Path(__file__).parents[2]
SECTIONS = """
databases:
  main: {url: "${DATABASE}", migrations: 4f2a, largest_size: 1 GB, timeout: 2s}
caches:
  sessions: {url: "${CACHE}", timeout: 2s}
"""


@dataclass(frozen=True)
class Gate:
    """What one run of the gate left."""

    exit_code: int
    output: str
    reports: Path

    def _records(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.reports / "evidence.jsonl").read_text().splitlines()
        return [record for record in map(json.loads, lines) if record["type"] == kind]

    @property
    def unwell(self) -> dict[str, str]:
        """How the checks ended that did not pass, by their names without their files."""
        return {
            record["id"].rpartition("::test_")[2]: record["outcome"]
            for record in self._records("outcome")
            if record["outcome"] != "passed"
        }

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return len(self._records("outcome")) - len(self.unwell)

    @property
    def observed(self) -> list[str]:
        """What was looked at, in order."""
        return [f"{seen['kind']} {seen['subject']}" for seen in self._records("observation")]

    @property
    def told(self) -> str:
        """All reasons and notes, a line each."""
        verdict = json.loads((self.reports / "verdict.json").read_text())
        return "\n".join([*(reason["text"] for reason in verdict["reasons"]), *verdict["notes"]])


@pytest.fixture(scope="module")
def app(postgresql_server: PostgreSQL) -> str:
    """A database of this module's own, at the revision that the release needs."""
    name = f"app_{uuid4().hex[:8]}"
    postgresql_server.run(f"CREATE DATABASE {name}")
    postgresql_server.run(
        "CREATE TABLE alembic_version (version_num text PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('4f2a')",
        "GRANT SELECT ON alembic_version TO pg_monitor",
        "CREATE TABLE account (id int)",
        database=name,
    )
    return name


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisServer]:
    """A Redis that asks for a password."""
    with (
        TemporaryDirectory(prefix="tests-redis-") as folder,
        redis_server(Path(folder), password=PASSWORD) as server,
    ):
        yield server


@pytest.fixture
def run_gate(
    tmp_path: Path,
    postgresql_server: PostgreSQL,
    app: str,
    cache: RedisServer,
) -> Callable[..., Gate]:
    """Run the checks of infrastructure against a database and a cache, as a pipeline does."""

    def run(*arguments: str, sections: str = SECTIONS, **variables: str) -> Gate:
        (tmp_path / "environments").mkdir(exist_ok=True)
        (tmp_path / "environments" / "here.yaml").write_text(sections)
        addresses = {
            "DATABASE": postgresql_server.url("keyholder", password=PASSWORD, database=app),
            "CACHE": cache.url,
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--env=here"),
                *("-p", "no:hypothesispytest", "-p", "no:anyio"),  # a second of each start
                *(f"--env-dir={tmp_path / 'environments'}", f"--report-dir={tmp_path / 'reports'}"),
                *(arguments or ("-m", "infrastructure")),
            ],
            cwd=ROOT,
            env={**os.environ, **addresses, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Gate(done.returncode, done.stdout + done.stderr, tmp_path / "reports")

    return run


def assert_no_password(gate: Gate, password: str = PASSWORD) -> None:
    """Neither a report nor the terminal shows it."""
    assert password not in gate.output
    for report in gate.reports.iterdir():
        assert password not in report.read_text(), report.name


def test_a_healthy_data_layer_is_promoted_and_asked_once(run_gate: Callable[..., Gate]) -> None:
    gate = run_gate()

    assert gate.exit_code == 0, gate.output
    assert gate.unwell == {}
    assert gate.passed == 14
    assert gate.observed == ["cache sessions", "database main"]
    assert_no_password(gate)


def test_a_wrong_revision_holds_by_that_check_alone(run_gate: Callable[..., Gate]) -> None:
    gate = run_gate(sections=SECTIONS.replace("4f2a", "9b1c"))

    assert gate.exit_code == 1, gate.output
    assert gate.unwell == {"migrations_are_where_the_release_needs_them[main]": "failed"}
    assert "main: alembic_version is at 4f2a; the release needs 9b1c" in gate.told
    assert_no_password(gate)


def test_what_takes_too_long_or_too_much_is_found_each_by_its_check(
    run_gate: Callable[..., Gate], postgresql_server: PostgreSQL, app: str, cache: RedisServer
) -> None:
    limits = "longest_transaction: 100ms, longest_lock_wait: 100ms, connections_at_most: 1"
    sections = SECTIONS.replace("1 GB", f"1 MB, {limits}")
    postgresql_server.run("SELECT pg_create_physical_replication_slot('forgotten', true)")
    with (
        closing(postgresql_server.connect("owner", database=app)) as holder,
        closing(postgresql_server.connect("owner", database=app)) as waiting,
        closing(cache.client()) as client,
    ):
        holder.execute("BEGIN; SET application_name = 'nightly job'; LOCK TABLE account")
        waiter = threading.Thread(target=waiting.execute, args=("SELECT * FROM account",))
        waiter.start()
        client.setrange("ballast", 20_000_000, "x")
        client.config_set("maxmemory", int(client.info()["used_memory"] / 0.97))
        try:
            gate = run_gate(sections=sections)
        finally:
            holder.execute("ROLLBACK")
            waiter.join()
            client.config_set("maxmemory", 0)
            client.delete("ballast")
            postgresql_server.run("SELECT pg_drop_replication_slot('forgotten')")

    assert gate.exit_code == 1, gate.output
    assert gate.unwell == {
        "no_transaction_is_open_for_too_long[main]": "failed",
        "nobody_waits_long_for_a_lock[main]": "failed",
        "there_is_room_for_connections[main]": "failed",
        "database_is_not_larger_than_it_may_be[main]": "failed",
        "no_slot_holds_back_the_log[main]": "warned",
        "cache_has_room[sessions]": "failed",
    }
    assert "nightly job (process" in gate.told
    assert "for AccessShareLock on account, behind" in gate.told
    assert "of 100 connections are in use; at most 1 %" in gate.told
    assert "MB; at most 1.0 MB" in gate.told
    assert "the slot forgotten, which keeps" in gate.told
    assert "MB are in use with noeviction; at most 95 %" in gate.told


def test_a_standby_that_does_not_replay_holds_until_it_does(
    run_gate: Callable[..., Gate],
    postgresql_server: PostgreSQL,
    postgresql_standby: PostgreSQL,
    app: str,
) -> None:
    sections = """
databases:
  primary: {url: "${DATABASE}", replication_delay: 300ms}
  standby: {url: "${STANDBY}", replication_delay: 300ms}
"""
    address = postgresql_standby.url("keyholder", password=PASSWORD, database=app)
    wait_for(lambda: _knows_that_all_is_replayed(postgresql_server))
    postgresql_standby.run("SELECT pg_wal_replay_pause()")
    postgresql_server.run("INSERT INTO account VALUES (1)", database=app)
    # The primary knows the delay from the standby's next word, which comes once a second.
    wait_for(lambda: _is_known_to_be_late(postgresql_server))
    gate = run_gate(sections=sections, STANDBY=address)
    behind = gate.exit_code, gate.unwell
    postgresql_standby.run("SELECT pg_wal_replay_resume()")
    wait_for(lambda: _knows_that_all_is_replayed(postgresql_server))
    again = run_gate(sections=sections, STANDBY=address)

    late = {"replicas_keep_up[primary]": "failed", "replicas_keep_up[standby]": "failed"}
    assert behind == (1, late), gate.output
    assert again.exit_code == 0, again.output


@pytest.mark.usefixtures("postgresql_standby", "app")
def test_a_replica_that_is_gone_is_missed(run_gate: Callable[..., Gate]) -> None:
    sections = 'databases: {primary: {url: "${DATABASE}", replicas: 1}}\n'
    there = run_gate(sections=sections)
    one_more = run_gate(sections=sections.replace("replicas: 1", "replicas: 2"))

    assert there.exit_code == 0, there.output
    assert one_more.unwell == {"all_replicas_are_there[primary]": "failed"}
    assert "receive from it; 2 must" in one_more.told


def _is_known_to_be_late(primary: PostgreSQL) -> bool:
    with closing(primary.connect()) as connection:
        row = connection.execute(
            "SELECT bool_and(replay_lag > interval '300 ms') FROM pg_stat_replication"
        ).fetchone()
        return bool(row and row[0])


def _knows_that_all_is_replayed(primary: PostgreSQL) -> bool:
    with closing(primary.connect()) as connection:
        row = connection.execute(
            "SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication"
        ).fetchone()
        return bool(row and row[0])


def test_what_answers_nobody_fails_and_what_refuses_the_runner_is_the_runs_error(
    run_gate: Callable[..., Gate],
    postgresql_server: PostgreSQL,
    app: str,
    cache: RedisServer,
    tmp_path: Path,
) -> None:
    gate = run_gate(
        sections="""
databases:
  stopped: {url: "${STOPPED}", migrations: 4f2a, largest_size: 1 GB}
  locked: {url: "${DATABASE}"}
caches:
  locked: {url: "${CACHE}"}
""",
        STOPPED=f"postgresql://gate:{PASSWORD}@/app?host={tmp_path}",
        DATABASE=postgresql_server.url("keyholder", password="hunter2-hunter2", database=app),
        CACHE=f"unix://:hunter2-hunter2@{cache.socket}",
    )

    assert gate.exit_code == 1, gate.output
    assert gate.passed == 0
    stopped = {outcome for name, outcome in gate.unwell.items() if name.endswith("[stopped]")}
    locked = {outcome for name, outcome in gate.unwell.items() if name.endswith("[locked]")}
    assert (stopped, locked) == ({"failed", "warned"}, {"error"})
    assert gate.told.count("stopped: nobody listens at its socket") == 10
    assert gate.told.count("locked was not observed: it refused the credentials") == 12
    assert_no_password(gate)
    assert_no_password(gate, "hunter2-hunter2")


@pytest.mark.usefixtures("postgresql_standby")
def test_what_cannot_be_seen_is_told_and_not_passed(
    run_gate: Callable[..., Gate], postgresql_server: PostgreSQL, app: str, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num text);"
            "INSERT INTO alembic_version VALUES ('4f2a');"
        )

    gate = run_gate(
        sections="""
databases:
  main: {url: "${DATABASE}", migrations: 4f2a}
  file: {url: "${FILE}", migrations: 4f2a, largest_size: 1 MB}
""",
        DATABASE=postgresql_server.url("narrow", database=app),
        FILE=f"sqlite:///{tmp_path / 'app.db'}",
    )

    assert gate.exit_code == 1, gate.output
    assert gate.unwell == {
        "migrations_are_where_the_release_needs_them[main]": "failed",
        "no_transaction_is_open_for_too_long[main]": "failed",
        "replicas_keep_up[main]": "failed",
        "what_the_role_may_not_see[main]": "warned",
        "what_the_role_may_not_see[file]": "warned",
    }
    assert "Run: GRANT pg_monitor TO narrow" in gate.told
    assert "permission denied for table alembic_version" in gate.told
    assert "not asked of such a database: transactions, lock_waits" in gate.told


def test_a_missing_library_is_the_runs_error_and_says_what_to_install(
    run_gate: Callable[..., Gate], tmp_path: Path
) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "redis.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'redis'\", name='redis')"
    )

    gate = run_gate(
        sections='caches: {sessions: {url: "${CACHE}"}}', PYTHONPATH=str(tmp_path / "without")
    )

    assert gate.exit_code == 1, gate.output
    assert set(gate.unwell.values()) == {"error"}
    assert 'Run: pip install "pytest-deployment-gate[data]"' in gate.told
    assert gate.observed == []
