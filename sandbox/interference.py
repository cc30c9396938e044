"""What a fault can do to a request and its answer on their way."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from random import Random

from sandbox.asgi import App, Message, Receive, Scope, Send, answer, answer_json, with_headers

HANG_POLL_S = 0.05


@dataclass(slots=True, frozen=True)
class Exchange:
    """One request on its way to the platform, as a fault meets it.

    `value` is the fault's own; `random` is seeded anew whenever the faults change.
    """

    app: App
    scope: Scope
    receive: Receive
    send: Send
    value: float
    random: Random
    is_still_set: Callable[[], bool]

    async def proceed(self) -> None:
        """Let the request reach the platform."""
        await self.app(self.scope, self.receive, self.send)


async def answer_unhealthy(exchange: Exchange) -> None:
    """Say unhealthy on every health endpoint."""
    if exchange.scope["path"].startswith("/health"):
        await answer_json(exchange.send, 503, {"status": "unhealthy", "components": {}})
    else:
        await exchange.proceed()


async def answer_some_with_an_error(exchange: Exchange) -> None:
    """Answer the given share of the requests 500."""
    if exchange.random.random() < exchange.value:
        error = {"code": "internal_error", "message": "Something went wrong on our side."}
        await answer_json(exchange.send, 500, {"error": error})
    else:
        await exchange.proceed()


async def answer_broken_script(exchange: Exchange) -> None:
    """Replace the script that every page loads by one that throws."""
    if exchange.scope["path"] == "/static/app.js":
        script = b"throw new TypeError(\"Cannot read properties of undefined (reading 'page')\");\n"
        await answer(exchange.send, 200, "text/javascript; charset=utf-8", script)
    else:
        await exchange.proceed()


async def delay(exchange: Exchange) -> None:
    """Hold each request back for the given seconds."""
    await asyncio.sleep(exchange.value)
    await exchange.proceed()


async def delay_pages(exchange: Exchange) -> None:
    """Hold each page back for the given seconds, and nothing else."""

    async def send(message: Message) -> None:
        if dict(message.get("headers", ())).get(b"content-type", b"").startswith(b"text/html"):
            await asyncio.sleep(exchange.value)
        await exchange.send(message)

    await replace(exchange, send=send).proceed()


class Throttle:
    """A bucket of tokens, one for each request to the API proper, as many a second as are allowed.

    It holds those of one second at most, and a request that finds it empty is turned away.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = clock()
        self._tokens = math.inf

    async def __call__(self, exchange: Exchange) -> None:
        """Answer 429 what comes above the given requests per second."""
        if not exchange.scope["path"].startswith("/api/") or self._takes_one(exchange.value):
            await exchange.proceed()
            return
        error = {"code": "too_many_requests", "message": "Too many requests. Try again later."}
        send = with_headers(exchange.send, [(b"retry-after", b"1")])
        await answer_json(send, HTTPStatus.TOO_MANY_REQUESTS, {"error": error})

    def _takes_one(self, rate: float) -> bool:
        now = self._clock()
        self._tokens = min(rate, self._tokens + (now - self._looked_at) * rate)
        self._looked_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


async def hang(exchange: Exchange) -> None:
    """Leave the request unanswered for as long as the fault is set."""
    while exchange.is_still_set():  # noqa: ASYNC110 - the switch is a file that another process writes
        await asyncio.sleep(HANG_POLL_S)
    await exchange.proceed()


def misroute(path: str, to: str = "/unrouted") -> Callable[[Exchange], Awaitable[None]]:
    """Make what answers one path as if another had been asked for, by default where no route is."""

    async def lead_astray(exchange: Exchange) -> None:
        if exchange.scope["path"].rstrip("/") == path:
            exchange = replace(exchange, scope={**exchange.scope, "path": to})
        await exchange.proceed()

    return lead_astray


async def redirect_as_found(exchange: Exchange) -> None:
    """Redirect with 302, after which clients ask by GET and without a body."""

    async def send(message: Message) -> None:
        if message.get("status") == HTTPStatus.TEMPORARY_REDIRECT:
            message["status"] = HTTPStatus.FOUND.value
        await exchange.send(message)

    await replace(exchange, send=send).proceed()


async def ignore_accepted_encodings(exchange: Exchange) -> None:
    """Let the platform believe that the client can't read compressed answers."""
    headers = [pair for pair in exchange.scope["headers"] if pair[0] != b"accept-encoding"]
    await replace(exchange, scope={**exchange.scope, "headers": headers}).proceed()


async def let_caches_keep(exchange: Exchange) -> None:
    """Allow every cache on the way to keep what is answered to a user who is signed in."""
    has_token = any(name == b"authorization" for name, _ in exchange.scope["headers"])
    if has_token and exchange.scope["path"].startswith("/api/"):
        public = [(b"cache-control", b"public, max-age=600")]
        exchange = replace(exchange, send=with_headers(exchange.send, public))
    await exchange.proceed()
