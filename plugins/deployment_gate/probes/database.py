"""One look at a database: all facts from one session that can't write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployment_gate.environment import DatabaseTarget
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.blame import Blame, no_answer_within
from deployment_gate.probes.data_blame import blame_store, what_was_said
from deployment_gate.probes.data_library import LibraryMissingError
from deployment_gate.probes.data_look import observe_look
from deployment_gate.probes.dialects import dialect_of, opening_of
from deployment_gate.probes.sql_session import (
    Dialect,
    NoAnswerInTime,
    Opening,
    QuestionRefused,
    Session,
    SessionRefused,
    open_session,
)

# PostgreSQL's SQLSTATE, SQLite's words, MySQL's numbers.
_NO_SUCH_TABLE = {"42P01", "3F000", "no such table", 1146}
_FORBIDDEN = {"42501", 1142}


def look_at_database(name: str, target: DatabaseTarget, *, application: str) -> Observation:
    """Ask a database all that is asked of its kind.

    Args:
        name: Its name in the environment file.
        target: Its section.
        application: What the session calls itself, for those who look at the server.

    Raises:
        LibraryMissingError: What it is asked with isn't installed.
    """
    dialect = dialect_of(target)
    timeout_s = target.timeout.total_seconds()

    def look(facts: dict[str, Any]) -> Blame:
        facts["not_covered"] = list(dialect.not_covered)
        address: str | None = None
        try:
            opening = opening_of(target, application=application)
            address = _address(opening)
            # One by one: what was told stays when the next isn't.
            for fact, value in _facts(dialect, opening, target):
                facts[fact] = value  # noqa: PERF403
        except (LibraryMissingError, QuestionRefused):
            raise
        except SessionRefused as error:
            return Blame(unobserved=str(error))
        except NoAnswerInTime:
            return no_answer_within(timeout_s)
        except Exception as error:  # noqa: BLE001  # whatever it was, blame_store() says whose
            return blame_store(error, timeout_s=timeout_s, address=address)
        if facts.get("damage"):
            return Blame(error=f"its file is damaged: {facts['damage'][0]}")
        return Blame()

    return observe_look(ObservationKind.DATABASE, name, target, look)


def _facts(dialect: Dialect, opening: Opening, target: DatabaseTarget) -> Iterator[tuple[str, Any]]:
    """Yield what the database tells, its revisions last: a migration may keep them locked."""
    questions = {**dialect.questions, **dict(_migrations_questions(dialect, opening, target))}
    with open_session(opening, questions, timeout_s=target.timeout.total_seconds()) as session:
        not_visible: dict[str, str] = {}
        for fact, value in dialect.facts(session, target):
            if fact == "not_visible":
                not_visible = value
            yield fact, value
        yield from _revisions(session, not_visible)


def _migrations_questions(
    dialect: Dialect, opening: Opening, target: DatabaseTarget
) -> Iterator[tuple[str, str]]:
    quote = opening.url.get_dialect()().identifier_preparer.quote
    # Neither kind of quote can be in it: the section takes plain names only.
    table = ".".join(map(quote, target.migrations_table.split(".")))
    yield "revisions", f"SELECT version_num FROM {table}"  # noqa: S608  # see above
    if dialect.has_table:
        yield "has_migrations_table", dialect.has_table.format(table=table)


def _revisions(session: Session, not_visible: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield the revisions in the migrations table, none where there is no such table."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415  # loaded by now

    tells_first = "has_migrations_table" in session.questions
    try:
        is_there = not tells_first or session.ask("has_migrations_table")[0]["is_there"]
        rows = session.ask("revisions") if is_there else []
    except DBAPIError as error:
        reasons = _reasons(error.orig)
        if reasons & _NO_SUCH_TABLE:
            yield "revisions", []
        elif reasons & _FORBIDDEN:
            said = what_was_said(str(error.orig))
            told = f"{said}. Grant SELECT on it to the role that asks"
            yield "not_visible", {**not_visible, "revisions": told}
        else:
            raise
    else:
        yield "revisions", sorted(str(row["version_num"]) for row in rows)


def _reasons(error: BaseException | None) -> set[object]:
    """What a driver's error gives as its reason: SQLSTATE, MySQL's number, or words."""
    words = {said.partition(":")[0] for said in map(str, getattr(error, "args", ()))}
    return {getattr(error, "sqlstate", None), *getattr(error, "args", ()), *words}


def _address(opening: Opening) -> str | None:
    """Where to see whether anything listens; None where that is a file or a socket."""
    host = opening.url.host
    if host is None or host.startswith("/"):
        return None
    port = opening.url.port or _PORTS.get(opening.url.get_backend_name())
    place = f"[{host}]" if ":" in host else host
    return f"tcp://{place}:{port}" if port else None


_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
