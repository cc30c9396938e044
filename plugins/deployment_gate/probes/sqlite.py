"""What a SQLite file is asked, and the facts in its answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deployment_gate.environment import DatabaseTarget
from deployment_gate.probes.sql_session import Dialect, Opening, Session

if TYPE_CHECKING:
    from sqlalchemy import URL

# https://sqlite.org/fileformat.html#file_format_version_numbers
_READ_VERSION = 19
_WRITE_AHEAD = 2


def _opening(url: URL, target: DatabaseTarget, _application: str) -> Opening:
    path = Path(url.database or "").absolute()
    # Else SQLite would leave files beside it, which the platform's own user may not write to
    # (https://sqlite.org/wal.html#read_only_databases).
    unused = {"immutable": "1"} if _has_unused_log(path) else {}
    return Opening(
        url=url.set(
            drivername="sqlite+pysqlite",
            database=f"file:{quote(str(path))}",
            query={"mode": "ro", "uri": "true", **unused},
        ),
        arguments={"timeout": target.timeout.total_seconds(), "check_same_thread": False},
        make_read_only=("PRAGMA query_only = ON",),
        is_read_only="PRAGMA query_only",
        cut=lambda connection: connection.interrupt(),
    )


def _has_unused_log(path: Path) -> bool:
    """Whether it is written ahead to a log, and nobody has it open."""
    try:
        with path.open("rb") as file:
            header = file.read(_READ_VERSION + 1)
    except OSError:
        return False
    is_written_ahead = header[_READ_VERSION:] == bytes([_WRITE_AHEAD])
    return is_written_ahead and not path.with_name(f"{path.name}-wal").exists()


def _facts(session: Session, _target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
    """Yield `server`; `damage`, what is wrong with the file; `size_bytes`."""
    yield "server", f"SQLite {session.ask('version')[0]['version']}"
    findings = [finding for row in session.ask("quick_check") for finding in row.values()]
    yield "damage", [finding for finding in findings if finding != "ok"]
    pages, size = session.ask("page_count")[0], session.ask("page_size")[0]
    yield "size_bytes", pages["page_count"] * size["page_size"]


SQLITE = Dialect(
    opening=_opening,
    questions={
        "version": "SELECT sqlite_version() AS version",
        "quick_check": "PRAGMA quick_check(5)",
        "page_count": "PRAGMA page_count",
        "page_size": "PRAGMA page_size",
    },
    facts=_facts,
    not_covered=("transactions", "lock_waits"),
)
