"""How often somebody may fail to sign in."""

import math
import time
from collections.abc import Callable

from cachetools import TTLCache

from sandbox.api.errors import ApiError
from sandbox.flaws import Flaw, Flaws

MOST_FAILURES = 20
WITHIN_S = 60.0
USERNAMES = 4096


class FailedSignIns:
    """Counts them by username; above the limit that username has to wait, and nobody else."""

    def __init__(
        self, flaws: Callable[[], Flaws], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._flaws = flaws
        self._clock = clock
        self._times: TTLCache[str, tuple[float, ...]] = TTLCache(USERNAMES, WITHIN_S, clock)

    def note(self, username: str) -> None:
        """Count one more."""
        self._times[username] = (*self._recent(username), self._clock())

    def demand_few(self, username: str) -> None:
        """Let nobody try a password whose username has failed too often.

        Raises:
            ApiError: 429; its Retry-After says in how many seconds the next try is free.
        """
        recent = self._recent(username)
        if len(recent) < MOST_FAILURES or Flaw.NO_RATE_LIMIT in self._flaws():
            return
        free_at = recent[-MOST_FAILURES] + WITHIN_S
        raise ApiError(
            429,
            "too_many_requests",
            "Too many failed sign-ins. Try again later.",
            {"Retry-After": str(max(1, math.ceil(free_at - self._clock())))},
        )

    def _recent(self, username: str) -> tuple[float, ...]:
        since = self._clock() - WITHIN_S
        return tuple(at for at in self._times.get(username, ()) if at > since)
