"""The target's true latency under load: asked beside the load, on a schedule, from this process.

A load generator that is busy sees answers late, and reports its own queue as the target's. A
few requests a second from a process that does little else aren't delayed like that.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.probes.sampler import Answer, Probe, Sampler, ask_once, is_https, ssl_context

if TYPE_CHECKING:
    import aiohttp

AT_ONCE = 256
"""How many requests may be under way; at 20 a second, what a silence of 12 s piles up."""

_TIMER_S = 0.001
"""How late the event loop's timers may wake: epoll takes whole milliseconds, rounded up."""


def any_content(answer: Answer) -> bool:
    """Take every body for a right one."""
    del answer
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked again and again while there is load; only ever a GET.

    Attributes:
        endpoint: What the samples are of, as reports name it.
        url: Where to ask.
        timeout_s: Seconds from the sending until it counts as unanswered.
        headers: Tells what is sent beside the usual ones; a token that is good for a while, say.
        status: Of a right answer.
        holds: Whether an answer's content is right. A ValueError says that it isn't, too.
    """

    endpoint: str
    url: str
    timeout_s: float
    headers: Callable[[], Mapping[str, str]] = dict
    status: int = HTTPStatus.OK
    holds: Callable[[Answer], bool] = any_content


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How one request went.

    Attributes:
        at: When it was due, aware and in UTC.
        endpoint: What was asked.
        from_due_s: Seconds to the whole answer, or to the error, from the moment at which the
            request was due: what somebody waits who comes at that moment. Without `late_s`.
        from_sent_s: The same from when it was handed to a connection, old or new; none where it
            wasn't sent.
        late_s: How late this process woke for it, in seconds. The target has no part in that:
            however slow it is, nothing here waits for it before the next one is due.
        status: The HTTP status, where there was an answer.
        error: Why the answer isn't right, by the target's doing.
        unobserved: Why the runner couldn't ask; not the target's doing.
        right: Whether status and content are as they should be. Only these count as latency.
        throttled: Whether the target refused to be asked so often; neither right nor an error.
    """

    at: datetime
    endpoint: str
    from_due_s: float
    from_sent_s: float | None = None
    late_s: float = 0.0
    status: int | None = None
    error: str | None = None
    unobserved: str | None = None
    right: bool = False
    throttled: bool = False


async def sample(  # noqa: PLR0913  # each one is a different thing, and named
    asks: Sequence[Ask],
    *,
    rate: float,
    until: Callable[[], bool],
    observe: Callable[[Sample], None],
    user_agent: str,
    at_once: int = AT_ONCE,
) -> None:
    """Ask on a schedule that doesn't slow down with the target, the endpoints in turn.

    Each request has a slot of `1 / rate` seconds and is due at a random moment of it, so that
    the samples can't keep step with the load, nor with what the target does at intervals. It is
    sent at that moment whether or not those before it were answered. While `at_once` are under
    way it waits, and counts from when it was due all the same (wrk2's rule). Cancelling ends it at
    once.

    Args:
        asks: What to ask.
        rate: Requests a second, of all together.
        until: Looked at before each request; once it holds, no more are sent, and it ends when
            all that were are answered or out of time.
        observe: Is told how each went, when it is over.
        user_agent: How the requests name their sender.
        at_once: How many requests may be under way.
    """
    turn = asyncio.Semaphore(at_once)
    jitter = random.Random()  # noqa: S311  # no secret
    # Loading the trusted issuers takes longer than a request should wait.
    trust = ssl_context() if any(is_https(ask.url) for ask in asks) else True
    client = Sampler(concurrency=at_once, user_agent=user_agent)
    async with (
        client.session(trust=trust, force_close=False) as session,
        asyncio.TaskGroup() as under_way,
    ):
        _note_when_handed(session)
        start = time.perf_counter()
        start_at = datetime.now(UTC)
        number = 0
        while True:
            due = start + (number + jitter.random()) / rate
            await _wait_until(due)
            if until():
                return
            at = start_at + timedelta(seconds=due - start)
            one = _Due(asks[number % len(asks)], at, due, turn)
            under_way.create_task(_sample_one(one, session, observe))
            number += 1


