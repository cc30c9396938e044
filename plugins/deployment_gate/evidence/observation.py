"""What one probe saw: a raw fact, never an opinion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ObservationKind(StrEnum):
    """What the probe was looking for."""

    HEALTH = "health"
    RELEASE = "release"
    REQUEST = "request"
    PAGE = "page"
    """One load of a page in a browser, with all that it brings."""
    LOAD = "load"
    """An answer beside a load, or a second of it; so many at once count for no trigger."""
    DATABASE = "database"
    CACHE = "cache"
    CHECK = "check"
    """One attempt at a check that was carried out more than once, or may fire a trigger."""
    GRADE = "grade"
    """How the headers of a page would be graded."""
    CONTROL = "control"
    """What answers wherever the runner is well: nothing of the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one probe saw of the target.

    Attributes:
        at: When the probe started, aware and in UTC.
        kind: What the probe was looking for.
        subject: What was looked at: the name of an endpoint, a database or a cache, method and
            path, a page's path, or the node id of a check.
        duration_s: Seconds from the start to the whole answer, or to the error.
        status: The HTTP status, where there was an answer.
        error: Why the target gave no whole answer; the target's doing.
        unobserved: Why the runner could not look; not the target's doing.
        facts: What else was seen, JSON values only.
        check: The node id of the check that asked, where one did.
    """

    at: datetime
    kind: ObservationKind
    subject: str
    duration_s: float
    status: int | None = None
    error: str | None = None
    unobserved: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    check: str | None = None
