"""What is seen of real caches, healthy and broken, and that nothing but three commands is asked."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from deployment_gate.environment import CacheTarget, SecretAddress
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.cache import COMMANDS, CommandRefused, ask, look_at_cache
from deployment_gate.probes.data_library import LibraryMissingError
from tests.servers import PASSWORD, RedisServer, redis_server, wait_for

# What redis-py says of itself when it connects; neither reads nor writes data.
HANDSHAKE = {"auth", "client|setinfo", "client|setname", "hello", "select"}


def look(url: str, **section: Any) -> Observation:
    """Look at a cache, with little patience."""
    section = {"timeout": timedelta(seconds=1), **section}
    observation = look_at_cache("sessions", CacheTarget(url=SecretAddress(url), **section))
    assert observation.kind is ObservationKind.CACHE
    assert observation.subject == "sessions"
    json.dumps(observation.facts)
    return observation


@contextmanager
def started(*arguments: str, password: str | None = None) -> Iterator[RedisServer]:
    """Start a Redis, in a folder whose name is short enough for a socket."""
    with (
        TemporaryDirectory(prefix="tests-redis-") as folder,
        redis_server(Path(folder), *arguments, password=password) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisServer]:
    """A Redis that asks for a password."""
    with started(password=PASSWORD) as server:
        yield server


def test_a_healthy_cache_tells_all(cache: RedisServer) -> None:
    seen = look(cache.url)
    assert (seen.error, seen.unobserved) == (None, None)
    assert seen.facts["server"].startswith("Redis ")
    assert seen.facts["role"] == "master"
    assert seen.facts["replicas"] == []
    assert seen.facts["maxmemory"] == 0
    assert seen.facts["used_memory"] > 0
    assert 0 < seen.facts["connected_clients"] < seen.facts["maxclients"]
    assert seen.facts["rdb_last_bgsave_status"] == "ok"


def test_nothing_but_the_three_commands_is_asked(cache: RedisServer) -> None:
    def calls() -> dict[str, int]:
        told = cache.client().info("commandstats")
        return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in told.items()}

    with closing(cache.client()) as client:
        client.config_resetstat()
        look(f"{cache.url}?db=3")
        asked = set(calls())
    assert {name.lower() for name in COMMANDS} <= asked
    assert asked <= {name.lower() for name in COMMANDS} | HANDSHAKE | {"config|resetstat"}


@pytest.mark.parametrize("command", ["SET", "CONFIG GET *", "FLUSHALL", "EVAL", "ping"])
def test_any_other_command_is_refused(cache: RedisServer, command: str) -> None:
    with closing(cache.client()) as client, pytest.raises(CommandRefused, match="was not sent"):
        ask(client, command)


def test_a_cache_that_is_nearly_full_tells_how_full(cache: RedisServer) -> None:
    with closing(cache.client()) as client:
        client.setrange("ballast", 20_000_000, "x")
        limit = int(client.info()["used_memory"] / 0.97)
        client.config_set("maxmemory", limit)
        try:
            seen = look(cache.url)
        finally:
            client.config_set("maxmemory", 0)
            client.delete("ballast")
    assert seen.facts["maxmemory"] == limit
    assert 0.95 * limit < seen.facts["used_memory"] < limit
    assert seen.facts["maxmemory_policy"] == "noeviction"


def test_a_replica_and_its_master_tell_of_each_other_until_the_master_stops() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listening = ("--port", str(port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
    with (
        started(*listening) as master,
        started("--replicaof", f"127.0.0.1 {port}") as replica,
    ):
        wait_for(lambda: look(replica.url).facts["master_link_status"] == "up")
        wait_for(lambda: look(master.url).facts["replicas"][0]["state"] == "online")
        (told,) = look(master.url).facts["replicas"]
        assert told["heard_of_s"] <= 2
        assert told["behind_bytes"] >= 0
        assert look(replica.url).facts["role"] == "slave"

        master.stop()
        wait_for(lambda: look(replica.url).facts["master_link_status"] == "down")
        seen = look(replica.url)
        assert seen.error is None
        assert seen.facts["master_link_down_since_seconds"] >= 0
        assert look(master.url).error == "connection refused"


def test_a_snapshot_that_failed_is_told() -> None:
    with started("--dbfilename", "taken.rdb") as server, closing(server.client()) as client:
        (server.socket.parent / "taken.rdb").mkdir()
        client.set("name", "value")
        client.execute_command("BGSAVE")
        wait_for(lambda: look(server.url).facts["rdb_last_bgsave_status"] == "err")
        assert look(server.url).facts["rdb_changes_since_last_save"] == 1


def test_a_cache_that_is_still_loading_is_the_targets() -> None:
    with TemporaryDirectory(prefix="tests-redis-") as name:
        folder = Path(name)
        with redis_server(folder) as server, closing(server.client()) as client:
            client.mset({f"key-{number}": "x" * 100 for number in range(2000)})
            client.save()
        # A millisecond for each key, and commands are answered meanwhile.
        slowly = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
        with redis_server(folder, *slowly) as server:
            seen = look(server.url)
    assert seen.error == "it is still loading its data"
    assert seen.facts["loading"] == 1


def test_a_wrong_password_may_be_the_runners_and_is_never_told(cache: RedisServer) -> None:
    for who in (":hunter2-hunter2@", "no-such-user:hunter2-hunter2@", ""):
        seen = look(f"unix://{who}{cache.socket}")
        assert seen.error is None, who
        assert "it refused the credentials, which may be the runner's" in (seen.unobserved or "")
        assert "hunter2-hunter2" not in str(seen)


def test_the_user_of_the_documentation_may_ask(cache: RedisServer) -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-layer.md").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith("ACL SETUSER"))
    with closing(cache.client()) as client:
        client.execute_command(*line.split())
    seen = look(f"unix://gate:CHANGE-ME@{cache.socket}")
    assert seen.error is seen.unobserved is None


def test_a_user_without_the_right_to_ask_is_the_runners(cache: RedisServer) -> None:
    with closing(cache.client()) as client:
        client.acl_setuser("narrow", enabled=True, passwords=["+a-password"], commands=["+ping"])
    seen = look(f"unix://narrow:a-password@{cache.socket}")
    assert seen.error is None
    assert "has no permissions to run" in (seen.unobserved or "")


def test_a_port_that_nobody_listens_on_is_the_targets(dead_port: int) -> None:
    seen = look(f"redis://:{PASSWORD}@127.0.0.1:{dead_port}/0")
    assert (seen.error, seen.unobserved) == ("connection refused", None)


def test_a_socket_that_nobody_listens_at_is_the_targets(tmp_path: Path) -> None:
    assert look(f"unix://{tmp_path / 'redis.sock'}").error == "nobody listens at its socket"


def test_a_name_that_does_not_resolve_is_the_runners() -> None:
    seen = look(f"redis://:{PASSWORD}@cache.invalid:6379/0")
    assert (seen.error, seen.unobserved) == (None, "the name doesn't resolve on this machine")


def test_something_that_takes_connections_and_says_nothing_is_the_targets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        seen = look(f"redis://127.0.0.1:{port}/0", timeout=timedelta(milliseconds=200))
    assert (seen.error, seen.unobserved) == ("no whole answer within 0.2 s", None)


def test_an_address_that_never_answers_may_be_the_ways_fault(mute: str) -> None:
    seen = look(mute.replace("http://", "redis://"), timeout=timedelta(milliseconds=200))
    assert seen.error is None
    assert "no connection within 0.2 s" in (seen.unobserved or "")


def test_an_address_with_an_option_that_nobody_knows_is_the_runners(cache: RedisServer) -> None:
    seen = look(f"{cache.url}?bogus=1")
    assert seen.error is None
    assert "bogus" in (seen.unobserved or "")


def test_a_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LibraryMissingError, match=r'pip install "pytest-deployment-gate\[data\]"'):
        look("redis://127.0.0.1:1/0")
