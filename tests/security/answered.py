"""Answers as the checks of headers look at them, made up by a test or asked of a real server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx

from deployment_gate.security.answers import Answer, Answers, Kind, named
from tests.probes.target import Answer as MadeUp
from tests.probes.target import Target

Headers = Iterable[tuple[str, str]]

SOUND: tuple[tuple[str, str], ...] = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("Cache-Control", "no-store"),
)
"""Headers that nothing is to be said against."""


def answered(  # noqa: PLR0913  # what an answer is made of
    *headers: tuple[str, str],
    body: str = "",
    url: str = "https://web.example/",
    status: int = 200,
    html: bool = True,
    private: bool = False,
    kind: Kind = Kind.PAGE,
) -> Answer:
    """An answer with these headers, a page unless it is said to be data."""
    usual = [("Content-Type", "text/html; charset=utf-8" if html else "application/json")]
    own = [] if any(name.lower() == "content-type" for name, _ in headers) else usual
    response = httpx.Response(
        status,
        headers=[*own, *headers],
        content=body.encode(),
        request=httpx.Request("GET", url),
    )
    base = "web" if html else "api"
    return named(kind, base, httpx.URL(url).path, response, is_private=private)


def without(*names: str) -> list[tuple[str, str]]:
    """The sound headers, without some."""
    return [(name, value) for name, value in SOUND if name not in names]


def these(*answers: Answer) -> Answers:
    """Those answers as what was seen."""
    return Answers(answers)


def http(body: str = "", status: int = 200, headers: Headers = SOUND) -> bytes:
    """An answer as it goes over a connection; a header may stand in it more than once."""
    content = body.encode()
    shown = [*headers, ("Content-Length", str(len(content)))]
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in shown)]
    return "\r\n".join([*lines, "", ""]).encode() + content


@contextmanager
def serving(answer: MadeUp) -> Iterator[Target]:
    """A real server on loopback for as long as the block runs."""
    target = Target(answer)
    try:
        yield target
    finally:
        target.close()
