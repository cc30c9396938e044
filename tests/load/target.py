"""A server that answers at once and remembers when it was asked: python target.py.

/right, /wrong, /throttled say what they are; /stall is answered at once but for one second, from
the second after the first request on. /seen tells of each path when it was asked.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from typing import ClassVar

FIRST_STALL_S = 1.0
STALL_S = 1.0


class Target(asyncio.Protocol):
    """One connection."""

    seen: ClassVar[defaultdict[str, list[float]]] = defaultdict(list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go by."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer; a request comes in one piece."""
        path = data.split(b" ", 2)[1].decode()
        self.seen[path].append(time.monotonic())
        into_s = self.seen[path][-1] - self.seen[path][0]
        if path == "/seen":
            self.answer(200, dict(self.seen))
        elif path == "/throttled":
            self.answer(429, {})
        elif path == "/stall" and FIRST_STALL_S <= into_s < FIRST_STALL_S + STALL_S:
            left_s = FIRST_STALL_S + STALL_S - into_s
            asyncio.get_running_loop().call_later(left_s, self.answer, 200, {"is": "right"})
        else:
            self.answer(200, {"is": "wrong" if path == "/wrong" else "right"})

    def answer(self, status: int, value: object) -> None:
        """Write an answer."""
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)  # type: ignore[attr-defined]


async def serve() -> None:
    """Serve on a free port of the loopback, which is printed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Target, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 -- who started it reads it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
