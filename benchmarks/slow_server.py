"""A server of endpoints that each take a while: GET /BYTES/NAME answers with that many bytes.

It waits on timers rather than in threads, and writes each answer at once, so that a thousand
requests cost it a few hundredths of a second.
"""

from __future__ import annotations

import argparse
import asyncio
from functools import cache


class SlowAnswers(asyncio.Protocol):
    """One connection; it stays open, and its requests come one after another."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer by."""
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request after the delay."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            request, _, self._received = self._received.partition(b"\r\n\r\n")
            size = int(request.split(b"/", 2)[1])
            asyncio.get_running_loop().call_later(self._delay_s, self._answer, size)

    def _answer(self, size: int) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer_of(size))


@cache
def answer_of(size: int) -> bytes:
    """Make the whole answer with a body of `size` bytes; the same for all, so made once."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + b"ok".ljust(size)


async def serve(delay_s: float) -> None:
    """Serve on a free port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(
        lambda: SlowAnswers(delay_s), "127.0.0.1", 0, backlog=1024
    )
    host, port = server.sockets[0].getsockname()
    print(f"serving http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--delay", type=float, default=0.05, metavar="SECONDS")
    asyncio.run(serve(parser.parse_args().delay))
