"""What is seen of a real PostgreSQL server's replication, on both of its sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.probes.databases import look
from tests.servers import PostgreSQL, wait_for


def test_a_slot_that_nobody_reads_is_told_with_what_it_retains(
    app_url: Callable[..., str], postgresql_server: PostgreSQL
) -> None:
    postgresql_server.run("SELECT pg_create_physical_replication_slot('left_behind', true)")
    try:
        (slot,) = look(app_url()).facts["idle_slots"]
    finally:
        postgresql_server.run("SELECT pg_drop_replication_slot('left_behind')")
    assert slot["name"] == "left_behind"
    assert slot["retained_bytes"] >= 0


def test_a_standby_that_does_not_replay_is_found_on_both_sides(
    app_url: Callable[..., str],
    postgresql_server: PostgreSQL,
    postgresql_standby: PostgreSQL,
    app: str,
) -> None:
    def standbys() -> list[dict[str, Any]]:
        return [one for one in look(app_url()).facts["replicas"] if one["state"] == "streaming"]

    def itself() -> dict[str, Any]:
        seen = look(
            postgresql_standby.url("monitor", database=app),
            replication_delay=timedelta(seconds=0.5),
        )
        assert seen.facts["is_standby"]
        return dict({one["name"]: one for one in seen.facts["replicas"]}["itself"])

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
    postgresql_standby: PostgreSQL,
) -> None:
    def itself() -> dict[str, Any]:
        (replica,) = look(postgresql_standby.url("monitor")).facts["replicas"]
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
