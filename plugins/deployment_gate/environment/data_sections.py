"""The `databases` and `caches` sections: where data are kept, and how well that must go."""

from datetime import timedelta

from deployment_gate.environment.data_fields import (
    CacheUrl,
    DatabaseUrl,
    Revisions,
    Size,
    TableName,
)
from deployment_gate.environment.fields import Count, Duration, Percent
from deployment_gate.environment.sections import Section

POSTGRESQL_SCHEMES = frozenset({"postgresql", "postgres"})
"""The schemes of PostgreSQL's addresses."""


class DatabaseTarget(Section):
    """A database that is asked directly, and never written to."""

    url: DatabaseUrl
    """Where it is and who asks, as SQLAlchemy writes it, from the process environment: ${NAME}."""
    migrations: Revisions | None = None
    """The Alembic revision that it must be at, or several; unset: not checked."""
    migrations_table: TableName = "alembic_version"
    """Where Alembic keeps the revision."""
    longest_transaction: Duration = timedelta(minutes=5)
    """How long a transaction may be open."""
    longest_lock_wait: Duration = timedelta(seconds=30)
    """How long anybody may wait for a lock."""
    replication_delay: Duration = timedelta(seconds=30)
    """How far replicas may be behind."""
    replicas: Count | None = None
    """How many replicas must receive from it; unset: as many as there are."""
    largest_size: Size | None = None
    """How large it may be; unset: as large as it is."""
    connections_at_most: Percent = 90
    """How many percent of the connections may be in use."""
    timeout: Duration = timedelta(seconds=10)
    """How long connecting may take, and then all its answers."""

    @property
    def statistics(self) -> bool:
        """Whether its server keeps statistics that are read: PostgreSQL does.

        Checks of what only these tell need it; they are left out for other databases.
        """
        return self.url.scheme in POSTGRESQL_SCHEMES


class CacheTarget(Section):
    """A Redis that is asked directly, and never written to."""

    url: CacheUrl
    """Where it is and who asks: redis, rediss or unix, from the process environment: ${NAME}."""
    memory_at_most: Percent = 95
    """How many percent of its memory limit may be in use."""
    replication_delay: Duration = timedelta(seconds=30)
    """How long nothing may have been heard between a replica and its master."""
    replicas: Count | None = None
    """How many replicas must be online; unset: as many as there are."""
    timeout: Duration = timedelta(seconds=5)
    """How long connecting may take, and each of its answers."""
