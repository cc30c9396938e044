"""The kinds of databases: how a session that can't write is opened, and what is asked in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from deployment_gate.environment import POSTGRESQL_SCHEMES, DatabaseTarget
from deployment_gate.probes.data_library import LibraryMissingError, library_needed
from deployment_gate.probes.postgresql import POSTGRESQL
from deployment_gate.probes.sql_session import Dialect, Opening, Session, SessionRefused
from deployment_gate.probes.sqlite import SQLITE

if TYPE_CHECKING:
    from sqlalchemy import URL

_ALL = ("transactions", "lock_waits", "replicas", "idle_slots", "connections", "invalid_indexes")


def dialect_of(target: DatabaseTarget) -> Dialect:
    """The kind of database that a section's address is of."""
    return _BY_SCHEME.get(target.url.scheme, _ANY)


def opening_of(target: DatabaseTarget, *, application: str) -> Opening:
    """How to open a session with the database of a section.

    Args:
        target: The section.
        application: What the session calls itself, for those who look at the server.

    Raises:
        LibraryMissingError: SQLAlchemy isn't installed, or what it needs for this kind.
        SessionRefused: The address isn't one that SQLAlchemy knows.
    """
    with library_needed("databases"):
        from sqlalchemy import make_url  # noqa: PLC0415  # only runs that ask databases need it
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415
    try:
        opening = dialect_of(target).opening(
            make_url(target.url.get_secret_value()), target, application
        )
        opening.url.get_dialect()
    except NoSuchModuleError as error:
        raise LibraryMissingError(
            f"SQLAlchemy knows no databases called {target.url.scheme!r}. "
            "Install the package that brings them, or correct the address"
        ) from error
    except (ArgumentError, ValueError):
        # From None: what SQLAlchemy says of an address may hold a part of its password.
        raise SessionRefused(
            "its address isn't understood. Set it as in postgresql://NAME:PASSWORD@HOST:5432/DATABASE"
        ) from None
    return opening


def _open_mysql(url: URL, _target: DatabaseTarget, _application: str) -> Opening:
    return Opening(
        url=url,
        make_read_only=("SET SESSION TRANSACTION READ ONLY",),
        # Under one name in MySQL, under the other in MariaDB.
        is_read_only="SHOW SESSION VARIABLES "
        "WHERE Variable_name IN ('transaction_read_only', 'tx_read_only')",
    )


def _mysql_facts(session: Session, _target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
    yield "server", session.ask("version")[0]["version"]


def _open_any(url: URL, _target: DatabaseTarget, _application: str) -> Opening:
    return Opening(url=url)


def _any_facts(session: Session, _target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
    session.ask("one")
    yield "server", session.connection.dialect.name


_MYSQL = Dialect(
    opening=_open_mysql,
    questions={"version": "SELECT version() AS version"},
    facts=_mysql_facts,
    not_covered=(*_ALL, "size_bytes"),
)
_ANY = Dialect(
    opening=_open_any,
    questions={"one": "SELECT 1"},
    facts=_any_facts,
    not_covered=("whether the session can write", *_ALL, "size_bytes"),
)
_BY_SCHEME = {
    **dict.fromkeys(POSTGRESQL_SCHEMES, POSTGRESQL),
    "sqlite": SQLITE,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}
