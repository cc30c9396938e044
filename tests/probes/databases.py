"""What the tests of databases do: look at one, and be somebody else who uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import psycopg

from deployment_gate.environment import DatabaseTarget, SecretAddress
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.database import look_at_database
from tests.servers import PostgreSQL


def look(url: str, **section: Any) -> Observation:
    """Look at a database, with little patience."""
    section = {"timeout": timedelta(seconds=3), **section}
    target = DatabaseTarget(url=SecretAddress(url), **section)
    observation = look_at_database("main", target, application="gate of the tests")
    assert observation.kind is ObservationKind.DATABASE
    assert observation.subject == "main"
    json.dumps(observation.facts)
    return observation


@contextmanager
def session(server: PostgreSQL, database: str, role: str = "owner") -> Iterator[psycopg.Connection]:
    """Somebody else's session, which holds what it has locked until the block ends."""
    with closing(server.connect(role, database=database)) as connection:
        connection.execute("BEGIN")
        yield connection
