"""The faults that the sandbox can be given: one record for each.

A fault either alters the conditions that the platform works under, or stands around each
request. A new fault is a new record in `FAULTS` and its test.
"""

import asyncio
import difflib
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from sandbox.asgi import answer, answer_json
from sandbox.conditions import Conditions, Exchange
from sandbox.errors import SandboxError

HANG_POLL_S = 0.05

# What is set: the fault's name, and its value or None where it takes none.
FaultSettings = Mapping[str, float | None]


class Part(Enum):
    """The process that a fault works in."""

    API = "api"
    WEB = "web"


@dataclass(slots=True, frozen=True)
class Value:
    """The number that a fault takes: what it means, its default and its bounds."""

    meaning: str
    default: float
    highest: float
    lowest: float = 0.0


def unaltered(conditions: Conditions) -> Conditions:
    """Leave the conditions as they are."""
    return conditions


@dataclass(slots=True, frozen=True)
class Fault:
    """One way to break the platform; it alters conditions, or stands around each request."""

    name: str
    sentence: str
    alters: Callable[[Conditions], Conditions] = unaltered
    around: Callable[[Exchange], Awaitable[None]] | None = None
    value: Value | None = None
    parts: frozenset[Part] = frozenset({Part.API})

    @property
    def form(self) -> str:
        """How the fault is written on the command line."""
        return f"{self.name}={self.value.default:g}" if self.value else self.name


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


async def delay(exchange: Exchange) -> None:
    """Hold each request back for the given seconds."""
    await asyncio.sleep(exchange.value)
    await exchange.proceed()


async def answer_broken_script(exchange: Exchange) -> None:
    """Replace the script that every page loads by one that throws."""
    if exchange.scope["path"] == "/static/app.js":
        script = b"throw new TypeError(\"Cannot read properties of undefined (reading 'page')\");\n"
        await answer(exchange.send, 200, "text/javascript; charset=utf-8", script)
    else:
        await exchange.proceed()


async def hang(exchange: Exchange) -> None:
    """Leave the request unanswered for as long as the fault is set."""
    while exchange.is_still_set():  # noqa: ASYNC110 - the switch is a file that another process writes
        await asyncio.sleep(HANG_POLL_S)
    await exchange.proceed()


# Those further down stand further out: a slow platform is slow with its errors, too.
FAULTS = (
    Fault(
        "database-down",
        "The API loses its database: every query fails until the fault is cleared.",
        alters=lambda conditions: replace(conditions, is_database_reachable=False),
    ),
    Fault(
        "cache-down",
        "The API loses its cache and what was in it.",
        alters=lambda conditions: replace(conditions, is_cache_reachable=False),
    ),
    Fault(
        "lying-health",
        "The health endpoints say healthy while the database is gone.",
        alters=lambda conditions: replace(
            conditions, is_database_reachable=False, reports_health_truthfully=False
        ),
    ),
    Fault(
        "stale-release",
        "One of the two replicas of the API still serves the other release.",
        alters=lambda conditions: replace(conditions, deploys_all_replicas=False),
    ),
    Fault(
        "auth-bypass",
        "Protected routes answer without a token, and any password signs in.",
        alters=lambda conditions: replace(conditions, requires_credentials=False),
    ),
    Fault(
        "leaky-errors",
        "Errors show stack traces, SQL and paths, and a quote in a search provokes one.",
        alters=lambda conditions: replace(conditions, hides_internals=False),
    ),
    Fault(
        "missing-headers",
        "API and web interface leave their security headers out.",
        alters=lambda conditions: replace(conditions, sends_security_headers=False),
        parts=frozenset(Part),
    ),
    Fault(
        "broken-javascript",
        "The script that every page of the web interface loads throws an error.",
        around=answer_broken_script,
        parts=frozenset({Part.WEB}),
    ),
    Fault(
        "health-down",
        "The health endpoints of the API say unhealthy.",
        around=answer_unhealthy,
    ),
    Fault(
        "error-rate",
        "A share of the API's requests is answered 500.",
        around=answer_some_with_an_error,
        value=Value("the share, 0 to 1", default=0.2, highest=1.0),
    ),
    Fault(
        "latency",
        "Each answer of the API takes that much longer.",
        around=delay,
        value=Value("seconds, 0 to 600", default=0.8, highest=600.0),
    ),
    Fault(
        "hang",
        "API and web interface accept requests and never answer.",
        around=hang,
        parts=frozenset(Part),
    ),
)
FAULTS_BY_NAME = {fault.name: fault for fault in FAULTS}


def parse_fault(text: str) -> tuple[str, float | None]:
    """Read `NAME` or `NAME=VALUE`; return the fault's name and its value.

    Raises:
        SandboxError: it isn't a fault, or its value isn't one; the message names those there are.

    >>> parse_fault("latency=1.5")
    ('latency', 1.5)
    >>> parse_fault("hang")
    ('hang', None)
    """
    name, separator, written = text.partition("=")
    fault = FAULTS_BY_NAME.get(name)
    if fault is None:
        raise SandboxError(describe_unknown(name))
    if not separator:
        return name, fault.value.default if fault.value else None
    if fault.value is None:
        raise SandboxError(f"The fault {name} takes no value; write just {name}.")
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not fault.value.lowest <= number <= fault.value.highest:
        raise SandboxError(
            f"{written!r} is no value for the fault {name}: it takes {fault.value.meaning}, "
            f"as in {fault.form}."
        )
    return name, number


def describe_unknown(name: str) -> str:
    """Say that there is no such fault, which ones are near, and which there are."""
    near = difflib.get_close_matches(name, FAULTS_BY_NAME, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(fault.form for fault in FAULTS)
    return f"There is no fault {name!r}.{hint} Known faults: {known}."
