"""Asks a platform that nobody described yet: only GET, few at once, never for long."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import Lock
from typing import Any, Self

import httpx

from deployment_gate.discovery.addresses import is_same_site, joined
from deployment_gate.probes.blame import blame, no_answer_within
from deployment_gate.probes.sampler import ssl_context

MOST_REQUESTS = 150
"""What one look sends at most, pages in a browser and all that they need included."""
MOST_TIME_S = 90.0
"""Seconds that one look takes at most."""

PER_SECOND = 20.0
"""How many of them are sent in a second at most."""

_AT_ONCE = 4
_TIMEOUT_S = 5.0
_MOST_REDIRECTS = 4
_BODY_LIMIT = 6 * 1024 * 1024
"""Bytes; descriptions of APIs are the largest that is read, and few are larger."""


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """What an address was answered with, redirects within the platform followed.

    Attributes:
        asked: The address that was asked for.
        url: The address that answered.
        status: HTTP's.
        headers: By name, in whatever case.
        body: As far as it was read.
        is_truncated: Whether there was more.
        at: When it was asked, in UTC.
        duration_s: Seconds until the whole answer was there.
        leads_elsewhere: Where a redirect led that wasn't followed, since that isn't the platform.
    """

    asked: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    is_truncated: bool
    at: datetime
    duration_s: float
    leads_elsewhere: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether it is what was asked for."""
        return HTTPStatus(200) <= self.status < HTTPStatus(300)

    @property
    def content_type(self) -> str:
        """What it says that it is, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def is_page(self) -> bool:
        """Whether it is an HTML page."""
        start = self.body[:512].lstrip().lower()
        is_html = self.content_type in {"text/html", "application/xhtml+xml"}
        return is_html or start.startswith((b"<!doctype html", b"<html"))

    @property
    def text(self) -> str:
        """Its body as text."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def json(self) -> Any:
        """What its body says as JSON; None where it isn't."""
        if self.is_truncated:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Budget:
    """How many requests and how much time are left; several threads may ask.

    Attributes:
        left: Requests that are left.
        spent: Those that were sent.
    """

    def __init__(
        self,
        requests: int = MOST_REQUESTS,
        seconds: float = MOST_TIME_S,
        *,
        per_second: float = PER_SECOND,
    ) -> None:
        self.left = requests
        self.spent = 0
        self._until = time.monotonic() + seconds
        self._next = 0.0
        self._pause_s = 1 / per_second
        self._lock = Lock()

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._until - time.monotonic())

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be asked."""
        return self.left <= 0 or self.left_s <= 0

    def take(self) -> bool:
        """Take leave for one request, as soon as its turn has come; False where none is left."""
        with self._lock:
            if self.is_spent:
                return False
            self.left -= 1
            self.spent += 1
            now = time.monotonic()
            wait_s = max(0.0, self._next - now)
            self._next = max(now, self._next) + self._pause_s
        time.sleep(min(wait_s, self.left_s))
        return True


class Asker:
    """Asks a platform, within a budget; whatever it was asked once is known.

    Attributes:
        budget: What may be asked yet.
        failures: Why addresses gave no answer.
        user_agent: Who asks.
    """

    def __init__(self, *, user_agent: str, budget: Budget) -> None:
        self.budget = budget
        self.failures: dict[str, str] = {}
        self.user_agent = user_agent
        self._known: dict[str, Reply | None] = {}
        self._client = httpx.Client(
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": user_agent, "Accept": "application/json, text/html, */*;q=0.5"},
            verify=ssl_context(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, *, again: bool = False) -> Reply | None:
        """Ask for an address; None where it gave no answer, or nothing more may be asked.

        Args:
            url: Where to ask.
            again: Whether to ask although its answer is known.
        """
        if again or url not in self._known:
            self._known[url] = self._ask(url)
        return self._known[url]

    def get_all(self, urls: Iterable[str]) -> list[Reply | None]:
        """Ask for several addresses, a few at once; the answers in their order."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(self.get, urls))

    def _ask(self, url: str) -> Reply | None:
        address = url
        for _ in range(_MOST_REDIRECTS + 1):
            reply = self._ask_once(url, address)
            to = reply.headers.get("Location") if reply else None
            if reply is None or to is None or reply.status not in {301, 302, 303, 307, 308}:
                return reply
            following = joined(address, to)
            if following is None or not is_same_site(url, following):
                return replace(reply, leads_elsewhere=following or to)
            address = following
        self.failures[url] = f"redirects more than {_MOST_REDIRECTS} times"
        return None

    def _ask_once(self, asked: str, url: str) -> Reply | None:
        if not self.budget.take():
            return None
        at, began = datetime.now(UTC), time.monotonic()
        limit_s = max(0.1, min(_TIMEOUT_S, self.budget.left_s))
        try:
            with self._client.stream("GET", url, timeout=limit_s) as response:
                body, is_whole = bytearray(), True
                for part in response.iter_bytes():
                    body += part
                    if len(body) > _BODY_LIMIT or time.monotonic() - began > limit_s:
                        is_whole = False
                        break
        except httpx.TimeoutException:
            self.failures[asked] = no_answer_within(limit_s).error or ""
            return None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            found = blame(error)
            self.failures[asked] = found.error or found.unobserved or type(error).__name__
            return None
        return Reply(
            asked=asked,
            url=url,
            status=response.status_code,
            headers=response.headers,
            body=bytes(body[:_BODY_LIMIT]),
            is_truncated=not is_whole,
            at=at,
            duration_s=time.monotonic() - began,
        )
