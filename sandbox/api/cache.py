"""The platform's cache: in process, short-lived, and allowed to be gone."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from threading import Lock

from cachetools import TTLCache

from sandbox.flaws import Flaw, Flaws

ENTRIES = 4096
LIFETIME_S = 2.0  # how long a lost database may go unnoticed by a reader


class CacheUnavailableError(Exception):
    """The cache can't be reached."""


class Cache:
    """Keeps bytes for a moment; what it held is lost when it was unreachable."""

    def __init__(self, flaws: Callable[[], Flaws]) -> None:
        self._entries: TTLCache[Hashable, bytes] = TTLCache(ENTRIES, LIFETIME_S)
        self._lock = Lock()
        self._flaws = flaws
        self._generation = 0
        self._making: dict[Hashable, asyncio.Future[bytes]] = {}

    def get(self, key: Hashable) -> bytes | None:
        """Return what is kept under the key."""
        with self._lock:
            self._demand_reachable()
            return self._entries.get(key)

    def put(self, key: Hashable, content: bytes) -> None:
        """Keep the content under the key."""
        with self._lock:
            self._demand_reachable()
            self._entries[key] = content

    def forget(self) -> None:
        """Make everything that is remembered outdated; what is still being made, too."""
        self._generation += 1

    async def remember(
        self, key: Hashable, make: Callable[[], Awaitable[bytes]], *, aspect: str
    ) -> bytes:
        """Return what is kept, or make and keep it; without a cache, just make it."""
        full_key = (aspect, self._generation, key)
        with suppress(CacheUnavailableError):
            kept = self.get(full_key)
            if kept is not None:
                return kept
        if full_key not in self._making:  # a hundred readers at once cost one query
            task = asyncio.ensure_future(make())
            task.add_done_callback(lambda _: self._making.pop(full_key))
            self._making[full_key] = task
        content = await asyncio.shield(self._making[full_key])
        with suppress(CacheUnavailableError):
            self.put(full_key, content)
        return content

    def probe(self) -> None:
        """Write a value and read it back.

        Raises:
            CacheUnavailableError: it didn't come back.
        """
        written = secrets.token_bytes(8)
        self.put("probe", written)
        if self.get("probe") != written:
            raise CacheUnavailableError

    def _demand_reachable(self) -> None:
        if Flaw.CACHE_DOWN in self._flaws():
            self._entries.clear()
            raise CacheUnavailableError
