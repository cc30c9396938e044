"""How much the checks of a category may ask, how fast, and whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deployment_gate.errors import GateError

LONGEST_WAIT_S = 10.0
"""How long a target that says when to ask again is waited for, at most."""


class BudgetSpentError(GateError):
    """Something that wasn't sent, since it is too much or leads elsewhere."""


@dataclass(slots=True)
class Budget:
    """Counts and spaces what is sent, and keeps it on the platform's own hosts.

    Attributes:
        most: How many requests and connections there may be in the run.
        rate: How many a second.
        hosts: Whom they may go to.
        clock: The time in seconds, from any moment on.
        sleep: Waits for so many seconds.
        spent: How many there were by now.
    """

    most: int
    rate: float
    hosts: frozenset[str]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    spent: int = 0
    _next: float = field(default=0.0, init=False)

    def spend(self, host: str) -> None:
        """Wait until one more may be sent to a host, and count it.

        Args:
            host: Its name or address.

        Raises:
            BudgetSpentError: It isn't one of the platform's, or the ceiling is reached.
        """
        if host not in self.hosts:
            raise BudgetSpentError(
                f"nothing was sent to {host}, which is no host of this environment. If it belongs "
                "to the platform, name it in its file, under `api`, `web` or `health_endpoints`"
            )
        if self.spent >= self.most:
            raise BudgetSpentError(
                f"nothing more was sent: the checks of security have sent {self.spent} requests, "
                "which is their ceiling. Raise `security: {most_requests: ...}` if the platform "
                "bears more"
            )
        self.spent += 1
        now = self.clock()
        wait_s = self._next - now
        self._next = max(now, self._next) + 1 / self.rate
        if wait_s > 0:
            self.sleep(wait_s)
