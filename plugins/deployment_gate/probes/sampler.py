"""Sends rounds of probes concurrently; a round costs about its slowest probe."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.apart import run_apart
from deployment_gate.probes.blame import Blame, blame, no_answer_within, no_connection_within

if TYPE_CHECKING:
    import aiohttp

BODY_LIMIT = 256 * 1024
"""Bytes of a body that are kept; a health answer is far smaller, and memory stays bounded."""


_LONGEST_RETRY_S = 24 * 3600

_HEADER_LIMIT = 64 * 1024
"""Bytes of one header; a content security policy alone may exceed aiohttp's own limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_truncated: bool


def no_facts(answer: Answer) -> dict[str, Any]:
    """For probes that want nothing but status and time."""
    del answer
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question to the target; only ever a GET.

    Attributes:
        subject: What the observation is about.
        kind: What the probe looks for.
        url: Where to ask.
        timeout_s: Seconds until it counts as unanswered.
        headers: Sent beside the usual ones.
        needs_own_connection: Whether a balancer must be able to send it elsewhere than others.
        read: What facts an answer holds.
    """

    subject: str
    kind: ObservationKind
    url: str
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    needs_own_connection: bool = False
    read: Callable[[Answer], dict[str, Any]] = no_facts


class Sampler:
    """Sends rounds of probes, at most `concurrency` at a time, each round on new connections.

    aiohttp rather than httpx: httpx's pool does work that grows with requests times
    connections, which made 1000 endpoints take thirteen seconds instead of two.
    """

    def __init__(self, *, concurrency: int, user_agent: str) -> None:
        self._concurrency = concurrency
        self._headers = {"User-Agent": user_agent, "Accept": "application/json, */*;q=0.5"}

    def round(self, probes: Sequence[Probe]) -> list[Observation]:
        """Ask all `probes` at once; their observations, in the same order."""
        return run_apart(self.ask(probes))

    async def ask(self, probes: Sequence[Probe]) -> list[Observation]:
        """The same within a loop that runs already."""
        turn = asyncio.Semaphore(self._concurrency)
        # Loading the trusted issuers costs as much as fifty probes; aiohttp's default is as strict.
        trust = ssl_context() if any(is_https(probe.url) for probe in probes) else True
        async with (
            self.session(trust=trust, force_close=False) as shared,
            self.session(trust=trust, force_close=True) as own,
        ):

            async def ask_in_turn(probe: Probe) -> Observation:
                # A probe that waits for its turn must not spend its time limit on that.
                async with turn:
                    return await ask_once(own if probe.needs_own_connection else shared, probe)

            return list(await asyncio.gather(*map(ask_in_turn, probes)))

    def session(self, *, trust: ssl.SSLContext | bool, force_close: bool) -> aiohttp.ClientSession:
        """What connections are shared by.

        Args:
            trust: Whose certificates are; True for aiohttp's default, which is as strict.
            force_close: Whether each request has a connection of its own.
        """
        import aiohttp  # noqa: PLC0415  # half a second that only a run with probes pays

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_note_connection)
        trace.on_connection_reuseconn.append(_note_connection)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._concurrency, force_close=force_close, ssl=trust
            ),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
            timeout=aiohttp.ClientTimeout(),  # each probe has its own
            trace_configs=[trace],
        )


def is_https(url: str) -> bool:
    """Whether an address is asked over TLS."""
    return url.lower().startswith("https:")


@cache
def ssl_context() -> ssl.SSLContext:
    """The one TLS context of this process, with the system's trusted issuers."""
    return ssl.create_default_context()


@dataclass(slots=True)
class _Way:
    """Whether a probe got as far as a connection."""

    is_connected: bool = False


async def _note_connection(_session: object, context: Any, _params: object) -> None:
    context.trace_request_ctx.is_connected = True


async def ask_once(session: aiohttp.ClientSession, probe: Probe) -> Observation:
    """Send a probe once.

    Args:
        session: One that `Sampler.session` made.
        probe: What to ask.
    """
    at = datetime.now(UTC)
    started = time.perf_counter()
    way = _Way()
    status: int | None = None
    facts: dict[str, Any] = {}
    why = Blame()
    try:
        async with (
            asyncio.timeout(probe.timeout_s),
            session.get(
                probe.url,
                headers=probe.headers,
                allow_redirects=False,
                trace_request_ctx=way,
            ) as response,
        ):
            status = response.status
            body, is_truncated = await _read(response)
        answer = Answer(status, response.headers, body, is_truncated)
        duration_s = time.perf_counter() - started
        facts = probe.read(answer) | _later(answer)
    except TimeoutError:
        duration_s = time.perf_counter() - started
        why = (
            no_answer_within(probe.timeout_s)
            if way.is_connected
            else await asyncio.to_thread(no_connection_within, probe.timeout_s, url=probe.url)
        )
    except Exception as error:  # noqa: BLE001  # whatever it was, blame() says whose it is
        duration_s = time.perf_counter() - started
        why = blame(error)
    return Observation(
        at=at,
        kind=probe.kind,
        subject=probe.subject,
        duration_s=round(duration_s, 6),
        status=status,
        error=why.error,
        unobserved=why.unobserved,
        facts=facts,
    )


def _later(answer: Answer) -> dict[str, Any]:
    """`retry_after_s` of an answer that refuses to be asked so often (RFC 9110, 10.2.3)."""
    said = answer.headers.get("Retry-After", "").strip()
    if answer.status != HTTPStatus.TOO_MANY_REQUESTS or not said:
        return {}
    if said.isascii() and said.isdigit():
        return {"retry_after_s": min(int(said), _LONGEST_RETRY_S)}
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return {}
    left_s = (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else 0
    return {"retry_after_s": max(0, min(round(left_s, 3), _LONGEST_RETRY_S))}


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The body up to the limit, and whether there was more."""
    parts = bytearray()
    async for chunk in response.content.iter_any():
        parts += chunk
        if len(parts) > BODY_LIMIT:
            response.close()
            return bytes(parts[:BODY_LIMIT]), True
    return bytes(parts), False
