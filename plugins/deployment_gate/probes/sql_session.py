"""A session that can't write, in which nothing but the written down questions is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployment_gate.environment import DatabaseTarget
from deployment_gate.errors import GateError
from deployment_gate.probes.data_library import library_needed

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

_GRACE_S = 1.0
"""How much longer than its time limit a server may take to say that it gave up."""


class SessionRefused(GateError):  # noqa: N818  # a refusal, as the reports call it
    """A session in which nothing was asked, since it isn't one that only reads."""


class QuestionRefused(GateError):  # noqa: N818  # a refusal, as the reports call it
    """A statement that was not sent, since it is none of the written down questions."""


class NoAnswerInTime(Exception):  # noqa: N818  # what happened, not an error of the program
    """All answers together took longer than they may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a session that can't write is opened, with one kind of database.

    Attributes:
        url: Where to connect.
        arguments: Taken by the driver's `connect`.
        settings: Taken by SQLAlchemy's `create_engine`.
        make_read_only: Statements that make the session one that only reads.
        is_read_only: The statement whose answer shows that it is; None where there is none.
        cut: Ends whatever the driver's connection is waiting for.
    """

    url: URL
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    make_read_only: tuple[str, ...] = ()
    is_read_only: str | None = None
    cut: Callable[[Any], None] = lambda _connection: None


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, and what may be asked in it.

    Attributes:
        connection: SQLAlchemy's.
        questions: Statements by name.
        deadline: The moment of the monotonic clock after which nothing more is asked.
    """

    connection: Connection
    questions: Mapping[str, str]
    deadline: float

    def ask(self, question: str) -> list[dict[str, Any]]:
        """The rows that answer one of the questions.

        Raises:
            NoAnswerInTime: The answers before took too long already.
        """
        if time.monotonic() > self.deadline:
            raise NoAnswerInTime
        rows = self.connection.exec_driver_sql(self.questions[question]).mappings()
        return [dict(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of database.

    Attributes:
        opening: How to connect; takes the address, the section and the name of this tool.
        questions: All that it is asked, by name, beside its migrations.
        facts: Yields names and values of facts from an open session.
        not_covered: What isn't asked of it, though it may matter.
        has_table: The question whether there is a `{table}`, where asking for its rows without
            that would leave an error in the server's log.
    """

    opening: Callable[[URL, DatabaseTarget, str], Opening]
    questions: Mapping[str, str]
    facts: Callable[[Session, DatabaseTarget], Iterator[tuple[str, Any]]]
    not_covered: tuple[str, ...] = ()
    has_table: str | None = None


@contextmanager
def open_session(
    opening: Opening, questions: Mapping[str, str], *, timeout_s: float
) -> Iterator[Session]:
    """Connect, see that nothing can be written, and only then hand out the session.

    Args:
        opening: How to connect.
        questions: All that may be asked, by name.
        timeout_s: Seconds that all answers together may take.

    Raises:
        SessionRefused: The session can write.
        LibraryMissingError: The database's driver isn't installed.
        NoAnswerInTime: The answers took too long.
    """
    watch = _Watch(opening.cut, timeout_s + _GRACE_S)
    engine = _engine(opening, watch)
    _keep_to(engine, frozenset(questions.values()))
    try:
        with engine.connect() as connection:
            yield Session(connection, questions, time.monotonic() + timeout_s)
    except Exception as error:
        if watch.has_cut:
            raise NoAnswerInTime from error
        raise
    finally:
        watch.end()


class _Watch:
    """Cuts a connection off whose server says nothing more, not even that it gave up."""

    def __init__(self, cut: Callable[[Any], None], after_s: float) -> None:
        self.has_cut = False
        self._cut = cut
        self._after_s = after_s
        self._timer: threading.Timer | None = None

    def begin(self, raw: Any) -> None:
        self._timer = threading.Timer(self._after_s, self._cut_off, (raw,))
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cut_off(self, raw: Any) -> None:
        self.has_cut = True
        self._cut(raw)


def _engine(opening: Opening, watch: _Watch) -> Engine:
    with library_needed("databases"):
        import sqlalchemy  # noqa: PLC0415  # only runs that ask databases need it
        from sqlalchemy import event  # noqa: PLC0415
        from sqlalchemy.pool import NullPool  # noqa: PLC0415

        engine = sqlalchemy.create_engine(
            opening.url,
            connect_args=dict(opening.arguments),
            poolclass=NullPool,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            **opening.settings,
        )

    def see_that_it_only_reads(raw: Any, _record: object) -> None:
        watch.begin(raw)
        cursor = raw.cursor()
        for statement in opening.make_read_only:
            cursor.execute(statement)
        if opening.is_read_only is not None:
            cursor.execute(opening.is_read_only)
            answer = [value for row in cursor.fetchall() for value in row]
            if not {"on", "ON", 1} & set(answer):
                raise SessionRefused(
                    "its session can write although it was told not to, so nothing was asked. "
                    "Set the address of the server itself, not of a pooler"
                )
        cursor.close()
        raw.rollback()

    # First, since SQLAlchemy itself asks for the version when it connects.
    event.listen(engine, "connect", see_that_it_only_reads, insert=True)
    return engine


def _keep_to(engine: Engine, statements: frozenset[str]) -> None:
    from sqlalchemy import event  # noqa: PLC0415  # loaded by now

    def refuse_anything_else(
        _connection: object, _cursor: object, statement: str, *_rest: object
    ) -> None:
        if statement not in statements:
            raise QuestionRefused(f"{statement!r} was not sent: it is none of the questions")

    event.listen(engine, "before_cursor_execute", refuse_anything_else)