@dataclass(frozen=True, slots=True)
class _Due:
    """A request that is due: when by the calendar, when by the clock, and what it waits for."""

    ask: Ask
    at: datetime
    due: float
    turn: asyncio.Semaphore


@dataclass(slots=True)
class _Handed:
    """When a request went to its connection, old or new; what came before was aiohttp's making.

    And when its whole answer was there, if one came.
    """

    at: float | None = None
    answered: float | None = None


_handed: ContextVar[_Handed] = ContextVar("_handed")


def _note_when_handed(session: aiohttp.ClientSession) -> None:
    """Have `_handed` of the request's own context note the moment."""
    import aiohttp  # noqa: PLC0415  # half a second that only a run with load pays

    async def note(_session: object, _context: object, _params: object) -> None:
        handed = _handed.get()
        handed.at = handed.at or time.perf_counter()

    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(note)
    trace.on_connection_create_start.append(note)
    trace.freeze()
    session.trace_configs.append(trace)


async def _wait_until(moment: float) -> None:
    """Sleep nearly until then, and let the loop turn for the rest: no timer is exact enough."""
    await asyncio.sleep(max(0.0, moment - time.perf_counter() - _TIMER_S))
    while time.perf_counter() < moment:  # noqa: ASYNC110  # the clock sets no event
        await asyncio.sleep(0)


async def _sample_one(
    one: _Due, session: aiohttp.ClientSession, observe: Callable[[Sample], None]
) -> None:
    woken = time.perf_counter()
    late_s = woken - one.due
    try:
        # Bounds what waits: after its time limit nobody would wait for the answer any more.
        async with asyncio.timeout(one.ask.timeout_s):
            await one.turn.acquire()
    except TimeoutError:
        observe(_never_sent(one, time.perf_counter() - woken, late_s))
        return
    try:
        handed = _Handed()
        _handed.set(handed)
        asked = time.perf_counter()
        seen = await ask_once(session, _probe(one.ask, handed))
    finally:
        one.turn.release()
    took_s = (handed.answered or asked + seen.duration_s) - (handed.at or asked)
    observe(_as_sample(one, seen, _Times(late_s, asked - woken, took_s)))


def _never_sent(one: _Due, waited_s: float, late_s: float) -> Sample:
    return Sample(
        at=one.at,
        endpoint=one.ask.endpoint,
        from_due_s=waited_s,
        late_s=late_s,
        unobserved=f"not sent: for {one.ask.timeout_s:g} s too many earlier ones had no answer",
    )


def _probe(ask: Ask, handed: _Handed) -> Probe:
    def read(answer: Answer) -> dict[str, Any]:
        handed.answered = time.perf_counter()
        try:
            return {"holds": ask.holds(answer)}
        except ValueError:
            return {"holds": False}

    return Probe(
        subject=ask.endpoint,
        kind=ObservationKind.REQUEST,
        url=ask.url,
        timeout_s=ask.timeout_s,
        headers=ask.headers(),
        read=read,
    )


@dataclass(frozen=True, slots=True)
class _Times:
    """How late this process was, how long the request waited for its turn, and took then."""

    late_s: float
    waited_s: float
    took_s: float


def _as_sample(one: _Due, seen: Observation, times: _Times) -> Sample:
    is_throttled = seen.status == HTTPStatus.TOO_MANY_REQUESTS != one.ask.status
    error = seen.error
    if not (error or seen.unobserved or is_throttled):
        if seen.status != one.ask.status:
            error = f"status {seen.status}, not {one.ask.status}"
        elif not seen.facts["holds"]:
            error = "its content isn't what it should be"
    return Sample(
        at=one.at,
        endpoint=one.ask.endpoint,
        from_due_s=times.waited_s + times.took_s,
        from_sent_s=times.took_s,
        late_s=times.late_s,
        status=seen.status,
        error=error,
        unobserved=seen.unobserved,
        right=not (error or seen.unobserved or is_throttled),
        throttled=is_throttled,
    )
