"""What the running check may send, apart from the client that keeps to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from deployment_gate.evidence import Observation
from deployment_gate.probes.budget import Budget
from deployment_gate.probes.exchange import KEPT, Exchange


@dataclass(slots=True)
class Conduct:
    """What the check that is running may send, and who is told of it.

    Attributes:
        observe: Takes each observation.
        allows_writing: The environment's leave.
        environment: Its name, for messages.
        signs_in_at: Method and address of each sign-in, which is no write of data.
        keep_secret: Takes what an answer holds that no report may show.
        check: The node id of the running check.
        attempt: Which attempt at it this is, from 1 on.
        is_writing: Whether the running check is marked `writes`.
        is_provoking: Whether the running check sends what must be refused.
        budget: How much the running check and its like may send; None where that isn't bounded.
        step: What the running check calls what it is doing.
        exchanges: What it sent and received, the last ones.
        unobserved: Why one of its requests saw nothing of the target, where one didn't.
        is_unanswered: Whether the target left one of its requests without a whole answer.
        silent: Origins that left a request unanswered and then gave no sign of life; asking
            them again would cost every check its time limit.
        doubted: Origins that left a request unanswered, and are asked for a sign of life next.
    """

    observe: Callable[[Observation], None]
    environment: str
    allows_writing: bool
    signs_in_at: frozenset[tuple[str, str]] = frozenset()
    keep_secret: Callable[[str], None] = lambda _: None
    check: str | None = None
    attempt: int = 1
    is_writing: bool = False
    is_provoking: bool = False
    budget: Budget | None = None
    step: str | None = None
    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=KEPT))
    unobserved: str | None = None
    is_unanswered: bool = False
    silent: dict[str, str] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
