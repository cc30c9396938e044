"""One look at a cache, a Redis: all facts from three commands that only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from deployment_gate.environment import CacheTarget
from deployment_gate.errors import GateError
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.blame import Blame
from deployment_gate.probes.data_blame import blame_store
from deployment_gate.probes.data_library import LibraryMissingError, library_needed
from deployment_gate.probes.data_look import observe_look

if TYPE_CHECKING:
    from redis import Redis

COMMANDS = ("INFO", "ROLE", "PING")
"""All that is asked; PING last, since a server that is still loading its data refuses only that."""

# Values of INFO that are facts under their own names (https://redis.io/commands/info).
_FACTS = (
    "redis_mode",
    "loading",
    "used_memory",
    "maxmemory",
    "maxmemory_policy",
    "connected_clients",
    "maxclients",
    "evicted_keys",
    "rejected_connections",
    "rdb_last_bgsave_status",
    "rdb_last_save_time",
    "rdb_changes_since_last_save",
    "aof_enabled",
    "aof_last_write_status",
    "aof_last_bgrewrite_status",
    "master_link_status",
    "master_last_io_seconds_ago",
    "master_link_down_since_seconds",
)
_DEFAULT_PORT = 6379


class CommandRefused(GateError):  # noqa: N818  # a refusal, as the reports call it
    """A command that was not sent, since it is none of those that are asked."""


def look_at_cache(name: str, target: CacheTarget) -> Observation:
    """Ask a cache all that is asked.

    Args:
        name: Its name in the environment file.
        target: Its section.

    Raises:
        LibraryMissingError: redis isn't installed.
    """

    def look(facts: dict[str, Any]) -> Blame:
        try:
            # One by one: what was told stays when the next isn't.
            for fact, value in _facts(target):
                facts[fact] = value  # noqa: PERF403
        except (LibraryMissingError, CommandRefused):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it was, blame_store() says whose
            timeout_s = target.timeout.total_seconds()
            return blame_store(error, timeout_s=timeout_s, address=_address(target))
        return Blame()

    return observe_look(ObservationKind.CACHE, name, target, look)


def ask(client: Redis, command: str) -> Any:
    """What a cache answers to one of the commands.

    Raises:
        CommandRefused: It is none of them.
    """
    if command not in COMMANDS:
        raise CommandRefused(f"{command} was not sent: {', '.join(COMMANDS)} is all that is asked")
    return client.execute_command(command)  # type: ignore[no-untyped-call]  # redis's own


def _facts(target: CacheTarget) -> Iterator[tuple[str, Any]]:
    with _connected(target) as client:
        told = ask(client, "INFO")
        yield "server", f"Redis {told['redis_version']}"
        yield from ((name, told[name]) for name in _FACTS if name in told)
        role = ask(client, "ROLE")
        yield "role", _text(role[0])
        yield "replicas", list(_replicas(told))
        ask(client, "PING")


def _connected(target: CacheTarget) -> Redis:
    with library_needed("caches"):
        from redis import ConnectionPool, Redis  # noqa: PLC0415  # only few runs need it
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

    timeout_s = target.timeout.total_seconds()
    pool = ConnectionPool.from_url(
        target.url.get_secret_value(),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # An answer at the second attempt would hide that there was none at the first.
        retry=Retry(NoBackoff(), 0),
        # Without HELLO, and so without what the library would ask by it.
        protocol=2,
    )
    return Redis.from_pool(pool)


def _replicas(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a master knows of its replicas; `lag` is the time since they were last heard of."""
    master_offset = told.get("master_repl_offset", 0)
    for number in range(told.get("connected_slaves", 0)):
        replica = told.get(f"slave{number}")
        if isinstance(replica, Mapping):
            yield {
                "name": f"{replica['ip']}:{replica['port']}",
                "state": replica["state"],
                "heard_of_s": replica.get("lag"),
                "behind_bytes": master_offset - replica.get("offset", 0),
            }


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _address(target: CacheTarget) -> str | None:
    """Where to see whether anything listens; None where that is a socket of this machine."""
    from redis.connection import parse_url  # noqa: PLC0415  # loaded by now

    if target.url.scheme == "unix":
        return None
    place = parse_url(target.url.get_secret_value())  # type: ignore[no-untyped-call]  # redis's own
    return f"tcp://{place.get('host', 'localhost')}:{place.get('port', _DEFAULT_PORT)}"
