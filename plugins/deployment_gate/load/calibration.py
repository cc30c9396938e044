"""What the load generator adds by itself: looked at against a server that answers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from deployment_gate.load.capacity import after_warm_up, bottleneck
from deployment_gate.load.course import Generator
from deployment_gate.load.plan import LoadPlan, Stage
from deployment_gate.load.seconds import LoadSecond, merged

CALIBRATION_USERS = Path(__file__).with_name("calibration_users.py")
"""The Locust file of the users that look at it."""

LOOK_S = 3
"""Seconds that count, after one in which the users begin."""

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    b"Connection: keep-alive\r\n\r\n{}"
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the generator adds by itself.

    Attributes:
        delay_s: Seconds by which it sees 95 % of the answers late, at most; None where it saw none.
        shortfall: Why it can't carry the rate even so; None where it can.
    """

    delay_s: float | None = None
    shortfall: str | None = None


async def calibrate(plan: LoadPlan, generate: Callable[[LoadPlan], Generator]) -> Calibration:
    """Have the generator make the highest rate of a load on a server of this process.

    Args:
        plan: The load.
        generate: Makes the generator of a plan.

    Raises:
        GeneratorError: The generator died, hangs or says what can't be understood.
    """
    server = await asyncio.get_running_loop().create_server(_AtOnce, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        highest = max(plan.stages, key=lambda stage: stage.arrival_rate)
        look = replace(
            plan,
            host=f"http://127.0.0.1:{port}",
            stages=(Stage(LOOK_S + 1.0, highest.arrival_rate, highest.users),),
            spawn_rate=float(highest.users),
            warm_up_s=1.0,
        )
        seconds: list[LoadSecond] = []
        async with aclosing(generate(look).seconds()) as each:
            async for second in each:
                seconds.append(second)
                if second.second >= LOOK_S:
                    break
    counted = after_warm_up(seconds, look)
    seen = merged(one.from_due for second in counted for one in second.endpoints.values())
    delay_s = seen.get_value_at_percentile(95) / 1e6 if seen.get_total_count() else None
    return Calibration(delay_s, bottleneck(counted, look, own_delay_s=delay_s))


class _AtOnce(asyncio.Protocol):
    """Answers each request of a connection as soon as it is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        if requests and isinstance(self._transport, asyncio.WriteTransport):
            self._transport.write(len(requests) * _ANSWER)
