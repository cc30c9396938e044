"""What a fault of security does to a request and its answer on their way."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from random import Random

from sandbox.asgi import Message, Scope, answer, with_headers
from sandbox.interference import Exchange

KEPT_S = 60.0
REDIRECTS = frozenset({HTTPStatus.FOUND, HTTPStatus.TEMPORARY_REDIRECT})
SCRIPT = "/static/app.js"
SOURCE_MAP = f"{SCRIPT}.map"
# With these a client may be told that it has the file, or get a part of it.
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"range", b"accept-encoding"})
# Of the whole file, which an addition makes untrue.
OF_THE_FILE = frozenset({b"content-length", b"etag", b"last-modified", b"accept-ranges"})

REPOSITORY: Mapping[str, bytes] = {
    "/.git/config": b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n",
    "/.git/HEAD": b"ref: refs/heads/main\n",
}
DOCUMENTATION = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Open Policy Platform - Swagger UI</title></head>
<body><div id="swagger-ui"><h1>Open Policy Platform</h1><a href="/openapi.json">openapi.json</a>
</div></body>
</html>
"""


@dataclass(slots=True, frozen=True)
class Kept:
    """An answer that was kept, and until when."""

    messages: tuple[Message, ...]
    until: float


class SharedCache:
    """A cache that knows an answer by its URL alone, and so mixes up who asks."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._kept: dict[bytes, Kept] = {}
        self._season: Random | None = None

    async def __call__(self, exchange: Exchange) -> None:
        """Give whoever asks what another one was answered."""
        if exchange.random is not self._season:  # it was cleared and set again
            self._season = exchange.random
            self._kept.clear()
        if (exchange.scope["method"], exchange.scope["path"]) != ("GET", self._path):
            await exchange.proceed()
            return
        url: bytes = exchange.scope["query_string"]
        kept = self._kept.get(url)
        if kept is None or kept.until <= self._clock():
            kept = await self._ask(exchange)
            if kept.messages[0].get("status") == HTTPStatus.OK:
                self._kept[url] = kept
        for message in kept.messages:
            await exchange.send({**message})

    async def _ask(self, exchange: Exchange) -> Kept:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await replace(exchange, send=keep).proceed()
        return Kept(tuple(messages), self._clock() + KEPT_S)


async def lead_to_the_named_host(exchange: Exchange) -> None:
    """Let redirects name the host that the request has named."""
    host = header(exchange.scope, b"host")

    async def send(message: Message) -> None:
        if message.get("status") in REDIRECTS:
            base = exchange.scope["scheme"].encode() + b"://" + host
            message["headers"] = [
                (name, base + value if name == b"location" and value[:1] == b"/" else value)
                for name, value in message["headers"]
            ]
        await exchange.send(message)

    await replace(exchange, send=send).proceed()


async def serve_documentation(exchange: Exchange) -> None:
    """Serve a page that shows what the API can do."""
    if exchange.scope["path"] == "/docs":
        await answer(exchange.send, 200, "text/html; charset=utf-8", DOCUMENTATION)
    else:
        await exchange.proceed()


async def answer_trace(exchange: Exchange) -> None:
    """Answer TRACE with the head of the request (RFC 9110, 9.3.8)."""
    scope = exchange.scope
    if scope["method"] != "TRACE":
        await exchange.proceed()
        return
    lines = [b"TRACE " + target_of(scope) + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in scope["headers"]]
    await answer(exchange.send, 200, "message/http", b"\r\n".join([*lines, b"", b""]))


async def name_the_server(exchange: Exchange) -> None:
    """Name the software that answers, and its version."""
    told = [(b"server", b"nginx/1.18.0"), (b"x-powered-by", b"Express 4.17.1")]
    await replace(exchange, send=with_headers(exchange.send, told)).proceed()


async def serve_a_repository(exchange: Exchange) -> None:
    """Serve what Git keeps beside the files that are meant to be served."""
    content = REPOSITORY.get(exchange.scope["path"])
    if content is None:
        await exchange.proceed()
    else:
        await answer(exchange.send, 200, "application/octet-stream", content)


async def set_an_open_cookie(exchange: Exchange) -> None:
    """Let pages set a cookie that scripts may read and every request carries."""

    async def send(message: Message) -> None:
        headers = message.get("headers", ())
        if dict(headers).get(b"content-type", b"").startswith(b"text/html"):
            cookie = f"session={secrets.token_hex(16)}; Path=/".encode()
            message["headers"] = [*headers, (b"set-cookie", cookie)]
        await exchange.send(message)

    await replace(exchange, send=send).proceed()


async def serve_a_source_map(exchange: Exchange) -> None:
    """Let the script name its source map, and serve that."""
    if exchange.scope["path"] != SOURCE_MAP:
        await add_to_the_script(exchange, b"//# sourceMappingURL=app.js.map\n")
        return
    content = {
        "version": 3,
        "file": "app.js",
        "sources": ["../src/app.ts"],
        "sourcesContent": ["// Every page loads this.\n"],
        "names": [],
        "mappings": "AAAA",
    }
    await answer(exchange.send, 200, "application/json", json.dumps(content).encode())


async def serve_a_secret(exchange: Exchange) -> None:
    """Let the script hold a key to a cloud, of which nothing but the form is real."""
    # Put together here, so that who looks for secrets in this repository finds none.
    key_id = "AKIA" + "ZQ3DSANDBOX2FAKE"
    secret = base64.b64encode(hashlib.sha256(b"sandbox").digest()).decode()[:40]
    script = f'const cloud = {{ accessKeyId: "{key_id}", secretAccessKey: "{secret}" }};\n'
    await add_to_the_script(exchange, script.encode())


async def add_to_the_script(exchange: Exchange, addition: bytes) -> None:
    """Answer the script that every page loads with something below it."""
    if exchange.scope["path"] != SCRIPT:
        await exchange.proceed()
        return
    headers = [pair for pair in exchange.scope["headers"] if pair[0] not in CONDITIONS]
    scope = {**exchange.scope, "headers": headers}
    await replace(exchange, scope=scope, send=adding(exchange, addition)).proceed()


def adding(exchange: Exchange, addition: bytes) -> Callable[[Message], Awaitable[None]]:
    """Return a `send` that puts the addition below the body; only its whole length is told."""

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"]
            length = str(int(dict(headers)[b"content-length"]) + len(addition)).encode()
            kept = [pair for pair in headers if pair[0] not in OF_THE_FILE]
            message["headers"] = [*kept, (b"content-length", length)]
        elif not message.get("more_body", False):
            message["body"] = message.get("body", b"") + addition
        await exchange.send(message)

    return send


def header(scope: Scope, name: bytes) -> bytes:
    """Return the value of that header of a request; nothing where it has none."""
    value: bytes = dict(scope["headers"]).get(name, b"")
    return value


def target_of(scope: Scope) -> bytes:
    """Return what a request asked for, its query included."""
    path, query = scope["raw_path"], scope["query_string"]
    target: bytes = path + b"?" + query if query else path
    return target
