"""A server whose latency is known, far quicker than the load: GET /constant, /lognormal, /stall.

`/constant` is answered at once, `/lognormal` after a delay of a known distribution, `/stall` at
once but for the first two seconds of every ten, whose requests are answered when they are over.
`/origin` restarts the ten seconds. It speaks just as much HTTP as that takes.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import time
from collections.abc import Callable
from statistics import NormalDist

import uvloop

MEDIAN_S = 0.02
"""The median of the delays; ln of a delay is normal."""

SIGMA = 0.5
"""The deviation of the delays' logarithms: their 95th percentile is 2.28 times the median."""

STALL_S = 2.0
EVERY_S = 10.0

ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"items": []}'
)


def lognormal_quantile(share: float) -> float:
    """Return the delay, in seconds, that such a share of the delays stays under."""
    return MEDIAN_S * math.exp(SIGMA * NormalDist().inv_cdf(share))


def stall_quantile(share: float) -> float:
    """Return the seconds that such a share of evenly spread requests waits at most."""
    stalled = STALL_S / EVERY_S
    return max(0.0, STALL_S * (share - (1 - stalled)) / stalled)


class Delays:
    """How long each path lets its requests wait."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._origin = time.perf_counter()

    def restart(self) -> None:
        """Begin the ten seconds of `/stall` now, with a stall."""
        self._origin = time.perf_counter()

    def of(self, path: bytes) -> float:
        """Return the seconds that a request of now waits for its answer."""
        if path == b"/lognormal":
            return self._random.lognormvariate(math.log(MEDIAN_S), SIGMA)
        if path == b"/stall":
            since_s = (time.perf_counter() - self._origin) % EVERY_S
            return max(0.0, STALL_S - since_s)
        return 0.0


class Known(asyncio.Protocol):
    """One connection; it stays open, and its requests come one after another."""

    def __init__(self, delays: Delays, call_later: Callable[..., object]) -> None:
        self._delays = delays
        self._call_later = call_later
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer by."""
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer each whole request when its delay is over."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            request, _, self._received = self._received.partition(b"\r\n\r\n")
            path = request.split(b" ", 2)[1]
            if path == b"/origin":
                self._delays.restart()
            if delay_s := self._delays.of(path):
                self._call_later(delay_s, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve(seed: int) -> None:
    """Serve on a free port until the process is ended."""
    loop = asyncio.get_running_loop()
    delays = Delays(seed)
    server = await loop.create_server(
        lambda: Known(delays, loop.call_later), "127.0.0.1", 0, backlog=4096
    )
    host, port = server.sockets[0].getsockname()
    print(f"serving http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the delays")
    uvloop.run(serve(parser.parse_args().seed))
