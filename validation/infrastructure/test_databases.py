"""The databases behind the platform answer, are at the release's migrations, and have room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import SeenDatabase

pytestmark = pytest.mark.needs("databases.{database}")

MEGABYTE = 10**6


@pytest.mark.smoke
def test_database_answers_in_a_read_only_session(database: SeenDatabase) -> None:
    assert not database.error, f"{database.name}: {database.error}"


@pytest.mark.smoke
@pytest.mark.needs("databases.{database}.migrations")
def test_migrations_are_where_the_release_needs_them(database: SeenDatabase) -> None:
    found = database.told("revisions")

    assert set(found) == set(database.limits.migrations or ()), (
        f"{database.name}: {database.limits.migrations_table} is at {_listed(found)}; the release "
        f"needs {_listed(database.limits.migrations or ())}"
    )


@pytest.mark.needs("databases.{database}.statistics")
def test_no_transaction_is_open_for_too_long(database: SeenDatabase) -> None:
    limit_s = database.limits.longest_transaction.total_seconds()
    too_long = [one for one in database.told("transactions") if one["open_s"] > limit_s]

    assert not too_long, f"{database.name}: at most {limit_s:g} s, but " + _listed(
        f"{_who(one)} has had a transaction open for {one['open_s']:.0f} s ({one['state']})"
        for one in too_long
    )
    _all_was_visible(database, "transactions")


@pytest.mark.needs("databases.{database}.statistics")
def test_nobody_waits_long_for_a_lock(database: SeenDatabase) -> None:
    limit_s = database.limits.longest_lock_wait.total_seconds()
    too_long = [one for one in database.told("lock_waits") if (one["waited_s"] or 0) > limit_s]

    assert not too_long, f"{database.name}: at most {limit_s:g} s, but " + _listed(
        f"{_who(one)} has waited {one['waited_s']:.0f} s for {one['mode']} on "
        f"{one['relation'] or 'a row'}, behind {one['blocked_by'] or 'a prepared transaction'}"
        for one in too_long
    )
    _all_was_visible(database, "lock_waits")


@pytest.mark.needs("databases.{database}.statistics")
def test_replicas_keep_up(database: SeenDatabase) -> None:
    limit_s = database.limits.replication_delay.total_seconds()
    late = [one for one in database.told("replicas") if _is_late(one, limit_s)]

    assert not late, f"{database.name}: at most {limit_s:g} s, but " + _listed(
        f"{one['name']} ({one['state']}) is {_delay(one)} behind" for one in late
    )
    _all_was_visible(database, "replicas")


@pytest.mark.needs("databases.{database}.statistics", "databases.{database}.replicas")
def test_all_replicas_are_there(database: SeenDatabase) -> None:
    _all_was_visible(database, "replicas")
    there = [one["name"] for one in database.told("replicas") if one["state"] == "streaming"]

    # One that is gone is in no list, and late in none.
    assert len(there) >= (database.limits.replicas or 0), (
        f"{database.name}: {_listed(there)} receive from it; {database.limits.replicas} must"
    )


@pytest.mark.severity("warning")
@pytest.mark.needs("databases.{database}.statistics")
def test_no_slot_holds_back_the_log(database: SeenDatabase) -> None:
    idle = database.told("idle_slots")

    assert not idle, f"{database.name}: nobody reads from " + _listed(
        f"the slot {one['name']}, which keeps {one['retained_bytes'] / MEGABYTE:.1f} MB of the log"
        for one in idle
    )


@pytest.mark.needs("databases.{database}.statistics")
def test_there_is_room_for_connections(database: SeenDatabase) -> None:
    connections, limit = database.told("connections"), database.limits.connections_at_most

    assert connections["used"] * 100 <= connections["most"] * limit, (
        f"{database.name}: {connections['used']} of {connections['most']} connections are in use; "
        f"at most {limit} %"
    )


@pytest.mark.needs("databases.{database}.largest_size")
def test_database_is_not_larger_than_it_may_be(database: SeenDatabase) -> None:
    size, limit = database.told("size_bytes"), database.limits.largest_size or 0

    assert size <= limit, (
        f"{database.name}: holds {size / MEGABYTE:.1f} MB; at most {limit / MEGABYTE:.1f} MB"
    )


@pytest.mark.severity("warning")
@pytest.mark.needs("databases.{database}.statistics")
def test_no_index_is_broken(database: SeenDatabase) -> None:
    broken = database.told("invalid_indexes")

    assert not broken, (
        f"{database.name}: {_listed(broken)} can't be used, and is kept up to date all the same. "
        "Build it anew: REINDEX INDEX CONCURRENTLY"
    )


@pytest.mark.severity("info")
def test_what_the_role_may_not_see(database: SeenDatabase) -> None:
    database.told("server")  # of what never answered nothing is known
    gaps = list(database.not_visible.values())
    if not_covered := database.told("not_covered"):
        gaps.append(f"not asked of such a database: {_listed(not_covered)}")

    assert not gaps, f"{database.name}: {'; '.join(gaps)}"


def _all_was_visible(database: SeenDatabase, fact: str) -> None:
    assert fact not in database.not_visible, f"{database.name}: {database.not_visible[fact]}"


def _is_late(replica: dict[str, Any], limit_s: float) -> bool:
    if replica["behind_s"] is not None:
        return bool(replica["behind_s"] > limit_s)
    # What has no figure for its delay, and is behind or doesn't receive, may be any time late.
    return bool(replica["behind_bytes"]) or replica["state"] == "not receiving"


def _delay(replica: dict[str, Any]) -> str:
    seconds = replica["behind_s"]
    told = "for nobody knows how long" if seconds is None else f"{seconds:.1f} s"
    return f"{told} and {(replica['behind_bytes'] or 0) / MEGABYTE:.1f} MB"


def _who(session: dict[str, Any]) -> str:
    return f"{session['application'] or 'somebody'} (process {session['pid']})"


def _listed(items: Any) -> str:
    return ", ".join(items) or "nothing"
