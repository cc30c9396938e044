"""What PostgreSQL is asked, and the facts in its answers."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from deployment_gate.environment import DatabaseTarget
from deployment_gate.probes.sql_session import Dialect, Opening, Session

if TYPE_CHECKING:
    from sqlalchemy import URL

_LEAST_CONNECT_TIMEOUT_S = 2
"""libpq takes whole seconds, and none below two."""

_WAITSTART_SINCE = 140000

_LOOKS = 3
_BETWEEN_LOOKS_S = 0.2

_QUESTIONS = {
    "identity": """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS number,
       pg_is_in_recovery() AS is_in_recovery,
       current_user::text AS asks_as,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all
""",
    # What is prepared and never committed is a transaction without a session.
    "transactions": """
SELECT pid, coalesce(state, '') AS state, application_name AS application,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS open_s
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_type = 'client backend' AND xact_start IS NOT NULL
UNION ALL
SELECT NULL, 'prepared', gid, extract(epoch FROM clock_timestamp() - prepared)::float8
  FROM pg_prepared_xacts WHERE database = current_database()
 ORDER BY open_s DESC LIMIT 5
""",
    # As JSON, since servers before 14 have no such column and would refuse its name.
    "lock_waits": """
SELECT pid, application_name AS application, mode,
       extract(epoch FROM clock_timestamp() - since)::float8 AS waited_s, relation,
       (SELECT string_agg(concat_ws(' ', b.pid, b.application_name, b.state), ', ')
          FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(waiting.pid))) AS blocked_by
  FROM (SELECT a.pid, a.application_name, l.mode,
               CASE WHEN l.database = a.datid THEN l.relation::regclass::text END AS relation,
               CASE WHEN to_jsonb(l) ? 'waitstart' THEN (to_jsonb(l) ->> 'waitstart')::timestamptz
                    ELSE a.query_start END AS since
          FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE NOT l.granted AND a.datname = current_database()) AS waiting
 ORDER BY since LIMIT 5
""",
    # pg_basebackup is in this view, too, and no replica. A delay that was measured stays in it for
    # some time after the standby has caught up.
    "standbys": """
SELECT name, state, CASE WHEN behind_bytes <= 0 THEN 0 ELSE last_measured_s END AS behind_s,
       behind_bytes
  FROM (SELECT coalesce(nullif(application_name, ''), client_addr::text, pid::text) AS name, state,
               extract(epoch FROM replay_lag)::float8 AS last_measured_s,
               pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                    ELSE pg_current_wal_lsn() END, replay_lsn)::float8
                   AS behind_bytes
          FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup') AS standby
""",
    # While a primary is idle nothing is replayed, and the time since then grows without a delay.
    "itself": """
SELECT 'itself' AS name,
       CASE WHEN is_receiving THEN 'streaming' ELSE 'not receiving' END AS state,
       CASE WHEN is_receiving AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
        END::float8 AS behind_s,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8
           AS behind_bytes
  FROM (SELECT EXISTS (SELECT FROM pg_stat_wal_receiver) AS is_receiving) AS receiver
""",
    "idle_slots": """
SELECT slot_name::text AS name,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                            ELSE pg_current_wal_lsn() END, restart_lsn)::float8 AS retained_bytes
  FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL
 ORDER BY retained_bytes DESC LIMIT 5
""",
    # A role that doesn't see the kind of a backend sees at least that it is in a database.
    "connections": """
SELECT count(*) FILTER (WHERE coalesce(backend_type = 'client backend', datid IS NOT NULL))::int
           AS used,
       current_setting('max_connections')::int AS most
  FROM pg_stat_activity
""",
    # One that is being built is invalid until it is whole.
    "invalid_indexes": """
SELECT indexrelid::regclass::text AS name FROM pg_index
 WHERE NOT (indisvalid AND indisready)
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)
 ORDER BY name LIMIT 20
