"""The caches behind the platform answer, have room, and save what they must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import SeenCache

pytestmark = pytest.mark.needs("caches.{cache_server}")

MEGABYTE = 10**6


@pytest.mark.smoke
def test_cache_answers(cache_server: SeenCache) -> None:
    assert not cache_server.error, f"{cache_server.name}: {cache_server.error}"


def test_cache_has_room(cache_server: SeenCache) -> None:
    used, most = cache_server.told("used_memory"), cache_server.told("maxmemory")
    policy, limit = cache_server.told("maxmemory_policy"), cache_server.limits.memory_at_most

    # One without a limit, or that throws out what is old, is full on purpose.
    is_bounded = most > 0 and not policy.startswith("allkeys-")
    assert not is_bounded or used * 100 <= most * limit, (
        f"{cache_server.name}: {used / MEGABYTE:.1f} MB of {most / MEGABYTE:.1f} MB are in use "
        f"with {policy}; at most {limit} %"
    )


def test_cache_replicas_keep_up(cache_server: SeenCache) -> None:
    limit_s = cache_server.limits.replication_delay.total_seconds()
    late = [
        f"{one['name']} ({one['state']}) was heard of {one['heard_of_s']} s ago, "
        f"{one['behind_bytes']} bytes behind"
        for one in cache_server.told("replicas")
        if one["state"] != "online" or (one["heard_of_s"] or 0) > limit_s
    ]
    late += _own_delay(cache_server, limit_s)

    assert not late, f"{cache_server.name}: at most {limit_s:g} s, but {', '.join(late)}"


@pytest.mark.needs("caches.{cache_server}.replicas")
def test_all_cache_replicas_are_there(cache_server: SeenCache) -> None:
    there = [one["name"] for one in cache_server.told("replicas") if one["state"] == "online"]

    assert len(there) >= (cache_server.limits.replicas or 0), (
        f"{cache_server.name}: {len(there)} replicas are online; "
        f"{cache_server.limits.replicas} must be"
    )


def test_cache_saves_what_it_must(cache_server: SeenCache) -> None:
    states = {"the last snapshot": cache_server.told("rdb_last_bgsave_status")}
    if cache_server.told("aof_enabled"):
        states["the last write to its log"] = cache_server.told("aof_last_write_status")
        states["the last rewrite of its log"] = cache_server.told("aof_last_bgrewrite_status")
    failed = [f"{what} ended with {state}" for what, state in states.items() if state != "ok"]

    unsaved = cache_server.told("rdb_changes_since_last_save")
    assert not failed, (
        f"{cache_server.name}: {', '.join(failed)}; {unsaved} changes are in no snapshot"
    )


def _own_delay(cache_server: SeenCache, limit_s: float) -> list[str]:
    """What speaks against a replica's own link to its master."""
    facts: dict[str, Any] = dict(cache_server.facts)
    if cache_server.told("role") != "slave":
        return []
    if facts["master_link_status"] != "up":
        since_s = facts.get("master_link_down_since_seconds")
        return [f"its link to its master has been down for {since_s} s"]
    if facts["master_last_io_seconds_ago"] > limit_s:
        return [f"it last heard of its master {facts['master_last_io_seconds_ago']} s ago"]
    return []