""",
    "size": "SELECT pg_database_size(current_database()) AS bytes",
}


def _opening(url: URL, target: DatabaseTarget, application: str) -> Opening:
    limit_ms = math.ceil(target.timeout.total_seconds() * 1000)
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": limit_ms,
        # Shorter, so that waiting for a lock is told as that.
        "lock_timeout": max(limit_ms // 2, 1),
        "idle_in_transaction_session_timeout": limit_ms,
    }
    # After those of the address: the last one counts.
    asked = url.query.get("options", "")
    options = " ".join(
        [
            *([asked] if isinstance(asked, str) else asked),
            *(f"-c {name}={value}" for name, value in settings.items()),
        ]
    )
    return Opening(
        url=url.difference_update_query(["options"]).set(drivername="postgresql+psycopg"),
        arguments={
            "autocommit": True,
            "application_name": application,
            "connect_timeout": max(
                math.ceil(target.timeout.total_seconds()), _LEAST_CONNECT_TIMEOUT_S
            ),
            "options": options.strip(),
            "prepare_threshold": None,
        },
        # Or SQLAlchemy asks for a type that no answer here has.
        settings={"use_native_hstore": False},
        is_read_only="SHOW transaction_read_only",
        cut=_shut_socket,
    )


def _shut_socket(raw: Any) -> None:
    """End a connection of psycopg whose server says nothing more, from another thread."""
    try:
        with socket.socket(fileno=os.dup(raw.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)
    except Exception:  # noqa: BLE001, S110  # it is closed already
        pass


def _facts(session: Session, target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
    """Yield the facts one by one, so that what was told stays when a later answer doesn't come.

    Yields:
        `server`, `is_standby`; `transactions`, the ones open longest, with `open_s`;
        `lock_waits`, with `waited_s` and `blocked_by`; `replicas`, with `state`, `behind_s` and
        `behind_bytes`, a standby itself among them; `idle_slots`, with `retained_bytes`;
        `connections`, `used` of `most`; `invalid_indexes`; `size_bytes`; `not_visible`, why, for
        each fact that the role sees only in part.
    """
    (identity,) = session.ask("identity")
    yield "server", f"PostgreSQL {identity['version']}"
    yield "is_standby", identity["is_in_recovery"]
    grant = f"GRANT pg_monitor TO {identity['asks_as']}"
    not_visible = {}
    if not identity["sees_all"]:
        not_visible["transactions"] = (
            f"the role {identity['asks_as']} sees no transactions but its own. Run: {grant}"
        )
        if identity["number"] < _WAITSTART_SINCE:
            not_visible["lock_waits"] = not_visible["transactions"]
    yield "transactions", session.ask("transactions")
    yield "lock_waits", session.ask("lock_waits")
    limit_s = target.replication_delay.total_seconds()
    replicas = _settled(session, "standbys", limit_s)
    if any(replica["state"] is None for replica in replicas):
        not_visible["replicas"] = (
            f"the role {identity['asks_as']} doesn't see how far replicas are. Run: {grant}"
        )
    if identity["is_in_recovery"]:
        replicas += _settled(session, "itself", limit_s)
    yield "replicas", [replica for replica in replicas if replica["state"] is not None]
    yield "not_visible", not_visible
    yield "idle_slots", session.ask("idle_slots")
    yield "connections", session.ask("connections")[0]
    yield "invalid_indexes", [row["name"] for row in session.ask("invalid_indexes")]
    yield "size_bytes", session.ask("size")[0]["bytes"]


def _settled(session: Session, question: str, limit_s: float) -> list[dict[str, Any]]:
    """Rows about replicas, asked for again while one of them seems late.

    After an idle hour, the first change makes a standby look an hour late until it has replayed
    that, and a primary doesn't know the delay until the standby has answered.
    """
    rows = session.ask(question)
    for _ in range(_LOOKS - 1):
        if all(row["state"] is None or _delay_s(row) <= limit_s for row in rows):
            break
        time.sleep(_BETWEEN_LOOKS_S)
        rows = session.ask(question)
    return rows


def _delay_s(replica: Mapping[str, Any]) -> float:
    return math.inf if replica["behind_s"] is None else float(replica["behind_s"])


POSTGRESQL = Dialect(
    opening=_opening,
    questions=_QUESTIONS,
    facts=_facts,
    has_table="SELECT to_regclass('{table}') IS NOT NULL AS is_there",
)
